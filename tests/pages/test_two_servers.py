"""The pages over two Asterisk servers: totals of both, each named where that is needed, one chosen by the address."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from tests.pages.conftest import as_admin
from tests.pages.test_desk import answer, go
from tests.reports.books import a_call, abandoned
from tests.web.house import PIN, House, open_house
from tests.web.switch import Call, Switch
from tests.web.test_reports import keep

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with Switch("support", "orders") as switch, open_house(tmp_path, branch=switch) as house:
        await house.ready()
        branch = "/api/v1/handlers/branch"
        await house.call("POST", f"{branch}/agents", {"id": "1001", "pin": PIN, "user": "bob"})
        body = {"acd_group": "support", "address": "PJSIP/1001"}
        key = (await house.call("POST", f"{branch}/agents/1001/sessions", body)).body["id"]
        for path in (f"sessions/{key}/state", "agents/1001/state"):
            assert (await house.call("PUT", f"{branch}/{path}", {"state": "READY"})).status == 200
        now = house.service.now()
        keep(
            house,
            a_call(now - 60, key="a"),
            abandoned(now - 65, 3.0, key="b"),
            a_call(now - 70, key="c", handler="branch"),
            a_call(now - 75, key="d", handler="branch", queue="orders", wait_time=25.0),
        )
        yield house


def value(page: Page, name: str) -> Locator:
    return page.locator(f'.tile[data-name="{name}"] .value')


def row(page: Page, queue: str, place: str) -> Locator:
    return page.locator(".queues tbody tr", has_text=re.compile(rf"{queue}\s+{place}"))


async def test_the_large_figures_are_those_of_both_servers(house: House, page: Page):
    house.switch.join(Call("1.1", "support"))
    house.branch.switch.join(Call("1.1", "support"))
    await as_admin(page, house, "/")
    await expect(value(page, "waiting")).to_have_text("2")
    await expect(value(page, "ready")).to_have_text("2")
    await expect(value(page, "levelToday")).to_have_text("50%")  # two of four within 20 s, of whichever server
    await expect(value(page, "abandoned")).to_have_text("25%")


async def test_queues_of_the_same_name_are_two_rows_that_name_their_server(house: House, page: Page):
    await as_admin(page, house, "/")
    await expect(page.locator(".queues tbody tr")).to_have_count(4)
    for place, offered, level in (("main", "2", "50%"), ("branch", "1", "100%")):
        cells = row(page, "support", place).locator
        await expect(cells('[data-name="offered"]')).to_have_text(offered)
        await expect(cells('[data-name="levelToday"]')).to_contain_text(level)
    await expect(page.locator(".agent", has_text="bob")).to_contain_text("branch")


async def test_a_server_is_chosen_and_stays_chosen(house: House, page: Page):
    await as_admin(page, house, "/")
    await page.get_by_label("Asterisk server").select_option("branch")
    await expect(page.locator(".queues tbody tr")).to_have_count(2)
    await expect(value(page, "ready")).to_have_text("1")
    await expect(value(page, "abandoned")).to_have_text("0%")
    await expect(page.locator(".agent .place")).to_have_text("")  # the address says which one
    await expect(page.get_by_label("Group").locator("option")).to_have_count(3)  # all, and a group for each queue
    await page.reload()
    await expect(page.get_by_label("Asterisk server")).to_have_value("branch")
    await expect(page.locator(".queues tbody tr")).to_have_count(2)
    assert "handler=branch" in page.url


async def test_it_says_which_server_is_away_and_shows_the_other_as_ever(house: House, page: Page):
    await as_admin(page, house, "/")
    house.branch.switch.deaf = True
    house.branch.switch.cut()
    await expect(page.locator(".banner.unlinked")).to_contain_text("Asterisk is not connected (branch)")
    await expect(page.locator(".agent", has_text="bob")).to_have_attribute("data-situation", "unknown")
    house.switch.join(Call("1.2", "support"))
    await expect(row(page, "support", "main").locator('[data-name="waiting"]')).to_have_text("1")
    await house.call("PUT", "agents/1001/state", {"state": "NOT_READY", "reason": "lunch"})
    await expect(value(page, "ready")).to_have_text("0")


async def test_the_desk_tells_agents_with_the_same_id_apart_and_asks_the_right_server(house: House, page: Page):
    await as_admin(page, house, "/desk")
    await expect(page.get_by_role("heading", name="Agents")).to_be_visible()
    await go(page, "#agents")
    bob = page.locator("tbody tr", has_text="bob")
    await expect(bob).to_contain_text("1001 · branch")
    await bob.get_by_role("button", name="Not ready…: bob").click()
    await answer(page, "Not ready", Reason="lunch")
    await expect(bob).to_have_attribute("data-situation", "notready")
    assert house.center.agent("1001").state.name == "READY"


async def test_the_desks_reports_are_of_all_servers_of_one_or_in_one_sum(house: House, page: Page):
    await as_admin(page, house, "/desk")
    await expect(page.get_by_role("heading", name="Agents")).to_be_visible()
    await go(page, "#reports?report=queues&period=today")
    table = page.locator("main table")
    await expect(table.locator("tbody tr")).to_have_count(4)
    await expect(table.locator("tbody tr").first).to_contain_text("branch")
    await page.get_by_label("A row for each").select_option("all")
    await page.get_by_role("button", name="Show").click()
    await expect(table.locator("tbody tr")).to_have_count(1)
    await expect(table.locator("tbody tr").first).to_contain_text("4")
    await page.get_by_label("Asterisk server").select_option("branch")
    await page.get_by_role("button", name="Show").click()
    await expect(table.locator("tbody tr").first).to_contain_text("2")


async def test_an_agent_works_at_the_server_that_the_address_names(house: House, page: Page):
    await page.goto(str(house.client.make_url("/agent?handler=branch")))
    await page.locator('input[name="agent"]').fill("1001")
    await page.locator('input[name="pin"]').fill(PIN)
    await page.locator("form button.main").click()
    state = page.locator("main")
    await expect(state).to_contain_text("Ready")
    call = Call("7.1", "support", caller="+49305550000")
    house.branch.switch.join(call)
    house.branch.switch.ring(call)
    await expect(state).to_contain_text("+49305550000")
    assert house.center.agent("1001").state.name == "READY" and not house.center.state.ringing
