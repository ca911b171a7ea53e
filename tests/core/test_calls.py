"""ACD calls from entry to the end of wrap-up, and the figures they leave."""

from decimal import Decimal

import pytest

from acd.core import events as ev
from acd.core import refusals
from acd.core.effects import AddMember, PauseMember
from acd.core.records import AgentSession
from acd.core.states import AgentState, Outcome, SessionState
from tests.core.desk import START, Desk

PHONE = "PJSIP/1001"
LOCAL = "Local/1@phones/n"


@pytest.fixture
def desk():
    return Desk(wrap_up=10)


def test_a_call_moves_session_and_agent_and_the_session_comes_first(desk):
    session = desk.agent()
    desk.moves.clear()
    desk.take()
    desk.after(30).hang_up()
    desk.after(10)
    assert desk.moves == [
        "session BUSY",
        "agent BUSY_ACD",
        "session WRAPUP",
        "session READY",
        "agent READY",
    ]
    assert session.state is SessionState.READY


def test_the_agent_is_paused_at_the_answer_and_until_the_end_of_wrap_up(desk):
    desk.agent()
    desk.take()
    assert desk.members["support", PHONE] == (True, "wrapup")
    desk.after(30).hang_up()
    desk.after(9.9)
    assert desk.members["support", PHONE] == (True, "wrapup")
    desk.after(0.1)
    assert desk.members["support", PHONE] == (False, "")


def test_one_order_pauses_all_the_queues_of_the_agent_at_once():
    desk = Desk()
    desk.agent(groups=["support", "sales"])
    desk.take()
    assert PauseMember(None, PHONE, True, "wrapup") in desk.orders
    assert set(desk.members.values()) == {(True, "wrapup")}


def test_call_time_is_exactly_talk_and_wrap_up(desk):
    session = desk.agent()
    for call, talk in (("c1", 30.7), ("c2", 12.6)):
        desk.take(call)
        desk.after(talk).hang_up(call)
        desk.after(10.6)
    view, agent = desk.session_now(session), desk.agent_now()
    assert view.number_of_calls == agent.number_of_acd_calls == 2
    assert view.total_talk_time_exact == pytest.approx(43.3)
    assert (view.total_talk_time, view.total_wrap_up_time, view.total_call_time) == (43, 20, 63)
    assert (view.average_talk_time, view.average_wrap_up_time, view.average_call_time) == (21, 10, 31)
    assert agent.total_acd_call_time == agent.total_acd_talk_time + agent.total_wrap_up_time == 63
    assert view.total_call_time_exact == view.total_talk_time_exact + view.total_wrap_up_time_exact


def test_a_call_counts_at_its_release_and_its_wrap_up_when_that_ends(desk):
    session = desk.agent()
    desk.take()
    desk.after(20)
    assert desk.session_now(session).number_of_calls == 0
    desk.hang_up()
    assert (desk.session_now(session).number_of_calls, desk.session_now(session).total_wrap_up_time) == (1, 0)
    desk.after(10)
    assert desk.session_now(session).total_wrap_up_time == 10


def test_time_to_answer_runs_from_ringing_to_the_answer(desk):
    session = desk.agent()
    desk.join()
    desk.after(40)  # the wait in the queue is not the agent's
    desk.ring()
    desk.after(3)
    desk.answer()
    desk.after(10).hang_up()
    desk.after(10)
    desk.take("c2", rings=8)
    desk.hang_up("c2")
    view = desk.session_now(session)
    assert (view.longest_time_to_answer, view.average_time_to_answer) == (8, 5)


def test_rates_are_calls_per_hour_of_the_session_and_per_hour_with_any_session(desk):
    session = desk.agent()
    desk.take()
    desk.after(20).hang_up()
    desk.after(START + 1800 - desk.now)
    assert desk.session_now(session).acd_call_rate == Decimal("2.0000")
    assert desk.agent_now().overall_call_rate == Decimal("2.0000")
    desk.ask(session.id, "SESSION_ENDED")
    desk.after(7200)  # logged off: neither clock runs
    assert desk.session_now(session).acd_call_rate == Decimal("2.0000")
    assert desk.agent_now().overall_call_rate == Decimal("2.0000")


def test_overlapping_sessions_count_once_in_the_agent_hour():
    desk = Desk()
    desk.agent(groups=["support", "sales"])
    desk.take()
    desk.hang_up()
    desk.after(3600)
    assert desk.agent_now().overall_call_rate == Decimal("1.0000")


def test_wrap_up_ended_early_frees_the_agent_and_counts_as_long_as_it_lasted(desk):
    session = desk.agent()
    desk.take()
    desk.hang_up()
    desk.after(4)
    desk.apply(desk.center.change_wrap_up(desk.now, session.id, None))
    assert desk.members["support", PHONE] == (False, "")
    desk.after(60)
    assert desk.session_now(session).total_wrap_up_time == 4


def test_an_extended_wrap_up_holds_calls_back_longer(desk):
    session = desk.agent()
    desk.take()
    desk.hang_up()
    desk.apply(desk.center.change_wrap_up(desk.now, session.id, 30))
    desk.after(39)
    assert session.state is SessionState.BUSY_WRAPUP
    desk.after(1)
    assert session.state is SessionState.READY
    assert desk.session_now(session).total_wrap_up_time == 40


def test_only_a_session_in_wrap_up_can_end_it(desk):
    session = desk.agent()
    with pytest.raises(refusals.NotInWrapUp):
        desk.center.change_wrap_up(desk.now, session.id, None)


def test_without_wrap_up_time_the_agent_is_ready_at_once(desk):
    session = desk.agent()
    desk.apply(ev.WrapUpSet(desk.now, 0, queue="support"))
    desk.moves.clear()
    desk.take()
    desk.after(5).hang_up()
    assert session.state is SessionState.READY
    assert desk.moves == ["session BUSY", "agent BUSY_ACD", "session READY", "agent READY"]
    assert desk.visit().wrap_up == 0


def test_an_agents_own_wrap_up_time_wins_over_the_queues(desk):
    session = desk.agent()
    desk.apply(ev.WrapUpSet(desk.now, 3, agent="1001"))
    desk.take()
    desk.hang_up()
    desk.after(3)
    assert session.state is SessionState.READY


@pytest.mark.parametrize("state", ["NOT_READY", "READY", "SESSION_ENDED"])
def test_what_is_asked_for_during_a_call_applies_after_it_without_wrap_up(desk, state):
    session = desk.agent()
    desk.take()
    desk.ask(session.id, state, "lunch")
    assert (session.state, session.next_state) == (SessionState.BUSY_ON_CALL, SessionState[state])
    desk.after(5).hang_up()
    assert session.state is SessionState[state]
    assert desk.visit().wrap_up == 0
    assert desk.session_now(session).total_talk_time == 5


def test_an_agent_who_pauses_by_phone_code_during_a_call_is_not_ready_after_it(desk):
    session = desk.agent()
    desk.take()
    desk.pause(PHONE, True, "code")
    desk.after(5).hang_up()
    assert (session.state, session.reason) == (SessionState.NOT_READY, "code")


