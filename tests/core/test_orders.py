"""Orders to Asterisk: what is missing is ordered until it is confirmed, and what is ours goes when nobody wants it."""

import pytest

from acd.core import events as ev
from acd.core import refusals
from acd.core.effects import PauseMember, RemoveMember
from acd.core.members import IN_WRAP_UP
from acd.core.states import AgentState, SessionState
from tests.core.desk import Desk

PHONE = "PJSIP/1001"


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def both() -> Desk:
    """A group of two queues."""
    desk = Desk()
    desk.apply(ev.GroupSet(desk.now, "both", ["support", "sales"]))
    return desk


def test_an_order_that_no_event_follows_is_given_again_until_one_does(desk):
    session = desk.agent()
    desk.take()
    desk.hang_up()
    desk.obedient = False
    desk.after(10)  # wrap-up is over, and the unpause is lost
    assert session.state is SessionState.BUSY_WRAPUP
    before = len(desk.orders)
    desk.after(12)
    assert desk.orders[before:] == [PauseMember("support", PHONE, False, "")] * 2
    desk.obey(desk.orders[-1])
    assert session.state is SessionState.READY
    assert desk.center.next_deadline() is None


def test_what_an_unconfirmed_order_left_behind_is_not_taken_for_what_was_seen_before_it(desk):
    session = desk.agent()
    desk.obedient = False
    desk.ask(session.id, "NOT_READY", "lunch")
    desk.members["support", PHONE] = (True, "lunch")  # carried out, but no event comes
    desk.ask(session.id, "READY")  # not even heard
    assert session.state is SessionState.READY
    desk.obedient = True
    desk.after(6)
    assert desk.members["support", PHONE] == (False, "")
    assert desk.center.next_deadline() is None


def test_a_confirmed_order_leaves_no_deadline_behind(desk):
    desk.agent()
    assert desk.center.next_deadline() is None


def test_a_member_that_asterisk_does_not_find_was_taken_out_by_somebody_and_wrap_up_ends_all_the_same(both):
    session = both.agent(groups=["both"])
    both.take()
    both.hang_up()
    both.members.pop(("support", PHONE))  # by a reload, which tells nobody
    both.obedient = False
    both.after(10)
    both.obey(both.orders[-1])
    both.apply(ev.MemberRemoved(both.now, "support", PHONE))
    assert session.state is SessionState.READY
    assert session.left == {"support"}


def test_who_is_in_no_queue_any_more_is_logged_off(both):
    session = both.agent(groups=["both"])
    both.members.clear()
    both.apply(ev.MemberRemoved(both.now, None, PHONE))
    assert session.state is SessionState.SESSION_ENDED


def test_a_queue_taken_from_a_group_while_the_link_is_down_is_left_after_it(both):
    session = both.agent(groups=["both"])
    both.apply(ev.LinkLost(both.now, "cut"))
    both.apply(ev.GroupSet(both.now, "both", ["support"]))
    both.link()
    assert set(both.members) == {("support", PHONE)}
    assert session.state is SessionState.READY


def test_a_queue_taken_from_a_group_while_its_member_is_being_added_is_left_too(both):
    both.obedient = False
    both.apply(both.center.create_agent(both.now, "1001", "alice"))
    both.apply(both.center.create_session(both.now, "s", "1001", "both", PHONE))
    both.apply(ev.GroupSet(both.now, "both", ["support"]))
    both.obedient = True
    for order in list(both.orders):
        both.obey(order)
    assert set(both.members) == {("support", PHONE)}


def test_a_log_off_that_asterisk_did_not_hear_is_repeated_after_the_session_has_lost_the_queue(both):
    both.agent(groups=["both"])
    both.obedient = False
    both.apply(ev.GroupSet(both.now, "both", ["support"]))
    assert both.orders[-1] == RemoveMember("sales", PHONE)
    both.obedient = True
    both.after(6)
    assert set(both.members) == {("support", PHONE)}


def test_a_member_brought_by_somebody_else_is_left_alone_where_no_session_wants_it(desk):
    desk.agent(groups=["support"])
    desk.members["sales", PHONE] = (False, "")
    desk.apply(ev.MemberAdded(desk.now, "sales", PHONE, "alice", False, "", 1, True))
    desk.after(60)
    assert desk.members["sales", PHONE] == (False, "")


