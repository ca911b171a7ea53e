"""The TAPI 3 call center objects for programs in the same process: ITTAPICallCenter and all that it leads to.

Names are those of the contract in snake_case: a property for get_, a coroutine `put_...` for put_, because Asterisk
has to confirm it. A failure is a Refusal, which carries `hresult` and `lineerr`. Objects are views: two of them that
stand for the same thing are equal, and what they tell is read at the moment of asking.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial

from acd.commands import Commands
from acd.contract import (
    Enumerator,
    GroupRemoved,
    NullArgument,
    QueueRemoved,
    TapiEvent,
    automation_date,
    currency,
    enumerator_of,
    given,
)
from acd.core import refusals, views
from acd.core import states as st
from acd.core.effects import AgentMoved, Change, GroupMoved, HandlerMoved, QueueMoved, SessionMoved
from acd.core.states import AddressState, AgentState, SessionState
from acd.settings import a_name, an_address

__all__ = [
    "ACDGroup",
    "ACDGroupEvent",
    "Address",
    "Agent",
    "AgentEvent",
    "AgentHandler",
    "AgentHandlerEvent",
    "AgentSession",
    "AgentSessionEvent",
    "EnumACDGroup",
    "EnumAddress",
    "EnumAgent",
    "EnumAgentHandler",
    "EnumAgentSession",
    "EnumQueue",
    "Enumerator",
    "GroupRemoved",
    "NullArgument",
    "Queue",
    "QueueEvent",
    "QueueRemoved",
    "TAPICallCenter",
    "TapiEvent",
    "automation_date",
    "currency",
]


# Enumerators ----------------------------------------------------------------------------------------------


class EnumAgent(Enumerator["Agent"]):
    """IEnumAgent."""


class EnumAgentSession(Enumerator["AgentSession"]):
    """IEnumAgentSession."""


class EnumQueue(Enumerator["Queue"]):
    """IEnumQueue."""


class EnumACDGroup(Enumerator["ACDGroup"]):
    """IEnumACDGroup."""


class EnumAgentHandler(Enumerator["AgentHandler"]):
    """IEnumAgentHandler."""


class EnumAddress(Enumerator["Address"]):
    """IEnumAddress."""


# Objects --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Object:
    """Something of one handler, known by its key there."""

    _commands: Commands
    _key: str

    @property
    def _now(self) -> float:
        return self._commands.service.now()


@dataclass(frozen=True, slots=True)
class Address(_Object):
    """ITAddress, as far as a session needs it: a phone."""

    @property
    def state(self) -> AddressState:
        """get_State: whether the phone can be reached."""
        in_service = self._commands.reachable(self._key)
        return AddressState.INSERVICE if in_service else AddressState.OUTOFSERVICE

    @property
    def address_name(self) -> str:
        """get_AddressName: the device, such as PJSIP/1001."""
        return self._key

    @property
    def service_provider_name(self) -> str:
        """get_ServiceProviderName: the channel technology."""
        return self._key.partition("/")[0]

    @property
    def dialable_address(self) -> str:
        """get_DialableAddress: what stands behind the technology."""
        return self._key.partition("/")[2]


@dataclass(frozen=True, slots=True)
class Queue(_Object):
    """ITQueue. Counters cover its measurement period. Every member raises QueueRemoved once it is gone."""

    @property
    def _view(self) -> views.QueueView:
        queue = self._commands.center.state.queues.get(self._key)
        if queue is None or not queue.in_asterisk:
            raise QueueRemoved()
        return views.queue_view(self._commands.center, self._key, self._now)

    async def put_measurement_period(self, seconds: int) -> None:
        """put_MeasurementPeriod: another period; its counters start at zero. Raises PeriodInvalid."""
        await self._commands.set_measurement_period(seconds, queue=self._view.name)

    @property
    def measurement_period(self) -> int:
        """get_MeasurementPeriod, in seconds."""
        return self._view.measurement_period

    @property
    def total_calls_queued(self) -> int:
        """get_TotalCallsQueued."""
        return self._view.total_calls_queued

    @property
    def current_calls_queued(self) -> int:
        """get_CurrentCallsQueued."""
        return self._view.current_calls_queued

    @property
    def total_calls_abandoned(self) -> int:
        """get_TotalCallsAbandoned."""
        return self._view.total_calls_abandoned

    @property
    def total_calls_flowed_in(self) -> int:
        """get_TotalCallsFlowedIn."""
        return self._view.total_calls_flowed_in

    @property
    def total_calls_flowed_out(self) -> int:
        """get_TotalCallsFlowedOut."""
        return self._view.total_calls_flowed_out

    @property
    def longest_ever_wait_time(self) -> int:
        """get_LongestEverWaitTime, in seconds, in the period."""
        return self._view.longest_ever_wait_time

    @property
    def current_longest_wait_time(self) -> int:
        """get_CurrentLongestWaitTime, in seconds."""
        return self._view.current_longest_wait_time

    @property
    def average_wait_time(self) -> int:
        """get_AverageWaitTime, in seconds."""
        return self._view.average_wait_time

    @property
    def final_disposition(self) -> int:
        """get_FinalDisposition."""
        return self._view.final_disposition

    @property
    def name(self) -> str:
        """get_Name."""
        return self._view.name


@dataclass(frozen=True, slots=True)
class ACDGroup(_Object):
    """ITACDGroup. Every member raises GroupRemoved once it is gone."""

    @property
    def name(self) -> str:
        """get_Name."""
        if self._key not in self._commands.center.state.groups:
            raise GroupRemoved()
        return self._key

    @property
    def queues(self) -> list[Queue]:
        """get_Queues: those that feed the group."""
        return [Queue(self._commands, queue) for queue in self._commands.center.group(self.name).queues]

    def enumerate_queues(self) -> EnumQueue:
        """EnumerateQueues."""
        return EnumQueue(self.queues)


@dataclass(frozen=True, slots=True)
class AgentSession(_Object):
    """ITAgentSession. Counters cover its life and are frozen at its end."""

    @property
    def _view(self) -> views.SessionView:
        return views.session_view(self._commands.center, self._commands.center.session(self._key), self._now)

    @property
    def agent(self) -> "Agent":
        """get_Agent."""
        return Agent(self._commands, self._view.agent)

    @property
    def address(self) -> Address:
        """get_Address."""
        return Address(self._commands, self._view.address)

    @property
    def acd_group(self) -> ACDGroup:
        """get_ACDGroup."""
        return ACDGroup(self._commands, self._view.acd_group)

    async def put_state(self, state: SessionState) -> None:
        """put_State: READY, NOT_READY or SESSION_ENDED; during a call it is the next state.

        Raises NullArgument for what is no AGENT_SESSION_STATE, StateNotSettable, StateNotReachable, AsteriskSilent.
        """
        await self._commands.set_session_state(self._key, enumerator_of(SessionState, state), "")

    @property
    def state(self) -> SessionState:
        """get_State."""
        return self._view.state

    @property
    def session_start_time(self) -> datetime:
        """get_SessionStartTime, aware, in UTC (semantics A28)."""
        return datetime.fromtimestamp(self._view.session_start_time, UTC)

    @property
    def session_duration(self) -> int:
        """get_SessionDuration, in seconds."""
        return self._view.session_duration

    @property
    def number_of_calls(self) -> int:
        """get_NumberOfCalls."""
        return self._view.number_of_calls

    @property
    def total_talk_time(self) -> int:
        """get_TotalTalkTime, in seconds."""
        return self._view.total_talk_time

    @property
    def average_talk_time(self) -> int:
        """get_AverageTalkTime, in seconds."""
        return self._view.average_talk_time

    @property
    def total_call_time(self) -> int:
        """get_TotalCallTime, in seconds: talk and wrap-up."""
        return self._view.total_call_time

    @property
    def average_call_time(self) -> int:
        """get_AverageCallTime, in seconds."""
        return self._view.average_call_time

    @property
    def total_wrap_up_time(self) -> int:
        """get_TotalWrapUpTime, in seconds."""
        return self._view.total_wrap_up_time

    @property
    def average_wrap_up_time(self) -> int:
        """get_AverageWrapUpTime, in seconds."""
        return self._view.average_wrap_up_time

    @property
    def acd_call_rate(self) -> Decimal:
        """get_ACDCallRate: calls an hour, four places; `currency` gives the raw integer."""
        return self._view.acd_call_rate

    @property
    def longest_time_to_answer(self) -> int:
        """get_LongestTimeToAnswer, in seconds from ringing."""
        return self._view.longest_time_to_answer

    @property
    def average_time_to_answer(self) -> int:
        """get_AverageTimeToAnswer, in seconds from ringing."""
        return self._view.average_time_to_answer


@dataclass(frozen=True, slots=True)
class Agent(_Object):
    """ITAgent. Counters cover the measurement period."""

    @property
    def _view(self) -> views.AgentView:
        return views.agent_view(self._commands.center, self._commands.center.agent(self._key), self._now)

    def enumerate_agent_sessions(self) -> EnumAgentSession:
        """EnumerateAgentSessions."""
        return EnumAgentSession(self.agent_sessions)

    async def create_session(self, acd_group: ACDGroup, address: Address) -> AgentSession:
        """CreateSession: logs the agent on, not ready. Raises NullArgument and what Commands.create_session raises."""
        return await self._create_session(acd_group, address, None)

    async def create_session_with_pin(self, acd_group: ACDGroup, address: Address, pin: str) -> AgentSession:
        """CreateSessionWithPIN. Raises NoAgentId, NullArgument without a PIN, WrongPin."""
        if self._commands.center.agent(self._key).id is None:
            raise refusals.NoAgentId()
        return await self._create_session(acd_group, address, given(pin))

    async def _create_session(self, acd_group: ACDGroup, address: Address, pin: str | None) -> AgentSession:
        for one in (given(acd_group), given(address)):
            if one._commands is not self._commands:
                raise NullArgument("The group and the address must be of the agent's own handler.")
        group, phone = acd_group.name, _text(an_address, address.address_name)
        session = await self._commands.create_session(self._key, group, phone, pin)
        return AgentSession(self._commands, session.id)

    @property
    def id(self) -> str:
        """get_ID. Raises NoAgentId for an agent made by CreateAgent."""
        known = self._view.id
        if known is None:
            raise refusals.NoAgentId()
        return known

    @property
    def user(self) -> str:
        """get_User: the account name."""
        return self._view.user

    async def put_state(self, state: AgentState) -> None:
        """put_State: READY or NOT_READY. Raises NullArgument for no AGENT_STATE, StateNotSettable, AsteriskSilent."""
        await self._commands.set_agent_state(self._key, enumerator_of(AgentState, state), "")

    @property
    def state(self) -> AgentState:
        """get_State."""
        return self._view.state

    async def put_measurement_period(self, seconds: int) -> None:
        """put_MeasurementPeriod: clears every cumulative counter of the agent. Raises PeriodInvalid."""
        await self._commands.set_measurement_period(seconds, agent=self._key)

    @property
    def measurement_period(self) -> int:
        """get_MeasurementPeriod, in seconds."""
        return self._view.measurement_period

    @property
    def overall_call_rate(self) -> Decimal:
        """get_OverallCallRate: ACD calls an agent-hour, four places; `currency` gives the raw integer."""
        return self._view.overall_call_rate

    @property
    def number_of_acd_calls(self) -> int:
        """get_NumberOfACDCalls."""
        return self._view.number_of_acd_calls

    @property
    def number_of_incoming_calls(self) -> int:
        """get_NumberOfIncomingCalls: connected ones outside the ACD."""
        return self._view.number_of_incoming_calls

    @property
    def number_of_outgoing_calls(self) -> int:
        """get_NumberOfOutgoingCalls: connected ones outside the ACD."""
        return self._view.number_of_outgoing_calls

    @property
    def total_acd_talk_time(self) -> int:
        """get_TotalACDTalkTime, in seconds."""
        return self._view.total_acd_talk_time

    @property
    def total_acd_call_time(self) -> int:
        """get_TotalACDCallTime, in seconds: talk and wrap-up."""
        return self._view.total_acd_call_time

    @property
    def total_wrap_up_time(self) -> int:
        """get_TotalWrapUpTime, in seconds."""
        return self._view.total_wrap_up_time

    @property
    def agent_sessions(self) -> list[AgentSession]:
        """get_AgentSessions: the live ones (semantics A27)."""
        return [AgentSession(self._commands, key) for key in self._view.sessions]


@dataclass(frozen=True, slots=True)
class AgentHandler:
    """ITAgentHandler: one Asterisk server."""

    _commands: Commands

    @property
    def name(self) -> str:
        """get_Name."""
        return self._commands.service.name

    async def create_agent(self, user: str) -> Agent:
        """CreateAgent, for the account `user`: TAPI takes it from the program's log-in, we have to be told."""
        agent, _ = await self._commands.create_agent(_text(a_name, user))
        return Agent(self._commands, agent.key)

    async def create_agent_with_id(self, id: str, pin: str, user: str | None = None) -> Agent:
        """CreateAgentWithID. Raises NullArgument, WrongPin, PinLocked, AgentExists."""
        key, name = _text(a_name, id), _text(a_name, user or id)
        agent, _ = await self._commands.create_agent_with_id(key, given(pin), name)
        return Agent(self._commands, agent.key)

    @property
    def acd_groups(self) -> list[ACDGroup]:
        """get_ACDGroups."""
        return [ACDGroup(self._commands, name) for name in self._commands.center.state.groups]

    def enumerate_acd_groups(self) -> EnumACDGroup:
        """EnumerateACDGroups."""
        return EnumACDGroup(self.acd_groups)

    @property
    def usable_addresses(self) -> list[Address]:
        """get_UsableAddresses."""
        return [Address(self._commands, device) for device in self._commands.usable_addresses()]

    def enumerate_usable_addresses(self) -> EnumAddress:
        """EnumerateUsableAddresses."""
        return EnumAddress(self.usable_addresses)


