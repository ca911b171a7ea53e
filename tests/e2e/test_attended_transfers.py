"""Attended transfers: the agent asks somebody first, then leaves the caller with him."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple
from urllib.parse import quote

import pytest

from phones.callers import Caller
from tests.e2e.compare import compare
from tests.e2e.desk import Agent, Desk
from tests.e2e.operator import Operator
from tests.helpers import until

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120, func_only=True)]


class Way(NamedTuple):
    """How to call somebody in mid-call, and how to leave the two alone."""

    consult: Callable[[Operator, Agent, str], Awaitable[None]]
    complete: Callable[[Operator, Agent], Awaitable[None]]


async def _second_call(_: Operator, agent: Agent, number: str) -> None:
    await agent.phone.dial(number)


async def _refer_with_replaces(operator: Operator, agent: Agent) -> None:
    """What a phone's transfer key sends; baresip has none, so Asterisk is asked for the tags of the second call."""
    first, second = agent.phone.calls
    channel = (await operator.channels_of(agent.id))[-1]
    tags = [await operator.variable(channel, f"CHANNEL(pjsip,{end}_tag)") for end in ("local", "remote")]
    replaces = quote(f"{second.id};to-tag={tags[0]};from-tag={tags[1]}", safe="")
    await agent.phone.command("callfind", first.id)
    await agent.phone.command("transfer", f"<{second.peer}?Replaces={replaces}>")


async def _code(_: Operator, agent: Agent, number: str) -> None:
    await agent.phone.send_digits(f"*2{number}")


async def _atxfer(operator: Operator, agent: Agent, number: str) -> None:
    channel = await operator.channel_of(agent.id)
    await operator.send("Atxfer", Channel=channel, Exten=number, Context="from-phone")


async def _hang_up(_: Operator, agent: Agent) -> None:
    await agent.phone.hangup()


async def _consulting(desk: Desk, operator: Operator, way: Way, agent: Agent, number: str) -> Caller:
    """A caller whom the agent has taken, and who is on hold while the agent asks somebody else."""
    caller = await desk.call("642")
    await agent.takes(caller)
    await asyncio.sleep(0.5)
    await way.consult(operator, agent, number)
    return caller


async def _rings(agent: Agent) -> None:
    await until(lambda: any(call.state == "incoming" for call in agent.phone.calls), 5, f"{agent.user}'s phone rings")


BY_PHONE, BY_CODE, BY_OPERATOR = Way(_second_call, _refer_with_replaces), Way(_code, _hang_up), Way(_atxfer, _hang_up)


@pytest.mark.parametrize("way", [BY_PHONE, BY_CODE, BY_OPERATOR], ids=["by_phone", "by_code", "by_operator"])
async def test_an_agent_who_asks_a_colleague_and_leaves_him_the_caller_has_talked_until_then(
    desk: Desk, operator: Operator, way: Way
) -> None:
    alice, bob = await desk.log_on(1001, "hall"), await desk.log_on(1002, "annex")
    caller = await _consulting(desk, operator, way, alice, bob.id)
    await _rings(bob)
    await bob.phone.answer()
    await bob.until_agent("BUSY_INCOMING")
    await asyncio.sleep(0.5)
    assert (await alice.session())["state"] == "BUSY_ON_CALL"
    await way.complete(operator, alice)
    await alice.phone.wait_until_idle()
    await alice.until_session("BUSY_WRAPUP")
    await asyncio.sleep(1)
    assert (await bob.agent())["state"] == "BUSY_INCOMING"
    await caller.hangup()
    await bob.phone.wait_until_idle()
    await bob.until_agent("READY")

    await desk.reaches(alice, "642")
    await desk.reaches(bob, "643")
    rows = await compare(desk)
    assert [(row["queue"], row["agent"], row["outcome"]) for row in rows] == [
        ("hall", alice.id, "answered"),
        ("hall", alice.id, "answered"),
        ("annex", bob.id, "answered"),
    ]


