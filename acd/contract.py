"""What the TAPI 3 objects have in common, in acd's own process (acd.tapi) and over the web API (acd.client).

Values only: no service, no store, no HTTP.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import IntEnum, IntFlag
from typing import Generic, Self, TypeVar

from acd.core import refusals

T = TypeVar("T")
E = TypeVar("E", bound=IntEnum)
CURRENCY = 10_000  # a CURRENCY is a signed 64-bit integer of ten-thousandths
DATE_ZERO = datetime(1899, 12, 30, tzinfo=UTC)


class TapiEvent(IntFlag):
    """TAPI_EVENT: the call center's bits of the event filter."""

    AGENT = 0x200
    AGENTSESSION = 0x400
    AGENTHANDLER = 0x1000
    ACDGROUP = 0x2000
    QUEUE = 0x4000


class NullArgument(refusals.Refusal):
    """An argument is missing, or cannot be used."""

    code, hresult, lineerr = "null-argument", refusals.E_INVALIDARG, refusals.LINEERR_INVALPARAM


class GroupRemoved(refusals.Refusal):
    """This ACD group has been taken away."""

    code, hresult, lineerr = "group-removed", 0x80040045, refusals.LINEERR_INVALAGENTGROUP


class QueueRemoved(refusals.Refusal):
    """This queue has been taken away."""

    code, hresult, lineerr = "queue-removed", 0x80040046, refusals.LINEERR_INVALPARAM


def currency(rate: Decimal) -> int:
    """A rate as the raw integer of a CURRENCY: 12.5 calls per hour is 125000."""
    return int(rate * CURRENCY)


def automation_date(moment: datetime) -> float:
    """A time as an Automation DATE: days since 30 December 1899, without a zone, hence in UTC."""
    return (moment - DATE_ZERO) / timedelta(days=1)


def given(value: T | None) -> T:
    """The argument. Raises NullArgument where there is none."""
    if value is None:
        raise NullArgument()
    return value


def enumerator_of(states: type[E], value: int | None) -> E:
    """The argument as an enumerator. Raises NullArgument for what is none of them."""
    try:
        return states(given(value))
    except ValueError:
        raise NullArgument(f"{value!r} is no {states.__name__}.") from None


class Enumerator(Generic[T]):
    """IEnum...: a walk over what there was when it was made."""

    def __init__(self, items: Sequence[T], at: int = 0) -> None:
        self._items = items
        self._at = at

    def next(self, count: int = 1) -> list[T]:
        """Next: up to `count` more elements; fewer (S_FALSE) at the end. Raises NullArgument below zero."""
        if count < 0:
            raise NullArgument("The number of elements cannot be negative.")
        found = list(self._items[self._at : self._at + count])
        self._at += len(found)
        return found

    def reset(self) -> None:
        """Reset: begins again."""
        self._at = 0

    def skip(self, count: int) -> bool:
        """Skip: passes `count` elements over; False (S_FALSE) when there were fewer."""
        return len(self.next(count)) == count

    def clone(self) -> Self:
        """Clone: another walk from the same place."""
        return type(self)(self._items, self._at)

    def __iter__(self) -> Iterator[T]:
        while found := self.next():
            yield found[0]
