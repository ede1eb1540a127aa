"""Attacks, losses and their money: small data worked out by hand."""

from datetime import date

import pytest

from exports.indicators.figures import ANY, LEOPARD
from exports.indicators.slices import Exchange
from exports.statistics import garwood_interval
from tests.exports.indicators.making import QUARTER, data, figures, only, record, report, several


def visit(of: str, **answers: object) -> object:
    told = {"incident_ref": of, "predator_final": "leopard", "verification_status": "confirmed", "scalp": "c2", **answers}
    return record("conflict_verification", told)


def herd(household: str = "h1", head: int = 100, arrive: str = "2025-01-01", leave: str = "2026-01-01", **more: object) -> object:
    answers = {"arrive": arrive, "leave": leave, "herd": [{"species": "sheep", "head": head}], **more}
    return record("grazing_survey", answers, household=household, day=date.fromisoformat(arrive))


def test_attacks_are_counted_over_months_somebody_looked() -> None:
    found = data(
        report("h1", day=date(2025, 4, 2)),
        report("h2", day=date(2025, 4, 20)),
        report("h3", predator="wolf", day=date(2025, 5, 1)),
        record("patrol_effort", {"zero_month": "yes", "month": "2025-06-01", "households_asked": 12}, day=date(2025, 6, 1)),
        record("patrol_effort", {"zero_month": "no"}, day=date(2025, 7, 1)),
    )
    leopard = only(figures("I-CON-1", found), "attacks_per_month", predator=LEOPARD)
    assert leopard.value == pytest.approx(2 / 3)
    assert (leopard.lower, leopard.upper) == pytest.approx(tuple(limit / 3 for limit in garwood_interval(2)))
    assert (leopard.n, leopard.coverage, leopard.flags) == (2, 0.25, ("under_reported",))
    everything = only(figures("I-CON-1", found, period=QUARTER), "attacks_per_month", predator=ANY)
    assert (everything.value, everything.coverage, everything.flags) == (1, 1, ())


def test_nights_at_one_herd_and_reports_of_one_event_are_one_attack() -> None:
    same = {"place": (36.5, 52.0)}
    nights = [report("h1", day=date(2025, 5, day), **same) for day in (1, 3, 5)]
    twins = [report(f"h{number}", instance_id=f"uuid:twin{number}", killed=number) for number in (7, 8)]
    found = data(
        *nights, *twins, report("", **same), report("h9", cause__confidence="guess"), joined={"uuid:twin7": 0, "uuid:twin8": 0}
    )
    figure = only(figures("I-CON-4", found), "median", predator=LEOPARD)
    assert figure.n == 3  # the nights, the twins, the household nobody knows; a guess does not count
    assert figure.value == 3  # 3 nights with one each, 7 (of the report that came first), 1


def test_a_rate_says_whose_herds_were_counted() -> None:
    found = data(report("h1"), report("h2"), herd("h1", head=1000), herd("h5", head=200, leave="2025-07-02"))  # type: ignore[arg-type]
    exposure = (1000 * 365 + 200 * 182) / 30.4375
    figure = only(figures("I-CON-2", found), "attack_rate", predator=LEOPARD)
    assert figure.value == pytest.approx(1000 * 2 / exposure)
    assert (figure.coverage, figure.flags) == (0.5, ("exposure_incomplete",))
    assert [len(support) for support in figure.supports] == [2, 7]  # attacks; quarters of herds
    assert figures("I-CON-2", data(report("h1"))) == []


def test_losses_are_a_part_of_the_herd_and_of_all_deaths() -> None:
    rows = [{"species": "sheep", "n_killed": 3, "n_missing": 2}, {"species": "goat", "n_killed": 1, "n_missing": 0}]
    follow_up = {"killed": 3, "other_deaths": 9}
    found = data(report("h1", losses_g__loss=rows), herd(head=400), record("mitigation_followup", follow_up))  # type: ignore[arg-type]
    every = figures("I-CON-3", found)
    years = 400 * 365 / 30.4375 / 12
    assert only(every, "loss_rate", of="", predator=LEOPARD).value == pytest.approx(100 * 4 / years)
    assert only(every, "loss_rate", of="sheep", predator=ANY).value == pytest.approx(100 * 3 / years)
    assert only(every, "loss_rate_with_missing", of="sheep", predator=ANY).value == pytest.approx(100 * 5 / years)
    wide = only(every, "loss_rate", of="sheep", predator=ANY)
    assert wide.upper is not None
    assert wide.value is not None
    assert wide.upper / wide.value == pytest.approx(7.0993, abs=1e-3)  # one attack: exp(1.96)
    assert only(every, "predation_share").value == 25


