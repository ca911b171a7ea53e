"""Logging on and off, states that are asked for, pauses that others make."""

import pytest

from acd.core import events as ev
from acd.core import refusals
from acd.core.center import Center
from acd.core.effects import AddMember, PauseMember, RemoveMember, Touched
from acd.core.states import AgentState, SessionState
from tests.core.desk import Desk


@pytest.fixture
def desk():
    return Desk()


def test_a_new_session_is_not_ready_and_paused_in_asterisk(desk):
    desk.apply(desk.center.create_agent(desk.now, "1001", "Alice"))
    desk.apply(desk.center.create_session(desk.now, "s", "1001", "support", "PJSIP/1001"))
    assert desk.orders == [AddMember("support", "PJSIP/1001", "Alice", True, "")]
    assert desk.center.session("s").state is SessionState.NOT_READY
    assert desk.moves == ["session NEW_SESSION"]


def test_a_session_is_not_seen_before_asterisk_has_confirmed_it(desk):
    desk.obedient = False
    desk.apply(desk.center.create_agent(desk.now, "1001", "Alice"))
    desk.apply(desk.center.create_session(desk.now, "s", "1001", "support", "PJSIP/1001"))
    with pytest.raises(refusals.UnknownSession):
        desk.center.session("s")
    assert desk.moves == []
    desk.obey(desk.orders[0])
    assert desk.center.session("s").joined


def test_calls_are_offered_only_when_both_the_agent_and_the_session_are_ready(desk):
    session = desk.agent()
    assert desk.members["support", "PJSIP/1001"] == (False, "")
    desk.ask_agent("1001", "NOT_READY", "lunch")
    assert desk.members["support", "PJSIP/1001"] == (True, "lunch")
    assert session.state is SessionState.READY  # an agent's state does not change his sessions
    desk.ask(session.id, "NOT_READY", "training")
    desk.ask_agent("1001", "READY")
    assert desk.members["support", "PJSIP/1001"] == (True, "training")


def test_a_state_is_announced_when_asterisk_has_confirmed_it_and_not_before(desk):
    session = desk.agent()
    desk.moves.clear()
    desk.obedient = False
    desk.ask(session.id, "NOT_READY", "lunch")
    assert (session.state, desk.moves) == (SessionState.READY, [])
    desk.obey(desk.orders[-1])
    assert (session.state, session.reason) == (SessionState.NOT_READY, "lunch")
    assert desk.moves == ["session NOT_READY"]


def test_asking_for_the_present_state_changes_nothing(desk):
    session = desk.agent()
    since, desk.now = session.since, desk.now + 5
    assert desk.center.ask_session_state(desk.now, session.id, SessionState.READY, "") is None
    assert session.since == since


def test_another_reason_is_taken_without_an_event(desk):
    session = desk.agent()
    desk.ask(session.id, "NOT_READY", "lunch")
    desk.moves.clear()
    desk.ask(session.id, "NOT_READY", "dentist")
    assert session.reason == "dentist"
    assert desk.members["support", "PJSIP/1001"] == (True, "dentist")
    assert desk.moves == []


@pytest.mark.parametrize("state", [SessionState.BUSY_ON_CALL, SessionState.BUSY_WRAPUP])
def test_only_the_switch_sets_the_busy_states_of_a_session(desk, state):
    session = desk.agent()
    with pytest.raises(refusals.StateNotSettable):
        desk.center.ask_session_state(desk.now, session.id, state, "")


@pytest.mark.parametrize(
    "state", [AgentState.BUSY_ACD, AgentState.BUSY_INCOMING, AgentState.BUSY_OUTGOING, AgentState.UNKNOWN]
)
def test_only_ready_and_not_ready_can_be_asked_of_an_agent(desk, state):
    desk.agent()
    with pytest.raises(refusals.StateNotSettable):
        desk.center.ask_agent_state(desk.now, "1001", state, "")


def test_log_off_leaves_the_queues_and_nothing_leads_out_of_it(desk):
    session = desk.agent()
    desk.after(60)
    desk.ask(session.id, "SESSION_ENDED")
    assert desk.orders[-1] == RemoveMember("support", "PJSIP/1001")
    assert session.state is SessionState.SESSION_ENDED
    assert desk.center.agent("1001").sessions == []
    with pytest.raises(refusals.StateNotReachable):
        desk.center.ask_session_state(desk.now, session.id, SessionState.READY, "")
    assert desk.center.ask_session_state(desk.now, session.id, SessionState.SESSION_ENDED, "") is None
    desk.after(100)
    assert desk.session_now(session).session_duration == 60


