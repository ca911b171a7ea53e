"""What is known beside the two accounts, and proves why they differ: when acd listened, and what AMI told then."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from acd.audit.ledger import Happened, Ledger, Row
from acd.audit.recompute import Logged

NEAR = 60.0  # seconds around a visit in which what was heard of it is looked for
OF_CHANNELS = {  # kind -> places of the channels in its data
    "CallerLeft": (1,),
    "HangupRequested": (1,),
    "ChannelEnded": (1,),
    "ChannelCut": (1,),
    "QueueStatusTold": (1,),
    "CallPickedUp": (1,),
    "AgentConnected": (1, 5),
    "CallerReplaced": (1, 2),
    "BridgeEntered": (1, 3),
    "ChannelMade": (1, 3),
    "PictureTaken": (),
}
CHANNELS_OF_PICTURE = 5  # where a picture's data has them

Span = tuple[float, float]


@dataclass(slots=True)
class Evidence:
    """`first_heard`: when acd first listened. `away`: when it did not, later. `reads_log`: it is told where queue_log
    is, so that it makes good what it missed. `log_from`: the log's first line, where none is older. `name_of`: who was
    logged on at an interface at that time."""

    users: dict[str, str] = field(default_factory=dict)
    first_heard: float | None = None
    away: list[Span] = field(default_factory=list)
    reads_log: bool = True
    log_from: float | None = None
    name_of: Callable[[str, float], str] = lambda interface, at: interface
    told: dict[str, list[Happened]] = field(default_factory=lambda: defaultdict(list))  # by channel

    def absence(self, at: float, slack: float = 1.5) -> Span | None:
        """The time without a link to Asterisk that this moment lies in."""
        return next((span for span in self.away if span[0] - slack <= at <= span[1] + slack), None)

    def of(self, channel: str | None, *kinds: str) -> list[Happened]:
        """What was told of a channel, in order."""
        return [event for event in self.told.get(channel or "", ()) if event.kind in kinds]

    def legs(self, visit: Logged) -> list[str]:
        """The agent's channels: the one that queue_log names, what took its place, and the phone behind it."""
        legs = [visit.leg] if visit.leg else []
        for leg in legs:  # grows on the way
            legs += [e.data[1] for e in self.of(leg, "BridgeEntered") if e.data[3:4] == [leg] and e.data[1] not in legs]
        behind = [e for e in self.of(visit.call, "ChannelMade") if e.data[3] == visit.call]
        return legs + [e.data[1] for e in behind if e.data[1] not in legs]


class Past:
    """What acd's log of events tells of the whole time, in one reading: when the link was lost, who sat where."""

    KINDS = ("LinkLost", "PictureTaken", "SessionCreated")

    def __init__(self, events: Iterable[Happened], users: Mapping[str, str]) -> None:
        self.away: list[Span] = []
        self._lost: float | None = None
        self._at: dict[str, list[tuple[float, str]]] = defaultdict(list)  # interface -> since when, who
        for event in events:
            if event.kind == "SessionCreated":
                _, _, agent, _, address, *_ = event.data
                self._at[address].append((event.at, users.get(agent, agent)))
            else:
                self._link(event)
        if self._lost is not None:
            self.away.append((self._lost, float("inf")))

    def _link(self, event: Happened) -> None:
        """Away is acd from the loss of the link to the next picture of Asterisk."""
        if event.kind == "LinkLost":
            self._lost = event.at if self._lost is None else self._lost
        elif self._lost is not None:
            self.away.append((self._lost, event.at))
            self._lost = None

    def name_of(self, interface: str, at: float) -> str:
        """Who was logged on there: acd brings a member in by his name, queue_log takes him out by the interface.

        The interface itself, where nobody was.
        """
        return next((user for since, user in reversed(self._at.get(interface, ())) if since <= at + 1), interface)


def gather(ledger: Ledger, evidence: Evidence, visits: Iterable[tuple[Logged | None, Row | None]]) -> None:
    """Adds what acd heard of the channels of these visits. Raises SQLAlchemyError."""
    channels: set[str] = set()
    spans: list[Span] = []
    for visit, row in visits:
        channels |= _channels_of(visit, row)
        spans.append(_span_of(visit, row, evidence))
    merged = list(_merged(spans))
    known: set[str] = set()
    while channels - known:  # the phone behind a Local channel is only known by what is told of that
        fresh, known = channels - known, set(channels)
        for event in _heard(ledger, merged):
            for channel in _named_in(event) & fresh:
                evidence.told[channel].append(event)
        for channel in fresh:
            channels |= {event.data[1] for event in evidence.of(channel, "ChannelMade", "BridgeEntered")}


def _channels_of(visit: Logged | None, row: Row | None) -> set[str]:
    named = [row.call, row.call_at_entry] if row is not None else []
    named += [visit.call, visit.renamed, visit.leg or ""] if visit is not None else []
    return set(named) - {""}


def _span_of(visit: Logged | None, row: Row | None, evidence: Evidence) -> Span:
    times = [visit.entered, visit.left, visit.ended, *(visit.cut or ())] if visit is not None else []
    known: list[float] = [each for each in times if each is not None]
    known += [each for each in (row.entered, row.left, row.ended) if each is not None] if row is not None else []
    start, end = min(known) - NEAR, max(known) + NEAR
    for lost, back in evidence.away:  # what was read afterwards is in the log behind the log-in
        if start <= back and lost <= end and back != float("inf"):
            end = max(end, back + NEAR)
    return start, end


def _merged(spans: list[Span]) -> Iterator[Span]:
    current: Span | None = None
    for span in sorted(spans):
        if current is not None and span[0] <= current[1]:
            current = (current[0], max(current[1], span[1]))
        else:
            if current is not None:
                yield current
            current = span
    if current is not None:
        yield current


def _heard(ledger: Ledger, spans: list[Span]) -> Iterator[Happened]:
    for start, end in spans:
        first, last = ledger.number_at(start), ledger.number_at(end)
        yield from ledger.events(OF_CHANNELS, first, last)


def _named_in(event: Happened) -> set[str]:
    if event.kind == "PictureTaken":
        return {channel[0] for channel in event.data[CHANNELS_OF_PICTURE]}
    return {event.data[place] for place in OF_CHANNELS[event.kind] if place < len(event.data)}
