"""An Asterisk of our own in a process of its own: answers acd's actions and then plays a call center's day.

Only as much as the bench needs; the times of the stream are ahead of the clock, so there is no wrap-up in it.
"""

import itertools
import multiprocessing
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection as Pipe
from typing import NamedTuple

from acd.simulated import messages
from acd.simulated.messages import success
from tests.bench.stream import Agent, CallCenter, Size, Step

WRITE = 16 * 1024  # bytes, what is written at once when nothing else is asked for
Headers = dict[str, str]


class Paced(NamedTuple):
    """Play so many messages, `burst` at once, `rate` a second; answered with the time of each write."""

    messages: int
    rate: float
    burst: int


class Flood(NamedTuple):
    """Play so many calls for each agent, as fast as they are taken: at most `ahead` calls beyond those told as done."""

    each: int
    ahead: int


class Asterisk:
    """The other process, seen from ours. Talk to it through `pipe`."""

    def __init__(self, pipe: Pipe, port: int, world: CallCenter) -> None:
        self.pipe = pipe
        self.port = port
        self.world = world  # the same agents; its truth stays empty


class Drop(NamedTuple):
    """Lose the connection, and wait for the next one."""


@contextmanager
def asterisk(size: Size, *, staffed: bool = False) -> Iterator[Asterisk]:
    """One connection at a time. `staffed`: all agents are members of their queues already, and ready."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_serve, args=(theirs, size, staffed), daemon=True)
    process.start()
    try:
        yield Asterisk(ours, ours.recv(), CallCenter(size))
    finally:
        process.terminate()
        process.join()


def _serve(pipe: Pipe, size: Size, staffed: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        pipe.send(listener.getsockname()[1])
        player = _Player(size, staffed)
        player.meet(listener)
        while True:
            match pipe.recv():
                case Paced() as asked:
                    pipe.send(player.play_paced(asked))
                case Flood() as asked:
                    player.play_flood(asked, pipe)
                case Drop():
                    player.drop()
                    player.meet(listener)


class _Player:
    def __init__(self, size: Size, staffed: bool) -> None:
        self._peer: socket.socket
        self._staffed = staffed
        self._world = CallCenter(size, start=time.time())
        self._by_phone = {agent.phone: agent for agent in self._world.agents}
        self._status = self._queues_and_members()  # at hand, as Asterisk has it
        self._steps: Iterator[Step] | None = None
        self._lock = threading.Lock()
        self._actions: dict[str, Callable[[Headers], bytes]] = {
            "Login": self._login,
            "Ping": self._ping,
            "QueueStatus": self._queue_status,
            "DeviceStateList": self._device_states,
            "QueueAdd": self._queue_add,
            "QueuePause": self._queue_pause,
        }

    def meet(self, listener: socket.socket) -> None:
        """Waits for acd, and answers it from then on."""
        self._peer, _ = listener.accept()
        self._peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._peer.sendall(messages.BANNER)
        threading.Thread(target=self.answer, args=(self._peer,), daemon=True).start()

    def drop(self) -> None:
        self._peer.shutdown(socket.SHUT_RDWR)

    # Answering --------------------------------------------------------------------------------------------

    def answer(self, peer: socket.socket) -> None:
        """Answers whatever is asked, until the other side is gone."""
        unread = b""
        while data := peer.recv(65536):
            *blocks, unread = (unread + data).split(b"\r\n\r\n")
            answers = [self._act(dict(line.split(": ", 1) for line in b.decode().split("\r\n"))) for b in blocks]
            with self._lock:
                peer.sendall(b"".join(answers))

    def _act(self, action: Headers) -> bytes:
        return self._actions.get(action["Action"], _empty_list)(action)

    def _login(self, action: Headers) -> bytes:
        return success(action, "Message: Authentication accepted") + messages.fully_booted(100)

    def _ping(self, action: Headers) -> bytes:
        return success(action, "Ping: Pong", f"Timestamp: {time.time():.6f}")

    def _queue_status(self, action: Headers) -> bytes:
        return _list(action, self._status)

    def _queues_and_members(self) -> list[tuple[str, str]]:
        queues = [("QueueParams", messages.headers(Queue=queue)) for queue in self._world.queues]
        there = self._world.agents if self._staffed else []
        return queues + [("QueueMember", _listed(agent, queue)) for agent in there for queue in agent.queues]

    def _device_states(self, action: Headers) -> bytes:
        there = self._world.agents if self._staffed else []
        states = [messages.headers(Device=agent.phone, State="NOT_INUSE") for agent in there]
        return _list(action, [("DeviceStateChange", state) for state in states])

    def _queue_add(self, action: Headers) -> bytes:
        agent = self._by_phone[action["Interface"]]
        added = self._world.added(agent, time.time(), [action["Queue"]])
        return success(action, "Message: Added interface to queue") + added

    def _queue_pause(self, action: Headers) -> bytes:
        done = success(action, "Message: Interface paused successfully")
        if self._steps is not None:  # what follows stands in the stream
            return done
        reason = action.get("Reason", "") if action["Paused"] == "true" else None
        return done + self._world.paused(self._by_phone[action["Interface"]], time.time(), reason)

    # Playing ----------------------------------------------------------------------------------------------

    def play_paced(self, asked: Paced) -> list[float]:
        """Returns when each message was written, on the clock that all processes share."""
        if self._steps is None:
            self._steps = self._world.calls(1_000_000)
        steps = [step.data for step in itertools.islice(self._steps, asked.messages)]
        written: list[float] = []
        began = time.monotonic()
        for start in range(0, asked.messages, asked.burst):
            burst = steps[start : start + asked.burst]
            time.sleep(max(0.0, began + start / asked.rate - time.monotonic()))
            with self._lock:
                written += [time.monotonic()] * len(burst)
                self._peer.sendall(b"".join(burst))
        return written

    def play_flood(self, asked: Flood, pipe: Pipe) -> None:
        """Tells ("sent", truth) at the end."""
        self._steps = self._world.calls(asked.each)
        done = 0
        waiting, size = [], 0
        for step in self._steps:
            waiting.append(step.data)
            size += len(step.data)
            if size >= WRITE:
                with self._lock:
                    self._peer.sendall(b"".join(waiting))
                waiting, size = [], 0
                while self._world.truth.calls - done > asked.ahead or pipe.poll():
                    done = pipe.recv()
        with self._lock:
            self._peer.sendall(b"".join(waiting))
        pipe.send(self._world.truth.plain())


def _listed(agent: Agent, queue: str) -> str:
    """A member of a queue, not paused, in the order of Asterisk's headers."""
    return messages.headers(
        Queue=queue,
        Name=agent.name,
        Location=agent.phone,
        StateInterface=agent.phone,
        Membership="dynamic",
        Penalty=0,
        CallsTaken=3,
        LastCall=1_800_000_000,
        LastPause=1_800_000_000,
        LoginTime=1_800_000_000,
        InCall=0,
        Status=1,
        Paused=0,
        PausedReason="",
        Wrapuptime=2,
    )


def _empty_list(action: Headers) -> bytes:
    return _list(action, [])


def _list(action: Headers, items: list[tuple[str, str]]) -> bytes:
    return messages.event_list(action, "will follow", items, f"{action['Action']}Complete")
