"""The supervisor desk in Chromium, over a whole call center in this process."""

import asyncio
import csv
import io
import json
import re
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from acd.access.principals import Role
from acd.core.states import AgentState, SessionState
from tests.asterisk.fake_ami import Headers, success
from tests.helpers import until
from tests.pages.conftest import as_admin, visitor
from tests.pages.test_accessibility import findings
from tests.reports.books import a_call, abandoned, does
from tests.web.house import PHONE, House, open_house
from tests.web.switch import Call, Switch
from tests.web.test_reports import keep, spend

pytestmark = pytest.mark.asyncio(loop_scope="session")

MY_PHONE = "PJSIP/1020"
SETTINGS = {"reasons": ["lunch", "training"], "wrap_up": 30}


@pytest_asyncio.fixture(loop_scope="session")
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path, Supervised, **SETTINGS) as house:
        yield house


class Supervised:
    """Teaches a switch what supervisors do to calls."""

    def __init__(self, switch: Switch) -> None:
        self.switch = switch
        switch.devices = {PHONE: "NOT_INUSE", MY_PHONE: "NOT_INUSE"}
        acts = {
            "QueueWithdrawCaller": self.leave,
            "QueueChangePriorityCaller": self.prioritise,
            "Redirect": self.redirect,
            "Hangup": self.hang_up,
            "Originate": self.originate,
        }
        for name, act in acts.items():
            switch.answers[name] = lambda action, act=act: self.after(action, act)

    def after(self, action: Headers, act) -> bytes:
        """Asterisk answers first."""
        asyncio.get_running_loop().call_soon(act, action)
        return success("done")(action)

    def call_of(self, channel: str) -> str:
        return next(each["Uniqueid"] for each in self.switch.channels if each["Channel"] == channel)

    def leave(self, action: Headers) -> None:
        self.switch.tell("QueueCallerLeave", Uniqueid=self.call_of(action["Caller"]), Queue=action["Queue"])

    def prioritise(self, action: Headers) -> None:
        for entry in self.switch.entries:
            if entry["Channel"] == action["Caller"]:
                entry["Priority"] = action["Priority"]

    def redirect(self, action: Headers) -> None:
        id = self.call_of(action["Channel"])
        self.switch.tell("QueueCallerLeave", Uniqueid=id, Queue="support")
        self.switch.join(Call(id, action["Exten"]))

    def hang_up(self, action: Headers) -> None:
        id = action["Channel"]
        self.switch.tell("Hangup", Channel=f"{MY_PHONE}-1", ChannelState=6, Uniqueid=id)

    def originate(self, action: Headers) -> None:
        id, channel = action["ChannelId"], f"{action['Channel']}-1"
        self.switch.tell("Newchannel", Channel=channel, ChannelState=0, Uniqueid=id, Linkedid=id)
        self.switch.tell("DialBegin", DestUniqueid=id)
        self.switch.tell("ChanSpyStart", SpyerUniqueid=id)


def waits(house: House, call: Call, position: int = 1) -> None:
    """A caller who waits, and whom Asterisk's lists show."""
    channel = f"PJSIP/trunk-{call.id}"
    house.switch.channels.append({"Channel": channel, "Uniqueid": call.id, "Linkedid": call.id, "ChannelState": "6"})
    entry = {"Queue": call.queue, "Channel": channel, "Uniqueid": call.id, "Position": str(position), "Priority": "0"}
    house.switch.entries.append({**entry, "CallerIDNum": call.caller, "Wait": "1"})
    house.switch.join(call, position=position)


def waiting(house: House, queue: str) -> list[str]:
    state = house.center.state
    return [state.visits[key].call for key in state.queues[queue].waiting]


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("row", name=re.compile(name))


def outcome(page: Page) -> Locator:
    return page.locator(".outcome [role=status]")


async def menu(page: Page, who: str, act: str) -> None:
    """An action out of an agent's menu."""
    await row(page, who).get_by_role("button", name=f"Actions: {who}").click()
    await page.get_by_role("button", name=f"{act}: {who}", exact=True).locator("visible=true").last.click()


async def answer(page: Page, button: str, **fields: str) -> None:
    """What the dialog asks for, and its button."""
    dialog = page.get_by_role("dialog")
    for label, text in fields.items():
        field = dialog.get_by_label(label.replace("_", " "))
        if await field.evaluate("(each) => each.tagName") == "SELECT":
            await field.select_option(text)
        else:
            await field.fill(text)
    await dialog.get_by_role("button", name=button, exact=True).click()


