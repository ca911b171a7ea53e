"""Events as a consumer gets them: each once, in order, whatever happens to the connection."""

import asyncio
import gc
from datetime import UTC, datetime

import pytest

from acd import client
from acd.client import (
    ACDGroupEvent,
    AgentEvent,
    AgentHandlerEvent,
    AgentSessionEvent,
    ApiError,
    Event,
    EventsLost,
    QueueEvent,
    Reset,
    TapiEvent,
    states,
)
from tests.client.feed import FOREIGN, Behaviour, frame, open_feed
from tests.helpers import until


async def take(stream, count):
    async with asyncio.timeout(5):
        return [await anext(stream) for _ in range(count)]


async def seqs(stream, count):
    return [event.seq for event in await take(stream, count)]


async def test_what_happens_after_one_began_to_listen_is_told_and_nothing_before():
    async with open_feed() as (feed, call_center):
        feed.add()
        async with call_center.events() as events:
            feed.add()
            feed.add()
            assert await seqs(events, 2) == [2, 3]
            feed.add()
            assert await seqs(events, 1) == [4]
            assert events.seq == 4


async def test_the_events_after_a_number_are_told_again():
    async with open_feed() as (feed, call_center):
        for _ in range(5):
            feed.add()
        assert await seqs(call_center.events(after=2), 3) == [3, 4, 5]


async def test_an_event_of_tapi_has_its_object_and_its_enumerator():
    async with open_feed() as (feed, call_center):
        events = call_center.events(after=0)
        feed.add("agent", "BUSY_ACD", {"agent": "1001", "id": "1001", "user": FOREIGN, "state": "BUSY_ACD"})
        feed.add("agent-session", "WRAPUP", {"id": "s1", "state": "BUSY_WRAPUP", "number_of_calls": 3})
        feed.add("queue", "QUEUE_REMOVED", {"name": "support"})
        feed.add("acd-group", "NEW_GROUP", {"name": "both", "queues": ["support"]})
        feed.add("agent-handler", "AGENTHANDLER_REMOVED", {"name": "main", "linked": False})
        of_agent, of_session, of_queue, of_group, of_handler = await take(events, 5)
        assert isinstance(of_agent, AgentEvent) and of_agent.event is states.AgentEvent.BUSY_ACD
        assert (of_agent.agent.id, of_agent.agent.user) == ("1001", FOREIGN)
        assert of_agent.agent.state is client.AgentState.BUSY_ACD
        assert (of_agent.at, of_agent.handler) == (datetime(2026, 11, 20, 9, 15, 0, 250000, UTC), "main")
        assert isinstance(of_session, AgentSessionEvent) and of_session.event is client.SessionEvent.WRAPUP
        assert of_session.session.number_of_calls == 3
        assert isinstance(of_queue, QueueEvent) and of_queue.event is states.ACDQueueEvent.QUEUE_REMOVED
        assert of_queue.queue.name == "support"
        assert isinstance(of_group, ACDGroupEvent) and of_group.event is states.ACDGroupEvent.NEW_GROUP
        assert of_group.group.name == "both"
        assert isinstance(of_handler, AgentHandlerEvent) and not of_handler.agent_handler.linked
        assert of_handler.event is states.AgentHandlerEvent.AGENTHANDLER_REMOVED


async def test_an_event_beyond_tapi_or_of_a_newer_acd_is_told_as_it_is():
    async with open_feed() as (feed, call_center):
        events = call_center.events(after=0)
        feed.add("note", "NEW_NOTE", {"text": "hello"})
        feed.add("agent", "ON_THE_MOON", {"agent": "1001"})
        note, newer = await take(events, 2)
        assert isinstance(note, Event) and (note.type, note.event, note.subject) == (
            "note",
            "NEW_NOTE",
            {"text": "hello"},
        )
        assert isinstance(newer, Event) and newer.event == "ON_THE_MOON"


