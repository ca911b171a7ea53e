"""Every operation as every role: who is let through, and on whom, stands in a table written by hand."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from acd.access.principals import Role
from acd.core.records import Monitor
from acd.core.states import MonitorState
from acd.serve import make_handler
from acd.settings import HandlerSettings
from acd.web.app import OPERATIONS, make_app
from acd.web.operations import Operation
from tests.helpers import until
from tests.web.house import PIN, TOKEN, House, live, open_house
from tests.web.switch import Call, Switch

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Who asks. What he asks for is the agent 1001, his session, his group and queue `support`.
NOBODY = "nobody"
HIMSELF, COLLEAGUE = "himself", "a colleague"
SUPERVISOR, OF_SUPPORT, OF_SALES = "a supervisor of all", "a supervisor of support", "a supervisor of sales"
INTEGRATION, ADMIN = "an integration", "an administrator"
ROLES = (NOBODY, HIMSELF, COLLEAGUE, SUPERVISOR, OF_SUPPORT, OF_SALES, INTEGRATION, ADMIN)

ALL = set(ROLES) - {NOBODY}
STAFF = {SUPERVISOR, OF_SUPPORT, ADMIN}
READERS = STAFF | {INTEGRATION}
HIS = STAFF | {HIMSELF}

H = "/api/v1/handlers/{handler}"
MAY: dict[str, set[str]] = {  # operation -> who is let through
    "POST /api/v1/session": set(ROLES),
    "GET /api/v1/site": set(ROLES),
    "GET /api/v1/session": ALL,
    "DELETE /api/v1/session": set(ROLES),
    "GET /api/v1/tokens": {ADMIN},
    "POST /api/v1/tokens": {ADMIN},
    "DELETE /api/v1/tokens/{token}": {ADMIN},
    "GET /api/v1/accounts": {ADMIN},
    "GET /api/v1/accounts/{account}": {ADMIN},
    "PUT /api/v1/accounts/{account}": {ADMIN},
    "DELETE /api/v1/accounts/{account}": {ADMIN},
    "GET /api/v1/audit-log": {ADMIN},
    "GET /api/v1/picture": ALL,
    "GET /api/v1/events": ALL,
    "GET /api/v1/ws": ALL,
    "GET /api/v1/handlers": ALL,
    f"GET {H}": ALL,
    f"GET {H}/board": READERS | {OF_SALES},
    "GET /api/v1/board": READERS | {OF_SALES},
    "GET /api/v1/reports/queues": READERS | {OF_SALES},
    "GET /api/v1/reports/intervals": READERS | {OF_SALES},
    "GET /api/v1/reports/dispositions": READERS | {OF_SALES},
    "GET /api/v1/reports/agents": ALL,
    "GET /api/v1/reports/agent-intervals": ALL,
    "GET /api/v1/reports/reasons": ALL,
    "GET /api/v1/reports/calls": ALL,
    f"GET {H}/acd-groups": ALL,
    f"GET {H}/acd-groups/{{group}}": ALL - {OF_SALES},
    f"PUT {H}/acd-groups/{{group}}": {ADMIN},
    f"DELETE {H}/acd-groups/{{group}}": {ADMIN},
    f"GET {H}/addresses": ALL,
    f"GET {H}/agents": ALL,
    f"POST {H}/agents": {ADMIN},
    f"GET {H}/agents/{{agent}}": READERS | {HIMSELF},
    f"PUT {H}/agents/{{agent}}/state": HIS,
    f"PUT {H}/agents/{{agent}}/measurement-period": STAFF,
    f"PUT {H}/agents/{{agent}}/wrap-up-time": STAFF,
    f"PUT {H}/agents/{{agent}}/pin": {HIMSELF, ADMIN},
    f"GET {H}/agents/{{agent}}/sessions": READERS | {HIMSELF},
    f"POST {H}/agents/{{agent}}/sessions": HIS,
    f"GET {H}/sessions": ALL,
    f"GET {H}/sessions/{{session}}": READERS | {HIMSELF},
    f"PUT {H}/sessions/{{session}}/state": HIS,
    f"PUT {H}/sessions/{{session}}/wrap-up": HIS,
    f"GET {H}/queues": ALL,
    f"GET {H}/queues/{{queue}}": READERS | {HIMSELF},
    f"PUT {H}/queues/{{queue}}/measurement-period": STAFF,
    f"PUT {H}/queues/{{queue}}/wrap-up-time": STAFF,
    f"GET {H}/queues/{{queue}}/calls": READERS,
    f"GET {H}/queues/{{queue}}/members": READERS,
    f"PUT {H}/queues/{{queue}}/members/{{agent}}": STAFF,
    f"POST {H}/queues/{{queue}}/calls/{{call}}/withdraw": STAFF,
    f"POST {H}/queues/{{queue}}/calls/{{call}}/priority": STAFF,
    f"POST {H}/queues/{{queue}}/calls/{{call}}/transfer": STAFF,
    f"GET {H}/calls": ALL,
    f"POST {H}/calls/{{call}}/hangup": STAFF,
    f"PUT {H}/sessions/{{session}}/acd-group": STAFF,
    f"PUT {H}/sessions/{{session}}/disposition": HIS,
    f"GET {H}/choices": ALL,
    f"POST {H}/notes": STAFF | {OF_SALES},
    f"GET {H}/monitors": READERS | {OF_SALES},
    f"POST {H}/agents/{{agent}}/listen": STAFF,
    f"POST {H}/agents/{{agent}}/whisper": STAFF,
    f"POST {H}/agents/{{agent}}/barge": STAFF,
    f"DELETE {H}/monitors/{{monitor}}": STAFF,
    f"POST {H}/agents/{{agent}}/browser-phone": {HIMSELF},
    f"GET {H}/agents/{{agent}}/browser-phone/sip": {HIMSELF},
    f"GET {H}/reports/queues": READERS | {OF_SALES},
    f"GET {H}/reports/intervals": READERS | {OF_SALES},
    f"GET {H}/reports/dispositions": READERS | {OF_SALES},
    f"GET {H}/reports/agents": ALL,
    f"GET {H}/reports/agent-intervals": ALL,
    f"GET {H}/reports/reasons": ALL,
    f"GET {H}/reports/calls": ALL,
    f"GET {H}/agents/{{agent}}/timeline": READERS | {HIMSELF},
    "GET /api/v1/webhooks": {ADMIN},
    "POST /api/v1/webhooks": {ADMIN},
    "GET /api/v1/webhooks/{webhook}": {ADMIN},
    "PUT /api/v1/webhooks/{webhook}": {ADMIN},
    "DELETE /api/v1/webhooks/{webhook}": {ADMIN},
    "POST /api/v1/webhooks/{webhook}/test": {ADMIN},
    "GET /metrics": READERS | {OF_SALES},
    "GET /healthz": set(ROLES),
    "GET /readyz": set(ROLES),
    "GET /docs": set(ROLES),
    "GET /openapi.json": set(ROLES),
}
EVERY = sorted(f"{each.method} {each.path}" for each in OPERATIONS)
BY_NAME = {f"{each.method} {each.path}": each for each in OPERATIONS}


class World:
    """A house whose agents work: 1001 for support, 1002 for sales, 1003 not at all; and a second Asterisk."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.tokens: dict[str, str] = {}
        self.sessions: dict[str, str] = {}

    async def begin(self) -> None:
        for agent, group in (("1001", "support"), ("1002", "sales")):
            self.sessions[agent] = await self.house.log_on(agent, group, f"PJSIP/{agent}")
        for number, (queue, phone) in enumerate((("support", "PJSIP/1001"), ("sales", "PJSIP/1002")), 1):
            call = Call(f"{number}.1", queue, phone)
            self.house.switch.take(call)
            await self.house.in_state(self.sessions[phone[-4:]], "BUSY_ON_CALL")
            self.house.switch.join(Call(f"{number}.2", queue, phone))
        queues = self.house.center.state.queues
        await until(lambda: all(len(queues[name].waiting) == 1 for name in ("support", "sales")))
        make = self.house.register.make_token
        self.house.center.state.monitors["a-monitor"] = Monitor(
            "a-monitor", "1001", "LISTEN", "PJSIP/1020", "1.1-leg", MonitorState.ACTIVE, 0.0
        )
        self.tokens = {
            HIMSELF: make("his", Role.AGENT, "test", handler="main", agent="1001").text,
            COLLEAGUE: make("a colleague's", Role.AGENT, "test", handler="main", agent="1002").text,
            SUPERVISOR: make("of all", Role.SUPERVISOR, "test").text,
            OF_SUPPORT: make("of support", Role.SUPERVISOR, "test", groups=["support"]).text,
            OF_SALES: make("of sales", Role.SUPERVISOR, "test", groups=["sales"]).text,
            INTEGRATION: make("wallboard", Role.INTEGRATION, "test").text,
            ADMIN: TOKEN,
        }

    async def ask(self, who: str, method: str, path: str, **more: Any) -> tuple[int, Any]:
        """Status and body; of a stream its status alone."""
        headers = {} if who == NOBODY else {"Authorization": f"Bearer {self.tokens[who]}"}
        async with self.house.client.request(method, path, headers=headers, **more) as answer:
            is_json = "json" in answer.content_type
            return answer.status, await answer.json(content_type=None) if is_json else None

    async def items(self, who: str, path: str) -> Any:
        status, body = await self.ask(who, "GET", path)
        assert status == 200, body
        return body["items"]

    def path(self, operation: Operation, handler: str = "main") -> str:
        """Where it is asked for; what a command would change is there, what it would take away is not."""
        names = {"handler": handler, "agent": "1001", "session": self.sessions["1001"], "queue": "support"}
        names |= {
            "group": "support",
            "token": "none",
            "account": "none",
            "call": "1.2",
            "monitor": "a-monitor",
            "webhook": "none",
        }
        return operation.path.format(**names)


