"""The one reader of records for analysis: what never counts is left out here, and everything left out is counted.

Records are never refused for what they say, so every answer may be missing or of the wrong type.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

import numpy as np
import orjson
from sqlalchemy import ColumnElement, Connection, Executable, Text, and_, case, cast, func, or_, select

from exports import grid
from exports.grid import CellCounts, Cells
from exports.places import RESOLUTION
from exports.reports import UNKNOWN, Reports, certainty_of
from exports.windows import EPOCH, Window
from forms.library.sources import restricted_ids
from forms.numbers import official
from forms.spelling import ascii_digits, folded
from forms.submission import case_number
from records.access import Access, Right
from records.incidents import joined_reports, undecided_pairs
from records.models import Submission

CONFLICT_FORM, VERIFICATION_FORM = "conflict_livestock", "conflict_verification"
NEVER_COUNTED = ("rejected", "duplicate")
LEFT_OUT = ("n_rejected", "n_deleted", "n_encrypted", "n_error", "n_test", "n_undated", "n_other_predator")
NO_CODE = ("", "new")
"""What stands in place of a household code that is not known."""
SMALL_STOCK = ("sheep", "goat")
MOST_ANIMALS = 500
"""The form allows no more in one row; a larger number is no count."""
DEAREST = 1e12
"""An animal worth more, in whatever currency, is a slip."""
BATCH = 5000


@dataclass(frozen=True)
class ConflictData:
    """What the hotspot method needs of one project and window."""

    reports: Reports
    footprint: Cells
    """Cells of resolution 6 in which any form has a record of the window, but for the restricted surveys."""
    left_out: dict[str, int]
    undecided_pairs: int
    """Pairs of reports of the window that may tell of one event, about which nobody has decided: they count apart."""


class Visit(NamedTuple):
    """What a verification visit found. An empty text was not answered."""

    predator: str
    finding: str
    scalp: str


_UNVISITED = Visit("", "", "")


class Record(NamedTuple):
    """One conflict report as stored: where it happened in degrees and metres, when, and the answers."""

    instance_id: str
    review_state: str
    latitude: float | None
    longitude: float | None
    accuracy: float | None
    event_date: date | None
    answers: str
    """As JSON."""


def read_conflicts(connection: Connection, access: Access, predator: str, window: Window) -> ConflictData:
    """Read the reports of losses to one predator that happened in the window, and where any form was filled in."""
    access.require(Right.SEE)
    mine = and_(*access.visible(), Submission.encrypted.is_(False), Submission.excluded.is_(False))
    counted = Submission.review_state.not_in(NEVER_COUNTED)
    due = or_(Submission.event_date.between(window.start, window.end), Submission.event_date.is_(None))
    joined = joined_reports(connection, access)
    collector = Collector(predator, _visits(connection, and_(mine, counted), joined), joined)
    answers = cast(Submission.answers, Text)  # read one at a time: thousands of open documents are slow to hold
    columns = (Submission.instance_id, Submission.review_state, Submission.latitude, Submission.longitude)
    query = select(*columns, Submission.accuracy, Submission.event_date, answers).where(mine, due)
    for batch in _batches(connection, query.where(Submission.form_id == CONFLICT_FORM)):
        collector.add(batch)
    collector.left_out.update(_unread(connection, and_(*access.visible(with_deleted=True), due)))
    others = Submission.form_id.not_in([CONFLICT_FORM, *restricted_ids()])
    elsewhere = _other_places(connection, and_(mine, counted, others), window)
    footprint = grid.merge([*collector.touched, *elsewhere]).cells
    left_out = {reason: collector.left_out[reason] for reason in LEFT_OUT}
    return ConflictData(collector.reports(), footprint, left_out, undecided_pairs(connection, access, window.start, window.end))


def _batches(connection: Connection, query: Executable) -> Iterable[Iterable[Any]]:
    return connection.execute(query, execution_options={"yield_per": BATCH}).partitions()


def _unread(connection: Connection, condition: ColumnElement[bool]) -> dict[str, int]:
    """Count the conflict reports that nobody reads: deleted, encrypted (then without a day too), with an error nobody settled."""
    reasons = {"n_deleted": Submission.deleted_at.is_not(None), "n_encrypted": Submission.encrypted, "n_error": Submission.excluded}
    reason = case(*((is_true, name) for name, is_true in reasons.items()))
    query = select(reason, func.count()).where(condition, Submission.form_id == CONFLICT_FORM, or_(*reasons.values()))
    return {row[0]: row[1] for row in connection.execute(query.group_by(reason))}


def _visits(connection: Connection, condition: ColumnElement[bool], joined: Mapping[str, int]) -> dict[str, Visit]:
    """Give the latest verification of each report, by its bare instance id or its case number, whichever the visit names.

    A visit to one report of an incident is one to all of them.
    """
    incidents: dict[int, list[str]] = {}
    for instance_id, incident in joined.items():
        incidents.setdefault(incident, []).append(_bare(instance_id))
    together = {
        _bare(name): incidents[incident]
        for instance_id, incident in joined.items()
        for name in (instance_id, case_number(instance_id))
    }
    visits: dict[str, Visit] = {}
    query = select(Submission.answers).where(condition, Submission.form_id == VERIFICATION_FORM)
    for answers in connection.scalars(query.order_by(Submission.received_at, Submission.instance_id)):
        if answers.get("submission_purpose") != "test":
            visit = Visit(*(_text(answers.get(name)) for name in ("predator_final", "verification_status", "scalp")))
            named = _bare(_text(answers.get("incident_ref")))
            visits.update(dict.fromkeys(together.get(named, [named]), visit))
    return visits


def _other_places(connection: Connection, condition: ColumnElement[bool], window: Window) -> Iterable[CellCounts]:
    """Count the places of the other forms; a record without a date of its own is dated by its arrival."""
    arrived = [datetime.combine(day, time(), UTC) for day in (window.start, window.end + timedelta(days=1))]
    dated = or_(
        Submission.event_date.between(window.start, window.end),
        and_(Submission.event_date.is_(None), Submission.received_at >= arrived[0], Submission.received_at < arrived[1]),
    )
    purpose = func.coalesce(Submission.answers["submission_purpose"].as_string(), "real")
    located = Submission.latitude.is_not(None) & Submission.longitude.is_not(None)
    query = select(Submission.latitude, Submission.longitude).where(condition, dated, located, purpose != "test")
    for batch in _batches(connection, query):
        points = np.array([tuple(row) for row in batch], np.float64)
        yield grid.part(points[:, 0], points[:, 1], RESOLUTION)


class Collector:
    """Gathers conflict reports into columns, batch by batch."""

    def __init__(self, predator: str, visits: Mapping[str, Visit], joined: Mapping[str, int] | None = None) -> None:
        self.left_out: Counter[str] = Counter()
        self.touched: list[CellCounts] = []
        self._predator = predator
        self._visits = visits
        self._joined = joined or {}
        self._households: dict[str, int] = {}
        self._gathered: list[Reports] = []

    def add(self, batch: Iterable[Record]) -> None:
        """Take in records of the window. Records of other predators still show that somebody was there."""
        points: list[tuple[float, float]] = []
        rows = []
        for instance_id, review_state, latitude, longitude, accuracy, event_date, document in batch:
            answers = orjson.loads(document)
            if review_state in NEVER_COUNTED or answers.get("submission_purpose") == "test":
                self.left_out["n_rejected" if review_state in NEVER_COUNTED else "n_test"] += 1
                continue
            if event_date is None:
                self.left_out["n_undated"] += 1
                continue
            if latitude is not None and longitude is not None:
                points.append((latitude, longitude))
            visit = self._visit(instance_id)
            cause = _group(answers, "cause")
            if (visit.predator or cause.get("predator")) != self._predator:
                self.left_out["n_other_predator"] += 1
                continue
            rows.append(
                (
                    event_date.toordinal() - _EPOCH,
                    latitude,
                    longitude,
                    accuracy,
                    self._household(_group(answers, "reporter").get("household_code")),
                    certainty_of(cause.get("confidence"), visit.finding, visit.scalp),
                    answers.get("consent") == "yes" and answers.get("consent_share") == "yes",
                    _text(answers.get("country"))[:2],
                    *_losses(_group(answers, "losses_g")),
                    self._joined.get(instance_id, -1),
                    1,
                )
            )
        self._gathered.append(Reports.from_rows(rows))
        touched = np.array(points, np.float64).reshape(-1, 2)
        self.touched.append(grid.part(touched[:, 0], touched[:, 1], RESOLUTION))

    def _visit(self, instance_id: str) -> Visit:
        """What was found: a visit names its report by the id, or by the case number of the receipt."""
        if not self._visits:
            return _UNVISITED
        found = self._visits.get(_bare(instance_id))
        return found or self._visits.get(_bare(case_number(instance_id)), _UNVISITED)

    def _household(self, code: object) -> int:
        code = folded(_text(code))
        return UNKNOWN if code in NO_CODE else self._households.setdefault(code, len(self._households))

    def reports(self) -> Reports:
        """Give everything gathered."""
        return Reports.joined(self._gathered)


def _losses(losses: Mapping[str, Any]) -> tuple[int, int, int, int, float, str]:
    """Give small and large animals killed, injured and missing ones, the value of the killed and its currency."""
    small = large = injured = missing = 0
    value = math.nan
    rows = losses.get("loss")
    for row in rows if isinstance(rows, list) else ():
        if not isinstance(row, dict):
            continue
        killed = _animals(row.get("n_killed"))
        if row.get("species") in SMALL_STOCK:
            small += killed
        else:
            large += killed
        injured += _animals(row.get("n_injured"))
        missing += _animals(row.get("n_missing"))
        price = row.get("unit_value")
        if isinstance(price, int | float) and 0 < price <= DEAREST:
            value = killed * price + (0 if math.isnan(value) else value)
    currency = _text(losses.get("currency"))
    if not _CURRENCY.fullmatch(currency):
        return small, large, injured, missing, math.nan, ""
    return small, large, injured, missing, *official(value, currency)


_EPOCH = EPOCH.toordinal()
_CURRENCY = re.compile("[A-Z]{3}")


def _bare(instance_id: str) -> str:
    return ascii_digits(instance_id).strip().lower().removeprefix("uuid:")


def _group(answers: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = answers.get(name)
    return found if isinstance(found, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else str(value) if isinstance(value, int) else ""


def _animals(value: object) -> int:
    return value if type(value) is int and 0 <= value <= MOST_ANIMALS else 0
