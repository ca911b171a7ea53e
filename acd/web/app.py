"""The web application: who is let in, and the routes."""

import urllib.parse
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from aiohttp import web

from acd.access.attempts import Attempts
from acd.access.principals import Principal
from acd.access.refusals import ForeignOrigin, TooManyAttempts, Unauthorized
from acd.access.register import Register
from acd.feed import Feed
from acd.store import Store
from acd.web import docs, health, objects, people, reports, stream, supervision, webhooks
from acd.web.metrics import REQUESTS, Requests
from acd.web.news import News
from acd.web.operations import SAFE, Operation, add_routes
from acd.web.problems import problems
from acd.web.repeats import Repeats
from acd.web.requests import FEED, HANDLERS, PRINCIPAL, REGISTER, REPEATS, STORE, Handler

LARGEST_BODY = 64 * 1024
MOST_LOG_INS, WITHIN = 30, 60.0  # that fail, from one network address; seconds
LOG_IN = ("POST", "/api/v1/session")

OPERATIONS: list[Operation] = [
    *people.OPERATIONS,
    *objects.OPERATIONS,
    *supervision.OPERATIONS,
    *stream.OPERATIONS,
    *reports.OPERATIONS,
    *webhooks.OPERATIONS,
    *health.OPERATIONS,
    *docs.OPERATIONS,
]
DESCRIPTION = docs.Description(OPERATIONS)
GUARDED = frozenset((each.method, each.path) for each in OPERATIONS if each.roles)
OPEN = frozenset(each.path for each in OPERATIONS if not each.roles) | docs.FILES.keys()


def make_app(handlers: dict[str, Handler], store: Store, token: str) -> web.Application:
    """The application over these handlers. `token`: an administrator's; others are kept in the store."""
    requests = Requests()
    app = web.Application(middlewares=[requests.middleware, problems, _doorkeeper()], client_max_size=LARGEST_BODY)
    app[HANDLERS], app[STORE], app[REQUESTS] = handlers, store, requests
    app[REGISTER] = Register(store, token)
    app[REPEATS] = Repeats()
    app[FEED] = Feed(store)
    for handler in handlers.values():
        News(handler, app[FEED])
    webhooks.set_up(app)
    app.on_shutdown.append(stream.end_streams)
    reports.install(app, store)
    app[docs.DESCRIPTION] = DESCRIPTION
    add_routes(app, OPERATIONS)
    docs.add_files(app)
    return app


def _doorkeeper() -> Callable[..., Awaitable[web.StreamResponse]]:
    attempts = Attempts(MOST_LOG_INS, WITHIN)

    @web.middleware
    async def let_in(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        who = _principal(request)
        if who is not None:
            request[PRINCIPAL] = who
        elif not _is_open(request):  # nobody guesses a token, so wrong ones are not counted
            raise Unauthorized()
        if (request.method, request.path) != LOG_IN:
            return await handler(request)
        return await _patiently(attempts, request, handler)

    return let_in


async def _patiently(
    attempts: Attempts, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """An open door, but not for who tries PINs and passwords of many people from one place."""
    source = request.remote or ""
    wait = attempts.wait(source)
    if wait > 0:
        raise TooManyAttempts(wait)
    response = await handler(request)
    if response.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        attempts.begin(source)
    return response


def _is_open(request: web.Request) -> bool:
    return request.path in OPEN and (request.method, request.path) not in GUARDED


def _principal(request: web.Request) -> Principal | None:
    """Whom the bearer token, else the cookie, proves the request to come from."""
    register = request.app[REGISTER]
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme:
        return register.find(given.strip()) if scheme.lower() == "bearer" else None
    cookie = request.cookies.get(people.COOKIE)
    who = register.find(cookie, "session") if cookie else None
    if who is not None and (request.method not in SAFE or "Upgrade" in request.headers) and not _is_our_page(request):
        raise ForeignOrigin()
    return who


def _is_our_page(request: web.Request) -> bool:
    """A browser says which page sends a request; one that does not say so is not believed."""
    origin = request.headers.get("Origin")
    if origin is not None:
        return urllib.parse.urlsplit(origin).netloc == request.host
    return request.headers.get("Sec-Fetch-Site") == "same-origin"
