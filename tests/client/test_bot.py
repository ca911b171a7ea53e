"""The example of an agent that is a program, as a process on the real API."""

from acd.access.principals import Role
from tests.client.office import address_of, token_of
from tests.client.robot import BOT, running_bot
from tests.helpers import until
from tests.web.house import PHONE, PIN, TOKEN, House
from tests.web.switch import Call


def test_it_is_about_thirty_lines():
    code = BOT.read_text().split('"""', 2)[2]
    assert len([line for line in code.splitlines() if line.strip()]) <= 32


async def test_it_takes_calls_prints_its_figures_after_each_and_logs_off_at_the_end(house: House):
    await house.agent("1001", "robot")
    await house.call("PUT", "queues/support/wrap-up-time", {"seconds": 0.3})
    token = token_of(house, Role.AGENT, handler="main", agent="1001")
    async with running_bot(address_of(house), token, PIN, "1001", "support", PHONE) as bot:
        await bot.says(f"robot takes calls for support at {PHONE}")
        (key,) = (await house.get("agents/1001"))["sessions"]
        for number in (1, 2, 3):
            call = Call(f"1.{number}", "support")
            house.switch.take(call)
            await house.in_state(key, "BUSY_ON_CALL")
            await until(lambda: house.switch.queues["support"][PHONE].paused, what="paused during the call")
            house.switch.hang_up(call)
            await bot.says(rf"{number} calls, \d+ s of talk, \d+ s of wrap-up, \d+\.\d{{4}} calls an hour")
        assert await bot.stop() == 0
        assert (len(bot.lines), bot.lines[-1]) == (5, "logged off")
        assert house.session(key).state.name == "SESSION_ENDED"


async def test_it_is_told_to_stop_during_a_call_and_leaves_after_it(house: House):
    await house.agent("1001", "robot")
    async with running_bot(address_of(house), TOKEN, PIN, "1001", "support", PHONE) as bot:
        await bot.says("robot takes calls.*")
        (key,) = (await house.get("agents/1001"))["sessions"]
        call = Call("1.1", "support")
        house.switch.take(call)
        await house.in_state(key, "BUSY_ON_CALL")
        assert await bot.stop() == 0
        assert (await house.get(f"sessions/{key}"))["next_state"] == "SESSION_ENDED"
        house.switch.hang_up(call)
        await house.in_state(key, "SESSION_ENDED")