async def sign_in(page: Page, house: House, token: str, path: str = "/desk") -> None:
    await page.goto(str(house.client.make_url(f"{path}#sign-in={quote(token)}")))


async def go(page: Page, hash: str) -> None:
    await page.evaluate("(hash) => (location.hash = hash)", hash)


@pytest_asyncio.fixture(loop_scope="session")
async def desk(house: House, page: Page) -> Page:
    """The desk, opened by an administrator, with alice logged on and not ready."""
    await house.agent("1001", "alice")
    await house.log_on()
    await as_admin(page, house, "/desk")
    await expect(page.get_by_role("heading", name="Agents")).to_be_visible(timeout=20_000)  # the first one warms up
    return page


def the_session(house: House):
    (key,) = house.center.agent("1001").sessions
    return house.session(key)


# Agents ------------------------------------------------------------


async def test_an_agent_is_made_ready_and_not_ready_and_told_when_asterisk_has_confirmed_it(house: House, desk: Page):
    await row(desk, "alice").get_by_role("button", name="Ready: alice", exact=True).click()
    await expect(outcome(desk)).to_have_text(re.compile("alice is ready"))
    assert house.center.agent("1001").state is AgentState.READY
    assert the_session(house).state is SessionState.READY
    assert not house.switch.queues["support"][PHONE].paused
    await row(desk, "alice").get_by_role("button", name="Not ready…: alice").click()
    await answer(desk, "Not ready", Reason="lunch")
    await expect(outcome(desk)).to_have_text(re.compile(r"alice is not ready \(lunch\)"))
    assert house.switch.queues["support"][PHONE].reason == "lunch"
    await expect(row(desk, "alice")).to_contain_text("lunch")


async def test_a_command_waits_at_its_own_button_alone_and_nothing_is_shown_before_it_is_so(house: House, desk: Page):
    house.switch.events_late_by = 1.0
    ready = row(desk, "alice").get_by_role("button").first
    await ready.click()
    await expect(
        row(desk, "alice").get_by_role("button", name=re.compile("Waiting for Asterisk")).first
    ).to_be_visible()
    await expect(row(desk, "alice").locator(".what")).to_contain_text("Not ready")
    await expect(outcome(desk)).to_have_text("")
    await expect(desk.get_by_role("button", name="Send a note…")).not_to_have_attribute("aria-disabled", "true")
    await expect(outcome(desk)).to_have_text(re.compile("alice is ready"))
    await expect(row(desk, "alice").locator(".what")).to_contain_text("Ready")


async def test_a_refusal_is_told_in_its_own_words(house: House, desk: Page):
    await menu(desk, "alice", "Log on…")
    await answer(desk, "Log on", Group="both", Phone="SIP/1001")
    await expect(outcome(desk)).to_contain_text(
        "That did not work: The phone 'SIP/1001' may not be used for ACD calls."
    )
    assert len(house.center.agent("1001").sessions) == 1


async def test_log_off_asks_first_and_does_nothing_when_it_is_called_off(house: House, desk: Page):
    await menu(desk, "alice", "Log off")
    await expect(desk.get_by_role("dialog")).to_contain_text("alice is logged off from: support")
    await desk.keyboard.press("Escape")
    await expect(desk.get_by_role("dialog")).to_have_count(0)
    await expect(row(desk, "alice").get_by_role("button", name="Actions: alice")).to_be_focused()
    assert house.center.agent("1001").sessions
    await menu(desk, "alice", "Log off")
    await answer(desk, "Log off")
    await expect(outcome(desk)).to_contain_text("alice is logged off")
    assert not house.center.agent("1001").sessions
    assert house.switch.queues["support"] == {}


async def test_an_agent_is_logged_on_for_a_group_at_a_phone(house: House, desk: Page):
    await house.agent("1002", "bob")
    await row(desk, "bob").get_by_role("button", name="Log on…: bob").click()
    await answer(desk, "Log on", Group="both", Phone="PJSIP/1002")
    await expect(outcome(desk)).to_contain_text("bob is logged on for both at PJSIP/1002, not ready")
    assert "PJSIP/1002" in house.switch.queues["sales"]


