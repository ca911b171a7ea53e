"""What one Asterisk does wrong, another does not feel: of two, the manager interface of the second misbehaves."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from acd import pace
from tests.asterisk.fake_ami import event
from tests.helpers import until
from tests.web.house import PHONE, House, open_house
from tests.web.switch import Call, Switch

BRANCH = "/api/v1/handlers/branch"


@asynccontextmanager
async def two(folder: Path, switch: Switch, **settings: Any) -> AsyncIterator[House]:
    """A house whose second Asterisk is this one; the first is linked, the second as far as it gets."""
    async with open_house(folder, branch=switch, linked=False, **settings) as house:
        runs = [asyncio.create_task(each.service.run()) for each in house.handlers.values()]
        try:
            await until(lambda: house.center.state.linked, what="main is linked")
            yield house
        finally:
            for each in house.handlers.values():
                await each.service.close()
            await asyncio.gather(*runs)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with Switch("support", "orders") as switch, two(tmp_path, switch) as house:
        await until(lambda: house.branch.center.state.linked, what="branch is linked")
        yield house


async def all_goes_on(house: House) -> None:
    """A log-on, a command, a call with its events and figures, the stream and a report: all at main."""
    async with house.socket("?type=agent-session,call&after=0") as stream:
        key = await house.ready()
        call = Call("1.1", "support")
        house.switch.take(call)
        await house.in_state(key, "BUSY_ON_CALL")
        house.switch.hang_up(call)
        await house.in_state(key, "BUSY_WRAPUP")
        assert (await house.call("PUT", f"sessions/{key}/wrap-up", {"end": True})).status == 200
        told: set[str] = set()
        while not told >= {"BUSY", "WRAPUP", "ANSWERED", "COMPLETED"}:
            envelope = await stream.receive_json(timeout=5)
            told |= {envelope["event"]} if envelope["handler"] == "main" else set()
    (row,) = (await house.get("/api/v1/reports/queues?queue=support&by=all"))["items"]
    assert row["handled"] >= 1


async def log_on_at_branch(house: House) -> str:
    await house.call("POST", f"{BRANCH}/agents", {"user": "bob"})
    body = {"acd_group": "support", "address": PHONE}
    answer = await house.call("POST", f"{BRANCH}/agents/bob/sessions", body)
    assert answer.status == 201, answer.text
    return str(answer.body["id"])


async def test_one_that_is_down_is_refused_at_once_and_acd_is_ready_all_the_same(tmp_path):
    switch = Switch("support")
    switch.port = 9  # nobody listens
    async with two(tmp_path, switch) as house:
        await house.call("POST", f"{BRANCH}/agents", {"user": "bob"})
        answer = await house.call("POST", f"{BRANCH}/agents/bob/sessions", {"acd_group": "x", "address": PHONE})
        assert answer.status == 404  # what is known of it is what was known before
        await all_goes_on(house)
        ready = await house.call("GET", "/readyz", token=None)
        assert (ready.status, ready.body["linked"]) == (200, {"main": True, "branch": False})
        assert 'acd_linked{handler="branch"} 0.0' in (await house.call("GET", "/metrics")).text


async def test_one_that_takes_the_connection_and_never_says_a_word_keeps_nobody_waiting(tmp_path):
    async with Switch("support") as switch:
        switch.silent = switch.deaf = True
        async with two(tmp_path, switch) as house:
            await until(lambda: switch.connects, what="it was called")
            await all_goes_on(house)
            assert not house.branch.center.state.linked


async def test_one_that_falls_silent_answers_its_own_commands_with_504_in_time(house: House):
    key = await log_on_at_branch(house)
    await house.call("PUT", f"{BRANCH}/agents/bob/state", {"state": "READY"})
    house.branch.switch.silent = True
    asked = asyncio.create_task(house.call("PUT", f"{BRANCH}/sessions/{key}/state", {"state": "READY"}))
    await all_goes_on(house)
    answer = await asyncio.wait_for(asked, 10)
    assert (answer.status, answer.body["code"]) == (504, "asterisk-silent")


async def test_one_that_was_cut_off_refuses_its_commands_with_503_at_once(house: House):
    key = await log_on_at_branch(house)
    await house.branch.switch.__aexit__()
    await until(lambda: not house.branch.center.state.linked, what="branch is lost")
    answer = await house.call("PUT", f"{BRANCH}/sessions/{key}/state", {"state": "READY"})
    assert (answer.status, answer.body["code"]) == (503, "not-linked")
    await all_goes_on(house)


GARBAGE = [b"\xff\x00\xfe" * 500 + b"\r\n\r\n", b"Event: " + b"x" * 5000 + b"\r\n\r\n", b"\r\n" * 100, b"a: b\r\n\r\n"]


def a_caller(number: int) -> bytes:
    """Comes, and hangs up at once."""
    own = {"Uniqueid": f"f.{number}", "Linkedid": f"f.{number}", "Channel": f"PJSIP/trunk-{number}"}
    return b"".join(
        event(name, **own, Queue="support", Position=1, Count=1, CallerIDNum="1", ChannelState=6)
        for name in ("QueueCallerJoin", "HangupRequest", "QueueCallerAbandon", "QueueCallerLeave", "Hangup")
    )


FLOODS = {
    "garbage": lambda number: GARBAGE[number % len(GARBAGE)],
    "unwanted events": lambda _: event("RTCPSent", SSRC="0x1234") * 50,
    "callers": lambda number: b"".join(a_caller(10 * number + each) for each in range(10)),
}


@pytest.fixture
def small_steps(monkeypatch) -> Iterator[None]:
    """So that a short flood is one."""
    monkeypatch.setattr(pace, "AHEAD", 100)
    yield


@pytest.mark.parametrize("kind", FLOODS)
async def test_one_that_floods_keeps_nobody_waiting(house: House, small_steps, kind):
    over, sent = asyncio.Event(), 0

    async def flood() -> None:
        nonlocal sent
        while not over.is_set():
            for writer in list(house.branch.switch._open):
                writer.write(FLOODS[kind](sent))
                with suppress(ConnectionError, TimeoutError):
                    await asyncio.wait_for(writer.drain(), 0.05)
            sent += 1
            await asyncio.sleep(0)

    flooding = asyncio.create_task(flood())
    link = house.branch.handler.service.link
    try:
        before = await heard(link)
        await all_goes_on(house)
        await heard(link, before)  # it went on all the time
    finally:
        over.set()
        await flooding


async def heard(link: Any, before: int = 0) -> int:
    await until(lambda: link.stats.messages + link.stats.broken > before + 10, what="the flood is heard")
    return int(link.stats.messages + link.stats.broken)


async def test_the_calls_of_a_flood_are_counted_all_the_same(house: House, small_steps):
    for number in range(300):
        house.branch.switch.push(a_caller(number))

    link = house.branch.handler.service.link
    await until(lambda: link.stats.wanted >= 1500, 20, what="all is heard")
    (row,) = (await house.get("/api/v1/reports/queues?queue=support&by=all"))["items"]
    assert row["entered"] == 300
