"""People behave like people, and leave a visitor his will."""

import random
from collections import Counter

import pytest

from acd.simulated.agenda import Agenda
from acd.simulated.house import House, Person, build
from acd.simulated.people import LEFT_ALONE, VISITORS_PHONE, People
from acd.simulated.records import Member, Rules
from acd.simulated.world import World
from tests.simulated.stage import START


class Notebook:
    """A desk at which nothing is done but written down: whoever was asked to be ready still is not."""

    def __init__(self) -> None:
        self.done: list[tuple[str, str]] = []  # what, by whom

    def log_on(self, person: Person) -> None:
        self.done.append(("log on", person.id))

    def log_off(self, id: str) -> None:
        self.done.append(("log off", id))

    def ready(self, id: str) -> None:
        self.done.append(("ready", id))

    def not_ready(self, id: str, reason: str) -> None:
        self.done.append((reason, id))

    def end_wrap_up(self, id: str) -> None:
        self.done.append(("end wrap-up", id))

    def extend_wrap_up(self, id: str, seconds: float) -> None:
        self.done.append((f"{seconds} s more", id))

    def set_code(self, id: str, code: str) -> None:
        self.done.append((code, id))

    def is_logged_on(self, id: str) -> bool:
        return True

    def is_not_ready(self, id: str) -> bool:
        return True

    def by(self, id: str) -> list[str]:
        return [what for what, who in self.done if who == id]


class Floor:
    """Robots, and visitors, in a world of their own."""

    def __init__(self, seed: int = 1, calls_per_minute: float | None = None) -> None:
        self.house = build(agents=6, queues=2, dice=random.Random(seed))
        self.world = World(Agenda(START), [Rules(line.name) for line in self.house.lines], self.house.phones)
        self.told: list[bytes] = []
        self.world.hear.append(self.told.append)
        self.desk = Notebook()
        self.people = People(self.world, self.house, self.desk, seed, calls_per_minute)

    def put_into_queues(self, *people: Person) -> None:
        for person in people:
            for queue in self.world.queues:
                self.world.add_member(Member(queue, person.phone, person.name, False, "", 0, START))

    def pass_time(self, seconds: float) -> None:
        self.world.agenda.advance(self.world.now + seconds)


@pytest.fixture
def floor() -> Floor:
    return Floor()


def test_the_same_seed_gives_the_same_people_and_the_same_day():
    days = []
    for seed in (1, 1, 2):
        floor = Floor(seed)
        floor.put_into_queues(*floor.house.robots)
        floor.people.begin()
        floor.pass_time(1800)
        days.append((floor.house, floor.told))
    assert days[0] == days[1] != days[2]


def test_every_agent_has_a_name_of_his_own():
    house = build(agents=2000, queues=8, dice=random.Random(1))
    assert max(Counter(person.name for person in house.people).values()) == 1
    assert max(Counter(person.id for person in house.people).values()) == 1


def test_every_queue_has_agents_also_in_a_large_house():
    house = build(agents=500, queues=50, dice=random.Random(1))
    served = {queue for person in house.robots for group in person.groups for queue in house.groups[group]}
    assert served == {line.name for line in house.lines}
    assert len(served) == 50


def test_everybody_comes_to_work_and_goes_for_breaks(floor: Floor):
    floor.people.begin()
    floor.pass_time(4 * 3600)
    for person in floor.house.robots:
        done = floor.desk.by(person.id)
        assert done[0] == "log on"
        assert set(done) & {"lunch", "coffee", "training", "meeting", "e-mail", "log off"}
    assert all(not floor.desk.by(person.id) for person in floor.house.visitors)


def test_most_calls_are_answered_some_are_missed_and_some_callers_lose_patience(floor: Floor):
    floor.put_into_queues(*floor.house.robots)
    floor.people.begin()
    floor.pass_time(4 * 3600)
    ends: Counter[str] = Counter()
    for (_, how), count in floor.world.book.items():
        ends[how] += count
    assert ends["answered"] > 2 * ends["abandoned"] > 0
    events = Counter(data.partition(b"\r\n")[0].decode() for data in floor.told)
    assert events["Event: AgentRingNoAnswer"] > 0
    assert events["Event: Hold"] > 0


def test_so_many_callers_come_as_were_asked_for():
    floor = Floor(calls_per_minute=30)
    floor.people.begin()
    floor.pass_time(2 * 2400)  # two whole waves
    calls = sum(b"Event: Newchannel" in data for data in floor.told)
    assert calls == pytest.approx(30 * 80, rel=0.1)


def test_a_robot_leaves_a_visitor_his_will_for_some_minutes(floor: Floor):
    floor.people.begin()
    floor.pass_time(60)
    taken, other = floor.house.robots[:2]
    floor.people.leave_alone(taken.id)
    floor.desk.done.clear()
    floor.pass_time(LEFT_ALONE - 1)
    assert floor.desk.by(taken.id) == []
    assert floor.desk.by(other.id)
    floor.pass_time(1200)
    assert floor.desk.by(taken.id)


def test_a_visitors_phone_answers_by_itself(floor: Floor):
    you = floor.house.visitors[0]
    floor.put_into_queues(you)
    call = floor.world.call_in("support", "5550100", "Caller 1")
    floor.pass_time(VISITORS_PHONE)
    assert call.rings
    floor.pass_time(1)
    assert call.talks
    floor.pass_time(90)
    assert call.over


def test_a_robot_that_a_visitor_took_in_hand_still_answers_his_phone(floor: Floor):
    robot = floor.house.robots[0]
    floor.put_into_queues(robot)
    floor.people.leave_alone(robot.id)
    for _ in range(3):  # of which he may miss one
        floor.world.call_in("support", "5550100", "Caller 1")
    floor.pass_time(60)
    assert floor.world.book["support", "answered"] >= 1


def test_a_house_without_visitors_agents_is_none():
    house: House = build(agents=100, queues=8, dice=random.Random(1))
    assert [person.id for person in house.visitors] == ["1101", "1102", "1103", "1104"]
