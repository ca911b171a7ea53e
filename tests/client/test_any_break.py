"""Whatever breaks, and wherever: the consumer sees every event once and in order, or a reset."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from acd.client import Reset
from acd.client.events import Told
from tests.client.feed import Behaviour, Feed, open_feed

BREAKS = st.builds(
    Behaviour,
    cut_after=st.integers(0, 3000),
    gently=st.booleans(),
    pieces=st.lists(st.integers(1, 90), max_size=4),
    status=st.sampled_from([200, 200, 200, 200, 503]),
)
STEPS = st.lists(st.sampled_from(["add", "add", "add", "forget", "take", "stop waiting"]), max_size=40)


def last(got: list[Told]) -> int:
    return got[-1].seq if got else 0


async def consume(breaks: list[Behaviour], steps: list[str], types: list[str]) -> tuple[Feed, list[Told]]:
    """What a consumer is told while a feed grows, forgets and breaks."""
    async with open_feed() as (feed, call_center):
        feed.plan += breaks
        events = call_center.events(types, after=0)
        got: list[Told] = []
        for step in [*steps, "add"]:
            match step:
                case "add":
                    feed.add()
                case "forget":
                    feed.forget()
                case "take" if last(got) < feed.seq:
                    async with asyncio.timeout(5):
                        got.append(await anext(events))
                case "stop waiting":
                    try:
                        async with asyncio.timeout(0.0005):
                            got.append(await anext(events))
                    except TimeoutError:
                        pass
        while last(got) < feed.seq:
            async with asyncio.timeout(5):
                got.append(await anext(events))
        return feed, got


@settings(max_examples=60)
@given(st.lists(BREAKS, max_size=8), STEPS, st.sampled_from([[], ["queue"]]))
def test_every_event_comes_once_and_in_order_or_a_reset_stands_for_it(breaks, steps, types):
    feed, got = asyncio.run(consume(breaks, steps, types))
    before = 0
    for event in got:
        if isinstance(event, Reset):
            assert event.seq > before and event.picture.seq == event.seq
        else:
            assert event.seq == before + 1
            assert event.subject == feed.envelopes[before]["subject"]
        before = event.seq
    assert before == feed.seq
    if "forget" not in steps:
        assert not any(isinstance(event, Reset) for event in got)
