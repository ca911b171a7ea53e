"""Pages of other origins that the settings list: they may ask with a token of their own, never with acd's cookie."""

from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

METHODS = "GET, PUT, POST, DELETE"
HEADERS = "Authorization, Content-Type, If-Match, If-None-Match, Idempotency-Key, Last-Event-ID"
EXPOSED = "ETag, Retry-After, Idempotency-Replayed"
KNOWN_FOR = 600  # seconds for which a browser need not ask again


def preflights(origins: Sequence[str]) -> Middleware:
    """Answers the question that a browser asks before it sends the request itself; that one carries no token."""

    @web.middleware
    async def answer_preflight(request: web.Request, handler: Handler) -> web.StreamResponse:
        asked = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        if not asked or request.headers.get("Origin") not in origins:
            return await handler(request)
        return web.Response(
            status=204,
            headers={
                "Access-Control-Allow-Methods": METHODS,
                "Access-Control-Allow-Headers": HEADERS,
                "Access-Control-Max-Age": str(KNOWN_FOR),
            },
        )

    return answer_preflight


def listed(origins: Sequence[str]) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """Tells the browser of a listed page that it may read the answer, whatever it says."""

    async def allow(request: web.Request, response: web.StreamResponse) -> None:
        response.headers.add("Vary", "Origin")
        origin = request.headers.get("Origin")
        if origin is not None and origin in origins:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = EXPOSED

    return allow
