"""A supervisor listens, whispers and barges in: who hears whom, and nothing of it is in the agent's figures."""

import pytest

from tests.e2e.compare import compare
from tests.e2e.desk import Agent, Desk, Json, eventually
from tests.e2e.sound import until_hearing
from tests.helpers import until

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120, func_only=True)]

AGENT, SUPERVISOR, CALLER = 1001, 1003, 1004
BETWEEN_TWO = {AGENT: {CALLER}, CALLER: {AGENT}}
HEARD = {
    "listen": {SUPERVISOR: {AGENT, CALLER}, AGENT: {CALLER}, CALLER: {AGENT}},
    "whisper": {SUPERVISOR: {AGENT, CALLER}, AGENT: {CALLER, SUPERVISOR}, CALLER: {AGENT}},
    "barge": {SUPERVISOR: {AGENT, CALLER}, AGENT: {CALLER, SUPERVISOR}, CALLER: {AGENT, SUPERVISOR}},
}


async def _monitor(desk: Desk, agent: Agent, mode: str) -> Json:
    """Rings the supervisor; returns when he is connected in this mode."""
    supervisor = desk.phones[SUPERVISOR]
    monitor = await desk.api.post(f"/agents/{agent.id}/{mode}", {"supervisor_address": f"PJSIP/{SUPERVISOR}"})
    assert (monitor["state"], monitor["mode"], monitor["agent"]) == ("RINGING", mode, agent.id)
    await until(lambda: any(call.state == "incoming" for call in supervisor.calls), 5, "the supervisor's phone rings")
    await supervisor.answer()

    async def active() -> bool:
        return [(each["id"], each["state"]) for each in await _monitors(desk)] == [(monitor["id"], "ACTIVE")]

    await eventually(active, 5, f"the supervisor is there to {mode}")
    return monitor


async def _monitors(desk: Desk) -> list[Json]:
    return list((await desk.api.get("/monitors"))["items"])


async def _nobody_listens(desk: Desk) -> bool:
    return not await _monitors(desk)


async def _talks(desk: Desk) -> Agent:
    """An agent in a queue call with a caller who has a tone, too: a phone of ours."""
    agent = await desk.log_on(AGENT, "hall")
    await desk.phones[CALLER].dial("642")
    await agent.takes(str(CALLER))
    await agent.until_session("BUSY_ON_CALL")
    return agent


@pytest.mark.parametrize("mode", HEARD)
async def test_each_hears_whom_the_mode_lets_him_hear(desk: Desk, mode: str) -> None:
    agent = await _talks(desk)
    await until_hearing(desk.phones, BETWEEN_TWO)
    await _monitor(desk, agent, mode)
    await until_hearing(desk.phones, HEARD[mode])
    await desk.phones[SUPERVISOR].hangup()
    await desk.phones[SUPERVISOR].wait_until_idle()
    await until_hearing(desk.phones, BETWEEN_TWO)
    assert (await agent.session())["state"] == "BUSY_ON_CALL"

    await desk.phones[CALLER].hangup()
    await desk.settle()
    (row,) = await compare(desk)
    assert (row["agent"], row["outcome"]) == (agent.id, "answered")
    seen = await agent.agent()
    assert (seen["number_of_acd_calls"], seen["number_of_incoming_calls"]) == (1, 0)


async def test_a_supervisor_whispers_after_he_has_listened(desk: Desk) -> None:
    agent = await _talks(desk)
    for mode in ("listen", "whisper"):
        await _monitor(desk, agent, mode)
        await until_hearing(desk.phones, HEARD[mode])
        await desk.phones[SUPERVISOR].hangup()
        await desk.phones[SUPERVISOR].wait_until_idle()
    await desk.phones[CALLER].hangup()
    await desk.settle()


async def test_a_supervisor_is_let_go_when_the_call_ends(desk: Desk) -> None:
    agent = await _talks(desk)
    await _monitor(desk, agent, "barge")
    await desk.phones[CALLER].hangup()
    await desk.phones[SUPERVISOR].wait_until_idle()
    await eventually(lambda: _nobody_listens(desk), 5, "nobody listens")
    await desk.settle()
    await compare(desk)


async def test_a_supervisor_is_let_go_by_the_api_and_the_call_goes_on(desk: Desk) -> None:
    agent = await _talks(desk)
    monitor = await _monitor(desk, agent, "listen")
    assert (await desk.api.ask("DELETE", f"/monitors/{monitor['id']}")).status == 204
    await desk.phones[SUPERVISOR].wait_until_idle()
    assert await _monitors(desk) == []
    assert (await agent.session())["state"] == "BUSY_ON_CALL"
    await desk.phones[CALLER].hangup()
    await desk.settle()


async def test_what_cannot_be_listened_to_is_said_at_once(desk: Desk) -> None:
    agent = await desk.log_on(AGENT, "hall")
    refused = await desk.api.ask("POST", f"/agents/{agent.id}/listen", {"supervisor_address": f"PJSIP/{SUPERVISOR}"})
    assert (refused.status, refused.body["code"]) == (409, "no-call")
    await desk.phones[CALLER].dial("642")
    await agent.takes(str(CALLER))
    refused = await desk.api.ask("POST", f"/agents/{agent.id}/listen", {"supervisor_address": "PJSIP/nobody"})
    assert (refused.status, refused.body["code"]) == (502, "asterisk-refused")
    assert await _monitors(desk) == []
    await desk.phones[CALLER].hangup()
    await desk.settle()


async def test_a_supervisor_hears_no_other_call(desk: Desk) -> None:
    agent = await _talks(desk)
    bob = await desk.log_on(1002, "annex")
    await desk.phones[1005].dial("643")
    await bob.takes("1005")
    await _monitor(desk, agent, "barge")
    await until_hearing(desk.phones, HEARD["barge"] | {1002: {1005}, 1005: {1002}})
    for caller in (CALLER, 1005):
        await desk.phones[caller].hangup()
    await desk.settle()
