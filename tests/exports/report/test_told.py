"""What the report tells of hotspots one by one, of their years, of a second opinion, of who reported, and of whole years."""

from dataclasses import replace
from datetime import date

import pytest
from lxml import etree

from exports.report.document import Block, Facts, Figure, Paragraph, Table
from exports.report.hotspots import hotspots, households
from exports.report.labels import HISTORIES
from exports.report.language import Language
from exports.report.maps import WIDTH, _shapes_to_show, hotspot_map
from exports.report.numbers import Numbers, Value
from exports.report.projection import Sheet, box_around
from exports.report.reporting import reporting
from exports.report.summary import first_page
from exports.report.years import years

ENGLISH, PERSIAN = Language("en"), Language("fa")


def table_of(blocks: list[Block], start: str) -> Table:
    return next(block for block in blocks if isinstance(block, Table) and block.caption.startswith(start))


def words_of(blocks: list[Block]) -> str:
    return " ".join(block.text for block in blocks if isinstance(block, Paragraph))


def test_hotspots_are_numbered_alike_in_the_table_and_on_the_map(numbers: Numbers) -> None:
    rows = [row for row in table_of(list(hotspots(numbers, ENGLISH)), "Hotspots").rows if row[0][0].isdigit()]
    assert len(rows) == len(numbers.hotspots) > 1
    for number, (row, place) in enumerate(zip(rows, numbers.hotspots, strict=True), 1):
        assert row[0].startswith(f"{number}. ")
        assert row[1:3] == (str(place.attacks), households(place.households, ENGLISH))
        assert f">\u2068{number}\u2069</text>" in hotspot_map(numbers, ENGLISH).svg
    assert [place.attacks for place in numbers.hotspots] == sorted((place.attacks for place in numbers.hotspots), reverse=True)


@pytest.mark.parametrize("area", ["", "IR", "TM"])
def test_nothing_on_the_map_is_cut_off_at_its_edge(numbers: Numbers, area: str) -> None:
    tree = etree.fromstring(hotspot_map(numbers.of(area) if area else numbers, ENGLISH).svg.encode())
    height = float(tree.get("height", ""))
    lines = [float(text.get("y", "")) for text in tree.iter("{*}text") if text.getparent() is tree]
    assert lines
    assert all(8 < y < height for y in lines)


def test_a_risk_is_told_with_the_attacks_behind_it_or_not_at_all(numbers: Numbers) -> None:
    place = replace(numbers.hotspots[0], risk=6.39, nearby=10, expected=1.57)
    rows = table_of(list(hotspots(replace(numbers, places=(place,)), ENGLISH)), "Hotspots").rows
    assert rows[0][3] == "6.4 times (10 for 1.6)"
    kept = replace(place, risk=None, nearby=None, expected=None)
    assert table_of(list(hotspots(replace(numbers, places=(kept,)), ENGLISH)), "Hotspots").rows[0][3] == "–"


def test_without_enough_periods_it_is_said_why_there_is_no_history(numbers: Numbers) -> None:
    blocks = list(hotspots(numbers, ENGLISH))
    assert "Since when" not in table_of(blocks, "Hotspots").columns
    assert f"There are reports of {numbers.summary['history']['periods']} half-years" in words_of(blocks)


def test_with_enough_periods_every_class_is_told_in_words(numbers: Numbers) -> None:
    history = {"periods": 8, "months": 6, "refused": ""}
    for name, words in HISTORIES.items():
        place = replace(numbers.hotspots[0], history=name)
        told = replace(numbers, places=(place,), summary={**numbers.summary, "history": history})
        blocks = list(hotspots(told, ENGLISH))
        assert table_of(blocks, "Hotspots").rows[0][4] == words
        assert "8 periods of 6 months" in words_of(blocks)
        if name != "none":
            assert table_of(blocks, "What cells").rows == ((words, "1"),)


def test_the_second_opinion_says_which_hotspots_it_bears_out(numbers: Numbers) -> None:
    first = numbers.clusters[0]
    assert numbers.hotspots_in(first)
    rows = table_of(list(hotspots(numbers, ENGLISH)), "Clusters").rows
    assert rows[0][-1] == ", ".join(map(str, numbers.hotspots_in(first)))
    assert rows[0][-2] == "1 in 1,000"
    far = replace(first, centre=(25.0, 61.0), country="PK", province="PK-BA")
    lonely = replace(numbers, clusters=(far,))
    assert not lonely.agrees(far)
    assert table_of(list(hotspots(lonely, ENGLISH)), "Clusters").rows[0][-1] == "none"


def test_a_cluster_in_a_country_with_a_hidden_hotspot_only_may_be_there(numbers: Numbers) -> None:
    cluster = replace(numbers.clusters[0], centre=(25.0, 61.0), country="PK", province="PK-BA")
    hidden = replace(numbers.hotspots[0], cell_id="country:PK", level="country", country="PK", province="", centre=(0.0, 0.0))
    told = replace(numbers, places=(*numbers.places, hidden), clusters=(cluster,))
    assert (told.agrees(cluster), told.may_agree(cluster)) == (False, True)
    assert table_of(list(hotspots(told, ENGLISH)), "Clusters").rows[0][-1].startswith("may be")


def test_a_country_has_the_clusters_whose_middle_lies_in_it(numbers: Numbers) -> None:
    assert {cluster.country for cluster in numbers.clusters} >= {"IR"}
    assert {cluster.country for cluster in numbers.of("IR").clusters} == {"IR"}
    assert numbers.of("AM").clusters == ()


