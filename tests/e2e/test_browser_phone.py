"""An agent's phone in Chromium: rings, talks, holds, transfers, comes back; and its figures are true."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page

from phones.sound import voices
from tests.e2e.browser import VOICE, BrowserAgent, browser_agent, chromium
from tests.e2e.compare import compare, near
from tests.e2e.desk import Desk, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120, func_only=True)]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    async with chromium(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="session")
async def context(desk: Desk, browser: Browser) -> AsyncIterator[BrowserContext]:
    """One person's browser. It is closed before the desk looks whether everything is over."""
    context = await browser.new_context(permissions=["microphone"])
    yield context
    await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(context: BrowserContext) -> Page:
    return await context.new_page()


@pytest_asyncio.fixture(loop_scope="session")
async def alice(desk: Desk, page: Page) -> BrowserAgent:
    """Logged on for support at the phone of her browser, and ready."""
    alice = await browser_agent(desk, page, "7001", "alice")
    desk.agents.append(alice)
    await alice.log_on("support")
    await alice.set_agent("READY")
    await alice.set("READY")
    await alice.until_agent("READY")
    return alice


# Calls ----------------------------------------------------------------------------------------------------


async def test_a_call_through_a_queue_has_the_figures_that_the_browser_and_the_caller_saw(
    desk: Desk, alice: BrowserAgent
) -> None:
    caller = await desk.call("605")
    await alice.takes()
    await alice.until_session("BUSY_ON_CALL")
    await asyncio.sleep(2)
    await alice.press("Hold")
    await alice.until_state("held")
    held = asyncio.get_running_loop().time()
    await asyncio.sleep(1.5)
    await alice.press("Resume")
    await alice.until_state("talking")
    held = asyncio.get_running_loop().time() - held
    await alice.press("Hang up")
    result = await caller.ended(5)
    assert result.ended_by == "far end"
    row = await desk.row_of(caller)
    assert row["talk_time_exact"] == near(result.seconds or 0)
    assert row["hold_time_exact"] == near(held)
    await desk.settle()
    assert len(await compare(desk)) == 1
    assert (await desk.until_logged("COMPLETEAGENT")).agent == alice.user
    assert alice.failures == []


async def test_a_caller_hangs_up_and_the_browser_is_free_for_the_next_one(desk: Desk, alice: BrowserAgent) -> None:
    first = await desk.call("605", stay=2)
    await alice.takes()
    await first.ended(5)
    await alice.until_session("BUSY_WRAPUP")
    await alice.until_state("registered")
    second = await desk.call("605", stay=2)
    await alice.until_state("ringing", 8)  # after-call work comes first
    await alice.press("Answer")
    await second.ended(10)
    await desk.settle()
    assert len(await compare(desk)) == 2


async def test_a_caller_who_gives_up_stops_the_ringing(desk: Desk, alice: BrowserAgent) -> None:
    caller = await desk.call("605")
    await alice.until_state("ringing")
    await caller.hangup()
    await alice.until_state("registered")
    await desk.settle()
    (row,) = await compare(desk)
    assert row["outcome"] == "abandoned"


async def test_a_call_that_is_declined_goes_to_a_colleague(desk: Desk, alice: BrowserAgent) -> None:
    caller = await desk.call("605")
    await alice.until_state("ringing")
    bob = await desk.log_on(1002, "support", user="bob")
    await alice.press("Decline")
    await bob.takes(caller, seconds=15)
    await caller.hangup()
    await desk.settle()
    assert (await desk.row_of(caller))["agent"] == bob.id


async def test_sound_goes_both_ways_and_stops_where_it_is_muted_or_held(desk: Desk, alice: BrowserAgent) -> None:
    phone = desk.phones[1002]

    async def heard_by_the_caller() -> set[int]:
        return voices(await phone.listen(), [VOICE, 1003])

    await phone.dial("605")
    await alice.takes()
    await until_sounds(heard_by_the_caller, {VOICE})
    await until_sounds(partial(alice.hears, 1002, 1003), {1002})
    await alice.press("Mute")
    await until_sounds(heard_by_the_caller, set())
    await until_sounds(partial(alice.hears, 1002, 1003), {1002})
    await alice.press("Mute")
    await until_sounds(heard_by_the_caller, {VOICE})
    await alice.press("Hold")
    await alice.until_state("held")
    await until_sounds(heard_by_the_caller, set())
    await until_sounds(partial(alice.hears, 1002, 1003), set())
    await alice.press("Resume")
    await until_sounds(heard_by_the_caller, {VOICE})
    await until_sounds(partial(alice.hears, 1002, 1003), {1002})
    await alice.press("Hang up")
    await phone.wait_until_idle()


