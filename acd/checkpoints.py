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
        self._making: asyncio.Task[None] | None = None

    def took(self, state: State) -> None:
        """The state has taken in one more event."""
        self._since += 1
        gap = self._handler in self._store.gaps  # the log lacks events: only a checkpoint can stand in for them
        if not gap and self._since < max(EVERY, len(state.agents)):
            return
        if self._making is None and self._store.problem is None:
            self._store.gaps.discard(self._handler)
            self._since = 0
            self._making = asyncio.get_running_loop().create_task(self._make(state))

    def keep(self, state: State) -> None:
        """Keeps the state as it is, here and now."""
        self._since = 0
        self._store.checkpoint(self._handler, *self._store.last(self._handler), STATE.dump_json(state).decode())

    def close(self) -> None:
        """What is under way is given up."""
        if self._making is not None:
            self._making.cancel()

    async def _make(self, state: State) -> None:
        try:
            last = self._store.last(self._handler)
            self._store.checkpoint(self._handler, *last, await dumped(state))
        except OSError as error:
            log.warning("The state is dumped in the midst of the events, which wait for it: %s", error)
            self.keep(state)
        finally:
            self._making = None


async def dumped(state: State) -> str:
    """The state as it is at the call, as JSON. Raises OSError when no child can do it."""
    child = _Child(state)
    try:
        async with asyncio.timeout(DUMPED_WITHIN):
            text = await asyncio.to_thread(child.pipe.read)
    except BaseException:
        child.kill()  # which ends the reading as well
        raise
    finally:
        code = child.end()
    if code != 0:
        raise OSError(f"the child that dumps the state ended with {code}")
    return text.decode()


class _Child:
    """A process that dumps the state into `pipe` and ends. Raises OSError when there can be none."""

    def __init__(self, state: State) -> None:
        reader, writer = os.pipe()
        self.pipe = open(reader, "rb")  # noqa: SIM115 - `end` closes it
        try:
            self._pid = _fork()
            if self._pid == 0:
                _dump(state, writer)
        except BaseException:
            self.pipe.close()
            raise
        finally:
            os.close(writer)

    def kill(self) -> None:
        os.kill(self._pid, signal.SIGKILL)

    def end(self) -> int:
        """To be called when all is read or it was killed; returns the exit code, negative after a signal."""
        _, status = os.waitpid(self._pid, 0)
        self.pipe.close()
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
