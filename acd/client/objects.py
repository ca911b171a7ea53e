"""The TAPI 3 objects over the web API.

A figure, a name or a state is an attribute, and tells what was last seen: when the object was made, when a command to
it was answered, and at `refresh`. What leads to another object has to be read and is therefore a coroutine, as is every
command. Two objects that stand for the same thing are equal.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Self

from acd.client.connection import Connection, Picture, frozen
from acd.client.errors import ApiError, removed
from acd.client.member import count, enumerator, exact, flag, maybe, moment, rate, text, word
from acd.contract import Enumerator, GroupRemoved, QueueRemoved, enumerator_of, given
from acd.core import refusals
from acd.core.states import AddressState, AgentState, MonitorMode, MonitorState, SessionState

Json = dict[str, Any]


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


class _Seen:
    """What was seen of something, as the API shows it."""

    __slots__ = ("_picture",)

    def __init__(self, picture: Picture) -> None:
        self._picture = frozen(picture)

    @property
    def picture(self) -> Picture:
        """All that the API showed, also what has no attribute here."""
        return self._picture


class _Object(_Seen):
    """Something of one handler that can be looked at again."""

    __slots__ = ("_connection", "_handler")
    _kind: ClassVar[str]  # as paths name it
    _key_name: ClassVar[str]  # the member that is its name in paths
    _unknown: ClassVar[type[refusals.Refusal] | None] = None  # what the API says of one that is gone,
    _gone: ClassVar[type[refusals.Refusal]]  # and what TAPI says of it

    def __init__(self, connection: Connection, handler: str, picture: Picture) -> None:
        super().__init__(picture)
        self._connection, self._handler = connection, handler

    @property
    def _key(self) -> str:
        return str(self._picture[self._key_name])

    @property
    def _path(self) -> tuple[str, ...]:
        return ("handlers", self._handler, self._kind, self._key)

    def _identity(self) -> tuple[object, ...]:
        return type(self), self._connection, self._handler, self._key

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Object) and self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def __repr__(self) -> str:
        state = f" {self._picture['state']}" if "state" in self._picture else ""
        return f"<{type(self).__name__} {self._key}{state}>"

    async def refresh(self) -> Self:
        """Looks again; returns itself."""
        self._picture = frozen(await self._ask("GET"))
        return self

    async def _put(self, what: str, body: Json) -> None:
        self._picture = frozen(await self._ask("PUT", what, body=body))

    async def _ask(self, method: str, *path: str, body: Json | None = None) -> Any:
        with self._as_it_was():
            return await self._connection.ask(method, *self._path, *path, body=body)

    async def _list(self, *path: str) -> list[Json]:
        with self._as_it_was():
            return [item async for item in self._connection.items(*self._path, *path)]

    @contextmanager
    def _as_it_was(self) -> Iterator[None]:
        try:
            yield
        except ApiError as error:
            if self._unknown is None or not isinstance(error, self._unknown):
                raise
            raise removed(self._gone, error) from None

    async def _beside(self, *path: str) -> Any:
        """Something else of the same handler."""
        return await self._connection.ask("GET", "handlers", self._handler, *path)


class Address(_Object):
    """ITAddress, as far as a session needs it: a phone."""

    __slots__ = ()
    _kind, _key_name = "addresses", "address_name"

    state = enumerator(AddressState, "get_State: whether the phone can be reached.")
    address_name = text("get_AddressName: the device, such as PJSIP/1001.")
    service_provider_name = text("get_ServiceProviderName: the channel technology.")
    dialable_address = text("get_DialableAddress: what stands behind the technology.")
    in_use = flag("Somebody is logged on there.")

    async def refresh(self) -> Self:
        """Looks again; a phone that Asterisk has lost is out of service."""
        found = _lost_phone(self._key)
        async for shown in self._connection.items("handlers", self._handler, self._kind):
            if shown["address_name"] == self._key:
                found = shown
        self._picture = frozen(found)
        return self


def _lost_phone(name: str) -> Picture:
    technology, _, dialable = name.partition("/")
    return {
        "address_name": name,
        "service_provider_name": technology,
        "dialable_address": dialable,
        "state": AddressState.OUTOFSERVICE.name,
        "in_use": False,
    }


class WaitingCall(_Seen):
    """A caller who waits in a queue."""

    __slots__ = ()
    call = text("The call's id in the ledger.")
    position = count("1 is served next.")
    caller = maybe(text("The caller's number, or None."))
    waiting_since = moment("When he entered the queue.")
    priority = maybe(count("The higher, the sooner; None where Asterisk does not tell."))


class QueueMember(_Seen):
    """An agent at a phone who serves a queue, as Asterisk has him."""

    __slots__ = ()
    agent = text("The agent, by his name in paths.")
    address = text("The phone that the queue rings.")
    penalty = count("How late his turn comes, 0 first.")
    paused = flag("The queue does not ring him.")
    reason = text("Why he is paused.")


class Call(_Seen):
    """A row of the ledger: one visit to a queue. None is what is not known, or not yet."""

    __slots__ = ()
    call = text("The call; it has one row for each queue that it visited.")
    queue = text("The queue.")
    caller = maybe(text("The caller's number."))
    agent = maybe(text("Who answered: his name in paths."))
    session = maybe(text("In which session."))
    outcome = maybe(text("How the visit ended, such as answered or abandoned."))
    disposition = maybe(text("The after-call code that the agent gave."))
    estimated = flag("A time in here was concluded, not observed.")
    entered = moment("When the call came.")
    answered = maybe(moment("When an agent answered."))
    ended = maybe(moment("When the visit was over."))
    ring_time = maybe(count("Seconds for which the phone of the one who answered rang."))
    ring_time_exact = maybe(exact("The same before rounding."))
    wait_time = maybe(count("Seconds until the answer or the exit."))
    wait_time_exact = maybe(exact("The same before rounding."))
    talk_time = maybe(count("Seconds from the answer to the agent's release."))
    talk_time_exact = maybe(exact("The same before rounding."))
    hold_time = maybe(count("Seconds of it on hold."))
    hold_time_exact = maybe(exact("The same before rounding."))
    wrap_up_time = maybe(count("Seconds of after-call work."))
    wrap_up_time_exact = maybe(exact("The same before rounding."))


def _id(call: WaitingCall | Call | str) -> str:
    return call if isinstance(call, str) else call.call


class Queue(_Object):
    """ITQueue. Counters cover its measurement period. QueueRemoved is raised once it is gone."""

    __slots__ = ()
    _kind, _key_name, _unknown, _gone = "queues", "name", refusals.UnknownQueue, QueueRemoved

    name = text("get_Name.")
    measurement_period = count("get_MeasurementPeriod, in seconds.")
    total_calls_queued = count("get_TotalCallsQueued.")
    current_calls_queued = count("get_CurrentCallsQueued.")
    total_calls_abandoned = count("get_TotalCallsAbandoned.")
    total_calls_flowed_in = count("get_TotalCallsFlowedIn.")
    total_calls_flowed_out = count("get_TotalCallsFlowedOut.")
    longest_ever_wait_time = count("get_LongestEverWaitTime, in seconds, in the period.")
    longest_ever_wait_time_exact = exact("The same before rounding.")
    current_longest_wait_time = count("get_CurrentLongestWaitTime, in seconds.")
    current_longest_wait_time_exact = exact("The same before rounding.")
    average_wait_time = count("get_AverageWaitTime, in seconds.")
    average_wait_time_exact = exact("The same before rounding.")
    final_disposition = count("get_FinalDisposition.")
    total_calls_answered = count("Calls that an agent answered.")
    in_service = flag("Asterisk has the queue, and is connected.")
    wrap_up = exact("Seconds of after-call work.")

    async def put_measurement_period(self, seconds: int) -> None:
        """put_MeasurementPeriod: another period; its counters start at zero. Raises PeriodInvalid."""
        await self._put("measurement-period", {"seconds": seconds})

    async def put_wrap_up_time(self, seconds: float | None) -> None:
        """The seconds of after-call work; None: the handler's."""
        await self._put("wrap-up-time", {"seconds": seconds})

    async def calls(self) -> list[WaitingCall]:
        """The callers who wait, in the order in which they will be served."""
        return [WaitingCall(shown) for shown in await self._list("calls")]

    async def withdraw(self, call: WaitingCall | str) -> None:
        """Takes a waiting caller out of the queue; the dialplan goes on with him. Raises UnknownCall."""
        await self._ask("POST", "calls", _id(call), "withdraw")

    async def put_priority(self, call: WaitingCall | str, priority: int) -> list[WaitingCall]:
        """Gives a waiting caller another priority; who waits then, in order. Raises UnknownCall."""
        shown = await self._ask("POST", "calls", _id(call), "priority", body={"priority": priority})
        return [WaitingCall(each) for each in shown["items"]]

    async def transfer(self, call: WaitingCall | str, queue: "Queue | str") -> list[WaitingCall]:
        """Sends a waiting caller to another queue; who waits there then. Raises UnknownCall, UnknownQueue."""
        body = {"queue": queue if isinstance(queue, str) else queue.name}
        shown = await self._ask("POST", "calls", _id(call), "transfer", body=body)
        return [WaitingCall(each) for each in shown["items"]]

    async def members(self) -> list[QueueMember]:
        """Who serves it."""
        return [QueueMember(shown) for shown in await self._list("members")]

    async def put_penalty(self, agent: "Agent | str", penalty: int) -> None:
        """How late an agent's turn comes here, 0 first; for this log-in and those to come. Raises UnknownAgent."""
        await self._ask("PUT", "members", agent if isinstance(agent, str) else agent._key, body={"penalty": penalty})


