"""acd and Asterisk end and start again, and no figure is lost."""

import asyncio
import time

import pytest

from phones.baresip import REGISTER_EVERY
from tests.e2e.compare import compare, near
from tests.e2e.desk import WRAP_UP, Agent, Desk, Json, eventually, held_back, moment
from tests.helpers import until

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120, func_only=True)]

PASSES = ("session_duration", "acd_call_rate", "overall_call_rate", "current_longest_wait_time")  # with time alone


def _standing(body: Json) -> Json:
    return {name: value for name, value in body.items() if not name.startswith(PASSES)}


async def _everything(desk: Desk, agent: Agent) -> list[Json]:
    """All that the API tells of a desk with one agent, but for what grows with time alone."""
    body = await agent.agent()
    del body["state_since"]  # for a moment he was UNKNOWN
    bodies = [body, await agent.session(), await desk.queue("support"), *await desk.rows()]
    return [_standing(body) for body in bodies]


async def test_acd_is_killed_in_mid_call_and_every_figure_is_there_right_afterwards(desk: Desk) -> None:
    alice = await desk.log_on(1001, "support")
    earlier = await desk.call("605", stay=1)
    await alice.takes(earlier, after=0.5)
    await alice.until_session("BUSY_WRAPUP")
    await alice.wrap_up(end=True)
    caller = await desk.call("605")
    await alice.takes(caller, after=0.5)
    waiting = await desk.call("605", stay=1)
    await desk.until_waiting("support", 1)
    await alice.until_session("BUSY_ON_CALL")
    before = await _everything(desk, alice)

    await desk.acd.kill()
    await desk.acd.start()
    assert await _everything(desk, alice) == before

    await caller.hangup()
    released = (await alice.until_released(caller)).ended or 0
    await alice.until_session("BUSY_WRAPUP")
    held_back(await alice.takes(waiting, seconds=8), released, WRAP_UP["support"])
    await desk.settle()
    rows = await compare(desk)
    assert [row["estimated"] for row in rows] == [False, False, False]


async def test_a_call_that_ends_while_acd_is_away_is_booked_within_a_second(desk: Desk) -> None:
    alice = await desk.log_on(1001, "support")
    caller = await desk.call("605")
    await alice.takes(caller)
    await alice.until_session("BUSY_ON_CALL")
    await desk.acd.kill()
    await asyncio.sleep(1)
    await caller.hangup()
    heard = await alice.until_released(caller)
    await desk.acd.start()
    await alice.until_session("BUSY_WRAPUP")
    session = await alice.until_session("READY", 6)
    assert session["total_talk_time_exact"] == near(heard.seconds, 1)
    (row,) = await desk.rows()
    assert row["estimated"] and row["talk_time_exact"] == near(heard.seconds, 1)
    await desk.settle()
    await compare(desk)


async def test_calls_wholly_within_an_absence_are_in_the_ledger_with_their_times(desk: Desk) -> None:
    alice = await desk.log_on(1001, "support")
    await desk.rows()  # what was heard so far is in the store
    await desk.acd.kill()
    for _ in range(2):
        caller = await desk.call("605", stay=1.5)
        await alice.takes(caller)
        await alice.until_released(caller)
    impatient = await desk.call("605")  # alice's phone rests for two seconds: Asterisk's own floor
    await eventually(lambda: _entered(desk, 3), 3, "the third caller is in the queue")
    await impatient.hangup()
    await desk.acd.start()

    rows = await desk.rows()
    assert [(row["outcome"], row["agent"]) for row in rows] == [
        ("answered", alice.id),
        ("answered", alice.id),
        ("abandoned", None),
    ]
    assert all(row["estimated"] for row in rows)
    session = await alice.session()
    assert (session["state"], session["number_of_calls"]) == ("READY", 2)
    assert session["total_talk_time_exact"] == near(3, 2)
    assert session["total_wrap_up_time_exact"] == 0, "nothing kept the next call away"
    queue = await desk.queue("support")
    assert (queue["total_calls_queued"], queue["total_calls_answered"], queue["total_calls_abandoned"]) == (3, 2, 1)
    await compare(desk)


async def _entered(desk: Desk, many: int) -> bool:
    return len(await desk.queue_log("ENTERQUEUE")) == many