async def until_sounds(listen: Callable[[], Awaitable[set[int]]], wanted: set[int]) -> None:
    """Each try listens for a second."""

    async def look() -> bool:
        return await listen() == wanted

    await eventually(look, 6, f"{wanted} can be heard")


async def test_a_caller_is_transferred_to_another_phone(desk: Desk, alice: BrowserAgent) -> None:
    caller, bob = await desk.call("605"), await desk.agent(1003, "bob")
    await alice.takes()
    await alice.press("Transfer")
    await alice.page.get_by_label("Transfer to").fill("1003")
    await alice.page.keyboard.press("Enter")
    await bob.takes(caller)
    await alice.until_state("registered")
    assert (await desk.until_logged("BLINDTRANSFER")).agent == alice.user
    await caller.hangup()
    await bob.until_released(caller)
    desk.agents.remove(bob)  # his call came past the queues
    await desk.settle()
    assert len(await compare(desk)) == 1
    assert alice.failures == []


async def test_a_browser_calls_a_number_and_sends_digits(desk: Desk, alice: BrowserAgent) -> None:
    await alice.press("Call")
    await alice.page.get_by_label("Number").fill("1004")
    await alice.page.keyboard.press("Enter")
    phone = desk.phones[1004]
    await phone.wait_for("CALL_INCOMING", where=lambda event: ":1101@" in event.peer)
    await phone.answer()
    await alice.until_state("talking")
    await alice.until_agent("BUSY_OUTGOING")
    await alice.press("Keypad")
    await alice.page.get_by_role("group", name="Keypad").get_by_role("button", name="5").click()
    await phone.wait_for("CALL_DTMF_START", where=lambda event: event.raw.get("param") == "5")
    await alice.press("Hang up")
    await phone.wait_until_idle()


async def test_the_bell_rings_until_somebody_answers(desk: Desk, alice: BrowserAgent) -> None:
    async def rings() -> int:
        return int(await alice.page.evaluate("window.rings"))

    assert await rings() == 0
    caller = await desk.call("605")
    await alice.until_state("ringing")
    await eventually(rings, 2, "the bell rings")
    await eventually(lambda: at_least(rings, 2), 8, "it rings again")
    await alice.press("Answer")
    await alice.until_state("talking")
    rung = await rings()
    await asyncio.sleep(6)  # longer than from one ring to the next
    assert await rings() == rung
    await caller.hangup()
    await desk.settle()


async def at_least(look: Callable[[], Awaitable[int]], many: int) -> bool:
    return await look() >= many


async def test_a_phone_that_answers_by_itself_and_one_that_is_busy(desk: Desk, alice: BrowserAgent) -> None:
    await alice.page.get_by_text("Phone settings").click()
    await alice.page.get_by_label("Answer calls by itself").check()
    caller = await desk.call("605")
    await alice.until_state("talking")
    second = desk.phones[1005]
    second.forget()
    await second.dial("1101")
    await second.wait_for("CALL_CLOSED")  # busy: 486
    assert await alice.state() == "talking"
    await caller.hangup()
    await desk.settle()


async def test_another_microphone_is_taken_in_the_middle_of_a_call(desk: Desk, alice: BrowserAgent) -> None:
    phone = desk.phones[1002]

    async def heard_by_the_caller() -> set[int]:
        return voices(await phone.listen(), [VOICE, 1003])

    await phone.dial("605")
    await alice.takes()
    await until_sounds(heard_by_the_caller, {VOICE})
    await alice.page.get_by_text("Phone settings").click()
    chooser = alice.page.get_by_label("Microphone")
    await eventually(lambda: chooser.locator("option").count(), 5, "there are microphones")
    named = await chooser.locator("option").all_text_contents()
    assert len(named) > 1 and all(named), named
    await chooser.select_option(index=1)
    await until_sounds(heard_by_the_caller, {VOICE})
    await alice.press("Hang up")
    await phone.wait_until_idle()
    assert alice.failures == []


