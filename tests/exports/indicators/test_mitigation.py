"""Do measures work: rates before and after, with controls or without, worked out by hand."""

from datetime import date
from typing import Any

import pytest

from exports.indicators.effect_statistics import Rate, before_after_control_impact
from exports.indicators.figures import NO_CONTROLS
from exports.indicators.records import Record
from forms.submission import case_number
from tests.exports.indicators.making import data, figures, only, record


def unit(
    number: int, role: str, *, attacks: int = 2, stock: int = 100, measure: str = "corral", pair: str = "", **more: Any
) -> Record:
    answers = {
        "unit/unit_role": role,
        "unit/measure": measure,
        "unit/pair_code": pair,
        "unit/install_type": "new" if role == "treatment" else "",
        "unit/start_date": "2025-01-01",
        "base/small_stock": stock,
        "base/large_stock": 0,
        "base/base_attacks": attacks,
        "base/base_killed": attacks * 2,
        **{key.replace("__", "/"): value for key, value in more.items()},
    }
    name = f"uuid:{role}{number}"
    return record("mitigation_install", answers, household=f"{role}{number}", day=date(2025, 1, 1), instance_id=name)


def visit(
    number: int, role: str, *, attacks: int = 0, stock: int = 100, start: str = "2025-01-01", end: str = "2026-01-01", **more: Any
) -> Record:
    answers = {
        "install_ref": case_number(f"uuid:{role}{number}"),
        "period_from": start,
        "period_to": end,
        "small_stock": stock,
        "large_stock": 0,
        "attacks": attacks,
        "killed": attacks * 2,
        **more,
    }
    return record("mitigation_followup", answers, day=date.fromisoformat(start))


def trial(after_treated: int = 0, after_control: int = 2, size: int = 5, **more: Any) -> list[Record]:
    """Households with two attacks each in the year before, each followed for half a year."""
    half = {"start": "2025-01-01", "end": "2025-07-02"}
    units = [unit(number, role, pair=f"p{number}", **more) for role in ("treatment", "control") for number in range(size)]
    treated = [visit(number, "treatment", attacks=after_treated, state="ok", **half) for number in range(size)]
    return [*units, *treated, *(visit(number, "control", attacks=after_control, state="na", **half) for number in range(size))]


def test_the_effect_is_the_change_against_that_of_controls() -> None:
    exposure = 5 * 100 * 182 / 30.4375
    expected = before_after_control_impact(Rate(10, 6000), Rate(5, exposure), Rate(10, 6000), Rate(10, exposure)).ratio
    found = figures("I-MIT-2", data(*trial(after_treated=1)))
    ratio = only(found, "baci_ratio")
    assert (ratio.value, ratio.lower, ratio.upper) == pytest.approx(tuple(expected))
    assert (ratio.value, ratio.of, ratio.n) == (pytest.approx(0.5), "corral", 10)
    assert [len(support) for support in ratio.supports] == [5, 5]
    reduction = only(found, "reduction")
    assert expected.upper is not None
    assert (reduction.value, reduction.lower) == (pytest.approx(50), pytest.approx(100 * (1 - expected.upper)))
    risk = only(figures("I-MIT-1", data(*trial(after_treated=1))), "relative_risk")
    assert risk.value == pytest.approx(0.5)


def test_without_controls_a_change_is_no_evidence_and_has_no_class() -> None:
    alone = [each for each in trial() if "control" not in each.household and each.answers.text("state") != "na"]
    found = data(*alone)
    before_after = only(figures("I-MIT-2", found), "before_after_ratio")
    assert before_after.flags[-1] == NO_CONTROLS
    assert figures("I-MIT-3", found) == []
    assert figures("I-MIT-1", found) == []


def test_measures_have_a_class_from_their_limits() -> None:
    effective = only(figures("I-MIT-3", data(*trial(after_treated=0, after_control=6, size=12))), "class")
    assert (effective.category, effective.value) == ("effective", None)
    assert only(figures("I-MIT-3", data(*trial(after_treated=2))), "class").category == "unproven"