class ACDGroup(_Object):
    """ITACDGroup. GroupRemoved is raised once it is gone."""

    __slots__ = ()
    _kind, _key_name, _unknown, _gone = "acd-groups", "name", refusals.UnknownGroup, GroupRemoved

    name = text("get_Name.")

    async def queues(self) -> list[Queue]:
        """get_Queues: those that feed the group."""
        every = self._connection.items("handlers", self._handler, "queues", query={"group": self._key})
        with self._as_it_was():
            return [Queue(self._connection, self._handler, each) async for each in every]

    async def enumerate_queues(self) -> EnumQueue:
        """EnumerateQueues."""
        return EnumQueue(await self.queues())


class AgentSession(_Object):
    """ITAgentSession. Counters cover its life and are frozen at its end."""

    __slots__ = ()
    _kind, _key_name = "sessions", "id"

    id = text("Its name in paths and in the ledger.")
    state = enumerator(SessionState, "get_State.")
    state_since = moment("When it entered the state.")
    reason = text("Why it is not ready.")
    next_state = maybe(enumerator(SessionState, "What was asked for during a call and follows it."))
    wrap_up_until = maybe(moment("When after-call work will be over."))
    session_start_time = moment("get_SessionStartTime, aware, in UTC (semantics A28).")
    session_duration = count("get_SessionDuration, in seconds.")
    session_duration_exact = exact("The same before rounding.")
    number_of_calls = count("get_NumberOfCalls.")
    total_talk_time = count("get_TotalTalkTime, in seconds.")
    total_talk_time_exact = exact("The same before rounding.")
    average_talk_time = count("get_AverageTalkTime, in seconds.")
    total_call_time = count("get_TotalCallTime, in seconds: talk and wrap-up.")
    total_call_time_exact = exact("The same before rounding.")
    average_call_time = count("get_AverageCallTime, in seconds.")
    total_wrap_up_time = count("get_TotalWrapUpTime, in seconds.")
    total_wrap_up_time_exact = exact("The same before rounding.")
    average_wrap_up_time = count("get_AverageWrapUpTime, in seconds.")
    acd_call_rate = rate("get_ACDCallRate: calls an hour, four places; `currency` gives the raw integer.")
    longest_time_to_answer = count("get_LongestTimeToAnswer, in seconds from ringing.")
    longest_time_to_answer_exact = exact("The same before rounding.")
    average_time_to_answer = count("get_AverageTimeToAnswer, in seconds from ringing.")

    async def agent(self) -> "Agent":
        """get_Agent."""
        shown = await self._beside(Agent._kind, self._picture["agent"])
        return Agent(self._connection, self._handler, shown)

    async def address(self) -> Address:
        """get_Address."""
        return await Address(self._connection, self._handler, _lost_phone(self._picture["address"])).refresh()

    async def acd_group(self) -> ACDGroup:
        """get_ACDGroup. Raises UnknownGroup where it was taken away."""
        shown = await self._beside(ACDGroup._kind, self._picture["acd_group"])
        return ACDGroup(self._connection, self._handler, shown)

    async def put_state(self, state: SessionState, reason: str = "") -> None:
        """put_State: READY, NOT_READY or SESSION_ENDED; during a call it is the next state.

        Raises StateNotSettable, StateNotReachable, NotLinked, AsteriskRefused, AsteriskSilent.
        """
        await self._put("state", {"state": enumerator_of(SessionState, state).name, "reason": reason})

    async def end_wrap_up(self) -> None:
        """Ends after-call work. Raises NotInWrapUp."""
        await self._put("wrap-up", {"end": True})

    async def extend_wrap_up(self, seconds: float) -> None:
        """Lengthens after-call work. Raises NotInWrapUp."""
        await self._put("wrap-up", {"extend_seconds": seconds})

    async def put_disposition(self, code: str) -> None:
        """The after-call code of the call in talk or wrap-up. Raises UnknownDisposition, NoCall."""
        await self._put("disposition", {"code": code})

    async def move(self, acd_group: ACDGroup | str) -> "AgentSession":
        """Ends this one and logs the agent on for another group, at the same phone, as ready as he is: the new session.

        Raises UnknownGroup, GroupEmpty, SessionExists, AddressInUse, StateNotReachable.
        """
        body = {"acd_group": acd_group if isinstance(acd_group, str) else given(acd_group).name}
        return AgentSession(self._connection, self._handler, await self._ask("PUT", "acd-group", body=body))


