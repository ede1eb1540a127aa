"""How long answers that tell who somebody is are kept: until the claim is closed, and some months at most."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, func, insert, or_, select, update

from forms.personal import DELETED, bare, emptied, put
from records.access import Access, Right
from records.audit import note
from records.models import DraftSubmission, Feed, IncidentLink, KeptAside, Submission, SubmissionVersion
from records.models.base import Moment
from records.orphans import ERASED
from records.personal import open_contact, open_xml, seal_xml
from records.store import Store, vault_of

CLOSED = frozenset({"paid", "rejected", "withdrawn", "expired"})
"""Claims of which nothing more is expected, by their status in the form compensation_followup."""
_MONTH = timedelta(days=365.25 / 12)
_PAGE = 25
_KEY = ("project_id", "form_id", "instance_id", "sha256")


@dataclass(slots=True)
class Dropped:
    """How many contents of records were emptied, and how many records of trials and things kept aside deleted."""

    versions: int = 0
    drafts: int = 0
    aside: int = 0
    digests: list[str] = field(default_factory=list)
    """Of files that may go with them."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """How many records of a project have contacts, and when the next of them go at the latest; None when there are none."""

    records: int
    next_at: datetime | None


def outlook(connection: Connection, access: Access, *, months: int) -> Outlook:
    """What the schedule will find. Raises `Problem("not_allowed")`."""
    access.require(Right.CONTACT)
    version = SubmissionVersion
    kept = select(version.form_id, version.root_id, func.min(version.received_at).label("first"))
    kept = kept.where(version.project_id == access.project_id, version.contact_paths.is_not(None))
    found = kept.group_by(version.form_id, version.root_id).subquery()
    row = connection.execute(select(func.count(), func.min(found.c.first, type_=Moment)).select_from(found)).one()
    return Outlook(row[0], None if row[1] is None else row[1] + months * _MONTH)


def drop_due(store: Store, *, months: int, now: datetime, actor: str) -> Dropped:
    """Delete the contacts whose time is over, in every version of their records; the log has a line with their number.

    A claim that was closed ends the time of all reports of its incident. Whoever calls takes the files off the disk
    (`records.orphans`). Raises `Problem("personal_key_missing")`.
    """
    before = now - months * _MONTH
    done = Dropped()
    with store.read() as connection:
        due = _due(connection, before)
    for start in range(0, len(due), _PAGE):
        page = due[start : start + _PAGE]
        done.versions += store.write(lambda connection, page=page: _drop(connection, page, now, actor))  # type: ignore[misc]
    store.write(lambda connection: _forget(connection, before, done))
    if done.versions or done.drafts or done.aside:
        store.tidy()
    return done


def _forget(connection: Connection, before: datetime, done: Dropped) -> None:
    """Delete what nobody has read for so long: records of trials, and what was refused (the phone that sent it was told so)."""
    drafts = delete(DraftSubmission).where(DraftSubmission.received_at < before).returning(DraftSubmission.files)
    aside = delete(KeptAside).where(KeptAside.last_at < before, KeptAside.reason != ERASED)
    trials = connection.execute(drafts).scalars().all()
    refused = connection.execute(aside.returning(KeptAside.sha256, KeptAside.files)).all()
    done.drafts, done.aside = len(trials), len(refused)
    done.digests = [file["sha256"] for files in trials for file in files]
    done.digests += [sha256 for row in refused for sha256 in (row.sha256, *(file[-1] for file in row.files))]


def _due(connection: Connection, before: datetime) -> Sequence[Row[Any]]:
    """The keys of versions whose contacts are to go."""
    version = SubmissionVersion
    columns = [getattr(version, name) for name in (*_KEY, "root_id", "received_at")]
    rows = connection.execute(select(*columns).where(version.contact_paths.is_not(None))).all()
    closed = _reports_of_closed_claims(connection) if rows else set()
    return [row for row in rows if row.received_at < before or (row.project_id, row.form_id, row.root_id) in closed]


def _reports_of_closed_claims(connection: Connection) -> set[tuple[int, str, str]]:
    """The reports of every incident whose claim is closed, by what the latest visit about it says."""
    of_visit = and_(
        *(getattr(IncidentLink, name) == getattr(Submission, name) for name in ("project_id", "form_id", "instance_id")),
        IncidentLink.role == "compensation",
        IncidentLink.incident_id.is_not(None),
    )
    visits = (
        select(IncidentLink.project_id, IncidentLink.incident_id, Submission.answers)
        .join(Submission, of_visit)
        .where(Submission.deleted_at.is_(None), Submission.review_state != "rejected")
        .order_by(Submission.received_at, Submission.instance_id)
    )
    latest = {(row.project_id, row.incident_id): row.answers.get("status") for row in connection.execute(visits)}
    incidents = [key for key, status in latest.items() if status in CLOSED]
    found: set[tuple[int, str, str]] = set()
    for project_id, incident_id in incidents:
        reports = select(IncidentLink.form_id, IncidentLink.instance_id)
        reports = reports.where(IncidentLink.project_id == project_id, IncidentLink.role == "report")
        named = or_(IncidentLink.incident_id == incident_id, IncidentLink.instance_id == incident_id)
        found |= {(project_id, row.form_id, row.instance_id) for row in connection.execute(reports.where(named))}
    return found


def _drop(connection: Connection, versions: Sequence[Row[Any]], now: datetime, actor: str) -> int:
    """Empty these versions, and the records of which they are the current content; how many were not empty."""
    vault = vault_of(connection)
    counts: dict[int, int] = {}
    for each in versions:
        key = {name: getattr(each, name) for name in _KEY}
        row = connection.execute(select(*SubmissionVersion.__table__.columns).filter_by(**key).with_for_update()).one()
        if row.contact_paths is None:
            continue
        xml = seal_xml(vault, key, emptied(open_xml(vault, row), row.contact_paths))
        values = {"xml": xml, "contact_paths": None, "redacted_at": now}
        connection.execute(update(SubmissionVersion).filter_by(**key).values(values))
        connection.execute(insert(Feed).values(kind="redaction", **key))
        _empty_record(connection, row)
        counts[row.project_id] = counts.get(row.project_id, 0) + 1
    for project_id, count in counts.items():
        note(connection, "personal.drop", "", actor=actor, project_id=project_id, versions=count)
    return sum(counts.values())


def _empty_record(connection: Connection, version: Row[Any]) -> None:
    record = {"project_id": version.project_id, "form_id": version.form_id, "instance_id": version.root_id}
    current = {"current_instance_id": version.instance_id, "current_sha256": version.sha256}
    query = select(*Submission.__table__.columns).filter_by(**record, **current)
    row = connection.execute(query.with_for_update()).first()
    if row is None:
        return
    told = open_contact(vault_of(connection), row)
    for each in told:
        put(row.answers, each.path, DELETED)
    name = DELETED if any(bare(each.path).endswith("instanceName") for each in told) else row.instance_name
    connection.execute(update(Submission).filter_by(**record).values(answers=row.answers, instance_name=name, contact=None))
