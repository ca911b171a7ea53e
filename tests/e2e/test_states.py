"""READY, NOT_READY and SESSION_ENDED: asked for in the API, at Asterisk's console, during a call."""

import asyncio

import pytest

from tests.e2e.compare import compare
from tests.e2e.desk import Agent, Desk, moment

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120, func_only=True)]


async def _holds_back(desk: Desk, agent: Agent) -> None:
    """A caller waits three seconds in vain, which are three tries."""
    caller = await desk.call("605", patience=3)
    await caller.ended(10)
    assert not agent.heard_from(caller)


async def _lets_through(desk: Desk, agent: Agent) -> None:
    caller = await desk.call("605", stay=1)
    await agent.takes(caller)
    await caller.ended(10)


async def test_an_agent_who_is_not_ready_gets_no_call_and_asterisk_knows_the_reason(desk: Desk) -> None:
    alice = await desk.log_on(1001, "support", user="alice")
    session = await alice.set("NOT_READY", "lunch")
    assert (session["state"], session["reason"]) == ("NOT_READY", "lunch")
    (member,) = await desk.members("support")
    assert "paused:lunch" in member
    pause = await desk.until_logged("PAUSE")
    assert (pause.agent, pause.data) == ("alice", ("lunch",))
    await _holds_back(desk, alice)

    session = await alice.set("READY")
    assert (session["state"], session["reason"]) == ("READY", "")
    await _lets_through(desk, alice)
    await desk.settle()
    assert [row["outcome"] for row in await compare(desk)] == ["abandoned", "answered"]


async def test_a_ready_session_gets_no_call_while_its_agent_is_not_ready(desk: Desk) -> None:
    alice = await desk.log_on(1001, "support", user="alice")
    agent = await alice.set_agent("NOT_READY", "coffee")
    assert (agent["state"], agent["reason"]) == ("NOT_READY", "coffee")
    assert (await alice.session())["state"] == "READY"
    assert (await desk.until_logged("PAUSE")).data == ("coffee",)
    await _holds_back(desk, alice)
    assert (await alice.set_agent("READY"))["state"] == "READY"
    await _lets_through(desk, alice)
    await desk.settle()
    await compare(desk)


async def test_a_pause_at_asterisks_console_becomes_the_state_and_is_not_fought(desk: Desk) -> None:
    alice = await desk.log_on(1001, "support", user="alice")
    await desk.containers.cli("queue pause member PJSIP/1001 queue support reason cli")
    session = await alice.until_session("NOT_READY", 2)
    assert session["reason"] == "cli"
    await _holds_back(desk, alice)
    assert "paused:cli" in (await desk.members("support"))[0]
    session = await alice.session()
    assert (session["state"], session["reason"]) == ("NOT_READY", "cli")

    await desk.containers.cli("queue unpause member PJSIP/1001")
    await alice.until_session("READY", 2)
    assert (await alice.agent())["state"] == "READY"
    told = [line.event for line in await desk.queue_log() if line.event.startswith(("PAUSE", "UNPAUSE"))]
    assert told[-2:] in (["PAUSE", "UNPAUSE"], ["UNPAUSEALL", "UNPAUSE"]), told
    await _lets_through(desk, alice)
    await desk.settle()
    await compare(desk)


async def test_a_member_removed_at_asterisks_console_is_logged_off(desk: Desk) -> None:
    alice = await desk.log_on(1001, "support")
    await desk.containers.cli("queue remove member PJSIP/1001 from support")
    ended = await alice.until_session("SESSION_ENDED", 2)
    assert ended["reason"] == "removed"
    assert (await alice.agent())["sessions"] == [] and await desk.members() == []
    await alice.log_on("support")
    await alice.set("READY")
    await _lets_through(desk, alice)
    await desk.settle()
    (row,) = await desk.rows()
    assert row["session"] == alice.sessions["support"] != ended["id"]


async def test_a_log_off_during_a_call_takes_effect_after_it_without_wrap_up(desk: Desk) -> None:
    alice = await desk.log_on(1001, "support")
    caller = await desk.call("605", stay=3)
    await alice.takes(caller)
    await alice.until_session("BUSY_ON_CALL")
    asked = await alice.set("SESSION_ENDED")
    assert (asked["state"], asked["next_state"]) == ("BUSY_ON_CALL", "SESSION_ENDED")
    assert len(await desk.members("support")) == 1

    await caller.ended(10)
    ended = await alice.until_session("SESSION_ENDED", 2)
    assert (ended["number_of_calls"], ended["total_wrap_up_time_exact"]) == (1, 0)
    assert await desk.members() == []
    events = [line.event for line in await desk.queue_log()]
    assert events.index("COMPLETECALLER") < events.index("REMOVEMEMBER")
    assert (await alice.agent())["sessions"] == []
    await desk.settle()
    await compare(desk)
    await asyncio.sleep(1)
    assert await alice.session() == ended, "an ended session is frozen"


async def test_not_ready_asked_for_during_a_call_applies_after_it(desk: Desk) -> None:
    alice = await desk.log_on(1001, "support")
    caller = await desk.call("605", stay=2)
    await alice.takes(caller)
    await alice.until_session("BUSY_ON_CALL")
    asked = await alice.set("NOT_READY", "lunch")
    assert (asked["state"], asked["next_state"]) == ("BUSY_ON_CALL", "NOT_READY")

    released = (await alice.until_released(caller)).ended or 0
    after = await alice.until_session("NOT_READY", 2)
    assert (after["reason"], after["next_state"], after["total_wrap_up_time_exact"]) == ("lunch", None, 0)
    assert moment(after["state_since"]) - released < 1
    assert "paused:lunch" in (await desk.members("support"))[0]
    await _holds_back(desk, alice)
    await desk.settle()
    await compare(desk)
