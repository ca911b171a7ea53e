"""The judge of the fault runs: it finds nothing where all is right, and each thing that is wrong."""

from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.chaos import picture
from tests.chaos.audit import Findings, Outages, compare_figures, compare_ledger, compare_phones, gaps
from tests.chaos.picture import Shown, differences
from tests.chaos.reads import Read, Reader
from tests.chaos.told import Leg, Witness, read
from tests.e2e.containers import parse_queue_log
from tests.e2e.desk import Json

LOG = """\
1000|1000.1|support|NONE|ENTERQUEUE||7000001|1
1002|1000.1|support|Agent 1001|CONNECT|2|1000.2|1
1002|NONE|support|Agent 1001|PAUSE|wrapup
1005|1001.1|support|NONE|ENTERQUEUE||7000002|1
1006|1000.1|support|Agent 1001|COMPLETECALLER|2|4|1
1008|NONE|support|Agent 1001|UNPAUSE|
1009|1001.1|support|NONE|ABANDON|1|1|4
"""
TOLD = read(parse_queue_log(LOG))
USERS = {"1001": "Agent 1001"}
PHONES = {"Agent 1001": "1001"}


def at(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def row(call: str, entered: float, answered: float | None, ended: float, **more: Any) -> Json:
    talked = answered is not None
    return {
        "call": call,
        "queue": "support",
        "agent": "1001" if talked else None,
        "session": "s" if talked else None,
        "entered": at(entered),
        "answered": at(answered) if answered is not None else None,
        "ended": at(ended),
        "wait_time_exact": (ended if answered is None else answered) - entered,
        "talk_time_exact": ended - answered if answered is not None else None,
        "wrap_up_time_exact": 2.0 if talked else None,
        "outcome": "answered" if talked else "abandoned",
        **more,
    }


def ledger() -> list[Json]:
    return [row("1000.1", 1000.5, 1002.3, 1006.2), row("1001.1", 1005.1, None, 1009.9)]


def judged(
    rows: list[Json], log: str = LOG, outages: Outages | None = None, witness: Witness | None = None
) -> Findings:
    told = read(parse_queue_log(log))
    return compare_ledger(told, rows, USERS, outages or Outages(), witness or Witness())


def test_a_right_ledger_has_no_findings() -> None:
    found = judged(ledger())
    assert (found.calls, found.bad) == (2, False)


def test_a_call_without_a_row_is_lost() -> None:
    assert len(judged(ledger()[:1]).lost) == 1


def test_a_second_row_for_a_call_is_double() -> None:
    found = judged([*ledger(), ledger()[0]])
    assert (len(found.double), len(found.wrong)) == (1, 0)


def test_a_row_for_a_call_that_queue_log_does_not_know_is_wrong() -> None:
    assert len(judged([*ledger(), row("9.9", 1000, 1001, 1002)]).wrong) == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda row: row.update(outcome="unknown"), "outcome unknown"),
        (lambda row: row.update(agent="1002"), "agent 1002"),
        (lambda row: row.update(agent=None), "agent None"),
        (lambda row: row.update(entered=at(1002.1), wait_time_exact=0.2), "entered off by 1.1 s"),
        (
            lambda row: row.update(answered=at(1004.2), wait_time_exact=3.7, talk_time_exact=2.0),
            "answered off by 1.2 s",
        ),
        (lambda row: row.update(ended=at(1004.8), talk_time_exact=2.5), "ended off by 1.2 s"),
        (lambda row: row.update(wrap_up_time_exact=5.0), "wrap-up off by 2.2 s"),
        (lambda row: row.update(wrap_up_time_exact=0.5), "wrap-up off by 1.3 s"),
        (lambda row: row.update(wait_time_exact=9.0), "the wait is not"),
        (lambda row: row.update(talk_time_exact=9.0), "the talk is not"),
        (lambda row: row.update(ended=None), "ended off by inf"),
    ],
)
def test_what_is_wrong_in_a_row_is_named(change: Callable[[Json], None], says: str) -> None:
    rows = ledger()
    change(rows[0])
    (finding,) = judged(rows).wrong
    assert says in finding


def test_times_within_the_whole_second_and_one_more_are_right() -> None:
    rows = ledger()
    rows[0].update(entered=at(1001.95), wait_time_exact=0.35)
    assert not judged(rows).bad


