"""Acd at work on the simulated Asterisk, through link, core and store: its past, and all that people can do now."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from acd.core.records import AgentSession, Visit
from acd.core.states import AgentState, MonitorState, Outcome, SessionState
from acd.simulated.house import PIN, SUPERVISORS_PHONES, build
from acd.simulated.office import HANDLER, Office, opened
from acd.simulated.outgoing import Outgoing
from acd.simulated.records import Call
from acd.store import CallRow
from acd.store.tables import AgentTimeRow
from acd.web.app import make_app
from tests.helpers import until

TOKEN = "a token for tests"
ALICE, BOB = "1001", "1002"
OUTCOMES = {  # how the simulated Asterisk says that a stay in a queue ended
    "answered": Outcome.ANSWERED,
    "abandoned": Outcome.ABANDONED,
    "timeout": Outcome.TIMED_OUT,
    "withdraw": Outcome.WITHDRAWN,
    "redirected": Outcome.REDIRECTED,
}


class Visitor:
    """Somebody with the API and telephones, in an office where nobody else is."""

    def __init__(self, office: Office, client: "TestClient[Any, Any]") -> None:
        self.office, self.world, self.center = office, office.world, office.handler.center
        self._client = client

    async def ask(self, method: str, path: str, body: object = None) -> Any:
        """A request below the handler that succeeds; what it is answered."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        url = f"/api/v1/handlers/{HANDLER}/{path}"
        async with self._client.request(method, url, json=body, headers=headers) as answer:
            text = await answer.text()
            assert answer.ok, text
            return await answer.json() if text else None

    async def log_on(self, agent: str = ALICE, group: str = "support") -> AgentSession:
        """And ready."""
        body = {"acd_group": group, "address": f"PJSIP/{agent}", "pin": PIN}
        made = await self.ask("POST", f"agents/{agent}/sessions", body)
        await self.ask("PUT", f"agents/{agent}/state", {"state": "READY"})
        await self.ask("PUT", f"sessions/{made['id']}/state", {"state": "READY"})
        return self.center.state.sessions[made["id"]]

    async def waiting(self, queue: str = "support") -> Call:
        call = self.world.call_in(queue, "5550100", "<unknown>")
        await until(lambda: call.caller.uniqueid in self.center.state.calls, what="heard of the caller")
        return call

    async def talking(self) -> Call:
        """Alice with a caller."""
        call = await self.waiting()
        await until(lambda: call.rings, what="a phone rings")
        assert call.leg is not None
        self.world.answer(call, call.leg)
        await until(lambda: self.center.state.agents[ALICE].state is AgentState.BUSY_ACD, what="she talks")
        return call

    def line(self, queue: str) -> list[str]:
        """Who waits there, as far as acd knows."""
        return [self.center.state.visits[key].call for key in self.center.state.queues[queue].waiting]

    def visit(self, call: Call) -> Visit:
        """The newest stay of a caller in a queue."""
        key = self.center.state.calls[call.caller.uniqueid][-1]
        return self.center.state.visits[key]


@asynccontextmanager
async def working(folder: Path, **more: Any) -> AsyncIterator[Visitor]:
    async with opened(build(6, 4, random.Random(1)), folder, **more) as office:
        app = make_app({HANDLER: office.handler}, office.store, TOKEN)
        run = asyncio.create_task(office.handler.service.run())
        async with TestClient(TestServer(app)) as client:
            await until(lambda: office.handler.service.link.linked, what="linked")
            yield Visitor(office, client)
        await office.handler.service.close()
        await run


@pytest.fixture
async def visitor(tmp_path: Path) -> AsyncIterator[Visitor]:
    async with working(tmp_path, seed=None) as visitor:
        yield visitor


# The past -------------------------------------------------------------------------------------------------


async def test_the_ledger_of_the_past_has_what_happened_and_nothing_else(tmp_path: Path):
    async with opened(build(8, 4, random.Random(1)), tmp_path, past=3600) as office:
        await office.store.written()
        rows = [row for row in office.store.rows(CallRow) if row.outcome is not None]
        ledger = Counter((row.queue, row.outcome) for row in rows)
        happened = Counter({(queue, OUTCOMES[how]): count for (queue, how), count in office.world.book.items()})
        assert ledger == happened
        assert ledger.total() > 50


