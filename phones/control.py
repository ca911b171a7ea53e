"""Drives a softphone of the phones container: `async with Phone(1001) as phone: await phone.dial("600")`.

Works from the host (published ports) and from inside another container (ACD_PHONES_HOST=phones).
"""

import asyncio
import contextlib
import itertools
import os
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from phones.hearing import BLOCK, samples_of
from phones.line import Call, Line
from phones.netstring import BadNetstring, Decoder, Message, encode
from phones.sound import RATE

RECONNECT_AFTER = 0.3
FIRST_DOOR = 4000
ANSWER_PATIENCE = 5.0
LISTEN_PATIENCE = 3.0
REMEMBERED = 5000


class PhoneError(Exception):
    """The phone did not do what it was told, or is not there."""


@dataclass(frozen=True, slots=True)
class PhoneEvent:
    """`type` is baresip's name (CALL_INCOMING, CALL_ESTABLISHED, CALL_CLOSED, REGISTER_OK ...), `at` our own clock."""

    at: float
    type: str
    call: str
    peer: str
    param: str
    raw: Message = field(repr=False, compare=False)


def to_event(message: Message, at: float) -> PhoneEvent:
    kind, call, peer, param = (str(message.get(key, "")) for key in ("type", "id", "peeruri", "param"))
    return PhoneEvent(at, kind, call, peer, param, message)


