"""A handler at work: restarts in the midst of everything, odd messages, orders that are sent once."""

import asyncio
import logging
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from sqlalchemy import make_url

from acd.core import events as ev
from acd.core.views import agent_view, session_view
from acd.settings import HandlerSettings
from acd.store import Store
from tests.asterisk.fake_ami import block, error
from tests.helpers import until
from tests.web.house import PHONE, House, live, open_house
from tests.web.switch import Call, Member, Switch


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as house:
        yield house


def database(store: Store) -> str:
    return str(make_url(store.url).database)


@asynccontextmanager
async def restarted(
    house: House, *, killed: bool = False, linked: bool = True, **settings: object
) -> AsyncIterator[House]:
    """A new process with the same database and Asterisk; of one that was killed only what is on disk is left."""
    await house.store.written()
    store = house.store
    if killed:
        store = Store(f"{house.store.url}.killed")
        with closing(sqlite3.connect(database(house.store))) as disk, closing(sqlite3.connect(database(store))) as copy:
            disk.backup(copy)
        store.open()
    await house.service.close()
    defaults = {
        "port": house.switch.port,
        "secret": house.switch.secret,
        "groups": {"support": {"queues": ["support"]}},
    }
    again = House(house.switch, store, HandlerSettings.model_validate(defaults | settings))
    try:
        async with live(again, linked=linked):
            yield again
    finally:
        if killed:
            store.close()


def figures(house: House, key: str) -> tuple:
    """Everything about a session and its agent that does not grow with time alone."""
    session = house.session(key)
    view = session_view(house.center, session, session.started)
    agent = agent_view(house.center, house.center.state.agents["1001"], 2e9)
    return view, agent.number_of_acd_calls, agent.total_acd_talk_time_exact, agent.total_wrap_up_time_exact


# Restarts


@pytest.mark.parametrize("killed", [False, True], ids=["in good order", "killed"])
async def test_a_restart_in_the_middle_of_a_call_keeps_every_figure(house: House, killed):
    key, first = await house.on_a_call()
    house.switch.hang_up(first)
    await house.in_state(key, "BUSY_WRAPUP")
    await house.call("PUT", f"sessions/{key}/wrap-up", {"end": True})
    call, began = Call("2.2", "support"), time.time()
    house.switch.join(call, began - 3.25)
    house.switch.ring(call, began - 2)
    house.switch.answer(call, began)
    await house.in_state(key, "BUSY_ON_CALL")
    await until(lambda: house.switch.queues["support"][PHONE].paused)
    before = house.session(key).tally.calls, house.session(key).tally.wrap_up
    house.switch.show_talking(call)

    async with restarted(house, killed=killed) as again:
        assert again.session(key).state.name == "BUSY_ON_CALL"
        assert again.center.state.agents["1001"].state.name == "BUSY_ACD"
        assert (again.session(key).tally.calls, again.session(key).tally.wrap_up) == before
        house.switch.hang_up(call, began + 30.5)
        await again.in_state(key, "BUSY_WRAPUP")
        tally = again.session(key).tally
        assert tally.calls == before[0] + 1
        await again.store.written()
        rows = {row["call"]: row for row in again.store.calls("main", start=0, end=2e12)}
        assert rows["2.2"]["wait_time"] == pytest.approx(3.25, abs=1e-5)
        assert (rows["2.2"]["estimated"], rows["1.1"]["outcome"]) == (False, "answered")
        assert tally.talk == pytest.approx(30.5 + rows["1.1"]["talk_time"], abs=1e-5)
        assert tally.longest_to_answer == pytest.approx(2, abs=1e-5)


async def test_a_call_that_ended_while_acd_was_down_is_over_after_the_restart(house: House):
    key, call = await house.on_a_call()
    async with restarted(house) as again:  # and Asterisk shows no channels
        await again.in_state(key, "BUSY_WRAPUP")
        await again.call("PUT", f"sessions/{key}/wrap-up", {"end": True})
        await again.in_state(key, "READY")
        await again.store.written()
        (row,) = again.store.calls("main", start=0, end=2e12)
        assert (row["call"], row["estimated"], row["outcome"]) == (call.id, True, "answered")


@pytest.mark.parametrize("killed", [False, True], ids=["in good order", "killed"])
async def test_a_restart_in_the_middle_of_wrap_up_keeps_its_end(house: House, killed):
    key, _ = await house.in_wrap_up()
    end, before = house.session(key).wrap_up_until, figures(house, key)
    async with restarted(house, killed=killed) as again:
        assert again.session(key).state.name == "BUSY_WRAPUP"
        assert again.session(key).wrap_up_until == end
        assert again.switch.queues["support"][PHONE].paused
        assert figures(again, key) == before
        answer = await again.call("PUT", f"sessions/{key}/wrap-up", {"end": True})
        assert (answer.status, answer.body["state"]) == (200, "READY")
        assert not again.switch.queues["support"][PHONE].paused


