"""A thread of one's own for what may never return: a disk or a name server that is silent holds up nobody else."""

import asyncio
import concurrent.futures
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

Result = TypeVar("Result")
Work = tuple[concurrent.futures.Future[Any], Callable[[], Any]]


class Aside:
    """Does one thing after the other. The process ends without waiting for it."""

    def __init__(self, name: str) -> None:
        self._work: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def do(self, what: Callable[[], Result]) -> concurrent.futures.Future[Result]:
        """What comes of it, some time."""
        if self._thread.ident is None:
            self._thread.start()
        future: concurrent.futures.Future[Result] = concurrent.futures.Future()
        self._work.put((future, what))
        return future

    async def done(self, what: Callable[[], Result]) -> Result:
        """Returns, or raises, what comes of it."""
        return await asyncio.wrap_future(self.do(what))

    def close(self) -> None:
        """Ends the thread behind what it has to do."""
        self._work.put(None)

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            future, what = work
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(what())
            except Exception as error:
                future.set_exception(error)
