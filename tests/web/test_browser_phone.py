"""A phone in a browser: who gets which, and acd between the browser and Asterisk."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import WSMsgType, WSServerHandshakeError, web
from aiohttp.test_utils import TestServer

from acd.access.principals import Role
from acd.browser_phones import LENT_FOR, read_accounts
from acd.serve import make_handler
from acd.settings import HandlerSettings, SettingsError
from acd.web import browser_phone
from tests.helpers import until
from tests.web.house import PIN, H, House, check_problem, open_house

FILE = "# made by the entrypoint\nPJSIP/1101 first-secret\n\npjsip/1102 second-secret\n"
AGENTS = [{"id": id, "user": user, "pin": PIN} for id, user in (("1001", "alice"), ("1002", "bob"), ("1003", "carol"))]


def a_message(user: str) -> str:
    """A registration, as phones write it."""
    lines = ("REGISTER sip:asterisk SIP/2.0", f"From: <sip:{user}@asterisk>;tag=a", f"To: <sip:{user}@asterisk>")
    return "".join(f"{each}\r\n" for each in (*lines, "Content-Length: 0", ""))


class SipServer:
    """Asterisk's WebSocket: remembers what came, says what it is told to."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.sockets: list[web.WebSocketResponse] = []
        self.left = 0

    async def take(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=("sip",))
        await socket.prepare(request)
        self.sockets.append(socket)
        async for message in socket:
            self.heard.append(message.data)
        self.left += 1
        return socket


@asynccontextmanager
async def open_desk(folder: Path, **settings: Any) -> AsyncIterator[tuple[House, SipServer]]:
    """A house with two phones for browsers."""
    sip = SipServer()
    app = web.Application()
    app.router.add_get("/ws", sip.take)
    file = folder / "browser_phones"
    file.write_text(FILE)
    async with TestServer(app) as server:
        address = str(server.make_url("/ws")).replace("http:", "ws:")
        given = {"sip_websocket": address, "browser_phones_file": file, "agents": AGENTS} | settings
        async with open_house(folder, **given) as house:
            yield house, sip


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[tuple[House, SipServer]]:
    async with open_desk(tmp_path) as desk:
        yield desk


def token_of(house: House, agent: str) -> str:
    made = house.register.make_token(agent, Role.AGENT, "test", handler="main", agent=agent)
    return made.text


async def lend(house: House, agent: str) -> Any:
    return await house.call("POST", f"agents/{agent}/browser-phone", token=token_of(house, agent))


def line(house: House, token: str, agent: str = "1001", protocols: tuple[str, ...] = ("sip",)) -> Any:
    headers = {"Authorization": f"Bearer {token}"}
    return house.client.ws_connect(f"{H}/agents/{agent}/browser-phone/sip", headers=headers, protocols=protocols)


# Which phone ----------------------------------------------------------------------------------------------


async def test_an_agent_gets_a_phone_and_what_it_logs_on_with(desk: tuple[House, SipServer]) -> None:
    house, _ = desk
    answer = await lend(house, "1001")
    assert answer.status == 200
    expected = {"address": "PJSIP/1101", "uri": "sip:1101@127.0.0.1", "username": "1101", "password": "first-secret"}
    assert answer.body == expected
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("websocket", "host"),
    [("ws://asterisk:8088/ws", "asterisk"), ("wss://pbx.example/ws", "pbx.example"), ("ws://[::1]:8088/ws", "[::1]")],
)
async def test_the_sip_address_is_at_asterisks_host(tmp_path: Path, websocket: str, host: str) -> None:
    async with open_desk(tmp_path, sip_websocket=websocket) as (house, _):
        assert (await lend(house, "1001")).body["uri"] == f"sip:1101@{host}"


async def test_two_agents_never_get_one_phone_and_each_keeps_his(desk: tuple[House, SipServer]) -> None:
    house, _ = desk
    for _ in range(2):
        assert (await lend(house, "1001")).body["address"] == "PJSIP/1101"
        assert (await lend(house, "1002")).body["address"] == "PJSIP/1102"
    answer = await lend(house, "1003")
    check_problem(answer)
    assert (answer.status, answer.body["code"]) == (409, "no-phone-free")


async def test_the_phone_of_the_log_in_is_the_agents_phone(desk: tuple[House, SipServer]) -> None:
    house, _ = desk
    await house.log_on("1002", phone="PJSIP/1101")
    assert (await lend(house, "1001")).body["address"] == "PJSIP/1102"
    assert (await lend(house, "1002")).body["address"] == "PJSIP/1101"


