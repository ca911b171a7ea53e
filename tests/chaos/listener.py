"""A client of the stream who goes on at another node whenever the one he listens to is silent."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from itertools import cycle

import aiohttp

from tests.chaos.audit import gaps
from tests.e2e.containers import HOST
from tests.e2e.desk import TOKEN, eventually

HEADERS = {"Authorization": f"Bearer {TOKEN}"}
SILENT = 2.0  # seconds after which a node is given up


async def text_of(port: int, path: str) -> str:
    """What a node answers."""
    async with aiohttp.ClientSession(headers=HEADERS) as client, client.get(f"http://{HOST}:{port}{path}") as answer:
        return await answer.text()


class Listener:
    """Hears all that is told, wherever."""

    def __init__(self, ports: Sequence[int]) -> None:
        self.heard: list[int] = []
        self.moves = 0  # from one node to another
        self._ports = ports
        self._others: list[str] = []  # what should not have come

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Within the block."""
        task = asyncio.create_task(self._listen())
        try:
            await eventually(self._hears, 10, "something is told")
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _hears(self) -> bool:
        return bool(self.heard)

    async def _listen(self) -> None:
        async with aiohttp.ClientSession(headers=HEADERS) as client:
            for port in cycle(self._ports):
                with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError):
                    await self._at(client, f"http://{HOST}:{port}/api/v1/ws")
                self.moves += 1
                await asyncio.sleep(0.1)

    async def _at(self, client: aiohttp.ClientSession, url: str) -> None:
        after = {"after": str(self.heard[-1])} if self.heard else {}
        async with asyncio.timeout(SILENT):
            socket = await client.ws_connect(url, params=after, heartbeat=SILENT)
        async with socket:
            async for message in socket:
                if message.type is not aiohttp.WSMsgType.TEXT:
                    return  # the node is silent
                envelope = json.loads(message.data)
                self.heard.append(envelope["seq"])
                if envelope["type"] in ("reset", "acd"):
                    self._others.append(f"the stream told {envelope['type']} {envelope['event']}")

    def faults(self, last: int) -> list[str]:
        """What he missed, or heard twice. `last`: the number of the last envelope there is."""
        missed = [] if last - 5 <= self.heard[-1] <= last else [f"heard up to {self.heard[-1]} of {last}"]
        return [*self._others, *missed, *(f"the stream: {each}" for each in gaps(self.heard))]
