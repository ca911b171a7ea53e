"""A whole call center for tests: fake Asterisk, service, store and the web API, all in this process."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from multidict import CIMultiDictProxy

from acd.access.register import Register
from acd.core.center import Center
from acd.core.records import AgentSession
from acd.feed import Feed
from acd.nodes import Nodes
from acd.serve import make_handler
from acd.settings import HandlerSettings, WebSettings
from acd.store import Store
from acd.web.app import make_app
from acd.web.nodes import NODES
from acd.web.requests import FEED, REGISTER, Handler
from acd.web.server import Runner
from tests import databases
from tests.helpers import until
from tests.web.switch import Call, Switch

TOKEN = "a token for tests"
PIN = "4711"
PHONE = "PJSIP/1001"
H = "/api/v1/handlers/main"


class Server(TestServer):
    """The web server as `acd serve` runs it."""

    async def _make_runner(self, **settings: Any) -> web.AppRunner:
        return Runner(self.app, **settings)


@dataclass(frozen=True)
class Answer:
    """What the API said."""

    status: int
    body: Any
    headers: CIMultiDictProxy[str]
    text: str

    @property
    def fields(self) -> list[str]:
        """The fields that a 422 names."""
        return [".".join(str(part) for part in error["loc"]) for error in self.body["errors"]]


@dataclass(frozen=True)
class Branch:
    """A second Asterisk, and its handler."""

    switch: Switch
    handler: Handler

    @property
    def center(self) -> Center:
        return self.handler.center


class House:
    """The parts, and short ways to what most tests need."""

    branch: Branch  # where there is one

    def __init__(
        self,
        switch: Switch,
        store: Store,
        settings: HandlerSettings,
        web: WebSettings | None = None,
        branches: Sequence[Branch] = (),
    ) -> None:
        self.switch, self.store = switch, store
        self.handler = make_handler("main", settings, store)
        self.handlers = {"main": self.handler}
        for self.branch in branches:
            self.handlers[self.branch.handler.name] = self.branch.handler
        self.service = self.handler.service
        self.later = 0.0  # seconds by which the clock of tokens and sessions is ahead
        services, leases = {name: each.service for name, each in self.handlers.items()}, store.leases
        nodes = None if leases is None else Nodes(store, leases, services, lambda _name: None)
        self.app = make_app(self.handlers, store, TOKEN, web, self._time, nodes=nodes)
        self.client: TestClient[Any, Any]

    def _time(self) -> float:
        return time.time() + self.later

    @property
    def nodes(self) -> Nodes:
        """Of a house that is one of several."""
        others = self.app[NODES]
        assert others is not None
        return others.nodes

    @property
    def center(self) -> Center:
        return self.service.center

    async def call(self, method: str, path: str, body: object = None, *, token: str | None = TOKEN) -> Answer:
        """One request; `path` is below the handler unless it begins with a slash."""
        data = None if body is None else json.dumps(body).encode()
        return await self.send(method, path, data, token=token)

    async def send(
        self, method: str, path: str, data: bytes | None = None, *, token: str | None = TOKEN, **headers: str
    ) -> Answer:
        """One request with these very bytes."""
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        url = path if path.startswith("/") else f"{H}/{path}".rstrip("/")
        async with self.client.request(method, url, data=data, headers=headers) as answer:
            text = await answer.text()
            is_json = "json" in answer.content_type
            return Answer(answer.status, json.loads(text) if is_json else None, answer.headers, text)

    async def get(self, path: str) -> Any:
        """The body of a GET that succeeds."""
        answer = await self.call("GET", path)
        assert answer.status == 200, answer.text
        return answer.body

    @property
    def feed(self) -> Feed:
        return self.app[FEED]

    @property
    def register(self) -> Register:
        return self.app[REGISTER]

    def socket(self, query: str, token: str = TOKEN, **more: Any) -> Any:
        """The stream as a WebSocket."""
        headers = {"Authorization": f"Bearer {token}"}
        return self.client.ws_connect(f"/api/v1/ws{query}", headers=headers, **more)

    async def set_state(self, session: str, state: str, reason: str = "") -> Any:
        """put_State of a session that succeeds."""
        answer = await self.call("PUT", f"sessions/{session}/state", {"state": state, "reason": reason})
        assert answer.status == 200, answer.text
        return answer.body

    async def agent(self, id: str = "1001", user: str = "alice") -> Any:
        """A new agent with a PIN, as he is shown."""
        answer = await self.call("POST", "agents", {"id": id, "pin": PIN, "user": user})
        assert answer.status == 201, answer.text
        return answer.body

    async def log_on(self, agent: str = "1001", group: str = "support", phone: str = PHONE) -> str:
        """A session of an agent who is there already; its id."""
        answer = await self.call("POST", f"agents/{agent}/sessions", {"acd_group": group, "address": phone})
        assert answer.status == 201, answer.text
        return str(answer.body["id"])

    async def ready(self, group: str = "support", agent: str = "1001") -> str:
        """A new agent (without a PIN) who is logged on and ready for calls; his session's id."""
        await self.call("POST", "agents", {"user": agent})
        key = await self.log_on(agent, group, f"PJSIP/{agent}")
        for path in (f"sessions/{key}/state", f"agents/{agent}/state"):
            assert (await self.call("PUT", path, {"state": "READY"})).status == 200
        return key

    def session(self, key: str) -> AgentSession:
        return self.center.state.sessions[key]

    async def in_state(self, key: str, state: str) -> None:
        await until(lambda: self.session(key).state.name == state, what=f"{state}, is {self.session(key).state.name}")

    async def on_a_call(self, group: str = "support") -> tuple[str, Call]:
        """An agent who has just taken a call; the pause that covers the wrap-up is in force."""
        key, call = await self.ready(group), Call("1.1", "support")
        self.switch.take(call)
        await self.in_state(key, "BUSY_ON_CALL")
        await until(lambda: self.switch.queues["support"][PHONE].paused, what="paused during the call")
        return key, call

    async def in_wrap_up(self) -> tuple[str, Call]:
        """An agent in after-call work."""
        key, call = await self.on_a_call()
        self.switch.hang_up(call)
        await self.in_state(key, "BUSY_WRAPUP")
        return key, call

    async def refused(self, method: str, path: str, body: object = None) -> Answer:
        """A request that is refused, with its answer's form checked."""
        answer = await self.call(method, path, body)
        check_problem(answer)
        return answer