async def test_a_phone_that_nobody_came_with_is_free_again(desk: tuple[House, SipServer]) -> None:
    house, _ = desk
    now = 0.0
    house.handler.phones._clock = lambda: now
    house.center.state.devices.update({"PJSIP/1101": False, "PJSIP/1102": True})
    assert (await lend(house, "1001")).body["address"] == "PJSIP/1101"
    now = LENT_FOR - 1
    assert (await lend(house, "1002")).status == 409, "1102 is somebody's who registered"
    now = LENT_FOR + 1
    assert (await lend(house, "1002")).body["address"] == "PJSIP/1101"


async def test_where_none_are_set_there_are_none(house: House) -> None:
    await house.agent()
    answer = await lend(house, "1001")
    assert (answer.status, answer.body["code"]) == (404, "no-browser-phones")
    with pytest.raises(WSServerHandshakeError) as refused:
        await line(house, token_of(house, "1001"))
    assert refused.value.status == 404


async def test_passwords_that_are_not_there_yet_are_asked_for_again_later(desk: tuple[House, SipServer]) -> None:
    house, _ = desk
    file = house.handler.phones._file
    assert file is not None
    text = file.read_text()
    file.unlink()
    assert (await lend(house, "1001")).body["code"] == "phones-unreachable"
    file.write_text(text)
    assert (await lend(house, "1001")).status == 200


async def test_no_password_is_logged_nor_written_down(
    desk: tuple[House, SipServer], caplog: pytest.LogCaptureFixture
) -> None:
    house, _ = desk
    with caplog.at_level("DEBUG"):
        await lend(house, "1001")
    row = (await house.get("/api/v1/audit-log"))["items"][0]
    assert (row["path"], row["status"]) == (f"{H}/agents/1001/browser-phone", 200)
    assert "first-secret" not in caplog.text + json.dumps(row)


@pytest.mark.parametrize("text", ["PJSIP/1101", "PJSIP/1101 a b", "1101 secret"])
def test_a_line_that_is_no_phone_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="line 2"):
        read_accounts(f"PJSIP/1100 secret\n{text}\n")


def test_a_websocket_without_passwords_is_half_a_setting(tmp_path: Path, house: House) -> None:
    settings = HandlerSettings(secret="x", sip_websocket="ws://asterisk:8088/ws")
    with pytest.raises(SettingsError, match="browser_phones_file"):
        make_handler("main", settings, house.store)


# The line -------------------------------------------------------------------------------------------------


async def test_messages_go_both_ways_as_they_are(desk: tuple[House, SipServer]) -> None:
    house, sip = desk
    await lend(house, "1001")
    async with line(house, token_of(house, "1001")) as phone:
        assert phone.protocol == "sip"
        await phone.send_str(a_message("1101"))
        await until(lambda: sip.heard == [a_message("1101")])
        await sip.sockets[0].send_str("SIP/2.0 200 OK\r\n\r\n")
        assert await phone.receive_str(timeout=5) == "SIP/2.0 200 OK\r\n\r\n"
        await sip.sockets[0].send_bytes(b"OPTIONS \xff")
        assert await phone.receive_str(timeout=5) == "OPTIONS \ufffd"
    await until(lambda: sip.left == 1)


@pytest.mark.parametrize("user", ["1102", "trunk", "00491234567"])
async def test_who_speaks_as_somebody_else_is_not_heard_and_has_no_line_any_more(
    desk: tuple[House, SipServer], user: str
) -> None:
    house, sip = desk
    await lend(house, "1001")
    async with line(house, token_of(house, "1001")) as phone:
        await phone.send_str(a_message(user))
        assert (await phone.receive(5)).type is WSMsgType.CLOSE
    assert sip.heard == []


async def test_who_was_lent_no_phone_may_say_nothing(desk: tuple[House, SipServer]) -> None:
    house, sip = desk
    async with line(house, token_of(house, "1001")) as phone:
        await phone.send_str(a_message("1101"))
        assert (await phone.receive(5)).type is WSMsgType.CLOSE
    assert sip.heard == []


async def test_a_phone_at_which_a_colleague_works_now_is_nobody_elses_any_more(desk: tuple[House, SipServer]) -> None:
    house, sip = desk
    await lend(house, "1001")
    assert (
        await house.call("POST", "agents/1002/sessions", {"acd_group": "support", "address": "PJSIP/1101"})
    ).status == 201
    async with line(house, token_of(house, "1001")) as phone:
        await phone.send_str(a_message("1101"))
        assert (await phone.receive(5)).type is WSMsgType.CLOSE
    assert sip.heard == []


async def test_however_many_lines_an_agent_opens_the_newest_three_are_left(desk: tuple[House, SipServer]) -> None:
    house, sip = desk
    opened = [await line(house, token_of(house, "1001")) for _ in range(8)]
    await until(lambda: sip.left == 8 - browser_phone.MOST, what="the older ones are closed")
    for each in opened:
        await each.close()


