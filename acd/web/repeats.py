"""Idempotency-Key: a command that is sent again, because its answer was lost, gets the answer and is not done twice."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from aiohttp import web

from acd.web.problems import CODE

KEPT_FOR = 600.0  # seconds
MOST = 10_000  # answers that are kept
HEADER = "Idempotency-Key"
LONGEST = 200  # characters


class Answer(NamedTuple):
    """What was answered, as far as a repeat needs it."""

    status: int
    body: bytes
    content_type: str
    code: str | None


class Repeats:
    """The answers of the last minutes, by who asked for what with which key."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._answers: dict[tuple[str, ...], tuple[float, asyncio.Future[Answer]]] = {}

    async def once(
        self, key: tuple[str, ...], carry_out: Callable[[], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """The answer to a command with this key; it is carried out only if no answer to it is known or under way."""
        self._forget_old()
        if key in self._answers:
            return _again(await asyncio.shield(self._answers[key][1]))
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._answers[key] = (self._clock(), answer)
        try:
            response = await carry_out()
        except BaseException:
            self._answers.pop(key, None)
            answer.cancel()
            raise
        if response.status >= 500:  # it may go well the next time
            self._answers.pop(key, None)
        body = response.body if isinstance(response, web.Response) and isinstance(response.body, bytes) else b""
        answer.set_result(Answer(response.status, body, response.content_type, response.get(CODE)))
        return response

    def _forget_old(self) -> None:
        now = self._clock()
        while self._answers:
            key, (at, _) = next(iter(self._answers.items()))
            if at > now - KEPT_FOR and len(self._answers) < MOST:
                return
            del self._answers[key]


def _again(answer: Answer) -> web.Response:
    response = web.Response(status=answer.status, body=answer.body, headers={"Idempotency-Replayed": "true"})
    response.content_type = answer.content_type
    if answer.code is not None:
        response[CODE] = answer.code
    return response