async def test_a_restored_copy_gets_the_calls_since_then_from_queue_log(desk: Desk) -> None:
    alice = await desk.log_on(1001, "support")
    earlier = await desk.call("605", stay=1)
    await alice.takes(earlier)
    await alice.until_session("BUSY_WRAPUP")
    await alice.wrap_up(end=True)
    await desk.rows()
    copy = await asyncio.to_thread(desk.acd.backup)
    later = await desk.call("605", stay=1)
    await alice.takes(later, seconds=8)
    await alice.until_session("BUSY_WRAPUP")
    await alice.until_session("READY", 6)
    expected = [(row["call"], row["agent"], row["outcome"]) for row in await desk.rows()]

    await desk.acd.kill()
    desk.acd.restore(copy)
    await desk.acd.start()
    rows = await desk.rows()
    assert [(row["call"], row["agent"], row["outcome"]) for row in rows] == expected
    assert [row["estimated"] for row in rows] == [False, True]
    assert rows[1]["talk_time_exact"] == near(1, 1)
    assert (await alice.session())["number_of_calls"] == 2


async def test_calls_outside_of_the_queues_during_an_absence_count_too(desk: Desk) -> None:
    alice, bob = await desk.log_on(1001, "support"), await desk.log_on(1002, "support")
    await desk.rows()
    await desk.acd.kill()
    await alice.phone.dial("95550103")  # answered after one second, ended by the far end three seconds later
    direct = await desk.call("1002", stay=1)
    await bob.takes(direct)
    unanswered = await desk.call("1002")
    await bob.rings(unanswered)
    await unanswered.hangup()
    await until(lambda: alice.heard and alice.heard[-1].ended, 8, "the far end hangs up")
    await desk.acd.start()
    await alice.until_agent("READY", 3)

    figures = [(await agent.agent()) for agent in (alice, bob)]
    counts = [(body["number_of_incoming_calls"], body["number_of_outgoing_calls"]) for body in figures]
    assert counts == [(0, 1), (1, 0)]
    assert [body["number_of_acd_calls"] for body in figures] == [0, 0]


async def test_calls_that_are_answered_while_acd_is_away_are_found_again(desk: Desk) -> None:
    alice, bob = await desk.log_on(1001, "support"), await desk.log_on(1002, "sales")
    seen = await desk.call("605")
    await alice.rings(seen)
    await desk.rows()  # what was heard so far is in the store
    await desk.acd.kill()
    unseen = await desk.call("601")
    await alice.takes(seen)
    await bob.takes(unseen)
    await desk.acd.start()

    rows = await desk.rows()
    assert [(row["agent"], row["outcome"], row["estimated"]) for row in rows] == [
        (alice.id, "answered", True),
        (bob.id, "answered", True),
    ]
    for agent, caller in ((alice, seen), (bob, unseen)):
        assert (await agent.session())["state"] == "BUSY_ON_CALL"
        await caller.hangup()
        await agent.until_session("BUSY_WRAPUP")
        heard = await agent.until_released(caller)
        assert (await agent.session())["total_talk_time_exact"] == near(heard.seconds, 1)  # queue_log has whole seconds
    for queue in ("support", "sales"):
        await desk.until_members(queue, "wrapup")
    await desk.settle()


async def test_acd_is_started_again_in_wrap_up_and_wrap_up_ends_when_it_would_have(desk: Desk) -> None:
    alice = await desk.log_on(1001, "support")
    second, released = await desk.wraps_up(alice)
    before = await _everything(desk, alice)

    assert await desk.acd.stop() == 0
    await desk.acd.start()
    assert await _everything(desk, alice) == before

    held_back(await alice.takes(second, seconds=8), released, WRAP_UP["support"])
    assert (await alice.session())["total_wrap_up_time_exact"] == near(WRAP_UP["support"], 0.2)
    await desk.settle()
    await compare(desk)


async def test_asterisk_is_started_again_and_the_agents_are_as_they_were(desk: Desk) -> None:
    alice = await desk.log_on(1001, "support", user="alice")
    bob = await desk.log_on(1002, "support", user="bob")
    await bob.set("NOT_READY", "lunch")
    first = await desk.call("605", stay=1)
    await alice.takes(first)
    await desk.settle()
    before = [_standing(await agent.session()) for agent in (alice, bob)]

    await desk.containers.stop_asterisk()
    await eventually(lambda: _is_unready(desk), 5, "acd is not ready")
    assert (await alice.agent())["state"] == "UNKNOWN"
    refused = await desk.api.ask("PUT", f"/sessions/{alice.sessions['support']}/state", {"state": "NOT_READY"})
    assert (refused.status, refused.body["code"]) == (503, "not-linked")

    await desk.containers.start_asterisk()
    await eventually(desk.api.ready, 20, "acd is ready again")
    await _phones_are_back(desk)
    await alice.until_agent("READY")  # UNKNOWN until then: nobody could reach her
    assert [_standing(await agent.session()) for agent in (alice, bob)] == before
    assert ["paused:lunch" in member for member in sorted(await desk.members("support"))] == [False, True]

    second = await desk.call("605", stay=1)
    await alice.takes(second, after=0.5)
    await desk.settle()
    rows = await compare(desk)
    assert [(row["agent"], row["estimated"]) for row in rows] == [(alice.id, False)] * 2
    assert not bob.rang()


