"""The crossroads of one handler: facts in, orders out; timer, log and store beside it.

An event is wholly handled before the next one, so the event loop is the only lock.
"""

import asyncio
import logging
import queue
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from acd.asterisk import translate
from acd.asterisk.link import Link, LinkError, Login, NoAnswer, NotConnected, Refused
from acd.asterisk.message import Message
from acd.checkpoints import Checkpoints
from acd.clock import steady
from acd.core import events as ev
from acd.core import refusals
from acd.core.center import Center
from acd.core.effects import (
    AddMember,
    AgentMoved,
    Change,
    Effect,
    GroupMoved,
    MonitorMoved,
    Order,
    PauseMember,
    QueueMoved,
    RemoveMember,
    SessionMoved,
    SetPenalty,
    VisitMoved,
)
from acd.core.records import Visit
from acd.counts import LAGS, Histogram, VisitCounts
from acd.history import Files, History
from acd.pace import Pace
from acd.store import Kept, Store
from acd.timesheets import TimeSheets

log = logging.getLogger(__name__)

NO_FILES = Files()
MOST_MOVED = 5000  # visits whose rows are written again by whoever takes over
LEAP = 1.0  # seconds between two pings by which Asterisk's clock moves only when somebody sets it
OVER = object()
ORDERS = (AddMember, PauseMember, RemoveMember, SetPenalty)  # a tuple, because isinstance() is slow with a union


