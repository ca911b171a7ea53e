"""The objects in use, on the real API."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from acd import client
from acd.access.principals import Role
from acd.access.refusals import Forbidden, Unauthorized
from acd.client import AddressState, AgentState, ApiError, SessionState, member, refusals
from acd.web.app import OPERATIONS
from tests.client.office import client_of, token_of
from tests.helpers import until
from tests.web.house import PHONE, PIN, House
from tests.web.switch import Call


async def log_on(center, user="alice", id="1001", group="support"):
    """An agent and his session, both ready."""
    handler = await center.agent_handler()
    agent = await handler.create_agent_with_id(id, PIN, user)
    session = await agent.create_session_with_pin(group, f"PJSIP/{id}", PIN)
    await session.put_state(SessionState.READY)
    await agent.put_state(AgentState.READY)
    return handler, agent, session


async def test_a_day_begins_with_a_handler_a_group_an_address_an_agent_and_a_session(house: House, center):
    house.switch.devices[PHONE] = "NOT_INUSE"
    (handler,) = (await center.enumerate_agent_handlers()).next(5)
    assert (handler.name, handler.linked) == ("main", True)
    group = next(each for each in await handler.enumerate_acd_groups() if each.name == "support")
    assert [queue.name for queue in await group.enumerate_queues()] == ["support"]
    agent = await handler.create_agent_with_id("1001", PIN, "alice")
    phone = client.Address(handler._connection, "main", {"address_name": PHONE})
    session = await agent.create_session_with_pin(group, phone, PIN)
    assert (agent.id, agent.user, agent.state) == ("1001", "alice", AgentState.NOT_READY)
    assert (await session.agent(), await session.acd_group()) == (agent, group)
    assert (session.state, session.session_start_time.tzinfo) == (SessionState.NOT_READY, UTC)
    phone = await session.address()
    assert (phone.address_name, phone.service_provider_name, phone.dialable_address) == (PHONE, "PJSIP", "1001")
    assert (phone.state, phone in await handler.usable_addresses()) == (AddressState.INSERVICE, True)
    await session.put_state(SessionState.READY)
    await agent.put_state(AgentState.READY)
    assert (session.state, agent.state) == (SessionState.READY, AgentState.READY)
    assert await agent.agent_sessions() == [session] == list(await agent.enumerate_agent_sessions())
    await session.put_state(SessionState.SESSION_ENDED)
    assert (await agent.agent_sessions(), session.state) == ([], SessionState.SESSION_ENDED)
    assert (await session.refresh()).state is SessionState.SESSION_ENDED  # it stays readable


async def test_what_is_told_was_seen_and_is_seen_anew_when_one_looks(house: House, center):
    _, agent, session = await log_on(center)
    call = Call("1.1", "support")
    house.switch.take(call)
    await house.in_state(session.id, "BUSY_ON_CALL")
    assert (agent.state, session.state) == (AgentState.READY, SessionState.READY)
    assert (await agent.refresh()).state is AgentState.BUSY_ACD
    assert (await session.refresh()).state is SessionState.BUSY_ON_CALL
    await session.put_state(SessionState.NOT_READY, reason="lunch")
    assert session.next_state is SessionState.NOT_READY
    house.switch.hang_up(call)
    await house.in_state(session.id, "NOT_READY")
    await session.refresh()
    assert (session.number_of_calls, session.reason) == (1, "lunch")
    assert (await agent.refresh()).number_of_acd_calls == 1


async def test_every_member_of_every_object_has_a_value_of_its_type(house: House, center):
    handler, agent, session = await log_on(center)
    house.switch.take(Call("1.1", "support"))
    house.switch.join(Call("1.2", "support"))
    await house.in_state(session.id, "BUSY_ON_CALL")
    await agent.put_wrap_up_time(7.5)
    await session.refresh()
    queue = await handler.queue("support")
    await until(lambda: house.center.queue("support").waiting, what="the second waits")
    (waiting,) = await queue.calls()
    (row,) = [call async for call in handler.calls(call="1.1")]
    picture = (await center.picture()).handlers[0]
    objects = [handler, agent, session, queue, waiting, row, *await handler.acd_groups()]
    objects += [*await handler.usable_addresses(), *picture.agents, *picture.sessions, *picture.queues, *picture.calls]
    seen = set()
    for thing in objects:
        for name, of in vars(type(thing)).items():
            if isinstance(of, member.Member):
                value = getattr(thing, name)
                assert isinstance(value, int | float | str | bool | Decimal | datetime | None), name
                seen.add((type(thing), name))
    classes = (client.AgentHandler, client.Agent, client.AgentSession, client.Queue, client.ACDGroup, client.Address)
    assert seen == {
        (cls, name)
        for cls in (*classes, client.Call, client.WaitingCall)
        for name, of in vars(cls).items()
        if isinstance(of, member.Member)
    }
    assert (agent.wrap_up, row.outcome, row.call) == (7.5, "answered", "1.1")
    assert timedelta(0) <= datetime.now(UTC) - row.entered < timedelta(minutes=1)
    assert isinstance(agent.overall_call_rate, Decimal)


async def test_a_member_that_an_acd_does_not_tell_is_no_attribute_and_none_can_be_set(center):
    old = client.Agent(center._connection, "main", {"agent": "1001"})
    with pytest.raises(AttributeError, match="Agent has no user here"):
        _ = old.user
    assert not hasattr(old, "number_of_acd_calls")
    with pytest.raises(AttributeError):
        old.user = "alice"
    with pytest.raises(TypeError):
        old.picture["user"] = "alice"


async def test_wrap_up_is_extended_and_ended(house: House, center):
    _, _, session = await log_on(center)
    call = Call("1.1", "support")
    house.switch.take(call)
    await house.in_state(session.id, "BUSY_ON_CALL")
    with pytest.raises(refusals.NotInWrapUp):
        await session.end_wrap_up()
    await until(lambda: house.switch.queues["support"][PHONE].paused, what="paused during the call")
    house.switch.hang_up(call)
    await house.in_state(session.id, "BUSY_WRAPUP")
    await session.refresh()
    planned = session.wrap_up_until
    await session.extend_wrap_up(30)
    assert session.wrap_up_until - planned == timedelta(seconds=30)
    await session.end_wrap_up()
    assert session.state is SessionState.READY


async def test_periods_and_wrap_up_times_are_set_and_shown(center):
    handler, agent, _ = await log_on(center)
    queue = await handler.queue("support")
    for thing in (agent, queue):
        await thing.put_measurement_period(600)
        assert thing.measurement_period == 600
        with pytest.raises(refusals.Refusal) as refused:
            await thing.put_measurement_period(0)
        assert refused.value.hresult == refusals.E_INVALIDARG
    await queue.put_wrap_up_time(12)
    assert queue.wrap_up == 12


class Recorder:
    """In place of a connection: what was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, object]] = []

    async def ask(self, method, *path, body=None, query=()):
        self.asked.append((method, "/".join(["/api/v1", *path]), body))
        return {"items": [], "next": None, "id": "s1"}

    async def items(self, *path, query=None):
        for item in (await self.ask("GET", *path))["items"]:
            yield item


