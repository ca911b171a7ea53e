"""The wallboard in Chromium, over a whole call center in this process."""

import re
import time

import pytest
from playwright.async_api import Browser, Locator, Page, WebSocketRoute, expect

from tests.helpers import until
from tests.pages.conftest import as_admin, visitor
from tests.reports.books import a_call, abandoned
from tests.web.house import House
from tests.web.switch import Call
from tests.web.test_reports import keep

pytestmark = pytest.mark.asyncio(loop_scope="session")


def tile(page: Page, name: str) -> Locator:
    return page.locator(f'.tile[data-name="{name}"]')


def value(page: Page, name: str) -> Locator:
    return tile(page, name).locator(".value")


def agent(page: Page, name: str) -> Locator:
    return page.locator(".agent", has_text=name)


def cell(page: Page, queue: str, name: str) -> Locator:
    return page.locator(".queues tbody tr", has_text=queue).locator(f'[data-name="{name}"]')


async def test_it_shows_who_is_ready_and_who_waits(house: House, page: Page):
    await as_admin(page, house, "/")
    await expect(value(page, "ready")).to_have_text("0")
    await house.ready()
    await expect(value(page, "ready")).to_have_text("1")
    await expect(cell(page, "support", "ready")).to_have_text(re.compile("1"))
    house.switch.join(Call("1.1", "support"))
    await expect(value(page, "waiting")).to_have_text("1")
    await expect(cell(page, "support", "waiting")).to_have_text("1")


async def test_an_agent_is_shown_in_each_situation_with_his_call(house: House, page: Page):
    key, call = await house.ready(), Call("1.1", "support", caller="+49305550000")
    await as_admin(page, house, "/")
    card = agent(page, "1001")
    await expect(card).to_have_attribute("data-situation", "ready")
    house.switch.join(call)
    house.switch.ring(call)
    await expect(card).to_have_attribute("data-situation", "ringing")
    await expect(card).to_contain_text("support: +49305550000")
    house.switch.answer(call)
    await expect(card).to_have_attribute("data-situation", "talking")
    await until(lambda: house.switch.queues["support"]["PJSIP/1001"].paused, what="paused during the call")
    house.switch.hang_up(call)
    await expect(card).to_have_attribute("data-situation", "wrapup")
    await house.call("PUT", f"sessions/{key}/wrap-up", {"end": True})
    await house.call("PUT", "agents/1001/state", {"state": "NOT_READY", "reason": "lunch"})
    await expect(card).to_have_attribute("data-situation", "notready")
    await expect(card).to_contain_text("lunch")
    await house.set_state(key, "SESSION_ENDED")
    await expect(card).to_have_count(0)
    await expect(page.locator(".agents")).to_contain_text("1 agent is logged off")


async def test_a_figure_beyond_its_target_has_a_sign_and_a_word_beside_its_colour(house: House, page: Page):
    await as_admin(page, house, "/")
    await expect(tile(page, "waiting")).to_have_attribute("data-judged", "good")
    for number in range(10):
        house.switch.join(Call(f"1.{number}", "support"), position=number + 1)
    await expect(tile(page, "waiting")).to_have_attribute("data-judged", "bad")
    await expect(tile(page, "waiting").locator(".sign")).to_have_text("✖")
    await expect(tile(page, "waiting").locator(".unseen")).to_have_text("bad")


async def test_todays_figures_are_those_of_the_board(house: House, page: Page):
    now = house.service.now()
    keep(
        house,
        a_call(now - 60, key="a"),
        a_call(now - 70, key="b", wait_time=25.0),
        a_call(now - 80, key="c", queue="sales"),
        abandoned(now - 90, 3.0, key="d"),
    )
    await as_admin(page, house, "/")
    await expect(value(page, "levelNow")).to_have_text("50%")  # two of four within 20 s
    await expect(value(page, "abandoned")).to_have_text("25%")
    await expect(tile(page, "abandoned")).to_contain_text("1 of 4")
    await expect(cell(page, "sales", "levelToday")).to_have_text(re.compile("100%"))
    graph = page.locator(".queues tbody tr", has_text="support").locator("svg")
    await expect(graph).to_have_attribute("aria-label", "3 calls in the last hour, 1 answered in time")