class Monitor(_Object):
    """A supervisor's ear on an agent's call."""

    __slots__ = ()
    _kind, _key_name = "monitors", "id"

    id = text("Its name in paths.")
    agent = text("Whose call, by his name in paths.")
    mode = word(MonitorMode, "Who hears the supervisor.")
    state = word(MonitorState, "Whether his phone rings, or he hears the call.")
    supervisor_address = text("His phone.")
    since = moment("When it entered the state.")

    async def refresh(self) -> Self:
        """Looks again; one that is over is ENDED."""
        found: Picture = {**self._picture, "state": MonitorState.ENDED.value}
        async for shown in self._connection.items("handlers", self._handler, self._kind):
            if shown["id"] == self._key:
                found = shown
        self._picture = frozen(found)
        return self

    async def end(self) -> None:
        """The supervisor hears no more. Raises UnknownMonitor where it is over."""
        await self._ask("DELETE")


class Agent(_Object):
    """ITAgent. Counters cover the measurement period."""

    __slots__ = ()
    _kind, _key_name = "agents", "agent"

    user = text("get_User: the account name.")
    state = enumerator(AgentState, "get_State.")
    state_since = moment("When he entered the state.")
    reason = text("Why he is not ready, or unknown.")
    next_state = maybe(enumerator(AgentState, "What follows his present call and its wrap-up; None without a call."))
    next_reason = text("Why he will be not ready then.")
    measurement_period = count("get_MeasurementPeriod, in seconds.")
    overall_call_rate = rate("get_OverallCallRate: ACD calls an agent-hour; `currency` gives the raw integer.")
    number_of_acd_calls = count("get_NumberOfACDCalls.")
    number_of_incoming_calls = count("get_NumberOfIncomingCalls: connected ones outside the ACD.")
    number_of_outgoing_calls = count("get_NumberOfOutgoingCalls: connected ones outside the ACD.")
    total_acd_talk_time = count("get_TotalACDTalkTime, in seconds.")
    total_acd_talk_time_exact = exact("The same before rounding.")
    total_acd_call_time = count("get_TotalACDCallTime, in seconds: talk and wrap-up.")
    total_acd_call_time_exact = exact("The same before rounding.")
    total_wrap_up_time = count("get_TotalWrapUpTime, in seconds.")
    total_wrap_up_time_exact = exact("The same before rounding.")
    wrap_up = maybe(exact("His own seconds of after-call work; None: the queue's."))

    @property
    def id(self) -> str:
        """get_ID. Raises NoAgentId for an agent made by CreateAgent."""
        if self._picture["id"] is None:
            raise refusals.NoAgentId()
        return str(self._picture["id"])

    async def create_session(self, acd_group: ACDGroup | str, address: Address | str) -> AgentSession:
        """CreateSession: logs the agent on, not ready. A group and a phone may be given by their names.

        Raises UnknownGroup, UnknownAddress, GroupEmpty, SessionExists, AddressInUse, NotLinked, AsteriskRefused,
        AsteriskSilent.
        """
        return await self._create_session(acd_group, address)

    async def create_session_with_pin(
        self, acd_group: ACDGroup | str, address: Address | str, pin: str
    ) -> AgentSession:
        """CreateSessionWithPIN. Raises NoAgentId, WrongPin, PinLocked and what `create_session` raises."""
        return await self._create_session(acd_group, address, pin=given(pin))

    async def _create_session(self, group: ACDGroup | str, address: Address | str, **pin: str) -> AgentSession:
        names = {
            "acd_group": group if isinstance(group, str) else given(group).name,
            "address": address if isinstance(address, str) else given(address).address_name,
        }
        shown = await self._ask("POST", "sessions", body=names | pin)
        return AgentSession(self._connection, self._handler, shown)

    async def put_state(self, state: AgentState, reason: str = "") -> None:
        """put_State: READY or NOT_READY. Raises StateNotSettable, NotLinked, AsteriskRefused, AsteriskSilent."""
        await self._put("state", {"state": enumerator_of(AgentState, state).name, "reason": reason})

    async def put_measurement_period(self, seconds: int) -> None:
        """put_MeasurementPeriod: clears every cumulative counter of the agent. Raises PeriodInvalid."""
        await self._put("measurement-period", {"seconds": seconds})

    async def put_wrap_up_time(self, seconds: float | None) -> None:
        """His own seconds of after-call work; None: the queue's."""
        await self._put("wrap-up-time", {"seconds": seconds})

    async def agent_sessions(self) -> list[AgentSession]:
        """get_AgentSessions: the live ones (semantics A27)."""
        shown = await self._list("sessions")
        return [AgentSession(self._connection, self._handler, each) for each in shown]

    async def listen(self, supervisor_address: Address | str) -> Monitor:
        """Rings a supervisor's phone and lets him hear the agent's call. Raises NoCall, UnknownAddress."""
        return await self._monitor(MonitorMode.LISTEN, supervisor_address)

    async def whisper(self, supervisor_address: Address | str) -> Monitor:
        """The same, and the agent hears him."""
        return await self._monitor(MonitorMode.WHISPER, supervisor_address)

    async def barge(self, supervisor_address: Address | str) -> Monitor:
        """The same, and both hear him."""
        return await self._monitor(MonitorMode.BARGE, supervisor_address)

    async def _monitor(self, mode: MonitorMode, phone: Address | str) -> Monitor:
        body = {"supervisor_address": phone if isinstance(phone, str) else given(phone).address_name}
        return Monitor(self._connection, self._handler, await self._ask("POST", mode.value, body=body))

    async def enumerate_agent_sessions(self) -> EnumAgentSession:
        """EnumerateAgentSessions."""
        return EnumAgentSession(await self.agent_sessions())


