"""python -m tests.pages.screenshots: the pictures of docs/images, taken from a running `acd demo`."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from playwright.async_api import Browser, Page, async_playwright, expect

from tests.pages.conftest import CHROMIUM, SWITCHES

IMAGES = Path(__file__).parents[2] / "docs" / "images"
LARGE = {"width": 1920, "height": 1080}
USUAL = {"width": 1280, "height": 800}
NARROW = {"width": 390, "height": 844}
MORNING = 9  # o'clock, where the pictures are taken: the day has figures by then


async def agents(page: Page) -> None:
    await page.locator(".agent, td.what").first.wait_for()


async def day(page: Page) -> None:
    await page.get_by_role("link", name="The day as a picture").click()
    await page.locator("main svg").first.wait_for()


async def talking(page: Page) -> None:
    """The agent whom no robot plays logs on, goes ready, and is given a call."""
    await page.get_by_label("support", exact=True).check()
    await page.get_by_label("sales", exact=True).check()
    await page.get_by_role("button", name="Log on", exact=True).click()
    state = page.locator("section.now")
    await expect(state).to_have_attribute("data-situation", "notready")
    await page.keyboard.press("r")
    await expect(state).to_have_attribute("data-situation", "talking", timeout=120_000)


class Picture(NamedTuple):
    """`who`: whose link of the demo's is opened; `prepare`: until it shows what is wanted."""

    name: str
    who: str
    path: str
    prepare: Callable[[Page], Awaitable[None]]
    size: Any = USUAL
    scheme: Any = "light"


PICTURES = (
    Picture("wallboard", "wallboard", "/", agents),
    Picture("wallboard-tv", "wallboard", "/?tv=1", agents, LARGE, "dark"),
    Picture("wallboard-phone", "wallboard", "/", agents, NARROW, "dark"),
    Picture("desk", "supervisor", "/desk", agents),
    Picture("desk-day", "supervisor", "/desk?#agents/main/1001", day),
    Picture("agent-desk", "agent", "/agent", talking),
)


@asynccontextmanager
async def demo() -> AsyncIterator[dict[str, str]]:
    """`acd demo` while entered: the links that it prints, by who they are for."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "acd", "demo", "--no-browser", "--port", "0"), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    links: dict[str, str] = {}
    try:
        async with asyncio.timeout(60):
            while "API" not in links:
                found = re.match(r"\s+(\w+)\s+(http\S+)", (await process.stdout.readline()).decode())
                if found:
                    links[found[1]] = found[2]
        yield links
    finally:
        process.terminate()
        await process.wait()


async def take(browser: Browser, links: dict[str, str], picture: Picture, zone: str) -> None:
    """One picture, as soon as what it shows is there and its figures have come."""
    page = await browser.new_page(viewport=picture.size, color_scheme=picture.scheme, locale="en-US", timezone_id=zone)
    origin, _, sign_in = re.sub(r"(//[^/]+)/[^#]*", r"\1/", links[picture.who]).partition("#")
    path, _, view = picture.path.partition("#")
    await page.goto(f"{origin.rstrip('/')}{path}#{sign_in}")
    await page.locator("main > *").first.wait_for(state="attached")
    if view:
        await page.evaluate("(view) => (location.hash = view)", view)
    await picture.prepare(page)
    await page.wait_for_load_state("networkidle")
    await page.screenshot(path=IMAGES / f"{picture.name}.png")
    await page.close()
    print(IMAGES / f"{picture.name}.png")


async def zone_of_morning(browser: Browser) -> str:
    """A time zone in which it is about MORNING."""
    page = await browser.new_page()
    hour = await page.evaluate("new Date().getUTCHours()")
    await page.close()
    offset = (MORNING - hour + 12) % 24 - 12
    return f"Etc/GMT{-offset:+d}"


async def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    async with demo() as links, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        zone = await zone_of_morning(browser)
        for picture in PICTURES:
            await take(browser, links, picture, zone)
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
