"""An agent's phone in his browser: its SIP account, and the way of its SIP messages to Asterisk.

The browser speaks to acd alone: one origin, one certificate, and only somebody who is logged in reaches Asterisk's
WebSocket. Sound does not come this way: it goes between browser and Asterisk by UDP, encrypted.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import ClientWebSocketResponse, WSMsgType, web

from acd.access.principals import Principal, Role
from acd.browser_phones import HEARTBEAT, LARGEST, SIP, NoBrowserPhones, NoPhoneFree, PhonesUnreachable, connected
from acd.core import refusals as no
from acd.sip import may_pass
from acd.web import answers
from acd.web.objects import AGENT
from acd.web.operations import SWITCHING, Operations
from acd.web.problems import Invalid
from acd.web.requests import REGISTER, answer, handler_of, principal_of

HIMSELF = frozenset({Role.AGENT})
PHONE = f"{AGENT}/browser-phone"
SEND_WITHIN = 10.0  # seconds for either side to take a message
LOOK_EVERY = 2.0  # seconds; so long may a phone outlive its log-in
MOST = 3  # open lines of one agent: this one, and those that are dead without saying so
PING, PONG = "\r\n\r\n", "\r\n"  # RFC 5626: the browser learns that the way to acd is alive
OPERATIONS = Operations()


class Lines:
    """The open lines of all agents, the oldest of each first. Each is an event: that it has to end."""

    def __init__(self) -> None:
        self._open: dict[tuple[str | None, str | None], list[asyncio.Event]] = {}

    @contextmanager
    def holding(self, who: Principal) -> Iterator[asyncio.Event]:
        """While it lasts, the line counts; where one agent has too many, his oldest has to end."""
        his, told = self._open.setdefault((who.handler, who.agent), []), asyncio.Event()
        his.append(told)
        for each in his[:-MOST]:
            each.set()
        try:
            yield told
        finally:
            his.remove(told)
            if not his:
                self._open.pop((who.handler, who.agent), None)

    def end(self) -> None:
        """At the end of acd."""
        for his in self._open.values():
            for told in his:
                told.set()


class NotHisPhone(Exception):
    """The browser spoke as somebody else."""


LINES = web.AppKey("lines", Lines)


def set_up(app: web.Application) -> None:
    """The lines, and their end before acd's."""
    app[LINES] = Lines()
    app.on_shutdown.append(_end_lines)


async def _end_lines(app: web.Application) -> None:
    app[LINES].end()


@OPERATIONS.post(
    PHONE,
    HIMSELF,
    answers.SipAccount,
    None,
    no.UnknownAgent,
    NoBrowserPhones,
    NoPhoneFree,
    PhonesUnreachable,
    status=(200,),
    anywhere=True,  # the line goes through the node that lends
)
async def lend_browser_phone(request: web.Request) -> web.Response:
    """The agent's phone in his browser: that at which he is logged on, else a free one, and its SIP account."""
    handler = handler_of(request)
    agent = handler.center.agent(request.match_info["agent"])
    account = await handler.phones.lend(agent.key, handler.state)
    shown: answers.SipAccount = {
        "address": account.address,
        "uri": account.uri,
        "username": account.username,
        "password": account.password,
    }
    return answer(shown)


@OPERATIONS.get(f"{PHONE}/sip", HIMSELF, None, NoBrowserPhones, PhonesUnreachable, status=(SWITCHING,), etag=False)
async def connect_browser_phone(request: web.Request) -> web.StreamResponse:
    """SIP over a WebSocket (RFC 7118, subprotocol `sip`) between the agent's browser and Asterisk."""
    who, phones = principal_of(request), handler_of(request).phones
    socket = web.WebSocketResponse(protocols=(SIP,), heartbeat=HEARTBEAT, max_msg_size=LARGEST, compress=False)
    ready = socket.can_prepare(request)
    if not ready.ok or ready.protocol != SIP:
        message = "a WebSocket with the subprotocol sip is wanted here"
        raise Invalid([{"loc": ["header", "Upgrade"], "msg": message, "type": "missing"}])
    if not phones.websocket:
        raise NoBrowserPhones()
    agent, state = who.agent or "", handler_of(request).state
    with request.app[LINES].holding(who) as told:
        async with connected(phones.websocket) as asterisk:
            await socket.prepare(request)
            end = _until_its_end(request, who, told)
            await _relay(socket, asterisk, lambda text: may_pass(text, phones.users(agent, state)), end)
    return socket


async def _relay(
    browser: web.WebSocketResponse,
    asterisk: ClientWebSocketResponse,
    may: Callable[[str], bool],
    until: Coroutine[Any, Any, bytes],
) -> None:
    """As long as both sides stay and take what comes, the browser says what it `may`, and `until` does not end it."""
    end = asyncio.create_task(until)
    to_asterisk = asyncio.create_task(_to_asterisk(browser, asterisk, may))
    ways = [to_asterisk, asyncio.create_task(_to_browser(asterisk, browser))]
    try:
        await asyncio.wait([end, *ways], return_when=asyncio.FIRST_COMPLETED)
        why = end.result() if end.done() else b"Asterisk has left"
        if to_asterisk.done() and isinstance(to_asterisk.exception(), NotHisPhone):
            why = b"not a message of your phone"
    finally:
        for task in (end, *ways):
            task.cancel()
        outcomes = await asyncio.gather(end, *ways, return_exceptions=True)
    await asterisk.close()  # first: a browser that does not answer must not keep Asterisk's line
    await browser.close(code=1001, message=why)
    for each in outcomes:
        if isinstance(each, Exception) and not isinstance(
            each, (ConnectionError, TimeoutError, NotHisPhone)
        ):  # gone, too slow
            raise each


async def _to_asterisk(
    browser: web.WebSocketResponse, asterisk: ClientWebSocketResponse, may: Callable[[str], bool]
) -> None:
    async for message in browser:
        if message.type is not WSMsgType.TEXT:
            return
        if message.data == PING:
            await _send(browser, PONG)
        elif may(message.data):
            await _send(asterisk, message.data)
        else:
            raise NotHisPhone


async def _to_browser(asterisk: ClientWebSocketResponse, browser: web.WebSocketResponse) -> None:
    async for message in asterisk:
        if message.type is WSMsgType.TEXT:
            await _send(browser, message.data)
        elif message.type is WSMsgType.BINARY:  # SIP messages need not be valid UTF-8
            await _send(browser, message.data.decode("utf-8", "replace"))
        else:
            return


async def _send(to: web.WebSocketResponse | ClientWebSocketResponse, text: str) -> None:
    async with asyncio.timeout(SEND_WITHIN):
        await to.send_str(text)


async def _until_its_end(request: web.Request, who: Principal, told: asyncio.Event) -> bytes:
    """Why: the log-in has ended or has other rights, acd ends, or there are newer lines of this agent."""
    while request.app[REGISTER].principal(who.key) == who:
        try:
            async with asyncio.timeout(LOOK_EVERY):
                await told.wait()
                return b"acd ends, or there is a newer line"
        except TimeoutError:
            pass  # time to look again
    return b"logged out"