async def test_asterisk_is_started_again_in_mid_call_and_the_talk_is_booked(desk: Desk) -> None:
    alice = await desk.log_on(1001, "support")
    talking = await desk.call("605")
    await alice.takes(talking)
    waiting = await desk.call("605")
    await desk.until_waiting("support", 1)
    await desk.containers.stop_asterisk()
    heard = await alice.until_released(talking)
    await eventually(lambda: _is_unready(desk), 5, "acd is not ready")
    assert (await desk.row_of(talking))["talk_time_exact"] == near(heard.seconds)

    await desk.containers.start_asterisk()
    await eventually(desk.api.ready, 20, "acd is ready again")
    await alice.until_session("READY", 6)
    assert (await desk.row_of(waiting))["outcome"] == "lost"
    await _phones_are_back(desk)
    after = await desk.call("605", stay=1)
    await alice.takes(after)
    await after.ended(5)
    queue = await desk.queue("support")
    assert (queue["total_calls_queued"], queue["total_calls_answered"], queue["final_disposition"]) == (3, 2, 1)
    assert (await alice.until_session("BUSY_WRAPUP"))["number_of_calls"] == 2


async def test_asterisk_starts_itself_again_in_mid_call_and_nobody_is_taken_for_one_who_gave_up(desk: Desk) -> None:
    alice = await desk.log_on(1001, "support")
    talking = await desk.call("605")
    await alice.takes(talking)
    waiting = await desk.call("605")
    await desk.until_waiting("support", 1)
    await desk.containers.cli("core restart now")
    await eventually(lambda: _is_unready(desk), 5, "acd is not ready")
    heard = await alice.until_released(talking)
    await eventually(desk.api.ready, 20, "acd is ready again")
    assert (await desk.row_of(talking))["talk_time_exact"] == near(heard.seconds)
    assert (await desk.row_of(waiting))["outcome"] == "lost"
    await _phones_are_back(desk)
    await desk.reaches(alice, "605")
    queue = await desk.queue("support")
    assert (queue["total_calls_answered"], queue["total_calls_abandoned"], queue["final_disposition"]) == (2, 0, 1)
    await compare(desk)


async def test_asterisk_is_killed_in_mid_call_and_the_talk_is_booked_up_to_then(desk: Desk) -> None:
    alice, bob = await desk.log_on(1001, "support"), await desk.log_on(1002, "sales")
    talking = await desk.call("605")
    await alice.takes(talking)
    wrapping = await desk.call("601", stay=1)
    await bob.takes(wrapping)
    waiting = await desk.call("605")
    await desk.until_waiting("support", 1)
    await bob.until_session("BUSY_WRAPUP")
    killed = time.time()
    await desk.containers.kill_asterisk()
    await eventually(lambda: _is_unready(desk), 5, "acd is not ready")
    for agent in (alice, bob):
        assert (await agent.agent())["state"] == "UNKNOWN"
    await desk.containers.start_asterisk()
    await eventually(desk.api.ready, 20, "acd is ready again")
    await alice.phone.hangup()  # nobody told the phone
    for caller in (talking, waiting):
        await caller.hangup()

    row = await desk.row_of(talking)
    assert row["outcome"] == "answered" and moment(row["ended"]) == near(killed)
    assert (await desk.row_of(waiting))["outcome"] == "lost"
    wrapped_up = (await desk.row_of(wrapping))["wrap_up_time_exact"]
    assert wrapped_up is None or wrapped_up == near(WRAP_UP["sales"], 1)
    await _phones_are_back(desk)
    await desk.reaches(alice, "605")
    await desk.reaches(bob, "601")
    queue = await desk.queue("support")
    assert (queue["total_calls_answered"], queue["total_calls_abandoned"], queue["final_disposition"]) == (2, 0, 1)
    assert (await alice.session())["number_of_calls"] == 2


async def _is_unready(desk: Desk) -> bool:
    return not await desk.api.ready()


async def _phones_are_back(desk: Desk) -> None:
    """Asterisk rings a phone again once it has asked after it: all are asked now, for the next test as well.

    A registration of the moment in which Asterisk was killed is lost: that phone is back when it registers next.
    """
    for extension in desk.phones:
        await desk.containers.cli(f"pjsip qualify {extension}")

    async def look() -> bool:
        return (await desk.containers.cli("pjsip show contacts")).count(" Avail ") >= len(desk.phones)

    await eventually(look, REGISTER_EVERY + 5, "the phones are in service")
    for agent in desk.agents:
        await agent.phone.wait_until_registered()
