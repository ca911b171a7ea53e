"""The agent desk in Chromium, over a whole call center in this process whose Asterisk rings, answers and hangs up."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, Response, expect

from tests.helpers import until
from tests.pages.conftest import visitor
from tests.web.house import PHONE, PIN, House, open_house
from tests.web.switch import Call, Switch

pytestmark = pytest.mark.asyncio(loop_scope="session")

AXE = Path(__file__).parents[2] / "build/npm/axe-core/axe.min.js"
SETTINGS: dict[str, Any] = {
    "wrap_up": 60,
    "reasons": ["break", "lunch"],
    "dispositions": {"sold": "Sold", "later": "Call again"},
    "queues": {"sales": {"disposition_required": True}},
}


def _phones(switch: Switch) -> None:
    switch.devices = {"PJSIP/1001": "NOT_INUSE", "PJSIP/1002": "NOT_INUSE", "PJSIP/1009": "UNAVAILABLE"}


@pytest_asyncio.fixture(loop_scope="session")
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """With reasons and after-call codes, a minute of wrap-up, and alice, who has a PIN."""
    async with open_house(tmp_path, _phones, **SETTINGS) as house:
        await house.agent()
        yield house


# Ways to get there ----------------------------------------------------------------------------------------


async def sign_in(page: Page, house: House, pin: str = PIN) -> None:
    await page.goto(str(house.client.make_url("/agent")))
    await page.get_by_label("Agent ID").fill("1001")
    await page.get_by_label("PIN", exact=True).fill(pin)
    await page.keyboard.press("Enter")


async def log_on(page: Page, house: House, *groups: str) -> None:
    await sign_in(page, house)
    for group in groups or ("support",):
        await page.get_by_label(group, exact=True).check()
    await page.get_by_role("button", name="Log on").click()
    await shows(page, "notready")


async def ready(page: Page, house: House, *groups: str) -> None:
    await log_on(page, house, *groups)
    await page.keyboard.press("r")
    await shows(page, "ready")


async def talking(page: Page, house: House, queue: str = "support", *groups: str) -> Call:
    """On a call; the pause that covers the wrap-up is in force."""
    await ready(page, house, *groups)
    call = Call("1.1", queue)
    house.switch.take(call)
    await shows(page, "talking")
    await until(lambda: house.switch.queues[queue][PHONE].paused, what="paused during the call")
    return call


async def in_wrap_up(page: Page, house: House, queue: str = "support", *groups: str) -> None:
    house.switch.hang_up(await talking(page, house, queue, *groups))
    await shows(page, "wrapup")


def now(page: Page) -> Locator:
    return page.locator("section.now")


async def shows(page: Page, situation: str) -> None:
    await expect(now(page)).to_have_attribute("data-situation", situation)


def button(page: Page, name: str) -> Locator:
    return now(page).get_by_role("button", name=name, exact=True)


def agent(house: House) -> Any:
    return house.center.state.agents["1001"]


def session(house: House) -> Any:
    return house.center.state.sessions[agent(house).sessions[0]]


def left(text: str) -> int:
    minutes, seconds = text.split(":")
    return int(minutes) * 60 + int(seconds)


# Log-in ---------------------------------------------------------------------------------------------------


async def test_an_agent_logs_in_and_on_for_two_groups_at_a_free_phone(house: House, page: Page):
    await house.call("POST", "agents", {"user": "bob"})
    await house.log_on("bob", "support", "PJSIP/1002")
    await sign_in(page, house)
    phones = page.get_by_label("Phone").locator("option")
    await expect(phones).to_have_text(
        ["1001 (PJSIP/1001)", "1009 (PJSIP/1009): not connected", "1002 (PJSIP/1002): in use"]
    )
    await expect(phones.nth(2)).to_be_disabled()
    await page.get_by_label("support").check()
    await page.get_by_label("both").check()
    await page.get_by_role("button", name="Log on").click()
    await shows(page, "notready")
    assert {house.center.state.sessions[key].group for key in agent(house).sessions} == {"support", "both"}
    await expect(page.locator(".groups li strong")).to_have_text(["both", "support"])


async def test_the_next_log_on_offers_what_was_chosen_last(house: House, page: Page):
    await log_on(page, house, "both")
    await page.get_by_role("button", name="End of work").click()
    await page.get_by_role("button", name="Log off from all groups").click()
    await expect(page.get_by_label("both")).to_be_checked()
    await expect(page.get_by_label("support")).not_to_be_checked()
    await until(lambda: agent(house).sessions == [], what="logged off")


async def test_a_wrong_pin_is_a_sentence_and_so_is_the_lock_after_five(house: House, page: Page):
    await sign_in(page, house, "0000")
    alert = page.get_by_role("alert")
    await expect(alert).to_have_text("The agent ID or the PIN is wrong.")
    await expect(page.get_by_label("PIN", exact=True)).to_be_focused()
    for _ in range(4):
        await refused_pin(page)
    await refused_pin(page)
    await expect(alert).to_have_text("Too many wrong PINs: this agent ID is locked for some minutes.")


async def refused_pin(page: Page) -> None:
    def is_answer(answer: Response) -> bool:
        return answer.url.endswith("/session") and answer.request.method == "POST"

    await page.get_by_label("PIN", exact=True).fill("0000")
    async with page.expect_response(is_answer) as answer:
        await page.keyboard.press("Enter")
    assert (await answer.value).status == 403
    await expect(page.get_by_label("PIN", exact=True)).to_have_value("")


async def test_a_phone_that_somebody_took_meanwhile_is_said_to_be_taken(house: House, page: Page):
    await sign_in(page, house)
    await page.get_by_label("support").check()
    await house.call("POST", "agents", {"user": "bob"})
    await house.log_on("bob", "support", PHONE)
    await page.get_by_role("button", name="Log on").click()
    await expect(page.get_by_role("alert")).to_have_text("Another agent is logged on at this phone.")
    await expect(page.get_by_label("Phone").locator(":checked")).to_have_text("1002 (PJSIP/1002)")


# Ready and not ready --------------------------------------------------------------------------------------


async def test_ready_and_not_ready_move_the_agent_and_his_sessions_together(house: House, page: Page):
    await log_on(page, house, "support", "both")
    await button(page, "Ready").click()
    await shows(page, "ready")
    member = house.switch.queues["support"][PHONE]
    assert not member.paused
    await button(page, "lunch").click()
    await shows(page, "notready")
    await expect(now(page).locator(".about")).to_have_text("lunch")
    await expect(button(page, "lunch")).to_have_attribute("aria-pressed", "true")
    sessions = [house.center.state.sessions[key] for key in agent(house).sessions]
    assert {(each.state.name, each.reason) for each in [agent(house), *sessions] if each is not agent(house)} == {
        ("NOT_READY", "lunch")
    }
    assert (agent(house).state.name, member.paused, member.reason) == ("NOT_READY", True, "lunch")


async def test_a_reason_can_be_in_his_own_words(house: House, page: Page):
    await ready(page, house)
    await page.keyboard.press("o")
    await page.keyboard.type("fire drill")  # r, n, l, f and e are no shortcuts here
    await page.keyboard.press("Enter")
    await shows(page, "notready")
    await expect(now(page).locator(".about")).to_have_text("fire drill")


async def test_one_group_is_switched_without_the_others(house: House, page: Page):
    await ready(page, house, "support", "both")
    row = page.locator(".groups li", has_text="both")
    await row.get_by_role("button", name="Not ready").click()
    await expect(row).to_have_attribute("data-situation", "notready")
    await shows(page, "ready")
    await expect(now(page).locator(".about")).to_have_text("Calls come for: support")


async def test_who_goes_ready_for_one_group_is_not_ready_for_the_others(house: House, page: Page):
    await ready(page, house, "support", "both")
    # as after a call during which he asked for it: the sessions are ready, he is not
    await house.call("PUT", "agents/1001/state", {"state": "NOT_READY", "reason": "lunch"})
    await shows(page, "notready")
    await page.locator(".groups li", has_text="both").get_by_role("button", name="Ready", exact=True).click()
    await shows(page, "ready")
    await expect(now(page).locator(".about")).to_have_text("Calls come for: both")


async def test_nothing_is_shown_before_asterisk_confirmed_it(house: House, page: Page):
    await log_on(page, house)
    house.switch.events_late_by = 0.7
    await button(page, "Ready").click()
    await expect(now(page).locator("[aria-busy]")).to_have_text(re.compile("^…"))
    await shows(page, "notready")
    await shows(page, "ready")


async def test_a_refusal_stands_beside_what_was_pressed(house: House, page: Page):
    await log_on(page, house)
    house.switch.tells = False
    await button(page, "Ready").click()
    said = "Asterisk did not answer in time. Should it be done later, you will see it here."
    await expect(now(page).locator(".wrong").last).to_have_text(said)
    await shows(page, "notready")


# A call ---------------------------------------------------------------------------------------------------


async def test_a_call_rings_is_talked_held_and_wrapped_up(house: House, page: Page):
    await ready(page, house)
    call = Call("1.1", "support")
    house.switch.join(call)
    house.switch.ring(call)
    await shows(page, "ringing")
    await expect(now(page).locator(".about")).to_have_text(re.compile(r"^5551234 · support · has waited 0:0\d$"))
    await expect(page).to_have_title(re.compile("^☎ Ringing"))
    house.switch.answer(call)
    await shows(page, "talking")
    house.switch.tell("Hold", Uniqueid=call.leg)
    await shows(page, "hold")
    house.switch.tell("Unhold", Uniqueid=call.leg)
    await shows(page, "talking")
    await until(lambda: house.switch.queues["support"][PHONE].paused)
    house.switch.hang_up(call)
    await shows(page, "wrapup")
    await expect(now(page).locator(".seconds")).to_have_text(re.compile(r"^(1:00|0:5\d)$"))
    await expect(page.locator(".figures dd").first).to_have_text("1")


async def test_wrap_up_is_extended_and_finished(house: House, page: Page):
    await in_wrap_up(page, house)
    until_before = session(house).wrap_up_until
    await button(page, "+1 min").click()
    await expect(now(page).locator(".seconds")).to_have_text(re.compile("^1:[0-5]"))
    assert session(house).wrap_up_until == until_before + 60
    await page.keyboard.press("e")
    await until(lambda: session(house).wrap_up_until == until_before + 90)
    await button(page, "Finish wrap-up").click()
    await shows(page, "ready")


async def test_the_count_down_counts(house: House, page: Page):
    await in_wrap_up(page, house)
    seconds = now(page).locator(".seconds")
    first = left(await seconds.inner_text())
    await expect(seconds).to_have_text(f"0:{first - 2:02}")


async def test_finish_waits_for_the_code_that_a_queue_wants_and_says_so(house: House, page: Page):
    await in_wrap_up(page, house, "sales", "both")
    said = "First choose an after-call code: this queue wants one."
    await expect(now(page).locator(".waits")).to_have_text(said)
    await expect(button(page, "Finish wrap-up")).to_have_attribute("aria-disabled", "true")
    await page.keyboard.press("f")
    await expect(now(page).locator(".call-work > .wrong")).to_have_text(said)
    await page.keyboard.press("d")
    await expect(button(page, "Sold")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(button(page, "Sold")).to_have_attribute("aria-pressed", "true")
    await page.keyboard.press("f")
    await shows(page, "ready")
    assert (await house.get("calls?call=1.1"))["items"][0]["disposition"] == "sold"


async def test_the_code_can_be_given_while_he_still_talks(house: House, page: Page):
    call = await talking(page, house, "sales", "both")
    await button(page, "Call again").click()
    await expect(button(page, "Call again")).to_have_attribute("aria-pressed", "true")
    house.switch.hang_up(call)
    await shows(page, "wrapup")
    await expect(now(page).locator(".waits")).to_be_empty()
    await button(page, "Finish wrap-up").click()
    await shows(page, "ready")


async def test_not_ready_after_the_call_keeps_the_wrap_up(house: House, page: Page):
    call = await talking(page, house)
    await button(page, "lunch").click()
    after = now(page).locator(".after")
    await expect(after).to_have_text("After this call and its wrap-up: not ready (lunch).")
    await page.reload()
    await expect(after).to_have_text("After this call and its wrap-up: not ready (lunch).")
    house.switch.hang_up(call)
    await shows(page, "wrapup")
    await page.keyboard.press("f")
    await shows(page, "notready")
    await expect(now(page).locator(".about")).to_have_text("lunch")


async def test_not_ready_after_the_call_can_be_taken_back(house: House, page: Page):
    call = await talking(page, house)
    await button(page, "Not ready after this call").click()
    await expect(now(page).locator(".after")).to_be_visible()
    await button(page, "Ready after this call").click()
    await expect(now(page).locator(".after")).to_be_hidden()
    house.switch.hang_up(call)
    await shows(page, "wrapup")
    await page.keyboard.press("f")
    await shows(page, "ready")


async def test_an_agent_who_works_by_keyboard_does_not_lose_his_place_after_wrap_up(house: House, page: Page):
    await in_wrap_up(page, house)
    await button(page, "Finish wrap-up").focus()
    await page.keyboard.press("Enter")
    await shows(page, "ready")
    await expect(button(page, "Not ready")).to_be_focused()


# What others do, other windows, lost lines ------------------------------------------------------------------


async def test_a_reload_in_the_middle_of_a_call_finds_the_call(house: House, page: Page):
    await talking(page, house)
    await page.reload()
    await shows(page, "talking")
    await expect(now(page).locator(".about")).to_have_text("5551234 · support")


async def test_two_tabs_show_the_same_and_sign_in_and_out_together(house: House, page: Page):
    other = await page.context.new_page()
    await other.goto(str(house.client.make_url("/agent")))
    await expect(other.get_by_label("Agent ID")).to_be_visible()
    await ready(page, house)
    await shows(other, "ready")
    await other.keyboard.press("2")
    await shows(page, "notready")
    await page.get_by_role("button", name="Sign out").click()
    await page.get_by_role("button", name="Log off and sign out").click()
    await expect(page.get_by_label("Agent ID")).to_be_visible()
    await expect(other.get_by_label("Agent ID")).to_be_visible()
    assert agent(house).sessions == []


async def test_a_lost_line_is_said_at_once_and_afterwards_the_truth_is_shown(house: House, page: Page):
    await ready(page, house)
    await page.context.set_offline(True)
    await expect(page.locator(".banner.stale")).to_be_visible()
    await button(page, "Not ready").click(force=True)
    await expect(now(page).locator(".wrong").last).to_have_text("Not possible while acd cannot be reached.")
    await house.call("PUT", "agents/1001/state", {"state": "NOT_READY", "reason": "meeting"})
    await page.context.set_offline(False)
    await expect(page.locator(".banner.stale")).to_be_hidden()
    await shows(page, "notready")
    await expect(now(page).locator(".about")).to_have_text("meeting")


@pytest.mark.parametrize("part", ["**/static/agent/mine.js", "**/api/v1/site"])
async def test_a_page_of_which_a_part_did_not_come_is_loaded_again(house: House, page: Page, part: str):
    await page.route(part, lambda route: route.abort("connectionreset"), times=1)
    await page.goto(str(house.client.make_url("/agent")))
    await expect(page.get_by_label("Agent ID")).to_be_visible()


async def test_who_is_set_not_ready_by_a_supervisor_is_told(house: House, page: Page):
    await ready(page, house)
    await page.evaluate("localStorage.removeItem('acd-agent-acted')")  # as some seconds after he pressed anything
    await page.reload()
    await shows(page, "ready")
    await house.call("PUT", "agents/1001/state", {"state": "NOT_READY", "reason": "meeting"})
    await shows(page, "notready")
    note = page.locator(".notes li")
    await expect(note).to_contain_text("You were set to not ready (meeting)")
    await note.get_by_role("button", name="Dismiss").click()
    await expect(note).to_have_count(0)


async def test_who_is_moved_and_logged_off_by_a_supervisor_is_told(house: House, page: Page):
    await log_on(page, house)
    answer = await house.call("PUT", f"sessions/{agent(house).sessions[0]}/acd-group", {"acd_group": "both"})
    assert answer.status == 200
    notes = page.locator(".notes .text")
    await expect(notes.filter(has_text="You are now logged on for both")).to_be_visible()
    await expect(notes.filter(has_text="You are no longer logged on for support")).to_be_visible()
    await expect(page.locator(".queues tbody th")).to_have_text(["sales", "support"])
    await house.set_state(agent(house).sessions[0], "SESSION_ENDED")
    await expect(page.get_by_role("button", name="Log on")).to_be_visible()
    await expect(notes.filter(has_text="You are no longer logged on for both")).to_be_visible()


async def test_a_note_stays_until_it_is_dismissed_also_over_a_reload(house: House, page: Page):
    await log_on(page, house)
    await house.call("POST", "notes", {"text": "Please be brief.", "agents": ["1001"]})
    note = page.locator(".notes li")
    await expect(note).to_contain_text("Please be brief.")
    await page.reload()
    await expect(note).to_contain_text("Please be brief.")
    await note.get_by_role("button", name="Dismiss").click()
    await expect(note).to_have_count(0)
    await page.reload()
    await shows(page, "notready")
    await expect(note).to_have_count(0)


async def test_a_new_pin_ends_the_page_and_it_asks_to_sign_in(house: House, page: Page):
    await log_on(page, house)
    assert (await house.call("PUT", "agents/1001/pin", {"pin": "8642"})).status == 204
    house.switch.join(Call("1.1", "support"))  # the stream looks again at who listens
    await expect(page.get_by_label("Agent ID")).to_be_visible()


async def test_an_acd_that_lost_its_asterisk_says_unknown_and_why(house: House, page: Page):
    await ready(page, house)
    house.switch.cut()
    await shows(page, "unknown")
    await expect(now(page).locator(".about")).to_have_text("Asterisk is not connected")


# The phone in the browser -----------------------------------------------------------------------------------


FAKE_PHONE = """
class FakePhone extends EventTarget {
  state = "registering";
  address = "";
  come() {
    Object.assign(this, { state: "registered", address: "PJSIP/1002" });
    this.dispatchEvent(new Event("change"));
  }
  fail(code) { this.dispatchEvent(new CustomEvent("failure", { detail: { code } })); }
  answer() { document.title = "answered"; this.state = "talking"; }
}
customElements.define("acd-phone", class extends HTMLElement {
  connectedCallback() { this.phone = new FakePhone(); this.textContent = this.getAttribute("agent"); }
});
"""


async def with_phone(page: Page) -> None:
    """A phone that does what the test says stands where the browser's own is."""
    site = {"version": "", "simulated": False, "browser_phone": True}
    await page.route("**/api/v1/site", lambda route: route.fulfill(json=site))
    await page.route(
        "**/phone/element.js", lambda route: route.fulfill(body=FAKE_PHONE, content_type="text/javascript")
    )
    await page.route("**/phone/phone.css", lambda route: route.fulfill(body="", content_type="text/css"))


