"""Reads the recordings of a real Asterisk in tests/data/ami-traces; its README.md says what they hold."""

import gzip
import io
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent / "data" / "ami-traces"
NAMES = sorted(folder.name for folder in FOLDER.iterdir() if folder.is_dir())


class Record(NamedTuple):
    """One step of a recording: what went over a connection, or a note of what somebody did."""

    kind: str  # R received, S sent, C connected, X closed by the client, E closed by Asterisk, N a note
    at: float  # seconds since the epoch
    connection: int
    data: bytes


def read(name: str) -> list[Record]:
    """All records of the recording of this name, in order."""
    stream = io.BytesIO(_content(FOLDER / name / "ami.log"))
    records = []
    while head := stream.readline().decode():
        _, kind, at, connection, size = head.split()
        records.append(Record(kind, float(at), int(connection), stream.read(int(size))))
        stream.readline()
    return records


def received(name: str, connection: int = 1) -> bytes:
    """All that Asterisk sent on one connection of a recording."""
    return b"".join(r.data for r in read(name) if r.kind == "R" and r.connection == connection)


def queue_log(name: str) -> list[str]:
    """The lines Asterisk wrote to queue_log during a recording."""
    return (FOLDER / name / "queue_log").read_text().splitlines()


def _content(path: Path) -> bytes:
    if path.exists():
        return path.read_bytes()
    return gzip.decompress(path.with_name("ami.log.gz").read_bytes())
