"""The write seam: when it returns the work is on disk; one faulty piece of work harms no other; troubles come as problems."""

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, func, insert, select, text
from sqlalchemy.exc import IntegrityError

from forms.problems import Problem
from records.models import Account, Attachment, AuditEvent
from records.store import GROUP_SIZE, Store, insert_new, open_engine

ROOT = Path(__file__).parents[2]


def account(name: str) -> dict[str, object]:
    return {"name": name, "is_administrator": False, "password_hash": "x", "created_at": func.current_timestamp()}


def add(name: str, result: object = None) -> Callable[[Connection], object]:
    def work(connection: Connection) -> object:
        connection.execute(insert(Account).values(account(name)))
        return result

    return work


def names(store: Store) -> list[str]:
    with store.read() as connection:
        return list(connection.execute(select(Account.name).order_by(Account.name)).scalars())


class Gate:
    """Holds the writer until as many callers as wanted wait behind it, so that they form one group."""

    def __init__(self) -> None:
        self.begun, self.open = threading.Event(), threading.Event()

    def __call__(self, _: Connection) -> None:
        self.begun.set()
        assert self.open.wait(30)


def in_one_group(store: Store, works: list[Callable[[Connection], object]]) -> list[object]:
    """Run these together behind a gate; results or exceptions in the order given."""
    gate = Gate()
    with ThreadPoolExecutor(len(works) + 1) as pool:
        first = pool.submit(store.write, gate)
        assert gate.begun.wait(30)
        futures = [pool.submit(store.write, work) for work in works]
        while store._writer is not None and store._writer._queue.qsize() < len(works):
            threading.Event().wait(0.001)
        gate.open.set()
        first.result(30)
        return [future.exception(30) or future.result(30) for future in futures]


def test_work_is_done_when_write_returns_and_its_result_comes_back(store: Store, database_url: str) -> None:
    assert store.write(add("a", "result")) == "result"
    other = Store(open_engine(database_url))
    assert names(other) == ["a"]
    other.close()


def test_each_of_many_callers_gets_its_own_result(store: Store) -> None:
    with ThreadPoolExecutor(32) as pool:
        futures = {f"name {number:03}": pool.submit(store.write, add(f"name {number:03}", number)) for number in range(200)}
        assert [future.result() for future in futures.values()] == list(range(200))
    assert names(store) == sorted(futures)


def test_work_that_fails_undoes_itself_and_raises_at_its_caller(store: Store) -> None:
    def faulty(connection: Connection) -> None:
        connection.execute(insert(Account).values(account("half done")))
        raise LookupError("on the way")

    with pytest.raises(LookupError, match="on the way"):
        store.write(faulty)
    store.write(add("after"))
    assert names(store) == ["after"]


def test_a_problem_raised_by_work_comes_through(store: Store) -> None:
    def refuse(_: Connection) -> None:
        raise Problem("name_taken", "this one")

    with pytest.raises(Problem, match="this one"):
        store.write(refuse)


def test_one_faulty_piece_of_work_in_a_group_harms_no_other(sqlite_store: Store) -> None:
    def faulty(connection: Connection) -> None:
        connection.execute(insert(Account).values(account("half done")))
        raise LookupError("on the way")

    works = [add(f"name {number}", number) for number in range(9)]
    results = in_one_group(sqlite_store, [*works[:4], faulty, *works[4:], add("name 3")])
    assert results[:4] == [0, 1, 2, 3]
    assert isinstance(results[4], LookupError)
    assert results[5:10] == [4, 5, 6, 7, 8]
    assert isinstance(results[10], IntegrityError)
    assert names(sqlite_store) == [f"name {number}" for number in range(9)]


def test_what_waits_together_shares_one_commit(sqlite_store: Store) -> None:
    commits = []
    event.listen(sqlite_store.engine, "commit", lambda _: commits.append(1))
    results = in_one_group(sqlite_store, [add(f"name {number}", number) for number in range(50)])
    assert results == list(range(50))
    assert len(commits) == 2  # the gate's own, and one for all
    assert GROUP_SIZE > 50


def test_closing_finishes_what_waits_and_then_refuses(sqlite_store: Store) -> None:
    gate = Gate()
    with ThreadPoolExecutor(12) as pool:
        pool.submit(sqlite_store.write, gate)
        assert gate.begun.wait(30)
        futures = [pool.submit(sqlite_store.write, add(f"name {number}", number)) for number in range(10)]
        while sqlite_store._writer is not None and sqlite_store._writer._queue.qsize() < 10:
            threading.Event().wait(0.001)
        closing = pool.submit(sqlite_store.close)
        gate.open.set()
        assert [future.result(30) for future in futures] == list(range(10))
        closing.result(30)
    with pytest.raises(Problem) as caught:
        sqlite_store.write(add("too late"))
    assert caught.value.kind.code == "busy"
    sqlite_store.close()  # twice is once


def test_sqlite_is_set_up_so_that_a_commit_is_on_disk(sqlite_store: Store) -> None:
    with sqlite_store.read() as connection:
        found = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_foreign_keys_are_held(store: Store) -> None:
    with pytest.raises(IntegrityError):
        store.write(
            lambda connection: connection.execute(
                text(
                    "INSERT INTO app_user (project_id, name, token_sha256, language, created_at)"
                    " VALUES (99, 'x', 'x', 'en', CURRENT_TIMESTAMP)"
                )
            )
        )


def test_a_snapshot_shows_one_state_while_others_write(store: Store) -> None:
    with store.snapshot() as connection:
        before = connection.execute(select(func.count(Account.id))).scalar()
        store.write(add("meanwhile"))
        assert connection.execute(select(func.count(Account.id))).scalar() == before == 0
    assert names(store) == ["meanwhile"]