async def test_bits_of_tapi_or_names_and_the_rest_of_the_filter_go_to_acd():
    async with open_feed() as (feed, call_center):
        feed.add("call")
        feed.add("agent", "READY", {})
        feed.add("queue")
        feed.add("agent", "READY", {})
        events = call_center.events(TapiEvent.AGENT | TapiEvent.AGENTSESSION, queue="a", group=["b", "c"], after=0)
        assert await seqs(events, 2) == [2, 4]
        assert feed.asked[-1] == {"type": "agent,agent-session", "queue": "a", "group": "b,c", "after": "0"}
        assert await seqs(call_center.events("call", after=0), 1) == [1]


async def test_a_break_is_mended_from_the_last_event_on():
    async with open_feed() as (feed, call_center):
        feed.plan += [Behaviour(cut_after=450), Behaviour(cut_after=50), Behaviour(cut_after=300, gently=True)]
        for _ in range(6):
            feed.add()
        assert await seqs(call_center.events(after=0), 6) == [1, 2, 3, 4, 5, 6]
        assert len(feed.asked) == 4 and int(feed.asked[-1]["after"]) > 0


async def test_a_stream_that_says_nothing_at_all_counts_as_broken():
    async with open_feed() as (feed, call_center):
        feed.plan.append(Behaviour(silent=True))
        feed.add()
        assert await seqs(call_center.events(after=0, silence=0.2), 1) == [1]
        assert len(feed.asked) == 2


async def test_a_stream_with_comments_only_is_alive():
    async with open_feed() as (feed, call_center):
        async with call_center.events(silence=0.3) as events:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.8):
                    await anext(events)
        assert len(feed.asked) == 1


async def test_an_acd_that_is_busy_or_starts_again_is_asked_until_it_answers():
    async with open_feed() as (feed, call_center):
        feed.plan += [Behaviour(status=status) for status in (503, 502, 500, 504, 429)]
        feed.add()
        assert await seqs(call_center.events(after=0), 1) == [1]


async def test_the_wish_to_be_asked_later_is_respected():
    async with open_feed() as (feed, call_center):
        feed.plan.append(Behaviour(status=503, headers={"Retry-After": "1"}))
        feed.add()
        began = asyncio.get_running_loop().time()
        assert await seqs(call_center.events(after=0), 1) == [1]
        assert asyncio.get_running_loop().time() - began >= 1


@pytest.mark.parametrize("status", [401, 403, 404, 422])
async def test_a_refusal_is_raised(status):
    async with open_feed() as (feed, call_center):
        feed.plan += [Behaviour(status=status)]
        with pytest.raises(ApiError) as refused:
            await take(call_center.events(after=0), 1)
        assert (refused.value.status, refused.value.code) == (status, "made-up")


async def test_a_number_that_is_gone_makes_a_reset_with_the_picture_and_events_go_on_from_there():
    async with open_feed() as (feed, call_center):
        for _ in range(3):
            feed.add()
        feed.forget()
        events = call_center.events(after=1)
        (reset,) = await take(events, 1)
        assert isinstance(reset, Reset) and reset.picture.seq == reset.seq == 3
        (main,) = reset.picture.handlers
        assert main.agent_handler.name == "main" and [queue.name for queue in main.queues] == [FOREIGN]
        feed.add()
        assert await seqs(events, 1) == [4]


async def test_an_acd_that_counts_from_one_again_makes_a_reset():
    async with open_feed() as (feed, call_center):
        feed.add()
        events = call_center.events(after=5000)
        (reset,) = await take(events, 1)
        assert isinstance(reset, Reset) and reset.seq == 1
        feed.add()
        assert await seqs(events, 1) == [2]


@pytest.mark.parametrize(
    "instead",
    [b": nothing at all\n\n", b"data: {\n\n", b"data: 17\n\n", b"data: {}\n\n", b"data: \xff\n\n", b"id: x\n\n"],
)
async def test_a_hole_or_nonsense_is_asked_for_again_and_raised_when_it_stays(instead):
    async with open_feed() as (feed, call_center):
        for _ in range(4):
            feed.add()
        feed.wrong[3] = instead
        events = call_center.events(after=0)
        assert await seqs(events, 2) == [1, 2]
        with pytest.raises(EventsLost):
            await take(events, 1)
        del feed.wrong[3]
        assert await seqs(call_center.events(after=events.seq), 2) == [3, 4]


