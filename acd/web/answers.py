"""What goes out, as types: the OpenAPI description is made from them, and mypy holds the handlers to them.

The objects of TAPI are the views of acd/core/views.py; what stands here is all else. What each field says is in
acd/web/fields.py.
"""

from typing import Annotated, Any, Generic, Literal, NotRequired, TypedDict, TypeVar

from acd.access.principals import Role
from acd.core.states import AddressState, MonitorMode, MonitorState, Outcome
from acd.core.views import AgentView, QueueView, SessionView

Item = TypeVar("Item")
# What a text or object is, beside its type: a format, an enumeration (values of a StrEnum, names of others), a view.
Time = Annotated[str, "date-time"]
Json = dict[str, Any]


class Page(TypedDict, Generic[Item]):
    """One page of a list. `next`: the cursor of the page behind it, null on the last one."""

    items: list[Item]
    next: str | None


class Handler(TypedDict):
    """ITAgentHandler. `linked`: Asterisk is connected and its picture taken."""

    name: str
    linked: bool
    agents: int
    sessions: int
    queues: int
    acd_groups: int
    calls_waiting: int


class Group(TypedDict):
    """ITACDGroup."""

    name: str
    queues: list[str]


class Address(TypedDict):
    """ITAddress, as far as agents need it: a phone. `state`: INSERVICE or OUTOFSERVICE; `in_use`: by whomever."""

    address: str
    address_name: str
    dialable_address: str
    service_provider_name: str
    state: Annotated[str, AddressState]
    in_use: bool
    sessions: list[str]


class WaitingCall(TypedDict):
    """A caller who waits. `priority`: null while nothing has told it."""

    call: str
    queue: str
    position: int
    caller: str
    waiting_since: Time
    priority: int | None


class Call(TypedDict):
    """A row of the ledger: one visit to a queue. Seconds; null: not known, or not yet."""

    call: str
    queue: str
    caller: str
    agent: str | None
    session: str | None
    outcome: Annotated[str, Outcome] | None
    disposition: str | None
    estimated: bool
    entered: Time
    answered: Time | None
    ended: Time | None
    ring_time: int | None
    ring_time_exact: float | None
    wait_time: int | None
    wait_time_exact: float | None
    talk_time: int | None
    talk_time_exact: float | None
    hold_time: int
    hold_time_exact: float
    wrap_up_time: int | None
    wrap_up_time_exact: float | None


class Member(TypedDict):
    """An agent at a phone in a queue, as Asterisk has him. `penalty`: how late his turn comes."""

    agent: str
    address: str
    penalty: int
    paused: bool
    reason: str


class Penalty(TypedDict):
    """How late the agent's turn comes in the queue."""

    agent: str
    queue: str
    penalty: int


class SipAccount(TypedDict):
    """What a phone in a browser logs on to Asterisk with."""

    address: str
    uri: str
    username: str
    password: str


class Withdrawn(TypedDict):
    """A caller who waits no more."""

    call: str
    queue: str
    waiting: bool


class Monitor(TypedDict):
    """A supervisor's ear on an agent's call. `state`: CALLING, RINGING, ACTIVE, and ENDED in the stream."""

    id: str
    agent: str
    mode: Annotated[str, MonitorMode]
    supervisor_address: str
    state: Annotated[str, MonitorState]
    since: Time


Note = TypedDict("Note", {"text": str, "from": str, "groups": list[str], "agents": list[str], "seq": NotRequired[int]})
Note.__doc__ = """A note to agents."""


class Disposition(TypedDict):
    """An after-call code, and what people call it."""

    code: str
    text: str


class Choices(TypedDict):
    """What agents choose from. `disposition_required`: queues whose calls need a code."""

    dispositions: list[Disposition]
    disposition_required: list[str]
    reasons: list[str]


class HandlerPicture(TypedDict):
    """What an agent handler holds. `calls`: those who wait."""

    name: str
    linked: bool
    agents: list[Annotated[Json, AgentView]]
    sessions: list[Annotated[Json, SessionView]]
    queues: list[Annotated[Json, QueueView]]
    acd_groups: list[Group]
    calls_waiting: int
    calls: list[WaitingCall]


class Picture(TypedDict):
    """Everything at one moment. `seq`: the number of the last envelope that is in it."""

    seq: int
    at: Time
    handlers: list[Annotated[Json, HandlerPicture]]