async def test_a_session_is_moved_to_another_group_and_has_its_own_readiness(house: House, desk: Page):
    await go(desk, "#agents/main/1001")
    part = desk.get_by_label("Logged on for").first
    await part.get_by_role("button", name="Ready: alice in support", exact=True).click()
    await expect(outcome(desk)).to_contain_text("alice in support is ready")
    assert the_session(house).state is SessionState.READY
    await part.get_by_role("button", name="Move…: alice in support").click()
    await answer(desk, "Move", Group="both")
    await expect(outcome(desk)).to_contain_text("alice is in both")
    assert the_session(house).group == "both"
    await part.get_by_role("button", name="Log off: alice in both").click()
    await answer(desk, "Log off")
    await expect(part).to_contain_text("Logged off.")


async def test_wrap_up_is_extended_and_ended(house: House, page: Page):
    key, _ = await house.in_wrap_up()
    until_then = house.session(key).wrap_up_until
    await as_admin(page, house, "/desk")
    await menu(page, "1001", "Extend wrap-up…")
    await answer(page, "Set", Seconds="90")
    await expect(outcome(page)).to_contain_text("90 s longer")
    assert house.session(key).wrap_up_until == pytest.approx(until_then + 90)
    await menu(page, "1001", "End wrap-up")
    await expect(outcome(page)).to_contain_text("1001 has ended wrap-up")
    assert house.session(key).state is SessionState.READY


async def test_wrap_up_time_measurement_period_and_penalty_are_set(house: House, desk: Page):
    await go(desk, "#agents/main/1001")
    await desk.get_by_role("button", name="Wrap-up time…: alice").click()
    await answer(desk, "Set", Seconds="45")
    await expect(outcome(desk)).to_contain_text("alice has 45 s for wrap-up")
    await desk.get_by_role("button", name="Wrap-up time…: alice").click()
    await answer(desk, "Set", Seconds="")
    await expect(outcome(desk)).to_contain_text("as the queue gives")
    assert house.center.agent("1001").wrap_up is None
    await desk.get_by_role("button", name="Measurement period…: alice").click()
    await answer(desk, "Set", Seconds="3600")
    await expect(outcome(desk)).to_contain_text("3600 s")
    assert house.center.agent("1001").measured.seconds == 3600
    await desk.get_by_role("button", name="Penalty…: alice, support").click()
    await answer(desk, "Set", Penalty="4")
    await expect(outcome(desk)).to_contain_text("alice has the penalty 4 in support")
    assert house.switch.queues["support"][PHONE].penalty == 4
    await expect(
        desk.get_by_label("Place in the queues").get_by_role("row", name=re.compile("support"))
    ).to_contain_text("4")


async def test_a_supervisor_listens_with_his_own_phone_which_is_asked_for_once(house: House, page: Page):
    await house.on_a_call()
    await as_admin(page, house, "/desk")
    await menu(page, "1001", "Listen")
    await answer(page, "Save", Phone=MY_PHONE)
    await expect(outcome(page)).to_contain_text(f"{MY_PHONE} rings: answer, and you hear 1001")
    (monitor,) = house.center.state.monitors.values()
    assert (monitor.agent, monitor.mode, monitor.address) == ("1001", "listen", MY_PHONE)
    await expect(row(page, "1001")).to_contain_text("somebody listens")
    await page.reload()
    await expect(row(page, "1001")).to_contain_text("somebody listens")
    await menu(page, "1001", "Stop listening")
    await expect(outcome(page)).to_contain_text("Nobody listens to 1001")
    assert house.center.state.monitors == {}
    await menu(page, "1001", "Whisper")
    await expect(outcome(page)).to_contain_text("1001 alone hears you")
    (monitor,) = house.center.state.monitors.values()
    assert monitor.mode == "whisper"


async def test_a_note_goes_to_the_agents_of_a_group_or_to_one(house: House, desk: Page):
    async with house.socket(f"?after={house.feed.seq}&type=note") as stream:
        await desk.get_by_role("button", name="Send a note…", exact=True).click()
        await desk.get_by_role("dialog").get_by_label("support").check()
        await answer(desk, "Send", Note="Ten are waiting.")
        await expect(outcome(desk)).to_contain_text("The note is sent to: support.")
        await menu(desk, "alice", "Send a note…")
        await answer(desk, "Send", Note="Well done.")
        await expect(outcome(desk)).to_contain_text("The note to alice is sent.")
        notes = [json.loads((await stream.receive(5)).data)["subject"] for _ in range(2)]
    told = [(each["text"], each["groups"], each["agents"]) for each in notes]
    assert told == [("Ten are waiting.", ["support"], []), ("Well done.", [], ["1001"])]


