"""acd with a clock that can be set: `python3 -m tests.chaos.stepped FILE serve` runs `acd serve`.

FILE holds by how many seconds the clock of the day is off, as one double. time.monotonic() is left alone, as it is
when a machine's clock is really set.
"""

import mmap
import struct
import sys
import time

true_time = time.time


def step_clock(path: str) -> None:
    """From now on time.time() is off by what the file says at that moment."""
    with open(path, "r+b") as file:
        offset = mmap.mmap(file.fileno(), 8)
    time.time = lambda: true_time() + struct.unpack_from("d", offset)[0]
    time.time_ns = lambda: int(time.time() * 1e9)


if __name__ == "__main__":
    place = sys.argv.pop(1)
    with open(place, "wb") as empty:
        empty.write(struct.pack("d", 0.0))
    step_clock(place)
    # Late, so that whoever takes time's functions by name takes these.
    from acd.__main__ import main

    sys.exit(main())
