"""Asterisk's own pause between two calls beside acd's wrap-up: whichever is longer decides when the next call comes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from tests.e2e.compare import near
from tests.e2e.local_calls import LocalCaller, LocalCalls, at

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120, func_only=True)]

REST = 3  # wrapuptime of the queues rest-...; Asterisk counts in whole seconds
POLL = 1.3  # a waiting caller tries for an agent once a second


async def _pause_between(local: LocalCalls, first: LocalCaller, second: LocalCaller) -> float:
    """Seconds from the end of the first call to the next one's ringing."""
    connect = await first.reaches("AgentConnect")
    left = await local.operator.hears("BridgeLeave", Uniqueid=connect.get("DestUniqueid"))
    called = await second.reaches("AgentCalled", 8, Interface=connect.get("Interface"))
    return at(called) - at(left)


async def _two_calls(local: LocalCalls, queue: str, other: str) -> float:
    """One after the other, the second waiting before the first is over; the pause between them."""
    first = await local.call(queue, stay=1.2)
    await first.reaches("AgentConnect")
    second = await local.waits(other)
    pause = await _pause_between(local, first, second)
    await second.reaches("AgentConnect")
    await second.hangs_up()
    await second.gone()
    return pause


@contextlib.asynccontextmanager
async def _shared_lastcall_off(local: LocalCalls) -> AsyncIterator[None]:
    """A reload of members alone, after a change of the file, puts all of [general] back to Asterisk's defaults."""
    crew = "/etc/asterisk/generated/crew.conf"
    await local.desk.containers.write(crew, "; changed")
    await local.operator.send("QueueReload", Members="yes")
    try:
        yield
    finally:
        await local.desk.containers.write(crew, "")
        await local.desk.containers.cli("queue reload all")


async def test_asterisks_own_wrap_up_holds_back_both_queues_only_while_shared_lastcall_is_on(local: LocalCalls) -> None:
    await local.add_hand("1@answers", "rest-one", "rest-two")
    assert REST - 1 <= await _two_calls(local, "rest-one", "rest-two") <= REST + POLL
    await local.remove_hands()  # and with him his last call
    await local.add_hand("1@answers", "rest-one", "rest-two")
    async with _shared_lastcall_off(local):
        assert await _two_calls(local, "rest-one", "rest-two") <= POLL


async def test_acds_wrap_up_holds_back_both_queues_without_shared_lastcall_and_without_wrapuptime(
    local: LocalCalls,
) -> None:
    alice = await local.log_on("1@answers", "one", "two")
    await local.wrap_up_time(2, "one")
    await local.wrap_up_time(0, "two")
    async with _shared_lastcall_off(local):
        assert 2 <= await _two_calls(local, "one", "two") <= 2 + POLL
    await alice.until_agent("READY")
    first, second = await local.accounts_agree()
    assert (first["wrap_up_time_exact"], second["wrap_up_time_exact"]) == (near(2, 0.2), 0)


async def test_an_agents_own_wrap_up_counts_when_it_is_longer_and_asterisks_when_it_is_not(local: LocalCalls) -> None:
    short = await local.log_on("1@answers", "rest-one")
    long = await local.log_on("2@answers", "rest-two")
    await local.desk.api.put(f"/agents/{short.id}/wrap-up-time", {"seconds": 1})
    await local.desk.api.put(f"/agents/{long.id}/wrap-up-time", {"seconds": 4})
    await local.add_hand("3@answers", "rest-three", Wrapuptime=1)
    hers, his, nobodys = await asyncio.gather(
        _two_calls(local, "rest-one", "rest-one"),
        _two_calls(local, "rest-two", "rest-two"),
        _two_calls(local, "rest-three", "rest-three"),
    )
    assert REST - 1 <= hers <= REST + POLL, "READY after a second, but Asterisk's floor is higher"
    assert 4 <= his <= 4 + POLL
    assert nobodys <= 1 + POLL
    await local.end_wrap_up(long, "rest-two")
    await local.accounts_agree()
