"""Commands: carried out by Asterisk before they are answered, refused without a trace, repeated without harm."""

import asyncio
import sqlite3
import time
from contextlib import closing

import pytest

from tests.asterisk.fake_ami import error
from tests.helpers import until
from tests.web.house import PHONE, House, open_house
from tests.web.switch import Call, Member

STATE = "sessions/{}/state"


def member(house: House, queue: str = "support", phone: str = PHONE) -> Member:
    return house.switch.queues[queue][phone]


# What is asked for is done, and only then answered


async def test_ready_is_answered_when_the_phone_is_unpaused(house: House):
    key = await house.ready()
    assert not member(house).paused
    assert (await house.get(f"sessions/{key}"))["state"] == "READY"
    assert (await house.get("agents/1001"))["state"] == "READY"


async def test_not_ready_pauses_the_phone_with_the_reason(house: House):
    key = await house.ready()
    answer = await house.call("PUT", STATE.format(key), {"state": "NOT_READY", "reason": "lunch"})
    assert (answer.status, answer.body["state"], answer.body["reason"]) == (200, "NOT_READY", "lunch")
    assert (member(house).paused, member(house).reason) == (True, "lunch")


async def test_an_agent_who_is_not_ready_shows_his_reason(house: House):
    await house.ready()
    answer = await house.call("PUT", "agents/1001/state", {"state": "NOT_READY", "reason": "café ☕"})
    assert (answer.status, answer.body["state"], answer.body["reason"]) == (200, "NOT_READY", "café ☕")
    assert member(house).reason == "café ☕"


async def test_the_answer_to_another_reason_has_that_reason(house: House):
    """Asterisk says yes a moment before its event comes, and the answer shows what the event brings."""
    key = await house.ready()
    house.switch.events_late_by = 0.05
    for reason in ("lunch", "meeting"):
        answer = await house.call("PUT", STATE.format(key), {"state": "NOT_READY", "reason": reason})
        assert (answer.status, answer.body["reason"]) == (200, reason)


@pytest.mark.parametrize("reason", [" lunch", "lunch ", "\tlunch", "  ", "\x1b[1mlunch"])
async def test_a_reason_of_which_asterisk_passes_over_the_beginning_is_not_taken_for_somebody_elses_pause(
    house: House, reason
):
    key = await house.ready()
    answer = await house.call("PUT", STATE.format(key), {"state": "NOT_READY", "reason": reason})
    assert answer.status in (200, 422), answer.text
    if answer.status == 200:
        assert answer.body["reason"] == member(house).reason
    assert (await house.get("agents/1001"))["state"] == "READY"
    back = await house.call("PUT", STATE.format(key), {"state": "READY"})
    assert (back.status, member(house).paused) == (200, False)


@pytest.mark.parametrize("reason", ["wrapup", "logged off"])
async def test_a_reason_that_looks_like_one_of_ours_is_a_reason_like_any_other_or_refused(house: House, reason):
    key = await house.ready()
    answer = await house.call("PUT", STATE.format(key), {"state": "NOT_READY", "reason": reason})
    assert answer.status in (200, 422)
    back = await house.call("PUT", STATE.format(key), {"state": "READY"})
    assert (back.status, back.body["state"], member(house).paused) == (200, "READY", False)


async def test_a_log_on_for_a_group_of_two_queues_is_answered_when_both_have_the_phone(house: House):
    house.switch.events_late_by = 0.03
    await house.call("POST", "agents", {"user": "1001"})
    await house.log_on(group="both")
    members = house.center.state.members[PHONE]
    assert {queue for queue, seen in members.items() if seen.seen is not None} == {"support", "sales"}


async def test_a_log_off_takes_the_phone_out_of_all_queues(house: House):
    key = await house.ready("both")
    answer = await house.call("PUT", STATE.format(key), {"state": "SESSION_ENDED"})
    assert (answer.status, answer.body["state"]) == (200, "SESSION_ENDED")
    assert house.switch.queues == {"support": {}, "sales": {}}


