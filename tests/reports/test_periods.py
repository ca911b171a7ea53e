"""Intervals: whatever a zone's clock does, each moment belongs to exactly one, and they begin where the clock says."""

from datetime import UTC, date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.reports.periods import DAY, STEPS, Interval, intervals, midnight, next_midnight

ZONES = sorted(available_timezones())
STRIDE = 15  # seconds; no two borders lie closer together


def offset(at: int, zone: ZoneInfo) -> float:
    found = datetime.fromtimestamp(at, zone).utcoffset()
    assert found is not None
    return found.total_seconds()


def changes(zone: ZoneInfo, year: int) -> list[int]:
    """The days of a year on which the clock is set, by their first seconds in UTC."""
    begin = int(datetime(year, 1, 1, tzinfo=UTC).timestamp())
    days = range(begin, begin + 366 * 86400, 86400)
    return [day for day, after in pairwise(days) if offset(day, zone) != offset(after, zone)]


@st.composite
def periods(draw: st.DrawFn, longest: float) -> tuple[float, float, ZoneInfo]:
    """Some hours of any zone, around a change of its clock where the year has one."""
    zone = ZoneInfo(draw(st.sampled_from(ZONES)))
    year = draw(st.integers(1970, 2045))
    middle = draw(st.sampled_from(changes(zone, year) or [int(datetime(year, 6, 1, tzinfo=UTC).timestamp())]))
    start = middle + draw(st.integers(-40, 24)) * 3600 + draw(st.sampled_from([0, 0, 1, 1799.25, 86.5]))
    return start, start + draw(st.floats(1, longest)), zone


def check_tiles(tiles: list[Interval], start: float, end: float) -> None:
    assert (tiles[0].start, tiles[-1].end) == (start, end)
    assert all(tile.start < tile.end for tile in tiles)
    assert all(one.end == other.start for one, other in pairwise(tiles))


@given(periods(longest=30 * 3600.0), st.sampled_from(sorted(set(STEPS) - {DAY})))
def test_intervals_lie_side_by_side_and_begin_where_the_clock_shows_a_multiple_or_is_set(asked, step):
    start, end, zone = asked
    tiles = list(intervals(start, end, step, zone))
    check_tiles(tiles, start, end)

    def shown(at: int) -> tuple[float, float]:
        return (at + offset(at, zone)) // STEPS[step], offset(at, zone)

    inner = [int(tile.start) for tile in tiles[1:]]
    assert all(shown(border - 1) != shown(border) for border in inner)
    seen = [shown(at) for at in range(int(start // 1), int(-(-end // 1)), STRIDE)]
    assert sum(before != after for before, after in pairwise([*seen, shown(int(-(-end // 1)) - 1)])) == len(inner)


@given(periods(longest=4 * 86400.0))
def test_days_lie_side_by_side_and_begin_when_the_local_date_does(asked):
    start, end, zone = asked
    tiles = list(intervals(start, end, DAY, zone))
    check_tiles(tiles, start, end)
    latest, borders = date.min, []
    for at in range(int(start // 1) - 26 * 3600, int(-(-end // 1)), STRIDE):
        day = datetime.fromtimestamp(at, zone).date()
        if day > latest and at > start:
            borders.append(at)
        latest = max(latest, day)
    assert len(tiles) - 1 == len(borders)
    for tile, border in zip(tiles[1:], borders, strict=True):
        assert border - STRIDE < tile.start <= border


def at(text: str, zone: str = "UTC", fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


def lengths(day: str, step: str, zone: str) -> list[float]:
    """Minutes of each interval of a local day."""
    start = midnight(date.fromisoformat(day), ZoneInfo(zone))
    tiles = intervals(start, next_midnight(start, ZoneInfo(zone)), step, ZoneInfo(zone))
    return [(tile.end - tile.start) / 60 for tile in tiles]


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)])
def test_a_day_has_the_hours_that_its_clock_shows(day, hours):
    assert lengths(day, DAY, "Europe/Berlin") == [hours * 60]
    assert lengths(day, "1h", "Europe/Berlin") == [60] * hours
    assert lengths(day, "15m", "Europe/Berlin") == [15] * 4 * hours


def test_where_the_clock_is_set_by_half_an_hour_one_interval_is_shorter_and_none_is_left_out():
    assert lengths("2026-04-05", "1h", "Australia/Lord_Howe") == [60, 60, 30, *[60] * 22]  # 01:30 to 02:00 twice
    assert lengths("2026-10-04", "1h", "Australia/Lord_Howe") == [60, 60, 30, *[60] * 21]  # 02:00 to 02:30 never
    assert lengths("2026-10-04", DAY, "Australia/Lord_Howe") == [23.5 * 60]


def test_a_day_without_a_midnight_begins_at_the_first_moment_it_has():
    zone = ZoneInfo("America/Sao_Paulo")
    assert midnight(date(2018, 11, 4), zone) == at("2018-11-04 01:00", "America/Sao_Paulo")
    assert lengths("2018-11-04", DAY, "America/Sao_Paulo") == [23 * 60]


def test_a_day_with_two_midnights_begins_at_the_first():
    assert midnight(date(2026, 11, 1), ZoneInfo("America/Havana")) == at("2026-11-01 00:00", "America/Havana")
    assert lengths("2026-11-01", DAY, "America/Havana") == [25 * 60]


def test_a_day_that_a_country_left_out_has_no_interval():
    zone = ZoneInfo("Pacific/Apia")
    days = list(intervals(at("2011-12-29 00:00", zone.key), at("2012-01-01 00:00", zone.key), DAY, zone))
    assert [datetime.fromtimestamp(day.start, zone).day for day in days] == [29, 31]
    assert [day.end - day.start for day in days] == [86400, 86400]


def test_a_period_that_ends_before_it_begins_has_no_intervals():
    assert list(intervals(10.0, 10.0, "5m", ZoneInfo("UTC"))) == []
    assert list(intervals(11.0, 10.0, DAY, ZoneInfo("UTC"))) == []
