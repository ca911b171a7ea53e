"""Blind transfers: the call of the one who transfers is over, whatever becomes of the caller."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from phones.callers import Caller
from tests.e2e.compare import compare
from tests.e2e.desk import Agent, Desk, eventually
from tests.e2e.operator import Operator
from tests.helpers import until

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120, func_only=True)]

Transfer = Callable[[Operator, Agent, str], Awaitable[None]]


async def by_phone(_: Operator, agent: Agent, number: str) -> None:
    """SIP REFER."""
    await agent.phone.transfer(number)


async def by_code(_: Operator, agent: Agent, number: str) -> None:
    end = "#" if number.startswith("9") else ""  # a number outside might go on
    await agent.phone.send_digits(f"##{number}{end}")


async def by_operator(operator: Operator, agent: Agent, number: str) -> None:
    """AMI."""
    channel = await operator.channel_of(agent.id)
    await operator.send("BlindTransfer", Channel=channel, Exten=number, Context="from-phone")


WAYS = pytest.mark.parametrize("transfer", [by_phone, by_code, by_operator])


async def _talks(desk: Desk, agent: Agent, number: str = "642") -> Caller:
    """A new caller, who has talked to this agent for a moment."""
    caller = await desk.call(number)
    await agent.takes(caller, seconds=6)
    await asyncio.sleep(0.5)
    return caller


async def _two_talk(operator: Operator) -> bool:
    """The caller and the one outside; nobody else is on the phone."""
    channels = await operator.channels()
    return [channel.get("ChannelStateDesc") for channel in channels] == ["Up", "Up"]


@WAYS
async def test_a_blind_transfer_is_the_end_of_the_call_for_the_one_who_makes_it(
    desk: Desk, operator: Operator, transfer: Transfer
) -> None:
    alice, bob = await desk.log_on(1001, "hall"), await desk.log_on(1002, "annex")

    to_queue = await _talks(desk, alice)
    await transfer(operator, alice, "643")
    await bob.takes(to_queue)
    await alice.until_session("BUSY_WRAPUP")
    await bob.until_session("BUSY_ON_CALL")
    await to_queue.hangup()
    await desk.settle()

    to_phone = await _talks(desk, alice)
    await transfer(operator, alice, bob.id)
    await bob.takes(to_phone)
    await alice.until_session("BUSY_WRAPUP")
    await bob.until_agent("BUSY_INCOMING")
    await to_phone.hangup()
    await desk.settle()

    to_outside = await _talks(desk, alice)
    await transfer(operator, alice, "95550100")
    await alice.until_session("BUSY_WRAPUP")
    await eventually(lambda: _two_talk(operator), 5, "the one outside has answered")
    await to_outside.hangup()

    await desk.reaches(alice, "642")
    rows = await compare(desk)
    assert [(row["queue"], row["agent"], row["outcome"]) for row in rows] == [
        ("hall", alice.id, "answered"),
        ("annex", bob.id, "answered"),
        *[("hall", alice.id, "answered")] * 3,
    ]
    assert rows[0]["call"] == rows[1]["call"]
    assert (await desk.queue("annex"))["total_calls_flowed_in"] == 1
    assert (await bob.agent())["number_of_incoming_calls"] == 1


async def test_a_transfer_to_a_number_that_does_not_exist_never_leaves_the_agent_busy(
    desk: Desk, operator: Operator
) -> None:
    alice = await desk.log_on(1001, "hall")
    kept = await _talks(desk, alice)
    await by_code(operator, alice, "777")
    await asyncio.sleep(1)  # Asterisk asks for another number
    assert (await alice.session())["state"] == "BUSY_ON_CALL"
    await alice.phone.hangup()
    assert (await kept.ended(5)).ended_by == "far end"
    await alice.until_session("BUSY_WRAPUP")
    await desk.settle()

    dropped = await _talks(desk, alice)
    await by_operator(operator, alice, "777")
    await alice.until_session("BUSY_WRAPUP")
    assert (await dropped.ended(5)).ended_by == "far end"
    await desk.reaches(alice, "642")
    assert len(await compare(desk)) == 3


@pytest.mark.parametrize("transfer", [by_phone, by_code])
async def test_an_agent_whom_the_caller_transfers_is_in_his_call_until_he_hangs_up(
    desk: Desk, operator: Operator, transfer: Transfer
) -> None:
    alice, caller, other = await desk.log_on(1001, "hall"), desk.phones[1006], desk.phones[1005]
    await caller.dial("630")
    await alice.takes("1006")
    await asyncio.sleep(0.5)
    if transfer is by_phone:
        await caller.transfer("1005")
    else:
        await caller.send_digits("##1005")
    await until(lambda: any(call.state == "incoming" for call in other.calls), 5, "the third phone rings")
    await other.answer()
    await caller.wait_until_idle()
    await asyncio.sleep(1.5)
    assert (await alice.session())["state"] == "BUSY_ON_CALL"
    assert (await alice.agent())["state"] == "BUSY_ACD"
    await alice.phone.hangup()
    await alice.until_session("BUSY_WRAPUP")

    await desk.reaches(alice, "642")
    # Asterisk takes the transfer for the end of the call.
    await compare(desk, misjudged=[(await desk.rows())[0]["call"]])


async def test_an_agent_whom_the_caller_puts_into_another_queue_is_free_after_his_call(desk: Desk) -> None:
    alice, bob, caller = await desk.log_on(1001, "hall"), await desk.log_on(1002, "annex"), desk.phones[1006]
    await caller.dial("644")
    await alice.takes("1006")
    await asyncio.sleep(0.5)
    await caller.transfer("643")
    await until(lambda: any(call.state == "incoming" for call in bob.phone.calls), 5, "bob's phone rings")
    await bob.phone.answer()
    await bob.until_session("BUSY_ON_CALL")
    await asyncio.sleep(1)
    assert (await alice.session())["state"] == "BUSY_ON_CALL"
    await bob.phone.hangup()
    await alice.until_session("BUSY_WRAPUP")
    await bob.until_session("BUSY_WRAPUP")

    await desk.reaches(alice, "642")
    await desk.reaches(bob, "643")
    rows = await compare(desk, misjudged=[(await desk.rows())[0]["call"]])
    assert [(row["queue"], row["agent"], row["outcome"]) for row in rows][:2] == [
        ("hall", alice.id, "answered"),
        ("annex", bob.id, "answered"),
    ]