@pytest.mark.parametrize("goal", ["READY", "NOT_READY", "SESSION_ENDED"])
async def test_a_state_asked_for_during_a_call_is_the_next_state_and_comes_after_it(house: House, goal):
    key, call = await house.on_a_call()
    answer = await house.call("PUT", STATE.format(key), {"state": goal, "reason": "later"})
    assert (answer.status, answer.body["state"], answer.body["next_state"]) == (200, "BUSY_ON_CALL", goal)
    house.switch.hang_up(call)
    await house.in_state(key, goal)
    assert (PHONE in house.switch.queues["support"]) == (goal != "SESSION_ENDED")


async def test_an_agent_asked_to_be_not_ready_during_a_call_is_so_after_it(house: House):
    key, call = await house.on_a_call()
    answer = await house.call("PUT", "agents/1001/state", {"state": "NOT_READY", "reason": "home"})
    assert (answer.status, answer.body["state"]) == (200, "BUSY_ACD")
    house.switch.hang_up(call)
    await house.in_state(key, "BUSY_WRAPUP")
    await house.call("PUT", f"sessions/{key}/wrap-up", {"end": True})
    await until(lambda: house.center.state.agents["1001"].state.name == "NOT_READY")
    assert member(house).reason == "home"


async def test_what_an_agent_will_be_after_his_call_is_shown_told_and_can_be_taken_back(house: House):
    await house.on_a_call()
    assert (await house.get("agents/1001"))["next_state"] == "READY"
    told = []
    async with house.socket("?type=statistics") as socket:
        for state, reason in (("NOT_READY", "lunch"), ("READY", "")):
            answer = await house.call("PUT", "agents/1001/state", {"state": state, "reason": reason})
            assert (answer.body["next_state"], answer.body["next_reason"]) == (state, reason)
            while told[-1:] != [(state, reason)]:
                envelope = await socket.receive_json(timeout=5)
                if envelope["event"] == "AGENT":
                    told.append((envelope["subject"]["next_state"], envelope["subject"]["next_reason"]))


async def test_without_a_call_nothing_follows(house: House):
    await house.ready()
    agent = await house.get("agents/1001")
    assert (agent["state"], agent["next_state"], agent["next_reason"]) == ("READY", None, "")


async def test_a_wrap_up_is_extended_and_ended(house: House):
    key, _ = await house.in_wrap_up()
    until_before = house.session(key).wrap_up_until
    answer = await house.call("PUT", f"sessions/{key}/wrap-up", {"extend_seconds": 30})
    assert (answer.status, answer.body["state"]) == (200, "BUSY_WRAPUP")
    assert house.session(key).wrap_up_until == until_before + 30
    assert member(house).paused
    answer = await house.call("PUT", f"sessions/{key}/wrap-up", {"end": True})
    assert (answer.status, answer.body["state"], answer.body["wrap_up_until"]) == (200, "READY", None)
    assert not member(house).paused


# Refusals


@pytest.mark.parametrize("state", ["BUSY_ON_CALL", "BUSY_WRAPUP"])
async def test_a_session_state_that_only_the_switch_sets_is_refused(house: House, state):
    key = await house.ready()
    sent = len(house.switch.received)
    answer = await house.refused("PUT", STATE.format(key), {"state": state})
    assert (answer.status, answer.body["code"]) == (409, "state-not-settable")
    assert (answer.body["hresult"], answer.body["lineerr"]) == ("0x8004004B", "0x8000005A")
    assert (await house.get(f"sessions/{key}"))["state"] == "READY"
    assert len(house.switch.received) == sent


