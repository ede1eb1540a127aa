"""An attacker who takes published figures from each other never comes below five households, nor below five deaths of leopards."""

import itertools
from datetime import date

import numpy as np
import pytest

from exports.indicators.disclosure import Guard, said
from exports.indicators.figures import Figure, behind
from exports.indicators.slices import Period, Slice, periods
from exports.indicators.table import Row, rows
from exports.privacy import PARTNER, PUBLIC
from exports.windows import Window
from tests.exports.indicators.making import QUARTER, YEAR, data, record, report, several

WINDOW = Window(date(2025, 1, 1), date(2025, 12, 31))


def reason(guard: Guard, figure: Figure, period: Period = YEAR, country: str = "") -> str | None:
    return guard.reason(figure, Slice(data(), period, country))


def counted(records: list[object], **more: object) -> Figure:
    return Figure("attacks", len(records), "attacks", len(records), supports=(behind(records),), **more)  # type: ignore[arg-type]


def test_five_known_households_stand_behind_a_figure() -> None:
    reports = several(5, lambda number: report(f"h{number}"))
    assert reason(Guard(), counted(reports)) == ""
    assert reason(Guard(), counted(reports[:4] + reports[:1])) == "few_households"
    assert reason(Guard(), counted([*reports[:4], *several(9, lambda _: report(""))])) == "few_households"
    assert reason(Guard(), counted([])) == ""
    assert reason(Guard(), Figure("km", 3.0, "km", 1)) == ""


def test_what_is_left_of_a_figure_holds_five_households_too() -> None:
    reports = several(9, lambda number: report(f"h{number}"))
    guard = Guard()
    assert reason(guard, counted(reports)) == ""
    assert reason(guard, counted(reports[:5]), country="IR") == "difference"
    more = [*reports, report("h9")]
    guard = Guard()
    assert reason(guard, counted(more)) == ""
    assert reason(guard, counted(more[:5]), country="IR") == ""
    assert reason(guard, counted(more[:5]), QUARTER, country="IR") == ""


def test_nobody_makes_up_most_of_a_sum() -> None:
    reports = several(5, lambda number: report(f"h{number}"))
    fair, unfair = ((behind(reports, amounts),) for amounts in ([1.0] * 5, [10.0, 1, 1, 1, 1]))
    sums = [Figure("loss", 1.0, "TRY", 5, supports=supports, is_sum=True) for supports in (fair, unfair)]
    assert [reason(Guard(), each) for each in sums] == ["", "dominance"]


def test_both_sides_of_a_comparison_hold_five_households() -> None:
    sides = [several(number, lambda each: report(f"h{each}")) for number in (5, 4)]
    figure = Figure("ratio", 0.5, "ratio", 9, supports=tuple(map(behind, sides)))
    assert reason(Guard(), figure) == "few_households"


def test_restricted_records_are_told_by_year_and_from_five_on() -> None:
    deaths = several(5, lambda _: record("leopard_mortality", {}))
    five, four = (counted(each, restricted=True) for each in (deaths, deaths[:4]))
    assert reason(Guard(), five) == ""
    assert reason(Guard(), five, QUARTER) is None
    assert reason(Guard(), four) == "few_records"
    assert reason(Guard(), counted(deaths[:4], restricted=True, of="cause: poison")) is None  # that there is one is not told either


def test_numbers_of_what_was_left_out_are_blurred() -> None:
    assert [said(number) for number in (0, 1, 4, 5, 60)] == ["0", "1-4", "1-4", "5", "60"]


def table(seed: int) -> tuple[list[Row], dict[str, str]]:
    chance = np.random.default_rng(seed)
    countries, days = ("IR", "TR", "AM"), [date(2025, month, 15) for month in range(1, 13)]
    records = [
        report(
            f"h{chance.integers(14)}",
            country=countries[chance.choice(3, p=[0.6, 0.3, 0.1])],
            day=days[chance.integers(12)],
            predator=("leopard", "wolf")[chance.integers(2)],
        )
        for _ in range(60)
    ]
    records += [
        record(
            "leopard_mortality",
            {"cause": ("poison", "vehicle", "snare")[chance.integers(3)], "fate": "dead"},
            country=countries[chance.integers(3)],
        )
        for _ in range(17)
    ]
    found = data(*records)
    made = list(rows(found, WINDOW, PUBLIC))
    for row in made:
        row["_records"] = " ".join(_behind(row, records))  # who stands behind a count, as the attacker knows in the worst case
    return made, {each.instance_id: each.household for each in records}


def _behind(row: Row, records: list[object]) -> list[str]:
    start, end = (date.fromisoformat(str(row[name])) for name in ("period_start", "period_end"))
    form = {"I-CON-1": "conflict_livestock", "I-THR-1": "leopard_mortality"}.get(str(row["indicator"]))
    return [
        each.instance_id  # type: ignore[attr-defined]
        for each in records
        if each.form_id == form  # type: ignore[attr-defined]
        and start <= each.day <= end  # type: ignore[attr-defined]
        and row["country"] in ("", each.country)  # type: ignore[attr-defined]
        and row["predator"] in ("", "any", each.answers.text("cause/predator"))  # type: ignore[attr-defined]
        and str(row["of"]) in ("", f"cause: {each.answers.text('cause')}", "fate: dead")  # type: ignore[attr-defined]
    ]


