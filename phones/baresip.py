"""Softphones: one baresip a phone, kept running and registered, with a door for any number of clients.

baresip's ctrl_tcp serves one connection only and drops the older one for a newer, so the phone host holds that one
connection and passes on: every event to every client, every answer to the client that asked. A client that connects
first hears how the phone stands (type PHONE_STATE, class host).
"""

import asyncio
import contextlib
import hashlib
import itertools
import logging
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from phones.hearing import PIPE, Hearing
from phones.line import Line
from phones.netstring import BadNetstring, Decoder, Message, encode
from phones.sound import RATE, tone_of

log = logging.getLogger(__name__)

MODULES = "/usr/lib/baresip/modules"
REGISTER_EVERY = 60
TRY_AGAIN = 2.0
TRY_AGAIN_IN_A_CALL = 10.0
OUR_MARK = "host"
HEARD = "heard"  # the command that is ours, not baresip's
START_PATIENCE = 5.0
STOP_PATIENCE = 1.0
DULL = (
    *("CALL_LOCAL_SDP", "CALL_REMOTE_SDP", "CALL_RTPESTAB", "CALL_RTCP", "CALL_ANSWERED"),
    *("SHUTDOWN", "UNREGISTERING", "EXIT"),
)


def password(secret: str, extension: int) -> str:
    return hashlib.sha256(f"{secret}:{extension}".encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class PhoneSettings:
    extension: int
    password: str
    server: str = "asterisk"

    @property
    def _n(self) -> int:
        return self.extension - 1000

    @property
    def door(self) -> int:
        """Where clients connect."""
        return 4000 + self._n

    @property
    def control(self) -> int:
        """Where baresip itself listens, inside the container only."""
        return 5000 + self._n

    @property
    def sip(self) -> int:
        return 6000 + self._n

    @property
    def rtp(self) -> str:
        first = 10000 + 100 * self._n
        return f"{first}-{first + 99}"


def config_file(phone: PhoneSettings, folder: Path) -> str:
    # A tone for a microphone, a pipe for a loudspeaker: audio that flows without a sound card. 48000 is all that ausine
    # can.
    return f"""\
sip_listen 0.0.0.0:{phone.sip}
rtp_ports {phone.rtp}
call_max_calls 4
call_local_timeout 300
audio_player aufile,{folder / PIPE}
audio_source ausine,{tone_of(phone.extension)}
audio_alert aubridge,bell
ausrc_srate 48000
auplay_srate {RATE}
ausrc_channels 1
auplay_channels 1
ring_aufile none
ringback_aufile none
busy_aufile none
error_aufile none
notfound_aufile none
callwaiting_aufile none
module_path {MODULES}
module g711.so
module aubridge.so
module aufile.so
module ausine.so
module_app account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{phone.control}
"""


def accounts_file(phone: PhoneSettings) -> str:
    login = f"auth_user={phone.extension};auth_pass={phone.password}"
    return f"<sip:{phone.extension}@{phone.server}>;{login};regint={REGISTER_EVERY}\n"


def write_files(phone: PhoneSettings, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / "config").write_text(config_file(phone, folder))
    (folder / "accounts").write_text(accounts_file(phone))
    (folder / "contacts").write_text("")


# --- the process and its one control connection -----------------------------------------------------------------


class Baresip:
    """One run of baresip: from its start until it ends or is ended."""

    def __init__(self, phone: PhoneSettings, folder: Path) -> None:
        self._phone, self._folder = phone, folder
        self._process: asyncio.subprocess.Process | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def run(self, on_message: Callable[[Message], None]) -> None:
        """Ends when baresip does; the process is gone then in any case."""
        write_files(self._phone, self._folder)
        quiet = asyncio.subprocess.DEVNULL
        self._process = await asyncio.create_subprocess_exec(
            "baresip", "-f", str(self._folder), stdin=quiet, stdout=quiet, stderr=quiet
        )
        try:
            reader, self._writer = await self._connect()
            # It may have registered before we could listen.
            self.send({"command": "reginfo", "token": OUR_MARK})
            await self._read(reader, on_message)
        finally:
            await self._end()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        async with asyncio.timeout(START_PATIENCE):
            while True:
                try:
                    return await asyncio.open_connection("127.0.0.1", self._phone.control)
                except OSError:
                    await asyncio.sleep(0.1)

    async def _read(self, reader: asyncio.StreamReader, on_message: Callable[[Message], None]) -> None:
        decoder = Decoder()
        while data := await reader.read(65536):
            for message in decoder.feed(data):
                on_message(message)

    async def _end(self) -> None:
        if self._writer:
            self._writer.close()
        if self._process and self._process.returncode is None:
            self.stop()
            await self._process.wait()

    def send(self, message: Message) -> bool:
        if not self._writer or self._writer.is_closing():
            return False
        self._writer.write(encode(message))
        return True

    def stop(self) -> None:
        """Politely first: baresip then hangs up and takes its registration back, which it may wait for in vain."""
        self._signal(signal.SIGTERM)
        asyncio.get_running_loop().call_later(STOP_PATIENCE, self._signal, signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self._process and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)


def _as_event(message: Message) -> Message:
    """The answer to our own question about the registration, as if it had just happened; an event stays as it is."""
    if not message.get("response"):
        return message
    registered = "Expires" in str(message.get("data"))
    kind = "REGISTER_OK" if registered else "REGISTER_UNKNOWN"
    return {"event": True, "class": "register", "type": kind, "param": "already" if registered else "not yet"}


# --- a phone for many clients -----------------------------------------------------------------------------------


class SoftPhone:
    """A phone on its desk: baresip started again whenever it ends, clients served throughout."""

    def __init__(self, phone: PhoneSettings, folder: Path) -> None:
        self._phone, self._folder = phone, folder
        self._line = Line()
        self._hearing = Hearing(folder)
        self._baresip: Baresip | None = None
        self._clients: dict[int, asyncio.StreamWriter] = {}
        self._numbers = itertools.count(1)

    async def run(self) -> None:
        server = await asyncio.start_server(self._serve, "0.0.0.0", self._phone.door)  # noqa: S104 (a container's port)
        try:
            with self._hearing:
                while True:
                    await self._run_once()
                    await asyncio.sleep(TRY_AGAIN)
        finally:
            server.close()
            for writer in list(self._clients.values()):
                writer.close()

    async def _run_once(self) -> None:
        self._baresip = Baresip(self._phone, self._folder)
        try:
            await self._baresip.run(self._heard)
        except (OSError, TimeoutError, BadNetstring) as error:
            self._log("trouble with baresip: %r", error)
        finally:
            self._baresip = None
            self._line = Line()
            self._tell_all(self._line.to_message())
        self._log("baresip ended")

    def _heard(self, message: Message) -> None:
        if message.get("response") and message.get("token") != OUR_MARK:
            self._pass_back(message)
        else:
            self._note(_as_event(message))

    def _note(self, message: Message) -> None:
        for one in self._line.complete(message):
            self._line.apply(one)
            self._log_event(one)
            self._tell_all(one)
        if message.get("type") in ("REGISTER_FAIL", "REGISTER_UNKNOWN"):
            self._register_again_soon()

    def _register_again_soon(self) -> None:
        """Left alone, baresip would wait half a minute, then twice as long each time, and 1.1 has no command for it."""
        # A call that goes on without a registration is most likely a dead one: Asterisk has started again.
        seconds = TRY_AGAIN_IN_A_CALL if self._line.calls else TRY_AGAIN
        asyncio.get_running_loop().call_later(seconds, self._restart, self._baresip)

    def _restart(self, failed: Baresip | None) -> None:
        if failed and failed is self._baresip and not self._line.registered:
            failed.stop()

    # --- clients

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = next(self._numbers)
        self._clients[number] = writer
        writer.write(encode(self._line.to_message()))
        try:
            await self._read_orders(number, reader)
        except (OSError, BadNetstring) as error:
            self._log("a client left: %r", error)
        finally:
            self._clients.pop(number, None)
            writer.close()

    async def _read_orders(self, number: int, reader: asyncio.StreamReader) -> None:
        decoder = Decoder()
        while data := await reader.read(65536):
            for message in decoder.feed(data):
                self._pass_on(number, message)

    def _pass_on(self, number: int, message: Message) -> None:
        token = f"{number}:{message.get('token', '')}"
        if message.get("command") == HEARD:
            self._pass_back({"response": True, "ok": True, "token": token, **self._hearing.to_message()})
            return
        self._log("order %s %s", message.get("command"), message.get("params", ""))
        if not self._baresip or not self._baresip.send({**message, "token": token}):
            no = {"response": True, "ok": False, "data": "the phone is starting", "token": token}
            self._pass_back(no)

    def _pass_back(self, message: Message) -> None:
        number, _, token = str(message.get("token", "")).partition(":")
        writer = self._clients.get(int(number)) if number.isdigit() else None
        if writer:
            writer.write(encode({**message, "token": token}))

    def _tell_all(self, message: Message) -> None:
        for writer in self._clients.values():
            writer.write(encode(message))

    # --- log

    def _log_event(self, event: Message) -> None:
        if event.get("type") not in DULL:
            self._log("%s %s %s", event.get("type"), event.get("peeruri", ""), event.get("param", ""))

    def _log(self, text: str, *values: object) -> None:
        log.info("%d: " + text, self._phone.extension, *values)


async def run_phones(phones: list[PhoneSettings], folder: Path) -> None:
    """For ever. Starts them one after the other, so that Asterisk is not asked by all in the same moment."""
    async with asyncio.TaskGroup() as group:
        for phone in phones:
            group.create_task(SoftPhone(phone, folder / str(phone.extension)).run())
            await asyncio.sleep(0.05)