def test_ten_pairs_are_drawn_as_pairs() -> None:
    found = figures("I-MIT-2", data(*trial(after_treated=1, size=10)))
    pairs = only(found, "baci_ratio_of_pairs")
    assert (pairs.value, pairs.n) == (pytest.approx(0.5), 10)
    assert (pairs.lower, pairs.upper) == (pytest.approx(0.5), pytest.approx(0.5))  # every pair is alike
    assert [each for each in figures("I-MIT-2", data(*trial(size=9))) if each.name == "baci_ratio_of_pairs"] == []


def test_effects_are_told_by_the_months_since_the_start_with_days_out_of_order_and_cost() -> None:
    records = [
        *(unit(number, role, detail__cost=600, base__currency="TRY") for role in ("treatment", "control") for number in range(5)),
        *(visit(number, "treatment", attacks=0, end="2025-03-01", days_down=10) for number in range(5)),
        *(visit(number, "control", attacks=1, end="2025-03-01") for number in range(5)),
        *(visit(number, "treatment", attacks=1, start="2025-03-01", end="2025-12-31", days_down=0) for number in range(5)),
        *(visit(number, "control", attacks=1, start="2025-03-01", end="2025-12-31") for number in range(5)),
    ]
    found = figures("I-MIT-4", data(*records))
    early, late = (only(found, "baci_ratio_by_months", of=f"corral:{spell}") for spell in ("0-3", "4-12"))
    assert early.value == pytest.approx(0.5 / 5.5)
    assert late.value == pytest.approx(1)
    assert only(found, "days_down_share").value == pytest.approx(100 * 50 / (5 * 364))
    cost = only(found, "cost_per_animal_saved")
    assert (cost.value, cost.unit) == (pytest.approx(5 * 600 / (20 - 10)), "TRY")


def test_nothing_saved_has_no_price() -> None:
    cost = only(figures("I-MIT-4", data(*trial(after_treated=4, detail__cost=600, base__currency="TRY"))), "cost_per_animal_saved")
    assert (cost.value, cost.refused) == (None, "nothing_saved")


def test_measures_are_followed_to_the_last_visit() -> None:
    records = [
        *(unit(number, "treatment") for number in range(3)),
        visit(0, "treatment", end="2025-03-01", state="ok", **{"continue": "yes"}),
        visit(0, "treatment", start="2025-03-01", end="2025-06-01", state="not", **{"continue": "no"}),
        visit(1, "treatment", state="ok", end="2025-06-01", **{"continue": "yes"}),
    ]
    found = figures("I-MIT-5", data(*records))
    assert only(found, "installed", of="").value == 3
    assert only(found, "working_share", of="").value == 50
    assert only(found, "continued_share", of="corral").value == 50


def test_income_is_that_of_a_year_against_controls_in_one_currency() -> None:
    def household(number: int, role: str, income: float, currency: str = "TRY") -> list[Record]:
        base = unit(number, role, base__base_income=1000, base__currency=currency)
        return [base, visit(number, role, end="2025-07-02", income=income, currency=currency)]

    half = 182 / 30.4375 / 12
    treated = [each for number in range(3) for each in household(number, "treatment", (1000 + 100 * number) * half)]
    control = [each for number in range(3) for each in household(number, "control", 1000 * half)]
    figure = only(figures("I-MIT-6", data(*treated, *control)), "income_difference")
    assert (figure.value, figure.unit, figure.n) == (pytest.approx(100), "TRY", 6)
    assert (figure.lower, figure.upper) == (pytest.approx(0, abs=1e-6), pytest.approx(200))
    alone = only(figures("I-MIT-6", data(*treated)), "income_change")
    assert alone.flags == (NO_CONTROLS,)
    strange = [household(9, "control", 5, "IRR")[0], visit(9, "control", income=5, currency="TRY")]
    assert only(figures("I-MIT-6", data(*treated, *strange)), "income_change").n == 3
