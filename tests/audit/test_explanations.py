"""What the two accounts tell differently, and what proves why. Without the proof it stays unexplained."""

import pytest

from acd.core import events as ev
from tests.audit.books import START, Books

UNEXPLAINED = None


def test_what_both_tell_alike_is_no_difference(books: Books):
    books.answered()
    books.leaves("c2", 50)
    audited = books.audit()
    assert (audited.status, audited.found) == (0, [])
    assert (audited.calls["compared"], audited.calls["equal"]) == (2, 2)


@pytest.mark.parametrize(
    ("event", "outcome"),
    [
        ("ABANDON", "abandoned"),
        ("EXITWITHTIMEOUT", "timed_out"),
        ("EXITEMPTY", "left_empty"),
        ("EXITWITHKEY", "left_by_key"),
        ("WITHDRAW", "withdrawn"),
    ],
)
def test_every_exit_has_one_outcome_and_every_other_is_found(books: Books, event, outcome):
    words = ("abandoned", "timed_out", "left_empty", "left_by_key", "withdrawn", "flowed_out", "answered", "lost", None)
    for number, word in enumerate(words):
        books.leaves(f"c{number}", 10 * number, event, outcome=word)
    audited = books.audit()
    right = words.index(outcome)
    assert sorted({each["call"] for each in audited.body["differences"]}) == [
        f"c{number}" for number in range(len(words)) if number != right
    ]
    assert audited.calls["explained"] == {}


def test_a_caller_who_goes_on_to_another_queue_flows_out_and_in(books: Books):
    books.leaves(event="EXITWITHTIMEOUT", outcome="flowed_out")
    books.enters("c1", 16, queue="sales")
    books.connects("c1", 20, 4, queue="sales")
    books.log(30, "c1", "alice", "COMPLETEAGENT", 4, 10, 1, queue="sales")
    books.log(30, "NONE", "alice", "UNPAUSE", "", queue="sales")
    books.row("c1", 16.1, queue="sales", answered=20.2, ended=30.1)
    audited = books.audit()
    assert (audited.status, audited.found) == (0, [])
    flowed = {name: (t["flowed_out"]["queue_log"], t["flowed_in"]) for name, t in audited.body["queues"].items()}
    assert flowed == {
        "support": (1, {"acd": 0, "queue_log": 0, "difference": 0}),
        "sales": (0, {"acd": 1, "queue_log": 1, "difference": 0}),
    }


def test_a_caller_who_went_on_is_not_timed_out(books: Books):
    books.leaves(event="EXITWITHTIMEOUT", outcome="timed_out")
    books.leaves("c1", 20, key="c1/support/2")
    assert books.audit().found == [("outcome", UNEXPLAINED)]


# redirected


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ([(ev.CallerLeft, 15.3, "c1", "support"), (ev.ChannelEnded, 40, "c1", True)], "redirected"),
        ([(ev.CallerLeft, 15.3, "c1", "support")], "redirected"),
        (
            [(ev.CallerLeft, 15.3, "c1", "support"), (ev.HangupRequested, 15.2, "c1"), (ev.ChannelEnded, 40, "c1", 1)],
            UNEXPLAINED,
        ),
        ([(ev.CallerLeft, 15.3, "c1", "support"), (ev.ChannelEnded, 15.4, "c1", True)], UNEXPLAINED),
        ([], UNEXPLAINED),
    ],
    ids=["his channel lived on", "and is still there", "he hung up", "his channel ended with it", "nothing was heard"],
)
def test_who_was_redirected_had_not_hung_up(books: Books, told, kind):
    books.leaves(outcome="redirected")
    for event in told:
        books.told(*event)
    assert books.audit().found == [("outcome", kind)]


def test_whom_the_log_has_time_out_was_not_redirected(books: Books):
    books.leaves(event="EXITWITHTIMEOUT", outcome="redirected")
    books.told(ev.CallerLeft, 15.3, "c1", "support")
    assert books.audit().found == [("outcome", UNEXPLAINED)]