# Events ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AgentEvent:
    """ITAgentEvent."""

    agent: Agent
    event: st.AgentEvent


@dataclass(frozen=True, slots=True)
class AgentSessionEvent:
    """ITAgentSessionEvent."""

    session: AgentSession
    event: st.SessionEvent


@dataclass(frozen=True, slots=True)
class ACDGroupEvent:
    """ITACDGroupEvent."""

    group: ACDGroup
    event: st.ACDGroupEvent


@dataclass(frozen=True, slots=True)
class QueueEvent:
    """ITQueueEvent."""

    queue: Queue
    event: st.ACDQueueEvent


@dataclass(frozen=True, slots=True)
class AgentHandlerEvent:
    """ITAgentHandlerEvent."""

    agent_handler: AgentHandler
    event: st.AgentHandlerEvent


Payload = AgentEvent | AgentSessionEvent | ACDGroupEvent | QueueEvent | AgentHandlerEvent
Notification = Callable[[TapiEvent, Payload], None]  # ITTAPIEventNotification.Event: must return at once


class TAPICallCenter:
    """ITTAPICallCenter, with ITTAPI's event filter: the way in."""

    def __init__(self, handlers: Mapping[str, Commands]) -> None:
        self._handlers = handlers
        self._notify: list[Notification] = []
        self.event_filter = TapiEvent(0)  # put_EventFilter: nothing comes before it has been set
        for commands in handlers.values():
            commands.service.listen(partial(self._changed, commands))

    @property
    def agent_handlers(self) -> list[AgentHandler]:
        """get_AgentHandlers: the servers that are connected, as a handler appears when its proxy does."""
        return [AgentHandler(each) for each in self._handlers.values() if each.center.state.linked]

    def enumerate_agent_handlers(self) -> EnumAgentHandler:
        """EnumerateAgentHandlers."""
        return EnumAgentHandler(self.agent_handlers)

    def register(self, notify: Notification) -> None:
        """ITTAPIEventNotification: from now on `notify` is called for every event that passes the filter."""
        self._notify.append(given(notify))

    def _changed(self, commands: Commands, change: Change) -> None:
        told = _payload(commands, change)
        if told is not None and told[0] & self.event_filter:
            for notify in self._notify:
                notify(*told)


def _payload(commands: Commands, change: Change) -> tuple[TapiEvent, Payload] | None:
    match change:
        case AgentMoved(_, key, agent_event):
            return TapiEvent.AGENT, AgentEvent(Agent(commands, key), agent_event)
        case SessionMoved(_, key, session_event):
            return TapiEvent.AGENTSESSION, AgentSessionEvent(AgentSession(commands, key), session_event)
        case GroupMoved(_, key, group_event):
            return TapiEvent.ACDGROUP, ACDGroupEvent(ACDGroup(commands, key), group_event)
        case QueueMoved(_, key, queue_event):
            return TapiEvent.QUEUE, QueueEvent(Queue(commands, key), queue_event)
        case HandlerMoved(_, handler_event):
            return TapiEvent.AGENTHANDLER, AgentHandlerEvent(AgentHandler(commands), handler_event)
    return None


def _text(check: Callable[[str], str], value: str | None) -> str:
    """The argument, held to what Asterisk can carry."""
    try:
        return check(str(given(value)))
    except ValueError as error:
        raise NullArgument(f"{value!r} {error}.") from None
