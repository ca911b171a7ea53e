"""A small SIP user agent over UDP: it registers phones, answers, refuses, transfers, calls and hangs up.

It says what RFC 3261 wants of a phone behind no NAT and with no voice of its own: requests are repeated until they are
answered, answers to a repeated request are repeated. What happens in a call is told at the moment it happens.
"""

import asyncio
import hashlib
import itertools
import re
import secrets
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

FIRST_REPEAT, SLOWEST_REPEAT = 0.5, 2.0  # seconds
PATIENCE = 12.0  # seconds a request is repeated; longer than the longest pause of Asterisk that is tried
REMEMBERED = 40.0  # seconds for which an ended call still answers what comes late
EXPIRES = 120

Header = tuple[str, str]


@dataclass(frozen=True)
class Message:
    """A request or a response. `start` is its first line."""

    start: str
    headers: list[Header] = field(default_factory=list)
    body: str = ""

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def get(self, name: str) -> str:
        return next(iter(self.all(name)), "")

    @property
    def status(self) -> int:
        """0 for a request."""
        return int(self.start.split()[1]) if self.start.startswith("SIP/2.0 ") else 0

    @property
    def method(self) -> str:
        """Of a response that of the request it answers."""
        return self.get("CSeq").partition(" ")[2]

    @property
    def branch(self) -> str:
        found = re.search(r"branch=([^;,\s]+)", self.get("Via"))
        return found[1] if found else ""

    def encode(self) -> bytes:
        lines = [self.start, *(f"{name}: {value}" for name, value in self.headers)]
        return "\r\n".join([*lines, f"Content-Length: {len(self.body.encode())}", "", self.body]).encode()


def parse(data: bytes) -> Message | None:
    """None for what is no SIP message, such as a keep-alive."""
    head, _, body = data.decode(errors="replace").partition("\r\n\r\n")
    start, *lines = head.split("\r\n")
    if "SIP/2.0" not in start:
        return None
    pairs = [(name.strip(), value.strip()) for name, colon, value in (line.partition(":") for line in lines) if colon]
    return Message(start, [pair for pair in pairs if pair[0].lower() != "content-length"], body)


def number_of(address: str) -> str:
    """`"Phone" <sip:1001@host>;tag=x` -> 1001"""
    found = re.search(r"sips?:([^@>;]*)@", address)
    return found[1] if found else ""


def uri_of(address: str) -> str:
    found = re.search(r"<([^>]*)>", address)
    return found[1] if found else address.partition(";")[0].strip()


def authorization(challenge: str, method: str, uri: str, user: str, password: str) -> str:
    """The answer to a digest challenge (MD5, with qop=auth where that is offered)."""
    asked = {key: quoted or plain for key, quoted, plain in re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,]*))', challenge)}

    def md5(*parts: str) -> str:
        return hashlib.md5(":".join(parts).encode(), usedforsecurity=False).hexdigest()

    fields = {"username": user, "realm": asked["realm"], "nonce": asked["nonce"], "uri": uri}
    ours, theirs = md5(user, asked["realm"], password), md5(method, uri)
    if "auth" in asked.get("qop", ""):
        count, ours_too = "00000001", secrets.token_hex(8)
        response = md5(ours, asked["nonce"], count, ours_too, "auth", theirs)
        tail = f', qop=auth, nc={count}, cnonce="{ours_too}"'
    else:
        response, tail = md5(ours, asked["nonce"], theirs), ""
    if "opaque" in asked:
        fields["opaque"] = asked["opaque"]
    shown = ", ".join(f'{key}="{value}"' for key, value in fields.items())
    return f'Digest {shown}, response="{response}", algorithm=MD5{tail}'


def own_address() -> str:
    """The container's, which Asterisk can reach."""
    return socket.gethostbyname(socket.gethostname())


