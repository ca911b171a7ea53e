"""python -m tests.chaos [name ...]: without a name all faults, and the table goes into docs/reliability.md."""

import argparse
import asyncio
import os
import random
import sys
import time
from pathlib import Path

from tests.chaos.audit import KINDS, Findings
from tests.chaos.faults import FAULTS
from tests.chaos.report import table, write
from tests.chaos.rig import Rig
from tests.chaos.scene import Scene
from tests.e2e.containers import REPOSITORY, OneRunAtATime

CALLS = 210  # that are wanted of each fault
SHOWN = 4  # findings of a kind that are printed; all are kept


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="Faults under load.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"of: {', '.join(FAULTS)}")
    parser.add_argument("--calls", type=int, default=CALLS, help="calls a fault (%(default)s)")
    parser.add_argument("--seed", type=int, default=random.randrange(10_000), help="makes the same callers come again")
    parser.add_argument("--folder", type=Path, default=REPOSITORY / "build" / "chaos", help="where logs are kept")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(FAULTS):
        parser.error(f"there is no fault {', '.join(sorted(unknown))}; there are {', '.join(FAULTS)}")
    names = arguments.names or list(FAULTS)
    print(f"{os.cpu_count()} cores, seed {arguments.seed}, logs in {arguments.folder}", flush=True)
    with OneRunAtATime(Rig.project):
        rig = Rig()
        rig.down()
        try:
            rig.up()
            found = asyncio.run(_run(rig, names, arguments.calls, arguments.seed, arguments.folder))
        finally:
            rig.down()
    print(table(found))
    if not arguments.names:
        write(found)
    return int(any(one.bad for one in found.values()))


async def _run(rig: Rig, names: list[str], calls: int, seed: int, folder: Path) -> dict[str, Findings]:
    found: dict[str, Findings] = {}
    for name in names:
        began, fault = time.monotonic(), FAULTS[name]
        scene = Scene(rig, name, int(calls * (1 + fault.more)), seed, folder)
        found[name] = await scene.play(fault.setup, fault.happen)
        if found[name].calls < calls:
            found[name].other.append(f"fewer than {calls} calls")
        _say(name, found[name], time.monotonic() - began)
    return found


def _say(name: str, found: Findings, seconds: float) -> None:
    counts = ", ".join(f"{kind} {len(getattr(found, kind))}" for kind in KINDS)
    truth = max(found.to_truth, default=0.0)
    print(f"{name}: calls {found.calls}, {counts}, truth after {truth:.1f} s ({seconds:.0f} s)", flush=True)
    for kind in KINDS:
        for finding in getattr(found, kind)[:SHOWN]:
            print(f"    {kind}: {finding}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