SETTINGS: dict[str, Any] = {
    "agents": [{"id": f"100{n}", "user": name, "pin": PIN} for n, name in enumerate(("alice", "bob", "carol"), 1)],
    "groups": {"support": {"queues": ["support"]}, "sales": {"queues": ["sales"]}},
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with open_house(tmp_path_factory.mktemp("house"), **SETTINGS) as house:
        world = World(house)
        await world.begin()
        yield world


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def other_world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """One of which nobody asks afterwards what is left of it."""
    async with open_house(tmp_path_factory.mktemp("house"), **SETTINGS) as house:
        world = World(house)
        await world.begin()
        yield world


async def test_every_operation_has_its_row_in_the_table():
    assert sorted(MAY) == EVERY


@pytest.mark.parametrize("name", EVERY)
async def test_an_operation_lets_through_who_may_and_nobody_else(other_world: World, name: str):
    operation = BY_NAME[name]
    body = {"data": b"{}"} if operation.body else {}  # which fits none of them
    for who in sorted(ROLES, key=MAY[name].__contains__):  # who may comes last: what he asks for may be done
        status, answer = await other_world.ask(who, operation.method, other_world.path(operation), **body)
        if who in MAY[name]:
            assert status not in (401, 403, 500), (who, status, answer)
        else:
            expected = (401, "unauthorized") if who == NOBODY else (403, "forbidden")
            assert (status, answer["code"]) == expected, who


# On whom

BOTH = {"1001", "1002"}
SEES = {  # whose agents' sessions, calls and phones
    HIMSELF: {"1001"},
    COLLEAGUE: {"1002"},
    SUPERVISOR: BOTH,
    OF_SUPPORT: {"1001"},
    OF_SALES: {"1002"},
    INTEGRATION: BOTH,
    ADMIN: BOTH,
}
QUEUE_OF = {"1001": "support", "1002": "sales"}


@pytest.mark.parametrize("who", SEES)
async def test_lists_show_what_is_within_reach_and_nothing_else(world: World, who: str):
    h, seen = "/api/v1/handlers/main", SEES[who]
    everybody = {"1003"} if seen == BOTH else set()  # logged on for no group
    assert {each["id"] for each in await world.items(who, f"{h}/agents")} == seen | everybody
    assert {each["agent"] for each in await world.items(who, f"{h}/sessions")} == seen
    assert {each["name"] for each in await world.items(who, f"{h}/queues")} == {QUEUE_OF[each] for each in seen}
    phones = await world.items(who, f"{h}/addresses")
    assert {key for phone in phones for key in phone["sessions"]} == {world.sessions[each] for each in seen}
    groups = {each["name"] for each in await world.items(who, f"{h}/acd-groups")}
    assert groups == ({"support", "sales"} if who in (HIMSELF, COLLEAGUE) else {QUEUE_OF[each] for each in seen})


@pytest.mark.parametrize("who", SEES)
async def test_the_ledger_shows_an_agent_his_own_calls_and_a_supervisor_those_of_his_queues(world: World, who: str):
    rows = await world.items(who, "/api/v1/handlers/main/calls")
    assert {row["agent"] for row in rows if row["agent"]} == SEES[who]
    waiting = {row["queue"] for row in rows if row["agent"] is None}
    assert waiting == (set() if who in (HIMSELF, COLLEAGUE) else {QUEUE_OF[each] for each in SEES[who]})


@pytest.mark.parametrize("query", ["agent=1002", "queue=sales", "call=2.1", "agent=1002&queue=sales&call=2.1"])
@pytest.mark.parametrize("who", [HIMSELF, OF_SUPPORT])
async def test_no_filter_of_the_ledger_leads_to_what_is_out_of_reach(world: World, who: str, query: str):
    rows = await world.items(who, f"/api/v1/handlers/main/calls?{query}")
    assert {row["agent"] for row in rows} <= {"1001"}
    assert {row["queue"] for row in rows} <= {"support"}


@pytest.mark.parametrize("who", SEES)
async def test_the_picture_shows_the_same_as_the_lists(world: World, who: str):
    status, picture = await world.ask(who, "GET", "/api/v1/picture")
    assert status == 200
    [main] = picture["handlers"]
    assert {each["agent"] for each in main["sessions"]} == SEES[who]
    assert {each["name"] for each in main["queues"]} == {QUEUE_OF[each] for each in SEES[who]}
    waiting = {each["call"] for each in main["calls"]}
    mine = {"1001": "1.2", "1002": "2.2"}
    assert waiting == (set() if who in (HIMSELF, COLLEAGUE) else {mine[each] for each in SEES[who]})


async def test_a_supervisor_logs_nobody_on_for_a_group_of_others(world: World):
    path = "/api/v1/handlers/main/agents/1001/sessions"
    body = {"acd_group": "sales", "address": "PJSIP/1009"}
    status, answer = await world.ask(OF_SUPPORT, "POST", path, json=body)
    assert (status, answer["code"]) == (403, "forbidden")
    assert world.house.center.state.agents["1001"].sessions == [world.sessions["1001"]]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("sessions/{session}/acd-group", {"acd_group": "sales"}),
        ("queues/support/calls/1.2/transfer", {"queue": "sales"}),
        ("queues/support/calls/2.2/withdraw", None),
        ("queues/sales/calls/1.2/withdraw", None),
        ("calls/2.2/hangup", None),
        ("calls/2.1/hangup", None),
        ("agents/1002/listen", {"supervisor_address": "PJSIP/1020"}),
        ("notes", {"text": "hello", "groups": ["sales"]}),
        ("notes", {"text": "hello", "groups": ["support", "sales"]}),
        ("notes", {"text": "hello", "agents": ["1002"]}),
        ("queues/support/members/1002", {"penalty": 1}),
        ("queues/sales/members/1001", {"penalty": 1}),
    ],
)
async def test_no_body_and_no_path_leads_a_supervisor_to_other_groups(world: World, path: str, body: Any):
    method = "PUT" if "acd-group" in path or "members" in path else "POST"
    url = f"/api/v1/handlers/main/{path.format(session=world.sessions['1001'])}"
    before = len(world.house.switch.received)
    status, answer = await world.ask(OF_SUPPORT, method, url, json=body)
    assert status in (403, 404), answer
    assert [action["Action"] for action in world.house.switch.received[before:] if action["Action"] != "Ping"] == []


