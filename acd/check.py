"""acd check: tells what an Asterisk lacks for the figures to be true."""

import argparse

from acd.settings import Settings


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `acd check`."""
    parser.add_argument("--listen", type=float, default=0.0, metavar="SECONDS", help="listen for a test call")


async def run(settings: Settings, options: argparse.Namespace) -> int:
    """Prints one line a finding; returns 1 when something is missing."""
    raise NotImplementedError
