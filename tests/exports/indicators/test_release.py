"""A release from the records of a database: what is read, what is left out and counted, and files that stay the same."""

import csv
import io
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, insert, update

from exports.indicators.files import run_indicators
from exports.indicators.reading import read_data, square_kilometres
from exports.indicators.slices import Exchange
from exports.indicators.table import NAMES, TABLE
from exports.windows import Window
from forms.problems import Problem
from forms.strategy import strategy
from records.access import ROLES, Access
from records.models import AuditEvent, StudyArea, Submission
from tests.support.conflict import answers, insert_record
from tests.support.stores import EVERYTHING

WINDOW = Window(date(2025, 1, 1), date(2025, 12, 31))
AS_OF = date(2026, 4, 10)
LOSS = {"loss": [{"species": "sheep", "age": "adult", "n_killed": 2, "unit_value": 100.0}], "currency": "TRY"}


def fill(engine: Engine) -> None:
    """Seven households with an attack each in May and June 2025, herds, a patrol, and records that do not count."""
    with engine.begin() as connection:
        for number in range(7):
            day = date(2025, 5 + number % 2, 10 + number)
            content = answers(f"H{number}", losses=LOSS) | {"consent_share": "yes"}
            insert_record(connection, f"uuid:r{number}", content, day=day, place=(36.0 + number / 5, 52.0, 8.0))
            herds = {"country": "IR", "household_g": {"household_code": f"h{number}"}, "herd": [{"species": "sheep", "head": 100}]}
            herds |= {"arrive": "2025-01-01", "leave": "2026-01-01"}
            insert_record(connection, f"uuid:g{number}", herds, form_id="grazing_survey", day=date(2025, 1, 1))
        insert_record(connection, "uuid:test", answers("H8", purpose="test"), day=date(2025, 5, 1))
        insert_record(connection, "uuid:no", answers("H9"), day=date(2025, 5, 1), review_state="rejected")
        for name, state in (
            ("gone", {"deleted_at": datetime.now(UTC)}),
            ("sealed", {"encrypted": True}),
            ("odd", {"excluded": True}),
        ):
            insert_record(connection, f"uuid:{name}", answers("H9"), day=date(2025, 5, 1))
            connection.execute(update(Submission).where(Submission.instance_id == f"uuid:{name}").values(**state))
        patrol = {"country": "TR", "zero_month": "no", "patrol": {"km": 40.0, "people": 2}, "area_code": "a-1"}
        insert_record(connection, "uuid:p", patrol, form_id="patrol_effort", day=date(2025, 5, 3))
        connection.execute(update(Submission).where(Submission.instance_id == "uuid:p").values(country="IR", app_user_id=None))
        insert_record(connection, "uuid:other", answers("H1"), day=date(2025, 5, 1), project_id=2)
        insert_record(connection, "uuid:late", answers("H1"), day=date(2026, 5, 1))


def release(engine: Engine, out: Path, **more: Any) -> tuple[Path, list[dict[str, str]]]:
    with engine.connect() as connection:
        result = run_indicators(connection, EVERYTHING, more.pop("level", "public"), AS_OF, out, **more)
    text = (result.folder / "indicators.csv").read_text(encoding="utf-8-sig")
    return result.folder, list(csv.DictReader(io.StringIO(text, newline="")))


def only(found: list[dict[str, str]], **wanted: str) -> dict[str, str]:
    (row,) = [row for row in found if all(row[key] == value for key, value in wanted.items())]
    return row


def test_a_release_holds_the_figures_of_records_that_count(engine: Engine, tmp_path: Path) -> None:
    fill(engine)
    _, found = release(engine, tmp_path)
    attacks = {"indicator": "I-CON-2", "figure": "attack_rate", "predator": "leopard", "area": "country", "country": "IR"}
    row = only(found, **attacks, period="2025")
    months = 700 * 365 / 30.4375
    assert float(row["value"]) == pytest.approx(1000 * 7 / months, rel=1e-5)
    assert (row["n"], row["n_households"], row["unit"], row["reason"]) == ("7", "5-9", "per 1,000 livestock-months", "")
    assert row["n_excluded"] == "5"
    assert row["activity"] == "7.1.1;7.1.6"
    assert only(found, **attacks, period="2025Q2")["value"]
    money = only(found, indicator="I-CON-7", figure="loss", of="TRY", area="range", period="2025")
    assert money["value"] == "1400"
    effort = only(found, indicator="I-EFF-1", figure="km", country="IR", period="2025Q2")
    assert (effort["value"], effort["n_households"]) == ("40", "")  # in the country of its point, not the one that was typed
    assert {row["period"] for row in found} <= {
        "2023",
        "2024",
        "2025",
        *(f"{year}Q{q}" for year in (2023, 2024, 2025) for q in (1, 2, 3, 4)),
    }


