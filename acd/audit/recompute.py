"""queue_log's lines as visits with their times. It knows nothing but the lines.

A visit is kept for a day after it began, because what follows it may come late: the end of the talk, the end of
wrap-up, the next queue. So what is in memory is one day of calls, however long the log.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from acd.asterisk.queue_log import Line, caller_of

HORIZON = 86400  # seconds after its beginning in which a visit's end and what follows it are looked for
LAST_WORDS = 3  # seconds before its last line in which a stopping Asterisk throws its callers out
JUST_NOW = 2  # seconds between an answer and the pause for its wrap-up
WRAP_UP = "wrapup"  # the reason of the pause that is acd's

EXITS = {  # event -> outcome, and where in its data the seconds waited stand
    "ABANDON": ("abandoned", 2),
    "EXITWITHTIMEOUT": ("timed_out", 2),
    "EXITEMPTY": ("left_empty", 2),
    "EXITWITHKEY": ("left_by_key", 3),
    "WITHDRAW": ("withdrawn", 2),
}
RELEASES = frozenset({"COMPLETECALLER", "COMPLETEAGENT", "BLINDTRANSFER", "ATTENDEDTRANSFER"})
FREES = frozenset({"UNPAUSE", "PAUSE", "REMOVEMEMBER"})


@dataclass(slots=True, eq=False)
class Logged:
    """A visit as queue_log tells it: whole seconds since 1970, cut off. None: the log does not tell."""

    call: str
    queue: str
    entered: int
    caller: str
    exit: str = ""  # the event that ended the wait
    left: int | None = None  # when the wait ended
    waited: int | None = None  # seconds, as the line itself says
    member: str | None = None
    leg: str | None = None
    end: str = ""  # the event that ended the talk
    end_member: str = ""
    ended: int | None = None  # the talk
    talked: int | None = None
    paused_by: str = ""  # the member who was paused for wrap-up; another, where somebody else picked up
    freed: int | None = None  # that pause ended
    talks_on: bool = False  # in another call, when this one ended
    renamed: str = ""  # the call whose channel took this one's place
    flowed_in: bool = False
    went_on: int | None = None  # when the same call entered a queue again
    cut: tuple[int, int] | None = None  # the last line before, and the start of Asterisk that ended this visit
    restart: int | None = None  # a start of Asterisk right behind the line that ended the wait

    @property
    def outcome(self) -> str | None:
        """In the ledger's words. Whoever enters a queue again after an exit without an answer has flowed out."""
        if self.exit == "CONNECT":
            return "answered"
        if self.exit and self.went_on is not None:
            return "flowed_out"
        if self.exit:
            return EXITS[self.exit][0]
        return "lost" if self.cut is not None else None

    @property
    def paused(self) -> bool:
        return bool(self.paused_by)

    def awaits(self, at: int) -> bool:
        """A pause at that time may be for this visit's wrap-up: its first one, or one that was lifted and set again."""
        if self.paused:
            return self.freed is None or at - self.freed <= JUST_NOW
        return self.ended is None or at - self.ended <= JUST_NOW

    @property
    def wait(self) -> int | None:
        return None if self.left is None else max(0, self.left - self.entered)

    @property
    def talk(self) -> int | None:
        answered = self.left if self.exit == "CONNECT" else None
        return None if answered is None or self.ended is None else max(0, self.ended - answered)

    @property
    def wrap_up(self) -> int | None:
        """From the end of the talk to the end of the pause; None while one of them is not there."""
        if self.exit != "CONNECT" or self.ended is None:
            return None
        if not self.paused or self.talks_on:
            return 0
        return None if self.freed is None else max(0, self.freed - self.ended)

    @property
    def over(self) -> int | None:
        """When nothing was left to come, the wrap-up included; None while something is."""
        if self.exit != "CONNECT":
            return self.left if self.left is not None else self.cut and self.cut[1]
        if self.ended is None:
            return self.cut and self.cut[1]
        return None if self.wrap_up is None else self.ended + self.wrap_up


