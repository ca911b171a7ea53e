"""The call ledger: pages by cursor, times with their zones, filters."""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest

from acd.core.records import Visit
from acd.core.states import Outcome
from tests.helpers import until
from tests.web.house import House
from tests.web.switch import Call

NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC).timestamp()


def keep(house: House, number: int, entered: float, queue: str = "support", agent: str | None = "1001") -> None:
    """A finished visit in the ledger."""
    visit = Visit(f"c{number}/{queue}/1", f"c{number}", queue, 1, "555", "PJSIP/trunk-1", entered)
    visit.left = visit.answered = entered + 4.5
    visit.agent, visit.session, visit.released, visit.wrap_up = agent, "s1", entered + 64.75, 10.0
    visit.outcome = Outcome.ANSWERED
    house.store.keep_call("main", visit)


async def calls(house: House, query: str = "") -> list[str]:
    return [row["call"] for row in (await house.get(f"calls?{query}"))["items"]]


async def test_an_empty_ledger_is_an_empty_list(house: House):
    assert await house.get("calls") == {"items": [], "next": None}


async def test_a_row_has_every_time_and_span(house: House):
    keep(house, 1, NOON)
    (row,) = (await house.get("calls"))["items"]
    assert row["entered"] == "2026-01-31T12:00:00.000000Z"
    assert row["answered"] == "2026-01-31T12:00:04.500000Z"
    assert row["ended"] == "2026-01-31T12:01:04.750000Z"
    assert (row["wait_time"], row["wait_time_exact"]) == (4, 4.5)
    assert (row["talk_time"], row["talk_time_exact"]) == (60, 60.25)
    assert (row["hold_time"], row["wrap_up_time"], row["outcome"]) == (0, 10, "answered")
    assert (row["call"], row["queue"], row["agent"], row["session"]) == ("c1", "support", "1001", "s1")


async def test_pages_follow_one_another_without_a_gap_or_a_double(house: House):
    for number in range(25):
        keep(house, number, NOON + number // 3)  # three at a time at the same moment
    seen, cursor, pages = [], "", 0
    while cursor is not None:
        page = await house.get("calls?limit=4" + (f"&cursor={quote(cursor)}" if cursor else ""))
        seen += [row["call"] for row in page["items"]]
        cursor, pages = page["next"], pages + 1
        if pages == 2:
            keep(house, 99, NOON - 60)  # a row before the page changes nothing after it
    assert len(seen) == len(set(seen)) == 25
    assert set(seen) == {f"c{number}" for number in range(25)}
    assert pages == 7


async def test_a_cursor_and_a_filter_go_together(house: House):
    for number in range(6):
        keep(house, number, NOON + number, "support" if number % 2 else "sales")
    first = await house.get("calls?queue=support&limit=2")
    rest = await house.get(f"calls?queue=support&limit=2&cursor={quote(first['next'])}")
    assert [row["call"] for row in first["items"] + rest["items"]] == ["c1", "c3", "c5"]
    assert rest["next"] is None


@pytest.mark.parametrize(
    "moment",
    [
        "2026-01-31T12:00:00Z",
        "2026-01-31T13:00:00+01:00",
        "2026-01-31T07:00:00-05:00",
        "2026-01-31T17:30:00+05:30",
        "2026-01-31T12:00:00",
        "2026-01-31T12:00:00.000000Z",
    ],
)
async def test_from_is_included_and_to_is_not_in_whatever_zone_they_are_given(house: House, moment):
    for number, seconds in enumerate((-1, 0, 1)):
        keep(house, number, NOON + seconds)
    assert await calls(house, f"from={quote(moment)}") == ["c1", "c2"]
    assert await calls(house, f"to={quote(moment)}") == ["c0"]
    end = quote((datetime.fromtimestamp(NOON, UTC) + timedelta(seconds=1)).isoformat())
    assert await calls(house, f"from={quote(moment)}&to={end}") == ["c1"]


async def test_the_year_one_and_the_year_9999_are_times_too(house: House):
    keep(house, 1, NOON)
    assert await calls(house, "from=0001-01-01T00:00:00%2B14:00&to=9999-12-31T23:59:59-14:00") == ["c1"]


async def test_a_time_before_the_other_finds_nothing(house: House):
    keep(house, 1, NOON)
    assert await calls(house, "from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z") == []


async def test_calls_of_one_agent_or_one_queue(house: House):
    keep(house, 1, NOON, "support", "1001")
    keep(house, 2, NOON + 1, "sales", "1002")
    keep(house, 3, NOON + 2, "sales", None)
    assert await calls(house, "agent=1002") == ["c2"]
    assert await calls(house, "queue=sales") == ["c2", "c3"]
    assert await calls(house, "queue=sales&agent=1001") == []


async def test_a_call_that_is_still_waited_on_is_in_the_ledger_without_its_end(house: House):
    house.switch.join(Call("1.1", "sales"))
    await until(lambda: house.center.state.visits)
    (row,) = (await house.get("calls"))["items"]
    assert (row["answered"], row["ended"], row["outcome"], row["agent"]) == (None, None, None, None)
    assert (row["wait_time"], row["wait_time_exact"], row["talk_time"]) == (None, None, None)


async def test_a_call_that_is_over_has_its_end_in_the_ledger_while_the_agent_wraps_up(house: House):
    await house.in_wrap_up()
    (row,) = (await house.get("calls"))["items"]
    assert row["outcome"] == "answered"
    assert row["ended"] is not None
    assert row["talk_time_exact"] is not None
    assert row["wrap_up_time"] is None