async def test_agents_are_found_filtered_and_sorted_and_the_address_keeps_it(house: House, desk: Page):
    for number, user in ((2, "bob"), (3, "carol")):
        await house.agent(f"100{number}", user)
    names = desk.locator("table.agents tbody th a")
    await expect(names).to_have_text(["alice", "bob", "carol"])
    await desk.get_by_label("Name or id").fill("1003")
    await expect(names).to_have_text(["carol"])
    await desk.get_by_label("Name or id").fill("")
    await desk.get_by_label("State").select_option("notready")
    await expect(names).to_have_text(["alice"])
    await desk.reload()
    await expect(names).to_have_text(["alice"])
    await desk.get_by_label("State").select_option("")
    await desk.get_by_label("Group").select_option("both")
    await expect(names).to_have_count(0)
    await house.log_on("1002", "both", "PJSIP/1002")
    await expect(names).to_have_text(["bob"])


async def test_rows_do_not_move_away_under_the_pointer(house: House, desk: Page):
    await house.ready("support", "1002")
    names = desk.locator("table.agents tbody th a")
    await expect(names).to_have_text(["alice", "1002"])  # not ready comes before ready
    await row(desk, "alice").hover()
    await house.set_state(the_session(house).id, "READY")
    await house.call("PUT", "agents/1001/state", {"state": "READY"})
    await house.call("PUT", "agents/1002/state", {"state": "NOT_READY"})
    await expect(row(desk, "alice").locator(".what")).to_contain_text("Ready")
    await expect(row(desk, "^1002").locator(".what")).to_contain_text("Not ready")
    await expect(names).to_have_text(["alice", "1002"])
    await desk.get_by_role("heading", name="Agents").hover()
    await house.call("PUT", "agents/1001/wrap-up-time", {"seconds": 5})
    await expect(names).to_have_text(["1002", "alice"])


# Callers and queues ------------------------------------------------------------


async def test_waiting_callers_are_put_first_sent_elsewhere_and_taken_out(house: House, desk: Page):
    await house.log_on("1001", "both", "PJSIP/1002")  # transfer needs somebody in sales
    for number in (1, 2, 3):
        waits(house, Call(f"1.{number}", "support", caller=f"+49{number}"), number)
    await go(desk, "#calls")
    await row(desk, r"\+492").get_by_role("button", name="Priority…: +492").click()
    await answer(desk, "Set", Priority="5")
    await expect(outcome(desk)).to_contain_text("+492 has the priority 5")
    await expect(row(desk, r"\+492")).to_contain_text("5")
    await row(desk, r"\+491").get_by_role("button", name="Transfer…: +491").click()
    await answer(desk, "Transfer", Queue="sales")
    await expect(outcome(desk)).to_contain_text("+491 waits in sales")
    assert waiting(house, "sales") == ["1.1"]
    await row(desk, r"\+493").get_by_role("button", name="Take out: +493").click()
    await expect(desk.get_by_role("dialog")).to_contain_text("+493 leaves the queue support")
    await answer(desk, "Take out")
    await expect(outcome(desk)).to_contain_text("+493 has left the queue support")
    await expect(row(desk, r"\+493")).to_have_count(0)
    assert waiting(house, "support") == ["1.2"]


async def test_a_waiting_caller_is_hung_up_after_a_question(house: House, desk: Page):
    waits(house, Call("1.1", "support", caller="+491"))
    await go(desk, "#queues/main/support")
    await desk.get_by_role("button", name="Hang up: +491").click()
    assert waiting(house, "support") == ["1.1"]
    await answer(desk, "Hang up")
    await expect(outcome(desk)).to_contain_text("The call of +491 is over")
    assert waiting(house, "support") == []
    await expect(desk.get_by_text("Nobody waits.")).to_be_visible()


