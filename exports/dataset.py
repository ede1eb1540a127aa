"""The one reader of records for analysis: what never counts is left out here, and everything left out is counted.

Records are never refused for what they say, so every answer may be missing or of the wrong type.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import starmap
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, CursorResult, Executable, and_, case, func, or_, select

from exports.grid import H3, Cells, Grid
from exports.late import on_time
from exports.partition import Aggregate, Counted, Question, Visit, merge, part, places
from exports.reports import Reports
from exports.windows import Window
from forms.library.sources import restricted_ids
from forms.submission import case_number
from records.access import Access, Right
from records.counted import CONFLICT_FORM, LAYOUT, bare, counted, text_of
from records.incidents import joined_reports, undecided_pairs
from records.models import Form, Submission

VERIFICATION_FORM = "conflict_verification"
NEVER_COUNTED = ("rejected", "duplicate")
LEFT_OUT = ("n_rejected", "n_deleted", "n_encrypted", "n_error", "n_test", "n_undated", "n_other_predator")
_BATCH, _COUNTED = 2000, 50_000
"""Rows read at a time (of more, Python makes the tuples anew each time), and counted at a time."""


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


Count = Callable[[Iterable[Counted], Iterable[Iterable[tuple[float, float]]], Question], Aggregate]
"""A way to count: conflict reports and places (latitude, longitude) of other records, both in batches."""


def counted_here(reports: Iterable[Counted], others: Iterable[Iterable[tuple[float, float]]], question: Question) -> Aggregate:
    """Count in this process."""
    parts = [*(part(batch, question) for batch in reports), *(places(question.grid, *zip(*batch, strict=True)) for batch in others)]
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
    rejected = Submission.review_state.in_(NEVER_COUNTED)
    question = Question(predator, window.start, _visits(connection, and_(mine, ~rejected), joined), joined, grid)
    told = count(
        _reports(connection, and_(mine, ~rejected, _due(since or window.start, window.end))),
        _other_places(connection, access, and_(mine, ~rejected), window),
        question,
    )
    unread = _unread(connection, and_(*access.visible(with_deleted=True), _due(window.start, window.end)), and_(mine, rejected))
    left_out = {reason: told.left_out.get(reason, 0) + unread.get(reason, 0) for reason in LEFT_OUT}
    open_pairs = undecided_pairs(connection, access, window.start, window.end)
    return ConflictData(told.reports, told.touched.cells, left_out, open_pairs, told.months)


def _due(first: date, last: date) -> ColumnElement[bool]:
    return or_(Submission.event_date.between(first, last), Submission.event_date.is_(None))


def _reports(connection: Connection, condition: ColumnElement[bool]) -> Iterator[Counted]:
    """The conflict reports, batch by batch: what the checks have packed of them, or their answers where they have not yet."""
    row, reports, unpacked = Submission, and_(condition, Submission.form_id == CONFLICT_FORM), False
    waiting: list[bytes] = []
    for packed in _result(connection, select(row.counted).where(reports)).scalars().partitions(_BATCH):
        found = [each for each in packed if each is not None]
        unpacked |= len(found) < len(packed)
        waiting += found
        if len(waiting) >= _COUNTED:
            yield np.frombuffer(b"".join(waiting), LAYOUT)
            waiting = []
    yield np.frombuffer(b"".join(waiting), LAYOUT)
    content = (row.instance_id, row.answers, row.latitude, row.longitude, row.accuracy, row.event_date)
    for rows in _result(connection, select(*content).where(reports, row.counted.is_(None))).partitions(_BATCH) if unpacked else ():
        yield np.frombuffer(b"".join(starmap(counted, rows)), LAYOUT)


def _result(connection: Connection, query: Executable) -> CursorResult[Any]:
    """A result that is read batch by batch."""
    is_buffered = connection.dialect.name != "sqlite"  # SQLite gives row by row whatever is asked
    return connection.execute(query, execution_options={"stream_results": is_buffered})


def _unread(connection: Connection, condition: ColumnElement[bool], rejected: ColumnElement[bool]) -> dict[str, int]:
    """Count the conflict reports that nobody reads: deleted, encrypted (then without a day too), with an error nobody settled."""
    row = Submission
    reasons = {
        "n_deleted": row.deleted_at.is_not(None),
        "n_encrypted": row.encrypted,
        "n_error": row.excluded,
        "n_rejected": rejected,
    }
    reason = case(*((is_true, name) for name, is_true in reasons.items()))
    query = select(reason, func.count()).where(condition, row.form_id == CONFLICT_FORM, or_(*reasons.values()))
    return {found[0]: found[1] for found in connection.execute(query.group_by(reason))}


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


def _other_places(
    connection: Connection, access: Access, condition: ColumnElement[bool], window: Window
) -> Iterable[Iterable[Any]]:
    """The places of the other forms; a record without a date of its own is dated by its arrival."""
    arrived = [datetime.combine(day, time(), UTC) for day in (window.start, window.end + timedelta(days=1))]
    dated = or_(
        Submission.event_date.between(window.start, window.end),
        and_(Submission.event_date.is_(None), Submission.received_at >= arrived[0], Submission.received_at < arrived[1]),
    )
    others = set(connection.scalars(select(Form.form_id).filter_by(project_id=access.project_id)))
    others -= {CONFLICT_FORM, *restricted_ids()}
    purpose = func.coalesce(Submission.answers["submission_purpose"].as_string(), "real")
    located = Submission.latitude.is_not(None) & Submission.longitude.is_not(None)
    places = select(Submission.latitude, Submission.longitude).where(condition, Submission.form_id.in_(sorted(others)))
    return _result(connection, places.where(dated, located, purpose != "test")).partitions(_BATCH)