def test_whom_a_pause_during_a_call_left_no_ready_session_is_not_ready_himself(desk):
    desk.agent()
    desk.take()
    desk.pause(PHONE, True, "acw")
    desk.moves.clear()
    desk.hang_up()
    assert desk.moves == ["session NOT_READY", "agent NOT_READY"]
    desk.pause(PHONE, False)
    assert desk.moves[2:] == ["session READY", "agent READY"]


def test_an_unpause_from_elsewhere_does_not_break_into_a_wrap_up(desk):
    session = desk.agent()
    desk.take()
    desk.hang_up()
    desk.pause(PHONE, False)
    assert desk.members["support", PHONE] == (True, "wrapup")
    desk.after(10)
    assert session.state is SessionState.READY


def test_not_ready_asked_for_in_wrap_up_applies_at_once(desk):
    session = desk.agent()
    desk.take()
    desk.hang_up()
    desk.after(3)
    desk.ask(session.id, "NOT_READY", "lunch")
    assert (session.state, session.reason) == (SessionState.NOT_READY, "lunch")
    assert desk.members["support", PHONE] == (True, "lunch")
    assert desk.session_now(session).total_wrap_up_time == 3


def test_the_agents_own_reason_comes_back_after_wrap_up(desk):
    desk.agent()
    desk.take()
    desk.ask_agent("1001", "NOT_READY", "lunch")
    assert desk.agent_now().state is AgentState.BUSY_ACD
    assert desk.members["support", PHONE] == (True, "wrapup")
    desk.hang_up()
    desk.after(10)
    assert desk.members["support", PHONE] == (True, "lunch")
    assert (desk.agent_now().state, desk.agent_now().reason) == (AgentState.NOT_READY, "lunch")


def test_one_acd_call_at_a_time_the_other_session_keeps_its_state_but_gets_no_calls():
    desk = Desk()
    desk.agent(groups=["support", "sales"])
    support, sales = (desk.center.session(key) for key in desk.center.agent("1001").sessions)
    desk.take(queue="support")
    assert (support.state, sales.state) == (SessionState.BUSY_ON_CALL, SessionState.READY)
    assert desk.members["sales", PHONE] == (True, "wrapup")


def test_hold_is_part_of_talk_and_also_told_by_itself(desk):
    desk.agent()
    leg = desk.take()
    desk.after(5).apply(ev.HoldStarted(desk.now, leg))
    desk.after(7).apply(ev.HoldEnded(desk.now, leg))
    desk.after(3).apply(ev.HoldStarted(desk.now, leg))
    desk.after(2).hang_up()
    assert (desk.visit().talk, desk.visit().hold) == (17, 9)


def test_talk_lasts_as_long_as_the_agents_own_leg_whoever_else_leaves_the_call(desk):
    session = desk.agent()
    leg = desk.take()
    desk.after(5).apply(ev.ChannelEnded(desk.now, "c1", True))  # the caller transferred him
    assert session.state is SessionState.BUSY_ON_CALL
    desk.after(5).apply(ev.BridgeEntered(desk.now, leg, "somebody else's"))
    desk.after(5).apply(ev.ChannelEnded(desk.now, leg, True))
    assert session.state is SessionState.BUSY_WRAPUP
    assert desk.session_now(session).total_talk_time == 15


def test_hearing_everything_twice_changes_no_figure(desk):
    once, twice = Desk(), Desk()
    for each, times in ((once, 1), (twice, 2)):
        plain = each.apply

        def repeat(event, plain=plain, times=times):
            asterisks = not hasattr(event, "session") and not isinstance(event, ev.AgentCreated)
            return [effect for _ in range(times if asterisks else 1) for effect in plain(event)]

        each.agent()
        each.apply = repeat
        each.take(rings=2)
        each.after(20).hang_up()
        each.after(10)
        each.apply = plain
    assert once.agent_now() == twice.agent_now()
    assert once.queue_now() == twice.queue_now()


def test_those_who_wait_stand_in_the_order_in_which_they_are_served(desk):
    desk.join("first")
    desk.apply(ev.CallerJoined(desk.now, "urgent", "support", 1, "556", "PJSIP/trunk-02"))
    desk.apply(ev.CallerJoined(desk.now, "last", "support", 3, "557", "PJSIP/trunk-03"))
    waiting = desk.center.queue("support").waiting
    assert [key.partition("/")[0] for key in waiting] == ["urgent", "first", "last"]
    callers = [ev.SeenCaller(call, "support", n, "", "", 0) for n, call in enumerate(["last", "urgent", "first"], 1)]
    desk.link(callers=callers)  # somebody changed a priority, of which no event tells
    assert [key.partition("/")[0] for key in waiting] == ["last", "urgent", "first"]


# How a visit ends


def test_a_caller_who_hangs_up_has_abandoned(desk):
    desk.join()
    desk.after(12).give_up()
    assert desk.visit().outcome is Outcome.ABANDONED
    queue = desk.queue_now()
    assert (queue.total_calls_abandoned, queue.final_disposition, queue.average_wait_time) == (1, 0, 12)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("TIMEOUT", Outcome.TIMED_OUT),
        ("LEAVEEMPTY", Outcome.LEFT_EMPTY),
        ("WITHDRAW", Outcome.WITHDRAWN),
    ],
)
def test_the_dialplan_tells_why_a_caller_left_without_hanging_up(desk, status, outcome):
    desk.join()
    desk.after(12).leave()
    desk.apply(ev.QueueStatusTold(desk.now, "c1", "support", status))
    desk.apply(ev.ChannelEnded(desk.now, "c1", True))
    assert desk.visit().outcome is outcome
    assert (desk.queue_now().total_calls_abandoned, desk.queue_now().final_disposition) == (0, 1)


def test_who_leaves_without_an_abandon_event_left_by_key(desk):
    desk.join()
    desk.apply(ev.CallerLeft(desk.now, "c1", "support"))
    desk.after(2)
    assert desk.visit().outcome is Outcome.LEFT_BY_KEY


def test_an_exit_that_nothing_explains_is_called_unknown(desk):
    desk.join()
    desk.leave()
    desk.after(2)
    assert desk.visit().outcome is Outcome.UNKNOWN


def test_a_caller_whom_the_end_of_asterisk_cuts_off_is_lost_and_has_not_abandoned(desk):
    desk.join()
    desk.apply(ev.ChannelCut(desk.now, "c1"))
    desk.leave()
    desk.apply(ev.ChannelEnded(desk.now, "c1", True))
    assert desk.visit().outcome is Outcome.LOST


def test_where_the_dialplan_reports_exits_a_call_ended_by_somebody_else_is_given_up(desk):
    desk.apply(ev.QueueStatusTold(desk.now, "c0", "support", "TIMEOUT"))
    desk.join()
    desk.leave()  # AMI's Hangup: no HangupRequest
    desk.apply(ev.ChannelEnded(desk.now, "c1", True))
    assert desk.visit().outcome is Outcome.ABANDONED