async def test_who_chooses_the_phone_in_the_browser_is_logged_on_there_when_it_is_registered(house: House, page: Page):
    await with_phone(page)
    await sign_in(page, house)
    await page.get_by_label("Phone").select_option("The phone in this browser")
    await page.get_by_label("support").check()
    await page.get_by_role("button", name="Log on").click()
    phone = page.locator("section.phone acd-phone")
    await expect(phone).to_have_text("1001")
    assert agent(house).sessions == []
    await phone.evaluate("element => element.phone.come()")
    await shows(page, "notready")
    assert session(house).address == "PJSIP/1002"
    await page.reload()
    await expect(phone).to_be_visible()
    await phone.evaluate("element => { element.phone.state = 'ringing' }")
    await page.keyboard.press("a")
    assert await phone.evaluate("element => element.phone.state") == "talking"


async def test_a_phone_in_the_browser_that_does_not_come_up_logs_nobody_on(house: House, page: Page):
    await with_phone(page)
    await sign_in(page, house)
    await page.get_by_label("Phone").select_option("The phone in this browser")
    await page.get_by_label("support").check()
    await page.get_by_role("button", name="Log on").click()
    phone = page.locator("acd-phone")
    await phone.evaluate("element => element.phone.fail('noneFree')")
    await expect(page.get_by_role("alert")).to_contain_text("Every browser phone is in use.")
    await expect(phone).to_have_count(0)
    assert agent(house).sessions == []


