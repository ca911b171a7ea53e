"""Requests: what is tried again and what is not, and what an error tells."""

import asyncio
import shutil
import ssl
import subprocess
from collections import deque
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from acd import client
from acd.access import refusals as access
from acd.client import ApiError, NoAnswer, Unreachable, connect, refusals
from tests.client.feed import PRINCIPAL

TOKEN = "a token for tests"
GOOD = {"items": [], "next": None}
NO = {"status": 403, "title": "Forbidden", "detail": "The PIN is wrong.", "code": "wrong-pin"}
CODES = {"hresult": "0x8004004A", "lineerr": "0x80000059"}


class Counter:
    """A fake acd that answers what it was told to, in turn: a body, a whole answer, or the end of the connection."""

    def __init__(self) -> None:
        self.answers: deque[object] = deque()
        self.asked: list[tuple[str, str, dict[str, str]]] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/api/v1/session" and request.method == "GET":
            return web.json_response(PRINCIPAL)
        self.asked.append((request.method, request.raw_path, dict(request.headers)))
        match self.answers.popleft():
            case "cut":
                request.transport.abort()
                return web.Response()
            case "cut within":
                answer = web.StreamResponse(headers={"Content-Length": "1000"})
                await answer.prepare(request)
                await answer.write(b"{")
                request.transport.close()
                return answer
            case "nothing":
                await asyncio.sleep(3600)
            case web.Response() as answer:
                return answer
            case body:
                return web.json_response(body)

    @property
    def methods(self) -> list[str]:
        return [method for method, _, _ in self.asked]


@asynccontextmanager
async def acd_that_answers(*answers: object, **settings: object):
    counter = Counter()
    counter.answers += answers
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", counter.answer)
    async with TestServer(app) as server, connect(str(server.make_url("/")), token=TOKEN, **settings) as call_center:
        yield counter, call_center


def refusal(status: int, **more: str) -> web.Response:
    return web.json_response(NO, status=status, headers=more)


@pytest.mark.parametrize("cut", ["cut", "cut within"])
@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
async def test_a_reset_connection_is_asked_once_more_with_the_mark_by_which_acd_does_a_command_once(cut, method):
    async with acd_that_answers(cut, GOOD) as (acd, call_center):
        assert await call_center.request(method, "thing", body=None if method == "GET" else {}) == GOOD
        assert acd.methods == [method, method]
        marks = {headers.get("Idempotency-Key") for _, _, headers in acd.asked}
        assert len(marks) == 1 and (marks == {None}) == (method == "GET")


async def test_two_commands_have_two_marks():
    async with acd_that_answers(GOOD, GOOD) as (acd, call_center):
        await call_center.request("PUT", "thing", body={})
        await call_center.request("PUT", "thing", body={})
        assert len({headers["Idempotency-Key"] for _, _, headers in acd.asked}) == 2


async def test_a_connection_that_is_reset_twice_is_raised():
    async with acd_that_answers("cut", "cut", "cut", "cut") as (acd, call_center):
        with pytest.raises(Unreachable):
            await call_center.agent_handlers()
        assert 2 <= len(acd.asked) <= 4  # aiohttp itself repeats on a connection that had been used before


async def test_an_answer_that_does_not_come_in_time_is_raised():
    async with acd_that_answers("nothing", timeout=0.2) as (acd, call_center):
        with pytest.raises(NoAnswer) as late:
            await call_center.agent_handlers()
        assert (late.value.hresult, acd.methods) == (refusals.TAPI_E_TIMEOUT, ["GET"])


async def test_where_nobody_listens_it_is_unreachable():
    async with TestServer(web.Application()) as server:
        url = str(server.make_url("/"))
    with pytest.raises(Unreachable) as nobody:
        async with connect(url, token=TOKEN):
            pass
    assert nobody.value.hresult == refusals.TAPI_E_SERVICE_NOT_RUNNING


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("method", ["GET", "PUT"])
async def test_the_wish_to_be_asked_later_is_respected(status, method):
    later = [refusal(status, **{"Retry-After": "1"}), refusal(status, **{"Retry-After": "0"})]
    async with acd_that_answers(*later, GOOD) as (acd, call_center):
        began = asyncio.get_running_loop().time()
        assert await call_center.request(method, "thing") == GOOD
        assert asyncio.get_running_loop().time() - began >= 1
        assert len(acd.asked) == 3


async def test_a_wish_beyond_our_patience_is_raised_with_its_seconds():
    async with acd_that_answers(refusal(429, **{"Retry-After": "31"})) as (acd, call_center):
        with pytest.raises(ApiError) as refused:
            await call_center.agent_handlers()
        assert (refused.value.status, refused.value.retry_after, len(acd.asked)) == (429, 31.0, 1)


