"""The web application: who may come in, the routes, health."""

import hmac
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from aiohttp import web

from acd.store import Store
from acd.web.api import HANDLERS, ROUTES, Handler
from acd.web.metrics import metrics
from acd.web.problems import problem, problems

OPEN = frozenset({"/healthz", "/readyz"})  # a probe has no token, and these tell nothing about anybody
LARGEST_BODY = 64 * 1024

STORE = web.AppKey("store", Store)


def make_app(handlers: dict[str, Handler], store: Store, token: str) -> web.Application:
    """The application over these handlers; every request but the probes needs the token."""
    app = web.Application(middlewares=[problems, _bearer(token)], client_max_size=LARGEST_BODY)
    app[HANDLERS], app[STORE] = handlers, store
    app.router.add_get("/healthz", _health)
    app.router.add_get("/readyz", _ready)
    app.router.add_get("/metrics", _metrics)
    for method, path, handle in ROUTES:
        app.router.add_route(method, path, handle)
    return app


def _bearer(token: str) -> Callable[..., Awaitable[web.StreamResponse]]:
    @web.middleware
    async def check(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        fits = hmac.compare_digest(given.strip().encode("utf-8", "replace"), token.encode())
        if request.path in OPEN or (scheme.lower() == "bearer" and fits):
            return await handler(request)
        return problem(HTTPStatus.UNAUTHORIZED, "unauthorized", "A valid bearer token is needed.")

    return check


async def _health(_request: web.Request) -> web.Response:
    """The process lives."""
    return web.json_response({"status": "ok"})


async def _metrics(request: web.Request) -> web.Response:
    """Figures for Prometheus."""
    return metrics(request.app[HANDLERS], request.app[STORE])


async def _ready(request: web.Request) -> web.Response:
    """Linked to every Asterisk with its picture taken, and the store can be written; else 503 and what is missing."""
    store = request.app[STORE]
    links = {name: handler.center.state.linked for name, handler in request.app[HANDLERS].items()}
    ready = all(links.values()) and store.problem is None
    return web.json_response(
        {"ready": ready, "linked": links, "store": store.problem or "ok"}, status=200 if ready else 503
    )