async def test_a_group_is_chosen_and_stays_chosen(house: House, page: Page):
    await house.ready(group="support", agent="1001")
    await house.ready(group="both", agent="1002")
    await as_admin(page, house, "/")
    await expect(page.locator(".agent")).to_have_count(2)
    await page.get_by_label("Group").select_option("support")
    await expect(page.locator(".agent")).to_have_count(1)
    await expect(page.locator(".queues tbody tr")).to_have_count(1)
    await page.reload()
    await expect(page.locator(".agent")).to_have_count(1)
    await expect(page.get_by_label("Group")).to_have_value("support")


async def test_tv_mode_shows_no_names_and_no_numbers(house: House, page: Page):
    await house.call("POST", "agents", {"user": "alice"})
    await house.log_on("alice")
    call = Call("1.1", "support", caller="+49305550000")
    await as_admin(page, house, "/")
    await expect(agent(page, "alice")).to_have_count(1)
    await page.get_by_role("button", name="TV mode").click()
    house.switch.join(call)
    house.switch.ring(call)
    await expect(page.locator('.agent[data-situation="ringing"]')).to_have_count(1)
    await expect(page.locator("body")).not_to_contain_text("alice")
    await expect(page.locator("body")).not_to_contain_text("5550000")
    await page.reload()
    await expect(page.locator(".agent")).to_have_count(1)
    await expect(page.locator("body")).not_to_contain_text("alice")


async def test_the_longest_wait_counts_on_by_itself(house: House, page: Page):
    await as_admin(page, house, "/")
    house.switch.join(Call("1.1", "support"), at=time.time() - 65)
    await expect(value(page, "longestWait")).to_have_text(re.compile(r"1:(0[6-9]|1\d)"))
    await expect(tile(page, "longestWait")).to_have_attribute("data-judged", "attention")
    first = await value(page, "longestWait").text_content()
    await expect(value(page, "longestWait")).not_to_have_text(str(first))


async def test_a_lost_line_is_told_at_once_and_the_truth_is_back_after_it(house: House, page: Page):
    await house.ready()
    await as_admin(page, house, "/")
    await expect(value(page, "ready")).to_have_text("1")
    await page.context.set_offline(True)
    banner = page.locator(".banner.stale")
    await expect(banner).to_contain_text("Stale since", timeout=2_000)
    await house.call("PUT", "agents/1001/state", {"state": "NOT_READY", "reason": "lunch"})
    await expect(value(page, "ready")).to_have_text("1")
    await page.context.set_offline(False)
    await expect(banner).to_be_hidden()
    await expect(value(page, "ready")).to_have_text("0")


async def test_a_line_that_broke_without_a_word_is_found_out(house: House, page: Page):
    """No close reaches the browser: it has to ask."""
    await page.route("**/healthz", lambda route: route.abort())
    await as_admin(page, house, "/")
    await expect(page.locator(".banner.stale")).to_contain_text("Stale since", timeout=15_000)


async def test_it_says_when_asterisk_is_away(house: House, page: Page):
    await as_admin(page, house, "/")
    await expect(page.locator(".banner.unlinked")).to_be_hidden()
    house.switch.deaf = True
    house.switch.cut()
    await expect(page.locator(".banner.unlinked")).to_contain_text("Asterisk is not connected (main)")


async def test_who_is_not_signed_in_is_asked_and_told_what_is_wrong(house: House, page: Page):
    await page.goto(str(house.client.make_url("/")))
    await page.get_by_label("Name").fill("carol")
    await page.get_by_label("Password").fill("wrong")
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text("That was not accepted")
    await house.call("PUT", "/api/v1/accounts/carol", {"role": "supervisor", "password": "correct horse battery"})
    await page.get_by_label("Password").fill("correct horse battery")
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await expect(page.locator(".tiles")).to_be_visible()
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_label("Password")).to_be_visible()


async def test_an_agent_is_told_that_this_is_not_his_page(house: House, page: Page):
    await house.agent("1001", "alice")
    await page.goto(str(house.client.make_url("/")))
    log_in = "(body) => fetch('/api/v1/session', {method: 'POST', body: JSON.stringify(body)})"
    await page.evaluate(log_in, {"agent": "1001", "pin": "4711"})
    await page.reload()
    await expect(page.locator(".sign-in")).to_contain_text("You are signed in as agent 1001")


