"""What asterisk-conf gives acd for supervisors: the context acd-queue, and the rights of its manager user."""

import pytest

from acd.asterisk.link import Refused
from tests.e2e.compare import compare
from tests.e2e.containers import Containers
from tests.e2e.desk import Desk
from tests.e2e.operator import Operator

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(60, func_only=True)]


async def _send_to(operator: Operator, caller: str, queue: str) -> None:
    channel = await operator.channel_of(caller)
    await operator.send("Redirect", Channel=channel, Context="acd-queue", Exten=queue, Priority="1")


@pytest.mark.parametrize("number", ["642", "644"])  # answered when an agent answers, and before the queue
async def test_a_waiting_caller_is_sent_to_another_queue_by_its_name(
    desk: Desk, operator: Operator, number: str
) -> None:
    alice, bob = await desk.log_on(1001, "hall", ready=False), await desk.log_on(1002, "annex")
    caller = await desk.call(number)
    await desk.until_waiting("hall", 1)
    await _send_to(operator, caller.result.caller, "annex")
    await bob.takes(caller)
    await caller.hangup()
    await desk.settle()
    rows = await compare(desk)
    assert [(row["queue"], row["outcome"]) for row in rows] == [("hall", "flowed_out"), ("annex", "answered")]
    assert not alice.rang()


async def test_an_agents_phone_stops_ringing_when_its_caller_is_sent_away(desk: Desk, operator: Operator) -> None:
    alice, bob = await desk.log_on(1001, "hall"), await desk.log_on(1002, "annex")
    caller = await desk.call("642")
    await alice.rings(caller)
    await _send_to(operator, caller.result.caller, "annex")
    await alice.until_released(caller)
    await bob.takes(caller)
    await caller.hangup()
    await desk.settle()
    assert (await alice.agent())["state"] == "READY"
    assert [row["outcome"] for row in await compare(desk)] == ["flowed_out", "answered"]


async def test_a_queues_name_may_hold_a_hyphen(desk: Desk, operator: Operator) -> None:
    await desk.log_on(1001, "hall", ready=False)
    caller = await desk.call("642")
    await desk.until_waiting("hall", 1)
    await _send_to(operator, caller.result.caller, "rest-one")
    await desk.until_waiting("rest-one", 1)
    await caller.hangup()
    await desk.until_waiting("rest-one", 0)


async def test_a_caller_who_is_sent_where_nobody_is_logged_on_is_told_so_and_let_go(
    desk: Desk, operator: Operator
) -> None:
    await desk.log_on(1001, "hall", ready=False)
    caller = await desk.call("642")
    await desk.until_waiting("hall", 1)
    await _send_to(operator, caller.result.caller, "annex")
    await operator.hears("UserEvent", Queue="annex", Status="JOINEMPTY")
    assert (await caller.ended(5)).ended_by == "refused"


ALLOWED = {  # action -> with these headers it fails for another reason than that it is not allowed
    "Originate": {"Channel": "PJSIP"},
    "Redirect": {"Channel": "nobody", "Context": "acd-queue", "Exten": "hall", "Priority": "1"},
    "Hangup": {"Channel": "nobody"},
    "QueuePenalty": {"Queue": "hall", "Interface": "nobody", "Penalty": "1"},
    "QueueWithdrawCaller": {"Queue": "hall", "Caller": "nobody"},
    "QueueChangePriorityCaller": {"Queue": "hall", "Caller": "nobody", "Priority": "1"},
}
FORBIDDEN = {
    "Command": {"Command": "core show version"},
    "GetConfig": {"Filename": "manager.conf"},
    "UpdateConfig": {"SrcFilename": "queues.conf", "DstFilename": "queues.conf"},
    "DBPut": {"Family": "acd", "Key": "a", "Val": "b"},
    "ModuleLoad": {"Module": "app_queue.so", "LoadType": "reload"},
    "Originate": {"Channel": "PJSIP/1001", "Application": "System", "Data": "true"},
}


async def _refusal(user: Operator, action: str, headers: dict[str, str]) -> str:
    with pytest.raises(Refused) as refused:
        await user.send(action, **headers)
    return refused.value.text


async def test_acds_manager_user_may_do_its_work_and_run_no_program(containers: Containers) -> None:
    async with Operator(containers, "acd", containers.ami_secret) as acd:
        for action, headers in ALLOWED.items():
            assert "ermission" not in await _refusal(acd, action, headers), action
        for action, headers in FORBIDDEN.items():
            text = await _refusal(acd, action, headers)
            assert text in ("Permission denied", "Originate Access Forbidden: app or data blacklisted"), action
