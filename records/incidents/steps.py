"""What happened with an incident and when: event, report, verification, claim, decision, payment; amounts, and the days between.

The steps are those of activity 8.1.4 of the range-wide strategy (compensation and insurance that pay in time).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from statistics import median, quantiles
from typing import Any

from sqlalchemy import Connection, select

from forms.datatypes import instant
from forms.numbers import official
from forms.spelling import ascii_digits, folded
from records.access import Access, Right
from records.incidents.pairs import NOT_COUNTED
from records.incidents.reading import Incident
from records.incidents.references import REPORT
from records.models import IncidentLink, Submission

EVENT, REPORTED, VERIFIED, CLAIMED, DECIDED, PAID = "event", "report", "verification", "claim", "decision", "payment"
_ORDER = (EVENT, REPORTED, VERIFIED, CLAIMED, DECIDED, PAID)
SPANS = ((EVENT, REPORTED), (EVENT, VERIFIED), (EVENT, CLAIMED), (CLAIMED, DECIDED), (DECIDED, PAID))
"""The latencies: from which step to which."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened: `detail` is the code of a finding or of the state of a claim, `claim` the claim's number."""

    kind: str
    day: date | None
    form_id: str
    instance_id: str
    detail: str = ""
    claim: str = ""
    amount: float | None = None
    currency: str = ""

    @property
    def in_rial(self) -> float | None:
        """An amount in toman, in rial: amounts are shown as they were given, and what they are worth beside."""
        return official(self.amount, self.currency)[0] if self.amount is not None and self.currency == "IRT" else None


@dataclass(frozen=True, slots=True)
class Latency:
    """Days from one step to the next; `is_open`: it has not come, and so many days have gone by."""

    start: str
    end: str
    days: int
    claim: str = ""
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class Timeline:
    """The steps of an incident by day, and the days between them; claims each on their own."""

    steps: Sequence[Step]
    latencies: Sequence[Latency]


@dataclass(frozen=True, slots=True)
class Summary:
    """A latency over all incidents of a project: how many are done, median and 90th percentile of their days, how many are open.

    Done ones alone look too good while many are open: what takes long is not among them yet.
    """

    start: str
    end: str
    done: int
    median: float | None
    slowest: float | None
    open: int


@dataclass(frozen=True, slots=True)
class _Told:
    """What is read of a record of an incident."""

    role: str
    form_id: str
    instance_id: str
    received_at: datetime
    event_date: date | None
    answers: Mapping[str, Any]


def timeline(incident: Incident, today: date) -> Timeline:
    """What happened with an incident until today."""
    records = [(REPORT, each) for each in incident.reports] + list(incident.visits)
    return _timeline(
        [
            _Told(role, each.form_id, each.instance_id, each.received_at, each.event_date, each.answers)
            for role, each in records
            if each.answers.get("submission_purpose") != "test"
        ],
        today,
    )


def latencies(connection: Connection, access: Access, today: date) -> list[Summary]:
    """Each latency over all incidents that a visit tells of. Rejected records do not count."""
    access.require(Right.SEE)
    visited = select(IncidentLink.incident_id).where(IncidentLink.project_id == access.project_id, IncidentLink.how == "reference")
    query = (
        select(IncidentLink.incident_id, IncidentLink.role, Submission.form_id, Submission.instance_id, Submission.received_at)
        .add_columns(Submission.event_date, Submission.answers)
        .join(
            Submission,
            (Submission.project_id == IncidentLink.project_id)
            & (Submission.form_id == IncidentLink.form_id)
            & (Submission.instance_id == IncidentLink.instance_id),
        )
        .where(IncidentLink.project_id == access.project_id, IncidentLink.incident_id.in_(visited), *access.visible())
        .where(Submission.review_state.not_in(NOT_COUNTED))
    )
    incidents: dict[str, list[_Told]] = {}
    for incident_id, *told in connection.execute(query):
        incidents.setdefault(incident_id, []).append(_Told(*told))
    every = [each for told in incidents.values() for each in _timeline(told, today).latencies]
    return [_summary(start, end, [each for each in every if (each.start, each.end) == (start, end)]) for start, end in SPANS]


def _summary(start: str, end: str, found: Sequence[Latency]) -> Summary:
    days = [each.days for each in found if not each.is_open]
    slowest = quantiles(days, n=10, method="inclusive")[-1] if len(days) > 1 else days[0] if days else None
    return Summary(start, end, len(days), median(days) if days else None, slowest, len(found) - len(days))