def test_insert_new_tells_by_the_row_count_whether_it_was_there(store: Store) -> None:
    row = {"is_administrator": False, "password_hash": "x", "created_at": datetime.now(UTC)}

    def work(connection: Connection) -> list[int]:
        return [connection.execute(insert_new(connection, Account), {**row, "name": name}).rowcount for name in "aab"]

    assert store.write(work) == [1, 0, 1]
    key = {"project_id": 1, "form_id": "f", "instance_id": "i", "name": "a.jpg", "sha256": "0"}
    file = {**key, "md5": "0", "size": 0, "content_type": "image/jpeg", "received_at": datetime.now(UTC)}
    assert [
        store.write(lambda connection: connection.execute(insert_new(connection, Attachment), file).rowcount) for _ in "12"
    ] == [
        1,
        0,
    ]


def test_json_of_any_language_and_large_numbers_comes_back_as_it_went_in(store: Store) -> None:
    detail = {"فارسی": ["ZWNJ\u200cهم", None, 1.5, True, {"n": 2**63 - 1}], "emoji": "🐆"}
    event_row = {"at": func.current_timestamp(), "actor": "", "action": "x", "target": "", "detail": detail}
    store.write(lambda connection: connection.execute(insert(AuditEvent).values(event_row)))
    with store.read() as connection:
        assert connection.execute(select(AuditEvent.detail)).scalar_one() == detail


def test_a_full_disk_is_told_as_such(sqlite_store: Store) -> None:
    def limited(connection: Connection) -> None:
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
        connection.execute(text(f"PRAGMA max_page_count = {pages}"))
        for number in range(1000):
            connection.execute(insert(Account).values(account(f"{number}" * 100)))

    with pytest.raises(Problem) as caught:
        sqlite_store.write(limited)
    assert caught.value.kind.code == "disk_full"
    assert names(sqlite_store) == []


def test_a_row_that_only_speaks_of_full_is_no_full_disk(store: Store) -> None:
    store.write(add("full moon"))
    with pytest.raises(IntegrityError):
        store.write(add("full moon"))


def test_a_locked_database_is_told_as_busy(sqlite_store: Store, tmp_path: Path) -> None:
    @event.listens_for(sqlite_store.engine, "connect")
    def _(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA busy_timeout=10")

    other = sqlite3.connect(str(sqlite_store.engine.url.database), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Problem) as caught:
        sqlite_store.write(add("not now"))
    assert caught.value.kind.code == "busy"
    other.execute("ROLLBACK")
    other.close()
    sqlite_store.write(add("now"))
    assert names(sqlite_store) == ["now"]


def test_a_database_that_went_away_is_told_as_busy(postgres_store: Store) -> None:
    postgres_store.write(add("before"))
    with postgres_store.read() as connection:
        connection.execute(text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"))
    with pytest.raises(Problem) as caught, postgres_store.read() as connection:
        connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    assert caught.value.kind.code == "busy"
    postgres_store.write(add("after"))
    assert names(postgres_store) == ["after", "before"]


def test_a_transaction_that_lost_a_race_is_tried_again(postgres_store: Store) -> None:
    tries = []

    def work(connection: Connection) -> int:
        tries.append(1)
        connection.execute(insert(Account).values(account(f"try {len(tries)}")))
        if len(tries) < 3:
            connection.execute(text("DO $$ BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = '40001'; END $$"))
        return len(tries)

    assert postgres_store.write(work) == 3
    assert names(postgres_store) == ["try 3"]


def test_a_transaction_that_loses_every_race_is_told_as_busy(postgres_store: Store) -> None:
    def work(connection: Connection) -> None:
        connection.execute(text("DO $$ BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = '40P01'; END $$"))

    with pytest.raises(Problem) as caught:
        postgres_store.write(work)
    assert caught.value.kind.code == "busy"


WRITER = """
import sys
from sqlalchemy import func, insert
from records.models import Account
from records.store import Store, open_engine
store = Store(open_engine(sys.argv[1]))
for number in range(60):
    row = {"name": f"{sys.argv[2]} {number}", "password_hash": "x", "created_at": func.current_timestamp()}
    store.write(lambda connection: connection.execute(insert(Account).values(row)))
store.close()
"""


def test_two_processes_write_the_same_file(sqlite_store: Store) -> None:
    command = [sys.executable, "-c", WRITER, str(sqlite_store.engine.url)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    writers = [subprocess.Popen([*command, name], env=environment, stderr=subprocess.PIPE, cwd=ROOT) for name in ("a", "b")]
    assert [(writer.communicate(timeout=60)[1], writer.returncode) for writer in writers] == [(b"", 0)] * 2
    assert len(names(sqlite_store)) == 120


def test_a_connection_that_postgresql_closed_is_replaced_before_anybody_gets_it(postgres_store: Store) -> None:
    with postgres_store.read() as idle, postgres_store.read() as other:  # both go back to the pool
        victim = idle.execute(text("SELECT pg_backend_pid()")).scalar()
        assert other.execute(text("SELECT 1")).scalar() == 1
    with postgres_store.read() as one, postgres_store.read() as two:
        pids = [connection.execute(text("SELECT pg_backend_pid()")).scalar() for connection in (one, two)]
        assert victim in pids
        killer = two if pids[0] == victim else one
        assert killer.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": victim}).scalar()
    with postgres_store.read() as one, postgres_store.read() as two:
        assert one.execute(text("SELECT 1")).scalar() == two.execute(text("SELECT 1")).scalar() == 1