def test_who_was_redirected_while_acd_was_away_is_there_when_it_is_back(books: Books):
    books.leaves(outcome="redirected", entered=10.5, ended=15.5, wait_time=5.0, estimated=True)
    books.told(ev.LinkLost, 12, "x")
    channel = ev.SeenChannel("c1", "PJSIP/trunk-1", "c1", "", True, False, False)
    books.told(ev.PictureTaken, 30, 0, ["support"], [], [], [channel], {})
    assert books.audit().found == [("outcome", "redirected")]


# unknown


@pytest.mark.parametrize(("status", "kind"), [(None, "untold"), ("TIMEOUT", UNEXPLAINED)])
def test_what_the_dialplan_did_not_tell_acd_cannot_know(books: Books, status, kind):
    books.leaves(event="EXITWITHTIMEOUT", outcome="unknown")
    if status:
        books.told(ev.QueueStatusTold, 15.4, "c1", "support", status)
    assert books.audit().found == [("outcome", kind)]


# the end of talk


@pytest.mark.parametrize("told", [ev.HangupRequested, ev.ChannelEnded])
def test_an_agent_who_was_left_before_the_line_was_written_has_talked_until_then(books: Books, told):
    """Redirected out of the talk, hung up by AMI or by code: the line is that of the caller's channel, later."""
    books.answered(ended=17.5)
    more = (True,) if told is ev.ChannelEnded else ()
    books.told(told, 17.5, "leg-c1", *more)
    audited = books.audit()
    assert audited.found == [("ended", "own_leg")]
    assert audited.status == 0


def test_an_agent_who_stays_when_the_caller_has_gone_has_talked_until_then(books: Books):
    books.answered(ended=37.8)
    books.told(ev.ChannelEnded, 37.8, "leg-c1", True)
    assert books.audit().found == [("ended", "own_leg")]


@pytest.mark.parametrize("talk", [0.2, 4.2, 8.2])
def test_a_talk_that_no_channel_ended_with_is_unexplained(books: Books, talk):
    books.answered(ended=15.3 + talk)
    books.told(ev.ChannelEnded, 17.5, "leg-c1", True)
    assert ("ended", UNEXPLAINED) in books.audit().found


def test_a_channel_that_ended_is_no_excuse_for_another_time(books: Books):
    books.answered(ended=17.5)
    books.told(ev.ChannelEnded, 18.6, "leg-c1", True)
    assert ("ended", UNEXPLAINED) in books.audit().found


def test_where_nothing_told_of_the_channel_the_end_of_the_pause_proves_it(books: Books):
    books.enters("c1", 10)
    books.connects("c1", 15, 5)
    books.log(22, "NONE", "alice", "UNPAUSE", "")
    books.log(60, "c1", "alice", "COMPLETECALLER", 5, 45, 1)
    books.row("c1", 10.2, answered=15.3, ended=18.4, wrap_up_time=4.0)
    assert books.audit().found == [("ended", "own_leg")]
    books.rows[0]["wrap_up_time"] = 0.5
    assert books.audit().found == [("ended", UNEXPLAINED), ("wrap_up", UNEXPLAINED)]


def test_a_call_whose_end_queue_log_has_not_yet_is_over_when_the_agents_channel_is(books: Books):
    books.enters("c1", 10)
    books.connects("c1", 15, 5)
    books.log(22, "NONE", "alice", "UNPAUSE", "")
    books.row("c1", 10.2, answered=15.3, ended=18.4, wrap_up_time=4.0)
    books.told(ev.HangupRequested, 18.4, "leg-c1")
    assert books.audit().found == [("ended", "own_leg")]


def test_a_transfer_that_queue_log_books_for_another_member_is_named_as_such(books: Books):
    books.answered(ended=20.4)
    books.lines[-2] = books.lines[-2].replace("alice|COMPLETECALLER|", "bob|ATTENDEDTRANSFER|BRIDGE|b|")
    books.told(ev.HangupRequested, 20.4, "leg-c1")
    assert books.audit().found == [("ended", "transfer")]


