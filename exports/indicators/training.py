"""Training (activities 7.1.5, 3.1.1, 9.4.2, 11.2.1): how many people, what they learnt, how long it took."""

from collections.abc import Iterable
from dataclasses import replace

from exports.indicators.figures import Figure, Indicator, estimated, share
from exports.indicators.intervals import ratio_of_sums
from exports.indicators.records import Answers, Record
from exports.indicators.slices import Slice

SURVEY = "training_event"


def _size(group: Answers) -> int:
    return group.count("women") + group.count("men") + group.count("unsaid")


def _people(where: Slice) -> Iterable[Figure]:
    events = where.of(SURVEY)
    groups = [(record, row) for record in events for row in record.answers.rows("aud")]
    for audience in ("", *sorted({row.text("audience") for _, row in groups} - {""})):
        mine = [row for _, row in groups if audience in ("", row.text("audience"))]
        if not mine:
            continue
        n = sum(map(_size, mine))
        people = sum(min(row.count("first_time"), _size(row)) for row in mine)
        yield Figure("people", people, "people", len(events), of=audience, method="trained for the first time")
        yield Figure("participants", n, "participants", len(events), of=audience, method="sum over events")
        women = sum(row.count("women") for row in mine)
        said = women + sum(row.count("men") for row in mine)
        for figure in share("women_share", women, said, of=audience):
            yield replace(figure, coverage=said / n if n else None)
    for kind in sorted({record.answers.text("kind") for record in events} - {""}):
        of_kind = [row for record, row in groups if record.answers.text("kind") == kind]
        people = sum(min(row.count("first_time"), _size(row)) for row in of_kind)
        yield Figure("people_by_kind", people, "people", len(of_kind), of=kind, method="trained for the first time")


def _gain(where: Slice) -> Iterable[Figure]:
    tested = [record for record in where.of(SURVEY) if _is_tested(record)]
    if tested:
        n = [min(record.answers.count("pretest_n"), record.answers.count("posttest_n")) for record in tested]
        gains = [
            (record.answers.number("posttest_mean") or 0.0) - (record.answers.number("pretest_mean") or 0.0) for record in tested
        ]
        estimate = ratio_of_sums([gain * people for gain, people in zip(gains, n, strict=True)], n)
        figure = estimated("gain", estimate, "percentage points", sum(n))
        coverage = len(tested) / len(where.of(SURVEY))
        yield replace(figure, coverage=coverage, method="mean by people tested, limits between events (Fieller 1954)")


def _is_tested(record: Record) -> bool:
    means = (record.answers.number("pretest_mean"), record.answers.number("posttest_mean"))
    return None not in means and bool(record.answers.count("pretest_n") and record.answers.count("posttest_n"))


def _dose(where: Slice) -> Iterable[Figure]:
    timed = [record for record in where.of(SURVEY) if record.answers.number("hours")]
    if timed:
        hours = [(record.answers.number("hours") or 0.0) * sum(map(_size, record.answers.rows("aud"))) for record in timed]
        coverage = len(timed) / len(where.of(SURVEY))
        yield Figure("person_hours", sum(hours), "person-hours", len(timed), coverage=coverage, method="participants * hours")


INDICATORS = (
    Indicator("I-TRN-1", "people trained for the first time; participants; women / those of known sex", (SURVEY,), _people),
    Indicator("I-TRN-2", "mean score after - mean score before, by people tested", (SURVEY,), _gain),
    Indicator("I-TRN-3", "sum of participants * hours", (SURVEY,), _dose),
)
