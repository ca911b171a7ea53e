"""PINs at the door: five tries, then a lock for a while, and never a word of them in an answer or a log line."""

import asyncio
import logging

import pytest

from acd.pins import LOCKED_FOR
from tests.web.house import PHONE, PIN, Answer, House, check_problem, open_house


async def log_on(house: House, pin: str) -> Answer:
    body = {"acd_group": "support", "address": PHONE, "pin": pin}
    return await house.call("POST", "agents/1001/sessions", body)


async def ask_with(house: House, pin: str) -> Answer:
    return await house.call("POST", "agents", {"id": "1001", "pin": pin, "user": "alice"})


@pytest.fixture
def agents() -> list[dict[str, str]]:
    return [{"id": "1001", "user": "alice", "pin": PIN}]


@pytest.mark.parametrize("door", [log_on, ask_with])
async def test_after_five_wrong_pins_the_agent_is_locked_for_the_right_one_too(tmp_path, agents, door):
    async with open_house(tmp_path, agents=agents) as house:
        for _ in range(5):
            answer = await door(house, "0000")
            check_problem(answer)
            assert (answer.status, answer.body["code"]) == (403, "wrong-pin")
            assert (answer.body["hresult"], answer.body["lineerr"]) == ("0x8004004A", "0x80000059")
        for pin in ("0000", PIN):
            answer = await door(house, pin)
            check_problem(answer)
            assert (answer.status, answer.body["code"]) == (403, "pin-locked")
        assert house.switch.orders() == []
        assert (await house.get("agents/1001"))["sessions"] == []


async def test_a_lock_at_one_door_is_a_lock_at_the_other(tmp_path, agents):
    async with open_house(tmp_path, agents=agents) as house:
        for _ in range(3):
            await log_on(house, "0000")
        for _ in range(2):
            await ask_with(house, "0000")
        assert (await log_on(house, PIN)).body["code"] == "pin-locked"


async def test_many_wrong_pins_at_once_get_no_more_tries_than_one_after_the_other(tmp_path, agents):
    async with open_house(tmp_path, agents=agents) as house:
        answers = await asyncio.gather(*(log_on(house, f"{number:04}") for number in range(40)))
        assert [answer.status for answer in answers] == [403] * 40
        assert [answer.body["code"] for answer in answers].count("wrong-pin") == 5
        assert (await log_on(house, PIN)).body["code"] == "pin-locked"


async def test_one_agent_who_is_locked_locks_nobody_else(tmp_path, agents):
    agents.append({"id": "1002", "user": "bob", "pin": "0815"})
    async with open_house(tmp_path, agents=agents) as house:
        for _ in range(5):
            await ask_with(house, "0000")
        answer = await house.call("POST", "agents", {"id": "1002", "pin": "0815", "user": "bob"})
        assert answer.status == 200


async def test_the_right_pin_in_time_gives_five_tries_again(tmp_path, agents):
    async with open_house(tmp_path, agents=agents) as house:
        for _ in range(3):
            for _ in range(4):
                assert (await ask_with(house, "0000")).body["code"] == "wrong-pin"
            assert (await ask_with(house, PIN)).status == 200


async def test_a_pin_for_a_session_of_an_agent_whose_pin_was_hashed_is_checked(house: House):
    await house.agent()
    assert (await log_on(house, "0000")).body["code"] == "wrong-pin"
    assert (await log_on(house, PIN)).status == 201


async def test_a_pin_survives_a_restart_as_a_hash_only(tmp_path):
    async with open_house(tmp_path) as house:
        await house.agent()
    for file in tmp_path.iterdir():
        assert PIN.encode() not in file.read_bytes().replace(b"1001", b""), file.name
    async with open_house(tmp_path) as house:
        assert (await ask_with(house, "0000")).body["code"] == "wrong-pin"
        assert (await ask_with(house, PIN)).status == 200


async def test_two_people_who_make_the_same_agent_at_once_make_one(house: House):
    answers = await asyncio.gather(ask_with(house, PIN), ask_with(house, PIN))
    assert sorted(answer.status for answer in answers) == [200, 201]


async def test_of_two_people_who_make_the_same_agent_with_different_pins_one_is_refused(house: House):
    answers = await asyncio.gather(ask_with(house, PIN), ask_with(house, "0815"))
    assert sorted(answer.status for answer in answers) == [201, 403]
    winner = PIN if answers[0].status == 201 else "0815"
    assert (await ask_with(house, winner)).status == 200


async def test_two_agents_made_at_once_do_not_get_the_same_account_name(house: House):
    answers = await asyncio.gather(
        *(house.call("POST", "agents", {"id": id, "pin": PIN, "user": "alice"}) for id in ("1001", "1002"))
    )
    assert sorted(answer.status for answer in answers) == [201, 409]
    assert [each["user"] for each in (await house.get("agents"))["items"]] == ["alice"]


async def test_no_pin_is_ever_in_an_answer_or_a_log_line(tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    secret, wrong = "73915082", "60284917"
    settings = [{"id": "2002", "user": "bob", "pin": secret}]
    texts = []
    async with open_house(tmp_path, agents=settings) as house:
        for body in (
            {"id": "1001", "pin": secret, "user": "alice"},
            {"id": "1001", "pin": secret, "user": "alice"},
            {"id": "1001", "pin": wrong, "user": "alice"},
            {"id": "1001", "pin": int(secret)},
            {"id": "1001", "pin": [secret]},
            {"id": "1001", "pin": {"pin": secret}},
            {"id": "1001", "pin": secret, "user": "a,b"},
            {"id": "1001", "pin": secret, "user": "alice", "more": 1},
            {"user": "carol", "pin": secret},
            {"id": "1001", "pin": secret * 20},
            {"id": "2002", "pin": wrong},
        ):
            texts.append((await house.call("POST", "agents", body)).text)
        for agent, pin in (("1001", wrong), ("2002", wrong), ("1001", secret), ("2002", secret)):
            body = {"acd_group": "support", "address": f"PJSIP/{agent}", "pin": pin}
            texts.append((await house.call("POST", f"agents/{agent}/sessions", body)).text)
        for path in ("agents", "agents/1001", "agents/1001/sessions", "", "addresses"):
            texts.append((await house.call("GET", path)).text)
        sent = str(house.switch.received)
    for pin in (secret, wrong):
        assert not [text for text in texts if pin in text]
        assert pin not in caplog.text
        assert pin not in sent


def test_a_lock_is_for_a_while():
    assert 60 <= LOCKED_FOR <= 3600


async def test_an_id_that_is_the_name_of_an_agent_without_one_is_taken(house: House):
    assert (await house.call("POST", "agents", {"user": "bob"})).status == 201
    answer = await house.call("POST", "agents", {"id": "bob", "pin": "4711"})
    assert (answer.status, answer.body["code"]) == (409, "agent-exists")