# Figures, shortcuts, log-off --------------------------------------------------------------------------------


async def test_his_queues_show_who_waits_and_how_long(house: House, page: Page):
    await log_on(page, house, "both")
    house.switch.join(Call("1.1", "sales"))
    row = page.locator(".queues tr", has_text="sales")
    await expect(row.locator("td").first).to_have_text("1")
    await expect(row.locator("td").last).to_have_text("0:02")


async def test_his_figures_count_on_while_he_talks_and_his_day_is_drawn(house: House, page: Page):
    await talking(page, house)
    talk = page.locator(".figures div", has_text="Talk").locator("dd")
    await expect(talk).to_have_text("0:02")
    await expect(page.locator(".day rect[data-situation=talking]")).to_have_count(1)
    await page.locator(".time-line summary").click()
    await expect(page.locator(".stretches li").first).to_contain_text("Talking")


async def test_shortcuts_are_listed_and_can_be_switched_off(house: House, page: Page):
    await log_on(page, house)
    await page.keyboard.press("?")
    dialog = page.get_by_role("dialog")
    await expect(dialog.locator("dd", has_text="Not ready: lunch")).to_be_visible()
    await dialog.get_by_label("Shortcuts of one key").uncheck()
    await page.keyboard.press("Escape")
    await page.keyboard.press("r")
    await page.keyboard.press("?")
    await expect(dialog).to_be_hidden()
    await button(page, "Ready").click()  # by then an r would have been answered
    await shows(page, "ready")
    assert [each["Paused"] for each in house.switch.orders() if each["Action"] == "QueuePause"] == ["false"]


