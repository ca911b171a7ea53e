"""Every interface, member and enumerator of TAPI 3 is to be had from acd.client, with its type as mypy sees it."""

import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest

from acd import client, tapi
from acd.client import member as members
from acd.core import states

ROOT = Path(__file__).parents[2]
CONTRACT = json.loads((ROOT / "tests" / "data" / "tapi3-contract.json").read_text())
MEMBERS = [(each["class"], member) for each in CONTRACT["interfaces"] for member in each["members"]]
ENUMS = {
    "AGENT_STATE": "client.AgentState",
    "AGENT_SESSION_STATE": "client.SessionState",
    "AGENT_EVENT": "states.AgentEvent",
    "AGENT_SESSION_EVENT": "states.SessionEvent",
    "ACDGROUP_EVENT": "states.ACDGroupEvent",
    "ACDQUEUE_EVENT": "states.ACDQueueEvent",
    "AGENTHANDLER_EVENT": "states.AgentHandlerEvent",
}
PLAIN = {"str": "str", "int": "int", "decimal.Decimal": "Decimal", "datetime.datetime": "datetime"}
ITERATORS = {
    "enumerate_agent_handlers": "EnumAgentHandler",
    "enumerate_acd_groups": "EnumACDGroup",
    "enumerate_usable_addresses": "EnumAddress",
    "enumerate_queues": "EnumQueue",
    "enumerate_agent_sessions": "EnumAgentSession",
}
ARGUMENTS = {
    "create_agent": '"alice"',
    "create_agent_with_id": '"1001", "4711"',
    "create_session": "group, address",
    "create_session_with_pin": 'group, address, "4711"',
    "put_measurement_period": "3600",
    "put_state": "{owner}State.READY",
    "skip": "1",
}
HEAD = """\
from datetime import datetime
from decimal import Decimal
from typing import assert_type
from acd import client
from acd.client import states

async def all_of_it(group: client.ACDGroup, address: client.Address{objects}) -> None:
"""


def ids(each: object) -> str:
    return each if isinstance(each, str) else each["name"]


def test_there_are_sixteen_interfaces_and_eighty_eight_members():
    assert (len(CONTRACT["interfaces"]), len(MEMBERS)) == (16, 88)


def name_of(member: dict[str, str]) -> str:
    return f"put_{member['python_name']}" if member["kind"] == "put" else member["python_name"]


@pytest.mark.parametrize(("owner", "member"), MEMBERS, ids=ids)
def test_a_member_is_here_as_it_is_in_acd_tapi(owner, member):
    """What needs no other object is an attribute in both; what does is a coroutine here, because it has to be read."""
    here, there = (inspect.getattr_static(getattr(module, owner), name_of(member), None) for module in (client, tapi))
    if owner.startswith("Enum"):
        assert here is there
    elif owner.endswith("Event"):
        assert member["python_name"] in getattr(client, owner).__dataclass_fields__
    elif isinstance(there, property) and not returns_objects(member):
        assert isinstance(here, members.Member | property)
    else:
        assert inspect.iscoroutinefunction(here)


def returns_objects(member: dict[str, str]) -> bool:
    return member["type"].startswith("list[") or hasattr(client, member["type"])


def type_of(owner: str, member: dict[str, str]) -> str:
    """The type of a member's value, as annotations write it."""
    wanted = member["type"]
    if wanted == "iterator":
        return f"client.{owner if owner.startswith('Enum') else ITERATORS[member['python_name']]}"
    if member["name"] == "Skip":
        return "bool"  # S_OK or S_FALSE
    if member["kind"] == "put" or wanted == "None":
        return "None"
    if wanted.startswith("list["):
        return f"list[client.{wanted[5:-1]}]"
    return PLAIN.get(wanted) or ENUMS.get(wanted) or f"client.{wanted}"


def check_of(owner: str, member: dict[str, str]) -> str:
    """A line that mypy accepts only if the member has its type."""
    name, wanted = name_of(member), type_of(owner, member)
    kind = "Session" if owner == "AgentSession" else "Agent"
    arguments = ARGUMENTS.get(name, "").replace("{owner}", f"client.{kind}")
    here = inspect.getattr_static(getattr(client, owner), name, None)
    what = f"{owner.lower()}.{name}" + (f"({arguments})" if inspect.isfunction(here) else "")
    if inspect.iscoroutinefunction(here):
        what = f"await {what}"
    return f"    {what}" if wanted == "None" else f"    assert_type({what}, {wanted})"


@pytest.mark.timeout(300)  # mypy begins with nothing
def test_mypy_sees_the_type_of_every_member(tmp_path):
    owners = dict.fromkeys(owner for owner, _ in MEMBERS)
    objects = "".join(f", {owner.lower()}: client.{owner}" for owner in owners)
    checks = [check_of(owner, member) for owner, member in MEMBERS]
    assert sum("assert_type" in check for check in checks) > 70
    path = tmp_path / "all_of_it.py"
    path.write_text(HEAD.replace("{objects}", objects) + "\n".join(checks) + "\n")
    words = [sys.executable, "-m", "mypy", "--strict", "--config-file", "pyproject.toml", str(path)]
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout
    path.write_text(path.read_text() + "    assert_type(agent.number_of_acd_calls, str)\n    agent.no_such_member\n")
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.stdout.count("error:") == 2, ended.stdout


def test_the_enumerators_and_errors_are_those_of_acd_tapi():
    assert client.AgentState is tapi.AgentState and client.SessionState is tapi.SessionState
    assert client.TapiEvent is tapi.TapiEvent and client.QueueRemoved is tapi.QueueRemoved
    assert client.states is states and client.currency is tapi.currency


def test_a_program_that_imports_it_gets_neither_store_nor_service_nor_ami():
    words = [sys.executable, "-c", "import acd.client, sys; print(*sys.modules)"]
    loaded = set(subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split())
    ours = {name for name in loaded if name.startswith("acd.")}
    assert "acd.client.events" in ours
    assert {name.split(".")[1] for name in ours} == {"access", "client", "contract", "core"}
    assert not loaded & {"panoramisk", "sqlalchemy", "sqlmodel", "pydantic", "argon2", "prometheus_client"}
