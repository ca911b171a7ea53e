"""The tables as they are now. How a database of an older acd comes to them stands in acd/migrations."""

from sqlalchemy import BigInteger, Integer
from sqlmodel import Field, Index, SQLModel

# SQLite's integers always have 64 bits, and only a column called INTEGER is the number by which it finds a row.
ROW_NUMBER = BigInteger().with_variant(Integer(), "sqlite")


class EventRow(SQLModel, table=True):
    """One event of the log. `data` is the event's fields as a JSON list."""

    __tablename__ = "event"
    seq: int = Field(primary_key=True, sa_type=ROW_NUMBER, sa_column_kwargs={"autoincrement": False})
    handler: str
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
    __table_args__ = (Index("call_by_entry", "handler", "entered"), Index("call_by_call", "handler", "call"))
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
    wait_time: float | None
    talk_time: float | None
    hold_time: float
    wrap_up_time: float | None
    outcome: str | None
    estimated: bool


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
