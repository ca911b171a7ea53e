"""What callers and agents are going to do: thrown with dice once, so that the same seed makes the same day."""

import random
from dataclasses import asdict, dataclass, field
from typing import Any

FIRST_CALLER = 7_000_000
RATE = 2.4  # calls a second; twenty agents can just keep up with it
NUMBERS = ("660", "660", "661", "661", "600", "601")  # 66x: answered when an agent answers; 60x: at once
OTHER_QUEUE = {"660": "601", "600": "601", "661": "600", "601": "600"}


@dataclass(frozen=True, slots=True)
class CallerPlan:
    """One caller. `at`: seconds after the load began. `patience`: until an agent answers; `talk`: from then on."""

    caller: str
    at: float
    number: str
    patience: float
    talk: float
    agent_ends: bool  # else the caller
    manner: str  # of the first phone that rings: answers, ignores, rejects
    ring: float  # seconds a phone rings before it is answered
    transfer: str  # the number that the first agent sends him to after half of the talk, or ""


@dataclass(frozen=True, slots=True)
class Plan:
    """`phones`: number -> SIP password."""

    phones: dict[str, str]
    callers: list[CallerPlan] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def from_json(fields: dict[str, Any]) -> Plan:
    return Plan(fields["phones"], [CallerPlan(**one) for one in fields["callers"]])


def throw(dice: random.Random, calls: int, rate: float = RATE) -> list[CallerPlan]:
    """So many callers, who come at random at this rate."""
    callers, at = [], 0.0
    for n in range(calls):
        at += dice.expovariate(rate)
        number = dice.choice(NUMBERS)
        callers.append(
            CallerPlan(
                caller=str(FIRST_CALLER + n),
                at=at,
                number=number,
                patience=dice.uniform(0.5, 4) if dice.random() < 0.1 else dice.uniform(10, 22),
                talk=dice.uniform(2, 6),
                agent_ends=dice.random() < 0.4,
                manner=dice.choices(("answers", "ignores", "rejects"), (94, 3, 3))[0],
                ring=dice.uniform(0.2, 1.0),
                transfer=OTHER_QUEUE[number] if dice.random() < 0.05 else "",
            )
        )
    return callers