def test_a_second_live_session_for_the_same_group_is_refused(desk):
    desk.agent()
    with pytest.raises(refusals.SessionExists):
        desk.center.create_session(desk.now, "other", "1001", "support", "PJSIP/1002")


def test_a_phone_serves_one_agent_at_a_time(desk):
    desk.agent()
    desk.apply(desk.center.create_agent(desk.now, "1002", "Bob"))
    with pytest.raises(refusals.AddressInUse):
        desk.center.create_session(desk.now, "other", "1002", "sales", "PJSIP/1001")


def test_two_agents_cannot_have_one_account_name(desk):
    desk.agent()
    with pytest.raises(refusals.AgentExists):
        desk.center.create_agent(desk.now, "1002", "user 1001")


def test_a_phone_that_asterisk_does_not_know_leaves_no_member_and_no_session(desk):
    desk.obedient = False
    desk.apply(desk.center.create_agent(desk.now, "1001", "Alice"))
    desk.apply(desk.center.create_session(desk.now, "s", "1001", "support", "PJSIP/nonsense"))
    desk.apply(ev.MemberAdded(desk.now, "support", "PJSIP/nonsense", "Alice", True, "", 4, True))
    assert desk.orders[-1] == RemoveMember("support", "PJSIP/nonsense")
    desk.obey(desk.orders[-1])
    assert "s" not in desk.center.state.sessions
    assert desk.moves == []


def test_a_refused_log_on_takes_back_what_was_done_of_it():
    desk = Desk(queues=["one", "two"])
    desk.obedient = False
    desk.apply(ev.GroupSet(desk.now, "both", ["one", "two"]))
    desk.apply(desk.center.create_agent(desk.now, "1001", "Alice"))
    desk.apply(desk.center.create_session(desk.now, "s", "1001", "both", "PJSIP/1001"))
    desk.obey(desk.orders[0])
    desk.apply(ev.OrderFailed(desk.now, "two", "PJSIP/1001", "No such queue", True))
    desk.apply(ev.SessionWithdrawn(desk.now, "s", "No such queue"))
    assert desk.orders[-2:] == [RemoveMember(queue, "PJSIP/1001") for queue in ("one", "two")]
    for order in desk.orders[-2:]:
        desk.obey(order)
    assert desk.center.state.sessions == {}
    assert desk.moves == []


def test_a_refused_request_leaves_the_state_as_it_was(desk):
    session = desk.agent()
    desk.obedient = False
    desk.ask(session.id, "NOT_READY", "lunch")
    desk.apply(ev.OrderFailed(desk.now, "support", "PJSIP/1001", "no", True))
    desk.after(60)
    assert session.state is SessionState.READY
    assert desk.members["support", "PJSIP/1001"] == (False, "")


def test_an_order_that_nobody_answered_is_given_again_and_its_late_event_counts(desk):
    session = desk.agent()
    desk.obedient = False
    desk.ask(session.id, "NOT_READY", "lunch")
    desk.apply(ev.OrderFailed(desk.now, "support", "PJSIP/1001", "silence", False))
    before = len(desk.orders)
    desk.after(6)
    assert desk.orders[before:] == [PauseMember("support", "PJSIP/1001", True, "lunch")]
    desk.obey(desk.orders[-1])
    assert (session.state, session.reason) == (SessionState.NOT_READY, "lunch")


def test_a_pause_made_elsewhere_is_taken_over_with_its_reason_and_not_fought(desk):
    session = desk.agent()
    orders = len(desk.orders)
    desk.pause("PJSIP/1001", True, "feature code")
    assert (session.state, session.reason) == (SessionState.NOT_READY, "feature code")
    assert desk.agent_now().state is AgentState.NOT_READY
    assert desk.orders[orders:] == []
    desk.pause("PJSIP/1001", False)
    assert session.state is SessionState.READY
    assert desk.agent_now().state is AgentState.READY
    assert desk.orders[orders:] == []


