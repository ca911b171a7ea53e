"""The example of an agent that is a program, as a process."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.helpers import until

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


@asynccontextmanager
async def running_bot(url: str, token: str, pin: str, *arguments: str) -> AsyncIterator[Bot]:
    """`arguments`: id, group, address. It does not outlive the test."""
    environment = os.environ | {
        "ACD_URL": url,
        "ACD_API_TOKEN": token,
        "ACD_PIN": pin,
        "PYTHONPATH": str(BOT.parents[1]),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(BOT),
        *arguments,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield Bot(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
