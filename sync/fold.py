"""The current state of a record, folded from its versions in whatever order they arrive.

An edit names the version it replaces (`deprecatedID`), so versions form chains. The chain's first version gives the record its id;
its last one gives it its answers. An edit that comes before its original is held as a record of its own until the original comes.
The same id with other bytes, and a second edit of one version, are kept and flagged for a person to decide.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import CompoundSelect, Connection, Row, bindparam, delete, select, union_all, update

from records.flags import Flag, flag, flag_columns
from records.models import AppUser, ReviewEvent, Submission, SubmissionVersion
from records.store import insert_new, is_among, lock_form

HELD = "edit_before_original"
_CONFLICT, _FORK, _DELETED, _ERASED = "instance_conflict", "edit_conflict", "after_delete", "after_erasure"
OF_THE_RECORD = {HELD, _CONFLICT, _FORK, _DELETED, _ERASED}  # flags that stay when an edit brings new answers
_MOVED = (
    "current_instance_id", "current_sha256", "version", "latitude", "longitude", "accuracy", "event_date", "instance_name",
    "files", "flags", "attention", "excluded", "encrypted", "checked", "counted", "answers", "contact",
)  # fmt: skip
_OF_FORM = (
    select(SubmissionVersion.instance_id, SubmissionVersion.sha256, SubmissionVersion.deprecated_id, SubmissionVersion.root_id)
    .where(SubmissionVersion.project_id == bindparam("project_id"), SubmissionVersion.form_id == bindparam("form_id"))
    .add_columns(SubmissionVersion.received_at, SubmissionVersion.erased_at)
)
_Name = tuple[int, str, str]


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

    def name(self, instance_id: str) -> _Name:
        """By which a version of its form is known."""
        return (self.state_row["project_id"], self.state_row["form_id"], instance_id)


def fold(connection: Connection, arrivals: Sequence[Arrival]) -> Iterator[tuple[str, str]]:
    """Insert versions in this order and bring their records up to date: of each (outcome, id of the record), see
    `sync.delivery.Receipt`. What belongs to one is to be written before the next is asked for.

    Those that have nothing to do with what is here or with each other, which is nearly all of them, are inserted together.
    """
    _lock_forms(connection, arrivals)
    strangers: list[Arrival] = []
    named = set[_Name]()
    for arrival, relatives in zip(arrivals, _relatives(connection, arrivals), strict=True):
        names = {arrival.name(each) for each in (arrival.instance_id, arrival.deprecated_id) if each}
        if relatives or not named.isdisjoint(names):
            yield from _insert(connection, strangers)
            strangers = []
            yield _join(connection, arrival, _relatives(connection, [arrival])[0] if named else relatives)
        else:
            strangers.append(arrival)
        named |= names
    yield from _insert(connection, strangers)


def _lock_forms(connection: Connection, arrivals: Sequence[Arrival]) -> None:
    """Each form once for all there is to do, and everywhere in the same order: no two wait for each other."""
    alone: dict[tuple[int, str], bool] = {}
    for arrival in arrivals:
        form = arrival.name("")[:2]
        alone[form] = alone.get(form, False) or bool(arrival.deprecated_id)
    for form in sorted(alone):
        lock_form(connection, *form, alone=alone[form])


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


@cache
def _relatives_query(dialect: str) -> CompoundSelect[Any]:
    """Each part has its index; with OR a database without statistics reads the whole form."""
    version = SubmissionVersion
    return union_all(
        _OF_FORM.where(is_among(dialect, version.instance_id, "ids")),
        _OF_FORM.where(is_among(dialect, version.deprecated_id, "own")),
    )


def _relatives(connection: Connection, arrivals: Sequence[Arrival]) -> list[list[Row[Any]]]:
    """Of each: the versions with its id, the one it replaces, and those that replace it, in the order they arrived."""
    of_forms: dict[tuple[int, str], list[Arrival]] = defaultdict(list)
    for arrival in arrivals:
        of_forms[arrival.name("")[:2]].append(arrival)
    with_id: dict[_Name, list[Row[Any]]] = defaultdict(list)
    replacing: dict[_Name, list[Row[Any]]] = defaultdict(list)
    for of_form in of_forms.values():
        own = {arrival.instance_id for arrival in of_form}
        ids = own | {arrival.deprecated_id for arrival in of_form if arrival.deprecated_id}
        query = _relatives_query(connection.dialect.name)
        for row in connection.execute(query, {**of_form[0].form, "ids": sorted(ids), "own": sorted(own)}):
            with_id[of_form[0].name(row.instance_id)].append(row)
            replacing[of_form[0].name(row.deprecated_id)].append(row)
    return [_related(arrival, with_id, replacing) for arrival in arrivals]


def _related(
    arrival: Arrival, with_id: Mapping[_Name, list[Row[Any]]], replacing: Mapping[_Name, list[Row[Any]]]
) -> list[Row[Any]]:
    own, replaced = arrival.name(arrival.instance_id), arrival.name(arrival.deprecated_id)
    found = dict.fromkeys([*with_id.get(own, ()), *with_id.get(replaced, ()), *replacing.get(own, ())])
    return sorted(found, key=lambda row: row.received_at)


def _insert(connection: Connection, strangers: Sequence[Arrival]) -> list[tuple[str, str]]:
    """Insert versions that nothing here is related to, each as a record of its own.

    Raises RuntimeError if others bring some of several at the same moment; nobody knows then which.
    """
    if not strangers:
        return []
    versions = [{**arrival.version_row, "root_id": arrival.instance_id} for arrival in strangers]
    if connection.execute(insert_new(connection, SubmissionVersion), versions).rowcount < len(versions):
        return [("duplicate", _only(strangers).instance_id)]  # the same delivery, in parallel
    states = list(map(_first_state, strangers))
    if connection.execute(insert_new(connection, Submission), states).rowcount < len(states):
        record = {**_only(strangers).form, "instance_id": strangers[0].instance_id}
        add_flags(connection, record, [flag(_CONFLICT, digest=strangers[0].sha256[:8])])  # other answers came in parallel
        return [("conflict", strangers[0].instance_id)]
    return [("held" if arrival.deprecated_id else "created", arrival.instance_id) for arrival in strangers]


def _first_state(arrival: Arrival) -> dict[str, Any]:
    if not arrival.deprecated_id:
        return arrival.state_row
    early = flag(HELD, original=arrival.deprecated_id)
    return {**arrival.state_row, **flag_columns([*arrival.state_row["flags"], early])}


def _only(strangers: Sequence[Arrival]) -> Arrival:
    if len(strangers) > 1:
        raise RuntimeError("Others bring some of these records at the same moment: take one after the other.")
    return strangers[0]


def _join(connection: Connection, arrival: Arrival, relatives: Sequence[Row[Any]]) -> tuple[str, str]:
    """Insert a version that others here are related to."""
    same = [row for row in relatives if row.instance_id == arrival.instance_id]
    known = next((row for row in same if row.sha256 == arrival.sha256), None)
    if known is not None:
        return "duplicate", known.root_id
    parent = next((row for row in relatives if row.instance_id == arrival.deprecated_id), None)
    origin = same[0] if same else parent
    if origin is None:
        [(outcome, root_id)] = _insert(connection, [arrival])
    else:
        outcome, root_id = _follow(connection, arrival, origin.root_id, is_same=bool(same)), origin.root_id
    if outcome == "duplicate":
        return outcome, root_id
    if any(row.erased_at is not None for row in relatives):
        add_flags(connection, {**arrival.form, "instance_id": root_id}, [flag(_ERASED)])
    waiting = [row.root_id for row in relatives if row.deprecated_id == arrival.instance_id and row.root_id == row.instance_id]
    for held_root in dict.fromkeys(waiting):
        if held_root != root_id:
            _adopt(connection, arrival, root_id, held_root)
    return outcome, root_id


def _follow(connection: Connection, arrival: Arrival, root_id: str, *, is_same: bool) -> str:
    """Insert a version of a record that is here: an edit, or (`is_same`) other answers under an id that is known."""
    version_row = {**arrival.version_row, "root_id": root_id}
    if connection.execute(insert_new(connection, SubmissionVersion), version_row).rowcount == 0:
        return "duplicate"  # the same delivery, in parallel
    record = {**arrival.form, "instance_id": root_id}
    if is_same:
        add_flags(connection, record, [flag(_CONFLICT, digest=arrival.sha256[:8])])
        return "conflict"
    content = {name: arrival.state_row[name] for name in _MOVED}
    return "edited" if _replace(connection, record, arrival.deprecated_id, content, edits=1) else "conflict"


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
    content = {name: state[name] for name in _MOVED} | {"checked": 0, "counted": None}  # what the checks fill in does not move
    content["flags"] = [item for item in state["flags"] if item["code"] != HELD]
    if state["deleted_at"] is not None:
        content["flags"].append(flag(_DELETED))
    connection.execute(update(SubmissionVersion).filter_by(**arrival.form, root_id=held_root).values(root_id=root_id))
    connection.execute(update(ReviewEvent).filter_by(**held).values(instance_id=root_id))
    _replace(connection, record, arrival.instance_id, content, edits=state["edits"] + 1)
