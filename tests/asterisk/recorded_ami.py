"""A recording of a real Asterisk, played to a whole service over a socket at the moments at which it was made."""

import asyncio
import concurrent.futures
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from acd.asterisk.link import Login
from acd.asterisk.message import Message
from acd.commands import Commands
from acd.core import events as ev
from acd.core.effects import AgentMoved, Change, SessionMoved, VisitMoved
from acd.core.records import Visit
from acd.core.states import AgentState, SessionState
from acd.core.views import AgentView, QueueView, SessionView, agent_view, queue_view, session_view
from acd.pins import PinGuard
from acd.service import Service
from acd.store import Store
from tests import recordings
from tests.asterisk.fake_ami import Headers
from tests.asterisk.leaping import A_MOMENT, LeapingLoop
from tests.helpers import until
from tests.web.switch import Member, Switch

AFTERWARDS = 10.0  # seconds for which it goes on after the recording, so that a wrap-up can end
BURST = 0.005  # seconds between two records of one burst


class RecordedAsterisk(Switch):
    """Says what was recorded, at the recorded moments; what is ordered meanwhile it carries out as a Switch does.

    Its answer to QueueStatus is the first recorded one.
    """

    def __init__(self, name: str, connection: int = 1) -> None:
        """`connection`: the one whose events are played; the first one has the answer to QueueStatus."""
        records = recordings.read(name)
        heard = [record for record in records if record.kind == "R"]
        begin, end = (_first(heard, text) for text in (b"Queue status will follow", b"Event: QueueStatusComplete"))
        self.start, self._end = records[0].at, records[-1].at
        self._picture = b"".join(record.data for record in heard[begin : end + 1])
        self._later = [record for record in heard[end + 1 :] if record.connection == connection]
        listed = [Message(block) for block in self._picture.decode().split("\r\n\r\n")]
        super().__init__(*[m.get("Queue") or "" for m in listed if m.event == "QueueParams"])
        for m in [m for m in listed if m.event == "QueueMember"]:
            reason, status = m.get("PausedReason") or "", int(m.get("Status") or 0)
            member = Member(m.get("Name") or "", m.get("Paused") == "1", reason, status)
            self.queues[m.get("Queue") or ""][m.get("Location") or ""] = member
        self.booted = any(b"Event: FullyBooted" in record.data for record in heard[: end + 1])
        self.answers["QueueStatus"] = self._recorded_list

    def now(self) -> float:
        """The recording's time."""
        return self.start + asyncio.get_running_loop().time()

    def _recorded_list(self, action: Headers) -> bytes:
        return re.sub(rb"ActionID: [^\r]*", f"ActionID: {action['ActionID']}".encode(), self._picture)

    async def play(self, cut: int | None = None) -> None:
        """Sends the rest of the recording in the pieces that were read then, or in such of `cut` bytes."""
        for at, data in self._records() if cut is None else self._bursts():
            size = cut or len(data)
            for start in range(0, len(data), size):
                await asyncio.sleep(max(at - self.now(), A_MOMENT))  # the piece before it is read by then
                self.push(data[start : start + size])
        await asyncio.sleep(self._end + AFTERWARDS - self.now())

    def _records(self) -> Iterator[tuple[float, bytes]]:
        return ((record.at, record.data) for record in self._later)

    def _bursts(self) -> Iterator[tuple[float, bytes]]:
        """What came at nearly the same moment as one piece, so that a cut can take more than one message."""
        burst, last = b"", 0.0
        for at, data in self._records():
            if burst and at - last > BURST:
                yield last, burst
                burst = b""
            burst, last = burst + data, at
        yield last, burst


class PatientStore(Store):
    """Waits for the disk outside of the loop, whose time would leap meanwhile."""

    async def written(self) -> None:
        done: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._waiting.put_nowait(done)
        done.result(timeout=10)


def _first(records: list[recordings.Record], text: bytes) -> int:
    return next(number for number, record in enumerate(records) if text in record.data)


@dataclass(frozen=True)
class LogOn:
    """Somebody logs on with acd, `at` seconds after the start of the recording."""

    agent: str
    queue: str
    phone: str
    ready: bool = True
    at: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Setup:
    """How acd is set up for a recording: every member of its first list is an agent of ours, ready unless paused."""

    wrap_up: float = 0.0
    log_ons: Sequence[LogOn] = ()  # besides those members
    connection: int = 1  # the one whose events it hears
    problem: str = ""  # why it is never to be linked


