"""What does not fit is named, and nothing of it reaches Asterisk. One house for all of these, as nothing may change."""

import base64
import gzip
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.web.house import PHONE, PIN, TOKEN, H, House, check_problem, open_house

pytestmark = pytest.mark.asyncio(loop_scope="module")

FORBIDDEN = ["\r", "\n", "\0", ",", "|", ";"]
TOO_LONG = ["x" * 80, "é" * 40, "☕" * 27]
NOT_TEXT = ["\ud800", "a\udfffb"]
NOT_NAMES = ["", " ", " a", "a ", "a\tb", "\x1b[2J", "a\x7f", "a\u2028b"]
NAMES = [f"a{each}b" for each in FORBIDDEN] + TOO_LONG + NOT_TEXT + NOT_NAMES
REASONS = [f"a{each}b" for each in FORBIDDEN] + TOO_LONG + NOT_TEXT
NOT_ADDRESSES = ["1001", "PJSIP/", "/1001", "PJSIP 1001", "PJSIP/10 01", "PJSIP//x"]
HUGE = 10**30


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    agents = [{"id": "2002", "user": "bob", "pin": PIN}]
    async with open_house(tmp_path_factory.mktemp("house"), agents=agents) as house:
        yield house


@pytest_asyncio.fixture(loop_scope="module")
async def house(shared: House) -> AsyncIterator[House]:
    """The shared house with a ready agent; afterwards nothing was sent, and nothing is changed."""
    if "1001" not in shared.center.state.agents:
        await shared.ready()
    sent, agents = shared.switch.orders(), await shared.get("agents")
    yield shared
    assert shared.switch.orders() == sent
    after = await shared.get("agents")
    unchanging = ("agent", "user", "state", "state_since", "reason", "measurement_period", "wrap_up", "sessions")
    for name in unchanging:
        assert [each[name] for each in after["items"]] == [each[name] for each in agents["items"]]


async def session_of(house: House) -> str:
    key: str = house.center.state.agents["1001"].sessions[0]
    return key


def shown(text: str) -> str:
    return ascii(text)[:24]


async def check_422(house: House, method: str, path: str, body: object, *fields: str) -> None:
    """Refused with 422 that names these fields; the value is not sent back."""
    answer = await house.call(method, path, body)
    assert answer.status == 422, answer.text
    check_problem(answer)
    assert answer.body["code"] in ("invalid", "period-invalid")
    assert (answer.body["hresult"], answer.body["lineerr"]) == ("0x80070057", "0x80000032")
    assert all({"loc", "msg", "type"} == error.keys() for error in answer.body["errors"])
    for field in fields:
        assert any(named == field or named.startswith(f"{field}.") for named in answer.fields), answer.text


# Texts


@pytest.mark.parametrize("text", NAMES, ids=shown)
async def test_a_name_that_asterisk_cannot_keep_is_refused_wherever_it_stands(house: House, text):
    await check_422(house, "POST", "agents", {"user": text}, "body.user")
    await check_422(house, "POST", "agents", {"id": text, "pin": PIN}, "body.id")
    await check_422(house, "POST", "agents/1001/sessions", {"acd_group": text, "address": PHONE}, "body.acd_group")
    await check_422(house, "PUT", "acd-groups/new", {"queues": ["support", text]}, "body.queues")


@pytest.mark.parametrize("text", [*NAMES, *NOT_ADDRESSES], ids=shown)
async def test_an_address_that_is_no_device_is_refused(house: House, text):
    address = text if text in NOT_ADDRESSES else f"PJSIP/{text}" if text.strip() == text and text else text
    await check_422(house, "POST", "agents/1001/sessions", {"acd_group": "both", "address": address}, "body.address")


@pytest.mark.parametrize("text", REASONS, ids=shown)
async def test_a_reason_that_asterisk_cannot_keep_is_refused(house: House, text):
    body = {"state": "NOT_READY", "reason": text}
    await check_422(house, "PUT", "agents/1001/state", body, "body.reason")
    await check_422(house, "PUT", f"sessions/{await session_of(house)}/state", body, "body.reason")


@pytest.mark.parametrize("text", ["wrapup", "logged off"])
async def test_acds_own_reasons_cannot_be_given(house: House, text):
    await check_422(house, "PUT", "agents/1001/state", {"state": "NOT_READY", "reason": text}, "body.reason")


