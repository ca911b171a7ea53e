"""Two Asterisk servers are two agent handlers; what happens to one is nothing to the other."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer

from acd import tapi
from acd.tapi import TapiEvent
from acd.web.app import make_app
from tests.helpers import until
from tests.web.house import PHONE, PIN, TOKEN, House, open_house
from tests.web.switch import Call, Switch

HEADERS = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with Switch("support", "orders") as switch, open_house(tmp_path, branch=switch) as house:
        yield house


@pytest.fixture
def branch(house: House):
    """The second Asterisk: its switch, its handler, and a client of the API of both."""
    return house.branch.switch, house.branch.handler, house.client


async def get(client, path):
    async with client.get(f"/api/v1/handlers{path}", headers=HEADERS) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


async def send(client, method, path, body):
    async with client.request(method, f"/api/v1/handlers{path}", data=json.dumps(body), headers=HEADERS) as answer:
        assert answer.status < 300, await answer.text()
        return await answer.json()


async def ready(client, handler, agent):
    """The session of a new agent who is ready there."""
    await send(client, "POST", f"/{handler}/agents", {"user": agent})
    body = {"acd_group": "support", "address": PHONE}
    session = (await send(client, "POST", f"/{handler}/agents/{agent}/sessions", body))["id"]
    for path in (f"/{handler}/sessions/{session}/state", f"/{handler}/agents/{agent}/state"):
        await send(client, "PUT", path, {"state": "READY"})
    return session


async def test_each_asterisk_is_a_handler_with_groups_queues_and_agents_of_its_own(house: House, branch):
    _, _, client = branch
    assert [each["name"] for each in (await get(client, ""))["items"]] == ["main", "branch"]
    await ready(client, "main", "alice")
    await ready(client, "branch", "alice")  # the same account, phone and group: another agent
    assert {each["name"] for each in (await get(client, "/branch/queues"))["items"]} == {"support", "orders"}
    assert {each["name"] for each in (await get(client, "/main/queues"))["items"]} == {"support", "sales"}
    assert (await get(client, "/main/agents/alice"))["sessions"] != (await get(client, "/branch/agents/alice"))[
        "sessions"
    ]


async def test_an_agent_logs_in_where_he_says_and_at_main_where_he_says_nothing(house: House, branch):
    _, handler, client = branch
    await handler.commands.create_agent_with_id("1001", PIN, "alice")
    body = {"agent": "1001", "pin": PIN}
    async with client.post("/api/v1/session", data=json.dumps(body)) as answer:
        assert answer.status == 403  # there is none at main
    async with client.post("/api/v1/session", data=json.dumps({**body, "handler": "branch"})) as answer:
        assert (answer.status, (await answer.json())["handler"]) == (201, "branch")


async def test_the_only_asterisk_is_the_one_that_an_agent_means(house: House):
    app = make_app({"berlin": house.handler}, house.store, TOKEN)
    await house.handler.commands.create_agent_with_id("1001", PIN, "alice")
    async with TestClient(TestServer(app)) as client:
        body = json.dumps({"agent": "1001", "pin": PIN})
        async with client.post("/api/v1/session", data=body) as answer:
            assert answer.status == 201


async def test_a_call_at_one_handler_is_no_call_at_the_other(house: House, branch):
    switch, handler, client = branch
    await ready(client, "main", "alice")
    session = await ready(client, "branch", "alice")
    call = Call("1.1", "support")
    switch.take(call)
    await until(lambda: handler.center.session(session).state.name == "BUSY_ON_CALL")
    assert (await get(client, "/main/agents/alice"))["state"] == "READY"
    assert (await get(client, "/main/queues/support"))["total_calls_queued"] == 0
    switch.hang_up(call)
    await until(lambda: handler.center.session(session).tally.calls == 1)
    assert [row["call"] for row in (await get(client, "/branch/calls"))["items"]] == ["1.1"]
    assert (await get(client, "/main/calls"))["items"] == []


async def test_a_handler_whose_asterisk_is_gone_disturbs_no_other(house: House, branch):
    switch, _, client = branch
    await ready(client, "main", "alice")
    await ready(client, "branch", "alice")
    house.switch.cut()
    await until(lambda: house.center.agent("alice").state.name == "UNKNOWN")
    assert (await get(client, "/branch/agents/alice"))["state"] == "READY"
    await send(client, "PUT", "/branch/agents/alice/state", {"state": "NOT_READY", "reason": "lunch"})
    assert switch.queues["support"][PHONE].reason == "lunch"


async def test_tapi_lists_both_and_each_event_comes_from_its_own(house: House, branch):
    switch, handler, _ = branch
    center = tapi.TAPICallCenter({"main": house.handler.commands, "branch": handler.commands})
    assert [each.name for each in center.agent_handlers] == ["main", "branch"]
    told = []
    center.register(lambda bit, payload: told.append((payload.agent_handler.name, payload.event.name)))
    center.event_filter = TapiEvent.AGENTHANDLER
    switch.cut()
    await until(lambda: told == [("branch", "AGENTHANDLER_REMOVED")])
    assert [each.name for each in center.agent_handlers] == ["main"]


async def test_agents_with_the_same_id_have_pins_locks_and_pages_of_their_own(house: House, branch):
    _, there, client = branch
    for handler, pin in ((house.handler, "1111"), (there, "2222")):
        await handler.commands.create_agent_with_id("1001", pin, "alice")

    async def log_in(handler: str, pin: str) -> int:
        body = {"agent": "1001", "pin": pin, "handler": handler}
        async with client.post("/api/v1/session", data=json.dumps(body)) as answer:
            return answer.status

    for _ in range(5):
        assert await log_in("branch", "1111") == 403  # main's own
    assert await log_in("branch", "2222") == 403  # locked
    assert await log_in("main", "1111") == 201
    async with client.get("/api/v1/handlers/main/agents/1001") as answer:
        assert answer.status == 200
    async with client.get("/api/v1/handlers/branch/agents/1001") as answer:
        assert answer.status == 403
    await there.commands.set_pin("1001", "3333")
    async with client.get("/api/v1/session") as answer:
        assert (answer.status, (await answer.json())["handler"]) == (200, "main")
