"""Webhooks: what the stream tells, posted to those who cannot hold a stream, in its order, until it has arrived.

Each webhook follows the feed from a place of its own, which is kept. So a receiver that is slow, or away for hours,
holds nobody up, and costs one waiting task.
"""

import asyncio
import hashlib
import hmac
import json
import logging
import random
import secrets
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing, suppress
from functools import partial
from importlib import metadata
from typing import Any, NamedTuple

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col

from acd.aside import Aside
from acd.clock import moment
from acd.core.refusals import Refusal
from acd.feed import OWN, Envelope, Feed, Filter, follow_on, passing
from acd.store import Store
from acd.store.database import reason
from acd.store.tables import WebhookRow

log = logging.getLogger(__name__)

MOST = 100  # webhooks
AT_ONCE = 100  # envelopes of one request
APART = 0.05  # seconds between two requests to a receiver that is up to date: what comes meanwhile goes together
ANSWER_WITHIN = 10.0  # seconds for a receiver to take a request and answer it
SHORTEST_WAIT, LONGEST_WAIT = 1.0, 300.0  # seconds until the next try of what was not accepted
KEPT_EVERY = 1.0  # seconds; what is not kept yet when acd is killed is posted again
IDLE = 4.0  # seconds for which a connection is used again: servers close theirs after five or more
LONGEST_PROBLEM = 300  # characters
GONE = 410
PREFIX = "whsec_"
DICE = random.Random()  # noqa: S311 - so that receivers behind one door are not tried at once; no secret comes of it


class UnknownWebhook(Refusal):
    """There is no such webhook."""

    code = "unknown-webhook"


class TooManyWebhooks(Refusal):
    """There are as many webhooks as there may be."""

    code = "too-many-webhooks"


class Tried(NamedTuple):
    """What came of one request. `status`: None without an answer; `problem`: None when it was accepted."""

    status: int | None
    seconds: float
    problem: str | None


def signature(secret: str, at: int, body: bytes) -> str:
    """What proves that a body comes from here, and when it was sent (`at`, seconds since 1970)."""
    proof = hmac.new(secret.encode(), b"%d." % at + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={proof}"


def _user_agent() -> str:
    try:
        return f"acd/{metadata.version('acd')}"
    except metadata.PackageNotFoundError:  # it runs from its sources
        return "acd/dev"


# Going out ------------------------------------------------------------------------------------------------


class _Resolver(AbstractResolver):
    """Looks each name up in a thread of its own.

    The loop's own few threads are for the database, and acd waits for them when it ends: a name server that is silent
    must hold up neither.
    """

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        look_up: Callable[[], list[Any]] = partial(
            socket.getaddrinfo, host, port, family, socket.SOCK_STREAM, 0, socket.AI_ADDRCONFIG
        )
        aside = Aside("look-up")
        try:
            return [
                ResolveResult(hostname=host, host=address[0], port=address[1], family=kind, proto=proto, flags=NUMERIC)
                for kind, _, proto, _, address in await aside.done(look_up)
            ]
        finally:
            aside.close()

    async def close(self) -> None:
        """Nothing is held open."""


NUMERIC = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV


class _Sender:
    """Posts signed bodies. Redirects are not followed, cookies not kept, and no proxy of the environment is used."""

    def __init__(self) -> None:
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE, resolver=_Resolver(), ttl_dns_cache=60)
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Content-Type": "application/json", "User-Agent": _user_agent()},
            timeout=aiohttp.ClientTimeout(total=None),
        )

    async def post(self, row: WebhookRow, envelopes: Sequence[str]) -> Tried:
        """One request with these envelopes (JSON), in their order."""
        body = f'{{"webhook": {json.dumps(row.id)}, "envelopes": [{", ".join(envelopes)}]}}'.encode()
        headers = {"Acd-Webhook": row.id, "Acd-Signature": signature(row.secret, int(time.time()), body)}
        began, status = time.monotonic(), None
        try:
            async with (
                asyncio.timeout(ANSWER_WITHIN),
                self._session.post(row.url, data=body, headers=headers, allow_redirects=False) as answer,
            ):
                status, problem = answer.status, _problem(answer)
        except TimeoutError:
            problem = f"no answer within {ANSWER_WITHIN:g} s"
        except (aiohttp.ClientError, OSError, ValueError, RuntimeError) as error:
            problem = f"{type(error).__name__}: {error}"
        return Tried(status, time.monotonic() - began, problem)

    async def close(self) -> None:
        await self._session.close()


def _problem(answer: aiohttp.ClientResponse) -> str | None:
    if 200 <= answer.status < 300:
        return None
    said = f"{answer.status} {answer.reason or ''}".strip()
    return f"{said} (redirects are not followed)" if 300 <= answer.status < 400 else said


# One webhook ----------------------------------------------------------------------------------------------