def test_a_queue_that_asterisk_does_not_have_keeps_nobody_from_his_other_queues(both):
    both.apply(ev.GroupSet(both.now, "both", ["support", "nowhere"]))
    session = both.agent(groups=["both"])
    assert session.state is SessionState.READY
    assert set(both.members) == {("support", PHONE)}
    both.take()
    both.hang_up()
    both.after(10)
    assert session.state is SessionState.READY


def test_a_queue_that_goes_while_its_agents_work_keeps_them_from_nothing_else(both):
    session = both.agent(groups=["both"])
    both.obedient = False
    both.ask(session.id, "NOT_READY", "lunch")
    both.apply(ev.MemberPaused(both.now, "support", PHONE, True, "lunch"))
    assert session.state is SessionState.READY
    both.apply(ev.QueueGone(both.now, "sales"))
    assert (session.state, session.reason) == (SessionState.NOT_READY, "lunch")


def test_a_group_whose_queues_asterisk_does_not_have_takes_nobody(desk):
    desk.apply(ev.GroupSet(desk.now, "ghosts", ["nowhere"]))
    desk.apply(desk.center.create_agent(desk.now, "1001", "alice"))
    with pytest.raises(refusals.GroupEmpty):
        desk.center.create_session(desk.now, "s", "1001", "ghosts", PHONE)


def test_an_agent_whose_last_queue_went_is_unknown_until_it_is_back(desk):
    session = desk.agent()
    desk.apply(ev.QueueGone(desk.now, "support"))
    assert desk.agent_now().state is AgentState.UNKNOWN
    desk.members.clear()
    desk.join()  # somebody calls there: so it is back
    assert desk.members == {("support", PHONE): (False, "")}
    assert session.state is SessionState.READY
    assert desk.agent_now().state is AgentState.READY


def test_a_queue_that_a_reload_made_is_found_by_its_first_caller(desk):
    desk.join("c1", "brand new")
    assert desk.center.queue("brand new").in_asterisk
    assert desk.center.group("brand new").queues == ["brand new"]


def test_a_group_that_was_removed_stays_away_when_the_link_comes_back(desk):
    desk.apply(desk.center.remove_group(desk.now, "sales"))
    desk.apply(ev.LinkLost(desk.now, "cut"))
    desk.link()
    assert "sales" not in desk.center.state.groups


def test_a_member_that_turns_out_to_be_static_is_paused_instead_of_removed(desk):
    session = desk.agent()
    desk.obedient = False
    desk.ask(session.id, "SESSION_ENDED")
    desk.apply(ev.OrderFailed(desk.now, "support", PHONE, "Member not dynamic", False))
    desk.apply(ev.MemberFound(desk.now, "support", PHONE, False))
    assert desk.orders[-1] == PauseMember("support", PHONE, True, "logged off")
    desk.obey(desk.orders[-1])
    assert session.state is SessionState.SESSION_ENDED


def test_a_member_found_to_be_there_already_is_ordered_to_be_as_wanted_whatever_it_was(desk):
    """An added member whose event was lost: the second order is refused, and tells nothing of the pause."""
    desk.agent()
    desk.obedient = False
    desk.apply(ev.GroupSet(desk.now, "support", ["support", "sales"]))
    desk.apply(ev.OrderFailed(desk.now, "sales", PHONE, "Unable to add interface: Already there", False))
    desk.members["sales", PHONE] = (True, "")
    desk.apply(ev.MemberFound(desk.now, "sales", PHONE, True))
    assert desk.orders[-1] == PauseMember("sales", PHONE, False, "")


def test_a_member_whose_adding_was_ordered_just_before_the_link_was_lost_goes_with_its_group(desk):
    desk.obedient = False
    desk.apply(desk.center.create_agent(desk.now, "1001", "alice"))
    desk.apply(desk.center.create_session(desk.now, "s1", "1001", "support", PHONE))
    desk.members["support", PHONE] = (True, "")
    desk.apply(ev.LinkLost(desk.now, "cut"))
    desk.link()
    desk.apply(ev.GroupSet(desk.now, "support", ["sales"]))
    assert RemoveMember("support", PHONE) in desk.orders


def test_whose_group_has_no_queue_in_asterisk_any_more_cannot_be_reached(desk):
    desk.agent()
    desk.apply(ev.GroupSet(desk.now, "support", ["not made yet"]))
    assert desk.agent_now().state is AgentState.UNKNOWN


