"""Asterisk's clock is set: what is to come comes when it should."""

import pytest

from acd.core import events as ev
from acd.core.states import AgentState, Outcome, SessionState
from tests.core.desk import Desk


@pytest.fixture
def desk() -> Desk:
    return Desk(wrap_up=10)


@pytest.mark.parametrize("by", [-120.0, 120.0])
def test_a_wrap_up_ends_when_it_should_and_lasts_as_long_as_it_did(desk, by):
    session = desk.agent()
    desk.take()
    desk.hang_up()
    desk.after(4)
    desk.now += by
    desk.apply(ev.ClockSet(desk.now, by))
    assert session.state is SessionState.BUSY_WRAPUP
    desk.after(5.9)
    assert session.state is SessionState.BUSY_WRAPUP
    desk.after(0.2)
    assert (session.state, session.tally.wrap_up) == (SessionState.READY, 10)


@pytest.mark.parametrize("by", [-120.0, 120.0])
def test_orders_and_exits_that_wait_are_not_forgotten(desk, by):
    desk.agent()
    desk.obedient = False
    desk.ask("s1", "NOT_READY")
    desk.join()
    desk.apply(ev.CallerLeft(desk.now, "c1", "support"))
    desk.now += by
    desk.apply(ev.ClockSet(desk.now, by))
    ordered = len(desk.orders)
    desk.after(5.1)
    assert len(desk.orders) > ordered, "it is ordered again"
    assert desk.visit().outcome is Outcome.LEFT_BY_KEY


def test_an_asterisk_whose_clock_was_set_was_not_started_again(desk):
    desk.agent()
    desk.take()
    desk.now += 3600
    desk.apply(ev.ClockSet(desk.now, 3600))
    desk.apply(ev.LinkLost(desk.now, "cut"))
    channels = [
        ev.SeenChannel("c1", "PJSIP/trunk-01", "c1", "b", True, False, False),
        ev.SeenChannel("leg-c1", "PJSIP/1001-0001", "c1", "b", True, False, True),
    ]
    desk.after(3).link(booted=desk.center.state.booted, channels=channels)
    assert desk.agent_now().state is AgentState.BUSY_ACD


def test_a_call_that_the_clock_was_set_in_keeps_its_times_and_is_estimated(desk):
    desk.agent()
    desk.take()
    entered = desk.visit().entered
    desk.now += 100
    desk.apply(ev.ClockSet(desk.now, 100))
    desk.after(5).hang_up()
    assert (desk.visit().entered, desk.visit().estimated) == (entered, True)
