"""What can go wrong on the way: the refusals of acd.core and acd.access, as the API answered them."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from acd.access import refusals as access
from acd.contract import GroupRemoved, QueueRemoved
from acd.core import refusals
from acd.core.refusals import Refusal


class ApiError(Refusal):
    """The API refused. One with a code of acd.core.refusals or acd.access.refusals is of that class too.

    `code` and `detail` as the API gave them, `status` of HTTP, `hresult` and `lineerr` of TAPI; `errors`: the fields
    that do not fit (422), each with `loc`, `msg` and `type`; `retry_after`: seconds after which to ask again, or None.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        code: str = "",
        hresult: int | None = None,
        lineerr: int | None = None,
        errors: Sequence[Mapping[str, Any]] = (),
        retry_after: float | None = None,
    ) -> None:
        Refusal.__init__(self, detail)  # a class beside this one may want more than the text
        self.status, self.detail, self.errors, self.retry_after = status, detail, errors, retry_after
        self.code = code or self.code
        self.hresult = self.hresult if hresult is None else hresult
        self.lineerr = self.lineerr if lineerr is None else lineerr


class Unreachable(Refusal):
    """acd cannot be reached, or what answers there is not acd."""

    code = "unreachable"
    hresult, lineerr = refusals.TAPI_E_SERVICE_NOT_RUNNING, refusals.LINEERR_SERVICE_NOT_RUNNING


class NoAnswer(Unreachable):
    """acd did not answer in time. Should it do what was asked later, the state will tell."""

    code, hresult, lineerr = "no-answer", refusals.TAPI_E_TIMEOUT, refusals.LINEERR_OPERATIONFAILED


class EventsLost(Refusal):
    """The stream leaves events out, or sends what cannot be read, again and again at the same place."""

    code = "events-lost"


KNOWN = (refusals.__name__, access.__name__)


def _under(cls: type[Refusal]) -> Iterator[type[Refusal]]:
    for each in cls.__subclasses__():
        yield each
        yield from _under(each)


def _answered(cls: type[Refusal]) -> type[ApiError]:
    """The refusal as the API answers it."""
    return type(cls.__name__, (ApiError, cls), {"__doc__": cls.__doc__, "__module__": __name__})


CLASSES = {each.code: _answered(each) for each in _under(Refusal) if each.__module__ in KNOWN}
REMOVED: dict[type[Refusal], type[ApiError]] = {each: _answered(each) for each in (GroupRemoved, QueueRemoved)}


def error_of(status: int, problem: object, retry_after: str | None = None) -> ApiError:
    """The exception for an answer of 300 and above; `problem` is its body, whatever that is."""
    said = problem if isinstance(problem, dict) else {}
    code = str(said.get("code", "")) or f"http-{status}"
    return CLASSES.get(code, ApiError)(
        status,
        str(said.get("detail") or f"The answer was {status}."),
        code=code,
        hresult=_number(said.get("hresult")),
        lineerr=_number(said.get("lineerr")),
        errors=said.get("errors") or (),
        retry_after=_seconds(retry_after) if status in (429, 503) else None,
    )


def removed(cls: type[Refusal], error: ApiError) -> ApiError:
    """Of an object that was there once, TAPI says something else than of one that never was."""
    return REMOVED[cls](error.status, error.detail)


def _number(text: object) -> int | None:
    try:
        return int(str(text), 16)
    except ValueError:
        return None


def _seconds(header: str | None) -> float | None:
    """Retry-After is a number of seconds or a date."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        return max(0.0, (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):  # no date, or one without a zone
        return None
