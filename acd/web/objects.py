"""TAPI's objects under /api/v1/handlers: one short handler a request, with its operation above it."""

import asyncio
from functools import partial
from operator import attrgetter

from aiohttp import web

from acd.access.principals import ADMINS, EVERYBODY, READERS, STAFF, WORKERS
from acd.core import refusals as no
from acd.core.records import Agent, AgentSession
from acd.core.states import AgentState, SessionState
from acd.core.views import AgentView, QueueView, SessionView
from acd.web import answers, models, shapes
from acd.web.answers import Page
from acd.web.operations import Operations
from acd.web.requests import (
    HANDLERS,
    Handler,
    answer,
    as_cursor,
    body_of,
    cursor_of,
    handler_of,
    long_page,
    moment_of,
    need_match,
    new_name,
    page,
    principal_of,
    query_of,
    secret_of,
    written,
)

H = "/api/v1/handlers/{handler}"
AGENT, SESSION, QUEUE, GROUP = (
    f"{H}/agents/{{agent}}",
    f"{H}/sessions/{{session}}",
    f"{H}/queues/{{queue}}",
    f"{H}/acd-groups/{{group}}",
)
ASTERISK = (no.NotLinked, no.AsteriskRefused, no.AsteriskSilent, no.StoreFailed)  # what any order can meet
OPERATIONS = Operations()

# Handlers, groups, addresses ------------------------------------------------------------------------------


@OPERATIONS.get("/api/v1/handlers", EVERYBODY, Page[answers.Handler])
async def list_handlers(request: web.Request) -> web.Response:
    """ITTAPICallCenter.AgentHandlers: the configured Asterisk servers."""
    who = principal_of(request)
    within = [each for name, each in request.app[HANDLERS].items() if who.handler in (None, name)]
    return answer({"items": [shapes.handler(each) for each in within], "next": None}, request=request)


@OPERATIONS.get(H, EVERYBODY, answers.Handler)
async def get_handler(request: web.Request) -> web.Response:
    """ITAgentHandler: one Asterisk server, whether it is linked, and how much there is of what."""
    return answer(shapes.handler(handler_of(request)), request=request)


@OPERATIONS.get(f"{H}/acd-groups", EVERYBODY, Page[answers.Group], query=models.GroupsQuery)
async def list_groups(request: web.Request) -> web.Response:
    """ITAgentHandler.ACDGroups: named sets of queues for which agents log on."""
    handler, who = handler_of(request), principal_of(request)
    groups = [group for group in handler.state.groups.values() if who.reaches_group(handler.name, group.name)]
    query = query_of(request, models.GroupsQuery)
    return answer(page([shapes.group(group) for group in groups], query, lambda each: each["name"]), request=request)


@OPERATIONS.get(GROUP, EVERYBODY, answers.Group, no.UnknownGroup)
async def get_group(request: web.Request) -> web.Response:
    """ITACDGroup: a named set of queues."""
    return answer(shapes.group(handler_of(request).center.group(request.match_info["group"])), request=request)


@OPERATIONS.put(GROUP, ADMINS, answers.Group, models.GroupBody, no.UnknownQueue, no.StoreFailed, etag=True)
async def put_group(request: web.Request) -> web.Response:
    """Makes a group or gives it other queues; the sessions of its agents follow."""
    handler, name = handler_of(request), new_name(request, "group")
    body = await body_of(request, models.GroupBody)
    _need_group_match(request, handler, name)
    await handler.commands.set_group(name, body.queues)
    return await get_group(request)


@OPERATIONS.delete(GROUP, ADMINS, no.UnknownGroup, no.GroupInUse, no.StoreFailed, etag=True)
async def delete_group(request: web.Request) -> web.Response:
    """Takes a group away; refused while somebody is logged on for it."""
    handler, name = handler_of(request), request.match_info["group"]
    _need_group_match(request, handler, name)
    await handler.commands.remove_group(name)
    return web.Response(status=204)


def _need_group_match(request: web.Request, handler: Handler, name: str) -> None:
    present = handler.state.groups.get(name)
    need_match(request, None if present is None else shapes.group(present))


