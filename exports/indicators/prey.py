"""Wild prey (activities 1.3.2, 1.3.3, 3.2.2): met along lines, counted in blocks, by species."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from exports.indicators.effect_statistics import mann_kendall, yearly_change
from exports.indicators.figures import LOW_N, Figure, Indicator, estimated
from exports.indicators.intervals import ratio_of_sums
from exports.indicators.prey_statistics import double_observer, encounter_rate, line_density
from exports.indicators.records import Answers, Record
from exports.indicators.slices import Slice

TRANSECT, BLOCK = "prey_transect", "prey_block"
FEWEST_GROUPS, FEW_GROUPS, FEWEST_LINES = 40, 60, 10
MOST_BY_EYE = 0.3
"""Share of distances estimated by eye above which a density would be a guess."""
FEWEST_YEARS = 4
FEWEST_SEEN_BY_BOTH, LEAST_CHANCE = 10, 0.45
BIASED_LOW = "groups_both_miss_bias_this_low"
SIZE_BIAS = "larger_groups_seen_farther"


class Line(NamedTuple):
    """A transect: all walks of it together, and the groups met."""

    length_km: float
    groups: tuple[Answers, ...]

    def of(self, species: str) -> list[Answers]:
        """The groups of a species."""
        return [group for group in self.groups if group.text("species") == species]


def _lines(records: Iterable[Record]) -> list[Line]:
    walks: dict[tuple[str, ...], list[Record]] = {}
    for record in records:
        if record.answers.number("end_g/length_km"):
            names = (record.answers.code(f"survey/{name}") for name in ("area_code", "stratum", "transect_id"))
            key = (record.country, *names)
            walks.setdefault(key if key[-1] else (record.instance_id,), []).append(record)
    return [
        Line(
            sum(record.answers.number("end_g/length_km") or 0.0 for record in same),
            tuple(row for record in same for row in record.answers.rows("obs") if row.count("n_total")),
        )
        for same in walks.values()
    ]


def _species(groups: Iterable[Answers]) -> list[str]:
    return sorted({group.text("species") for group in groups} - {"", "unknown", "other"})


def _encounters(where: Slice) -> Iterable[Figure]:
    lines = _lines(where.of(TRANSECT))
    for species in _species(group for line in lines for group in line.groups):
        lengths = [line.length_km for line in lines]
        for name, counts in (
            ("groups", [len(line.of(species)) for line in lines]),
            ("animals", [sum(group.count("n_total") for group in line.of(species)) for line in lines]),
        ):
            rate, _ = encounter_rate(counts, lengths)
            n = sum(len(line.of(species)) for line in lines)
            flags = (LOW_N,) if len(lines) < FEWEST_LINES else ()
            method = "variance between lines (Buckland et al. 2001)"
            yield replace(estimated(name, rate, "per km", n), of=species, method=method, flags=flags)


def perpendicular_m(group: Answers) -> float | None:
    """Give the distance of a group from the line, worked out anew from what was measured; None where that is not known."""
    if group.text("angle_method") == "perp":
        return group.number("perp_direct_m")
    radial, angle = group.number("radial_m"), group.number("sight_angle")
    if group.text("angle_method") == "bearings":
        animal, line = group.number("bearing_animal"), group.number("bearing_line")
        angle = None if animal is None or line is None else animal - line
    return None if radial is None or angle is None else abs(radial * math.sin(math.radians(angle)))


def _density(where: Slice) -> Iterable[Figure]:
    lines = _lines(where.of(TRANSECT))
    for species in _species(group for line in lines for group in line.groups):
        groups = [group for line in lines for group in line.of(species)]
        placed = [group for group in groups if perpendicular_m(group) is not None]
        refused = _too_little(placed, lines)
        common = Figure(
            "density", None, "animals/km2", len(placed), of=species, coverage=len(placed) / len(groups), refused=refused
        )
        if refused:
            yield common
            continue
        distances = [perpendicular_m(group) or 0.0 for group in placed]
        truncation = float(np.quantile(distances, 0.95))
        near = [(group, distance) for group, distance in zip(placed, distances, strict=True) if distance <= truncation]
        counts = [sum(_is_within(group, truncation) for group in line.of(species)) for line in lines]
        sizes = [group.count("n_total") for group, _ in near]
        if not truncation:
            yield replace(common, refused="all_distances_zero")
            continue
        found = line_density([distance for _, distance in near], sizes, truncation, counts, [line.length_km for line in lines])
        flags = [LOW_N] if len(near) < FEW_GROUPS else []
        flags += ["uniform_detection"] if found.fit.is_flat else []
        flags += [SIZE_BIAS] if _grows_with_distance(sizes, [distance for _, distance in near], found.fit.log_sigma) else []
        method = (
            f"half-normal, w = {truncation:.1f} m (95th percentile), effective half-width {found.fit.width:.1f} m, Satterthwaite"
        )
        value, lower, upper = found.density
        yield replace(common, value=value, lower=lower, upper=upper, n=len(near), method=method, flags=tuple(flags))


def _is_within(group: Answers, metres: float) -> bool:
    distance = perpendicular_m(group)
    return distance is not None and distance <= metres


def _too_little(placed: Sequence[Answers], lines: Sequence[Line]) -> str:
    if len(placed) < FEWEST_GROUPS:
        return f"below_{FEWEST_GROUPS}_groups"
    if len(lines) < FEWEST_LINES:
        return f"below_{FEWEST_LINES}_lines"
    by_eye = sum(group.text("dist_method") == "estimate" for group in placed)
    return "too_many_distances_by_eye" if by_eye > MOST_BY_EYE * len(placed) else ""


def _grows_with_distance(sizes: Sequence[int], distances: Sequence[float], log_sigma: float) -> bool:
    """Whether larger groups were seen where small ones are missed: correlation of log size and detection below -0.15 or so.

    Tested one-sided at p = 0.15 by Fisher's z.
    """
    logs = np.log(np.asarray(sizes, np.float64))
    seen = np.exp(-np.square(distances) / (2 * math.exp(2 * log_sigma)))
    if not logs.std() or not seen.std() or len(logs) < 4:
        return False
    return float(np.arctanh(np.corrcoef(logs, seen)[0, 1])) * math.sqrt(len(logs) - 3) < -1.0364


def _double_observer(where: Slice) -> Iterable[Figure]:
    sheets = _last_counts(record for record in where.of(BLOCK) if record.answers.text("survey/obs_role") == "reconciled")
    for species in _species(row for record in sheets for row in record.answers.rows("grp")):
        seen = [
            row
            for record in sheets
            for row in record.answers.rows("grp")
            if row.text("species") == species and row.text("double_count") != "yes" and row.count("n_total")
        ]
        how = [row.text("seen_by") for row in seen]
        both, first, second = (how.count(name) for name in ("both", "obs1", "obs2"))
        sizes = [row.count("n_total") for row in seen if row.text("seen_by") in ("both", "obs1", "obs2")]
        if not sizes:
            continue
        found = double_observer(both, first, second, sizes)
        is_weak = both < FEWEST_SEEN_BY_BOTH or min(found.seen_by_first, found.seen_by_second) < LEAST_CHANCE
        flags = (BIASED_LOW, LOW_N) if is_weak else (BIASED_LOW,)
        method = f"Chapman 1951; seen by observers {found.seen_by_first:.2f} and {found.seen_by_second:.2f}"
        animals = replace(estimated("animals", found.animals, "animals", len(sizes)), of=species, flags=flags, method=method)
        yield animals
        yield replace(animals, name="groups", value=found.groups, lower=None, upper=None, unit="groups")
        sizes_km2 = [record.answers.number("survey/block_km2") or 0.0 for record in sheets]
        if all(sizes_km2):
            km2 = sum(sizes_km2)
            yield replace(
                estimated("density", found.animals, "animals/km2", len(sizes), factor=1 / km2),
                of=species,
                flags=flags,
                method=method,
            )


def _last_counts(sheets: Iterable[Record]) -> list[Record]:
    """The last sheet of each block: counted twice, its animals are not twice as many."""
    last: dict[tuple[str, ...], Record] = {}
    for sheet in sorted(sheets, key=lambda each: each.day):
        block = sheet.answers.code("survey/block_id")
        last[(sheet.country, sheet.answers.code("survey/area_code"), block) if block else (sheet.instance_id,)] = sheet
    return list(last.values())


def _counted_groups(where: Slice) -> Iterator[Answers]:
    """The groups of transects and blocks, each once: of a double count the reconciled sheet only."""
    for record in where.of(TRANSECT):
        yield from record.answers.rows("obs")
    for record in where.of(BLOCK):
        if record.answers.text("survey/obs_role") in ("", "reconciled"):
            yield from (row for row in record.answers.rows("grp") if row.text("double_count") != "yes")


def _structure(where: Slice) -> Iterable[Figure]:
    every = list(_counted_groups(where))
    for species in _species(every):
        mine = [group for group in every if group.text("species") == species]
        classed = [group for group in mine if group.number("n_female") is not None]
        females = [group.count("n_female") for group in classed]
        for name, path in (("young", "n_young"), ("males", "n_male")) if sum(females) else ():
            estimate = ratio_of_sums([group.count(path) for group in classed], females)
            figure = estimated(name, estimate, "per 100 females", sum(females), factor=100)
            flags = (LOW_N,) if sum(females) < 30 else ()
            yield replace(figure, of=species, coverage=len(classed) / len(mine), method="Fieller 1954, by group", flags=flags)


def _trend(where: Slice) -> Iterable[Figure]:
    if not where.period.is_year:
        return
    years: dict[int, list[Record]] = {}
    for record in where.until(TRANSECT):
        years.setdefault(record.day.year, []).append(record)
    lines = {year: _lines(records) for year, records in sorted(years.items())}
    for species in _species(group for found in lines.values() for line in found for group in line.groups):
        rates = _yearly_rates(species, lines)
        if len(rates) >= FEWEST_YEARS and where.period.start.year in rates:
            change = estimated("change", yearly_change(list(rates), list(rates.values())), "% per year", len(rates))
            method = f"log-linear, years {min(rates)}-{max(rates)}"
            yield replace(change, of=species, coverage=len(rates) / len(years), method=method)
            trend = mann_kendall(list(rates.values()))
            yield Figure("mann_kendall_p", trend.p, "p", len(rates), of=species, method=f"Mann-Kendall, S = {trend.s}")


def _yearly_rates(species: str, lines: Mapping[int, Sequence[Line]]) -> dict[int, float]:
    """Animals per km in each year in which any were met: a logarithm needs one."""
    rates = {}
    for year, found in lines.items():
        animals = sum(group.count("n_total") for line in found for group in line.of(species))
        if animals:
            rates[year] = animals / sum(line.length_km for line in found)
    return rates


INDICATORS = (
    Indicator("I-PREY-1", "groups, and animals / km of transect", (TRANSECT,), _encounters),
    Indicator("I-PREY-2", "groups * mean size / (2 * km * effective half-width)", (TRANSECT,), _density),
    Indicator(
        "I-PREY-3", "((B+S1+1)(B+S2+1)/(B+1) - 1) * mean group size, by the last count of each block", (BLOCK,), _double_observer
    ),
    Indicator("I-PREY-4", "100 * young, and males / females", (TRANSECT, BLOCK), _structure),
    Indicator("I-PREY-5", "slope of log(animals / km) by year, from four years on", (TRANSECT,), _trend),
)