async def test_a_token_in_the_address_does_not_stay_there(house: House, page: Page):
    await as_admin(page, house, "/")
    await expect(page.locator(".tiles")).to_be_visible()
    assert "sign-in" not in page.url
    assert "token" not in await page.evaluate("document.cookie + JSON.stringify(localStorage)")


async def test_it_speaks_german_to_who_reads_german_and_keeps_what_was_chosen(house: House, browser: Browser):
    async with visitor(browser, locale="de-DE") as context:
        page = await context.new_page()
        await as_admin(page, house, "/")
        await expect(page.get_by_role("heading", name="Wandtafel")).to_be_visible()
        await page.get_by_label("Sprache").select_option("en")
        await expect(page.get_by_role("heading", name="Wallboard")).to_be_visible()
        await page.reload()
        await expect(page.get_by_role("heading", name="Wallboard")).to_be_visible()


async def test_dark_and_light_follow_the_system_until_somebody_chooses(house: House, browser: Browser):
    paper = "getComputedStyle(document.body).backgroundColor"
    async with visitor(browser, color_scheme="dark") as context:
        page = await context.new_page()
        await as_admin(page, house, "/")
        await expect(page.locator(".tiles")).to_be_visible()
        dark = await page.evaluate(paper)
        await page.get_by_label("Colours").select_option("light")
        assert await page.evaluate(paper) != dark
        await page.reload()
        await expect(page.locator(".tiles")).to_be_visible()
        assert await page.evaluate(paper) != dark


@pytest.mark.parametrize("size", [{"width": 390, "height": 844}, {"width": 1920, "height": 1080}])
async def test_it_never_needs_scrolling_sideways(house: House, browser: Browser, size):
    await house.ready()
    async with visitor(browser, viewport=size) as context:
        page = await context.new_page()
        await as_admin(page, house, "/")
        await expect(page.locator(".agent")).to_have_count(1)
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_a_line_that_is_silent_though_the_server_answers_is_made_anew(house: House, page: Page):
    """Something on the way has forgotten the connection: no close reaches the browser, and requests work."""
    lines: list[WebSocketRoute] = []

    def forward(line: WebSocketRoute) -> None:
        lines.append(line)
        server = line.connect_to_server()
        if len(lines) == 1:
            server.on_message(lambda _: None)  # what the stream says is lost on the way

    await page.route_web_socket(re.compile("/api/v1/ws"), forward)
    await as_admin(page, house, "/")
    await expect(value(page, "ready")).to_have_text("0")
    await house.ready()
    await expect(value(page, "ready")).to_have_text("1", timeout=60_000)
    assert len(lines) > 1


async def test_flaps_of_the_network_make_one_attempt_and_no_crowd_of_them(house: House, page: Page):
    await as_admin(page, house, "/")
    await expect(page.locator(".tiles")).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/session") else None)
    for _ in range(8):
        await page.evaluate("dispatchEvent(new Event('offline')); dispatchEvent(new Event('online'))")
    await expect(page.locator(".banner.stale")).to_be_hidden()
    assert len(asked) <= 8


async def test_a_link_that_signs_in_does_nothing_to_who_is_signed_in(house: House, page: Page):
    await house.call("PUT", "/api/v1/accounts/carol", {"role": "supervisor", "password": "correct horse battery"})
    await page.goto(str(house.client.make_url("/")))
    log_in = "(body) => fetch('/api/v1/session', {method: 'POST', body: JSON.stringify(body)})"
    await page.evaluate(log_in, {"user": "carol", "password": "correct horse battery"})
    await page.goto("about:blank")
    await as_admin(page, house, "/")
    await expect(page.locator(".me")).to_have_text("Signed in as carol")


async def test_reasons_that_are_words_of_the_language_of_programs_are_shown_as_they_are(house: House, page: Page):
    await house.ready()
    await as_admin(page, house, "/")
    for reason in ("constructor", "__proto__", "toString", "wrapup.length"):
        await house.call("PUT", "agents/1001/state", {"state": "NOT_READY", "reason": reason})
        await expect(agent(page, "1001")).to_contain_text(reason)


async def test_a_page_that_came_while_acd_was_away_behind_its_proxy_comes_by_itself(house: House, page: Page):
    away = {"status": 502, "content_type": "text/html", "body": "Bad gateway"}
    await page.route("**/api/v1/site", lambda route: route.fulfill(**away), times=1)
    await as_admin(page, house, "/")
    await expect(page.locator(".tiles")).to_be_visible()
