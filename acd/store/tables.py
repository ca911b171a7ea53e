"""The tables as they are now. How a database of an older acd comes to them stands in acd/migrations."""

from sqlalchemy import BigInteger, Integer
from sqlmodel import Field, Index, SQLModel

# SQLite's integers always have 64 bits, and only a column called INTEGER is the number by which it finds a row.
ROW_NUMBER = BigInteger().with_variant(Integer(), "sqlite")


class EventRow(SQLModel, table=True):
    """One event of a handler's log. `data` is the event's fields as a JSON list."""

    __tablename__ = "event"
    __table_args__ = {"sqlite_with_rowid": False}
    handler: str = Field(primary_key=True)
    seq: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    at: float
    kind: str
    data: str


class CheckpointRow(SQLModel, table=True):
    """The state of one handler after the event `seq`. `at`: when its last event was, in seconds since 1970."""

    __tablename__ = "checkpoint"
    handler: str = Field(primary_key=True)
    seq: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    at: float
    state: str


class LogStartRow(SQLModel, table=True):
    """The events of a handler up to `seq` were deleted; the log starts at the checkpoint of that number and time."""

    __tablename__ = "log_start"
    handler: str = Field(primary_key=True)
    seq: int = Field(sa_type=BigInteger)
    at: float


class CallRow(SQLModel, table=True):
    """A row of the ledger: one visit of a caller to a queue. Times are seconds since 1970."""

    __tablename__ = "call"
    __table_args__ = (
        Index("call_by_entry", "handler", "entered"),
        Index("call_by_call", "handler", "call"),
        Index("call_by_agent", "handler", "agent", "entered"),
    )
    handler: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    call: str
    queue: str
    caller: str
    agent: str | None
    session: str | None
    entered: float
    answered: float | None
    ended: float | None
    ring_time: float | None
    wait_time: float | None
    talk_time: float | None
    hold_time: float
    wrap_up_time: float | None
    outcome: str | None
    disposition: str | None
    estimated: bool


class AgentTimeRow(SQLModel, table=True):
    """What an agent did from `at` until his next row. `state`: a name of AGENT_STATE, or LOGGED_OFF.

    `wrap_up`: BUSY_ACD is nothing but after-call work.
    """

    __tablename__ = "agent_time"
    __table_args__ = (Index("agent_time_by_time", "handler", "at"),)
    handler: str = Field(primary_key=True)
    agent: str = Field(primary_key=True)
    at: float = Field(primary_key=True)
    state: str
    reason: str
    wrap_up: bool


class PinRow(SQLModel, table=True):
    """The argon2id hash of an agent's PIN; it is kept out of the event log."""

    __tablename__ = "pin"
    handler: str = Field(primary_key=True)
    agent: str = Field(primary_key=True)
    hash: str


class HeardRow(SQLModel, table=True):
    """Until when a handler has heard Asterisk without a gap, and how far its log files were written then."""

    __tablename__ = "heard"
    handler: str = Field(primary_key=True)
    at: float
    queue_log_inode: int | None = Field(default=None, sa_type=BigInteger)
    queue_log_offset: int | None = Field(default=None, sa_type=BigInteger)
    cel_inode: int | None = Field(default=None, sa_type=BigInteger)
    cel_offset: int | None = Field(default=None, sa_type=BigInteger)


class OwnerRow(SQLModel, table=True):
    """Which run of acd opened a PostgreSQL database last: one row."""

    __tablename__ = "owner"
    token: str = Field(primary_key=True)


class WriterRow(SQLModel, table=True):
    """The last batch that a node wrote ("": one that is alone), so that none is written twice."""

    __tablename__ = "writer"
    node: str = Field(primary_key=True)
    batch: str


class LeaseRow(SQLModel, table=True):
    """Which node leads a handler ("": all that belongs to none), and until when, in seconds since 1970 by the database.

    `url`: where the other nodes reach it. `fence`: grows by one with each new leader; only who has the last may write.
    """

    __tablename__ = "lease"
    name: str = Field(primary_key=True)
    node: str
    url: str
    fence: int = Field(sa_type=BigInteger)
    until: float


class StreamRow(SQLModel, table=True):
    """The number of the last envelope, where several nodes write them: one row."""

    __tablename__ = "stream"
    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    seq: int = Field(sa_type=BigInteger)


class TokenRow(SQLModel, table=True):
    """What lets a program (`kind` token) or a browser (session) in. `hash`: SHA-256 of the secret, which is random.

    `groups`: a JSON list, null for all. `parent`: the token by which a session was begun.
    """

    __tablename__ = "token"
    id: str = Field(primary_key=True)
    kind: str
    name: str
    role: str
    handler: str | None
    agent: str | None
    groups: str | None
    hash: str
    created: float
    created_by: str
    expires: float | None
    revoked: float | None
    parent: str | None


class AccountRow(SQLModel, table=True):
    """A person who is no agent: a supervisor, an administrator. `hash`: argon2id of the password."""

    __tablename__ = "account"
    name: str = Field(primary_key=True)
    role: str
    groups: str | None
    hash: str
    changed: float
    removed: bool


class CommandRow(SQLModel, table=True):
    """What somebody asked for through the API, and what came of it. `body` is JSON without secrets."""

    __tablename__ = "command"
    __table_args__ = (Index("command_by_time", "at", "id"),)
    id: str = Field(primary_key=True)
    at: float
    who: str
    role: str
    source: str
    method: str
    path: str
    body: str | None
    status: int
    code: str | None


class EnvelopeRow(SQLModel, table=True):
    """One message of the stream, as subscribers get it (`text`), with what decides who gets it.

    `at`: when it was told, by acd's own clock.
    """

    __tablename__ = "envelope"
    seq: int = Field(primary_key=True, sa_type=ROW_NUMBER, sa_column_kwargs={"autoincrement": False})
    at: float
    handler: str
    type: str
    event: str
    agents: str
    queues: str
    groups: str
    text: str


class WebhookRow(SQLModel, table=True):
    """Where envelopes are posted to, of what kind (`wanted`, JSON), and the number up to which they have arrived.

    `secret`: as it is, because it signs. `last_error`: why the last try failed, null when it did not.
    """

    __tablename__ = "webhook"
    id: str = Field(primary_key=True)
    url: str
    secret: str
    wanted: str
    created: float
    created_by: str
    position: int = Field(sa_type=BigInteger)
    paused: bool
    removed: bool
    changed: float
    last_success: float | None
    last_error: str | None
