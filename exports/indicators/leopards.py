"""Leopards themselves (activities 1.2.1, 3.2.1, 3.4.2, 4.2.3, 11.2.2): told for whole countries and years only, from five on."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from exports.indicators.dogs import DEATH, SIGN
from exports.indicators.figures import Figure, Indicator, behind, share
from exports.indicators.records import Record
from exports.indicators.slices import Slice

TRADE = "illegal_trade"
NEVER_COUNTED_SIGNS = ("den", "collar")
"""Told to nobody, not even as a number."""


def _count(name: str, unit: str, records: Sequence[Record], of: str = "", method: str = "count") -> Figure:
    n = len(records)
    return Figure(name, n, unit, n, of=of, restricted=True, method=method, supports=(behind(records),))


def _share(name: str, records: Sequence[Record], is_one: Sequence[bool]) -> Iterable[Figure]:
    """A share of leopards; neither those that are counted nor the others may be fewer than five, unless none."""
    sides = [[record for record, one in zip(records, is_one, strict=True) if one is wanted] for wanted in (True, False)]
    supports = (behind(records), *(behind(side) for side in sides))
    for figure in share(name, len(sides[0]), len(records), supports=supports):
        yield replace(figure, restricted=True)


def _records(where: Slice) -> Iterable[Figure]:
    told = [record for record in where.of(SIGN) if record.answers.text("sign_type") not in NEVER_COUNTED_SIGNS]
    for grade in ("c1", "c2"):
        graded = [record for record in told if record.answers.text("scalp_auto") == grade]
        if graded:
            yield _count("records", "records", graded, grade, "SCALP class (KORA)")


def _known_leopards(where: Slice) -> Iterable[Figure]:
    """Over all years up to the end of this one: leopards do not change their spots."""
    if where.country or not where.period.is_year:
        return
    countries: dict[str, set[str]] = {}
    for form_id in (SIGN, DEATH):
        for record in where.until(form_id):
            if record.answers.code("individual_id") and record.country:
                countries.setdefault(record.answers.code("individual_id"), set()).add(record.country)
    shared = sum(len(found) >= 2 for found in countries.values())
    if countries:
        method = f"of {len(countries)} known" if len(countries) >= 5 else "of fewer than 5 known"
        yield Figure("shared_leopards", shared, "leopards", shared, restricted=True, method=method)


def _harm(where: Slice) -> Iterable[Figure]:
    found = where.of(DEATH)
    if not found:
        return
    yield _count("leopards", "leopards", found)
    for name in ("fate", "cause"):
        for kind in sorted({record.answers.text(name) or "unknown" for record in found}):
            mine = [record for record in found if (record.answers.text(name) or "unknown") == kind]
            yield _count("leopards", "leopards", mine, f"{name}: {kind}")
    known = [record for record in found if record.answers.text("cause") not in ("", "unknown")]
    for figure in _share("retaliation_share", known, [record.answers.text("cause") == "retaliation" for record in known]):
        yield replace(figure, coverage=len(known) / len(found))


def _rescue(where: Slice) -> Iterable[Figure]:
    alive = [record for record in where.of(DEATH) if record.answers.text("fate") not in ("", "dead")]
    yield from _share("rescue_share", alive, [record.answers.text("rescue_called") == "yes" for record in alive])


def _trade(where: Slice) -> Iterable[Figure]:
    found = where.of(TRADE)
    if found:
        seizures = _count("seizures", "seizures", found)
        yield seizures
        items = sum(record.answers.count("n_items") for record in found)
        yield replace(seizures, name="items", value=items, unit="items", method="sum")


INDICATORS = (
    Indicator("I-MON-2", "records of class C1, and of class C2, without dens and collars", (SIGN,), _records),
    Indicator("I-MON-4", "individuals recorded in two or more countries so far", (SIGN, DEATH), _known_leopards),
    Indicator("I-THR-1", "leopards dead, hurt or caught, by fate and cause; retaliation / known causes", (DEATH,), _harm),
    Indicator("I-RSP-1", "leopards alive to which a rescue team was called / all alive", (DEATH,), _rescue),
    Indicator("I-TRD-1", "seizures; items", (TRADE,), _trade),
)
