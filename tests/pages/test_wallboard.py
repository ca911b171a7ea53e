"""The wallboard in Chromium, over a whole call center in this process."""

import pytest
from playwright.async_api import Page, expect

from tests.pages.conftest import as_admin
from tests.web.house import House
from tests.web.switch import Call

pytestmark = pytest.mark.asyncio(loop_scope="session")


def tile(page: Page, name: str):
    return page.locator(f'.tile[data-name="{name}"]')


async def test_it_shows_who_is_ready_and_who_waits(house: House, page: Page):
    await as_admin(page, house, "/")
    await expect(tile(page, "ready").locator(".value")).to_have_text("0")
    await house.ready()
    await expect(tile(page, "ready").locator(".value")).to_have_text("1")
    house.switch.join(Call("1.1", "support"))
    await expect(tile(page, "waiting").locator(".value")).to_have_text("1")
