"""An agent's phone in Chromium: rings, talks, holds, transfers, comes back; and its figures are true."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from tests.e2e.browser import BrowserAgent, browser_agent, chromium
from tests.e2e.compare import compare, near
from tests.e2e.desk import Desk

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120, func_only=True)]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    async with chromium(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="session")
async def page(desk: Desk, browser: Browser) -> AsyncIterator[Page]:
    context = await browser.new_context(permissions=["microphone"])
    yield await context.new_page()
    await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def alice(desk: Desk, page: Page) -> BrowserAgent:
    """Logged on for support at the phone of her browser, and ready."""
    alice = await browser_agent(desk, page, "7001", "alice")
    desk.agents.append(alice)
    await alice.log_on("support")
    assert (await alice.set_agent("READY"))["state"] == "READY"
    assert (await alice.set("READY"))["state"] == "READY"
    return alice


async def test_a_call_through_a_queue_has_the_figures_that_the_browser_and_the_caller_saw(
    desk: Desk, alice: BrowserAgent
) -> None:
    caller = await desk.call("605")
    await alice.until_state("ringing")
    await alice.press("Answer")
    await alice.until_session("BUSY_ON_CALL")
    await asyncio.sleep(2)
    await alice.press("Hold")
    await alice.until_state("held")
    held = asyncio.get_running_loop().time()
    await asyncio.sleep(1.5)
    await alice.press("Resume")
    await alice.until_state("talking")
    held = asyncio.get_running_loop().time() - held
    await alice.press("Hang up")
    result = await caller.ended(5)
    assert result.ended_by == "far end"
    await alice.look_back()
    row = await desk.row_of(caller)
    assert row["talk_time_exact"] == near(result.seconds or 0)
    assert row["hold_time_exact"] == near(held)
    await desk.settle()
    assert len(await compare(desk)) == 1
    assert (await desk.until_logged("COMPLETEAGENT")).agent == "alice"
    assert alice.failures == []
