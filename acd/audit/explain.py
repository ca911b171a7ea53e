"""Why the two accounts differ, where something proves it. What nothing proves stays unexplained.

Each rule wants evidence for the very time or word that acd gives: that a call was redirected excuses no other talk.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from acd.audit.compare import SECOND, SLACK, Difference, same_moment
from acd.audit.evidence import Evidence
from acd.audit.ledger import Happened, Row
from acd.audit.recompute import Logged

SAME = 0.02  # seconds by which acd's time and that of the event it took it from may differ
SHUTDOWN = 10.0  # seconds from the last words of a stopping Asterisk to the loss of its link

KINDS = {  # how a difference can be explained, in the order in which people read it
    "redirected": "queue_log has ABANDON for a waiting caller who was redirected (AMI, CLI), not for one who hung up",
    "own_leg": "talk ends when the agent's own channel does; queue_log writes another moment, or none yet",
    "transfer": "queue_log books a transfer to another moment or another member than the agent's own end",
    "restart": "Asterisk ended under the call",
    "changed_call": "an attended transfer gave the place in the queue to another channel",
    "picked_up": "another phone took the call that rang; queue_log names the member that was rung",
    "another_name": "a static member has a name of its own; the agent is logged on at its phone",
    "not_an_agent": "the member is none of acd's agents",
    "untold": "the dialplan told no QUEUESTATUS, so acd could not know why the caller left",
    "away": "it happened while acd had no link to Asterisk",
    "before_acd": "it happened before acd listened for the first time",
    "before_queue_log": "it is older than queue_log",
}

Because = tuple[str, str] | None  # a kind, and the proof in words


@dataclass(frozen=True, slots=True)
class _Case:
    visit: Logged
    row: Row
    evidence: Evidence


def explained(visit: Logged | None, row: Row | None, found: list[Difference], evidence: Evidence) -> list[Difference]:
    """The same differences, with kind and proof where there is one."""
    return [_explained(each, _why(each, visit, row, evidence)) for each in found]


def _explained(difference: Difference, because: Because) -> Difference:
    return difference if because is None else replace(difference, kind=because[0], why=because[1])


def _why(difference: Difference, visit: Logged | None, row: Row | None, evidence: Evidence) -> Because:
    if row is None:
        assert visit is not None
        return _missing(visit, evidence)
    if visit is None:
        return _additional(row, evidence)
    if difference.why:  # a row that contradicts itself
        return None
    rule = RULES.get(difference.figure)
    return rule(_Case(visit, row, evidence)) if rule is not None else None


# Visits that only one of the two has ---------------------------------------------------------------------


def _missing(visit: Logged, evidence: Evidence) -> Because:
    over = visit.ended if visit.exit == "CONNECT" else visit.left  # a wrap-up alone gives no row
    over = over if over is not None else visit.cut and visit.cut[1]
    if over is None:
        return None
    if evidence.first_heard is not None and over <= evidence.first_heard:
        return "before_acd", "it was over when acd first listened"
    span = evidence.absence(visit.entered)
    if span is not None and over <= span[1] + SECOND and not evidence.reads_log:
        return "away", "acd had no link from its beginning to its end, and is not told where queue_log is"
    return None


def _additional(row: Row, evidence: Evidence) -> Because:
    if evidence.log_from is not None and row.entered < evidence.log_from:
        return "before_queue_log", "queue_log begins later"
    return None


# Figures of visits that both have -------------------------------------------------------------------------


def _call(case: _Case) -> Because:
    if case.visit.renamed == case.row.call:
        return "changed_call", f"queue_log goes on under {case.row.call}"
    replaced = case.evidence.of(case.visit.call, "CallerReplaced")
    if any(event.data[1:3] == [case.visit.call, case.row.call] for event in replaced):
        return "changed_call", "AMI told of the transfer"
    return None


def _entered(case: _Case) -> Because:
    return _unheard(case, case.visit.entered, case.row.entered)


def _left(case: _Case) -> Because:
    if case.visit.cut is not None and case.visit.left is None:
        return _cut_off(case, case.row.left)
    return _unheard(case, case.visit.left, case.row.left)


def _ended(case: _Case) -> Because:
    if case.row.ended is None:
        return None
    if case.visit.cut is not None:
        return _cut_off(case, case.row.ended)
    return _own_leg(case, case.row.ended) or _unheard(case, case.visit.ended, case.row.ended)


def _cut_off(case: _Case, at: float | None) -> Because:
    """Nobody wrote down the end: it lies between the last sign of life and the next start."""
    assert case.visit.cut is not None
    alive, started = case.visit.cut
    if at is not None and alive - SLACK <= at < started + SECOND + SLACK:
        return "restart", f"queue_log has no end but a QUEUESTART at {started}"
    return None


def _unheard(case: _Case, line: int | None, at: float | None) -> Because:
    """acd was away then, says that the row is estimated, and gives a time of that absence."""
    if line is None or at is None:
        return None
    first = case.evidence.first_heard
    if first is not None and line <= first and at <= first + SECOND:
        return "before_acd", "acd found the call when it first listened"
    span = case.evidence.absence(line)
    if span is not None and case.row.estimated and span[0] - SECOND <= at <= span[1] + SECOND:
        return "away", "acd had no link then, and says that the time is estimated"
    return None


def _own_leg(case: _Case, at: float) -> Because:
    """AMI told the end of the agent's own channel at that very time; or, where it told none, he was set free then."""
    visit, evidence = case.visit, case.evidence
    ends = [e for leg in evidence.legs(visit) for e in evidence.of(leg, "HangupRequested", "ChannelEnded")]
    end = next((event for event in ends if abs(event.at - at) <= SAME), None)
    if end is not None:
        return _kind_of_end(visit), f"AMI told that the agent's channel {end.data[1]} ended then{_line(visit)}"
    freed = case.row.freed
    if not ends and freed is not None and visit.paused and visit.freed is not None and same_moment(freed, visit.freed):
        return _kind_of_end(visit), f"queue_log ends the member's pause where it makes wrap-up end{_line(visit)}"
    return None


