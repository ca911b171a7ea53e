"""Intervals of local time. They lie side by side: each moment of a period belongs to exactly one.

An interval of minutes or of an hour begins where the local clock shows a multiple of it, and where the clock is set.
So an hour that the clock shows twice is two intervals, and where half an hour is left out one is shorter. A day goes
from local midnight to local midnight and may have 23 or 25 hours; where the clock leaves midnight out it begins at the
next moment there is, and where it shows midnight twice at the first.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta, tzinfo
from typing import NamedTuple

DAY = "1d"
STEPS = {"5m": 300, "10m": 600, "15m": 900, "30m": 1800, "1h": 3600, DAY: 86400}  # seconds


class Interval(NamedTuple):
    """start <= moment < end, in seconds since 1970."""

    start: float
    end: float


def intervals(start: float, end: float, step: str, zone: tzinfo) -> Iterator[Interval]:
    """The intervals of a period, in their order; the first and the last one may be cut. `step`: a name of STEPS."""
    while start < end:
        border = next_midnight(start, zone) if step == DAY else _next_multiple(start, STEPS[step], zone)
        yield Interval(start, min(border, end))
        start = border


def local(at: float, zone: tzinfo) -> datetime:
    """What the clock there shows."""
    return datetime.fromtimestamp(at, zone)


def midnight(day: date, zone: tzinfo) -> int:
    """When a local day begins."""
    wall = datetime(day.year, day.month, day.day, tzinfo=zone)
    at = int(wall.timestamp())
    if local(at, zone).replace(tzinfo=None) == wall.replace(tzinfo=None):
        return at
    return _change(int(wall.replace(fold=1).timestamp()), at, zone)  # the clock leaps over it


def next_midnight(at: float, zone: tzinfo) -> int:
    """When the next local day begins."""
    day = local(at, zone).date()
    border = midnight(day, zone)
    while border <= at:  # also past days that a zone left out, or began twice
        day += timedelta(days=1)
        border = midnight(day, zone)
    return border


def _next_multiple(at: float, seconds: int, zone: tzinfo) -> int:
    second = int(at // 1)
    border = second + seconds - (second + _offset(second, zone)) % seconds
    return border if _offset(border, zone) == _offset(second, zone) else _change(second, border, zone)


def _offset(at: int, zone: tzinfo) -> int:
    offset = datetime.fromtimestamp(at, zone).utcoffset()
    assert offset is not None
    return offset.days * 86400 + offset.seconds


def _change(before: int, after: int, zone: tzinfo) -> int:
    """The first second of another offset than `before` has; `after` has one."""
    old = _offset(before, zone)
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(middle, zone) == old:
            before = middle
        else:
            after = middle
    return after
