"""Requests over HTTP: the token, time limits, what is tried again, and what an answer means."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Mapping
from ssl import SSLContext
from types import MappingProxyType
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import aiohttp
from yarl import URL

from acd.client.errors import ApiError, NoAnswer, Unreachable, error_of

log = logging.getLogger(__name__)

Picture = Mapping[str, Any]  # an object as the API shows it
Query = Iterable[tuple[str, str]]
BASE = "/api/v1"
CONNECT_WITHIN = 10.0  # seconds
SOONEST = 0.1  # seconds, also for who says Retry-After: 0 for ever


class Cut(Unreachable):
    """The connection was reset before the answer came."""


class Connection:
    """One acd, as one principal."""

    def __init__(
        self, url: str, token: str, *, ssl: SSLContext | bool = True, timeout: float = 120.0, patience: float = 30.0
    ) -> None:
        """`patience`: seconds in which a request that acd asked to repeat later is repeated."""
        if not url.startswith(("http://", "https://")):
            raise ValueError("the address of acd begins with http:// or https://")
        if not token.isascii() or not token.isprintable():
            raise ValueError("a token is printable ASCII")
        self._base = url.rstrip("/") + BASE
        self._patience = patience
        self._session = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {token}"},
            connector=aiohttp.TCPConnector(ssl=ssl, limit=0),
            timeout=aiohttp.ClientTimeout(total=timeout, sock_connect=CONNECT_WITHIN),
        )

    async def close(self) -> None:
        """No request can be made any more."""
        await self._session.close()

    async def ask(self, method: str, *path: str, body: object = None, query: Query = ()) -> Any:
        """The body of the answer; `path` is what comes after /api/v1, not yet quoted.

        What a reset connection left without an answer is asked once more: acd does a command once, however often it
        hears it. What acd refused with Retry-After is asked again within `patience`.
        Raises ApiError, Unreachable, NoAnswer.
        """
        cuts, waited, mark = 0, 0.0, uuid4().hex
        while True:
            try:
                return await self._ask_once(method, path, body, query, mark)
            except Cut as cut:
                cuts += 1
                if cuts > 1:
                    raise
                log.debug("%s: asked once more", cut)
            except ApiError as error:
                wait = max(SOONEST, error.retry_after) if error.retry_after is not None else None
                if wait is None or waited + wait > self._patience:
                    raise
                waited, mark = waited + wait, uuid4().hex
                await asyncio.sleep(wait)

    async def items(self, *path: str, query: Mapping[str, str] | None = None) -> AsyncIterator[dict[str, Any]]:
        """Every item of a list, page by page."""
        wanted = dict(query or {})
        while True:
            page = await self.ask("GET", *path, query=wanted.items())
            for item in page["items"]:
                yield item
            if page["next"] is None:
                return
            wanted["cursor"] = page["next"]

    async def _ask_once(self, method: str, path: Iterable[str], body: object, query: Query, mark: str) -> Any:
        headers = {} if method == "GET" else {"Idempotency-Key": mark}
        try:
            async with self._session.request(
                method, self._url(path, query), json=body, headers=headers, allow_redirects=False
            ) as response:
                await response.read()
                return await _content(response)
        except TimeoutError:
            raise NoAnswer() from None
        except aiohttp.ClientConnectorError as error:
            raise Unreachable(f"acd cannot be reached: {error}") from None
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, aiohttp.ClientPayloadError) as error:
            raise Cut(f"The connection to acd was cut: {error}") from None
        except aiohttp.ClientError as error:
            raise Unreachable(f"What answers is not acd: {error}") from None

    async def stream(self, *path: str, query: Query) -> aiohttp.ClientResponse:
        """An open stream of events; it may be silent for as long as it likes.

        Raises ApiError, aiohttp.ClientError, TimeoutError.
        """
        response = await self._session.get(
            self._url(path, query),
            headers={"Accept": "text/event-stream", "Cache-Control": "no-store"},
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_WITHIN, sock_read=None),
            allow_redirects=False,
        )
        if response.status != 200:
            async with response:
                await _content(response)
        return response

    def _url(self, path: Iterable[str], query: Query) -> URL:
        quoted = "/".join(quote(part, safe="") for part in path)
        return URL(f"{self._base}/{quoted}", encoded=True).extend_query(list(query))


async def _content(response: aiohttp.ClientResponse) -> Any:
    """What the answer says. Raises ApiError, and Unreachable for what acd would never say."""
    try:
        content = None if response.status == 204 else await response.json(content_type=None)
    except ValueError:
        if response.status < 300:
            raise Unreachable("What answers is not acd: no JSON.") from None
        content = None
    if response.status >= 300:
        raise error_of(response.status, content, response.headers.get("Retry-After"))
    return content


def frozen(content: Any) -> Picture:
    """A picture that cannot be changed by accident."""
    if not isinstance(content, Mapping):
        raise Unreachable("What answers is not acd: no object.")
    return MappingProxyType(content)