async def test_a_note_to_one_agent_is_not_for_supervisors_of_others(world: World):
    envelopes = {}
    async with contextlib.AsyncExitStack() as stack:
        sockets = {}
        for who in (OF_SUPPORT, OF_SALES, HIMSELF, COLLEAGUE):
            socket = world.house.socket("?type=note", world.tokens[who])
            sockets[who] = await stack.enter_async_context(socket)
        notes = "/api/v1/handlers/main/notes"
        assert (await world.ask(ADMIN, "POST", notes, json={"text": "to 1002", "agents": ["1002"]}))[0] == 201
        assert (await world.ask(ADMIN, "POST", notes, json={"text": "to all"}))[0] == 201
        for who, socket in sockets.items():
            envelopes[who] = [json.loads((await socket.receive(5)).data)["subject"]["text"]]
            while envelopes[who][-1] != "to all":
                envelopes[who].append(json.loads((await socket.receive(5)).data)["subject"]["text"])
    to_him = ["to 1002", "to all"]
    assert envelopes == {OF_SUPPORT: ["to all"], OF_SALES: ["to all"], HIMSELF: ["to all"], COLLEAGUE: to_him}


async def test_somebody_who_is_not_there_is_refused_like_somebody_out_of_reach(world: World):
    for who in (HIMSELF, OF_SUPPORT):
        for path in ("agents/nobody", "sessions/none", "queues/nowhere"):
            assert (await world.ask(who, "GET", f"/api/v1/handlers/main/{path}"))[0] == 403
    assert (await world.ask(SUPERVISOR, "GET", "/api/v1/handlers/main/agents/nobody"))[0] == 404


