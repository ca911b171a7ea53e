"""The TAPI objects in use: a program in the same process, on a fake Asterisk."""

from datetime import UTC, datetime

import pytest

from acd import tapi
from acd.core import refusals
from acd.core.states import AgentEvent, AgentState, SessionEvent, SessionState
from acd.tapi import TapiEvent
from tests.helpers import until
from tests.web.house import PHONE, House


@pytest.fixture
def center(house: House) -> tapi.TAPICallCenter:
    return tapi.TAPICallCenter({"main": house.handler.commands})


async def test_a_day_begins_with_a_handler_a_group_an_address_an_agent_and_a_session(house: House, center):
    told = []
    center.register(lambda bit, payload: told.append((bit, payload)))
    center.event_filter = TapiEvent.AGENT | TapiEvent.AGENTSESSION
    handler = center.enumerate_agent_handlers().next()[0]
    assert handler.name == "main"
    group = next(each for each in handler.enumerate_acd_groups() if each.name == "support")
    assert [queue.name for queue in group.enumerate_queues()] == ["support"]
    agent = await handler.create_agent_with_id("1001", "4711", "alice")
    session = await agent.create_session_with_pin(group, tapi.Address(house.handler.commands, PHONE), "4711")
    assert (agent.id, agent.user, session.agent, session.acd_group) == ("1001", "alice", agent, group)
    assert (session.state, agent.state) == (SessionState.NOT_READY, AgentState.NOT_READY)
    await session.put_state(SessionState.READY)
    await agent.put_state(AgentState.READY)
    assert agent.agent_sessions == [session] == list(agent.enumerate_agent_sessions())
    assert session.session_start_time.tzinfo is UTC
    assert [(bit, payload.event) for bit, payload in told] == [
        (TapiEvent.AGENTSESSION, SessionEvent.NEW_SESSION),
        (TapiEvent.AGENTSESSION, SessionEvent.READY),
        (TapiEvent.AGENT, AgentEvent.READY),
    ]
    await session.put_state(SessionState.SESSION_ENDED)
    assert agent.agent_sessions == []
    assert session.state is SessionState.SESSION_ENDED  # it stays readable


async def test_no_event_comes_before_the_filter_is_set(house: House, center):
    told = []
    center.register(lambda bit, payload: told.append(payload))
    await center.agent_handlers[0].create_agent("alice")
    await house.handler.commands.set_group("late", ["support"])
    assert told == []
    center.event_filter = TapiEvent.ACDGROUP
    await house.handler.commands.remove_group("late")
    assert [payload.event.name for payload in told] == ["GROUP_REMOVED"]


async def test_null_arguments_and_numbers_that_are_no_enumerators_are_e_invalidarg(house: House, center):
    handler = center.agent_handlers[0]
    agent = await handler.create_agent_with_id("1001", "4711")
    group, phone = handler.acd_groups[0], tapi.Address(house.handler.commands, PHONE)
    for wrong in (
        lambda: handler.create_agent_with_id("1001", None),
        lambda: handler.create_agent_with_id(None, "4711"),
        lambda: agent.create_session(None, phone),
        lambda: agent.create_session(group, None),
        lambda: agent.create_session_with_pin(group, phone, None),
        lambda: agent.put_state(17),
        lambda: agent.put_state(None),
        lambda: agent.put_measurement_period(0),
        lambda: agent.put_measurement_period(-1),
    ):
        with pytest.raises(refusals.Refusal) as refused:
            await wrong()
        assert refused.value.hresult == refusals.E_INVALIDARG


async def test_states_that_only_the_switch_sets_are_refused_with_the_state_error_of_the_wrapped_call(center):
    agent = await center.agent_handlers[0].create_agent("alice")
    with pytest.raises(refusals.Refusal) as refused:
        await agent.put_state(AgentState.BUSY_ACD)
    assert (refused.value.hresult, refused.value.lineerr) == (0x8004004B, 0x8000005A)


async def test_an_agent_without_an_id_has_none_and_no_pin_to_log_on_with(house: House, center):
    handler = center.agent_handlers[0]
    agent = await handler.create_agent("alice")
    with pytest.raises(refusals.NoAgentId):
        _ = agent.id
    with pytest.raises(refusals.NoAgentId):
        await agent.create_session_with_pin(handler.acd_groups[0], tapi.Address(house.handler.commands, PHONE), "4711")


