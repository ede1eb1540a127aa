"""How people and forms name a report: by its instance id, that of a later version, its case number, or its entity."""

import re
from collections.abc import Sequence

from sqlalchemy import Connection, select

from forms.problems import Problem
from forms.spelling import ascii_digits, folded
from forms.submission import case_number
from records.access import Access, Right
from records.incidents.pairs import Record
from records.models import Entity, IncidentLink, Submission, SubmissionVersion

REPORT, INSTALLATION = "report", "installation"
BEGINNERS = {"conflict_livestock": REPORT, "mitigation_install": INSTALLATION}
"""The forms whose records others name, and the role these have."""
LISTS = {"conflict_livestock": "incidents", "mitigation_install": "installations"}
"""The lists that phones pick them from."""
_CASE_NUMBER = re.compile("[0-9a-f]{8}")


def case_key(instance_id: str) -> str:
    """A case number as compared."""
    return folded(case_number(instance_id))


def reference_key(text: str) -> str:
    """What a visit names, as compared: a case number, or an instance id without `uuid:`. Digits of any script."""
    number = folded(text)
    if _CASE_NUMBER.fullmatch(number):
        return number
    return ascii_digits(text).strip().lower().removeprefix("uuid:")


def waiting_keys(instance_id: str) -> Sequence[str]:
    """Under what a visit to this report may wait."""
    return case_key(instance_id), reference_key(instance_id)


def named_report(connection: Connection, project_id: int, form_id: str, text: str) -> str | None:
    """The instance id of the record of this form that is named so; None when it has not come, or when several share the number."""
    key = reference_key(text)
    if not key:
        return None
    if _CASE_NUMBER.fullmatch(key):
        known = select(IncidentLink.instance_id).filter_by(project_id=project_id, form_id=form_id, reference=key)
        found = connection.scalars(known.where(IncidentLink.role == BEGINNERS[form_id]).limit(2)).all()
        return found[0] if len(found) == 1 else None
    bare = ascii_digits(text).strip()
    ids = {spelled for each in (bare, bare.lower(), key, key.upper()) for spelled in (each, f"uuid:{each}")}
    version = select(SubmissionVersion.root_id).filter_by(project_id=project_id, form_id=form_id)
    roots = select(IncidentLink.instance_id).filter_by(project_id=project_id, form_id=form_id, role=BEGINNERS[form_id])
    roots = roots.where(
        IncidentLink.instance_id.in_([*ids, *connection.scalars(version.where(SubmissionVersion.instance_id.in_(ids)))])
    )
    return connection.scalars(roots.order_by(IncidentLink.instance_id)).first()


def listed_report(connection: Connection, project_id: int, form_id: str, uuid: str) -> str | None:
    """The same by the entity a phone picked from the list."""
    entity = select(Entity.data).filter_by(project_id=project_id, list_name=LISTS[form_id], uuid=uuid)
    data = connection.scalar(entity)
    return named_report(connection, project_id, form_id, str(data.get("report") or "")) if data else None


def find_report(connection: Connection, access: Access, text: str, form_id: str = "conflict_livestock") -> Record:
    """The report a person names by case number or id. Raises `Problem("submission_unknown")`, also for one they may not see."""
    access.require(Right.SEE)
    found = named_report(connection, access.project_id, form_id, text)
    mine = select(Submission.instance_id).where(*access.visible(with_deleted=True), Submission.form_id == form_id)
    if found is None or connection.scalar(mine.where(Submission.instance_id == found)) is None:
        raise Problem("submission_unknown", text.strip())
    return form_id, found
