"""What supervisors do beyond states, and after-call codes."""

import pytest

from acd.core import events as ev
from acd.core import refusals as no
from acd.core.effects import AddMember, MonitorMoved, SetPenalty, Touched
from acd.core.states import CallStage, MonitorState, Outcome, SessionState
from tests.core.desk import Desk

PHONE = "PJSIP/1001"
CODES = {"sale": "A sale", "question": "A question"}


@pytest.fixture
def desk():
    return Desk()


def set_penalty(desk: Desk, penalty: int) -> None:
    desk.apply(desk.center.set_penalty(desk.now, "1001", "support", penalty))


# Penalties


def test_a_penalty_is_ordered_where_the_agent_is_logged_on(desk):
    desk.agent()
    set_penalty(desk, 3)
    assert desk.orders[-1] == SetPenalty("support", PHONE, 3)
    assert desk.center.state.members[PHONE]["support"].penalty == 3


def test_a_penalty_that_is_so_already_is_not_ordered_again(desk):
    desk.agent()
    set_penalty(desk, 3)
    assert desk.center.set_penalty(desk.now, "1001", "support", 3) is None


def test_a_penalty_holds_for_the_next_log_in_too(desk):
    session = desk.agent()
    set_penalty(desk, 3)
    desk.ask(session.id, "SESSION_ENDED")
    desk.agent()
    assert [order.penalty for order in desk.orders if isinstance(order, AddMember)] == [0, 3]


def test_a_penalty_may_be_set_before_anybody_is_logged_on(desk):
    desk.apply(desk.center.create_agent(desk.now, "1001", "alice"))
    set_penalty(desk, 2)
    desk.agent()
    assert next(order.penalty for order in desk.orders if isinstance(order, AddMember)) == 2


def test_a_penalty_that_somebody_else_set_is_taken_over(desk):
    session = desk.agent()
    desk.apply(ev.MemberPenalty(desk.now, "support", PHONE, 7))
    desk.ask(session.id, "SESSION_ENDED")
    desk.agent()
    assert [order.penalty for order in desk.orders if isinstance(order, AddMember)] == [0, 7]


def test_a_penalty_that_asterisk_lost_is_ordered_again_after_the_log_in(desk):
    desk.agent()
    set_penalty(desk, 3)
    desk.apply(ev.LinkLost(desk.now, "restarted"))
    desk.orders.clear()
    desk.link(booted=desk.now)
    assert desk.orders == [SetPenalty("support", PHONE, 3)]


@pytest.mark.parametrize(
    ("agent", "queue", "refusal"), [("x", "support", no.UnknownAgent), ("1001", "x", no.UnknownQueue)]
)
def test_a_penalty_needs_an_agent_and_a_queue(desk, agent, queue, refusal):
    desk.agent()
    with pytest.raises(refusal):
        desk.center.set_penalty(desk.now, agent, queue, 1)


# The line


def test_the_line_is_as_a_look_at_the_queue_shows_it(desk):
    for call in ("c1", "c2", "c3"):
        desk.join(call)
    desk.apply(ev.WaitingSeen(desk.now, "support", {"c3": 5, "c1": 0, "c2": 0}))
    waiting = [desk.center.state.visits[key] for key in desk.center.queue("support").waiting]
    assert [(visit.call, visit.priority) for visit in waiting] == [("c3", 5), ("c1", 0), ("c2", 0)]


def test_who_joined_after_the_look_stays_behind(desk):
    desk.join("c1")
    desk.join("c2")
    desk.apply(ev.WaitingSeen(desk.now, "support", {"c1": 0}))
    assert [key.split("/")[0] for key in desk.center.queue("support").waiting] == ["c1", "c2"]


@pytest.mark.parametrize("outcome", [Outcome.WITHDRAWN, Outcome.ABANDONED])
def test_an_exit_that_was_asked_for_is_that(desk, outcome):
    desk.join()
    desk.apply(ev.ExitAsked(desk.now, "c1", "support", outcome))
    desk.leave()
    desk.after(5)
    assert desk.visit().outcome is outcome


def test_who_hangs_up_before_he_is_withdrawn_has_abandoned(desk):
    desk.join()
    desk.apply(ev.ExitAsked(desk.now, "c1", "support", Outcome.WITHDRAWN))
    desk.give_up()
    assert desk.visit().outcome is Outcome.ABANDONED


def test_who_is_answered_before_he_is_withdrawn_is_answered(desk):
    desk.agent()
    desk.join()
    desk.ring()
    desk.apply(ev.ExitAsked(desk.now, "c1", "support", Outcome.WITHDRAWN))
    desk.answer()
    assert desk.visit().outcome is Outcome.ANSWERED


