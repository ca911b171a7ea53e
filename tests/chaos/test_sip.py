"""The rig's phones and callers, with one another."""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator

import pytest_asyncio

from tests.chaos.sip import IncomingCall, OutgoingCall, UserAgent, authorization, parse
from tests.helpers import until

HERE = "127.0.0.1"


class Pair:
    """A caller's user agent and a phone's, each the other's server."""

    def __init__(self) -> None:
        self.rung: list[IncomingCall] = []
        self.caller = UserAgent(HERE, lambda call: None, HERE)
        self.phone = UserAgent(HERE, self.rung.append, HERE)

    async def open(self) -> None:
        await self.caller.open()
        await self.phone.open()
        self.caller.remote, self.phone.remote = self.phone.local, self.caller.local

    async def call(self) -> tuple[OutgoingCall, IncomingCall]:
        """The phone rings."""
        call = OutgoingCall(self.caller, "1001", "7000001")
        call.begin()
        await until(lambda: self.rung)
        return call, self.rung[-1]

    async def talk(self) -> tuple[OutgoingCall, IncomingCall]:
        call, ring = await self.call()
        ring.answer()
        await until(lambda: call.answered and ring.answered)
        return call, ring


@pytest_asyncio.fixture
async def pair() -> AsyncIterator[Pair]:
    pair = Pair()
    await pair.open()
    yield pair
    pair.caller.close()
    pair.phone.close()
    await asyncio.sleep(0.01)  # sockets are closed in the loop's next round


async def test_a_phone_knows_who_calls_it(pair: Pair) -> None:
    _, ring = await pair.call()
    assert (ring.phone, ring.caller, ring.answered) == ("1001", "7000001", None)


async def test_the_caller_ends_a_talk(pair: Pair) -> None:
    call, ring = await pair.talk()
    call.hang_up()
    await until(lambda: ring.ended)
    assert (call.by, ring.by) == ("us", "far-end")


async def test_the_phone_ends_a_talk(pair: Pair) -> None:
    call, ring = await pair.talk()
    ring.hang_up()
    await until(lambda: call.ended)
    assert (call.by, ring.by) == ("far-end", "us")


async def test_a_caller_who_gives_up_cancels(pair: Pair) -> None:
    call, ring = await pair.call()
    await asyncio.sleep(0)  # the ringing is under way
    call.hang_up()
    await until(lambda: ring.ended)
    assert (call.by, ring.by, ring.answered) == ("us", "far-end", None)


async def test_a_busy_phone_refuses(pair: Pair) -> None:
    call, ring = await pair.call()
    ring.reject()
    await until(lambda: call.ended)
    assert (call.by, call.status) == ("refused", 486)


async def test_what_is_lost_on_its_way_is_said_again(pair: Pair) -> None:
    pair.caller.remote = ("127.0.0.1", 9)
    call = OutgoingCall(pair.caller, "1001", "7000001")
    call.begin()
    await asyncio.sleep(0)
    pair.caller.remote = pair.phone.local
    await until(lambda: pair.rung, 2)
    assert not call.ended


async def test_a_goodbye_for_a_call_that_is_no_more_is_answered(pair: Pair) -> None:
    call, ring = await pair.talk()
    ring.hang_up()
    call.hang_up()  # crossing
    await until(lambda: ring.ended and call.ended)
    assert call.by in ("us", "far-end")


def test_the_answer_to_a_challenge_is_that_of_rfc_2617() -> None:
    challenge = 'Digest realm="asterisk",nonce="n1",opaque="o1",algorithm=MD5,qop="auth"'
    answer = authorization(challenge, "REGISTER", "sip:asterisk", "1001", "secret")
    fields = dict(re.findall(r'(\w+)="?([^",]+)', answer))

    def md5(text: str) -> str:
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    ours = md5("1001:asterisk:secret")
    theirs = md5("REGISTER:sip:asterisk")
    expected = md5(f"{ours}:n1:00000001:{fields['cnonce']}:auth:{theirs}")
    assert (fields["response"], fields["opaque"], fields["nc"]) == (expected, "o1", "00000001")


def test_a_message_is_read_as_it_was_written() -> None:
    text = (
        b"BYE sip:1001@host SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nCSeq: 2 BYE\r\nContent-Length: 2\r\n\r\nhi"
    )
    message = parse(text)
    assert message is not None and message.encode() == text
    assert (message.status, message.method, message.branch) == (0, "BYE", "z9hG4bKx")
    assert parse(b"\r\n\r\n") is None