async def test_a_wrap_up_that_ends_while_acd_is_down_ends_when_it_was_due(tmp_path):
    async with open_house(tmp_path, wrap_up=0.3) as house:
        key, _ = await house.in_wrap_up()
        began = house.session(key).wrap_up_from
        await house.service.close()
        await until(lambda: time.time() > began + 0.3)
        async with restarted(house, wrap_up=0.3) as again:
            await again.in_state(key, "READY")
            assert again.session(key).tally.wrap_up >= 0.3 - 1e-6
            assert not again.switch.queues["support"][PHONE].paused


async def test_a_restart_while_a_phone_rings_still_books_the_answer(house: House):
    key, call, began = await house.ready(), Call("1.1", "support"), time.time()
    house.switch.join(call, began)
    house.switch.ring(call, began + 1)
    await until(lambda: house.center.state.ringing)
    entry = {"Queue": "support", "Position": "1", "Channel": "PJSIP/trunk-1.1", "Uniqueid": call.id, "Wait": "2"}
    house.switch.entries.append(entry)
    house.switch.show_talking(call)
    for channel in house.switch.channels:
        channel |= {"BridgeId": "", "ChannelState": "5"}
    async with restarted(house) as again:
        again.switch.answer(call, began + 4.5)
        await again.in_state(key, "BUSY_ON_CALL")
        visit = next(iter(again.center.state.visits.values()))
        assert visit.wait == pytest.approx(4.5, abs=1e-5)
        again.switch.hang_up(call, began + 10)
        await until(lambda: again.session(key).tally.calls == 1)
        assert again.session(key).tally.longest_to_answer == pytest.approx(3.5, abs=1e-5)


async def test_sessions_survive_a_restart_and_nothing_is_ordered_that_is_so_already(house: House):
    key = await house.ready("both")
    sent = house.switch.orders()
    async with restarted(house) as again:
        assert (again.session(key).state.name, again.session(key).joined) == ("READY", True)
        assert again.center.state.agents["1001"].state.name == "READY"
        assert house.switch.orders() == sent


async def test_with_asterisk_away_at_the_start_everything_is_shown_and_the_agents_are_unknown(house: House):
    key = await house.ready()
    before = figures(house, key)[0]
    await house.service.close()
    await house.switch.__aexit__()
    async with restarted(house, linked=False) as again:
        agent = await again.get("agents/1001")
        assert (agent["state"], agent["sessions"]) == ("UNKNOWN", [key])
        assert figures(again, key)[0] == before
        assert (await again.call("GET", "/readyz")).status == 503
        assert (await again.refused("PUT", f"sessions/{key}/state", {"state": "NOT_READY"})).status == 503


async def test_members_that_vanished_with_a_restart_of_asterisk_are_put_back(house: House):
    key = await house.ready()
    await house.switch.__aexit__()
    await until(lambda: not house.center.state.linked)
    house.switch.queues["support"].clear()
    house.switch.uptime = 1
    await house.switch.__aenter__()
    await until(lambda: PHONE in house.switch.queues["support"], what="member added again")
    await house.in_state(key, "READY")
    await until(lambda: house.center.state.agents["1001"].state.name == "READY")
    assert not house.switch.queues["support"][PHONE].paused


# Messages


