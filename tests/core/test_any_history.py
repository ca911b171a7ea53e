"""Whatever happens in whatever order: figures close, states are legal, and nobody is left stuck."""

from collections.abc import Sequence
from functools import partial

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from acd.core import events as ev
from acd.core import refusals
from acd.core.effects import AddMember, Effect, Order, PauseMember, RemoveMember, SessionMoved
from acd.core.states import SESSION_MOVES, AgentState, SessionEvent, SessionState
from tests.core.desk import Desk

AGENTS = ["1001", "1002"]
QUEUES = ["support", "sales"]
GROUPS = {"support": ["support"], "sales": ["sales"], "both": QUEUES}
MOODS = ["obeys", "says nothing", "is late", "refuses", "hears nothing"]
ENOUGH = 500  # events that come late at once; more is a chase that does not end
SECONDS = st.floats(0.01, 30)
DOUBLED = (
    ev.CallerJoined,
    ev.CallerAbandoned,
    ev.CallerLeft,
    ev.AgentCalled,
    ev.AgentConnected,
    ev.AgentNotAnswered,
    ev.ChannelMade,
    ev.DialBegun,
    ev.DialEnded,
    ev.BridgeEntered,
    ev.HangupRequested,
    ev.ChannelEnded,
    ev.MemberAdded,
    ev.MemberRemoved,
    ev.MemberPaused,
    ev.LinkLost,
)


class MoodyDesk(Desk):
    """A desk whose Asterisk does what it is ordered in one of MOODS, and may say everything twice."""

    def __init__(self) -> None:
        self.mood = "obeys"
        self.twice = False
        self.gone: set[str] = set()  # queues that a reload took away
        self.late: list[ev.Event] = []
        self.obeying = False
        self.told: dict[str, SessionState] = {}  # the last state announced of each session
        super().__init__(wrap_up=5)
        self.apply(ev.Registrations(self.now, {}, GROUPS, 5, 86400, missed_calls=2))

    @property
    def calm(self) -> bool:
        """Asterisk has done and told all that it was ordered."""
        return self.mood == "obeys" and not self.late and not self.center.state.orders_due

    def obey(self, order: Order) -> None:
        if self.mood == "hears nothing":
            return
        if self.mood == "refuses":
            self.apply(ev.OrderFailed(self.now, order.queue, order.interface, "no", False))
            return
        if (proof := self._impossible(order)) is not None:
            self.apply(ev.OrderFailed(self.now, order.queue, order.interface, "no", False))
            self.apply(proof)
            return
        self.obeying = True
        super().obey(order)
        self.obeying = False

    def _impossible(self, order: Order) -> ev.Event | None:
        """What Asterisk's refusal proves, as the service concludes it."""
        queue, phone = order.queue, order.interface
        if queue in self.gone and not isinstance(order, PauseMember):
            return ev.QueueGone(self.now, queue)
        there = [key for key in self.members if key[1] == phone and queue in (None, key[0])]
        match order:
            case AddMember() if there:
                return ev.MemberFound(self.now, queue, phone, True)
            case RemoveMember() | PauseMember() if not there:
                return ev.MemberRemoved(self.now, queue, phone)
        return None

    def apply(self, event: ev.Event | None) -> Sequence[Effect]:
        if isinstance(event, ev.MemberAdded | ev.MemberRemoved | ev.MemberPaused):
            if self.mood == "says nothing" and self.obeying:
                return ()
            if self.mood == "is late" or self.late:
                self.late.append(event)  # one connection: nothing overtakes
                return ()
        return self._tell(event)

    def _tell(self, event: ev.Event | None) -> Sequence[Effect]:
        effects = super().apply(event)
        if self.twice and isinstance(event, DOUBLED):
            effects = [*effects, *super().apply(event)]
        for effect in effects:
            if isinstance(effect, SessionMoved):
                self._check(effect)
        return effects

    def _check(self, moved: SessionMoved) -> None:
        """A session is new once, and moves as published."""
        before = self.told.get(moved.session)
        if moved.event is SessionEvent.NEW_SESSION:
            assert before is None
            self.told[moved.session] = SessionState.NOT_READY
        else:
            assert before is not None
            self.told[moved.session] = SessionState(moved.event - 1)
            assert self.told[moved.session] in SESSION_MOVES[before]

    def catch_up(self) -> None:
        """What was late comes."""
        mood, self.mood = self.mood, "obeys"
        told = 0
        while self.late:  # what the news lead to comes after the rest of them
            assert (told := told + 1) < ENOUGH, "orders and their echoes chase each other for ever"
            self._tell(self.late[0])
            del self.late[0]
        self.mood = mood

    def reconnect(self, **picture: object) -> None:
        self.late.clear()
        self.link([queue for queue in QUEUES if queue not in self.gone], **picture)