def test_who_waits_when_asterisk_is_ended_is_lost_and_did_not_give_up() -> None:
    ending = Outages(ends=[(1008.0, 1009.5)])
    assert len(judged(ledger(), outages=ending).wrong) == 1
    rows = ledger()
    rows[1]["outcome"] = "lost"
    assert not judged(rows, outages=ending).bad
    assert len(judged(rows).wrong) == 1


def test_a_caller_who_hung_up_while_asterisk_ended_may_have_given_up() -> None:
    witness = Witness(callers={"7000002": Leg("7000002", "", 1005, None, 1009.0, "us")})
    assert not judged(ledger(), outages=Outages(ends=[(1008.0, 1009.5)]), witness=witness).bad


def test_calls_that_asterisk_took_with_it_end_when_it_died() -> None:
    log = "\n".join([*LOG.splitlines()[:4], "1020|NONE|NONE|NONE|QUEUESTART|"])
    outages = Outages(ends=[(1007.0, 1007.5)])
    rows = [row("1000.1", 1000.5, 1002.3, 1007.3), row("1001.1", 1005.1, None, 1007.3, outcome="lost")]
    assert not judged(rows, log, outages).bad
    late = [row("1000.1", 1000.5, 1002.3, 1019.0), row("1001.1", 1005.1, None, 1007.3, outcome="abandoned")]
    assert len(judged(late, log, outages).wrong) == 2


def test_wrap_up_that_ran_out_while_nobody_could_tell_the_agent_may_end_as_planned() -> None:
    log = LOG.replace("1008|NONE|support|Agent 1001|UNPAUSE", "1015|NONE|support|Agent 1001|UNPAUSE")
    assert len(judged(ledger(), log).wrong) == 1
    assert not judged(ledger(), log, Outages(away=[(1007.0, 1014.0)])).bad


def test_the_phones_tell_of_the_same_talks() -> None:
    leg = Leg("7000001", "1001", 1001.2, 1002.4, 1006.1, "far-end")
    assert compare_phones(TOLD, Witness(phones=[leg]), PHONES, []) == []
    assert len(compare_phones(TOLD, Witness(), PHONES, [])) == 1
    elsewhere = Leg("7000001", "1002", 1001.2, 1002.4, 1006.1, "far-end")
    assert len(compare_phones(TOLD, Witness(phones=[elsewhere]), PHONES, [])) == 2
    longer = Leg("7000001", "1001", 1001.2, 1002.4, 1008.1, "far-end")
    assert len(compare_phones(TOLD, Witness(phones=[longer]), PHONES, [])) == 1
    assert compare_phones(TOLD, Witness(phones=[longer]), PHONES, [(1004.0, 1005.0)]) == []


def test_sums_that_are_not_those_of_the_rows_are_told() -> None:
    queue = {
        "name": "support",
        "total_calls_queued": 2,
        "current_calls_queued": 0,
        "total_calls_answered": 1,
        "total_calls_abandoned": 1,
        "total_calls_flowed_out": 0,
        "final_disposition": 0,
        "longest_ever_wait_time_exact": 4.8,
        "average_wait_time_exact": 3.3,
    }
    agent = {
        "id": "1001",
        "number_of_acd_calls": 1,
        "total_acd_talk_time_exact": 3.9,
        "total_wrap_up_time_exact": 2.0,
        "number_of_incoming_calls": 0,
        "number_of_outgoing_calls": 0,
    }
    session = {
        "id": "s",
        "agent": "1001",
        "number_of_calls": 1,
        "total_talk_time_exact": 3.9,
        "total_wrap_up_time_exact": 2.0,
    }
    assert compare_figures([queue], [agent], [session], ledger()) == []
    for part in (queue, agent, session):
        for name in [name for name, value in part.items() if not isinstance(value, str)]:
            wrong = deepcopy([queue, agent, session])
            wrong[[queue, agent, session].index(part)][name] = 7
            (finding,) = compare_figures([wrong[0]], [wrong[1]], [wrong[2]], ledger())
            assert name in finding


def test_gaps_and_repetitions_in_the_sequence_are_told() -> None:
    assert gaps([3, 4, 5]) == []
    assert len(gaps([1, 2, 4, 5, 5])) == 2


# The picture ------------------------------------------------------------------------------------------------------

KEY = ("support", "PJSIP/1001")


def member(paused: bool, in_call: bool = False) -> dict[str, str]:
    return {
        "Event": "QueueMember",
        "Queue": KEY[0],
        "Location": KEY[1],
        "Status": "1",
        "Paused": str(int(paused)),
        "PausedReason": "",
        "InCall": str(int(in_call)),
    }


