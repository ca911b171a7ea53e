"""What the API shows: names, enumerators, whole seconds with exact twins, times in UTC, rates with four places."""

import re
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.helpers import until
from tests.web.house import PHONE, PIN, H, House, open_house
from tests.web.switch import Call

AGENT = {
    "id",
    "user",
    "state",
    "state_since",
    "reason",
    "measurement_period",
    "number_of_acd_calls",
    "number_of_incoming_calls",
    "number_of_outgoing_calls",
    "overall_call_rate",
    "total_acd_call_time",
    "total_acd_talk_time",
    "total_wrap_up_time",
    "sessions",
}
SESSION = {
    "id",
    "agent",
    "acd_group",
    "address",
    "state",
    "state_since",
    "reason",
    "next_state",
    "session_start_time",
    "session_duration",
    "number_of_calls",
    "total_talk_time",
    "average_talk_time",
    "total_call_time",
    "average_call_time",
    "total_wrap_up_time",
    "average_wrap_up_time",
    "acd_call_rate",
    "longest_time_to_answer",
    "average_time_to_answer",
}
QUEUE = {
    "name",
    "measurement_period",
    "total_calls_queued",
    "current_calls_queued",
    "total_calls_abandoned",
    "total_calls_flowed_in",
    "total_calls_flowed_out",
    "longest_ever_wait_time",
    "current_longest_wait_time",
    "average_wait_time",
    "final_disposition",
}
CALL = {
    "call",
    "queue",
    "agent",
    "session",
    "entered",
    "answered",
    "ended",
    "wait_time",
    "talk_time",
    "hold_time",
    "wrap_up_time",
    "outcome",
}
WAITING = {"call", "queue", "position", "caller", "waiting_since", "priority"}
UTC_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
RATE = re.compile(r"\d+\.\d{4}")


def check_forms(body: dict[str, Any]) -> None:
    """Times, rates, seconds and their twins have the form that is promised."""
    for name, value in body.items():
        if name in ("state_since", "session_start_time", "entered", "answered", "ended", "waiting_since"):
            assert value is None or UTC_TIME.fullmatch(value), (name, value)
        if name.endswith("_rate"):
            assert isinstance(value, str) and RATE.fullmatch(value), (name, value)
        if name.endswith("_exact"):
            whole = body[name.removesuffix("_exact")]
            assert (whole is None) == (value is None)
            assert value is None or (type(whole) is int and whole <= value + 1e-6), (name, whole, value)
        if name.endswith(("_time", "_duration")) and name != "session_start_time":
            assert value is None or type(value) is int, (name, value)


