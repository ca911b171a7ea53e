"""The link between acd and Asterisk, inside the rig's container: `python3 -m tests.chaos.proxy`, orders on stdin.

`open`: passes everything on. `cut`: resets what is connected. `close`: and refuses whoever comes. `freeze`: keeps the
connections and passes nothing on. `slow SECONDS BYTES`: passes everything on so much later, at most so much a second.
Each order is answered by the same line when it is done.
"""

import asyncio
import contextlib
import socket
import struct
import sys

PORT = 5038
SERVER = "asterisk"
CHUNK = 4096


class Link:
    """The one place through which all connections go."""

    def __init__(self) -> None:
        self._flows = asyncio.Event()
        self._flows.set()
        self._closed = False
        self._delay, self._speed = 0.0, 0.0
        self._writers: set[asyncio.StreamWriter] = set()

    def obey(self, order: str, *numbers: str) -> None:
        self._closed = order == "close"
        self._delay, self._speed = (float(numbers[0]), float(numbers[1])) if order == "slow" else (0.0, 0.0)
        if order == "freeze":
            self._flows.clear()
        else:
            self._flows.set()
        if order in ("cut", "close"):
            for writer in list(self._writers):
                _reset(writer)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._closed:
            _reset(writer)
            return
        try:
            there = await asyncio.open_connection(SERVER, PORT)
        except OSError:
            writer.close()
            return
        pumps = [asyncio.create_task(self._pump(*pair)) for pair in ((reader, there[1]), (there[0], writer))]
        self._writers |= {writer, there[1]}
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            for one in (writer, there[1]):
                self._writers.discard(one)
                one.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Two halves, so that a delay is no limit to the speed."""
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(1000)
        loop = asyncio.get_running_loop()

        async def take() -> None:
            while data := await reader.read(CHUNK):
                await under_way.put((loop.time() + self._delay, data))
            await under_way.put((0.0, b""))

        taking = asyncio.create_task(take())
        try:
            with contextlib.suppress(OSError):
                while (due := await under_way.get())[1]:
                    await asyncio.sleep(max(0.0, due[0] - loop.time()))
                    await self._flows.wait()
                    writer.write(due[1])
                    await writer.drain()
                    if self._speed:
                        await asyncio.sleep(len(due[1]) / self._speed)
        finally:
            taking.cancel()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await taking


def _reset(writer: asyncio.StreamWriter) -> None:
    """RST instead of a polite end."""
    sock = writer.get_extra_info("socket")
    if sock is not None and not writer.is_closing():
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _main() -> None:
    link = Link()
    server = await asyncio.start_server(link.serve, "0.0.0.0", PORT)  # noqa: S104 (a container's port)
    orders = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    print("listening", flush=True)
    async for line in orders:
        link.obey(*line.decode().split())
        print(line.decode().strip(), flush=True)
    server.close()


if __name__ == "__main__":
    asyncio.run(_main())
