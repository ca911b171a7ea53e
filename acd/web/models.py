"""What strangers send: request bodies and parameters, checked before anything happens."""

from datetime import UTC, datetime
from enum import Enum
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from acd.core.states import AgentState, SessionState
from acd.settings import Address, Name, Period, Reason, Seconds


def _member_of(states: type[Enum]) -> AfterValidator:
    def check(value: str) -> str:
        if value not in states.__members__:
            raise ValueError(f"must be one of {', '.join(states.__members__)}")
        return value

    return AfterValidator(check)


AgentStateName = Annotated[str, _member_of(AgentState)]
SessionStateName = Annotated[str, _member_of(SessionState)]


def _encodable(value: SecretStr) -> SecretStr:
    try:
        value.get_secret_value().encode()
    except UnicodeEncodeError:
        raise ValueError("must be valid UTF-8") from None
    return value


Pin = Annotated[SecretStr, Field(min_length=1, max_length=128), AfterValidator(_encodable)]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class NewAgent(Body):
    """CreateAgent (`user` alone) or CreateAgentWithID (`id` and `pin`; `user` is the id unless given)."""

    user: Name | None = None
    id: Name | None = None
    pin: Pin | None = None

    @model_validator(mode="after")
    def _id_and_pin_together(self) -> Self:
        if (self.id is None) != (self.pin is None):
            raise ValueError("id and pin go together: both, or neither for an agent known by user alone")
        if self.id is None and self.user is None:
            raise ValueError("user is needed, or id and pin")
        return self


class NewSession(Body):
    """CreateSession; CreateSessionWithPIN when `pin` is there."""

    acd_group: Name
    address: Address
    pin: Pin | None = None


class AgentStateBody(Body):
    state: AgentStateName
    reason: Reason = ""


class SessionStateBody(Body):
    state: SessionStateName
    reason: Reason = ""


def _true(value: bool | None) -> bool | None:
    if value is False:
        raise ValueError("must be true")
    return value


class WrapUpBody(Body):
    """Exactly one of the two: `end` true, or `extend_seconds`."""

    extend_seconds: Annotated[float, Field(gt=0, le=86400, allow_inf_nan=False)] | None = None
    end: Annotated[bool | None, AfterValidator(_true)] = None

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


class GroupBody(Body):
    queues: Annotated[list[Name], Field(min_length=1, max_length=1000)]


def _aware(value: datetime) -> datetime:
    return value if value.tzinfo is not None else value.replace(tzinfo=UTC)


Moment = Annotated[datetime, AfterValidator(_aware)]


class CallsQuery(BaseModel):
    """Rows of the ledger by time of entry (`from` <= entered < `to`), queue, agent; `cursor` of the last page."""

    model_config = ConfigDict(extra="forbid")

    start: Annotated[Moment | None, Field(alias="from")] = None
    end: Annotated[Moment | None, Field(alias="to")] = None
    queue: str | None = None
    agent: str | None = None
    cursor: str | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 200


class GroupName(Body):
    """A group's name as it stands in a path."""

    name: Name
