"""Pages of other origins: none, unless the settings list theirs; with a token of their own, never by the cookie."""

import json

import pytest

from acd.web.operations import SAFE
from tests.web.house import PIN, House, open_house

BOARD = "https://board.example"
AGENTS = [{"id": "1001", "user": "alice", "pin": PIN}]
ASK = {"Origin": BOARD, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "authorization"}


@pytest.fixture
async def house(tmp_path):
    async with open_house(tmp_path, agents=AGENTS, web={"cors_origins": [BOARD]}) as house:
        yield house


def of_cors(answer) -> set[str]:
    return {name.lower() for name in answer.headers if name.lower().startswith("access-control-")}


@pytest.mark.parametrize("path", ["agents", "agents/1001/state", "/api/v1/events", "/no/such/thing"])
async def test_a_listed_page_is_told_before_it_asks_what_it_may_send(house: House, path):
    answer = await house.send("OPTIONS", path, token=None, **ASK)
    assert (answer.status, answer.text) == (204, "")
    assert answer.headers["Access-Control-Allow-Origin"] == BOARD
    assert set(answer.headers["Access-Control-Allow-Methods"].split(", ")) >= {"GET", "PUT", "POST", "DELETE"} - SAFE
    allowed = {name.lower() for name in answer.headers["Access-Control-Allow-Headers"].split(", ")}
    assert allowed >= {"authorization", "content-type", "if-match", "if-none-match", "idempotency-key", "last-event-id"}
    assert "Origin" in answer.headers["Vary"]


async def test_a_listed_page_may_read_answers_errors_and_the_stream(house: House):
    answers = [
        await house.send("GET", "agents", Origin=BOARD),
        await house.send("GET", "agents/nobody", Origin=BOARD),
        await house.send("GET", "agents", token=None, Origin=BOARD),
        await house.send("GET", "agents", b"\0", Origin=BOARD, Expect="nonsense"),
    ]
    assert [answer.status for answer in answers] == [200, 404, 401, 417]
    for answer in answers:
        assert answer.headers["Access-Control-Allow-Origin"] == BOARD
        assert answer.headers["Access-Control-Expose-Headers"].startswith("ETag, Retry-After")
        assert "Origin" in answer.headers["Vary"]
    headers = {"Authorization": "Bearer a token for tests", "Origin": BOARD}
    async with house.client.get("/api/v1/events", headers=headers) as events:
        assert events.headers["Access-Control-Allow-Origin"] == BOARD


async def test_no_answer_lets_a_listed_page_use_the_cookie(house: House):
    body = json.dumps({"agent": "1001", "pin": PIN}).encode()
    for answer in (
        await house.send("OPTIONS", "agents", token=None, **ASK),
        await house.send("GET", "agents", Origin=BOARD),
        await house.send("POST", "/api/v1/session", body, token=None, Origin=BOARD),
    ):
        assert "Access-Control-Allow-Credentials" not in answer.headers
    assert answer.status == 403  # and it begins no session
    own = await house.send("POST", "/api/v1/session", body, token=None)
    cookie = own.headers["Set-Cookie"].partition(";")[0]
    answer = await house.send("PUT", "agents/1001/state", b"{}", token=None, Origin=BOARD, Cookie=cookie)
    assert (answer.status, answer.body["code"]) == (403, "foreign-origin")


@pytest.mark.parametrize("origin", ["https://evil.example", "https://board.example.evil.example", "null", "*", "", "x"])
async def test_no_other_page_is_told_anything(house: House, origin):
    for answer in (
        await house.send("OPTIONS", "agents", token=None, **(ASK | {"Origin": origin})),
        await house.send("GET", "agents", Origin=origin),
    ):
        assert of_cors(answer) == set()
        assert "Origin" in answer.headers["Vary"]  # no cache may give it to a page that is listed


async def test_nothing_of_it_is_there_unless_it_is_set(tmp_path):
    async with open_house(tmp_path) as house:
        answers = [
            await house.send("OPTIONS", "agents", token=None, **ASK),
            await house.send("OPTIONS", "agents", **ASK),
            await house.send("GET", "agents", Origin=BOARD),
        ]
        assert [answer.status for answer in answers] == [401, 405, 200]
        for answer in answers:
            assert of_cors(answer) == set()
            assert "Vary" not in answer.headers