@dataclass
class Played:
    """What acd announced and wrote down, and how everybody stands at the end."""

    service: Service
    start: float
    moves: list[tuple[float, str, str]] = field(default_factory=list)  # seconds after the start, who, the new state
    at_log_on: list[tuple[str, str]] = field(default_factory=list)  # what the log-ons themselves announced
    visits: dict[str, Visit] = field(default_factory=dict)
    ledger: dict[str, dict[str, Any]] = field(default_factory=dict)  # the store's rows by visit
    figures: dict[str, dict[str, float]] = field(default_factory=dict)  # by agent, agent/queue (a session) and queue

    def hear(self, change: Change) -> None:
        match change:
            case SessionMoved(at, key, event):
                state = SessionState(event - 1).name if event else "NEW_SESSION"
                self.moves.append((at - self.start, self._name(key), state))
            case AgentMoved(at, agent, event):
                self.moves.append((at - self.start, agent, AgentState(event).name))
            case VisitMoved(_, visit):
                self.visits[visit.key] = visit

    def _name(self, session: str) -> str:
        known = self.service.center.state.sessions[session]
        return f"{known.agent}/{known.group}"

    def take_figures(self, now: float) -> None:
        """Keeps every figure that is not zero."""
        center = self.service.center
        every = {
            agent.key: _of_agent(agent_view(center, agent, now)) | {"missed": agent.missed}
            for agent in center.state.agents.values()
        }
        every |= {
            self._name(key): _of_session(session_view(center, s, now)) for key, s in center.state.sessions.items()
        }
        every |= {queue: _of_queue(queue_view(center, queue, now)) for queue in center.state.queues}
        told = {who: {name: value for name, value in each.items() if value} for who, each in every.items()}
        self.figures = {who: each for who, each in told.items() if each}


def _of_agent(view: AgentView) -> dict[str, float]:
    return {
        "calls": view.number_of_acd_calls,
        "talk": view.total_acd_talk_time_exact,
        "wrap-up": view.total_wrap_up_time_exact,
        "incoming": view.number_of_incoming_calls,
        "outgoing": view.number_of_outgoing_calls,
    }


def _of_session(view: SessionView) -> dict[str, float]:
    return {
        "calls": view.number_of_calls,
        "talk": view.total_talk_time_exact,
        "wrap-up": view.total_wrap_up_time_exact,
        "longest to answer": view.longest_time_to_answer_exact,
    }


def _of_queue(view: QueueView) -> dict[str, float]:
    return {
        "queued": view.total_calls_queued,
        "waiting": view.current_calls_queued,
        "answered": view.total_calls_answered,
        "abandoned": view.total_calls_abandoned,
        "flowed in": view.total_calls_flowed_in,
        "flowed out": view.total_calls_flowed_out,
        "final disposition": view.final_disposition,
        "refused": view.total_calls_refused,
        "longest wait": view.longest_ever_wait_time_exact,
        "average wait": view.average_wait_time_exact,
    }


def played(name: str, setup: Setup, folder: Path, cut: int | None = None) -> Played:
    """What becomes of a recording, whole or cut into pieces of so many bytes. In `folder` the database may be made."""
    asterisk = RecordedAsterisk(name, setup.connection)
    store = PatientStore(f"sqlite:///{folder}/acd.db")
    store.open()
    try:
        with asyncio.Runner(loop_factory=LeapingLoop) as runner:
            return runner.run(_played(asterisk, store, setup, cut))
    finally:
        store.close()


def _members(asterisk: RecordedAsterisk) -> list[LogOn]:
    return [
        LogOn(member.name, queue, phone, ready=not member.paused)
        for queue, members in asterisk.queues.items()
        for phone, member in members.items()
    ]


async def _played(asterisk: RecordedAsterisk, store: Store, setup: Setup, cut: int | None) -> Played:
    async with asterisk:
        login = Login("127.0.0.1", asterisk.port, asterisk.username, asterisk.secret)
        settings = ev.Registrations(asterisk.start, {}, {}, setup.wrap_up, 86400)
        service = Service("main", login, store, settings, clock=asterisk.now)
        played = Played(service, asterisk.start)
        service.listen(played.hear)
        run = asyncio.create_task(service.run())
        if setup.problem:
            await until(lambda: setup.problem in service.link.problem, 120, setup.problem)
        else:
            await until(lambda: service.center.state.linked, what="linked")
            play = asyncio.create_task(asterisk.play(cut))
            await _log_on(
                [*_members(asterisk), *setup.log_ons], Commands(service, PinGuard({}, {}), store, ["*"]), played
            )
            await play
        played.take_figures(asterisk.now())
        moves = list(played.moves)
        await service.close()
        await run
    await store.written()
    played.moves = moves  # without those of the closing
    played.ledger = {row["key"]: row for row in store.calls("main", start=0, end=2e12)}
    return played


async def _log_on(log_ons: list[LogOn], commands: Commands, played: Played) -> None:
    """Through the front door; what that announces is kept by itself."""
    for one in log_ons:
        await asyncio.sleep(max(0.0, played.start + one.at - played.service.now()))
        before = len(played.moves)
        agent, _ = await commands.create_agent(one.agent)
        session = await commands.create_session(agent.key, one.queue, one.phone)
        if one.ready:
            await commands.set_agent_state(agent.key, AgentState.READY, "")
            await commands.set_session_state(session.id, SessionState.READY, "")
        played.at_log_on += [(who, state) for _, who, state in played.moves[before:]]
        del played.moves[before:]
