"""The example of an agent that is a program, as a process on the real API."""

import asyncio
import os
import re
import sys
from pathlib import Path

from acd.access.principals import Role
from tests.client.office import address_of, token_of
from tests.helpers import until
from tests.web.house import PHONE, PIN, House
from tests.web.switch import Call

BOT = Path(__file__).parents[2] / "examples" / "bot.py"


class Bot:
    """The process, and the lines that it has printed."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.lines.append(line.decode().rstrip())

    async def says(self, pattern: str, seconds: float = 10) -> re.Match[str]:
        """The first line that fits."""

        def found() -> re.Match[str] | None:
            return next((fit for line in self.lines if (fit := re.fullmatch(pattern, line))), None)

        await until(found, seconds, f"{pattern!r} in {self.lines}")
        fit = found()
        assert fit is not None
        return fit

    async def stop(self) -> int:
        """SIGTERM; the exit status."""
        self.process.terminate()
        async with asyncio.timeout(10):
            await self._reading
            return await self.process.wait()


async def start_bot(url: str, token: str, id: str, group: str, address: str) -> Bot:
    environment = os.environ | {
        "ACD_URL": url,
        "ACD_API_TOKEN": token,
        "ACD_PIN": PIN,
        "PYTHONPATH": str(BOT.parents[1]),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(BOT),
        *(id, group, address),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    return Bot(process)


def test_it_is_about_thirty_lines():
    code = BOT.read_text().split('"""', 2)[2]
    assert len([line for line in code.splitlines() if line.strip()]) <= 32


async def test_it_takes_calls_prints_its_figures_after_each_and_logs_off_at_the_end(house: House):
    await house.agent("1001", "robot")
    await house.call("PUT", "queues/support/wrap-up-time", {"seconds": 0.3})
    bot = await start_bot(
        address_of(house), token_of(house, Role.AGENT, handler="main", agent="1001"), "1001", "support", PHONE
    )
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
    bot = await start_bot(address_of(house), "a token for tests", "1001", "support", PHONE)
    await bot.says("robot takes calls.*")
    (key,) = (await house.get("agents/1001"))["sessions"]
    call = Call("1.1", "support")
    house.switch.take(call)
    await house.in_state(key, "BUSY_ON_CALL")
    assert await bot.stop() == 0
    assert (await house.get(f"sessions/{key}"))["next_state"] == "SESSION_ENDED"
    house.switch.hang_up(call)
    await house.in_state(key, "SESSION_ENDED")