async def test_the_past_reaches_the_present_without_a_gap(tmp_path: Path):
    async with opened(build(8, 4, random.Random(1)), tmp_path, past=3600) as office:
        await office.store.written()
        begin, now = office.world.booted, office.handler.service.now()
        entered = sorted(row.entered for row in office.store.rows(CallRow))
        assert begin < entered[0] < begin + 300
        assert now - 300 < entered[-1] <= now
        assert office.handler.service.broken == 0


async def test_the_past_has_a_time_line_for_every_robot(tmp_path: Path):
    async with opened(build(8, 4, random.Random(1)), tmp_path, past=3600) as office:
        await office.store.written()
        states: dict[str, set[str]] = {}
        for row in office.store.rows(AgentTimeRow):
            states.setdefault(row.agent, set()).add(row.state)
        assert all({"READY", "BUSY_ACD"} <= states[f"{number}"] for number in range(1001, 1009))


async def test_the_present_goes_on_where_the_past_ended(tmp_path: Path):
    async with working(tmp_path, past=1800, calls_per_minute=120) as visitor:
        state, calls = visitor.center.state, visitor.world.calls
        await until(
            lambda: (
                {(visit.call, visit.queue) for visit in state.visits.values() if visit.left is None}
                == {(call.caller.uniqueid, call.queue) for call in calls if call.waits}
            ),
            what="whoever waits in Asterisk waits in acd, but for what is just being told",
        )
        before = visitor.world.book.total()
        await until(lambda: visitor.world.book.total() > before, 20, "a caller is answered, or gives up")
        logged_on = {agent.key for agent in state.agents.values() if agent.sessions}
        assert logged_on
        assert not logged_on & {"1040", "1041", "1042", "1043"}


# What agents do -------------------------------------------------------------------------------------------


async def test_a_visitor_logs_on_with_his_pin_takes_a_call_and_ends_his_wrap_up(visitor: Visitor):
    session = await visitor.log_on()
    call = await visitor.talking()
    visitor.world.caller_hangs_up(call)
    await until(lambda: session.state is SessionState.BUSY_WRAPUP, what="wrap-up")
    await visitor.ask("PUT", f"sessions/{session.id}/wrap-up", {"extend_seconds": 30})
    await visitor.ask("PUT", f"sessions/{session.id}/disposition", {"code": "solved"})
    await visitor.ask("PUT", f"sessions/{session.id}/wrap-up", {"end": True})
    await until(lambda: session.state is SessionState.READY, what="ready again")


async def test_not_ready_has_a_reason_and_log_off_takes_him_out_of_all_queues(visitor: Visitor):
    session = await visitor.log_on()
    await visitor.ask("PUT", f"agents/{ALICE}/state", {"state": "NOT_READY", "reason": "lunch"})
    members = visitor.world.members_at(f"PJSIP/{ALICE}")
    assert {(member.paused, member.reason) for member in members} == {(True, "lunch")}
    await visitor.ask("PUT", f"sessions/{session.id}/state", {"state": "SESSION_ENDED"})
    assert visitor.world.members_at(f"PJSIP/{ALICE}") == []


async def test_hold_is_counted(visitor: Visitor):
    await visitor.log_on()
    call = await visitor.talking()
    visitor.world.hold(call)
    await until(lambda: visitor.visit(call).held_since is not None, what="on hold")
    visitor.world.unhold(call)
    await until(lambda: visitor.visit(call).held_since is None, what="talking again")


async def test_calls_of_his_own_are_counted_apart(visitor: Visitor):
    await visitor.log_on()
    agent = visitor.center.state.agents[ALICE]
    call = Outgoing(visitor.world, f"PJSIP/{ALICE}", "Alice Adams", "030123456")
    call.answer()
    await until(lambda: agent.state is AgentState.BUSY_OUTGOING, what="she talks")
    call.hang_up()
    await until(lambda: agent.state is AgentState.READY, what="ready again")
    assert agent.measured.tally.outgoing == 1


