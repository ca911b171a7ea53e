"""Callers from the outside, made by the callers container: `result = await call("600", stay=5)`.

Works from the host (published port 4100) and from inside another container (ACD_CALLERS_HOST=callers).
One TCP connection is one call; a connection that is cut hangs up.
"""

import asyncio
import contextlib
import json
import os
from typing import Any

from phones.calls import BadOrder, CallEvent, CallOrder, CallResult, to_result

PORT = 4100
SETUP_PATIENCE = 10.0


class CallerError(Exception):
    """The callers' container is not there, refused the order, or went away."""


class Caller:
    """A call under way. `result` grows as things happen."""

    def __init__(self, order: CallOrder, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.result = to_result(order)
        self._reader, self._writer = reader, writer
        self._heard = asyncio.Condition()
        self._reading = asyncio.create_task(self._read())
        self._error: str | None = None

    async def _read(self) -> None:
        try:
            async for line in self._reader:
                await self._take(json.loads(line))
        except (OSError, ValueError) as error:
            self._error = repr(error)
        finally:
            self._writer.close()
        async with self._heard:
            self._heard.notify_all()

    async def _take(self, fields: dict[str, Any]) -> None:
        async with self._heard:
            if "error" in fields:
                self._error = str(fields["error"])
            else:
                self.result.apply(CallEvent(**fields))
            self._heard.notify_all()

    async def wait_for(self, event: str, seconds: float = 10.0) -> CallEvent:
        """started, trying, ringing, answered, hung-up, far-end, refused or ended: the first of that name."""

        def find() -> CallEvent | None:
            return next((one for one in self.result.events if one.event == event), None)

        try:
            async with asyncio.timeout(seconds), self._heard:
                await self._heard.wait_for(lambda: find() or self._reading.done() or self._over())
        except TimeoutError:
            raise CallerError(f"{self._who()}: not {event} within {seconds:g} s; {self._so_far()}") from None
        found = find()
        if found is None:
            raise CallerError(f"{self._who()}: never {event}; {self._error or self._so_far()}")
        return found

    def _over(self) -> bool:
        return any(one.event == "ended" for one in self.result.events)

    async def ended(self, seconds: float | None = None) -> CallResult:
        """Waits until the call is over, whoever ends it."""
        try:
            async with asyncio.timeout(seconds):
                await asyncio.shield(self._reading)
        except TimeoutError:
            raise CallerError(f"{self._who()}: not over within {seconds} s; {self._so_far()}") from None
        if self._error or self.result.ended is None:
            raise CallerError(f"{self._who()}: {self._error or 'the callers container went away'}")
        return self.result

    async def hangup(self) -> CallResult:
        """Gives up or hangs up now. No harm if the call is over."""
        if not self._writer.is_closing():
            self._writer.write(b'{"hangup": true}\n')
        return await self.ended(SETUP_PATIENCE)

    async def leave(self) -> None:
        """Cuts the connection; the callers' container hangs up by itself."""
        self._reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reading

    def _who(self) -> str:
        return f"caller {self.result.caller} to {self.result.number}"

    def _so_far(self) -> str:
        return "so far: " + (", ".join(one.event for one in self.result.events) or "nothing")


async def start_call(
    number: str,
    stay: float | None = None,
    caller: str = "5550100",
    name: str = "Caller",
    patience: float | None = None,
    *,
    host: str | None = None,
    port: int | None = None,
) -> Caller:
    """A caller who calls now. Leaves `stay` seconds after the answer, or after `patience` seconds without one."""
    order = CallOrder(str(number), str(caller), name, stay, patience)
    host = host or os.environ.get("ACD_CALLERS_HOST", "127.0.0.1")
    port = port or int(os.environ.get("ACD_CALLERS_PORT", PORT))
    try:
        async with asyncio.timeout(SETUP_PATIENCE):
            reader, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError) as error:
        raise CallerError(f"no callers' container at {host}:{port}: {error!r}") from error
    writer.write(json.dumps({"call": order.to_json()}).encode() + b"\n")
    return Caller(order, reader, writer)


async def call(
    number: str,
    stay: float,
    caller: str = "5550100",
    name: str = "Caller",
    patience: float | None = None,
    *,
    host: str | None = None,
    port: int | None = None,
) -> CallResult:
    """A whole call, to its end."""
    made = await start_call(number, stay, caller, name, patience, host=host, port=port)
    try:
        return await made.ended()
    finally:
        await made.leave()


__all__ = ["BadOrder", "CallOrder", "CallResult", "Caller", "CallerError", "call", "start_call"]
