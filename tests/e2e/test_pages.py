"""A day in the pages, on a real Asterisk: an agent whose phone is his browser, his supervisor, the wall, the report."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Locator, Page, expect

from tests.e2e.browser import AXE, WATCH, BrowserAgent, chromium
from tests.e2e.compare import compare, near
from tests.e2e.desk import PIN, TOKEN, Desk, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(240, func_only=True)]

WITHIN = 20_000  # milliseconds for a page to show something
NOTE_MOVES = """() => {
  const { phone } = document.querySelector("acd-phone");
  phone.addEventListener("change", () => {
    const { state, line, call } = phone;
    window.moves.push({ at: Date.now() / 1000, state, line, number: call?.number ?? null, incoming: call?.incoming });
  });
}"""


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    expect.set_options(timeout=WITHIN)
    async with chromium(tmp_path_factory.mktemp("pages")) as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="session")
async def somebody(desk: Desk, browser: Browser) -> AsyncIterator[Callable[[], Awaitable[Page]]]:
    """Opens a browser of one more person; all are closed before the desk looks whether everything is over."""
    contexts: list[BrowserContext] = []

    async def opened() -> Page:
        context = await browser.new_context(
            permissions=["microphone"], locale="en-US", viewport={"width": 1280, "height": 900}
        )
        context.set_default_timeout(WITHIN)
        contexts.append(context)
        return await context.new_page()

    yield opened
    for context in contexts:
        await context.close()


class DeskAgent(BrowserAgent):
    """An agent at his desk, by the keys and buttons that he has there."""

    async def log_in(self, url: str, *groups: str) -> None:
        """From the empty page to not ready."""
        await self.page.add_init_script(WATCH)
        await self.page.goto(f"{url}/agent")
        await self.page.get_by_label("Agent ID").fill(self.id)
        await self.page.get_by_label("PIN", exact=True).fill(PIN)
        await self.page.keyboard.press("Enter")
        await self.page.get_by_label("Phone").select_option("The phone in this browser")
        for group in groups:
            await self.page.get_by_label(group, exact=True).check()
        await self.page.get_by_role("button", name="Log on", exact=True).click()
        await self.is_shown("notready")
        await self.page.evaluate(NOTE_MOVES)
        for session in (await self._api.get(f"/agents/{self.id}/sessions"))["items"]:
            self.sessions[session["acd_group"]] = session["id"]
            self.address = session["address"]

    async def is_shown(self, situation: str) -> None:
        await expect(self.page.locator("section.now")).to_have_attribute("data-situation", situation)

    async def key(self, key: str, situation: str) -> None:
        """Presses it, and sees what comes of it."""
        await self.page.keyboard.press(key)
        await self.is_shown(situation)


async def an_agent(desk: Desk, page: Page) -> DeskAgent:
    agent = DeskAgent(desk.api, "7001", "alice", page)
    await desk.api.post("/agents", {"id": agent.id, "pin": PIN, "user": agent.user})
    await agent.log_in(desk.acd.url, "support")
    desk.agents.append(agent)  # type: ignore[arg-type]  # a seat whose phone is a page
    return agent


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("row", name=re.compile(name))


async def complaints(page: Page) -> list[str]:
    """What axe-core finds that matters."""
    await page.evaluate(AXE.read_text())
    found = await page.evaluate("axe.run(document)")
    return [each["id"] for each in found["violations"] if each["impact"] in ("serious", "critical")]


async def signed_in_by_password(page: Page, url: str) -> None:
    await page.goto(url)
    await page.get_by_label("Name", exact=True).fill("carol")
    await page.get_by_label("Password").fill("correct horse battery")
    await page.get_by_role("button", name="Sign in", exact=True).click()


async def send_note(page: Page, group: str, text: str) -> None:
    await page.get_by_role("button", name="Send a note…", exact=True).click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label(group).check()
    await dialog.get_by_label("Note").fill(text)
    await dialog.get_by_role("button", name="Send", exact=True).click()
    await expect(dialog).to_be_hidden()


async def force_not_ready(page: Page, name: str, reason: str) -> None:
    await row(page, name).get_by_role("button", name=f"Not ready…: {name}").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Reason").fill(reason)
    await dialog.get_by_role("button", name="Not ready", exact=True).click()
    await expect(dialog).to_be_hidden()


async def test_a_day_from_log_in_to_report(desk: Desk, somebody: Callable[[], Awaitable[Page]]) -> None:
    """What the pages show is what happened: to the phone, to the caller, in queue_log."""
    carol = {"role": "supervisor", "password": "correct horse battery"}
    await desk.api.put("//api/v1/accounts/carol", carol)
    agent, supervisor, wall = await an_agent(desk, await somebody()), await somebody(), await somebody()
    await signed_in_by_password(supervisor, f"{desk.acd.url}/desk")
    await wall.goto(f"{desk.acd.url}/#sign-in={TOKEN}")

    # Work begins
    card = wall.locator(".agent", has_text="alice")
    await expect(card).to_have_attribute("data-situation", "notready")
    await agent.key("r", "ready")
    await expect(card).to_have_attribute("data-situation", "ready")
    await expect(row(supervisor, "alice").locator(".what")).to_contain_text("Ready")

    # A call
    caller = await desk.call("605")
    await agent.is_shown("ringing")
    await agent.until_state("ringing")
    await expect(agent.page.locator("section.now")).to_contain_text(caller.result.caller)
    await agent.key("a", "talking")
    await expect(card).to_contain_text(f"support: {caller.result.caller}")
    await expect(row(supervisor, "alice")).to_contain_text(caller.result.caller)
    await agent.key("h", "hold")
    held = asyncio.get_running_loop().time()
    await asyncio.sleep(1.5)  # the length of the hold, which is compared
    await agent.key("h", "talking")
    held = asyncio.get_running_loop().time() - held

    # The supervisor has something to say, and to order
    await send_note(supervisor, "support", "Training at ten.")
    await expect(agent.page.locator(".notes")).to_contain_text("Training at ten.")
    await force_not_ready(supervisor, "alice", "training")

    # The end of the call, and its wrap-up
    await agent.key("x", "wrapup")
    await agent.page.get_by_role("button", name="A question").click()
    result = await caller.ended(5)
    await agent.is_shown("notready")  # when the count-down is over
    await expect(agent.page.locator("section.now")).to_contain_text("training")
    await expect(card).to_contain_text("training")
    call = await desk.row_of(caller)
    assert (call["outcome"], call["disposition"]) == ("answered", "question")
    assert call["talk_time_exact"] == near(result.seconds or 0)
    assert call["hold_time_exact"] == near(held, 1.0)  # the test sees it in the page, a little late

    # The figures of the day
    await expect(agent.page.locator(".figures dd").first).to_have_text("1", timeout=40_000)
    await supervisor.get_by_role("link", name="Reports").click()
    await supervisor.get_by_role("button", name="Show", exact=True).click()
    cells = row(supervisor, "^support").get_by_role("cell")
    await expect(cells.nth(0)).to_have_text("1")
    await expect(wall.locator('.tile[data-name="levelToday"] .value')).to_have_text("100%", timeout=40_000)
    for page in (agent.page, supervisor, wall):
        assert await complaints(page) == []

    # Work ends
    await agent.page.get_by_role("button", name="End of work").click()
    await agent.page.get_by_role("button", name="Log off from all groups").click()
    await expect(agent.page.get_by_role("button", name="Log on", exact=True)).to_be_visible()
    await expect(card).to_have_count(0)
    await agent.look_back()
    assert len(await compare(desk)) == 1


async def test_the_desk_survives_a_restart_of_acd_in_the_middle_of_a_call(
    desk: Desk, somebody: Callable[[], Awaitable[Page]]
) -> None:
    """The sound goes on, the page says that it is stale, and then shows what is so."""
    agent = await an_agent(desk, await somebody())
    await agent.key("r", "ready")
    caller = await desk.call("605")
    await agent.until_state("ringing")
    await agent.key("a", "talking")
    await desk.acd.kill()
    stale = agent.page.locator(".banner.stale")
    await expect(stale).to_be_visible()
    await desk.acd.start()
    await expect(stale).to_be_hidden()
    await agent.is_shown("talking")
    assert (await agent.session())["state"] == "BUSY_ON_CALL"
    await eventually(lambda: _registered(agent), 30, "the phone's line is back")
    await agent.key("x", "wrapup")
    await caller.ended(5)
    row = await desk.row_of(caller)
    assert row["talk_time_exact"] == near(caller.result.seconds or 0)


async def _registered(agent: BrowserAgent) -> bool:
    return bool(await agent.page.evaluate("document.querySelector('acd-phone').phone.line") == "registered")