class AgentHandler(_Object):
    """ITAgentHandler: one Asterisk server."""

    __slots__ = ()
    _key_name = "name"

    name = text("get_Name.")
    linked = flag("Asterisk is connected.")
    calls_waiting = count("Callers who wait, in all queues.")

    @property
    def _path(self) -> tuple[str, ...]:
        return ("handlers", self._key)

    async def create_agent(self, user: str) -> Agent:
        """CreateAgent, for the account `user`; the present one where there is one. Raises AgentExists."""
        return Agent(self._connection, self._handler, await self._ask("POST", "agents", body={"user": given(user)}))

    async def create_agent_with_id(self, id: str, pin: str, user: str | None = None) -> Agent:
        """CreateAgentWithID; the present one where the PIN fits. Raises WrongPin, PinLocked, AgentExists."""
        body = {"id": given(id), "pin": given(pin)} | ({} if user is None else {"user": user})
        return Agent(self._connection, self._handler, await self._ask("POST", "agents", body=body))

    async def acd_groups(self) -> list[ACDGroup]:
        """get_ACDGroups."""
        return [ACDGroup(self._connection, self._handler, each) for each in await self._list("acd-groups")]

    async def enumerate_acd_groups(self) -> EnumACDGroup:
        """EnumerateACDGroups."""
        return EnumACDGroup(await self.acd_groups())

    async def usable_addresses(self) -> list[Address]:
        """get_UsableAddresses."""
        return [Address(self._connection, self._handler, each) for each in await self._list("addresses")]

    async def enumerate_usable_addresses(self) -> EnumAddress:
        """EnumerateUsableAddresses."""
        return EnumAddress(await self.usable_addresses())

    # Beyond TAPI, where programs only know what they made themselves

    async def agents(self) -> list[Agent]:
        """All agents, logged on or not."""
        return [Agent(self._connection, self._handler, each) for each in await self._list("agents")]

    async def agent(self, agent: str) -> Agent:
        """By id, or by user where he has none. Raises UnknownAgent."""
        return Agent(self._connection, self._handler, await self._ask("GET", "agents", agent))

    async def agent_session(self, session: str) -> AgentSession:
        """By id; for a day after its end too. Raises UnknownSession."""
        return AgentSession(self._connection, self._handler, await self._ask("GET", "sessions", session))

    async def queues(self) -> list[Queue]:
        """All queues."""
        return [Queue(self._connection, self._handler, each) for each in await self._list("queues")]

    async def queue(self, name: str) -> Queue:
        """By name. Raises UnknownQueue."""
        return Queue(self._connection, self._handler, await self._ask("GET", "queues", name))

    async def acd_group(self, name: str) -> ACDGroup:
        """By name. Raises UnknownGroup."""
        return ACDGroup(self._connection, self._handler, await self._ask("GET", "acd-groups", name))

    async def monitors(self) -> list[Monitor]:
        """Which supervisors listen to whom at present."""
        return [Monitor(self._connection, self._handler, each) for each in await self._list("monitors")]

    async def hang_up(self, call: WaitingCall | Call | str) -> None:
        """Ends a call, waiting or talking. Raises UnknownCall."""
        await self._ask("POST", "calls", _id(call), "hangup")

    async def post_note(self, text: str, *, groups: Sequence[str] = (), agents: Sequence[str] = ()) -> None:
        """A note to agents, by the stream: to all, to those of some groups, or to some by name."""
        to = {name: list(names) for name, names in (("groups", groups), ("agents", agents)) if names}
        await self._ask("POST", "notes", body={"text": text, **to})

    async def choices(self) -> Mapping[str, Any]:
        """What agents choose from: `dispositions`, `disposition_required` (queues), `reasons`."""
        return frozen(await self._ask("GET", "choices"))

    async def calls(
        self,
        start: datetime | None = None,
        end: datetime | None = None,
        queue: str | None = None,
        agent: str | None = None,
        call: str | None = None,
    ) -> AsyncIterator[Call]:
        """The ledger: visits that began in start <= entered < end, in that order, read page by page."""
        wanted = {
            "from": start.isoformat() if start else None,
            "to": end.isoformat() if end else None,
            "queue": queue,
            "agent": agent,
            "call": call,
        }
        query = {name: value for name, value in wanted.items() if value is not None}
        async for row in self._connection.items("handlers", self._handler, "calls", query=query):
            yield Call(row)