def test_our_own_late_echo_is_not_taken_for_a_pause_made_elsewhere(desk):
    session = desk.agent()
    desk.obedient = False
    desk.ask(session.id, "NOT_READY", "lunch")
    desk.ask(session.id, "READY")
    pause, unpause = desk.orders[-2:]
    desk.obey(pause)
    desk.obey(unpause)
    assert session.state is SessionState.READY
    assert desk.orders[-2:] == [pause, unpause]


def test_a_member_removed_elsewhere_is_logged_off(desk):
    session = desk.agent()
    del desk.members["support", "PJSIP/1001"]
    desk.apply(ev.MemberRemoved(desk.now, "support", "PJSIP/1001"))
    assert session.state is SessionState.SESSION_ENDED


def test_sessions_of_groups_that_share_a_queue_leave_it_only_when_both_have_ended():
    desk = Desk(queues=["one", "two", "three"])
    desk.apply(ev.GroupSet(desk.now, "a", ["one", "two"]))
    desk.apply(ev.GroupSet(desk.now, "b", ["two", "three"]))
    desk.agent(groups=["a", "b"])
    first, second = desk.center.agent("1001").sessions
    desk.ask(first, "SESSION_ENDED")
    assert set(desk.members) == {("two", "PJSIP/1001"), ("three", "PJSIP/1001")}
    desk.ask(second, "SESSION_ENDED")
    assert desk.members == {}


def test_a_group_that_gets_other_queues_takes_its_sessions_along():
    desk = Desk(queues=["one", "two"])
    desk.apply(ev.GroupSet(desk.now, "g", ["one"]))
    session = desk.agent(groups=["g"])
    desk.apply(ev.GroupSet(desk.now, "g", ["two"]))
    assert set(desk.members) == {("two", "PJSIP/1001")}
    assert session.state is SessionState.READY


@pytest.mark.parametrize("restarted", [False, True])
def test_a_session_that_ended_is_readable_for_a_day(desk, restarted):
    session = desk.agent()
    desk.ask(session.id, "SESSION_ENDED")
    if restarted:
        desk.center = Center(desk.center.state)
    desk.after(86390).agent("1002", "PJSIP/1002")
    assert desk.center.session(session.id) is session
    desk.after(20).agent("1003", "PJSIP/1003")
    with pytest.raises(refusals.UnknownSession):
        desk.center.session(session.id)
    assert len(desk.center.state.sessions) == 2


def test_of_many_sessions_that_ended_the_newest_are_readable(desk, monkeypatch):
    monkeypatch.setattr("acd.core.center.MOST_ENDED", 2)
    ended = []
    for _ in range(4):
        ended.append(desk.after(1).agent().id)
        desk.ask(ended[-1], "SESSION_ENDED")
    assert desk.after(1).agent().id not in ended
    assert [key for key in ended if key in desk.center.state.sessions] == ended[2:]


def test_a_group_in_which_somebody_works_cannot_be_taken_away(desk):
    session = desk.agent()
    with pytest.raises(refusals.GroupInUse):
        desk.center.remove_group(desk.now, "support")
    desk.ask(session.id, "SESSION_ENDED")
    effects = desk.apply(desk.center.remove_group(desk.now, "support"))
    assert [(type(e).__name__, e.event.name) for e in effects] == [("GroupMoved", "GROUP_REMOVED")]
    with pytest.raises(refusals.UnknownGroup):
        desk.center.group("support")


def test_queues_groups_and_the_handler_come_and_go_with_one_event_each(desk):
    def moved(effects):
        return [
            (type(e).__name__, getattr(e, "queue", getattr(e, "group", "")), e.event.name)
            for e in effects
            if type(e) is not Touched
        ]

    assert moved(desk.apply(ev.LinkLost(desk.now, "gone"))) == [("HandlerMoved", "", "AGENTHANDLER_REMOVED")]
    assert not desk.apply(ev.LinkLost(desk.now, "gone"))
    picture = ev.PictureTaken(desk.now, 1.0, ["support", "new"], [], [], [], {})
    assert moved(desk.apply(picture)) == [
        ("HandlerMoved", "", "NEW_AGENTHANDLER"),
        ("QueueMoved", "new", "NEW_QUEUE"),
        ("GroupMoved", "new", "NEW_GROUP"),
        ("QueueMoved", "sales", "QUEUE_REMOVED"),
    ]
    assert not desk.apply(picture)


