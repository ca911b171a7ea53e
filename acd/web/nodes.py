"""One node among several, over HTTP: any node tells everything, and passes a command on to the node that leads.

The nodes know one another by the API token, which they have in common; so the leader believes what another node says
of who asked.
"""

import asyncio
import hashlib
import hmac
from collections.abc import Collection

import aiohttp
from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy
from sqlalchemy.exc import SQLAlchemyError

from acd.access.register import Register
from acd.core.refusals import NotLinked, StoreFailed
from acd.feed import SharedFeed
from acd.nodes import House, Nodes
from acd.store import Store
from acd.store.leases import HOUSE
from acd.web.requests import FEED, HANDLERS, REGISTER, STORE, WEBHOOKS, data_of, written

PROOF = "Acd-Node"
FORWARDED = web.RequestKey("forwarded", bool)  # by another node
ANSWER_WITHIN = 130.0  # seconds: a handler's limit may be 120
CONNECT_WITHIN = 2.0
TRIES = 5  # to read who may come in, while that is changed here
# Of one connection, not of what is said over it (RFC 9110, 7.6.1); and what each side says of its own.
HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "content-length", "content-encoding"}
    | {"proxy-authenticate", "proxy-authorization", "accept-encoding", "date", "server", PROOF.lower()}
)


class OtherNodes:
    """Passes commands on to the nodes that lead."""

    def __init__(self, nodes: Nodes, token: str) -> None:
        self.nodes = nodes
        self._proof = hmac.new(token.encode(), b"acd node", hashlib.sha256).hexdigest()
        self._session: aiohttp.ClientSession

    async def open(self) -> None:
        self._session = aiohttp.ClientSession(
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=ANSWER_WITHIN, sock_connect=CONNECT_WITHIN),
        )

    async def close(self) -> None:
        await self._session.close()

    def is_one(self, request: web.Request) -> bool:
        """The request comes from another node."""
        return hmac.compare_digest(request.headers.get(PROOF, "").encode("utf-8", "replace"), self._proof.encode())

    async def answer(self, request: web.Request) -> web.Response | None:
        """The leader's answer to a command, once this node knows what came of it; None: this node leads.

        Raises NotLinked.
        """
        url = self.nodes.elsewhere(request.match_info.get("handler", HOUSE))
        if url is None:
            return None
        if request[FORWARDED]:
            raise NotLinked("Another node is about to take over.")
        if not url:
            raise NotLinked("Another node leads, and did not say where it can be reached.")
        body = await data_of(request)
        try:
            async with self._session.request(
                request.method,
                url.rstrip("/") + request.rel_url.raw_path_qs,
                data=body,
                headers=self._headers(request),
                allow_redirects=False,
            ) as answer:
                data = await answer.read()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            raise NotLinked("The node that leads cannot be reached at present.") from None
        except (aiohttp.ClientError, OSError, TimeoutError):
            raise NotLinked("The node that leads did not answer; it is not known whether it was done.") from None
        await self.nodes.catch_up()
        return web.Response(status=answer.status, body=data, headers=_end_to_end(answer.headers))

    def _headers(self, request: web.Request) -> CIMultiDict[str]:
        headers = _end_to_end(request.headers)
        headers[PROOF] = self._proof
        headers["X-Forwarded-For"] = request.remote or ""
        headers["X-Forwarded-Proto"] = request.scheme
        return headers


def _end_to_end(headers: CIMultiDictProxy[str]) -> CIMultiDict[str]:
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in HOP_BY_HOP)


NODES: web.AppKey[OtherNodes | None] = web.AppKey("nodes")  # None: this one is alone


def set_up(app: web.Application) -> None:
    """Nodes that begin and end with the application."""
    others = app[NODES]
    assert others is not None
    nodes, feed = others.nodes, app[FEED]
    assert isinstance(feed, SharedFeed)
    hooks = app[WEBHOOKS]

    async def start(_app: web.Application) -> None:
        await others.open()
        await nodes.start(feed, House(hooks.start, hooks.close, lambda tables: _renew(app, nodes, tables)))

    async def close(_app: web.Application) -> None:
        await nodes.close()
        await others.close()

    app.on_startup.append(start)
    app.on_cleanup.append(close)


async def _renew(app: web.Application, nodes: Nodes, tables: Collection[str]) -> None:
    """What every node has in memory, read again where another node may have changed it. Raises SQLAlchemyError."""
    store, handlers = app[STORE], app[HANDLERS]
    if "pin" in tables:
        for name, handler in handlers.items():
            if not nodes.leads(name):
                handler.commands.renew_pins(await asyncio.to_thread(store.pins, name))
    if "webhook" in tables and not nodes.leads(HOUSE):
        app[WEBHOOKS].renew(await asyncio.to_thread(app[WEBHOOKS].kept))
    if not {"token", "account"}.isdisjoint(tables):
        await _renew_register(app[REGISTER], store)


async def _renew_register(register: Register, store: Store) -> None:
    for _ in range(TRIES):
        changes = register.changes
        try:
            await written(store)
        except StoreFailed as error:  # what waits to be written here is not there yet
            raise SQLAlchemyError(str(error)) from None
        kept = await asyncio.to_thread(register.kept)
        if register.changes == changes:
            register.renew(*kept)
            return
    raise SQLAlchemyError("those who may come in are changed all the time")
