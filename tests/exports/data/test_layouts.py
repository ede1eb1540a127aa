"""The columns of CSV: those of ODK Central, those of KoBoToolbox, names or labels, one version or all."""

import csv
import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import Engine

from exports import tables
from exports.data import formats
from exports.data.wanted import Filters, Layout, filters_of, layout_of
from forms.definition import FormDefinition
from forms.problems import Problem
from tests.support.stores import EVERYTHING
from tests.support.tables import FORM, answers, opened, publish, send, xform


@pytest.fixture
def filled(engine: Engine) -> Iterator[Engine]:
    publish(engine, xform())
    send(engine, "uuid:a", answers(measures="lights fence", remarks="=1+1"))
    send(engine, "uuid:b", answers(place="-35.7 51.4 0 0", n=-5, remarks="-5"), received_at=datetime(2026, 5, 3, tzinfo=UTC))
    return engine


def text(engine: Engine, table: str = FORM, filters: Filters | None = None, **layout: Any) -> str:
    with opened(engine, filters, Layout(**layout)) as source:
        return b"".join(formats.stream(source, formats.format_of("csv"), open, table=table)).decode("utf-8-sig")  # type: ignore[arg-type]


def rows(engine: Engine, table: str = FORM, filters: Filters | None = None, **layout: Any) -> list[dict[str, str]]:
    sign = ";" if layout.get("style") == "kobo" else ","
    return list(csv.DictReader(io.StringIO(text(engine, table, filters, **layout), newline=""), delimiter=sign))


def keys(engine: Engine, **words: str) -> list[str]:
    return [row["KEY"] for row in rows(engine, filters=filters_of(words))]


def test_what_nobody_changes_is_the_very_table_of_central(filled: Engine) -> None:
    definition = FormDefinition.from_xform(xform())
    with filled.connect() as connection:
        for repeat in [(), *tables.repeats_of(definition)]:
            wanted = tables.table(connection, EVERYTHING, definition, repeat=repeat)
            stream = io.StringIO(newline="")
            tables.write_table(stream, wanted.header, wanted.rows)
            assert text(filled, "-".join((FORM, *repeat))) == stream.getvalue().removeprefix("\ufeff")


def test_a_form_with_repeats_is_a_zip_of_all_tables_unless_one_is_named(filled: Engine) -> None:
    with opened(filled) as source:
        data = b"".join(formats.stream(source, formats.format_of("csv"), open))  # type: ignore[arg-type]
        assert formats.file_of(source, formats.format_of("csv")) == ("herds-csv.zip", "application/zip")
        assert formats.file_of(source, formats.format_of("csv"), "herds-herd") == ("herds-herd.csv", "text/csv; charset=utf-8")
        with pytest.raises(Problem, match="herds-herd-bell"):
            formats.file_of(source, formats.format_of("csv"), "nothing")
    with zipfile.ZipFile(io.BytesIO(data)) as made:
        assert made.namelist() == ["herds.csv", "herds-herd.csv", "herds-herd-bell.csv"]
        assert made.read("herds-herd.csv").decode("utf-8-sig") == text(filled, "herds-herd")


def test_groups_points_and_selects_as_wanted(filled: Engine) -> None:
    first, second = rows(filled, groups=False, split_points=False, split_selects=True)
    assert (first["place"], second["place"]) == ("35.7 51.4 1320.0 4.5", "-35.7 51.4 0 0")
    assert [first[name] for name in ("measures", "measures/fence", "measures/lights")] == ["lights fence", "1", "1"]
    assert [second[name] for name in ("measures", "measures/fence", "measures/lights")] == ["fence", "1", "0"]
    assert "camp-n" in rows(filled)[0]
    assert "n" in first


def test_labels_in_any_language_stand_for_names_and_codes(filled: Engine) -> None:
    first = rows(filled, language="fa")[0]
    assert (first["اردوگاه - سگ؟"], first["اردوگاه - اقدام‌ها"]) == ("بله", "چراغ; حصار")
    assert rows(filled, language="English (en)", groups=False)[0]["A dog?"] == "Yes"
    assert rows(filled, "herds-herd-bell", language="fa")[0]["صدا"] == "1"


def test_no_value_label_or_heading_is_a_formula_and_numbers_stay_numbers(filled: Engine) -> None:
    send(filled, "uuid:c", answers(dog="no"), received_at=datetime(2026, 5, 4, tzinfo=UTC))
    labelled = rows(filled, language="en", groups=False, split_points=False)
    assert [row["A dog?"] for row in labelled] == ["Yes", "Yes", "'+No"]
    assert [row["'=Where"] for row in labelled][1] == "-35.7 51.4 0 0"
    plain = rows(filled)
    assert [row["camp-remarks"] for row in plain] == ["'=1+1", "-5", "calm"]
    assert (plain[1]["camp-n"], plain[1]["camp-place-Latitude"]) == ("-5", "-35.7")