async def test_a_log_off_during_a_call_comes_after_it(house: House, page: Page):
    call = await talking(page, house)
    await page.keyboard.press("l")
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("You are logged off when it ends")
    await dialog.get_by_role("button", name="Log off from all groups").click()
    await expect(now(page).locator(".after")).to_have_text("After this call you are logged off from support.")
    house.switch.hang_up(call)
    await expect(page.get_by_role("button", name="Log on")).to_be_visible()
    await expect(page.locator(".notes li")).to_have_count(0)


async def test_end_of_work_can_be_thought_better_of(house: House, page: Page):
    await log_on(page, house)
    await page.get_by_role("button", name="End of work").click()
    await page.get_by_role("button", name="Cancel").click()
    await shows(page, "notready")
    assert len(agent(house).sessions) == 1


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not there")
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_in_any_situation(house: House, browser: Browser, scheme: Any):
    async with visitor(browser, color_scheme=scheme) as context:
        page = await context.new_page()
        await sign_in(page, house, "0000")
        await expect(page.get_by_role("alert")).to_be_visible()
        await find_nothing(page)
        await sign_in(page, house)
        await page.get_by_label("support").check()
        await find_nothing(page)
        await page.get_by_role("button", name="Log on").click()
        await shows(page, "notready")
        await find_nothing(page)
        await page.keyboard.press("r")
        await shows(page, "ready")
        await house.call("POST", "notes", {"text": "Please be brief."})
        await expect(page.locator(".notes li")).to_be_visible()
        await find_nothing(page)
        call = Call("1.1", "support")
        house.switch.join(call)
        house.switch.ring(call)
        await shows(page, "ringing")
        await find_nothing(page)
        house.switch.answer(call)
        await shows(page, "talking")
        await button(page, "lunch").click()
        await expect(now(page).locator(".after")).to_be_visible()
        await find_nothing(page)
        await until(lambda: house.switch.queues["support"][PHONE].paused)
        house.switch.hang_up(call)
        await shows(page, "wrapup")
        await find_nothing(page)
        await page.keyboard.press("?")
        await find_nothing(page)


