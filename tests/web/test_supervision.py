"""What supervisors and agents ask for beyond states, as the API answers it. What Asterisk does of it: tests/e2e."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.helpers import until
from tests.web.house import PHONE, House, check_problem, open_house
from tests.web.switch import Call

SETTINGS: dict[str, Any] = {
    "dispositions": {"sale": "A sale", "question": "A question"},
    "queues": {"support": {"disposition_required": True}},
    "reasons": ["lunch", "training"],
    "wrap_up": 30,
}


@pytest.fixture
async def house(tmp_path) -> AsyncIterator[House]:
    async with open_house(tmp_path, **SETTINGS) as house:
        yield house


async def refused(house: House, method: str, path: str, body: object = None) -> tuple[int, str]:
    answer = await house.call(method, path, body)
    check_problem(answer)
    return answer.status, answer.body["code"]


async def test_who_serves_a_queue_is_shown_with_his_penalty(house):
    await house.ready()
    answer = await house.call("PUT", "queues/support/members/1001", {"penalty": 3})
    assert (answer.status, answer.body) == (200, {"agent": "1001", "queue": "support", "penalty": 3})
    (member,) = (await house.get("queues/support/members"))["items"]
    assert member == {"agent": "1001", "address": PHONE, "penalty": 3, "paused": False, "reason": ""}
    assert house.switch.queues["support"][PHONE].penalty == 3


async def test_a_penalty_is_asked_for_twice_and_ordered_once(house):
    await house.ready()
    for _ in range(2):
        assert (await house.call("PUT", "queues/support/members/1001", {"penalty": 3})).status == 200
    assert [action["Penalty"] for action in house.switch.received if action["Action"] == "QueuePenalty"] == ["3"]


@pytest.mark.parametrize("penalty", [-1, 10_001, 1.5, "1", None, True])
async def test_a_penalty_that_is_none_is_named(house, penalty):
    await house.ready()
    answer = await house.call("PUT", "queues/support/members/1001", {"penalty": penalty})
    assert (answer.status, answer.fields) == (422, ["body.penalty"])


async def test_an_agent_is_moved_and_the_answer_is_his_new_session(house):
    key = await house.ready()
    answer = await house.call("PUT", f"sessions/{key}/acd-group", {"acd_group": "both"})
    assert answer.status == 200, answer.text
    assert (answer.body["acd_group"], answer.body["state"]) == ("both", "READY")
    assert (await house.get(f"sessions/{key}"))["state"] == "SESSION_ENDED"
    assert PHONE in house.switch.queues["sales"] and not house.switch.queues["sales"][PHONE].paused
    assert await refused(house, "PUT", f"sessions/{key}/acd-group", {"acd_group": "nowhere"}) == (404, "unknown-group")


async def test_agents_choose_from_what_the_settings_say(house):
    assert await house.get("choices") == {
        "dispositions": [{"code": "sale", "text": "A sale"}, {"code": "question", "text": "A question"}],
        "disposition_required": ["support"],
        "reasons": ["lunch", "training"],
    }


async def test_wrap_up_is_not_ended_without_the_code_that_the_queue_wants(house):
    key, call = await house.in_wrap_up()
    assert await refused(house, "PUT", f"sessions/{key}/wrap-up", {"end": True}) == (409, "disposition-missing")
    answer = await house.call("PUT", f"sessions/{key}/disposition", {"code": "sale"})
    assert (answer.status, answer.body["state"]) == (200, "BUSY_WRAPUP")
    assert (await house.call("PUT", f"sessions/{key}/wrap-up", {"end": True})).status == 200
    (row,) = (await house.get(f"calls?call={call.id}"))["items"]
    assert row["disposition"] == "sale"


async def test_a_code_needs_to_be_one_and_to_have_a_call(house):
    key = await house.ready()
    path = f"sessions/{key}/disposition"
    assert await refused(house, "PUT", path, {"code": "sale"}) == (409, "no-call")
    assert await refused(house, "PUT", path, {"code": "gift"}) == (404, "unknown-disposition")


async def test_a_note_says_who_sent_it_and_to_whom(house):
    await house.ready()
    answer = await house.call("POST", "notes", {"text": "Ten are waiting.", "agents": ["1001"]})
    assert answer.status == 201
    about = {"text": "Ten are waiting.", "from": "api-token", "groups": [], "agents": ["1001"]}
    assert answer.body == about | {"seq": answer.body["seq"]}
    assert await refused(house, "POST", "notes", {"text": "?", "agents": ["9999"]}) == (404, "unknown-agent")
    assert await refused(house, "POST", "notes", {"text": "?", "groups": ["nowhere"]}) == (404, "unknown-group")


@pytest.mark.parametrize("text", ["", " ", "\0", "x" * 1001, None])
async def test_a_note_without_text_is_none(house, text):
    answer = await house.call("POST", "notes", {"text": text})
    assert (answer.status, answer.fields) == (422, ["body.text"])


async def test_only_who_waits_can_be_helped(house):
    for action, body in (("withdraw", None), ("priority", {"priority": 1}), ("transfer", {"queue": "sales"})):
        path = f"queues/support/calls/nobody/{action}"
        assert await refused(house, "POST", path, body) == (404, "unknown-call"), action
    assert await refused(house, "POST", "calls/nobody/hangup") == (404, "unknown-call")


async def test_nobody_is_sent_to_a_queue_that_nobody_serves_or_that_there_is_not(house):
    house.switch.join(Call("c1", "support"))
    await until(lambda: house.center.state.queues["support"].waiting, what="waiting")
    path = "queues/support/calls/c1/transfer"
    assert await refused(house, "POST", path, {"queue": "sales"}) == (409, "queue-empty")
    assert await refused(house, "POST", path, {"queue": "nowhere"}) == (404, "unknown-queue")
    assert not [action for action in house.switch.received if action["Action"] == "Redirect"]


async def test_there_is_nothing_to_listen_to_without_a_call_or_by_a_phone_that_may_not_be_used(house):
    await house.ready()
    for mode in ("listen", "whisper", "barge"):
        path, phone = f"agents/1001/{mode}", {"supervisor_address": "PJSIP/1020"}
        assert await refused(house, "POST", path, phone) == (409, "no-call")
        assert await refused(house, "POST", path, {"supervisor_address": "SIP/1"}) == (404, "unknown-address")
    assert await refused(house, "DELETE", "monitors/nobody") == (404, "unknown-monitor")
    assert (await house.get("monitors"))["items"] == []


async def test_what_asterisk_refuses_is_told_in_its_words_and_leaves_nothing_behind(house):
    """The fake one cannot call anybody."""
    await house.on_a_call()
    answer = await house.call("POST", "agents/1001/listen", {"supervisor_address": "PJSIP/1020"})
    assert (answer.status, answer.body["code"]) == (502, "asterisk-refused"), answer.text
    assert house.center.state.monitors == {}