Subject = Annotated[Json, AgentView | SessionView | QueueView | Group | Handler | Call | Monitor | Note | Picture]
Kind = Literal[
    "agent",
    "agent-session",
    "queue",
    "acd-group",
    "agent-handler",
    "call",
    "statistics",
    "link",
    "note",
    "monitor",
    "reset",
    "acd",
]


class Envelope(TypedDict):
    """One message of the stream. `subject`: the object as its GET shows it, null for what acd says of itself."""

    seq: int
    at: Time
    handler: str
    type: Kind
    event: str
    subject: Subject | None


class Site(TypedDict):
    """What a page has to know before anybody has logged in."""

    version: str
    simulated: bool
    browser_phone: bool


class BoardFigures(TypedDict):
    """Calls that entered a queue in some time. `service_level`: null without calls."""

    offered: int
    answered: int
    abandoned: int
    answered_within: int
    abandoned_within: int
    service_level: float | None


class BoardQueue(TypedDict):
    """One queue on a wallboard: today, "now", and the steps of the last hour."""

    handler: str
    queue: str
    today: BoardFigures
    recent: BoardFigures
    steps: list[BoardFigures]


class Targets(TypedDict):
    """What a site wants to reach: from the first value on it needs attention, from the second on it is bad."""

    service_level: list[float]
    waiting: list[float]
    longest_wait: list[float]
    abandoned: list[float]
    ready: list[float]


class Board(TypedDict):
    """What a wallboard shows of the calls. `steps`: when each step of the last hour began."""

    at: Time
    midnight: Time
    recent: Time
    steps: list[Time]
    threshold: float
    definition: str
    targets: Targets
    queues: list[BoardQueue]


class Session(TypedDict):
    """Who you are. `handler`, `agent`: of an agent; `groups`: those within a supervisor's reach, null for all."""

    name: str
    role: Annotated[str, Role]
    handler: str | None
    agent: str | None
    groups: list[str] | None
    expires: Time | None


class Token(TypedDict):
    """A program's token, without its secret; that is in `token` when it has just been made, and never again."""

    id: str
    name: str
    role: Annotated[str, Role]
    handler: str | None
    agent: str | None
    groups: list[str] | None
    created: Time
    created_by: str
    expires: Time | None
    token: NotRequired[str]


class Account(TypedDict):
    """A person who is no agent."""

    name: str
    role: Annotated[str, Role]
    groups: list[str] | None
    changed: Time


class Webhook(TypedDict):
    """Where envelopes are posted to. `position`: the number up to which they have arrived; `behind`: how many have not.

    `failures`: tries in a row that failed, up to now. `secret`: only when it has just been made.
    """

    id: str
    url: str
    types: list[str] | None
    queues: list[str] | None
    agents: list[str] | None
    groups: list[str] | None
    paused: bool
    created: Time
    created_by: str
    position: int
    behind: int
    last_success: Time | None
    last_error: str | None
    failures: int
    secret: NotRequired[str]


class WebhookPost(TypedDict):
    """What is posted to a webhook: the envelopes that came since the last time, in their order."""

    webhook: str
    envelopes: list[Envelope]


class WebhookTest(TypedDict):
    """What a receiver said to a request that is no news. `status`: of its answer, null without one."""

    accepted: bool
    status: int | None
    seconds: float
    error: str | None


class Command(TypedDict):
    """What somebody asked for, and what came of it.

    `role`: null for who was not let in; `body`: without secrets; `code`: of a refusal.
    """

    id: str
    at: Time
    who: str
    role: Annotated[str, Role] | None
    source: str
    method: str
    path: str
    body: Any
    status: int
    code: str | None


# What is no object of the API --------------------------------------------------------------------------------------


class FieldError(TypedDict):
    """One field that does not fit."""

    loc: list[str | int]
    msg: str
    type: str


class Problem(TypedDict):
    """RFC 9457, with TAPI's codes where TAPI has them."""

    status: int
    title: str
    detail: str
    code: str
    hresult: NotRequired[str]
    lineerr: NotRequired[str]
    errors: NotRequired[list[FieldError]]


class Health(TypedDict):
    """The process lives."""

    status: str


class Readiness(TypedDict):
    """Whether calls are distributed and written down, and what is missing."""

    ready: bool
    linked: dict[str, bool]
    store: str
