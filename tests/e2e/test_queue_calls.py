"""A call through a queue, from the one who calls to the one who takes it."""

import asyncio

import pytest

from tests.e2e.compare import compare, near
from tests.e2e.desk import WRAP_UP, Desk

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120, func_only=True)]


async def test_a_caller_hangs_up_and_every_figure_is_what_the_phones_saw(desk: Desk) -> None:
    alice = await desk.log_on(1001, "support")
    caller = await desk.call("605", stay=3)
    await alice.takes(caller, after=1)
    talking = await alice.until_session("BUSY_ON_CALL")
    assert (await alice.agent())["state"] == "BUSY_ACD"
    assert (talking["number_of_calls"], talking["total_talk_time"]) == (0, 0)

    result = await caller.ended(10)
    await alice.until_session("BUSY_WRAPUP")
    assert (await alice.agent())["state"] == "BUSY_ACD"
    row = await desk.row_of(caller)
    assert row["talk_time_exact"] == near(result.seconds or 0) and row["wrap_up_time"] is None
    session = await alice.until_session("READY", 6)
    assert (await alice.agent())["state"] == "READY"

    assert result.ended_by == "caller"
    assert session["total_talk_time_exact"] == near(result.seconds or 0)
    assert session["total_wrap_up_time_exact"] == near(WRAP_UP["support"])
    assert (await desk.until_logged("COMPLETECALLER")).agent == alice.user
    await desk.settle()
    assert len(await compare(desk)) == 1


async def test_an_agent_hangs_up_and_every_figure_is_what_the_phones_saw(desk: Desk) -> None:
    alice = await desk.log_on(1001, "support")
    caller = await desk.call("600")
    await alice.takes(caller)
    await asyncio.sleep(2)
    await alice.phone.hangup()
    assert (await caller.ended(5)).ended_by == "far end"
    await alice.until_session("BUSY_WRAPUP")
    assert (await desk.until_logged("COMPLETEAGENT")).agent == alice.user
    await desk.settle()
    assert len(await compare(desk)) == 1


async def test_time_on_hold_is_part_of_talk_and_shown_beside_it(desk: Desk) -> None:
    alice = await desk.log_on(1001, "support")
    caller = await desk.call("605")
    await alice.takes(caller)
    await alice.phone.hold()
    await asyncio.sleep(2)
    await alice.phone.resume()
    await asyncio.sleep(1)
    await caller.hangup()
    heard = await alice.until_released(caller)
    await desk.settle()
    (row,) = await compare(desk)
    assert row["hold_time_exact"] == near(2)
    assert row["talk_time_exact"] == near(heard.seconds) and heard.seconds > 3


async def test_a_call_that_nobody_answers_goes_to_the_second_agent(desk: Desk) -> None:
    alice, bob = await desk.log_on(1001, "support"), await desk.log_on(1002, "support")
    caller = await desk.call("605", stay=2)
    first = await desk.whose_phone_rings(caller, alice, bob)
    second = bob if first is alice else alice
    await second.takes(caller, seconds=20)

    assert (await first.session())["state"] == "READY"
    assert (await second.session())["state"] == "BUSY_ON_CALL"
    assert (await desk.until_logged("RINGNOANSWER")).agent == first.user
    await desk.settle()
    (row,) = await compare(desk)
    assert row["agent"] == second.id and row["wait_time"] >= 12
    assert (await first.session())["number_of_calls"] == 0
    assert (await first.agent())["number_of_incoming_calls"] == 0
    assert (await second.session())["longest_time_to_answer_exact"] < 2


async def test_a_call_that_is_rejected_goes_to_the_second_agent(desk: Desk) -> None:
    alice, bob = await desk.log_on(1001, "support"), await desk.log_on(1002, "support")
    caller = await desk.call("605", stay=2)
    first = await desk.whose_phone_rings(caller, alice, bob)
    second = bob if first is alice else alice
    await first.phone.reject()
    await second.takes(caller)

    assert (await first.session())["state"] == "READY"
    assert (await desk.until_logged("RINGNOANSWER")).agent == first.user
    await desk.settle()
    (row,) = await compare(desk)
    assert row["agent"] == second.id
    assert (await first.session())["number_of_calls"] == 0
    assert (await first.agent())["number_of_acd_calls"] == 0


async def test_a_caller_who_gives_up_while_waiting_has_abandoned(desk: Desk) -> None:
    alice = await desk.log_on(1001, "support", ready=False)
    waiting = await desk.call("600", stay=3)
    await desk.until_waiting("support", 1)
    (shown,) = (await desk.api.get("/queues/support/calls"))["items"]
    assert (shown["caller"], shown["position"]) == (waiting.result.caller, 1)
    unanswered = await desk.call("605", patience=1)
    seen = await desk.until_waiting("support", 2)
    assert seen["current_longest_wait_time_exact"] < 3
    await waiting.ended(10)
    await unanswered.ended(10)
    await desk.until_waiting("support", 0)

    rows = await compare(desk)
    assert [row["outcome"] for row in rows] == ["abandoned", "abandoned"]
    assert not alice.rang()
    queue = await desk.queue("support")
    assert (queue["total_calls_queued"], queue["total_calls_abandoned"], queue["final_disposition"]) == (2, 2, 0)


async def test_a_caller_who_gives_up_while_a_phone_rings_has_abandoned(desk: Desk) -> None:
    alice = await desk.log_on(1001, "support")
    caller = await desk.call("605", patience=3)
    await alice.rings(caller)
    await caller.ended(10)
    await alice.until_released(caller)
    assert (await desk.until_logged("RINGCANCELED")).agent == alice.user
    await desk.settle()
    (row,) = await compare(desk)
    assert row["outcome"] == "abandoned"
    session = await alice.session()
    assert (session["state"], session["number_of_calls"]) == ("READY", 0)


async def test_a_call_transferred_to_another_queue_is_a_call_of_each_agent(desk: Desk) -> None:
    alice, bob = await desk.log_on(1001, "support"), await desk.log_on(1002, "sales")
    caller = await desk.call("605")
    await alice.takes(caller)
    await asyncio.sleep(1)
    await alice.phone.transfer("601")
    await bob.takes(caller)
    await alice.until_session("BUSY_WRAPUP")
    assert (await bob.agent())["state"] == "BUSY_ACD"
    await asyncio.sleep(1)
    await caller.hangup()

    assert (await desk.until_logged("BLINDTRANSFER")).agent == alice.user
    await desk.settle()
    first, second = await compare(desk)
    assert (first["queue"], first["agent"], first["outcome"]) == ("support", alice.id, "answered")
    assert (second["queue"], second["agent"], second["outcome"]) == ("sales", bob.id, "answered")
    assert first["call"] == second["call"]
