"""python -m tests.pages.screenshots: the pictures of docs/images, taken from a running `acd demo`."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from playwright.async_api import Browser, Page, async_playwright

from tests.pages.conftest import CHROMIUM, SWITCHES

IMAGES = Path(__file__).parents[2] / "docs" / "images"
LARGE = {"width": 1920, "height": 1080}
USUAL = {"width": 1280, "height": 800}
NARROW = {"width": 390, "height": 844}


class Picture(NamedTuple):
    """`who`: whose link of the demo's is opened, `ready`: what must be there before it is taken."""

    name: str
    who: str
    path: str
    ready: str
    size: dict[str, int] = USUAL
    scheme: str = "light"


PICTURES = (
    Picture("wallboard", "wallboard", "/", ".agent"),
    Picture("wallboard-tv", "wallboard", "/?tv=1", ".agent", LARGE, "dark"),
    Picture("wallboard-phone", "wallboard", "/", ".agent", NARROW, "dark"),
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


async def take(browser: Browser, links: dict[str, str], picture: Picture) -> None:
    """One picture, as soon as what it shows is there and its figures have come."""
    page = await browser.new_page(viewport=picture.size, color_scheme=picture.scheme, locale="en-US")
    address, _, sign_in = links[picture.who].partition("#")
    await page.goto(f"{address.rstrip('/')}{picture.path if picture.path != '/' else '/'}#{sign_in}")
    await page.locator(picture.ready).first.wait_for()
    await at_rest(page)
    await page.screenshot(path=IMAGES / f"{picture.name}.png")
    await page.close()
    print(IMAGES / f"{picture.name}.png")


async def at_rest(page: Page) -> None:
    """No request is under way."""
    await page.wait_for_load_state("networkidle")


async def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    async with demo() as links, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        for picture in PICTURES:
            await take(browser, links, picture)
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
