"""What a visit refers to: the report of an event or of an installation, also when the visit comes first."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, select, tuple_, update

from records.flag_kinds.incidents import AWAITED, MISSING
from records.flags import Flag, flag
from records.incidents.references import BEGINNERS, case_key, listed_report, named_report, reference_key, waiting_keys
from records.models import IncidentLink, Submission
from records.store import Store, insert_new

if TYPE_CHECKING:  # the checks import this room
    from sync.checks.case import Case

PATIENCE = timedelta(days=90)
"""How long a visit waits for its report before somebody is asked to look for it."""
_SHOWN = 60  # characters of a reference


class Visit(NamedTuple):
    """How a form names what it visits: its role, the form visited, and the paths of the number and of the entity picked."""

    role: str
    visited: str
    number: tuple[str, ...]
    entity: tuple[str, ...]


VISITS = {
    "conflict_verification": Visit("verification", "conflict_livestock", ("incident_ref",), ("incident",)),
    "compensation_followup": Visit("compensation", "conflict_livestock", ("incident_ref",), ("incident",)),
    "leopard_mortality": Visit("mortality", "conflict_livestock", ("conflict", "incident_ref"), ("conflict", "incident")),
    "mitigation_followup": Visit("followup", "mitigation_install", ("install_ref",), ("installation",)),
}
_WAITING = select(IncidentLink.form_id, IncidentLink.instance_id).where(
    IncidentLink.project_id == bindparam("project_id"),
    IncidentLink.reference.in_(bindparam("references", expanding=True)),
    IncidentLink.how == "reference",
)


def begin(connection: Connection, case: "Case") -> None:
    """Let a report, or an installation, be found by its case number; visits that waited for it are looked at again."""
    link = case.key | {
        "incident_id": case.instance_id,
        "role": BEGINNERS[case.form_id],
        "how": "own",
        "reference": case_key(case.instance_id),
    }
    if connection.execute(insert_new(connection, IncidentLink), link).rowcount:
        _look_again(connection, case.project_id, waiting_keys(case.instance_id))


def forget(connection: Connection, case: "Case") -> None:
    """A record that turned out to be a test names and is named no more."""
    if connection.execute(delete(IncidentLink).filter_by(**case.key)).rowcount and case.form_id in BEGINNERS:
        _look_again(connection, case.project_id, (case.instance_id,))


def refer(connection: Connection, case: "Case") -> Sequence[Flag]:
    """Link a visit to what it names; a flag while that is not here."""
    visit = VISITS[case.form_id]
    number, uuid = case.text(*visit.number), case.text(*visit.entity)
    if case.is_test or case.encrypted or not (number or uuid):
        forget(connection, case)
        return ()
    found = named_report(connection, case.project_id, visit.visited, number)
    if found is None and uuid:
        found = listed_report(connection, case.project_id, visit.visited, uuid)
    link: dict[str, Any] = case.key | {"role": visit.role, "how": "reference", "incident_id": None}
    link["reference"] = found or reference_key(number or uuid)[:249]
    if found is not None:
        named = {"project_id": case.project_id, "form_id": visit.visited, "instance_id": found}
        link["incident_id"] = connection.scalar(select(IncidentLink.incident_id).filter_by(**named))
    if connection.execute(insert_new(connection, IncidentLink), link).rowcount == 0:
        connection.execute(update(IncidentLink).filter_by(**case.key).values(link))
    if found is not None:
        return ()
    waits = datetime.now(UTC) - case.received_at < PATIENCE
    return (flag(AWAITED if waits else MISSING, "/".join(visit.number), reference=(number or uuid)[:_SHOWN]),)


def look_for_missing(store: Store) -> None:
    """Have the visits whose report has not come looked at again: it may be known by another name now, or is overdue."""
    waiting = select(IncidentLink.project_id, IncidentLink.form_id, IncidentLink.instance_id).where(
        IncidentLink.incident_id.is_(None)
    )
    key = tuple_(Submission.project_id, Submission.form_id, Submission.instance_id)
    store.write(lambda connection: connection.execute(update(Submission).where(key.in_(waiting)).values(checked=0)))


def _look_again(connection: Connection, project_id: int, references: Sequence[str]) -> None:
    for row in connection.execute(_WAITING, {"project_id": project_id, "references": list(references)}).all():
        visit = {"project_id": project_id, "form_id": row.form_id, "instance_id": row.instance_id}
        connection.execute(update(Submission).filter_by(**visit).values(checked=0))
