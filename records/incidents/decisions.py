"""What people decide about pairs, and the incidents that follow: whatever hangs together by decisions "same" is one."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, or_, select, update

from forms.problems import Problem
from forms.submission import case_number
from records.access import Access
from records.incidents.pairs import Record, pair_key, refresh_flags
from records.incidents.references import REPORT
from records.models import IncidentLink, IncidentPair, Submission
from records.reviews import MOST_COMMENT, Review
from records.store import Store

SAME, DIFFERENT, UNDECIDED = "same", "different", "undecided"
DECISIONS = (SAME, DIFFERENT, UNDECIDED)
ASKED = "asked"
"""The band of a pair that only a person thought of."""


def decide(store: Store, access: Access, one: Record, other: Record, decision: str, comment: str = "") -> None:
    """Say whether two reports tell of the same event, or that it is open again. Nothing is merged, and it can be taken back.

    Both reports get a line in their history. Raises `Problem` value_invalid, submission_unknown, not_allowed, and
    incident_contradiction where another decision says otherwise.
    """
    if decision not in DECISIONS:
        raise Problem("value_invalid", f"Decision {decision}: one of {', '.join(DECISIONS)}.")
    if one == other:
        raise Problem("value_invalid", "A report is the same as itself.")
    if len(comment.strip()) > MOST_COMMENT:
        raise Problem("value_invalid", f"A comment has at most {MOST_COMMENT} characters.")
    store.write(lambda connection: _decide(connection, access, one, other, decision, comment.strip()))


def _decide(connection: Connection, access: Access, one: Record, other: Record, decision: str, comment: str) -> None:
    both = sorted((one, other))  # in this order, so that two people at once wait for each other
    reviews = [Review(connection, access, *each) for each in both]
    _require_reports(connection, access.project_id, both)
    before = _connected(connection, access.project_id, both)
    _write(connection, access, one, other, decision, comment)
    after = _connected(connection, access.project_id, before)
    _refuse_contradiction(connection, access.project_id, after)
    settle_incidents(connection, access.project_id, after)
    _look_at_visits_again(connection, access.project_id, after)
    for review, (_, named) in zip(reviews, reversed(both), strict=True):
        review.note(decision, comment, record=named)
    for form_id, instance_id in sorted(after):
        refresh_flags(connection, {"project_id": access.project_id, "form_id": form_id, "instance_id": instance_id})


def _look_at_visits_again(connection: Connection, project_id: int, reports: Iterable[Record]) -> None:
    """What a visit accepts is compared with all reports of its incident, which are others now."""
    visits = select(IncidentLink.instance_id).filter_by(project_id=project_id, how="reference")
    visits = visits.where(IncidentLink.reference.in_([instance_id for _, instance_id in reports]))
    again = update(Submission).where(Submission.project_id == project_id, Submission.instance_id.in_(visits))
    connection.execute(again.values(checked=0))


def _require_reports(connection: Connection, project_id: int, records: Iterable[Record]) -> None:
    """Tests and records that nobody has looked at yet are no reports of an incident."""
    for form_id, instance_id in records:
        key = {"project_id": project_id, "form_id": form_id, "instance_id": instance_id, "role": REPORT}
        if connection.scalar(select(IncidentLink.instance_id).filter_by(**key)) is None:
            raise Problem(
                "value_invalid", f"{case_number(instance_id)} is no report of an event: a test, encrypted or not checked yet."
            )


def _write(connection: Connection, access: Access, one: Record, other: Record, decision: str, comment: str) -> None:
    key = pair_key(access.project_id, one, other)
    now = datetime.now(UTC)
    decided: dict[str, Any] = {"decision": decision, "decided_at": now, "decided_by": access.actor, "comment": comment}
    if decision == UNDECIDED:
        connection.execute(delete(IncidentPair).filter_by(**key, band=ASKED))
        emptied = update(IncidentPair).filter_by(**key).values(decision="", decided_at=None, decided_by="", comment="")
        connection.execute(emptied)
        again = {"project_id": access.project_id, "form_id": one[0], "instance_id": one[1]}
        connection.execute(update(Submission).filter_by(**again).values(checked=0))  # it may be no proposal any more
        return
    if connection.execute(update(IncidentPair).filter_by(**key).values(decided)).rowcount == 0:
        blank = {"score": 0.0, "band": ASKED, "evidence": {}, "rule": "", "proposed_at": now}
        connection.execute(insert(IncidentPair), key | blank | decided)


def _connected(connection: Connection, project_id: int, records: Iterable[Record]) -> set[Record]:
    """These records and all that hang together with one of them by decisions "same"."""
    reached: set[Record] = set()
    border = set(records)
    while border:
        reached |= border
        ids = [instance_id for _, instance_id in border]
        found = _decided(connection, project_id, SAME, ids)
        border = {each for pair in found if reached & set(pair) for each in pair} - reached
    return reached


def _decided(connection: Connection, project_id: int, decision: str, ids: Iterable[str]) -> list[tuple[Record, Record]]:
    """The pairs with this decision that one of these instance ids is in."""
    wanted = list(ids)
    pair = IncidentPair
    rows = connection.execute(
        select(pair.first_form, pair.first_id, pair.second_form, pair.second_id)
        .where(pair.project_id == project_id, pair.decision == decision)
        .where(or_(pair.first_id.in_(wanted), pair.second_id.in_(wanted)))
    )
    return [((row.first_form, row.first_id), (row.second_form, row.second_id)) for row in rows]


def components(records: Iterable[Record], links: Iterable[tuple[Record, Record]]) -> list[set[Record]]:
    """The records, gathered by what hangs together by links."""
    gathered = {record: {record} for record in records}
    for one, other in links:
        if one in gathered and other in gathered and gathered[one] is not gathered[other]:
            joined = gathered[one] | gathered[other]
            gathered |= dict.fromkeys(joined, joined)
    return list({id(each): each for each in gathered.values()}.values())


def _refuse_contradiction(connection: Connection, project_id: int, records: set[Record]) -> None:
    """Raise `Problem("incident_contradiction")` when two reports would be of one event that somebody said are different."""
    ids = [instance_id for _, instance_id in records]
    groups = components(records, _decided(connection, project_id, SAME, ids))
    for one, other in _decided(connection, project_id, DIFFERENT, ids):
        group = next((each for each in groups if one in each and other in each), None)
        if group is not None:
            cases = ", ".join(sorted(case_number(instance_id) for _, instance_id in group))
            raise Problem(
                "incident_contradiction",
                f"{case_number(one[1])} ≠ {case_number(other[1])}; {cases}",
            )


def settle_incidents(connection: Connection, project_id: int, records: set[Record]) -> None:
    """Give each report the id of its incident, that of the report that came first, and the visits that of their report."""
    ids = [instance_id for _, instance_id in records]
    came = {
        (row.form_id, row.instance_id): (row.received_at, row.instance_id)
        for row in connection.execute(
            select(Submission.form_id, Submission.instance_id, Submission.received_at)
            .where(Submission.project_id == project_id, Submission.instance_id.in_(ids))
        )
    }  # fmt: skip
    for group in components(records, _decided(connection, project_id, SAME, ids)):
        first = min(came[each] for each in group if each in came)[1]
        for form_id, instance_id in group:
            own = update(IncidentLink).filter_by(project_id=project_id, form_id=form_id, instance_id=instance_id)
            connection.execute(own.values(incident_id=first, how="decision" if len(group) > 1 else "own"))
        visits = update(IncidentLink).where(IncidentLink.project_id == project_id, IncidentLink.how == "reference")
        named = IncidentLink.reference.in_([instance_id for _, instance_id in group])
        connection.execute(visits.where(named).values(incident_id=first))
