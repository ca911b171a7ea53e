"""One acd over two real Asterisks: calls at both, one of them stands still, and the figures of both are true."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from tests.e2e.containers import Containers, SecondAsterisk
from tests.e2e.desk import Acd, Desk, Json, Seat, eventually
from tests.e2e.local_calls import LocalCalls
from tests.e2e.operator import Operator

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(180, func_only=True)]

QUEUE = "one"
WITHIN = 2.0  # seconds for a command at the Asterisk that is well; the one that stands still has five


@pytest.fixture(scope="module")
def second(containers: Containers) -> Iterator[SecondAsterisk]:
    second = SecondAsterisk(containers)
    second.up()
    yield second
    second.down()


@dataclass
class Site:
    """One Asterisk with its agent, who answers at once, and its callers."""

    calls: LocalCalls
    alice: Seat

    async def a_call(self, stay: float = 1) -> None:
        """Comes, is answered, and is over."""
        caller = await self.calls.call(QUEUE, stay=stay)
        row = await self.calls.until_over(caller, stay + 5)
        assert (row["outcome"], row["agent"]) == ("answered", self.alice.id)

    @property
    def desk(self) -> Desk:
        return self.calls.desk

    async def logged(self) -> dict[str, int]:
        """What Asterisk itself wrote of the test."""
        return {event: len(await self.desk.queue_log(event)) for event in ("ENTERQUEUE", "CONNECT", "ABANDON")}


@pytest_asyncio.fixture(loop_scope="session")
async def acd(containers: Containers, second: SecondAsterisk, tmp_path: Path) -> AsyncIterator[Acd]:
    acd = Acd(tmp_path, containers, second=second)
    try:
        await acd.start()
        yield acd
        assert await acd.stop() == 0
        assert "Traceback" not in acd.log and " ERROR " not in acd.log, acd.log
    finally:
        if acd.runs:
            await acd.kill()
        await acd.api.close()


@pytest_asyncio.fixture(loop_scope="session")
async def sites(acd: Acd, containers: Containers, second: SecondAsterisk) -> AsyncIterator[tuple[Site, Site]]:
    async with Operator(containers) as here, Operator(second) as there:
        sites = (await opened(acd, "main", containers, here), await opened(acd, "second", second, there))
        yield sites
        for site in sites:
            await site.calls.clear()
            await site.desk._end_sessions()


async def opened(acd: Acd, handler: str, containers: Containers, operator: Operator) -> Site:
    mark = len(await containers.queue_log())
    calls = LocalCalls(Desk(containers, acd, {}, mark, handler=handler), operator)
    alice = await calls.log_on("1@answers", QUEUE)
    await calls.wrap_up_time(0, QUEUE)
    return Site(calls, alice)


async def test_one_that_stands_still_disturbs_no_call_of_the_other_and_both_are_counted_right(
    acd: Acd, sites: tuple[Site, Site], second: SecondAsterisk
) -> None:
    main, other = sites
    await asyncio.gather(main.a_call(), other.a_call())
    await asyncio.gather(main.a_call(), other.a_call())

    talking = await other.calls.call(QUEUE, stay=40)
    await other.alice.until_session("BUSY_ON_CALL")
    await second.pause()
    try:
        refused = asyncio.create_task(
            other.desk.api.ask("PUT", f"/agents/{other.alice.id}/state", {"state": "NOT_READY"})
        )
        await goes_on(main)
        assert (await refused).status in {200, 503, 504}  # 200: during a call it is kept for after it
        assert (await other.alice.until_agent("UNKNOWN", 20))["state"] == "UNKNOWN"
        await goes_on(main)
        ready = await acd.api.ask("GET", "//readyz", token="")
        assert (ready.status, ready.body["linked"]) == (200, {"main": True, "second": False})
    finally:
        await second.unpause()
    await eventually(acd.api.ready, 20, "both are linked again")
    await eventually(lambda: is_linked(other), 20, "the operator is back")
    await talking.hangs_up()
    await eventually(lambda: all_over(other), 20, "the call that outlived it is over")
    await other.alice.set_agent("READY")
    await asyncio.gather(main.a_call(), other.a_call())
    await figures_are_true(acd, sites)


async def goes_on(site: Site) -> None:
    """A call and two commands, each in time."""
    await site.a_call()
    for state in ("NOT_READY", "READY"):
        async with asyncio.timeout(WITHIN):
            assert (await site.alice.set_agent(state))["state"] == state


async def is_linked(site: Site) -> bool:
    return site.calls.operator._link.linked


async def all_over(site: Site) -> bool:
    rows = await site.desk.rows()
    return all(row["ended"] and row["wrap_up_time"] is not None for row in rows if row["outcome"] == "answered")


async def figures_are_true(acd: Acd, sites: tuple[Site, Site]) -> None:
    """acd audit finds no difference at either, and the site is the sum of what both Asterisks wrote."""
    for site in sites:
        status, said = await site.desk.audit("--api", acd.url)
        assert status == 0, said
        sums = said["queues"][QUEUE].items()
        assert {
            name: each["difference"] for name, each in sums if isinstance(each["acd"], int) and each["difference"]
        } == {}
        assert {each["explained"] for each in said["differences"]} <= {"away"}
    logged = [await site.logged() for site in sites]
    rows = await report(acd, "each")
    for row, of_log in zip((rows["main"], rows["second"]), logged, strict=True):
        assert (row["entered"], row["answered"], row["abandoned"]) == tuple(of_log.values())
    whole = (await report(acd, "all"))[None]
    for name in ("entered", "answered", "abandoned", "handled"):
        assert whole[name] == rows["main"][name] + rows["second"][name], name
    for name in ("talk_time", "answered_wait_time"):
        assert whole[name] == pytest.approx(rows["main"][name] + rows["second"][name], abs=1e-6), name
    average = whole["average_talk_time"]
    assert average["value"] == pytest.approx(whole["talk_time"] / whole["handled"], abs=1e-6)


async def report(acd: Acd, by: str) -> dict[str | None, Json]:
    """The rows of the queue, by handler."""
    answer = await acd.api.get(f"//api/v1/reports/queues?queue={QUEUE}&by={by}")
    return {row["handler"]: row for row in answer["items"]}
