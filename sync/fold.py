"""The current state of a record, folded from its versions in whatever order they arrive.

An edit names the version it replaces (`deprecatedID`), so versions form chains. The chain's first version gives the record its id;
its last one gives it its answers. An edit that comes before its original is held as a record of its own until the original comes.
The same id with other bytes, and a second edit of one version, are kept and flagged for a person to decide.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, select, union_all, update

from records.flags import Flag, flag, flag_columns
from records.models import AppUser, ReviewEvent, Submission, SubmissionVersion
from records.store import insert_new, lock_form

HELD = "edit_before_original"
_CONFLICT, _FORK, _DELETED, _ERASED = "instance_conflict", "edit_conflict", "after_delete", "after_erasure"
OF_THE_RECORD = {HELD, _CONFLICT, _FORK, _DELETED, _ERASED}  # flags that stay when an edit brings new answers
_MOVED = (
    "current_instance_id", "current_sha256", "version", "latitude", "longitude", "accuracy", "event_date", "instance_name",
    "files", "flags", "attention", "excluded", "encrypted", "checked", "answers", "contact",
)  # fmt: skip
_OF_FORM = (
    select(SubmissionVersion.instance_id, SubmissionVersion.sha256, SubmissionVersion.deprecated_id, SubmissionVersion.root_id)
    .where(SubmissionVersion.project_id == bindparam("project_id"), SubmissionVersion.form_id == bindparam("form_id"))
    .add_columns(SubmissionVersion.received_at, SubmissionVersion.erased_at)
)
_RELATIVES = union_all(  # each part has its index; with OR or IN a database without statistics reads the whole form
    _OF_FORM.where(SubmissionVersion.instance_id == bindparam("id")),
    _OF_FORM.where(SubmissionVersion.instance_id == bindparam("replaced")),
    _OF_FORM.where(SubmissionVersion.deprecated_id == bindparam("id")),
).order_by("received_at")


@dataclass(frozen=True, slots=True)
class Arrival:
    """A version that arrives: `version_row` and `state_row` are the rows to insert when nothing like it is here."""

    instance_id: str
    deprecated_id: str
    sha256: str
    version_row: dict[str, Any]
    state_row: dict[str, Any]

    @property
    def form(self) -> dict[str, Any]:
        """The key of its form."""
        return {"project_id": self.state_row["project_id"], "form_id": self.state_row["form_id"]}


def fold(connection: Connection, arrival: Arrival) -> tuple[str, str]:
    """Insert the version and bring the record up to date. Returns (outcome, id of the record): see `sync.delivery.Receipt`."""
    lock_form(connection, **arrival.form, alone=bool(arrival.deprecated_id))
    relatives = _relatives(connection, arrival)
    same = [row for row in relatives if row.instance_id == arrival.instance_id]
    known = next((row for row in same if row.sha256 == arrival.sha256), None)
    if known is not None:
        return "duplicate", known.root_id
    parent = next((row for row in relatives if row.instance_id == arrival.deprecated_id), None)
    origin = same[0] if same else parent
    root_id = origin.root_id if origin is not None else arrival.instance_id
    version_row = {**arrival.version_row, "root_id": root_id}
    if connection.execute(insert_new(connection, SubmissionVersion), version_row).rowcount == 0:
        return "duplicate", root_id  # the same delivery, in parallel
    outcome = _apply(connection, arrival, root_id, is_same=bool(same), is_edit=parent is not None)
    if any(row.erased_at is not None for row in relatives):
        add_flags(connection, {**arrival.form, "instance_id": root_id}, [flag(_ERASED)])
    waiting = [row.root_id for row in relatives if row.deprecated_id == arrival.instance_id and row.root_id == row.instance_id]
    for held_root in dict.fromkeys(waiting):
        if held_root != root_id:
            _adopt(connection, arrival, root_id, held_root)
    return outcome, root_id


def add_flags(connection: Connection, record: dict[str, Any], flags: Sequence[Flag]) -> None:
    """Add flags to a record (`record` is its key); one that is there already is not repeated."""
    if not flags:
        return
    present: list[Flag] = connection.execute(select(Submission.flags).filter_by(**record).with_for_update()).scalar() or []
    known = {(item["code"], item["path"], item["message"]) for item in present}
    missing = [item for item in flags if (item["code"], item["path"], item["message"]) not in known]
    if missing:
        set_flags(connection, record, [*present, *missing])


def set_flags(connection: Connection, record: dict[str, Any], flags: Sequence[Flag]) -> None:
    """Replace the flags of a record, and say whether it waits for a person."""
    connection.execute(update(Submission).filter_by(**record).values(flag_columns(flags)))


def _relatives(connection: Connection, arrival: Arrival) -> Sequence[Row[Any]]:
    """The versions with this id, the one it replaces, and those that replace it."""
    return connection.execute(_RELATIVES, {**arrival.form, "id": arrival.instance_id, "replaced": arrival.deprecated_id}).all()


def _apply(connection: Connection, arrival: Arrival, root_id: str, *, is_same: bool, is_edit: bool) -> str:
    record = {**arrival.form, "instance_id": root_id}
    conflict = [flag(_CONFLICT, digest=arrival.sha256[:8])]
    if is_same:
        add_flags(connection, record, conflict)
        return "conflict"
    if is_edit:
        content = {name: arrival.state_row[name] for name in _MOVED}
        replaced = _replace(connection, record, arrival.deprecated_id, content, edits=1)
        return "edited" if replaced else "conflict"
    state_row = arrival.state_row
    if arrival.deprecated_id:
        early = flag(HELD, original=arrival.deprecated_id)
        state_row = {**state_row, **flag_columns([*state_row["flags"], early])}
    if connection.execute(insert_new(connection, Submission), state_row).rowcount == 0:
        add_flags(connection, record, conflict)  # the other answers came in parallel
        return "conflict"
    return "held" if arrival.deprecated_id else "created"


def _replace(connection: Connection, record: dict[str, Any], replaced_id: str, content: dict[str, Any], *, edits: int) -> bool:
    """Make `content` the record's state if `replaced_id` is still its current version; else flag the fork."""
    before = connection.execute(select(Submission.flags, Submission.deleted_at).filter_by(**record).with_for_update()).first()
    present: list[Flag] = before.flags if before else []
    if before is not None and before.deleted_at is not None:
        content = {**content, "flags": [*content["flags"], flag(_DELETED)]}
    staying = [item for item in present if item["code"] in OF_THE_RECORD and item not in content["flags"]]
    flags = [*content["flags"], *staying]
    values = {**content, **flag_columns(flags), "review_state": "edited", "updated_at": datetime.now(UTC)}
    changed = connection.execute(
        update(Submission).filter_by(**record, current_instance_id=replaced_id).values(**values, edits=Submission.edits + edits)
    )
    if changed.rowcount == 0:
        of_both = [item for item in content["flags"] if item["code"] in OF_THE_RECORD]
        add_flags(connection, record, [*of_both, flag(_FORK, edit=content["current_instance_id"])])
        return False
    answered = AppUser.notice["record"].as_string() == record["instance_id"]
    connection.execute(update(AppUser).where(AppUser.project_id == record["project_id"], answered).values(notice=None))
    return True


def _adopt(connection: Connection, arrival: Arrival, root_id: str, held_root: str) -> None:
    """An edit that waited for this version: its state becomes the record's, its versions join the chain."""
    held, record = {**arrival.form, "instance_id": held_root}, {**arrival.form, "instance_id": root_id}
    taken = connection.execute(delete(Submission).filter_by(**held).returning(*Submission.__table__.columns))
    state = taken.mappings().one_or_none()
    if state is None:  # a twin of this arrival, in parallel, was quicker
        return
    content = {name: state[name] for name in _MOVED} | {"checked": 0}  # what the checks fill in does not move
    content["flags"] = [item for item in state["flags"] if item["code"] != HELD]
    if state["deleted_at"] is not None:
        content["flags"].append(flag(_DELETED))
    connection.execute(update(SubmissionVersion).filter_by(**arrival.form, root_id=held_root).values(root_id=root_id))
    connection.execute(update(ReviewEvent).filter_by(**held).values(instance_id=root_id))
    _replace(connection, record, arrival.instance_id, content, edits=state["edits"] + 1)