def test_a_local_members_talk_is_that_of_the_phone_behind_it(books: Books):
    books.answered(ended=20.4)
    books.told(ev.BridgeEntered, 15.5, "phone", "bridge", "leg-c1")
    books.told(ev.ChannelEnded, 15.6, "leg-c1", True)
    assert ("ended", UNEXPLAINED) in books.audit().found
    books.told(ev.ChannelEnded, 20.4, "phone", True)
    assert books.audit().found == [("ended", "own_leg")]


# transfers and pickups


def test_the_place_of_an_agent_who_asked_is_taken_by_the_caller_he_transfers(books: Books):
    books.answered("c1", 10)
    books.enters("consult", 40, queue="sales")
    books.connects("c1", 50, 10, "bob", queue="sales")
    books.log(60, "c1", "bob", "COMPLETECALLER", 10, 10, 1, queue="sales")
    books.log(60, "NONE", "bob", "UNPAUSE", "", queue="sales")
    books.row("c1", 40.3, key="consult/sales/1", queue="sales", answered=50.2, ended=60.1, agent="1002")
    books.told(ev.AgentCreated, 1, "1002", "1002", "bob")
    audited = books.audit()
    assert audited.found == [("call", "changed_call")]
    assert audited.body["queues"]["sales"]["flowed_in"]["difference"] == 0
    books.rows[-1]["call"] = "c9"
    assert ("call", UNEXPLAINED) in books.audit().found


@pytest.mark.parametrize(("picked_up", "kind"), [(True, "picked_up"), (False, UNEXPLAINED)])
def test_who_picks_up_has_the_call_though_queue_log_names_another(books: Books, picked_up, kind):
    books.answered(agent="1002")
    books.told(ev.AgentCreated, 1, "1002", "1002", "bob")
    books.lines = [line.replace("alice|PAUSE", "bob|PAUSE").replace("alice|UNP", "bob|UNP") for line in books.lines]
    if picked_up:
        books.told(ev.CallPickedUp, 15.2, "leg-c1", "PJSIP/1002-1", "leg-that-rang")
    assert books.audit().found == [("agent", kind)]
    books.rows[0]["wrap_up_time"] += 2
    assert books.audit().found == [("agent", kind), ("wrap_up", UNEXPLAINED)]


def test_a_member_who_is_no_agent_is_credited_to_none_and_one_who_is_must_be(books: Books):
    books.enters("c1", 10)
    books.log(15, "c1", "stranger", "CONNECT", 5, "leg-c1", 1)
    books.log(25, "c1", "stranger", "COMPLETEAGENT", 5, 10, 1)
    books.row("c1", 10.2, answered=15.3, ended=25.3, agent=None)
    assert books.audit().found == [("agent", "not_an_agent")]
    books.lines = [line.replace("stranger", "alice") for line in books.lines]
    assert books.audit().found == [("agent", UNEXPLAINED)]


@pytest.mark.parametrize(
    ("interface", "kind"), [("PJSIP/1001", "another_name"), ("PJSIP/1002", UNEXPLAINED), (None, UNEXPLAINED)]
)
def test_a_static_member_of_another_name_is_the_agent_who_is_logged_on_at_its_phone(books: Books, interface, kind):
    books.answered()
    books.lines = [line.replace("alice", "Desk One") for line in books.lines]
    if interface:
        books.told(ev.AgentConnected, 15.3, "c1", "support", interface, "Desk One", "leg-c1", 1, 5)
    assert books.audit().found == [("agent", kind)]


# restarts of Asterisk


def cut_off(books: Books, lost_at: float) -> None:
    """A caller waits and another talks when Asterisk is killed."""
    books.enters("c1", 10)
    books.connects("c1", 15, 5)
    books.enters("c2", 18)
    books.log(30, "NONE", "NONE", "QUEUESTART", "", queue="NONE")
    books.log(33, "NONE", "alice", "UNPAUSE", "")
    books.row("c1", 10.2, answered=15.3, ended=lost_at, wrap_up_time=0.0, estimated=True)
    books.row("c2", 18.2, ended=lost_at, outcome="lost", estimated=True)
    books.told(ev.LinkLost, lost_at, "x")
    books.told(ev.PictureTaken, 32, START + 30, ["support"], [], [], [], {})


