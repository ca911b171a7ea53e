"""What strangers send: request bodies and parameters, checked before anything happens."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError
from pydantic_core.core_schema import no_info_after_validator_function
from yarl import URL

from acd.access.principals import Role
from acd.core.states import AgentState, SessionState
from acd.settings import Address, Name, Period, Reason, Seconds, a_number, of_format

Json = dict[str, Any]


class OneOf:
    """A text out of a few; others are refused with a list of them."""

    def __init__(self, *values: str) -> None:
        self._values = values

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(core) | {"enum": list(self._values)}

    def _check(self, value: str) -> str:
        if value not in self._values:
            raise ValueError(f"must be one of {', '.join(self._values)}")
        return value


AgentStateName = Annotated[str, OneOf(*AgentState.__members__)]
SessionStateName = Annotated[str, OneOf(*SessionState.__members__)]
RoleName = Annotated[str, OneOf(*Role)]
Names = Annotated[list[Name], Field(min_length=1, max_length=1000)]
Groups = Names


def _encodable(value: SecretStr) -> SecretStr:
    try:
        value.get_secret_value().encode()
    except UnicodeEncodeError:
        raise ValueError("must be valid UTF-8") from None
    return value


def _printable(value: str) -> str:
    if not value.strip() or not all(each.isprintable() or each == "\n" for each in value):
        raise ValueError("must be text without control characters")
    return value


Pin = Annotated[SecretStr, Field(min_length=1, max_length=128), AfterValidator(_encodable)]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


GIVEN: Json = {"type": "string"}
ABSENT: Json = {"type": "null"}


def _ways(*ways: Json, examples: list[Any]) -> ConfigDict:
    """For the description: the fields go together in one of these ways. What is not absent is needed."""
    one_of: list[Any] = [
        {"properties": way, "required": [name for name, each in way.items() if each is not ABSENT]} for way in ways
    ]
    return ConfigDict(json_schema_extra={"oneOf": one_of, "examples": examples})


def _misfit(field: str, message: str) -> ValidationError:
    """One field does not go with the others."""
    error = PydanticCustomError("together", "{message}", {"message": message})
    return ValidationError.from_exception_data("body", [{"type": error, "loc": (field,), "input": None}])


def _need_both(body: Body, one: str, other: str) -> None:
    for given, missing in ((one, other), (other, one)):
        if getattr(body, given) is not None and getattr(body, missing) is None:
            raise _misfit(missing, f"is needed with {given}")


class NewAgent(Body):
    """CreateAgent (`user` alone) or CreateAgentWithID (`id` and `pin`; `user` is the id unless given)."""

    model_config = _ways(
        {"id": GIVEN, "pin": GIVEN},
        {"user": GIVEN, "id": ABSENT, "pin": ABSENT},
        examples=[{"id": "1001", "pin": "4711", "user": "alice"}, {"user": "bob"}],
    )

    user: Name | None = None
    id: Name | None = None
    pin: Pin | None = None

    @model_validator(mode="after")
    def _id_and_pin_together(self) -> Self:
        _need_both(self, "id", "pin")
        if self.id is None and self.user is None:
            raise _misfit("user", "is needed, or id and pin")
        return self


class NewSession(Body):
    """CreateSession; CreateSessionWithPIN when `pin` is there."""

    acd_group: Name
    address: Address
    pin: Pin | None = None


class PinBody(Body):
    """`old_pin`: the present one; the agent himself has to give it."""

    pin: Pin
    old_pin: Pin | None = None


class AgentStateBody(Body):
    state: AgentStateName
    reason: Reason = ""


class SessionStateBody(Body):
    state: SessionStateName
    reason: Reason = ""


class LogIn(Body):
    """One of three: `agent` and `pin` (at a `handler`; without it at the only one, else at `main`), `user` and
    `password`, or a `token`.
    """

    model_config = _ways(
        {"agent": GIVEN, "pin": GIVEN, "user": ABSENT, "password": ABSENT, "token": ABSENT},
        {"agent": ABSENT, "pin": ABSENT, "user": GIVEN, "password": GIVEN, "token": ABSENT},
        {"agent": ABSENT, "pin": ABSENT, "user": ABSENT, "password": ABSENT, "token": GIVEN},
        examples=[
            {"agent": "1001", "pin": "4711"},
            {"user": "carol", "password": "correct horse battery"},
            {"token": "acd_0123456789abcdef_Zm9v"},
        ],
    )

    handler: Name | None = None
    agent: Name | None = None
    pin: Pin | None = None
    user: Name | None = None
    password: Pin | None = None
    token: Pin | None = None

    @model_validator(mode="after")
    def _one_of_three(self) -> Self:
        _need_both(self, "agent", "pin")
        _need_both(self, "user", "password")
        if [self.agent, self.user, self.token].count(None) != 2:
            raise ValueError("exactly one is needed of agent and pin, user and password, token")
        return self


class NewToken(Body):
    """A token for a program. `groups`: those within a supervisor's reach, null for all; `agent`: of the role agent."""

    model_config = _ways(
        {"role": {"const": "agent"}, "agent": GIVEN, "groups": ABSENT},
        {"role": {"const": "supervisor"}, "agent": ABSENT},
        {"role": {"enum": ["admin", "integration"]}, "agent": ABSENT, "groups": ABSENT},
        examples=[
            {"name": "wallboard", "role": "integration", "expires_in_days": 365},
            {"name": "shift plan", "role": "supervisor", "groups": ["support"]},
            {"name": "softphone of alice", "role": "agent", "agent": "1001"},
        ],
    )

    name: Name
    role: RoleName
    handler: Name = "main"
    agent: Name | None = None
    groups: Groups | None = None
    expires_in_days: Annotated[float, Field(gt=0, le=36500, allow_inf_nan=False)] | None = None

    @model_validator(mode="after")
    def _fits_the_role(self) -> Self:
        if (self.agent is not None) != (self.role == Role.AGENT):
            raise _misfit("agent", "is needed for the role agent, and for no other")
        if self.groups is not None and self.role != Role.SUPERVISOR:
            raise _misfit("groups", "belong to the role supervisor")
        return self