class _Repeated:
    """Sends a message now and again until it is told to stop, or patience ends."""

    def __init__(self, send: Callable[[], None], gave_up: Callable[[], None]) -> None:
        self._send, self._gave_up = send, gave_up
        self._loop = asyncio.get_running_loop()
        self._until = self._loop.time() + PATIENCE
        self._pause = FIRST_REPEAT
        self._timer: asyncio.TimerHandle | None = None
        self._again()

    def _again(self) -> None:
        if self._loop.time() > self._until:
            self._timer = None
            self._gave_up()
            return
        self._send()
        self._timer = self._loop.call_later(self._pause, self._again)
        self._pause = min(2 * self._pause, SLOWEST_REPEAT)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


class UserAgent(asyncio.DatagramProtocol):
    """One socket: any number of phones and callers. `on_call` hears of each call that comes in."""

    def __init__(self, server: str, on_call: Callable[["IncomingCall"], None], address: str = "") -> None:
        """`address`: our own, where it is not the host's."""
        self._server, self._on_call = server, on_call
        self._address = address or own_address()
        self.remote = ("", 5060)
        self.local = ("", 0)
        self.media_port = 0
        self._calls: dict[str, Call] = {}  # by Call-ID
        self._asked: dict[tuple[str, str], tuple[_Repeated, Callable[[Message | None], None]]] = {}
        self._answered: dict[tuple[str, str], bytes] = {}  # what was answered to a request: branch, method

    # The socket -------------------------------------------------------------------------------------------

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        await self.look_up()
        self._media = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)  # takes the voice, and nobody listens
        self._media.bind((self._address, 0))
        self.media_port = self._media.getsockname()[1]
        await loop.create_datagram_endpoint(lambda: self, local_addr=(self._address, 0))

    async def look_up(self) -> None:
        """Asterisk's address, which may be another after it was started again; the known one while it has none."""
        try:
            found = await asyncio.get_running_loop().getaddrinfo(self._server, None, family=socket.AF_INET)
        except OSError:
            return
        self.remote = (str(found[0][4][0]), 5060)

    def close(self) -> None:
        self._transport.close()
        self._media.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)
        self.local = transport.get_extra_info("sockname")

    def error_received(self, exc: Exception) -> None:
        """Nobody listens there at present: what matters is repeated."""

    def send(self, data: bytes) -> None:
        self._transport.sendto(data, self.remote)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        message = parse(data)
        if message is None:
            return
        if message.status:
            self._take_response(message)
        else:
            self._take_request(message)

    # Requests that we send --------------------------------------------------------------------------------

    def via(self, branch: str) -> Header:
        return "Via", f"SIP/2.0/UDP {self.local[0]}:{self.local[1]};rport;branch={branch}"

    def ask(self, message: Message, on_answer: Callable[[Message | None], None]) -> None:
        """`on_answer` hears every response, and None when there is none in time."""
        key = message.branch, message.method

        def gave_up() -> None:
            if self._asked.pop(key, None):
                on_answer(None)

        data = message.encode()
        self._asked[key] = (_Repeated(lambda: self.send(data), gave_up), on_answer)

    def stop_asking(self, branch: str, method: str) -> None:
        """It is not repeated any more; late answers are heard all the same."""
        if found := self._asked.get((branch, method)):
            found[0].stop()

    def _take_response(self, message: Message) -> None:
        found = self._asked.get((message.branch, message.method))
        if found is None:
            return
        repeated, on_answer = found
        if message.status >= 200 or message.method == "INVITE":
            repeated.stop()
        if message.status >= 200 and message.method != "INVITE":  # an INVITE's answer may come again
            del self._asked[message.branch, message.method]
        on_answer(message)

    # Requests that come -----------------------------------------------------------------------------------

    def _take_request(self, request: Message) -> None:
        method = request.start.partition(" ")[0]
        known = self._answered.get((request.branch, method))
        if known is not None:
            self.send(known)
            return
        call = self._calls.get(request.get("Call-ID"))
        if call is not None:
            call.take(method, request)
        elif method == "INVITE":
            made = IncomingCall(self, request)
            made.take(method, request)
            self._on_call(made)
        elif method != "ACK":
            self.answer(request, 481 if method in ("BYE", "CANCEL") else 200)

    def answer(self, request: Message, status: int, *more: Header, body: str = "", tag: str = "") -> bytes:
        """Sends a response, and again whenever the request comes again."""
        same = [(name, value) for name, value in request.headers if name.lower() in ("via", "from", "call-id", "cseq")]
        to = request.get("To")
        response = Message(
            f"SIP/2.0 {status} {'OK' if status < 300 else 'No'}",
            [*same, ("To", to if "tag=" in to else f"{to};tag={tag or 'none'}"), *more],
            body,
        )
        data = response.encode()
        self.send(data)
        key = request.branch, request.start.partition(" ")[0]
        self._answered[key] = data
        asyncio.get_running_loop().call_later(REMEMBERED, self._answered.pop, key, None)
        return data

    # Calls ------------------------------------------------------------------------------------------------

    def keep(self, call: "Call") -> None:
        self._calls[call.id] = call

    def forget(self, call: "Call") -> None:
        """Not at once: answers and repetitions may be under way."""
        asyncio.get_running_loop().call_later(REMEMBERED, self._calls.pop, call.id, None)

    def voice(self) -> str:
        """SDP: plain telephone voice, and key presses."""
        return "\r\n".join(
            (
                "v=0",
                f"o=rig 1 1 IN IP4 {self.local[0]}",
                "s=-",
                f"c=IN IP4 {self.local[0]}",
                "t=0 0",
                f"m=audio {self.media_port} RTP/AVP 8 0 101",
                "a=rtpmap:8 PCMA/8000",
                "a=rtpmap:0 PCMU/8000",
                "a=rtpmap:101 telephone-event/8000",
                "a=fmtp:101 0-15",
                "",
            )
        )

    # Registration -----------------------------------------------------------------------------------------

    async def register(self, phone: str, password: str) -> bool:
        """Whether Asterisk took it."""
        first = await self._register_once(phone, "")
        if first is None or first.status != 401:
            return first is not None and first.status == 200
        challenge = next((one for one in first.all("WWW-Authenticate") if "MD5" in one or "algorithm" not in one), "")
        uri = f"sip:{self.remote[0]}"
        second = await self._register_once(phone, authorization(challenge, "REGISTER", uri, phone, password))
        return second is not None and second.status == 200

    async def _register_once(self, phone: str, proof: str) -> Message | None:
        done: asyncio.Future[Message | None] = asyncio.get_running_loop().create_future()
        us = f"<sip:{phone}@{self.remote[0]}>"
        headers = [
            self.via(f"z9hG4bK{secrets.token_hex(8)}"),
            ("From", f"{us};tag={secrets.token_hex(4)}"),
            ("To", us),
            ("Call-ID", f"register-{phone}-{secrets.token_hex(4)}"),
            ("CSeq", "1 REGISTER"),
            ("Contact", f"<sip:{phone}@{self.local[0]}:{self.local[1]}>"),
            ("Expires", str(EXPIRES)),
            ("Max-Forwards", "70"),
            *([("Authorization", proof)] if proof else []),
        ]

        def heard(message: Message | None) -> None:
            if not done.done() and (message is None or message.status >= 200):
                done.set_result(message)

        self.ask(Message(f"REGISTER sip:{self.remote[0]} SIP/2.0", headers), heard)
        return await done


