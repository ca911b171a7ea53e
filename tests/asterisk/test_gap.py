"""A gap at any point of any recording: queue_log tells what was not heard, once, to the second."""

from collections import Counter
from collections.abc import Iterator

import pytest

from acd.asterisk.gap import Gap, Stay, stay_of
from acd.asterisk.queue_log import Line, parse
from acd.core import events as ev
from acd.core.records import Visit
from acd.core.states import Outcome
from tests import recordings
from tests.asterisk.test_recorded_calls import CALLS, Played, begun, heard

NEVER_HEARD = 10.0  # seconds behind the end of the recording, when all is over

# What queue_log does not know, and which therefore comes out otherwise when it is the only witness.
OTHERWISE = {
    Outcome.REDIRECTED: {Outcome.ABANDONED},
    Outcome.LOST: {Outcome.ABANDONED},
    Outcome.UNKNOWN: {Outcome.TIMED_OUT, Outcome.LEFT_EMPTY, Outcome.WITHDRAWN, Outcome.LEFT_BY_KEY, Outcome.ABANDONED},
}


def lines_of(name: str) -> list[Line]:
    return [line for line in map(parse, recordings.queue_log(name)) if line is not None]


def missed(played: Played, lines: list[Line], begin: float, end: float) -> Iterator[ev.Event]:
    interfaces = {
        (queue, agent.user): session.address
        for session in played.center.state.sessions.values()
        for agent in [played.center.state.agents[session.agent]]
        for queue in [session.group]
    }
    gap = Gap(
        [stay_of(visit) for visit in played.visits.values()],
        interface_of=lambda queue, member: interfaces.get((queue, member), member),
        alive=lambda call: False,
        begin=begin,
        end=end,
        restarts=[line.at for line in lines if line.event == "QUEUESTART"],
        entries=Counter(line.call for line in lines if line.event == "ENTERQUEUE"),
    )
    for line in lines:
        yield from gap.events(line)


def cut(name: str, at: int) -> Played:
    """The recording, heard up to its event `at`, the rest read from queue_log."""
    played = begun(name)
    events = heard(name)
    for event in events[:at]:
        played.apply(event)
    lost = events[at - 1].at
    end = recordings.read(name)[-1].at + NEVER_HEARD
    played.apply(ev.LinkLost(lost, "cut"))
    for event in list(missed(played, lines_of(name), lost - 1, end)):
        played.apply(event)
    queues = list(played.center.state.queues)
    played.apply(ev.PictureTaken(end, end - 1000, queues, [], [], [], {}))
    return played


def known(visits: dict[str, Visit]) -> dict[str, Visit]:
    return {key: visit for key, visit in visits.items() if visit.outcome is not None}