def test_where_the_dialplan_reports_exits_silence_means_redirected(desk):
    desk.apply(ev.QueueStatusTold(desk.now, "other", "support", "TIMEOUT"))
    desk.join()
    desk.leave()
    desk.after(2)
    assert desk.visit().outcome is Outcome.REDIRECTED


def test_a_caller_who_overflows_has_flowed_out_of_one_queue_and_into_the_other(desk):
    desk.agent(groups=["sales"])
    desk.join()
    desk.after(8).leave()
    desk.apply(ev.QueueStatusTold(desk.now, "c1", "support", "TIMEOUT"))
    desk.take(queue="sales")
    assert desk.visit().outcome is Outcome.FLOWED_OUT
    assert desk.visit(queue="sales").outcome is Outcome.ANSWERED
    support, sales = desk.queue_now("support"), desk.queue_now("sales")
    assert (support.total_calls_flowed_out, support.final_disposition) == (1, 0)
    assert (sales.total_calls_flowed_in, sales.total_calls_queued) == (1, 1)


def test_the_counters_of_a_queue_balance_at_every_moment(desk):
    desk.agent()

    def balanced():
        q = desk.queue_now()
        gone = q.total_calls_answered + q.total_calls_abandoned + q.total_calls_flowed_out + q.final_disposition
        assert q.total_calls_queued == gone + q.current_calls_queued

    desk.take("a")
    balanced()
    for call in "bcd":
        desk.join(call)
        balanced()
    desk.give_up("b")
    balanced()
    desk.leave("c")
    balanced()
    desk.after(3)
    balanced()
    assert (desk.queue_now().total_calls_queued, desk.queue_now().current_calls_queued) == (4, 1)


def test_the_longest_present_wait_is_that_of_the_oldest_caller_and_is_not_cut_at_a_period(desk):
    desk.join()
    desk.after(30)
    desk.apply(desk.center.set_measurement_period(desk.now, 60, queue="support"))
    desk.join("c2")
    desk.after(5)
    queue = desk.queue_now()
    assert (queue.current_longest_wait_time, queue.current_calls_queued, queue.total_calls_queued) == (35, 2, 1)


def test_a_call_answered_by_somebody_unknown_to_acd_is_in_the_ledger_all_the_same(desk):
    desk.take(phone="SIP/stranger")
    desk.after(5).hang_up()
    assert (desk.visit().outcome, desk.visit().agent, desk.visit().talk) == (Outcome.ANSWERED, None, 5)


def test_nothing_is_remembered_of_calls_that_are_over(desk):
    desk.agent()
    for number in range(5):
        desk.take(f"c{number}")
        desk.after(20).hang_up(f"c{number}")
        desk.after(10)
    desk.join("lost")
    desk.give_up("lost")
    state = desk.center.state
    assert (state.visits, state.calls, state.legs, state.ringing) == ({}, {}, {}, {})


# Not answered


def test_an_agent_who_does_not_answer_has_no_call_and_the_next_one_has_it(desk):
    first, second = desk.agent(), desk.agent("1002", "PJSIP/1002")
    desk.join()
    leg = desk.ring(leg="first")
    desk.after(12)
    desk.apply(ev.AgentNotAnswered(desk.now, "c1", "support", PHONE, leg))
    desk.apply(ev.ChannelEnded(desk.now, leg, False))
    desk.ring(phone="PJSIP/1002")
    desk.after(2)
    desk.answer(phone="PJSIP/1002")
    desk.after(5).hang_up()
    assert (desk.session_now(first).number_of_calls, desk.session_now(second).number_of_calls) == (0, 1)
    assert desk.session_now(second).longest_time_to_answer == 2
    assert desk.agent_now().number_of_incoming_calls == 0


def test_a_caller_who_gives_up_while_the_phone_rings_is_nobodys_call(desk):
    session = desk.agent()
    desk.join()
    leg = desk.ring()
    desk.after(3).give_up()
    desk.apply(ev.ChannelEnded(desk.now, leg, False))
    assert desk.visit().outcome is Outcome.ABANDONED
    assert (session.state, desk.session_now(session).number_of_calls) == (SessionState.READY, 0)
    assert desk.agent_now().number_of_incoming_calls == 0


# Calls outside the ACD


def test_a_direct_call_is_incoming_and_counted_when_it_is_over(desk):
    session = desk.agent()
    desk.apply(ev.ChannelMade(desk.now, "leg", f"{PHONE}-01", "caller", False))
    desk.apply(ev.DialBegun(desk.now, "caller", "leg"))
    assert desk.agent_now().state is AgentState.READY  # it only rings
    desk.after(3).apply(ev.DialEnded(desk.now, "caller", "leg", "ANSWER"))
    desk.apply(ev.BridgeEntered(desk.now, "leg", "b"))
    assert desk.agent_now().state is AgentState.BUSY_INCOMING
    assert session.state is SessionState.READY
    desk.after(9).apply(ev.ChannelEnded(desk.now, "leg", True))
    agent = desk.agent_now()
    assert (agent.state, agent.number_of_incoming_calls, agent.number_of_acd_calls) == (AgentState.READY, 1, 0)


def test_a_call_out_is_outgoing_and_counted_only_when_somebody_answered(desk):
    desk.agent()
    for leg, answered in (("a", True), ("b", False)):
        desk.apply(ev.ChannelMade(desk.now, leg, f"{PHONE}-01", leg, True))
        assert desk.agent_now().state is AgentState.BUSY_OUTGOING
        desk.apply(ev.DialBegun(desk.now, leg, "far"))
        if answered:
            desk.apply(ev.DialEnded(desk.now, leg, "far", "ANSWER"))
            desk.apply(ev.BridgeEntered(desk.now, leg, "b"))
        desk.after(5).apply(ev.ChannelEnded(desk.now, leg, answered))
        assert desk.agent_now().state is AgentState.READY
    assert desk.agent_now().number_of_outgoing_calls == 1


def test_a_call_placed_for_the_agent_is_outgoing(desk):
    desk.agent()
    desk.apply(ev.ChannelMade(desk.now, "leg", f"{PHONE}-01", "leg", False))
    desk.apply(ev.DialBegun(desk.now, None, "leg"))
    desk.apply(ev.DialEnded(desk.now, None, "leg", "ANSWER"))
    assert desk.agent_now().state is AgentState.BUSY_OUTGOING


def test_a_consultation_during_an_acd_call_is_no_call_outside_the_acd(desk):
    desk.agent()
    desk.take()
    desk.apply(ev.ChannelMade(desk.now, "second", f"{PHONE}-02", "second", True))
    desk.apply(ev.DialBegun(desk.now, "second", "colleague"))
    desk.apply(ev.BridgeEntered(desk.now, "second", "b2"))
    assert desk.agent_now().state is AgentState.BUSY_ACD
    desk.apply(ev.ChannelEnded(desk.now, "second", True))
    assert desk.agent_now().number_of_outgoing_calls == 0


