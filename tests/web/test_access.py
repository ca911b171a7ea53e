"""Tokens, sessions of pages, accounts, log-in, and the log of who asked for what."""

import asyncio
import base64
import json
import logging
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from acd import pins
from acd.access import register as registers
from acd.access.attempts import Attempts, Door, place_of
from acd.access.principals import Role
from acd.access.refusals import TooManyAttempts, WrongPassword
from acd.access.register import LOCKED_FOR, MOST_OF_ONE, SESSION_FOR, Register
from acd.store import Store
from acd.store.tables import CommandRow, TokenRow
from acd.web import app, repeats
from acd.web.people import COOKIE
from tests.helpers import until
from tests.web.house import PIN, TOKEN, Answer, House, check_problem, open_house

DAY = 86400.0
AGENTS = [{"id": "1001", "user": "alice", "pin": PIN}]
PASSWORD = "correct horse"
V1 = "/api/v1"
OURS = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2 with little work: a log-in costs a tenth of a second otherwise, and here are many."""
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(pins, "_hasher", hasher)
    monkeypatch.setattr(pins, "NOBODYS", hasher.hash("nobody's"))


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as house:
        await house.agent()
        yield house


async def make_token(house: House, role: str = "integration", **more: Any) -> Any:
    answer = await house.call("POST", f"{V1}/tokens", {"name": "wallboard", "role": role, **more})
    assert answer.status == 201, answer.text
    return answer.body


async def make_account(house: House, name: str = "dora", role: str = "supervisor", **more: Any) -> Answer:
    answer = await house.call("PUT", f"{V1}/accounts/{name}", {"role": role, "password": PASSWORD, **more})
    assert answer.status in (200, 201), answer.text
    return answer


async def log_in(house: House, body: dict[str, Any], **headers: str) -> Answer:
    """As of a browser that has no cookie but those in `headers`."""
    house.client.session.cookie_jar.clear()
    return await house.send("POST", f"{V1}/session", json.dumps(body).encode(), token=None, **headers)


AS_AGENT = {"agent": "1001", "pin": PIN}
AS_DORA = {"user": "dora", "password": PASSWORD}


async def session(house: House, body: dict[str, Any], **headers: str) -> dict[str, str]:
    """The headers that a page of ours sends after this log-in."""
    answer = await log_in(house, body, **headers)
    assert answer.status == 201, answer.text
    house.client.session.cookie_jar.clear()
    return {"Cookie": answer.headers["Set-Cookie"].partition(";")[0], **OURS}


async def status(house: House, page: dict[str, str], method: str = "GET", path: str = f"{V1}/session") -> int:
    return (await house.send(method, path, token=None, **page)).status


async def who_is(house: House, page: dict[str, str]) -> Any:
    return (await house.send("GET", f"{V1}/session", token=None, **page)).body


# Tokens


async def test_a_token_lets_in_as_what_it_was_made_for_until_it_is_revoked(house: House):
    made = await make_token(house)
    assert (await house.call("GET", "agents", token=made["token"])).status == 200
    me = await house.call("GET", f"{V1}/session", token=made["token"])
    assert (me.body["name"], me.body["role"], me.body["expires"]) == ("wallboard", "integration", None)
    assert (await house.call("PUT", "agents/1001/state", {"state": "READY"}, token=made["token"])).status == 403
    assert (await house.call("DELETE", f"{V1}/tokens/{made['id']}")).status == 204
    assert (await house.call("GET", "agents", token=made["token"])).status == 401
    assert (await house.refused("DELETE", f"{V1}/tokens/{made['id']}")).body["code"] == "unknown-token"


async def test_the_secret_of_a_token_is_told_once(house: House):
    made = await make_token(house)
    listed = await house.call("GET", f"{V1}/tokens")
    assert [each["id"] for each in listed.body["items"]] == [made["id"]]
    assert made["token"].split("_", 2)[-1] not in listed.text
    assert "hash" not in listed.text


async def test_a_token_expires_and_is_listed_no_more(house: House):
    made = await make_token(house, expires_in_days=2)
    house.later = 2 * DAY - 60
    assert (await house.call("GET", "agents", token=made["token"])).status == 200
    house.later = 2 * DAY + 60
    assert (await house.call("GET", "agents", token=made["token"])).status == 401
    assert (await house.get(f"{V1}/tokens"))["items"] == []


async def test_tokens_and_accounts_outlive_a_restart_and_so_do_their_ends(tmp_path):
    async with open_house(tmp_path) as house:
        kept, revoked = await make_token(house), await make_token(house)
        await house.call("DELETE", f"{V1}/tokens/{revoked['id']}")
        await make_account(house)
        await make_account(house, "gone")
        await house.call("DELETE", f"{V1}/accounts/gone")
        page = await session(house, AS_DORA)
    async with open_house(tmp_path) as house:
        assert (await house.call("GET", "agents", token=kept["token"])).status == 200
        assert (await house.call("GET", "agents", token=revoked["token"])).status == 401
        assert [each["name"] for each in (await house.get(f"{V1}/accounts"))["items"]] == ["dora"]
        assert (await who_is(house, page))["name"] == "dora"
        await session(house, AS_DORA)


@pytest.mark.sqlite
async def test_no_secret_is_in_the_database_as_it_is(tmp_path):
    async with open_house(tmp_path) as house:
        await house.agent()
        made = await make_token(house)
        await make_account(house)
        pages = [await session(house, body) for body in (AS_DORA, {"token": made["token"]}, {"token": TOKEN})]
        await house.call("GET", f"{V1}/audit-log")
    secrets = [made["token"], PASSWORD, TOKEN, *(page["Cookie"].partition("=")[2] for page in pages)]
    content = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert made["id"].encode() in content
    for secret in secrets:
        assert secret.split("_", 2)[-1].encode() not in content


@pytest.mark.parametrize("spoil", [lambda t: t[:-1], lambda t: t + "x", lambda t: t.replace("acd_", "abc_", 1)])
async def test_a_token_that_is_not_quite_right_lets_nobody_in(house: House, spoil):
    made = await make_token(house)
    assert (await house.call("GET", "agents", token=spoil(made["token"]))).status == 401


async def test_the_secret_of_one_token_does_not_fit_another(house: House):
    one, two = await make_token(house, "admin"), await make_token(house)
    mixed = f"acd_{one['id']}_{two['token'].split('_', 2)[2]}"
    assert (await house.call("GET", "agents", token=mixed)).status == 401


async def test_a_session_is_no_token_and_a_token_no_session(house: House):
    page, made = await session(house, AS_AGENT), await make_token(house)
    text = page["Cookie"].partition("=")[2]
    assert (await house.call("GET", f"{V1}/session", token=text)).status == 401
    for token in (made["token"], TOKEN):
        assert await status(house, OURS | {"Cookie": f"{COOKIE}={token}"}) == 401


@pytest.mark.parametrize(
    "body",
    [
        {"role": "agent"},
        {"role": "admin", "agent": "1001"},
        {"role": "integration", "groups": ["support"]},
        {"role": "supervisor", "groups": []},
        {"role": "king"},
        {"role": "integration", "expires_in_days": 0},
        {"role": "integration", "expires_in_days": -1},
        {"role": "integration", "expires_in_days": 1e9},
    ],
)
async def test_a_token_that_makes_no_sense_is_refused(house: House, body):
    answer = await house.refused("POST", f"{V1}/tokens", {"name": "x", **body})
    assert (answer.status, answer.body["code"]) == (422, "invalid")


async def test_a_token_of_an_agent_is_for_one_who_is_there(house: House):
    for body in ({"agent": "nobody"}, {"agent": "1001", "handler": "elsewhere"}):
        answer = await house.refused("POST", f"{V1}/tokens", {"name": "x", "role": "agent", **body})
        assert (answer.status, answer.body["code"]) == (404, "unknown-agent")


def test_tokens_and_sessions_of_agents_let_nobody_in_while_there_is_no_such_agent(tmp_path):
    kept: dict[tuple[str, str], str] = {("main", "1001"): "hash"}
    store = Store(f"sqlite:///{tmp_path}/acd.db")
    store.open()
    try:
        register = Register(store, TOKEN, lambda *agent: kept.get(agent))
        token = register.make_token("his", Role.AGENT, "test", handler="main", agent="1001")
        first = register.find(token.text)
        assert first is not None
        assert first.agent == "1001"
        page = register.begin_session(first).text
        del kept["main", "1001"]
        assert register.find(token.text) is None
        assert register.find(page, "session") is None
        kept["main", "1001"] = "hash"  # as when his Asterisk was left out of the settings for a while
        assert register.find(token.text) == first
    finally:
        store.close()


# Sessions of pages


async def test_a_log_in_gives_a_cookie_that_no_script_reads_and_no_other_site_sends(house: House):
    await make_account(house)
    for body, name, role in (
        (AS_AGENT, "agent 1001", "agent"),
        (AS_DORA, "dora", "supervisor"),
        ({"token": TOKEN}, "api-token", "admin"),
    ):
        answer = await log_in(house, body)
        assert (answer.status, answer.body["name"], answer.body["role"]) == (201, name, role)
        cookie, *attributes = answer.headers["Set-Cookie"].split("; ")
        assert cookie.startswith(f"{COOKIE}=acd_")
        assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(attributes)
        assert "Secure" not in attributes  # it would not be sent without TLS
        assert not [each for each in attributes if each.startswith("Domain")]
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"agent": "1001", "pin": "0000"}, "wrong-pin"),
        ({"agent": "nobody", "pin": PIN}, "wrong-pin"),
        ({"agent": "1001", "pin": PIN, "handler": "elsewhere"}, "wrong-pin"),
        ({"user": "dora", "password": "wrong"}, "wrong-password"),
        ({"user": "nobody", "password": PASSWORD}, "wrong-password"),
        ({"token": "wrong"}, "unauthorized"),
    ],
)
async def test_a_log_in_that_does_not_fit_gives_no_cookie(house: House, body, code):
    await make_account(house)
    answer = await log_in(house, body)
    check_problem(answer)
    assert answer.body["code"] == code
    assert "Set-Cookie" not in answer.headers


async def test_a_log_in_that_names_nobody_takes_as_much_work_as_one_that_does(house: House, monkeypatch):
    checked = []
    real = pins._fits
    monkeypatch.setattr(pins, "_fits", lambda secret, hash: checked.append(hash) or real(secret, hash))
    await make_account(house)
    for body in ({"user": "nobody", "password": "x"}, {"agent": "nobody", "pin": "x"}, AS_DORA, AS_AGENT):
        await log_in(house, body)
    assert len(checked) == 4
    assert all(each.startswith("$argon2id$") for each in checked)


async def test_an_agent_whose_pin_stands_in_the_settings_takes_as_much_work_too(tmp_path, monkeypatch):
    async with open_house(tmp_path, agents=AGENTS) as house:
        checked = []
        real = pins._fits
        monkeypatch.setattr(pins, "_fits", lambda secret, hash: checked.append(hash) or real(secret, hash))
        assert (await log_in(house, AS_AGENT)).status == 201
        assert len(checked) == 1


async def test_a_log_out_ends_the_session_for_who_kept_its_cookie(house: House):
    page = await session(house, AS_AGENT)
    assert await status(house, page) == 200
    answer = await house.send("DELETE", f"{V1}/session", token=None, **page)
    assert answer.status == 204
    assert answer.headers["Set-Cookie"].startswith(f'{COOKIE}=""')
    assert await status(house, page) == 401


async def test_each_log_in_begins_another_session_and_ends_the_one_of_before(house: House):
    """Or who had brought his own cookie into a browser would be in it after the next log-in."""
    planted = await session(house, AS_AGENT)
    await make_account(house)
    page = await session(house, AS_DORA, **planted)
    assert page["Cookie"] != planted["Cookie"]
    assert await status(house, planted) == 401
    assert (await who_is(house, page))["name"] == "dora"


async def test_a_cookie_of_ones_own_making_is_not_taken_up(house: House):
    own = {"Cookie": f"{COOKIE}=acd_0123456789abcdef_mine", **OURS}
    page = await session(house, AS_AGENT, **own)
    assert "0123456789abcdef" not in page["Cookie"]
    assert await status(house, own) == 401


async def test_a_session_ends_after_its_time(house: House):
    page = await session(house, AS_AGENT)
    house.later = SESSION_FOR - 60
    assert await status(house, page) == 200
    house.later = SESSION_FOR + 60
    assert await status(house, page) == 401


async def test_a_session_ends_with_the_token_it_was_begun_with(house: House):
    short, revoked = await make_token(house, expires_in_days=0.1), await make_token(house)
    one, two = [await session(house, {"token": made["token"]}) for made in (short, revoked)]
    assert (await who_is(house, one))["expires"] == short["expires"]
    await house.call("DELETE", f"{V1}/tokens/{revoked['id']}")
    assert (await status(house, one), await status(house, two)) == (200, 401)
    house.later = 0.11 * DAY
    assert await status(house, one) == 401


async def test_sessions_begun_with_the_token_of_the_settings_end_when_that_is_another(tmp_path, monkeypatch):
    async with open_house(tmp_path) as house:
        page = await session(house, {"token": TOKEN})
    async with open_house(tmp_path) as house:
        assert (await who_is(house, page))["role"] == "admin"
    monkeypatch.setattr("tests.web.house.TOKEN", "another token")
    async with open_house(tmp_path) as house:
        assert await status(house, page) == 401


async def test_what_an_account_may_do_is_looked_up_at_every_request(house: House):
    await make_account(house, role="admin")
    page = await session(house, AS_DORA)
    assert await status(house, page, path=f"{V1}/tokens") == 200
    await house.call("PUT", f"{V1}/accounts/dora", {"role": "supervisor", "groups": ["support"]})
    assert await status(house, page, path=f"{V1}/tokens") == 403
    assert (await who_is(house, page))["groups"] == ["support"]


@pytest.mark.parametrize("change", [{"role": "supervisor", "groups": ["support"]}, {"role": "supervisor"}])
async def test_a_stream_ends_when_its_bearer_may_see_something_else(house: House, change):
    await make_account(house, role="admin")
    page = await session(house, AS_DORA)
    async with house.client.get(f"{V1}/events", headers=page) as events:
        assert await events.content.readuntil(b"\n\n")
        await house.call("PUT", f"{V1}/accounts/dora", change)
        told = house.feed.seq  # figures that moved before may be on their way
        await house.call("PUT", "agents/1001/state", {"state": "READY"})
        rest = await asyncio.wait_for(events.content.read(), 5)
        assert all(int(number) <= told for number in re.findall(rb"id: (\d+)\ndata:", rest))


async def test_another_password_or_no_account_any_more_ends_its_sessions(house: House):
    await make_account(house)
    page = await session(house, AS_DORA)
    await house.call("PUT", f"{V1}/accounts/dora", {"role": "admin"})
    assert await status(house, page) == 200  # only the role is another
    await make_account(house)
    assert await status(house, page) == 401
    page = await session(house, AS_DORA)
    await house.call("DELETE", f"{V1}/accounts/dora")
    assert await status(house, page) == 401
    await make_account(house)  # the next of that name is somebody else
    assert await status(house, page) == 401


async def test_an_account_that_is_called_like_an_agent_lends_him_nothing(house: House):
    await make_account(house, "agent%201001", role="admin")
    page = await session(house, AS_AGENT)
    assert (await who_is(house, page))["role"] == "agent"
    assert await status(house, page, path=f"{V1}/tokens") == 403
    await house.call("DELETE", f"{V1}/accounts/agent%201001")
    assert await status(house, page) == 200


async def test_the_sessions_of_a_token_do_not_end_with_an_account_of_its_name(house: House):
    made = await make_token(house)
    page = await session(house, {"token": made["token"]})
    await make_account(house, "wallboard")
    await house.call("DELETE", f"{V1}/accounts/wallboard")
    assert await status(house, page) == 200


async def test_nobody_fills_the_list_of_sessions(house: House, monkeypatch):
    await make_account(house)
    doras = await session(house, AS_DORA)
    pages = [await session(house, AS_AGENT) for _ in range(MOST_OF_ONE + 2)]
    assert [await status(house, page) for page in pages] == [401, 401] + [200] * MOST_OF_ONE
    assert await status(house, doras) == 200
    monkeypatch.setattr(registers, "MOST_SESSIONS", 3)
    await session(house, AS_AGENT)
    assert await status(house, doras) == 401  # the oldest of all


async def test_what_has_expired_is_forgotten_when_somebody_comes(house: House):
    await make_token(house, expires_in_days=0.1)
    await session(house, AS_AGENT)
    assert len(house.register._tokens) == 2
    house.later = SESSION_FOR + 60
    await session(house, AS_AGENT)
    assert len(house.register._tokens) == 1
    assert [len(ids) for ids in house.register._sessions.values()] == [1]


async def test_sessions_are_counted_through_a_restart(tmp_path):
    async with open_house(tmp_path, agents=AGENTS) as house:
        pages = [await session(house, AS_AGENT) for _ in range(MOST_OF_ONE)]
    async with open_house(tmp_path, agents=AGENTS) as house:
        await session(house, AS_AGENT)
        assert [await status(house, page) for page in pages[:2]] == [401, 200]


# Pages of other sites

PAGES: list[tuple[str, dict[str, str], bool]] = [
    ("our page, as the browser says", {"Sec-Fetch-Site": "same-origin"}, True),
    ("our page, behind a proxy that sets Host", {"Sec-Fetch-Site": "same-origin", "Origin": "https://acd.lan"}, True),
    ("our page, in a browser that says its origin alone", {"Origin": "http://127.0.0.1:{port}"}, True),
    ("a page of another site", {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, False),
    ("a page of a neighbour", {"Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1:1"}, False),
    ("a neighbour, in a browser that says its origin alone", {"Origin": "http://127.0.0.1:1"}, False),
    ("our page without TLS, where we have it", {"Origin": "https://127.0.0.1:{port}"}, False),
    ("a page in a sandbox", {"Origin": "null"}, False),
    ("a page in a sandbox, and no host", {"Origin": "null", "Host": ""}, False),
    ("an empty origin, and no host", {"Origin": "http://", "Host": ""}, False),
    ("a page with our name within its own", {"Origin": "http://127.0.0.1:{port}.evil.example"}, False),
    ("a page with our name for a user", {"Origin": "http://127.0.0.1:{port}@evil.example"}, False),
    ("an address that was typed", {"Sec-Fetch-Site": "none"}, False),
    ("nobody says", {}, False),
]


@pytest.mark.parametrize(("headers", "ours"), [row[1:] for row in PAGES], ids=[row[0] for row in PAGES])
async def test_only_a_page_of_ours_may_command_by_the_cookie(house: House, headers, ours):
    page = {"Cookie": (await session(house, AS_AGENT))["Cookie"]}
    page |= {name: value.format(port=house.client.port) for name, value in headers.items()}
    answer = await house.send("PUT", "agents/1001/state", b'{"state": "READY"}', token=None, **page)
    if ours:
        assert answer.status == 200, answer.text
    else:
        assert (answer.status, answer.body["code"]) == (403, "foreign-origin")
    assert (house.center.state.agents["1001"].asked.name == "READY") is ours


@pytest.mark.parametrize(("headers", "ours"), [row[1:] for row in PAGES], ids=[row[0] for row in PAGES])
async def test_only_a_page_of_ours_may_listen_by_the_cookie(house: House, headers, ours):
    page = {"Cookie": (await session(house, AS_AGENT))["Cookie"]}
    page |= {name: value.format(port=house.client.port) for name, value in headers.items()}
    page |= {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    page["Sec-WebSocket-Key"] = base64.b64encode(b"0123456789abcdef").decode()
    async with house.client.get(f"{V1}/ws", headers=page) as answer:
        assert answer.status == (101 if ours else 403)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_a_page_of_another_site_logs_nobody_in_or_out(house: House, headers):
    """Or somebody would work, unawares, in the name of who made that page."""
    answer = await log_in(house, AS_AGENT, **headers)
    assert (answer.status, answer.body["code"]) == (403, "foreign-origin")
    page = await session(house, AS_AGENT)
    assert (await house.send("DELETE", f"{V1}/session", token=None, Cookie=page["Cookie"], **headers)).status == 403
    assert await status(house, page) == 200


async def test_a_token_in_the_request_asks_no_browser(house: House):
    answer = await house.send("PUT", "agents/1001/state", b'{"state": "READY"}', Origin="https://evil.example")
    assert answer.status == 200


async def test_a_bad_token_is_not_made_good_by_a_cookie(house: House):
    page = await session(house, AS_AGENT)
    assert (await house.send("GET", f"{V1}/session", token="wrong", **page)).status == 401


async def test_a_proxys_own_password_beside_the_cookie_does_not_matter(house: House):
    page = await session(house, AS_AGENT)
    basic = base64.b64encode(b"somebody:secret").decode()
    assert await status(house, page | {"Authorization": f"Basic {basic}"}) == 200


# Accounts


async def test_an_account_is_made_changed_and_removed(house: House):
    assert (await make_account(house)).status == 201
    changed = await house.call("PUT", f"{V1}/accounts/dora", {"role": "supervisor", "groups": ["support"]})
    assert (changed.status, changed.body["groups"]) == (200, ["support"])
    assert (await house.get(f"{V1}/accounts/dora"))["role"] == "supervisor"
    await session(house, AS_DORA)  # the password is the same
    assert (await house.call("DELETE", f"{V1}/accounts/dora")).status == 204
    assert (await house.refused("GET", f"{V1}/accounts/dora")).body["code"] == "unknown-account"
    assert (await log_in(house, AS_DORA)).status == 403


@pytest.mark.parametrize(
    "body",
    [
        {"role": "agent", "password": PASSWORD},
        {"role": "supervisor"},
        {"role": "supervisor", "password": "short"},
        {"role": "admin", "groups": ["support"], "password": PASSWORD},
    ],
)
async def test_an_account_that_makes_no_sense_is_refused(house: House, body):
    assert (await house.refused("PUT", f"{V1}/accounts/dora", body)).status == 422
    assert (await house.get(f"{V1}/accounts"))["items"] == []


async def test_of_two_who_change_an_account_at_once_one_is_told_to_look_again(house: House):
    mark = (await make_account(house)) and (await house.call("GET", f"{V1}/accounts/dora")).headers["ETag"]
    bodies = [{"role": "supervisor", "password": PASSWORD}, {"role": "admin", "password": "another password"}]
    path = f"{V1}/accounts/dora"
    answers = await asyncio.gather(
        *(house.send("PUT", path, json.dumps(body).encode(), **{"If-Match": mark}) for body in bodies)
    )
    assert sorted(answer.status for answer in answers) == [200, 412]
    winner = bodies[[answer.status for answer in answers].index(200)]
    assert (await house.get(path))["role"] == winner["role"]
    assert (await log_in(house, {"user": "dora", "password": winner["password"]})).status == 201


async def test_of_two_who_make_an_account_at_once_one_has_made_it(house: House):
    answers = await asyncio.gather(*(make_account(house) for _ in range(2)))
    assert sorted(answer.status for answer in answers) == [200, 201]


async def test_a_password_that_was_changed_during_a_log_in_does_not_let_in(house: House):
    await make_account(house)
    path, body = f"{V1}/accounts/dora", {"role": "supervisor", "password": "another password"}
    entered, _ = await asyncio.gather(log_in(house, AS_DORA), house.call("PUT", path, body))
    if entered.status == 201:  # it was quicker, and the change has ended it
        cookie = entered.headers["Set-Cookie"].partition(";")[0]
        assert await status(house, {"Cookie": cookie, **OURS}) == 401
    else:
        assert entered.body["code"] == "wrong-password"


# PINs


async def put_pin(
    house: House, body: dict[str, Any], page: dict[str, str] | None = None, agent: str = "1001"
) -> Answer:
    token = TOKEN if page is None else None
    return await house.send("PUT", f"agents/{agent}/pin", json.dumps(body).encode(), token=token, **(page or {}))


async def test_an_administrator_gives_an_agent_another_pin(house: House):
    assert (await put_pin(house, {"pin": "0815"})).status == 204
    assert (await log_in(house, AS_AGENT)).body["code"] == "wrong-pin"
    assert (await log_in(house, {"agent": "1001", "pin": "0815"})).status == 201


async def test_an_agent_changes_his_pin_with_the_old_one_and_stays_logged_in_here_alone(house: House):
    here, elsewhere = await session(house, AS_AGENT), await session(house, AS_AGENT)
    refused = await put_pin(house, {"pin": "0815"}, here)
    assert (refused.status, refused.body["errors"][0]["loc"]) == (422, ["body", "old_pin"])
    wrong = await put_pin(house, {"pin": "0815", "old_pin": "0000"}, here)
    assert (wrong.status, wrong.body["code"]) == (403, "wrong-pin")
    assert await status(house, elsewhere) == 200
    assert (await put_pin(house, {"pin": "0815", "old_pin": PIN}, here)).status == 204
    assert (await status(house, here), await status(house, elsewhere)) == (200, 401)


async def test_an_old_pin_can_be_guessed_five_times_and_an_administrator_opens_the_lock(house: House):
    page = await session(house, AS_AGENT)
    codes = [(await put_pin(house, {"pin": "1", "old_pin": f"{n}"}, page)).body["code"] for n in range(6)]
    assert codes == ["wrong-pin"] * 5 + ["pin-locked"]
    assert (await log_in(house, AS_AGENT)).body["code"] == "pin-locked"
    await put_pin(house, {"pin": "0815"})
    assert (await log_in(house, {"agent": "1001", "pin": "0815"})).status == 201


async def test_a_pin_that_cannot_be_changed_is_told_as_such(tmp_path):
    async with open_house(tmp_path, agents=AGENTS) as house:
        await house.call("POST", "agents", {"user": "bob"})
        for agent, code in (("1001", "pin-of-settings"), ("bob", "no-agent-id")):
            answer = await put_pin(house, {"pin": "0815"}, agent=agent)
            check_problem(answer)
            assert (answer.status, answer.body["code"]) == (409, code)
        answer = await put_pin(house, {"pin": "0815"}, agent="nobody")
        assert (answer.status, answer.body["code"]) == (404, "unknown-agent")


async def test_sessions_end_when_the_pin_in_the_settings_is_another(tmp_path):
    async with open_house(tmp_path, agents=AGENTS) as house:
        page = await session(house, AS_AGENT)
    async with open_house(tmp_path, agents=AGENTS) as house:
        assert await status(house, page) == 200
    async with open_house(tmp_path, agents=[AGENTS[0] | {"pin": "0815"}]) as house:
        assert await status(house, page) == 401


async def test_a_new_pin_outlives_a_restart(tmp_path):
    async with open_house(tmp_path) as house:
        await house.agent()
        await put_pin(house, {"pin": "0815"})
        page = await session(house, {"agent": "1001", "pin": "0815"})
    async with open_house(tmp_path) as house:
        assert await status(house, page) == 200
        assert (await log_in(house, AS_AGENT)).body["code"] == "wrong-pin"


# Too many


async def test_thirty_failures_from_one_place_close_its_door_for_a_while_for_the_right_one_too(house: House):
    for number in range(app.MOST_LOG_INS):
        assert (await log_in(house, {"agent": f"{number}", "pin": "0000"})).status == 403
    answer = await log_in(house, AS_AGENT)
    check_problem(answer)
    assert (answer.status, answer.body["code"]) == (429, "too-many-attempts")
    assert 0 < int(answer.headers["Retry-After"]) <= app.WITHIN


async def test_those_who_come_in_are_not_counted(house: House):
    for _ in range(app.MOST_LOG_INS + 5):
        assert (await log_in(house, AS_AGENT)).status == 201


async def test_a_hundred_at_once_get_no_more_tries_than_one_after_the_other(house: House):
    answers = await asyncio.gather(*(log_in(house, {"agent": f"{number}", "pin": "0"}) for number in range(100)))
    statuses = [answer.status for answer in answers]
    assert (statuses.count(403), statuses.count(429)) == (app.MOST_LOG_INS, 100 - app.MOST_LOG_INS)


async def test_five_wrong_passwords_lock_the_account_and_a_new_password_opens_it(house: House, caplog):
    await make_account(house)
    await make_account(house, "erik")
    for _ in range(5):
        assert (await log_in(house, {"user": "dora", "password": "wrong"})).body["code"] == "wrong-password"
    answer = await log_in(house, AS_DORA)
    assert (answer.status, answer.body["code"]) == (429, "too-many-attempts")
    assert 0 < int(answer.headers["Retry-After"]) <= LOCKED_FOR
    assert (await log_in(house, {"user": "erik", "password": PASSWORD})).status == 201
    assert "account dora: wrong password, locked for 300 s" in caplog.text
    assert "wrong-password" not in caplog.text.replace("wrong password", "")
    await make_account(house)
    assert (await log_in(house, AS_DORA)).status == 201


async def test_a_locked_account_opens_after_its_time(tmp_path):
    now = 0.0
    store = Store(f"sqlite:///{tmp_path}/acd.db")
    store.open()
    try:
        register = Register(store, TOKEN, lambda *_: None, ticks=lambda: now)
        register.set_account("dora", Role.ADMIN, None, await pins.hashed(PASSWORD))
        for _ in range(5):
            with pytest.raises(WrongPassword):
                await register.log_in("dora", "wrong")
        now = LOCKED_FOR - 1
        with pytest.raises(TooManyAttempts) as refused:
            await register.log_in("dora", PASSWORD)
        assert refused.value.seconds == pytest.approx(1)
        now = LOCKED_FOR
        assert (await register.log_in("dora", PASSWORD)).name == "dora"
    finally:
        store.close()


async def test_a_door_counts_failures_by_place_and_forgets_them_in_time():
    now = 0.0
    door = Door(2, 60, lambda: now)

    async def fail() -> None:
        raise WrongPassword

    async def succeed() -> str:
        return "in"

    for _ in range(2):
        with pytest.raises(WrongPassword):
            await door.enter("2001:db8::1", fail)
    with pytest.raises(TooManyAttempts):  # a neighbour within the same network of one customer
        await door.enter("2001:db8::ffff:1", succeed)
    assert await door.enter("2001:db8:0:1::1", succeed) == "in"
    assert await door.enter("192.0.2.1", succeed) == "in"
    now = 60
    assert await door.enter("2001:db8::1", succeed) == "in"


@pytest.mark.parametrize("address", ["192.0.2.1", "no address", ""])
def test_a_place_is_the_address_itself_where_it_is_not_ipv6(address):
    assert place_of(address) == address


def test_made_up_names_do_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr("acd.access.attempts.MOST_KEYS", 10)
    attempts = Attempts(5, 60, lambda: 0.0)
    for number in range(100):
        attempts.begin(f"made up {number}")
    assert len(attempts._begun) == 10


# Repeats


async def test_a_key_repeats_the_command_of_the_same_bearer_alone(house: House):
    one, two = await make_token(house, "admin"), await make_token(house, "admin")
    headers, body = {"Idempotency-Key": "k"}, b'{"name": "x", "role": "integration"}'

    async def ask(token: str) -> Answer:
        return await house.send("POST", f"{V1}/tokens", body, token=token, **headers)

    first, again, other = await ask(one["token"]), await ask(one["token"]), await ask(two["token"])
    assert first.body == again.body
    assert again.headers["Idempotency-Replayed"] == "true"
    assert other.body["id"] != first.body["id"]
    assert "Idempotency-Replayed" not in other.headers


async def test_a_log_in_is_never_repeated_from_memory(house: House):
    page = await session(house, AS_AGENT)
    answers = [await log_in(house, AS_AGENT, **page, **{"Idempotency-Key": "k"}) for _ in range(2)]
    assert answers[0].headers["Set-Cookie"] != answers[1].headers["Set-Cookie"]


async def test_a_key_that_is_too_long_is_refused_and_not_cut_off(house: House):
    answer = await house.send("POST", f"{V1}/tokens", b"{}", **{"Idempotency-Key": "k" * (repeats.LONGEST + 1)})
    check_problem(answer)
    assert (answer.status, answer.body["errors"][0]["loc"]) == (422, ["header", "Idempotency-Key"])


async def test_answers_that_are_kept_take_no_more_memory_than_they_may(monkeypatch):
    monkeypatch.setattr(repeats, "MOST_BYTES", 1000)
    now, done = 0.0, []
    kept = repeats.Repeats(lambda: now)

    async def ask(key: str) -> Any:
        async def carry_out() -> Any:
            done.append(key)
            return app.web.Response(body=b"x" * 300)

        return await kept.once((key,), b"", carry_out)

    for key in "abcd":
        await ask(key)
        assert kept._bytes <= 1000
    await ask("d")
    assert done == ["a", "b", "c", "d"]
    await ask("a")  # the oldest was forgotten
    assert done == ["a", "b", "c", "d", "a"]
    now = repeats.KEPT_FOR + 1
    await ask("e")
    assert kept._bytes == 300


# The log of commands


async def commands(house: House, query: str = "") -> list[Any]:
    return (await house.get(f"{V1}/audit-log{query}"))["items"]


async def test_every_command_leaves_one_row_also_a_refused_one(house: House):
    reader = (await make_token(house))["token"]
    page = await session(house, AS_AGENT)
    began = len(await commands(house))
    asked: list[tuple[str, str, Any, dict[str, Any]]] = [
        ("PUT", "agents/1001/state", {"state": "READY"}, {}),
        ("PUT", "agents/1001/state", {"state": "BUSY_ACD"}, {}),
        ("PUT", "agents/nobody/state", {"state": "READY"}, {}),
        ("PUT", "agents/1001/state", {"state": 5}, {}),
        ("PUT", "agents/1001/state", {"state": "READY"}, {"token": reader}),
        ("PUT", "/api/v1/handlers/elsewhere/agents/1001/state", {"state": "READY"}, {}),
        ("DELETE", f"{V1}/tokens/none", None, {}),
    ]
    answers = [await house.call(method, path, body, **more) for method, path, body, more in asked]
    answers.append(await house.send("PUT", "agents/1001/pin", b'{"pin": "1", "old_pin": "2"}', token=None, **page))
    foreign = page | {"Sec-Fetch-Site": "cross-site"}
    answers.append(await house.send("PUT", "agents/1001/state", b'{"state": "READY"}', token=None, **foreign))
    await house.get("agents")  # which is no command
    rows = (await commands(house))[: len(answers)][::-1]
    assert len(await commands(house)) == began + len(answers)
    assert [row["status"] for row in rows] == [answer.status for answer in answers]
    assert [row["code"] for row in rows] == [answer.body.get("code") for answer in answers]
    assert [row["who"] for row in rows] == [*["api-token"] * 4, "wallboard", *["api-token"] * 2, *["agent 1001"] * 2]
    assert [row["role"] for row in rows[:5]] == [*["admin"] * 4, "integration"]
    assert {row["source"] for row in rows} == {"127.0.0.1"}
    assert (rows[0]["method"], rows[0]["path"]) == ("PUT", "/api/v1/handlers/main/agents/1001/state")
    assert (rows[0]["body"], rows[3]["body"]) == ({"state": "READY"}, None)


async def test_log_ins_are_in_it_also_those_that_failed(house: House):
    await log_in(house, AS_AGENT)
    await log_in(house, {"agent": "1001", "pin": "0000"})
    await log_in(house, {"user": "nobody", "password": "x"})
    await log_in(house, {"token": "wrong"})
    rows = await commands(house, "?path=/api/v1/session")
    assert [(row["who"], row["status"], row["code"]) for row in rows] == [
        ("", 401, "unauthorized"),
        ("", 403, "wrong-password"),
        ("", 403, "wrong-pin"),
        ("agent 1001", 201, None),
    ]
    assert rows[2]["body"] == {"agent": "1001", "pin": "**********"}


async def test_strangers_do_not_fill_it(house: House):
    for number in range(app.MOST_LOG_INS + 10):
        await log_in(house, {"agent": f"{number}", "pin": "0000"})
        await log_in(house, {"nonsense": number})
        await house.call("PUT", "agents/1001/state", {"state": "READY"}, token="wrong")
    assert len(await commands(house, "?who=")) == app.MOST_LOG_INS


async def test_it_is_told_newest_first_page_by_page(house: House):
    for number in range(7):
        await house.call("PUT", "agents/1001/state", {"state": "NOT_READY", "reason": f"{number}"})
    seen, query = [], "?limit=3&path=/api/v1/handlers/main/agents/1001"
    cursor: str | None = ""
    while cursor is not None:
        answer = await house.get(f"{V1}/audit-log{query}" + (f"&cursor={cursor}" if cursor else ""))
        assert len(answer["items"]) <= 3
        seen += [row["body"]["reason"] for row in answer["items"]]
        cursor = answer["next"]
    assert seen == [str(number) for number in reversed(range(7))]


async def test_it_outlives_a_restart(tmp_path):
    async with open_house(tmp_path) as house:
        await house.agent()
        before = await commands(house)
    async with open_house(tmp_path) as house:
        assert await commands(house) == before != []


async def test_no_secret_is_in_it_nor_in_the_log_lines(house: House, caplog):
    caplog.set_level(logging.DEBUG)
    made = await make_token(house, "admin")
    await make_account(house)
    await put_pin(house, {"pin": "73915082"})
    await put_pin(house, {"pin": "73915082", "old_pin": "60284917"})
    pages = [await session(house, body) for body in (AS_DORA, {"token": made["token"]})]
    await log_in(house, {"user": "dora", "password": "60284917"})
    await log_in(house, {"agent": "1001", "pin": "60284917"})
    await log_in(house, {"token": "acd_0123_60284917"})
    await house.call("DELETE", f"{V1}/tokens/{made['token']}")  # in place of its id
    rows = json.dumps(await commands(house))
    assert f"/api/v1/tokens/acd_{made['id']}_***" in rows
    secrets = [made["token"], PASSWORD, "73915082", "60284917", TOKEN]
    secrets += [page["Cookie"].partition("=")[2] for page in pages]
    for secret in secrets:
        assert secret.split("_", 2)[-1] not in rows
        assert secret.split("_", 2)[-1] not in caplog.text


ODD_NAMES = ["%00", "%ED%A0%80", "%0A2026-01-01T00:00:00.000Z%20INFO%20acd:%20forged", "%FF", "x" * 3000]


@pytest.mark.parametrize("name", ODD_NAMES)
async def test_no_odd_name_keeps_a_command_out_of_it(house: House, name):
    answer = await house.call("PUT", f"agents/{name}/state", {"state": "READY"})
    assert answer.status in (404, 422)
    [row] = await commands(house, "?path=/api/v1/handlers/main/agents/")
    assert "\0" not in row["path"]
    assert (row["status"], len(row["path"]) <= 1000) == (answer.status, True)


async def test_old_rows_and_sessions_that_ended_are_deleted_in_time(tmp_path):
    now = 1_000_000_000.0
    store = Store(f"sqlite:///{tmp_path}/acd.db", keep_commands_days=30, clock=lambda: now)
    store.open()
    try:
        register = Register(store, TOKEN, lambda *_: "", lambda: now)
        kept = register.make_token("kept", Role.INTEGRATION, "test").row.id
        revoked = register.make_token("revoked", Role.INTEGRATION, "test").row.id
        register.make_token("expired", Role.INTEGRATION, "test", seconds=60)
        register.revoke(revoked)
        for id, at in (("old", now - 31 * DAY), ("young", now - 20 * DAY)):
            command = {"who": "x", "role": "admin", "source": "", "method": "PUT", "path": "/", "status": 200}
            store.keep(CommandRow(id=id, at=at, body=None, code=None, **command))
        now += 1.1 * DAY
        await store.written()
        store._next_retention = 0.0
        store.keep(TokenRow(**store.rows(TokenRow)[0].model_dump()))  # wakes the writer
        await until(lambda: [row.id for row in store.rows(TokenRow)] == [kept], what="dead tokens deleted")
        await until(lambda: [row.id for row in store.rows(CommandRow)] == ["young"], what="old commands deleted")
    finally:
        store.close()
