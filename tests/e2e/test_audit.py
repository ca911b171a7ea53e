"""acd audit on calls of every kind: queue_log and acd tell the same, or it is known why they do not."""

import asyncio

import pytest

from tests.e2e.desk import Desk, Json
from tests.e2e.operator import Operator

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(180, func_only=True)]


def _told(said: Json) -> list[tuple[str, str | None]]:
    return [(each["figure"], each["explained"]) for each in said["differences"]]


async def test_calls_of_every_kind_are_equal_or_explained(desk: Desk, operator: Operator) -> None:
    alice, bob = await desk.log_on(1001, "hall"), await desk.log_on(1002, "annex")
    carol = await desk.log_on(1003, "support", ready=False)
    timed_out = await desk.call("603", stay=12)  # 8 s at most

    answered = await desk.call("642", stay=2)
    await alice.takes(answered)
    abandoned = await desk.call("642")
    await asyncio.sleep(1)
    await abandoned.hangup()
    await desk.settle()

    handed_on = await desk.call("642")
    await alice.takes(handed_on)
    await alice.phone.transfer("643")
    await bob.takes(handed_on)
    await handed_on.hangup()
    await desk.settle()

    hung_up = await desk.call("642")
    await alice.takes(hung_up)
    await operator.send("Hangup", Channel=await operator.channel_of(alice.id))
    await desk.settle()

    taken_away = await desk.call("642")
    await alice.takes(taken_away)
    await asyncio.sleep(0.5)
    await _redirect(operator, taken_away.result.caller)
    await alice.until_session("BUSY_WRAPUP", 2)
    await alice.set_agent("NOT_READY")
    redirected = await desk.call("642")
    await desk.until_waiting("hall", 1)
    await _redirect(operator, redirected.result.caller)
    await desk.until_waiting("hall", 0)
    await asyncio.sleep(1.5)
    for caller in (taken_away, redirected):
        await caller.hangup()
    await timed_out.ended(15)
    await desk.settle()

    status, said = await desk.audit("--api", desk.acd.url)
    assert status == 0, said
    assert said["calls"]["compared"] == 8 and not carol.rang()
    assert sorted(_told(said)) == [("ended", "own_leg"), ("outcome", "redirected")]
    assert said["queues"]["support"]["timed_out"] == {"acd": 1, "queue_log": 1, "difference": 0}
    assert {each["of"] for each in said["api"]["figures"]} >= {"queue hall", "queue annex", "agent Agent 1001"}


async def test_calls_while_acd_was_killed_are_equal_to_the_second(desk: Desk) -> None:
    alice = await desk.log_on(1001, "hall")
    heard = await desk.call("642")
    await alice.takes(heard)
    await desk.rows()  # what was heard so far is in the store
    await desk.acd.kill()
    await heard.hangup()
    await alice.until_released(heard)
    unheard = await desk.call("642")
    await asyncio.sleep(1)
    await unheard.hangup()
    await desk.acd.start()
    await desk.settle()
    later = await desk.call("642", stay=1)
    await alice.takes(later)
    await desk.settle()

    status, said = await desk.audit("--api", desk.acd.url)
    assert status == 0, said
    assert said["calls"]["compared"] == 3
    assert {kind for _, kind in _told(said)} <= {"away"}


async def _redirect(operator: Operator, caller: str) -> None:
    """To where no queue is."""
    channel = await operator.channel_of(caller)
    await operator.send("Redirect", Channel=channel, Context="from-phone", Exten="650", Priority="1")
