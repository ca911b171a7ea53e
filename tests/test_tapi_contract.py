"""Every interface, member, enumerator, error and state move that TAPI 3 declares exists here, with its type."""

import inspect
import json
import typing
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from acd import tapi
from acd.core import refusals, states
from acd.core.states import SESSION_MOVES

CONTRACT = json.loads((Path(__file__).parent / "data" / "tapi3-contract.json").read_text())
MEMBERS = [(each["class"], member) for each in CONTRACT["interfaces"] for member in each["members"]]
ENUMS = {
    "AGENT_STATE": states.AgentState,
    "AGENT_SESSION_STATE": states.SessionState,
    "AGENT_EVENT": states.AgentEvent,
    "AGENT_SESSION_EVENT": states.SessionEvent,
    "ACDGROUP_EVENT": states.ACDGroupEvent,
    "ACDQUEUE_EVENT": states.ACDQueueEvent,
    "AGENTHANDLER_EVENT": states.AgentHandlerEvent,
    "ADDRESS_STATE": states.AddressState,
    "TAPI_EVENT": tapi.TapiEvent,
}
TYPES = {"str": str, "int": int, "decimal.Decimal": Decimal, "datetime.datetime": datetime, "None": type(None)}


def test_there_are_sixteen_interfaces_and_eighty_eight_members():
    assert (len(CONTRACT["interfaces"]), len(MEMBERS)) == (16, 88)


def declared(owner: str, member: dict[str, str]) -> object:
    """The type that our member gives: of a property, a method's or coroutine's answer, a field, or a put's argument."""
    cls = getattr(tapi, owner)
    if member["kind"] == "put":
        put = getattr(cls, f"put_{member['python_name']}")
        assert inspect.iscoroutinefunction(put)  # Asterisk has to confirm it
        hints = typing.get_type_hints(put, vars(tapi))
        return next(hint for name, hint in hints.items() if name != "return")
    ours = inspect.getattr_static(cls, member["python_name"])
    if isinstance(ours, property):
        return typing.get_type_hints(ours.fget, vars(tapi))["return"]
    if inspect.isfunction(ours):
        return typing.get_type_hints(ours, vars(tapi))["return"]
    return typing.get_type_hints(cls, vars(tapi))[member["python_name"]]


@pytest.mark.parametrize(("owner", "member"), MEMBERS, ids=lambda each: each if isinstance(each, str) else each["name"])
def test_every_member_is_there_with_its_type(owner, member):
    ours, wanted = declared(owner, member), member["type"]
    if wanted == "iterator":
        assert ours is typing.Self or issubclass(ours, tapi.Enumerator)
    elif wanted.startswith("list["):
        assert typing.get_origin(ours) is list
        inner = typing.get_args(ours)[0]
        assert isinstance(inner, typing.TypeVar) or inner is getattr(tapi, wanted[5:-1])
    elif wanted in ENUMS:
        assert ours is ENUMS[wanted]
    elif member["name"] == "Skip":
        assert ours is bool  # S_OK or S_FALSE
    else:
        assert ours is (TYPES[wanted] if wanted in TYPES else getattr(tapi, wanted))


@pytest.mark.parametrize("each", CONTRACT["interfaces"], ids=lambda each: each["name"])
def test_every_public_name_of_a_class_is_a_member_of_its_interface(each):
    cls = getattr(tapi, each["class"])
    known = {member["python_name"] for member in each["members"]}
    known |= {f"put_{member['python_name']}" for member in each["members"] if member["kind"] == "put"}
    extra = {"event_filter", "register"} if each["class"] == "TAPICallCenter" else set()  # ITTAPI, the notification
    ours = {name for name in dir(cls) if not name.startswith("_")} - extra
    assert ours == known


@pytest.mark.parametrize("name", ENUMS)
def test_every_enumerator_has_its_value(name):
    assert {each.name: each.value for each in ENUMS[name]} == CONTRACT["enums"][name]


def test_the_moves_of_a_session_are_the_published_ones():
    ours = {(here.name, there.name) for here, theres in SESSION_MOVES.items() for there in theres}
    assert ours == {tuple(each) for each in CONTRACT["transitions"]}


def test_every_refusal_carries_codes_that_exist_and_mean_what_they_say():
    codes = {int(value, 16) for value in CONTRACT["errors"].values()}

    def all_of(cls):
        return [cls, *(each for sub in cls.__subclasses__() for each in all_of(sub))]

    for refusal in all_of(refusals.Refusal):
        assert {refusal.hresult, refusal.lineerr} <= codes, refusal
    for name, value in vars(refusals).items():
        if name in CONTRACT["errors"]:
            assert value == int(CONTRACT["errors"][name], 16), name


def test_a_rate_as_currency_is_the_integer_of_its_ten_thousandths():
    assert tapi.currency(Decimal("12.5000")) == 125000
