"""Who is next: priorities, places in the queue, and a queue that is full."""

import pytest

from tests.e2e.local_calls import LocalCaller, LocalCalls

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120, func_only=True)]

TWELVE = [  # priority, place asked for -> place given; a place does not get one past a higher priority
    (0, "", 1),
    (0, "", 2),
    (5, "", 1),
    (5, "", 2),
    (0, 1, 3),
    (0, 4, 4),
    (10, "", 1),
    (5, 2, 2),
    (0, "", 9),
    (0, "", 10),
    (10, 1, None),  # full is full
    (0, "", None),
]


async def test_of_twelve_callers_ten_wait_in_order_of_priority_and_place_and_two_are_refused(local: LocalCalls) -> None:
    order: list[LocalCaller] = []
    for priority, place, given in TWELVE:
        caller = await local.call("short", QUEUE_PRIO=priority, PLACE=place)
        if given is None:
            await local.operator.hears("UserEvent", Uniqueid=caller.call, Status="FULL")
            continue
        join = await caller.reaches("QueueCallerJoin")
        assert join.get("Position") == str(given)
        order.insert(given - 1, caller)
    entries = [m for m in await local.operator.list_of("QueueStatus", Queue="short") if m.event == "QueueEntry"]
    assert [entry.get("Uniqueid") for entry in entries] == [caller.call for caller in order]
    queue = await local.desk.until_waiting("short", 10)
    assert (queue["total_calls_queued"], queue["total_calls_refused"]) == (10, 2)

    await local.wrap_up_time(0, "short")
    await local.log_on("1@answers", "short")
    for caller in order[:2]:
        await caller.reaches("AgentConnect")
        await caller.hangs_up()
    await local.until_over(order[1])
    waiting = (await local.desk.api.get("/queues/short/calls"))["items"]
    assert {one["call"] for one in waiting} == {caller.call for caller in order[2:]}
    for caller in order[2:]:
        await caller.hangs_up()
    await local.accounts_agree()
    queue = await local.desk.queue("short")
    assert (queue["total_calls_answered"], queue["total_calls_abandoned"]) == (2, 8)


async def test_those_who_wait_are_shown_in_the_order_in_which_they_are_served(local: LocalCalls) -> None:
    ordinary = await local.waits("one")
    urgent = await local.waits("one", QUEUE_PRIO=1)
    behind = await local.waits("one")
    waiting = (await local.desk.api.get("/queues/one/calls"))["items"]
    shown = [one["call"] for one in sorted(waiting, key=lambda one: one["position"])]
    assert shown == [urgent.call, ordinary.call, behind.call]
