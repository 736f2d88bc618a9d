"""PostgreSQL: the truth. All SQL of Bereik is in this package, one module per schema.

`Store.transaction()` is the one way to write: state, outgoing messages and position together, or nothing.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from pathlib import Path
from struct import pack
from typing import Any, Self

import orjson
import psycopg
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from psycopg.adapt import Dumper
from psycopg.pq import Format
from psycopg.rows import TupleRow
from psycopg.types.json import set_json_dumps, set_json_loads
from psycopg.types.string import TextLoader
from sqlalchemy import Connection, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry

from bereik.errors import LastingError, TransientError
from bereik.ports import Letter
from bereik.store.roles import ensure_auditor, sync_purposes

__all__ = [
    "DiskIsFull",
    "LoginRefused",
    "SchemaIsOld",
    "Store",
    "StoreUnavailable",
    "Tx",
    "migrate",
    "refusals",
    "sync_purposes",
]

log = logging.getLogger(__name__)

# Every jsonb value passes here; orjson reads 527,000 events/s where the standard library reads 157,000.
set_json_dumps(orjson.dumps)
set_json_loads(orjson.loads)
# Ids are texts everywhere: a batch holds tens of thousands of them, and a UUID is made, hashed and compared in Python.
psycopg.adapters.register_loader("uuid", TextLoader)

# Serialisation failure, deadlock, too many connections, admin shutdown, cannot connect now, lock not available:
# the same transaction may succeed in a moment (PostgreSQL error codes, appendix A).
_PASSING = {"40001", "40P01", "53300", "57P01", "57P02", "57P03", "55P03", "08000", "08003", "08006", "25P03"}

# What a session remembers of itself: the names of its TEMP tables.
_STAGES = "stages"
# And since when it was not used. A database takes longer than a second to come back, so only who rested longer is asked whether it
# is still there: asking each time was a quarter of an empty transaction.
_RESTS, _RESTED_S = "rests", 1.0

HEAD = "0022"

# Insert, select and delete are paid per row and not per message; 500 of 700 bytes are 350 kB.
MESSAGES_PER_ROW = 500


class StoreUnavailable(TransientError):
    """The database cannot be reached or ended the transaction. It is tried again; see `bereik doctor`."""


class DiskIsFull(StoreUnavailable):
    """The database has no disk space left. Make room where PostgreSQL keeps its data; nothing is lost, and work goes on then."""


class LoginRefused(StoreUnavailable):
    """The database refuses our password. Give the role the one of our settings (`bereik provision` does), or mend the settings."""


class SchemaIsOld(LastingError):
    """The database has another schema than this software. Run `bereik provision` of the newer of both first."""


def _told(error: psycopg.Error | DBAPIError) -> StoreUnavailable | None:
    """What one of the driver's errors means for us; None for a fault in our own SQL. Only its kind: its text quotes values."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(cause, "sqlstate", None)
    kind = state or type(cause).__name__
    if state == "53100":
        return DiskIsFull()
    # libpq gives no code for what happens before a session; this text is PostgreSQL's for a wrong name or password.
    if state in ("28P01", "28000") or (state is None and "password authentication failed" in str(cause)):
        return LoginRefused()
    if (
        isinstance(cause, (psycopg.OperationalError, psycopg.InterfaceError))
        or state in _PASSING
        or (isinstance(error, DBAPIError) and error.connection_invalidated)
    ):
        return StoreUnavailable(f"{StoreUnavailable.__doc__} ({kind})")
    return None


@contextmanager
def refusals() -> Iterator[None]:
    """Within the block, a database that is away, full or refuses us is one of our own errors."""
    try:
        yield
    except (psycopg.Error, DBAPIError) as error:
        told = _told(error)
        if told is None:
            raise
        raise told from None


def driver_url(url: str) -> Any:
    """`postgresql://…` with psycopg 3 as driver."""
    return make_url(url).set(drivername="postgresql+psycopg")


def migrate(owner_url: str, purposes: Sequence[str] = (), delivered: Collection[str] = ()) -> None:
    """Bring the database to this software's schema, and make the roles and policies of each purpose. Idempotent.

    Only the purposes in `delivered` get a role that the national delivery may take.

    Raises `SchemaIsOld` for a database that newer software migrated, `StoreUnavailable`.
    """
    engine = create_engine(driver_url(owner_url))
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with refusals(), engine.begin() as connection:
        # Two starters at once: the second waits, then finds nothing to do.
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7203)")
        ensure_auditor(connection)
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError:
            raise SchemaIsOld() from None
        sync_purposes(connection, purposes, delivered)
    engine.dispose()