class Webhook:
    """A place in the stream that moves on when what was before it has arrived."""

    def __init__(self, row: WebhookRow, feed: Feed, store: Store, reset: Callable[[], Awaitable[Envelope]]) -> None:
        self.row = row
        self.failures = 0  # tries in a row, up to now
        self.accepted = self.refused = 0  # requests since the start
        self._feed = feed
        self._store = store
        self._reset = reset
        self._kept: Any = None
        self._keep_at = 0.0
        self._sooner = asyncio.Event()  # somebody wants the next try now
        self._task: asyncio.Task[None] | None = None

    @property
    def only(self) -> Filter:
        """What is posted."""
        return Filter(**json.loads(self.row.wanted))

    @property
    def behind(self) -> int:
        """How many envelopes it has not come to yet, those included that it leaves out."""
        return max(0, self._feed.seq - self.row.position)

    def start(self, sender: _Sender) -> None:
        """Begins anew where it is, unless it is paused; what is under way is broken off, and posted again."""
        self.stop()
        if not self.row.paused:
            self._task = asyncio.create_task(self._run(sender))

    def stop(self) -> asyncio.Task[None] | None:
        """Nothing more is posted; returns what ends now."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
        return task

    def hurry(self) -> None:
        """The next try need not wait: there is reason to think that it succeeds."""
        self._sooner.set()

    def keep(self) -> None:
        """Writes down how far it is and how it goes."""
        values = self.row.model_dump()
        if values != self._kept:
            self._store.keep(self.row)
            self._kept = values
        self._keep_at = time.monotonic() + KEPT_EVERY

    def _keep_sometimes(self) -> None:
        if time.monotonic() >= self._keep_at:
            self.keep()

    async def _run(self, sender: _Sender) -> None:
        while not self.row.paused:
            try:
                await self._follow(sender)
                return
            except Exception as error:  # nothing ends it but its own end
                if not self.failures:
                    ours = not isinstance(error, SQLAlchemyError)
                    log.error("Webhook %s cannot go on at present: %s", self.row.id, reason(error), exc_info=ours)
                await self._wait(f"inside acd: {reason(error)}")

    async def _follow(self, sender: _Sender) -> None:
        """Until the feed ends, or it is paused."""
        wanted, loop = passing(self.only), asyncio.get_running_loop()
        pieces = follow_on(
            self._feed,
            self.row.position,
            wanted,
            patience=KEPT_EVERY,
            reset=self._reset,
            most_behind=sys.maxsize,  # however slow it is, it is never given up
        )
        async with aclosing(pieces):
            async for place, found in pieces:
                began = loop.time()
                for first in range(0, len(found), AT_ONCE):
                    batch = found[first : first + AT_ONCE]
                    await self._deliver(sender, [each.text for each in batch])
                    if self.row.paused:
                        return
                    self._moved(batch[-1].seq)
                self._moved(place)
                if 0 < len(found) < AT_ONCE:
                    await asyncio.sleep(max(0.0, began + APART - loop.time()))

    async def _deliver(self, sender: _Sender, texts: Sequence[str]) -> None:
        """Posts until it is accepted, or the receiver says that it wants nothing any more."""
        while True:
            tried = await sender.post(self.row, texts)
            if tried.problem is None:
                return self._succeeded()
            if tried.status == GONE:
                log.warning("Webhook %s is paused: its receiver is gone for good (410)", self.row.id)
                self.row.paused, self.row.last_error = True, tried.problem
                self.refused += 1
                return self.keep()
            if not self.failures:
                log.warning("Webhook %s: its receiver does not take what is posted: %s", self.row.id, tried.problem)
            await self._wait(tried.problem)

    def _succeeded(self) -> None:
        if self.failures:
            log.info("Webhook %s: its receiver takes what is posted again", self.row.id)
        self.failures = 0
        self.accepted += 1
        self.row.last_success, self.row.last_error = time.time(), None

    async def _wait(self, problem: str) -> None:
        """Until the next try of what failed."""
        self.failures += 1
        self.refused += 1
        self.row.last_error = problem[:LONGEST_PROBLEM]
        self._keep_sometimes()
        with suppress(TimeoutError):
            async with asyncio.timeout(pause_after(self.failures)):
                await self._sooner.wait()
        self._sooner.clear()

    def _moved(self, place: int) -> None:
        self.row.position = place
        self._keep_sometimes()


def pause_after(failures: int) -> float:
    """Seconds until the next try after so many in a row that failed: ever longer, and never the same for two."""
    longest = min(LONGEST_WAIT, SHORTEST_WAIT * 2.0 ** min(failures, 30))
    return DICE.uniform(longest / 2, longest)


# All of them ----------------------------------------------------------------------------------------------


class Webhooks:
    """All webhooks, and what there is to do with them."""

    def __init__(self, feed: Feed, store: Store, reset: Callable[[], Awaitable[Envelope]]) -> None:
        """`reset`: the envelope for one who missed what cannot be told any more."""
        self._feed = feed
        self._store = store
        self._reset = reset
        self._sender: _Sender | None = None
        self._webhooks: dict[str, Webhook]
        self.renew(self.kept())
        self._accepted = self._refused = 0  # of webhooks that were removed

    def kept(self) -> list[WebhookRow]:
        """What the database has; may be called in any thread. Raises SQLAlchemyError."""
        return self._store.rows(WebhookRow, col(WebhookRow.removed).is_(False), by=[col(WebhookRow.created)])

    def renew(self, rows: Iterable[WebhookRow]) -> None:
        """All that there are, before they are started."""
        self._webhooks = {row.id: self._webhook(row) for row in rows}

    def _webhook(self, row: WebhookRow) -> Webhook:
        return Webhook(row, self._feed, self._store, self._reset)

    # For the metrics --------------------------------------------------------------------------------------

    @property
    def deliveries(self) -> int:
        """Requests that were accepted, since the start."""
        return self._accepted + sum(each.accepted for each in self._webhooks.values())

    @property
    def failures(self) -> int:
        """Requests that were not."""
        return self._refused + sum(each.refused for each in self._webhooks.values())

    @property
    def behind(self) -> int:
        """How many envelopes the last of them has not come to yet, paused ones left out."""
        return max((each.behind for each in self._webhooks.values() if not each.row.paused), default=0)

    @property
    def paused(self) -> int:
        """How many are paused."""
        return sum(each.row.paused for each in self._webhooks.values())

    # From beginning to end --------------------------------------------------------------------------------

    async def start(self) -> None:
        """Each goes on where it was."""
        self._sender = _Sender()
        for each in self._webhooks.values():
            each.start(self._sender)

    async def close(self) -> None:
        """Breaks off what is under way, and keeps how far each of them is."""
        sender, self._sender = self._sender, None
        tasks = [task for each in self._webhooks.values() if (task := each.stop()) is not None]
        await asyncio.gather(*tasks, return_exceptions=True)
        for each in self._webhooks.values():
            each.keep()
        if sender is not None:
            await sender.close()

    # Requests ---------------------------------------------------------------------------------------------

    def all(self) -> list[Webhook]:
        """In the order in which they were made."""
        return list(self._webhooks.values())

    def get(self, id: str) -> Webhook:
        """Raises UnknownWebhook."""
        try:
            return self._webhooks[id]
        except KeyError:
            raise UnknownWebhook(f"There is no webhook {id!r}.") from None

    def make(self, url: str, only: Filter, by: str, secret: str | None = None, paused: bool = False) -> Webhook:
        """A new one, for what comes from now on. Without a secret one is made. Raises TooManyWebhooks."""
        if len(self._webhooks) >= MOST:
            raise TooManyWebhooks(f"There are {MOST} webhooks, and more there may not be.")
        now = time.time()
        row = WebhookRow(
            id=secrets.token_hex(8),
            url=url,
            secret=secret or PREFIX + secrets.token_urlsafe(32),
            wanted=_text(only),
            created=now,
            created_by=by,
            position=self._feed.seq,
            paused=paused,
            removed=False,
            changed=now,
            last_success=None,
            last_error=None,
        )
        self._webhooks[row.id] = made = self._webhook(row)
        self._begin(made)
        return made

    def change(self, id: str, url: str, only: Filter, secret: str | None = None, paused: bool = False) -> Webhook:
        """Where it is in the stream stays; without a secret the present one does. Raises UnknownWebhook."""
        webhook = self.get(id)
        row = webhook.row
        row.url, row.wanted, row.paused, row.changed = url, _text(only), paused, time.time()
        row.secret = secret or row.secret
        webhook.failures, row.last_error = 0, None
        self._begin(webhook)
        return webhook

    def _begin(self, webhook: Webhook) -> None:
        webhook.keep()
        if self._sender is not None:
            webhook.start(self._sender)

    def remove(self, id: str) -> None:
        """Nothing more is posted. Raises UnknownWebhook."""
        webhook = self.get(id)
        del self._webhooks[id]
        webhook.stop()
        webhook.row.removed, webhook.row.changed = True, time.time()
        webhook.keep()
        self._accepted += webhook.accepted
        self._refused += webhook.refused

    async def test(self, id: str) -> Tried:
        """Posts an envelope that says nothing; what waits for its next try is tried if this is accepted.

        Its number is 0, before all others, so that who drops what he has had drops it. Raises UnknownWebhook.
        """
        webhook = self.get(id)
        if self._sender is None:
            return Tried(None, 0.0, "acd ends")
        envelope = {"seq": 0, "at": moment(time.time()), "handler": "", "type": OWN, "event": "TEST", "subject": None}
        tried = await self._sender.post(webhook.row, [json.dumps(envelope)])
        if tried.problem is None:
            webhook.hurry()
        return tried


def _text(only: Filter) -> str:
    return json.dumps({name: None if names is None else sorted(names) for name, names in only._asdict().items()})
