"""A fake acd that speaks the protocol of the stream, and breaks it wherever a test wants."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from acd.client import TAPICallCenter, connect

Json = dict[str, Any]
TOKEN = "a token for tests"
FOREIGN = "Ирина ☎ é"  # letters of one to three bytes
HANDLER = {"name": "main", "linked": True, "agents": 1, "sessions": 0, "queues": 1, "acd_groups": 0, "calls_waiting": 0}

PRINCIPAL = {"name": "token", "role": "admin", "handler": None, "agent": None, "groups": None, "expires": None}


@dataclass
class Behaviour:
    """What one connection to the stream lives through."""

    cut_after: int | None = None  # bytes of the stream, then the connection is over
    gently: bool = False  # the answer is ended as it should be, in place of a reset
    pieces: Sequence[int] = ()  # bytes of each write, over and over; all at once where empty
    status: int = 200  # an answer without a stream
    headers: dict[str, str] = field(default_factory=dict)
    silent: bool = False  # not even a comment
    content_type: str = "text/event-stream"


class Feed:
    """Envelopes, and who asked for them. `plan` is for the connections to come, one each; without one all goes well."""

    def __init__(self) -> None:
        self.envelopes: list[Json] = []
        self.principal = PRINCIPAL
        self.oldest = 1  # what came before is forgotten
        self.plan: deque[Behaviour] = deque()
        self.asked: list[dict[str, str]] = []  # the queries
        self.wrong: dict[int, bytes] = {}  # seq -> what is sent in its place
        self.comment_every = 0.05
        self.transports: set[asyncio.Transport] = set()  # of open streams
        self._news = asyncio.Event()

    @property
    def seq(self) -> int:
        return len(self.envelopes)

    def add(self, type: str = "queue", event: str = "NEW_QUEUE", subject: Json | None = None) -> int:
        """One more; returns its number."""
        seq = self.seq + 1
        subject = {"name": FOREIGN} if subject is None else subject
        at = "2026-11-20T09:15:00.250000Z"
        self.envelopes.append(
            {"seq": seq, "at": at, "handler": "main", "type": type, "event": event, "subject": subject}
        )
        self._news.set()
        self._news = asyncio.Event()
        return seq

    def forget(self) -> None:
        """Nothing that was told can be told again."""
        self.oldest = self.seq + 1

    def cut(self) -> None:
        """Every stream is reset."""
        for transport in self.transports:
            transport.abort()

    def picture(self) -> Json:
        parts: Json = {"agents": [], "sessions": [], "queues": [{"name": FOREIGN}], "acd_groups": [], "calls": []}
        return {"seq": self.seq, "handlers": [HANDLER | parts]}

    def reset(self) -> Json:
        head = {"seq": self.seq, "at": "2026-11-20T09:15:00Z", "handler": ""}
        return head | {"type": "reset", "event": "RESET", "subject": self.picture()}

    # HTTP

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/api/v1/session", self._session)
        app.router.add_get("/api/v1/handlers", self._handlers)
        app.router.add_get("/api/v1/picture", self._picture)
        app.router.add_get("/api/v1/events", self._events)
        return app

    async def _session(self, _request: web.Request) -> web.Response:
        return web.json_response(self.principal)

    async def _handlers(self, _request: web.Request) -> web.Response:
        return web.json_response({"items": [HANDLER], "next": None})

    async def _picture(self, _request: web.Request) -> web.Response:
        return web.json_response(self.picture())

    async def _events(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(dict(request.query))
        how = self.plan.popleft() if self.plan else Behaviour()
        if how.status != 200:
            problem = {"status": how.status, "code": "made-up", "detail": "for a test"}
            return web.json_response(problem, status=how.status, headers=how.headers)
        answer = web.StreamResponse(headers={"Content-Type": how.content_type})
        await answer.prepare(request)
        wire, transport = _Wire(request, answer, how), request.transport
        self.transports.add(transport)
        try:
            after = int(request.query.get("after", self.seq))
            await wire.send(f"retry: 1000\nid: {after}\n\n".encode())
            await self._tell(wire, after, request.query.get("type", ""))
        except _Over:
            pass
        finally:
            self.transports.discard(transport)
        return answer

    async def _tell(self, wire: "_Wire", after: int, types: str) -> None:
        if wire.how.silent:
            await asyncio.sleep(3600)
        while True:
            if after + 1 < self.oldest or after > self.seq:
                await wire.send(frame(self.reset()))
                after = self.seq
            news = self._news
            for envelope in self.envelopes[after:]:
                if not types or envelope["type"] in [*types.split(","), "acd"]:
                    await wire.send(self.wrong.get(envelope["seq"]) or frame(envelope))
                after = envelope["seq"]
            try:
                await asyncio.wait_for(news.wait(), self.comment_every)
            except TimeoutError:
                await wire.send(f": {after}\nid: {after}\n\n".encode())


def frame(envelope: Json) -> bytes:
    """As it is sent."""
    return f"id: {envelope['seq']}\ndata: {json.dumps(envelope, ensure_ascii=False)}\n\n".encode()


class _Over(Exception):
    """The connection is gone."""


class _Wire:
    """A connection that is cut where it is told to be."""

    def __init__(self, request: web.Request, answer: web.StreamResponse, how: Behaviour) -> None:
        self._request, self._answer, self.how = request, answer, how
        self._left = how.cut_after

    async def send(self, data: bytes) -> None:
        if self._left is not None:
            data, over = data[: self._left], len(data) >= self._left
            self._left -= len(data)
        else:
            over = False
        await self._write(data)
        if over:
            if not self.how.gently:
                self._request.transport.close()
            raise _Over

    async def _write(self, data: bytes) -> None:
        turn = 0
        while data:
            size = self.how.pieces[turn % len(self.how.pieces)] if self.how.pieces else len(data)
            piece, data, turn = data[:size], data[size:], turn + 1
            try:
                await self._answer.write(piece)
            except ConnectionError:
                raise _Over from None


@asynccontextmanager
async def open_feed(**principal: object) -> AsyncIterator[tuple[Feed, TAPICallCenter]]:
    """A feed, and a client that is connected to it: an administrator's, unless told otherwise."""
    feed = Feed()
    feed.principal = PRINCIPAL | principal
    async with (
        TestServer(feed.app()) as server,
        connect(str(server.make_url("")), token=TOKEN) as call_center,
    ):
        yield feed, call_center