@pytest.mark.parametrize(
    "lines",
    [
        ["Event: AgentConnect"],
        ["Event: QueueCallerJoin", "Queue: support"],
        ["Event: QueueCallerJoin", "Queue: support", "Uniqueid: 1.1", "Position: first"],
        ["Event: Hangup", "Timestamp: soon", "Uniqueid: 1.1"],
        ["Event: QueueMemberAdded", "Queue: support", "Interface: PJSIP/1001", "Status: ok"],
        ["Event: QueueMemberAdded", "Queue: support", "Interface: PJSIP/1001", "Status: inf"],
        ["Event: QueueMemberAdded", "Queue: support", "Interface: PJSIP/1001", "Status: nan"],
        ["Event: QueueCallerJoin", "Timestamp: nan", "Queue: support", "Uniqueid: 1.1", "Position: 1"],
        ["Event: QueueCallerJoin", "Timestamp: inf", "Queue: support", "Uniqueid: 1.1", "Position: 1"],
        ["Event: QueueCallerJoin", "Timestamp: 1e300", "Queue: support", "Uniqueid: 1.1", "Position: 1"],
    ],
    ids=lambda lines: "; ".join(line.partition(": ")[2] for line in lines)[:50],
)
async def test_a_message_that_cannot_be_understood_is_one_log_line_and_a_count_and_the_link_lives_on(
    house: House, caplog, lines
):
    connects = house.switch.connects
    house.switch.push(block(*lines))
    house.switch.join(Call("9.9", "sales"))
    await until(lambda: "9.9/sales/1" in house.center.state.visits)
    assert house.service.broken == 1
    (record,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert lines[0] in record.getMessage()
    assert "\n" not in record.getMessage()
    assert record.exc_info is None
    assert (house.switch.connects, house.service.link.linked) == (connects, True)
    assert (await house.get("queues/sales/calls"))["items"]
    assert (await house.get("queues/support/calls"))["items"] == []


async def test_messages_of_no_meaning_to_an_acd_are_passed_over(house: House, caplog):
    house.switch.push(block("Event: UserEvent", "UserEvent: Weather", "Status: rain", "Uniqueid: 5"))
    house.switch.push(block("Event: VarSet", "Variable: X", "Value: 1", "Uniqueid: 5"))
    house.switch.push(block("Event: FullyBusy"))
    house.switch.push(block("Event: Hangup", "Uniqueid: 77.1", "ChannelState: 6"))
    house.switch.push(block("Event: DeviceStateChange", "Device: Queue:support_avail", "State: INUSE"))
    house.switch.join(Call("9.9", "sales"))
    await until(lambda: house.center.state.visits)
    assert house.service.broken == 0
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_events_without_a_timestamp_are_dated_by_our_clock(tmp_path):
    def stampless(switch: Switch) -> None:
        switch.stamps = False

    async with open_house(tmp_path, stampless) as house:
        before = time.time()
        house.switch.join(Call("1.1", "sales"))
        await until(lambda: house.center.state.visits)
        (visit,) = house.center.state.visits.values()
        assert before - 0.01 <= visit.entered <= time.time() + 0.01


async def test_our_clock_is_set_by_asterisks_when_the_two_differ(tmp_path):
    def ahead(switch: Switch) -> None:
        switch.stamps, switch.clock_ahead = False, 1000.0

    async with open_house(tmp_path, ahead) as house:
        house.switch.join(Call("1.1", "sales"))
        await until(lambda: house.center.state.visits)
        (visit,) = house.center.state.visits.values()
        assert visit.entered == pytest.approx(time.time() + 1000, abs=2)
        assert house.service.now() == pytest.approx(time.time() + 1000, abs=2)
        (row,) = (await house.get("queues/sales/calls"))["items"]
        assert (await house.get("queues/sales"))["current_longest_wait_time"] < 3
        assert row["position"] == 1


async def test_an_asterisk_without_a_list_of_devices_is_good_enough(tmp_path, caplog):
    def without(switch: Switch) -> None:
        switch.answers["DeviceStateList"] = error("Invalid/unknown command")

    async with open_house(tmp_path, without) as house:
        assert (await house.get(""))["linked"] is True
        assert "does not list device states: Invalid/unknown command" in caplog.text


# Orders


async def test_a_phone_that_is_in_the_queue_already_is_logged_on_all_the_same(house: House):
    house.switch.queues["support"][PHONE] = Member("somebody", paused=False)  # and no event told of it
    await house.call("POST", "agents", {"user": "1001"})
    answer = await house.call("POST", "agents/1001/sessions", {"acd_group": "support", "address": PHONE})
    assert (answer.status, answer.body.get("state")) == (201, "NOT_READY"), answer.text
    assert house.switch.queues["support"][PHONE].paused


async def test_a_phone_that_is_in_no_queue_any_more_is_logged_off_all_the_same(house: House):
    key = await house.ready()
    del house.switch.queues["support"][PHONE]  # and no event told of it
    answer = await house.call("PUT", f"sessions/{key}/state", {"state": "SESSION_ENDED"})
    assert (answer.status, answer.body["state"]) == (200, "SESSION_ENDED")


async def test_every_order_is_sent_once(house: House):
    key, call = await house.on_a_call("both")
    house.switch.hang_up(call)
    await house.in_state(key, "BUSY_WRAPUP")
    await house.call("PUT", f"sessions/{key}/wrap-up", {"end": True})
    await house.call("PUT", f"sessions/{key}/state", {"state": "SESSION_ENDED"})
    short = [(o["Action"], o.get("Queue"), o.get("Paused"), o.get("Reason", "")) for o in house.switch.orders()]
    assert short == [
        ("QueueAdd", "support", "true", ""),
        ("QueueAdd", "sales", "true", ""),
        ("QueuePause", None, "false", ""),
        ("QueuePause", None, "true", "wrapup"),
        ("QueuePause", None, "false", ""),
        ("QueueRemove", "support", None, ""),
        ("QueueRemove", "sales", None, ""),
    ]


async def test_an_order_that_was_not_answered_is_not_sent_again_to_the_next_connection(house: House):
    key = await house.ready()
    house.switch.answers["QueuePause"] = None
    asking = asyncio.create_task(house.call("PUT", f"sessions/{key}/state", {"state": "SESSION_ENDED"}))
    await until(lambda: not house.switch.queues["support"])
    assert (await asking).status == 200
    asking = asyncio.create_task(house.call("PUT", "agents/1001/state", {"state": "NOT_READY"}))
    assert (await asking).status == 200  # nobody is logged on, so nothing is ordered
    assert [order["Action"] for order in house.switch.orders()] == ["QueueAdd", "QueuePause", "QueueRemove"]


async def test_a_command_whose_link_breaks_is_told_at_once(house: House):
    key = await house.ready()
    house.switch.answers["QueuePause"] = None
    began, sent = time.monotonic(), len(house.switch.orders())
    asking = asyncio.create_task(house.call("PUT", f"sessions/{key}/state", {"state": "NOT_READY"}))
    await until(lambda: len(house.switch.orders()) > sent)
    house.switch.cut()
    answer = await asking
    assert answer.status in (503, 504)
    assert time.monotonic() - began < 1.5


# Time


async def test_the_wrap_up_ends_by_itself_and_lifts_the_pause(tmp_path):
    async with open_house(tmp_path, wrap_up=0.2) as house:
        key, _ = await house.in_wrap_up()
        assert house.switch.queues["support"][PHONE].paused
        await house.in_state(key, "READY")
        assert not house.switch.queues["support"][PHONE].paused
        assert 0.2 <= house.session(key).tally.wrap_up < 1


async def test_a_wrap_up_of_the_agents_own_wins_over_the_queues(tmp_path):
    async with open_house(tmp_path, queues={"support": {"wrap_up": 60}}) as house:
        await house.call("POST", "agents", {"user": "1001"})
        await house.call("PUT", "agents/1001/wrap-up-time", {"seconds": 0.1})
        key, _ = await house.in_wrap_up()
        await house.in_state(key, "READY")


async def test_closing_keeps_the_state_so_that_nothing_needs_to_be_replayed(tmp_path: Path):
    async with open_house(tmp_path) as house:
        await house.ready()
        await house.service.close()
        await house.store.written()
        state, tail = house.store.load("main")
        assert tail == []
        assert list(state.agents) == ["1001"]
        assert not state.linked


async def test_a_checkpoint_now_and_then_keeps_a_restart_short(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("acd.checkpoints.EVERY", 10)
    async with open_house(tmp_path) as house:
        key = await house.ready()
        for number in range(25):
            house.switch.tell("DeviceStateChange", Device=f"PJSIP/{number}", State="NOT_INUSE")
        await until(lambda: "PJSIP/24" in house.center.state.devices)
        await until(lambda: house.store.load("main")[0].agents, what="a checkpoint on disk")
        async with restarted(house, killed=True) as again:
            assert again.session(key).state.name == "READY"
            assert "PJSIP/24" in again.center.state.devices


# What concerns every agent


async def test_an_event_in_the_midst_of_a_picture_comes_behind_all_of_it(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("acd.core.center.PIECE", 1)
    async with open_house(tmp_path) as house:
        key = await house.ready()
        service, state = house.service, house.center.state
        lost = ev.LinkLost(service.now(), "broken")
        service._begin(lost)
        assert state.agents["1001"].state.name == "UNKNOWN" and not state.linked
        told = ev.DeviceStateTold(service.now(), "PJSIP/new", True)
        service.observe(told)
        await house.store.written()
        _, log = house.store.load("main")
        assert log[-2:] == [lost, told]
        assert session_view(house.center, state.sessions[key], service.now()).state.name == "READY"


async def test_the_loop_goes_on_between_the_pieces_of_a_picture_and_deadlines_wait(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("acd.core.center.PIECE", 1)
    async with open_house(tmp_path) as house:
        key, _ = await house.in_wrap_up()
        service = house.service
        service._begin(ev.LinkLost(service.now(), "broken"))
        service._time_passed()
        assert service._pieces is not None
        await service._go_on()
        assert service._pieces is None and service.center.state.sessions[key].state.name == "BUSY_WRAPUP"


# Log lines


async def test_what_matters_is_one_log_line_with_its_values(house: House, caplog):
    caplog.set_level(logging.INFO)
    key, call = await house.in_wrap_up()
    mine = [record for record in caplog.records if record.name == "acd.service"]
    lines = [record.getMessage() for record in mine]
    for line in (
        "session of 1001 for support: NEW_SESSION",
        "session of 1001 for support: READY",
        "session of 1001 for support: BUSY",
        "session of 1001 for support: WRAPUP",
        "agent 1001: BUSY_ACD",
        f"call {call.id} in queue support: waiting",
        f"call {call.id} in queue support: answered",
    ):
        assert line in lines
    assert {record.session for record in mine if hasattr(record, "session")} == {key}
