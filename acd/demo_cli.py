"""`acd demo` on the command line: its options. The simulation itself is loaded only when it runs."""

import argparse
from typing import Any

MOST_AGENTS, MOST_QUEUES = 2000, 200


def add_to(commands: Any) -> None:
    """Adds `demo` to the command line."""
    text = "run the call center with a simulated Asterisk and simulated people"
    demo = commands.add_parser("demo", help=text, description=text)
    demo.add_argument("--host", default="127.0.0.1", help="the address to listen on (127.0.0.1)")
    demo.add_argument("--port", type=int, default=8080, help="the port to listen on (8080; 0: any that is free)")
    demo.add_argument("--agents", type=_up_to(MOST_AGENTS), default=24, help="simulated agents (24)")
    demo.add_argument("--queues", type=_up_to(MOST_QUEUES), default=8, help="queues (8)")
    demo.add_argument("--calls-per-minute", type=_rate, help="of all queues (nearly as many as the agents can take)")
    demo.add_argument("--past", type=_rate, metavar="MINUTES", help="history to begin with (65 for 24 agents)")
    demo.add_argument("--seed", type=int, default=1, help="another number makes another day (1)")
    demo.add_argument("--no-browser", action="store_true", help="do not open the wallboard")
    demo.set_defaults(run=_run)


def _up_to(most: int) -> Any:
    def count(text: str) -> int:
        number = int(text)
        if not 1 <= number <= most:
            raise argparse.ArgumentTypeError(f"must be between 1 and {most}")
        return number

    return count


def _rate(text: str) -> float:
    number = float(text)
    if not 0 <= number <= 10_000:
        raise argparse.ArgumentTypeError("must be between 0 and 10000")
    return number


def _run(options: argparse.Namespace) -> int:
    from acd.simulated import demo  # here, because `acd serve` does without it

    return demo.run(options)
