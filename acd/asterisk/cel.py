"""Channel event log: cel_custom's lines about single channels as the events that AMI would have sent."""

import csv
from collections.abc import Iterator
from typing import NamedTuple

from acd.core import events as ev

FIELDS = 6  # eventtype, eventtime, uniqueid, linkedid, channel, application; asterisk-conf/etc/cel_custom.conf
LATEST = 1e11  # what is beyond is no time in seconds


class Record(NamedTuple):
    """One line. `at`: seconds since 1970, with microseconds."""

    kind: str
    at: float
    leg: str
    linked: str
    channel: str
    application: str


def parse(text: str) -> Record | None:
    """A line's meaning; None for what has other fields or no time."""
    try:
        fields = next(csv.reader([text], strict=True), [])
        if len(fields) < FIELDS:
            return None
        kind, at, *rest = fields[:FIELDS]
        record = Record(kind, float(at), *rest)
    except (csv.Error, ValueError):
        return None
    return record if 0 < record.at < LATEST and record.leg else None


class Channels:
    """Turns records into events. A channel's end says whether it was answered, so answers are kept until then."""

    def __init__(self) -> None:
        self._answered: set[str] = set()

    def events(self, record: Record) -> Iterator[ev.Event]:
        match record.kind:
            case "CHAN_START":
                placed = record.leg == record.linked
                yield ev.ChannelMade(record.at, record.leg, record.channel, record.linked, placed)
            case "APP_START" if record.application.lower() == "dial":
                yield ev.DialBegun(record.at, record.leg, "")
            case "ANSWER":
                self._answered.add(record.leg)
            case "BRIDGE_ENTER":
                self._answered.add(record.leg)
                yield ev.BridgeEntered(record.at, record.leg, "")
            case "CHAN_END":
                up = record.leg in self._answered
                self._answered.discard(record.leg)
                yield ev.ChannelEnded(record.at, record.leg, up)