@pytest.mark.parametrize("text", ["a%2Cb", "a%3Bb", "a%7Cb", "a%0D%0Ab", "a%00b", "%20", "x" * 80, "%C3%A9" * 40])
async def test_a_group_name_in_the_path_is_held_to_the_same(house: House, text):
    await check_422(house, "PUT", f"acd-groups/{text}", {"queues": ["support"]}, "path.name")


@pytest.mark.parametrize("text", ["%ED%A0%80", "%FF", "%00", "a%0D%0AX: y", "%2E%2E%2F", "x" * 3000])
@pytest.mark.parametrize("path", ["agents/{}", "sessions/{}", "queues/{}", "acd-groups/{}", "queues/{}/calls"])
async def test_whatever_stands_in_a_path_is_simply_not_found(house: House, path, text):
    answer = await house.refused("GET", path.format(text))
    assert answer.status == 404


async def test_seventy_nine_bytes_are_not_too_long(house: House):
    answer = await house.call("GET", f"agents/{'x' * 79}")
    assert answer.status == 404
    body = {"state": "BUSY_ACD", "reason": "é" * 39 + "x"}  # refused for its state, hence not for its reason
    assert (await house.call("PUT", "agents/1001/state", body)).status == 409


# Types, keys, numbers

AGENT_STATE, SESSION_STATE, WRAP_UP = "agents/1001/state", "sessions/{}/state", "sessions/{}/wrap-up"
PERIOD, QUEUE_PERIOD = "agents/1001/measurement-period", "queues/support/measurement-period"
WRAP_UP_TIME, QUEUE_WRAP_UP_TIME = "agents/1001/wrap-up-time", "queues/support/wrap-up-time"
BAD_BODIES = [
    ("POST", "agents", {}, "body"),
    ("POST", "agents", {"id": "1"}, "body"),
    ("POST", "agents", {"pin": PIN}, "body"),
    ("POST", "agents", {"user": "a", "pin": PIN}, "body"),
    ("POST", "agents", {"user": 1}, "body.user"),
    ("POST", "agents", {"user": ["a"]}, "body.user"),
    ("POST", "agents", {"user": True}, "body.user"),
    ("POST", "agents", {"id": 1001, "pin": PIN}, "body.id"),
    ("POST", "agents", {"id": "1", "pin": 4711}, "body.pin"),
    ("POST", "agents", {"id": "1", "pin": ""}, "body.pin"),
    ("POST", "agents", {"id": "1", "pin": "4" * 129}, "body.pin"),
    ("POST", "agents", {"id": "1", "pin": "\ud800"}, "body.pin"),
    ("POST", "agents", {"user": "a", "role": "boss"}, "body.role"),
    ("POST", "agents", {"user": "a", "\ud800": 1}, "body"),
    ("POST", "agents/1001/sessions", {"acd_group": "support"}, "body.address"),
    ("POST", "agents/1001/sessions", {"address": PHONE}, "body.acd_group"),
    ("POST", "agents/1001/sessions", {"acd_group": None, "address": None}, "body.address"),
    ("POST", "agents/1001/sessions", {"acd_group": "support", "address": PHONE, "pin": 4711}, "body.pin"),
    ("PUT", AGENT_STATE, {}, "body.state"),
    ("PUT", AGENT_STATE, {"state": "LUNCH"}, "body.state"),
    ("PUT", AGENT_STATE, {"state": "ready"}, "body.state"),
    ("PUT", AGENT_STATE, {"state": "SESSION_ENDED"}, "body.state"),
    ("PUT", AGENT_STATE, {"state": "\ud800"}, "body.state"),
    ("PUT", AGENT_STATE, {"state": "mro"}, "body.state"),
    ("PUT", AGENT_STATE, {"state": 1}, "body.state"),
    ("PUT", AGENT_STATE, {"state": None}, "body.state"),
    ("PUT", AGENT_STATE, {"state": "READY", "reason": 5}, "body.reason"),
    ("PUT", AGENT_STATE, {"state": "READY", "why": "x"}, "body.why"),
    ("PUT", SESSION_STATE, {"state": "BUSY_ACD"}, "body.state"),
    ("PUT", SESSION_STATE, {"state": True}, "body.state"),
    ("PUT", SESSION_STATE, {"reason": "x"}, "body.state"),
    ("PUT", WRAP_UP, {}, "body"),
    ("PUT", WRAP_UP, {"end": True, "extend_seconds": 5}, "body"),
    ("PUT", WRAP_UP, {"end": False}, "body.end"),
    ("PUT", WRAP_UP, {"end": 1}, "body.end"),
    ("PUT", WRAP_UP, {"end": "true"}, "body.end"),
    ("PUT", WRAP_UP, {"extend_seconds": "5"}, "body.extend_seconds"),
    ("PUT", WRAP_UP, {"extend_seconds": True}, "body.extend_seconds"),
    ("PUT", WRAP_UP, {"extend_seconds": 0}, "body.extend_seconds"),
    ("PUT", WRAP_UP, {"extend_seconds": -1}, "body.extend_seconds"),
    ("PUT", WRAP_UP, {"extend_seconds": HUGE}, "body.extend_seconds"),
    ("PUT", WRAP_UP, {"extend_seconds": float("nan")}, "body.extend_seconds"),
    ("PUT", WRAP_UP, {"extend_seconds": float("inf")}, "body.extend_seconds"),
    ("PUT", "acd-groups/new", {}, "body.queues"),
    ("PUT", "acd-groups/new", {"queues": []}, "body.queues"),
    ("PUT", "acd-groups/new", {"queues": "support"}, "body.queues"),
    ("PUT", "acd-groups/new", {"queues": {"support": 1}}, "body.queues"),
    ("PUT", "acd-groups/new", {"queues": [None]}, "body.queues.0"),
    ("PUT", "acd-groups/new", {"queues": ["support"] * 1001}, "body.queues"),
]
NOT_SECONDS = [0, -1, HUGE, 2**31, 1.5, True, "60", None, [60], float("nan"), float("inf"), -float("inf")]
NOT_WRAP_UP_TIMES = [-1, -0.001, HUGE, 86401, True, "10", [1], float("nan"), float("inf")]
BAD_BODIES += [
    ("PUT", path, {"seconds": bad}, "body.seconds") for path in (PERIOD, QUEUE_PERIOD) for bad in NOT_SECONDS
]
BAD_BODIES += [
    ("PUT", path, {"seconds": bad}, "body.seconds")
    for path in (WRAP_UP_TIME, QUEUE_WRAP_UP_TIME)
    for bad in NOT_WRAP_UP_TIMES
]
BAD_BODIES += [("PUT", path, {}, "body.seconds") for path in (PERIOD, WRAP_UP_TIME, QUEUE_WRAP_UP_TIME)]
BAD_BODIES += [("PUT", PERIOD, {"seconds": 60, "minutes": 1}, "body.minutes")]


