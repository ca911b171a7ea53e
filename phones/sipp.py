"""SIPp: one process a caller, and one process that answers whoever is called from inside.

The scenarios know no times. When a call is to end, a made-up SIP request HANGUP with the call's Call-ID is sent to
SIPp over the container's own network, and the scenario goes on with CANCEL or BYE. What happens in a call SIPp writes
as log lines into a pipe, and the moment the line is read is the moment it happened.
"""

import asyncio
import contextlib
import itertools
import logging
import os
import socket
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from string import Template

from phones.calls import CallEvent, CallOrder, CallResult, to_result

log = logging.getLogger(__name__)

SCENARIOS = Path(__file__).parent / "scenarios"
REFUSALS = (
    *(300, 301, 302, 305, 380, 400, 401, 402, 403, 404, 405, 406, 407, 408, 410, 413, 414, 415, 416, 420, 421, 423),
    *(480, 481, 482, 483, 484, 485, 486, 487, 488, 489, 491, 493, 494),
    *(500, 501, 502, 503, 504, 505, 513, 580, 600, 603, 604, 606),
)
NOT_FINAL_FOR_A_CANCEL = (481, 487)  # the CANCEL's own answers stand in the scenario by themselves
HEARD = ("trying", "ringing", "answered")
HANGUP_EVERY = 0.1
HANGUP_PATIENCE = 5.0
CALLEES_PORT = 5060

# Two ports of its own for each call: SIP, and media (RTP + RTCP, and as many again for the echo SIPp always opens).
_ports = itertools.cycle(range(20000, 29000, 6))


# --- pure parts -------------------------------------------------------------------------------------------------


def render_caller(order: CallOrder) -> str:
    template = Template((SCENARIOS / "caller.xml").read_text())
    late = [status for status in REFUSALS if status not in NOT_FINAL_FOR_A_CANCEL]
    return template.safe_substitute(
        caller=order.caller,
        name=order.name,
        refusals="\n".join(map(_refusal, REFUSALS)),
        late_refusals="\n".join(f'  <recv response="{status}" optional="true" next="refused"/>' for status in late),
    )


def _refusal(status: int) -> str:
    logged = f'<action><log message="refused {status}"/></action>'
    return f'  <recv response="{status}" optional="true" next="refused">{logged}</recv>'


def to_event(line: str, at: float) -> CallEvent | None:
    """`answered 200` of the caller's scenario; None for anything else."""
    word, *rest = line.split() or [""]
    if word not in ("started", "trying", "ringing", "answered", "hung-up", "far-end", "refused"):
        return None
    return CallEvent(at, word, int(rest[0]) if rest and rest[0].isdigit() else None)


def seconds_to_talk(number: str) -> float | None:
    """What the last two digits of a number called from inside say: 01-97 seconds, then it hangs up; 00 never."""
    ending = number[-2:]
    return float(ending) if len(ending) == 2 and ending.isdigit() and 1 <= int(ending) <= 97 else None


def hangup_request(call_id: str, at: str) -> bytes:
    lines = (
        f"HANGUP sip:{at} SIP/2.0",
        f"Via: SIP/2.0/UDP {at};branch=z9hG4bK{uuid.uuid4().hex}",
        f"From: <sip:driver@{at}>;tag=driver",
        f"To: <sip:sipp@{at}>",
        f"Call-ID: {call_id}",
        "CSeq: 1 HANGUP",
        "Content-Length: 0",
    )
    return "\r\n".join((*lines, "", "")).encode()


# --- one SIPp process -------------------------------------------------------------------------------------------


def own_address() -> str:
    """The container's own address: SIP wants one that the other side can answer to."""
    return socket.gethostbyname(socket.gethostname())


async def address_of(server: str) -> str:
    """SIPp would ask for IPv6 as well, which Docker's name server may take five seconds to deny."""
    found = await asyncio.get_running_loop().getaddrinfo(server, None, family=socket.AF_INET)
    return str(found[0][4][0])


