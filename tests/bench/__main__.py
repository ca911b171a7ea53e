"""python -m tests.bench [part ...]: without a name all parts, in this order."""

import argparse
import os
import platform
import sys
import time

from acd.serve import TURN
from tests.bench import adapter, latency, memory, neighbour, pages, path, reports, size, start, web
from tests.bench.measure import Report

PARTS = {
    "adapter": adapter.run,
    "path": path.run,
    "latency": latency.run,
    "memory": memory.run,
    "start": start.run,
    "size": size.run,
    "web": web.run,
    "reports": reports.run,
    "pages": pages.run,
    "neighbour": neighbour.run,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measures speed, latency and memory.")
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of: {', '.join(PARTS)}")
    parts = parser.parse_args().parts or list(PARTS)
    if unknown := set(parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    began = time.monotonic()
    print(
        f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}"
    )
    print("Medians of interleaved rounds, with (smallest - largest).")
    sys.setswitchinterval(TURN)  # as acd's own
    report = Report()
    for part in parts:
        PARTS[part](report)
    print("\nGoals\n-----")
    for line in report.goals:
        print(f"  {line}")
    print(f"\n{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