# Calls ------------------------------------------------------------------------------------------------------------


class Call:
    """One end of a call. Times are time.time(); `by` says who ended it: us, far-end, refused or nobody."""

    def __init__(self, agent: UserAgent, id: str) -> None:
        self.id = id
        self.began = time.time()
        self.answered: float | None = None
        self.ended: float | None = None
        self.by = ""
        self.status = 0
        self.on_change: Callable[[str], None] = lambda what: None  # offered, answered, ended
        self._agent = agent
        self._local = self._remote = self._target = ""  # From and To of our requests, and where they go
        self._numbers = itertools.count(2)
        agent.keep(self)

    def hang_up(self) -> None:
        """Ends it, whatever it takes; no harm if it is over."""
        raise NotImplementedError

    def take(self, method: str, request: Message) -> None:
        """A request within this call."""
        if method == "BYE":
            self._agent.answer(request, 200)
            self._over("far-end")
        elif method == "INVITE":
            self._agent.answer(
                request, 200, self._contact(), ("Content-Type", "application/sdp"), body=self._agent.voice()
            )
        elif method != "ACK":
            self._agent.answer(request, 200)

    def _contact(self) -> Header:
        us = number_of(self._local)
        return "Contact", f"<sip:{us}@{self._agent.local[0]}:{self._agent.local[1]}>"

    def _request(self, method: str, *more: Header) -> Message:
        headers = [
            self._agent.via(f"z9hG4bK{secrets.token_hex(8)}"),
            ("From", self._local),
            ("To", self._remote),
            ("Call-ID", self.id),
            ("CSeq", f"{next(self._numbers)} {method}"),
            self._contact(),
            ("Max-Forwards", "70"),
            *more,
        ]
        return Message(f"{method} {self._target} SIP/2.0", headers)

    def _bye(self) -> None:
        self._agent.ask(self._request("BYE"), lambda message: None)
        self._over("us")

    def _up(self) -> None:
        if self.answered is None and self.ended is None:
            self.answered = time.time()
            self.on_change("answered")

    def _over(self, by: str, status: int = 0) -> None:
        if self.ended is None:
            self.ended, self.by, self.status = time.time(), by, status
            self.on_change("ended")
            self._agent.forget(self)


