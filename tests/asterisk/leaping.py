"""An event loop whose clock leaps over the time in which nothing happens: hours pass in no time, and in order."""

import asyncio
import selectors
from collections.abc import Callable
from typing import Any

ON_ITS_WAY = 1.0  # true seconds after which bytes that nobody has read are taken for lost
A_MOMENT = 1e-6  # seconds; who sleeps so long wakes when all that was written has been read and dealt with


class LeapingLoop(asyncio.SelectorEventLoop):
    """Its time goes on only when nothing is to be run or read, and then at once to the next timer.

    What one side of a connection made here has written and the other has not read counts as to be read, so that it
    does not matter how fast the system carries it over.
    """

    def __init__(self) -> None:
        self._now = 0.0
        self._under_way = 0  # bytes, and connections being made
        super().__init__(_Selector(self))

    def time(self) -> float:
        return self._now

    def leap(self, seconds: float) -> None:
        self._now += seconds

    @property
    def waits(self) -> bool:
        """Something is on its way from one socket to another."""
        return self._under_way > 0

    async def create_server(self, protocol_factory: Callable[[], Any], *args: Any, **settings: Any) -> Any:
        return await super().create_server(self._watched(protocol_factory), *args, **settings)

    async def create_connection(self, protocol_factory: Callable[[], Any], *args: Any, **settings: Any) -> Any:
        self._under_way += 1
        try:
            return await super().create_connection(self._watched(protocol_factory), *args, **settings)
        finally:
            self._under_way -= 1

    def _watched(self, factory: Callable[[], Any]) -> Callable[[], Any]:
        """Makes protocols that count what they write and read."""

        def make() -> Any:
            protocol = factory()
            made, received, lost = protocol.connection_made, protocol.data_received, protocol.connection_lost

            def connection_made(transport: Any) -> None:
                write = transport.write

                def count_and_write(data: bytes) -> None:
                    self._under_way += len(data)
                    write(data)

                transport.write = count_and_write
                made(transport)

            def data_received(data: bytes) -> None:
                self._under_way -= len(data)
                received(data)

            def connection_lost(error: Exception | None) -> None:
                self._under_way = 0  # what is still unread will never be
                lost(error)

            protocol.connection_made, protocol.data_received = connection_made, data_received
            protocol.connection_lost = connection_lost
            return protocol

        return make


class _Selector(selectors.DefaultSelector):
    def __init__(self, loop: LeapingLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:  # no timer: another thread, or the end
            return super().select(None)
        ready = super().select(ON_ITS_WAY if timeout and self._loop.waits else 0)
        if not ready and timeout > 0:
            self._loop.leap(timeout)
        return ready