@pytest.mark.parametrize(("method", "path", "body", "field"), BAD_BODIES, ids=lambda part: ascii(part)[:40])
async def test_a_body_that_does_not_fit_is_refused_naming_the_field(house: House, method, path, body, field):
    await check_422(house, method, path.format(await session_of(house)), body, field)


EVERY_BODY = [
    ("POST", "agents"),
    ("POST", "agents/1001/sessions"),
    ("PUT", AGENT_STATE),
    ("PUT", SESSION_STATE),
    ("PUT", WRAP_UP),
    ("PUT", PERIOD),
    ("PUT", QUEUE_PERIOD),
    ("PUT", WRAP_UP_TIME),
    ("PUT", "acd-groups/new"),
]
NOT_BODIES = {
    "nothing": b"",
    "not JSON": b"state=READY",
    "half of it": b'{"state": "READY"',
    "two of them": b'{"state": "READY"} {}',
    "not UTF-8": b'{"state": "\xff\xfe"}',
    "UTF-16": json.dumps({"state": "READY"}).encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"state": "READY"}',
    "a list": b"[]",
    "a text": b'"READY"',
    "null": b"null",
    "a number": b"1",
    "NaN": b"NaN",
    "deep lists": b"[" * 60_000,
    "deep objects": b'{"a":' * 12_000,
    "deep and closed": b'{"state":' + b"[" * 20_000 + b"]" * 20_000 + b"}",
    "a number of 60,000 digits": b'{"seconds": ' + b"1" * 60_000 + b"}",
    "an exponent": b'{"seconds": 1e999999999}',
}


@pytest.mark.parametrize("what", NOT_BODIES)
async def test_what_is_no_json_object_is_refused(house: House, what):
    for method, path in EVERY_BODY:
        answer = await house.send(method, path.format(await session_of(house)), NOT_BODIES[what])
        assert answer.status == 422, (method, path, answer.text)
        check_problem(answer)
        assert answer.fields[0].startswith("body")


@pytest.mark.parametrize(("method", "path"), EVERY_BODY)
async def test_a_body_that_is_too_large_is_refused(house: House, method, path):
    data = json.dumps({"state": "READY", "reason": "x" * 70_000}).encode()
    answer = await house.send(method, path.format(await session_of(house)), data)
    assert (answer.status, answer.body["code"]) == (413, "content-too-large")
    check_problem(answer)