@dataclass(frozen=True, slots=True)
class HandlerPicture:
    """All of one handler at one moment."""

    agent_handler: AgentHandler
    agents: list[Agent]
    sessions: list[AgentSession]
    queues: list[Queue]
    acd_groups: list[ACDGroup]
    calls: list[WaitingCall]


@dataclass(frozen=True, slots=True)
class CallCenterPicture:
    """All that there is at one moment: after the event with number `seq`, before the next."""

    seq: int
    handlers: list[HandlerPicture]


def picture_of(connection: Connection, shown: Mapping[str, Any]) -> CallCenterPicture:
    """GET /api/v1/picture as objects."""
    return CallCenterPicture(shown["seq"], [_handler_picture(connection, each) for each in shown["handlers"]])


def _handler_picture(connection: Connection, shown: Mapping[str, Any]) -> HandlerPicture:
    name = shown["name"]
    return HandlerPicture(
        AgentHandler(connection, name, shown),
        [Agent(connection, name, each) for each in shown["agents"]],
        [AgentSession(connection, name, each) for each in shown["sessions"]],
        [Queue(connection, name, each) for each in shown["queues"]],
        [ACDGroup(connection, name, each) for each in shown["acd_groups"]],
        [WaitingCall(each) for each in shown["calls"]],
    )
