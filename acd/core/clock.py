"""When Asterisk's clock was set: what is to come comes when it should, and no state lasts longer for it.

Calls that are not over keep the times that Asterisk gave them, as its own log does; their rows are marked estimated.
"""

from acd.core.records import State


def move(state: State, by: float) -> None:
    """Moves everything that is counted from. `by`: seconds, negative when the clock was set back."""
    for visit in state.visits.values():
        visit.estimated = True
        visit.unresolved_until = _moved(visit.unresolved_until, by)
    for session in state.sessions.values():
        session.started += by
        session.since += by
        session.wrap_up_from = _moved(session.wrap_up_from, by)
        session.wrap_up_until = _moved(session.wrap_up_until, by)
    for agent in state.agents.values():
        agent.since += by
        agent.active_since = _moved(agent.active_since, by)
        agent.measured.move(by)
    for queue in state.queues.values():
        queue.measured.move(by)
    for interface in state.orders_due:
        state.orders_due[interface] += by
    state.booted += by
    state.lost_at += by


def _moved(at: float | None, by: float) -> float | None:
    return None if at is None else at + by