class Ids:
    """An array of uuid as PostgreSQL sends and takes it in binary form; see `uuids`."""

    __slots__ = ("wire",)

    def __init__(self, wire: bytes) -> None:
        self.wire = wire


class _IdsDumper(Dumper):
    format = Format.BINARY
    oid = psycopg.adapters.types["uuid"].array_oid

    def dump(self, obj: Ids) -> bytes:
        return obj.wire


psycopg.adapters.register_dumper(Ids, _IdsDumper)
_UUID = psycopg.adapters.types["uuid"].oid


def uuids(ids: Iterable[str]) -> Ids:
    """Texts of ids as an array parameter.

    psycopg takes 2 µs for each element of a list, PostgreSQL 0.6 for each of an array literal, and a batch holds thousands.
    """
    # Of the array: dimensions, no nulls, type, length, first index (array_send of PostgreSQL); then each id and its length of 16.
    elements = bytes.fromhex("00000010".join(("", *ids)).replace("-", ""))
    count = len(elements) // 20
    return Ids(pack(">iiIii", 1, 0, _UUID, count, 1) + elements if count else pack(">iiI", 0, 0, _UUID))


def numbers(values: Iterable[int]) -> str:
    """Whole numbers as an array parameter, for a place with a cast: psycopg takes 1.4 µs for each element of a list, this 0.2."""
    return f"{{{','.join(map(str, values))}}}"


def by_index(columns: str, table: str, column: str, only: str = "true") -> str:
    """A query for the rows of a table whose `column` is one of an array of ids, %s, looked up one by one; `only` narrows them.

    With = ANY(…) PostgreSQL reads the whole table for each batch until it has statistics of it, and sometimes after:
    five such queries were a quarter of its work at 50,000 signals, and it grew with the table. OFFSET 0 keeps the lookup.
    In the order of ids, because neighbours in an index share a page, which is at hand then: up to a quarter less time.
    """
    return (
        "SELECT found.* FROM (SELECT id FROM unnest(%s::uuid[]) AS a (id) ORDER BY id) AS asked,"
        f" LATERAL (SELECT {columns} FROM {table} WHERE {column} = asked.id AND {only} OFFSET 0) AS found"
    )


# For `members`: those that count.
ACTIVE = "g.status = 'active'"


def members(columns: str, only: str) -> str:
    """A join from a case `c` to those of its signals `g` that `only` keeps: found by its subject, which has an index."""
    return (
        f"LATERAL (SELECT {columns} FROM casework.signal g"
        f" WHERE g.subject = c.subject AND g.case_id = c.case_id AND {only} OFFSET 0) AS s"
    )


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One row of the outbox: a topic and its messages (key, value)."""

    outbox_id: int
    topic: str
    messages: list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a group stands in one partition. `held`: why it does not go on there."""

    topic_id: str
    next: int
    held: str | None = None


@cache
def _set_role(name: str) -> bytes:
    return psycopg.sql.SQL("SET LOCAL ROLE {}").format(psycopg.sql.Identifier(name)).as_bytes()