# Measurement periods


def test_setting_the_period_clears_the_agents_counters_and_not_the_sessions(desk):
    session = desk.agent()
    desk.take()
    desk.after(20).hang_up()
    desk.after(10)
    desk.apply(desk.center.set_measurement_period(desk.now, 3600, agent="1001"))
    agent = desk.agent_now()
    assert (agent.number_of_acd_calls, agent.total_acd_call_time, agent.measurement_period) == (0, 0, 3600)
    assert desk.session_now(session).number_of_calls == 1


def test_a_period_restarts_by_itself_and_a_call_belongs_to_the_one_in_which_it_ended(desk):
    desk.agent()
    desk.apply(desk.center.set_measurement_period(desk.now, 100, agent="1001"))
    desk.take()
    desk.after(90).hang_up()
    assert desk.agent_now().total_acd_talk_time == 90
    desk.after(10)
    agent = desk.agent_now()
    assert (agent.number_of_acd_calls, agent.total_acd_talk_time) == (0, 0)
    assert agent.total_wrap_up_time == 10


def test_a_sliding_period_covers_the_last_seconds_whenever_one_asks(desk):
    desk.apply(ev.Registrations(desk.now, {}, {}, 10, 86400, 0, True))
    session = desk.agent()
    desk.apply(desk.center.set_measurement_period(desk.now, 100, agent="1001"))
    for number in range(3):
        desk.take(f"c{number}")
        desk.after(30).hang_up(f"c{number}")
        desk.after(10)
    agent = desk.agent_now()
    assert (agent.number_of_acd_calls, agent.total_acd_talk_time, agent.total_wrap_up_time) == (3, 90, 30)
    desk.after(20)  # the first call ended 110 seconds ago, its wrap-up 100
    agent = desk.agent_now()
    assert (agent.number_of_acd_calls, agent.total_acd_talk_time, agent.total_wrap_up_time) == (2, 60, 20)
    assert agent.overall_call_rate == Decimal("72.0000")
    desk.ask(session.id, "SESSION_ENDED")
    desk.after(50)
    assert desk.agent_now().overall_call_rate == Decimal("72.0000")  # one call in the 50 seconds that are left


def test_the_overall_call_rate_can_be_told_tenfold_as_its_page_says(desk):
    desk.agent()
    desk.take()
    desk.hang_up()
    desk.after(3600)
    plain = desk.agent_now().overall_call_rate
    desk.apply(ev.Registrations(desk.now, {}, {}, 10, 86400, 0, False, 10))
    assert desk.agent_now().overall_call_rate == plain * 10


@pytest.mark.parametrize("seconds", [0, -1, 2**31])
def test_a_period_is_at_least_a_second_and_fits_a_long(desk, seconds):
    desk.agent()
    with pytest.raises(refusals.PeriodInvalid):
        desk.center.set_measurement_period(desk.now, seconds, agent="1001")


# The link was down


def test_a_call_that_lasts_through_a_lost_link_loses_nothing(desk):
    session = desk.agent()
    leg = desk.take()
    desk.after(10).apply(ev.LinkLost(desk.now, "gone"))
    desk.after(5)
    desk.link(
        channels=[
            ev.SeenChannel(leg, f"{PHONE}-0001", "c1", "b", True, False, True),
            ev.SeenChannel("c1", "PJSIP/trunk-01", "c1", "b", True, True, False),
        ]
    )
    assert session.state is SessionState.BUSY_ON_CALL
    desk.after(5).hang_up()
    assert desk.session_now(session).total_talk_time == 20


def test_a_call_that_ended_meanwhile_ends_when_asterisk_says_its_member_had_its_last_call(desk):
    session = desk.agent()
    desk.take()
    desk.after(10).apply(ev.LinkLost(desk.now, "gone"))
    desk.after(60)
    desk.link(members=[ev.SeenMember("support", PHONE, "", True, "wrapup", 1, True, START + 25)])
    desk.after(0)
    assert (desk.session_now(session).total_talk_time, desk.session_now(session).total_wrap_up_time) == (25, 10)
    assert desk.visit().estimated
    assert session.state is SessionState.READY  # its wrap-up is over too


def test_calls_of_an_asterisk_that_died_end_with_the_link(desk):
    session = desk.agent()
    desk.take()
    desk.join("c2")
    desk.after(10).apply(ev.LinkLost(desk.now, "gone"))
    desk.after(60)
    desk.link(booted=desk.now)
    assert desk.session_now(session).total_talk_time == 10
    assert desk.visit("c2").outcome is Outcome.LOST
    assert desk.queue_now().current_calls_queued == 0


def test_who_joined_meanwhile_is_found_waiting_since_he_came(desk):
    desk.apply(ev.LinkLost(desk.now, "gone"))
    desk.after(60)
    desk.link(callers=[ev.SeenCaller("c1", "support", 1, "555", "PJSIP/trunk-01", 40)])
    assert desk.queue_now().current_longest_wait_time == 40


def test_who_was_answered_meanwhile_is_found_talking(desk):
    session = desk.agent()
    desk.join()
    desk.after(5).apply(ev.LinkLost(desk.now, "gone"))
    desk.after(5)
    desk.link(
        channels=[
            ev.SeenChannel("leg", f"{PHONE}-01", "c1", "b", True, False, True),
            ev.SeenChannel("c1", "PJSIP/trunk-01", "c1", "b", True, True, False),
        ]
    )
    assert session.state is SessionState.BUSY_ON_CALL
    assert desk.visit().estimated


def test_who_came_and_was_answered_meanwhile_is_found_talking(desk):
    session = desk.agent()
    desk.apply(ev.LinkLost(desk.now, "gone"))
    desk.after(5)
    desk.link(
        channels=[
            ev.SeenChannel("leg", f"{PHONE}-01", "c1", "b", True, False, True),
            ev.SeenChannel("c1", "PJSIP/trunk-01", "c1", "b", True, True, False, "support"),
        ]
    )
    assert session.state is SessionState.BUSY_ON_CALL
    assert (desk.visit().outcome, desk.visit().estimated) == (Outcome.ANSWERED, True)
    desk.after(5).apply(ev.ChannelEnded(desk.now, "leg", True))
    assert desk.session_now(session).total_talk_time == 5


def test_wrap_up_that_ends_while_the_link_is_down_counts_until_its_time_was_over(desk):
    session = desk.agent()
    desk.take()
    desk.hang_up()
    desk.after(4).apply(ev.LinkLost(desk.now, "gone"))
    desk.after(600)
    desk.link()
    assert session.state is SessionState.READY
    assert desk.session_now(session).total_wrap_up_time == 10


# Calls that change hands


def test_the_log_off_of_an_agent_whose_phone_rings_waits_for_the_ring(desk):
    session = desk.agent()
    desk.join()
    leg = desk.ring()
    desk.ask(session.id, "SESSION_ENDED")
    assert (session.state, session.next_state) == (SessionState.READY, SessionState.SESSION_ENDED)
    desk.apply(ev.AgentNotAnswered(desk.now, "c1", "support", PHONE, leg))
    assert session.state is SessionState.SESSION_ENDED


