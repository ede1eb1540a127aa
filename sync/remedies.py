"""What a person can do about a record in quarantine, beyond accepting it: judge it by another version of its form, take the other
of two contents, keep both as records of their own.

Nothing is merged away: every version that arrived stays, and each step is a review event.
"""

import uuid
from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, insert, select, update

from forms.problems import Problem
from forms.submission import identify
from records import reviews
from records.access import Access
from records.flags import flag, flag_columns
from records.models import Attachment, Submission, SubmissionVersion
from records.personal import open_xml
from records.reviews import Review
from records.store import Store, vault_of
from sync import entities
from sync.delivery import same_name
from sync.fold import OF_THE_RECORD
from sync.intake import Intake, file_flags, kind_flags, read_answers, reading_flags, state_of

REMEDIES: dict[str, tuple[str, ...]] = {
    "unknown_version": ("accept", "attach", "return"),
    "instance_conflict": ("accept", "take", "split"),
    "edit_conflict": ("accept", "take", "split"),
    "edit_before_original": ("accept",),
    "after_delete": ("accept", "restore"),
}
"""What can be done about a flag, by its code. Every other flag can be accepted, or the record returned to its reporter."""
ANY_FLAG = ("accept", "return")
_NAMESPACE = uuid.UUID("0b6a3a36-3f7e-4c3c-8d0a-6f3a0e2c9d11")
_CONFLICTS = {"instance_conflict", "edit_conflict"}


def review(store: Store, access: Access, form_id: str, instance_id: str, state: str, comment: str = "") -> None:
    """Give a record a review state; what it asked of a list that waits for approval is done with it.

    Raises `Problem` value_invalid, submission_unknown or not_allowed.
    """
    reviews.set_state(store, access, form_id, instance_id, state, comment)
    entities.settle_waiting(store, access.project_id)


def attach(store: Store, intake: Intake, access: Access, form_id: str, instance_id: str, version: str, comment: str = "") -> None:
    """Judge a record by this version of its form. Raises `Problem` value_invalid for a version that was never published here."""
    if not intake.schemas.get(access.project_id, form_id, version)[1]:
        raise Problem("value_invalid", f"Version {version} of {form_id} was never published here.")

    def work(connection: Connection) -> None:
        review = Review(connection, access, form_id, instance_id)
        state = _judged(connection, intake, access, _version(connection, review, review.record.current_sha256), by=version)
        review.update(**_with_flags(state, review, {*OF_THE_RECORD, "unknown_version"}))
        review.settle({"unknown_version"}, "attach", comment, version=version)

    store.write(work)


def take(store: Store, intake: Intake, access: Access, form_id: str, instance_id: str, sha256: str, comment: str = "") -> None:
    """Of two contents of a record, make this one the current. Raises `Problem` submission_unknown for one it does not have."""

    def work(connection: Connection) -> None:
        review = Review(connection, access, form_id, instance_id)
        version = _version(connection, review, sha256)
        state = _with_flags(_judged(connection, intake, access, version), review, OF_THE_RECORD)
        current = {"current_instance_id": version.instance_id, "current_sha256": sha256, "version": version.version}
        review.update(**state, **current)
        review.settle(_CONFLICTS, "take", comment, sha256=sha256)

    store.write(work)


def split(store: Store, intake: Intake, access: Access, form_id: str, instance_id: str, sha256: str, comment: str = "") -> str:
    """Make this content of a record a record of its own, and return its id. Raises `Problem` submission_unknown, value_invalid."""
    own_id = f"uuid:{uuid.uuid5(_NAMESPACE, f'{instance_id} {sha256}')}"

    def work(connection: Connection) -> None:
        review = Review(connection, access, form_id, instance_id)
        version = _version(connection, review, sha256)
        if sha256 == review.record.current_sha256:
            raise Problem("value_invalid", "This is the current content of the record; choose the other one.")
        row = dict(review.record._mapping)
        own = {"instance_id": own_id, "received_at": version.received_at, "app_user_id": version.app_user_id}
        current = {"current_instance_id": version.instance_id, "current_sha256": sha256, "version": version.version}
        fresh = {"edits": 0, "updated_at": None, "review_state": "received", "deleted_at": None, "device_id": version.device_id}
        connection.execute(insert(Submission).values(row | _judged(connection, intake, access, version) | own | current | fresh))
        key = {"project_id": access.project_id, "form_id": form_id, "instance_id": version.instance_id, "sha256": sha256}
        connection.execute(update(SubmissionVersion).filter_by(**key).values(root_id=own_id))
        review.settle(_CONFLICTS, "split", comment, sha256=sha256, record=own_id)
        Review(connection, access, form_id, own_id).note("split", comment, record=instance_id)

    store.write(work)
    return own_id


def _with_flags(state: dict[str, Any], review: Review, codes: Collection[str]) -> dict[str, Any]:
    """This state with those flags that the record has for other reasons than its content."""
    flags = [*state["flags"], *(item for item in review.record.flags if item["code"] in codes)]
    return state | flag_columns(flags)


def _version(connection: Connection, review: Review, sha256: str) -> Any:
    columns = SubmissionVersion.__table__.columns
    query = select(*columns).filter_by(project_id=review.key["project_id"], form_id=review.key["form_id"], sha256=sha256)
    row = connection.execute(query.where(SubmissionVersion.root_id == review.key["instance_id"])).first()
    if row is None:
        raise Problem("submission_unknown", f"The record has no content with the digest {sha256}.")
    return row


def _judged(connection: Connection, intake: Intake, access: Access, version: Any, *, by: str | None = None) -> dict[str, Any]:
    """The current state that a version gives a record; judged by its own version of the form, or another."""
    schema, is_known = intake.schemas.get(access.project_id, version.form_id, version.version if by is None else by)
    vault = vault_of(connection)
    incoming = identify(open_xml(vault, version))
    reading = read_answers(schema, incoming)
    flags = reading_flags(reading)
    if not is_known:
        flags.append(flag("unknown_version", version=version.version))
    key = {"project_id": access.project_id, "form_id": version.form_id, "instance_id": version.instance_id}
    columns = (Attachment.name, Attachment.sha256, Attachment.size, Attachment.content_type)
    files = connection.execute(select(*columns).filter_by(**key)).all()
    expected = frozenset(map(same_name, reading.files))
    flags += file_flags([(row.name, row.sha256, row.size) for row in files], expected)
    flags += kind_flags([(row.name, row.size, row.content_type) for row in files], reading)
    return state_of(vault, version._mapping, incoming, reading, flags)
