"""What several tests need."""

import asyncio
from collections.abc import Callable


async def until(predicate: Callable[[], object], seconds: float = 5, what: str = "") -> None:
    """Wait until this is true, at most so many seconds; fails saying what was waited for."""
    end = asyncio.get_running_loop().time() + seconds
    while not predicate():
        assert asyncio.get_running_loop().time() < end, f"not within {seconds} s: {what or predicate}"
        await asyncio.sleep(0.005)