def test_a_killed_asterisk_ends_calls_between_its_last_sign_of_life_and_its_next_start(books: Books):
    cut_off(books, 20.0)
    audited = books.audit()
    assert audited.found == [("ended", "restart"), ("wrap_up", "away"), ("left", "restart")]
    assert audited.status == 0


@pytest.mark.parametrize("at", [17.0, 31.5])
def test_a_time_before_its_last_line_or_after_its_start_is_wrong(books: Books, at):
    cut_off(books, at)
    found = books.audit().found
    assert ("left", UNEXPLAINED) in found and ("ended", UNEXPLAINED) in found


def test_a_start_of_asterisk_in_mid_call_excuses_no_other_answer(books: Books):
    cut_off(books, 28.5)
    books.rows[0] |= {"answered": START + 19.0, "wait_time": 8.8, "talk_time": 9.5}
    assert ("answered", UNEXPLAINED) in books.audit().found


def test_a_stopping_asterisk_throws_callers_out_as_if_they_had_hung_up(books: Books):
    books.leaves(outcome="lost")
    books.log(40, "NONE", "NONE", "QUEUESTART", "", queue="NONE")
    assert books.audit().found == [("outcome", UNEXPLAINED)]
    books.told(ev.ChannelCut, 15.2, "c1")
    assert books.audit().found == [("outcome", "restart")]
    books.told(ev.HangupRequested, 15.1, "c1")
    assert books.audit().found == [("outcome", UNEXPLAINED)]


def test_without_a_start_behind_it_nobody_is_lost(books: Books):
    books.leaves(outcome="lost")
    books.told(ev.ChannelCut, 15.2, "c1")
    assert books.audit().found == [("outcome", UNEXPLAINED)]


# times without acd


@pytest.mark.parametrize(("estimated", "kind"), [(True, "away"), (False, UNEXPLAINED)])
def test_a_time_of_an_absence_may_be_estimated_if_it_says_so(books: Books, estimated, kind):
    books.leaves(ended=21.0, estimated=estimated)
    books.told(ev.LinkLost, 12, "x")
    books.told(ev.PictureTaken, 21, 0, ["support"], [], [], [], {})
    assert books.audit().found == [("left", kind)]


def test_an_estimated_time_outside_of_any_absence_is_wrong(books: Books):
    books.leaves(ended=21.0, estimated=True)
    books.told(ev.LinkLost, 112, "x")
    books.told(ev.PictureTaken, 121, 0, ["support"], [], [], [], {})
    assert books.audit().found == [("left", UNEXPLAINED)]


@pytest.mark.parametrize(("reads_log", "kind"), [(False, "away"), (True, UNEXPLAINED)])
def test_a_call_wholly_within_an_absence_is_missing_only_where_acd_does_not_read_queue_log(
    books: Books, reads_log, kind
):
    books.leaves()
    books.rows.clear()
    books.told(ev.LinkLost, 5, "x")
    books.told(ev.PictureTaken, 21, 0, ["support"], [], [], [], {})
    books.settings = "" if reads_log else "port = 5038"
    audited = books.audit("--queue-log", str(books.folder / "queue_log"))
    assert audited.found == [("visit", kind)]


def test_what_was_over_before_acd_first_listened_is_not_acds(books: Books):
    books.leaves("c0", -100)
    books.rows.clear()
    books.answered()
    assert books.audit().found == []
    assert books.audit("--from", str(START - 200)).found == [("visit", "before_acd")]


def test_whose_talk_was_over_before_acd_listened_is_not_acds_though_his_wrap_up_was_not(books: Books):
    books.answered("c0", -27)
    books.rows.clear()
    assert books.audit("--from", str(START - 200)).found == [("visit", "before_acd")]
    books.lines.clear()
    books.answered("c0", -20)
    books.rows.clear()
    assert books.audit("--from", str(START - 200)).found == [("visit", UNEXPLAINED)]


