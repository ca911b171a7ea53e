"""What supervisors do beyond states: members, waiting calls, listening in, notes; and agents' after-call codes."""

import time

from aiohttp import web

from acd.access.principals import EVERYBODY, READERS, STAFF, WORKERS, Principal
from acd.core import refusals as no
from acd.core.states import MonitorMode
from acd.core.views import SessionView
from acd.web import answers, models, shapes
from acd.web.answers import Page
from acd.web.objects import AGENT, ASTERISK, QUEUE, SESSION, H, get_session
from acd.web.operations import Operations
from acd.web.requests import FEED, Handler, answer, body_of, handler_of, page, principal_of, query_of

WAITING = f"{QUEUE}/calls/{{call}}"
MONITORING = (no.UnknownAgent, no.UnknownAddress, no.NoCall)
OPERATIONS = Operations()

# Members --------------------------------------------------------------------------------------------------


@OPERATIONS.get(f"{QUEUE}/members", READERS, Page[answers.Member], no.UnknownQueue, query=models.MembersQuery)
async def list_members(request: web.Request) -> web.Response:
    """The agents who serve a queue, with their penalties, as Asterisk has them."""
    query = query_of(request, models.MembersQuery)
    shown = shapes.members(handler_of(request).center, request.match_info["queue"])
    return answer(page(shown, query, lambda each: f"{each['agent']} {each['address']}"), request=request)


@OPERATIONS.put(
    f"{QUEUE}/members/{{agent}}", STAFF, answers.Penalty, models.MemberBody, no.UnknownAgent, no.UnknownQueue, *ASTERISK
)
async def put_member(request: web.Request) -> web.Response:
    """How late an agent's turn comes in a queue: 0 first. It holds for this log-in and those to come."""
    handler, body = handler_of(request), await body_of(request, models.MemberBody)
    agent, queue = request.match_info["agent"], request.match_info["queue"]
    await handler.supervision.set_penalty(agent, queue, body.penalty)
    return answer({"agent": agent, "queue": queue, "penalty": handler.center.agent(agent).penalties.get(queue, 0)})


@OPERATIONS.put(
    f"{SESSION}/acd-group",
    STAFF,
    SessionView,
    models.GroupChoice,
    no.UnknownSession,
    no.UnknownGroup,
    no.UnknownAddress,
    no.GroupEmpty,
    no.SessionExists,
    no.AddressInUse,
    no.StateNotReachable,
    *ASTERISK,
)
async def put_session_group(request: web.Request) -> web.Response:
    """Moves an agent to another group, at the same phone and as ready as he is. The answer is his new session."""
    handler, body, who = handler_of(request), await body_of(request, models.GroupChoice), principal_of(request)
    who.need(who.reaches_group(handler.name, body.acd_group), f"The group {body.acd_group!r}")
    session = await handler.supervision.move(handler.commands, request.match_info["session"], body.acd_group)
    return answer(shapes.session(handler.center, session, handler.service.now()))


# Waiting calls --------------------------------------------------------------------------------------------


@OPERATIONS.post(f"{WAITING}/withdraw", STAFF, answers.Withdrawn, None, no.UnknownCall, *ASTERISK, status=(200,))
async def withdraw_call(request: web.Request) -> web.Response:
    """Takes a waiting caller out of the queue; the dialplan goes on with him. While a phone rings for him it waits."""
    handler, queue, call = handler_of(request), request.match_info["queue"], request.match_info["call"]
    await handler.supervision.withdraw(queue, call)
    return answer({"call": call, "queue": queue, "waiting": False})


@OPERATIONS.post(
    f"{WAITING}/priority",
    STAFF,
    Page[answers.WaitingCall],
    models.PriorityBody,
    no.UnknownCall,
    *ASTERISK,
    status=(200,),
)
async def prioritise_call(request: web.Request) -> web.Response:
    """Gives a waiting caller another priority and the place that follows from it. The answer: who waits now."""
    handler, body = handler_of(request), await body_of(request, models.PriorityBody)
    queue = request.match_info["queue"]
    await handler.supervision.prioritise(queue, request.match_info["call"], body.priority)
    return answer({"items": shapes.waiting(handler.center, queue), "next": None})


@OPERATIONS.post(
    f"{WAITING}/transfer",
    STAFF,
    Page[answers.WaitingCall],
    models.TransferBody,
    no.UnknownCall,
    no.UnknownQueue,
    no.QueueEmpty,
    *ASTERISK,
    status=(200,),
)
async def transfer_call(request: web.Request) -> web.Response:
    """Sends a waiting caller to another queue, at its end. The answer: who waits there now."""
    handler, body, who = handler_of(request), await body_of(request, models.TransferBody), principal_of(request)
    who.need(who.reaches_queue(handler.name, body.queue, handler.state), f"The queue {body.queue!r}")
    await handler.supervision.transfer(request.match_info["queue"], request.match_info["call"], body.queue)
    return answer({"items": shapes.waiting(handler.center, body.queue), "next": None})


@OPERATIONS.post(f"{H}/calls/{{call}}/hangup", STAFF, None, None, no.UnknownCall, *ASTERISK, status=(204,))
async def hang_up_call(request: web.Request) -> web.Response:
    """Ends a call, waiting or talking."""
    handler, who, call = handler_of(request), principal_of(request), request.match_info["call"]
    queue = handler.center.present_call(call).queue
    who.need(who.reaches_queue(handler.name, queue, handler.state), f"The queue {queue!r}")
    await handler.supervision.hang_up(call)
    return web.Response(status=204)