@pytest.mark.parametrize("name", CALLS)
def test_a_link_lost_anywhere_gives_the_same_calls(name):
    events = heard(name)
    whole = begun(name)
    for event in events:
        whole.apply(event)
    whole.apply(ev.TimePassed(recordings.read(name)[-1].at + NEVER_HEARD))
    logged = {line.call for line in lines_of(name)}
    expected = {key: visit for key, visit in known(whole.visits).items() if visit.call in logged}
    for at in range(1, len(events), max(1, len(events) // 60)):
        read = {key: visit for key, visit in cut(name, at).visits.items() if visit.call in logged}
        assert sorted(read) == sorted(expected), f"after {at} events"
        for key, visit in expected.items():
            other = read[key]
            allowed = {visit.outcome} | OTHERWISE.get(visit.outcome, set())
            assert other.outcome in allowed, f"{key} after {at} events"
            assert (other.agent, other.session) == (visit.agent, visit.session)
            assert other.wait == pytest.approx(visit.wait, abs=1.0)
            if visit.talk is not None:
                assert other.talk == pytest.approx(visit.talk, abs=1.0), f"{key} after {at} events"


# single points


def gap(
    *known: Stay, alive: tuple[str, ...] = (), restarts: tuple[int, ...] = (), entries: tuple[str, ...] = ()
) -> Gap:
    return Gap(
        known,
        interface_of=lambda queue, member: f"PJSIP/{member}",
        alive=alive.__contains__,
        begin=1_000_000_000,
        end=1_000_000_600,
        restarts=restarts,
        entries=Counter(entries),
    )


def told(gap: Gap, *texts: str) -> list[ev.Event]:
    lines = [parse(f"1000000{text}") for text in texts]
    return [event for line in lines if line is not None for event in gap.events(line)]


def test_a_call_that_came_and_went_unheard_is_told_whole():
    events = told(
        gap(),
        "100|c1|support|NONE|ENTERQUEUE||555|1",
        "104|c1|support|1001|CONNECT|4|leg|3",
        "110|c1|support|1001|COMPLETEAGENT|4|6|1",
    )
    assert events == [
        ev.CallerJoined(1_000_000_100.5, "c1", "support", 1, "555", ""),
        ev.CallerLeft(1_000_000_104.5, "c1", "support"),
        ev.AgentConnected(1_000_000_104.5, "c1", "support", "PJSIP/1001", "1001", "leg", 3, 4, channel="PJSIP/1001"),
        ev.ChannelEnded(1_000_000_110.5, "leg", True),
    ]


def test_what_was_heard_is_not_told_again():
    stay = Stay("k", "c1", "support", 1_000_000_100.2, True, "leg", 1_000_000_104.1)
    lines = ["100|c1|support|NONE|ENTERQUEUE||555|1", "104|c1|support|1001|CONNECT|4|leg|3"]
    assert told(gap(stay), *lines) == []
    assert told(gap(stay), *lines, "110|c1|support|1001|COMPLETEAGENT|4|6|1") == [
        ev.ChannelEnded(1_000_000_110.5, "leg", True)
    ]


def test_who_left_without_hanging_up_was_redirected():
    lines = ["100|c1|support|NONE|ENTERQUEUE||555|1", "104|c1|support|NONE|ABANDON|1|1|4"]
    (_, gone), (_, elsewhere) = told(gap(), *lines), told(gap(alive=("c1",)), *lines)
    assert (gone.outcome, elsewhere.outcome) == (Outcome.ABANDONED, Outcome.REDIRECTED)


def test_who_enters_another_queue_had_not_hung_up_in_the_first():
    _, left, joined, gone = told(
        gap(entries=("c1", "c1")),
        "100|c1|support|NONE|ENTERQUEUE||555|1",
        "104|c1|support|NONE|ABANDON|1|1|4",
        "104|c1|sales|NONE|ENTERQUEUE||555|1",
        "106|c1|sales|NONE|ABANDON|1|1|2",
    )
    assert (left.queue, left.outcome, joined.queue) == ("support", Outcome.REDIRECTED, "sales")
    assert (gone.queue, gone.outcome) == ("sales", Outcome.ABANDONED)


def test_a_start_of_asterisk_ends_all_calls_at_its_last_sign_of_life():
    talking = Stay("k", "c0", "support", 999_999_990.0, True, "leg", 999_999_995.0)
    _, left, ended = told(
        gap(talking, restarts=(1_000_000_130,)),
        "100|c1|support|NONE|ENTERQUEUE||555|1",
        "130|NONE|NONE|NONE|QUEUESTART|",
    )
    assert {left, ended} == {
        ev.ExitRead(1_000_000_100.5, "c1", "support", Outcome.LOST),
        ev.ChannelEnded(1_000_000_100.5, "leg", True),
    }


def test_whom_a_stopping_asterisk_threw_out_did_not_abandon():
    _, left = told(
        gap(restarts=(1_000_000_106,)),
        "100|c1|support|NONE|ENTERQUEUE||555|1",
        "104|c1|support|NONE|ABANDON|1|1|4",
    )
    assert left.outcome is Outcome.LOST


def test_the_same_caller_in_the_same_queue_twice_has_two_stays():
    events = told(
        gap(),
        "100|c1|support|NONE|ENTERQUEUE||555|1",
        "104|c1|support|NONE|EXITWITHTIMEOUT|1|1|4",
        "110|c1|support|NONE|ENTERQUEUE||555|1",
        "119|c1|support|NONE|EXITWITHKEY|5|1|1|9",
    )
    assert [event.at for event in events if isinstance(event, ev.CallerJoined)] == [1_000_000_100.5, 1_000_000_110.5]
    assert [event.outcome for event in events if isinstance(event, ev.ExitRead)] == ["timed_out", "left_by_key"]


def test_what_ami_tells_of_the_moment_of_the_log_in_too_is_known():
    one = gap()
    told(one, "100|c1|support|NONE|ENTERQUEUE||555|1", "101|c1|support|1001|CONNECT|1|leg|1")
    assert one.has_told(ev.CallerJoined(1_000_000_100.9, "c1", "support", 1, "555", "PJSIP/trunk-1"))
    assert one.has_told(ev.AgentConnected(1_000_000_101.2, "c1", "support", "PJSIP/1001", "", "leg", 1, 1))
    assert not one.has_told(ev.CallerJoined(1_000_000_130.0, "c1", "support", 1, "555", "PJSIP/trunk-1"))
    assert not one.has_told(ev.CallerJoined(1_000_000_100.9, "c2", "support", 1, "555", "PJSIP/trunk-1"))