@pytest.mark.parametrize("seed", range(5))
def test_no_difference_of_published_counts_of_deaths_is_below_five(seed: int) -> None:
    """The range less its countries, a total less its causes: nothing is left, or five."""
    mine = [row for row in table(seed)[0] if row["figure"] == "leopards" and row["indicator"] == "I-THR-1"]
    shown = [(row, set(str(row["_records"]).split())) for row in mine if not row["reason"]]
    assert shown
    for total, records in shown:
        for parts in ("country", "of"):
            left = set(records)
            for part, others in shown:
                if part is not total and others <= records and str(part[parts]).startswith(("cause", "IR", "TR", "AM")):
                    left -= others
                    assert len(left) >= 5 or not left


@pytest.mark.parametrize("seed", range(5))
def test_no_difference_of_two_published_rates_tells_of_fewer_than_five_households(seed: int) -> None:
    """Rates of countries, quarters and predators: taken from each other they leave no households, or five."""
    found, owner = table(seed)
    mine = [row for row in found if row["indicator"] == "I-CON-1"]
    shown = [records for row in mine if not row["reason"] and (records := set(str(row["_records"]).split()))]
    assert len(shown) > 3
    assert any(row["reason"] == "difference" for row in mine)
    for one, other in itertools.permutations(shown, 2):
        left = {owner[each] for each in one - other}
        assert not other < one or len(left) >= 5


def test_a_refused_row_says_no_number_and_why() -> None:
    found = [row for row in rows(data(report("h1"), report("h2")), WINDOW, PARTNER) if row["indicator"] == "I-CON-4"]
    assert {row["reason"] for row in found} == {"few_households"}
    for row in found:
        assert not {"value", "lower", "upper", "n", "n_households", "coverage", "flags"} & set(row)


def test_households_are_told_in_bands_to_the_public() -> None:
    found = data(*several(7, lambda number: report(f"h{number}")))
    told = {
        level.name: {row["n_households"] for row in rows(found, WINDOW, level) if row["figure"] == "visited_share"} - {None}
        for level in (PUBLIC, PARTNER)
    }
    assert told == {"public": {"5-9"}, "partner": {"7"}}


def test_periods_are_whole_years_and_quarters_of_the_window() -> None:
    names = [each.name for each in periods(Window(date(2024, 2, 1), date(2025, 9, 30)))]
    assert names == ["2024Q2", "2024Q3", "2024Q4", "2025Q1", "2025Q2", "2025Q3"]
    assert periods(WINDOW)[0] == YEAR


def test_a_stay_in_two_quarters_does_not_keep_both_back() -> None:
    stays = [("2025-04-01", "2025-07-01"), ("2025-06-01", "2025-09-01"), ("2025-07-01", "2025-10-01")]
    herd = [{"species": "sheep", "head": 100}]
    records = [
        record("grazing_survey", {"arrive": arrive, "leave": leave, "herd": herd}, household=f"h{number}")
        for arrive, leave in stays
        for number in range(5)
    ]
    records.append(record("grazing_survey", {"arrive": "2025-06-20", "leave": "2025-08-01", "herd": herd}, household="h1"))
    found = [row for row in rows(data(*records), WINDOW, PARTNER) if row["figure"] == "livestock_months" and not row["of"]]
    assert {(row["area"], row["period"]): row["reason"] for row in found if row["area"] == "range"} == {
        ("range", "2025"): "",
        ("range", "2025Q2"): "",
        ("range", "2025Q3"): "",
    }


def test_the_sum_of_a_single_household_is_told_by_no_median_nor_its_limits() -> None:
    sums = [1234 + 1113 * number for number in range(7)]
    lost = [[{"species": "sheep", "age": "adult", "n_killed": 1, "unit_value": float(each)}] for each in sums]
    records = several(7, lambda number: report(f"h{number}", losses_g__loss=lost[number], losses_g__currency="TRY"))
    told = next(
        row for row in rows(data(*records), WINDOW, PUBLIC) if row["figure"] == "loss_per_household" and row["area"] == "range"
    )
    assert [told[name] for name in ("value", "lower", "upper")] == [4600, 1200, 7900]
    assert not {told["value"], told["lower"], told["upper"]} & set(sums)


TYPED = "Ali's den 36.5,52.1"


def test_what_somebody_typed_in_place_of_a_choice_or_currency_is_in_no_release() -> None:
    money = {"losses_g__currency": TYPED, "reporter__reporter_role": TYPED, "husbandry__measures": [TYPED]}
    loss = [{"species": TYPED, "age": TYPED, "n_killed": 2, "unit_value": 5.0}]
    records = several(9, lambda number: report(f"h{number}", losses_g__loss=loss, **money))
    records += several(9, lambda number: record("grazing_survey", GRAZED, household=f"h{number}"))
    records += [record("prey_transect", WALKED), record("dog_impact", {"event_type": "wildlife", "dog_class": TYPED})]
    records += [record("training_event", {"kind": TYPED, "aud": [{"audience": TYPED, "women": 3, "first_time": 3}]})]
    records += several(9, lambda _: record("leopard_mortality", {"fate": TYPED, "cause": TYPED}))
    made = list(rows(data(*records), WINDOW, PUBLIC))
    assert len(made) > 50
    assert not [row for row in made if any(TYPED in str(value) for value in row.values())]
    assert {"I-PREY-1", "I-TRN-1", "I-THR-1", "I-GRZ-1", "I-EFF-2"} <= {str(row["indicator"]) for row in made}


HERD = {"arrive": "2025-01-01", "leave": "2025-12-31", "pasture_ha": 40.0}
GRAZED = HERD | {"herd": [{"species": TYPED, "head": 50}, {"species": "sheep", "head": 50}]}
SEEN = {"n_total": 4, "n_female": 2, "n_young": 1}
WALKED = {"end_g/length_km": 5.0, "obs": [{"species": TYPED, **SEEN}, {"species": "capra_aegagrus", **SEEN}]}
