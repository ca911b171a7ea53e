"""Checkpoints of one handler, made without holding up the event loop.

A forked child has the whole state as it was at the fork. It dumps it into a pipe and ends, while the events go on here.
"""

import asyncio
import gc
import logging
import os
import signal
import warnings
from typing import NoReturn

from acd.core.records import State
from acd.store import STATE, Store

log = logging.getLogger(__name__)

EVERY = 5000  # events; with more agents than that, one for each: what is large is not written all the time
DUMPED_WITHIN = 30.0  # seconds, a child that takes longer is stuck
LESS_URGENT = 5  # than the calls, by so much is the child nicer


class Checkpoints:
    """Keeps the state now and then, so that a restart need not replay what led to it."""

    def __init__(self, handler: str, store: Store) -> None:
        self._handler = handler
        self._store = store
        self._since = 0
        self._child: _Child | None = None  # that dumps at present
        self._making: asyncio.Task[None] | None = None

    def took(self, state: State) -> None:
        """The state has taken in one more event."""
        self._since += 1
        gap = self._handler in self._store.gaps  # the log lacks events: only a checkpoint can stand in for them
        if not gap and self._since < max(EVERY, len(state.agents)):
            return
        if self._child is None and self._store.problem is None:
            self._store.gaps.discard(self._handler)
            self._begin(state)

    def keep(self, state: State) -> None:
        """Keeps the state as it is, here and now."""
        self._since = 0
        self._store.checkpoint(self._handler, *self._store.last(self._handler), STATE.dump_json(state).decode())

    def close(self) -> None:
        """What is under way is given up."""
        if self._child is not None:
            self._child.kill()
            self._child = None

    def _begin(self, state: State) -> None:
        """The fork is now, between two events."""
        self._since = 0
        try:
            self._child = _Child(state)
        except OSError as error:
            self._keep_here(state, error)
        else:
            made = self._make(self._child, state, *self._store.last(self._handler))
            self._making = asyncio.get_running_loop().create_task(made)

    async def _make(self, child: "_Child", state: State, seq: int, at: float) -> None:
        try:
            self._store.checkpoint(self._handler, seq, at, await child.dumped())
        except OSError as error:
            if self._child is child:
                self._keep_here(state, error)
        finally:
            self._child = self._making = None

    def _keep_here(self, state: State, error: OSError) -> None:
        log.warning("The state is dumped in the midst of the events, which wait for it: %s", error)
        self.keep(state)


class _Child:
    """A process that dumps the state, as it is when the process is made, and ends."""

    def __init__(self, state: State) -> None:
        """Raises OSError when there can be none."""
        reader, writer = os.pipe()
        self._pipe = open(reader, "rb")  # noqa: SIM115 - `_end` closes it
        try:
            self._pid = _fork()
            if self._pid == 0:
                _dump(state, writer)
        except BaseException:
            self._pipe.close()
            raise
        finally:
            os.close(writer)

    async def dumped(self) -> str:
        """The state as JSON. Raises OSError when it goes wrong or takes too long."""
        try:
            async with asyncio.timeout(DUMPED_WITHIN):
                text = await asyncio.to_thread(self._pipe.read)
        except BaseException:
            self.kill()
            raise
        finally:
            code = self._end()
        if code != 0:
            raise OSError(f"the child that dumps the state ended with {code}")
        return text.decode()

    def kill(self) -> None:
        """Ends it, and with it the reading."""
        os.kill(self._pid, signal.SIGKILL)

    def _end(self) -> int:
        """When all is read, or it was killed; returns the exit code, negative after a signal."""
        self._pipe.close()
        _, status = os.waitpid(self._pid, 0)
        return os.waitstatus_to_exitcode(status)


def _fork() -> int:
    with warnings.catch_warnings():
        # of threads that hold locks at the fork: the child takes none of them, and one that is stuck is killed
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _dump(state: State, writer: int) -> NoReturn:
    """What the child does: nothing of the parent's but the state is touched, and nothing of Python's end is run."""
    try:
        gc.disable()  # it would copy all memory that is shared with the parent
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        os.closerange(3, writer)  # a socket that the parent closes is to be closed
        os.closerange(writer + 1, os.sysconf("SC_OPEN_MAX"))
        os.nice(LESS_URGENT)
        text = memoryview(STATE.dump_json(state))
        while text:
            text = text[os.write(writer, text) :]
        os._exit(0)
    finally:
        os._exit(1)