class Tx:
    """One open transaction. Modules of this package take it; `role` narrows its rights for a block."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        raw = connection.connection.driver_connection
        assert isinstance(raw, psycopg.Connection)
        self._raw: psycopg.Connection[TupleRow] = raw
        self._left_role = False
        self._woken = False

    @property
    def raw(self) -> psycopg.Connection[TupleRow]:
        """The driver's connection, with the rights of the login, or of the role whose block is open."""
        if self._left_role:
            self._left_role = False
            self._raw.execute("SET LOCAL ROLE NONE")
        return self._raw

    def execute(self, sql: str, params: Any = None) -> psycopg.Cursor[TupleRow]:
        """Run one statement with psycopg parameters."""
        return self.raw.execute(sql, params, prepare=True)

    def rows(self, sql: str, params: Any = None) -> list[TupleRow]:
        """Run one query and return its rows."""
        return self.raw.execute(sql, params, prepare=True).fetchall()

    def each(self, sql: str, params: Sequence[Any]) -> Iterator[list[TupleRow]]:
        """Run one query with each of these parameters, and give the rows of each in turn.

        PostgreSQL runs the next while the rows of one are used, so nothing else can be asked before the last was given.
        """
        if len(params) == 1:
            yield self.rows(sql, params[0])
            return
        with self.raw.pipeline():
            running = None
            for one in params:
                rows = running.fetchall() if running is not None else None
                running = self.execute(sql, one)
                if rows is not None:
                    yield rows
            if running is not None:
                yield running.fetchall()

    @contextmanager
    def role(self, name: str) -> Iterator[Self]:
        """Within the block the transaction has only the rights of `name` (SET LOCAL ROLE)."""
        # PostgreSQL judges by the login who may take a role, so one before need not be given up first.
        self._left_role = False
        self._raw.execute(_set_role(name))
        yield self
        # Given up before the next statement, if there is one. The transaction's end does it too, also after an error.
        self._left_role = True

    @contextmanager
    def savepoint(self) -> Iterator[Self]:
        """Within the block all or nothing, while the transaction goes on whatever became of it."""
        woken = self._woken
        try:
            with self.raw.transaction():
                yield self
        except BaseException:
            self._woken = woken
            self.connection.info.pop(_STAGES, None)
            raise

    def copy(
        self, table: str, columns: Sequence[str], types: Sequence[str], rows: Iterator[Sequence[Any]]
    ) -> None:
        """Binary COPY into a TEMP table; PostgreSQL refuses COPY into a table with row security."""
        with self.raw.cursor().copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)") as out:
            out.set_types(list(types))
            for row in rows:
                out.write_row(row)

    def stage(self, name: str, columns: Mapping[str, str], rows: Iterator[Sequence[Any]]) -> None:
        """Bring rows to a TEMP table that empties itself at commit: column → type. Ids travel as text."""
        # A session makes each once; a transaction that fails takes them with it.
        made: set[str] = self.connection.info.setdefault(_STAGES, set())
        if name not in made:
            shape = ", ".join(f"{column} {kind}" for column, kind in columns.items())
            self.execute(f"CREATE TEMP TABLE IF NOT EXISTS {name} ({shape}) ON COMMIT DELETE ROWS")
            made.add(name)
        self.copy(name, list(columns), list(columns.values()), rows)

    def source(
        self, name: str, columns: Mapping[str, str], rows: Sequence[Sequence[Any]]
    ) -> tuple[str, dict[str, Any]]:
        """Rows as something to select FROM, by this name, and its parameters: a staged TEMP table, or one row's own values.

        A TEMP table costs a transaction 0.6 ms before its first row, and on a quiet day a batch is one signal. Many rows come
        in the order of their first column, by which an index is written page by page: 15 % less time.
        """
        if len(rows) == 1:
            values = ", ".join(f"%({column})s::{kind} AS {column}" for column, kind in columns.items())
            return f"(SELECT {values}) AS {name}", dict(zip(columns, rows[0], strict=True))
        self.stage(name, columns, iter(sorted(rows, key=itemgetter(0))))
        return name, {}

    # ------------------------------------------------------------ position and outbox

    def stands(self, group: str, topic: str) -> dict[int, Stand]:
        """The position of a group in every partition of a topic."""
        found = self.rows(
            "SELECT partition, topic_id, next, held FROM ops.position WHERE group_name = %s AND topic = %s",
            (group, topic),
        )
        return {partition: Stand(topic_id, after, held) for partition, topic_id, after, held in found}

    def begin_at(self, group: str, topic: str, topic_id: str, partition: int, at: int) -> None:
        """Write the first position of a partition that this group never read."""
        self.execute(
            "INSERT INTO ops.position (group_name, topic, partition, topic_id, next) VALUES (%s, %s, %s, %s, %s)"
            " ON CONFLICT DO NOTHING",
            (group, topic, partition, topic_id, at),
        )

    def hold(self, group: str, topic: str, partition: int, why: str | None) -> None:
        """Write down that a group does not go on in a partition, or with None that it does again."""
        self.execute(
            "UPDATE ops.position SET held = %s WHERE group_name = %s AND topic = %s AND partition = %s",
            (why, group, topic, partition),
        )

    def advance(self, group: str, moves: Sequence[tuple[str, int, int, int]]) -> set[tuple[str, int]]:
        """Move positions by compare-and-set: (topic, partition, before, after); the (topic, partition) that moved.

        One that did not was moved by another process, so what we hold of it is not ours.
        """
        topics, partitions, befores, afters = (list(column) for column in zip(*moves, strict=True))
        moved = self.rows(
            "UPDATE ops.position p SET next = m.after, moved_at = now()"
            " FROM unnest(%s::text[], %s::int[], %s::bigint[], %s::bigint[]) AS m(topic, partition, before, after)"
            " WHERE p.group_name = %s AND p.topic = m.topic AND p.partition = m.partition AND p.next = m.before"
            " RETURNING p.topic, p.partition",
            (topics, partitions, befores, afters, group),
        )
        return {(topic, partition) for topic, partition in moved}

    def send(self, topic: str, messages: Sequence[tuple[bytes, bytes]]) -> None:
        """Put messages (key, value) in the outbox; they leave when this transaction commits.

        Many messages share a row, one a line: key, tab, value. Values are JSON, which holds no line break or tab.
        """
        for start in range(0, len(messages), MESSAGES_PER_ROW):
            part = messages[start : start + MESSAGES_PER_ROW]
            body = b"\n".join(key + b"\t" + value for key, value in part)
            self.execute("INSERT INTO ops.outbox (topic, messages) VALUES (%s, %b)", (topic, body))
        if messages and not self._woken:
            self.execute("SELECT pg_notify('outbox', '')")
            self._woken = True

    def outgoing(self, groups: Sequence[str], limit: int) -> list[Outgoing]:
        """The oldest rows of the outbox for these topic groups, in id order."""
        # Binary: as text PostgreSQL would send every byte as two hexadecimal digits.
        found = self.raw.execute(
            "SELECT outbox_id, topic, messages FROM ops.outbox WHERE split_part(topic, '.', 1) = ANY(%s)"
            " ORDER BY outbox_id LIMIT %s",
            (list(groups), limit),
            prepare=True,
            binary=True,
        )
        return [
            Outgoing(
                outbox_id,
                topic,
                [(k, v) for k, _, v in (line.partition(b"\t") for line in body.split(b"\n"))],
            )
            for outbox_id, topic, body in found
        ]

    def sent(self, outbox_ids: Sequence[int]) -> None:
        """Forget rows that Kafka acknowledged."""
        if outbox_ids:
            self.execute("DELETE FROM ops.outbox WHERE outbox_id = ANY(%s)", (list(outbox_ids),))

    def park(self, group: str, letter: Letter, error: str) -> None:
        """Set a message of ours aside by its coordinates, with the kind of error only."""
        self.execute(
            'INSERT INTO ops.parked (group_name, topic, partition, "offset", number, error) VALUES (%s, %s, %s, %s, %s, %s)'
            " ON CONFLICT DO NOTHING",
            (group, letter.topic, letter.partition, letter.offset, letter.number, error),
        )

    def locks(self, kind: int, keys: Sequence[int]) -> None:
        """Take one advisory lock per key until the transaction ends, in ascending order so that none can deadlock."""
        self.execute(
            "SELECT pg_advisory_xact_lock(%s, key) FROM unnest(%s::int[]) AS key",
            (kind, numbers(sorted(set(keys)))),
        )


