"""What every handler needs of a request: the agent handler it names, who asks, its body and query as models."""

import asyncio
import base64
import hashlib
import io
import json
import math
import queue
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from operator import itemgetter
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_core import to_json

from acd.access.attempts import Door
from acd.access.principals import Principal
from acd.access.register import Register
from acd.browser_phones import BrowserPhones
from acd.commands import Commands, SupervisorCommands
from acd.core.center import Center
from acd.core.records import State
from acd.core.refusals import StoreFailed
from acd.feed import Feed
from acd.store import Store
from acd.web.models import ListQuery, PathName
from acd.web.problems import Invalid
from acd.web.repeats import Repeats
from acd.webhooks import Webhooks

Model = TypeVar("Model", bound=BaseModel)
First = TypeVar("First")
Item = TypeVar("Item")
Json = dict[str, Any]
LARGE = 1 << 18  # bytes; what is longer is sent in pieces, so that nothing else waits for it
AT_ONCE = 100  # objects of a long list that are shaped in one go: some milliseconds
BODY_WITHIN = 30.0  # seconds for a body to come
WRITTEN_WITHIN = 5.0  # seconds for the newest rows to reach the database, whose disk may have other work too


class Handler:
    """One agent handler as the web sees it."""

    def __init__(
        self, commands: Commands, supervision: SupervisorCommands, store: Store, phones: BrowserPhones
    ) -> None:
        self.commands = commands
        self.supervision = supervision
        self.service = commands.service
        self.store = store
        self.phones = phones

    @property
    def name(self) -> str:
        return self.service.name

    @property
    def center(self) -> Center:
        return self.service.center

    @property
    def state(self) -> State:
        return self.center.state


HANDLERS = web.AppKey("handlers", dict[str, Handler])
STORE = web.AppKey("store", Store)
REGISTER = web.AppKey("register", Register)
DOOR = web.AppKey("door", Door)
REPEATS = web.AppKey("repeats", Repeats)
FEED = web.AppKey("feed", Feed)
WEBHOOKS = web.AppKey("webhooks", Webhooks)
SIMULATED = web.AppKey("simulated", bool)  # there is no Asterisk behind it
PRINCIPAL = web.RequestKey("principal", Principal)  # who asks; set before any handler is reached
BODY = web.RequestKey("body", str)  # what was asked for, without secrets, for the log of commands


def handler_of(request: web.Request) -> Handler:
    """The agent handler that the path names."""
    try:
        return request.app[HANDLERS][request.match_info["handler"]]
    except KeyError:
        raise web.HTTPNotFound() from None


def handlers_within_reach(request: web.Request) -> list[Handler]:
    """All of them; an agent belongs to one."""
    only = principal_of(request).handler
    return [handler for name, handler in request.app[HANDLERS].items() if only in (None, name)]


def principal_of(request: web.Request) -> Principal:
    """Who asks."""
    return request[PRINCIPAL]


async def data_of(request: web.Request) -> bytes:
    """The body as it came. Raises Invalid, HTTPRequestTimeout, HTTPRequestEntityTooLarge."""
    try:
        async with asyncio.timeout(BODY_WITHIN):
            return await request.read()
    except TimeoutError:
        raise web.HTTPRequestTimeout() from None
    except web.RequestPayloadError:
        raise Invalid([{"loc": ["body"], "msg": "is not encoded as its headers say", "type": "encoding"}]) from None