async def test_a_queues_wrap_up_time_and_measurement_period_are_set(house: House, desk: Page):
    await go(desk, "#queues/main/support")
    await desk.get_by_role("button", name="Wrap-up time…: support").click()
    await answer(desk, "Set", Seconds="20")
    await expect(outcome(desk)).to_contain_text("The queue support gives 20 s for wrap-up")
    assert house.center.state.queues["support"].wrap_up == 20.0
    await desk.get_by_role("button", name="Measurement period…: support").click()
    await answer(desk, "Set", Seconds="7200")
    await expect(outcome(desk)).to_contain_text("7200 s")
    assert house.center.state.queues["support"].measured.seconds == 7200


async def test_the_chart_of_a_queue_says_what_the_report_says(house: House, desk: Page):
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp()
    keep(house, a_call(noon, key="a"), a_call(noon + 60, key="b", wait_time=25.0), abandoned(noon + 120, key="c"))
    await go(desk, "#queues/main/support?date=2026-03-02&interval=30m")
    bar = desk.locator("svg.chart g.bar")
    await expect(bar).to_have_count(1)
    text = "3 offered, 2 answered, 1 abandoned, service level 33%"
    await expect(bar).to_have_attribute("aria-label", re.compile(text))
    await bar.focus()
    await expect(desk.locator(".details")).to_contain_text(text)
    await desk.get_by_text("As a table").click()
    await expect(desk.get_by_role("table", name="Calls by intervals").locator("tbody td")).to_have_text(
        ["3", "2", "1", "33%"]
    )


# The day of an agent, and reports ------------------------------------------------------------


async def a_day(house: House) -> None:
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp()
    keep(house, a_call(noon, key="a", caller="+4930555"))
    spend(
        house,
        does("1001", noon - 600, "READY"),
        does("1001", noon + 4, "BUSY_ACD"),
        does("1001", noon + 64, "BUSY_ACD", wrap_up=True),
        does("1001", noon + 74, "NOT_READY", "lunch"),
        does("1001", noon + 674, "LOGGED_OFF"),
    )


async def test_the_time_line_shows_the_days_stretches_and_calls(house: House, desk: Page):
    await a_day(house)
    await go(desk, "#agents/main/1001/day?date=2026-03-02")
    blocks = desk.locator("svg.timeline .block")
    await expect(blocks).to_have_count(5)
    told = await blocks.evaluate_all("(each) => each.map((block) => block.getAttribute('aria-label'))")
    assert sorted(each.split(": ", 1)[1] for each in told) == [
        "Not ready (lunch), 10:00",
        "Ready, 10:04",
        "Talking, 1:00",
        "Wrap-up, 0:10",
        "call in support, +4930555; talk 1:00, of it on hold 0:05; wrap-up 0:10",
    ]
    await blocks.first.focus()
    await expect(desk.locator(".details")).to_contain_text("Ready, 10:04")
    await desk.keyboard.press("End")
    await expect(desk.locator(".details")).to_contain_text("Not ready (lunch), 10:00")
    await desk.get_by_text("As a table").click()
    await expect(desk.get_by_role("table", name="What the agent did").locator("tbody tr")).to_have_count(4)
    await desk.get_by_role("button", name="Day after").click()
    await expect(desk.get_by_text("Not logged on on this day.")).to_be_visible()
    assert "date=2026-03-03" in desk.url


async def test_a_report_is_shown_with_its_figures_and_its_csv_is_that_of_the_api(house: House, desk: Page):
    await a_day(house)
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp()
    keep(house, abandoned(noon + 120, key="c"))
    await go(desk, "#reports")
    await desk.get_by_label("Period").select_option("custom")
    await desk.get_by_label("From").fill("2026-03-02T00:00")
    await desk.get_by_label("To").fill("2026-03-03T00:00")
    await desk.get_by_label("Time zone").fill("UTC")
    await desk.get_by_role("button", name="Show", exact=True).click()
    table = desk.get_by_role("table", name="Queues")
    cells = table.get_by_role("row", name=re.compile("^support")).get_by_role("cell")
    await expect(cells.nth(0)).to_have_text("2")
    await expect(cells.nth(3)).to_have_text("50%")
    await desk.get_by_label("How the figures are computed").check()
    await expect(cells.nth(3)).to_have_text(re.compile("1 / 2"))
    await expect(table.get_by_role("columnheader", name="Service level")).to_contain_text("Answered in time ÷ Offered")
    async with desk.expect_download() as downloaded:
        await desk.get_by_role("link", name="Download CSV").click()
    text = Path(await (await downloaded.value).path()).read_bytes().decode()
    of_api = await house.call("GET", "reports/queues?from=2026-03-02T00:00&to=2026-03-03T00:00&tz=UTC&format=csv")
    assert text == of_api.text
    assert [each["offered"] for each in csv.DictReader(io.StringIO(text)) if each["queue"] == "support"] == ["2"]
    await desk.reload()
    await expect(cells.nth(0)).to_have_text("2")


