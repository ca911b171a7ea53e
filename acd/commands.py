"""What people can ask of one handler. Each method answers when Asterisk has confirmed it, or raises a refusal."""

import fnmatch
import uuid
from collections.abc import Mapping, Sequence

from acd import pins
from acd.asterisk import translate
from acd.core import events as ev
from acd.core import refusals
from acd.core.center import Center
from acd.core.devices import device_of_address
from acd.core.records import Agent, AgentSession, Monitor
from acd.core.states import AgentState, MonitorMode, MonitorState, Outcome, SessionState
from acd.pins import PinGuard
from acd.service import Service
from acd.store import Store


class Commands:
    """The requests of ITAgentHandler, ITAgent and ITAgentSession, carried out."""

    def __init__(
        self,
        service: Service,
        guard: PinGuard,
        store: Store,
        addresses: Sequence[str],
        phones: Mapping[str, str] | None = None,
    ) -> None:
        """`addresses`: patterns of those that may be used, such as PJSIP/*; `phones`: the ones behind other addresses,
        such as Local/*@phones -> PJSIP/*.
        """
        self.service = service
        self._guard = guard
        self._store = store
        self._addresses = addresses
        self._phones = phones or {}

    @property
    def center(self) -> Center:
        """As it is now: a node that stepped down has another one afterwards."""
        return self.service.center

    def usable_addresses(self) -> dict[str, bool]:
        """The addresses that may be used, of those that Asterisk told of; True: can be reached."""
        state = self.center.state
        at_work = {address: self.reachable(address) for address in state.addresses}
        free = {device: reached for device, reached in state.devices.items() if device not in state.phones}
        every = free | at_work
        return {address: every[address] for address in sorted(every) if self._usable(address)}

    def reachable(self, address: str) -> bool:
        """The phone at this address is in service, as far as Asterisk told."""
        return self.center.state.devices.get(self._phone_behind(address) or device_of_address(address), True)

    def _phone_behind(self, address: str) -> str:
        """The phone of an address that is not one itself; "" where nothing is set."""
        for pattern, phone in self._phones.items():
            begin, star, end = pattern.partition("*")
            if star and address.startswith(begin) and address.endswith(end) and len(address) > len(begin + end):
                return phone.replace("*", address[len(begin) : len(address) - len(end)])
            if address == pattern:
                return phone
        return ""

    def need_usable(self, address: str) -> None:
        """Raises UnknownAddress for a phone that the settings do not allow."""
        if not self._usable(address):
            raise refusals.UnknownAddress(f"The phone {address!r} may not be used for ACD calls.")

    def _usable(self, address: str) -> bool:
        return any(fnmatch.fnmatchcase(address, pattern) for pattern in self._addresses)

    async def create_agent(self, user: str) -> tuple[Agent, bool]:
        """CreateAgent: the agent of this account, and whether he is new. Raises AgentExists."""
        event = self.center.create_agent(self.service.now(), None, user)
        await self.service.command(event, lambda: True)
        return self.center.agent(user), event is not None

    async def create_agent_with_id(self, id: str, pin: str, user: str) -> tuple[Agent, bool]:
        """CreateAgentWithID: a new agent with this PIN, or the present one when the PIN fits.

        Raises WrongPin, PinLocked, AgentExists.
        """
        hashed = None if self._has_id(id) else await pins.hashed(pin)
        if hashed is None or self._has_id(id):  # perhaps made by somebody else meanwhile
            await self._guard.check(id, pin)
            return self.center.agent(id), False
        event = self.center.create_agent(self.service.now(), id, user)
        self._guard.keep(id, hashed)
        self._store.keep_pin(self.service.name, id, hashed)
        await self.service.command(event, lambda: True)
        return self.center.agent(id), True

    def _has_id(self, id: str) -> bool:
        present = self.center.state.agents.get(id)
        return present is not None and present.id == id

    async def check_pin(self, agent: str, pin: str) -> None:
        """Returns when there is such an agent and this is his PIN. Raises WrongPin, PinLocked."""
        await self._guard.check(agent, pin)
        if not self._has_id(agent):
            raise refusals.WrongPin()

    def renew_pins(self, hashes: dict[str, str]) -> None:
        """The PINs as they stand in the database, where another node may have changed them."""
        self._guard.renew(hashes)

    def kept_pin(self, agent: str) -> str | None:
        """What is kept of an agent's PIN, "" for none; None where there is no such agent."""
        return self._guard.kept(agent) if agent in self.center.state.agents else None

    async def set_pin(self, agent_key: str, pin: str, old_pin: str | None = None) -> None:
        """Gives an agent another PIN, where `old_pin` is given only when that is the present one.

        Raises UnknownAgent, NoAgentId, PinOfSettings, WrongPin, PinLocked.
        """
        agent = self.center.agent(agent_key)
        if agent.id is None:
            raise refusals.NoAgentId()
        if self._guard.is_of_settings(agent.key):
            raise refusals.PinOfSettings()
        hashed = await pins.hashed(pin)
        if old_pin is not None:
            await self._guard.check(agent.key, old_pin)
        self._guard.keep(agent.key, hashed)
        self._store.keep_pin(self.service.name, agent.key, hashed)

    async def create_session(self, agent_key: str, group: str, address: str, pin: str | None = None) -> AgentSession:
        """CreateSession, or CreateSessionWithPIN when a PIN is given: logs the agent on, not ready.

        Raises UnknownAgent, UnknownGroup, UnknownAddress, GroupEmpty, SessionExists, AddressInUse, NoAgentId,
        WrongPin, PinLocked, NotLinked, AsteriskRefused, AsteriskSilent.
        """
        agent = self.center.agent(agent_key)
        if pin is not None:
            if agent.id is None:
                raise refusals.NoAgentId()
            await self._guard.check(agent.key, pin)
        self.need_usable(address)
        phone = self._phone_behind(address)
        key = uuid.uuid4().hex[:16]
        event = self.center.create_session(self.service.now(), key, agent.key, group, address, device=phone)
        await self._log_on(event)
        if event.session not in self.center.state.sessions:
            raise refusals.UnknownAddress(f"Asterisk knows no phone {address!r}.")
        return self.center.session(event.session)

    async def _log_on(self, event: ev.SessionCreated) -> None:
        sessions = self.center.state.sessions

        def decided() -> bool:
            return event.session not in sessions or sessions[event.session].joined

        try:
            await self.service.command(event, decided)
        except (refusals.AsteriskRefused, refusals.NotLinked) as error:
            self.service.observe(ev.SessionWithdrawn(self.service.now(), event.session, str(error)))
            raise

    async def set_session_state(self, key: str, goal: SessionState, reason: str) -> AgentSession:
        """ITAgentSession.put_State: confirmed at once, or taken down as the next state during a call.

        Raises UnknownSession, StateNotSettable, StateNotReachable, NotLinked, AsteriskRefused, AsteriskSilent.
        """
        session = self.center.session(key)
        event = self.center.ask_session_state(self.service.now(), key, goal, reason)
        await self.service.command(event, lambda: not session.pending)
        return session

    async def set_agent_state(self, key: str, goal: AgentState, reason: str) -> Agent:
        """ITAgent.put_State: confirmed at once; during a call and its wrap-up it applies afterwards.

        Raises UnknownAgent, StateNotSettable, NotLinked, AsteriskRefused, AsteriskSilent.
        """
        agent = self.center.agent(key)
        event = self.center.ask_agent_state(self.service.now(), key, goal, reason)
        await self.service.command(event, lambda: not agent.pending)
        return agent

    async def set_disposition(self, key: str, code: str) -> AgentSession:
        """The after-call code of the call in talk or wrap-up. Raises UnknownSession, UnknownDisposition, NoCall."""
        session = self.center.session(key)
        await self.service.command(self.center.set_disposition(self.service.now(), key, code), lambda: True)
        return session

    async def end_wrap_up(self, key: str) -> AgentSession:
        """Ends after-call work now. Raises UnknownSession, NotInWrapUp, NotLinked, AsteriskRefused, AsteriskSilent."""
        session = self.center.session(key)
        event = self.center.change_wrap_up(self.service.now(), key, None)
        await self.service.command(event, lambda: session.state is not SessionState.BUSY_WRAPUP)
        return session

    async def extend_wrap_up(self, key: str, seconds: float) -> AgentSession:
        """Lengthens after-call work. Raises UnknownSession, NotInWrapUp, NotLinked."""
        session = self.center.session(key)
        await self.service.command(self.center.change_wrap_up(self.service.now(), key, seconds), lambda: True)
        return session

    async def set_measurement_period(self, seconds: int, *, agent: str | None = None, queue: str | None = None) -> None:
        """put_MeasurementPeriod: its counters start at zero. Raises PeriodInvalid, UnknownAgent, UnknownQueue."""
        event = self.center.set_measurement_period(self.service.now(), seconds, agent, queue)
        await self.service.command(event, lambda: True)

    async def set_wrap_up_time(
        self, seconds: float | None, *, agent: str | None = None, queue: str | None = None
    ) -> None:
        """The seconds of after-call work of an agent or a queue; None: as the queue, or the handler, has it.

        Raises UnknownAgent, UnknownQueue.
        """
        if agent is not None:
            self.center.agent(agent)
        if queue is not None:
            self.center.queue(queue)
        await self.service.command(ev.WrapUpSet(self.service.now(), seconds, agent, queue), lambda: True)

    async def set_group(self, name: str, queues: Sequence[str]) -> None:
        """Makes an ACD group, or gives it other queues; its sessions follow. Raises UnknownQueue."""
        for queue in queues:
            self.center.queue(queue)
        each_once = list(dict.fromkeys(queues))
        await self.service.command(ev.GroupSet(self.service.now(), name, each_once), lambda: True)

    async def remove_group(self, name: str) -> None:
        """Takes an ACD group away. Raises UnknownGroup, GroupInUse."""
        await self.service.command(self.center.remove_group(self.service.now(), name), lambda: True)