# What supervisors do --------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["listen", "whisper", "barge"])
async def test_a_supervisor_hears_a_call_until_he_ends_it(visitor: Visitor, mode: str):
    await visitor.log_on()
    await visitor.talking()
    body = {"supervisor_address": SUPERVISORS_PHONES[0]}
    monitor = await visitor.ask("POST", f"agents/{ALICE}/{mode}", body)
    monitors = visitor.center.state.monitors
    await until(lambda: monitors[monitor["id"]].state is MonitorState.ACTIVE, what="he hears")
    await visitor.ask("DELETE", f"monitors/{monitor['id']}")
    assert monitors == {}


async def test_who_listens_hears_nothing_more_when_the_call_is_over(visitor: Visitor):
    await visitor.log_on()
    call = await visitor.talking()
    await visitor.ask("POST", f"agents/{ALICE}/listen", {"supervisor_address": SUPERVISORS_PHONES[0]})
    await until(lambda: next(iter(visitor.center.state.monitors.values())).state is MonitorState.ACTIVE)
    visitor.world.caller_hangs_up(call)
    await until(lambda: not visitor.center.state.monitors, what="it is over")


async def test_a_phone_that_is_not_there_cannot_listen(visitor: Visitor):
    await visitor.log_on()
    await visitor.talking()
    with pytest.raises(AssertionError, match="cannot reach the phone 'PJSIP/9999'"):
        await visitor.ask("POST", f"agents/{ALICE}/listen", {"supervisor_address": "PJSIP/9999"})


async def test_a_waiting_caller_is_withdrawn(visitor: Visitor):
    call = await visitor.waiting()
    visit = visitor.visit(call)
    await visitor.ask("POST", f"queues/support/calls/{call.caller.uniqueid}/withdraw")
    await until(lambda: visit.outcome is Outcome.WITHDRAWN, what="withdrawn")
    assert call.over


async def test_a_waiting_caller_is_put_first(visitor: Visitor):
    first, second = await visitor.waiting(), await visitor.waiting()
    await visitor.ask("POST", f"queues/support/calls/{second.caller.uniqueid}/priority", {"priority": 5})
    listed = await visitor.ask("GET", "queues/support/calls")
    ids = [each["call"] for each in listed["items"]]
    assert ids == [second.caller.uniqueid, first.caller.uniqueid]


async def test_a_waiting_caller_is_sent_to_another_queue(visitor: Visitor):
    await visitor.log_on(BOB, "sales")
    call = await visitor.waiting()
    await visitor.ask("POST", f"queues/support/calls/{call.caller.uniqueid}/transfer", {"queue": "sales"})
    assert call.queue == "sales"
    await until(lambda: call.rings, what="Bob's phone rings")


async def test_calls_are_hung_up_waiting_or_talking(visitor: Visitor):
    waiting = await visitor.waiting("sales")
    await visitor.log_on()
    talking = await visitor.talking()
    for call in (waiting, talking):
        await visitor.ask("POST", f"calls/{call.caller.uniqueid}/hangup")
        assert call.over


async def test_a_penalty_reaches_the_queue(visitor: Visitor):
    await visitor.log_on()
    await visitor.ask("PUT", f"queues/support/members/{ALICE}", {"penalty": 2})
    assert visitor.world.queues["support"].members[f"PJSIP/{ALICE}"].penalty == 2


async def test_an_agent_is_moved_to_another_group(visitor: Visitor):
    session = await visitor.log_on()
    await visitor.ask("PUT", f"sessions/{session.id}/acd-group", {"acd_group": "sales"})
    members = visitor.world.members_at(f"PJSIP/{ALICE}")
    assert {(member.queue, member.paused) for member in members} == {("sales", False), ("orders", False)}


# The line -------------------------------------------------------------------------------------------------


async def test_after_a_lost_line_everything_is_as_it_is_in_asterisk(visitor: Visitor):
    session = await visitor.log_on()
    talking, waiting = await visitor.talking(), await visitor.waiting("sales")
    link = visitor.office.handler.service.link
    visitor.office.asterisk.cut()
    await until(lambda: not link.linked, what="the line is lost")
    visitor.world.caller_hangs_up(talking)
    visitor.world.caller_hangs_up(waiting)
    newcomer = visitor.world.call_in("sales", "5550101", "<unknown>")
    await until(lambda: link.linked, what="the line is back")
    await until(lambda: session.state is SessionState.BUSY_WRAPUP, what="wrap-up")
    await until(lambda: visitor.line("sales") == [newcomer.caller.uniqueid], 10, "the newcomer alone is in the line")