def _kind_of_end(visit: Logged) -> str:
    moved = visit.end in ("BLINDTRANSFER", "ATTENDEDTRANSFER") or visit.end_member not in ("", visit.member)
    return "transfer" if moved else "own_leg"


def _line(visit: Logged) -> str:
    return f"; queue_log has {visit.end} of {visit.end_member}" if visit.end else "; queue_log has no end of it yet"


def _outcome(case: _Case) -> Because:
    rule = OUTCOMES.get(case.row.outcome or "")
    return rule(case) if rule is not None else None


def _told_before(case: _Case, kind: str) -> list[Happened]:
    """Of the caller's channel, up to the moment in which he left."""
    until = (case.row.left or case.row.entered) + SLACK  # a wrong time is a difference of its own
    call = case.visit.renamed or case.visit.call
    return [event for event in case.evidence.of(call, kind) if event.at <= until]


def _redirected(case: _Case) -> Because:
    """Who hangs up asks for it, and his channel ends with it: AMI tells both."""
    left, call, evidence = case.row.left, case.visit.renamed or case.visit.call, case.evidence
    if case.visit.exit != "ABANDON" or left is None or _told_before(case, "HangupRequested"):
        return None
    listened = any(abs(event.at - left) <= SAME for event in evidence.of(call, "CallerLeft"))
    if listened and not any(event.at <= left + SLACK for event in evidence.of(call, "ChannelEnded")):
        return "redirected", "queue_log has ABANDON, but nobody asked to hang up and the channel lived on"
    if any(event.at >= left for event in evidence.of(call, "PictureTaken")):
        return "redirected", "queue_log has ABANDON, but the channel was there when acd was linked again"
    return None


def _lost(case: _Case) -> Because:
    visit = case.visit
    if visit.exit != "ABANDON" or visit.left is None or visit.restart is None or _told_before(case, "HangupRequested"):
        return None
    cut = bool(_told_before(case, "ChannelCut"))
    gone = case.evidence.absence(visit.left + SECOND, SHUTDOWN) is not None
    if cut or gone:
        return "restart", f"queue_log has ABANDON as a last word before the QUEUESTART at {visit.restart}"
    return None


def _unknown(case: _Case) -> Because:
    call = case.visit.renamed or case.visit.call
    if case.visit.exit in ("", "CONNECT") or case.evidence.of(call, "QueueStatusTold"):
        return None
    return "untold", f"queue_log has {case.visit.exit}, and no status was told"


def _agent(case: _Case) -> Because:
    users = case.evidence.users.values()
    if case.row.agent is None and case.visit.member not in users:
        return "not_an_agent", "acd has no agent of this name"
    if case.evidence.of(case.visit.leg, "CallPickedUp"):
        return "picked_up", "AMI told of the pickup"
    user = case.evidence.users.get(case.row.agent or "")
    for event in case.evidence.of(case.visit.leg, "AgentConnected"):
        _, _, _, interface, name, *_ = event.data
        if name == case.visit.member and user is not None and case.evidence.name_of(interface, event.at) == user:
            return "another_name", f"AMI told that this member is {interface}, where the agent is logged on"
    return None


def _wrap_up(case: _Case) -> Because:
    """Without a link acd books it at its deadline, and the pause is lifted when the link is back."""
    booked, freed = case.row.freed, case.visit.freed
    if booked is not None and freed is not None and booked > freed + SECOND + SLACK:
        return None
    if any(at is not None and case.evidence.absence(at) is not None for at in (booked, freed)):
        return "away", "acd had no link when it ended"
    return None


OUTCOMES: dict[str, Callable[[_Case], Because]] = {
    "redirected": _redirected,
    "lost": _lost,
    "unknown": _unknown,
}
RULES: dict[str, Callable[[_Case], Because]] = {
    "call": _call,
    "entered": _entered,
    "outcome": _outcome,
    "agent": _agent,
    "answered": _left,
    "left": _left,
    "ended": _ended,
    "wrap_up": _wrap_up,
}
