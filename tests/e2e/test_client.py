"""Another program as an agent: the example of docs/client.md on a real Asterisk, at a phone that answers by itself."""

import asyncio

import pytest

from acd.client import AgentSessionEvent, Event, EventStream, Reset, connect
from acd.client.events import Told
from phones.callers import Caller
from tests.client.robot import running_bot
from tests.e2e.compare import near
from tests.e2e.desk import PIN, TOKEN, Desk
from tests.helpers import until

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120, func_only=True)]

FIGURES = r"{} calls, (\d+) s of talk, (\d+) s of wrap-up, (\d+\.\d{{4}}) calls an hour"


async def test_a_program_takes_calls_and_tells_the_figures_that_the_ledger_tells(desk: Desk) -> None:
    robot = await desk.agent(1001, "robot")
    made = await desk.api.post("//api/v1/tokens", {"name": "robot", "role": "agent", "agent": robot.id})
    await desk.api.put(f"/agents/{robot.id}/wrap-up-time", {"seconds": 2.2})
    bot_of_robot = running_bot(desk.acd.url, made["token"], PIN, robot.id, "support", robot.address)
    async with robot.phone.auto_answer(), bot_of_robot as bot:
        await bot.says(f"robot takes calls for support at {robot.address}")
        for number, stay in ((1, 1.4), (2, 2.7)):
            caller = await desk.call("605", stay=stay)
            told = await bot.says(FIGURES.format(number), 20)
            rows = [row for row in await desk.rows() if row["agent"] == robot.id]
            assert len(rows) == number and rows[-1]["caller"] == caller.result.caller
            assert all(row["outcome"] == "answered" for row in rows)
            assert int(told[1]) == int(sum(row["talk_time_exact"] for row in rows))
            assert int(told[2]) == int(sum(row["wrap_up_time_exact"] for row in rows)) == int(2.2 * number)
            assert float(told[3]) > 0
        assert await bot.stop() == 0
    assert bot.lines[-1] == "logged off" and len(bot.lines) == 4
    (session,) = {row["session"] for row in rows}
    assert (await desk.api.get(f"/sessions/{session}"))["state"] == "SESSION_ENDED"
    assert await desk.members() == []


async def test_a_call_is_told_as_the_phone_lived_through_it_and_a_killed_acd_is_a_reset(desk: Desk) -> None:
    alice = await desk.log_on(1001, "support", user="alice")
    async with connect(desk.acd.url, token=TOKEN) as call_center, call_center.events() as events:
        told: list[Told] = []
        listening = asyncio.create_task(listen(events, told))
        first = await desk.call("605", stay=1.5)
        answered = (await alice.takes(first)).answered or 0
        released = (await alice.until_released(first)).ended or 0
        await until(lambda: "WRAPUP" in states_in(told), what="wrap-up is told")
        assert states_in(told) == ["BUSY", "WRAPUP"]
        talk = next(
            each.subject["talk_time_exact"] for each in told if isinstance(each, Event) and each.event == "RELEASED"
        )
        assert talk == near(released - answered)
        await desk.acd.kill()
        await desk.acd.start()
        await until(lambda: any(isinstance(each, Reset) for each in told), 20, "a reset")
        (place,) = (place for place, each in enumerate(told) if isinstance(each, Reset))
        reset = told[place]
        assert isinstance(reset, Reset)
        assert [agent.user for agent in reset.picture.handlers[0].agents] == ["alice"]
        await desk.settle()
        second = await desk.call("605", stay=1)
        await alice.takes(second)
        await until(lambda: stages_in(told, second)[-1:] == ["COMPLETED"], 20, "the second call is told to its end")
        assert stages_in(told, second) == ["QUEUED", "ANSWERED", "RELEASED", "COMPLETED"]
        for run in (told[:place], told[place:]):
            assert [each.seq for each in run] == list(range(run[0].seq, run[0].seq + len(run)))
        events.close()
        await listening


async def listen(events: EventStream, told: list[Told]) -> None:
    async for event in events:
        told.append(event)


def states_in(told: list[Told]) -> list[str]:
    """What sessions went through."""
    return [each.event.name for each in told if isinstance(each, AgentSessionEvent)]


def stages_in(told: list[Told], caller: Caller) -> list[str]:
    """How far this caller came."""
    calls = (each for each in told if isinstance(each, Event) and each.type == "call")
    return [each.event for each in calls if each.subject["caller"] == caller.result.caller]