class AnyHistory(RuleBasedStateMachine):
    """Two agents in two queues, callers who come, wait, talk and go, people and links that interfere."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = MoodyDesk()
        self.calls = 0
        self.waiting: dict[str, str] = {}
        self.ringing: dict[str, str] = {}  # call -> agent
        self.talking: dict[str, tuple[str, str]] = {}  # call -> agent, queue
        self.taken = dict.fromkeys(AGENTS, 0)

    @initialize(groups=st.lists(st.sampled_from(sorted(GROUPS)), min_size=1, unique=True))
    def everybody_logs_on(self, groups):
        for agent in AGENTS:
            self.desk.agent(agent, f"PJSIP/{agent}", groups)

    # callers and phones, as Asterisk would let them

    def free(self) -> list[str]:
        busy = [agent for agent, _ in self.talking.values()] + list(self.ringing.values())
        return [agent for agent in AGENTS if agent not in busy]

    @rule(queue=st.sampled_from(QUEUES))
    def somebody_calls(self, queue):
        if queue in self.desk.gone:
            return
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
            self.taken[agent] += self.desk.visit(call, queue).session is not None
        else:
            self.desk.apply(ev.AgentNotAnswered(self.desk.now, call, self.waiting[call], phone, leg))
            if self.calls % 3 == 0:
                self.desk.pause(phone, True, "Auto-Pause", self.waiting[call])
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
    @rule(data=st.data(), order=st.permutations(["caller", "agent"]))
    def a_call_ends(self, data, order):
        call = data.draw(st.sampled_from(sorted(self.talking)))
        del self.talking[call]
        for side in order:
            self.desk.apply(ev.ChannelEnded(self.desk.now, call if side == "caller" else f"leg-{call}", True))

    @rule(agent=st.sampled_from(AGENTS), seconds=SECONDS)
    def he_calls_somebody_himself(self, agent, seconds):
        phone, leg = f"PJSIP/{agent}", f"own-{self.calls}-{self.desk.now}"
        self.desk.apply(ev.ChannelMade(self.desk.now, leg, f"{phone}-0009", leg, True))
        self.desk.apply(ev.BridgeEntered(self.desk.now, leg, "o"))
        self.desk.after(seconds)
        self.desk.apply(ev.ChannelEnded(self.desk.now, leg, True))

    # people

    @rule(
        agent=st.sampled_from(AGENTS),
        group=st.sampled_from(sorted(GROUPS)),
        goal=st.sampled_from(["READY", "NOT_READY"]),
    )
    def a_state_is_asked_for(self, agent, group, goal):
        for key in self.desk.center.agent(agent).sessions:
            if self.desk.center.session(key).group == group:
                self.ask(partial(self.desk.ask, key, goal, "lunch" if goal == "NOT_READY" else ""))

    @rule(agent=st.sampled_from(AGENTS), goal=st.sampled_from(["READY", "NOT_READY"]))
    def an_agents_state_is_asked_for(self, agent, goal):
        self.ask(lambda: self.desk.ask_agent(agent, goal, "lunch" if goal == "NOT_READY" else ""))

    @rule(agent=st.sampled_from(AGENTS), group=st.sampled_from(sorted(GROUPS)))
    def he_logs_off_or_on(self, agent, group):
        person = self.desk.center.agent(agent)
        mine = [key for key in person.sessions if self.desk.center.session(key).group == group]
        if mine:
            self.ask(lambda: self.desk.ask(mine[0], "SESSION_ENDED"))
        else:
            number = len(self.desk.center.state.sessions) + 100
            self.ask(
                lambda: self.desk.apply(
                    self.desk.center.create_session(self.desk.now, f"n{number}", agent, group, f"PJSIP/{agent}")
                )
            )

    @rule(agent=st.sampled_from(AGENTS), longer=st.sampled_from([None, 1.0, 20.0]))
    def wrap_up_is_ended_or_extended(self, agent, longer):
        for key in list(self.desk.center.agent(agent).sessions):
            self.ask(lambda key=key: self.desk.apply(self.desk.center.change_wrap_up(self.desk.now, key, longer)))

    def ask(self, request):
        try:
            request()
        except refusals.Refusal:
            pass

    @rule(queues=st.lists(st.sampled_from(QUEUES), unique=True, min_size=1))
    def the_group_of_both_gets_other_queues(self, queues):
        self.desk.apply(ev.GroupSet(self.desk.now, "both", queues))

    # others who meddle with Asterisk

    @rule(agent=st.sampled_from(AGENTS), paused=st.booleans(), queue=st.sampled_from([None, *QUEUES]))
    def somebody_pauses_at_the_cli(self, agent, paused, queue):
        if self.desk.center.state.linked:
            self.desk.pause(f"PJSIP/{agent}", paused, "cli" if paused else "", queue)

    @rule(agent=st.sampled_from(AGENTS), queue=st.sampled_from(QUEUES))
    def somebody_takes_a_member_out_or_puts_it_in(self, agent, queue):
        phone = f"PJSIP/{agent}"
        if queue in self.desk.gone:
            return
        if self.desk.members.pop((queue, phone), None) is not None:
            self.desk.apply(ev.MemberRemoved(self.desk.now, queue, phone))
        elif any(queue in self.desk.center.group(s.group).queues for s in self.sessions(agent)):
            self.desk.members[queue, phone] = (False, "")
            self.desk.apply(ev.MemberAdded(self.desk.now, queue, phone, "", False, "", 1, True))

    @rule(agent=st.sampled_from(AGENTS), status=st.sampled_from([1, 5]))
    def a_phone_vanishes_or_comes_back(self, agent, status):
        for queue in QUEUES:
            self.desk.apply(ev.MemberStatus(self.desk.now, queue, f"PJSIP/{agent}", status))

    @precondition(lambda self: not (self.waiting or self.talking or self.desk.gone))
    @rule(queue=st.sampled_from(QUEUES))
    def a_reload_takes_a_queue_away(self, queue):
        self.desk.gone.add(queue)
        for key in [key for key in self.desk.members if key[0] == queue]:
            del self.desk.members[key]

    @precondition(lambda self: self.desk.gone)
    @rule()
    def asterisk_has_the_queue_again(self):
        """No event says so: the next picture does."""
        self.desk.gone.clear()
        self.the_link_is_lost_for_a_while(0.1, False)

    # time, moods, doubles, and the link

    @rule(seconds=SECONDS)
    def time_passes(self, seconds):
        self.desk.after(seconds)

    @rule(mood=st.sampled_from(MOODS))
    def asterisk_is_in_another_mood(self, mood):
        self.desk.catch_up()
        self.desk.mood = mood

    @rule(twice=st.booleans())
    def asterisk_says_everything_twice_or_once(self, twice):
        self.desk.twice = twice

    @rule(seconds=SECONDS, meddles=st.booleans())
    def the_link_is_lost_for_a_while(self, seconds, meddles):
        self.desk.apply(ev.LinkLost(self.desk.now, "cut"))
        self.desk.after(seconds)
        if meddles and self.desk.members:
            key = sorted(self.desk.members)[int(seconds) % len(self.desk.members)]
            if int(seconds * 10) % 2:
                del self.desk.members[key]
            else:
                self.desk.members[key] = (int(seconds * 100) % 2 == 1, "meanwhile")
        channels = []
        for call in {*self.waiting, *self.talking}:
            channels.append(ev.SeenChannel(call, "PJSIP/trunk-01", call, "", True, True, False))
        for call, agent in [*((c, a) for c, (a, _) in self.talking.items()), *self.ringing.items()]:
            channels.append(ev.SeenChannel(f"leg-{call}", f"PJSIP/{agent}-01", call, "", True, False, True))
        callers = [ev.SeenCaller(call, queue, 1, "555", "PJSIP/trunk-01", 0) for call, queue in self.waiting.items()]
        self.desk.reconnect(channels=channels, callers=callers)

    # what always holds

    def sessions(self, agent):
        return [self.desk.center.session(key) for key in self.desk.center.agent(agent).sessions]

    @invariant()
    def what_was_announced_of_a_session_is_what_it_is(self):
        sessions = self.desk.center.state.sessions.values()
        assert {s.id: s.state for s in sessions if s.joined} == {
            s.id: self.desk.told[s.id] for s in sessions if s.joined
        }

    @invariant()
    def agents_are_the_sum_of_their_sessions(self):
        for agent in self.desk.center.state.agents:
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
        for call, (agent, queue) in self.talking.items():
            if self.desk.visit(call, queue).session is None:
                continue
            assert self.desk.agent_now(agent).state is AgentState.BUSY_ACD
            staying = [s for s in self.sessions(agent) if s.wish is not SessionState.SESSION_ENDED]
            for session in staying if self.desk.calm else ():
                for served in self.desk.center.members.queues_of(session):
                    if served not in self.desk.gone:
                        assert self.desk.members[served, session.address][0]

    def teardown(self):
        """When all has ended, everybody is what he asked for, and Asterisk has it so."""
        self.desk.catch_up()
        self.desk.mood, self.desk.twice = "obeys", False
        for call in list(self.ringing):
            self.desk.apply(ev.ChannelEnded(self.desk.now, f"leg-{call}", False))
        for call, queue in self.waiting.items():
            self.desk.give_up(call, queue)
        for call in self.talking:
            self.desk.hang_up(call)
        for agent in AGENTS:
            self.a_phone_vanishes_or_comes_back(agent, 1)
        self.desk.after(120)
        state = self.desk.center.state
        assert (state.visits, state.calls, state.legs, state.ringing) == ({}, {}, {}, {})
        assert self.desk.center.next_deadline() is None
        for agent in AGENTS:
            person = self.desk.center.agent(agent)
            assert person.measured.tally.calls == self.taken[agent]
            sessions = self.sessions(agent)
            reached = any(self.desk.center.members.queues_of(session) for session in sessions)
            assert person.state is (person.asked if reached or not sessions else AgentState.UNKNOWN)
            assert sorted(person.logins) == sorted(person.sessions)
            for session in sessions:
                assert (session.state, session.next_state) == (session.wish, None)
                ready = person.asked is AgentState.READY
                for queue in self.desk.center.members.queues_of(session):
                    wishes = [s.wish for s in sessions if queue in self.desk.center.members.queues_of(s)]
                    member = self.desk.members.get((queue, session.address))
                    if queue not in self.desk.gone:
                        assert member is not None
                        assert member[0] is not (ready and SessionState.READY in wishes)


# A history that does not end cannot be interrupted from inside: the search would take that for a failure like any
# other, and try to make it smaller without end.
TestAnyHistory = pytest.mark.timeout(method="thread")(AnyHistory.TestCase)
TestAnyHistory.settings = settings(stateful_step_count=40)