def test_a_row_older_than_queue_log_cannot_be_compared(books: Books):
    books.answered("c1", 10)
    del books.lines[:]
    books.answered("c2", 200)
    assert books.audit().found == [("visit", "before_queue_log")]
    books.log(5, "c0", "NONE", "ENTERQUEUE", "", "555", 1)
    books.lines.insert(0, books.lines.pop())
    assert ("visit", UNEXPLAINED) in books.audit().found


# wrap-up


def test_wrap_up_lasts_until_the_pause_ends_by_whatever_ends_it(books: Books):
    books.answered("c1", 10)
    books.lines[-1] = books.lines[-1].replace("UNPAUSE|", "PAUSE|lunch")
    books.answered("c2", 50)
    books.lines[-1] = books.lines[-1].replace("alice|UNPAUSE|", "PJSIP/1001|REMOVEMEMBER|")
    audited = books.audit()
    assert audited.found == []
    assert audited.body["agents"]["alice"]["total_wrap_up"] == {"acd": 8.2, "queue_log": 8, "difference": 0.2}


@pytest.mark.parametrize("wrong", [2.1, 6.1, 0.0])
def test_wrap_up_that_ends_at_another_time_than_the_pause_is_wrong(books: Books, wrong):
    books.answered(wrap_up_time=wrong)
    assert books.audit().found == [("wrap_up", UNEXPLAINED)]


def test_a_pause_lifted_in_mid_call_and_set_again_ends_nothing(books: Books):
    books.enters("c1", 10)
    books.connects("c1", 15, 5)
    books.log(18, "NONE", "alice", "UNPAUSE", "")
    books.log(18, "NONE", "alice", "PAUSE", "wrapup")
    books.log(35, "c1", "alice", "COMPLETECALLER", 5, 20, 1)
    books.log(39, "NONE", "alice", "UNPAUSE", "")
    books.row("c1", 10.2, answered=15.3, ended=35.4, wrap_up_time=4.0)
    assert books.audit().found == []


def test_wrap_up_that_ended_without_a_link_is_told_as_such(books: Books):
    books.answered(wrap_up_time=1.0)
    books.told(ev.LinkLost, 36, "x")
    books.told(ev.PictureTaken, 39, 0, ["support"], [], [], [], {})
    assert books.audit().found == [("wrap_up", "away")]


def test_wrap_up_of_a_call_that_was_never_paused_is_none(books: Books):
    books.answered(wrap_up_time=4.0)
    books.lines = [line for line in books.lines if "PAUSE" not in line]
    assert books.audit().found == [("wrap_up", UNEXPLAINED)]


# the bounds


@pytest.mark.parametrize("off", [-0.2, 0.0, 1.2])
def test_a_moment_may_lie_a_second_behind_its_line_and_a_quarter_to_either_side(books: Books, off):
    books.leaves(ended=15.0 + off)
    assert books.audit().found == []


@pytest.mark.parametrize("off", [-0.3, 1.3, 2.0, -2.0])
def test_a_moment_farther_off_is_wrong(books: Books, off):
    books.leaves(ended=15.0 + off)
    assert books.audit().found == [("left", UNEXPLAINED)]


@pytest.mark.parametrize(("waited", "found"), [(4, []), (6, []), (3, [("wait", None)]), (7, [("wait", None)])])
def test_the_seconds_that_a_line_says_bind_as_well(books: Books, waited, found):
    books.leaves()
    books.lines[-1] = books.lines[-1][:-1] + str(waited)
    assert books.audit().found == found


# several calls of one agent


def test_a_late_line_of_an_earlier_call_takes_no_wrap_up_away(books: Books):
    """Redirected out of the talk: he is free and has the next call before the line of the first one comes."""
    books.enters("c1", 10)
    books.connects("c1", 15, 5)
    books.log(22, "NONE", "alice", "UNPAUSE", "")
    books.enters("c2", 25)
    books.connects("c2", 30, 5)
    books.log(33, "c1", "alice", "COMPLETECALLER", 5, 18, 1)
    books.log(40, "c2", "alice", "COMPLETEAGENT", 5, 10, 1)
    books.log(44, "NONE", "alice", "UNPAUSE", "")
    books.row("c1", 10.2, answered=15.3, ended=18.4, wrap_up_time=4.0)
    books.row("c2", 25.2, answered=30.3, ended=40.4, wrap_up_time=4.0)
    books.told(ev.HangupRequested, 18.4, "leg-c1")
    assert books.audit().found == [("ended", "own_leg")]
    books.rows[1]["wrap_up_time"] = 0.0
    assert ("wrap_up", UNEXPLAINED) in books.audit().found