class SupervisorCommands:
    """What supervisors do to calls, and to agents beyond their states."""

    def __init__(self, service: Service, transfer_context: str, ring_for: float) -> None:
        """`transfer_context`: where the dialplan lets a caller wait in the queue whose name is the extension.

        `ring_for`: seconds for which a supervisor's phone rings.
        """
        self.service = service
        self._context = transfer_context
        self._ring_for = ring_for

    @property
    def center(self) -> Center:
        """As it is now."""
        return self.service.center

    async def set_penalty(self, agent_key: str, queue: str, penalty: int) -> None:
        """How late an agent's turn comes in a queue, now and whenever he is logged on.

        Raises UnknownAgent, UnknownQueue, NotLinked, AsteriskRefused, AsteriskSilent.
        """
        agent = self.center.agent(agent_key)
        event = self.center.set_penalty(self.service.now(), agent_key, queue, penalty)
        confirmed = self.center.supervision.penalty_confirmed
        await self.service.command(event, lambda: confirmed(agent, queue, penalty))

    async def move(self, commands: Commands, key: str, group: str) -> AgentSession:
        """Logs an agent on for another group at the same phone, as ready as he is, and off from the one he was in.

        What happens in a call comes at its end. Raises as create_session and set_session_state.
        """
        session = self.center.session(key)
        self.center.group(group)
        if session.group == group:
            return session
        present = (self.center.state.sessions[each] for each in self.center.agent(session.agent).sessions)
        there = next((each for each in present if each.group == group), None)
        wish, reason = session.wish, session.wish_reason
        if session.state is not SessionState.SESSION_ENDED:
            there = there or await commands.create_session(session.agent, group, session.address)
            await commands.set_session_state(there.id, wish, reason)
            await commands.set_session_state(key, SessionState.SESSION_ENDED, "")
        if there is None:
            raise refusals.StateNotReachable("The session has ended; nobody can be moved by it.")
        return there

    async def withdraw(self, queue: str, call: str) -> None:
        """Takes a waiting caller out of the queue; the dialplan goes on with him. While a phone rings for him it waits.

        Raises UnknownCall, NotLinked, AsteriskRefused, AsteriskSilent.
        """
        visit = self.center.supervision.waiting_call(queue, call)
        action = translate.withdraw(queue, await self.service.channel_of(call))
        asked = ev.ExitAsked(self.service.now(), call, queue, Outcome.WITHDRAWN)
        await self.service.command(asked, lambda: visit.left is not None, action)

    async def prioritise(self, queue: str, call: str, priority: int) -> None:
        """Gives a waiting caller another place. Raises UnknownCall, NotLinked, AsteriskRefused, AsteriskSilent."""
        self.center.supervision.waiting_call(queue, call)
        await self.service.act(*translate.prioritise(queue, await self.service.channel_of(call), priority))
        await self.service.look_at_queue(queue)

    async def transfer(self, queue: str, call: str, target: str) -> None:
        """Sends a waiting caller to another queue, at its end. To Asterisk he flowed out of the one and into the other.

        Raises UnknownCall, UnknownQueue, QueueEmpty, NotLinked, AsteriskRefused, AsteriskSilent.
        """
        self.center.supervision.waiting_call(queue, call)
        self.center.queue_in_asterisk(target)
        self.center.supervision.need_somebody_in(target)
        action = translate.transfer(await self.service.channel_of(call), self._context, target)
        await self.service.act(*action)
        await self.service.happens(lambda: self.center.calls.waiting(call, target) is not None)

    async def hang_up(self, call: str) -> None:
        """Ends a call, waiting or talking. Raises UnknownCall, NotLinked, AsteriskRefused, AsteriskSilent."""
        visit = self.center.present_call(call)
        asked = ev.ExitAsked(self.service.now(), call, visit.queue, Outcome.ABANDONED)
        await self.service.command(asked, lambda: call not in self.center.state.calls, translate.hang_up(call))

    async def monitor(self, agent_key: str, mode: MonitorMode, address: str) -> Monitor:
        """Rings the supervisor's phone and lets him hear the agent's call; returns when it rings.

        Raises UnknownAgent, NoCall, NotLinked, AsteriskRefused, AsteriskSilent.
        """
        agent = self.center.agent(agent_key)
        now, monitors = self.service.now(), self.center.state.monitors
        leg, calling = self.center.supervision.leg_of(agent_key), MonitorState.CALLING
        new = Monitor(f"acd-{uuid.uuid4().hex[:16]}", agent_key, mode.value, address, leg, calling, now)
        for each in monitors.values():  # asked for twice, it is done once
            if each[1:5] == new[1:5]:
                return each
        action = translate.spy(new, agent.user, self._ring_for)
        id, event = new.id, ev.MonitorAsked(now, *new[:5])
        decided = self.center.supervision.monitor_decided
        try:
            await self.service.command(event, lambda: decided(id), action)
        except (refusals.AsteriskRefused, refusals.NotLinked):
            self.service.observe(ev.MonitorFailed(self.service.now(), id))
            raise
        if id not in monitors:
            raise refusals.AsteriskRefused(f"Asterisk cannot reach the phone {address!r}.")
        return monitors[id]

    async def end_monitor(self, id: str) -> None:
        """The supervisor hears no more. Raises UnknownMonitor, NotLinked, AsteriskRefused, AsteriskSilent."""
        self.center.supervision.monitor(id)
        await self.service.act(*translate.hang_up(id))
        await self.service.happens(lambda: id not in self.center.state.monitors)
