"""After-call work holds the next caller back, exactly as long as it lasts."""

import asyncio

import pytest

from tests.e2e.compare import compare, near
from tests.e2e.desk import WRAP_UP, Agent, Desk, eventually, moment

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120, func_only=True)]

POLL = 1.5  # a waiting caller tries for an agent once a second


async def test_wrap_up_holds_the_next_caller_back_until_it_is_over(desk: Desk) -> None:
    alice = await desk.log_on(1001, "support")
    first = await desk.call("605", stay=2)
    await alice.takes(first)
    second = await desk.call("605", stay=2)
    released = (await alice.until_released(first)).ended or 0
    wrapping = await alice.until_session("BUSY_WRAPUP")
    assert moment(wrapping["state_since"]) == near(released)
    assert moment(wrapping["wrap_up_until"]) == near(released + WRAP_UP["support"])

    heard = await alice.takes(second, seconds=8)
    assert WRAP_UP["support"] - 0.1 <= heard.began - released <= WRAP_UP["support"] + POLL
    session = await alice.session()
    assert session["total_wrap_up_time_exact"] == near(WRAP_UP["support"], 0.2)
    await desk.settle()
    assert len(await compare(desk)) == 2


async def test_wrap_up_ended_early_lets_the_next_caller_through(desk: Desk) -> None:
    alice = await desk.log_on(1001, "support")
    await desk.api.put("/agents/1001/wrap-up-time", {"seconds": 30})
    first = await desk.call("605", stay=1)
    await alice.takes(first)
    second = await desk.call("605", stay=1)
    released = (await alice.until_released(first)).ended or 0
    await alice.until_session("BUSY_WRAPUP")
    await asyncio.sleep(2.5)  # longer than Asterisk's own floor under it
    assert not alice.heard_from(second)
    session = await alice.wrap_up(end=True)
    assert session["state"] == "READY" and (await alice.agent())["state"] == "READY"
    assert session["total_wrap_up_time_exact"] == near(2.5)

    heard = await alice.takes(second)
    assert heard.began - released < 2.5 + POLL
    await desk.settle()
    first_row, _ = await compare(desk)
    assert first_row["wrap_up_time_exact"] == near(2.5)


async def test_wrap_up_extended_holds_the_next_caller_back_longer(desk: Desk) -> None:
    alice = await desk.log_on(1001, "support")
    first = await desk.call("605", stay=1)
    await alice.takes(first)
    second = await desk.call("605", stay=1)
    released = (await alice.until_released(first)).ended or 0
    await alice.until_session("BUSY_WRAPUP")
    extended = await alice.wrap_up(extend_seconds=2)
    due = WRAP_UP["support"] + 2
    assert moment(extended["wrap_up_until"]) == near(released + due)

    heard = await alice.takes(second, seconds=10)
    assert due - 0.1 <= heard.began - released <= due + POLL
    await desk.settle()
    first_row, _ = await compare(desk)
    assert first_row["wrap_up_time_exact"] == near(due, 0.2)


async def test_an_unpause_at_asterisks_console_does_not_end_wrap_up(desk: Desk) -> None:
    alice = await desk.log_on(1001, "support")
    first = await desk.call("605", stay=1)
    await alice.takes(first)
    second = await desk.call("605", stay=1)
    released = (await alice.until_released(first)).ended or 0
    await alice.until_session("BUSY_WRAPUP")
    await desk.containers.cli("queue unpause member PJSIP/1001")
    await eventually(lambda: _is_paused(desk), 2, "the pause is back")
    assert (await alice.session())["state"] == "BUSY_WRAPUP"
    heard = await alice.takes(second, seconds=8)
    assert WRAP_UP["support"] - 0.1 <= heard.began - released <= WRAP_UP["support"] + POLL


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
    heard = await alice.takes(from_support, seconds=8)
    assert WRAP_UP["sales"] - 0.1 <= heard.began - released <= WRAP_UP["sales"] + POLL
    assert (await alice.session("sales"))["state"] == "READY"
    await _ends_in_wrap_up_of(alice, "support")
    await desk.settle()
    rows = await compare(desk)
    assert {row["session"] for row in rows} == set(alice.sessions.values())


async def _ends_in_wrap_up_of(agent: Agent, group: str) -> None:
    await agent.until_session("BUSY_WRAPUP", group=group)
    assert (await agent.agent())["state"] == "BUSY_ACD"
