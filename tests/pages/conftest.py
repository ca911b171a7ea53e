"""Chromium, a fresh page a test, and a house to look at. A page that complains in its console fails its test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, async_playwright, expect

from tests.web.house import TOKEN, House, open_house

CHROMIUM = "/usr/bin/chromium"
SWITCHES = ["--no-sandbox", "--disable-gpu"]  # tests run as root, and have no screen
WITHIN = 20_000  # milliseconds for a page to show something on a busy machine
EXPECTED = ("Failed to load resource", "WebSocket connection to")  # what Chromium says of refusals and lost lines


expect.set_options(timeout=WITHIN)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All that is here needs a browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield browser
        await browser.close()


@asynccontextmanager
async def visitor(browser: Browser, **settings: Any) -> AsyncIterator[BrowserContext]:
    """A browser of somebody's own. Complaints of its pages fail the test."""
    complaints: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(EXPECTED):
            complaints.append(message.text)

    context = await browser.new_context(**{"locale": "en-US", "viewport": {"width": 1280, "height": 800}, **settings})
    context.set_default_timeout(WITHIN)
    context.on("console", hear)
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    yield context
    await context.close()
    assert complaints == []


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    async with visitor(browser) as context:
        yield await context.new_page()


@pytest_asyncio.fixture(loop_scope="session")
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as house:
        yield house


async def as_admin(page: Page, house: House, path: str) -> None:
    """The page, signed in by a link as a screen on a wall is."""
    await page.goto(str(house.client.make_url(f"{path}#sign-in={TOKEN.replace(' ', '%20')}")))