def test_only_who_waits_can_be_taken_out_of_the_line(desk):
    desk.agent()
    desk.take()
    for queue, call in (("support", "c1"), ("support", "nobody"), ("sales", "c1")):
        with pytest.raises(no.UnknownCall):
            desk.center.supervision.waiting_call(queue, call)


def test_nobody_is_sent_to_a_queue_that_nobody_serves(desk):
    with pytest.raises(no.QueueEmpty):
        desk.center.supervision.need_somebody_in("support")
    desk.agent()
    desk.center.supervision.need_somebody_in("support")
    desk.apply(ev.MemberStatus(desk.now, "support", PHONE, 5))
    with pytest.raises(no.QueueEmpty):
        desk.center.supervision.need_somebody_in("support")


# Listening in


def listening(desk: Desk) -> str:
    """A supervisor who hears the agent's call."""
    leg = desk.center.supervision.leg_of("1001")
    desk.apply(ev.MonitorAsked(desk.now, "m", "1001", "listen", "PJSIP/1020", leg))
    return leg


def states(effects) -> list[MonitorState]:
    return [effect.monitor.state for effect in effects if isinstance(effect, MonitorMoved)]


def test_a_supervisor_hears_the_acd_call_before_any_other(desk):
    desk.agent()
    desk.apply(ev.ChannelMade(desk.now, "o1", f"{PHONE}-02", "o1", True))
    assert desk.center.supervision.leg_of("1001") == "o1"
    desk.take()
    assert desk.center.supervision.leg_of("1001") == "leg-c1"


def test_there_is_nothing_to_hear_where_the_agent_has_no_call(desk):
    desk.agent()
    with pytest.raises(no.NoCall):
        desk.center.supervision.leg_of("1001")


def test_listening_is_told_from_the_ringing_to_the_end(desk):
    desk.agent()
    desk.take()
    listening(desk)
    assert states(desk.apply(ev.DialBegun(desk.now, None, "m"))) == [MonitorState.RINGING]
    assert desk.center.concerns(ev.MonitorStarted(desk.now, "m"))
    assert states(desk.apply(ev.MonitorStarted(desk.now, "m"))) == [MonitorState.ACTIVE]
    assert desk.center.concerns(ev.ChannelEnded(desk.now, "m", True))
    assert states(desk.apply(ev.ChannelEnded(desk.now, "m", True))) == [MonitorState.ENDED]
    assert desk.center.state.monitors == {}
    with pytest.raises(no.UnknownMonitor):
        desk.center.supervision.monitor("m")


def test_a_phone_that_cannot_be_reached_ends_it(desk):
    desk.agent()
    desk.take()
    listening(desk)
    assert states(desk.apply(ev.MonitorFailed(desk.now, "m"))) == [MonitorState.ENDED]


def test_after_a_lost_link_only_those_listen_whose_channels_are_there(desk):
    desk.agent()
    desk.take()
    listening(desk)
    desk.apply(ev.LinkLost(desk.now, "cut"))
    there = [
        ev.SeenChannel("m", "PJSIP/1020-01", "m", "", True, False, False),
        ev.SeenChannel("c1", "PJSIP/trunk-01", "c1", "b", True, False, False),
        ev.SeenChannel("leg-c1", f"{PHONE}-0001", "c1", "b", True, False, True),
    ]
    desk.link(channels=there)
    assert list(desk.center.state.monitors) == ["m"]
    desk.apply(ev.LinkLost(desk.now, "cut"))
    desk.link(channels=there[1:])
    assert desk.center.state.monitors == {}


def test_listening_touches_no_figure_of_the_agent_who_is_heard(desk):
    desk.agent()
    desk.take()
    before = desk.agent_now()
    listening(desk)
    desk.apply(ev.MonitorStarted(desk.now, "m"))
    desk.apply(ev.ChannelEnded(desk.now, "m", True))
    assert desk.agent_now() == before


def test_a_supervisor_who_is_an_agent_himself_is_busy_with_a_call_of_his_own_and_hears_nobody_by_it(desk):
    desk.agent()
    desk.agent("1002", "PJSIP/1020")
    desk.take()
    listening(desk)
    desk.apply(ev.ChannelMade(desk.now, "m", "PJSIP/1020-01", "m", False))
    desk.apply(ev.DialBegun(desk.now, None, "m"))
    desk.apply(ev.DialEnded(desk.now, None, "m", "ANSWER"))
    assert desk.agent_now("1002").state.name == "BUSY_OUTGOING"
    with pytest.raises(no.NoCall):
        desk.center.supervision.leg_of("1002")


