"""The numbers of a record that other records are compared with, kept beside it in the step that checks it.

Of a test, a deleted and a rejected record there are none.
"""

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, select, update

from forms.numbers import official
from forms.spelling import folded
from records.flags import Flag
from records.models import Measure, Submission
from records.store import insert_new
from sync.checks.amounts import LARGE_STOCK, LOSSES, SMALL_STOCK, known_countries
from sync.checks.case import Case, Measured, as_number, as_text
from sync.checks.values import KNOWN_MONEY, count, counts, moment, rows

KILLED, VALUE, GROUP = "killed", "unit_value", "group"
FOLLOWED, DEPLOYED, RETRIEVED = "followup", "deploy", "retrieve"
NO_CODE = {"", "new"}
MOST = 100
"""Measures kept of one record."""
MOST_OTHERS = 200
_STOCK = SMALL_STOCK | LARGE_STOCK | {"dog_guard", "poultry"}
_LOOK_AGAIN = {FOLLOWED: FOLLOWED, DEPLOYED: RETRIEVED}
"""When a record with a measure of the one kind changes, those with the other kind and the same subject are checked again."""
_OWN: dict[str, Any] = {
    "project_id": bindparam("project_id"),
    "form_id": bindparam("form_id"),
    "instance_id": bindparam("instance_id"),
}
_DELETE = delete(Measure).filter_by(**_OWN)
_KINDS = select(Measure.kind, Measure.subject).filter_by(**_OWN).where(Measure.kind.in_(_LOOK_AGAIN)).distinct()


def measured(case: Case) -> list[Measured]:
    """What this record adds to compare others with."""
    by_form = _BY_FORM.get(case.form_id)
    found = by_form(case) if by_form is not None and counts(case) else ()
    return list(islice((each for each in found if math.isfinite(each.value)), MOST))


def keep(connection: Connection, case: Case) -> Iterable[Flag]:
    """Write the measures of a record; other records that hang on them are checked again. Finds nothing itself."""
    case.measures = measured(case)
    is_new, is_changed = case.content_before is None, case.content_before != case.content_sha256
    subjects = {(each.kind, each.subject) for each in case.measures}
    if not is_new:
        if is_changed:
            subjects.update((row.kind, row.subject) for row in connection.execute(_KINDS, case.key))
        connection.execute(_DELETE, case.key)
    if case.measures:
        connection.execute(
            insert_new(connection, Measure),
            [
                {**case.key, "number": number, "received_at": case.received_at}
                | {"kind": each.kind, "subject": each.subject, "value": each.value}
                for number, each in enumerate(case.measures)
            ],
        )
    for kind, subject in subjects if is_changed else ():
        if kind in _LOOK_AGAIN:
            _look_again(connection, case, _LOOK_AGAIN[kind], subject)
    return ()


def _look_again(connection: Connection, case: Case, kind: str, subject: str) -> None:
    ids = select(Measure.instance_id).filter_by(project_id=case.project_id, form_id=case.form_id, kind=kind, subject=subject)
    of_form = (Submission.project_id == case.project_id, Submission.form_id == case.form_id)
    related = update(Submission).where(*of_form, Submission.instance_id.in_(ids), Submission.instance_id != case.instance_id)
    connection.execute(related.values(checked=0))


class Other(NamedTuple):
    """A measure of another record."""

    received_at: datetime
    instance_id: str
    value: float

    def came_before(self, case: Case) -> bool:
        """Whether its record came before this one."""
        return (self.received_at, self.instance_id) < (case.received_at, case.instance_id)


def others(connection: Connection, case: Case, kind: str) -> list[Other]:
    """The measures of this kind of other records about the same, in the order they came."""
    subjects = {each.subject for each in case.measures}
    if not subjects:
        return []
    columns = (Measure.received_at, Measure.instance_id, Measure.value)
    same = select(*columns).filter_by(project_id=case.project_id, form_id=case.form_id, kind=kind)
    same = same.where(Measure.subject.in_(subjects), Measure.instance_id != case.instance_id)
    return [Other(*row) for row in connection.execute(same.order_by(*columns[:2]).limit(MOST_OTHERS))]


def _losses(case: Case) -> Iterator[Measured]:
    """Animals killed by species and country; values by species, country, currency and year."""
    countries = known_countries(case)
    if not countries:
        return
    country, currency = countries[0], case.text("losses_g", "currency")
    year = (case.event_date or case.received_at).year
    killed: dict[str, float] = {}
    values = set()
    for prefix, row in rows(case, *LOSSES):
        species, value = as_text(row.get("species")), as_number(row.get("unit_value"))
        if species not in _STOCK:
            continue
        killed[species] = killed.get(species, 0) + count(row.get("n_killed"))
        if value is not None and value > 0 and currency in KNOWN_MONEY and (species, value) not in values:
            values.add((species, value))
            amount, unit = official(value, currency)
            yield Measured(VALUE, f"{species}|{country}|{unit}|{year}", amount, f"{prefix}/unit_value", species)
    for species, number in killed.items():
        if number > 0:
            yield Measured(KILLED, f"{species}|{country}", number, "/".join(LOSSES), species)


def _groups(case: Case) -> Iterator[Measured]:
    """Sizes of groups by species."""
    repeat = "obs" if case.form_id == "prey_transect" else "grp"
    for prefix, row in rows(case, repeat):
        species, size = as_text(row.get("species")), count(row.get("n_total"))
        if size > 0 and species not in {"", "other", "unknown"}:
            yield Measured(GROUP, species[:64], size, f"{prefix}/n_total", species)


def _followup(case: Case) -> Iterator[Measured]:
    """The end of the period by household."""
    household, end = folded(case.text("household_code")), case.day("period_to")
    if household not in NO_CODE and end is not None:
        yield Measured(FOLLOWED, _digest(household), end.toordinal(), "period_from", "")


def _camera(case: Case) -> Iterator[Measured]:
    """The moment of a deployment or a retrieval by camera."""
    kind = {"deploy": DEPLOYED, "retrieve": RETRIEVED}.get(case.text("cam_event"))
    visit = moment(case.value("event_time"))
    station = [folded(case.text(name)) for name in ("project_code", "station_id", "camera_id")]
    if kind is not None and visit is not None and all(station):
        yield Measured(kind, _digest("|".join(station)), visit.timestamp(), "event_time", "")


def _digest(text: str) -> str:
    """A subject from what people typed: of a fixed length, and no copy of a household's code."""
    return hashlib.sha256(text.encode()).hexdigest()


_BY_FORM: Mapping[str, Callable[[Case], Iterator[Measured]]] = {
    "conflict_livestock": _losses,
    "prey_transect": _groups,
    "prey_block": _groups,
    "mitigation_followup": _followup,
    "camera_station": _camera,
}
