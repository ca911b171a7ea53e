"""The stream of the real API: what is told, over connections that break and an acd that starts again."""

import asyncio
import json
import random

import pytest

from acd.access.principals import Role
from acd.access.refusals import Unauthorized
from acd.client import (
    AgentEvent,
    AgentSessionEvent,
    AgentState,
    Event,
    QueueEvent,
    Reset,
    SessionEvent,
    SessionState,
    TapiEvent,
    connect,
    states,
)
from acd.store.tables import EnvelopeRow
from tests.client.office import client_of, token_of
from tests.client.proxy import open_proxy
from tests.helpers import until
from tests.web.house import PIN, TOKEN, House, open_house
from tests.web.switch import Call


async def take_until(events, enough, seconds=10):
    """The events until one is enough, that one included."""
    got = []
    async with asyncio.timeout(seconds):
        async for event in events:
            got.append(event)
            if enough(event):
                return got
    raise AssertionError(f"the stream ended after {got[-1:]}")


def is_moved(session: str, event: SessionEvent):
    return lambda each: isinstance(each, AgentSessionEvent) and (each.session.id, each.event) == (session, event)


async def restless(center, agent: str, times: int):
    """An agent who goes ready and not ready again and again; his session."""
    handler = await center.agent_handler()
    alice = await handler.create_agent_with_id(agent, PIN)
    session = await alice.create_session("support", f"PJSIP/{agent}")
    for _ in range(times):
        for state in (SessionState.READY, SessionState.NOT_READY):
            await session.put_state(state)
    await session.put_state(SessionState.SESSION_ENDED)
    return session


async def test_a_call_is_told_by_tapis_events_with_objects_that_can_be_looked_at_again(house: House, center):
    async with center.events(TapiEvent.AGENT | TapiEvent.AGENTSESSION) as events:
        handler = await center.agent_handler()
        alice = await handler.create_agent_with_id("1001", PIN, "alice")
        session = await alice.create_session_with_pin("support", "PJSIP/1001", PIN)
        await session.put_state(SessionState.READY)
        await alice.put_state(AgentState.READY)
        call = Call("1.1", "support")
        house.switch.take(call)
        await house.in_state(session.id, "BUSY_ON_CALL")
        await session.put_state(SessionState.NOT_READY, "lunch")
        house.switch.hang_up(call)
        told = await take_until(events, lambda each: isinstance(each, AgentEvent) and each.event.name == "READY")
        told += await take_until(events, is_moved(session.id, SessionEvent.NOT_READY))
    assert [each.event.name for each in told if isinstance(each, AgentSessionEvent)] == [
        *("NEW_SESSION", "READY", "BUSY", "NOT_READY")
    ]
    assert {each.session for each in told if isinstance(each, AgentSessionEvent)} == {session}
    assert {each.agent for each in told if isinstance(each, AgentEvent)} == {alice}
    busy = next(each for each in told if is_moved(session.id, SessionEvent.BUSY)(each))
    assert busy.session.state is SessionState.BUSY_ON_CALL
    assert (await busy.session.refresh()).number_of_calls == 1


async def test_the_picture_and_the_stream_from_there_on_make_one_account(house: House, center):
    await restless(center, "1001", 2)
    picture = await center.picture()
    house.switch.join(Call("1.1", "support"))
    events = center.events(after=picture.seq)
    told = await take_until(events, lambda each: isinstance(each, Event) and each.type == "call")
    assert [each.seq for each in told] == list(range(picture.seq + 1, picture.seq + 1 + len(told)))
    assert told[-1].subject["call"] == "1.1"
    (queue,) = (each for each in picture.handlers[0].queues if each.name == "support")
    assert queue.current_calls_queued == 0 and (await queue.refresh()).current_calls_queued == 1


async def test_queues_and_handlers_that_come_and_go_are_told(house: House, center):
    async with center.events() as events:
        house.switch.cut()
        told = await take_until(events, lambda each: each.type == "agent-handler")
        assert (told[-1].event, told[-1].agent_handler.linked) == (
            states.AgentHandlerEvent.AGENTHANDLER_REMOVED,
            False,
        )
        house.switch.queues["late"] = {}
        told = await take_until(events, lambda each: isinstance(each, QueueEvent))
        assert (told[-1].queue.name, told[-1].event) == ("late", states.ACDQueueEvent.NEW_QUEUE)