def _timeline(told: Sequence[_Told], today: date) -> Timeline:
    ordered = sorted(told, key=lambda each: (each.received_at, each.instance_id))
    told_last = {  # each follow-up repeats what is known of its claim
        (step.kind, step.day, "" if step.kind == EVENT else folded(step.claim) or step.instance_id): step
        for each in ordered
        for step in _READERS.get(each.role, _nothing)(each)
    }
    steps = list(told_last.values())
    steps.sort(key=lambda each: (each.day or date.max, _ORDER.index(each.kind), each.instance_id))
    return Timeline(steps, list(_latencies(steps, _open_claims(ordered), today)))


def _nothing(_: _Told) -> Iterator[Step]:
    yield from ()


def _report(told: _Told) -> Iterator[Step]:
    if told.event_date is not None:
        yield Step(EVENT, told.event_date, told.form_id, told.instance_id)
    arrived = told.received_at.astimezone(UTC).date()
    written = instant(_text(told.answers.get("end")))  # phones may be offline for weeks
    yield Step(REPORTED, arrived if written is None else min(written.date(), arrived), told.form_id, told.instance_id)


def _verification(told: _Told) -> Iterator[Step]:
    visited = instant(_text(told.answers.get("visit_time")))
    day = visited.date() if visited is not None else told.received_at.astimezone(UTC).date()
    yield Step(VERIFIED, day, told.form_id, told.instance_id, detail=_text(told.answers.get("verification_status")))


def _compensation(told: _Told) -> Iterator[Step]:
    answers = told.answers
    common = {
        "form_id": told.form_id,
        "instance_id": told.instance_id,
        "claim": ascii_digits(_text(answers.get("claim_id"))),
        "currency": _text(answers.get("currency")),
    }
    status = _text(answers.get("status"))
    for kind, day, amount in ((CLAIMED, "claim_date", "amount_claimed"), (DECIDED, "decision_date", "amount_approved"),
                              (PAID, "paid_date", "amount_paid")):  # fmt: skip
        found = _day(answers.get(day))
        if found is not None:
            detail = _OUTCOMES.get(status, "") if kind == DECIDED else status if kind == PAID else ""
            yield Step(kind, found, detail=detail, amount=_number(answers.get(amount)), **common)


_READERS: dict[str, Callable[[_Told], Iterator[Step]]] = {
    REPORT: _report,
    "verification": _verification,
    "compensation": _compensation,
}
_OUTCOMES = {"approved": "approved", "part_paid": "approved", "paid": "approved", "rejected": "rejected"}
"""What was decided about a claim, by its state; it is a code of the same list."""
_CLOSED = {"paid", "rejected", "withdrawn", "expired"}


def _open_claims(ordered: Sequence[_Told]) -> set[str]:
    """The claims whose last known state is not the end."""
    states = {
        folded(_text(each.answers.get("claim_id"))): _text(each.answers.get("status"))
        for each in ordered
        if each.role == "compensation"
    }
    return {claim for claim, status in states.items() if status not in _CLOSED}


def _latencies(steps: Sequence[Step], open_claims: set[str], today: date) -> Iterator[Latency]:
    """From the first of each kind to the first of the next, a payment to the last; of claims, each on its own."""
    event = _first(steps, EVENT)
    for end in (REPORTED, VERIFIED):
        step = _first(steps, end)
        if event is not None and step is not None:
            yield Latency(EVENT, end, _days(event, step))
    for number in dict.fromkeys(folded(step.claim) for step in steps if step.kind in {CLAIMED, DECIDED, PAID}):
        of_claim = [step for step in steps if step.kind in {CLAIMED, DECIDED, PAID} and folded(step.claim) == number]
        claimed, decided = _first(of_claim, CLAIMED), _first(of_claim, DECIDED)
        is_open = number in open_claims
        if event is not None and claimed is not None:
            yield Latency(EVENT, CLAIMED, _days(event, claimed), claimed.claim)
        if claimed is not None and (decided is not None or is_open):
            yield _span(claimed, decided, DECIDED, today)
        paid = next((step for step in reversed(of_claim) if step.kind == PAID), None)
        if decided is not None and (paid is not None or is_open):
            yield _span(decided, None if is_open else paid, PAID, today)


def _span(start: Step, end: Step | None, kind: str, today: date) -> Latency:
    if end is None:
        return Latency(start.kind, kind, (today - (start.day or today)).days, start.claim, is_open=True)
    return Latency(start.kind, kind, _days(start, end), start.claim)


def _first(steps: Sequence[Step], kind: str) -> Step | None:
    return next((step for step in steps if step.kind == kind and step.day is not None), None)


def _days(start: Step, end: Step) -> int:
    return ((end.day or date.min) - (start.day or date.min)).days


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else str(value) if type(value) in (int, float) else ""


def _number(value: object) -> float | None:
    return float(value) if type(value) in (int, float) else None  # type: ignore[arg-type]


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None
