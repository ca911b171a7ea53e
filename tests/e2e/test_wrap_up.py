"""After-call work holds the next caller back, exactly as long as it lasts."""

import asyncio

import pytest

from tests.e2e.compare import compare, near
from tests.e2e.desk import WRAP_UP, Agent, Desk, eventually, held_back, moment

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120, func_only=True)]


async def test_wrap_up_holds_the_next_caller_back_until_it_is_over(desk: Desk) -> None:
    alice = await desk.log_on(1001, "support")
    second, released = await desk.wraps_up(alice, talk=2)
    wrapping = await alice.session()
    assert moment(wrapping["state_since"]) == near(released)
    assert moment(wrapping["wrap_up_until"]) == near(released + WRAP_UP["support"])

    held_back(await alice.takes(second, seconds=8), released, WRAP_UP["support"])
    session = await alice.session()
    assert session["total_wrap_up_time_exact"] == near(WRAP_UP["support"], 0.2)
    await desk.settle()
    assert len(await compare(desk)) == 2


async def test_wrap_up_ended_early_lets_the_next_caller_through(desk: Desk) -> None:
    alice = await desk.log_on(1001, "support")
    await desk.api.put("/agents/1001/wrap-up-time", {"seconds": 30})
    second, released = await desk.wraps_up(alice)
    await asyncio.sleep(2.5)  # longer than Asterisk's own floor under it
    assert not alice.heard_from(second)
    session = await alice.wrap_up(end=True)
    assert session["state"] == "READY" and (await alice.agent())["state"] == "READY"
    assert session["total_wrap_up_time_exact"] == near(2.5)

    held_back(await alice.takes(second), released, 2.5)
    await desk.settle()
    first_row, _ = await compare(desk)
    assert first_row["wrap_up_time_exact"] == near(2.5)


async def test_wrap_up_extended_holds_the_next_caller_back_longer(desk: Desk) -> None:
    alice = await desk.log_on(1001, "support")
    second, released = await desk.wraps_up(alice)
    extended = await alice.wrap_up(extend_seconds=2)
    due = WRAP_UP["support"] + 2
    assert moment(extended["wrap_up_until"]) == near(released + due)

    held_back(await alice.takes(second, seconds=10), released, due)
    await desk.settle()
    first_row, _ = await compare(desk)
    assert first_row["wrap_up_time_exact"] == near(due, 0.2)


async def test_an_unpause_at_asterisks_console_does_not_end_wrap_up(desk: Desk) -> None:
    alice = await desk.log_on(1001, "support")
    second, released = await desk.wraps_up(alice)
    await desk.containers.cli("queue unpause member PJSIP/1001")
    await eventually(lambda: _is_paused(desk), 2, "the pause is back")
    assert (await alice.session())["state"] == "BUSY_WRAPUP"
    held_back(await alice.takes(second, seconds=8), released, WRAP_UP["support"])


async def _is_paused(desk: Desk) -> bool:
    return "paused:wrapup" in (await desk.members("support"))[0]


async def test_an_agent_of_two_queues_has_one_call_at_a_time_and_wrap_up_holds_both_queues_back(desk: Desk) -> None:
    alice = await desk.log_on(1001, "support", "sales")
    from_sales = await desk.call("601", stay=2)
    await alice.takes(from_sales)
    from_support = await desk.call("605", stay=1)
    assert (await alice.session("sales"))["state"] == "BUSY_ON_CALL"
    assert (await alice.session("support"))["state"] == "READY"
    assert (await alice.agent())["state"] == "BUSY_ACD"

    released = (await alice.until_released(from_sales)).ended or 0
    await alice.until_session("BUSY_WRAPUP", group="sales")
    held_back(await alice.takes(from_support, seconds=8), released, WRAP_UP["sales"])
    assert (await alice.session("sales"))["state"] == "READY"
    await _ends_in_wrap_up_of(alice, "support")
    await desk.settle()
    rows = await compare(desk)
    assert {row["session"] for row in rows} == set(alice.sessions.values())


async def _ends_in_wrap_up_of(agent: Agent, group: str) -> None:
    await agent.until_session("BUSY_WRAPUP", group=group)
    assert (await agent.agent())["state"] == "BUSY_ACD"
