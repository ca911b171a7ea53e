"""A way to acd that breaks: a proxy of bytes that cuts each connection where it is told to."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Proxy:
    """`cuts`: how many bytes of acd's the connections to come may carry, one each; without one all of them."""

    def __init__(self) -> None:
        self.target: int | None = None  # the port of acd; None: nobody listens
        self.cuts: deque[int] = deque()
        self.connections = 0
        self._open: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._open.add(writer)
        try:
            if self.target is None:
                return
            server_reader, server = await asyncio.open_connection("127.0.0.1", self.target)
            self._open.add(server)
            try:
                up = asyncio.create_task(self._carry(reader, server, None))
                await self._carry(server_reader, writer, self.cuts.popleft() if self.cuts else None)
                up.cancel()
            finally:
                self._open.discard(server)
                server.transport.abort()
        except OSError:
            pass  # either end has gone, and the other will be told
        finally:
            self._open.discard(writer)
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, most: int | None) -> None:
        while (most is None or most > 0) and (data := await reader.read(65536 if most is None else most)):
            if most is not None:
                most -= len(data)
            writer.write(data)
            await writer.drain()

    def cut(self) -> None:
        """Every connection, now."""
        for writer in self._open:
            writer.transport.abort()


@asynccontextmanager
async def open_proxy() -> AsyncIterator[tuple[Proxy, str]]:
    """A proxy and its address."""
    proxy = Proxy()
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    try:
        yield proxy, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        proxy.cut()