class OutgoingCall(Call):
    """A caller's call. A caller who leaves before anybody answers cancels it."""

    def __init__(self, agent: UserAgent, number: str, caller: str) -> None:
        super().__init__(agent, secrets.token_hex(12))
        there = f"{agent.remote[0]}:{agent.remote[1]}"
        self._local = f'"Caller" <sip:{caller}@{agent.local[0]}:{agent.local[1]}>;tag={secrets.token_hex(4)}'
        self._remote = f"<sip:{number}@{there}>"
        self._target = f"sip:{number}@{there}"
        self._branch = f"z9hG4bK{secrets.token_hex(8)}"
        self._heard = self._cancelled = False
        self._ack = b""

    def begin(self) -> None:
        headers = [
            self._agent.via(self._branch),
            ("From", self._local),
            ("To", self._remote),
            ("Call-ID", self.id),
            ("CSeq", "1 INVITE"),
            self._contact(),
            ("Max-Forwards", "70"),
            ("Allow", "INVITE, ACK, BYE, CANCEL, OPTIONS"),
            ("Content-Type", "application/sdp"),
        ]
        invite = Message(f"INVITE {self._target} SIP/2.0", headers, self._agent.voice())
        self._agent.ask(invite, self._take_response)

    def _take_response(self, message: Message | None) -> None:
        if message is None:
            self._over("nobody")
        elif message.status < 200:
            self._heard = True
            if self.ended is not None:
                self._cancel()
        elif message.status < 300:
            self._take_answer(message)
        else:
            self._agent.send(self._acknowledgement(message, self._branch))
            self._over("refused", message.status)

    def _take_answer(self, message: Message) -> None:
        if not self._ack:
            self._remote = message.get("To")
            self._target = uri_of(message.get("Contact"))
            self._ack = self._acknowledgement(message, f"z9hG4bK{secrets.token_hex(8)}")
            self._agent.send(self._ack)
            if self.ended is None:
                self._up()
            else:  # it crossed our CANCEL, or came after we had gone
                self._agent.ask(self._request("BYE"), lambda answer: None)
        else:
            self._agent.send(self._ack)

    def _acknowledgement(self, message: Message, branch: str) -> bytes:
        headers = [
            self._agent.via(branch),
            ("From", self._local),
            ("To", message.get("To")),
            ("Call-ID", self.id),
            ("CSeq", "1 ACK"),
            ("Max-Forwards", "70"),
        ]
        return Message(f"ACK {self._target} SIP/2.0", headers).encode()

    def hang_up(self) -> None:
        if self.ended is not None:
            return
        if self.answered is not None:
            self._bye()
            return
        self._agent.stop_asking(self._branch, "INVITE")
        self._over("us")
        if self._heard:
            self._cancel()

    def _cancel(self) -> None:
        if self._cancelled:
            return
        self._cancelled = True
        headers = [
            self._agent.via(self._branch),
            ("From", self._local),
            ("To", self._remote),
            ("Call-ID", self.id),
            ("CSeq", "1 CANCEL"),
            ("Max-Forwards", "70"),
        ]
        self._agent.ask(Message(f"CANCEL {self._target} SIP/2.0", headers), lambda message: None)


