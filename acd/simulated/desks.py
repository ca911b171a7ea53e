"""How the simulated agents work at their desks: through acd, in a past that runs at once and in the present."""

import asyncio
import logging
import uuid
from collections import deque
from collections.abc import Awaitable, Callable

from acd.asterisk import translate
from acd.asterisk.message import Message
from acd.commands import Commands
from acd.core import events as ev
from acd.core.center import Center
from acd.core.effects import Order
from acd.core.records import AgentSession
from acd.core.refusals import Refusal
from acd.core.states import AgentState, SessionState
from acd.service import ORDERS, Service
from acd.simulated.actions import Actions
from acd.simulated.house import Person
from acd.simulated.world import World

log = logging.getLogger(__name__)
END = b"\r\n\r\n"


class _Seen:
    """What an agent sees at his desk."""

    center: Center

    def sessions(self, id: str) -> list[AgentSession]:
        return [self.center.state.sessions[key] for key in self.center.agent(id).sessions]

    def is_logged_on(self, id: str) -> bool:
        return bool(self.center.agent(id).logins)

    def is_not_ready(self, id: str) -> bool:
        """He, or one of his sessions."""
        his = self.center.agent(id).state is AgentState.NOT_READY
        return his or any(each.state is SessionState.NOT_READY for each in self.sessions(id))

    def after_call(self, id: str) -> AgentSession | None:
        """His session in wrap-up."""
        busy = (each for each in self.sessions(id) if each.state is SessionState.BUSY_WRAPUP)
        return next(busy, None)


class Past(_Seen):
    """Hours that are over in a moment: messages, core and store as always, without link, loop and waiting.

    What the world tells is translated and taken in, and what the core orders is done in the world, each at the world's
    own time.
    """

    def __init__(self, service: Service, world: World) -> None:
        self.center = service.center
        self._service = service
        self._world = world
        self._actions = Actions(world)
        self._told: deque[bytes] = deque()

    def run(self, until: Callable[[], float]) -> None:
        """From the world's time on, up to a present that may move meanwhile."""
        self._world.hear.append(self._told.append)
        try:
            self._take_picture()
            while (due := self._next_due()) is not None and due <= until():
                self._go_on(due)
        finally:
            self._world.hear.remove(self._told.append)

    def _take_picture(self) -> None:
        now = self._world.now
        queues, channels, devices = map(self._list_of, ("QueueStatus", "CoreShowChannels", "DeviceStateList"))
        self._service.record(ev.LinkHeard(now))
        self._take(translate.picture(now, self._world.booted, [*map(translate.listed, queues)], channels, devices))

    def _list_of(self, action: str) -> list[Message]:
        answer = self._actions.act({"Action": action, "ActionID": "past"})
        return [_message(block) for block in answer.split(END)[1:-2]]

    def _next_due(self) -> float | None:
        due = (self._world.agenda.next_due(), self.center.next_deadline())
        return min((each for each in due if each is not None), default=None)

    def _go_on(self, due: float) -> None:
        self._world.agenda.advance(due)
        self._listen()
        deadline = self.center.next_deadline()
        if deadline is not None and deadline <= due:
            self._take(ev.TimePassed(due))

    def _listen(self) -> None:
        while self._told:
            event = translate.to_event(_message(self._told.popleft()), self._world.now)
            if event is not None:
                self._take(event)

    def _take(self, event: ev.Event) -> None:
        for effect in self._service.record(event):
            if isinstance(effect, ORDERS):
                self._carry_out(effect)
        self._listen()

    def _carry_out(self, order: Order) -> None:
        name, headers = translate.to_action(order)
        self._actions.act({"Action": name, "ActionID": "past", **headers})

    def _ask(self, request: Callable[[float], ev.Event | None]) -> None:
        """Something that may have become impossible: then it is as when a button is not there any more."""
        self._listen()
        try:
            event = request(self._world.now)
        except Refusal:
            return
        if event is not None:
            self._take(event)

    def log_on(self, person: Person) -> None:
        for group in person.groups:
            self._log_on(person, group, uuid.uuid4().hex[:16])
        self.ready(person.id)

    def _log_on(self, person: Person, group: str, key: str) -> None:
        self._ask(lambda now: self.center.create_session(now, key, person.id, group, person.phone))

    def log_off(self, id: str) -> None:
        for session in self.sessions(id):
            self._ask_session(session.id, SessionState.SESSION_ENDED)

    def _ask_session(self, key: str, goal: SessionState) -> None:
        self._ask(lambda now: self.center.ask_session_state(now, key, goal, ""))

    def ready(self, id: str) -> None:
        self._ask(lambda now: self.center.ask_agent_state(now, id, AgentState.READY, ""))
        for session in self.sessions(id):
            self._ask_session(session.id, SessionState.READY)

    def not_ready(self, id: str, reason: str) -> None:
        self._ask(lambda now: self.center.ask_agent_state(now, id, AgentState.NOT_READY, reason))

    def end_wrap_up(self, id: str) -> None:
        self._change_wrap_up(id, None)

    def extend_wrap_up(self, id: str, seconds: float) -> None:
        self._change_wrap_up(id, seconds)

    def _change_wrap_up(self, id: str, seconds: float | None) -> None:
        if (session := self.after_call(id)) is not None:
            self._ask(lambda now: self.center.change_wrap_up(now, session.id, seconds))

    def set_code(self, id: str, code: str) -> None:
        if (session := self.after_call(id)) is not None:
            self._ask(lambda now: self.center.set_disposition(now, session.id, code))


