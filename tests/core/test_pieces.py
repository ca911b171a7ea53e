"""What concerns every agent, taken in piece by piece, leads to the same as in one go."""

import copy

import pytest

from acd.core import center
from acd.core import events as ev
from acd.core.center import Center
from acd.core.records import State
from tests.core.desk import Desk


@pytest.fixture
def busy(monkeypatch) -> Desk:
    """Agents in every situation, and pieces so small that there are many."""
    monkeypatch.setattr(center, "PIECE", 2)
    desk = Desk()
    for number in range(1001, 1010):
        desk.agent(str(number), f"PJSIP/{number}")
    for number in range(3):
        desk.take(f"c{number}", f"PJSIP/{1001 + number}", "support")
    desk.hang_up("c2")
    desk.join("waits", "support")
    return desk


def both_ways(state: State, event: ev.LinkLost | ev.PictureTaken) -> tuple[int, State]:
    """How many pieces, and the state at the end; effects and state are those of one go."""
    at_once, in_pieces = Center(copy.deepcopy(state)), Center(copy.deepcopy(state))
    effects = list(at_once.apply(event))
    several = list(in_pieces.pieces(event))
    assert [effect for some in several for effect in some] == effects
    assert in_pieces.state == at_once.state
    return len(several), in_pieces.state


def test_a_loss_and_the_picture_after_it_lead_to_the_same_in_pieces(busy):
    lost, state = both_ways(busy.center.state, ev.LinkLost(busy.now, "broken"))
    gone, *members = [
        ev.SeenMember(queue, phone, "", paused, reason, 1, True, 0.0)
        for (queue, phone), (paused, reason) in busy.members.items()
    ]
    members[0] = members[0]._replace(paused=True, reason="lunch")
    picture = ev.PictureTaken(busy.now + 1, state.booted, ["support", "sales"], members, [], [], {})
    taken, state = both_ways(state, picture)
    assert lost > 4 and taken > 20
    assert gone.interface not in state.addresses


def test_who_looks_in_between_sees_some_agents_as_they_were(busy):
    states = []
    for _ in busy.center.pieces(ev.LinkLost(busy.now, "broken")):
        states.append([agent.state.name for agent in busy.center.state.agents.values()].count("UNKNOWN"))
    assert states == [2, 4, 6, 8, 9]
