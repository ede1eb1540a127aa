"""What stations erased and waits here for a person: which answers go, and what is left, before somebody agrees."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import func, select

from forms.datatypes import instant
from forms.definition import FormDefinition
from forms.personal import ERASED
from forms.problems import Problem
from forms.submission import identify
from forms.xml import local_name, parse_xml
from records.access import Access, Right
from records.forms import Schemas
from records.models import Attachment, RelayNode, RelayRecord, ReviewEvent, SubmissionVersion
from records.personal import open_xml
from records.store import Store
from sync.intake import read_answers
from sync.relay.settling import ASKED

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """An erasure that waits. `report` is the id of the record, `gone` are the questions whose answers change, `left` all answers
    that stay; `files` and `comments` go too.
    """

    id: str
    form_id: str
    report: str
    station: str
    erased_at: datetime | None
    definition: FormDefinition
    gone: list[Path]
    left: dict[str, Any]
    files: int
    comments: int


def asked(store: Store, schemas: Schemas, access: Access, record_id: str) -> Asked:
    """What would be erased here. Raises `Problem` not_found, not_allowed or personal_key_missing."""
    access.require(Right.CONTACT)
    row, version, event = RelayRecord, SubmissionVersion, ReviewEvent
    with store.read() as connection:
        query = select(*row.__table__.columns).filter_by(id=record_id, waiting=ASKED, project_id=access.project_id)
        found = connection.execute(query).first()
        if found is None or found.body is None:
            raise Problem("not_found", f"No erasure {record_id} waits.")
        of_form = {"project_id": found.project_id, "form_id": found.form_id}
        of_version = {**of_form, "instance_id": found.instance_id}
        here = connection.execute(select(*version.__table__.columns).filter_by(**of_version)).all()
        report = here[0].root_id if here else found.instance_id
        of_record = select(func.count()).select_from(event).filter_by(**of_form, instance_id=report)
        comments = connection.execute(of_record.where(event.comment.not_in(["", ERASED]))).scalar_one()
        files = connection.execute(select(func.count()).select_from(Attachment).filter_by(**of_version)).scalar_one()
        name = connection.execute(select(RelayNode.name).filter_by(id=found.origin)).scalar()
    left = store.vault.open(found.body, "relay", found.id)
    incoming = identify(left)
    schema, _ = schemas.get(found.project_id, found.form_id, incoming.version)
    gone = list(dict.fromkeys(path for each in here for path in _changed(open_xml(store.vault, each), left)))
    answers, at = read_answers(schema, incoming).answers, instant(str(orjson.loads(found.header).get("t", "")))
    return Asked(record_id, found.form_id, report, name or found.origin, at, schema.definition, gone, answers, files, comments)


def _changed(here: bytes, left: bytes) -> Iterator[Path]:
    """The questions whose answers are not the same in both."""
    for one, other in zip(parse_xml(here, lenient=True).iter("*"), parse_xml(left, lenient=True).iter("*"), strict=False):
        if (one.text or "").strip() != (other.text or "").strip():
            yield (*(local_name(each) for each in reversed(list(one.iterancestors())[:-1])), local_name(one))