async def test_what_supervisors_and_agents_do_beyond_tapi_are_operations_whose_bodies_fit():
    recorder = Recorder()
    handler = client.AgentHandler(recorder, "main", {"name": "main"})
    agent = client.Agent(recorder, "main", {"agent": "1001"})
    session = client.AgentSession(recorder, "main", {"id": "s1"})
    queue = client.Queue(recorder, "main", {"name": "support"})
    group = client.ACDGroup(recorder, "main", {"name": "both"})
    waiting = client.WaitingCall({"call": "1.1"})
    monitor = client.Monitor(recorder, "main", {"id": "m1"})
    for work in (
        agent.listen("PJSIP/1020"),
        agent.whisper(client.Address(recorder, "main", {"address_name": "PJSIP/1020"})),
        agent.barge("PJSIP/1020"),
        monitor.end(),
        handler.monitors(),
        queue.members(),
        queue.put_penalty(agent, 2),
        queue.put_penalty("1001", 0),
        queue.withdraw(waiting),
        queue.put_priority("1.1", 5),
        queue.transfer(waiting, queue),
        queue.transfer(waiting, "sales"),
        handler.hang_up(waiting),
        handler.post_note("hello"),
        handler.post_note("hello", groups=["both"], agents=["1001"]),
        handler.choices(),
        session.put_disposition("sold"),
        session.move(group),
        session.move("both"),
    ):
        await work
    assert len(recorder.asked) == 19
    for method, path, body in recorder.asked:
        (operation,) = (
            each
            for each in OPERATIONS
            if each.method == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", each.path), path)
        )
        assert (operation.body is None) == (body is None), path
        if operation.body is not None:
            operation.body.model_validate(body)
    assert (await monitor.refresh()).state is client.MonitorState.ENDED


async def test_a_note_is_told_to_whom_it_concerns_and_an_agent_is_moved(house: House, center):
    handler, agent, session = await log_on(center)
    token = token_of(house, Role.AGENT, handler="main", agent="1001")
    async with client_of(house, token) as alices, alices.events("note") as events:
        await handler.post_note("lunch is ready", groups=["support"])
        note = await anext(events)
        assert (note.event, note.subject["text"]) == ("NOTE", "lunch is ready")
    there = await session.move("both")
    assert (await session.refresh()).state is SessionState.SESSION_ENDED
    assert ((await there.acd_group()).name, there.state) == ("both", SessionState.READY)
    support = await handler.queue("support")
    (member_,) = await support.members()
    assert (member_.agent, member_.address, member_.paused) == ("1001", PHONE, False)
    with pytest.raises(refusals.NoCall):
        await agent.listen(PHONE)
    with pytest.raises(refusals.UnknownCall):
        await support.withdraw("none")