async def test_a_beat_is_answered_by_acd_and_does_not_reach_asterisk(desk: tuple[House, SipServer]) -> None:
    house, sip = desk
    async with line(house, token_of(house, "1001")) as phone:
        await phone.send_str("\r\n\r\n")
        assert await phone.receive_str(timeout=5) == "\r\n"
    assert sip.heard == []


async def test_where_asterisk_leaves_the_browser_is_told(desk: tuple[House, SipServer]) -> None:
    house, sip = desk
    async with line(house, token_of(house, "1001")) as phone:
        await until(lambda: sip.sockets)
        await sip.sockets[0].close()
        assert (await phone.receive(5)).type is WSMsgType.CLOSE
        assert phone.close_code == 1001


async def test_where_asterisk_is_away_the_browser_is_told_before_anything_else(tmp_path: Path) -> None:
    async with open_desk(tmp_path, sip_websocket="ws://127.0.0.1:1/ws") as (house, _):
        with pytest.raises(WSServerHandshakeError) as refused:
            await line(house, token_of(house, "1001"))
        assert refused.value.status == 503


async def test_a_message_that_is_too_large_ends_the_line(desk: tuple[House, SipServer]) -> None:
    house, sip = desk
    async with line(house, token_of(house, "1001")) as phone:
        await phone.send_str("x" * (browser_phone.LARGEST + 1))
        assert (await phone.receive(5)).type is WSMsgType.CLOSE
        assert phone.close_code == 1009
    await until(lambda: sip.left == 1)
    assert sip.heard == []


async def test_who_logs_out_has_no_line_any_more(
    desk: tuple[House, SipServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser_phone, "LOOK_EVERY", 0.05)
    house, sip = desk
    token = token_of(house, "1001")
    async with line(house, token) as phone:
        await until(lambda: sip.sockets)
        who = house.register.find(token)
        assert who is not None
        house.register.revoke(who.key)
        assert (await phone.receive(5)).type is WSMsgType.CLOSE
    await until(lambda: sip.left == 1)


async def test_of_too_many_lines_of_one_agent_the_oldest_ends(desk: tuple[House, SipServer]) -> None:
    house, sip = desk
    tokens = [token_of(house, each) for each in ("1001", "1002")]
    first, other = await line(house, tokens[0]), await line(house, tokens[1], "1002")
    more = [await line(house, tokens[0]) for _ in range(browser_phone.MOST)]
    assert (await first.receive(5)).type is WSMsgType.CLOSE
    for each in (*more, other):
        await each.send_str("\r\n\r\n")
        assert await each.receive_str(timeout=5) == "\r\n"
        await each.close()
    await until(lambda: sip.left == len(sip.sockets) == browser_phone.MOST + 2)


async def test_the_end_of_acd_ends_every_line_at_once(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as (house, sip):
        phone = await line(house, token_of(house, "1001"))
        await until(lambda: sip.sockets)
        begin = asyncio.get_running_loop().time()
        closing = asyncio.create_task(house.client.server.close())
        assert (await phone.receive(5)).type is WSMsgType.CLOSE
        await phone.close()
        await closing
        assert asyncio.get_running_loop().time() - begin < 3


async def test_only_sip_is_spoken_here(desk: tuple[House, SipServer]) -> None:
    house, sip = desk
    token = token_of(house, "1001")
    with pytest.raises(WSServerHandshakeError) as refused:
        await line(house, token, protocols=("chat",))
    assert refused.value.status == 422
    answer = await house.call("GET", "agents/1001/browser-phone/sip", token=token)
    check_problem(answer)
    assert answer.status == 422
    assert sip.sockets == []


async def test_nobody_but_the_agent_himself_reaches_asterisk(desk: tuple[House, SipServer]) -> None:
    house, sip = desk
    admin = house.register.make_token("admin", Role.ADMIN, "test").text
    for token in (token_of(house, "1002"), admin):
        with pytest.raises(WSServerHandshakeError) as refused:
            await line(house, token)
        assert refused.value.status == 403
    assert sip.sockets == []


async def test_a_page_of_another_site_gets_no_line(desk: tuple[House, SipServer]) -> None:
    house, sip = desk
    ours = str(house.client.make_url("")).rstrip("/")
    log_in = json.dumps({"handler": "main", "agent": "1001", "pin": PIN})
    async with house.client.post("/api/v1/session", data=log_in, headers={"Origin": ours}) as answer:
        cookie = answer.headers["Set-Cookie"].partition(";")[0]
    path = f"{H}/agents/1001/browser-phone/sip"
    with pytest.raises(WSServerHandshakeError) as refused:
        await house.client.ws_connect(
            path, headers={"Cookie": cookie, "Origin": "https://evil.example"}, protocols=("sip",)
        )
    assert refused.value.status == 403
    async with house.client.ws_connect(path, headers={"Cookie": cookie, "Origin": ours}, protocols=("sip",)):
        await until(lambda: sip.sockets)