def check_problem(answer: Answer) -> None:
    """An error is a problem+json with all its members."""
    assert answer.headers["Content-Type"].split(";")[0] == "application/problem+json", answer.text
    assert {"status", "title", "detail", "code"} <= answer.body.keys()
    assert answer.body["status"] == answer.status
    assert answer.body["code"] == answer.body["code"].lower().replace("_", "-").replace(" ", "-")
    assert "Traceback" not in answer.text


@asynccontextmanager
async def open_house(
    folder: Path,
    prepare: Callable[[Switch], object] = lambda _: None,
    *,
    linked: bool = True,
    database: str | None = None,
    web: dict[str, Any] | None = None,
    branch: Switch | None = None,
    **settings: Any,
) -> AsyncIterator[House]:
    """A house with the queues support and sales, linked to its Asterisk unless told otherwise.

    `database`: the address of another than a new one in SQLite; `web`: settings of that section. `branch`: a second
    Asterisk, which listens already; its settings are those of the first.
    """
    switch = Switch("support", "sales")
    prepare(switch)
    async with switch:
        store = Store(database or databases.url_in(folder))
        store.open()
        try:
            of_web = WebSettings.model_validate(web or {})
            branches = []
            if branch is not None:
                there = settings_for(branch, **settings | {"groups": {}})
                branches = [Branch(branch, make_handler("branch", there, store))]
            house = House(switch, store, settings_for(switch, **settings), of_web, branches)
            async with live(house, linked=linked):
                yield house
        finally:
            store.close()


def settings_for(switch: Switch, **settings: Any) -> HandlerSettings:
    """Of the handler of a house at this switch."""
    defaults: dict[str, Any] = {
        "port": switch.port,
        "secret": switch.secret,
        "groups": {"support": {"queues": ["support"]}, "both": {"queues": ["support", "sales"]}},
        "addresses": ["PJSIP/*"],
        "confirm_within": 2.0,
    }
    return HandlerSettings.model_validate(defaults | settings)


@asynccontextmanager
async def live(house: House, *, linked: bool = True) -> AsyncIterator[None]:
    """The house with its service and its web server running."""
    services = [handler.service for handler in house.handlers.values()]
    runs = [asyncio.create_task(service.run()) for service in services] if linked else []
    try:
        async with TestClient(Server(house.app)) as house.client:
            if linked:
                await until(lambda: all(each.center.state.linked for each in services), what="linked")
            yield
    finally:
        for service in services:
            await service.close()
        await asyncio.gather(*runs)
        house.feed.close()
