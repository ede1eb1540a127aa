"""Compensation and insurance (activity 8.1.4): how long, how much, for how many. Claims still open count as what they are."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date

from exports.indicators.attacks import REPORT, VERIFIED, VISIT, Attack, attacks_of, visits_by_report
from exports.indicators.conflict import of_attacks
from exports.indicators.effect_statistics import kaplan_meier
from exports.indicators.figures import ANY, LOW_N, Figure, Indicator, Support, behind, estimated, share
from exports.indicators.intervals import mean, ratio_of_sums
from exports.indicators.losses import prices
from exports.indicators.records import Record
from exports.indicators.slices import Data, Slice, Sorted
from forms.numbers import official
from forms.submission import case_number
from records.counted import bare

SURVEY = "compensation_followup"
APPROVED = ("approved", "part_paid", "paid")
ENDED = ("withdrawn", "expired")
SCHEMES = ("gov", "ngo", "insurance", "community")
KAPLAN_MEIER = "Kaplan & Meier 1958, open claims censored"


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim as its last visit leaves it, and the report it is about if that is here."""

    last: Record
    claimed: date
    decided: date | None
    paid: date | None
    report: Record | None

    @property
    def country(self) -> str:
        """Country of the attack, else of the visit."""
        return self.report.country if self.report else self.last.country

    @property
    def status(self) -> str:
        """State of the claim."""
        return self.last.answers.text("status")

    @property
    def household(self) -> str:
        """Who claims; empty if unknown."""
        return self.report.household if self.report else ""


def claims_of(data: Data) -> Sequence[Claim]:
    """The claims, each with the earliest day of every step; visits to one claim name its number and its report."""
    named = {bare(name): report for report in data.of(REPORT) for name in (report.instance_id, case_number(report.instance_id))}
    visits: dict[tuple[str, str], list[Record]] = {}
    for record in data.of(SURVEY):
        report = named.get(bare(record.answers.text("incident_ref")))
        about = report.instance_id if report else bare(record.answers.text("incident_ref"))
        visits.setdefault((record.answers.code("claim_id"), about), []).append(record)
    claims = []
    for (_, about), records in visits.items():
        days = {name: _first(records, name) for name in ("claim_date", "decision_date", "paid_date")}
        last = records[-1]
        if days["claim_date"] is not None:
            paid = last.answers.day("paid_date") if last.answers.text("status") == "paid" else None
            claims.append(Claim(last, days["claim_date"], days["decision_date"], paid, named.get(bare(about))))
    return claims


def _first(records: Iterable[Record], name: str) -> date | None:
    return min((day for day in (record.answers.day(name) for record in records) if day), default=None)


def _sorted(data: Data) -> Sorted[Claim]:
    return Sorted(data.once(claims_of), lambda claim: (claim.country, claim.claimed))


def _of(where: Slice) -> list[Claim]:
    return where.data.once(_sorted).of(where)


def _behind(claims: Iterable[Claim], amounts: Sequence[float] | None = None) -> Support:
    chosen = list(claims)
    return behind([claim.last for claim in chosen], amounts, [claim.household for claim in chosen])


def _latency(where: Slice) -> Iterable[Figure]:
    today = where.data.until
    claims = _of(where)
    waits = [(claim, *_until_decision(claim, today)) for claim in claims]
    yield from _waiting("claim_to_decision", [(claim, days, ended) for claim, days, ended in waits])
    decided = [claim for claim in claims if claim.decided and claim.status in APPROVED]
    payments = [(claim, ((claim.paid or today) - (claim.decided or today)).days, claim.paid is not None) for claim in decided]
    yield from _waiting("decision_to_payment", payments)
    yield from _until_claim(where)


def _until_decision(claim: Claim, today: date) -> tuple[int, bool]:
    if claim.decided:
        return (claim.decided - claim.claimed).days, True
    stopped = claim.last.received.astimezone(UTC).date() if claim.status in ENDED else today
    return (stopped - claim.claimed).days, False


def _until_claim(where: Slice) -> Iterable[Figure]:
    """From the attack to the claim; reports that want to claim and have not yet are open."""
    claimed = {claim.report.instance_id: claim for claim in where.data.once(claims_of) if claim.report}
    waits: list[tuple[Record, int, bool]] = []
    for report in where.of(REPORT):
        claim = claimed.get(report.instance_id)
        if claim is not None:
            waits.append((report, (claim.claimed - report.day).days, True))
        elif report.answers.text("response/claim") == "yes":
            waits.append((report, (where.data.until - report.day).days, False))
    yield from _figures(
        "event_to_claim", [days for _, days, _ in waits], [ended for *_, ended in waits], behind(one[0] for one in waits)
    )


def _waiting(name: str, waits: Sequence[tuple[Claim, int, bool]]) -> Iterable[Figure]:
    support = _behind(claim for claim, *_ in waits)
    yield from _figures(name, [days for _, days, _ in waits], [ended for *_, ended in waits], support)


