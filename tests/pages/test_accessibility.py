"""What a machine can find of WCAG 2.2 AA on each page, in both languages, dark and light; and the keyboard."""

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.pages.conftest import as_admin, visitor
from tests.web.house import House
from tests.web.switch import Call

pytestmark = pytest.mark.asyncio(loop_scope="session")
AXE = Path(__file__).parents[2] / "build" / "npm" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LOOKS = [{"color_scheme": "light"}, {"color_scheme": "dark", "locale": "de-DE"}]


async def findings(page: Page) -> list[dict[str, Any]]:
    """What axe-core says against the page as it is now."""
    await page.evaluate(AXE.read_text())
    found = await page.evaluate("(tags) => axe.run(document, {runOnly: tags})", RULES)
    return [
        {"rule": each["id"], "impact": each["impact"], "where": [node["target"] for node in each["nodes"]][:5]}
        for each in found["violations"]
    ]


@pytest.mark.parametrize("look", LOOKS)
async def test_the_wallboard_has_nothing_that_hinders_anybody(house: House, browser: Browser, look):
    await house.ready()
    for number in range(6):
        house.switch.join(Call(f"1.{number}", "support"), position=number + 1)
    async with visitor(browser, **look) as context:
        page = await context.new_page()
        await as_admin(page, house, "/")
        await expect(page.locator(".agent")).to_have_count(1)
        assert await findings(page) == []


@pytest.mark.parametrize("look", LOOKS)
async def test_the_sign_in_has_nothing_that_hinders_anybody(house: House, browser: Browser, look):
    async with visitor(browser, **look) as context:
        page = await context.new_page()
        await page.goto(str(house.client.make_url("/")))
        await expect(page.locator(".sign-in")).to_be_visible()
        assert await findings(page) == []


async def test_a_page_that_has_something_is_found_out(house: House, page: Page):
    """The test above can fail."""
    await page.goto(str(house.client.make_url("/")))
    await expect(page.locator(".sign-in")).to_be_visible()
    await page.evaluate("document.querySelector('main').append(document.createElement('button'))")
    assert [each["rule"] for each in await findings(page)] == ["button-name"]


async def test_the_wallboard_says_to_a_screen_reader_what_became_bad_and_no_more(house: House, page: Page):
    await house.ready()
    await as_admin(page, house, "/")
    await expect(page.locator('.tile[data-name="ready"]')).to_have_attribute("data-judged", "attention")
    heard = page.locator('main p.unseen[role="status"]')
    await expect(heard).to_have_text("")
    for number in range(10):
        house.switch.join(Call(f"1.{number}", "support"), position=number + 1)
    await expect(heard).to_have_text("Waiting: 10, bad")
    house.switch.join(Call("1.10", "support"), position=11)
    await expect(page.locator('.tile[data-name="waiting"] .value')).to_have_text("11")
    await expect(heard).to_have_text("Waiting: 10, bad")


async def test_every_control_of_the_wallboard_is_reached_by_the_tab_key(house: House, page: Page):
    await as_admin(page, house, "/")
    await expect(page.locator(".tiles")).to_be_visible()
    wanted = await page.locator("a:visible, button:visible, select:visible, .skip").count()
    reached = set()
    for _ in range(wanted + 1):
        await page.keyboard.press("Tab")
        reached.add(await page.evaluate("document.activeElement.outerHTML"))
    assert len(reached - {await page.evaluate("document.body.outerHTML")}) >= wanted
