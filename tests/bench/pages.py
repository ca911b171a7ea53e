"""The wallboard in Chromium, before 500 agents and 50 queues of the demo: what it costs on a screen all day."""

import asyncio
import re
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, Page, WebSocket, async_playwright

from tests.bench.measure import Report, summary
from tests.pages.conftest import CHROMIUM, SWITCHES

AGENTS, QUEUES = 500, 50
CALLS = 75  # a minute, which makes some 20 messages a second
SETTLES, SECONDS, ROUNDS = 5.0, 15.0, 5
VIEWS = {"wallboard": "/", "TV mode": "/?tv=1"}


@asynccontextmanager
async def demo() -> AsyncIterator[str]:
    """`acd demo` in a process of its own; gives the wallboard's address, which signs in."""
    sizes = ("--agents", str(AGENTS), "--queues", str(QUEUES), "--calls-per-minute", str(CALLS))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "acd", "demo", "--no-browser", "--port", "0", *sizes), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(120):
            while not (found := re.search(r"wallboard\s+(\S+)", (await process.stdout.readline()).decode())):
                pass
        yield found[1]
    finally:
        process.terminate()
        await process.wait()


async def processor_time(browser: Browser) -> float:
    """Seconds that all of Chromium's processes have used."""
    session = await browser.new_browser_cdp_session()
    processes = (await session.send("SystemInfo.getProcessInfo"))["processInfo"]
    await session.detach()
    return float(sum(each["cpuTime"] for each in processes))


class Messages:
    """Counts what the stream brings."""

    def __init__(self, page: Page) -> None:
        self.count = 0
        page.on("websocket", self._listen)

    def _listen(self, socket: WebSocket) -> None:
        socket.on("framereceived", lambda _: self._one())

    def _one(self) -> None:
        self.count += 1


async def _measure(report: Report) -> None:
    shares: dict[str, list[float]] = {view: [] for view in VIEWS}
    rates: list[float] = []
    async with demo() as address, async_playwright() as playwright:
        origin, _, sign_in = address.partition("/#")
        for _ in range(ROUNDS):
            for view, path in VIEWS.items():
                browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
                page = await browser.new_page(viewport={"width": 1920, "height": 1080})
                messages = Messages(page)
                await page.goto(f"{origin}{path}#{sign_in}")
                await page.locator(".agent").nth(AGENTS // 2).wait_for(state="attached")
                await asyncio.sleep(SETTLES)
                used, began, before = await processor_time(browser), time.monotonic(), messages.count
                await asyncio.sleep(SECONDS)
                lasted = time.monotonic() - began
                shares[view].append((await processor_time(browser) - used) / lasted * 100)
                rates.append((messages.count - before) / lasted)
                await browser.close()
    report.head(f"The wallboard in Chromium: {AGENTS} agents, {QUEUES} queues, 1920 x 1080, no graphics card")
    report.line("messages a second", summary(rates, ".1f"))
    for view, values in shares.items():
        report.line(f"{view}, % of a core, all of Chromium", summary(values, ".1f"))
    report.at_most("wallboard, % of a core", sorted(shares["wallboard"])[ROUNDS // 2], 15)


def run(report: Report) -> None:
    asyncio.run(_measure(report))