@pytest.mark.parametrize(
    "report", ["queues", "intervals", "agents", "agent-intervals", "reasons", "dispositions", "calls"]
)
async def test_every_report_can_be_asked_for_with_all_its_fields(house: House, desk: Page, report: str):
    await a_day(house)
    span = "period=custom&from=2026-03-02T00:00&to=2026-03-03T00:00&tz=UTC"
    await go(desk, f"#reports?report={report}&{span}")
    await expect(desk.locator("main table tbody tr").first).to_be_visible()
    await desk.get_by_label("All fields").check()
    body = (await house.call("GET", f"reports/{report}?{span.replace('period=custom&', '')}")).body
    fields = [name for name in body["items"][0] if name != "histogram"]
    await expect(desk.locator("main table thead th")).to_have_count(len(fields))
    assert "_" not in " ".join(await desk.locator("main table thead th").all_text_contents())


# Who may come in ------------------------------------------------------------


async def test_a_supervisor_of_some_groups_sees_them_alone_and_no_administration(house: House, page: Page):
    await house.ready("support", "1001")
    await house.ready("both", "1002")
    token = house.register.make_token("of support", Role.SUPERVISOR, "test", groups=["support"]).text
    await sign_in(page, house, token)
    await expect(page.locator("table.agents tbody th a")).to_have_text(["1001"])
    await expect(page.get_by_role("link", name="Administration")).to_have_count(0)
    await go(page, "#queues")
    await expect(page.locator("main tbody tr")).to_have_count(1)
    await go(page, "#agents/main/1002")
    await expect(page.get_by_text("There is no such agent within your reach")).to_be_visible()
    await go(page, "#admin/accounts")
    await expect(page.get_by_role("heading", name="Agents")).to_be_visible()
    await row(page, "1001").get_by_role("button", name="Not ready…: 1001").click()
    await answer(page, "Not ready")
    await expect(outcome(page)).to_contain_text("1001 is not ready")


@pytest.mark.parametrize("role", [Role.INTEGRATION, Role.AGENT])
async def test_agents_and_programs_that_only_read_do_not_get_in(house: House, page: Page, role: Role):
    await house.agent()
    of_agent = {"handler": "main", "agent": "1001"} if role is Role.AGENT else {}
    await sign_in(page, house, house.register.make_token("somebody", role, "test", **of_agent).text)
    await expect(page.locator(".sign-in")).to_contain_text("You are signed in as")
    await expect(page.locator(".areas")).to_have_count(0)


async def test_a_lost_line_disables_the_commands_until_it_is_back(house: House, desk: Page):
    button = row(desk, "alice").get_by_role("button").first
    await desk.context.set_offline(True)
    await expect(button).to_have_attribute("aria-disabled", "true", timeout=2_000)
    await button.click(force=True)
    await desk.context.set_offline(False)
    await expect(button).not_to_have_attribute("aria-disabled", "true")
    assert the_session(house).state is SessionState.NOT_READY


async def test_the_back_button_works_and_the_heading_has_the_focus(house: House, desk: Page):
    await desk.get_by_role("link", name="alice").click()
    await expect(desk.get_by_role("heading", name="alice", level=2)).to_be_focused()
    await desk.get_by_role("link", name="The day as a picture").click()
    await expect(desk.get_by_role("heading", name="The day of alice")).to_be_focused()
    await desk.go_back()
    await desk.go_back()
    await expect(desk.get_by_role("heading", name="Agents")).to_be_focused()
    await expect(desk).to_have_title("Agents \u2013 Supervisor desk \u2013 acd")


# Administration ------------------------------------------------------------