@OPERATIONS.get(f"{H}/addresses", EVERYBODY, Page[answers.Address], query=models.AddressesQuery)
async def list_addresses(request: web.Request) -> web.Response:
    """ITAgentHandler.UsableAddresses: phones that Asterisk told of, as far as they may be used."""
    handler, who, query = handler_of(request), principal_of(request), query_of(request, models.AddressesQuery)
    at_work = handler.state.addresses

    def within_reach(device: str) -> list[str]:
        return [key for key in at_work.get(device, ()) if who.reaches_session(handler.name, key, handler.state)]

    usable = handler.commands.usable_addresses().items()
    shown = [shapes.address(device, reached, device in at_work, within_reach(device)) for device, reached in usable]
    return answer(page(shown, query, lambda each: each["address"]), request=request)


# Agents ---------------------------------------------------------------------------------------------------


@OPERATIONS.get(f"{H}/agents", EVERYBODY, Page[AgentView], query=models.AgentsQuery)
async def list_agents(request: web.Request) -> web.Response:
    """ITAgentHandler.Agents, as far as they are within reach."""
    handler, who, query = handler_of(request), principal_of(request), query_of(request, models.AgentsQuery)
    now, state = handler.service.now(), handler.state

    def wanted(agent: Agent) -> bool:
        return (
            (query.state is None or agent.state.name == query.state)
            and (query.group is None or any(state.sessions[key].group == query.group for key in agent.sessions))
            and (who.reaches_all or who.reaches_agent(handler.name, agent.key, state))
        )

    found = [agent for agent in state.agents.values() if wanted(agent)]
    shape = partial(shapes.agent, handler.center, now=now)
    return answer(await long_page(found, query, attrgetter("key"), shape), request=request)


@OPERATIONS.post(
    f"{H}/agents",
    ADMINS,
    AgentView,
    models.NewAgent,
    no.AgentExists,
    no.WrongPin,
    no.PinLocked,
    no.StoreFailed,
    status=(200, 201),
)
async def create_agent(request: web.Request) -> web.Response:
    """CreateAgent (`user`), or CreateAgentWithID (`id` and `pin`): 201 when made, 200 when there and the PIN fits."""
    handler, body = handler_of(request), await body_of(request, models.NewAgent)
    if body.id is not None and body.pin is not None:
        pin = body.pin.get_secret_value()
        agent, new = await handler.commands.create_agent_with_id(body.id, pin, body.user or body.id)
    else:
        agent, new = await handler.commands.create_agent(body.user or "")
    return answer(shapes.agent(handler.center, agent, handler.service.now()), status=201 if new else 200)


@OPERATIONS.get(AGENT, EVERYBODY, AgentView, no.UnknownAgent)
async def get_agent(request: web.Request) -> web.Response:
    """ITAgent: `{agent}` is the id, or the account name of an agent without one."""
    handler = handler_of(request)
    agent = handler.center.agent(request.match_info["agent"])
    return answer(shapes.agent(handler.center, agent, handler.service.now()), request=request)


@OPERATIONS.put(
    f"{AGENT}/state", WORKERS, AgentView, models.AgentStateBody, no.UnknownAgent, no.StateNotSettable, *ASTERISK
)
async def put_agent_state(request: web.Request) -> web.Response:
    """ITAgent.put_State: READY or NOT_READY; during a call and its wrap-up it applies afterwards."""
    handler, body = handler_of(request), await body_of(request, models.AgentStateBody)
    await handler.commands.set_agent_state(request.match_info["agent"], AgentState[body.state], body.reason)
    return await get_agent(request)


@OPERATIONS.put(
    f"{AGENT}/measurement-period", STAFF, AgentView, models.PeriodBody, no.UnknownAgent, no.PeriodInvalid, *ASTERISK
)
async def put_agent_period(request: web.Request) -> web.Response:
    """ITAgent.put_MeasurementPeriod: the counters start at zero."""
    handler, body = handler_of(request), await body_of(request, models.PeriodBody)
    await handler.commands.set_measurement_period(body.seconds, agent=request.match_info["agent"])
    return await get_agent(request)


@OPERATIONS.put(f"{AGENT}/wrap-up-time", STAFF, AgentView, models.WrapUpTimeBody, no.UnknownAgent, *ASTERISK)
async def put_agent_wrap_up_time(request: web.Request) -> web.Response:
    """The agent's own seconds of after-call work; null: as the queue has it."""
    handler, body = handler_of(request), await body_of(request, models.WrapUpTimeBody)
    await handler.commands.set_wrap_up_time(body.seconds, agent=request.match_info["agent"])
    return await get_agent(request)