class IncomingCall(Call):
    """A call that rings at a phone. `phone` is its number, `caller` that of the other end."""

    def __init__(self, agent: UserAgent, invite: Message) -> None:
        super().__init__(agent, invite.get("Call-ID"))
        self._invite = invite
        self._tag = secrets.token_hex(4)
        self._local, self._remote = f"{invite.get('To')};tag={self._tag}", invite.get("From")
        self._target = uri_of(invite.get("Contact"))
        self.phone = number_of(invite.start)
        self.caller = number_of(invite.get("From"))
        self._repeated: _Repeated | None = None
        self._taken = False

    def take(self, method: str, request: Message) -> None:
        if method == "ACK":
            if self._taken:
                self._stop_repeating()
                self._up()
        elif method == "CANCEL":
            self._agent.answer(request, 200)
            if not self._taken and self.ended is None:
                self._agent.answer(self._invite, 487, tag=self._tag)
                self._over("far-end")
        elif method == "INVITE" and not self._taken:
            self._agent.answer(self._invite, 180, self._contact(), tag=self._tag)
        else:
            if method == "BYE":
                self._stop_repeating()
            super().take(method, request)
            if method == "NOTIFY" and "SIP/2.0 200" in request.body:
                self.hang_up()  # the transfer was carried out

    def answer(self) -> None:
        """Taken; it counts as answered when Asterisk has heard it."""
        if self.ended is not None or self._taken:
            return
        self._taken = True
        kind = ("Content-Type", "application/sdp")
        data = self._agent.answer(self._invite, 200, self._contact(), kind, body=self._agent.voice(), tag=self._tag)
        self._repeated = _Repeated(lambda: self._agent.send(data), lambda: self._over("nobody"))

    def _stop_repeating(self) -> None:
        if self._repeated is not None:
            self._repeated.stop()

    def reject(self) -> None:
        """Busy here."""
        if self.ended is None and not self._taken:
            self._taken = True
            self._agent.answer(self._invite, 486, tag=self._tag)
            self._over("us", 486)

    def transfer(self, number: str) -> None:
        """Blind: the caller goes to that number, and we hang up when Asterisk says so."""
        if self.answered is not None and self.ended is None:
            there = f"<sip:{number}@{self._agent.remote[0]}>"
            self._agent.ask(self._request("REFER", ("Refer-To", there)), lambda message: None)

    def hang_up(self) -> None:
        if self.ended is not None:
            return
        if self._taken:
            self._stop_repeating()
            self._bye()
        else:
            self.reject()

    def give_up(self) -> None:
        """Asterisk died while it rang here, and nobody will ever say so."""
        self._over("nobody")