def test_of_two_calls_at_once_the_last_one_has_the_wrap_up(books: Books):
    books.enters("c1", 10)
    books.connects("c1", 15, 5)
    books.enters("c2", 16, queue="sales")
    books.connects("c2", 20, 4, queue="sales")
    books.log(30, "c1", "alice", "COMPLETEAGENT", 5, 15, 1)
    books.log(40, "c2", "alice", "COMPLETEAGENT", 4, 20, 1, queue="sales")
    books.log(44, "NONE", "alice", "UNPAUSE", "", queue="support")
    books.log(44, "NONE", "alice", "UNPAUSE", "", queue="sales")
    books.row("c1", 10.2, answered=15.3, ended=30.4)
    books.row("c2", 16.2, answered=20.3, ended=40.4, wrap_up_time=4.0, queue="sales")
    assert books.audit().found == []


def test_the_pause_of_the_next_call_in_another_queue_leaves_this_one_alone(books: Books):
    books.answered("c1", 10)
    books.enters("c2", 50, queue="sales")
    books.connects("c2", 55, 5, queue="sales")
    books.log(55, "NONE", "alice", "PAUSE", "wrapup", queue="support")
    books.log(65, "c2", "alice", "COMPLETEAGENT", 5, 10, 1, queue="sales")
    for queue in ("sales", "support"):
        books.log(70, "NONE", "alice", "UNPAUSE", "", queue=queue)
    books.row("c2", 50.2, answered=55.3, ended=65.4, wrap_up_time=5.0, queue="sales")
    assert books.audit().found == []


def test_who_picks_up_after_a_call_of_his_own_has_the_wrap_up_of_each(books: Books):
    books.answered("c1", 10)
    books.enters("c2", 60)
    books.log(65, "c2", "bob", "CONNECT", 5, "leg-c2", 1)
    books.log(65, "NONE", "alice", "PAUSE", "wrapup")
    books.log(85, "c2", "bob", "COMPLETEAGENT", 5, 20, 1)
    books.log(89, "NONE", "alice", "UNPAUSE", "")
    books.row("c2", 60.2, answered=65.3, ended=85.4, wrap_up_time=4.0)
    books.told(ev.CallPickedUp, 65.2, "leg-c2", "PJSIP/1001-1", "leg-that-rang")
    assert books.audit().found == [("agent", "picked_up")]


def test_a_pause_for_a_colleagues_own_call_in_another_queue_is_no_pickup(books: Books):
    """As after a break of the link, when all who talk are paused at once."""
    books.enters("c1", 10)
    books.log(12, "c1", "bob", "CONNECT", 2, "leg-c1", 1)
    books.enters("c2", 20, queue="sales")
    books.log(30, "c2", "alice", "CONNECT", 10, "leg-c2", 1, queue="sales")
    for queue in ("support", "sales"):
        books.log(30, "NONE", "bob", "PAUSE", "wrapup", queue=queue)
    books.log(30, "NONE", "alice", "PAUSE", "wrapup", queue="sales")
    books.log(35, "c2", "alice", "COMPLETECALLER", 10, 5, 1, queue="sales")
    books.log(37, "NONE", "alice", "UNPAUSE", "", queue="sales")
    for queue in ("support", "sales"):
        books.log(38, "NONE", "bob", "PAUSE", "wrapup", queue=queue)  # it was ordered once more
        books.log(42, "NONE", "bob", "UNPAUSE", "", queue=queue)
    books.row("c2", 20.2, answered=30.3, ended=35.4, wrap_up_time=2.0, queue="sales")
    assert "wrap_up" not in [figure for figure, _ in books.audit().found]