async def test_a_wish_may_be_a_date():
    async with acd_that_answers(refusal(503, **{"Retry-After": "Sat, 21 Nov 2015 10:00:00 GMT"}), GOOD) as (
        acd,
        call_center,
    ):
        assert await call_center.agent_handlers() == []
        assert len(acd.asked) == 2


@pytest.mark.parametrize("status", [400, 404, 409, 500, 502, 503, 504])
async def test_a_refusal_without_such_a_wish_is_not_asked_again(status):
    async with acd_that_answers(refusal(status)) as (acd, call_center):
        with pytest.raises(ApiError) as refused:
            await call_center.agent_handlers()
        assert (refused.value.status, len(acd.asked)) == (status, 1)


async def test_an_error_tells_all_that_the_api_told_and_is_of_the_class_of_its_code():
    fields = [{"loc": ["body", "seconds"], "msg": "must be above zero", "type": "value"}]
    told = [
        web.json_response(NO | CODES, status=403),
        web.json_response(NO | {"code": "period-invalid", "errors": fields}, status=422),
        web.json_response(NO | {"code": "too-many-attempts"}, status=429),
        web.json_response(NO | {"code": "of-a-newer-acd"}, status=418),
    ]
    async with acd_that_answers(*told) as (_acd, call_center):
        with pytest.raises(refusals.WrongPin) as refused:
            await call_center.agent_handlers()
        error = refused.value
        assert isinstance(error, ApiError) and isinstance(error, client.Refusal)
        assert (error.status, error.code, error.detail, str(error)) == (403, "wrong-pin", NO["detail"], NO["detail"])
        assert (error.hresult, error.lineerr, error.errors) == (0x8004004A, 0x80000059, ())
        with pytest.raises(refusals.PeriodInvalid) as refused:
            await call_center.agent_handlers()
        assert refused.value.errors == fields
        with pytest.raises(access.TooManyAttempts):
            await call_center.agent_handlers()
        with pytest.raises(ApiError) as refused:
            await call_center.agent_handlers()
        assert (refused.value.code, refused.value.status) == ("of-a-newer-acd", 418)


@pytest.mark.parametrize(
    "answer",
    [
        web.Response(status=200, text="<html>"),
        web.Response(status=200, body=b"\xff", content_type="application/json"),
    ],
)
async def test_what_answers_something_else_is_not_acd(answer):
    async with acd_that_answers(answer) as (_acd, call_center):
        with pytest.raises(Unreachable):
            await call_center.agent_handlers()


async def test_a_proxy_that_refuses_in_html_is_an_error_with_its_status():
    async with acd_that_answers(web.Response(status=502, text="<html>")) as (_acd, call_center):
        with pytest.raises(ApiError) as refused:
            await call_center.agent_handlers()
        assert (refused.value.status, refused.value.code) == (502, "http-502")


async def test_the_token_goes_to_acd_alone():
    async with acd_that_answers(web.Response(status=302, headers={"Location": "http://127.0.0.1:1/"})) as (
        acd,
        call_center,
    ):
        with pytest.raises(ApiError) as refused:
            await call_center.agent_handlers()
        assert refused.value.status == 302
        assert acd.asked[0][2]["Authorization"] == f"Bearer {TOKEN}"


async def test_names_with_any_letters_stay_one_part_of_the_path():
    async with acd_that_answers(GOOD) as (acd, call_center):
        await call_center.request("GET", "handlers", "main", "agents", "a/b?c#d %é+", query=[("q", "a&b +é")])
        assert acd.asked[0][1].startswith("/api/v1/handlers/main/agents/a%2Fb%3Fc%23d%20%25%C3%A9%2B?q=a%26b")


@pytest.mark.parametrize("wrong", [("ftp://x", "t"), ("127.0.0.1:8080", "t"), ("http://x", "a\nb"), ("http://x", "é")])
async def test_what_is_no_address_or_no_token_is_not_tried(wrong):
    with pytest.raises(ValueError, match=r"address of acd|token"):
        async with connect(wrong[0], token=wrong[1]):
            pass


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
async def test_a_certificate_is_checked_and_may_be_ones_own(tmp_path):
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-keyout",
            "key.pem",
            "-out",
            "acd.pem",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
        ],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "acd.pem", tmp_path / "key.pem")
    counter, app = Counter(), web.Application()
    app.router.add_route("*", "/{path:.*}", counter.answer)
    counter.answers.append(GOOD)
    server = TestServer(app, scheme="https", host="localhost")
    await server.start_server(ssl=context)
    try:
        with pytest.raises(Unreachable):
            async with connect(str(server.make_url("/")), token=TOKEN):
                pass
        trusted = ssl.create_default_context(cafile=tmp_path / "acd.pem")
        async with connect(str(server.make_url("/")), token=TOKEN, ssl=trusted) as call_center:
            assert await call_center.agent_handlers() == []
    finally:
        await server.close()
