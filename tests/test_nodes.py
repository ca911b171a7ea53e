"""Several nodes on one PostgreSQL database and one Asterisk: one leads, all tell, and any takes over."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from sqlalchemy.exc import OperationalError

from acd.core.refusals import NotLinked
from acd.store import InUse, Store
from acd.store.leases import HOUSE, VALID, Node
from acd.web.requests import WEBHOOKS
from tests.databases import PostgresDatabase
from tests.e2e.containers import Postgres, free_ports
from tests.helpers import until
from tests.test_store import an_event
from tests.web.house import PHONE, PIN, House, Server, settings_for
from tests.web.switch import Call, Switch

pytestmark = pytest.mark.e2e
TAKES_OVER_WITHIN = 5.0  # seconds


class Site:
    """Nodes that use one database and one Asterisk; they end with the test."""

    def __init__(self, switch: Switch, database: PostgresDatabase) -> None:
        self.switch, self.database = switch, database
        self.settings: dict[str, object] = {}  # of the handler
        self._running: dict[str, AsyncExitStack] = {}

    async def begin(self, name: str) -> House:
        stack = self._running[name] = AsyncExitStack()
        return await stack.enter_async_context(self._node(name))

    async def end(self, *names: str) -> None:
        """SIGTERM; without names that of all."""
        for name in names or list(self._running):
            await self._running.pop(name).aclose()

    @asynccontextmanager
    async def _node(self, name: str) -> AsyncIterator[House]:
        port = free_ports(1)
        store = Store(self.database.url, node=Node(name, f"http://127.0.0.1:{port}"))
        store.open()
        try:
            house = House(self.switch, store, settings_for(self.switch, **self.settings))
            async with TestClient(Server(house.app, port=port)) as house.client:
                yield house
        finally:
            store.close()


@pytest.fixture
def database(postgres: Postgres) -> Iterator[PostgresDatabase]:
    with PostgresDatabase.made(postgres) as database:
        yield database


@pytest.fixture
async def switch() -> AsyncIterator[Switch]:
    async with Switch("support", "sales") as switch:
        yield switch


@pytest.fixture
async def site(switch: Switch, database: PostgresDatabase) -> AsyncIterator[Site]:
    site = Site(switch, database)
    yield site
    await site.end()


@pytest.fixture
async def two(site: Site) -> tuple[House, House]:
    """The node that leads, and another one."""
    first = await site.begin("one")
    await leading(first)
    return first, await site.begin("two")


async def leading(node: House, seconds: float = TAKES_OVER_WITHIN) -> None:
    """It leads everything, and is linked."""
    await until(lambda: node.nodes.leads("main") and node.nodes.leads(HOUSE), seconds, "it leads")
    await until(lambda: node.center.state.linked, seconds, "it is linked")


async def known_to(*nodes: House) -> None:
    """Each has taken in what any of them did up to now."""
    for node in nodes:
        await node.store.written()
    for node in nodes:
        await node.nodes.catch_up()


def cut_off(node: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """It no longer reaches the database."""

    def away(*_: object, **__: object) -> None:
        raise OperationalError("", None, Exception("no route to the database"))

    monkeypatch.setattr(node.store._engine, "connect", away)
    monkeypatch.setattr(node.store._engine, "begin", away)


# Who leads


async def test_one_node_is_linked_and_the_other_knows_all_that_it_knows(two, switch):
    first, second = two
    session = await first.ready()
    call = Call("1.1", "support")
    switch.take(call)
    await first.in_state(session, "BUSY_ON_CALL")
    await known_to(first, second)
    assert switch.open_connections == 1
    assert second.session(session).state.name == "BUSY_ON_CALL"
    assert (await second.get(""))["linked"] is True
    await until(lambda: second.feed.seq == first.feed.seq == first.feed.stats.published, what="the same is told")
    assert await second.get("calls") == await first.get("calls")


async def test_a_node_that_is_the_first_need_not_wait(site):
    began = time.monotonic()
    await leading(await site.begin("one"))
    assert time.monotonic() - began < VALID


async def test_a_command_at_any_node_is_carried_out_and_seen_there(two, switch):
    first, second = two
    session = await second.ready()
    assert second.session(session).state.name == "READY"
    assert first.session(session).state.name == "READY"
    assert not switch.queues["support"][PHONE].paused
    assert (await second.refused("PUT", f"sessions/{session}/state", {"state": "BUSY_WRAPUP"})).status == 409
    assert (await second.refused("PUT", "sessions/nobody/state", {"state": "READY"})).status == 404


async def test_what_there_is_not_is_not_there_at_any_node(two):
    _, second = two
    assert (await second.call("PUT", "/api/v1/handlers/nobody/sessions/x/state", {"state": "READY"})).status == 404
    assert (await second.call("DELETE", "/api/v1/tokens/nobody")).status == 404


async def test_a_command_is_written_down_once_with_who_asked_and_from_where(two):
    first, second = two
    await second.ready()
    log = (await first.get("/api/v1/audit-log"))["items"]
    assert [(each["method"], each["status"], each["source"]) for each in log] == [
        ("PUT", 200, "127.0.0.1"),
        ("PUT", 200, "127.0.0.1"),
        ("POST", 201, "127.0.0.1"),
        ("POST", 201, "127.0.0.1"),
    ]


async def test_nobody_passes_for_a_node_who_does_not_know_the_token(two):
    _, second = two
    answer = await second.send("POST", "agents", b'{"user": "alice"}', token=None, **{"Acd-Node": "guessed"})
    assert answer.status == 401
    answer = await second.send("POST", "agents", b'{"user": "alice"}', **{"X-Forwarded-For": "10.1.2.3"})
    assert answer.status == 201
    (command,) = (await second.get("/api/v1/audit-log"))["items"]
    assert command["source"] == "127.0.0.1"


# Taking over


async def test_a_node_that_ends_in_good_order_is_followed_at_once_and_its_calls_go_on(two, site, switch):
    first, second = two
    session, call = await first.on_a_call()
    switch.show_talking(call)
    began = time.monotonic()
    await site.end("one")
    await leading(second)
    assert time.monotonic() - began < VALID
    await second.in_state(session, "BUSY_ON_CALL")
    switch.hang_up(call)
    await second.in_state(session, "BUSY_WRAPUP")
    (row,) = (await second.get("calls"))["items"]
    assert (row["call"], row["agent"], row["outcome"]) == (call.id, "1001", "answered")


async def test_a_leader_that_loses_the_database_stops_and_another_takes_over(two, switch, monkeypatch):
    first, second = two
    session = await first.ready()
    await known_to(first, second)
    cut_off(first, monkeypatch)
    began = time.monotonic()
    await leading(second)
    assert time.monotonic() - began < TAKES_OVER_WITHIN
    await until(lambda: not first.nodes.leads("main"), what="the first has stepped down")
    assert switch.open_connections == 1
    assert (await first.get(""))["linked"] is False
    assert (await first.get("agents/1001"))["state"] == "UNKNOWN"
    assert (await first.refused("PUT", f"sessions/{session}/state", {"state": "NOT_READY"})).status == 503


async def test_a_leader_whose_database_is_back_follows_and_knows_what_happened_meanwhile(two, switch):
    first, second = two
    session = await first.ready()
    with pytest.MonkeyPatch.context() as patch:
        cut_off(first, patch)
        await leading(second)
        await until(lambda: not first.nodes.leads("main"), what="the first has stepped down")
        switch.take(Call("1.1", "support"))
        await second.in_state(session, "BUSY_ON_CALL")
    await until(lambda: first.center.state.linked, what="it follows")
    await first.in_state(session, "BUSY_ON_CALL")
    await until(lambda: first.feed.seq == second.feed.seq, what="it tells the same")


async def test_a_node_that_follows_and_loses_the_database_shows_nothing_old_as_new(two):
    first, second = two
    await first.ready()
    await known_to(first, second)
    with pytest.MonkeyPatch.context() as patch:
        cut_off(second, patch)
        await until(lambda: not second.center.state.linked, 10, "it knows that it knows nothing")
        assert (await second.get("agents/1001"))["state"] == "UNKNOWN"
        assert (await second.call("GET", "/readyz")).status == 503
    await until(lambda: second.center.state.linked, 10, "it follows again")
    assert (await second.get("agents/1001"))["state"] == "READY"
    assert first.nodes.leads("main")


async def test_what_a_leader_makes_after_it_was_replaced_is_not_written(two, monkeypatch):
    first, second = two
    await known_to(first, second)
    monkeypatch.setattr(first.nodes, "_is_good", lambda _name: True)
    with monkeypatch.context() as patch:
        patch.setattr(first.nodes, "_turn", asyncio.Event().wait)  # as one that was frozen, and does not know it yet
        await leading(second)
        assert first.nodes.leads("main")
        first.store.append("main", an_event(1))
        await first.store.written()
        assert an_event(1) not in second.store.load("main")[1]
        second.store.append("main", an_event(2))
        await second.store.written()
        assert second.store.load("main")[1][-1] == an_event(2)


async def test_a_node_that_does_not_reach_asterisk_lets_another_one_try(two, switch, monkeypatch):
    first, second = two

    async def unreachable() -> None:
        raise OSError("no route to Asterisk")

    monkeypatch.setattr(first.service.link, "_connect", unreachable)
    switch.cut()
    await until(lambda: second.nodes.leads("main"), 15, "the other tries")
    await until(lambda: second.center.state.linked, what="it is linked")


async def test_orders_are_not_sent_by_a_node_that_may_have_been_replaced(two, switch, monkeypatch):
    first, _ = two
    session = await first.ready()
    monkeypatch.setattr(first.service, "may_act", lambda: False)
    orders = len(switch.orders())
    with pytest.raises(NotLinked):
        await first.handler.commands.set_session_state(session, first.session(session).state.NOT_READY, "lunch")
    assert len(switch.orders()) == orders


# The stream


async def test_the_stream_is_the_same_at_every_node_and_goes_on_at_another_one_without_a_gap(two, site):
    first, second = two
    start = first.feed.seq
    heard = []
    async with first.socket(f"?after={start}") as socket:
        await first.ready()
        while len(heard) < 3:
            heard.append(await socket.receive_json(timeout=5))
    await site.end("one")
    await leading(second)
    await second.ready(agent="1002")
    async with second.socket(f"?after={heard[-1]['seq']}") as socket:
        while not any(each["event"] == "READY" and each["subject"].get("agent") == "1002" for each in heard):
            heard.append(await socket.receive_json(timeout=5))
    assert [each["seq"] for each in heard] == list(range(start + 1, start + 1 + len(heard)))


async def test_who_has_heard_more_than_a_node_knows_by_now_waits_there_for_what_follows(two):
    first, second = two
    await first.ready()
    await first.store.written()
    async with second.socket(f"?after={first.store.stream_number()}") as socket:
        await first.ready(agent="1002")
        envelope = await socket.receive_json(timeout=5)
        assert envelope["type"] != "reset"


async def test_who_asks_for_what_no_node_has_told_begins_anew(two):
    _, second = two
    async with second.socket("?after=999999") as socket:
        assert (await socket.receive_json(timeout=5))["type"] == "reset"


# Who may come in


async def test_a_token_of_one_node_is_good_at_the_other_and_gone_at_both(two):
    first, second = two
    made = (await second.call("POST", "/api/v1/tokens", {"name": "a board", "role": "integration"})).body
    for node in (first, second):
        assert (await node.call("GET", "agents", token=made["token"])).status == 200
    assert (await second.call("DELETE", f"/api/v1/tokens/{made['id']}")).status == 204
    assert (await second.call("GET", "agents", token=made["token"])).status == 401
    assert (await first.call("GET", "agents", token=made["token"])).status == 401


async def test_an_agent_logs_in_at_any_node_and_his_new_pin_is_good_at_all(two):
    first, second = two
    await first.agent()
    await known_to(first, second)
    for node, pin in ((second, PIN), (first, "8765")):
        async with node.client.post("/api/v1/session", json={"agent": "1001", "pin": pin}) as answer:
            assert answer.status == 201, await answer.text()
            cookie = answer.cookies["acd_session"].value
        for other in (first, second):
            await known_to(first, second)
            async with other.client.get("/api/v1/session", cookies={"acd_session": cookie}) as answer:
                assert answer.status == 200
        assert (await second.call("PUT", "agents/1001/pin", {"pin": "8765"})).status == 204


async def test_five_wrong_pins_lock_at_all_nodes_together(two):
    first, second = two
    await first.agent()
    for node in (first, second) * 3:
        async with node.client.post("/api/v1/session", json={"agent": "1001", "pin": "0000"}) as answer:
            last = (await answer.json())["code"]
    assert last == "pin-locked"


async def test_a_phone_in_a_browser_is_lent_by_the_node_that_its_page_talks_to(site, tmp_path):
    accounts = tmp_path / "browser_phones"
    accounts.write_text("PJSIP/1101 first-secret\n")
    site.settings = {"sip_websocket": "ws://127.0.0.1:1/ws", "browser_phones_file": accounts}
    first, second = await site.begin("one"), await site.begin("two")
    await leading(first)
    await second.agent()
    wanted = {"name": "a page", "role": "agent", "handler": "main", "agent": "1001"}
    token = (await second.call("POST", "/api/v1/tokens", wanted)).body["token"]
    lent = await second.call("POST", "agents/1001/browser-phone", token=token)
    assert (lent.status, lent.body["address"]) == (200, "PJSIP/1101")
    assert second.handler.phones.users("1001", second.center.state) == {"1101"}


async def test_a_webhook_is_posted_to_by_one_node_and_then_by_the_next(two, site):
    _, second = two
    got = []

    async def take(request: web.Request) -> web.Response:
        got.extend(each["seq"] for each in (await request.json())["envelopes"])
        return web.Response()

    app = web.Application()
    app.router.add_post("/", take)
    async with TestClient(Server(app)) as receiver:
        made = await second.call("POST", "/api/v1/webhooks", {"url": str(receiver.make_url("/"))})
        assert made.status == 201, made.text
        await second.ready()
        await until(lambda: got, what="posted")
        await site.end("one")
        await leading(second)
        await second.ready(agent="1002")
        await known_to(second)
        await until(lambda: got and got[-1] == second.feed.seq, what="all is posted")
    assert sorted(set(got)) == list(range(got[0], second.feed.seq + 1))
    assert len(second.app[WEBHOOKS].all()) == 1


# Alone, or one of several


async def test_an_acd_that_is_alone_and_nodes_do_not_share_a_database(site, database):
    with database.opened(), pytest.raises(InUse):
        await site.begin("one")
    await site.begin("one")
    with pytest.raises(InUse), database.opened():
        pass


async def test_what_one_wrote_alone_is_there_for_nodes_and_the_other_way_round(site, database):
    with database.opened() as store:
        store.append("main", an_event(1))
    node = await site.begin("one")
    await leading(node)
    session = await node.ready()
    await site.end("one")
    with database.opened() as store:
        state, _ = store.load("main")
        assert session in state.sessions


def test_a_file_cannot_be_shared_by_nodes(tmp_path):
    with pytest.raises(ValueError, match="PostgreSQL"):
        Store(f"sqlite:///{tmp_path}/acd.db", node=Node("one", "http://127.0.0.1:1")).open()


async def test_a_node_that_stands_still_while_it_writes_holds_nobody_up(two):
    first, second = two
    await known_to(first, second)
    leases = first.store.leases
    with (
        first.store._engine.connect() as connection,
        connection.begin() as writing,
        pytest.MonkeyPatch.context() as patch,
    ):
        held = {(name, leases.fence(name)) for name in ("main", HOUSE)}
        assert set(leases.admitted(connection, held)) == held  # as in the midst of a transaction
        connection.exec_driver_sql("SET idle_in_transaction_session_timeout = 0")
        cut_off(first, patch)
        began = time.monotonic()
        await leading(second)
        assert time.monotonic() - began < TAKES_OVER_WITHIN
        with pytest.raises(OperationalError):
            writing.commit()
