"""What supervisors do to agents and to waiting calls, on the real Asterisk."""

import asyncio
import re

import pytest

from phones.callers import Caller
from tests.e2e.compare import compare
from tests.e2e.desk import Desk, Json, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120, func_only=True)]

NATIVE_WRAP_UP = 2.5  # seconds for which Asterisk itself offers no call after one (wrapuptime = 2)


async def _call_id(desk: Desk, caller: Caller, queue: str = "support") -> str:
    """What acd calls the call of a waiting caller."""

    async def look() -> str:
        waiting = (await desk.api.get(f"/queues/{queue}/calls"))["items"]
        return next((each["call"] for each in waiting if each["caller"] == caller.result.caller), "")

    return await eventually(look, 5, "the caller waits")


async def _waiting(desk: Desk, queue: str = "support") -> list[Json]:
    return list((await desk.api.get(f"/queues/{queue}/calls"))["items"])


async def _penalty_in_asterisk(desk: Desk, queue: str, address: str) -> int:
    line = next(each for each in await desk.members(queue) if address in each)
    found = re.search(r"with penalty (\d+)", line)
    return int(found[1]) if found else 0


async def _refuses(desk: Desk) -> None:
    """An agent whose phone is taken by a call of his own, so that callers wait; his queue counts as served."""
    await desk.log_on(1003, "support", "sales", ready=False)


async def test_an_agent_is_forced_ready_not_ready_and_off(desk: Desk) -> None:
    alice = await desk.log_on(1001, "support", ready=False)
    await alice.set_agent("READY")
    assert (await alice.set("READY"))["state"] == "READY"
    assert (await alice.set("NOT_READY", "supervisor"))["reason"] == "supervisor"
    caller = await desk.call("605")
    await desk.until_waiting("support", 1)
    await alice.set("READY")
    await alice.takes(caller)
    assert (await alice.set("SESSION_ENDED"))["next_state"] == "SESSION_ENDED"
    await caller.hangup()
    await alice.until_released(caller)
    await alice.until_session("SESSION_ENDED")
    assert await desk.members() == []


async def test_a_penalty_is_asterisks_too_and_holds_for_the_next_log_in(desk: Desk) -> None:
    alice, bob = await desk.log_on(1001, "support"), await desk.log_on(1002, "support")
    said = await desk.api.put(f"/queues/support/members/{alice.id}", {"penalty": 5})
    assert said == {"agent": alice.id, "queue": "support", "penalty": 5}
    assert await _penalty_in_asterisk(desk, "support", alice.address) == 5
    shown = {each["agent"]: each["penalty"] for each in (await desk.api.get("/queues/support/members"))["items"]}
    assert shown == {alice.id: 5, bob.id: 0}
    for first, second in ((bob, alice), (alice, bob)):
        await desk.api.put(f"/queues/support/members/{second.id}", {"penalty": 5})
        await desk.api.put(f"/queues/support/members/{first.id}", {"penalty": 1})
        caller = await desk.call("605")
        await first.takes(caller)
        await caller.hangup()
        await desk.settle()
        await asyncio.sleep(NATIVE_WRAP_UP)  # or Asterisk takes who is second
    await desk.api.put(f"/queues/support/members/{alice.id}", {"penalty": 5})
    await alice.set("SESSION_ENDED")
    await alice.log_on("support")
    assert await _penalty_in_asterisk(desk, "support", alice.address) == 5
    await desk.containers.cli(f"queue set penalty 2 on {alice.address} in support")

    async def taken_over() -> bool:
        members = (await desk.api.get("/queues/support/members"))["items"]
        return {"agent": alice.id, "penalty": 2}.items() <= members[0].items()

    await eventually(taken_over, 5, "a penalty set by others is taken over")


async def test_an_agent_is_moved_to_another_group_as_ready_as_he_was(desk: Desk) -> None:
    alice = await desk.log_on(1001, "support")
    moved = await desk.api.put(f"/sessions/{alice.sessions['support']}/acd-group", {"acd_group": "sales"})
    assert (moved["acd_group"], moved["state"]) == ("sales", "READY")
    assert (await alice.session("support"))["state"] == "SESSION_ENDED"
    assert await desk.members("support") == [] and len(await desk.members("sales")) == 1
    again = await desk.api.put(f"/sessions/{alice.sessions['support']}/acd-group", {"acd_group": "sales"})
    assert again["id"] == moved["id"]
    alice.sessions["sales"] = moved["id"]
    caller = await desk.call("601")
    await alice.takes(caller)
    await caller.hangup()
    await desk.settle()
    assert [row["queue"] for row in await compare(desk)] == ["sales"]


