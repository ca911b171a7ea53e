"""Whatever is sent to the API: never a 500, every error a problem that tells no secret, and it goes on serving."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from acd.web import server
from acd.web.app import OPERATIONS
from tests.helpers import until
from tests.web.house import PHONE, PIN, TOKEN, House, check_problem, open_house

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRETS = (TOKEN, PIN, "Traceback", 'File "')
A_SESSION = "the-session"
NAMES = [
    A_SESSION,
    "main",
    "1001",
    "support",
    "both",
    "nobody",
    PHONE,
    "",
    ".",
    "..",
    "\0",
    "é" * 50,
    "x" * 200,
    "\udcff",
    "a/b",
    "%2F",
]
FIELDS = ["user", "id", "acd_group", "address", "state", "reason", "end", "extend_seconds", "seconds", "queues", "more"]
STATES = ["READY", "NOT_READY", "SESSION_ENDED", "BUSY_ACD", "UNKNOWN", "mro"]
NUMBERS = [0, -1, 2**31, 10**30, 1e308, float("nan"), float("inf"), 0.1, 60, True]
TEXT = st.sampled_from([*NAMES, *STATES]) | st.text(st.characters(), max_size=8)
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(NUMBERS) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.dictionaries(st.sampled_from(FIELDS) | TEXT, VALUE, max_size=4)
LIKELY = st.fixed_dictionaries(
    {},
    optional={
        "state": st.sampled_from(STATES),
        "reason": TEXT,
        "seconds": st.sampled_from(NUMBERS),
        "extend_seconds": st.sampled_from(NUMBERS),
        "end": st.booleans(),
        "queues": st.lists(st.sampled_from(["support", "sales", "nowhere"]), max_size=3),
        "user": TEXT,
    },
)
ODD = [
    b"",
    b"null",
    b"[" * 30_000,
    b'{"a":' * 9000,
    b'{"seconds": 1' + b"0" * 9000 + b"}",
    b"x" * 70_000,
    b'{"a": "\xff"}',
]
TWICE = [
    b'{"state": "READY", "state": 5}',
    b'{"seconds": 60, "seconds": "x"}',
    b'{"state": "\\ud800"}',
    b"\xef\xbb\xbf{}",
]
BODIES = (VALUE | OBJECTS | LIKELY).map(lambda body: json.dumps(body).encode()) | st.sampled_from([*ODD, *TWICE])
TYPES = st.sampled_from(
    ["application/json", "text/plain", "application/xml; charset=utf-16", "x", "multipart/form-data", ""]
)
METHODS = st.sampled_from(["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "FOO"])
QUERIES = st.dictionaries(st.sampled_from(["from", "to", "queue", "agent", "cursor", "limit", "x"]), TEXT, max_size=3)


@st.composite
def places(draw: st.DrawFn) -> tuple[str, str]:
    """A method and a path: of a route with odd names in it, or any."""
    operation = draw(st.sampled_from(OPERATIONS))
    method, path = operation.method, operation.path
    for name in ("agent", "session", "queue", "group"):
        path = path.replace(f"{{{name}}}", _escaped(draw(st.sampled_from(NAMES))))
    path = path.replace("{handler}", "main" if draw(st.integers(0, 9)) else _escaped(draw(TEXT)))
    if not draw(st.integers(0, 9)):
        method, path = draw(METHODS), "/" + _escaped(draw(TEXT))
    return method, path


def _escaped(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    agents = [{"id": "1001", "user": "alice", "pin": PIN}]
    folder = tmp_path_factory.mktemp("house")
    async with open_house(folder, agents=agents, confirm_within=0.3) as house:
        await house.log_on()
        yield house


async def raw(house: House, data: bytes) -> tuple[int, dict[str, str], bytes]:
    """The answer to these very bytes: status, headers, body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", house.client.server.port)
    try:
        writer.write(data)
        head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)).decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
        body = await asyncio.wait_for(reader.readexactly(int(headers.get("content-length", 0))), 5)
        return int(head[0].split()[1]), headers, body
    finally:
        writer.close()


def check(status: int, headers: Any, text: str) -> None:
    assert status < 500 or status in (502, 503, 504)
    assert not any(secret in text for secret in SECRETS)
    if status >= 400:
        assert headers["content-type"].split(";")[0] == "application/problem+json"