@pytest.mark.parametrize("state", ["BUSY_ACD", "BUSY_INCOMING", "BUSY_OUTGOING", "UNKNOWN"])
async def test_an_agent_state_that_follows_from_calls_is_refused(house: House, state):
    await house.ready()
    answer = await house.refused("PUT", "agents/1001/state", {"state": state})
    assert (answer.status, answer.body["code"]) == (409, "state-not-settable")
    assert (answer.body["hresult"], answer.body["lineerr"]) == ("0x8004004B", "0x8000005A")
    assert (await house.get("agents/1001"))["state"] == "READY"


async def test_nothing_leads_out_of_a_session_that_ended(house: House):
    key = await house.ready()
    await house.call("PUT", STATE.format(key), {"state": "SESSION_ENDED"})
    answer = await house.refused("PUT", STATE.format(key), {"state": "READY"})
    assert (answer.status, answer.body["code"]) == (409, "state-not-reachable")
    assert (answer.body["hresult"], answer.body["lineerr"]) == ("0x8004004B", "0x8000005A")
    assert (await house.get(f"sessions/{key}"))["state"] == "SESSION_ENDED"


@pytest.mark.parametrize("body", [{"end": True}, {"extend_seconds": 5}])
async def test_a_wrap_up_that_is_none_is_neither_ended_nor_extended(house: House, body):
    key = await house.ready()
    answer = await house.refused("PUT", f"sessions/{key}/wrap-up", body)
    assert (answer.status, answer.body["code"]) == (409, "not-in-wrap-up")


async def test_a_second_session_for_a_group_and_a_phone_in_use_are_refused(house: House):
    await house.ready()
    await house.call("POST", "agents", {"user": "1002"})
    again = await house.refused("POST", "agents/1001/sessions", {"acd_group": "support", "address": PHONE})
    assert (again.status, again.body["code"]) == (409, "session-exists")
    taken = await house.refused("POST", "agents/1002/sessions", {"acd_group": "support", "address": PHONE})
    assert (taken.status, taken.body["code"]) == (409, "address-in-use")
    assert taken.body["lineerr"] == "0x80000011"


async def test_a_pin_for_an_agent_without_an_id_is_refused(house: House):
    await house.call("POST", "agents", {"user": "carol"})
    body = {"acd_group": "support", "address": PHONE, "pin": "1"}
    answer = await house.refused("POST", "agents/carol/sessions", body)
    assert (answer.status, answer.body["code"], answer.body["hresult"]) == (409, "no-agent-id", "0x80040047")


async def test_a_phone_that_asterisk_does_not_know_is_taken_out_again_and_refused(house: House):
    house.switch.unknown_phones.add("PJSIP/9999")
    await house.call("POST", "agents", {"user": "1001"})
    answer = await house.refused("POST", "agents/1001/sessions", {"acd_group": "support", "address": "PJSIP/9999"})
    assert (answer.status, answer.body["code"], answer.body["lineerr"]) == (404, "unknown-address", "0x80000011")
    assert house.switch.queues["support"] == {}
    assert (await house.get("agents/1001"))["sessions"] == []


# Asterisk says no, is away, is silent


async def test_what_asterisk_refuses_is_told_in_its_words_and_changes_nothing(house: House):
    key = await house.ready()
    house.switch.answers["QueuePause"] = error("Permission denied")
    for path in (STATE.format(key), "agents/1001/state"):
        answer = await house.refused("PUT", path, {"state": "NOT_READY", "reason": "lunch"})
        assert (answer.status, answer.body["code"]) == (502, "asterisk-refused")
        assert "Permission denied" in answer.body["detail"]
    session = await house.get(f"sessions/{key}")
    assert (session["state"], session["reason"], session["next_state"]) == ("READY", "", None)
    agent = await house.get("agents/1001")
    assert (agent["state"], agent["reason"]) == ("READY", "")


async def test_after_a_refusal_the_same_command_works_once_asterisk_agrees(house: House):
    key = await house.ready()
    house.switch.answers["QueuePause"] = error("Permission denied")
    await house.refused("PUT", STATE.format(key), {"state": "NOT_READY"})
    del house.switch.answers["QueuePause"]
    answer = await house.call("PUT", STATE.format(key), {"state": "NOT_READY"})
    assert (answer.status, answer.body["state"]) == (200, "NOT_READY")