async def test_the_ledger_is_read_page_by_page(house: House, center, monkeypatch):
    handler, _, session = await log_on(center)
    await (await handler.queue("support")).put_wrap_up_time(0)
    for number in range(5):
        call = Call(f"1.{number}", "support")
        house.switch.take(call)
        await house.in_state(session.id, "BUSY_ON_CALL")
        house.switch.hang_up(call)
        await house.in_state(session.id, "READY")
    asked = []
    ask = handler._connection.ask

    async def page_of_two(method, *path, query=(), **more):
        asked.append(dict(query))
        return await ask(method, *path, query=[*query, ("limit", "2")], **more)

    monkeypatch.setattr(handler._connection, "ask", page_of_two)
    begin = datetime.now(UTC) - timedelta(hours=1)
    assert [row.call async for row in handler.calls(start=begin, queue="support", agent="1001")] == [
        f"1.{number}" for number in range(5)
    ]
    assert len(asked) == 3 and asked[0] == {"from": begin.isoformat(), "queue": "support", "agent": "1001"}
    assert [row async for row in handler.calls(end=begin)] == []


async def test_null_arguments_and_numbers_that_are_no_enumerators_are_e_invalidarg(center):
    handler, agent, session = await log_on(center)
    for wrong in (
        lambda: handler.create_agent(None),
        lambda: handler.create_agent_with_id("1001", None),
        lambda: handler.create_agent_with_id(None, PIN),
        lambda: agent.create_session(None, PHONE),
        lambda: agent.create_session("support", None),
        lambda: agent.create_session_with_pin("support", PHONE, None),
        lambda: agent.put_state(17),
        lambda: agent.put_state(None),
        lambda: session.put_state(17),
    ):
        with pytest.raises(refusals.Refusal) as refused:
            await wrong()
        assert refused.value.hresult == refusals.E_INVALIDARG


async def test_refusals_are_those_of_acd_tapi(center):
    handler, agent, session = await log_on(center)
    for wrong, cls in (
        (lambda: handler.agent("nobody"), refusals.UnknownAgent),
        (lambda: handler.acd_group("nothing"), refusals.UnknownGroup),
        (lambda: handler.queue("nothing"), refusals.UnknownQueue),
        (lambda: handler.agent_session("none"), refusals.UnknownSession),
        (lambda: handler.create_agent_with_id("1001", "0000"), refusals.WrongPin),
        (lambda: agent.create_session("support", PHONE), refusals.SessionExists),
        (lambda: agent.put_state(AgentState.BUSY_ACD), refusals.StateNotSettable),
        (lambda: session.put_state(SessionState.BUSY_WRAPUP), refusals.StateNotSettable),
    ):
        with pytest.raises(cls) as refused:
            await wrong()
        assert isinstance(refused.value, ApiError) and refused.value.status >= 400


async def test_an_agent_without_an_id_has_none(center):
    handler = await center.agent_handler()
    agent = await handler.create_agent("bob")
    with pytest.raises(refusals.NoAgentId):
        _ = agent.id
    with pytest.raises(refusals.NoAgentId):
        await agent.create_session_with_pin("support", PHONE, PIN)
    assert await handler.agent("bob") == agent != await handler.create_agent("carol")


async def test_what_was_taken_away_says_so(house: House, center):
    handler = await center.agent_handler()
    await center.request("PUT", "handlers", "main", "acd-groups", "late", body={"queues": ["sales"]})
    group = await handler.acd_group("late")
    (queue,) = await group.queues()
    await center.request("DELETE", "handlers", "main", "acd-groups", "late")
    for asked in (group.refresh, group.queues):
        with pytest.raises(client.GroupRemoved) as gone:
            await asked()
        assert (gone.value.hresult, gone.value.status) == (0x80040045, 404)
    del house.center.state.queues["sales"]
    with pytest.raises(client.QueueRemoved) as gone:
        await queue.put_wrap_up_time(1)
    assert gone.value.code == "queue-removed"


async def test_a_handler_is_listed_while_its_asterisk_is_connected(house: House, center):
    house.switch.cut()
    await until(lambda: not house.center.state.linked, what="not linked")
    assert await center.agent_handlers() == []
    assert not (await center.agent_handler("main")).linked
    with pytest.raises(ApiError) as refused:
        await center.agent_handler("other")
    assert refused.value.status == 404


async def test_a_token_says_who_comes_and_how_far_he_reaches(house: House, center):
    await log_on(center)
    assert (center.principal.role, center.principal.reaches_all) == (Role.ADMIN, True)
    with pytest.raises(Unauthorized) as refused:
        async with client_of(house, "a wrong token"):
            pass
    assert refused.value.status == 401
    async with client_of(house, token_of(house, Role.AGENT, handler="main", agent="1001")) as alices:
        assert (alices.principal.agent, alices.principal.reaches_all) == ("1001", False)
        handler = await alices.agent_handler()
        assert [agent.id for agent in await handler.agents()] == ["1001"]
        with pytest.raises(Forbidden):
            await handler.create_agent("mallory")
    async with client_of(house, token_of(house, Role.SUPERVISOR, groups=["both"])) as supervisors:
        assert supervisors.principal.groups == {"both"}