async def test_the_phone_can_be_used_by_people_who_cannot_see_it(desk: Desk, alice: BrowserAgent) -> None:
    await alice.page.get_by_text("Phone settings").click()
    assert await alice.complaints() == []
    caller = await desk.call("605")
    await alice.until_state("ringing")
    assert await alice.complaints() == []
    status = alice.page.get_by_role("status")
    assert caller.result.caller in (await status.text_content() or "")
    await alice.page.get_by_role("button", name="Answer").focus()
    await alice.page.keyboard.press("Enter")
    await alice.until_state("talking")
    await alice.press("Keypad")
    await alice.press("Transfer")
    assert await alice.complaints() == []
    await alice.page.keyboard.press("Escape")
    await caller.hangup()
    await desk.settle()


# The line -------------------------------------------------------------------------------------------------


async def test_a_phone_whose_line_was_lost_comes_back_by_itself(desk: Desk, alice: BrowserAgent) -> None:
    await desk.acd.kill()
    await alice.until_state("registering")
    await desk.acd.start()
    await alice.until_state("registered", 30)
    await alice.until_agent("READY")
    caller = await desk.call("605", stay=1)
    await alice.takes()
    await caller.ended(10)
    await desk.settle()


async def test_a_line_that_is_dead_without_saying_so_is_found_out(desk: Desk, alice: BrowserAgent) -> None:
    desk.acd.freeze()
    try:
        await alice.until_state("registering", 15)
    finally:
        desk.acd.thaw()
    await alice.until_state("registered", 30)


async def test_a_call_outlives_the_line_and_can_be_ended_by_either_side_after_it(
    desk: Desk, alice: BrowserAgent
) -> None:
    phone = desk.phones[1002]
    await phone.dial("605")
    await alice.takes()
    await desk.acd.kill()
    await alice.until_line("registering", 5)
    assert await alice.state() == "talking"
    await until_sounds(partial(alice.hears, 1002, 1003), {1002})
    await desk.acd.start()
    await alice.until_line("registered", 30)
    await until_sounds(partial(alice.hears, 1002, 1003), {1002})
    await phone.hangup()
    await alice.until_state("registered")


async def test_a_call_that_ended_while_the_line_was_lost_is_over_when_it_is_back(
    desk: Desk, alice: BrowserAgent
) -> None:
    phone = desk.phones[1002]
    await phone.dial("605")
    await alice.takes()
    await desk.acd.kill()
    await alice.until_line("registering", 5)
    await phone.hangup()
    await phone.wait_until_idle()
    await desk.acd.start()
    await alice.until_state("registered", 40)


async def test_asterisk_starts_again_and_the_phone_is_back(desk: Desk, alice: BrowserAgent) -> None:
    await desk.containers.stop_asterisk()
    await alice.until_state("registering", 10)
    await desk.containers.start_asterisk()
    await alice.until_state("registered", 40)
    for phone in desk.phones.values():
        await phone.wait_until_registered()
    await alice.until_agent("READY", 20)


# The page -------------------------------------------------------------------------------------------------


async def test_one_tab_has_the_phone_and_the_other_takes_it_over_when_that_is_closed(
    desk: Desk, alice: BrowserAgent, context: BrowserContext
) -> None:
    other = BrowserAgent(desk.api, alice.id, "alice's other tab", await context.new_page())
    await other.load(desk.acd.url)
    await other.until_state("elsewhere")
    assert await alice.state() == "registered"
    await alice.page.close()
    await other.until_state("registered", 10)
    await other.look_back()
    assert await other.present_address() == alice.address
    alice.page = other.page


async def test_a_reload_brings_the_same_phone_back(desk: Desk, alice: BrowserAgent) -> None:
    await alice.load(desk.acd.url)
    address = alice.address
    await alice.until_state("registered", 15)
    assert await alice.present_address() == address


async def test_who_signs_out_has_no_phone_any_more(desk: Desk, alice: BrowserAgent) -> None:
    signed_out = "async () => (await fetch('/api/v1/session', { method: 'DELETE' })).status"
    assert await alice.page.evaluate(signed_out) == 204
    await alice.until_state("offline", 10)
    await alice.page.get_by_text("You are signed out").wait_for(timeout=5000)

    async def gone() -> bool:
        return "1101/sip:" not in await desk.containers.cli("pjsip show contacts")

    assert alice.address == "PJSIP/1101"
    await eventually(gone, 20, "Asterisk has let the phone go")
    desk.agents.remove(alice)
