"""What every answer says to browsers: guess no types, tell other sites nothing, keep no copy, stay in no frame."""

from aiohttp import web
from multidict import CIMultiDict

from acd.web.proxies import SECURE

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
TLS_FOR = 365 * 86400  # seconds for which a browser that came by TLS comes by nothing else


async def protect(request: web.Request, response: web.StreamResponse) -> None:
    """Adds them before the answer goes out; what it says itself stands."""
    add_to(response.headers)
    if request.path.startswith("/api/"):  # callers' numbers, secrets
        response.headers.setdefault("Cache-Control", "no-store")
    if request.get(SECURE, False):
        response.headers["Strict-Transport-Security"] = f"max-age={TLS_FOR}"


def add_to(headers: "CIMultiDict[str]") -> None:
    """Those that need no look at the request."""
    for name, value in ALWAYS.items():
        headers.setdefault(name, value)
    headers["Server"] = "acd"  # and not of which version of what it is made