class Phone:
    """One softphone. `events` holds what was heard since `connect` (the last thousands), oldest first."""

    def __init__(self, extension: int | str, host: str | None = None, port: int | None = None) -> None:
        self.extension = int(extension)
        self._host = host or os.environ.get("ACD_PHONES_HOST", "127.0.0.1")
        self._port = port or int(os.environ.get("ACD_PHONES_BASE", FIRST_DOOR)) + self.extension - 1000
        self.events: list[PhoneEvent] = []
        self._seen = 0
        self._line = Line()
        self._heard = asyncio.Condition()
        self._writer: asyncio.StreamWriter | None = None
        self._answers: dict[str, asyncio.Future[Message]] = {}
        self._tokens = itertools.count(1)
        self._reading: asyncio.Task[None] | None = None
        self._listeners: list[Callable[[PhoneEvent], None]] = []
        self._helpers: set[asyncio.Task[Any]] = set()

    # --- connection

    async def __aenter__(self) -> "Phone":
        await self.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def connect(self, seconds: float = 10.0) -> None:
        """Returns once the phone host has said how the phone stands; reconnects by itself from then on."""
        self._reading = self._reading or asyncio.create_task(self._keep_reading())
        await self._until(lambda: bool(self.events), seconds, f"no phone host at {self._host}:{self._port}")

    async def close(self) -> None:
        tasks = [task for task in (self._reading, *self._helpers) if task]
        self._reading = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep_reading(self) -> None:
        while True:
            try:
                await self._read_one_connection()
            except (OSError, BadNetstring):
                pass  # the container starts, or starts again: the next try will tell
            await self._lost()
            await asyncio.sleep(RECONNECT_AFTER)

    async def _read_one_connection(self) -> None:
        reader, self._writer = await asyncio.open_connection(self._host, self._port)
        decoder = Decoder()
        try:
            while data := await reader.read(65536):
                for message in decoder.feed(data):
                    await self._take(message)
        finally:
            self._writer.close()
            self._writer = None

    async def _lost(self) -> None:
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(PhoneError(f"{self.extension}: the connection to the phone host was lost"))
        async with self._heard:
            self._line = Line()
            self._heard.notify_all()

    async def _take(self, message: Message) -> None:
        if message.get("response"):
            answer = self._answers.get(str(message.get("token")))
            if answer and not answer.done():
                answer.set_result(message)
            return
        async with self._heard:
            self._line.apply(message)
            self._remember(to_event(message, time.time()))
            self._heard.notify_all()

    def _remember(self, event: PhoneEvent) -> None:
        self.events.append(event)
        if len(self.events) > 2 * REMEMBERED:
            del self.events[:REMEMBERED]
            self._seen = max(0, self._seen - REMEMBERED)
        for listener in self._listeners:
            listener(event)

    # --- what is

    @property
    def registered(self) -> bool:
        return self._line.registered

    @property
    def calls(self) -> list[Call]:
        return list(self._line.calls.values())

    # --- what happens

    async def wait_for(
        self, event_type: str, seconds: float = 5.0, where: Callable[[PhoneEvent], bool] | None = None
    ) -> PhoneEvent:
        """The next such event after the one that was last waited for, also if it has come already."""

        def find() -> int:
            fitting = (
                index
                for index, event in enumerate(self.events[self._seen :], self._seen)
                if event.type == event_type and (where is None or where(event))
            )
            return next(fitting, -1)

        await self._until(lambda: find() >= 0, seconds, f"no {event_type}")
        index = find()
        self._seen = index + 1
        return self.events[index]

    def forget(self) -> None:
        """What has happened so far is not waited for any more."""
        self._seen = len(self.events)

    async def wait_until_registered(self, seconds: float = 30.0) -> None:
        await self._until(lambda: self.registered, seconds, "not registered")

    async def wait_until_idle(self, seconds: float = 5.0) -> None:
        await self._until(lambda: not self._line.calls, seconds, "still in a call")

    async def _until(self, true: Callable[[], bool], seconds: float, otherwise: str) -> None:
        try:
            async with asyncio.timeout(seconds), self._heard:
                await self._heard.wait_for(true)
        except TimeoutError:
            last = ", ".join(event.type for event in self.events[-6:]) or "nothing"
            text = f"{self.extension}: {otherwise} within {seconds:g} s; heard last: {last}"
            raise PhoneError(text) from None

    # --- orders

    async def command(self, name: str, params: str = "") -> str:
        """Any long command of baresip; its answer as text. A refusal is a PhoneError."""
        answer = await self._ask(name, params)
        text = str(answer.get("data", "")).strip()
        if not answer.get("ok"):
            raise PhoneError(f"{self.extension}: {name} {params}: {text}")
        return text

    async def _ask(self, name: str, params: str = "") -> Message:
        if not self._writer:
            raise PhoneError(f"{self.extension}: not connected to {self._host}:{self._port}")
        token = str(next(self._tokens))
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._answers[token] = answer
        params_if_any = {"params": params} if params else {}
        self._writer.write(encode({"command": name, "token": token, **params_if_any}))
        try:
            async with asyncio.timeout(ANSWER_PATIENCE):
                return await answer
        except TimeoutError:
            raise PhoneError(f"{self.extension}: no answer to {name} {params}") from None
        finally:
            del self._answers[token]

    async def dial(self, number: str) -> str:
        """Calls a number; returns baresip's id of the call. Wait for CALL_ESTABLISHED or CALL_CLOSED (param: why)."""
        answer = await self.command("dial", str(number))
        return answer.rpartition("call id:")[2].strip()

    async def answer(self) -> None:
        """Answers the call that rings; CALL_ESTABLISHED follows."""
        await self.command("accept", self._call_that_is("incoming").id)

    async def reject(self) -> None:
        """486, the only refusal baresip 1.1 can send."""
        await self.command("hangup", self._call_that_is("incoming").id)

    async def hangup(self) -> None:
        """Ends all calls of this phone, ringing ones too. No harm if there is none."""
        for call in self.calls:
            await self._ask("hangup", call.id)
        await self._ask("hangup")

    async def hold(self) -> None:
        """Returns when Asterisk has agreed."""
        await self._change_hold("hold", True)

    async def resume(self) -> None:
        """Returns when Asterisk has agreed."""
        await self._change_hold("resume", False)

    async def _change_hold(self, command: str, held: bool) -> None:
        call = self._call_that_is("established")
        await self._ask(command)  # resume says "Invalid argument" and does it all the same
        await self._until(lambda: call.held is held, ANSWER_PATIENCE, f"no {command}")

    async def transfer(self, target: str) -> None:
        """Blind transfer of the current call; CALL_CLOSED follows ("Call transfered", or "transfer failed: ...")."""
        self._call_that_is("established")
        # A bare number is refused here; the host part must be the one baresip is registered at.
        await self.command("transfer", target if target.startswith("sip:") else f"sip:{target}@{self._domain()}")

    async def send_digits(self, digits: str) -> None:
        """DTMF into the current call, for Asterisk's feature codes."""
        self._call_that_is("established")
        for digit in digits:
            await self.command("sndcode", digit)
            await asyncio.sleep(0.25)

    async def listen(self, seconds: float = 1.0) -> list[int]:
        """What this phone hears from now on for so long, at most two seconds: samples at 8000 a second."""
        wanted = int(seconds * RATE)
        begin, _ = await self._hearing()
        try:
            async with asyncio.timeout(seconds + LISTEN_PATIENCE):
                while True:
                    count, samples = await self._hearing()
                    if count >= begin + BLOCK + wanted:  # the block under way holds what was heard before
                        return samples[-wanted:]
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise PhoneError(f"{self.extension}: hears nothing, not even silence: no call?") from None

    async def _hearing(self) -> tuple[int, list[int]]:
        return samples_of(await self._ask("heard"))

    def _domain(self) -> str:
        for event in reversed(self.events):
            if domain := str(event.raw.get("accountaor", "")).partition("@")[2]:
                return domain
        return "asterisk"

    def _call_that_is(self, *states: str) -> Call:
        call = self._line.the_call(*states)
        if call is None:
            states_here = ", ".join(call.state for call in self.calls) or "none"
            raise PhoneError(f"{self.extension}: no call is {' or '.join(states)} (calls here: {states_here})")
        return call

    # --- by itself

    @contextlib.asynccontextmanager
    async def auto_answer(self, delay: float | Callable[[], float] = 0.0) -> AsyncIterator[None]:
        """Within the block every call that comes in is answered after `delay` seconds."""

        def on_event(event: PhoneEvent) -> None:
            if event.type == "CALL_INCOMING":
                self._help(self._answer_later(event.call, delay() if callable(delay) else delay))

        self._listeners.append(on_event)
        try:
            yield
        finally:
            self._listeners.remove(on_event)

    async def _answer_later(self, call: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        known = self._line.calls.get(call)
        if known and known.state == "incoming":
            with contextlib.suppress(PhoneError):  # the caller may have gone in this very moment
                await self.command("accept", call)

    def _help(self, work: Any) -> "asyncio.Task[None]":
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._helpers.add(task)
        task.add_done_callback(self._helpers.discard)
        return task
