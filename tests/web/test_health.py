"""Health, and what goes wrong inside: the probes tell it, and no answer carries a stack."""

import asyncio
import contextlib
import itertools
import logging
import sqlite3
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from tests.helpers import until
from tests.web.house import House, open_house


@pytest.fixture
def database(tmp_path: Path) -> str:
    return str(tmp_path / "acd.db")


def rename(database: str, old: str, new: str) -> None:
    """A database that cannot take events for a while: their table has another name."""
    with sqlite3.connect(database) as connection:
        connection.execute(f"ALTER TABLE {old} RENAME TO {new}")
    connection.close()


async def test_the_probes_need_no_token(house: House):
    for path in ("/healthz", "/readyz"):
        assert (await house.call("GET", path, token=None)).status == 200
        assert (await house.call("GET", path, token="wrong")).status == 200


async def test_it_is_ready_when_linked_with_its_store_writable(house: House):
    assert (await house.call("GET", "/healthz", token=None)).body == {"status": "ok"}
    answer = await house.call("GET", "/readyz", token=None)
    assert (answer.status, answer.body) == (200, {"ready": True, "linked": {"main": True}, "store": "ok"})


async def test_it_lives_but_is_not_ready_before_the_link_is_there(tmp_path):
    async with open_house(tmp_path, linked=False) as house:
        assert (await house.call("GET", "/healthz", token=None)).status == 200
        answer = await house.call("GET", "/readyz", token=None)
        assert (answer.status, answer.body["ready"], answer.body["linked"]) == (503, False, {"main": False})


async def test_it_is_not_ready_while_asterisk_is_away_and_ready_again_after_it(house: House):
    await house.switch.__aexit__()
    await until(lambda: not house.center.state.linked)
    answer = await house.call("GET", "/readyz", token=None)
    assert (answer.status, answer.body["linked"]) == (503, {"main": False})
    assert (await house.call("GET", "/healthz", token=None)).status == 200
    await house.switch.__aenter__()
    await until(lambda: house.center.state.linked, what="linked again")
    assert (await house.call("GET", "/readyz", token=None)).status == 200


async def test_it_is_not_ready_while_the_picture_is_not_taken(tmp_path):
    async with open_house(tmp_path, lambda switch: switch.answers.update(CoreShowChannels=None), linked=False) as house:
        run = asyncio.create_task(house.service.run())
        await until(lambda: "CoreShowChannels" in house.switch.names())
        assert (await house.call("GET", "/readyz", token=None)).status == 503
        await house.service.close()
        await run


async def test_while_the_store_cannot_be_written_nothing_is_changed_and_the_probe_tells(
    house: House, database, monkeypatch
):
    monkeypatch.setattr("acd.web.requests.WRITTEN_WITHIN", 0.2)
    key = await house.ready()
    await house.store.written()
    rename(database, "event", "elsewhere")
    house.switch.tell("DeviceStateChange", Device="PJSIP/1001", State="NOT_INUSE")
    await until(lambda: house.store.problem, what="problem told")
    ready = await house.call("GET", "/readyz", token=None)
    assert (ready.status, ready.body["ready"], ready.body["linked"]) == (503, False, {"main": True})
    assert "no such table" in ready.body["store"]
    answer = await house.refused("PUT", f"sessions/{key}/state", {"state": "NOT_READY"})
    assert (answer.status, answer.body["code"], answer.body["lineerr"]) == (503, "store-failed", "0x8000004B")
    assert (await house.get(f"sessions/{key}"))["state"] == "READY"
    calls = await house.refused("GET", "calls")
    assert (calls.status, calls.body["code"]) == (503, "store-failed")

    rename(database, "elsewhere", "event")
    await until(lambda: house.store.problem is None, what="store well again")
    assert (await house.call("GET", "/readyz", token=None)).status == 200
    assert (await house.call("PUT", f"sessions/{key}/state", {"state": "NOT_READY"})).status == 200


async def test_a_ledger_that_too_much_waits_for_is_told_to_be_so(tmp_path, database, monkeypatch):
    monkeypatch.setattr("acd.store.MOST_WAITING", 10)
    async with open_house(tmp_path) as house:
        await until(lambda: not house.store.waiting, what="all is written")
        with contextlib.closing(sqlite3.connect(database)) as other:
            other.execute("BEGIN IMMEDIATE")
            for number in range(30):
                house.switch.tell("DeviceStateChange", Device=f"PJSIP/{number}", State="NOT_INUSE")
            await until(lambda: house.store.gaps)
            answer = await house.refused("GET", "calls")
            assert (answer.status, answer.body["code"]) == (503, "store-failed")
            other.rollback()
        await until(lambda: not house.store.waiting and house.store.problem is None, what="the database is back")
        all_of_them, later = {f"PJSIP/{number}" for number in range(30)}, itertools.count()

        def made_good() -> bool:
            house.switch.tell("DeviceStateChange", Device=f"PJSIP/later-{next(later)}", State="NOT_INUSE")
            return all_of_them <= set(house.store.load("main")[0].devices)

        await until(made_good, seconds=20, what="a checkpoint stands in for the events that were given up")
        assert not house.store.gaps


async def test_a_ledger_that_cannot_be_read_is_told_without_a_stack(house: House, database, caplog):
    await house.store.written()
    rename(database, "call", "elsewhere")
    answer = await house.refused("GET", "calls")
    assert answer.status in (500, 503)
    assert "sqlite" not in answer.text.lower() and "select" not in answer.text.lower()


async def test_a_failure_inside_is_a_500_without_a_word_of_it(house: House, caplog):
    async def failing(_: web.Request) -> web.Response:
        raise RuntimeError("the secret is 4711")

    app = web.Application(middlewares=house.app.middlewares)
    app.router.add_get("/boom", failing)
    async with TestClient(TestServer(app)) as client:
        answer = await client.get("/boom", headers={"Authorization": "Bearer a token for tests"})
        body = await answer.json()
    assert (answer.status, answer.content_type) == (500, "application/problem+json")
    assert body["code"] == "internal-error"
    assert not {"4711", "Traceback", "RuntimeError", "test_health"} & set(str(body).replace(".", " ").split())
    assert [record.levelno for record in caplog.records if record.exc_info] == [logging.ERROR]


async def test_the_metrics_tell_what_waits_and_what_was_held_back(house: House):
    house.switch.tell("QueueCallerJoin", Queue="support")  # without a Uniqueid
    await until(lambda: house.service.broken == 1)
    answer = await house.call("GET", "/metrics")
    assert answer.status == 200
    lines = dict(line.rsplit(" ", 1) for line in answer.text.splitlines() if not line.startswith("#"))
    assert float(lines['acd_linked{handler="main"}']) == 1
    assert float(lines['acd_messages_malformed_total{handler="main"}']) == 1
    assert float(lines["acd_store_waiting_limit"]) == 200_000
    assert float(lines['acd_known{handler="main",kind="queues"}']) == len(house.center.state.queues)
    assert float(lines["acd_store_given_up_total"]) == 0
    assert (await house.call("GET", "/metrics", token=None)).status == 401