async def test_an_event_that_comes_twice_is_told_once():
    async with open_feed() as (feed, call_center):
        for _ in range(3):
            feed.add()
        feed.wrong[2] = frame(feed.envelopes[0]) + frame(feed.envelopes[1]) * 2
        assert await seqs(call_center.events(after=0), 3) == [1, 2, 3]


async def test_that_acd_ends_is_told_to_those_who_want_to_hear_everything():
    async with open_feed() as (feed, call_center):
        feed.add()
        feed.add("acd", "ENDED", {})
        feed.add()
        assert await seqs(call_center.events(after=0), 3) == [1, 2, 3]
        assert await seqs(call_center.events("queue", after=0), 2) == [1, 3]


@pytest.mark.parametrize(("types", "agent"), [("queue", None), ((), "1001")])
async def test_where_not_everything_is_for_us_a_number_alone_says_how_far_acd_is(types, agent):
    async with open_feed(agent=agent) as (feed, call_center):
        for _ in range(3):
            feed.add()
        feed.wrong |= {1: b": no\n\n", 3: b"id: 3\n\n"}
        async with call_center.events(types, after=0) as events:
            assert await seqs(events, 1) == [2]
            await until(lambda: events._reader.after == 3)
            feed.cut()
            feed.add()
            assert await seqs(events, 1) == [4]
            assert [asked["after"] for asked in feed.asked] == ["0", "3"]


async def test_what_is_no_stream_is_not_taken_for_one():
    async with open_feed() as (feed, call_center):
        feed.add()
        feed.plan += [Behaviour(content_type="text/html")] * 3
        with pytest.raises(EventsLost):
            await take(call_center.events(after=0), 1)


async def test_who_stops_waiting_misses_nothing():
    async with open_feed() as (feed, call_center):
        feed.plan += [Behaviour(cut_after=70, pieces=[1]), Behaviour(status=503), Behaviour(cut_after=200, pieces=[3])]
        events = call_center.events(after=0)
        for _ in range(20):
            feed.add()
        got = []
        while len(got) < 20:
            try:
                async with asyncio.timeout(0.001):
                    got.append((await anext(events)).seq)
            except TimeoutError:
                pass
        assert got == list(range(1, 21))


async def test_a_stream_ends_when_it_is_closed_also_for_who_waits():
    async with open_feed() as (feed, call_center):
        feed.add()
        events = call_center.events(after=0)
        got = []

        async def consume():
            async for event in events:
                got.append(event.seq)

        task = asyncio.create_task(consume())
        await until(lambda: got == [1])
        events.close()
        await asyncio.wait_for(task, 1)
        feed.add()
        assert [event async for event in events] == []


async def test_a_call_center_that_is_closed_ends_its_streams():
    async with open_feed() as (_feed, call_center), call_center.events() as events:
        task = asyncio.create_task(anext(events, None))
        await asyncio.sleep(0)
        await call_center.close()
        assert await asyncio.wait_for(task, 1) is None


async def test_a_stream_that_nobody_holds_any_more_is_closed():
    async with open_feed() as (feed, call_center):
        feed.add()
        async for _ in call_center.events(after=0):
            break
        gc.collect()
        await until(lambda: not call_center._streams)
        await until(lambda: not feed.transports)


async def test_two_streams_are_told_the_same():
    async with open_feed() as (feed, call_center), call_center.events() as one, call_center.events() as other:
        feed.add()
        assert await seqs(one, 1) == await seqs(other, 1) == [1]


async def test_who_is_slow_gets_everything_and_holds_little():
    async with open_feed() as (feed, call_center), call_center.events(after=0) as events:
        for _ in range(20_000):
            feed.add()
        await take(events, 1)
        await asyncio.sleep(0.2)
        assert len(events._reader.received) <= 1000
        assert await seqs(events, 19_999) == list(range(2, 20_001))
