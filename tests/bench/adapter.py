"""The reading of AMI alone: our Connection, stock panoramisk 1.4 and a reader written by hand, on the same stream.

A writer process sends prepared bytes over a loopback socket; each reader picks the same ten events out of them and
reads the headers that translate.py would. What counts is the processor time of the reading process, kernel included:
it does not depend on how fast the writer is.
"""

import asyncio
import gc
import multiprocessing
import socket
import statistics
import time
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection as Pipe
from typing import Any

from panoramisk import Manager

from acd.asterisk.link import Connection, Stats
from acd.asterisk.message import Message
from tests.bench.measure import Report, summary
from tests.bench.stream import CallCenter, Size

CALLS = 800
ROUNDS = 5
TIMES = {"acd": 4, "by hand": 4, "panoramisk 1.4": 1}  # how often the stream is sent in a round
_OF_CALLER = ("Timestamp", "Uniqueid", "Queue")
_OF_MEMBER = ("Timestamp", "Queue", "Interface")
READ: Mapping[str, tuple[str, ...]] = {  # ten events, fifteen messages of the 45 of a call
    "QueueCallerJoin": (*_OF_CALLER, "Position", "CallerIDNum", "Channel"),
    "QueueCallerLeave": _OF_CALLER,
    "AgentCalled": (*_OF_CALLER, "Interface", "DestUniqueid"),
    "AgentConnect": (*_OF_CALLER, "Interface", "MemberName", "DestUniqueid", "RingTime", "HoldTime"),
    "AgentComplete": (*_OF_CALLER, "Interface", "Reason"),
    "QueueMemberPause": (*_OF_MEMBER, "Paused", "PausedReason"),
    "QueueMemberStatus": (*_OF_MEMBER, "Status"),
    "Newchannel": ("Timestamp", "Uniqueid", "Linkedid", "Channel", "ChannelState"),
    "Hangup": ("Timestamp", "Uniqueid", "ChannelState"),
    "HangupRequest": ("Timestamp", "Uniqueid"),
}


class Taken:
    """What the handlers took out of the stream; done when all of it came."""

    def __init__(self, expected: int) -> None:
        self.messages = 0
        self.characters = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._expected = expected

    def take(self, values: list[str]) -> None:
        self.messages += 1
        self.characters += sum(map(len, values))
        if self.messages == self._expected:
            self.done.set_result(None)


class ByHand(asyncio.Protocol):
    """What one would write for this one purpose: split, look at the first line, make a dict of what is wanted."""

    def __init__(self, handlers: Mapping[str, Callable[[dict[str, str]], None]]) -> None:
        self._handlers = handlers
        self._wanted = {f"Event: {name}".encode() for name in handlers}
        self._tail = b""

    def data_received(self, data: bytes) -> None:
        *blocks, self._tail = (self._tail + data).split(b"\r\n\r\n")
        for block in blocks:
            if block[: block.find(b"\r\n")] in self._wanted:
                message = dict(line.split(": ", 1) for line in block.decode("utf-8", "replace").split("\r\n"))
                self._handlers[message["Event"]](message)


async def _connect_acd(port: int, taken: Taken) -> Callable[[], None]:
    def handler(headers: tuple[str, ...]) -> Callable[[Message], None]:
        return lambda message: taken.take([message.get(header) or "" for header in headers])

    handlers = {name: handler(headers) for name, headers in READ.items()}

    def hand_over(message: Message, _received: float) -> None:
        handlers[message.event](message)

    _, connection = await asyncio.get_running_loop().create_connection(
        lambda: Connection(READ.keys(), hand_over, Stats()), "127.0.0.1", port
    )
    connection.go_live()
    return connection.close


async def _connect_by_hand(port: int, taken: Taken) -> Callable[[], None]:
    def handler(headers: tuple[str, ...]) -> Callable[[dict[str, str]], None]:
        return lambda message: taken.take([message[header] for header in headers])

    handlers = {name: handler(headers) for name, headers in READ.items()}
    transport, _ = await asyncio.get_running_loop().create_connection(lambda: ByHand(handlers), "127.0.0.1", port)
    return transport.close