# After-call codes


@pytest.fixture
def coded(desk: Desk) -> Desk:
    more = {"dispositions": CODES, "disposition_required": ["support"]}
    desk.apply(ev.Registrations(desk.now, {}, {}, 10.0, 86400, **more))
    return desk


def test_a_code_is_given_in_talk_or_in_wrap_up_and_may_be_changed(coded):
    session = coded.agent()
    coded.take()
    coded.apply(coded.center.set_disposition(coded.now, session.id, "question"))
    assert coded.visit().disposition == "question"
    coded.hang_up()
    coded.apply(coded.center.set_disposition(coded.now, session.id, "sale"))
    assert coded.visit().disposition == "sale"


def test_a_code_needs_a_call(coded):
    session = coded.agent()
    with pytest.raises(no.NoCall):
        coded.center.set_disposition(coded.now, session.id, "sale")


def test_only_codes_that_there_are_can_be_given(coded):
    session = coded.agent()
    coded.take()
    with pytest.raises(no.UnknownDisposition):
        coded.center.set_disposition(coded.now, session.id, "gift")


def test_where_a_code_is_needed_wrap_up_is_not_ended_early_without_it(coded):
    session = coded.agent()
    coded.take()
    coded.hang_up()
    with pytest.raises(no.DispositionMissing):
        coded.center.change_wrap_up(coded.now, session.id, None)
    with pytest.raises(no.DispositionMissing):
        coded.ask(session.id, "READY")
    coded.apply(coded.center.set_disposition(coded.now, session.id, "sale"))
    coded.apply(coded.center.change_wrap_up(coded.now, session.id, None))
    assert session.state is SessionState.READY


def test_without_a_code_wrap_up_ends_all_the_same_when_its_time_is_over(coded):
    session = coded.agent()
    coded.take()
    coded.hang_up()
    coded.after(11)
    assert session.state is SessionState.READY
    assert coded.visit().disposition is None


# The call of a session


def stage(desk, session):
    call = desk.session_now(session).acd_call
    return call and (call.stage, call.since)


def test_a_session_tells_how_far_its_call_is(desk):
    session = desk.agent()
    assert stage(desk, session) is None
    desk.join()
    leg = desk.ring()
    rang = desk.now
    assert stage(desk.after(3), session) == (CallStage.RINGING, rang)
    desk.answer(leg=leg)
    answered = desk.now
    assert stage(desk.after(5), session) == (CallStage.TALKING, answered)
    desk.apply(ev.HoldStarted(desk.now, leg))
    assert stage(desk, session) == (CallStage.ON_HOLD, answered + 5)
    desk.apply(ev.HoldEnded(desk.after(2).now, leg))
    assert stage(desk, session) == (CallStage.TALKING, answered)
    desk.hang_up()
    assert stage(desk, session) == (CallStage.WRAP_UP, desk.now)
    desk.after(100)
    assert stage(desk, session) is None


def test_a_ring_that_nobody_answered_is_no_call_any_more(desk):
    session = desk.agent()
    desk.join()
    leg = desk.ring()
    assert stage(desk, session) is not None
    desk.apply(ev.AgentNotAnswered(desk.now, "c1", "support", PHONE, leg))
    assert stage(desk, session) is None


@pytest.mark.parametrize("what", ["ring", "hold"])
def test_who_watches_is_told_when_a_ring_or_a_hold_begins_and_ends(desk, what):
    session = desk.agent()
    desk.join()
    if what == "ring":
        effects = desk.apply(ev.AgentCalled(desk.now, "c1", "support", PHONE, "leg-c1"))
        after = desk.apply(ev.AgentNotAnswered(desk.now, "c1", "support", PHONE, "leg-c1"))
    else:
        leg = desk.answer(leg=desk.ring())
        effects = desk.apply(ev.HoldStarted(desk.now, leg))
        after = desk.apply(ev.HoldEnded(desk.now, leg))
    for told in (effects, after):
        assert any(isinstance(effect, Touched) and effect.session == session.id for effect in told)


def test_a_ring_is_shown_at_the_sessions_of_its_queue_alone(desk):
    for_sales = desk.agent(groups=["sales"])
    for_support = desk.agent(groups=["support"])
    desk.join()
    desk.ring()
    assert stage(desk, for_support) is not None
    assert stage(desk, for_sales) is None


def test_a_session_that_ended_shows_nobody_elses_calls(desk):
    before = desk.agent()
    desk.ask(before.id, "SESSION_ENDED")
    now = desk.agent("1002")
    desk.join()
    desk.ring()
    assert stage(desk, now) is not None
    assert stage(desk, before) is None