class Service:
    """One agent handler: a Center, the link to its Asterisk, and the store.

    One node leads: it is linked, and writes the log. On all others the same Center follows the log as it grows.
    """

    def __init__(
        self,
        name: str,
        login: Login,
        store: Store,
        registrations: ev.Registrations,
        *,
        clock: Callable[[], float] = steady,
        confirm_within: float = 5.0,
        files: Files = NO_FILES,
        leads: bool = True,
    ) -> None:
        """`confirm_within`: seconds for Asterisk to carry out a command (TAPI's own limit is 120).

        `files`: Asterisk's own, which tell what happened while nobody listened. `leads`: from the beginning.
        """
        self.name = name
        self.broken = 0  # messages that could not be understood
        self.lag = Histogram(LAGS)  # from what happened in Asterisk until it was taken in here
        self.leads = False
        self.may_act: Callable[[], bool] = lambda: True  # it is certain that nobody else leads
        self._login = login
        self._store = store
        self._clock = clock
        self.link = self._new_link()
        self._confirm_within = confirm_within
        self._offset: float | None = None  # of Asterisk's clock, when it was looked at last
        self._timer: asyncio.TimerHandle | None = None
        self._armed_for: float | None = None
        self._sends: set[asyncio.Task[None]] = set()
        self._watchers: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []
        self._checkpoints = Checkpoints(name, store)
        self._listeners: list[Callable[[Change], None]] = []
        self._files = files
        self._registrations = registrations
        self._history = History(files, name, store)
        self._times = TimeSheets(name, store)
        self._pieces: Iterator[None] | None = None  # the rest of an event that is taken in in pieces
        self._rest: asyncio.Task[None] | None = None
        self._pace = Pace(store, self.link.hold)
        self._early: list[Change] = []  # what changed at the start, before anybody could listen
        self._starting = True
        self.restore(store.kept(name))
        if leads:
            self.lead(self._history, self._times)
        self._starting = False

    def _new_link(self) -> Link:
        return Link(
            self._login,
            wanted=translate.TRANSLATORS.keys(),
            on_message=self._hear,
            on_login=self._take_picture,
            on_loss=self._lost,
            on_alive=self._alive,
            clock=self._clock,
        )

    # To lead, and to follow -------------------------------------------------------------------------------

    def restore(self, kept: Kept) -> None:
        """The state as the log tells it; orders that follow from old events were carried out or are no more."""
        self.center = Center(kept.state)
        self._moved: dict[str, Visit] = {}  # those of the last events; oldest first
        self._last_at = 0.0
        self.follow(kept.events)
        self.position = kept.seq  # number of the last event that was taken in
        self.counts = VisitCounts(kept.state)  # counts what this node leads, and nothing before

    def follow(self, events: Iterable[tuple[int, ev.Event]]) -> None:
        """Takes in what stands in the log already."""
        for seq, event in events:
            self.position, self._last_at = seq, event.at
            try:
                effects = self.center.apply(event)
            except Exception:  # one event that has become senseless must not cost the state of all others
                log.exception("An event of the log cannot be replayed: %.500r", event)
                continue
            for effect in effects:
                if isinstance(effect, VisitMoved):
                    self._moved.pop(effect.visit.key, None)
                    self._moved[effect.visit.key] = effect.visit
            while len(self._moved) > MOST_MOVED:
                self._moved.pop(next(iter(self._moved)))

    def prepared(self) -> tuple[History, TimeSheets]:
        """What `lead` needs to have read from the database; may be called in any thread."""
        return History(self._files, self.name, self._store), TimeSheets(self.name, self._store)

    def lead(self, history: History, times: TimeSheets) -> None:
        """From now on this is who writes the log, behind what was followed."""
        self.leads = True
        if history is not self._history:
            self._history.close()
        self._history, self._times = history, times
        self._pace = Pace(self._store, self.link.hold)
        for visit in self._moved.values():  # a row may have been lost with the process that wrote the event
            self._store.keep_call(self.name, visit)
        self._moved.clear()
        self.counts = VisitCounts(self.center.state)
        if self.center.state.listening:  # the last run did not end in good order
            self.record(ev.LinkLost(max(self._last_at, history.mark.at) or self.now(), "acd was started again"))
        self.record(self._registrations._replace(at=self.now()))

    async def step_down(self, reason: str) -> None:
        """Another node leads, or may do so: this one does nothing more, and knows nothing but what the log will tell.

        `position` is 0 until `restore`: the log may lack what was taken in here.
        """
        self.leads, self.position, self._offset = False, 0, None
        link, self.link = self.link, self._new_link()
        for _, done in self._watchers:
            if not done.done():
                done.set_exception(NotConnected(reason))
        try:
            self._stop()
            if self.center.state.listening:
                self.center.apply(ev.LinkLost(self.now(), reason))
        finally:
            await link.close()

    def now(self) -> float:
        """The present on Asterisk's clock, which is the one that events carry."""
        return self._clock() + self.link.clock_offset

    # The one path of every event --------------------------------------------------------------------------

    def observe(self, event: ev.Event, asked: bool = False) -> list[asyncio.Task[None]]:
        """Takes in an event and sends what follows from it; a task ends when Asterisk answered its order.

        `asked`: a person waits for it, so what Asterisk refuses is taken back.
        """
        effects = self.record(event)
        sends = [self._send_soon(effect, asked) for effect in effects if isinstance(effect, ORDERS)]
        self._watch()
        self._arm()
        return sends

    def record(self, event: ev.Event) -> Sequence[Effect]:
        """Takes in an event and puts it into the log, and sends nothing yet; returns what follows from it."""
        if self._pieces is not None:
            self._finish()
        if not self.leads or not self.center.concerns(event):
            return ()
        effects = self.center.apply(event)
        self._store.append(self.name, event)
        self._history.took(event)
        for effect in effects:
            self._tell(effect)
        self._pace.wrote(1 + 2 * len(effects))  # the event; of most effects a row, and an envelope of the stream
        self._checkpoints.took(self.center.state)
        return effects

    def _begin(self, event: ev.LinkLost | ev.PictureTaken) -> None:
        """As `observe`, for what concerns every agent: `_go_on` does the rest, or the next event that comes."""
        self._finish()
        if self.leads:
            self._pieces = self._in_pieces(event)
            next(self._pieces)

    async def _go_on(self) -> None:
        """Takes in what was begun, piece by piece."""
        while self._pieces is not None:
            await asyncio.sleep(0)
            if self._pieces is not None and next(self._pieces, OVER) is OVER:
                self._pieces = None

    def _in_pieces(self, event: ev.LinkLost | ev.PictureTaken) -> Iterator[None]:
        self._store.append(self.name, event)  # before what is told of it: whoever follows is never behind that
        self._history.took(event)
        for effects in self.center.pieces(event):
            for effect in effects:
                self._tell(effect)
                if isinstance(effect, ORDERS):
                    self._send_soon(effect, asked=False)
            yield
        self._checkpoints.took(self.center.state)
        self._watch()
        self._arm()

    def _finish(self) -> None:
        """What is taken in in pieces is taken in wholly: something else has come."""
        pieces, self._pieces = self._pieces, None
        for _ in pieces or ():
            pass

    def listen(self, listener: Callable[[Change], None]) -> None:
        """From now on `listener` is called with every change, in order; it must not block."""
        self._listeners.append(listener)
        for change in self._early:
            listener(change)

    def _tell(self, effect: Effect) -> None:
        """The store's row, the log's line and the listeners' news of a change."""
        if not isinstance(effect, ORDERS):
            if self._starting:
                self._early.append(effect)
            self._times.hear(effect, self.center.state)
            self.counts.hear(effect)
            for listener in self._listeners:
                listener(effect)
        match effect:
            case VisitMoved(_, visit):
                self._history.moved(visit)
                self._store.keep_call(self.name, visit)
                log.info(
                    "call %s in queue %s: %s",
                    visit.call,
                    visit.queue,
                    _standing(visit),
                    extra={"call": visit.call, "queue": visit.queue, "agent": visit.agent},
                )
            case SessionMoved(_, key, event):
                session = self.center.state.sessions[key]
                log.info(
                    "session of %s for %s: %s",
                    session.agent,
                    session.group,
                    event.name,
                    extra={"session": key, "agent": session.agent, "event": event.name, "reason": session.reason},
                )
            case MonitorMoved(_, monitor):
                log.info(
                    "%s of agent %s by %s: %s",
                    monitor.mode,
                    monitor.agent,
                    monitor.address,
                    monitor.state,
                    extra={"monitor": monitor.id},
                )
            case GroupMoved(_, name, group_event):
                log.info("group %s: %s", name, group_event.name, extra={"group": name, "event": group_event.name})
            case QueueMoved(_, name, queue_event):
                log.info("queue %s: %s", name, queue_event.name, extra={"queue": name, "event": queue_event.name})
            case AgentMoved(_, key, agent_event):
                log.info("agent %s: %s", key, agent_event.name, extra={"agent": key, "event": agent_event.name})

    def _arm(self) -> None:
        """One timer, for the earliest deadline."""
        if not self.leads:
            return
        deadline = self.center.next_deadline()
        if deadline == self._armed_for:
            return
        self._armed_for = deadline
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if deadline is not None:
            delay = max(0.0, deadline - self.now())
            self._timer = asyncio.get_running_loop().call_later(delay, self._time_passed)

    def _time_passed(self) -> None:
        self._timer = self._armed_for = None
        if self._pieces is not None:  # it is armed again at their end
            return
        deadline = self.center.next_deadline()
        now = self.now()
        if deadline is not None and deadline <= now:
            self.observe(ev.TimePassed(now))
        else:
            self._arm()

    # Asterisk ---------------------------------------------------------------------------------------------

    def _hear(self, message: Message, received: float) -> None:
        try:
            event = translate.to_event(message, received + self.link.clock_offset)
        except translate.Malformed as error:
            self.broken += 1
            log.warning("A message cannot be understood, %s: %.500r", error, str(message))
            return
        if event is not None and not self._history.has_told(event):
            self.observe(event)
            self._pace.look()
            self.lag.add(self._clock() + self.link.clock_offset - event.at)

    @property
    def unheard(self) -> float | None:
        """Seconds since Asterisk was last known to have told all; None before the first time."""
        heard = self._history.mark.at
        return max(0.0, self.now() - heard) if heard else None

    async def _alive(self) -> None:
        self._compare_clocks()
        await self._history.is_heard(self.now())

    async def _take_picture(self, link: Link) -> None:
        """First what was missed, then what was heard since the log-in: the picture then finds nearly all as it is."""
        await self._go_on()  # with what is left of the loss
        self._compare_clocks()
        await self._read_history(await link.list_of("CoreShowChannels"))
        self.record(ev.LinkHeard(self.now()))
        link.hand_over()
        queues = await link.read_list("QueueStatus", translate.listed)
        channels = await link.list_of("CoreShowChannels")
        try:
            devices = await link.list_of("DeviceStateList")
        except Refused as error:  # a module that only helps to list addresses
            log.warning("Asterisk does not list device states: %s", error.text)
            devices = []
        booted = translate.booted(link.fully_booted, self.now()) if link.fully_booted else 0.0
        picture = await asyncio.to_thread(translate.picture, self.now(), booted, queues, channels, devices)
        self._begin(picture)
        await self._go_on()

    def _compare_clocks(self) -> None:
        """Asterisk's clock was set, or its machine slept: what is to come is moved along."""
        offset, self._offset = self._offset, self.link.clock_offset
        if offset is not None and abs(self._offset - offset) > LEAP:
            log.warning("Asterisk's clock has moved by %.1f s", self._offset - offset, extra={"handler": self.name})
            self.observe(ev.ClockSet(self.now(), self._offset - offset))

    async def _read_history(self, channels: Sequence[Message]) -> None:
        """What happened while nobody listened, at the times at which it did."""
        alive = {channel.get("Uniqueid") or "" for channel in channels}
        async for event in self._history.missed(self.center.state, alive, self.now()):
            if self._pace.is_ahead:
                await self._pace.caught_up()
            while (deadline := self.center.next_deadline()) is not None and deadline <= event.at:
                self.record(ev.TimePassed(deadline))
            self.record(event)

    def _lost(self, reason: str) -> None:
        log.warning("link to Asterisk lost: %s", reason, extra={"handler": self.name})
        if self.center.state.listening:
            self._begin(ev.LinkLost(self.now(), reason))
            self._rest = asyncio.get_running_loop().create_task(self._go_on())

    def _send_soon(self, order: Order, asked: bool) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(self._send(order, asked))
        self._sends.add(task)
        task.add_done_callback(self._sent)
        return task

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._sends.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.warning("An order came to nothing: %s", task.exception())

    async def _send(self, order: Order, asked: bool) -> None:
        """Carries out one order. Raises LinkError, after the center has heard of the failure."""
        try:
            await self._act(*translate.to_action(order))
        except asyncio.CancelledError:
            if self.leads:
                raise
            raise NotConnected("another node has taken over") from None
        except Refused as error:
            facts = translate.refusal(order, error.text, self.now())
            self._failed(order, error.text, refused=asked and not facts)
            for fact in facts:
                self.observe(fact)
            if not facts:
                raise
        except LinkError as error:
            self._failed(order, str(error), refused=False)
            raise

    def _failed(self, order: Order, text: str, *, refused: bool) -> None:
        """A member may be otherwise than is known; a penalty is ordered again after the next log-in."""
        if self.center.state.linked and not isinstance(order, SetPenalty):  # else the next picture tells
            self.observe(ev.OrderFailed(self.now(), order.queue, order.interface, text, refused))

    # Commands ---------------------------------------------------------------------------------------------

    async def command(
        self, event: ev.Event | None, confirmed: Callable[[], bool], *actions: tuple[str, Mapping[str, str]]
    ) -> None:
        """Carries out what a person asked for and returns when Asterisk has confirmed it, and it is on disk.

        `event` None: it is so already. `actions`: what Asterisk has to do beside the orders that follow.

        Raises AsteriskRefused, AsteriskSilent, NotLinked, StoreFailed.
        """
        if event is None:
            return
        if not self.leads:
            raise refusals.NotLinked("Another node has taken over.")
        if self._store.problem is not None:
            raise refusals.StoreFailed(f"The store cannot be written: {self._store.problem}")
        sends = self.observe(event, asked=True)
        with _answered():
            await asyncio.gather(*sends, *(self._act(*action) for action in actions))  # each has its own time limit
        await self.happens(confirmed)
        await self._kept()

    async def _act(self, action: str, headers: Mapping[str, str]) -> None:
        if not self.may_act():
            raise NotConnected("another node may have taken over")
        await self.link.send(action, headers, timeout=self._confirm_within)

    async def act(self, action: str, headers: Mapping[str, str]) -> None:
        """Something that Asterisk does once, and that leads to no state of ours. Raises as `command` does."""
        with _answered():
            await self._act(action, headers)

    async def happens(self, what: Callable[[], bool]) -> None:
        """Returns when it is so. Raises AsteriskSilent when it does not become so in time."""
        with _answered():
            async with asyncio.timeout(self._confirm_within):
                await self._until(what)

    async def look_at_queue(self, queue: str) -> None:
        """Who waits there, and in which order. Raises AsteriskRefused, AsteriskSilent, NotLinked."""
        with _answered():
            listed = await self.link.list_of("QueueStatus", {"Queue": queue}, self._confirm_within)
        self.observe(translate.waiting_seen(self.now(), queue, listed))

    async def channel_of(self, call: str) -> str:
        """The present name of a channel: it changes while the call lives. Raises UnknownCall."""
        with _answered():
            channels = await self.link.list_of("CoreShowChannels", timeout=self._confirm_within)
        name = next((each.get("Channel") for each in channels if each.get("Uniqueid") == call), None)
        if name is None:
            raise refusals.UnknownCall(f"There is no call {call!r} any more.")
        return name

    async def _kept(self) -> None:
        """What was promised outlives a crash. Raises StoreFailed when the database takes too long."""
        try:
            async with asyncio.timeout(self._confirm_within):
                await self._store.written()
        except (TimeoutError, queue.Full):
            raise refusals.StoreFailed("It is done, but it cannot be written to the store at present.") from None
        if not self.leads or not self.may_act():
            raise refusals.NotLinked("Another node has taken over; it is not known whether it was done.")

    async def _until(self, true: Callable[[], bool]) -> None:
        watcher = (true, asyncio.get_running_loop().create_future())
        self._watchers.append(watcher)
        self._watch()
        try:
            await watcher[1]
        finally:
            if watcher in self._watchers:  # nobody waits any longer
                self._watchers.remove(watcher)

    def _watch(self) -> None:
        if not self._watchers:
            return
        for true, done in self._watchers:
            if not done.done() and true():
                done.set_result(None)
        self._watchers = [watcher for watcher in self._watchers if not watcher[1].done()]

    # Life -------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Keeps the link until `close`."""
        self._arm()
        await self.link.run()

    async def close(self) -> None:
        """Ends the link, and keeps the state as it is then."""
        await self.link.close()
        self._stop()
        if self.leads:
            self._checkpoints.keep(self.center.state)

    def _stop(self) -> None:
        self._finish()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = self._armed_for = None
        for task in list(self._sends):
            task.cancel()
        self._checkpoints.close()
        self._pace.close()
        self._history.close()


@contextmanager
def _answered() -> Iterator[None]:
    """What the link says, as what a person is told. Raises AsteriskRefused, NotLinked, AsteriskSilent."""
    try:
        yield
    except Refused as error:
        raise refusals.AsteriskRefused(f"Asterisk said no: {error.text}") from error
    except NotConnected as error:
        raise refusals.NotLinked(str(error)) from error
    except (NoAnswer, TimeoutError) as error:  # or it said yes, but no event confirmed it
        raise refusals.AsteriskSilent() from error


def _standing(visit: Visit) -> str:
    """How far a visit is, in words: waiting, answered, talked, wrapped up, or how else it ended."""
    if visit.talk is None:
        return str(visit.outcome or "waiting")
    if visit.wrap_up is None:
        return f"talked {visit.talk:.1f} s"
    return f"talked {visit.talk:.1f} s, wrapped up {visit.wrap_up:.1f} s"