async def test_a_log_on_that_asterisk_refuses_leaves_no_session(house: House):
    await house.call("POST", "agents", {"user": "1001"})
    obeyed = house.switch._queueadd
    house.switch.answers["QueueAdd"] = lambda order: (
        error("Out of memory")(order) if order["Queue"] == "sales" else obeyed(order)
    )
    answer = await house.refused("POST", "agents/1001/sessions", {"acd_group": "both", "address": PHONE})
    assert answer.status == 502
    assert "Out of memory" in answer.body["detail"]
    assert (await house.get("agents/1001"))["sessions"] == []
    await until(lambda: not house.switch.queues["support"], what="taken out of the queue that took it")


async def test_a_group_of_which_asterisk_has_no_queue_is_refused(tmp_path):
    async with open_house(tmp_path, groups={"ghosts": {"queues": ["no such queue"]}}) as house:
        await house.call("POST", "agents", {"user": "1001"})
        answer = await house.refused("POST", "agents/1001/sessions", {"acd_group": "ghosts", "address": PHONE})
        assert (answer.status, answer.body["code"]) == (409, "group-empty")


async def test_a_queue_that_a_reload_took_away_does_not_keep_the_agent_from_his_others(house: House):
    await house.call("POST", "agents", {"user": "1001"})
    del house.switch.queues["sales"]
    answer = await house.call("POST", "agents/1001/sessions", {"acd_group": "both", "address": PHONE})
    assert answer.status == 201
    assert set(house.switch.queues["support"]) == {PHONE}
    assert not house.center.queue("sales").in_asterisk


async def test_while_asterisk_is_away_commands_are_refused_and_nothing_changes(house: House):
    key = await house.ready()
    await house.switch.__aexit__()
    await until(lambda: not house.center.state.linked)
    for method, path, body in (
        ("PUT", STATE.format(key), {"state": "NOT_READY"}),
        ("PUT", "agents/1001/state", {"state": "NOT_READY"}),
        ("POST", "agents/1001/sessions", {"acd_group": "both", "address": PHONE}),
    ):
        answer = await house.refused(method, path, body)
        assert (answer.status, answer.body["code"], answer.body["hresult"]) == (503, "not-linked", "0x8004005A")
    assert house.session(key).state.name == "READY"


async def test_a_group_is_not_half_changed_while_asterisk_is_away(house: House):
    await house.ready()
    await house.switch.__aexit__()
    await until(lambda: not house.center.state.linked)
    answer = await house.call("PUT", "acd-groups/support", {"queues": ["sales"]})
    shown = (await house.get("acd-groups/support"))["queues"]
    assert (answer.status, shown) in [(200, ["sales"]), (503, ["support"])]


async def test_when_asterisk_is_silent_it_says_so_and_the_late_event_still_counts(tmp_path):
    async with open_house(tmp_path, confirm_within=0.1) as house:
        key = await house.ready()
        house.switch.answers["QueuePause"] = None
        answer = await house.refused("PUT", STATE.format(key), {"state": "NOT_READY", "reason": "lunch"})
        assert (answer.status, answer.body["code"], answer.body["hresult"]) == (504, "asterisk-silent", "0x80040044")
        assert (await house.get(f"sessions/{key}"))["state"] == "READY"
        house.switch.queues["support"][PHONE] = Member("1001", True, "lunch")
        house.switch.tell_member("QueueMemberPause", "support", PHONE)
        await house.in_state(key, "NOT_READY")
        assert (await house.get(f"sessions/{key}"))["reason"] == "lunch"


