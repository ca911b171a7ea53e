"""The API under /api/v1: one short handler a request, the table of routes at the end."""

import asyncio
import base64
import json
import queue
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from acd.commands import Commands
from acd.core import refusals
from acd.core.states import AgentState, SessionState
from acd.store import Store
from acd.web import models, shapes
from acd.web.problems import Invalid

BodyModel = TypeVar("BodyModel", bound=BaseModel)
BODY_WITHIN = 30.0  # seconds for a body to come
READ_WITHIN = 2.0  # seconds for the newest rows to reach the database before it is read


class Handler:
    """One agent handler as the web sees it."""

    def __init__(self, commands: Commands, store: Store) -> None:
        self.commands = commands
        self.service = commands.service
        self.center = commands.center
        self.store = store


HANDLERS = web.AppKey("handlers", dict[str, Handler])


def _handler(request: web.Request) -> Handler:
    try:
        return request.app[HANDLERS][request.match_info["handler"]]
    except KeyError:
        raise web.HTTPNotFound() from None


async def _body(request: web.Request, model: type[BodyModel]) -> BodyModel:
    """The body as a model. Raises Invalid, naming what does not fit."""
    try:
        async with asyncio.timeout(BODY_WITHIN):
            data = await request.read()
    except TimeoutError:
        raise web.HTTPRequestTimeout() from None
    except web.RequestPayloadError:
        raise Invalid([{"loc": ["body"], "msg": "is not encoded as its headers say", "type": "encoding"}]) from None
    try:
        content = json.loads(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise Invalid([{"loc": ["body"], "msg": "is not valid UTF-8", "type": "utf8"}]) from None
    except (ValueError, RecursionError):  # also a number of thousands of digits
        raise Invalid([{"loc": ["body"], "msg": "is not valid JSON", "type": "json_invalid"}]) from None
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise Invalid.of(error, "body") from None


def _items(items: list[dict[str, Any]], cursor: str | None = None) -> web.Response:
    return web.json_response({"items": items, "next": cursor})


# Handlers, groups, addresses ------------------------------------------------------------------------------


def _handler_shape(handler: Handler) -> dict[str, Any]:
    state = handler.center.state
    return {
        "name": handler.service.name,
        "linked": state.linked,
        "agents": len(state.agents),
        "sessions": sum(len(agent.sessions) for agent in state.agents.values()),
        "queues": len(state.queues),
        "acd_groups": len(state.groups),
        "calls_waiting": sum(len(queue.waiting) for queue in state.queues.values()),
    }


async def list_handlers(request: web.Request) -> web.Response:
    """ITTAPICallCenter.AgentHandlers."""
    return _items([_handler_shape(handler) for handler in request.app[HANDLERS].values()])


async def get_handler(request: web.Request) -> web.Response:
    """ITAgentHandler."""
    return web.json_response(_handler_shape(_handler(request)))


async def list_groups(request: web.Request) -> web.Response:
    """ITAgentHandler.ACDGroups."""
    groups = _handler(request).center.state.groups.values()
    return _items([{"name": group.name, "queues": group.queues} for group in groups])


async def get_group(request: web.Request) -> web.Response:
    """ITACDGroup."""
    group = _handler(request).center.group(request.match_info["group"])
    return web.json_response({"name": group.name, "queues": group.queues})


async def put_group(request: web.Request) -> web.Response:
    """Makes a group or changes its queues."""
    name = request.match_info["group"]
    try:
        models.GroupName(name=name)
    except ValidationError as error:
        raise Invalid.of(error, "path") from None
    body = await _body(request, models.GroupBody)
    await _handler(request).commands.set_group(name, body.queues)
    return await get_group(request)


async def delete_group(request: web.Request) -> web.Response:
    """Takes a group away."""
    await _handler(request).commands.remove_group(request.match_info["group"])
    return web.Response(status=204)


async def list_addresses(request: web.Request) -> web.Response:
    """ITAgentHandler.UsableAddresses: phones that Asterisk told of, as far as they may be used."""
    handler = _handler(request)
    at_work = handler.center.state.addresses
    usable = handler.commands.usable_addresses().items()
    return _items([shapes.address(device, in_service, at_work.get(device, [])) for device, in_service in usable])


# Agents ---------------------------------------------------------------------------------------------------


async def list_agents(request: web.Request) -> web.Response:
    handler = _handler(request)
    now = handler.service.now()
    return _items([shapes.agent(handler.center, agent, now) for agent in handler.center.state.agents.values()])


async def create_agent(request: web.Request) -> web.Response:
    """CreateAgent or CreateAgentWithID: 201 when made, 200 when there already."""
    handler, body = _handler(request), await _body(request, models.NewAgent)
    if body.id is not None and body.pin is not None:
        pin = body.pin.get_secret_value()
        agent, new = await handler.commands.create_agent_with_id(body.id, pin, body.user or body.id)
    else:
        agent, new = await handler.commands.create_agent(body.user or "")
    return web.json_response(shapes.agent(handler.center, agent, handler.service.now()), status=201 if new else 200)


async def get_agent(request: web.Request) -> web.Response:
    """ITAgent."""
    handler = _handler(request)
    agent = handler.center.agent(request.match_info["agent"])
    return web.json_response(shapes.agent(handler.center, agent, handler.service.now()))


async def put_agent_state(request: web.Request) -> web.Response:
    """ITAgent.put_State."""
    handler, body = _handler(request), await _body(request, models.AgentStateBody)
    await handler.commands.set_agent_state(request.match_info["agent"], AgentState[body.state], body.reason)
    return await get_agent(request)


async def put_agent_period(request: web.Request) -> web.Response:
    """ITAgent.put_MeasurementPeriod."""
    handler, body = _handler(request), await _body(request, models.PeriodBody)
    await handler.commands.set_measurement_period(body.seconds, agent=request.match_info["agent"])
    return await get_agent(request)


async def put_agent_wrap_up_time(request: web.Request) -> web.Response:
    """The agent's own seconds of after-call work."""
    handler, body = _handler(request), await _body(request, models.WrapUpTimeBody)
    await handler.commands.set_wrap_up_time(body.seconds, agent=request.match_info["agent"])
    return await get_agent(request)


# Sessions -------------------------------------------------------------------------------------------------


async def list_sessions(request: web.Request) -> web.Response:
    """ITAgent.AgentSessions: the live ones."""
    handler = _handler(request)
    agent = handler.center.agent(request.match_info["agent"])
    now = handler.service.now()
    return _items([shapes.session(handler.center.session(key), now) for key in agent.sessions])


async def create_session(request: web.Request) -> web.Response:
    """CreateSession, CreateSessionWithPIN."""
    handler, body = _handler(request), await _body(request, models.NewSession)
    pin = body.pin.get_secret_value() if body.pin is not None else None
    session = await handler.commands.create_session(request.match_info["agent"], body.acd_group, body.address, pin)
    return web.json_response(shapes.session(session, handler.service.now()), status=201)


async def get_session(request: web.Request) -> web.Response:
    """ITAgentSession."""
    handler = _handler(request)
    session = handler.center.session(request.match_info["session"])
    return web.json_response(shapes.session(session, handler.service.now()))


async def put_session_state(request: web.Request) -> web.Response:
    """ITAgentSession.put_State."""
    handler, body = _handler(request), await _body(request, models.SessionStateBody)
    await handler.commands.set_session_state(request.match_info["session"], SessionState[body.state], body.reason)
    return await get_session(request)


async def put_wrap_up(request: web.Request) -> web.Response:
    """Ends or extends after-call work."""
    handler, body = _handler(request), await _body(request, models.WrapUpBody)
    key = request.match_info["session"]
    if body.extend_seconds is not None:
        await handler.commands.extend_wrap_up(key, body.extend_seconds)
    else:
        await handler.commands.end_wrap_up(key)
    return await get_session(request)


# Queues and calls -----------------------------------------------------------------------------------------


async def list_queues(request: web.Request) -> web.Response:
    handler = _handler(request)
    now = handler.service.now()
    return _items([shapes.queue(handler.center, name, now) for name in handler.center.state.queues])


async def get_queue(request: web.Request) -> web.Response:
    """ITQueue."""
    handler = _handler(request)
    return web.json_response(shapes.queue(handler.center, request.match_info["queue"], handler.service.now()))


async def put_queue_period(request: web.Request) -> web.Response:
    """ITQueue.put_MeasurementPeriod."""
    handler, body = _handler(request), await _body(request, models.PeriodBody)
    await handler.commands.set_measurement_period(body.seconds, queue=request.match_info["queue"])
    return await get_queue(request)


async def put_queue_wrap_up_time(request: web.Request) -> web.Response:
    """The queue's seconds of after-call work."""
    handler, body = _handler(request), await _body(request, models.WrapUpTimeBody)
    await handler.commands.set_wrap_up_time(body.seconds, queue=request.match_info["queue"])
    return await get_queue(request)


async def list_waiting(request: web.Request) -> web.Response:
    """The callers who wait in a queue."""
    return _items(shapes.waiting(_handler(request).center, request.match_info["queue"]))


async def list_calls(request: web.Request) -> web.Response:
    """The ledger: one row a queue visit, by time of entry."""
    handler = _handler(request)
    try:
        query = models.CallsQuery.model_validate(dict(request.query))
        after = _cursor(query.cursor)
    except ValidationError as error:
        raise Invalid.of(error, "query") from None
    await _written(handler.store)
    rows = await asyncio.to_thread(
        handler.store.calls,
        handler.service.name,
        start=query.start.timestamp() if query.start else 0.0,
        end=query.end.timestamp() if query.end else 1e12,
        queue_name=query.queue,
        agent=query.agent,
        after=after,
        limit=query.limit,
    )
    last = _as_cursor(rows[-1]) if len(rows) == query.limit else None
    return _items([shapes.call(row) for row in rows], last)


async def _written(store: Store) -> None:
    """So that a call that has just ended is in the answer."""
    try:
        async with asyncio.timeout(READ_WITHIN):
            await store.written()
    except (TimeoutError, queue.Full):
        raise refusals.StoreFailed(f"The store is not up to date: {store.problem or 'it is busy'}") from None


def _as_cursor(row: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps([row["entered"], row["key"]]).encode()).decode()


def _cursor(text: str | None) -> tuple[float, str] | None:
    if text is None:
        return None
    try:
        entered, key = json.loads(base64.urlsafe_b64decode(text))
        return float(entered), str(key).encode().decode()
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise Invalid([{"loc": ["query", "cursor"], "msg": "is not a cursor", "type": "cursor"}]) from None


H = "/api/v1/handlers/{handler}"
Handle = Callable[[web.Request], Awaitable[web.Response]]
ROUTES: list[tuple[str, str, Handle]] = [
    ("GET", "/api/v1/handlers", list_handlers),
    ("GET", H, get_handler),
    ("GET", f"{H}/acd-groups", list_groups),
    ("GET", f"{H}/acd-groups/{{group}}", get_group),
    ("PUT", f"{H}/acd-groups/{{group}}", put_group),
    ("DELETE", f"{H}/acd-groups/{{group}}", delete_group),
    ("GET", f"{H}/addresses", list_addresses),
    ("GET", f"{H}/agents", list_agents),
    ("POST", f"{H}/agents", create_agent),
    ("GET", f"{H}/agents/{{agent}}", get_agent),
    ("PUT", f"{H}/agents/{{agent}}/state", put_agent_state),
    ("PUT", f"{H}/agents/{{agent}}/measurement-period", put_agent_period),
    ("PUT", f"{H}/agents/{{agent}}/wrap-up-time", put_agent_wrap_up_time),
    ("GET", f"{H}/agents/{{agent}}/sessions", list_sessions),
    ("POST", f"{H}/agents/{{agent}}/sessions", create_session),
    ("GET", f"{H}/sessions/{{session}}", get_session),
    ("PUT", f"{H}/sessions/{{session}}/state", put_session_state),
    ("PUT", f"{H}/sessions/{{session}}/wrap-up", put_wrap_up),
    ("GET", f"{H}/queues", list_queues),
    ("GET", f"{H}/queues/{{queue}}", get_queue),
    ("PUT", f"{H}/queues/{{queue}}/measurement-period", put_queue_period),
    ("PUT", f"{H}/queues/{{queue}}/wrap-up-time", put_queue_wrap_up_time),
    ("GET", f"{H}/queues/{{queue}}/calls", list_waiting),
    ("GET", f"{H}/calls", list_calls),
]
