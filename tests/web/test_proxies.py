"""Behind a proxy: who asks and by what, as a trusted one says; through a real one of our own."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from acd.web import app
from acd.web.people import COOKIE
from tests.web.house import PIN, TOKEN, House, open_house

AGENTS = [{"id": "1001", "user": "alice", "pin": PIN}]
SESSION = "/api/v1/session"
LOG_IN = json.dumps({"agent": "1001", "pin": PIN}).encode()


async def source(house: House, **headers: str) -> str:
    """From where a command with these headers came, as the log of commands shows it."""
    await house.send("PUT", "agents/1001/state", b'{"state": "NOT_READY"}', **headers)
    return (await house.get("/api/v1/audit-log?limit=1"))["items"][0]["source"]


CHAINS = [
    ("127.0.0.1", "192.0.2.7", "192.0.2.7"),
    ("127.0.0.0/8", "192.0.2.7", "192.0.2.7"),
    ("10.0.0.1", "192.0.2.7", "127.0.0.1"),  # the proxy is another
    ("127.0.0.1", "203.0.113.9, 192.0.2.7", "192.0.2.7"),  # what the client said of itself
    ("127.0.0.1, 10.0.0.0/8", "203.0.113.9, 192.0.2.7, 10.0.0.1, 10.0.0.2", "192.0.2.7"),
    ("127.0.0.1, 10.0.0.0/8", "10.0.0.3", "10.0.0.3"),
    ("127.0.0.1", "", "127.0.0.1"),
    ("127.0.0.1", "unknown", "127.0.0.1"),
    ("127.0.0.1", "192.0.2.7, <script>", "127.0.0.1"),
    ("127.0.0.1", "2001:db8::7", "2001:db8::7"),
    ("127.0.0.1", "::ffff:192.0.2.7", "192.0.2.7"),
    ("", "192.0.2.7", "127.0.0.1"),
]


@pytest.mark.parametrize(("trusted", "said", "believed"), CHAINS)
async def test_the_nearest_address_that_is_no_trusted_proxy_is_who_asks(tmp_path, trusted, said, believed):
    async with open_house(tmp_path, agents=AGENTS, web={"trusted_proxies": trusted}) as house:
        assert await source(house, **{"X-Forwarded-For": said}) == believed


async def test_one_client_behind_a_proxy_does_not_close_the_door_for_the_others(tmp_path):
    async with open_house(tmp_path, agents=AGENTS, web={"trusted_proxies": ["127.0.0.1"]}) as house:
        wrong = json.dumps({"user": "nobody", "password": "x"}).encode()
        for number in range(app.MOST_LOG_INS):
            wrong = json.dumps({"user": f"nobody {number}", "password": "x"}).encode()
            await house.send("POST", SESSION, wrong, token=None, **{"X-Forwarded-For": f"10.0.0.{number}, 192.0.2.7"})
        for client, status in (("192.0.2.7", 429), ("10.0.0.1, 192.0.2.7", 429), ("192.0.2.8", 201)):
            answer = await house.send("POST", SESSION, LOG_IN, token=None, **{"X-Forwarded-For": client})
            assert answer.status == status


@pytest.mark.parametrize(
    ("trusted", "proto", "secure"),
    [
        ("127.0.0.1", "https", True),
        ("127.0.0.1", "HTTPS", True),
        ("127.0.0.1", "http, https", True),  # the nearest proxy's word
        ("127.0.0.1", "https, http", False),
        ("127.0.0.1", "gopher", False),
        ("127.0.0.1", "", False),
        ("10.0.0.1", "https", False),
        ("", "https", False),
    ],
)
async def test_where_the_browser_speaks_tls_to_the_proxy_cookies_are_secure(tmp_path, trusted, proto, secure):
    async with open_house(tmp_path, agents=AGENTS, web={"trusted_proxies": trusted}) as house:
        answer = await house.send("POST", SESSION, LOG_IN, token=None, **{"X-Forwarded-Proto": proto})
        assert answer.status == 201
        assert ("; Secure" in answer.headers["Set-Cookie"]) is secure
        assert ("Strict-Transport-Security" in answer.headers) is secure


# A proxy, as nginx is one


@asynccontextmanager
async def proxy(house: House, *, scheme: str = "https") -> AsyncIterator[TestClient[Any, Any]]:
    """Forwards everything to the house with the headers of docs/security.md's nginx, as if it spoke TLS to browsers."""
    inner = str(house.client.make_url("")).rstrip("/")
    hop_by_hop = {"connection", "upgrade", "transfer-encoding", "content-length", "content-encoding", "server", "date"}

    async def forward(request: web.Request) -> web.StreamResponse:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in hop_by_hop}
        before = [value for value in [request.headers.get("X-Forwarded-For")] if value]
        headers["X-Forwarded-For"] = ", ".join([*before, request.remote or ""])
        headers["X-Forwarded-Proto"] = scheme
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await upgrade(request, headers)
        data = await request.read()
        async with session.request(
            request.method, inner + request.raw_path, headers=headers, data=data, allow_redirects=False
        ) as answer:
            response = web.StreamResponse(status=answer.status)
            for name, value in answer.headers.items():
                if name.lower() not in hop_by_hop:
                    response.headers.add(name, value)
            await response.prepare(request)
            async for piece in answer.content.iter_any():
                await response.write(piece)
        return response

    async def upgrade(request: web.Request, headers: dict[str, str]) -> web.StreamResponse:
        outside = web.WebSocketResponse()
        own = {name: value for name, value in headers.items() if not name.lower().startswith("sec-websocket")}
        async with session.ws_connect(inner + request.raw_path, headers=own) as inside:
            await outside.prepare(request)
            async for message in inside:
                await outside.send_str(message.data)
        return outside

    front = web.Application()
    front.router.add_route("*", "/{tail:.*}", forward)
    async with (
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False) as session,
        TestClient(TestServer(front), cookie_jar=aiohttp.DummyCookieJar()) as client,
    ):
        yield client