async def test_an_account_is_made_changed_and_deleted(house: House, desk: Page):
    await go(desk, "#admin/accounts")
    await desk.get_by_role("button", name="New account…").click()
    await desk.get_by_role("dialog").get_by_label("support").check()
    await answer(desk, "Create", Name="dora", Password="correct horse")
    await expect(outcome(desk)).to_contain_text("The account dora is there")
    await expect(row(desk, "^dora")).to_contain_text("support")
    await desk.get_by_role("button", name="Change…: dora").click()
    await answer(desk, "Save", Role="admin")
    await expect(outcome(desk)).to_contain_text("dora is changed")
    (account,) = (await house.get("/api/v1/accounts"))["items"]
    assert (account["role"], account["groups"]) == ("admin", None)
    await desk.get_by_role("button", name="Delete: dora").click()
    await answer(desk, "Delete")
    await expect(outcome(desk)).to_contain_text("dora is deleted")
    assert (await house.get("/api/v1/accounts"))["items"] == []


async def test_what_somebody_else_has_changed_meanwhile_is_not_written_over(house: House, desk: Page):
    await house.call("PUT", "/api/v1/accounts/dora", {"role": "supervisor", "password": "correct horse"})
    await go(desk, "#admin/accounts")
    await desk.get_by_role("button", name="Change…: dora").click()
    await expect(desk.get_by_role("dialog")).to_be_visible()
    await house.call("PUT", "/api/v1/accounts/dora", {"role": "integration"})
    await answer(desk, "Save", Role="admin")
    await expect(outcome(desk)).to_contain_text("Somebody else has changed it meanwhile")
    assert (await house.get("/api/v1/accounts/dora"))["role"] == "integration"


async def test_the_secret_of_a_new_token_is_shown_once_and_works_until_it_is_revoked(house: House, desk: Page):
    await go(desk, "#admin/tokens")
    await desk.get_by_role("button", name="New token…").click()
    await answer(desk, "Create", Name="wallboard", Role="integration")
    secret = await desk.get_by_role("dialog").get_by_label("The new token").input_value()
    assert (await house.call("GET", "/api/v1/session", token=secret)).body["role"] == "integration"
    await desk.get_by_role("dialog").get_by_role("button", name="Close").click()
    await expect(desk.locator("dialog")).to_have_count(0)
    assert secret not in await desk.content()
    await desk.get_by_role("button", name="Revoke: wallboard").click()
    await answer(desk, "Revoke")
    await expect(outcome(desk)).to_contain_text("The token wallboard is revoked")
    assert (await house.call("GET", "/api/v1/session", token=secret)).status == 401


async def test_an_agent_is_made_and_has_the_pin_that_was_given_last(house: House, desk: Page):
    await go(desk, "#admin/people")
    await desk.get_by_role("button", name="New agent…").click()
    await answer(desk, "Create", Name="bob", Id="1002", PIN="1111")
    await expect(outcome(desk)).to_contain_text("The agent bob is there")
    await desk.get_by_role("button", name="New PIN…: bob").click()
    await answer(desk, "Save", PIN="2222")
    await expect(outcome(desk)).to_contain_text("bob has a new PIN")
    await house.handler.commands.check_pin("1002", "2222")


async def test_a_group_is_made_changed_and_deleted(house: House, desk: Page):
    await go(desk, "#admin/groups")
    await desk.get_by_role("button", name="New group…").click()
    await desk.get_by_role("dialog").get_by_label("sales").check()
    await answer(desk, "Create", Name="shop")
    await expect(outcome(desk)).to_contain_text("The group shop is there")
    assert house.center.group("shop").queues == ["sales"]
    await desk.get_by_role("button", name="Change…: shop").click()
    await desk.get_by_role("dialog").get_by_label("support").check()
    await answer(desk, "Save")
    await expect(row(desk, "^shop")).to_contain_text("sales, support")
    await desk.get_by_role("button", name="Delete: support").click()
    await answer(desk, "Delete")
    await expect(outcome(desk)).to_contain_text("That did not work")  # alice is logged on for it
    await desk.get_by_role("button", name="Delete: shop").click()
    await answer(desk, "Delete")
    await expect(outcome(desk)).to_contain_text("shop is deleted")
    assert "shop" not in house.center.state.groups


