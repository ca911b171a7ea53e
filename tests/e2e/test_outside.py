"""Calls past the queues: the agent is busy all the same, and each connected call counts once."""

import asyncio

import pytest

from tests.e2e.compare import compare
from tests.e2e.desk import Desk, Json
from tests.helpers import until

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120, func_only=True)]


def counts(agent: Json) -> tuple[int, int, int]:
    return agent["number_of_acd_calls"], agent["number_of_incoming_calls"], agent["number_of_outgoing_calls"]


async def test_a_direct_call_in_is_busy_incoming_and_counts_once_and_keeps_queue_calls_away(desk: Desk) -> None:
    alice = await desk.log_on(1001, "support")
    direct = await desk.call("1001")
    await alice.takes(direct)
    await alice.until_agent("BUSY_INCOMING", 2)
    assert (await alice.session())["state"] == "READY"
    waiting = await desk.call("605", stay=1)
    await asyncio.sleep(2)
    assert not alice.heard_from(waiting)
    assert counts(await alice.agent()) == (0, 0, 0)

    await direct.hangup()
    heard = await alice.takes(waiting)
    assert heard.began - (alice.heard_from(direct)[0].ended or 0) < 2
    assert counts(await alice.agent()) == (0, 1, 0)
    await desk.settle()
    (row,) = await compare(desk)
    assert row["caller"] == waiting.result.caller
    assert counts(await alice.agent()) == (1, 1, 0)


async def test_a_call_out_is_busy_outgoing_and_counts_once_if_it_is_answered(desk: Desk) -> None:
    alice = await desk.log_on(1001, "support")
    await alice.phone.dial("95550103")  # answered after one second, ended by the far end three seconds later
    await alice.until_agent("BUSY_OUTGOING", 2)
    await until(lambda: alice.heard and alice.heard[-1].answered, 5, "the far end answers")
    await until(lambda: alice.heard[-1].ended, 6, "the far end hangs up")
    await alice.until_agent("READY", 2)
    assert counts(await alice.agent()) == (0, 0, 1)

    await alice.phone.dial("95550199")  # rings for ever
    await until(lambda: any(call.state == "ringing" for call in alice.phone.calls), 5, "the far end rings")
    await alice.phone.hangup()
    await alice.phone.wait_until_idle()
    await alice.phone.dial("95550198")  # busy
    await until(lambda: len(alice.heard) == 3 and alice.heard[-1].ended, 5, "the busy call is over")
    await alice.until_agent("READY", 2)
    assert [call.answered is not None for call in alice.heard] == [True, False, False]
    assert counts(await alice.agent()) == (0, 0, 1)
    assert (await alice.session())["number_of_calls"] == 0
    await desk.settle()
    assert await compare(desk) == []


async def test_a_call_between_two_agents_counts_at_both(desk: Desk) -> None:
    alice, bob = await desk.log_on(1001, "support"), await desk.log_on(1002, "support")
    await alice.phone.dial(bob.id)
    await until(lambda: any(call.state == "incoming" for call in bob.phone.calls), 5, "bob's phone rings")
    await bob.phone.answer()
    await alice.until_agent("BUSY_OUTGOING", 2)
    await bob.until_agent("BUSY_INCOMING", 2)
    await asyncio.sleep(1)
    await bob.phone.hangup()
    await alice.until_agent("READY", 3)
    await bob.until_agent("READY", 3)
    assert counts(await alice.agent()) == (0, 0, 1)
    assert counts(await bob.agent()) == (0, 1, 0)
    await desk.settle()
    await compare(desk)