def _figures(name: str, days: Sequence[int], ended: Sequence[bool], support: Support) -> Iterable[Figure]:
    if not days:
        return
    found = kaplan_meier([max(0, each) for each in days], ended)
    n, coverage = len(days), found.ended / len(days)
    flags = (LOW_N,) if n < 10 else ()
    half = Figure(f"{name}_median", found.median, "days", n, found.lower, found.upper, coverage=coverage, method=KAPLAN_MEIER)
    slow = Figure(f"{name}_percentile_90", found.slowest, "days", n, coverage=coverage, method=KAPLAN_MEIER)
    for figure in (half, slow):
        refused = "" if figure.value is not None else "too_many_still_open"
        yield replace(figure, supports=(support,), flags=flags, refused=refused)


def _paid(where: Slice) -> Iterable[Figure]:
    visits, price = where.data.once(visits_by_report), where.data.once(prices)
    by_currency: dict[str, list[tuple[Claim, float, float]]] = {}
    for claim in _of(where):
        visit = visits.get(claim.report.instance_id) if claim.report else None
        if claim.report is None or visit is None or visit.answers.text("verification_status") not in VERIFIED:
            continue
        written = claim.last.answers.text("currency")
        paid, currency = official(claim.last.answers.number("amount_paid") or 0.0, written)
        if not written:
            continue
        loss = 0.0
        for row in visit.answers.rows("verified"):
            each = price(claim.report, row.text("v_species"), row.text("v_age"))
            loss += (each or 0.0) * row.count("v_killed")
        if loss and official(0.0, claim.report.answers.text("losses_g/currency"))[1] == currency:
            by_currency.setdefault(currency, []).append((claim, paid, loss))
    for currency, found in sorted(by_currency.items()):
        losses, sums = [loss for *_, loss in found], [paid for _, paid, _ in found]
        figure = estimated("paid_share", ratio_of_sums(sums, losses), "%", len(found), factor=100)
        supports = (_behind((claim for claim, *_ in found), losses),)
        coverage = len(found) / len(_of(where))
        method = "paid / verified animals * value, limits by claim (Fieller 1954)"
        yield replace(figure, of=currency, supports=supports, is_sum=True, coverage=coverage, method=method)


def _approval(where: Slice) -> Iterable[Figure]:
    decided = [claim for claim in _of(where) if claim.status in (*APPROVED, "rejected")]
    approved = [claim for claim in decided if claim.status in APPROVED]
    yield from share("approved_share", len(approved), len(decided), supports=(_behind(decided),))
    rejected = [claim for claim in decided if claim.status == "rejected"]
    reasons = Counter(claim.last.answers.text("reject_reason") or "unknown" for claim in rejected)
    for reason, number in sorted(reasons.items()):
        yield from share("rejected_because", number, len(rejected), of=reason, supports=(_behind(rejected),))


def _reach(where: Slice) -> Iterable[Figure]:
    claimed = {claim.report.instance_id for claim in where.data.once(claims_of) if claim.report}
    eligible = [attack for attack in where.data.once(attacks_of).of(ANY, where) if attack.is_verified and _has_scheme(attack)]
    hits = sum(any(told.report.instance_id in claimed for told in attack.told) for attack in eligible)
    yield from share("claimed_share", hits, len(eligible), supports=(of_attacks(eligible),))


def _has_scheme(attack: Attack) -> bool:
    return attack.first.answers.text("response/scheme") in SCHEMES


def _fairness(where: Slice) -> Iterable[Figure]:
    asked = [claim for claim in _of(where) if claim.last.answers.text("satisfied") in ("1", "2", "3", "4", "5")]
    fair = sum(claim.last.answers.text("satisfied") in ("4", "5") for claim in asked)
    for figure in share("fair_share", fair, len(asked), supports=(_behind(asked),)):
        yield replace(figure, coverage=len(asked) / len(_of(where)))
    told = [(claim, trips) for claim in _of(where) if (trips := claim.last.answers.number("trips")) is not None]
    if told:
        figure = estimated("trips", mean([trips for _, trips in told]), "trips per claim", len(told))
        coverage = len(told) / len(_of(where))
        yield replace(figure, supports=(_behind(claim for claim, _ in told),), coverage=coverage, method="mean, Student's t")


_SURVEYS = (SURVEY, REPORT, VISIT)
INDICATORS = (
    Indicator("I-CMP-1", "days from event to claim, claim to decision, decision to last payment", _SURVEYS, _latency),
    Indicator("I-CMP-2", "paid / value of verified animals, in one currency", _SURVEYS, _paid),
    Indicator("I-CMP-3", "approved / decided; reasons of rejection / rejected", _SURVEYS, _approval),
    Indicator("I-CMP-4", "verified attacks with a claim / verified attacks where there is a scheme", _SURVEYS, _reach),
    Indicator("I-CMP-5", "claimants who agree (4, 5) that it was fair / asked; trips per claim", (SURVEY,), _fairness),
)
