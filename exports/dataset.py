"""The one reader of records for analysis: what never counts is left out here, and everything left out is counted.

Records are never refused for what they say, so every answer may be missing or of the wrong type.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Executable, Text, and_, case, cast, func, or_, select

from exports.grid import H3, Cells, Grid
from exports.late import on_time
from exports.partition import (
    COUNTED,
    DEAREST,
    NEVER_COUNTED,
    NO_CODE,
    Aggregate,
    Question,
    Record,
    Visit,
    bare,
    merge,
    part,
    places,
    text_of,
)
from exports.reports import Reports
from exports.windows import Window
from forms.library.sources import restricted_ids
from forms.submission import case_number
from records.access import Access, Right
from records.incidents import joined_reports, undecided_pairs
from records.models import Submission

__all__ = ["DEAREST", "LEFT_OUT", "NEVER_COUNTED", "NO_CODE", "ConflictData", "read_conflicts"]
CONFLICT_FORM, VERIFICATION_FORM = "conflict_livestock", "conflict_verification"
LEFT_OUT = ("n_rejected", "n_deleted", "n_encrypted", "n_error", "n_test", "n_undated", "n_other_predator")
BATCH = 5000


@dataclass(frozen=True)
class ConflictData:
    """What the hotspot method needs of one project and window."""

    reports: Reports
    footprint: Cells
    """The finest cells in which any form has a record of the window, but for the restricted surveys."""
    left_out: dict[str, int]
    undecided_pairs: int
    """Pairs of reports of the window that may tell of one event, about which nobody has decided: they count apart."""
    months: frozenset[tuple[str, str]] = frozenset()
    """The months (2026-05) of the window in which there was any report from a country."""


Count = Callable[[Iterable[Iterable[Record]], Iterable[Iterable[tuple[float, float]]], Question], Aggregate]
"""A way to count: conflict reports and places (latitude, longitude) of other records, both in batches."""


def counted_here(
    records: Iterable[Iterable[Record]], others: Iterable[Iterable[tuple[float, float]]], question: Question
) -> Aggregate:
    """Count in this process."""
    parts = [*(part(batch, question) for batch in records), *(places(question.grid, *zip(*batch, strict=True)) for batch in others)]
    return merge(parts)


def read_conflicts(
    connection: Connection,
    access: Access,
    predator: str,
    window: Window,
    *,
    since: date | None = None,
    grid: Grid = H3,
    count: Count = counted_here,
) -> ConflictData:
    """Read the reports of losses to a predator that happened in the window, and where any form was filled in.

    With `since`, reports from that day on are given too; what is counted besides is that of the window.
    """
    access.require(Right.SEE)
    joined = joined_reports(connection, access)
    mine = and_(
        *access.visible(), *on_time(connection, access, window), Submission.encrypted.is_(False), Submission.excluded.is_(False)
    )
    counted = Submission.review_state.not_in(NEVER_COUNTED)
    question = Question(predator, window.start, _visits(connection, and_(mine, counted), joined), joined, grid)
    others = Submission.form_id.not_in([CONFLICT_FORM, *restricted_ids()])
    told = count(
        _reports(connection, and_(mine, _due(since or window.start, window.end))),
        _other_places(connection, and_(mine, counted, others), window),
        question,
    )
    unread = _unread(connection, and_(*access.visible(with_deleted=True), _due(window.start, window.end)))
    left_out = {reason: told.left_out.get(reason, 0) + unread.get(reason, 0) for reason in LEFT_OUT}
    open_pairs = undecided_pairs(connection, access, window.start, window.end)
    return ConflictData(told.reports, told.touched.cells, left_out, open_pairs, told.months)


def _due(first: date, last: date) -> ColumnElement[bool]:
    return or_(Submission.event_date.between(first, last), Submission.event_date.is_(None))


def _reports(connection: Connection, condition: ColumnElement[bool]) -> Iterable[Iterable[Any]]:
    """The conflict reports as `partition.Record`, batch by batch."""
    told = (cast(Submission.event_date, Text), _counted_answers(connection))
    place = (Submission.latitude, Submission.longitude, Submission.accuracy)
    query = select(Submission.instance_id, Submission.review_state, *place, *told)
    return _batches(connection, query.where(condition, Submission.form_id == CONFLICT_FORM))


def _counted_answers(connection: Connection) -> ColumnElement[str]:
    """The answers that are counted, and no other: the database is quicker at choosing them than Python at reading them all."""
    paths = [tuple(name.split("/")) for name in COUNTED]
    if connection.dialect.name == "sqlite":
        return func.json_extract(Submission.answers, *(f"$.{'.'.join(path)}" for path in paths), type_=Text)
    return cast(func.jsonb_build_array(*(Submission.answers[path] for path in paths)), Text)


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
        incidents.setdefault(incident, []).append(bare(instance_id))
    together = {
        bare(name): incidents[incident]
        for instance_id, incident in joined.items()
        for name in (instance_id, case_number(instance_id))
    }
    visits: dict[str, Visit] = {}
    query = select(Submission.answers).where(condition, Submission.form_id == VERIFICATION_FORM)
    for answers in connection.scalars(query.order_by(Submission.received_at, Submission.instance_id)):
        if answers.get("submission_purpose") != "test":
            visit = Visit(*(text_of(answers.get(name)) for name in ("predator_final", "verification_status", "scalp")))
            named = bare(text_of(answers.get("incident_ref")))
            visits.update(dict.fromkeys(together.get(named, [named]), visit))
    return visits


def _other_places(connection: Connection, condition: ColumnElement[bool], window: Window) -> Iterable[Iterable[Any]]:
    """The places of the other forms; a record without a date of its own is dated by its arrival."""
    arrived = [datetime.combine(day, time(), UTC) for day in (window.start, window.end + timedelta(days=1))]
    dated = or_(
        Submission.event_date.between(window.start, window.end),
        and_(Submission.event_date.is_(None), Submission.received_at >= arrived[0], Submission.received_at < arrived[1]),
    )
    purpose = func.coalesce(Submission.answers["submission_purpose"].as_string(), "real")
    located = Submission.latitude.is_not(None) & Submission.longitude.is_not(None)
    return _batches(
        connection, select(Submission.latitude, Submission.longitude).where(condition, dated, located, purpose != "test")
    )
