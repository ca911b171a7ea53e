"""What others do to queue members, by AMI, console or a changed file, and what acd makes of it."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from acd.asterisk.message import Message
from tests.e2e.desk import Json, Seat
from tests.e2e.local_calls import LocalCalls

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120, func_only=True)]

CREW = "/etc/asterisk/generated/crew.conf"
Write = Callable[..., Awaitable[None]]
PASSES = ("session_duration", "acd_call_rate", "overall_call_rate")  # with time alone


async def _members(local: LocalCalls, queue: str) -> dict[str, Message]:
    """As Asterisk lists them, by interface."""
    listed = await local.operator.list_of("QueueStatus", Queue=queue)
    return {one.get("Location") or "": one for one in listed if one.event == "QueueMember"}


async def test_a_pause_with_a_reason_is_the_sessions_in_each_queue_it_was_set_in(local: LocalCalls) -> None:
    alice = await local.log_on("1@answers", "one", "two")
    await local.operator.send("QueuePause", Interface=alice.address, Paused="true", Reason="training")
    for queue in ("one", "two"):
        session = await alice.until_session("NOT_READY", 2, group=queue)
        assert session["reason"] == "training"
        assert (await _members(local, queue))[alice.address].get("PausedReason") == "training"
    agent = await alice.agent()
    assert (agent["state"], agent["reason"]) == ("NOT_READY", "training")

    await local.operator.send("QueuePause", Interface=alice.address, Paused="false")
    for queue in ("one", "two"):
        assert (await alice.until_session("READY", 2, group=queue))["reason"] == ""
    await alice.until_agent("READY", 2)

    await local.operator.send("QueuePause", Interface=alice.address, Queue="one", Paused="true", Reason="only here")
    assert (await alice.until_session("NOT_READY", 2, group="one"))["reason"] == "only here"
    assert (await alice.session("two"))["state"] == (await alice.agent())["state"] == "READY"
    held_back = await local.waits("one", stay=2)
    caller = await local.call("two", stay=1)
    await caller.reaches("AgentConnect")
    assert (await local.until_over(held_back))["outcome"] == "abandoned"
    await local.accounts_agree()


async def test_a_penalty_set_by_others_decides_who_is_called_and_changes_no_state(local: LocalCalls) -> None:
    alice, bob = await local.log_on("1@answers", "one", "two"), await local.log_on("2@answers", "one")
    before = [await _lasting(seat) for seat in (alice, bob)]
    await local.desk.containers.cli(f"queue set penalty 5 on {alice.address} in one")
    await local.operator.hears("QueueMemberPenalty", Interface=alice.address, Queue="one", Penalty=5)
    assert [await _lasting(seat) for seat in (alice, bob)] == before
    first = await local.call("one", stay=1)
    assert (await first.reaches("AgentConnect")).get("Interface") == bob.address

    await local.operator.send("QueuePenalty", Interface=bob.address, Penalty=9)
    await alice.set("NOT_READY", "coffee", group="one")
    await alice.set("READY", group="one")  # a pause of ours leaves it alone
    assert (await _members(local, "one"))[alice.address].get("Penalty") == "5"
    assert (await _members(local, "two"))[alice.address].get("Penalty") == "0"
    await first.gone()
    await local.end_wrap_up(bob, "one")
    second = await local.call("one", stay=1)
    assert (await second.reaches("AgentConnect")).get("Interface") == alice.address
    assert [row["agent"] for row in await local.accounts_agree()] == [bob.id, alice.id]


async def _lasting(seat: Seat) -> list[Json]:
    bodies = [await seat.agent(), *[await seat.session(group) for group in seat.sessions]]
    return [{key: value for key, value in body.items() if not key.startswith(PASSES)} for body in bodies]


@pytest.fixture
async def crew(local: LocalCalls) -> AsyncIterator[Write]:
    """Writes the static members of the queue `crew`, one a line, and has Asterisk read them."""

    async def write(*members: str) -> None:
        await local.desk.containers.write(CREW, "".join(f"member => {member}\n" for member in members))
        await local.operator.send("QueueReload", Members="yes", Queue="crew")

    yield write
    await local.desk.containers.write(CREW, "")
    await local.desk.containers.cli("queue reload all")


async def test_an_agent_can_log_off_where_a_changed_file_made_him_a_static_member(
    local: LocalCalls, crew: Write
) -> None:
    await crew("Local/1@answers/n,0,Desk One")
    alice = await local.log_on("1@answers", "crew")
    await alice.set("SESSION_ENDED")
    assert await _standing(local, "crew") == [("1", "logged off")]


async def test_a_static_members_calls_are_nobodys_until_an_agent_logs_on_there_and_at_log_off_he_is_paused(
    local: LocalCalls, crew: Write
) -> None:
    await crew("Local/1@answers/n,0,Desk One")
    assert list(await _members(local, "crew")) == ["Local/1@answers/n"]
    assert not local.operator.heard("QueueMemberAdded"), "nothing tells of it"
    nobodys = await local.call("crew", stay=1)
    await local.until_over(nobodys)

    await local.desk.acd.stop()
    await local.desk.acd.start()
    await local.wrap_up_time(0, "crew")
    alice = await local.log_on("1@answers", "crew")
    hers = await local.call("crew", stay=1)
    await local.until_over(hers)
    await alice.set("SESSION_ENDED")
    assert await _standing(local, "crew") == [("1", "logged off")]
    held_back = await local.call("crew", PATIENCE=1)
    await local.until_over(held_back)
    rows = await local.accounts_agree()
    assert [(row["agent"], row["outcome"]) for row in rows] == [
        (None, "answered"),
        (alice.id, "answered"),
        (None, "timed_out"),
    ]
    await alice.log_on("crew")
    assert (await alice.set("READY"))["state"] == "READY"
    assert await _standing(local, "crew") == [("0", "")]
    await alice.set("SESSION_ENDED")


async def test_an_agent_can_log_off_where_a_changed_file_took_his_member_away(local: LocalCalls, crew: Write) -> None:
    await crew("Local/1@answers/n,0,Desk One")
    await local.desk.acd.stop()
    await local.desk.acd.start()
    alice = await local.log_on("1@answers", "crew")
    await crew()
    try:
        assert (await alice.set("SESSION_ENDED"))["state"] == "SESSION_ENDED"
    finally:
        await crew("Local/1@answers/n,0,Desk One")
        await alice.set("SESSION_ENDED")


async def _standing(local: LocalCalls, queue: str) -> list[tuple[str | None, str | None]]:
    members = await _members(local, queue)
    return [(member.get("Paused"), member.get("PausedReason")) for member in members.values()]


async def test_asterisk_keeps_members_and_reasons_over_a_restart_while_acd_is_away(local: LocalCalls) -> None:
    alice, bob = await local.log_on("1@answers", "one", "two"), await local.log_on("2@answers", "one")
    await alice.set("NOT_READY", "lunch", group="one")
    before = [(await _lasting(seat))[1:] for seat in (alice, bob)]  # the agents were UNKNOWN meanwhile
    await local.desk.acd.stop()
    await local.restart_asterisk()

    kept = {key: (one.get("Paused"), one.get("PausedReason")) for key, one in (await _members(local, "one")).items()}
    assert kept == {alice.address: ("1", "lunch"), bob.address: ("0", "")}
    assert await _standing(local, "two") == [("0", "")]
    await local.operator.send("QueuePause", Interface=bob.address, Paused="true", Reason="by hand")
    await local.desk.acd.start()
    assert [(await _lasting(seat))[1:] for seat in (alice, bob)] == before, "what acd was asked for wins"
    assert (await alice.agent())["state"] == (await bob.agent())["state"] == "READY"
    caller = await local.call("one", stay=1)
    assert (await caller.reaches("AgentConnect")).get("Interface") == bob.address
    await caller.gone()
    await local.end_wrap_up(bob, "one")
    await local.accounts_agree()
    await local.phones_are_back()
