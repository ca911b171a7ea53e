"""People who behave like people: callers who come and lose patience, agents who answer, talk, miss calls, take breaks.

They do on the phone what the world lets them do; what an agent does at his desk goes through acd, by a `Desk`.
"""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from acd.simulated.house import DISPOSITIONS, REASONS, House, Line, Person
from acd.simulated.messages import UNKNOWN
from acd.simulated.outgoing import Outgoing
from acd.simulated.records import Call, Channel
from acd.simulated.world import World

TALK = 80.0  # seconds, the usual length of a call
PATIENCE = 110.0  # seconds, on average
BUSY_SHARE = 0.68  # of an agent's time with callers, where callers come as a queue's load 1.0 says
HANDLING = 112.0  # seconds that a call takes an agent: ringing, talk, wrap-up, and until the next one comes
WAVE = 2400.0  # seconds from one busy time to the next
LEFT_ALONE = 240.0  # seconds for which a robot leaves to a visitor what he took in hand
LOOKS_EVERY = 15.0  # seconds
VISITORS_PHONE = 4.0  # seconds until the phone of a visitor answers by itself
BREAKS = {"lunch": 900.0, "coffee": 240.0, "training": 600.0, "meeting": 700.0, "e-mail": 180.0}  # on average


class Desk(Protocol):
    """What an agent can do in acd. What is not possible at that moment comes to nothing."""

    def log_on(self, person: Person) -> None:
        """For his groups, and ready."""

    def log_off(self, id: str) -> None: ...
    def ready(self, id: str) -> None: ...
    def not_ready(self, id: str, reason: str) -> None: ...
    def end_wrap_up(self, id: str) -> None: ...
    def extend_wrap_up(self, id: str, seconds: float) -> None: ...
    def set_code(self, id: str, code: str) -> None: ...
    def is_logged_on(self, id: str) -> bool: ...
    def is_not_ready(self, id: str) -> bool: ...


@dataclass(slots=True)
class _Mood:
    """What a robot has in mind. Seconds since 1970."""

    person: Person
    away_until: float = 0.0  # on a break, or gone home
    left_alone_until: float = 0.0
    next_break: float = 0.0