async def test_what_was_taken_away_says_so_at_every_member(house: House, center):
    handler = center.agent_handlers[0]
    await house.handler.commands.set_group("late", ["support"])
    group = next(each for each in handler.acd_groups if each.name == "late")
    await house.handler.commands.remove_group("late")
    for member in ("name", "queues"):
        with pytest.raises(tapi.GroupRemoved):
            getattr(group, member)
    queue = tapi.Queue(house.handler.commands, "gone")
    with pytest.raises(tapi.QueueRemoved):
        _ = queue.total_calls_queued


async def test_a_handler_is_listed_while_its_asterisk_is_connected(house: House, center):
    told = []
    center.register(lambda bit, payload: told.append(payload.event.name))
    center.event_filter = TapiEvent.AGENTHANDLER
    house.switch.cut()
    await until(lambda: told == ["AGENTHANDLER_REMOVED"])
    assert center.agent_handlers == []


def test_an_enumerator_walks_skips_begins_again_and_is_cloned():
    walk = tapi.EnumQueue(["a", "b", "c"])
    assert walk.next(2) == ["a", "b"]
    other = walk.clone()
    assert (walk.next(5), walk.next()) == (["c"], [])
    assert list(other) == ["c"]
    walk.reset()
    assert (walk.skip(2), walk.skip(2)) == (True, False)
    with pytest.raises(tapi.NullArgument):
        walk.next(-1)


def test_a_start_time_becomes_an_automation_date():
    assert tapi.automation_date(datetime(1899, 12, 31, 12, tzinfo=UTC)) == 1.5


class Echo:
    """A view whose every figure is its own name."""

    def __getattr__(self, name):
        return name


@pytest.mark.parametrize(
    ("cls", "view"),
    [(tapi.Queue, "queue_view"), (tapi.Agent, "agent_view"), (tapi.AgentSession, "session_view")],
)
async def test_every_figure_is_the_one_of_its_name(house: House, cls, view, monkeypatch):
    key = await house.ready()
    monkeypatch.setattr(tapi.views, view, lambda *_: Echo())
    one = cls(house.handler.commands, {tapi.Queue: "support", tapi.Agent: "1001", tapi.AgentSession: key}[cls])
    objects = {"agent", "acd_group", "address", "agent_sessions", "session_start_time", "id"}
    names = [
        n for n in dir(cls) if not n.startswith("_") and isinstance(getattr(cls, n), property) and n not in objects
    ]
    assert len(names) >= 9
    assert {name: getattr(one, name) for name in names} == {name: name for name in names}


@pytest.mark.parametrize("seconds", [None, "60", 1.5, True, 0, -1, 2**31])
async def test_a_period_is_a_long_above_zero(house: House, center, seconds):
    await house.ready()
    handler = center.agent_handlers[0]
    agent = next(iter(tapi.Agent(house.handler.commands, key) for key in house.center.state.agents))
    queue = handler.acd_groups[0].queues[0]
    for one in (agent, queue):
        with pytest.raises(refusals.PeriodInvalid) as refused:
            await one.put_measurement_period(seconds)
        assert refused.value.hresult == refusals.E_INVALIDARG
        assert one.measurement_period == 86400


@pytest.mark.parametrize("name", ["", " ", "a,b", "x\r\nAction: Ping", "x" * 80])
async def test_names_that_asterisk_cannot_carry_are_e_invalidarg(center, name):
    handler = center.agent_handlers[0]
    with pytest.raises(tapi.NullArgument):
        await handler.create_agent(name)
    with pytest.raises(tapi.NullArgument):
        await handler.create_agent_with_id("1001", "4711", name or " ")


async def test_a_group_or_an_address_of_another_handler_is_e_invalidarg(house: House, center):
    handler = center.agent_handlers[0]
    agent = await handler.create_agent("alice")
    stranger = object()
    with pytest.raises(tapi.NullArgument):
        await agent.create_session(tapi.ACDGroup(stranger, "support"), tapi.Address(house.handler.commands, PHONE))
    with pytest.raises(tapi.NullArgument):
        await agent.create_session(handler.acd_groups[0], tapi.Address(stranger, PHONE))
    with pytest.raises(tapi.NullArgument):
        await agent.create_session(handler.acd_groups[0], tapi.Address(house.handler.commands, "PJSIP/7;7"))
