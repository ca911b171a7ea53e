"""PINs: five tries in five minutes, counted fairly, kept as hashes."""

import asyncio

import pytest
from pydantic import SecretStr

from acd import pins
from acd.core.refusals import PinLocked, WrongPin
from acd.pins import LOCKED_FOR, MOST_WRONG, PinGuard


class Door:
    """A guard whose clock is a number."""

    def __init__(self, hashes: dict[str, str] | None = None) -> None:
        self.now = 0.0
        self.guard = PinGuard(hashes or {}, {"1001": SecretStr("4711")}, lambda: self.now)

    async def tries(self, *given: str, agent: str = "1001") -> list[str]:
        """What becomes of these PINs, one after the other."""
        return [await self.one(agent, pin) for pin in given]

    async def one(self, agent: str, pin: str) -> str:
        try:
            await self.guard.check(agent, pin)
        except (WrongPin, PinLocked) as refusal:
            return refusal.code
        return "in"


@pytest.fixture
def door() -> Door:
    return Door()


async def test_the_fifth_try_may_still_be_right(door):
    assert await door.tries("0", "0", "0", "0", "4711") == ["wrong-pin"] * 4 + ["in"]


async def test_after_five_wrong_ones_it_is_locked_for_a_while_and_then_open_again(door):
    assert await door.tries(*["0"] * 5) == ["wrong-pin"] * 5
    door.now = LOCKED_FOR - 0.1
    assert await door.tries("4711", "0") == ["pin-locked"] * 2
    door.now = LOCKED_FOR
    assert await door.tries("4711") == ["in"]


async def test_after_the_lock_there_are_five_tries_again(door):
    await door.tries(*["0"] * 5)
    door.now = LOCKED_FOR
    assert await door.tries(*["0"] * 6) == ["wrong-pin"] * 5 + ["pin-locked"]


async def test_wrong_ones_of_long_ago_do_not_count(door):
    await door.tries(*["0"] * 4)
    door.now = LOCKED_FOR + 1
    assert await door.tries(*["0"] * 4, "4711") == ["wrong-pin"] * 4 + ["in"]


async def test_the_right_one_wipes_out_the_wrong_ones(door):
    for _ in range(3):
        assert await door.tries("0", "0", "0", "0", "4711") == ["wrong-pin"] * 4 + ["in"]


async def test_one_who_is_locked_out_locks_out_nobody_else(door):
    door.guard.keep("1002", await pins.hashed("0815"))
    await door.tries(*["0"] * 5)
    assert await door.tries("0815", agent="1002") == ["in"]


async def test_a_hundred_at_once_get_five_tries(door):
    answers = await asyncio.gather(*(door.one("1001", f"{number:04}") for number in range(100)))
    assert (answers.count("wrong-pin"), answers.count("pin-locked")) == (MOST_WRONG, 95)


async def test_the_right_ones_at_once_all_come_in_or_are_told_to_wait(door):
    answers = await asyncio.gather(*(door.one("1001", "4711") for _ in range(20)))
    assert set(answers) <= {"in", "pin-locked"}
    assert await door.tries("4711") == ["in"]


@pytest.mark.parametrize("pin", ["4711", "ü☕", "x" * 128, " ", "\0"])
async def test_a_pin_is_kept_as_a_salted_hash_and_fits_itself_only(door, pin):
    one, two = await pins.hashed(pin), await pins.hashed(pin)
    assert one.startswith("$argon2id$")
    assert one != two
    assert pin.strip(" \0") == "" or pin not in one
    door.guard.keep("1002", one)
    assert await door.tries(pin + "x", pin, agent="1002") == ["wrong-pin", "in"]


async def test_a_pin_of_the_settings_wins_over_a_kept_one():
    door = Door({"1001": await pins.hashed("old")})
    assert await door.tries("old", "4711") == ["wrong-pin", "in"]


@pytest.mark.parametrize("broken", [{}, {"1002": ""}, {"1002": "no hash"}, {"1002": "$argon2id$v=19$broken"}])
async def test_nothing_fits_where_there_is_no_hash_of_use(broken):
    door = Door(broken)
    assert await door.tries("", "4711", agent="1002") == ["wrong-pin", "wrong-pin"]


async def test_a_pin_that_was_changed_while_it_was_checked_does_not_let_in(door, monkeypatch):
    old, new = await pins.hashed("old"), await pins.hashed("new")
    door.guard.keep("1002", old)
    real = pins.fits

    async def fits(pin: str, hash: str) -> bool:
        door.guard.keep("1002", new)
        return await real(pin, hash)

    monkeypatch.setattr(pins, "fits", fits)
    assert await door.tries("old", agent="1002") == ["wrong-pin"]
    assert await door.tries("new", agent="1002") == ["in"]


async def test_another_pin_opens_the_lock(door):
    door.guard.keep("1002", await pins.hashed("old"))
    await door.tries(*["0"] * 5, agent="1002")
    assert await door.tries("old", agent="1002") == ["pin-locked"]
    door.guard.keep("1002", await pins.hashed("new"))
    assert await door.tries("new", agent="1002") == ["in"]
