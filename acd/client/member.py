"""One line a member: what of the picture it is, and how its text becomes a value."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any, Generic, Protocol, Self, TypeVar, overload

from acd.client.connection import Picture

T = TypeVar("T")
E = TypeVar("E", bound=IntEnum)
W = TypeVar("W", bound=StrEnum)


class Seen(Protocol):
    """Something with a picture."""

    @property
    def picture(self) -> Picture: ...


class Member(Generic[T]):
    """An attribute that the picture tells; reading it asks nobody. AttributeError where this acd does not tell it."""

    def __init__(self, of: Callable[[Any], T], doc: str) -> None:
        self._of = of
        self.__doc__ = doc

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, seen: None, owner: type) -> Self: ...
    @overload
    def __get__(self, seen: Seen, owner: type) -> T: ...
    def __get__(self, seen: Seen | None, owner: type) -> Self | T:
        if seen is None:
            return self
        try:
            return self._of(seen.picture[self._name])
        except KeyError:
            raise AttributeError(f"{owner.__name__} has no {self._name} here", name=self._name, obj=seen) from None


def text(doc: str) -> Member[str]:
    """Plain text."""
    return Member(str, doc)


def count(doc: str) -> Member[int]:
    """A number, or whole seconds."""
    return Member(int, doc)


def exact(doc: str) -> Member[float]:
    """Seconds before rounding."""
    return Member(float, doc)


def rate(doc: str) -> Member[Decimal]:
    """An hour, four places; `currency` gives TAPI's integer."""
    return Member(Decimal, doc)


def moment(doc: str) -> Member[datetime]:
    """Aware, in UTC."""
    return Member(datetime.fromisoformat, doc)


def flag(doc: str) -> Member[bool]:
    """Yes or no."""
    return Member(bool, doc)


def enumerator(states: type[E], doc: str) -> Member[E]:
    """An enumerator, which the API names."""
    return Member(lambda name: states[name], doc)


def word(words: type[W], doc: str) -> Member[W]:
    """One of a few words."""
    return Member(words, doc)


def maybe(member: Member[T]) -> Member[T | None]:
    """The same where there may be none."""
    return Member(lambda value: None if value is None else member._of(value), member.__doc__ or "")
