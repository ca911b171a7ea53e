"""The table of operations: what there is to ask for, who may, with what, and what comes of it.

Routes, permissions and the OpenAPI description are all made from it.
"""

import re
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel

from acd.access.principals import Principal, Role
from acd.access.refusals import Forbidden
from acd.core.refusals import NotLinked, Refusal, StoreFailed
from acd.store.tables import CommandRow
from acd.web.nodes import NODES
from acd.web.problems import CODE, Invalid, KeyReused, answer_to
from acd.web.repeats import HEADER, LONGEST
from acd.web.requests import BODY, HANDLERS, PRINCIPAL, REPEATS, STORE, Handler, data_of, written

Handle = Callable[[web.Request], Awaitable[web.StreamResponse]]
AnyHandle = TypeVar("AnyHandle", bound=Handle)
Roles = frozenset[Role]
Refused = type[Refusal]
Model = type[BaseModel]
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
EVENTS = "text/event-stream"
SWITCHING = 101  # to the protocol of WebSockets
PUBLIC: Roles = frozenset()  # everybody who can reach the server
SECRET = re.compile(r"(acd_[0-9a-f]+_)[\w-]+")


@dataclass(frozen=True, slots=True)
class Operation:
    """One method at one path. The handler's docstring is its description; its name is the operation's id.

    `roles`: who may at all. `answers`: the type of what comes back, None for nothing. `refusals`: what can be refused
    beyond what every operation can. `headers`: of the answer, beyond those that every answer has.
    """

    method: str
    path: str
    handle: Handle
    roles: Roles
    answers: Any = None
    status: Sequence[int] = (200,)
    body: Model | None = None
    query: Model | None = None
    refusals: Sequence[Refused] = ()
    media: Sequence[str] = ("application/json",)
    etag: bool = False  # the answer carries one; a command takes If-Match, because two people can collide there
    headers: Sequence[str] = ()
    anywhere: bool = False  # a command that any node carries out itself

    @property
    def id(self) -> str:
        return getattr(self.handle, "__name__", "")

    @property
    def endless(self) -> bool:
        """What it sends goes on until somebody leaves."""
        return EVENTS in self.media or SWITCHING in self.status

    @property
    def changes(self) -> bool:
        """It is a command, which is written down."""
        return self.method not in SAFE


class Operations(list[Operation]):
    """The operations of one room, each declared above its handler: where, who may, what comes back, refusals."""

    def get(
        self,
        path: str,
        roles: Roles,
        answers: Any,
        *refusals: Refused,
        status: Sequence[int] = (200,),
        query: Model | None = None,
        media: Sequence[str] = ("application/json",),
        etag: bool = True,
    ) -> Callable[[AnyHandle], AnyHandle]:
        """Tells something. `etag`: the answer carries one, as that of requests.answer(..., request=request) does."""
        return self._declare("GET", path, roles, answers, refusals, status=status, query=query, media=media, etag=etag)

    def put(
        self,
        path: str,
        roles: Roles,
        answers: Any,
        body: Model | None,
        *refusals: Refused,
        status: Sequence[int] = (200,),
        etag: bool = False,
    ) -> Callable[[AnyHandle], AnyHandle]:
        """Makes something be as the body says."""
        return self._declare("PUT", path, roles, answers, refusals, body=body, status=status, etag=etag)

    def post(
        self,
        path: str,
        roles: Roles,
        answers: Any,
        body: Model | None,
        *refusals: Refused,
        status: Sequence[int] = (201,),
        headers: Sequence[str] = (),
        anywhere: bool = False,
    ) -> Callable[[AnyHandle], AnyHandle]:
        """Makes something new, or does something once."""
        more = {"body": body, "status": status, "headers": headers, "anywhere": anywhere}
        return self._declare("POST", path, roles, answers, refusals, **more)

    def delete(
        self,
        path: str,
        roles: Roles,
        *refusals: Refused,
        etag: bool = False,
        headers: Sequence[str] = (),
    ) -> Callable[[AnyHandle], AnyHandle]:
        """Takes something away, and answers nothing."""
        return self._declare("DELETE", path, roles, None, refusals, status=(204,), etag=etag, headers=headers)

    def _declare(
        self, method: str, path: str, roles: Roles, answers: Any, refusals: Sequence[Refused], **more: Any
    ) -> Callable[[AnyHandle], AnyHandle]:
        def declared(handle: AnyHandle) -> AnyHandle:
            self.append(Operation(method, path, handle, roles, answers, refusals=refusals, **more))
            return handle

        return declared


