"""Pairs of reports that may tell of one event: their key, reading them, and the flags that follow from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, func, or_, select, union_all, update
from sqlalchemy.orm import InstrumentedAttribute

from forms.problems import Problem
from forms.submission import case_number
from records.access import Access, Right
from records.flag_kinds.incidents import TWIN
from records.flags import Flag, flag, flag_columns
from records.models import ConflictReport, IncidentLink, IncidentPair, Submission

Record = tuple[str, str]
"""A record of a project: (form id, instance id)."""
NOT_COUNTED = ("rejected", "duplicate")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two reports that may tell of one event, with the evidence {term: {value, weight, figure?}} and the decision, if any."""

    first: Record
    second: Record
    score: float
    band: str
    evidence: dict[str, dict[str, Any]]
    rule: str
    decision: str
    decided_at: datetime | None
    decided_by: str
    comment: str


def pair_key(project_id: int, one: Record, other: Record) -> dict[str, Any]:
    """The key of the pair of two records, whichever is named first."""
    first, second = sorted((one, other))
    return {
        "project_id": project_id,
        "first_form": first[0],
        "first_id": first[1],
        "second_form": second[0],
        "second_id": second[1],
    }


def proposed_pairs(connection: Connection, access: Access, *, limit: int, skip: int = 0, band: str = "") -> list[Pair]:
    """The pairs that nobody has decided about, strongest first; of a `band` or of all. Pairs within one incident are settled."""
    query = _pairs(access).where(IncidentPair.decision == "", *_apart())
    if band:
        query = query.where(IncidentPair.band == band)
    for side in (IncidentPair.first_form, IncidentPair.first_id), (IncidentPair.second_form, IncidentPair.second_id):
        query = query.where(_seen(access, *side, Submission.review_state.not_in(NOT_COUNTED)))
    strongest = query.order_by(IncidentPair.score.desc(), IncidentPair.first_id, IncidentPair.second_id)
    return [_pair(row) for row in connection.execute(strongest.limit(limit).offset(skip))]


def undecided_pairs(connection: Connection, access: Access, first: date, last: date) -> int:
    """How many pairs wait for a decision of which a report is dated within these days."""
    query = _pairs(access).where(IncidentPair.decision == "", *_apart())
    for side in (IncidentPair.first_form, IncidentPair.first_id), (IncidentPair.second_form, IncidentPair.second_id):
        query = query.where(_seen(access, *side, Submission.review_state.not_in(NOT_COUNTED)))
    dated = ConflictReport.happened_on.between(first, last) & (ConflictReport.project_id == IncidentPair.project_id)
    either = or_(
        and_(ConflictReport.form_id == IncidentPair.first_form, ConflictReport.instance_id == IncidentPair.first_id),
        and_(ConflictReport.form_id == IncidentPair.second_form, ConflictReport.instance_id == IncidentPair.second_id),
    )
    in_time = select(ConflictReport.instance_id).where(dated, either).correlate(IncidentPair).exists()
    return connection.execute(query.where(in_time).with_only_columns(func.count())).scalar_one()


def pair_of(connection: Connection, access: Access, one: Record, other: Record) -> Pair | None:
    """What is known of these two. Raises `Problem("submission_unknown")` unless both may be seen."""
    access.require(Right.SEE)
    for form_id, instance_id in (one, other):
        mine = select(Submission.instance_id).where(*access.visible(), Submission.form_id == form_id)
        if connection.scalar(mine.where(Submission.instance_id == instance_id)) is None:
            raise Problem("submission_unknown", instance_id)
    row = connection.execute(_pairs(access).filter_by(**pair_key(access.project_id, one, other))).first()
    return None if row is None else _pair(row)


