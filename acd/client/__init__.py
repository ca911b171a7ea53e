"""acd from other programs: the TAPI 3 objects over the web API, with the names that acd.tapi has in acd's own process.

    async with acd.client.connect("http://127.0.0.1:8080", token=token) as call_center:
        handler = await call_center.agent_handler()
        agent = await handler.agent("1001")
        await agent.put_state(AgentState.NOT_READY, reason="lunch")

Nothing here needs a store, an AMI library or acd's service. docs/client.md shows all of it by example.
"""

from acd.client.center import TAPICallCenter, connect
from acd.client.errors import ApiError, EventsLost, NoAnswer, Unreachable
from acd.client.events import (
    ACDGroupEvent,
    AgentEvent,
    AgentHandlerEvent,
    AgentSessionEvent,
    Envelope,
    Event,
    EventStream,
    QueueEvent,
    Reset,
)
from acd.client.objects import (
    ACDGroup,
    Address,
    Agent,
    AgentHandler,
    AgentSession,
    Call,
    CallCenterPicture,
    EnumACDGroup,
    EnumAddress,
    EnumAgent,
    EnumAgentHandler,
    EnumAgentSession,
    EnumQueue,
    HandlerPicture,
    Monitor,
    Queue,
    QueueMember,
    WaitingCall,
)
from acd.contract import Enumerator, GroupRemoved, NullArgument, QueueRemoved, TapiEvent, automation_date, currency
from acd.core import refusals, states
from acd.core.refusals import Refusal
from acd.core.states import AddressState, AgentState, MonitorMode, MonitorState, Outcome, SessionEvent, SessionState

__all__ = [
    "ACDGroup",
    "ACDGroupEvent",
    "Address",
    "AddressState",
    "Agent",
    "AgentEvent",
    "AgentHandler",
    "AgentHandlerEvent",
    "AgentSession",
    "AgentSessionEvent",
    "AgentState",
    "ApiError",
    "Call",
    "CallCenterPicture",
    "EnumACDGroup",
    "EnumAddress",
    "EnumAgent",
    "EnumAgentHandler",
    "EnumAgentSession",
    "EnumQueue",
    "Enumerator",
    "Envelope",
    "Event",
    "EventStream",
    "EventsLost",
    "GroupRemoved",
    "HandlerPicture",
    "Monitor",
    "MonitorMode",
    "MonitorState",
    "NoAnswer",
    "NullArgument",
    "Outcome",
    "Queue",
    "QueueEvent",
    "QueueMember",
    "QueueRemoved",
    "Refusal",
    "Reset",
    "SessionEvent",
    "SessionState",
    "TAPICallCenter",
    "TapiEvent",
    "Unreachable",
    "WaitingCall",
    "automation_date",
    "connect",
    "currency",
    "refusals",
    "states",
]