async def test_an_answer_without_its_event_is_silence_too(tmp_path):
    async with open_house(tmp_path, confirm_within=0.1) as house:
        key = await house.ready()
        house.switch.tells = False
        answer = await house.refused("PUT", STATE.format(key), {"state": "NOT_READY", "reason": "lunch"})
        assert (answer.status, answer.body["code"]) == (504, "asterisk-silent")
        house.switch.tell_member("QueueMemberPause", "support", PHONE)
        await house.in_state(key, "NOT_READY")


async def test_after_a_silence_the_same_command_is_sent_again_and_works(tmp_path):
    async with open_house(tmp_path, confirm_within=0.1) as house:
        key = await house.ready()
        house.switch.answers["QueuePause"] = None
        await house.refused("PUT", STATE.format(key), {"state": "NOT_READY"})
        del house.switch.answers["QueuePause"]
        answer = await house.call("PUT", STATE.format(key), {"state": "NOT_READY"})
        assert (answer.status, answer.body and answer.body.get("state")) == (200, "NOT_READY")


async def test_a_log_on_that_asterisk_confirms_late_counts_all_the_same(tmp_path):
    async with open_house(tmp_path, confirm_within=0.1) as house:
        await house.call("POST", "agents", {"user": "1001"})
        house.switch.tells = False
        answer = await house.refused("POST", "agents/1001/sessions", {"acd_group": "support", "address": PHONE})
        assert answer.status == 504
        assert (await house.get("agents/1001"))["sessions"] == []
        house.switch.tell_member("QueueMemberAdded", "support", PHONE)
        await until(lambda: house.center.state.agents["1001"].sessions)


# Again, and at the same time


async def test_every_command_can_be_repeated_without_harm(house: House):
    key = await house.ready()
    for path, body in (
        ("agents/1001/state", {"state": "NOT_READY", "reason": "lunch"}),
        (STATE.format(key), {"state": "NOT_READY", "reason": "lunch"}),
        ("agents/1001/state", {"state": "READY"}),
        (STATE.format(key), {"state": "READY"}),
        ("acd-groups/support", {"queues": ["support"]}),
        (STATE.format(key), {"state": "SESSION_ENDED"}),
    ):
        first = await house.call("PUT", path, body)
        orders = len(house.switch.orders())
        second = await house.call("PUT", path, body)
        assert (first.status, second.status) == (200, 200), (path, first.text, second.text)
        assert second.body.get("state") == first.body.get("state")
        assert second.body.get("state_since") == first.body.get("state_since")
        assert len(house.switch.orders()) == orders, f"ordered again: {path} {body}"


async def test_two_people_who_log_the_agent_on_at_once_get_the_same_session(house: House):
    await house.call("POST", "agents", {"user": "1001"})
    house.switch.events_late_by = 0.03
    body = {"acd_group": "support", "address": PHONE}
    answers = await asyncio.gather(*(house.call("POST", "agents/1001/sessions", body) for _ in range(2)))
    assert {answer.status for answer in answers} <= {200, 201}
    assert len({answer.body["id"] for answer in answers}) == 1
    assert len(house.switch.orders()) == 1


async def test_of_two_people_who_ask_for_different_states_at_once_the_last_one_wins_and_both_are_answered(house: House):
    key = await house.ready()
    await house.call("PUT", STATE.format(key), {"state": "NOT_READY", "reason": "start"})
    house.switch.events_late_by = 0.03
    began = time.monotonic()
    answers = await asyncio.gather(
        house.call("PUT", STATE.format(key), {"state": "READY"}),
        house.call("PUT", STATE.format(key), {"state": "NOT_READY", "reason": "lunch"}),
    )
    assert time.monotonic() - began < 1.5
    assert {answer.status for answer in answers} <= {200, 409}
    assert 200 in {answer.status for answer in answers}
    session = await house.get(f"sessions/{key}")
    assert member(house).paused == (session["state"] == "NOT_READY")
    assert member(house).reason == session["reason"]