@pytest.mark.parametrize("way", [BY_PHONE, BY_CODE], ids=["by_phone", "by_code"])
async def test_a_caller_left_in_another_queue_waits_there_in_the_agents_place(
    desk: Desk, operator: Operator, way: Way
) -> None:
    alice, bob = await desk.log_on(1001, "hall"), await desk.log_on(1002, "annex", ready=False)
    caller = await _consulting(desk, operator, way, alice, "643")
    await desk.until_waiting("annex", 1)
    await asyncio.sleep(0.5)
    await way.complete(operator, alice)
    await alice.phone.wait_until_idle()
    await alice.until_session("BUSY_WRAPUP")
    assert (await desk.queue("annex"))["current_calls_queued"] == 1
    await bob.set_agent("READY")
    await bob.set("READY")
    await _rings(bob)
    await bob.phone.answer()
    await bob.until_session("BUSY_ON_CALL")
    await asyncio.sleep(0.5)
    await caller.hangup()
    await bob.until_session("BUSY_WRAPUP")

    await desk.reaches(alice, "642")
    await desk.reaches(bob, "643")
    first, second = (await desk.rows())[:2]
    entered = next(line.call for line in await desk.queue_log("ENTERQUEUE") if line.queue == "annex")
    rows = await compare(desk, renamed={entered: second["call"]})
    assert [(row["queue"], row["agent"], row["outcome"]) for row in rows] == [
        ("hall", alice.id, "answered"),
        ("annex", bob.id, "answered"),
        ("hall", alice.id, "answered"),
        ("annex", bob.id, "answered"),
    ]
    assert (second["call"] == first["call"]) is (way is BY_PHONE), "his own channel waits, or a Local one behind it"


@pytest.mark.parametrize("way", [BY_PHONE, BY_CODE], ids=["by_phone", "by_code"])
async def test_a_caller_left_with_the_agent_of_another_queue_is_a_call_of_each(
    desk: Desk, operator: Operator, way: Way
) -> None:
    alice, bob = await desk.log_on(1001, "hall"), await desk.log_on(1002, "annex")
    caller = await _consulting(desk, operator, way, alice, "643")
    await _rings(bob)
    await bob.phone.answer()
    await bob.until_session("BUSY_ON_CALL")
    await asyncio.sleep(1)
    await way.complete(operator, alice)
    await alice.phone.wait_until_idle()
    await alice.until_session("BUSY_WRAPUP")
    await asyncio.sleep(1)
    assert (await bob.session())["state"] == "BUSY_ON_CALL"
    await caller.hangup()
    await bob.until_session("BUSY_WRAPUP")

    await desk.reaches(alice, "642")
    await desk.reaches(bob, "643")
    second = (await desk.rows())[1]
    # Asterisk takes the transfer for the end of the second call as well.
    rows = await compare(desk, misjudged=[second["call"]] if way is BY_PHONE else [])
    assert [(row["queue"], row["agent"], row["outcome"]) for row in rows] == [
        ("hall", alice.id, "answered"),
        ("annex", bob.id, "answered"),
        ("hall", alice.id, "answered"),
        ("annex", bob.id, "answered"),
    ]


async def test_a_caller_left_in_another_queue_who_gives_up_there_has_abandoned_it(
    desk: Desk, operator: Operator
) -> None:
    alice = await desk.log_on(1001, "hall")
    await desk.log_on(1002, "annex", ready=False)
    caller = await _consulting(desk, operator, BY_PHONE, alice, "643")
    await desk.until_waiting("annex", 1)
    await asyncio.sleep(0.5)
    await BY_PHONE.complete(operator, alice)
    await alice.until_session("BUSY_WRAPUP")
    await caller.hangup()
    await desk.until_waiting("annex", 0)

    await desk.reaches(alice, "642")
    second = (await desk.rows())[1]
    entered = next(line.call for line in await desk.queue_log("ENTERQUEUE") if line.queue == "annex")
    rows = await compare(desk, renamed={entered: second["call"]})
    assert [row["outcome"] for row in rows] == ["answered", "abandoned", "answered"]


@pytest.mark.parametrize("way", [BY_PHONE, BY_CODE], ids=["by_phone", "by_code"])
async def test_an_agent_whose_colleague_does_not_answer_goes_on_with_the_caller(
    desk: Desk, operator: Operator, way: Way
) -> None:
    alice, bob = await desk.log_on(1001, "hall"), await desk.log_on(1002, "annex")
    caller = await _consulting(desk, operator, way, alice, bob.id)
    await _rings(bob)
    await bob.phone.reject()
    await bob.phone.wait_until_idle()
    await bob.until_agent("READY")
    if way is BY_PHONE:
        await until(lambda: len(alice.phone.calls) == 1, 3, "the second call is over")
        await alice.phone.resume()
    await asyncio.sleep(1)
    assert (await alice.session())["state"] == "BUSY_ON_CALL"
    await caller.hangup()
    await alice.until_session("BUSY_WRAPUP")

    await desk.reaches(alice, "642")
    first, _ = await compare(desk)
    assert first["agent"] == alice.id and first["hold_time_exact"] > 0
    assert (await bob.agent())["number_of_incoming_calls"] == 0
    assert (await alice.agent())["number_of_outgoing_calls"] == 0
