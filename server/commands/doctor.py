"""tulliana doctor: what is wrong, and how to mend it."""

import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import click
from sqlalchemy import Connection, Row, func, select, text

from forms.problems import Problem
from records import export_runs, keys, migrations, projects
from records.models import Account, AppUser, Attachment, Form, Submission, SubmissionVersion
from records.personal import open_xml
from server.certificate import RENEW_BEFORE, valid_until
from server.config import Config
from server.network import is_loopback, serving_url
from server.services import Services, standalone
from sync import sealing

_LOW_SPACE = 1_000_000_000
_MADE = datetime(2026, 11, 1, tzinfo=UTC)  # no clock can be before this program
_LOOKED_AT = 200


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `remedy` is empty when it is as it should be."""

    subject: str
    state: str
    remedy: str = ""


@click.command("doctor")
def command() -> None:
    """Say what is wrong and how to mend it. Exit code 1 when something is."""
    findings = list(_examine())
    for finding in findings:
        mark = "✗" if finding.remedy else "✓"
        click.echo(f"{mark} {finding.subject}: {finding.state}" + (f"\n    → {finding.remedy}" if finding.remedy else ""))
    if any(finding.remedy for finding in findings):
        sys.exit(1)


def _examine() -> Iterator[Finding]:
    try:
        config = Config.load()
        with standalone(config) as services:
            yield Finding("Settings", f"data in {config.data}")
            yield from _machine(config)
            yield from _database(services)
    except Problem as problem:
        yield Finding("Trouble", f"{problem.kind.title} {problem.detail}", problem.hint)


def _machine(config: Config) -> Iterator[Finding]:
    free = shutil.disk_usage(config.data).free
    yield Finding("Disk", f"{free / 1e9:.1f} GB free", "" if free > _LOW_SPACE else "Make room: below 1 GB photos may not fit.")
    clock = datetime.now(UTC)
    yield Finding("Clock", f"{clock:%Y-%m-%d %H:%M} UTC", "" if clock > _MADE else "The clock is wrong; set the date.")
    url = serving_url(config)
    remedy = "Connect to the Wi-Fi that the phones use and serve with --host 0.0.0.0, or set TULLIANA_PUBLIC_URL."
    yield Finding("Address for phones", url, remedy if is_loopback(url) else "")
    if url.startswith("https:"):
        yield _certificate(url)


def _certificate(url: str) -> Finding:
    try:
        end = valid_until(url)
    except OSError as error:
        return Finding("Certificate", str(error), "Phones would refuse this address: mend the certificate, or let them use http.")
    remedy = "Renew it: when it has ended, phones refuse the address. An http address keeps working."
    return Finding("Certificate", f"valid until {end:%Y-%m-%d %H:%M} UTC", "" if end > datetime.now(UTC) + RENEW_BEFORE else remedy)


def _database(services: Services) -> Iterator[Finding]:
    with services.store.read() as connection:
        revision, needed = migrations.current_revision(connection), migrations.newest_revision()
        kind = connection.dialect.name
        if revision != needed:
            yield Finding(
                "Database",
                f"{kind}, tables at {revision or 'none'}, needed {needed}",
                "Run: tulliana serve (it brings them up to date).",
            )
            return
        yield Finding("Database", kind)
        checks: list[Callable[[Connection], Finding]] = [_counts, _accounts, _exports]
        if kind == "sqlite":
            checks.insert(0, _integrity)
        yield from (check(connection) for check in checks)
        yield _files(services, connection)
        yield from _personal(services, connection)


def _integrity(connection: Connection) -> Finding:
    result = str(connection.execute(text("PRAGMA quick_check(1)")).scalar())
    return Finding("Database file", result, "" if result == "ok" else "The file is damaged: stop the server and restore a backup.")


def _counts(connection: Connection) -> Finding:
    count = {model: connection.execute(select(func.count()).select_from(model)).scalar() for model in (Form, AppUser, Submission)}
    hint = "" if count[AppUser] else " (add a phone: tulliana app-user add NAME)"
    return Finding("Records", f"{count[Form]} forms, {count[AppUser]} phones{hint}, {count[Submission]} records")


def _accounts(connection: Connection) -> Finding:
    names = connection.execute(select(Account.name).filter_by(is_administrator=True, closed_at=None)).scalars().all()
    return Finding(
        "Administrators", ", ".join(names) or "none", "" if names else "Run: tulliana account add NAME --role administrator"
    )


def _exports(connection: Connection) -> Finding:
    """The newest run of every export of every project: all should be done, and everybody told."""
    from exports.recipes import RECIPES

    found = [
        export_runs.listed(connection, each.id, name=name, limit=1) for each in projects.listed(connection) for name in RECIPES
    ]
    newest = [runs[0] for runs in found if runs]
    if not newest:
        return Finding("Exports", "none yet")
    last = max(newest, key=lambda run: run.slot)
    remedies = [remedy for run in newest if (remedy := _of_run(run))]
    state = f"last {last.name} at {last.slot:%Y-%m-%d %H:%M} UTC: {last.state}"
    return Finding(
        "Exports", f"{state}; {len(remedies)} of {len(newest)} in trouble" if remedies else state, "\n      ".join(remedies)
    )


def _of_run(run: Row[Any]) -> str:
    if run.state == "failed":
        again = f"tulliana --project {run.project_id} export run {run.name}"
        return f"{run.name} failed at {run.finished_at:%Y-%m-%d %H:%M} UTC: {run.error} Run it again: {again}"
    if run.state == "running" and datetime.now(UTC) - run.started_at > timedelta(hours=6):
        return f"{run.name} runs for more than six hours: restart the server."
    return f"{run.name}: {run.about['remark']}" if run.about.get("remark") else ""


def _files(services: Services, connection: Connection) -> Finding:
    """Whether the newest files are where they should be, in the size they should have."""
    newest = select(Attachment.sha256, Attachment.size).order_by(Attachment.received_at.desc()).limit(_LOOKED_AT)
    rows = connection.execute(newest).all()
    missing = [row.sha256 for row in rows if not _is_whole(services, row.sha256, row.size)]
    remedy = f"Restore from a backup: {', '.join(missing[:3])}" if missing else ""
    return Finding("Files", f"{len(rows)} newest looked at, {len(missing)} missing or cut", remedy)


def _personal(services: Services, connection: Connection) -> Iterator[Finding]:
    """Whether the key of personal data is here, ours alone, and opens what is sealed."""
    path, at_hand = services.config.key_file, services.store.vault.key_ids
    lost = [key_id for key_id in keys.known(connection) if key_id not in at_hand]
    if lost and not at_hand:
        remedy = "Put it back from where you keep its copy. Records are taken in and sealed, but nobody can read names or files."
        yield Finding("Key of personal data", f"missing: {path}", remedy)
        return
    if not at_hand:
        yield Finding("Key of personal data", "not made yet (tulliana serve makes it)")
        return
    is_open = path.stat().st_mode & 0o077
    remedy = f"Others on this machine can read it. Run: chmod 600 {path}" if is_open else ""
    yield Finding("Key of personal data", f"{at_hand[0]} in {path}; the backup needs a copy of it, apart from the database", remedy)
    yield _sample(services, connection)
    if sealing.is_due(connection):
        yield Finding("Sealing", "not finished; the server goes on with it (or run: tulliana personal seal)")


def _sample(services: Services, connection: Connection) -> Finding:
    """Whether the newest records and files can be opened."""
    versions = connection.execute(
        select(SubmissionVersion.__table__).order_by(SubmissionVersion.received_at.desc()).limit(20)
    ).all()
    files = connection.execute(select(Attachment.sha256).order_by(Attachment.received_at.desc()).limit(5)).scalars()
    remedy = ""
    try:
        for version in versions:
            open_xml(services.store.vault, version)
        for sha256 in files:
            if services.blobs.has(sha256):
                services.blobs.open(sha256).close()
    except Problem as problem:
        remedy = f"{problem.detail} {problem.hint}"
    return Finding("Sealed records", f"{len(versions)} newest opened" if not remedy else "cannot be opened", remedy)


def _is_whole(services: Services, sha256: str, size: int) -> bool:
    try:
        return services.blobs.size(sha256) == size
    except Problem:
        return False
