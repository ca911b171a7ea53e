"""Whatever happens in whatever order: figures close, states are legal, and nobody is left stuck."""

from functools import partial

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from acd.core import events as ev
from acd.core import refusals
from acd.core.states import SESSION_MOVES, AgentState, SessionEvent, SessionState
from tests.core.desk import Desk

AGENTS = ["1001", "1002"]
QUEUES = ["support", "sales"]
SECONDS = st.floats(0.01, 30)


class AnyHistory(RuleBasedStateMachine):
    """Two agents in two queues, callers who come, wait, talk and go, people and links that interfere."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk(wrap_up=5)
        for agent in AGENTS:
            self.desk.agent(agent, f"PJSIP/{agent}", QUEUES)
        self.calls = 0
        self.waiting: dict[str, str] = {}
        self.ringing: dict[str, str] = {}  # call -> agent
        self.talking: dict[str, tuple[str, str]] = {}  # call -> agent, queue
        self.states = {key: session.state for key, session in self.desk.center.state.sessions.items()}
        self.desk.moves.clear()

    # callers and phones, as Asterisk would let them

    def free(self) -> list[str]:
        busy = [agent for agent, _ in self.talking.values()] + list(self.ringing.values())
        return [agent for agent in AGENTS if agent not in busy]

    @rule(queue=st.sampled_from(QUEUES))
    def somebody_calls(self, queue):
        self.calls += 1
        self.waiting[self.desk.join(f"c{self.calls}", queue)] = queue

    @precondition(lambda self: set(self.waiting) - set(self.ringing) and self.free())
    @rule(data=st.data())
    def a_phone_rings(self, data):
        call = data.draw(st.sampled_from(sorted(set(self.waiting) - set(self.ringing))))
        agent = data.draw(st.sampled_from(self.free()))
        if self.desk.members.get((self.waiting[call], f"PJSIP/{agent}"), (True,))[0]:
            return
        self.desk.ring(call, f"PJSIP/{agent}", self.waiting[call])
        self.ringing[call] = agent

    @precondition(lambda self: self.ringing)
    @rule(data=st.data(), answers=st.booleans())
    def it_is_answered_or_not(self, data, answers):
        call = data.draw(st.sampled_from(sorted(self.ringing)))
        agent = self.ringing.pop(call)
        phone, leg = f"PJSIP/{agent}", f"leg-{call}"
        if answers:
            queue = self.waiting.pop(call)
            self.desk.answer(call, phone, queue)
            self.talking[call] = (agent, queue)
        else:
            self.desk.apply(ev.AgentNotAnswered(self.desk.now, call, self.waiting[call], phone, leg))
            self.desk.apply(ev.ChannelEnded(self.desk.now, leg, False))

    @precondition(lambda self: set(self.waiting) - set(self.ringing))
    @rule(data=st.data(), how=st.sampled_from(["hangs up", "times out", "is redirected"]))
    def a_waiting_caller_leaves(self, data, how):
        call = data.draw(st.sampled_from(sorted(set(self.waiting) - set(self.ringing))))
        queue = self.waiting.pop(call)
        if how == "hangs up":
            self.desk.give_up(call, queue)
            return
        self.desk.leave(call, queue)
        if how == "times out":
            self.desk.apply(ev.QueueStatusTold(self.desk.now, call, queue, "TIMEOUT"))
        self.desk.apply(ev.ChannelEnded(self.desk.now, call, True))

    @precondition(lambda self: self.talking)
    @rule(data=st.data(), reason=st.sampled_from(["caller", "agent"]))
    def a_call_ends(self, data, reason):
        call = data.draw(st.sampled_from(sorted(self.talking)))
        agent, queue = self.talking.pop(call)
        self.desk.hang_up(call, f"PJSIP/{agent}", queue, reason)

    # people

    @rule(agent=st.sampled_from(AGENTS), queue=st.sampled_from(QUEUES), goal=st.sampled_from(["READY", "NOT_READY"]))
    def a_state_is_asked_for(self, agent, queue, goal):
        for key in self.desk.center.agent(agent).sessions:
            session = self.desk.center.session(key)
            if session.group == queue:
                self.ask(partial(self.desk.ask, key, goal, "lunch" if goal == "NOT_READY" else ""))

    @rule(agent=st.sampled_from(AGENTS), goal=st.sampled_from(["READY", "NOT_READY"]))
    def an_agents_state_is_asked_for(self, agent, goal):
        self.ask(lambda: self.desk.ask_agent(agent, goal, "lunch" if goal == "NOT_READY" else ""))

    @rule(agent=st.sampled_from(AGENTS), queue=st.sampled_from(QUEUES))
    def he_logs_off_or_on(self, agent, queue):
        person = self.desk.center.agent(agent)
        mine = [key for key in person.sessions if self.desk.center.session(key).group == queue]
        if mine:
            self.ask(lambda: self.desk.ask(mine[0], "SESSION_ENDED"))
        else:
            number = len(self.desk.center.state.sessions) + 100
            self.ask(
                lambda: self.desk.apply(
                    self.desk.center.create_session(self.desk.now, f"n{number}", agent, queue, f"PJSIP/{agent}")
                )
            )

    def ask(self, request):
        try:
            request()
        except (refusals.NotLinked, refusals.SessionExists, refusals.StateNotReachable):
            pass

    @rule(agent=st.sampled_from(AGENTS), paused=st.booleans(), queue=st.sampled_from([None, *QUEUES]))
    def somebody_pauses_at_the_cli(self, agent, paused, queue):
        if self.desk.center.state.linked:
            self.desk.pause(f"PJSIP/{agent}", paused, "cli" if paused else "", queue)

    # time, doubles, and the link

    @rule(seconds=SECONDS)
    def time_passes(self, seconds):
        self.desk.after(seconds)

    @rule(seconds=SECONDS)
    def the_link_is_lost_for_a_while(self, seconds):
        self.desk.apply(ev.LinkLost(self.desk.now, "cut"))
        self.desk.after(seconds)
        channels = []
        for call in {*self.waiting, *self.talking}:
            channels.append(ev.SeenChannel(call, "PJSIP/trunk-01", call, "", True, True, False))
        for call, agent in [*((c, a) for c, (a, _) in self.talking.items()), *self.ringing.items()]:
            channels.append(ev.SeenChannel(f"leg-{call}", f"PJSIP/{agent}-01", call, "", True, False, True))
        callers = [ev.SeenCaller(call, queue, 1, "555", "PJSIP/trunk-01", 0) for call, queue in self.waiting.items()]
        self.desk.link(channels=channels, callers=callers)

    # what always holds

    @invariant()
    def every_move_is_a_published_one(self):
        for key, session in self.desk.center.state.sessions.items():
            before = self.states.get(key, SessionState.NOT_READY)
            self.states[key] = session.state
            if before is SessionState.SESSION_ENDED:
                assert session.state is SessionState.SESSION_ENDED
        for move in self.desk.moves:
            if move.startswith("session"):
                assert move.split()[1] in SessionEvent.__members__
        assert set(SESSION_MOVES) == set(SessionState)

    @invariant()
    def agents_are_the_sum_of_their_sessions(self):
        for agent in AGENTS:
            tally = self.desk.center.agent(agent).measured.tally
            mine = [s.tally for s in self.desk.center.state.sessions.values() if s.agent == agent]
            assert tally.calls == sum(t.calls for t in mine)
            assert abs(tally.talk - sum(t.talk for t in mine)) < 1e-6
            assert abs(tally.wrap_up - sum(t.wrap_up for t in mine)) < 1e-6
            view = self.desk.agent_now(agent)
            assert view.total_acd_call_time == view.total_acd_talk_time + view.total_wrap_up_time

    @invariant()
    def queues_balance(self):
        for name in QUEUES:
            q = self.desk.queue_now(name)
            gone = q.total_calls_answered + q.total_calls_abandoned + q.total_calls_flowed_out + q.final_disposition
            assert q.total_calls_queued == gone + q.current_calls_queued

    @invariant()
    def a_session_in_a_call_is_busy_and_paused(self):
        if not self.desk.center.state.linked:
            return
        for agent, queue in self.talking.values():
            sessions = [self.desk.center.session(key) for key in self.desk.center.agent(agent).sessions]
            if any(session.group == queue for session in sessions):
                assert self.desk.agent_now(agent).state is AgentState.BUSY_ACD
                for session in sessions:
                    assert self.desk.members[session.group, session.address][0]

    def teardown(self):
        """When all has ended, everybody is what he asked for, and Asterisk has it so."""
        for call in list(self.ringing):
            leg = f"leg-{call}"
            self.desk.apply(ev.ChannelEnded(self.desk.now, leg, False))
        for call, queue in self.waiting.items():
            self.desk.give_up(call, queue)
        for call, (agent, queue) in self.talking.items():
            self.desk.hang_up(call, f"PJSIP/{agent}", queue)
        self.desk.after(120)
        state = self.desk.center.state
        assert (state.visits, state.calls, state.legs, state.ringing) == ({}, {}, {}, {})
        for agent in AGENTS:
            person = self.desk.center.agent(agent)
            assert person.state is person.asked
            for session in (self.desk.center.session(key) for key in person.sessions):
                assert session.state is session.wish
                ready = person.asked is AgentState.READY and session.wish is SessionState.READY
                assert self.desk.members[session.group, session.address][0] is not ready


TestAnyHistory = AnyHistory.TestCase
TestAnyHistory.settings = settings(
    max_examples=150, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
