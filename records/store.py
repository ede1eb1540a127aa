"""The database, and the one write seam: `store.write(work)` returns when the work is on disk.

SQLite has one writer thread that commits in groups: whatever waits while one commit is being synced shares the next. PostgreSQL
runs the work in a transaction of its own. Work is a function of a connection; it may run twice, so it must have no other effect.
"""

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from select import select as select_ready
from typing import Any, TypeVar

import orjson
from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    ColumnElement,
    Connection,
    Engine,
    Insert,
    String,
    any_,
    bindparam,
    create_engine,
    event,
    func,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DatabaseError, DBAPIError, DisconnectionError, OperationalError
from sqlalchemy.orm import InstrumentedAttribute

from forms.problems import Problem
from records.models import Base
from records.turnstile import Turnstile
from records.vault import Vault

Result = TypeVar("Result")
Work = Callable[[Connection], Result]
GROUP_SIZE = 256
_ATTEMPTS = 5
_FORM_KEY = func.hashtextextended(bindparam("form_id", type_=String), bindparam("project_id", type_=BigInteger))
_ALONE, _SHARED = select(func.pg_advisory_xact_lock(_FORM_KEY)), select(func.pg_advisory_xact_lock_shared(_FORM_KEY))
_RETRYABLE = {"40001", "40P01", "23505"}  # PostgreSQL: serialization failure, deadlock, somebody was quicker (unique key)


def engine_options() -> dict[str, Any]:
    """How every engine of ours is made, whoever makes it."""
    return {
        "json_serializer": lambda value: orjson.dumps(value).decode(),
        "json_deserializer": orjson.loads,
        "hide_parameters": True,  # errors are logged, answers are not
        "pool_size": 32,
        "max_overflow": 32,
    }


def open_engine(url: str) -> Engine:
    """An engine for this database address, ready for `Store`."""
    engine = create_engine(url, **engine_options())
    prepare_engine(engine)
    return engine


def prepare_engine(engine: Engine) -> None:
    """On SQLite: write-ahead log, full synchronisation (a commit is on disk), foreign keys, transactions begun by us, and what is
    deleted is overwritten.

    On PostgreSQL: a connection that the server closed meanwhile, by a restart say, is replaced before anybody gets it.
    """
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "checkout", _replace_closed)


def _replace_closed(connection: Any, *_: Any) -> None:
    """An idle connection has nothing to read but its end; looking costs no round trip."""
    if select_ready([connection.fileno()], [], [], 0)[0]:
        raise DisconnectionError


def _begin_sqlite(connection: Connection) -> None:
    begin = connection.get_execution_options().get("begin")
    if begin:  # else every statement stands alone, which is all that `Store.read` promises
        connection.exec_driver_sql(begin)


def _prepare_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None
    for pragma in (
        "busy_timeout=30000",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "wal_autocheckpoint=8000",
        "secure_delete=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


class Store:
    """Reads anywhere, writes through one seam. In a server the writer passes the same turnstile as the requests.

    `vault` seals and opens what tells who somebody is; whoever has a connection finds it by `vault_of`.
    """

    def __init__(self, engine: Engine, turnstile: Turnstile | None = None, vault: Vault | None = None) -> None:
        self.engine = engine
        self.vault = vault or Vault()
        engine.update_execution_options(vault=self.vault)
        self.is_sqlite = engine.dialect.name == "sqlite"
        self._reader = engine if self.is_sqlite else engine.execution_options(isolation_level="AUTOCOMMIT")  # saves two round trips
        self._writer = _GroupWriter(engine, turnstile or Turnstile(1)) if self.is_sqlite else None

    def write(self, work: Work[Result]) -> Result:
        """Run `work` in a transaction; its result, after COMMIT. Raises `Problem` busy or disk_full, or what the work raised."""
        with _translated():
            return self._writer.write(work) if self._writer else self._write_inline(work)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for reading; every statement sees one consistent state."""
        with _translated(), self._reader.connect() as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A connection whose statements all see the same consistent state, for reading that takes several."""
        options = {"begin": "BEGIN"} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        with _translated(), self.engine.connect() as connection:
            yield connection.execution_options(**options)

    def rebuild(self, work: Work[Result]) -> Result:
        """Run `work` that changes tables, in one transaction; nobody else may write meanwhile.

        SQLite changes most things by making the table anew, which foreign keys would forbid: they are checked at the end.
        """
        with _translated(), self.engine.connect() as connection:
            if not self.is_sqlite:
                with connection.begin():
                    return work(connection)
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF").close()
            connection.commit()
            try:
                with connection.execution_options(begin="BEGIN IMMEDIATE").begin():
                    result = work(connection)
                    if broken := connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                        raise RuntimeError(f"A row of {broken[0]} would refer to nothing.")
                return result
            finally:
                connection.execution_options(begin=None).exec_driver_sql("PRAGMA foreign_keys=ON").close()

    def tidy(self) -> None:
        """Let go of what was deleted: SQLite has overwritten it in its file, not in its log; PostgreSQL may now write over it."""
        with self.read() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)" if self.is_sqlite else "VACUUM").close()

    def compact(self) -> None:
        """Write the database anew without what was deleted or replaced: until then its bytes may still stand in the file."""
        with self.read() as connection:
            connection.exec_driver_sql("VACUUM" if self.is_sqlite else "VACUUM (FULL)").close()
            if self.is_sqlite:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").close()

    def close(self) -> None:
        """Finish what waits, then let go of the database."""
        if self._writer:
            self._writer.close()
        self.engine.dispose()

    def _write_inline(self, work: Work[Result]) -> Result:
        attempts = 1
        while True:
            try:
                with self.engine.begin() as connection:
                    return work(connection)
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) not in _RETRYABLE or attempts == _ATTEMPTS:
                    raise
            attempts += 1


