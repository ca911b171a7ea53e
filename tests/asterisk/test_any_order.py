"""Whatever is to be sent to Asterisk: it arrives as it was meant, as one action, or not at all."""

import asyncio
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.asterisk import translate
from acd.asterisk.link import LONGEST_LINE, Connection, Link, Login, NoAnswer, Stats, Unsendable
from acd.core.effects import AddMember, Order, PauseMember, RemoveMember
from tests.asterisk.fake_ami import FakeAsterisk

SNEAKY = [
    *("\r\n", "\n", "\r", "\0", "\r\n\r\n", "\r\nAction: DBPut", "\n\nAction: Originate\r\n\r\n", "ActionID: 1", ": "),
    *("\x85", "\u2028", "\x0b", "\x0c", "\x1e", "\ud800", "\udcff", "Ирина", "é" * 600, "x" * 1100, "%0d%0a", "\\r\\n"),
]
TEXT = st.lists(st.sampled_from(SNEAKY) | st.text(max_size=10), max_size=4).map("".join)
ORDERS = (
    st.builds(AddMember, TEXT, TEXT, TEXT, st.booleans(), TEXT, TEXT)
    | st.builds(RemoveMember, TEXT, TEXT)
    | st.builds(PauseMember, st.none() | TEXT, TEXT, st.booleans(), TEXT)
)


class Wire:
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        self.written = b""

    def write(self, data: bytes) -> None:
        self.written += data

    def abort(self) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return 0


def sent(action: Any, headers: Any) -> bytes:
    """What goes over the wire for this action. Raises Unsendable."""

    async def send() -> bytes:
        link = Link(Login("h", 1, "u", "s"), wanted=[], on_message=print, on_login=cast(Any, None), on_loss=print)
        connection, wire = Connection([], cast(Any, print), Stats()), Wire()
        connection.connection_made(cast(Any, wire))
        link._connection = link._manager.protocol = connection
        try:
            await link.send(action, headers, timeout=0)
        except NoAnswer:
            pass
        return wire.written

    return asyncio.run(send())


def received(data: bytes) -> list[dict[str, str]]:
    """The actions that a server reads from these bytes, at "\\n" as Asterisk does."""

    async def read() -> list[dict[str, str]]:
        reader = asyncio.StreamReader()
        reader.feed_data(data)
        reader.feed_eof()
        actions = []
        while not reader.at_eof():
            actions.append(await FakeAsterisk()._next_action(reader))
        return actions

    assert all(len(line) <= LONGEST_LINE for line in data.splitlines(keepends=True))
    assert data.count(b"\n") == data.count(b"\r") == data.count(b"\r\n")
    return asyncio.run(read())


def check(action: str, headers: dict[str, str]) -> None:
    try:
        data = sent(action, headers)
    except Unsendable:
        assert any(end in value for value in headers.values() for end in SNEAKY[:4]) or any(
            not _encodable(value) or len(value.encode()) > 900 for value in headers.values()
        )
        return
    (arrived,) = received(data)
    assert arrived.pop("ActionID")
    assert arrived == {"Action": action, **headers}


def _encodable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


@given(ORDERS)
def test_any_order_arrives_as_it_was_meant_or_is_not_sent(order: Order):
    action, headers = translate.to_action(order)
    check(action, dict(headers))


@given(st.dictionaries(st.sampled_from(["Queue", "Reason", "Family", "Interface"]), TEXT))
def test_any_headers_arrive_as_they_were_meant_or_are_not_sent(headers: dict[str, str]):
    check("UserEvent", headers)


@given(TEXT.filter(lambda name: not name.isascii() or not name.isalpha()), TEXT)
def test_a_name_that_is_none_is_never_sent(name: str, value: str):
    with pytest.raises(Unsendable):
        sent(name, {})
    if ": " in name or not name:
        with pytest.raises(Unsendable):
            sent("Ping", {name: value})