class Present(_Seen):
    """By acd's own commands, which answer when Asterisk has confirmed."""

    def __init__(self, commands: Commands) -> None:
        self.center = commands.center
        self._commands = commands
        self._tasks: set[asyncio.Task[None]] = set()

    def _do(self, *requests: Callable[[], Awaitable[object]]) -> None:
        task = asyncio.get_running_loop().create_task(self._in_turn(requests))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _in_turn(self, requests: tuple[Callable[[], Awaitable[object]], ...]) -> None:
        for request in requests:
            try:
                await request()
            except Refusal as refusal:
                log.debug("A simulated agent was refused something: %s", refusal)

    def close(self) -> None:
        """What is under way is given up."""
        for task in self._tasks:
            task.cancel()

    def log_on(self, person: Person) -> None:
        self._do(*(self._log_on(person, group) for group in person.groups), lambda: self._be_ready(person.id))

    def _log_on(self, person: Person, group: str) -> Callable[[], Awaitable[object]]:
        return lambda: self._commands.create_session(person.id, group, person.phone)

    def log_off(self, id: str) -> None:
        self._do(*(self._log_off(session.id) for session in self.sessions(id)))

    def _log_off(self, key: str) -> Callable[[], Awaitable[object]]:
        return lambda: self._commands.set_session_state(key, SessionState.SESSION_ENDED, "")

    def ready(self, id: str) -> None:
        self._do(lambda: self._be_ready(id))

    async def _be_ready(self, id: str) -> None:
        await self._commands.set_agent_state(id, AgentState.READY, "")
        for session in self.sessions(id):
            await self._commands.set_session_state(session.id, SessionState.READY, "")

    def not_ready(self, id: str, reason: str) -> None:
        self._do(lambda: self._commands.set_agent_state(id, AgentState.NOT_READY, reason))

    def end_wrap_up(self, id: str) -> None:
        if (session := self.after_call(id)) is not None:
            self._do(lambda: self._commands.end_wrap_up(session.id))

    def extend_wrap_up(self, id: str, seconds: float) -> None:
        if (session := self.after_call(id)) is not None:
            self._do(lambda: self._commands.extend_wrap_up(session.id, seconds))

    def set_code(self, id: str, code: str) -> None:
        if (session := self.after_call(id)) is not None:
            self._do(lambda: self._commands.set_disposition(session.id, code))


def _message(block: bytes) -> Message:
    return Message(block.removesuffix(END).decode())