@asynccontextmanager
async def behind(tmp_path: Any, **web: Any) -> AsyncIterator[tuple[House, TestClient[Any, Any], dict[str, str]]]:
    """A house behind a proxy, and what a page of ours sends there after its log-in."""
    settings = {"trusted_proxies": ["127.0.0.1"]} | web
    async with open_house(tmp_path, agents=AGENTS, web=settings) as house, proxy(house) as client:
        origin = {"Origin": str(client.make_url("")).rstrip("/").replace("http://", "https://")}
        async with client.post(SESSION, data=LOG_IN, headers=origin) as answer:
            assert answer.status == 201, await answer.text()
            assert "; Secure" in answer.headers["Set-Cookie"]
            cookie = answer.headers["Set-Cookie"].partition(";")[0]
        assert cookie.startswith(f"{COOKIE}=")
        yield house, client, origin | {"Cookie": cookie}


async def test_a_page_behind_a_proxy_commands_and_its_origin_is_that_of_the_forwarded_host(tmp_path):
    async with behind(tmp_path) as (house, client, page):
        path = "/api/v1/handlers/main/agents/1001/state"
        async with client.put(path, data=b'{"state": "READY"}', headers=page) as answer:
            assert answer.status == 200, await answer.text()
            assert answer.headers["Strict-Transport-Security"]
        for origin in (page["Origin"].replace("https", "http"), "https://evil.example"):
            async with client.put(path, data=b'{"state": "READY"}', headers=page | {"Origin": origin}) as answer:
                assert answer.status == 403
        assert [row["source"] for row in (await house.get("/api/v1/audit-log"))["items"]] == ["127.0.0.1"] * 4


async def test_the_stream_comes_through_a_proxy_as_it_happens(tmp_path):
    async with behind(tmp_path) as (house, client, page), client.get("/api/v1/events", headers=page) as events:
        assert (events.status, events.headers["X-Accel-Buffering"]) == (200, "no")
        assert await events.content.readuntil(b"\n\n")
        async with client.ws_connect("/api/v1/ws", headers=page) as socket:
            await house.call("PUT", "agents/1001/state", {"state": "READY"})
            by_socket = json.loads((await socket.receive(5)).data)
            async with asyncio.timeout(5):
                frame = (await events.content.readuntil(b"\n\n")).decode()
    assert json.loads(frame.partition("data: ")[2]) == by_socket
    assert by_socket["subject"]["id"] == "1001"


async def test_a_page_of_another_site_gets_no_socket_through_a_proxy(tmp_path):
    async with behind(tmp_path) as (_, client, page):
        with pytest.raises(aiohttp.WSServerHandshakeError):
            async with client.ws_connect("/api/v1/ws", headers=page | {"Origin": "https://evil.example"}):
                pass


async def test_a_program_needs_nothing_of_this(tmp_path):
    token = {"Authorization": f"Bearer {TOKEN}"}
    async with behind(tmp_path) as (_, client, _page), client.get("/api/v1/handlers", headers=token) as answer:
        assert answer.status == 200