def test_who_logs_off_while_it_rings_and_answers_all_the_same_has_the_call_and_is_logged_off_after_it(desk):
    session = desk.agent()
    desk.join()
    desk.ring()
    desk.ask(session.id, "SESSION_ENDED")
    desk.answer()
    desk.after(7).hang_up()
    assert session.state is SessionState.SESSION_ENDED
    assert desk.session_now(session).total_talk_time == 7


def test_a_call_that_was_picked_up_belongs_to_the_one_who_talks(desk):
    called, other = desk.agent(), desk.agent("1002", "PJSIP/1002")
    desk.join()
    desk.ring()
    desk.apply(ev.CallerLeft(desk.now, "c1", "support"))
    desk.apply(ev.AgentConnected(desk.now, "c1", "support", PHONE, "", "picked", 0, 0, "PJSIP/1002-0009"))
    assert (called.state, other.state) == (SessionState.READY, SessionState.BUSY_ON_CALL)
    desk.after(5).apply(ev.ChannelEnded(desk.now, "picked", True))
    assert (desk.session_now(called).number_of_calls, desk.session_now(other).number_of_calls) == (0, 1)


def test_a_call_picked_up_by_a_phone_without_an_agent_is_nobodys(desk):
    called = desk.agent()
    desk.join()
    ringing = desk.ring()
    desk.apply(ev.CallPickedUp(desk.now, "picked", "PJSIP/9999-0009", ringing))
    desk.apply(ev.ChannelEnded(desk.now, ringing, False))
    desk.apply(ev.CallerLeft(desk.now, "c1", "support"))
    desk.apply(ev.AgentConnected(desk.now, "c1", "support", PHONE, "", "picked", 0, 0, "PJSIP/9999-0009"))
    assert called.state is SessionState.READY
    desk.after(5).apply(ev.ChannelEnded(desk.now, "picked", True))
    assert (desk.visit().outcome, desk.visit().agent, desk.visit().talk) == (Outcome.ANSWERED, None, 5)


def test_a_pickup_that_is_told_after_the_answer_is_one_all_the_same(desk):
    called = desk.agent()
    desk.join()
    ringing = desk.ring()
    desk.apply(ev.AgentConnected(desk.now, "c1", "support", PHONE, "", "picked", 0, 0, "PJSIP/9999-0009"))
    desk.apply(ev.CallPickedUp(desk.now, "picked", "PJSIP/9999-0009", ringing))
    assert called.state is SessionState.READY
    assert desk.center.state.ringing == {}


def test_who_is_picked_up_took_as_long_to_answer_as_the_first_phone_rang(desk):
    desk.agent()
    other = desk.agent("1002", "PJSIP/1002")
    desk.join()
    ringing = desk.ring()
    desk.after(4).apply(ev.CallPickedUp(desk.now, "picked", "PJSIP/1002-0009", ringing))
    desk.apply(ev.AgentConnected(desk.now, "c1", "support", PHONE, "", "picked", 0, 0, "PJSIP/1002-0009"))
    desk.after(5).apply(ev.ChannelEnded(desk.now, "picked", True))
    assert desk.session_now(other).longest_time_to_answer == 4


def test_a_local_channel_that_is_optimised_away_does_not_end_the_call(desk):
    phone = "Local/1@agents"
    session = desk.agent(phone=phone)
    desk.join()
    desk.apply(ev.AgentCalled(desk.now, "c1", "support", phone, "local;1"))
    desk.apply(ev.CallerLeft(desk.now, "c1", "support"))
    desk.apply(ev.AgentConnected(desk.now, "c1", "support", phone, "", "local;1", 0, 0, "Local/1@agents-01;1"))
    desk.apply(ev.BridgeEntered(desk.now, "desk phone", "b", "local;1"))
    desk.apply(ev.ChannelEnded(desk.now, "local;1", True))
    assert session.state is SessionState.BUSY_ON_CALL
    desk.after(20).apply(ev.ChannelEnded(desk.now, "desk phone", True))
    assert desk.session_now(session).total_talk_time == 20


def behind_a_local_channel(desk: Desk, phone: str) -> AgentSession:
    """An agent at Local/1@phones/n, behind which stands this phone; a caller has just been answered there."""
    desk.apply(desk.center.create_agent(desk.now, "1001", "alice"))
    desk.apply(desk.center.create_session(desk.now, "s", "1001", "support", LOCAL, device=phone))
    desk.ask("s", "READY")
    desk.ask_agent("1001", "READY")
    desk.join()
    desk.apply(ev.ChannelMade(desk.now, "half1", "Local/1@phones-01;1", "c1", False))
    desk.apply(ev.ChannelMade(desk.now, "half2", "Local/1@phones-01;2", "c1", False))
    desk.apply(ev.AgentCalled(desk.now, "c1", "support", LOCAL, "half1", "c1"))
    desk.apply(ev.ChannelMade(desk.now, "desk phone", "PJSIP/1001-07", "c1", False))
    desk.after(3).apply(ev.DialEnded(desk.now, "half2", "desk phone", "ANSWER"))
    desk.apply(ev.BridgeEntered(desk.now, "desk phone", "behind"))
    desk.apply(ev.CallerLeft(desk.now, "c1", "support"))
    desk.apply(ev.AgentConnected(desk.now, "c1", "support", LOCAL, "", "half1", 3, 3, "Local/1@phones-01;1"))
    desk.apply(ev.BridgeEntered(desk.now, "half2", "behind"))
    return desk.center.session("s")


def test_asterisk_is_told_which_phone_stands_behind_an_address(desk):
    behind_a_local_channel(desk, "PJSIP/1001")
    assert desk.orders[0] == AddMember("support", LOCAL, "alice", True, "", "PJSIP/1001")


def test_the_phone_behind_a_local_channel_is_the_agents_part_in_the_call(desk):
    session = behind_a_local_channel(desk, "PJSIP/1001")
    assert [move for move in desk.moves if "BUSY" in move] == ["session BUSY", "agent BUSY_ACD"]
    desk.after(5).apply(ev.HoldStarted(desk.now, "desk phone"))
    desk.after(2).apply(ev.HoldEnded(desk.now, "desk phone"))
    desk.after(5).apply(ev.ChannelEnded(desk.now, "desk phone", True))  # he transferred the caller
    assert session.state is SessionState.BUSY_WRAPUP
    desk.after(300).apply(ev.ChannelEnded(desk.now, "half1", True))
    desk.apply(ev.ChannelEnded(desk.now, "c1", True))
    assert (desk.visit().talk, desk.visit().hold) == (12, 2)
    assert desk.agent_now().number_of_incoming_calls == 0