@given(place=places(), query=QUERIES, body=BODIES, kind=TYPES)
async def test_any_request_is_served_or_refused_as_a_problem(
    house: House, place: tuple[str, str], query: dict[str, str], body: bytes, kind: str
):
    method, path = place[0], place[1].replace(A_SESSION, next(iter(house.center.state.sessions)))
    words = urlencode({name: value.encode("utf-8", "surrogatepass") for name, value in query.items()})
    head = f"{method} {path}?{words} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n"
    head += f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    status, headers, answer = await raw(house, head.encode() + body)
    check(status, headers, answer.decode())


NO_HTTP = {
    "a byte beyond ASCII in the path": b"GET /\xff HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %b\r\n\r\n",
    "a NUL behind the token": b"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %b\0\r\n\r\n",
    "a blank in a header's name": b"GET / HTTP/1.1\r\nHost: x\r\nAuth orization: Bearer %b\r\n\r\n",
    "a long path": b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %b\r\n\r\n",
    "a long header": b"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %b" + b"x" * 9000 + b"\r\n\r\n",
    "many headers": b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 300 + b"Authorization: Bearer %b\r\n\r\n",
    "half an address": b"GET http://[::1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %b\r\n\r\n",
    "another version": b"GET / HTTP/9.9\r\nHost: x\r\nAuthorization: Bearer %b\r\n\r\n",
    "a method beyond ASCII": b"G\xc3\xa4T / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %b\r\n\r\n",
    "a length below zero": b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\nAuthorization: Bearer %b\r\n\r\n",
    "two lengths": b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a chunk without a size": b"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
    "an encoding nobody knows": b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\nx",
    "no host": b"GET / HTTP/1.1\r\nAuthorization: Bearer %b\r\n\r\n",
    "TLS": b"\x16\x03\x01\x00\x05hello\r\n\r\n",
    "what AMI says": b"Asterisk Call Manager/9.0.0\r\nResponse: Success\r\n\r\n",
}


@pytest.mark.parametrize("what", NO_HTTP)
async def test_what_is_no_http_is_a_problem_that_does_not_repeat_it(house: House, what: str):
    status, headers, body = await raw(house, NO_HTTP[what].replace(b"%b", TOKEN.encode()))
    check(status, headers, body.decode())
    assert status == 400
    assert json.loads(body)["code"] == "bad-request"


async def test_an_expectation_that_nobody_knows_is_a_problem(house: House):
    answer = await house.send("PUT", "agents/1001/state", b"{}", Expect="the-unexpected")
    assert answer.status == 417
    check_problem(answer)


async def test_a_body_that_does_not_come_is_not_waited_for_without_end(house: House, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("acd.web.requests.BODY_WITHIN", 0.1)
    head = "PUT /api/v1/handlers/main/agents/1001/state HTTP/1.1\r\nHost: x\r\n"
    status, headers, body = await raw(
        house, f"{head}Authorization: Bearer {TOKEN}\r\nContent-Length: 10\r\n\r\n{{".encode()
    )
    check(status, headers, body.decode())
    assert status == 408


async def test_more_connections_than_may_be_are_closed_and_the_others_are_served(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.WARNING)
    await house.get("agents")  # this connection stays open
    here = len(house.client.server.runner.server.connections)
    monkeypatch.setattr(house.client.server.runner.server, "most_connections", here + 3)
    port = house.client.server.port
    opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(10)]
    await until(lambda: sum(reader.at_eof() or reader.exception() is not None for reader, _ in opened) == 7)
    await house.get("agents")
    assert f"more than {here + 3} connections" in caplog.text
    for _, writer in opened:
        writer.close()
    await until(lambda: len(house.client.server.runner.server.connections) <= here)
    assert (await raw(house, b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))[0] == 200


async def test_who_connects_and_says_nothing_is_closed_after_a_while(tmp_path: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(server, "SILENT_FOR", 0.2)
    async with open_house(tmp_path) as house:
        reader, writer = await asyncio.open_connection("127.0.0.1", house.client.server.port)
        writer.write(b"GET /healthz HTTP/1.1\r\nX-Slow: ")
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
