"""What is measured, said in lines: medians of rounds with their smallest and largest value, and goals."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

TURNS = 2_000_000


def summary(values: Sequence[float], form: str = ",.0f") -> str:
    """median (smallest - largest)"""
    return f"{statistics.median(values):{form}} ({min(values):{form}} - {max(values):{form}})"


def speed() -> float:
    """Millions of turns of an empty loop for a second of processor: what this machine gives at this moment."""
    began = time.process_time()
    for _ in range(TURNS):
        pass
    return TURNS / 1e6 / (time.process_time() - began)


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@dataclass(slots=True)
class Report:
    """Prints as it goes, and keeps what each goal came to."""

    goals: list[str] = field(default_factory=list)

    def head(self, text: str) -> None:
        print(f"\n{text}\n{'-' * len(text)}", flush=True)
        self.line("speed of the machine, million turns of a loop", f"{speed():.0f} a second of processor")

    def line(self, what: str, text: str) -> None:
        print(f"  {what:<58} {text}", flush=True)

    def at_least(self, what: str, value: float, goal: float, form: str = ".2f") -> None:
        self._goal(what, value >= goal, f"{value:{form}}, goal at least {goal:{form}}")

    def at_most(self, what: str, value: float, goal: float, form: str = ".1f") -> None:
        self._goal(what, value <= goal, f"{value:{form}}, goal at most {goal:{form}}")

    def _goal(self, what: str, reached: bool, text: str) -> None:
        line = f"{'reached' if reached else 'MISSED '}  {what}: {text}"
        self.goals.append(line)
        print(f"  {line}", flush=True)