def _rest(_: object, record: ConnectionPoolEntry) -> None:
    record.info[_RESTS] = time.monotonic()


class Store:
    """A pool of connections for one login role."""

    def __init__(self, url: str, pool_size: int = 2) -> None:
        self._engine = create_engine(driver_url(url), pool_size=pool_size, max_overflow=8)
        event.listen(self._engine, "checkin", _rest)
        event.listen(self._engine, "checkout", self._wake)

    def _wake(self, raw: Any, record: ConnectionPoolEntry, _: object) -> None:
        """Ask a connection that rested whether it is still there; all are made anew when it is not."""
        if time.monotonic() - record.info.get(_RESTS, math.inf) > _RESTED_S:
            try:
                self._engine.dialect.do_ping(raw)
            except psycopg.Error as error:
                raise InvalidatePoolError() from error

    @contextmanager
    def transaction(self) -> Iterator[Tx]:
        """All or nothing. Raises `StoreUnavailable` for what may pass by itself, or when somebody mends it."""
        with refusals(), self._engine.connect() as connection:
            remembered = connection.info
            try:
                with connection.begin():
                    yield Tx(connection)
            except BaseException:
                remembered.pop(_STAGES, None)
                raise

    def check_schema(self) -> None:
        """Raises `SchemaIsOld` when migrations are missing or from a newer version."""
        with self.transaction() as tx:
            # Asked first: selecting from a table that is not there would end the transaction with an error of its own.
            made = tx.rows("SELECT to_regclass('public.alembic_version') IS NOT NULL")[0][0]
            found = tx.rows("SELECT version_num FROM public.alembic_version") if made else []
        if not found or found[0][0] != HEAD:
            raise SchemaIsOld()

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()

    @contextmanager
    def only_one(self, number: int) -> Iterator[Callable[[], bool]]:
        """Within the block, a function that says whether this process is the one of all that hold this number.

        It is asked again and again: the lock is the session's, so who asks notices when the session broke. Raises
        `StoreUnavailable`.
        """
        with refusals(), self.listen() as session:
            held = False

            def mine() -> bool:
                nonlocal held
                if held:
                    session.execute("SELECT 1")
                else:
                    found = session.execute("SELECT pg_try_advisory_lock(%s)", (number,)).fetchone()
                    held = found is not None and bool(found[0])
                return held

            yield mine

    def listen(self) -> psycopg.Connection[TupleRow]:
        """A connection of its own, outside the pool, in autocommit: for LISTEN and session locks."""
        url = self._engine.url.set(drivername="postgresql")
        with refusals():
            return psycopg.connect(url.render_as_string(hide_password=False), autocommit=True)
