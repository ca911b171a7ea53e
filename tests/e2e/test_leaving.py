"""Callers who leave a queue without an agent and without hanging up."""

import pytest

from tests.e2e.compare import compare, near
from tests.e2e.desk import Desk
from tests.helpers import until

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120, func_only=True)]


async def test_a_queue_timeout_is_a_final_disposition_and_an_overflow_flows_from_queue_to_queue(desk: Desk) -> None:
    await desk.log_on(1001, "support", ready=False)
    bob = await desk.log_on(1002, "sales")
    given_up = await desk.call("603")
    overflown = await desk.call("604", stay=None)
    await desk.until_waiting("support", 2)
    heard = await bob.takes(overflown, seconds=12)
    assert (await desk.queue("sales"))["total_calls_flowed_in"] == 1
    await overflown.hangup()
    assert (await given_up.ended(5)).ended_by == "far end"

    await desk.settle()
    rows = await compare(desk)
    (timed_out,) = await desk.rows_of(given_up)
    flowed_out, answered = await desk.rows_of(overflown)
    assert timed_out["outcome"] == "timed_out" and timed_out["wait_time_exact"] == near(8, 1)
    assert (flowed_out["queue"], flowed_out["outcome"]) == ("support", "flowed_out")
    assert (answered["queue"], answered["outcome"], answered["agent"]) == ("sales", "answered", bob.id)
    assert answered["wait_time_exact"] < 1.5 < (heard.answered or 0) - (overflown.result.answered or 0)
    assert flowed_out["call"] == answered["call"] and len(rows) == 3
    support, sales = await desk.queue("support"), await desk.queue("sales")
    assert (support["total_calls_flowed_out"], support["final_disposition"]) == (1, 1)
    assert (sales["total_calls_flowed_in"], sales["total_calls_flowed_out"], sales["final_disposition"]) == (1, 0, 0)


async def test_a_caller_who_leaves_by_key_is_a_final_disposition(desk: Desk) -> None:
    await desk.log_on(1001, "support", ready=False)
    caller = desk.phones[1006]
    place = len(caller.events)
    await caller.dial("600")
    await desk.until_waiting("support", 1)
    await caller.send_digits("0")
    await until(lambda: any(one.type == "CALL_CLOSED" for one in caller.events[place:]), 10, "the caller is let go")

    (row,) = await compare(desk)
    assert (row["caller"], row["outcome"]) == ("1006", "left_by_key")
    queue = await desk.queue("support")
    assert (queue["final_disposition"], queue["total_calls_abandoned"]) == (1, 0)
