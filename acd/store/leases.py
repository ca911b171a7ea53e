"""Several nodes on one PostgreSQL database: who leads what, and that nobody else writes it.

A handler is led by the node that holds its lease; "" is the lease of all that belongs to no handler. Each new holder
gets a higher fencing number, and every transaction of the writer makes sure of the number by which its rows were made:
what a node wrote down before it knew that another has taken its place is not written. Time is the database's.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, Update, event, func, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, delete, select, update
from sqlmodel import insert as plain_insert

from acd.store.database import ADVISORY_LOCK, ON_THE_NETWORK, InUse, asked
from acd.store.tables import EnvelopeRow, LeaseRow, OwnerRow, StreamRow

CHANNEL = "acd"
HOUSE = ""  # the name of the lease of what belongs to no handler
VALID = 3.0  # seconds for which a lease holds without being renewed
NOW = func.extract("epoch", func.clock_timestamp())
STREAM = 1  # the only row of its table
ALL: Any = select(LeaseRow).with_only_columns(
    col(LeaseRow.name),
    col(LeaseRow.node),
    col(LeaseRow.url),
    col(LeaseRow.fence),
    (col(LeaseRow.until) - NOW).label("left"),
)
SESSIONS_END = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = :signature")
# Every node has a share of the lock that one alone would have for itself.
NODES = text(
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND mode = 'ShareLock' AND classid = 0"
    " AND objid = :lock AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
).bindparams(lock=ADVISORY_LOCK)


def _signature(node: str) -> str:
    """By what the sessions of a node are known to the server, which takes short names in ASCII."""
    return f"acd node {hashlib.sha256(node.encode()).hexdigest()[:16]}"


def _sign(connection: Any, node: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('application_name', %s, false)", [_signature(node)])
    connection.commit()


def numbered(envelope: str, seq: int) -> str:
    """An envelope's JSON with its number in front."""
    return f'{{"seq":{seq},{envelope[1:]}'


class Node(NamedTuple):
    """One acd among several. `url`: where the others reach it."""

    name: str
    url: str


class Lease(NamedTuple):
    """Who leads, and for how many seconds still; it may be none."""

    name: str
    node: str
    url: str
    fence: int
    left: float


class Turn(NamedTuple):
    """What came of one turn. `taken`: with the fences; `leases`: all there are; `nodes`: how many there are."""

    renewed: set[str]
    taken: dict[str, int]
    leases: dict[str, Lease]
    nodes: int


