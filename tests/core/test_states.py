import pytest

from acd.core.states import SESSION_MOVES, AgentEvent, AgentState, SessionEvent, SessionState, legal_steps

N, R, B, W, E = SessionState


@pytest.mark.parametrize(
    ("start", "goal", "steps"),
    [
        (N, B, [R, B]),
        (N, W, [R, B, W]),
        (W, B, [N, R, B][1:]),
        (R, W, [B, W]),
        (B, E, [E]),
        (R, R, []),
    ],
)
def test_a_move_that_is_not_published_is_announced_as_legal_steps(start, goal, steps):
    assert legal_steps(start, goal) == steps


@pytest.mark.parametrize("start", SessionState)
@pytest.mark.parametrize("goal", SessionState)
def test_every_pair_of_states_has_only_legal_steps_between_it_or_none_at_all(start, goal):
    if start is E and goal is not E:
        with pytest.raises(ValueError, match="no legal way"):
            legal_steps(start, goal)
        return
    here = start
    for step in legal_steps(start, goal):
        assert step in SESSION_MOVES[here]
        here = step
    assert here is goal


def test_an_agent_event_has_the_value_of_its_state_and_a_session_event_that_plus_one():
    assert {event.name: event.value for event in AgentEvent} == {state.name: state.value for state in AgentState}
    assert [event.value for event in SessionEvent] == [0] + [state.value + 1 for state in SessionState]