def test_a_local_channel_that_nothing_is_known_behind_is_the_agents_part_itself(desk):
    session = behind_a_local_channel(desk, "")
    desk.after(10).apply(ev.ChannelEnded(desk.now, "half1", True))
    assert session.state is SessionState.BUSY_WRAPUP
    desk.apply(ev.ChannelEnded(desk.now, "half2", True))
    assert desk.visit().talk == 10
    assert (desk.person().legs, desk.agent_now().number_of_incoming_calls) == ([], 0)


def test_other_calls_of_the_phone_behind_an_address_are_the_agents(desk):
    behind_a_local_channel(desk, "PJSIP/1001")
    for channel in ("desk phone", "half1", "half2", "c1"):
        desk.apply(ev.ChannelEnded(desk.now, channel, True))
    desk.after(60).apply(ev.ChannelMade(desk.now, "out", "PJSIP/1001-08", "out", True))
    assert desk.agent_now().state is AgentState.BUSY_OUTGOING


def test_two_agents_cannot_share_the_phone_behind_their_addresses(desk):
    behind_a_local_channel(desk, "PJSIP/1001")
    desk.apply(desk.center.create_agent(desk.now, "1002", "bob"))
    with pytest.raises(refusals.AddressInUse):
        desk.center.create_session(desk.now, "t", "1002", "support", "PJSIP/1001")


def test_an_attended_transfer_that_takes_the_agents_place_in_the_bridge_ends_his_call(desk):
    session = desk.agent()
    leg = desk.take()
    desk.after(20)
    desk.apply(ev.BridgeEntered(desk.now, "colleague", "b", leg))
    desk.apply(ev.ChannelEnded(desk.now, leg, True))
    assert session.state is SessionState.BUSY_WRAPUP
    assert desk.session_now(session).total_talk_time == 20


def test_a_caller_who_is_transferred_into_a_queue_while_the_agent_waits_there_is_the_one_who_waits(desk):
    desk.join("consultation", "sales")
    desk.after(5).apply(ev.CallerReplaced(desk.now, "consultation", "customer", "0555"))
    desk.apply(ev.ChannelEnded(desk.now, "consultation", True))
    assert desk.queue_now("sales").current_calls_queued == 1
    assert desk.visit("consultation", "sales").caller == "0555"
    desk.after(5).give_up("customer", "sales")
    assert desk.queue_now("sales").total_calls_abandoned == 1


def test_a_caller_whom_an_agent_transfers_to_another_queue_has_flowed_into_it(desk):
    desk.agent()
    desk.take()
    desk.after(5).apply(ev.ChannelEnded(desk.now, "leg-c1", True))
    desk.join("c1", "sales")
    assert desk.queue_now("sales").total_calls_flowed_in == 1
    assert desk.queue_now("support").total_calls_flowed_out == 0  # it was answered there


def test_a_caller_whom_an_agent_announced_in_another_queue_first_has_flowed_into_it_too(desk):
    desk.agent()
    desk.take("customer")
    desk.join("consultation", "sales")
    desk.after(5).apply(ev.CallerReplaced(desk.now, "consultation", "customer", "0555"))
    desk.apply(ev.ChannelEnded(desk.now, "leg-customer", True))
    desk.apply(ev.ChannelEnded(desk.now, "consultation", True))
    assert desk.queue_now("sales").total_calls_flowed_in == 1


# Phones


def test_an_agent_whose_phone_is_gone_is_unknown_until_it_is_back(desk):
    desk.agent()
    desk.apply(ev.MemberStatus(desk.now, "support", PHONE, 5))
    assert desk.agent_now().state is AgentState.UNKNOWN
    desk.apply(ev.MemberStatus(desk.now, "support", PHONE, 1))
    assert desk.agent_now().state is AgentState.READY


def test_too_many_missed_calls_in_a_row_keep_further_calls_from_the_agent(desk):
    desk.center.state.missed_calls = 2
    session = desk.agent()
    for number in range(3):
        call = desk.join(f"c{number}")
        leg = desk.ring(call)
        desk.apply(ev.AgentNotAnswered(desk.now, call, "support", PHONE, leg))
        desk.apply(ev.ChannelEnded(desk.now, leg, False))
        if number == 0:  # an answered call between them: not in a row
            assert session.state is SessionState.READY
            desk.ring(call, leg="again")
            desk.answer(call, leg="again")
            desk.apply(ev.ChannelEnded(desk.now, "again", True))
            desk.after(10)
    assert (session.state, session.reason) == (SessionState.NOT_READY, "missed calls")
    assert (desk.agent_now().state, desk.agent_now().reason) == (AgentState.NOT_READY, "missed calls")


def test_who_was_refused_by_a_full_or_empty_queue_is_counted_apart(desk):
    desk.apply(ev.QueueStatusTold(desk.now, "c1", "support", "JOINEMPTY"))
    assert desk.center.queue("support").measured.tally.refused == 1
    assert desk.queue_now().total_calls_queued == 0


# While nobody watched, more


def test_calls_of_an_asterisk_that_started_anew_ended_before_that(desk):
    session = desk.agent()
    desk.take()
    desk.after(3600).apply(ev.LinkLost(desk.now, "acd was started again"))  # it had been killed long before
    desk.link(booted=START + 120)
    assert desk.session_now(session).total_talk_time == 120


def test_a_log_off_put_off_by_a_ring_happens_when_the_ring_was_over_while_the_link_was_down(desk):
    session = desk.agent()
    desk.join()
    desk.ring()
    desk.ask(session.id, "SESSION_ENDED")
    desk.apply(ev.LinkLost(desk.now, "gone"))
    desk.after(10)
    desk.link()
    assert session.state is SessionState.SESSION_ENDED


def test_an_answer_between_the_two_lists_of_a_picture_makes_one_visit(desk):
    desk.agent()
    desk.join()
    desk.apply(ev.LinkLost(desk.now, "gone"))
    desk.link(
        callers=[ev.SeenCaller("c1", "support", 1, "555", "PJSIP/trunk-01", 5)],
        channels=[
            ev.SeenChannel("leg-c1", f"{PHONE}-01", "c1", "b", True, False, True),
            ev.SeenChannel("c1", "PJSIP/trunk-01", "c1", "b", True, True, False, "support"),
        ],
    )
    desk.answer()
    queue = desk.queue_now()
    assert (queue.total_calls_queued, queue.total_calls_answered, queue.total_calls_flowed_out) == (1, 1, 0)


def test_a_call_out_begun_in_wrap_up_is_a_call_outside_the_acd(desk):
    desk.agent()
    desk.take()
    desk.hang_up()
    desk.apply(ev.ChannelMade(desk.now, "out", f"{PHONE}-02", "out", True))
    desk.apply(ev.BridgeEntered(desk.now, "out", "b2"))
    desk.after(20).apply(ev.ChannelEnded(desk.now, "out", True))
    assert desk.agent_now().number_of_outgoing_calls == 1


