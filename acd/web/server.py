"""Below the application: how many may be connected, for how long without a request, and what is no HTTP at all."""

import asyncio
import logging
import resource
import sys
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from aiohttp import web

from acd.web import headers
from acd.web.problems import problem, problems

log = logging.getLogger(__name__)

MOST_CONNECTIONS = 5_000
OTHER_FILES = 200  # that may be open beside them: the database, Asterisk's files, the links, webhooks
LEAST_CONNECTIONS = 20  # however few files there may be
SILENT_FOR = 75  # seconds after which a connection without a whole request is closed


def open_files() -> int:
    """How many files may be open from now on: as many as the system lets this process have, not what it begins with."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    present, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if present == resource.RLIM_INFINITY else present


def connections_for(files: int, wanted: int) -> int:
    """How many connections there can be where so many files may be open: at most as many as are wanted."""
    possible = max(LEAST_CONNECTIONS, files - OTHER_FILES)
    if possible < wanted:
        log.warning("%d connections to the API instead of %d: only %d files may be open", possible, wanted, files)
    return min(possible, wanted)


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

    most_connections = MOST_CONNECTIONS

    def __call__(self) -> web.RequestHandler:
        return _Connection(self, loop=self._loop, **self._kwargs)

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        if len(self._connections) > self.most_connections:
            log.warning("more than %d connections to the API: a new one is closed", self.most_connections)
            transport.abort()


class Runner(web.AppRunner):
    """Runs the application behind such connections."""

    __slots__ = ("_most_connections",)

    def __init__(self, app: web.Application, *, most_connections: int = MOST_CONNECTIONS, **more: Any) -> None:
        super().__init__(app, **{"access_log": None, "keepalive_timeout": SILENT_FOR} | more)
        self._most_connections = most_connections

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()

        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            assert isinstance(request, web.Request)
            return await problems(request, made.request_handler)  # what is refused before any middleware (Expect)

        server = _Server(handle, request_factory=made.request_factory, loop=made._loop, **made._kwargs)
        server.most_connections = self._most_connections
        return server