def test_kobo_has_its_own_names_and_numbers_every_row(filled: Engine) -> None:
    first, second = rows(filled, style="kobo", split_selects=True)
    assert [first[name] for name in ("camp/place", "_camp/place_latitude", "_camp/place_precision")] == [
        *("35.7 51.4 1320.0 4.5", "35.7", "4.5")
    ]
    assert (first["camp/measures/lights"], first["_index"], second["_index"]) == ("1", "1", "2")
    assert (first["_submission_time"], first["_status"]) == ("2026-05-02T07:41:00", "submitted_via_web")
    bells = rows(filled, "herds-herd-bell", style="kobo")
    assert [(row["tone"], row["_index"], row["_parent_table_name"], row["_parent_index"]) for row in bells] == [
        *(("1", "1", "herds-herd", "1"), ("2", "2", "herds-herd", "1"), ("3", "3", "herds-herd", "2")),
        *(("1", "4", "herds-herd", "3"), ("2", "5", "herds-herd", "3"), ("3", "6", "herds-herd", "4")),
    ]
    assert {row["_submission__id"] for row in bells} == {first["_id"], second["_id"]}


@pytest.mark.parametrize("style", ["central", "kobo"])
def test_what_the_checks_found_stands_at_the_end_for_who_wants_it(filled: Engine, style: str) -> None:
    where = {"country": "IR", "admin1": "IR-07", "study_area": "north", "event_date": date(2026, 3, 4)}
    flags = [{"code": "far"}, {"code": "old", "settled": {"by": "x"}}, {"code": "odd"}, {"code": "far"}]
    send(filled, "uuid:c", answers(), flags=flags, received_at=datetime(2026, 5, 4, tzinfo=UTC), **where)
    first, *_, last = rows(filled, style=style, checks=True)
    assert list(last.items())[-5:] == [
        *(("EventDate", "2026-03-04"), ("Country", "IR"), ("Admin1", "IR-07"), ("StudyArea", "north"), ("Flags", "far odd"))
    ]
    assert list(first.values())[-5:] == [""] * 5
    assert list(rows(filled, style=style, checks=True)[0])[:-5] == list(rows(filled, style=style)[0])
    assert "Country" not in rows(filled, "herds-herd", style=style, checks=True)[0]


def test_the_columns_of_all_versions_stand_where_they_stood(filled: Engine) -> None:
    publish(filled, xform("2", "| n         |", "| heads     |"), "2", day=2)
    send(filled, "uuid:a", answers(), version="1")
    send(filled, "uuid:b", answers(heads=7), version="2")
    names = list(rows(filled)[0])
    assert names[names.index("camp-measures") :][:4] == ["camp-measures", "camp-n", "camp-heads", "camp-price"]
    assert {row["camp-n"] for row in rows(filled)} == {"3"}
    only = rows(filled, filters=Filters(versions=("2",)))
    assert [(row["KEY"], row["camp-heads"], "camp-n" in row) for row in only] == [("uuid:b", "7", False)]
    with pytest.raises(Problem, match="never published"):
        rows(filled, filters=Filters(versions=("9",)))


def test_records_are_chosen_by_day_place_area_state_and_version(filled: Engine) -> None:
    send(filled, "uuid:c", {}, event_date=date(2026, 3, 4), latitude=35.0, longitude=179.5, country="IR", admin1="IR-07")
    send(
        filled,
        "uuid:d",
        {},
        event_date=date(2026, 3, 5),
        latitude=36.0,
        longitude=51.0,
        study_area="north",
        review_state="approved",
    )
    assert keys(filled, since="2026-03-04", until="2026-03-04") == ["uuid:c"]
    assert set(keys(filled, since="2026-05-01")) == {"uuid:a", "uuid:b"}  # by their arrival
    assert keys(filled, since="2026-05-03", until="2026-05-03") == ["uuid:b"]
    assert keys(filled, box="50,35.5,52,37") == ["uuid:d"]
    assert keys(filled, box="179,30,-179,40") == ["uuid:c"]
    assert (keys(filled, country="ir"), keys(filled, admin1="IR-07")) == (["uuid:c"], ["uuid:c"])
    assert (keys(filled, area="north"), keys(filled, state="approved,rejected")) == (["uuid:d"], ["uuid:d"])
    assert len(keys(filled, until="9999-12-31")) == 4


@pytest.mark.parametrize(
    "words",
    [{"since": "yesterday"}, {"box": "1,2,3"}, {"box": "nan,0,1,1"}, {"box": "0,5,1,4"}, {"state": "good"}, {"country": "a\0b"}],
)
def test_a_filter_that_says_nothing_is_a_problem(words: dict[str, str]) -> None:
    with pytest.raises(Problem) as caught:
        filters_of(words)
    assert caught.value.kind.code == "value_invalid"


def test_the_words_of_an_address_make_a_layout() -> None:
    assert layout_of({}) == Layout()
    words = {"style": "kobo", "groups": "false", "points": "false", "selects": "false", "language": "fa", "place": "camp-place"}
    assert layout_of(words) == Layout("kobo", False, False, False, "fa", "camp-place")
    assert layout_of({"style": "kobo"}).split_selects
    for wrong in ({"style": "ona"}, {"groups": "maybe"}):
        with pytest.raises(Problem):
            layout_of(wrong)