class Recompute:
    """Takes lines in their order and gives back each visit when a day has passed since it began."""

    def __init__(self, name_of: Callable[[str, int], str] = lambda interface, at: interface) -> None:
        """`name_of`: the member's name at an interface at that time; some lines have only the latter."""
        self.strays = 0  # lines about a visit whose beginning is not there
        self._name_of = name_of
        self._visits: deque[Logged] = deque()
        self._of_call: dict[str, list[Logged]] = {}
        self._waiting: dict[str, list[Logged]] = {}  # by queue
        self._of_member: dict[str, list[Logged]] = {}  # the last one he answered, and those he still talked in then
        self._answered: dict[str, Logged] = {}  # by queue, the last one
        self._talks: dict[str, list[Logged]] = {}  # by member
        self._last = 0  # when the last line was written

    def add(self, line: Line) -> Iterator[Logged]:
        """Takes in a line; gives the visits that are a day old by now."""
        while self._visits and self._visits[0].entered + HORIZON < line.at:
            yield self._forget()
        match line.event:
            case "ENTERQUEUE":
                self._entered(line)
            case "CONNECT":
                self._connected(line)
            case event if event in EXITS:
                self._left(line)
            case event if event in RELEASES:
                self._released(line)
            case event if event in FREES:
                self._paused(line)
            case "QUEUESTART":
                self._started(line)
        self._last = line.at

    def rest(self) -> Iterator[Logged]:
        """The visits of the last day, when no more lines come."""
        while self._visits:
            yield self._forget()

    def _entered(self, line: Line) -> None:
        visit = Logged(line.call, line.queue, line.at, caller_of(line)[0])
        earlier = self._of_call.setdefault(line.call, [])
        if earlier:
            self._went_on(earlier[-1], visit, line.at)
        earlier.append(visit)
        self._visits.append(visit)
        self._waiting.setdefault(line.queue, []).append(visit)

    @staticmethod
    def _went_on(earlier: Logged, visit: Logged, at: int) -> None:
        """By overflow, or transferred by the agent who had answered."""
        if earlier.cut is None:
            earlier.went_on = at
            visit.flowed_in = True

    def _connected(self, line: Line) -> None:
        visit = self._who_waits(line, line.data[0])
        if visit is None:
            return
        self._leaves(visit, line, line.data[0])
        visit.member, visit.leg = line.member, line.data[1]
        before = self._of_member.get(line.member, ())
        talked_in = [other for other in before if other.ended is None and other.freed is None and other.cut is None]
        self._of_member[line.member] = [*talked_in, visit]
        self._answered[line.queue] = visit
        self._talks.setdefault(line.member, []).append(visit)

    def _left(self, line: Line) -> None:
        waited = line.data[EXITS[line.event][1]]
        visit = self._who_waits(line, waited)
        if visit is not None:
            self._leaves(visit, line, waited)

    def _leaves(self, visit: Logged, line: Line, waited: str) -> None:
        visit.exit, visit.left, visit.waited = line.event, line.at, _seconds(waited)
        self._waiting[visit.queue].remove(visit)

    def _who_waits(self, line: Line, waited: str) -> Logged | None:
        """The visit that a line ends the wait of; under another call's name, where that has taken the place over."""
        waiting = self._waiting.get(line.queue, [])
        for visit in reversed(waiting):
            if line.call in (visit.call, visit.renamed):
                return visit
        since = line.at - (_seconds(waited) or 0)
        for visit in waiting:
            if abs(visit.entered - since) <= 1 and not visit.renamed:
                self._rename(visit, line.call)
                return visit
        self.strays += 1
        return None

    def _rename(self, visit: Logged, call: str) -> None:
        visit.renamed = call
        before = self._of_call.setdefault(call, [])
        if any(other.exit for other in before) and not visit.flowed_in:
            visit.flowed_in = True
        before.append(visit)

    def _released(self, line: Line) -> None:
        for visit in reversed(self._of_call.get(line.call, ())):
            if visit.queue == line.queue and visit.exit == "CONNECT" and visit.ended is None:
                visit.end, visit.end_member, visit.ended = line.event, line.member, line.at
                visit.talked = _seconds(line.data[-2])
                self._talks_no_more(visit)
                return
        self.strays += 1

    def _talks_no_more(self, visit: Logged) -> None:
        talks = self._talks.get(visit.member or "", [])
        if visit in talks:
            talks.remove(visit)
        # whose pause is over was left long ago, though the line that says so comes late
        visit.talks_on = visit.freed is None and any(other.freed is None and other.cut is None for other in talks)

    def _paused(self, line: Line) -> None:
        member = self._name_of(line.member, line.at) if line.event == "REMOVEMEMBER" else line.member
        # wrap-up is a pause in all his queues, and each writes its own lines
        visits = [visit for visit in self._of_member.get(member, ()) if visit.queue == line.queue]
        if line.event == "PAUSE" and line.data[:1] == (WRAP_UP,):
            for visit in [visit for visit in visits if visit.awaits(line.at)] or self._picked_up(member, line):
                visit.paused_by, visit.freed = member, None
            return
        for visit in visits:
            if visit.paused_by == member and visit.freed is None:
                visit.freed = line.at

    def _picked_up(self, member: str, line: Line) -> list[Logged]:
        """Another member's call that this one has: it was answered just now, and nobody else is paused for it."""
        if any(own.awaits(line.at) for own in self._of_member.get(member, ())):
            return []  # it is for his own call, in another of his queues
        visit = self._answered.get(line.queue)
        if visit is None or visit.paused or visit.left is None or line.at - visit.left > JUST_NOW:
            return []
        self._of_member.setdefault(member, []).append(visit)
        return [visit]

    def _started(self, line: Line) -> None:
        """Whoever was in Asterisk before is gone; and who left at its last words may have been thrown out."""
        for visit in self._visits:
            if visit.left is None or (visit.exit == "CONNECT" and visit.ended is None):
                visit.cut = visit.cut or (self._last, line.at)
            elif visit.exit == "ABANDON" and visit.restart is None and self._last - visit.left <= LAST_WORDS:
                visit.restart = line.at
        self._waiting.clear()
        self._talks.clear()

    def _forget(self) -> Logged:
        visit = self._visits.popleft()
        for call in (visit.call, visit.renamed):
            visits = self._of_call.get(call, [])
            if visit in visits:
                visits.remove(visit)
                if not visits:
                    del self._of_call[call]
        member = visit.member or ""
        mine = (self._talks, member), (self._of_member, member), (self._of_member, visit.paused_by)
        for places, place in ((self._waiting, visit.queue), *mine):
            if visit in places.get(place, ()):
                places[place].remove(visit)
        return visit


def _seconds(text: str) -> int | None:
    return int(text) if text.isdigit() else None