def test_a_pause_that_is_told_twice_is_not_somebodys_wish(desk):
    """Two orders under way, each told twice: none of the four is taken for news from outside."""
    session = desk.agent()
    desk.obedient = False
    desk.ask(session.id, "NOT_READY", "lunch")
    desk.ask(session.id, "NOT_READY", "tea")
    ordered = len(desk.orders)
    for reason in ("lunch", "lunch", "tea", "tea"):
        desk.apply(ev.MemberPaused(desk.now, "support", PHONE, True, reason))
    assert (session.wish_reason, session.reason) == ("tea", "tea")
    assert len(desk.orders) == ordered


def test_a_late_echo_of_an_order_given_twice_changes_nothing(desk):
    session = desk.agent()
    desk.take()
    desk.obedient = False
    desk.hang_up()
    desk.after(16)  # the unpause was ordered twice
    for order in desk.orders[-2:]:
        desk.obey(order)
    assert session.state is SessionState.READY
    assert desk.center.members.wanted("support", PHONE) != IN_WRAP_UP


def test_who_logs_off_is_not_kept_by_a_pause_from_outside(desk):
    session = desk.agent()
    desk.obedient = False
    desk.ask(session.id, "SESSION_ENDED")
    desk.pause(PHONE, True, "Auto-Pause")
    desk.obey(RemoveMember("support", PHONE))
    assert session.state is SessionState.SESSION_ENDED


def test_a_refusal_heard_after_the_log_on_was_withdrawn_does_not_bring_it_back(both):
    both.obedient = False
    both.apply(both.center.create_agent(both.now, "1001", "alice"))
    both.apply(both.center.create_session(both.now, "s", "1001", "both", PHONE))
    both.apply(ev.OrderFailed(both.now, "support", PHONE, "no", True))
    both.apply(ev.SessionWithdrawn(both.now, "s", "no"))
    both.apply(ev.OrderFailed(both.now, "sales", PHONE, "no", True))
    both.obedient = True
    both.after(30)
    assert (both.members, both.moves, both.person().logins) == ({}, [], [])


def test_after_a_withdrawn_log_on_the_next_one_begins_anew(both):
    both.obedient = False
    both.apply(both.center.create_agent(both.now, "1001", "alice"))
    both.apply(both.center.create_session(both.now, "s", "1001", "both", PHONE))
    both.apply(ev.SessionWithdrawn(both.now, "s", "no"))
    assert both.center.create_session(both.now, "t", "1001", "both", PHONE).session == "t"


def test_an_order_that_failed_at_a_phone_is_tried_again_though_another_one_there_was_confirmed(desk):
    desk.apply(ev.GroupSet(desk.now, "all", ["support", "sales"]))
    session = desk.agent(groups=["all"])
    desk.obedient = False
    desk.ask(session.id, "SESSION_ENDED")
    first, second = desk.orders[-2:]
    desk.apply(ev.OrderFailed(desk.now, first.queue, PHONE, "no answer", False))
    desk.obey(second)
    desk.obedient = True
    desk.after(6)
    assert desk.members == {}


def test_a_queue_with_the_name_of_a_group_of_others_leaves_that_group_alone(desk):
    desk.apply(ev.GroupSet(desk.now, "hotline", ["support", "sales"]))
    desk.join("c1", "hotline")
    assert desk.center.group("hotline").queues == ["support", "sales"]


def test_the_late_echo_of_a_repeated_order_is_not_taken_for_somebody_elses_wish(desk):
    session = desk.agent()
    desk.ask(session.id, "NOT_READY", "tea")
    desk.obedient = False
    desk.ask(session.id, "READY")
    desk.after(6)  # ordered twice by now
    desk.obey(desk.orders[-1])
    assert session.state is SessionState.READY
    desk.ask(session.id, "NOT_READY", "lunch")
    desk.obey(desk.orders[-2])  # the echo of the second unpause
    desk.obey(desk.orders[-1])
    assert (session.state, session.reason) == (SessionState.NOT_READY, "lunch")


def test_what_looks_like_the_echo_of_an_order_given_up_long_ago_is_somebodys_wish(desk):
    session = desk.agent()
    desk.ask(session.id, "NOT_READY", "tea")
    desk.obedient = False
    desk.ask(session.id, "READY")
    desk.obedient = True
    desk.after(6)  # the first unpause was lost, the second one came
    desk.ask(session.id, "NOT_READY", "lunch")
    desk.after(60)
    desk.pause(PHONE, False)
    assert session.state is SessionState.READY