async def find_nothing(page: Page) -> None:
    """Nothing that axe-core takes for a fault."""
    if await page.evaluate("() => window.axe === undefined"):
        await page.evaluate(AXE.read_text())
    found = await page.evaluate("() => axe.run(document)")
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found["violations"]] == []


@pytest.mark.parametrize("width", [390, 420, 1280])
async def test_nothing_sticks_out_sideways(house: House, browser: Browser, width: int):
    async with visitor(browser, locale="de-DE", viewport={"width": width, "height": 844}) as context:
        page = await context.new_page()
        await page.goto(str(house.client.make_url("/agent")))
        await page.get_by_label("Agentennummer").fill("1001")
        await page.get_by_label("PIN", exact=True).fill(PIN)
        await page.keyboard.press("Enter")
        for group in ("support", "both"):
            await page.get_by_label(group).check()
        await page.get_by_role("button", name="Anmelden").click()
        await shows(page, "notready")
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_what_he_presses_in_one_window_is_no_news_in_the_other(house: House, page: Page):
    await log_on(page, house)
    other = await page.context.new_page()
    await other.goto(str(house.client.make_url("/agent")))
    await shows(other, "notready")
    await page.keyboard.press("r")
    for each in (page, other):
        await shows(each, "ready")
        await expect(each.locator(".notes li")).to_have_count(0)