class Leases:
    """What a node may write, and what it leads. The methods that take no connection may be called in any thread."""

    def __init__(self, engine: Engine, node: Node) -> None:
        """Raises InUse where an acd has the database for itself."""
        self.node = node.name
        self._url = node.url
        self._engine = engine
        self._fences: dict[str, int] = {}  # what this node leads
        event.listen(engine, "connect", lambda connection, _: _sign(connection, node.name))
        self._shared = self._share()
        if not asked(self._shared, select(func.pg_try_advisory_lock(ADVISORY_LOCK, func.hashtext(node.name)))):
            self._shared.close()
            raise InUse(f"another node is called {node.name!r}")

    def _share(self) -> Connection:
        """A connection that has a share of the lock. Raises InUse, SQLAlchemyError."""
        connection = self._engine.connect()
        connection.detach()  # so that closing it ends its lock
        if not asked(connection, select(func.pg_try_advisory_lock_shared(ADVISORY_LOCK))):
            connection.close()
            raise InUse(f"an acd that is no node uses {self._engine.url.database}")
        return connection

    def _keep_share(self) -> None:
        """Takes the share again where its connection broke. Raises InUse, SQLAlchemyError."""
        try:
            with self._shared.begin():
                self._shared.execute(select(1))
        except SQLAlchemyError:
            self._shared.close()
            self._shared = self._share()

    # As what owns the database ----------------------------------------------------------------------------

    @property
    def tidies(self) -> bool:
        """What is too old is deleted by one node alone."""
        return HOUSE in self._fences

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        with self._engine.begin() as connection:
            yield connection

    def claim(self, connection: Connection) -> None:
        """An acd that had the database for itself, and lost its connection, sees that it is its own no more."""
        connection.execute(delete(OwnerRow))
        connection.execute(plain_insert(OwnerRow), [{"token": f"nodes, last {self.node}"}])
        last = connection.scalar(select(func.max(EnvelopeRow.seq))) or 0
        connection.execute(insert(StreamRow).values(id=STREAM, seq=last).on_conflict_do_nothing())
        ahead = col(StreamRow.seq) < last  # written by one that was alone meanwhile
        connection.execute(update(StreamRow).where(ahead).values(seq=last))

    def check(self) -> None:
        """Raises SQLAlchemyError when the database is away."""
        with self.transaction() as connection:
            connection.execute(select(1))

    def release(self) -> None:
        self._shared.close()

    def fence(self, name: str) -> int:
        """By which lease a row of this name is written now; 0 where this node does not lead."""
        return self._fences.get(name, 0)

    def admitted(self, connection: Connection, fences: Collection[tuple[str, int]]) -> Collection[tuple[str, int]]:
        """Those of these leases that are still held; nobody can take them before the transaction ends."""
        names = [name for name, _ in fences]
        held = (
            select(LeaseRow.name, LeaseRow.fence)
            .where(col(LeaseRow.name).in_(names), LeaseRow.node == self.node)
            .with_for_update(key_share=True, read=True)  # renewing goes on meanwhile
        )
        present = {(row.name, row.fence) for row in connection.execute(held)}
        return [each for each in fences if each in present]

    def numbered(self, connection: Connection, envelopes: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Envelopes with their numbers: without a gap, because nobody else gets one before the transaction ends."""
        taking = update(StreamRow).values(seq=StreamRow.seq + len(envelopes)).returning(col(StreamRow.seq))
        end = connection.execute(taking).scalar_one()
        return [
            envelope | {"seq": seq, "text": numbered(envelope["text"], seq)}
            for seq, envelope in enumerate(envelopes, end - len(envelopes) + 1)
        ]

    def tell(self, connection: Connection, tables: Collection[str]) -> None:
        """Wakes all nodes when the transaction is done."""
        connection.execute(select(func.pg_notify(CHANNEL, " ".join(sorted(tables)))))

    # Who leads --------------------------------------------------------------------------------------------

    def begun(self, name: str, fence: int) -> None:
        """From now on this node writes what belongs to `name`."""
        self._fences[name] = fence

    def ended(self, name: str) -> None:
        """What it makes from now on is written no more."""
        self._fences.pop(name, None)

    def turn(self, held: Mapping[str, int], wanted: Collection[str]) -> Turn:
        """Renews what is held and takes what is free. Raises SQLAlchemyError."""
        self._keep_share()
        with self.transaction() as connection:
            renewed = {name for name, fence in held.items() if self._renewed(connection, name, fence)}
            taken = self._taken(connection, wanted) if wanted else {}
            leases = {row.name: Lease(*row) for row in connection.execute(ALL)}
            return Turn(renewed, taken, leases, connection.execute(NODES).scalar_one())

    def _renewed(self, connection: Connection, name: str, fence: int) -> bool:
        """A lease that ran out is renewed too, as long as nobody else took it."""
        return bool(connection.execute(self._of(name, fence).values(until=NOW + VALID)).rowcount)

    def _of(self, name: str, fence: int) -> Update:
        """Changes a lease of this node, if it still is."""
        columns = {col(LeaseRow.name): name, col(LeaseRow.node): self.node, col(LeaseRow.fence): fence}
        return update(LeaseRow).where(*(column == value for column, value in columns.items()))

    def _taken(self, connection: Connection, wanted: Collection[str]) -> dict[str, int]:
        new = [{"name": name, "node": "", "url": "", "fence": 0, "until": 0.0} for name in wanted]
        connection.execute(insert(LeaseRow).values(new).on_conflict_do_nothing())
        # whoever still writes by the old fence has a share of the row, and is waited for by passing it over
        free = (
            select(LeaseRow.name)
            .where(col(LeaseRow.name).in_(wanted), col(LeaseRow.until) < NOW)
            .with_for_update(skip_locked=True)
        )
        names = list(connection.scalars(free))
        self._free_from_the_gone(connection, [name for name in wanted if name not in names])
        mine: dict[str, Any] = {"node": self.node, "url": self._url, "fence": LeaseRow.fence + 1, "until": NOW + VALID}
        taking = update(LeaseRow).where(col(LeaseRow.name).in_(names)).values(mine)
        rows = connection.execute(taking.returning(col(LeaseRow.name), col(LeaseRow.fence)))
        return {row.name: row.fence for row in rows}

    def _free_from_the_gone(self, connection: Connection, names: Sequence[str]) -> None:
        """Ends the sessions of nodes whose leases ran out while they wrote: they would keep the rows."""
        gone = select(LeaseRow.node).where(col(LeaseRow.name).in_(names), col(LeaseRow.until) < NOW)
        for node in {*connection.scalars(gone)} - {self.node}:
            connection.execute(SESSIONS_END, {"signature": _signature(node)})

    def listener(self) -> dict[str, Any]:
        """How to connect in order to be woken by what any node wrote."""
        _, parameters = self._engine.dialect.create_connect_args(self._engine.url)
        return {**ON_THE_NETWORK, **parameters}

    def give_up(self, held: Mapping[str, int]) -> None:
        """Somebody else may take these at once. Raises SQLAlchemyError."""
        with self.transaction() as connection:
            for name, fence in held.items():
                connection.execute(self._of(name, fence).values(until=0.0))
            connection.execute(text(f"NOTIFY {CHANNEL}"))