async def test_what_an_agent_may_do_he_may_do_with_himself_alone(world: World):
    """Also where a query, not the path, names another."""
    for query in ("agent=1002", "group=sales"):
        assert await world.items(HIMSELF, f"/api/v1/handlers/main/sessions?{query}") == []
    assert await world.items(HIMSELF, "/api/v1/handlers/main/agents?group=sales") == []


# Sessions that have ended, agents in two groups, and another Asterisk


async def test_a_session_that_ended_is_within_the_same_reach_as_before(tmp_path):
    async with open_house(tmp_path, **SETTINGS) as house:
        world = World(house)
        await world.begin()
        house.switch.hang_up(Call("1.1", "support"))
        await house.in_state(world.sessions["1001"], "BUSY_WRAPUP")
        await house.call("PUT", f"sessions/{world.sessions['1001']}/wrap-up", {"end": True})
        await house.set_state(world.sessions["1001"], "SESSION_ENDED")
        path = f"/api/v1/handlers/main/sessions/{world.sessions['1001']}"
        allowed = {who for who in SEES if (await world.ask(who, "GET", path))[0] == 200}
        assert allowed == READERS | {HIMSELF}


async def test_of_an_agent_in_two_groups_a_supervisor_of_one_sees_the_session_of_that_one(tmp_path):
    async with open_house(tmp_path, **SETTINGS) as house:
        world = World(house)
        await world.begin()
        second = await house.log_on("1001", "sales", "PJSIP/1011")
        for who, expected in ((OF_SUPPORT, world.sessions["1001"]), (OF_SALES, second)):
            listed = await world.items(who, "/api/v1/handlers/main/agents/1001/sessions")
            assert [each["id"] for each in listed] == [expected]
            _, picture = await world.ask(who, "GET", "/api/v1/picture")
            sessions = {each["id"] for each in picture["handlers"][0]["sessions"] if each["agent"] == "1001"}
            assert sessions == {expected}
            phones = await world.items(who, "/api/v1/handlers/main/addresses")
            assert {each for phone in phones for each in phone["sessions"]} >= {expected}
            assert ({second, world.sessions["1001"]} - {expected}).isdisjoint(
                each for phone in phones for each in phone["sessions"]
            )