def looks(state: str, linked: bool = True, waiting: frozenset[str] = frozenset()) -> Shown:
    return Shown(linked, {KEY: state}, {"support": waiting})


@pytest.mark.parametrize(
    ("state", "paused", "in_call", "same"),
    [
        ("READY", False, False, True),
        ("READY", True, False, False),
        ("READY", False, True, False),
        ("NOT_READY", True, False, True),
        ("NOT_READY", False, False, False),
        ("BUSY_WRAPUP", True, False, True),
        ("BUSY_WRAPUP", False, False, False),
        ("BUSY_ON_CALL", True, True, True),
        ("UNKNOWN", False, False, False),
    ],
)
def test_a_session_is_held_against_its_member(state: str, paused: bool, in_call: bool, same: bool) -> None:
    assert (differences(looks(state), [member(paused, in_call)], looks(state)) == []) is same


def test_what_asterisk_says_may_fit_to_either_look() -> None:
    assert differences(looks("BUSY_WRAPUP"), [member(False)], looks("READY")) == []


def test_members_and_sessions_without_the_other_differ() -> None:
    assert len(differences(looks("READY"), [], looks("READY"))) == 1
    nobody = Shown(True, {}, {"support": frozenset()})
    assert len(differences(nobody, [member(False)], nobody)) == 1


def test_an_acd_that_is_not_linked_has_no_picture() -> None:
    assert differences(looks("READY", linked=False), [member(False)], looks("READY"))


def test_who_waits_must_be_seen_before_or_after() -> None:
    here, gone = looks("READY", waiting=frozenset({"1.1"})), looks("READY")
    entry = {"Event": "QueueEntry", "Queue": "support", "Uniqueid": "1.1"}
    assert differences(here, [member(False), entry], here) == []
    assert differences(here, [member(False)], gone) == []
    assert len(differences(here, [member(False)], here)) == 1
    assert len(differences(gone, [member(False), entry], gone)) == 1


def test_whoever_is_held_when_all_is_over_is_stuck() -> None:
    session = {"agent": "1001", "acd_group": "support", "state": "READY", "next_state": None}
    calm: dict[str, frozenset[str]] = {"support": frozenset()}
    assert picture.stuck([session], [member(False)], calm) == []
    assert picture.stuck([session | {"state": "BUSY_WRAPUP"}], [member(False)], calm)
    assert picture.stuck([session | {"next_state": "NOT_READY"}], [member(False)], calm)
    assert picture.stuck([session], [member(True)], calm)
    assert picture.stuck([session], [member(False)], {"support": frozenset({"1.1"})})


# What was read meanwhile ------------------------------------------------------------------------------------------


@pytest.fixture
def reader() -> Reader:
    return Reader(None)  # type: ignore[arg-type]  # it only judges here


@pytest.mark.parametrize(
    "read",
    [
        Read(105.0, "", 0, 0.01, None),
        Read(105.0, "", 200, 1.5, True),
        Read(105.0, "/agents", 500, 0.01, None),
        Read(115.0, "", 200, 0.01, True),
        Read(115.0, "/agents", 200, 0.01, 3),
        Read(115.0, "//readyz", 200, 0.01, None),
        Read(125.0, "//readyz", 200, 0.01, None),
    ],
)
def test_an_answer_that_should_not_have_been_given_is_told(reader: Reader, read: Read) -> None:
    reader.dark, reader.mute = [(110.0, 120.0)], [(122.0, 130.0)]
    reader.reads = [read]
    assert len(reader.faults()) == 1


@pytest.mark.parametrize(
    "read",
    [
        Read(95.0, "", 0, 5.0, None),
        Read(105.0, "", 200, 0.01, True),
        Read(115.0, "", 200, 0.01, False),
        Read(115.0, "/agents", 200, 0.01, 0),
        Read(115.0, "//readyz", 503, 0.01, None),
        Read(125.0, "", 200, 0.01, True),
        Read(125.0, "//readyz", 503, 0.01, None),
    ],
)
def test_an_answer_that_is_right_is_not(reader: Reader, read: Read) -> None:
    reader.gone, reader.dark, reader.mute = [(90.0, 100.0)], [(110.0, 120.0)], [(122.0, 130.0)]
    reader.reads = [read]
    assert reader.faults() == []