async def test_the_audit_log_is_searched_and_goes_back_page_by_page(house: House, desk: Page):
    for number in range(120):
        await house.call("PUT", "agents/1001/wrap-up-time", {"seconds": number})
    await house.call("PUT", "agents/9999/wrap-up-time", {"seconds": 1})
    await go(desk, "#admin/audit")
    rows = desk.locator("table.audit tbody tr")
    await expect(rows).to_have_count(100)
    await expect(rows.first).to_contain_text("✖ 404 unknown-agent")
    await desk.get_by_role("button", name="Show older ones").click()
    await expect(rows).to_have_count(124)  # with the agent, his session and the log-in of this page
    await desk.get_by_label("Path begins with").fill("/api/v1/handlers/main/agents/1001/sessions")
    await desk.get_by_role("button", name="Find").click()
    await expect(rows).to_have_count(1)
    await desk.get_by_label("Who").fill("nobody")
    await desk.get_by_role("button", name="Find").click()
    await expect(rows).to_have_count(0)


# For everybody ------------------------------------------------------------

VIEWS = ["agents", "agents/main/1001", "agents/main/1001/day?date=2026-03-02", "calls", "queues", "queues/main/support"]
VIEWS += ["reports?report=queues", "admin/accounts", "admin/tokens", "admin/people", "admin/groups", "admin/audit"]


async def test_the_desk_is_used_by_the_keyboard_alone(house: House, desk: Page):
    await desk.get_by_label("Order").focus()
    for _ in range(4):  # the button for notes, the table, alice's name, her first button
        await desk.keyboard.press("Tab")
    await expect(row(desk, "alice").get_by_role("button").first).to_be_focused()
    await desk.keyboard.press("Tab")
    await desk.keyboard.press("Enter")
    await desk.keyboard.press("ArrowDown")
    await expect(desk.get_by_role("button", name="Not ready…: alice")).to_be_focused()
    await desk.keyboard.press("Enter")
    await expect(desk.get_by_role("dialog").get_by_label("Reason")).to_be_focused()
    await desk.keyboard.type("training")
    await desk.keyboard.press("Enter")
    await expect(outcome(desk)).to_contain_text("alice is not ready (training)")
    await expect(row(desk, "alice").get_by_role("button", name="Actions: alice")).to_be_focused()


@pytest.mark.parametrize("size", [{"width": 390, "height": 844}, {"width": 1280, "height": 800}])
async def test_no_view_needs_scrolling_sideways(house: House, browser: Browser, size):
    await house.ready()
    await a_day(house)
    waits(house, Call("1.1", "support", caller="+491"))
    async with visitor(browser, viewport=size) as context:
        page = await context.new_page()
        await as_admin(page, house, "/desk")
        await expect(page.locator("main .view > *")).to_be_visible(timeout=20_000)
        for view in VIEWS:
            await go(page, f"#{view}")
            await expect(page.locator("main .view > *")).to_be_visible()
            await expect(page.get_by_text("Loading…")).to_have_count(0)
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), view


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_in_any_view(house: House, browser: Browser, scheme):
    await house.ready()
    await a_day(house)
    waits(house, Call("1.1", "support", caller="+491"))
    async with visitor(browser, color_scheme=scheme) as context:
        page = await context.new_page()
        await as_admin(page, house, "/desk")
        await expect(page.locator("main .view")).to_be_visible()
        for view in VIEWS:
            await go(page, f"#{view}")
            await expect(page.get_by_text("Loading…")).to_have_count(0)
            assert await findings(page) == [], view
        await go(page, "#agents")
        await row(page, "1001").get_by_role("button", name="Not ready…").click()
        await expect(page.get_by_role("dialog")).to_be_visible()
        assert await findings(page) == [], "the dialog"


async def test_five_hundred_agents_stay_usable(house: House, page: Page):
    for number in range(500):
        await house.call("POST", "agents", {"user": f"agent {number:03}"})
    await house.log_on("agent 250")
    await as_admin(page, house, "/desk")
    await expect(page.locator("table.agents tbody tr")).to_have_count(500)
    begun = time.monotonic()
    await page.get_by_label("Name or id").fill("agent 250")
    await expect(page.locator("table.agents tbody tr")).to_have_count(1)
    assert time.monotonic() - begun < 2.0
    await row(page, "agent 250").get_by_role("button", name="Ready: agent 250", exact=True).click()
    await expect(outcome(page)).to_contain_text("agent 250 is ready")
    await until(lambda: not house.switch.queues["support"][PHONE].paused, what="ready in Asterisk")