@pytest.mark.parametrize("seed", range(4))
async def test_wherever_the_way_to_acd_breaks_everything_is_told_once_and_in_order(house: House, center, seed):
    dice = random.Random(seed)
    async with open_proxy() as (proxy, address):
        proxy.target = house.client.port
        async with connect(address, token=TOKEN) as through, through.events() as events:
            first = events.seq
            proxy.cuts += [int(dice.expovariate(1 / 1500)) for _ in range(60)]
            proxy.cut()
            working = asyncio.create_task(restless(center, "1001", 12))
            told = await take_until(
                events, lambda each: isinstance(each, AgentSessionEvent) and each.event.name == "END"
            )
            await working
        assert proxy.connections > 5
        assert [each.seq for each in told] == list(range(first + 1, first + 1 + len(told)))
        assert not any(isinstance(each, Reset) for each in told)


@pytest.mark.parametrize("seed", range(3))
async def test_who_may_see_some_of_it_is_told_all_of_that_once(house: House, center, seed):
    dice = random.Random(seed)
    await (await center.agent_handler()).create_agent_with_id("1002", PIN)
    token = token_of(house, Role.AGENT, handler="main", agent="1002")
    async with open_proxy() as (proxy, address):
        proxy.target = house.client.port
        async with connect(address, token=token) as through, through.events(TapiEvent.AGENTSESSION) as events:
            proxy.cuts += [int(dice.expovariate(1 / 3000)) for _ in range(20)]
            proxy.cut()
            working = asyncio.gather(restless(center, "1001", 8), restless(center, "1002", 8))
            told = await take_until(events, lambda each: each.event is SessionEvent.END)
            _, session = await working
    await house.store.written()
    rows = house.store.rows(EnvelopeRow, EnvelopeRow.type == "agent-session", by=[EnvelopeRow.seq])
    assert [each.seq for each in told] == [row.seq for row in rows if "1002" in row.agents]
    assert {each.session.id for each in told} == {session.id} and len(told) == 18


async def test_an_acd_that_starts_again_goes_on_with_the_next_number(tmp_path):
    async with open_proxy() as (proxy, address):
        async with open_house(tmp_path) as house:
            proxy.target = house.client.port
            async with client_of(house) as center:
                await restless(center, "1001", 1)
            through = connect(address, token=TOKEN)
            center = await through.__aenter__()
            events = await center.events().__aenter__()
            first = events.seq
            proxy.target = None
        told = await take_until(events, lambda each: (each.type, each.event) == ("acd", "ENDING"))
        async with open_house(tmp_path) as house:
            proxy.target = house.client.port
            await until(lambda: house.center.state.linked, what="linked")
            async with client_of(house) as other:
                await restless(other, "1002", 1)
            told += await take_until(
                events, lambda each: isinstance(each, AgentSessionEvent) and each.event.name == "END"
            )
            assert [each.seq for each in told] == list(range(first + 1, first + 1 + len(told)))
            await through.__aexit__(None, None, None)


async def test_an_acd_that_crashed_makes_a_reset(house: House, center):
    async with center.events(after=5_000_000) as events:
        (reset,) = await take_until(events, lambda each: True)
        assert isinstance(reset, Reset) and reset.seq == house.feed.seq
        assert [each.agent_handler.name for each in reset.picture.handlers] == ["main"]


async def test_a_token_that_is_revoked_ends_the_stream_with_the_refusal(house: House, center):
    made = await center.request("POST", "tokens", body={"name": "wallboard", "role": "integration"})
    async with client_of(house, made["token"]) as wallboard, wallboard.events() as events:
        await center.request("DELETE", "tokens", made["id"])
        await restless(center, "1001", 1)
        with pytest.raises(Unauthorized):
            await take_until(events, lambda each: False)


async def test_what_the_consumer_is_told_is_what_acd_keeps(house: House, center):
    async with center.events() as events:
        first = events.seq
        await restless(center, "1001", 3)
        told = await take_until(events, lambda each: isinstance(each, AgentSessionEvent) and each.event.name == "END")
    await house.store.written()
    rows = house.store.rows(EnvelopeRow, EnvelopeRow.seq > first, by=[EnvelopeRow.seq], limit=len(told))
    assert [json.loads(row.text)["subject"] for row in rows] == [each.subject for each in told]