async def test_a_small_body_that_unpacks_to_a_large_one_is_refused(house: House):
    data = gzip.compress(b'{"state": "READY", "reason": "' + b"x" * 5_000_000 + b'"}')
    answer = await house.send("PUT", AGENT_STATE, data, **{"Content-Encoding": "gzip"})
    assert answer.status in (400, 413), answer.text


async def test_a_body_that_is_not_packed_as_it_says_is_refused(house: House):
    answer = await house.send("PUT", AGENT_STATE, b'{"state": "READY"}', **{"Content-Encoding": "gzip"})
    assert 400 <= answer.status < 500, answer.text


# The way to the ledger


QUERIES = [
    ("from=yesterday", "query.from"),
    ("to=2026-13-01T00:00:00Z", "query.to"),
    ("from=2026-01-01T25:00:00Z", "query.from"),
    ("from=", "query.from"),
    ("from=nan", "query.from"),
    ("from=1e400", "query.from"),
    ("from=2026-01-01T00:00:00%2B99:00", "query.from"),
    ("limit=0", "query.limit"),
    ("limit=1001", "query.limit"),
    ("limit=-1", "query.limit"),
    ("limit=many", "query.limit"),
    ("limit=" + "9" * 5000, "query.limit"),
    ("colour=red", "query.colour"),
    ("start=2026-01-01", "query.start"),
    ("cursor=", "query.cursor"),
    ("cursor=not-one", "query.cursor"),
    ("cursor=%ED%A0%80", "query.cursor"),
]
NOT_CURSORS = {
    "no JSON": b"x",
    "not UTF-8": b"\xff",
    "a number": b"1",
    "one thing": b"[1]",
    "three things": b'[1, "a", 2]',
    "no number": b'["x", "a"]',
    "null": b'[null, "a"]',
    "too great": b"[1" + b"0" * 400 + b', "a"]',
    "too many digits": b"[1" + b"0" * 4500 + b', "a"]',
    "a lone surrogate": b'[1, "\\ud800"]',
    "deep": b"[" * 5000,
}
QUERIES += [("cursor=" + base64.urlsafe_b64encode(raw).decode(), "query.cursor") for raw in NOT_CURSORS.values()]


@pytest.mark.parametrize(
    ("query", "field"), QUERIES, ids=[query[:30] for query, _ in QUERIES[: -len(NOT_CURSORS)]] + list(NOT_CURSORS)
)
async def test_a_parameter_of_the_ledger_that_does_not_fit_is_named(house: House, query, field):
    answer = await house.call("GET", f"calls?{query}")
    assert answer.status == 422, answer.text
    check_problem(answer)
    assert field in answer.fields


@pytest.mark.parametrize("name", ["queue", "agent"])
@pytest.mark.parametrize("text", ["%ED%A0%80", "%00", "%FF", "x" * 3000])
async def test_odd_text_in_a_filter_finds_nothing_and_breaks_nothing(house: House, name, text):
    answer = await house.call("GET", f"calls?{name}={text}")
    assert answer.status in (200, 422), answer.text
    if answer.status == 200:
        assert answer.body["items"] == []


# Who, what, how


BAD_TOKENS = {
    "none": None,
    "empty": "Bearer ",
    "no scheme": TOKEN,
    "another scheme": f"Basic {TOKEN}",
    "wrong": "Bearer wrong",
    "longer": f"Bearer {TOKEN}x",
    "shorter": f"Bearer {TOKEN[:-1]}",
    "beyond ASCII": "Bearer tökén ☕",
    "not UTF-8": b"Bearer \xff\xfe".decode("utf-8", "surrogateescape"),
    "question marks": "Bearer " + "?" * len(TOKEN),
}


@pytest.mark.parametrize("what", BAD_TOKENS)
async def test_without_the_token_nothing_is_told_and_nothing_done(house: House, what):
    value = BAD_TOKENS[what]
    headers = {} if value is None else {"Authorization": value}
    key = await session_of(house)
    for method, path, data in (
        ("GET", "/api/v1/handlers", None),
        ("GET", "agents/1001", None),
        ("GET", "agents/nobody", None),
        ("GET", "/no/such/page", None),
        ("PUT", f"sessions/{key}/state", b'{"state": "NOT_READY"}'),
        ("PUT", f"sessions/{key}/state", b"not even JSON"),
        ("DELETE", "agents/1001", None),
    ):
        answer = await house.send(method, path, data, token=None, **headers)
        assert (answer.status, answer.body["code"]) == (401, "unauthorized"), (method, path)
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        check_problem(answer)