class AccountBody(Body):
    """A person who is no agent. `password` may be left out when only the rest is changed."""

    model_config = _ways(
        {"role": {"const": "supervisor"}},
        {"role": {"enum": ["admin", "integration"]}, "groups": ABSENT},
        examples=[
            {"role": "supervisor", "groups": ["support"], "password": "correct horse battery"},
            {"role": "admin", "password": "correct horse battery"},
        ],
    )

    role: RoleName
    groups: Groups | None = None
    password: Annotated[SecretStr, Field(min_length=8, max_length=128), AfterValidator(_encodable)] | None = None

    @model_validator(mode="after")
    def _no_agent(self) -> Self:
        if self.role == Role.AGENT:
            raise _misfit("role", "an agent logs in with his id and PIN and needs no account")
        if self.groups is not None and self.role != Role.SUPERVISOR:
            raise _misfit("groups", "belong to the role supervisor")
        return self


def _truth(value: object) -> object:
    """To Python 1 is true."""
    if not isinstance(value, bool):
        raise ValueError("must be true")
    return value


class WrapUpBody(Body):
    """Exactly one of the two: `end` true, or `extend_seconds`."""

    model_config = _ways(
        {"end": {"const": True}, "extend_seconds": ABSENT},
        {"end": ABSENT, "extend_seconds": {"type": "number"}},
        examples=[{"end": True}, {"extend_seconds": 30}],
    )

    extend_seconds: Annotated[float, Field(gt=0, le=86400, allow_inf_nan=False)] | None = None
    end: Annotated[Literal[True], BeforeValidator(_truth)] | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.end is None) == (self.extend_seconds is None):
            raise ValueError("either end or extend_seconds is needed, not both")
        return self


class PeriodBody(Body):
    seconds: Period


class WrapUpTimeBody(Body):
    """`seconds` null: back to the default."""

    seconds: Seconds | None


class MemberBody(Body):
    """`penalty`: how late the agent's turn comes, 0 first."""

    penalty: Annotated[int, Field(ge=0, le=10_000), BeforeValidator(a_number)]


class GroupChoice(Body):
    acd_group: Name


class PriorityBody(Body):
    """`priority`: callers with a higher one come first; 0 is what callers have."""

    priority: Annotated[int, Field(ge=-1_000_000, le=1_000_000), BeforeValidator(a_number)]


class TransferBody(Body):
    """`queue`: where the caller is to wait; its name is an extension of the dialplan."""

    queue: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{2,79}$")]


class MonitorBody(Body):
    """`supervisor_address`: the phone that is rung."""

    supervisor_address: Address


class NoteBody(Body):
    """`groups`, `agents`: to whom; neither: to all within reach."""

    text: Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_printable), of_format("acd-note")]
    groups: Annotated[list[Name], Field(max_length=1000)] | None = None
    agents: Annotated[list[Name], Field(max_length=1000)] | None = None


class DispositionBody(Body):
    """`code`: one of those that GET .../choices lists."""

    code: Name


class GroupBody(Body):
    queues: Annotated[list[Name], Field(min_length=1, max_length=1000)]


