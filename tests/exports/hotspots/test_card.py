"""The method card says how hotspots were found and what they cannot tell, with the figures of the release, in both languages."""

import csv
import io
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Connection, Engine

from exports.hotspots.card import POWER, SENTENCES, card
from exports.hotspots.clusters import CLUSTERS
from exports.hotspots.columns import COLUMNS
from exports.hotspots.export import run_hotspots
from exports.package.contents import ExportResult
from exports.package.words import LANGUAGES, in_language
from tests.support.conflict import answers, insert_record
from tests.support.maps import HEXAGONS, SQUARES, Map, simulated
from tests.support.stores import EVERYTHING

AS_OF = date(2026, 9, 28)


def fill(connection: Connection, days: int, first: date) -> None:
    """A hot valley, and single attacks around it, evenly in time."""
    chance = np.random.default_rng(3)
    for number in range(days // 4):
        spread = 0.03 if number % 2 else 0.4
        place = (36.5 + chance.normal(0, spread), 52.2 + chance.normal(0, spread), 9.0)
        day = first + timedelta(days=4 * number)
        insert_record(connection, f"uuid:{number}", answers(f"H{chance.integers(60)}"), place=place, day=day)


@pytest.fixture
def result(engine: Engine, tmp_path: Path) -> ExportResult:
    with engine.begin() as connection:
        fill(connection, 1700, date(2022, 1, 2))
        return run_hotspots(connection, EVERYTHING, "partner", AS_OF, tmp_path)


def table(result: ExportResult, start: str) -> list[dict[str, str]]:
    path = next(result.folder.glob(f"{start}*.csv"))
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))


def test_a_release_has_its_card_its_clusters_and_its_history(result: ExportResult) -> None:
    english, persian = ((result.folder / name).read_text("utf-8") for name in ("METHOD.txt", "METHOD.fa.txt"))
    attacks = str(result.summary["sets"]["standard"]["n_events"])
    for text in (english, persian):
        assert attacks in text
        assert "{" not in text
        assert result.summary["scan"]["clusters"] in text
    assert '"No hotspot" is not "no conflict"' in english
    assert not re.search(r"[a-z]{3,} [a-z]{3,} [a-z]{3,}", persian)
    first, *_ = table(result, "conflict_clusters")
    assert list(first) == [column.name for column in CLUSTERS.columns]
    assert (first["cluster"], float(first["p_value"])) == ("1", 0.001)
    assert int(first["n_households"]) >= 5
    rows = table(result, "conflict_hotspots_leopard_standard")
    assert result.summary["history"] == {"periods": 8, "months": 6, "refused": ""}
    assert {row["history_class"] for row in rows if row["hotspot_class"].startswith("hot")} & {"persistent", "intensifying"}
    assert {row["completeness"] for row in rows} == {"1.0"}


def test_the_newest_calendar_year_can_be_asked_for_and_the_more_cautious_correction(engine: Engine, tmp_path: Path) -> None:
    with engine.begin() as connection:
        fill(connection, 900, date(2024, 1, 2))
        year = run_hotspots(connection, EVERYTHING, "partner", AS_OF, tmp_path, by_year=True)
        cautious = run_hotspots(connection, EVERYTHING, "partner", AS_OF, tmp_path / "by", by_year=True, fdr="by")
    assert (year.summary["period_start"], year.summary["period_end"]) == ("2025-01-01", "2025-12-31")
    assert year.summary["release_id"] == "2025-r1"
    assert "A history needs 8 periods" in year.summary["history"]["refused"]
    pairs = zip(
        table(year, "conflict_hotspots_leopard_standard"), table(cautious, "conflict_hotspots_leopard_standard"), strict=True
    )
    q = [(float(one["q_value"]), float(other["q_value"])) for one, other in pairs if one["q_value"]]
    assert q
    assert all(one < other or other == 1 for one, other in q)


SUMMARY: dict[str, Any] = {
    "period_start": "2025-01-01", "period_end": "2025-12-31", "fdr": "by", "grid": "ease10", "exposure_basis": "livestock_months",
    "fewest_events": 20, "fewest_cells": 30, "scan": {"clusters": "x.csv", "refused": "Too few."},
    "history": {"periods": 2, "months": 0, "refused": "Too few."},
    "sets": {"standard": {"n_events": 7, "n_reports": 9, "n_cells": 41, "tested": False}},
}  # fmt: skip


def test_a_small_sample_is_told_to_be_one() -> None:
    text = card(SUMMARY, "en").decode()
    assert "fewer than 20 attacks or 30 cells: nothing was tested" in text
    assert "No circular scan was made" in text
    assert "animals on pastures" in text
    assert "Yekutieli" in text
    assert "EASE-Grid 2.0" in text


def test_every_sentence_and_every_column_is_there_in_persian() -> None:
    columns = [column.description for column in (*COLUMNS, *CLUSTERS.columns)]
    for language in LANGUAGES:
        if language != "en":
            assert [text for text in (*SENTENCES, *columns) if in_language(language, text) == text] == []


@pytest.mark.parametrize("ground", [HEXAGONS, SQUARES], ids=["h3", "ease10"])
def test_the_card_promises_no_more_than_is_found_on_made_up_maps(ground: Map) -> None:
    for attacks, said in POWER.items():
        both = [simulated(100, attacks, uneven=uneven, risk=4.0, seed=5, ground=ground).hits for uneven in (False, True)]
        assert 100 * sum(both) / 2 == pytest.approx(said, abs=9)