async def body_of(request: web.Request, model: type[Model]) -> Model:
    """The body as a model. Raises Invalid, naming what does not fit."""
    data = await data_of(request)
    try:
        content = json.loads(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise Invalid([{"loc": ["body"], "msg": "is not valid UTF-8", "type": "utf8"}]) from None
    except (ValueError, RecursionError):  # also a number of thousands of digits
        raise Invalid([{"loc": ["body"], "msg": "is not valid JSON", "type": "json_invalid"}]) from None
    try:
        body = model.model_validate(content)
    except ValidationError as error:
        raise Invalid.of(error, "body") from None
    request[BODY] = _without_secrets(body)
    return body


def _without_secrets(body: BaseModel) -> str:
    """The body as JSON; a SecretStr shows itself as stars."""
    return json.dumps(body.model_dump(mode="json", exclude_unset=True), default=str)


def new_name(request: web.Request, what: str) -> str:
    """The name that the path gives to something that may be new. Raises Invalid."""
    try:
        return PathName(name=request.match_info[what]).name
    except ValidationError as error:
        raise Invalid.of(error, "path") from None


def query_of(request: web.Request, model: type[Model]) -> Model:
    """The query as a model; a name given twice, or that does not exist, is refused. Raises Invalid."""
    twice = next((name for name in request.query if len(request.query.getall(name)) > 1), None)
    if twice is not None:
        raise Invalid([{"loc": ["query", twice], "msg": "is given more than once", "type": "twice"}])
    try:
        return model.model_validate(dict(request.query))
    except ValidationError as error:
        raise Invalid.of(error, "query") from None


def answer(body: Any, status: int = 200, *, request: web.Request | None = None, mark: str = "") -> web.Response:
    """A JSON answer; bytes are JSON already. Of a picture that was asked for (`request`): with an ETag, and 304 where
    the client has it. `mark`: the ETag's value, where it was made elsewhere.
    """
    data = _json(body)
    sent = io.BytesIO(data) if len(data) > LARGE else data
    response = web.Response(body=sent, status=status, content_type="application/json", charset="utf-8")
    if request is not None:
        mark = mark or mark_of(data)
        response.etag = mark
        known = request.if_none_match if request.method in ("GET", "HEAD") else None
        if known is not None and any(each.value in (mark, "*") for each in known):
            return web.Response(status=304, headers={"ETag": response.headers["ETag"]})
    return response


def mark_of(body: Any) -> str:
    """The ETag's value: another for everything that differs."""
    return hashlib.blake2b(_json(body), digest_size=16).hexdigest()


def _json(body: Any) -> bytes:
    return body if isinstance(body, bytes) else to_json(body)


def need_match(request: web.Request, present: Any) -> None:
    """If-Match: the change is meant for what is there now, and for nothing else. Raises HTTPPreconditionFailed."""
    wanted = request.if_match
    if wanted is None:
        return
    mark = None if present is None else mark_of(present)
    if not any(each.value == mark or (each.value == "*" and mark is not None) for each in wanted):
        raise web.HTTPPreconditionFailed()


async def in_turns(items: Iterable[Item]) -> AsyncIterator[list[Item]]:
    """The items as they are now, some at a time; in between others have their turn."""
    left = list(items)
    for first in range(0, len(left), AT_ONCE):
        if first:
            await asyncio.sleep(0)
        yield left[first : first + AT_ONCE]


async def encoded(items: Iterable[Item], shape: Callable[[Item], object]) -> list[bytes]:
    """The items as a JSON list in pieces. What is changed in between is in it as it was or as it is."""
    return json_list([[to_json([shape(item) for item in some])[1:-1]] async for some in in_turns(items)])


def json_list(items: Iterable[Iterable[bytes]]) -> list[bytes]:
    """Items that are JSON in pieces, as a JSON list in pieces."""
    return [b"[", *_separated(items), b"]"]


def json_object(values: Mapping[str, Iterable[bytes]]) -> list[bytes]:
    """Values that are JSON in pieces, as a JSON object in pieces."""
    return [b"{", *_separated([to_json(name), b":", *value] for name, value in values.items()), b"}"]


def _separated(items: Iterable[Iterable[bytes]]) -> list[bytes]:
    return [piece for item in items for piece in (b",", *item)][1:]


# Lists ----------------------------------------------------------------------------------------------------


def page(items: Iterable[Mapping[str, Any]], query: ListQuery, key: Callable[[Mapping[str, Any]], str]) -> Json:
    """One page of a list: sorted, cut off, and a cursor for the next one. `key` tells items apart."""
    name = query.sort.lstrip("-")
    placed = [(_sortable(item[name]) if name else "", key(item), item) for item in items]
    shown, following = _cut(placed, query)
    return {"items": shown, "next": following}


async def long_page(
    items: Iterable[Item], query: ListQuery, key: Callable[[Item], str], shape: Callable[[Item], Json]
) -> bytes:
    """As `page`, as JSON, for thousands of items: what is not shown is shaped only where the order needs it."""
    name = query.sort.lstrip("-")
    placed = [
        (_sortable(shape(item)[name]) if name else "", key(item), item)
        async for some in in_turns(items)
        for item in some
    ]
    shown, following = _cut(placed, query)
    return b"".join(json_object({"items": await encoded(shown, shape), "next": [to_json(following)]}))


Placed = tuple[str, str, Item]  # what it is sorted by, what tells it apart, the item


def _cut(placed: list[Placed[Item]], query: ListQuery) -> tuple[list[Item], str | None]:
    """The items of a page in their order, and the cursor for the next one."""
    descending = query.sort.startswith("-")
    if query.cursor is not None:
        last = cursor_of(query.cursor, str)
        placed = [each for each in placed if (each[:2] < last if descending else each[:2] > last)]
    ordered = sorted(placed, key=itemgetter(0, 1), reverse=descending)
    shown = ordered[: query.limit]
    more = len(ordered) > len(shown)
    return [item for _, _, item in shown], as_cursor(*shown[-1][:2]) if more else None


def _sortable(value: Any) -> str:
    """Any value as text whose order is that of the values; what is not known comes first."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "" if value is None else str(value)
    return f"{value:030.9f}"


def as_cursor(first: object, second: str) -> str:
    """Where a page ended, as text that nobody need understand."""
    return base64.urlsafe_b64encode(json.dumps([str(first), second]).encode()).decode()


def cursor_of(text: str, kind: Callable[[str], First]) -> tuple[First, str]:
    """The other way; `kind` makes of the first part what it was. Raises Invalid."""
    try:
        first, second = json.loads(base64.urlsafe_b64decode(text))
        f"{first}{second}".encode()  # no lone surrogate, which no database takes
        if isinstance(first, str) and isinstance(second, str) and "\0" not in second:
            return kind(first), second
    except (ValueError, TypeError, RecursionError):
        pass
    raise Invalid([{"loc": ["query", "cursor"], "msg": "is not a cursor", "type": "cursor"}])


def moment_of(text: str) -> float:
    """The kind of cursor that begins with a moment. Raises ValueError."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("is no moment")
    return value


async def written(store: Store) -> None:
    """So that what has just happened is in the database. Raises StoreFailed where that takes too long."""
    try:
        async with asyncio.timeout(WRITTEN_WITHIN):
            await store.written()
    except (TimeoutError, queue.Full):
        raise StoreFailed(f"The store is not up to date: {store.problem or 'it is busy'}") from None


def secret_of(value: SecretStr | None) -> str | None:
    """What a secret field holds."""
    return None if value is None else value.get_secret_value()