def as_time(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


async def test_the_handlers_are_listed_with_their_counts(house: House):
    await house.ready()
    house.switch.join(Call("7.7", "sales"))
    await until(lambda: house.center.state.visits)
    body = await house.get("/api/v1/handlers")
    expected = {"name": "main", "linked": True, "agents": 1, "sessions": 1, "queues": 2, "acd_groups": 2}
    assert body == {"items": [expected | {"calls_waiting": 1}], "next": None}
    assert await house.get("") == body["items"][0]


async def test_a_group_is_shown_with_its_queues(house: House):
    assert await house.get("acd-groups/both") == {"name": "both", "queues": ["support", "sales"]}
    listed = await house.get("acd-groups")
    assert listed["next"] is None
    assert {group["name"] for group in listed["items"]} == {"support", "both"}


async def test_a_queue_that_no_group_has_is_a_group_of_its_own(tmp_path):
    async with open_house(tmp_path, groups={}) as house:
        assert await house.get("acd-groups/sales") == {"name": "sales", "queues": ["sales"]}


async def test_a_group_can_be_made_and_changed(house: House):
    made = await house.call("PUT", "acd-groups/late shift", {"queues": ["sales"]})
    assert (made.status, made.body) == (200, {"name": "late shift", "queues": ["sales"]})
    changed = await house.call("PUT", "acd-groups/late shift", {"queues": ["support", "sales"]})
    assert changed.body == {"name": "late shift", "queues": ["support", "sales"]}
    assert await house.get("acd-groups/late shift") == changed.body


async def test_the_sessions_of_a_changed_group_follow_into_its_queues(house: House):
    await house.ready()
    answer = await house.call("PUT", "acd-groups/support", {"queues": ["sales"]})
    assert answer.status == 200
    await until(lambda: PHONE in house.switch.queues["sales"] and PHONE not in house.switch.queues["support"])


async def test_addresses_are_phones_that_asterisk_told_of_and_that_may_be_used(tmp_path):
    def phones(switch):
        switch.devices = {"PJSIP/1001": "NOT_INUSE", "PJSIP/1002": "UNAVAILABLE", "Local/x@y": "INUSE"}
        switch.devices["Queue:support_avail"] = "INUSE"

    async with open_house(tmp_path, phones) as house:
        body = await house.get("addresses")
        assert [(each["address"], each["state"]) for each in body["items"]] == [
            ("PJSIP/1001", "INSERVICE"),
            ("PJSIP/1002", "OUTOFSERVICE"),
        ]
        house.switch.tell("DeviceStateChange", Device="PJSIP/1002", State="NOT_INUSE")
        await until(lambda: house.center.state.devices["PJSIP/1002"])
        assert (await house.get("addresses"))["items"][1]["state"] == "INSERVICE"


async def test_an_agent_sees_which_phones_are_taken_and_not_by_whom(house: House):
    await house.ready()
    await house.agent("1002", "bob")
    token = await house.call("POST", "/api/v1/tokens", {"name": "bob", "role": "agent", "agent": "1002"})
    answer = await house.call("GET", "addresses", token=token.body["token"])
    assert [(each["address"], each["in_use"], each["sessions"]) for each in answer.body["items"]] == [(PHONE, True, [])]


async def test_an_agent_with_an_id_is_made_once_and_found_again_with_his_pin(house: House):
    new = {"id": "1001", "pin": PIN, "user": "alice"}
    made, found = await house.call("POST", "agents", new), await house.call("POST", "agents", new)
    assert (made.status, found.status) == (201, 200)
    for body in (made.body, found.body, await house.get("agents/1001")):
        assert body.keys() >= AGENT
        assert (body["id"], body["user"], body["state"], body["sessions"]) == ("1001", "alice", "NOT_READY", [])
        assert body["overall_call_rate"] == "0.0000"
        assert body["measurement_period"] == 86400
        check_forms(body)


async def test_an_agent_without_an_id_is_known_by_his_account(house: House):
    made, found = [await house.call("POST", "agents", {"user": "zoë"}) for _ in range(2)]
    assert (made.status, found.status) == (201, 200)
    assert made.body["id"] is None
    assert (await house.get("agents/zo%C3%AB"))["user"] == "zoë"


async def test_an_account_that_another_agent_has_is_refused(house: House):
    await house.agent("1001", "alice")
    answer = await house.refused("POST", "agents", {"id": "1002", "pin": PIN, "user": "alice"})
    assert (answer.status, answer.body["code"]) == (409, "agent-exists")
    answer = await house.refused("POST", "agents", {"user": "1001"})
    assert (answer.status, answer.body["code"]) == (409, "agent-exists")


async def test_a_name_with_a_blank_and_a_letter_beyond_ascii_works_in_every_address(house: House):
    await house.call("POST", "agents", {"user": "Jürgen Groß"})
    answer = await house.call("PUT", "agents/J%C3%BCrgen%20Gro%C3%9F/state", {"state": "READY"})
    assert (answer.status, answer.body["user"]) == (200, "Jürgen Groß")


async def test_a_session_is_made_not_ready_and_found_where_it_belongs(house: House):
    await house.agent()
    answer = await house.call("POST", "agents/1001/sessions", {"acd_group": "both", "address": PHONE})
    assert answer.status == 201
    body = answer.body
    assert body.keys() >= SESSION
    check_forms(body)
    assert (body["agent"], body["acd_group"], body["address"]) == ("1001", "both", PHONE)
    assert (body["state"], body["next_state"], body["acd_call_rate"]) == ("NOT_READY", None, "0.0000")
    assert abs(as_time(body["session_start_time"]) - time.time()) < 5
    assert (await house.get(f"sessions/{body['id']}"))["id"] == body["id"]
    assert [each["id"] for each in (await house.get("agents/1001/sessions"))["items"]] == [body["id"]]
    assert (await house.get("agents/1001"))["sessions"] == [body["id"]]
    assert {order["Queue"] for order in house.switch.orders()} == {"support", "sales"}
    assert {(o["Interface"], o["MemberName"], o["Paused"]) for o in house.switch.orders()} == {(PHONE, "alice", "true")}


async def test_a_session_can_be_made_with_the_pin(house: House):
    await house.agent()
    body = {"acd_group": "support", "address": PHONE, "pin": PIN}
    assert (await house.call("POST", "agents/1001/sessions", body)).status == 201


async def test_a_session_that_ended_stays_readable_but_is_listed_no_more(house: House):
    key = await house.ready()
    answer = await house.call("PUT", f"sessions/{key}/state", {"state": "SESSION_ENDED"})
    assert (answer.status, answer.body["state"]) == (200, "SESSION_ENDED")
    assert PHONE not in house.switch.queues["support"]
    assert (await house.get("agents/1001/sessions")) == {"items": [], "next": None}
    first = await house.get(f"sessions/{key}")
    assert first["session_duration_exact"] == (await house.get(f"sessions/{key}"))["session_duration_exact"]


async def test_every_figure_of_a_call_is_shown_in_whole_seconds_with_its_exact_twin(house: House):
    key, call, began = await house.ready(), Call("5.5", "support"), time.time() - 100
    house.switch.join(call, began)
    house.switch.ring(call, began + 2)
    house.switch.answer(call, began + 5.25)
    house.switch.hang_up(call, began + 35.75)
    await until(lambda: house.session(key).tally.wrap_up, what="wrap-up booked")
    await house.in_state(key, "READY")

    session = await house.get(f"sessions/{key}")
    check_forms(session)
    assert session["number_of_calls"] == 1
    assert (session["total_talk_time"], session["total_talk_time_exact"]) == (30, 30.5)
    assert (session["total_wrap_up_time"], session["total_wrap_up_time_exact"]) == (10, 10.0)
    assert (session["total_call_time"], session["total_call_time_exact"]) == (40, 40.5)
    assert (session["longest_time_to_answer"], session["longest_time_to_answer_exact"]) == (3, 3.25)
    assert [session[f"average_{name}"] for name in ("talk_time", "wrap_up_time", "call_time")] == [30, 10, 40]
    assert session["average_time_to_answer"] == 3
    assert session["acd_call_rate"] != "0.0000"

    agent = await house.get("agents/1001")
    check_forms(agent)
    assert agent["number_of_acd_calls"] == 1
    assert (agent["number_of_incoming_calls"], agent["number_of_outgoing_calls"]) == (0, 0)
    assert (agent["total_acd_talk_time"], agent["total_acd_talk_time_exact"]) == (30, 30.5)
    assert (agent["total_wrap_up_time"], agent["total_acd_call_time"]) == (10, 40)
    assert agent["total_acd_call_time_exact"] == 40.5

    queue = await house.get("queues/support")
    assert queue.keys() >= QUEUE
    check_forms(queue)
    assert (queue["total_calls_queued"], queue["current_calls_queued"]) == (1, 0)
    assert (queue["longest_ever_wait_time"], queue["longest_ever_wait_time_exact"]) == (5, 5.25)
    assert (queue["average_wait_time"], queue["final_disposition"]) == (5, 0)

    (row,) = (await house.get("calls"))["items"]
    assert row.keys() >= CALL
    check_forms(row)
    assert (row["call"], row["queue"], row["agent"], row["session"]) == ("5.5", "support", "1001", key)
    assert as_time(row["entered"]) == pytest.approx(began, abs=1e-5)
    assert as_time(row["answered"]) == pytest.approx(began + 5.25, abs=1e-5)
    assert as_time(row["ended"]) == pytest.approx(began + 35.75, abs=1e-5)
    assert (row["wait_time"], row["wait_time_exact"], row["talk_time_exact"]) == (5, 5.25, 30.5)
    assert (row["hold_time"], row["wrap_up_time"], row["outcome"]) == (0, 10, "answered")


async def test_times_are_utc_whatever_zone_the_machine_is_in(house: House, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        body = await house.agent()
    finally:
        monkeypatch.undo()
        time.tzset()
    assert body["state_since"].endswith("Z")
    since = datetime.fromisoformat(body["state_since"])
    assert abs((since - datetime.now(UTC)).total_seconds()) < 5


async def test_the_states_of_a_call_are_shown_by_name(house: House):
    key, call = await house.on_a_call()
    assert (await house.get(f"sessions/{key}"))["state"] == "BUSY_ON_CALL"
    assert (await house.get("agents/1001"))["state"] == "BUSY_ACD"
    house.switch.hang_up(call)
    await house.in_state(key, "BUSY_WRAPUP")
    body = await house.get(f"sessions/{key}")
    assert (body["state"], UTC_TIME.fullmatch(body["wrap_up_until"]) is not None) == ("BUSY_WRAPUP", True)
    assert (await house.get("agents/1001"))["state"] == "BUSY_ACD"


async def test_queues_are_listed_with_every_property(house: House):
    body = await house.get("queues")
    assert {queue["name"] for queue in body["items"]} == {"support", "sales"}
    for queue in body["items"]:
        assert queue.keys() >= QUEUE
        check_forms(queue)
        assert await house.get(f"queues/{queue['name']}") == queue


async def test_waiting_callers_are_listed_in_their_order(house: House):
    now = time.time()
    house.switch.join(Call("1.1", "sales", caller="111"), now - 20)
    house.switch.join(Call("2.2", "sales", caller="<unknown>"), now - 10, position=2)
    await until(lambda: len(house.center.state.visits) == 2)
    body = await house.get("queues/sales/calls")
    assert body["next"] is None
    assert [row.keys() >= WAITING for row in body["items"]] == [True, True]
    assert [(row["call"], row["position"], row["caller"]) for row in body["items"]] == [
        ("1.1", 1, "111"),
        ("2.2", 2, ""),
    ]
    assert as_time(body["items"][0]["waiting_since"]) == pytest.approx(now - 20, abs=1e-5)
    queue = await house.get("queues/sales")
    assert queue["current_calls_queued"] == 2
    assert 20 <= queue["current_longest_wait_time"] < 25
    assert await house.get("queues/support/calls") == {"items": [], "next": None}


@pytest.mark.parametrize("path", ["agents/1001", "queues/support"])
async def test_a_measurement_period_can_be_set(house: House, path):
    await house.agent()
    answer = await house.call("PUT", f"{path}/measurement-period", {"seconds": 3600})
    assert (answer.status, answer.body["measurement_period"]) == (200, 3600)
    assert (await house.get(path))["measurement_period"] == 3600
    longest = await house.call("PUT", f"{path}/measurement-period", {"seconds": 2**31 - 1})
    assert longest.body["measurement_period"] == 2**31 - 1


async def test_a_new_measurement_period_begins_at_zero(house: House):
    house.switch.join(Call("1.1", "support"))
    await until(lambda: house.center.state.visits)
    assert (await house.get("queues/support"))["total_calls_queued"] == 1
    answer = await house.call("PUT", "queues/support/measurement-period", {"seconds": 60})
    assert (answer.body["total_calls_queued"], answer.body["current_calls_queued"]) == (0, 1)


@pytest.mark.parametrize(("path", "default"), [("agents/1001", None), ("queues/support", 10)])
async def test_a_wrap_up_time_can_be_set_and_set_back(house: House, path, default):
    await house.agent()
    answer = await house.call("PUT", f"{path}/wrap-up-time", {"seconds": 2.5})
    assert (answer.status, answer.body["wrap_up"]) == (200, 2.5)
    answer = await house.call("PUT", f"{path}/wrap-up-time", {"seconds": None})
    assert (answer.status, answer.body["wrap_up"]) == (200, default)


async def test_agents_are_listed(house: House):
    assert await house.get("agents") == {"items": [], "next": None}
    await house.agent("1001", "alice")
    await house.agent("1002", "bob")
    assert [each["id"] for each in (await house.get("agents"))["items"]] == ["1001", "1002"]


async def test_an_agent_of_the_settings_is_there_from_the_start(tmp_path):
    agents = [{"id": "1001", "user": "alice", "pin": PIN, "wrap_up": 3}]
    async with open_house(tmp_path, agents=agents) as house:
        assert (await house.get("agents/1001"))["wrap_up"] == 3
        body = {"acd_group": "support", "address": PHONE, "pin": PIN}
        assert (await house.call("POST", f"{H}/agents/1001/sessions", body)).status == 201


async def test_an_agent_is_unknown_while_asterisk_is_away(house: House):
    await house.ready()
    await house.switch.__aexit__()
    await until(lambda: not house.center.state.linked)
    body = await house.get("agents/1001")
    assert (body["state"], body["reason"]) == ("UNKNOWN", "Asterisk is not connected")
    assert (await house.get(""))["linked"] is False