class People:
    """Everybody who has a phone: the same people live through the past and the present."""

    def __init__(
        self, world: World, house: House, desk: Desk, seed: int, calls_per_minute: float | None = None
    ) -> None:
        """`calls_per_minute`: of all queues together; as many as the agents can nearly take, unless given."""
        self._desk = desk
        self._world = world
        self._agenda = world.agenda
        self._house = house
        self._dice = random.Random(seed)
        self._moods = {person.id: _Mood(person) for person in house.robots}
        self._by_phone = {person.phone: person for person in house.people}
        self._scale = 1.0 if calls_per_minute is None else calls_per_minute / 60 / self._calls_per_second()
        world.watchers.append(self)

    def begin(self) -> None:
        """They come to work, and the phones begin to ring."""
        for mood in self._moods.values():
            self._agenda.after(self._dice.uniform(0, 20), partial(self._come, mood.person))
            mood.next_break = self._world.now + self._dice.uniform(120, 2400)
            self._agenda.after(30 + self._dice.uniform(0, LOOKS_EVERY), partial(self._look, mood))
        for line in self._house.lines:
            self._agenda.after(self._next_caller(line), partial(self._caller_comes, line))

    def live(self, desk: Desk, through: Callable[[], None]) -> None:
        """They work at another desk while they live through something."""
        present, self._desk = self._desk, desk
        try:
            through()
        finally:
            self._desk = present

    def leave_alone(self, id: str) -> None:
        """A visitor acts on this agent: his robot does nothing at his desk for some minutes, and then goes on."""
        if id in self._moods:
            self._moods[id].left_alone_until = self._world.now + LEFT_ALONE

    # Callers ----------------------------------------------------------------------------------------------

    def _calls_per_second(self) -> float:
        return sum(self._rate(line) for line in self._house.lines)

    def _rate(self, line: Line) -> float:
        """Callers a second who come to a queue on average."""
        groups = self._house.groups
        serving = sum(1 / len(person.groups) for person in self._house.robots if line.group in person.groups)
        return serving / len(groups[line.group]) / HANDLING * BUSY_SHARE * line.load

    def _next_caller(self, line: Line) -> float:
        """Seconds until then; it is busier at some times than at others, and in each queue at other times."""
        phase = 2 * math.pi * (self._world.now / WAVE + _hash_of(line.name))
        rate = self._rate(line) * self._scale * (1 + 0.3 * math.sin(phase))
        return self._dice.expovariate(rate) if rate else math.inf

    def _caller_comes(self, line: Line) -> None:
        self._world.call_in(line.name, self._a_number(), UNKNOWN)
        self._agenda.after(self._next_caller(line), partial(self._caller_comes, line))

    def _a_number(self) -> str:
        return f"0{self._dice.randrange(30, 99)}{self._dice.randrange(1_000_000, 9_999_999)}"

    def queued(self, call: Call) -> None:
        """He waits as long as his patience lasts."""
        entered = call.entered

        def give_up() -> None:
            if call.waits and call.entered == entered:
                self._world.caller_hangs_up(call)

        self._agenda.after(8 + self._dice.expovariate(1 / PATIENCE), give_up)

    # Phones -----------------------------------------------------------------------------------------------

    def rings(self, call: Call) -> None:
        assert call.leg is not None
        leg, fate = call.leg, self._dice.random()
        person = self._by_phone.get(leg.device)
        if person is None or not person.robot:
            self._agenda.after(VISITORS_PHONE, partial(self._world.answer, call, leg))
        elif fate > 0.04:  # else he does not hear it
            self._agenda.after(self._dice.uniform(1.5, 6), partial(self._world.answer, call, leg))
        elif fate < 0.01:
            self._agenda.after(2, partial(self._world.not_answered, call, leg, rejected=True))

    def talks(self, call: Call) -> None:
        assert call.leg is not None
        leg, dice = call.leg, self._dice
        person = self._by_phone.get(leg.device)
        if person is None or not person.robot:
            self._agenda.after(dice.uniform(30, 90), partial(self._caller_hangs_up, call, leg))
            return
        length = min(900.0, max(12.0, dice.lognormvariate(math.log(TALK), 0.55)))
        if dice.random() < 0.15:
            begin = length * dice.uniform(0.2, 0.6)
            self._agenda.after(begin, partial(self._hold, call, leg))
            self._agenda.after(begin + dice.uniform(5, 0.35 * length + 5), partial(self._unhold, call, leg))
        end = dice.random()
        if end < 0.05:
            self._agenda.after(length * 0.5, partial(self._pass_on, call, leg))
        elif end < 0.7:
            self._agenda.after(length, partial(self._caller_hangs_up, call, leg))
        else:
            self._agenda.after(length, partial(self._world.agent_hangs_up, call, leg))

    def _caller_hangs_up(self, call: Call, leg: Channel) -> None:
        if call.leg is leg and call.talks:
            self._world.caller_hangs_up(call)

    def _hold(self, call: Call, leg: Channel) -> None:
        if call.leg is leg:
            self._world.hold(call)

    def _unhold(self, call: Call, leg: Channel) -> None:
        if call.leg is leg:
            self._world.unhold(call)

    def _pass_on(self, call: Call, leg: Channel) -> None:
        """The agent sends his caller to another queue in which somebody is."""
        others = [name for name, queue in self._world.queues.items() if queue.members and name != call.queue]
        if call.leg is leg and call.talks and others:
            self._world.redirect(call, self._dice.choice(others))
        else:
            self._caller_hangs_up(call, leg)

    def over(self, call: Call, leg: Channel | None) -> None:
        """After the call its agent says what it was about, and goes on when he has written it down."""
        person = None if leg is None else self._by_phone.get(leg.device)
        if call.answered is None or person is None or not person.robot:
            return
        mood, dice = self._moods[person.id], self._dice
        if dice.random() < 0.9:
            code = dice.choice(("solved", "solved", *DISPOSITIONS))
            self._later(mood, dice.uniform(1, 3), lambda desk, id: desk.set_code(id, code))
        fate = dice.random()
        if fate < 0.5:
            self._later(mood, dice.uniform(4, 14), lambda desk, id: desk.end_wrap_up(id))
        elif fate < 0.58:
            self._later(mood, dice.uniform(4, 12), lambda desk, id: desk.extend_wrap_up(id, 30.0))

    # At the desk ------------------------------------------------------------------------------------------

    def _come(self, person: Person) -> None:
        self._desk.log_on(person)

    def _later(self, mood: _Mood, seconds: float, act: Callable[[Desk, str], None]) -> None:
        """What he does at his desk then, unless a visitor does it for him."""

        def do() -> None:
            if self._world.now >= mood.left_alone_until:
                act(self._desk, mood.person.id)

        self._agenda.after(seconds, do)

    def _look(self, mood: _Mood) -> None:
        """He sees to it that he is as he means to be: at work, or on a break."""
        self._agenda.after(self._dice.uniform(0.5, 1.5) * LOOKS_EVERY, partial(self._look, mood))
        now, id = self._world.now, mood.person.id
        if now < max(mood.left_alone_until, mood.away_until):
            return
        if not self._desk.is_logged_on(id):
            self._desk.log_on(mood.person)
        elif now >= mood.next_break:
            self._go(mood)
        elif self._desk.is_not_ready(id):
            self._desk.ready(id)
        elif Outgoing.is_possible(self._world, mood.person.phone):
            self._perhaps_something_else(mood.person)

    def _perhaps_something_else(self, person: Person) -> None:
        """Now and then he calls somebody himself, or his phone drops out."""
        fate = self._dice.random()
        if fate < 0.01:
            self._call_out(person)
        elif fate < 0.011:
            self._world.unplug(person.phone)
            self._agenda.after(self._dice.uniform(20, 90), partial(self._world.plug_in, person.phone))

    def _call_out(self, person: Person) -> None:
        dice, call = self._dice, Outgoing(self._world, person.phone, person.name, self._a_number())
        rings = dice.uniform(3, 20)
        answered = dice.random() < 0.7
        if answered:
            self._agenda.after(rings, call.answer)
        self._agenda.after(rings + (dice.uniform(15, 120) if answered else 0), call.hang_up)

    def _go(self, mood: _Mood) -> None:
        dice, now = self._dice, self._world.now
        mood.next_break = now + dice.uniform(1200, 4200)
        if dice.random() < 0.08:
            mood.away_until = now + dice.uniform(300, 1200)
            self._desk.log_off(mood.person.id)
        else:
            reason = dice.choice(REASONS)
            mood.away_until = now + BREAKS[reason] * dice.uniform(0.4, 1.4)
            self._desk.not_ready(mood.person.id, reason)


def _hash_of(name: str) -> float:
    """The same in every run, between 0 and 1."""
    return (sum(name.encode()) * 37 % 101) / 101