def test_who_is_taken_out_of_his_queue_in_a_call_and_put_back_in_it_stays(desk):
    session = desk.agent()
    desk.take()
    desk.members.pop(("support", PHONE))
    desk.apply(ev.MemberRemoved(desk.now, "support", PHONE))
    desk.members["support", PHONE] = (False, "")
    desk.apply(ev.MemberAdded(desk.now, "support", PHONE, "", False, "", 2, True))
    desk.after(5).hang_up()
    assert session.state is SessionState.BUSY_WRAPUP
    assert desk.members["support", PHONE] == (True, "wrapup")


def test_a_pause_by_phone_code_does_not_undo_a_log_off_asked_for_in_the_same_call(desk):
    session = desk.agent()
    desk.take()
    desk.ask(session.id, "SESSION_ENDED")
    desk.pause(PHONE, True, "code")
    desk.hang_up()
    assert session.state is SessionState.SESSION_ENDED


def test_who_asks_to_be_ready_after_all_while_it_rings_is_not_logged_off(desk):
    session = desk.agent()
    desk.join()
    leg = desk.ring()
    desk.ask(session.id, "SESSION_ENDED")
    desk.ask(session.id, "READY")
    desk.apply(ev.AgentNotAnswered(desk.now, "c1", "support", PHONE, leg))
    assert (session.state, session.next_state) == (SessionState.READY, None)


def test_a_caller_who_leaves_and_comes_back_at_once_waits_again(desk):
    desk.join()
    desk.after(5).apply(ev.CallerLeft(desk.now, "c1", "support"))
    desk.join()
    assert desk.visit().outcome is Outcome.FLOWED_OUT
    assert desk.queue_now().current_calls_queued == 1
    desk.after(5).give_up()
    assert desk.visit(nth=2).outcome is Outcome.ABANDONED


def test_a_caller_with_an_older_call_who_hangs_up_between_the_two_lists_of_a_picture_is_entered_once(desk):
    desk.agent()
    desk.take()
    desk.after(5).apply(ev.ChannelEnded(desk.now, "leg-c1", True))  # transferred; wrap-up goes on
    desk.join("c1", "sales")
    desk.apply(ev.LinkLost(desk.now, "cut"))
    desk.link(callers=[ev.SeenCaller("c1", "sales", 1, "555", "PJSIP/trunk-01", 1)])
    assert desk.center.queue("sales").waiting == ["c1/sales/1"]
    desk.give_up("c1", "sales")
    assert desk.visit(queue="sales").outcome is Outcome.ABANDONED
    assert desk.queue_now("sales").current_calls_queued == 0


def test_an_agents_part_is_over_when_his_phone_hangs_up_though_the_channel_stays_for_a_transfer(desk):
    session = desk.agent()
    leg = desk.take()
    desk.after(10).apply(ev.HangupRequested(desk.now, leg))
    assert session.state is SessionState.BUSY_WRAPUP
    desk.after(20).apply(ev.ChannelEnded(desk.now, leg, True))
    assert desk.visit().talk == 10


def test_a_place_in_line_that_nobody_knows_is_the_last_one(desk):
    desk.join("first")
    desk.apply(ev.CallerJoined(desk.now, "c2", "support", 0, "556", "PJSIP/trunk-02"))
    assert desk.center.queue("support").waiting == ["first/support/1", "c2/support/1"]


@pytest.mark.parametrize("came_before", [True, False])
def test_who_is_answered_behind_a_local_channel_while_the_link_is_down_is_found_talking(desk, came_before):
    desk.apply(desk.center.create_agent(desk.now, "1001", "alice"))
    desk.apply(desk.center.create_session(desk.now, "s", "1001", "support", LOCAL, device="PJSIP/1001"))
    desk.ask("s", "READY")
    if came_before:
        desk.join()
    desk.apply(ev.LinkLost(desk.now, "cut"))
    channels = [
        ev.SeenChannel("c1", "PJSIP/trunk-01", "c1", "b", True, False, False, "support", "555"),
        ev.SeenChannel("half1", "Local/1@phones-01;1", "c1", "b", True, False, True),
        ev.SeenChannel("half2", "Local/1@phones-01;2", "c1", "d", True, False, False),
        ev.SeenChannel("desk phone", "PJSIP/1001-07", "c1", "d", True, False, False),
    ]
    desk.after(5).link(channels=channels)
    visit = desk.visit()
    assert (visit.outcome, visit.agent, visit.caller) == (Outcome.ANSWERED, "1001", "555")
    assert desk.agent_now().state is AgentState.BUSY_ACD
    for channel in ("desk phone", "half1", "half2", "c1"):
        desk.apply(ev.ChannelEnded(desk.now, channel, True))
    assert desk.agent_now().number_of_incoming_calls == 0


def test_who_picks_up_another_call_while_he_talks_is_busy_until_the_last_one_is_over(desk):
    session = desk.agent()
    desk.take("c1")
    desk.take("c2")
    desk.after(5).hang_up("c2")
    assert session.state is SessionState.BUSY_ON_CALL
    desk.after(5).hang_up("c1")
    assert session.state is SessionState.BUSY_WRAPUP
    desk.after(10)
    assert session.state is SessionState.READY
    assert (desk.session_now(session).number_of_calls, desk.session_now(session).total_talk_time) == (2, 15)


def test_what_he_asked_for_in_a_call_outlasts_being_taken_out_and_put_back(desk):
    session = desk.agent()
    desk.take()
    desk.ask(session.id, "NOT_READY", "lunch")
    desk.members.pop(("support", PHONE))
    desk.apply(ev.MemberRemoved(desk.now, "support", PHONE))
    desk.members["support", PHONE] = (False, "")
    desk.apply(ev.MemberAdded(desk.now, "support", PHONE, "", False, "", 2, True))
    desk.hang_up()
    assert (session.state, session.reason) == (SessionState.NOT_READY, "lunch")


def test_who_is_still_out_of_his_last_queue_when_his_call_ends_is_logged_off(desk):
    session = desk.agent()
    desk.take()
    desk.members.pop(("support", PHONE))
    desk.apply(ev.MemberRemoved(desk.now, "support", PHONE))
    assert session.state is SessionState.BUSY_ON_CALL
    desk.after(5).hang_up()
    assert (session.state, session.reason) == (SessionState.SESSION_ENDED, "removed")


# read from queue_log


def test_a_call_read_afterwards_counts_and_is_known_to_the_second(desk):
    session = desk.agent()
    desk.apply(ev.LinkLost(desk.now, "cut"))
    desk.after(10).join()
    desk.after(3).answer()
    desk.after(20).apply(ev.ChannelEnded(desk.now, "leg-c1", True))
    visit = desk.visit()
    assert (visit.outcome, visit.wait, visit.talk, visit.session) == (Outcome.ANSWERED, 3, 20, session.id)
    assert visit.estimated
    assert desk.queue_now().total_calls_queued == 1


def test_a_call_answered_while_nobody_listened_has_no_wrap_up_as_no_pause_kept_the_next_away(desk):
    session = desk.agent()
    desk.apply(ev.LinkLost(desk.now, "cut"))
    desk.join()
    desk.answer()
    desk.after(20).apply(ev.ChannelEnded(desk.now, "leg-c1", True))
    assert (session.state, desk.visit().wrap_up) == (SessionState.READY, 0)


