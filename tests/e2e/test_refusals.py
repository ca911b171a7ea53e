"""What acd says no to, and that Asterisk hears nothing of it."""

import pytest

from tests.e2e.desk import PIN, Answer, Desk

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120, func_only=True)]

INVALID_STATE = ("0x8004004B", "0x8000005A")


def _told(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.body["code"]


async def test_what_is_not_there_is_not_found(desk: Desk) -> None:
    alice = await desk.agent(1001)
    session = {"acd_group": "support", "address": alice.address}
    for method, path, body, code in (
        ("GET", "/agents/nobody", None, "unknown-agent"),
        ("PUT", "/agents/nobody/state", {"state": "READY"}, "unknown-agent"),
        ("POST", "/agents/nobody/sessions", session, "unknown-agent"),
        ("GET", "/acd-groups/nowhere", None, "unknown-group"),
        ("POST", "/agents/1001/sessions", session | {"acd_group": "nowhere"}, "unknown-group"),
        ("GET", "/sessions/none", None, "unknown-session"),
        ("PUT", "/sessions/none/state", {"state": "READY"}, "unknown-session"),
        ("GET", "/queues/nowhere", None, "unknown-queue"),
        ("POST", "/agents/1001/sessions", session | {"address": "PJSIP/nonsense"}, "unknown-address"),
        ("POST", "/agents/1001/sessions", session | {"address": "IAX2/600"}, "unknown-address"),
    ):
        assert _told(await desk.api.ask(method, path, body)) == (404, code), (method, path)
    assert (await desk.api.ask("GET", "//api/v1/handlers/none")).status == 404
    assert await desk.members() == []
    assert (await alice.agent())["sessions"] == []


async def test_a_state_that_only_calls_bring_about_is_refused_and_nothing_changes(desk: Desk) -> None:
    alice = await desk.log_on(1001, "support")
    before = await alice.session()
    for path, state in (
        ("/agents/1001/state", "BUSY_ACD"),
        ("/agents/1001/state", "UNKNOWN"),
        (f"/sessions/{before['id']}/state", "BUSY_ON_CALL"),
        (f"/sessions/{before['id']}/state", "BUSY_WRAPUP"),
    ):
        answer = await desk.api.ask("PUT", path, {"state": state})
        assert _told(answer) == (409, "state-not-settable")
        assert (answer.body["hresult"], answer.body["lineerr"]) == INVALID_STATE
    early = await desk.api.ask("PUT", f"/sessions/{before['id']}/wrap-up", {"end": True})
    assert _told(early) == (409, "not-in-wrap-up")
    after = await alice.session()
    assert (after["state"], after["state_since"]) == ("READY", before["state_since"])

    await alice.set("SESSION_ENDED")
    answer = await desk.api.ask("PUT", f"/sessions/{before['id']}/state", {"state": "READY"})
    assert _told(answer) == (409, "state-not-reachable")
    assert (answer.body["hresult"], answer.body["lineerr"]) == INVALID_STATE


async def test_a_second_log_on_for_the_same_group_or_at_the_same_phone_is_refused(desk: Desk) -> None:
    alice = await desk.log_on(1001, "support")
    await desk.agent(1002)
    body = {"acd_group": "support", "address": alice.address}
    assert _told(await desk.api.ask("POST", "/agents/1001/sessions", body)) == (409, "session-exists")
    assert _told(await desk.api.ask("POST", "/agents/1002/sessions", body)) == (409, "address-in-use")
    assert len(await desk.members()) == 1


async def test_five_wrong_pins_lock_the_agent_out(desk: Desk) -> None:
    alice = await desk.agent(1001)
    body = {"acd_group": "support", "address": alice.address}
    for _ in range(5):
        wrong = await desk.api.ask("POST", "/agents/1001/sessions", body | {"pin": "0000"})
        assert _told(wrong) == (403, "wrong-pin")
    right = await desk.api.ask("POST", "/agents/1001/sessions", body | {"pin": PIN})
    assert _told(right) == (403, "pin-locked")
    assert await desk.members() == []
    assert PIN not in desk.acd.log and "0000" not in desk.acd.log.replace(".000", "")


async def test_without_the_token_nothing_is_told(desk: Desk) -> None:
    for token in ("", "wrong"):
        for method, path in (("GET", "/agents"), ("POST", "/agents"), ("GET", "/calls")):
            assert (await desk.api.ask(method, path, token=token)).status == 401


async def test_text_that_ami_cannot_carry_is_refused_by_name_and_nothing_is_sent(desk: Desk) -> None:
    alice = await desk.log_on(1001, "support")
    before, logged = await alice.session(), await desk.queue_log()
    session, state = f"/sessions/{before['id']}/state", {"state": "NOT_READY"}
    for text in ("lunch\r\nAction: QueuePause", "a\rb", "a\nb", "lunch,tea", "a|b", "a;b", "a\0b", "ä" * 40):
        for method, path, body, field in (
            ("PUT", session, state | {"reason": text}, "reason"),
            ("PUT", "/agents/1001/state", state | {"reason": text}, "reason"),
            ("POST", "/agents", {"user": text}, "user"),
            ("POST", "/agents/1001/sessions", {"acd_group": text, "address": alice.address}, "acd_group"),
            ("POST", "/agents/1001/sessions", {"acd_group": "sales", "address": f"PJSIP/{text}"}, "address"),
        ):
            answer = await desk.api.ask(method, path, body)
            assert _told(answer) == (422, "invalid"), (path, body)
            assert [error["loc"] for error in answer.body["errors"]] == [["body", field]]
    after = await alice.session()
    assert (after["state"], after["reason"], after["state_since"]) == ("READY", "", before["state_since"])
    assert await desk.queue_log() == logged
    assert len((await desk.api.get("/agents"))["items"]) == 1
