"""A subscriber of acd's stream in a process of its own: how long after an event's time in Asterisk it hears of it.

`python -m tests.load.follower URL TOKEN`: each line on stdin is answered with what was measured since the last one.
"""

import asyncio
import json
import re
import sys
import time
from datetime import datetime

import aiohttp

from tests.bench.measure import percentile

AT = re.compile(rb'^data: ?\{"seq":\d+,"at":"([^"]+)"', re.MULTILINE)


class Follower:
    def __init__(self) -> None:
        self._lags: list[float] = []

    async def follow(self, url: str, token: str) -> None:
        """Calls only; until it is cancelled."""
        headers = {"Authorization": f"Bearer {token}"}
        limit = aiohttp.ClientTimeout(total=None)
        async with (
            aiohttp.ClientSession(timeout=limit, headers=headers) as client,
            client.get(f"{url}/api/v1/events?type=call") as response,
        ):
            response.raise_for_status()
            rest = b""
            async for chunk in response.content.iter_any():
                now = time.time()
                whole, _, rest = (rest + chunk).rpartition(b"\n\n")
                self._lags += [now - datetime.fromisoformat(at.decode()).timestamp() for at in AT.findall(whole)]

    def told(self) -> dict[str, float]:
        lags, self._lags = self._lags or [0.0], []
        late = sum(lag > 0.05 for lag in lags)
        return {
            "messages": len(lags),
            "p50": percentile(lags, 0.5),
            "p99": percentile(lags, 0.99),
            "max": max(lags),
            "late": late,
        }


async def _main(url: str, token: str) -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    follower = Follower()
    following = asyncio.create_task(follower.follow(url, token))
    while await reader.readline() and not following.done():
        print(json.dumps(follower.told()), flush=True)
    following.cancel()


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:3]))