async def test_an_agent_who_talks_is_moved_when_he_is_done(desk: Desk) -> None:
    alice = await desk.log_on(1001, "support")
    caller = await desk.call("605")
    await alice.takes(caller)
    moved = await desk.api.put(f"/sessions/{alice.sessions['support']}/acd-group", {"acd_group": "sales"})
    assert (await alice.session("support"))["next_state"] == "SESSION_ENDED"
    assert (await alice.agent())["state"] == "BUSY_ACD"
    await caller.hangup()
    await alice.until_session("SESSION_ENDED", group="support")
    alice.sessions["sales"] = moved["id"]
    await alice.until_agent("READY")
    await desk.settle()
    await compare(desk)


async def test_a_waiting_caller_is_withdrawn(desk: Desk) -> None:
    await _refuses(desk)
    caller = await desk.call("600")
    call = await _call_id(desk, caller)
    said = await desk.api.post(f"/queues/support/calls/{call}/withdraw", {})
    assert said == {"call": call, "queue": "support", "waiting": False}
    await caller.ended(5)
    await desk.until_logged("WITHDRAW")

    async def booked() -> bool:
        return (await desk.row_of(caller))["outcome"] == "withdrawn"

    await eventually(booked, 5, "withdrawn")
    again = await desk.api.ask("POST", f"/queues/support/calls/{call}/withdraw", {})
    assert (again.status, again.body["code"]) == (404, "unknown-call")
    await compare(desk)


async def test_a_waiting_caller_is_moved_to_the_front(desk: Desk) -> None:
    await _refuses(desk)
    callers = [await desk.call("600") for _ in range(3)]
    calls = [await _call_id(desk, caller) for caller in callers]
    said = await desk.api.post(f"/queues/support/calls/{calls[2]}/priority", {"priority": 5})
    assert [each["call"] for each in said["items"]] == [calls[2], calls[0], calls[1]]
    assert [each["priority"] for each in said["items"]] == [5, 0, 0]
    alice = await desk.log_on(1001, "support")
    await alice.takes(callers[2])
    for caller in callers:
        await caller.hangup()
    await desk.settle()
    await compare(desk)


async def test_a_waiting_caller_is_sent_to_another_queue(desk: Desk) -> None:
    await _refuses(desk)
    caller = await desk.call("600")
    call = await _call_id(desk, caller)
    said = await desk.api.post(f"/queues/support/calls/{call}/transfer", {"queue": "sales"})
    assert [each["call"] for each in said["items"]] == [call]
    assert await _waiting(desk) == []
    bob = await desk.log_on(1002, "sales")
    await bob.takes(caller)
    await caller.hangup()
    await desk.settle()
    rows = await compare(desk)
    assert sorted((row["queue"], row["outcome"]) for row in rows) == [("sales", "answered"), ("support", "flowed_out")]
    assert (await desk.queue("sales"))["total_calls_flowed_in"] == 1


async def test_nobody_is_sent_where_asterisk_would_hang_up_on_him(desk: Desk) -> None:
    await desk.log_on(1003, "support", ready=False)
    caller = await desk.call("600")
    call = await _call_id(desk, caller)
    for queue, status, code in (("sales", 409, "queue-empty"), ("nowhere", 404, "unknown-queue")):
        refused = await desk.api.ask("POST", f"/queues/support/calls/{call}/transfer", {"queue": queue})
        assert (refused.status, refused.body["code"]) == (status, code)
    assert [each["call"] for each in await _waiting(desk)] == [call]
    await caller.hangup()
    await desk.settle()


async def test_a_call_is_hung_up_waiting_or_talking(desk: Desk) -> None:
    alice = await desk.log_on(1001, "support", ready=False)
    waiting = await desk.call("600")
    call = await _call_id(desk, waiting)
    assert (await desk.api.ask("POST", f"/calls/{call}/hangup")).status == 204
    assert (await waiting.ended(5)).ended_by == "far end"
    assert (await desk.row_of(waiting))["outcome"] == "abandoned"
    await alice.set_agent("READY")
    await alice.set("READY")
    talking = await desk.call("605")
    await alice.takes(talking)
    await asyncio.sleep(1)  # a talk that can be measured
    call = (await desk.row_of(talking))["call"]
    assert (await desk.api.ask("POST", f"/calls/{call}/hangup")).status == 204
    await alice.until_released(talking)
    await desk.settle()
    gone = await desk.api.ask("POST", f"/calls/{call}/hangup")
    assert (gone.status, gone.body["code"]) == (404, "unknown-call")
    await compare(desk)


async def test_a_note_reaches_agents_by_the_stream(desk: Desk) -> None:
    alice = await desk.log_on(1001, "support")
    after = (await desk.api.get("//api/v1/picture"))["seq"]
    said = await desk.api.post("/notes", {"text": "Ten are waiting.", "groups": ["support"]})
    assert said["seq"] > after
    told = await desk.stream_until(after, lambda envelope: envelope["type"] == "note")
    assert (told["seq"], told["subject"]["text"]) == (said["seq"], "Ten are waiting.")
    assert (await alice.agent())["state"] == "READY"
