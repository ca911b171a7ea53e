"""What people can ask of one handler. Each method answers when Asterisk has confirmed it, or raises a refusal."""

import fnmatch
import uuid
from collections.abc import Mapping, Sequence

from acd import pins
from acd.core import events as ev
from acd.core import refusals
from acd.core.devices import device_of_address
from acd.core.records import Agent, AgentSession
from acd.core.states import AgentState, SessionState
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
        self.center = service.center
        self._guard = guard
        self._store = store
        self._addresses = addresses
        self._phones = phones or {}

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
        if not self._usable(address):
            raise refusals.UnknownAddress(f"The phone {address!r} may not be used for ACD calls.")
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