def test_a_call_answered_before_has_its_wrap_up_as_the_pause_was_there(desk):
    session = desk.agent()
    desk.take()
    desk.apply(ev.LinkLost(desk.now, "cut"))
    desk.after(20).apply(ev.ChannelEnded(desk.now, "leg-c1", True))
    assert session.state is SessionState.BUSY_WRAPUP
    desk.after(30).link()
    assert (session.state, desk.visit().wrap_up) == (SessionState.READY, 10)


def test_an_exit_read_afterwards_is_the_outcome(desk):
    desk.join()
    desk.apply(ev.LinkLost(desk.now, "cut"))
    desk.after(5).apply(ev.ExitRead(desk.now, "c1", "support", "timed_out"))
    assert (desk.visit().outcome, desk.visit().wait) == (Outcome.TIMED_OUT, 5)
    assert desk.visit().outcome is Outcome.TIMED_OUT


def test_an_exit_that_nothing_explained_before_the_link_was_lost_waits_for_the_log(desk):
    desk.join()
    desk.leave()
    desk.apply(ev.LinkLost(desk.now, "cut"))
    desk.after(30)
    assert desk.visit().outcome is None
    desk.apply(ev.ExitRead(desk.now, "c1", "support", "withdrawn"))
    assert desk.visit().outcome is Outcome.WITHDRAWN


# odd and hostile: whatever is told, a call has one place, and the next picture can be taken


def test_a_channel_that_gave_its_place_away_may_enter_the_queue_itself(desk):
    desk.join("consulting")
    desk.apply(ev.CallerReplaced(desk.now, "consulting", "customer", "0555"))
    desk.join("consulting")
    assert len(set(desk.center.state.queues["support"].waiting)) == 2
    desk.give_up("consulting")
    desk.link(callers=[ev.SeenCaller("customer", "support", 1, "0555", "PJSIP/trunk-02", 1.0)])
    assert desk.queue_now().current_calls_queued == 1


def test_an_id_that_comes_again_is_a_visit_of_its_own(desk):
    desk.take()
    desk.hang_up()
    desk.link(
        callers=[ev.SeenCaller("c1", "support", 1, "555", "PJSIP/trunk-01", 1.0)],
        channels=[ev.SeenChannel("c1", "PJSIP/trunk-01", "c1", "", True, False, False)],
    )
    assert desk.queue_now().current_calls_queued == 1


def test_an_agents_channel_that_is_the_callers_own_ends_once(desk):
    session = desk.agent()
    desk.apply(ev.AgentConnected(desk.now, "c1", "support", "PJSIP/1001", "", "c1", 0, 0))
    desk.after(5).apply(ev.HangupRequested(desk.now, "c1"))
    desk.apply(ev.ChannelEnded(desk.now, "c1", True))
    assert (session.tally.calls, session.tally.talk) == (1, 5)


def test_no_figure_is_below_zero_when_the_clock_goes_back(desk):
    session = desk.agent()
    desk.join()
    desk.now -= 10
    assert desk.queue_now().current_longest_wait_time == 0
    desk.now += 10
    desk.ring()
    desk.now -= 10
    desk.answer()
    desk.hang_up()
    assert (session.tally.to_answer, session.tally.talk) == (0, 0)


def test_a_queue_that_nobody_knows_can_go(desk):
    desk.apply(ev.QueueGone(desk.now, "unheard of"))
    assert "unheard of" not in desk.center.state.queues


# the picture may be ahead of the events by a moment


def test_who_left_in_the_moment_of_the_picture_is_explained_by_the_events_behind_it(desk):
    desk.join()
    desk.apply(ev.LinkLost(desk.now, "cut"))
    desk.after(3).apply(ev.LinkHeard(desk.now))
    desk.link()
    desk.give_up()
    assert desk.visit().outcome is Outcome.ABANDONED


def test_so_is_who_was_sent_on_by_an_agent_who_still_wraps_up(desk):
    desk.agent()
    leg = desk.take()
    desk.after(3).apply(ev.ChannelEnded(desk.now, leg, True))
    desk.join(queue="sales")
    desk.apply(ev.LinkLost(desk.now, "cut"))
    desk.after(3).apply(ev.LinkHeard(desk.now))
    desk.link()
    desk.give_up(queue="sales")
    assert desk.visit(queue="sales").outcome is Outcome.ABANDONED


def test_who_was_answered_in_the_moment_of_the_picture_is_counted_once(desk):
    session = desk.agent()
    desk.join()
    desk.apply(ev.LinkLost(desk.now, "cut"))
    desk.after(3).apply(ev.LinkHeard(desk.now))
    desk.link()
    desk.ring()
    desk.answer()
    assert (desk.visit().outcome, desk.visit().session) == (Outcome.ANSWERED, session.id)
    assert desk.queue_now().total_calls_queued == 1


def test_of_whom_nothing_tells_in_time_it_is_unknown_how_he_left(desk):
    desk.join()
    desk.apply(ev.LinkLost(desk.now, "cut"))
    desk.after(3).link()
    seen = desk.now
    desk.after(5)
    assert (desk.visit().outcome, desk.visit().left) == (Outcome.UNKNOWN, seen)


def test_what_is_heard_before_the_picture_is_known_exactly(desk):
    desk.apply(ev.LinkLost(desk.now, "cut"))
    desk.after(3).apply(ev.LinkHeard(desk.now))
    desk.join()
    desk.give_up()
    assert (desk.visit().outcome, desk.visit().estimated) == (Outcome.ABANDONED, False)


def test_an_answer_that_is_heard_long_after_the_caller_left_the_line_is_counted_once(desk):
    """A backlog of AMI: the clock went on while the events that belong together were still on their way."""
    session = desk.agent()
    desk.join()
    desk.ring()
    desk.after(2).apply(ev.CallerLeft(desk.now, "c1", "support"))
    answered = desk.now
    desk.after(3)
    assert desk.visit().outcome is Outcome.LEFT_BY_KEY
    desk.apply(ev.AgentConnected(answered, "c1", "support", PHONE, "", "leg-c1", 0, 2))
    desk.after(10).hang_up()
    queue = desk.queue_now()
    assert (desk.visit().outcome, desk.visit().wait, session.tally.calls) == (Outcome.ANSWERED, 2, 1)
    assert (queue.total_calls_queued, queue.total_calls_answered, queue.final_disposition) == (1, 1, 0)
    assert queue.average_wait_time_exact == 2


def test_a_caller_withdrawn_into_another_queue_flowed_out(desk):
    desk.join()
    desk.leave()
    desk.apply(ev.QueueStatusTold(desk.now, "c1", "support", "WITHDRAW"))
    desk.join("c1", "sales")
    assert desk.visit().outcome is Outcome.FLOWED_OUT
    assert (desk.queue_now().total_calls_flowed_out, desk.queue_now().final_disposition) == (1, 0)
    assert desk.queue_now("sales").total_calls_flowed_in == 1