def test_the_tables_have_keys_and_definitions(engine: Engine, tmp_path: Path) -> None:
    fill(engine)
    folder, found = release(engine, tmp_path, rates={"TRY": Exchange(0.03, date(2025, 12, 31), "central bank")})
    assert folder.name == "indicators_2025Q4_public_r1"
    assert len({tuple(row[name] for name in TABLE.key) for row in found}) == len(found)
    dollars = only(found, indicator="I-CON-7", figure="loss_usd", area="range", period="2025")
    assert float(dollars["value"]) == pytest.approx(42)
    text = (folder / "indicator_definitions.csv").read_text(encoding="utf-8-sig")
    definitions = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["indicator"] for row in definitions] == list(strategy().indicators)
    assert all(row["formula"] and row["activity"] for row in definitions)
    assert list(found[0]) == list(NAMES)


def test_the_same_records_give_the_same_bytes(engine: Engine, tmp_path: Path) -> None:
    fill(engine)
    folders = [release(engine, tmp_path / name)[0] for name in ("one", "two")]
    names = sorted(path.name for path in folders[0].iterdir())
    assert [(folders[0] / name).read_bytes() for name in names] == [(folders[1] / name).read_bytes() for name in names]


def test_reports_that_people_joined_are_one_attack(engine: Engine) -> None:
    fill(engine)
    with engine.connect() as connection:
        found = read_data(connection, EVERYTHING, WINDOW)
    assert len(found.of("conflict_livestock")) == 7
    assert {each.reason: each.records for each in found.holdings.left_out if each.form_id == "conflict_livestock"} == {
        "test": 1,
        "rejected": 1,
        "deleted": 1,
        "encrypted": 1,
        "excluded": 1,
    }


def test_quality_use_and_areas_are_read(engine: Engine) -> None:
    fill(engine)
    square = {"type": "Polygon", "coordinates": [[[52, 36], [53, 36], [53, 37], [52, 37], [52, 36]]]}
    about = {"project_id": 1, "name": "A", "country": "IR", "transboundary": False, "changed_at": datetime(2025, 1, 1, tzinfo=UTC)}
    event = {"actor": "analyst", "action": "export.run", "target": "x", "detail": {}}
    with engine.begin() as connection:
        connection.execute(insert(StudyArea), {**about, "code": "A-1", "geometry": square})
        for project, at in (
            (1, datetime(2025, 12, 31, 23, tzinfo=UTC)),
            (2, datetime(2025, 5, 1, tzinfo=UTC)),
            (1, datetime(2026, 1, 1, tzinfo=UTC)),
        ):
            connection.execute(insert(AuditEvent), {**event, "project_id": project, "at": at})
        connection.execute(update(Submission).where(Submission.instance_id == "uuid:r0").values(version="0"))
        found = read_data(connection, EVERYTHING, WINDOW)
    assert [(use.actor, use.day, use.downloads) for use in found.uses] == [("analyst", date(2025, 12, 31), 1)]
    assert found.areas["a1"] == ("IR", pytest.approx(9960, rel=0.01))
    totals = [sum(getattr(each, name) for each in found.standings) for name in ("records", "flagged", "duplicates", "current")]
    assert totals == [18, 1, 0, 17]  # neither deleted ones nor tests


def test_a_degree_is_as_large_as_geographers_say() -> None:
    equator = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]}
    assert square_kilometres(equator) == pytest.approx(12363.7, rel=0.001)


def test_who_may_not_see_records_gets_nothing(engine: Engine, tmp_path: Path) -> None:
    fill(engine)
    with engine.connect() as connection:
        with pytest.raises(Problem):
            run_indicators(connection, Access(1, "analyst", ROLES["analyst"]), "public", AS_OF, tmp_path)
        with pytest.raises(Problem, match="level"):
            run_indicators(connection, EVERYTHING, "secret", AS_OF, tmp_path)


def test_nothing_known_makes_an_empty_table(engine: Engine, tmp_path: Path) -> None:
    folder, found = release(engine, tmp_path, level="partner")
    assert found == []
    assert (folder / "indicators.csv").read_text(encoding="utf-8-sig").startswith("indicator,figure,of,")
