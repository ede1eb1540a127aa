"""The doctor: every trouble is named with its remedy, and health is told as health."""

import shutil
from collections import namedtuple
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, text

from records import export_runs
from records.blobs import BlobStore
from records.models import Attachment
from records.store import Store
from server.commands import doctor
from tests.support.commands import Run

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def healthy(cli: Run) -> Run:
    cli("account", "add", "admin", "--role", "administrator", "--password", "a long pass phrase")
    return cli


def remedies(run: Run, **environ: str) -> str:
    result = run("doctor", **environ)
    assert result.exit_code == 1, result.output
    return result.output


def test_a_healthy_server_is_told_to_be_healthy(healthy: Run) -> None:
    result = healthy("doctor")
    assert result.exit_code == 0, result.output
    assert "✗" not in result.output
    for subject in ("Settings", "Disk", "Clock", "Address for phones", "Database", "Records", "Administrators", "Exports", "Files"):
        assert f"✓ {subject}" in result.output


def test_wrong_settings_are_told(cli: Run) -> None:
    assert "TULLIANA_PORT" in remedies(cli, TULLIANA_PORT="x")


def test_an_address_only_this_machine_can_reach_is_told(healthy: Run) -> None:
    assert "✗ Address for phones" in remedies(healthy, TULLIANA_PUBLIC_URL="http://localhost:8080")


def test_nobody_to_sign_in_is_told(cli: Run) -> None:
    assert "tulliana account add" in remedies(cli)


def test_a_disk_almost_full_is_told(healthy: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**11, 10**11, 5 * 10**8))
    assert "✗ Disk: 0.5 GB free" in remedies(healthy)


def test_a_clock_from_before_this_program_is_told(healthy: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_MADE", datetime.now(UTC) + timedelta(days=1))
    assert "✗ Clock" in remedies(healthy)


def test_tables_of_another_time_are_told(healthy: Run, store: Store) -> None:
    store.write(lambda connection: connection.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    assert "✗ Database" in remedies(healthy)


def test_a_file_that_is_missing_or_cut_is_told(healthy: Run, store: Store, tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path / "data" / "blobs", store.vault)
    blob = blobs.put(b"photo", sealed=True)
    key = {"project_id": 1, "form_id": "f", "instance_id": "i", "name": "a.jpg"}
    row = {**key, "sha256": blob.sha256, "md5": blob.md5, "size": 5, "content_type": "image/jpeg", "received_at": datetime.now(UTC)}
    store.write(lambda connection: connection.execute(insert(Attachment).values(row)))
    assert healthy("doctor").exit_code == 0
    blobs.path(blob.sha256).write_bytes(blobs.path(blob.sha256).read_bytes()[:-1])
    assert f"Restore from a backup: {blob.sha256}" in remedies(healthy)
    blobs.path(blob.sha256).unlink()
    assert "1 missing or cut" in remedies(healthy)


def test_a_failed_export_is_told_with_its_reason(healthy: Run, store: Store) -> None:
    now = datetime.now(UTC)

    def fail(connection: object) -> None:
        run_id = export_runs.claim(connection, 1, "hotspots-public", now, origin="schedule", now=now)  # type: ignore[arg-type]
        assert run_id is not None
        export_runs.fail(connection, run_id, "The grid is missing.", now=now)  # type: ignore[arg-type]

    store.write(fail)
    assert "The grid is missing." in remedies(healthy)


def test_a_slot_is_claimed_once_on_every_database(store: Store) -> None:
    now = datetime.now(UTC)

    def claim() -> int | None:
        return store.write(lambda connection: export_runs.claim(connection, 1, "hotspots-public", now, origin="schedule", now=now))

    assert [claim() is None for _ in range(3)] == [False, True, True]


def test_a_damaged_database_file_is_told(healthy: Run, database_url: str) -> None:
    if not database_url.startswith("sqlite"):
        assert "Database file" not in healthy("doctor").output  # PostgreSQL looks after its own files
        return
    path = Path(database_url.removeprefix("sqlite:///"))
    data = bytearray(path.read_bytes())
    for page in range(8, len(data) // 4096):
        data[page * 4096 : page * 4096 + 200] = b"\xff" * 200
    path.write_bytes(data)
    assert "restore a backup" in remedies(healthy)
