"""Whatever bytes come from Asterisk's side: nothing is raised, memory is bounded, what follows is still read."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from acd.asterisk.link import Connection, Link, Login, NoAnswer, Refused, Stats, _Action
from acd.asterisk.message import Blocks, TooLong
from tests.asterisk.fake_ami import WANTED, FakeAsterisk, Listener, block, error, event, linked, running
from tests.helpers import until
from tests.recordings import NAMES, received

LONGEST = 2000  # bytes of a message, and of all other things that have a limit here
LIST, SINGLE, STRANGER = "list/1", "single/1", "somebody/else"
AFTER = event("QueueCallerJoin", Queue="after")

NAME = st.sampled_from(
    ["Event", "Response", "ActionID", "EventList", "Queue", "Uniqueid", "Message", "event", "", " ", "A b", "Ä"]
)
VALUE = st.sampled_from(
    [
        *(
            "",
            " ",
            "Success",
            "Error",
            "Goodbye",
            "start",
            "Start",
            "Complete",
            "QueueCallerJoin",
            "UserEvent",
            "Nothing",
        ),
        *(
            LIST,
            SINGLE,
            STRANGER,
            ": ",
            "a: b",
            "\nEvent: UserEvent",
            "\rResponse: Success",
            "\0",
            "Ирина",
            "\x85\u2028",
        ),
    ]
)
LINE = st.builds(
    lambda name, colon, value: f"{name}{colon}{value}", NAME, st.sampled_from([": ", ":", "", " : "]), VALUE
)
END = st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b"\r\r\n", b"\n\r\n"])
FIRST = st.sampled_from(
    ["Event: QueueCallerJoin", "Event: UserEvent", "Event: Nothing", "Response: Success", "Response: Error", "Event:"]
)


@st.composite
def blocks_of_lines(draw: st.DrawFn) -> bytes:
    """Something like a message: a name, headers of which some repeat, line ends of which some are wrong."""
    lines = (
        [draw(FIRST), *draw(st.lists(LINE, max_size=6))] if draw(st.booleans()) else draw(st.lists(LINE, max_size=6))
    )
    return b"".join(line.encode() + draw(END) for line in lines) + draw(st.sampled_from([b"\r\n", b"\r\n", b"\n", b""]))


ODD = st.sampled_from(
    [
        b"\r\n\r\n",
        b"\r\n\n",
        b"\n",
        b"\r",
        b"\0" * 50,
        b"\xff\xfe\r\n\r\n",
        b"Asterisk Call Manager/9\r\n",
        "Ж".encode()[:1],
    ]
)
LONG = st.builds(
    lambda end: b"Event: UserEvent\r\nX: " + b"x" * 1500 + end, st.sampled_from([b"\r\n\r\n", b"\r\n", b""])
)
STREAMS = st.lists(blocks_of_lines() | ODD | LONG | st.binary(max_size=20), max_size=12).map(b"".join)


class NoTransport:
    """A transport that goes nowhere."""

    aborted = False

    def write(self, data: bytes) -> None:
        pass

    def abort(self) -> None:
        self.aborted = True


@dataclass
class Heard:
    """What a connection made of a stream: what it handed over, the answers to one list and one plain action."""

    messages: list[str] = field(default_factory=list)
    stats: Stats = field(default_factory=Stats)
    answers: dict[str, list[str]] = field(default_factory=dict)
    dropped: bool = False


def hear(pieces: Iterable[bytes], *, longest: int = 1 << 20, live: bool = True, **limits: int) -> Heard:
    """The stream in these pieces, read by a connection that waits for a list and a plain answer."""

    async def listen() -> Heard:
        heard = Heard()
        connection = Connection(
            WANTED, lambda message, _: heard.messages.append(str(message)), heard.stats, max_message=longest, **limits
        )
        transport = NoTransport()
        connection.connection_made(cast(Any, transport))
        if live:
            connection.go_live()
        actions = {id: _Action("QueueStatus", {}, as_list=id == LIST) for id in (LIST, SINGLE)}
        for id, action in actions.items():
            action["ActionID"] = id
            connection.responses[id] = action
        for piece in pieces:
            if not transport.aborted:
                connection.data_received(piece)
        if not live and not connection.closed:
            connection.go_live()
        for id, action in actions.items():
            heard.answers[id] = [str(message) for message in action.responses]
            try:
                action.outcome()
            except (NoAnswer, Refused):
                pass
        heard.dropped = connection.closed
        return heard

    return asyncio.run(listen())


def pieces_of(stream: bytes, data: st.DataObject) -> list[bytes]:
    places = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=12)))
    return [stream[a:b] for a, b in zip([0, *places], [*places, len(stream)], strict=True)]


@given(STREAMS, st.data())
@example(
    b"Response: Success\r\nActionID: list/1\r\nEventList: start\r\n\r\n\nEvent: X\r\nActionID: list/1\r\n\r\n", None
)
def test_the_same_bytes_give_the_same_messages_however_they_were_split(stream: bytes, data: st.DataObject | None):
    whole = hear([stream])
    pieces = pieces_of(stream, data) if data is not None else [stream[i : i + 1] for i in range(len(stream))]
    assert hear(pieces) == whole
    assert not whole.dropped


@given(STREAMS)
def test_what_follows_is_read_whatever_came_before(stream: bytes):
    heard = hear([stream, b"\r\n\r\n", AFTER])
    assert heard.messages[-1:] == [AFTER.decode().strip()]
    assert heard.stats.handler_errors == 0


@given(STREAMS)
def test_what_came_during_the_picture_is_what_would_have_come_live(stream: bytes):
    assert hear([stream + b"\r\n\r\n" + AFTER], live=False).messages == hear([stream + b"\r\n\r\n" + AFTER]).messages


@pytest.mark.parametrize("name", [n for n in NAMES if n != "v-load-30-callers"])
def test_a_recording_with_garbage_between_its_messages_gives_all_of_them_still(name: str):
    stream = received(name)
    garbage = [
        b"\xff\xfe\xfd\r\n\r\n",
        b"\r\n",
        b"Event\r\n\r\n",
        b"Queue: x\r\nEvent: UserEvent\r\n\r\n",
        b"\0\r\n\r\n",
    ]
    parts = stream.split(b"\r\n\r\n")
    mixed = b"".join(part + b"\r\n\r\n" + garbage[at % len(garbage)] for at, part in enumerate(parts))
    assert hear([mixed]).messages == hear([stream]).messages


# What would not end


@given(st.lists(st.binary(max_size=400) | st.just(b"x" * 400) | st.just(b"\r\n"), min_size=1, max_size=40))
def test_no_more_is_kept_of_an_unfinished_message_than_its_limit_and_one_read(pieces: list[bytes]):
    blocks = Blocks(LONGEST)
    for piece in pieces:
        try:
            blocks.feed(piece)
        except TooLong:
            assert len(blocks._tail) > LONGEST
            break
        assert len(blocks._tail) <= LONGEST
    assert len(blocks._tail) <= LONGEST + 400


@given(st.integers(1, 3), st.sampled_from([b"x", b"\xff", b"\r", b"\n", b"\0", b"a: b\r\n"]))
def test_megabytes_without_an_end_are_given_up_at_the_limit(megabytes: int, filling: bytes):
    flood = filling * (megabytes * (1 << 20) // len(filling) + 1)
    heard = hear((flood[at : at + 65536] for at in range(0, len(flood), 65536)), longest=1 << 18)
    assert heard.dropped
    assert heard.messages == []


def test_a_list_without_an_end_is_given_up_at_the_limit():
    start = block("Response: Success", f"ActionID: {LIST}", "EventList: start")
    item = event("QueueMember", ActionID=LIST, Queue="x" * 100)
    heard = hear([start, *[item] * 1000], max_answer=LONGEST)
    assert heard.dropped
    assert sum(map(len, heard.answers[LIST])) <= LONGEST + len(item)


def test_a_list_that_is_begun_again_and_again_is_given_up_too():
    start = block("Response: Success", f"ActionID: {LIST}", "EventList: start")
    heard = hear([start] * 1000, max_answer=LONGEST)
    assert heard.dropped


def test_what_is_held_during_the_picture_is_bounded_in_size_too():
    heard = hear([event("UserEvent", X="x" * 500)] * 1000, live=False, max_held_size=LONGEST)
    assert heard.dropped
    assert heard.stats.held_high_water <= 5


async def test_a_list_that_is_too_long_drops_the_link_and_says_so():
    listener = Listener()
    async with FakeAsterisk() as server:

        async def picture(link: Link) -> None:
            await link.list_of("QueueStatus")

        def endless(action: dict[str, str]) -> bytes:
            own = {"ActionID": action["ActionID"]}
            start = block("Response: Success", f"ActionID: {action['ActionID']}", "EventList: start")
            return start + event("QueueMember", X="x" * 500, **own) * 20

        server.answers["QueueStatus"] = endless
        listener.picture = picture
        async with running(server, listener, max_answer=5000):
            await until(lambda: listener.losses)
            assert listener.losses[0] == "the answer to QueueStatus is longer than 5000 characters"


async def test_answers_that_come_twice_or_to_nobody_hurt_nothing():
    listener = Listener()
    async with linked(listener) as (server, link):
        server.answers["QueueAdd"] = lambda action: error("no")(action) * 3 + error("no")({"ActionID": "forged"})
        for _ in range(3):
            with pytest.raises(Refused, match="no"):
                await link.send("QueueAdd", {"Queue": "q"})
        server.push(AFTER)
        await until(lambda: listener.messages)
        assert link.linked and link._connection is not None and link._connection.responses == {}


async def test_only_so_much_of_a_refusal_is_passed_on():
    async with linked() as (server, link):
        server.answers["QueueAdd"] = error("no" * 5000)
        with pytest.raises(Refused) as refused:
            await link.send("QueueAdd")
        assert len(refused.value.text) == 500


@pytest.mark.parametrize("nonsense", ["inf", "-inf", "nan", "1e300", "-5", "1" * 400])
def test_a_clock_that_tells_no_time_is_not_followed(nonsense: str):
    link = Link(Login("h", 1, "u", "s"), wanted=[], on_message=print, on_login=cast(Any, None), on_loss=print)
    link._compare_clocks(nonsense, 99.99, 100.01)
    assert link.clock_offset == 0