# Listening in ---------------------------------------------------------------------------------------------


@OPERATIONS.get(f"{H}/monitors", READERS, Page[answers.Monitor], query=models.MonitorsQuery)
async def list_monitors(request: web.Request) -> web.Response:
    """Who listens to whom at present."""
    handler, who, query = handler_of(request), principal_of(request), query_of(request, models.MonitorsQuery)
    within = [m for m in handler.state.monitors.values() if who.reaches_agent(handler.name, m.agent, handler.state)]
    return answer(page([shapes.monitor(each) for each in within], query, lambda each: each["id"]), request=request)


@OPERATIONS.post(f"{AGENT}/listen", STAFF, answers.Monitor, models.MonitorBody, *MONITORING, *ASTERISK)
async def listen(request: web.Request) -> web.Response:
    """Rings the supervisor's phone and lets him hear the agent's call; nobody hears him."""
    return await _monitor(request, MonitorMode.LISTEN)


@OPERATIONS.post(f"{AGENT}/whisper", STAFF, answers.Monitor, models.MonitorBody, *MONITORING, *ASTERISK)
async def whisper(request: web.Request) -> web.Response:
    """The same, and the agent hears him, the caller does not."""
    return await _monitor(request, MonitorMode.WHISPER)


@OPERATIONS.post(f"{AGENT}/barge", STAFF, answers.Monitor, models.MonitorBody, *MONITORING, *ASTERISK)
async def barge(request: web.Request) -> web.Response:
    """The same, and both hear him."""
    return await _monitor(request, MonitorMode.BARGE)


async def _monitor(request: web.Request, mode: MonitorMode) -> web.Response:
    handler, body = handler_of(request), await body_of(request, models.MonitorBody)
    handler.commands.need_usable(body.supervisor_address)
    agent = request.match_info["agent"]
    _need_his_call(principal_of(request), handler, agent)
    monitor = await handler.supervision.monitor(agent, mode, body.supervisor_address)
    return answer(shapes.monitor(monitor), 201)


def _need_his_call(who: Principal, handler: Handler, agent: str) -> None:
    """Of an agent who works for other groups, too, a supervisor of some groups hears no call of the others."""
    state = handler.state
    for session in (state.sessions[key] for key in handler.center.agent(agent).sessions):
        for queue in (state.visits[key].queue for key in session.talks):
            who.need(who.reaches_queue(handler.name, queue, state), f"The present call of the agent {agent!r}")


@OPERATIONS.delete(f"{H}/monitors/{{monitor}}", STAFF, no.UnknownMonitor, *ASTERISK)
async def end_monitor(request: web.Request) -> web.Response:
    """The supervisor hears no more."""
    handler, who, id = handler_of(request), principal_of(request), request.match_info["monitor"]
    agent = handler.center.supervision.monitor(id).agent
    who.need(who.reaches_agent(handler.name, agent, handler.state), f"The agent {agent!r}")
    await handler.supervision.end_monitor(id)
    return web.Response(status=204)


# Notes and after-call codes -------------------------------------------------------------------------------


@OPERATIONS.post(f"{H}/notes", STAFF, answers.Note, models.NoteBody, no.UnknownGroup, no.UnknownAgent)
async def post_note(request: web.Request) -> web.Response:
    """A note to agents, by the stream: to all, to those of some groups, or to some by name."""
    handler, body, who = handler_of(request), await body_of(request, models.NoteBody), principal_of(request)
    for group in body.groups or ():
        handler.center.group(group)
        who.need(who.reaches_group(handler.name, group), f"The group {group!r}")
    for agent in body.agents or ():
        handler.center.agent(agent)
        who.need(who.reaches_agent(handler.name, agent, handler.state), f"The agent {agent!r}")
    groups = body.groups or ([] if body.agents or who.groups is None else sorted(who.groups))
    note: answers.Note = {"text": body.text, "from": who.name, "groups": groups, "agents": body.agents or []}
    feed = request.app[FEED]
    feed.publish(handler.name, time.time(), "note", "NOTE", note, agents=note["agents"], groups=groups)
    return answer({**note, "seq": feed.seq}, 201)


@OPERATIONS.get(f"{H}/choices", EVERYBODY, answers.Choices)
async def list_choices(request: web.Request) -> web.Response:
    """What agents choose from: after-call codes, and reasons for being not ready."""
    state = handler_of(request).state
    codes = [{"code": code, "text": text} for code, text in state.dispositions.items()]
    required = sorted(state.disposition_required)
    return answer({"dispositions": codes, "disposition_required": required, "reasons": state.reasons}, request=request)


@OPERATIONS.put(
    f"{SESSION}/disposition",
    WORKERS,
    SessionView,
    models.DispositionBody,
    no.UnknownSession,
    no.UnknownDisposition,
    no.NoCall,
    *ASTERISK,
)
async def put_disposition(request: web.Request) -> web.Response:
    """The after-call code of the call in talk, or of the one whose after-call work is going on."""
    handler, body = handler_of(request), await body_of(request, models.DispositionBody)
    await handler.commands.set_disposition(request.match_info["session"], body.code)
    return await get_session(request)