async def test_the_scheme_may_be_written_in_any_case(house: House):
    answer = await house.send("GET", "agents/1001", None, token=None, Authorization=f"bearer {TOKEN}")
    assert answer.status == 200


UNKNOWN = [
    ("GET", "/api/v1/handlers/other", None, "not-found"),
    ("GET", "/api/v1/handlers/other/agents", None, "not-found"),
    ("PUT", "/api/v1/handlers/other/agents/1001/state", {"state": "READY"}, "not-found"),
    ("GET", "/api/v1/handlers/main/nonsense", None, "not-found"),
    ("GET", "/api/v2/handlers", None, "not-found"),
    ("GET", "/static/", None, "not-found"),
    ("GET", "/api/v1/handlers/", None, "not-found"),
    ("GET", "agents/nobody", None, "unknown-agent"),
    ("GET", "agents/nobody/sessions", None, "unknown-agent"),
    ("PUT", "agents/nobody/state", {"state": "READY"}, "unknown-agent"),
    ("PUT", "agents/nobody/measurement-period", {"seconds": 60}, "unknown-agent"),
    ("PUT", "agents/nobody/wrap-up-time", {"seconds": 60}, "unknown-agent"),
    ("POST", "agents/nobody/sessions", {"acd_group": "support", "address": PHONE}, "unknown-agent"),
    ("POST", "agents/2002/sessions", {"acd_group": "nothing", "address": PHONE}, "unknown-group"),
    ("POST", "agents/2002/sessions", {"acd_group": "support", "address": "SIP/1001"}, "unknown-address"),
    ("GET", "acd-groups/nothing", None, "unknown-group"),
    ("PUT", "acd-groups/new", {"queues": ["support", "nowhere"]}, "unknown-queue"),
    ("GET", "queues/nowhere", None, "unknown-queue"),
    ("GET", "queues/nowhere/calls", None, "unknown-queue"),
    ("PUT", "queues/nowhere/measurement-period", {"seconds": 60}, "unknown-queue"),
    ("PUT", "queues/nowhere/wrap-up-time", {"seconds": 60}, "unknown-queue"),
    ("GET", "sessions/none", None, "unknown-session"),
    ("PUT", "sessions/none/state", {"state": "READY"}, "unknown-session"),
    ("PUT", "sessions/none/wrap-up", {"end": True}, "unknown-session"),
]
TAPI = {
    "unknown-agent": ("0x80040048", "0x80000057"),
    "unknown-group": ("0x80040049", "0x80000058"),
    "unknown-queue": ("0x80070057", "0x80000032"),
    "unknown-session": ("0x80070057", "0x80000032"),
    "unknown-address": ("0x80070057", "0x80000011"),
}


@pytest.mark.parametrize(("method", "path", "body", "code"), UNKNOWN, ids=lambda part: ascii(part)[:45])
async def test_what_is_not_there_is_not_found(house: House, method, path, body, code):
    answer = await house.refused(method, path, body)
    assert (answer.status, answer.body["code"]) == (404, code)
    if code in TAPI:
        assert (answer.body["hresult"], answer.body["lineerr"]) == TAPI[code]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "agents/1001", "GET,HEAD"),
        ("POST", "agents/1001", "GET,HEAD"),
        ("PUT", "agents", "GET,HEAD,POST"),
        ("GET", "agents/1001/state", "PUT"),
        ("POST", "/api/v1/handlers", "GET,HEAD"),
        ("PATCH", "acd-groups/support", "DELETE,GET,HEAD,PUT"),
    ],
)
async def test_a_method_that_is_not_possible_is_told_with_those_that_are(house: House, method, path, allowed):
    answer = await house.refused(method, path)
    assert (answer.status, answer.body["code"]) == (405, "method-not-allowed")
    assert answer.headers["Allow"] == allowed


async def test_a_detail_does_not_repeat_what_was_sent_when_that_may_be_a_pin(house: House):
    for body in (
        {"id": "1", "pin": [4711_0815]},
        {"id": "1", "pin": {"pin": "47110815"}},
        {"id": "1", "pin": 47110815},
    ):
        answer = await house.call("POST", "agents", body)
        assert answer.status == 422
        assert "47110815" not in answer.text


async def test_the_handler_of_another_server_is_not_this_one(house: House):
    assert (await house.call("GET", H.replace("main", "MAIN"))).status == 404