class Sipp:
    """A SIPp process whose log lines can be read; gone when the block is left."""

    def __init__(self, scenario: Path, port: int, *arguments: str) -> None:
        self._scenario, self._arguments = scenario, arguments
        self.address, self.port = own_address(), port
        self._process: asyncio.subprocess.Process | None = None
        self._transport: asyncio.BaseTransport | None = None
        self._reader = asyncio.StreamReader()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed when the block is left)

    async def __aenter__(self) -> "Sipp":
        reading, writing = os.pipe()
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command(writing),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=self._errors,
                pass_fds=(writing,),
            )
        finally:
            os.close(writing)
        await self._read_from(reading)
        return self

    def _command(self, log_descriptor: int) -> list[str]:
        network = ("-i", self.address, "-mi", self.address, "-p", str(self.port))
        # Whatever comes in a moment when it is not waited for is ignored, and does not end the call.
        calm = ("-default_behaviors", "all,-abortunexp")
        output = ("-nostdin", "-trace_logs", "-log_file", f"/dev/fd/{log_descriptor}")
        return ["sipp", "-sf", str(self._scenario), *network, *calm, *output, *self._arguments]

    async def _read_from(self, descriptor: int) -> None:
        loop = asyncio.get_running_loop()
        pipe = os.fdopen(descriptor, "rb", 0)
        self._transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(self._reader), pipe)

    async def __aexit__(self, *_: object) -> None:
        if self._transport:
            self._transport.close()
        if self._process:
            await self._end(self._process)
        self._errors.close()

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        try:
            async with asyncio.timeout(1.0):
                await process.wait()
        except TimeoutError:
            self.kill()
            await process.wait()
        if process.returncode:
            log.warning("sipp ended with %s: %s", process.returncode, self._last_words())

    def kill(self) -> None:
        if self._process:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    def _last_words(self) -> str:
        self._errors.seek(0)
        return " / ".join(self._errors.read().decode(errors="replace").split("\n")[-4:]).strip(" /")

    @property
    def lines(self) -> asyncio.StreamReader:
        return self._reader

    def hang_up(self, call_id: str) -> None:
        """Asks the scenario to end that call. Never wrong to repeat."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.sendto(hangup_request(call_id, f"{self.address}:{self.port}"), (self.address, self.port))


# --- a caller ---------------------------------------------------------------------------------------------------


class SippCall:
    """A caller: calls, stays, leaves. `on_event` hears of everything as it happens."""

    def __init__(self, order: CallOrder, server: str, on_event: Callable[[CallEvent], None] | None = None) -> None:
        self._order, self._server = order, server
        self._on_event = on_event
        self._call_id = uuid.uuid4().hex
        self._sipp: Sipp | None = None
        self._leaving = False
        self._timers: list[asyncio.TimerHandle] = []
        self.result = to_result(order)

    async def run(self) -> CallResult:
        with self._scenario() as scenario:
            try:
                async with await self._process(scenario) as self._sipp:
                    await self._follow(self._sipp)
            finally:
                self._forget_timers()
                self._happened(CallEvent(time.time(), "ended"))
        return self.result

    @contextlib.contextmanager
    def _scenario(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "caller.xml"
            path.write_text(render_caller(self._order))
            yield path

    async def _process(self, scenario: Path) -> Sipp:
        port, server = next(_ports), await address_of(self._server)
        once = ("-m", "1", "-l", "1", "-r", "10", "-mp", str(port + 2), "-cid_str", self._call_id)
        return Sipp(scenario, port, *once, "-s", self._order.number, server)

    async def _follow(self, sipp: Sipp) -> None:
        async for line in sipp.lines:
            event = to_event(line.decode(errors="replace"), time.time())
            if event:
                self._happened(event)
                self._arm(event)

    def _arm(self, event: CallEvent) -> None:
        match event.event:
            case "started":
                self._hang_up_in(self._order.patience)
            case "answered" if not self._leaving:
                self._forget_timers()
                self._hang_up_in(self._order.stay)
            case "hung-up":
                self._forget_timers()
                self._kill_in(HANGUP_PATIENCE)

    def _happened(self, event: CallEvent) -> None:
        self.result.apply(event)
        if self._on_event:
            self._on_event(event)

    def _hang_up_in(self, seconds: float | None) -> None:
        if seconds is not None:
            self._timers.append(asyncio.get_running_loop().call_later(seconds, self.hang_up))

    def _kill_in(self, seconds: float) -> None:
        if self._sipp:
            self._timers.append(asyncio.get_running_loop().call_later(seconds, self._sipp.kill))

    def _forget_timers(self) -> None:
        while self._timers:
            self._timers.pop().cancel()

    def hang_up(self, tries: int = int(HANGUP_PATIENCE / HANGUP_EVERY)) -> None:
        """CANCEL before the answer, BYE after it. Repeated until SIPp has understood; at last it is killed."""
        if self.result.ended is not None:
            return
        if tries <= 0:
            self._kill()
            return
        self._leaving = True
        if self._sipp and self._was_heard():
            self._sipp.hang_up(self._call_id)
        again = asyncio.get_running_loop().call_later(HANGUP_EVERY, self.hang_up, tries - self._has_started())
        self._timers.append(again)

    def _has_started(self) -> bool:
        return self.result.started is not None

    def _was_heard(self) -> bool:
        """A CANCEL that overtakes its INVITE cancels nothing."""
        return any(event.event in HEARD for event in self.result.events)

    def _kill(self) -> None:
        self._happened(CallEvent(time.time(), "failed"))
        if self._sipp:
            self._sipp.kill()


# --- who is called from inside ----------------------------------------------------------------------------------


class SippCallees:
    """Answers the calls that agents make to the outside; see the numbers in phones/README.md."""

    def __init__(self, port: int = CALLEES_PORT) -> None:
        self._port = port
        self._timers: dict[str, asyncio.TimerHandle] = {}

    async def run(self) -> None:
        """For ever: a SIPp that ends is started again."""
        while True:
            async with Sipp(SCENARIOS / "callee.xml", self._port, "-mp", "30000", "-rtp_echo") as sipp:
                log.info("outside numbers are answered at port %d", self._port)
                try:
                    async for line in sipp.lines:
                        self._heard(sipp, line.decode(errors="replace").split())
                finally:
                    sipp.kill()
                    self._forget_all()
            await asyncio.sleep(1)

    def _heard(self, sipp: Sipp, words: list[str]) -> None:
        if len(words) != 3:
            return
        what, call_id, number = words
        log.info("outside number %s: %s", number, what)
        match what:
            case "answered":
                self._end_later(sipp, call_id, number)
            case "far-end" | "hung-up" | "cancelled":
                self._forget(call_id)

    def _end_later(self, sipp: Sipp, call_id: str, number: str) -> None:
        seconds = seconds_to_talk(number)
        if seconds is not None:
            loop = asyncio.get_running_loop()
            self._timers[call_id] = loop.call_later(seconds, self._hang_up, sipp, call_id)

    def _hang_up(self, sipp: Sipp, call_id: str) -> None:
        sipp.hang_up(call_id)
        loop = asyncio.get_running_loop()
        self._timers[call_id] = loop.call_later(HANGUP_EVERY, self._hang_up, sipp, call_id)

    def _forget(self, call_id: str) -> None:
        if timer := self._timers.pop(call_id, None):
            timer.cancel()

    def _forget_all(self) -> None:
        for call_id in list(self._timers):
            self._forget(call_id)