async def test_twenty_people_at_once_leave_asterisk_and_the_api_of_one_mind(house: House):
    key = await house.ready()
    house.switch.events_late_by = 0.01
    wishes = [{"state": "READY"}, {"state": "NOT_READY", "reason": "lunch"}, {"state": "NOT_READY", "reason": "tea"}]
    answers = await asyncio.gather(*(house.call("PUT", STATE.format(key), wishes[number % 3]) for number in range(20)))
    assert {answer.status for answer in answers} <= {200, 409}, [a.text for a in answers]
    session = await house.get(f"sessions/{key}")
    assert member(house).paused == (session["state"] == "NOT_READY")


async def test_a_phone_that_two_agents_want_at_once_goes_to_one_of_them(house: House):
    for name in ("1001", "1002"):
        await house.call("POST", "agents", {"user": name})
    body = {"acd_group": "support", "address": PHONE}
    answers = await asyncio.gather(*(house.call("POST", f"agents/{n}/sessions", body) for n in ("1001", "1002")))
    assert sorted(answer.status for answer in answers) == [201, 409]
    assert len(house.switch.orders()) == 1


async def test_a_state_asked_for_while_a_caller_comes_ends_in_a_state_that_asterisk_shares(house: House):
    key, call = await house.ready(), Call("1.1", "support")
    house.switch.events_late_by = 0.02
    asking = asyncio.create_task(house.call("PUT", STATE.format(key), {"state": "NOT_READY", "reason": "lunch"}))
    house.switch.take(call)
    answer = await asking
    assert answer.status == 200, answer.text
    house.switch.hang_up(call)
    await until(lambda: not house.session(key).busy or house.session(key).state.name == "BUSY_WRAPUP")
    if house.session(key).state.name == "BUSY_WRAPUP":
        await house.call("PUT", f"sessions/{key}/wrap-up", {"end": True})
    await house.in_state(key, "NOT_READY")
    assert (member(house).paused, member(house).reason) == (True, "lunch")


async def test_the_phone_behind_an_address_is_told_to_asterisk_and_shows_whether_it_can_be_reached(tmp_path):
    def with_phones(switch):
        switch.devices = {PHONE: "UNAVAILABLE", "Local/1001@phones": "NOT_INUSE", "PJSIP/1002": "NOT_INUSE"}

    phones = {"Local/*@phones/n": "PJSIP/*"}
    async with open_house(tmp_path, with_phones, addresses=["*"], state_interfaces=phones) as house:
        await house.agent()
        await house.log_on(phone="Local/1001@phones/n")
        (order,) = house.switch.orders()
        assert (order["Interface"], order["StateInterface"]) == ("Local/1001@phones/n", PHONE)
        shown = {each["address"]: each["state"] for each in (await house.get("addresses"))["items"]}
        assert shown["Local/1001@phones/n"] == "OUTOFSERVICE"
        assert PHONE not in shown


async def test_an_address_with_an_option_is_the_same_phone_as_without_it(tmp_path):
    def with_phones(switch):
        switch.devices = {"Local/1001@phones": "NOT_INUSE"}

    async with open_house(tmp_path, with_phones, addresses=["*"]) as house:
        await house.agent()
        await house.log_on(phone="Local/1001@phones/n")
        assert [each["address"] for each in (await house.get("addresses"))["items"]] == ["Local/1001@phones/n"]
        await house.agent("1002", "bob")
        body = {"acd_group": "support", "address": "Local/1001@phones"}
        assert (await house.refused("POST", "agents/1002/sessions", body)).body["code"] == "address-in-use"


async def test_what_was_answered_is_on_disk(house: House, tmp_path):
    key, _ = await house.on_a_call()
    await house.call("PUT", STATE.format(key), {"state": "NOT_READY", "reason": "after this one"})
    with closing(sqlite3.connect(tmp_path / "acd.db")) as connection:
        kinds = [row[0] for row in connection.execute("SELECT kind FROM event ORDER BY seq")]
    assert kinds[-1] == "SessionStateAsked"