def test_nothing_is_asked_of_an_asterisk_that_is_not_connected(desk):
    session = desk.agent()
    desk.apply(ev.LinkLost(desk.now, "gone"))
    with pytest.raises(refusals.NotLinked):
        desk.center.ask_session_state(desk.now, session.id, SessionState.NOT_READY, "")


def test_an_agent_is_unknown_while_the_link_is_down_and_himself_again_after_it(desk):
    desk.agent()
    desk.moves.clear()
    desk.apply(ev.LinkLost(desk.now, "gone"))
    assert desk.agent_now().state is AgentState.UNKNOWN
    desk.link()
    assert desk.agent_now().state is AgentState.READY
    assert desk.moves == ["agent UNKNOWN", "agent READY"]


def test_a_member_removed_while_the_link_was_down_is_logged_off(desk):
    session = desk.agent()
    desk.apply(ev.LinkLost(desk.now, "gone"))
    desk.members.clear()
    desk.link()
    assert session.state is SessionState.SESSION_ENDED
    assert desk.members == {}


def test_a_member_that_a_restart_of_asterisk_forgot_is_added_again_as_it_was(desk):
    session = desk.agent()
    desk.ask(session.id, "NOT_READY", "lunch")
    desk.apply(ev.LinkLost(desk.now, "gone"))
    desk.members.clear()
    desk.link(booted=desk.now - 1)
    assert desk.members == {("support", "PJSIP/1001"): (True, "lunch")}
    assert (session.state, session.reason) == (SessionState.NOT_READY, "lunch")


def test_after_a_reconnect_a_stale_pause_of_our_own_is_released(desk):
    session = desk.agent()
    desk.apply(ev.LinkLost(desk.now, "gone"))
    desk.members["support", "PJSIP/1001"] = (True, "wrapup")
    desk.link()
    assert desk.members["support", "PJSIP/1001"] == (False, "")
    assert session.state is SessionState.READY


def test_a_pause_made_while_the_link_was_down_is_taken_over(desk):
    session = desk.agent()
    desk.apply(ev.LinkLost(desk.now, "gone"))
    desk.members["support", "PJSIP/1001"] = (True, "by hand")
    desk.link()
    assert (session.state, session.reason) == (SessionState.NOT_READY, "by hand")
    assert desk.members["support", "PJSIP/1001"] == (True, "by hand")


def test_a_restarted_asterisk_that_forgot_a_pause_gets_it_again(desk):
    session = desk.agent()
    desk.ask(session.id, "NOT_READY", "lunch")
    desk.apply(ev.LinkLost(desk.now, "gone"))
    desk.members["support", "PJSIP/1001"] = (False, "")
    desk.link(booted=desk.now)
    assert desk.members["support", "PJSIP/1001"] == (True, "lunch")
    assert session.state is SessionState.NOT_READY


def test_a_static_member_is_paused_instead_of_removed():
    desk = Desk()
    desk.members["support", "PJSIP/1001"] = (False, "")
    desk.link(members=[ev.SeenMember("support", "PJSIP/1001", "", False, "", 1, False, 0.0)])
    session = desk.agent()
    desk.ask(session.id, "SESSION_ENDED")
    assert session.state is SessionState.SESSION_ENDED
    assert desk.members["support", "PJSIP/1001"] == (True, "logged off")
    assert not [order for order in desk.orders if isinstance(order, AddMember | RemoveMember)]


def test_a_member_put_back_while_the_link_was_down_serves_its_queue_again():
    desk = Desk(queues=["one", "two"])
    desk.apply(ev.GroupSet(desk.now, "g", ["one", "two"]))
    desk.agent(groups=["g"])
    desk.members.pop(("two", "PJSIP/1001"))
    desk.apply(ev.MemberRemoved(desk.now, "two", "PJSIP/1001"))
    desk.apply(ev.LinkLost(desk.now, "gone"))
    desk.members["two", "PJSIP/1001"] = (False, "")
    desk.link(queues=["one", "two"])
    desk.ask_agent("1001", "NOT_READY", "lunch")
    assert desk.members["two", "PJSIP/1001"] == (True, "lunch")
