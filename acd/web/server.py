"""Below the application: how many may be connected, for how long without a request, and what is no HTTP at all."""

import asyncio
import logging
from http import HTTPStatus
from typing import Any

from aiohttp import web

from acd.web import headers
from acd.web.problems import problem, problems

log = logging.getLogger(__name__)

MOST_CONNECTIONS = 500  # under the 1024 files that a process may have open by default
SILENT_FOR = 75  # seconds after which a connection without a whole request is closed


class _Connection(web.RequestHandler):
    """Answers what is no HTTP as all else is answered; aiohttp repeats the line, which may hold a token."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        super().handle_error(request, status, exc, message)  # the log line
        phrase = HTTPStatus(status)
        unreadable = phrase is HTTPStatus.BAD_REQUEST
        detail = "The request is no HTTP that can be read." if unreadable else "Something went wrong inside acd."
        answer = problem(phrase, phrase.name.lower().replace("_", "-"), detail)
        headers.add_to(answer.headers)
        answer.force_close()
        return answer


class _Server(web.Server):
    """Makes the connections, and closes those that are too many before anything is read from them."""

    def __call__(self) -> web.RequestHandler:
        return _Connection(self, loop=self._loop, **self._kwargs)

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        if len(self._connections) > MOST_CONNECTIONS:
            log.warning("more than %d connections to the API: a new one is closed", MOST_CONNECTIONS)
            transport.abort()


class Runner(web.AppRunner):
    """Runs the application behind such connections."""

    __slots__ = ()

    def __init__(self, app: web.Application, **more: Any) -> None:
        super().__init__(app, **{"access_log": None, "keepalive_timeout": SILENT_FOR} | more)

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()

        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            assert isinstance(request, web.Request)
            return await problems(request, made.request_handler)  # what is refused before any middleware (Expect)

        return _Server(handle, request_factory=made.request_factory, loop=made._loop, **made._kwargs)
