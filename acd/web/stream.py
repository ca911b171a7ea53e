"""The stream over HTTP: Server-Sent Events and a WebSocket with the same envelopes, and the whole picture."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

from aiohttp import WSMsgType, web
from pydantic_core import to_json

from acd.access.principals import EVERYBODY, Principal
from acd.feed import OWN, Envelope, Filter, follow_on, passing
from acd.web import answers, models, shapes
from acd.web.operations import EVENTS, SWITCHING, Operations
from acd.web.problems import Invalid
from acd.web.requests import (
    FEED,
    HANDLERS,
    LARGE,
    REGISTER,
    Handler,
    answer,
    encoded,
    json_list,
    json_object,
    mark_of,
    principal_of,
    query_of,
)

HEARTBEAT = 15.0  # seconds after which a silent stream says that it is alive
SEND_WITHIN = 30.0  # seconds for a subscriber to take what is sent to him in one go
OF_QUEUES = frozenset({"queue", "acd-group"})
OF_ALL = frozenset({"agent-handler", "link", OWN})  # what concerns everybody
OPERATIONS = Operations()


# The picture ----------------------------------------------------------------------------------------------


@OPERATIONS.get("/api/v1/picture", EVERYBODY, answers.Picture)
async def get_picture(request: web.Request) -> web.Response:
    """Everything within reach at one moment, and the number of the last envelope that is in it."""
    _, pieces = await picture(request.app, principal_of(request))
    shown = b"".join(pieces)
    return answer(shown, request=request, mark=await asyncio.to_thread(mark_of, shown))


async def picture(app: web.Application, who: Principal) -> tuple[int, list[bytes]]:
    """What `who` may see, as JSON in pieces, because to copy megabytes takes long; and the `seq` in it.

    What follows, or came while it was made, is in the stream.
    """
    seq, at = app[FEED].seq, shapes.moment_now()
    within = [each for each in app[HANDLERS].values() if who.handler in (None, each.name)]
    handlers = [await _handler_picture(each, who) for each in within]
    return seq, json_object({"seq": [to_json(seq)], "at": [to_json(at)], "handlers": json_list(handlers)})


async def _handler_picture(handler: Handler, who: Principal) -> list[bytes]:
    name, state, center, now = handler.name, handler.state, handler.center, handler.service.now()
    agents = [each for each in state.agents.values() if who.reaches_all or who.reaches_agent(name, each.key, state)]
    within = who.queues_within_reach(name, state)
    queues = [each for each in state.queues if within is None or each in within]
    sessions = [
        state.sessions[key]
        for each in agents
        for key in each.sessions
        if who.reaches_all or who.reaches_session(name, key, state)
    ]
    groups = [each for each in state.groups.values() if who.reaches_group(name, each.name)]
    calls = [] if who.agent else [call for each in queues for call in shapes.waiting(center, each)]
    counts = {key: [to_json(value)] for key, value in shapes.handler(handler).items()}
    lists = {
        "agents": await encoded(agents, lambda each: shapes.agent(center, each, now)),
        "sessions": await encoded(sessions, lambda each: shapes.session(center, each, now)),
        "queues": await encoded(queues, lambda each: shapes.queue(center, each, now)),
        "acd_groups": await encoded(groups, shapes.group),
        "calls": await encoded(calls, lambda each: each),
    }
    return json_object(counts | lists)  # each list in the place of its length


# Who gets what --------------------------------------------------------------------------------------------


def wanted_by(app: web.Application, who: Principal, only: Filter) -> Callable[[Envelope], bool]:
    """Whether an envelope is within the reach of `who` and is what he asked for."""
    passes = passing(only)
    if who.reaches_all:
        return passes
    return lambda envelope: passes(envelope) and (envelope.type == OWN or _may_see(app, who, envelope))


def _may_see(app: web.Application, who: Principal, envelope: Envelope) -> bool:
    if who.handler not in (None, envelope.handler) and envelope.handler:
        return False
    if envelope.type in OF_ALL:
        return True
    if who.agent is not None:
        return who.agent in envelope.agents or _is_of_his_queues(app, who, envelope)
    assert who.groups is not None
    to_all = envelope.type == "note" and not envelope.groups and not envelope.agents
    return to_all or not who.groups.isdisjoint(envelope.groups)


def _is_of_his_queues(app: web.Application, who: Principal, envelope: Envelope) -> bool:
    """An agent sees the figures of his queues, but no caller's number and no colleague's state."""
    if envelope.type == "note":
        return not envelope.agents and (not envelope.groups or _serves(app, who, envelope))
    figures = envelope.type == "statistics" and envelope.event in ("QUEUE", "ACD_GROUP")
    return (figures or envelope.type in OF_QUEUES) and _serves(app, who, envelope)


def _serves(app: web.Application, who: Principal, envelope: Envelope) -> bool:
    handler = app[HANDLERS].get(envelope.handler)
    agent = handler.state.agents.get(who.agent or "") if handler is not None else None
    if handler is None or agent is None:
        return False
    return any(handler.state.sessions[key].group in envelope.groups for key in agent.sessions)


# What is sent ---------------------------------------------------------------------------------------------


async def _pieces(
    request: web.Request, who: Principal, query: models.StreamQuery, after: int
) -> AsyncIterator[tuple[int, list[str], list[int]]]:
    """(place, texts of envelopes, their numbers) for a subscriber; a `reset` where what he asks for is gone."""
    app, only = request.app, Filter(query.types, query.queues, query.agents, query.groups)
    wanted = wanted_by(app, who, only)
    pieces = follow_on(app[FEED], after, wanted, patience=HEARTBEAT, reset=lambda: reset(app, who))
    async with aclosing(pieces):
        async for place, found in pieces:
            if app[REGISTER].principal(who.key) != who:  # logged out, revoked, expired, or with other rights
                return
            yield place, [each.text for each in found], [each.seq for each in found]


async def reset(app: web.Application, who: Principal) -> Envelope:
    """The whole picture as an envelope, for whom what he missed cannot be told any more.

    Many may ask for the same one at once: they get one that is being made already.
    """
    resets, reach = app[RESETS], (who.handler, who.agent, who.groups)
    if reach not in resets:
        resets[reach] = asyncio.create_task(_reset(app, who))
        resets[reach].add_done_callback(lambda _: resets.pop(reach))
    made = await asyncio.shield(resets[reach])
    async with app[ONE_BY_ONE]:  # each frames and sends megabytes: not all of them in one turn of the event loop
        await asyncio.sleep(0)
    return made


async def _reset(app: web.Application, who: Principal) -> Envelope:
    seq, shown = await picture(app, who)
    head = {"seq": seq, "at": shapes.moment_now(), "handler": "", "type": "reset", "event": "RESET"}
    pieces = json_object({name: [to_json(value)] for name, value in head.items()} | {"subject": shown})
    text = "".join(each.decode() for each in pieces)
    return Envelope(seq, "", "reset", "RESET", (), (), (), text)


ONE_BY_ONE = web.AppKey("one_by_one", asyncio.Lock)
RESETS = web.AppKey("resets", dict[tuple[Any, ...], asyncio.Task[Envelope]])  # reach -> one that is being made


def _start(request: web.Request, query: models.StreamQuery) -> int:
    """After which number he wants to hear. A new subscriber hears what comes from now on."""
    header = request.headers.get("Last-Event-ID", "").strip()
    if header:
        try:
            return max(0, int(header)) if len(header) < LONGEST_NUMBER else 2**63
        except ValueError:
            message = {"loc": ["header", "Last-Event-ID"], "msg": "is not a number", "type": "int_parsing"}
            raise Invalid([message]) from None
    return request.app[FEED].seq if query.after is None else query.after


LONGEST_NUMBER = 19  # digits


@OPERATIONS.get(
    "/api/v1/events",
    EVERYBODY,
    answers.Envelope,
    query=models.StreamQuery,
    media=(EVENTS,),
    etag=False,
)
async def stream_events(request: web.Request) -> web.StreamResponse:
    """The stream as Server-Sent Events: `id` is the envelope's `seq`, `data` the envelope. Resumes by Last-Event-ID.

    A comment every 15 s says that it is alive, with the number up to which nothing was left out.
    """
    who, query = principal_of(request), query_of(request, models.StreamQuery)
    after = _start(request, query)
    response = web.StreamResponse(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
    response.content_type = EVENTS
    await response.prepare(request)
    try:
        await _write(response, f"retry: 1000\nid: {after}\n\n")
        async for place, texts, numbers in _pieces(request, who, query, after):
            if texts:
                await _write(response, "".join(map(_frame, numbers, texts)))
            else:
                await _write(response, f": {place}\nid: {place}\n\n")
    except (ConnectionResetError, TimeoutError):  # gone, or too slow to take anything
        _give_up(request)
    return response


def _frame(number: int, text: str) -> str:
    return f"id: {number}\ndata: {text}\n\n"


async def _write(response: web.StreamResponse, text: str) -> None:
    for first in range(0, len(text), LARGE):
        async with asyncio.timeout(SEND_WITHIN):
            await response.write(text[first : first + LARGE].encode())


def _give_up(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


@OPERATIONS.get("/api/v1/ws", EVERYBODY, answers.Envelope, status=(SWITCHING,), query=models.StreamQuery, etag=False)
async def stream_websocket(request: web.Request) -> web.StreamResponse:
    """The stream as a WebSocket: one envelope a text frame. Resumes by `?after=<seq>`."""
    who, query = principal_of(request), query_of(request, models.StreamQuery)
    after = _start(request, query)
    socket = web.WebSocketResponse(heartbeat=HEARTBEAT, max_msg_size=LARGEST_MESSAGE)
    if not socket.can_prepare(request).ok:
        raise Invalid([{"loc": ["header", "Upgrade"], "msg": "a WebSocket is wanted here", "type": "missing"}])
    await socket.prepare(request)
    sending = asyncio.create_task(_send(request, socket, who, query, after))
    try:
        async for message in socket:  # nothing is expected from him, but his leaving is heard here
            if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                await socket.close(code=1003, message=b"this stream only speaks")
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
    return socket


LARGEST_MESSAGE = 1024  # bytes that a subscriber may send


async def _send(
    request: web.Request, socket: web.WebSocketResponse, who: Principal, query: models.StreamQuery, after: int
) -> None:
    try:
        async for _place, texts, _numbers in _pieces(request, who, query, after):
            async with asyncio.timeout(SEND_WITHIN):
                for text in texts:
                    await socket.send_str(text)
    except (ConnectionResetError, TimeoutError):
        _give_up(request)
    else:
        await socket.close(code=1001, message=b"the stream ends; resume it")


async def end_streams(app: web.Application) -> None:
    """At the end of acd every stream says so and ends, so that nobody holds up its going."""
    app[FEED].end_subscriptions()