# Sessions -------------------------------------------------------------------------------------------------


@OPERATIONS.get(f"{AGENT}/sessions", EVERYBODY, Page[SessionView], no.UnknownAgent, query=models.AgentSessionsQuery)
async def list_agent_sessions(request: web.Request) -> web.Response:
    """ITAgent.AgentSessions: the live ones of one agent."""
    handler, who, query = handler_of(request), principal_of(request), query_of(request, models.AgentSessionsQuery)
    agent = handler.center.agent(request.match_info["agent"])
    now = handler.service.now()
    within = [key for key in agent.sessions if who.reaches_session(handler.name, key, handler.state)]
    shown = [shapes.session(handler.center, handler.center.session(key), now) for key in within]
    return answer(page(shown, query, lambda each: each["id"]), request=request)


@OPERATIONS.get(f"{H}/sessions", EVERYBODY, Page[SessionView], query=models.SessionsQuery)
async def list_sessions(request: web.Request) -> web.Response:
    """Every live session within reach."""
    handler, who, query = handler_of(request), principal_of(request), query_of(request, models.SessionsQuery)
    now, state = handler.service.now(), handler.state

    def wanted(session: AgentSession) -> bool:
        return (
            (query.state is None or session.state.name == query.state)
            and query.group in (None, session.group)
            and query.agent in (None, session.agent)
            and (who.reaches_all or who.reaches_session(handler.name, session.id, state))
        )

    live = [state.sessions[key] for agent in state.agents.values() for key in agent.sessions]
    found = [session for session in live if wanted(session)]
    shape = partial(shapes.session, handler.center, now=now)
    return answer(await long_page(found, query, attrgetter("id"), shape), request=request)


@OPERATIONS.post(
    f"{AGENT}/sessions",
    WORKERS,
    SessionView,
    models.NewSession,
    no.UnknownAgent,
    no.UnknownGroup,
    no.UnknownAddress,
    no.GroupEmpty,
    no.SessionExists,
    no.AddressInUse,
    no.NoAgentId,
    no.WrongPin,
    no.PinLocked,
    *ASTERISK,
)
async def create_session(request: web.Request) -> web.Response:
    """CreateSession, CreateSessionWithPIN: logs the agent on, not ready."""
    handler, body, who = handler_of(request), await body_of(request, models.NewSession), principal_of(request)
    who.need(who.reaches_group(handler.name, body.acd_group), f"The group {body.acd_group!r}")
    agent, pin = request.match_info["agent"], secret_of(body.pin)
    session = await handler.commands.create_session(agent, body.acd_group, body.address, pin)
    return answer(shapes.session(handler.center, session, handler.service.now()), status=201)


@OPERATIONS.get(SESSION, EVERYBODY, SessionView, no.UnknownSession)
async def get_session(request: web.Request) -> web.Response:
    """ITAgentSession: readable for a day after its end."""
    handler = handler_of(request)
    session = handler.center.session(request.match_info["session"])
    return answer(shapes.session(handler.center, session, handler.service.now()), request=request)


@OPERATIONS.put(
    f"{SESSION}/state",
    WORKERS,
    SessionView,
    models.SessionStateBody,
    no.UnknownSession,
    no.StateNotSettable,
    no.StateNotReachable,
    no.DispositionMissing,
    *ASTERISK,
)
async def put_session_state(request: web.Request) -> web.Response:
    """ITAgentSession.put_State: READY, NOT_READY or SESSION_ENDED; during a call it is kept as `next_state`."""
    handler, body = handler_of(request), await body_of(request, models.SessionStateBody)
    await handler.commands.set_session_state(request.match_info["session"], SessionState[body.state], body.reason)
    return await get_session(request)


@OPERATIONS.put(
    f"{SESSION}/wrap-up",
    WORKERS,
    SessionView,
    models.WrapUpBody,
    no.UnknownSession,
    no.NotInWrapUp,
    no.DispositionMissing,
    *ASTERISK,
)
async def put_wrap_up(request: web.Request) -> web.Response:
    """Ends after-call work now, or extends it."""
    handler, body = handler_of(request), await body_of(request, models.WrapUpBody)
    key = request.match_info["session"]
    if body.extend_seconds is not None:
        await handler.commands.extend_wrap_up(key, body.extend_seconds)
    else:
        await handler.commands.end_wrap_up(key)
    return await get_session(request)