async def test_of_an_agent_in_two_groups_a_supervisor_of_one_hears_no_call_of_the_other(tmp_path):
    async with open_house(tmp_path, **SETTINGS) as house:
        world = World(house)
        await world.begin()
        await house.log_on("1001", "sales", "PJSIP/1011")
        listen, body = "/api/v1/handlers/main/agents/1001/listen", {"supervisor_address": "PJSIP/1020"}
        status, answer = await world.ask(OF_SALES, "POST", listen, json=body)  # his present call is one of support
        assert (status, answer["code"]) == (403, "forbidden")
        assert (await world.ask(OF_SUPPORT, "POST", listen, json=body))[0] != 403


async def test_an_agent_is_nobody_at_another_asterisk(tmp_path):
    """Though there is an agent of the same id, and a session of the same name cannot be told from his by its path."""
    async with open_house(tmp_path, **SETTINGS) as house, Switch("support", "sales") as switch:
        settings = HandlerSettings.model_validate(SETTINGS | {"port": switch.port, "secret": switch.secret})
        branch = make_handler("branch", settings, house.store)
        run = asyncio.create_task(branch.service.run())
        try:
            house.app = make_app({"main": house.handler, "branch": branch}, house.store, TOKEN)
            async with live(house, linked=False):
                await until(lambda: branch.center.state.linked, what="linked")
                world = World(house)
                await world.begin()
                for name in EVERY:
                    operation = BY_NAME[name]
                    if "{handler}" in operation.path:
                        path = world.path(operation, "branch")
                        status, answer = await world.ask(HIMSELF, operation.method, path)
                        assert (status, answer["code"]) == (403, "forbidden"), name
                assert [each["name"] for each in await world.items(HIMSELF, "/api/v1/handlers")] == ["main"]
                _, picture = await world.ask(HIMSELF, "GET", "/api/v1/picture")
                assert [each["name"] for each in picture["handlers"]] == ["main"]
        finally:
            await branch.service.close()
            await run