def test_rings_lie_on_the_map_whole_also_where_no_cell_is_shown(numbers: Numbers) -> None:
    far = replace(numbers.clusters[0], centre=(40.9, 43.5), radius_km=25.0)
    sheet = Sheet(box_around(_shapes_to_show(replace(numbers, clusters=(far,)))), WIDTH)
    ring = sheet.ring(far.centre, far.radius_km, 0)
    assert all(0 <= across <= WIDTH and 0 <= down <= sheet.height for across, down in ring)


def test_a_scan_that_was_refused_or_found_nothing_is_said(numbers: Numbers) -> None:
    scan = {**numbers.summary["scan"], "refused": "too many cells"}
    assert "No second method was tried" in words_of(
        list(hotspots(replace(numbers, summary={**numbers.summary, "scan": scan}), ENGLISH))
    )
    assert "It found nothing here" in words_of(list(hotspots(replace(numbers, clusters=()), ENGLISH)))


def test_months_reported_are_counted_out_by_country_and_by_quarter(numbers: Numbers) -> None:
    rows = {row[0]: row for row in table_of(list(reporting(numbers, ENGLISH)), "Months").rows}
    told = numbers.months_told("AM")
    assert 0 < told < numbers.months
    assert rows["Armenia"][1:3] == (f"{told} of 24", ENGLISH.percent(100 * told / 24))
    quarters = table_of(list(reporting(numbers.of("AM"), ENGLISH)), "Months").rows
    assert len(quarters) == 8
    assert sum(int(row[1].split()[0]) for row in quarters) == told


def test_quarters_go_on_to_the_newest_one_where_the_map_ends_before(numbers: Numbers) -> None:
    of_a_year = replace(numbers, start=date(2025, 1, 1), end=date(2025, 12, 31))
    assert of_a_year.rates("IR") == numbers.rates("IR")
    assert [quarter.name for quarter in of_a_year.quarters][::7] == ["2024Q3", "2026Q2"]
    facts = next(block for block in first_page(of_a_year, ENGLISH, ()) if isinstance(block, Facts))
    assert ("Figures and trends", "up to 30 June 2026") in facts.rows


def test_countries_without_any_report_are_named(numbers: Numbers) -> None:
    silent = words_of(list(reporting(numbers, ENGLISH)))
    assert "Georgia" in silent
    assert "Armenia" not in silent


def by_year(numbers: Numbers, *limits: tuple[float, float, float]) -> Numbers:
    """Nothing but attacks a month in 2023 and later, with these values and limits."""
    example = next(value for value in numbers.values if value.indicator == "I-CON-1" and value.value is not None)
    values = tuple(
        replace(example, country="", predator="leopard", period=str(2023 + number), value=value, lower=lower, upper=upper)
        for number, (value, lower, upper) in enumerate(limits)
    )
    return replace(numbers, values=values)


@pytest.mark.parametrize(
    ("last", "said"),
    [((9.0, 7.0, 11.0), "more, more than chance"), ((4.0, 2.0, 6.0), "may be chance"), ((0.5, 0.1, 0.9), "less, more than chance")],
)
def test_a_change_between_years_is_called_more_than_chance_only_where_the_limits_do_not_meet(
    numbers: Numbers, last: tuple[float, float, float], said: str
) -> None:
    blocks = list(years(by_year(numbers, (3.0, 2.0, 5.0), last), ENGLISH))
    found = table_of(blocks, "Whole calendar years")
    assert found.columns[1:3] == ("2023", "2024")
    assert found.rows[0][1] == "3 (2 to 5)"
    assert found.rows[0][-1] == said
    assert any(isinstance(block, Figure) for block in blocks)


def test_one_year_is_compared_with_nothing(numbers: Numbers) -> None:
    blocks: list[Block] = list(years(by_year(numbers, (3.0, 2.0, 5.0)), ENGLISH))
    assert not any(isinstance(block, Figure | Table) for block in blocks)
    assert "Years cannot be compared yet" in words_of(blocks)


def test_bands_of_households_are_said_in_words() -> None:
    assert [households(told, ENGLISH) for told in ("7", "5-9", "10+", "")] == ["7", "5 to 9", "10 or more", "–"]
    assert households("5-9", PERSIAN) == "۵ تا ۹"


def test_figures_kept_back_for_one_reason_have_one_row_and_money_its_currency_once(numbers: Numbers) -> None:
    from exports.report.indicators import _figure_rows, shown

    example = next(iter(numbers.values))
    common = {"indicator": "I-CON-7", "figure": "loss_per_household", "country": "", "predator": "", "category": "", "flags": ()}
    rial = replace(example, **common, of="IRR", unit="IRR", period="2025", value=2.4e8, lower=1.1e8, upper=4.2e8, n=13)  # type: ignore[arg-type]
    assert shown(rial, ENGLISH) == "240 million (110 million to 420 million) Iranian rial (IRR)"
    few: list[Value] = [
        replace(rial, of=code, unit=code, value=None, lower=None, upper=None, n=0, reason="few_households")
        for code in ("TRY", "PKR")
    ]
    rows = list(_figure_rows(replace(numbers, values=(rial, *few)), "I-CON-7", "loss_per_household", "Loss", ENGLISH))
    assert len(rows) == 2
    assert rows[1][:2] == ("Loss: Pakistani rupee (PKR), Turkish lira (TRY)", "fewer than 5 households")