def pairs_among(connection: Connection, access: Access, records: Sequence[Record]) -> list[Pair]:
    """The pairs of which a record is among these and both may be seen, decided or not, strongest first."""
    ids = [instance_id for _, instance_id in records]
    query = _pairs(access).where(or_(IncidentPair.first_id.in_(ids), IncidentPair.second_id.in_(ids)))
    for side in (IncidentPair.first_form, IncidentPair.first_id), (IncidentPair.second_form, IncidentPair.second_id):
        query = query.where(_seen(access, *side))
    return [_pair(row) for row in connection.execute(query.order_by(IncidentPair.score.desc(), IncidentPair.first_id))]


def _pairs(access: Access) -> Select[Any]:
    access.require(Right.SEE)
    return select(*IncidentPair.__table__.columns).where(IncidentPair.project_id == access.project_id)


def _pair(row: Any) -> Pair:
    return Pair(
        (row.first_form, row.first_id),
        (row.second_form, row.second_id),
        row.score,
        row.band,
        row.evidence,
        row.rule,
        row.decision,
        row.decided_at,
        row.decided_by,
        row.comment,
    )


def _seen(
    access: Access, form_id: InstrumentedAttribute[str], instance_id: InstrumentedAttribute[str], *more: ColumnElement[bool]
) -> ColumnElement[bool]:
    """Whether the holder may see this record of a pair."""
    mine = select(Submission.instance_id).where(*access.visible(), *more)
    return mine.where(Submission.form_id == form_id, Submission.instance_id == instance_id).correlate(IncidentPair).exists()


def _apart() -> Sequence[ColumnElement[bool]]:
    """That the two are not of one incident already."""
    one, other = IncidentLink.__table__.alias(), IncidentLink.__table__.alias()
    both = and_(
        one.c.project_id == IncidentPair.project_id,
        one.c.form_id == IncidentPair.first_form,
        one.c.instance_id == IncidentPair.first_id,
        other.c.project_id == IncidentPair.project_id,
        other.c.form_id == IncidentPair.second_form,
        other.c.instance_id == IncidentPair.second_id,
        one.c.incident_id == other.c.incident_id,
    )
    return (~select(one.c.instance_id).where(both).correlate(IncidentPair).exists(),)


_OTHERS = union_all(  # each part has its index
    *(
        select(getattr(IncidentPair, f"{other}_id"))
        .join(
            Submission,
            and_(
                Submission.project_id == IncidentPair.project_id,
                Submission.form_id == getattr(IncidentPair, f"{other}_form"),
                Submission.instance_id == getattr(IncidentPair, f"{other}_id"),
            ),
        )
        .where(
            IncidentPair.project_id == bindparam("project_id"),
            getattr(IncidentPair, f"{side}_form") == bindparam("form_id"),
            getattr(IncidentPair, f"{side}_id") == bindparam("instance_id"),
            IncidentPair.decision == "",
            Submission.deleted_at.is_(None),
            *_apart(),
        )
        for side, other in (("first", "second"), ("second", "first"))
    )
)


_FLAGS = (
    select(Submission.flags)
    .where(Submission.project_id == bindparam("project_id"), Submission.form_id == bindparam("form_id"))
    .where(Submission.instance_id == bindparam("instance_id"))
    .with_for_update()
)


def twin_flags(connection: Connection, key: dict[str, Any]) -> list[Flag]:
    """The flags of a record that follow from its undecided pairs."""
    return [flag(TWIN, case=case_number(other)) for other in sorted(connection.scalars(_OTHERS, key))]


def refresh_flags(connection: Connection, key: dict[str, Any]) -> None:
    """Bring these flags of a record up to date; one that a person settled stays as it is."""
    present: list[Flag] | None = connection.execute(_FLAGS, key).scalar()
    if present is None:
        return
    staying = [item for item in present if item["code"] != TWIN or "settled" in item]
    settled = {item["message"] for item in staying if item["code"] == TWIN}
    flags = [*staying, *(item for item in twin_flags(connection, key) if item["message"] not in settled)]
    if flags != present:
        connection.execute(update(Submission).filter_by(**key).values(flag_columns(flags)))