def vault_of(connection: Connection) -> Vault:
    """The vault of the store that this connection is from."""
    vault: Vault = connection.get_execution_options()["vault"]
    return vault


def insert_new(connection: Connection, model: type[Base]) -> Insert:
    """An INSERT that does nothing when any unique key is taken; the row count tells which."""
    return _insert_new(connection.dialect.name, model)


@lru_cache
def _insert_new(dialect: str, model: type[Base]) -> Insert:
    kind = sqlite.insert if dialect == "sqlite" else postgresql.insert
    new: Insert = kind(model).on_conflict_do_nothing().inline()
    return new.execution_options(preserve_rowcount=True)  # a closed cursor or RETURNING would hide the count


def is_among(dialect: str, column: InstrumentedAttribute[Any], name: str) -> ColumnElement[bool]:
    """Whether a column holds one of the texts in the parameter of this name, a list.

    With IN and a list, SQLAlchemy writes the statement anew each time.
    """
    if dialect == "postgresql":
        return column == any_(bindparam(name, type_=ARRAY(String)))
    return column.in_(select(func.json_each(bindparam(name, type_=JSON)).table_valued("value").c.value))


def lock_form(connection: Connection, project_id: int, form_id: str, *, alone: bool) -> None:
    """On PostgreSQL, until the end of the work: whoever changes chains of a form's records comes alone, plain records share.

    SQLite has one writer.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(_ALONE if alone else _SHARED, {"project_id": project_id, "form_id": form_id})


class _Unit:
    """One piece of work on its way through the writer. `done` is held until there is a result or an error."""

    __slots__ = ("done", "error", "result", "work")

    def __init__(self, work: Work[Any]) -> None:
        self.work = work
        self.result: Any = None
        self.error: BaseException | None = None
        self.done = threading.Lock()
        self.done.acquire()


class _GroupWriter:
    """The one thread that writes to SQLite."""

    def __init__(self, engine: Engine, turnstile: Turnstile) -> None:
        self._engine = engine
        self._turnstile = turnstile
        self._queue: queue.SimpleQueue[_Unit | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False

    def write(self, work: Work[Result]) -> Result:
        unit = _Unit(work)
        with self._lock:
            if self._closed:
                raise Problem("busy", "The server is stopping.")
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
                self._thread.start()
            self._queue.put(unit)
        with self._turnstile.outside():
            unit.done.acquire()
        if unit.error is not None:
            raise unit.error
        result: Result = unit.result
        return result

    def close(self) -> None:
        with self._lock:
            self._closed = True
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            group = [first]
            stopping = False
            while len(group) < GROUP_SIZE and not self._queue.empty():
                if (item := self._queue.get()) is None:
                    stopping = True
                    break
                group.append(item)
            self._commit(group)
            if stopping:
                return

    def _commit(self, group: list[_Unit]) -> None:
        """One COMMIT for all; if anything fails, nothing of it happened and each runs alone, so that only the faulty one fails."""
        try:
            self._run_together(group)
        except BaseException as error:
            if len(group) > 1:
                for unit in group:
                    self._commit([unit])
                return
            group[0].error = error
        for unit in group:
            unit.done.release()

    def _run_together(self, group: list[_Unit]) -> None:
        with self._turnstile.inside(), self._engine.connect() as connection:
            with self._turnstile.outside():
                transaction = connection.execution_options(begin="BEGIN IMMEDIATE").begin()
            with transaction:
                for unit in group:
                    unit.result = unit.work(connection)
                with self._turnstile.outside():
                    transaction.commit()


@contextmanager
def _translated() -> Iterator[None]:
    """Database troubles that a person can mend, as problems."""
    try:
        yield
    except OperationalError as error:
        text = str(error.orig).lower()
        if "full" in text or "no space" in text:
            raise Problem("disk_full") from error
        raise Problem("busy", str(error.orig)) from error
    except DatabaseError as error:
        if type(error) is not DatabaseError:  # its subclasses are faults of ours
            raise
        raise Problem(
            "busy", str(error.orig), hint="The database file is damaged: stop the server and restore a backup."
        ) from error
