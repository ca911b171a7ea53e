"""A busy spell: whatever happens, the sums come out."""

import asyncio
import contextlib
import random

import pytest

from tests.e2e.compare import compare
from tests.e2e.desk import Desk, Json

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120, func_only=True)]

CALLERS = 12
SPELL = 20.0  # seconds within which they call
NUMBERS = ("600", "601", "601", "603", "604", "605", "605")


async def test_after_a_busy_spell_all_accounts_agree(desk: Desk) -> None:
    dice = random.Random(seed := random.randrange(10_000))
    print("seed", seed)
    plans = [(dice.uniform(0, SPELL), dice.choice(NUMBERS), dice.uniform(1.5, 14)) for _ in range(CALLERS)]
    agents = [
        await desk.log_on(1001, "support"),
        await desk.log_on(1002, "support", "sales"),
        await desk.log_on(1003, "sales"),
    ]
    async with contextlib.AsyncExitStack() as answering:
        for agent in agents:
            await answering.enter_async_context(agent.phone.auto_answer(lambda: dice.uniform(0.2, 1.5)))
        await asyncio.gather(*(_caller(desk, *plan) for plan in plans))
    await desk.settle()

    rows = await compare(desk)
    assert len(rows) >= CALLERS
    for agent in agents:
        sessions = [await agent.session(group) for group in agent.sessions]
        _adds_up(await agent.agent(), sessions)
    for name in ("support", "sales"):
        _all_accounted_for(await desk.queue(name))


async def _caller(desk: Desk, after: float, number: str, stays: float) -> None:
    """Calls some time within the spell, and leaves when he has waited or talked enough."""
    await asyncio.sleep(after)
    caller = await desk.call(number)
    await asyncio.sleep(stays)
    await caller.hangup()


def _adds_up(agent: Json, sessions: list[Json]) -> None:
    assert agent["total_acd_call_time"] == agent["total_acd_talk_time"] + agent["total_wrap_up_time"]
    for ours, theirs in (
        ("number_of_acd_calls", "number_of_calls"),
        ("total_acd_talk_time_exact", "total_talk_time_exact"),
        ("total_wrap_up_time_exact", "total_wrap_up_time_exact"),
        ("total_acd_call_time_exact", "total_call_time_exact"),
    ):
        assert agent[ours] == pytest.approx(sum(session[theirs] for session in sessions), abs=0.001)


def _all_accounted_for(queue: Json) -> None:
    parts = ("answered", "abandoned", "flowed_out")
    left = sum(queue[f"total_calls_{part}"] for part in parts) + queue["final_disposition"]
    assert queue["total_calls_queued"] == left + queue["current_calls_queued"]
