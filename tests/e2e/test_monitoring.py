"""A supervisor listens, whispers and barges in: who hears whom, and nothing of it is in the agent's figures."""

import pytest

from tests.e2e.compare import compare
from tests.e2e.desk import Agent, Desk
from tests.e2e.operator import Operator
from tests.e2e.sound import hearing
from tests.helpers import until

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120, func_only=True)]

AGENT, SUPERVISOR, CALLER = 1001, 1003, 1004
BETWEEN_TWO = {AGENT: {CALLER}, CALLER: {AGENT}}
HEARD = {
    "listen": {SUPERVISOR: {AGENT, CALLER}, AGENT: {CALLER}, CALLER: {AGENT}},
    "whisper": {SUPERVISOR: {AGENT, CALLER}, AGENT: {CALLER, SUPERVISOR}, CALLER: {AGENT}},
    "barge": {SUPERVISOR: {AGENT, CALLER}, AGENT: {CALLER, SUPERVISOR}, CALLER: {AGENT, SUPERVISOR}},
}
OPTIONS = {"listen": "quES", "whisper": "quESw", "barge": "quESB"}


async def _monitor(desk: Desk, operator: Operator, agent: Agent, mode: str) -> None:
    """Rings the supervisor; returns when he is connected in this mode."""
    supervisor = desk.phones[SUPERVISOR]
    before = len(operator.heard("ChanSpyStart"))
    leg = operator.heard("AgentConnect", Interface=agent.address)[-1].get("DestUniqueid")
    await operator.send(
        "Originate",
        Channel=f"PJSIP/{SUPERVISOR}",
        Application="ChanSpy",
        Data=f"{leg},{OPTIONS[mode]}",
        CallerID=f"{agent.user} <{agent.id}>",
        Async="true",
    )
    await until(lambda: any(call.state == "incoming" for call in supervisor.calls), 5, "the supervisor's phone rings")
    await supervisor.answer()
    await until(lambda: len(operator.heard("ChanSpyStart")) > before, 5, f"the supervisor is there to {mode}")


async def _talks(desk: Desk, operator: Operator) -> Agent:
    """An agent in a queue call with a caller who has a tone, too: a phone of ours."""
    agent = await desk.log_on(AGENT, "hall")
    await desk.phones[CALLER].dial("642")
    await agent.takes(str(CALLER))
    await operator.hears("AgentConnect")
    await agent.until_session("BUSY_ON_CALL")
    return agent


@pytest.mark.parametrize("mode", HEARD)
async def test_each_hears_whom_the_mode_lets_him_hear(desk: Desk, operator: Operator, mode: str) -> None:
    agent = await _talks(desk, operator)
    assert await hearing(desk.phones, AGENT, CALLER) == BETWEEN_TWO
    await _monitor(desk, operator, agent, mode)
    assert await hearing(desk.phones, AGENT, CALLER, SUPERVISOR) == HEARD[mode]
    await desk.phones[SUPERVISOR].hangup()
    await desk.phones[SUPERVISOR].wait_until_idle()
    assert await hearing(desk.phones, AGENT, CALLER) == BETWEEN_TWO
    assert (await agent.session())["state"] == "BUSY_ON_CALL"

    await desk.phones[CALLER].hangup()
    await desk.settle()
    (row,) = await compare(desk)
    assert (row["agent"], row["outcome"]) == (agent.id, "answered")
    seen = await agent.agent()
    assert (seen["number_of_acd_calls"], seen["number_of_incoming_calls"]) == (1, 0)


async def test_a_supervisor_whispers_after_he_has_listened(desk: Desk, operator: Operator) -> None:
    agent = await _talks(desk, operator)
    for mode in ("listen", "whisper"):
        await _monitor(desk, operator, agent, mode)
        assert await hearing(desk.phones, AGENT, CALLER, SUPERVISOR) == HEARD[mode]
        await desk.phones[SUPERVISOR].hangup()
        await desk.phones[SUPERVISOR].wait_until_idle()
    await desk.phones[CALLER].hangup()
    await desk.settle()


async def test_a_supervisor_is_let_go_when_the_call_ends(desk: Desk, operator: Operator) -> None:
    agent = await _talks(desk, operator)
    await _monitor(desk, operator, agent, "barge")
    await desk.phones[CALLER].hangup()
    await desk.phones[SUPERVISOR].wait_until_idle()
    await desk.settle()
    await compare(desk)


async def test_a_supervisor_hears_no_other_call(desk: Desk, operator: Operator) -> None:
    agent = await _talks(desk, operator)
    bob = await desk.log_on(1002, "annex")
    await desk.phones[1005].dial("643")
    await bob.takes("1005")
    await _monitor(desk, operator, agent, "barge")
    everybody = (AGENT, CALLER, SUPERVISOR, 1002, 1005)
    assert await hearing(desk.phones, *everybody) == HEARD["barge"] | {1002: {1005}, 1005: {1002}}
    for caller in (CALLER, 1005):
        await desk.phones[caller].hangup()
    await desk.settle()
