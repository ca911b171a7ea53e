"""An invented company: its people, groups and queues. The same seed gives the same one."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

# fmt: off
FIRST = (
    "Aino", "Amir", "Anna", "Ben", "Bruno", "Carla", "Chiara", "Daan", "David", "Elif", "Emma", "Erik",
    "Fatima", "Felix", "Greta", "Hanna", "Hugo", "Ines", "Ivan", "Jana", "Jonas", "Julia", "Karim", "Lara",
    "Leo", "Lena", "Luca", "Maja", "Marta", "Mateo", "Mia", "Nadia", "Nils", "Nora", "Olga", "Omar", "Paula",
    "Pavel", "Rosa", "Samir", "Sara", "Simon", "Sofia", "Tariq", "Tim", "Vera", "Viktor", "Yara", "Zoe",
    "Zuzana",
)
LAST = (
    "Adeyemi", "Andersson", "Bauer", "Berger", "Bianchi", "Dubois", "Eriksen", "Ferrari", "Fischer", "Garcia",
    "Haddad", "Hansen", "Horvat", "Ivanova", "Jansen", "Jovanovic", "Kaya", "Keller", "Kowalska", "Lang",
    "Larsen", "Lopez", "Maier", "Martin", "Moreau", "Moretti", "Novak", "Okafor", "Olsen", "Petrov", "Ricci",
    "Rossi", "Santos", "Schmidt", "Schneider", "Silva", "Sokolova", "Svensson", "Tanaka", "Vogel", "Wagner",
    "Weber", "Winter", "Yilmaz", "Zimmer",
)
# fmt: on
REASONS = ("lunch", "coffee", "training", "meeting", "e-mail")
DISPOSITIONS = {"solved": "Solved", "call-back": "To be called back", "passed-on": "Passed on", "wrong": "Wrong number"}
PIN = "4711"  # of everybody
FREE = 4  # agents without a robot, for visitors
FIRST_FREE = 1040
SUPERVISORS_PHONES = ("PJSIP/2001", "PJSIP/2002")


@dataclass(frozen=True, slots=True)
class Line:
    """A queue. `load`: callers, in proportion to the agents who serve it."""

    name: str
    group: str
    load: float


LINES = (
    Line("support", "support", 1.25),
    Line("technical", "support", 0.9),
    Line("sales", "sales", 0.75),
    Line("orders", "sales", 0.5),
    Line("billing", "billing", 1.0),
    Line("returns", "billing", 0.55),
    Line("partners", "partners", 0.6),
    Line("vip", "partners", 0.35),
)


@dataclass(frozen=True, slots=True)
class Person:
    """An agent. `groups`: for which he logs on."""

    id: str
    name: str
    groups: tuple[str, ...]
    robot: bool = True

    @property
    def phone(self) -> str:
        return f"PJSIP/{self.id}"


@dataclass(frozen=True, slots=True)
class House:
    """All of it."""

    lines: Sequence[Line]
    people: Sequence[Person]

    @property
    def groups(self) -> dict[str, list[str]]:
        """ACD groups and their queues."""
        names = dict.fromkeys(line.group for line in self.lines)
        return {name: [line.name for line in self.lines if line.group == name] for name in names}

    @property
    def robots(self) -> list[Person]:
        return [person for person in self.people if person.robot]

    @property
    def visitors(self) -> list[Person]:
        return [person for person in self.people if not person.robot]

    @property
    def phones(self) -> list[str]:
        return [*(person.phone for person in self.people), *SUPERVISORS_PHONES]


def build(agents: int, queues: int, dice: random.Random) -> House:
    """So many robots and queues, and some agents for visitors."""
    lines = [_line(number) for number in range(queues)]
    groups = list(dict.fromkeys(line.group for line in lines))
    names = _names(agents + FREE, dice)
    first_free = max(FIRST_FREE, 1001 + agents)
    ids = [*range(1001, 1001 + agents), *range(first_free, first_free + FREE)]
    people = [
        Person(str(id), name, _groups(number, groups), number < agents)
        for number, (id, name) in enumerate(zip(ids, names, strict=True))
    ]
    return House(lines, people)


def _line(number: int) -> Line:
    """The first ones have a name of their own; further ones are further branches of the same company."""
    line, branch = LINES[number % len(LINES)], number // len(LINES) + 1
    return line if branch == 1 else Line(f"{line.name}-{branch}", f"{line.group}-{branch}", line.load)


def _groups(number: int, groups: Sequence[str]) -> tuple[str, ...]:
    """Every fourth agent helps out in the next group as well."""
    own = number % len(groups)
    helps = number % 4 == 3 and len(groups) > 1
    return (groups[own], groups[(own + 1) % len(groups)]) if helps else (groups[own],)


def _names(count: int, dice: random.Random) -> list[str]:
    """Each once."""
    every = [f"{first} {last}" for first in FIRST for last in LAST]
    numbered = [f"{name} {more}" for more in range(2, 2 + count // len(every)) for name in every]
    return [*dice.sample(every, min(count, len(every))), *numbered][:count]
