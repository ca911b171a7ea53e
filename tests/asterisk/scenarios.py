"""The table of scenarios: for each recording what a right ACD makes of it, worked out by hand from the traffic.

Nothing in here was taken from what acd said. The rules by which it was worked out:

- Times are seconds after the first record of `ami.log`, by the Timestamp of the event that settles them.
- BUSY_ON_CALL and BUSY_ACD begin with AgentConnect; the agent's part is over when his channel is
  hung up, a millisecond after it left the bridge.
  Without wrap-up time he is READY then; with it he is in BUSY_WRAPUP for so long, and BUSY_ACD as an agent.
- The session is announced before the agent, and nothing is announced that does not change.
- A visit's wait goes from QueueCallerJoin to AgentConnect, or to QueueCallerLeave of who got no agent; its talk, hold
  included, from AgentConnect to the release. Time to answer goes from AgentCalled to AgentConnect.
- A call outside the ACD makes its agent busy from his answer, or from his dialling, until his channel is hung up, and
  counts when it was connected. AgentRingNoAnswer is a missed call; a ring that the caller cut short is none.
- What is not named is zero, and nobody moves whose moves are not listed.

In the texts columns stand two blanks apart, and `-` is for what there is not. A visit is its caller's Uniqueid, the
queue, and the how many-th time he is there. `#` begins a remark.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from tests import recordings
from tests.asterisk.recorded_ami import LogOn, Setup


class Move(NamedTuple):
    at: float
    who: str  # an agent, or agent/queue: a session
    state: str


class Row(NamedTuple):
    """A row of the ledger."""

    agent: str | None
    wait: float
    talk: float | None
    hold: float
    wrap_up: float | None
    outcome: str


@dataclass(frozen=True)
class Scenario(Setup):
    """What happens, and what acd is to make of it when it is set up so."""

    what: str
    moves: list[Move] = field(default_factory=list)
    ledger: dict[str, Row] = field(default_factory=dict)
    figures: dict[str, dict[str, float]] = field(default_factory=dict)


def columns(text: str) -> Iterator[list[str]]:
    for line in text.splitlines():
        told = line.partition("#")[0].strip()
        if told:
            yield re.split(r"  +", told)


def moves(text: str) -> list[Move]:
    return [Move(float(at), who, state) for at, who, state in columns(text)]


def ledger(text: str) -> dict[str, Row]:
    """Columns: visit, agent, wait, talk, hold, wrap-up, outcome."""
    rows = {}
    for visit, agent, wait, talk, hold, wrap_up, outcome in columns(text):
        answered = agent != "-"
        rows[visit] = Row(
            agent if answered else None,
            float(wait),
            float(talk) if answered else None,
            float(hold),
            float(wrap_up) if answered else None,
            outcome,
        )
    return rows


def figures(text: str) -> dict[str, dict[str, float]]:
    """Columns: who, and what he has of each, such as `calls 1, talk 8.113`."""
    told = {}
    for who, each in columns(text):
        pairs = [figure.rpartition(" ") for figure in each.split(", ")]
        told[who] = {name: float(value) for name, _, value in pairs}
    return told


def visits(name: str) -> tuple[list[Move], dict[str, Row]]:
    """Moves and ledger of a recording too long for this table, by the times in the file `visits` beside it.

    Its head says how they were taken. There is no wrap-up, and who was not answered has hung up.
    """
    told: list[Move] = []
    rows: dict[str, Row] = {}
    for visit, agent, joined, over, released in columns((recordings.FOLDER / name / "visits").read_text()):
        wait = float(over) - float(joined)
        if agent == "-":
            rows[visit] = Row(None, wait, None, 0, None, "abandoned")
            continue
        session = f"{agent}/{visit.split('/')[1]}"
        rows[visit] = Row(agent, wait, float(released) - float(over), 0, 0, "answered")
        told += [Move(float(over), session, "BUSY_ON_CALL"), Move(float(over), agent, "BUSY_ACD")]
        told += [Move(float(released), session, "READY"), Move(float(released), agent, "READY")]
    return sorted(told, key=lambda move: move.at), rows


LOAD_MOVES, LOAD_LEDGER = visits("v-load-30-callers")

SCENARIOS = {
    "a-caller-hangs-up": Scenario(
        "A caller is answered and hangs up; wrap-up follows, after Asterisk has forgotten the call.",
        wrap_up=3,
        moves=moves("""
             2.415  Alice Adams/support  BUSY_ON_CALL
             2.415  Alice Adams          BUSY_ACD
            10.528  Alice Adams/support  BUSY_WRAPUP
            13.528  Alice Adams/support  READY
            13.528  Alice Adams          READY
        """),
        ledger=ledger("""
            1795235513.0/support/1  Alice Adams  0.692  8.113  0  3  answered
        """),
        figures=figures("""
            Alice Adams          calls 1, talk 8.113, wrap-up 3
            Alice Adams/support  calls 1, talk 8.113, wrap-up 3, longest to answer 0.690
            support              queued 1, answered 1, longest wait 0.692, average wait 0.692
        """),
    ),
    "aa-join-empty": Scenario(
        "A caller is refused because nobody is there; Alice logs on, is paused while she rings, and the next caller is "
        "put out of the empty queue.",
        log_ons=[LogOn("Alice Adams", "strictq", "PJSIP/agent1", at=2.1)],
        moves=moves("""
             5.254  Alice Adams/strictq  NOT_READY
             5.254  Alice Adams          NOT_READY
        """),
        ledger=ledger("""
            1795236167.355/strictq/1  -  6.004  -  0  -  left_empty
        """),
        # Who is refused makes no queue event, and the VarSet of QUEUESTATUS=JOINEMPTY does not name the queue.
        figures=figures("""
            Alice Adams  missed 1
            strictq      queued 1, final disposition 1, longest wait 6.004, average wait 6.004
        """),
    ),
    "ab-autopause": Scenario(
        "Alice does not answer and is paused by Asterisk; unpaused, she rings again until the caller gives up.",
        moves=moves("""
             7.737  Alice Adams/autopauseq  NOT_READY
             7.737  Alice Adams             NOT_READY
             9.206  Alice Adams/autopauseq  READY
             9.206  Alice Adams             READY
        """),
        ledger=ledger("""
            1795236180.357/autopauseq/1  -  10.503  -  0  -  abandoned
        """),
        figures=figures("""
            Alice Adams  missed 1
            autopauseq   queued 1, abandoned 1, longest wait 10.503, average wait 10.503
        """),
    ),
    "ac-ringall": Scenario(
        "Three phones ring and Bob answers; the other two have missed nothing.",
        wrap_up=1.5,
        moves=moves("""
             2.739  Bob Brown/ringallq  BUSY_ON_CALL
             2.739  Bob Brown           BUSY_ACD
            10.238  Bob Brown/ringallq  BUSY_WRAPUP
            11.738  Bob Brown/ringallq  READY
            11.738  Bob Brown           READY
        """),
        ledger=ledger("""
            1795236195.360/ringallq/1  Bob Brown  1.007  7.499  0  1.5  answered
        """),
        figures=figures("""
            Bob Brown           calls 1, talk 7.499, wrap-up 1.5
            Bob Brown/ringallq  calls 1, talk 7.499, wrap-up 1.5, longest to answer 1.002
            ringallq            queued 1, answered 1, longest wait 1.007, average wait 1.007
        """),
    ),
    "ad-originate": Scenario(
        "Click to dial: Alice's phone is rung, then the far end, and they talk; the second time she does not pick up.",
        moves=moves("""
             1.613  Alice Adams  BUSY_OUTGOING
             6.826  Alice Adams  READY
        """),
        figures=figures("""
            Alice Adams  outgoing 1
        """),
    ),
    "ae-cancel-early-media": Scenario(
        "The queue is entered unanswered: one caller cancels while Alice rings, the next one is answered by her.",
        wrap_up=2,
        moves=moves("""
             5.218  Alice Adams/support  BUSY_ON_CALL
             5.218  Alice Adams          BUSY_ACD
             8.219  Alice Adams/support  BUSY_WRAPUP
            10.219  Alice Adams/support  READY
            10.219  Alice Adams          READY
        """),
        ledger=ledger("""
            1795236224.367/support/1  -            2.005  -      0  -  abandoned
            1795236228.369/support/1  Alice Adams  1.004  3.001  0  2  answered
        """),
        figures=figures("""
            Alice Adams          calls 1, talk 3.001, wrap-up 2
            Alice Adams/support  calls 1, talk 3.001, wrap-up 2, longest to answer 1.003
            support              queued 2, answered 1, abandoned 1, longest wait 2.005, average wait 1.505
        """),
    ),
    "ah-small-desk": Scenario(
        "Two agents and four callers a second apart: who is free takes the next one.",
        moves=moves("""
             2.216  Alice Adams/support  BUSY_ON_CALL
             2.216  Alice Adams          BUSY_ACD
             3.267  Bob Brown/support    BUSY_ON_CALL
             3.267  Bob Brown            BUSY_ACD
             4.293  Alice Adams/support  READY
             4.293  Alice Adams          READY
             5.492  Alice Adams/support  BUSY_ON_CALL
             5.492  Alice Adams          BUSY_ACD
             7.244  Bob Brown/support    READY
             7.244  Bob Brown            READY
             8.207  Alice Adams/support  READY
             8.207  Alice Adams          READY
             8.732  Bob Brown/support    BUSY_ON_CALL
             8.732  Bob Brown            BUSY_ACD
            12.692  Bob Brown/support    READY
            12.692  Bob Brown            READY
        """),
        ledger=ledger("""
            1795236266.377/support/1  Alice Adams  0.495  2.077  0  0  answered
            1795236267.379/support/1  Bob Brown    0.547  3.977  0  0  answered
            1795236268.381/support/1  Alice Adams  1.773  2.715  0  0  answered
            1795236269.382/support/1  Bob Brown    4.012  3.960  0  0  answered
        """),
        figures=figures("""
            Alice Adams          calls 2, talk 4.792
            Alice Adams/support  calls 2, talk 4.792, longest to answer 0.771
            Bob Brown            calls 2, talk 7.937
            Bob Brown/support    calls 2, talk 7.937, longest to answer 1.009
            support              queued 4, answered 4, longest wait 4.012, average wait 1.707
        """),
    ),
    "ai-lean-user": Scenario(
        "The plain call without VarSet; Alice has left the bridge before AgentComplete says so.",
        moves=moves("""
             2.524  Alice Adams/support  BUSY_ON_CALL
             2.524  Alice Adams          BUSY_ACD
             5.528  Alice Adams/support  READY
             5.528  Alice Adams          READY
        """),
        ledger=ledger("""
            1795236281.385/support/1  Alice Adams  0.804  3.004  0  0  answered
        """),
        figures=figures("""
            Alice Adams          calls 1, talk 3.004
            Alice Adams/support  calls 1, talk 3.004, longest to answer 0.802
            support              queued 1, answered 1, longest wait 0.804, average wait 0.804
        """),
    ),
    "aj-agentonly-user": Scenario(
        "A manager user who may read the class agent alone would never tell of the end of a call: acd does not begin.",
        problem="no FullyBooted within 60 s: Asterisk is still starting, or this manager user may not read the class",
    ),
    "ak-channelvars": Scenario(
        "The plain call with ChanVariable headers in every event of a channel.",
        wrap_up=2,
        moves=moves("""
             2.526  Alice Adams/support  BUSY_ON_CALL
             2.526  Alice Adams          BUSY_ACD
             5.529  Alice Adams/support  BUSY_WRAPUP
             7.529  Alice Adams/support  READY
             7.529  Alice Adams          READY
        """),
        ledger=ledger("""
            1795236303.391/support/1  Alice Adams  0.805  3.003  0  2  answered
        """),
        figures=figures("""
            Alice Adams          calls 1, talk 3.003, wrap-up 2
            Alice Adams/support  calls 1, talk 3.003, wrap-up 2, longest to answer 0.803
            support              queued 1, answered 1, longest wait 0.805, average wait 0.805
        """),
    ),
    "al-protocol": Scenario(
        "Answers to what acd did not ask, and a caller whose coming was masked: of him only a ring and the leaving are "
        "told, and who never came is not counted.",
        connection=3,
    ),
    "am-monitor": Scenario(
        "A supervisor listens to Alice's call, whispers and barges in: nothing changes for her.",
        moves=moves("""
             1.036  Alice Adams/support  BUSY_ON_CALL
             1.036  Alice Adams          BUSY_ACD
             4.993  Alice Adams/support  READY
             4.993  Alice Adams          READY
        """),
        ledger=ledger("""
            1795289629.304/support/1  Alice Adams  0.411  3.957  0  0  answered
        """),
        figures=figures("""
            Alice Adams          calls 1, talk 3.957
            Alice Adams/support  calls 1, talk 3.957, longest to answer 0.410
            support              queued 1, answered 1, longest wait 0.411, average wait 0.411
        """),
    ),
    "an-monitor-in-vain": Scenario(
        "A supervisor is called to listen to Alice's call, and never does.",
        moves=moves("""
             1.043  Alice Adams/support  BUSY_ON_CALL
             1.043  Alice Adams          BUSY_ACD
             3.685  Alice Adams/support  READY
             3.685  Alice Adams          READY
        """),
        ledger=ledger("""
            1795289635.326/support/1  Alice Adams  0.411  2.642  0  0  answered
        """),
        figures=figures("""
            Alice Adams          calls 1, talk 2.642
            Alice Adams/support  calls 1, talk 2.642, longest to answer 0.409
            support              queued 1, answered 1, longest wait 0.411, average wait 0.411
        """),
    ),
    "ao-supervised-queue": Scenario(
        "Alice is paused. Of three callers the last is moved to the front, the first withdrawn, the second hung up.",
        ledger=ledger("""
            1795289641.349/support/1  -  2.004  -  0  -  withdrawn
            1795289642.352/support/1  -  1.281  -  0  -  abandoned
            1795289642.355/support/1  -  0.562  -  0  -  abandoned
        """),
        figures=figures("""
            support  queued 3, abandoned 2, final disposition 1, longest wait 2.004, average wait 1.282
        """),
    ),
    "ap-moved-callers": Scenario(
        "A caller is redirected to sales while Alice's phone rings, one while he waits; out of his talk with Bob the "
        "first is sent back to support.",
        moves=moves("""
             1.569  Alice Adams/support  NOT_READY
             1.569  Alice Adams          NOT_READY
             3.017  Bob Brown/sales      READY
             3.017  Bob Brown            READY
             3.568  Bob Brown/sales      BUSY_ON_CALL
             3.568  Bob Brown            BUSY_ACD
             4.382  Bob Brown/sales      NOT_READY
             4.382  Bob Brown            NOT_READY
        """),
        ledger=ledger("""
            1795289646.361/support/1  -          0.612  -      0  -  flowed_out
            1795289646.361/sales/1    Bob Brown  2.306  0.814  0  0  answered
            1795289646.361/support/2  -          0.515  -      0  -  abandoned
            1795289647.366/support/1  -          0.513  -      0  -  flowed_out
            1795289647.366/sales/1    -          2.197  -      0  -  abandoned
        """),
        figures=figures("""
            Bob Brown        calls 1, talk 0.814
            Bob Brown/sales  calls 1, talk 0.814, longest to answer 0.307
            support          queued 3, abandoned 1, flowed in 1, flowed out 2, longest wait 0.612, average wait 0.547
            sales            queued 2, answered 1, abandoned 1, flowed in 2, longest wait 2.306, average wait 2.252
        """),
    ),
    "aq-hung-up": Scenario(
        "A caller is withdrawn while Alice's phone rings, and leaves when she rejects; a talking caller is hung up, "
        "then Alice is, and then a caller for whom her phone rings.",
        moves=moves("""
             4.192  Alice Adams/support  BUSY_ON_CALL
             4.192  Alice Adams          BUSY_ACD
             5.100  Alice Adams/support  READY
             5.100  Alice Adams          READY
             8.143  Alice Adams/support  BUSY_ON_CALL
             8.143  Alice Adams          BUSY_ACD
             9.051  Alice Adams/support  READY
             9.051  Alice Adams          READY
        """),
        ledger=ledger("""
            1795289916.404/support/1  -            2.613  -      0  -  withdrawn
            1795289919.410/support/1  Alice Adams  0.312  0.908  0  0  answered
            1795289923.420/support/1  Alice Adams  0.310  0.908  0  0  answered
            1795289927.430/support/1  -            0.507  -      0  -  abandoned
        """),
        figures=figures("""
            Alice Adams          calls 2, talk 1.816
            Alice Adams/support  calls 2, talk 1.816, longest to answer 0.312
            support  queued 4, answered 2, abandoned 1, final disposition 1, longest wait 2.613, average wait 0.936
        """),
    ),
    "b-agent-hangs-up": Scenario(
        "A caller is answered and the agent hangs up.",
        moves=moves("""
             2.526  Alice Adams/support  BUSY_ON_CALL
             2.526  Alice Adams          BUSY_ACD
             6.473  Alice Adams/support  READY
             6.473  Alice Adams          READY
        """),
        ledger=ledger("""
            1795235527.2/support/1  Alice Adams  0.804  3.947  0  0  answered
        """),
        figures=figures("""
            Alice Adams          calls 1, talk 3.947
            Alice Adams/support  calls 1, talk 3.947, longest to answer 0.803
            support              queued 1, answered 1, longest wait 0.804, average wait 0.804
        """),
    ),
    "c-ring-no-answer": Scenario(
        "Alice does not answer; after her ring Bob does.",
        wrap_up=2,
        moves=moves("""
             9.729  Bob Brown/support  BUSY_ON_CALL
             9.729  Bob Brown          BUSY_ACD
            17.226  Bob Brown/support  BUSY_WRAPUP
            19.226  Bob Brown/support  READY
            19.226  Bob Brown          READY
        """),
        ledger=ledger("""
            1795235536.4/support/1  Bob Brown  8.008  7.497  0  2  answered
        """),
        figures=figures("""
            Alice Adams        missed 1
            Bob Brown          calls 1, talk 7.497, wrap-up 2
            Bob Brown/support  calls 1, talk 7.497, wrap-up 2, longest to answer 1.003
            support            queued 1, answered 1, longest wait 8.008, average wait 8.008
        """),
    ),
    "d-agent-rejects": Scenario(
        "Alice rejects, Bob does not answer, then Alice takes the call: what she missed is forgotten.",
        moves=moves("""
             9.630  Alice Adams/support  BUSY_ON_CALL
             9.630  Alice Adams          BUSY_ACD
            15.227  Alice Adams/support  READY
            15.227  Alice Adams          READY
        """),
        ledger=ledger("""
            1795235556.7/support/1  Alice Adams  7.909  5.597  0  0  answered
        """),
        figures=figures("""
            Alice Adams          calls 1, talk 5.597
            Alice Adams/support  calls 1, talk 5.597, longest to answer 0.904
            Bob Brown            missed 1
            support              queued 1, answered 1, longest wait 7.909, average wait 7.909
        """),
    ),
    "e-abandon-waiting": Scenario(
        "The only agent is paused: three callers wait and hang up, the first, the last and then the middle one.",
        ledger=ledger("""
            1795235573.11/support/1  -  4.504  -  0  -  abandoned
            1795235574.12/support/1  -  8.502  -  0  -  abandoned
            1795235575.13/support/1  -  5.303  -  0  -  abandoned
        """),
        figures=figures("""
            support  queued 3, abandoned 3, longest wait 8.502, average wait 6.103
        """),
    ),
    "f-abandon-ringing": Scenario(
        "The caller hangs up while the agent's phone rings; she has missed nothing.",
        ledger=ledger("""
            1795235587.14/support/1  -  4.011  -  0  -  abandoned
        """),
        figures=figures("""
            support  queued 1, abandoned 1, longest wait 4.011, average wait 4.011
        """),
    ),
    "g-queue-timeout": Scenario(
        "Alice does not answer; the queue's time ends during her second ring, which is a missed call like the first.",
        ledger=ledger("""
            1795235595.16/support/1  -  8.007  -  0  -  timed_out
        """),
        figures=figures("""
            Alice Adams  missed 2
            support      queued 1, final disposition 1, longest wait 8.007, average wait 8.007
        """),
    ),
    "h-pause-reason": Scenario(
        "Alice, in two queues, is paused elsewhere in one and then in both, with another reason, and unpaused.",
        moves=moves("""
             0.202  Alice Adams/support  NOT_READY
             1.203  Alice Adams/sales    NOT_READY  # in support she was already
             1.203  Alice Adams          NOT_READY  # now that no session of hers is ready
             2.706  Alice Adams/support  READY
             2.706  Alice Adams          READY
             2.706  Alice Adams/sales    READY
        """),
    ),
    "i-add-remove": Scenario(
        "Alice, logged on but not ready, is added once more, unpaused and removed by somebody else; two phones that "
        "nobody can reach are added.",
        log_ons=[LogOn("Alice Adams", "support", "PJSIP/agent1", ready=False, at=0.1)],
        moves=moves("""
             1.807  Alice Adams/support  READY
             1.807  Alice Adams          READY
             2.308  Alice Adams/support  SESSION_ENDED  # which does not change what the agent asked for
        """),
    ),
    "j-wrapup": Scenario(
        "Two callers and one agent: the second waits out her five seconds of wrap-up, which Asterisk observes as well.",
        wrap_up=5,
        moves=moves("""
             2.525  Alice Adams/wrapq  BUSY_ON_CALL
             2.525  Alice Adams        BUSY_ACD
             5.530  Alice Adams/wrapq  BUSY_WRAPUP
            10.530  Alice Adams/wrapq  READY
            10.530  Alice Adams        READY
            11.860  Alice Adams/wrapq  BUSY_ON_CALL
            11.860  Alice Adams        BUSY_ACD
            14.863  Alice Adams/wrapq  BUSY_WRAPUP
            19.863  Alice Adams/wrapq  READY
            19.863  Alice Adams        READY
        """),
        ledger=ledger("""
            1795235619.19/wrapq/1  Alice Adams  0.804  3.005  0  5  answered
            1795235624.21/wrapq/1  Alice Adams  5.811  3.003  0  5  answered
        """),
        figures=figures("""
            Alice Adams        calls 2, talk 6.008, wrap-up 10
            Alice Adams/wrapq  calls 2, talk 6.008, wrap-up 10, longest to answer 0.805
            wrapq              queued 2, answered 2, longest wait 5.811, average wait 3.308
        """),
    ),
    "k-pause-in-call": Scenario(
        "Alice is paused elsewhere during a call, which is her next state: no wrap-up follows and she is not ready; "
        "unpaused, she gets the next caller, and has wrap-up after him.",
        wrap_up=3,
        moves=moves("""
             2.524  Alice Adams/support  BUSY_ON_CALL
             2.524  Alice Adams          BUSY_ACD
             6.528  Alice Adams/support  NOT_READY
             6.528  Alice Adams          NOT_READY  # because no session of hers is ready
             9.534  Alice Adams/support  READY
             9.534  Alice Adams          READY
            10.858  Alice Adams/support  BUSY_ON_CALL
            10.858  Alice Adams          BUSY_ACD
            12.860  Alice Adams/support  BUSY_WRAPUP
            15.860  Alice Adams/support  READY
            15.860  Alice Adams          READY
        """),
        ledger=ledger("""
            1795235659.27/support/1  Alice Adams  0.805  4.004  0  0  answered
            1795235665.29/support/1  Alice Adams  2.804  2.002  0  3  answered
        """),
        figures=figures("""
            Alice Adams          calls 2, talk 6.006, wrap-up 3
            Alice Adams/support  calls 2, talk 6.006, wrap-up 3, longest to answer 0.804
            support              queued 2, answered 2, longest wait 2.804, average wait 1.805
        """),
    ),
    "n-hold": Scenario(
        "Alice puts the caller on hold twice: it is part of the talk, and no state of hers.",
        wrap_up=2.5,
        moves=moves("""
             2.525  Alice Adams/support  BUSY_ON_CALL
             2.525  Alice Adams          BUSY_ACD
            15.226  Alice Adams/support  BUSY_WRAPUP
            17.726  Alice Adams/support  READY
            17.726  Alice Adams          READY
        """),
        # held from 4.527 to 6.529 and from 8.032 to 9.534
        ledger=ledger("""
            1795235816.51/support/1  Alice Adams  0.804  12.701  3.504  2.5  answered
        """),
        figures=figures("""
            Alice Adams          calls 1, talk 12.701, wrap-up 2.5
            Alice Adams/support  calls 1, talk 12.701, wrap-up 2.5, longest to answer 0.803
            support              queued 1, answered 1, longest wait 0.804, average wait 0.804
        """),
    ),
    "o-direct-call": Scenario(
        "A direct call past the queues keeps Alice busy while a queue's caller waits, whom she takes afterwards.",
        moves=moves("""
             2.025  Alice Adams          BUSY_INCOMING
            10.031  Alice Adams          READY
            10.853  Alice Adams/support  BUSY_ON_CALL
            10.853  Alice Adams          BUSY_ACD
            18.551  Alice Adams/support  READY
            18.551  Alice Adams          READY
        """),
        ledger=ledger("""
            1795235837.55/support/1  Alice Adams  5.808  7.698  0  0  answered
        """),
        figures=figures("""
            Alice Adams          calls 1, talk 7.698, incoming 1
            Alice Adams/support  calls 1, talk 7.698, longest to answer 0.803
            support              queued 1, answered 1, longest wait 5.808, average wait 5.808
        """),
    ),
    "p-outgoing": Scenario(
        "Alice dials out twice: the first is answered and counts, on the second she gives up.",
        moves=moves("""
             0.706  Alice Adams  BUSY_OUTGOING
             7.218  Alice Adams  READY
            10.135  Alice Adams  BUSY_OUTGOING
            13.136  Alice Adams  READY
        """),
        figures=figures("""
            Alice Adams  outgoing 1
        """),
    ),
    "q-two-queues": Scenario(
        "Alice serves two queues, one call at a time: the session that has no call keeps its state.",
        moves=moves("""
             2.524  Alice Adams/support  BUSY_ON_CALL
             2.524  Alice Adams          BUSY_ACD
             8.227  Alice Adams/support  READY
             8.227  Alice Adams          READY
             9.857  Alice Adams/sales    BUSY_ON_CALL
             9.857  Alice Adams          BUSY_ACD
            12.861  Alice Adams/sales    READY
            12.861  Alice Adams          READY
            13.858  Alice Adams/support  BUSY_ON_CALL
            13.858  Alice Adams          BUSY_ACD
            16.860  Alice Adams/support  READY
            16.860  Alice Adams          READY
        """),
        ledger=ledger("""
            1795235870.61/support/1  Alice Adams  0.804  5.703  0  0  answered
            1795235873.63/sales/1    Alice Adams  4.812  3.004  0  0  answered
            1795235874.64/support/1  Alice Adams  7.810  3.002  0  0  answered
        """),
        figures=figures("""
            Alice Adams          calls 3, talk 11.709
            Alice Adams/support  calls 2, talk 8.705, longest to answer 0.803
            Alice Adams/sales    calls 1, talk 3.004, longest to answer 0.805
            support              queued 2, answered 2, longest wait 7.810, average wait 4.307
            sales                queued 1, answered 1, longest wait 4.812, average wait 4.812
        """),
    ),
    "t-unregister": Scenario(
        "Alice's phone un-registers, so that she is unknown while a caller waits, and comes back for him.",
        wrap_up=1,
        moves=moves("""
             0.203  Alice Adams          UNKNOWN
             5.715  Alice Adams          READY
             7.041  Alice Adams/support  BUSY_ON_CALL
             7.041  Alice Adams          BUSY_ACD
            16.740  Alice Adams/support  BUSY_WRAPUP
            17.740  Alice Adams/support  READY
            17.740  Alice Adams          READY
        """),
        ledger=ledger("""
            1795235978.4/support/1  Alice Adams  3.807  9.699  0  1  answered
        """),
        figures=figures("""
            Alice Adams          calls 1, talk 9.699, wrap-up 1
            Alice Adams/support  calls 1, talk 9.699, wrap-up 1, longest to answer 0.803
            support              queued 1, answered 1, longest wait 3.807, average wait 3.807
        """),
    ),
    "u-local-n-stateif": Scenario(
        "The member is a Local channel that stays in the call; the caller ends the first call, the agent the second.",
        wrap_up=1,
        moves=moves("""
             2.544  Alice Adams/support  BUSY_ON_CALL
             2.544  Alice Adams          BUSY_ACD
             9.241  Alice Adams/support  BUSY_WRAPUP
            10.241  Alice Adams/support  READY
            10.241  Alice Adams          READY
            12.151  Alice Adams/support  BUSY_ON_CALL
            12.151  Alice Adams          BUSY_ACD
            14.155  Alice Adams/support  BUSY_WRAPUP
            15.155  Alice Adams/support  READY
            15.155  Alice Adams          READY
        """),
        ledger=ledger("""
            1795236027.10/support/1  Alice Adams  0.810  6.697  0  1  answered
            1795236036.14/support/1  Alice Adams  0.809  2.004  0  1  answered
        """),
        figures=figures("""
            Alice Adams          calls 2, talk 8.701, wrap-up 2
            Alice Adams/support  calls 2, talk 8.701, wrap-up 2, longest to answer 0.809
            support              queued 2, answered 2, longest wait 0.810, average wait 0.810
        """),
    ),
    "v-load-30-callers": Scenario(
        "Ten agents and up to thirty callers at a time for a minute; the impatient ones hang up.",
        moves=LOAD_MOVES,
        ledger=LOAD_LEDGER,
        figures=figures("""
            Sim 01       calls 11, talk 51.356
            Sim 01/load  calls 11, talk 51.356, longest to answer 0.705
            Sim 02       calls 11, talk 50.569
            Sim 02/load  calls 11, talk 50.569, longest to answer 0.706
            Sim 03       calls 11, talk 51.360
            Sim 03/load  calls 11, talk 51.360, longest to answer 0.708
            Sim 04       calls 10, talk 46.569
            Sim 04/load  calls 10, talk 46.569, longest to answer 0.706
            Sim 05       calls 10, talk 45.769
            Sim 05/load  calls 10, talk 45.769, longest to answer 0.707
            Sim 06       calls 10, talk 46.568
            Sim 06/load  calls 10, talk 46.568, longest to answer 0.706
            Sim 07       calls 10, talk 43.568
            Sim 07/load  calls 10, talk 43.568, longest to answer 0.708
            Sim 08       calls 10, talk 47.571
            Sim 08/load  calls 10, talk 47.571, longest to answer 0.705
            Sim 09       calls 10, talk 47.576
            Sim 09/load  calls 10, talk 47.576, longest to answer 0.705
            Sim 10       calls 11, talk 48.349
            Sim 10/load  calls 11, talk 48.349, longest to answer 0.707
            load         queued 160, answered 104, abandoned 56, longest wait 7.714, average wait 4.696
        """),
    ),
    "x-exit-by-key": Scenario(
        "Alice is paused; a waiting caller presses 1 and leaves, which no event calls by its name.",
        ledger=ledger("""
            1795236124.349/support/1  -  3.058  -  0  -  left_by_key
        """),
        figures=figures("""
            support  queued 1, final disposition 1, longest wait 3.058, average wait 3.058
        """),
    ),
    "y-withdraw": Scenario(
        "Alice is paused; a waiting caller is taken out of the queue by QueueWithdrawCaller.",
        ledger=ledger("""
            1795236135.350/support/1  -  3.004  -  0  -  withdrawn
        """),
        figures=figures("""
            support  queued 1, final disposition 1, longest wait 3.004, average wait 3.004
        """),
    ),
    "z-chanspy": Scenario(
        "A supervisor listens in on Alice's call: nothing changes for her.",
        moves=moves("""
             2.548  Alice Adams/support  BUSY_ON_CALL
             2.548  Alice Adams          BUSY_ACD
            17.246  Alice Adams/support  READY
            17.246  Alice Adams          READY
        """),
        ledger=ledger("""
            1795236144.351/support/1  Alice Adams  0.806  14.698  0  0  answered
        """),
        figures=figures("""
            Alice Adams          calls 1, talk 14.698
            Alice Adams/support  calls 1, talk 14.698, longest to answer 0.805
            support              queued 1, answered 1, longest wait 0.806, average wait 0.806
        """),
    ),
}