def _iso(value: object) -> object:
    """A bare number could be seconds or milliseconds or a year."""
    if not (isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\d", value)):
        raise ValueError("must be a time in ISO 8601, such as 2026-11-20T09:15:00Z")
    return value


def _aware(value: datetime) -> datetime:
    return value if value.tzinfo is not None else value.replace(tzinfo=UTC)


IsoTime = Annotated[datetime, BeforeValidator(_iso)]
Moment = Annotated[IsoTime, AfterValidator(_aware)]
Cursor = Annotated[str, Field(max_length=2000), of_format("acd-cursor")]


class Query(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ListQuery(Query):
    """One page of a list: at most `limit` items, behind the `cursor` that the last page gave as `next`."""

    limit: Annotated[int, Field(ge=1, le=1000)] = 1000
    cursor: Cursor | None = None
    sort: str = ""


class GroupsQuery(ListQuery):
    """Groups in the order of their names."""

    sort: Literal["", "name", "-name"] = ""


class AddressesQuery(ListQuery):
    """Phones in the order of their addresses."""

    sort: Literal["", "address", "-address", "state", "-state"] = ""


class AgentsQuery(ListQuery):
    """Agents by state, by a group for which they are logged on; in the order of a field, `-` for the other way."""

    state: AgentStateName | None = None
    group: Name | None = None
    sort: Literal["", "agent", "-agent", "user", "-user", "state", "-state", "state_since", "-state_since"] = ""


class SessionsQuery(ListQuery):
    """Live sessions by state, group, agent."""

    state: SessionStateName | None = None
    group: Name | None = None
    agent: Name | None = None
    sort: Literal["", "agent", "-agent", "acd_group", "-acd_group", "state_since", "-state_since"] = ""


class AgentSessionsQuery(ListQuery):
    """The live sessions of one agent."""

    sort: Literal["", "acd_group", "-acd_group"] = ""


class QueuesQuery(ListQuery):
    """Queues, those of one group alone, or those that Asterisk has."""

    group: Name | None = None
    in_service: bool | None = None
    sort: Literal["", "name", "-name", "current_calls_queued", "-current_calls_queued"] = ""


class MembersQuery(ListQuery):
    """Who serves a queue."""

    sort: Literal["", "agent", "-agent", "penalty", "-penalty"] = ""


class MonitorsQuery(ListQuery):
    """Who listens to whom."""

    sort: Literal["", "agent", "-agent", "since", "-since"] = ""


class WaitingQuery(ListQuery):
    """Waiting callers in the order in which they will be served."""

    sort: Literal["", "position", "-position"] = ""


def listed(value: object) -> object:
    """What stands between commas."""
    return [each for each in value.split(",") if each] if isinstance(value, str) else value


Word = Annotated[str, Field(pattern=r"^[^\x00,]+$")]
Listed = Annotated[frozenset[Word], Field(min_length=1, max_length=50), BeforeValidator(listed)]


class StreamQuery(Query):
    """After which envelope to begin, and which to leave out: by type, queue, agent, group, separated by commas."""

    after: Annotated[int, Field(ge=0, lt=2**63)] | None = None
    types: Annotated[Listed | None, Field(alias="type")] = None
    queues: Annotated[Listed | None, Field(alias="queue")] = None
    agents: Annotated[Listed | None, Field(alias="agent")] = None
    groups: Annotated[Listed | None, Field(alias="group")] = None


def _receiver(value: str) -> str:
    """An address that a body can be posted to."""
    try:
        url = URL(value)
        fits = url.scheme in ("http", "https") and bool(url.raw_host) and value.isprintable()
    except ValueError:
        fits = False
    if not fits:
        raise ValueError("must be an address such as https://example.com/acd")
    if url.user is not None or url.password is not None:
        raise ValueError("must hold no user and no password: the signature proves who sends")
    return value


Url = Annotated[str, Field(max_length=2000), AfterValidator(_receiver), of_format("acd-receiver")]


class WebhookBody(Body):
    """Where to post what. `types`, `queues`, `agents`, `groups`: as in the stream, null for all.

    `secret`: signs what is posted; for a new webhook one is made unless it is given, and later the present one stays.
    """

    url: Url
    types: Names | None = None
    queues: Names | None = None
    agents: Names | None = None
    groups: Names | None = None
    paused: bool = False
    secret: Annotated[SecretStr, Field(min_length=16, max_length=200), AfterValidator(_encodable)] | None = None


class WebhooksQuery(ListQuery):
    """Webhooks, the oldest first unless told otherwise."""

    sort: Literal["", "created", "-created", "url", "-url", "behind", "-behind"] = ""


Sought = Annotated[str, Field(pattern=r"^[^\x00]*$")]  # a NUL is in no text that a database keeps


class CallsQuery(Query):
    """Rows of the ledger by time of entry (`from` <= entered < `to`), queue, agent; `cursor` of the last page."""

    start: Annotated[Moment | None, Field(alias="from")] = None
    end: Annotated[Moment | None, Field(alias="to")] = None
    queue: Sought | None = None
    agent: Sought | None = None
    call: Sought | None = None
    cursor: Cursor | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 200


class PathName(Body):
    """The name of something new as it stands in a path."""

    name: Name


class TokensQuery(ListQuery):
    """Live tokens."""

    sort: Literal["", "name", "-name", "created", "-created", "expires", "-expires"] = ""


class AccountsQuery(ListQuery):
    """Accounts by name."""

    sort: Literal["", "name", "-name", "role", "-role"] = ""


class CommandsQuery(Query):
    """The log of commands by time (`from` <= at < `to`), by who asked, by the beginning of the path."""

    start: Annotated[Moment | None, Field(alias="from")] = None
    end: Annotated[Moment | None, Field(alias="to")] = None
    who: Sought | None = None
    path: Sought | None = None
    cursor: Cursor | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 200