async def _connect_panoramisk(port: int, taken: Taken) -> Callable[[], None]:
    def handler(headers: tuple[str, ...]) -> Callable[[Manager, Any], None]:
        return lambda _manager, message: taken.take([message[header] for header in headers])

    manager = Manager(host="127.0.0.1", port=port)
    for name, headers in READ.items():
        manager.register_event(name, handler(headers))
    await manager.connect()
    await asyncio.sleep(0.01)  # it makes itself known to its protocol a moment later
    return manager.close  # type: ignore[no-any-return]


CONNECT = {"acd": _connect_acd, "by hand": _connect_by_hand, "panoramisk 1.4": _connect_panoramisk}


def _write(pipe: Pipe) -> None:
    """The writer process: one connection after another, the stream as often as asked."""
    data = _stream()
    listener = socket.create_server(("127.0.0.1", 0))
    pipe.send(listener.getsockname()[1])
    while True:
        peer, _ = listener.accept()
        for _ in range(pipe.recv()):
            peer.sendall(data)
        peer.recv(1)
        peer.close()


def _stream() -> bytes:
    size = Size(agents=100, queues=1, queues_each=1, give_up_every=0, whole=True)
    return b"".join(step.data for step in CallCenter(size).calls(CALLS // size.agents))


async def _read(reader: str, pipe: Pipe, port: int) -> tuple[float, float, int]:
    """Processor seconds, seconds, and characters taken, of one round of one reader."""
    taken = Taken(15 * CALLS * TIMES[reader])
    close = await CONNECT[reader](port, taken)
    gc.collect()
    began, began_cpu = time.perf_counter(), time.process_time()
    pipe.send(TIMES[reader])
    await asyncio.wait_for(taken.done, 60)
    figures = time.process_time() - began_cpu, time.perf_counter() - began, taken.characters
    close()
    await asyncio.sleep(0.01)
    return figures


def run(report: Report) -> None:
    data = _stream()
    messages = data.count(b"\r\n\r\n")
    report.head("Reading: AMI messages off a loopback socket")
    report.line(
        "the stream",
        f"{messages / CALLS:.0f} messages a call, {len(data) / messages:.0f} bytes and "
        f"{data.count(b': ') / messages:.1f} headers each, 15 of 45 wanted by 10 handlers",
    )
    pipe, other = multiprocessing.Pipe()
    context = multiprocessing.get_context("fork")
    writer = context.Process(target=_write, args=(other,), daemon=True)
    writer.start()
    try:
        _compare(report, pipe, messages)
    finally:
        writer.terminate()
        writer.join()


def _compare(report: Report, pipe: Pipe, messages: int) -> None:
    port = pipe.recv()
    rounds: dict[str, list[tuple[float, float, int]]] = {reader: [] for reader in CONNECT}
    for _ in range(ROUNDS):
        for reader, done in rounds.items():
            done.append(asyncio.run(_read(reader, pipe, port)))
    cpu = {reader: [done[0] / TIMES[reader] / messages for done in rounds[reader]] for reader in rounds}
    for reader, seconds in cpu.items():
        wall = [done[1] / TIMES[reader] / messages for done in rounds[reader]]
        speed = summary([1 / second for second in wall])
        report.line(reader, f"{speed} messages/s, {summary([1e6 * s for s in seconds], '.2f')} us of processor each")
    characters = {done[2] / TIMES[reader] for reader in rounds for done in rounds[reader]}
    assert len(characters) == 1, f"the readers did not read the same: {characters}"
    for reader, goal in (("panoramisk 1.4", 8.0), ("by hand", 0.85)):
        ratios = [theirs / ours for theirs, ours in zip(cpu[reader], cpu["acd"], strict=True)]
        report.line(f"acd to {reader}", f"{summary(ratios, '.2f')} times")
        report.at_least(f"reading, acd to {reader}", statistics.median(ratios), goal)