def add_routes(app: web.Application, operations: Sequence[Operation]) -> None:
    """Every operation as a route that lets in who may."""
    for operation in operations:
        handle = _guarded(operation)
        app.router.add_route(operation.method, operation.path, handle)
        if operation.method == "GET" and not operation.endless:
            app.router.add_route("HEAD", operation.path, handle)


def _guarded(operation: Operation) -> Handle:
    async def handle(request: web.Request) -> web.StreamResponse:
        if not operation.changes:
            return await _carried_out(operation, request)
        elsewhere = None if operation.anywhere else await _by_another_node(request)
        if elsewhere is not None:
            return elsewhere
        key = request.headers.get(HEADER)
        if key is None or not operation.roles:  # a session is begun anew each time
            response = await _carried_out(operation, request)
        elif not 0 < len(key) <= LONGEST:
            response = answer_to(_wrong_length(), request)
        else:
            response = await _once(operation, request, key)
        write_down(request, response)
        await _known_to_other_nodes(request)
        return response

    handle.__name__ = operation.id
    return handle


async def _by_another_node(request: web.Request) -> web.Response | None:
    """The answer of the node that leads, where this one does not."""
    others = request.app[NODES]
    try:
        return None if others is None else await others.answer(request)
    except (NotLinked, Invalid, web.HTTPException) as error:
        return answer_to(error, request)


async def _known_to_other_nodes(request: web.Request) -> None:
    """The node that passed a command on waits until it can read what came of it."""
    if request.app[NODES] is not None:
        with suppress(StoreFailed):
            await written(request.app[STORE])


def _wrong_length() -> Invalid:
    message = f"must have 1 to {LONGEST} characters"
    return Invalid([{"loc": ["header", HEADER], "msg": message, "type": "string_length"}])


async def _once(operation: Operation, request: web.Request, key: str) -> web.StreamResponse:
    """Carried out, or if that has been done before, the answer that there was."""
    who = request[PRINCIPAL]
    names = (who.name, who.key, request.method, request.path, key)
    try:
        return await request.app[REPEATS].once(names, await data_of(request), lambda: _carried_out(operation, request))
    except (Invalid, KeyReused, web.HTTPException) as error:
        return answer_to(error, request)


async def _carried_out(operation: Operation, request: web.Request) -> web.StreamResponse:
    try:
        if operation.roles:
            _need_right(request, operation)
        if operation.query is None and request.query:
            raise Invalid(
                [
                    {"loc": ["query", name], "msg": "is not known here", "type": "extra_forbidden"}
                    for name in request.query
                ]
            )
        return await operation.handle(request)
    except ConnectionResetError:  # nobody waits for an answer
        raise
    except Exception as error:
        return answer_to(error, request)


def _need_right(request: web.Request, operation: Operation) -> None:
    who = request[PRINCIPAL]
    if who.role not in operation.roles:
        raise Forbidden(f"The role {who.role} may not do this.")
    handler = request.app[HANDLERS].get(request.match_info.get("handler", ""))
    if handler is not None and not who.reaches_all:
        _need_reach(who, handler, request.match_info)


def _need_reach(who: Principal, handler: Handler, names: web.UrlMappingMatchInfo) -> None:
    """Everything that the path names has to be within reach; what a body names, its handler checks."""
    at, state = handler.name, handler.state
    if who.handler not in (None, at):
        raise Forbidden(f"The handler {at!r} is not within your reach.")
    if "agent" in names:
        who.need(who.reaches_agent(at, names["agent"], state), f"The agent {names['agent']!r}")
    if "session" in names:
        who.need(who.reaches_session(at, names["session"], state), f"The session {names['session']!r}")
    if "group" in names:
        who.need(who.reaches_group(at, names["group"]), f"The group {names['group']!r}")
    if "queue" in names:
        who.need(who.reaches_queue(at, names["queue"], state), f"The queue {names['queue']!r}")


def write_down(request: web.Request, response: web.StreamResponse) -> None:
    """Who asked for what, from where, and what came of it; of strangers, whose log-in failed (not those told to wait).

    A log that strangers could fill would be of no use.
    """
    who = request.get(PRINCIPAL)
    if who is None and (BODY not in request or response.status == HTTPStatus.TOO_MANY_REQUESTS):
        return
    request.app[STORE].keep(
        CommandRow(
            id=uuid.uuid4().hex,
            at=time.time(),
            who="" if who is None else who.name,
            role="" if who is None else who.role.value,
            source=request.remote or "",
            method=request.method,
            path=_storable(request.path),
            body=request.get(BODY),
            status=response.status,
            code=response.get(CODE),
        )
    )


def _storable(path: str) -> str:
    """What any database takes, and no secret of a token that was given in place of its id."""
    text = path[:1000].encode("utf-8", "replace").decode().replace("\0", "\ufffd")
    return SECRET.sub(r"\1***", text)
