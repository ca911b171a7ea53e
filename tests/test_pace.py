"""A handler that brings more than the database takes waits for it, and only as long as that helps."""

import asyncio
from collections.abc import AsyncIterator
from typing import cast

import pytest

from acd import pace
from acd.pace import AHEAD, Pace
from acd.store import Store
from tests.helpers import until


class Slow:
    """A store that has written when it is told so."""

    def __init__(self) -> None:
        self.problem: str | None = None
        self.asked = 0
        self.done = asyncio.Event()

    async def written(self) -> None:
        self.asked += 1
        await self.done.wait()


class Stand:
    def __init__(self) -> None:
        self.store = Slow()
        self.held: list[bool] = []
        self.pace = Pace(cast(Store, self.store), self.held.append)

    def bring(self, writes: int) -> None:
        self.pace.wrote(writes)
        self.pace.look()


@pytest.fixture
async def stand() -> AsyncIterator[Stand]:
    stand = Stand()
    yield stand
    stand.pace.close()


async def test_who_is_ahead_is_not_read_until_the_database_has_caught_up(stand: Stand):
    stand.bring(AHEAD)
    assert stand.held == []
    stand.bring(1)
    assert stand.held == [True]
    stand.store.done.set()
    await until(lambda: stand.held == [True, False], what="read on")
    stand.bring(AHEAD // 2)
    assert stand.held == [True, False]


async def test_the_database_is_asked_in_time_so_that_who_keeps_pace_is_never_stopped(stand: Stand):
    stand.store.done.set()
    for number in range(10):
        stand.bring(AHEAD // 2 + 1)
        await until(lambda number=number: stand.store.asked == number + 1 and stand.pace._asking is None)
    assert stand.held == []


async def test_while_the_database_cannot_be_written_nobody_waits_for_it(stand: Stand):
    stand.store.problem = "disk full"
    stand.bring(10 * AHEAD)
    await stand.pace.caught_up()
    assert stand.held == []


async def test_a_database_that_stands_still_stops_nobody_for_long(stand: Stand, monkeypatch):
    monkeypatch.setattr(pace, "AT_MOST", 0.01)
    stand.bring(2 * AHEAD)
    await until(lambda: stand.held == [True, False], what="read on")
    stand.bring(1)
    assert stand.held == [True, False, True]


async def test_who_waits_goes_on_when_the_database_breaks(stand: Stand):
    stand.pace.wrote(2 * AHEAD)
    waits = asyncio.create_task(stand.pace.caught_up())
    await until(lambda: stand.store.asked, what="asked")
    stand.store.problem = "gone"
    await asyncio.wait_for(waits, 5)
