"""The web application: who is let in, and the routes."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from aiohttp import web

from acd.access.attempts import Door
from acd.access.principals import Principal
from acd.access.refusals import ForeignOrigin, Unauthorized
from acd.access.register import Register
from acd.feed import Feed, SharedFeed
from acd.nodes import Nodes
from acd.settings import WebSettings
from acd.store import Store
from acd.web import (
    board,
    browser_phone,
    cors,
    docs,
    headers,
    health,
    objects,
    pages,
    people,
    pin,
    reports,
    stream,
    supervision,
    webhooks,
)
from acd.web.metrics import REQUESTS, Requests
from acd.web.news import News
from acd.web.nodes import NODES, OtherNodes
from acd.web.nodes import set_up as set_up_nodes
from acd.web.operations import SAFE, Operation, add_routes, write_down
from acd.web.problems import of_refusal, problems
from acd.web.proxies import forwarded
from acd.web.repeats import Repeats
from acd.web.requests import DOOR, FEED, HANDLERS, PRINCIPAL, REGISTER, REPEATS, SIMULATED, STORE, Handler

LARGEST_BODY = 64 * 1024
MOST_LOG_INS, WITHIN = 30, 60.0  # that fail, from one network address; seconds

OPERATIONS: list[Operation] = [
    *people.OPERATIONS,
    *objects.OPERATIONS,
    *pin.OPERATIONS,
    *supervision.OPERATIONS,
    *browser_phone.OPERATIONS,
    *stream.OPERATIONS,
    *reports.OPERATIONS,
    *board.OPERATIONS,
    *webhooks.OPERATIONS,
    *health.OPERATIONS,
    *docs.OPERATIONS,
    *pages.OPERATIONS,
]
DESCRIPTION = docs.Description(OPERATIONS)
GUARDED = frozenset((each.method, each.path) for each in OPERATIONS if each.roles)
OPEN = frozenset(each.path for each in OPERATIONS if not each.roles) | docs.FILES.keys() | pages.FILES.keys()


def make_app(
    handlers: dict[str, Handler],
    store: Store,
    token: str,
    settings: WebSettings | None = None,
    clock: Callable[[], float] = time.time,
    *,
    simulated: bool = False,
    nodes: Nodes | None = None,
) -> web.Application:
    """The application over these handlers. `token`: an administrator's; others are kept in the store.

    `simulated`: there is no Asterisk behind it, and every page says so. `nodes`: this one is one of several.
    """
    settings, requests = settings or WebSettings(), Requests()
    ways_in = [
        requests.middleware,
        forwarded(settings.trusted_proxies),
        cors.preflights(settings.cors_origins),
        problems,
        let_in,
    ]
    app = web.Application(middlewares=ways_in, client_max_size=LARGEST_BODY)
    app.on_response_prepare.append(headers.protect)
    if settings.cors_origins:
        app.on_response_prepare.append(cors.listed(settings.cors_origins))
    app[HANDLERS], app[STORE], app[REQUESTS] = handlers, store, requests
    app[REGISTER] = Register(store, token, _kept_pins(handlers), clock)
    app[REPEATS] = Repeats()
    app[SIMULATED] = simulated
    app[DOOR] = Door(MOST_LOG_INS, WITHIN)
    app[NODES] = None if nodes is None else OtherNodes(nodes, token)
    app[FEED] = Feed(store) if nodes is None else SharedFeed(store, nodes.catch_up)
    app[stream.RESETS], app[stream.ONE_BY_ONE] = {}, asyncio.Lock()
    for handler in handlers.values():
        News(handler, app[FEED])
    webhooks.set_up(app)
    if nodes is not None:
        set_up_nodes(app)
    browser_phone.set_up(app)
    app.on_shutdown.append(stream.end_streams)
    reports.install(app, store)
    app[board.BOARDS] = board.Boards(store, settings.wallboard)
    app[docs.DESCRIPTION] = DESCRIPTION
    add_routes(app, OPERATIONS)
    docs.add_files(app)
    pages.add_files(app)
    return app


def _kept_pins(handlers: dict[str, Handler]) -> Callable[[str, str], str | None]:
    def kept_pin(handler: str, agent: str) -> str | None:
        return handlers[handler].commands.kept_pin(agent) if handler in handlers else None

    return kept_pin


@web.middleware
async def let_in(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Finds out who asks. Nobody guesses a token, so wrong ones are not counted."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    by_token = scheme.lower() == "bearer"
    who = request.app[REGISTER].find(given.strip()) if by_token else _by_cookie(request)
    if who is not None:
        request[PRINCIPAL] = who
    elif not _is_open(request):
        raise Unauthorized()
    if not by_token and _is_foreign(request, who):
        refused = of_refusal(ForeignOrigin())
        if who is not None and request.method not in SAFE:
            write_down(request, refused)
        return refused
    return await handler(request)


def _by_cookie(request: web.Request) -> Principal | None:
    cookie = request.cookies.get(people.COOKIE)
    return request.app[REGISTER].find(cookie, "session") if cookie else None


def _is_open(request: web.Request) -> bool:
    return request.path in OPEN and (request.method, request.path) not in GUARDED


def _is_foreign(request: web.Request, who: Principal | None) -> bool:
    """A page of another site may not do anything by somebody's cookie, nor log him in as somebody else.

    A browser says which page sends a request; with a cookie, one that does not say so is not believed.
    """
    if request.method in SAFE and "Upgrade" not in request.headers:
        return False  # what it tells, a page of another site cannot read
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None:  # no page can set it, and it does not depend on what a proxy makes of Host
        return site != "same-origin"
    if origin is not None:
        return not request.host or origin.lower() != _our_origin(request)
    return who is not None


def _our_origin(request: web.Request) -> str:
    """As a browser writes it: without the scheme's own port."""
    own_port = ":443" if request.scheme == "https" else ":80"
    return f"{request.scheme}://{request.host.lower().removesuffix(own_port)}"