# Queues and calls -----------------------------------------------------------------------------------------


@OPERATIONS.get(f"{H}/queues", EVERYBODY, Page[QueueView], no.UnknownGroup, query=models.QueuesQuery)
async def list_queues(request: web.Request) -> web.Response:
    """ITACDGroup.Queues of all groups within reach."""
    handler, who, query = handler_of(request), principal_of(request), query_of(request, models.QueuesQuery)
    now, state = handler.service.now(), handler.state
    of_group = None if query.group is None else handler.center.group(query.group).queues
    names = [
        name
        for name in state.queues
        if (of_group is None or name in of_group) and (who.reaches_all or who.reaches_queue(handler.name, name, state))
    ]
    shown = [shapes.queue(handler.center, name, now) for name in names]
    shown = [each for each in shown if query.in_service in (None, each["in_service"])]
    return answer(page(shown, query, lambda each: each["name"]), request=request)


@OPERATIONS.get(QUEUE, EVERYBODY, QueueView, no.UnknownQueue)
async def get_queue(request: web.Request) -> web.Response:
    """ITQueue: counters of the measurement period, and who waits at this moment."""
    handler = handler_of(request)
    return answer(shapes.queue(handler.center, request.match_info["queue"], handler.service.now()), request=request)


@OPERATIONS.put(
    f"{QUEUE}/measurement-period", STAFF, QueueView, models.PeriodBody, no.UnknownQueue, no.PeriodInvalid, *ASTERISK
)
async def put_queue_period(request: web.Request) -> web.Response:
    """ITQueue.put_MeasurementPeriod: the counters start at zero."""
    handler, body = handler_of(request), await body_of(request, models.PeriodBody)
    await handler.commands.set_measurement_period(body.seconds, queue=request.match_info["queue"])
    return await get_queue(request)


@OPERATIONS.put(f"{QUEUE}/wrap-up-time", STAFF, QueueView, models.WrapUpTimeBody, no.UnknownQueue, *ASTERISK)
async def put_queue_wrap_up_time(request: web.Request) -> web.Response:
    """The queue's seconds of after-call work; null: as the handler has it."""
    handler, body = handler_of(request), await body_of(request, models.WrapUpTimeBody)
    await handler.commands.set_wrap_up_time(body.seconds, queue=request.match_info["queue"])
    return await get_queue(request)


@OPERATIONS.get(f"{QUEUE}/calls", READERS, Page[answers.WaitingCall], no.UnknownQueue, query=models.WaitingQuery)
async def list_waiting(request: web.Request) -> web.Response:
    """The callers who wait in a queue, in the order in which they will be served."""
    query = query_of(request, models.WaitingQuery)
    shown = shapes.waiting(handler_of(request).center, request.match_info["queue"])
    return answer(page(shown, query, lambda each: f"{each['position']:09}"), request=request)


@OPERATIONS.get(f"{H}/calls", EVERYBODY, Page[answers.Call], no.StoreFailed, query=models.CallsQuery)
async def list_calls(request: web.Request) -> web.Response:
    """The ledger: one row a queue visit, by time of entry. An agent sees his own."""
    handler, who, query = handler_of(request), principal_of(request), query_of(request, models.CallsQuery)
    agent = who.agent or query.agent
    after = None if query.cursor is None else cursor_of(query.cursor, moment_of)
    within = None if who.agent is not None else who.queues_within_reach(handler.name, handler.state)
    await written(handler.store)
    rows = await asyncio.to_thread(
        handler.store.calls,
        handler.name,
        start=query.start.timestamp() if query.start else 0.0,
        end=query.end.timestamp() if query.end else 1e12,
        queues=_both(within, None if query.queue is None else {query.queue}),
        agent=agent,
        call=query.call,
        after=after,
        limit=query.limit,
    )
    last = as_cursor(rows[-1]["entered"], rows[-1]["key"]) if len(rows) == query.limit else None
    return answer({"items": [shapes.call(row) for row in rows], "next": last}, request=request)


def _both(one: set[str] | None, other: set[str] | None) -> set[str] | None:
    """What is in both; None stands for everything."""
    return other if one is None else one if other is None else one & other
