"""Idempotency-Key: a command that is sent again, because its answer was lost, gets the answer and is not done twice."""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from aiohttp import web

from acd.web.problems import CODE, KeyReused

KEPT_FOR = 600.0  # seconds
MOST = 10_000  # answers that are kept
MOST_BYTES = 16 * 1024 * 1024  # in all of them
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
        self._answers: dict[tuple[str, ...], tuple[float, bytes, asyncio.Future[Answer]]] = {}
        self._bytes = 0

    async def once(
        self, key: tuple[str, ...], body: bytes, carry_out: Callable[[], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """The answer to a command with this key; it is carried out only if no answer to it is known or under way.

        Raises KeyReused where the key came with another body.
        """
        self._forget_old()
        content = hashlib.sha256(body).digest()
        if key in self._answers:
            _, present, answer = self._answers[key]
            if present != content:
                raise KeyReused()
            return _again(await asyncio.shield(answer))
        self._make_room(0)
        answer = asyncio.get_running_loop().create_future()
        self._answers[key] = (self._clock(), content, answer)
        try:
            response = await carry_out()
        except BaseException:
            self._forget(key)
            answer.cancel()
            raise
        body = response.body if isinstance(response, web.Response) and isinstance(response.body, bytes) else b""
        if response.status >= 500:  # it may go well the next time
            self._forget(key)
        if key in self._answers:
            self._make_room(len(body))
            self._bytes += len(body)
        answer.set_result(Answer(response.status, body, response.content_type, response.get(CODE)))
        return response

    def _forget_old(self) -> None:
        while self._answers and next(iter(self._answers.values()))[0] <= self._clock() - KEPT_FOR:
            self._forget(next(iter(self._answers)))

    def _make_room(self, size: int) -> None:
        """The oldest go first; those that are under way stay, or they would be carried out twice."""
        while len(self._answers) >= MOST or self._bytes + size > MOST_BYTES:
            oldest = next((key for key, (_, _, answer) in self._answers.items() if answer.done()), None)
            if oldest is None:
                return
            self._forget(oldest)

    def _forget(self, key: tuple[str, ...]) -> None:
        _, _, answer = self._answers.pop(key, (0.0, b"", None))
        if answer is not None and answer.done():
            self._bytes -= len(answer.result().body)


def _again(answer: Answer) -> web.Response:
    response = web.Response(status=answer.status, body=answer.body, headers={"Idempotency-Replayed": "true"})
    response.content_type = answer.content_type
    if answer.code is not None:
        response[CODE] = answer.code
    return response