def test_one_bad_night_does_not_make_the_median() -> None:
    found = data(*(report(f"h{number}", killed=killed) for number, killed in enumerate((1, 1, 1, 2, 40))))
    every = figures("I-CON-4", found)
    assert only(every, "median", predator=LEOPARD).value == 1
    assert only(every, "percentile_90", predator=LEOPARD).value == pytest.approx(24.8)
    assert only(every, "surplus_share", predator=LEOPARD).value == 40


def test_visits_say_what_was_sure_and_what_was_blamed_wrongly() -> None:
    reports = several(6, lambda number: report(f"h{number}", instance_id=f"uuid:r{number}"))
    found = data(
        *reports,
        visit("r0"),  # type: ignore[arg-type]
        visit("uuid:R1", predator_final="dog", verification_status="probable"),  # type: ignore[arg-type]
        visit("r2", predator_final="not_predator", verification_status="not_predation"),  # type: ignore[arg-type]
        visit("r3", predator_final="wolf", verification_status="possible"),  # type: ignore[arg-type]
    )
    verified = only(figures("I-CON-5", found), "verified_share")
    assert (verified.value, verified.n, verified.coverage) == (pytest.approx(100 * 2 / 6), 6, pytest.approx(4 / 6))
    assert only(figures("I-CON-5", found), "visited_share").value == pytest.approx(100 * 4 / 6)
    blamed = {figure.of: figure.value for figure in figures("I-CON-6", found)}
    assert blamed == {"leopard": 25, "other_predator": 25, "dog": 25, "not_predation": 25, "undetermined": 0}
    assert only(figures("I-CON-4", found), "median", predator=LEOPARD).n == 3  # r0, and the two nobody visited


def test_currencies_are_never_added_up_and_toman_are_rial() -> None:
    def loss(value: float | None, number: int = 1) -> list[dict[str, object]]:
        return [{"species": "sheep", "age": "adult", "n_killed": number, "unit_value": value}]

    found = data(
        report("h1", losses_g__loss=loss(1_000_000), losses_g__currency="IRT", losses_g__vet_cost=500_000),
        report("h2", losses_g__loss=loss(20_000_000), losses_g__currency="IRR"),
        report("h3", losses_g__loss=loss(None, 2), losses_g__currency="IRR"),
        report("h4", country="TR", losses_g__loss=loss(9000), losses_g__currency="TRY"),
        report("h5", losses_g__loss=loss(9000)),
        rates={"IRR": Exchange(0.000002, date(2025, 12, 31), "central bank")},
    )
    every = figures("I-CON-7", found)
    rial = only(every, "loss", of="IRR")
    assert rial.value == 10_000_000 + 5_000_000 + 20_000_000 + 2 * 15_000_000
    assert (rial.coverage, rial.flags) == (0.5, ("values_imputed",))
    assert only(every, "loss", of="TRY").value == 9000
    dollars = only(every, "loss_usd")
    assert (dollars.value, dollars.of) == (pytest.approx(130), "IRR")
    assert dollars.method == "2e-06 USD per IRR on 2025-12-31 (central bank)"
    assert only(every, "loss_per_household", of="IRR").value == 20_000_000


def test_protection_and_circumstances_are_shares_of_what_is_known() -> None:
    found = data(
        report(
            "h1",
            husbandry__measures="lgd light",
            husbandry__measures_state="ok",
            husbandry__breach="yes",
            when__time_of_day="night",
        ),
        report(
            "h2", husbandry__measures="lgd", husbandry__measures_state="not", when__time_of_day="dusk", place_more__setting="corral"
        ),
        report("h3", husbandry__measures="none", husbandry__herder_presence="none", when__time_of_day="unknown"),
        report("h4", husbandry__herder_presence="with", place_more__setting="pasture"),
    )
    every = [*figures("I-CON-8", found), *figures("I-CON-9", found)]
    told = {(figure.name, figure.of): figure.value for figure in every if figure.predator == LEOPARD}
    assert told == {
        ("present_share", "lgd"): pytest.approx(100 * 2 / 3),
        ("working_share", "lgd"): pytest.approx(100 / 3),
        ("present_share", "light"): pytest.approx(100 / 3),
        ("working_share", "light"): pytest.approx(100 / 3),
        ("present_share", "none"): pytest.approx(100 / 3),
        ("breach_share", ""): 100,
        ("night_share", ""): 50,
        ("corral_share", ""): 50,
        ("herder_absent_share", ""): 50,
    }
    assert only(every, "present_share", of="lgd", predator=LEOPARD).coverage == 0.75
