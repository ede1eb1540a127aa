"""OData tables of a form: names, values, nested repeats, filters, and what hostile options do (attacks 43-45)."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from exports.odata.expressions import MOST_DEPTH, MOST_TOKENS
from exports.odata.metadata import metadata
from exports.odata.model import field_list, odata_name, table_of, tables_of
from exports.odata.options import Options, Place
from exports.odata.read import Reading
from exports.odata.rows import Shape
from forms.definition import FormDefinition
from forms.problems import Problem
from records.access import Access, Right
from records.publishing import publish
from records.store import Store
from tests.support.conflict import insert_record
from tests.support.small import xform
from tests.support.stores import EVERYTHING

EDM = "{http://docs.oasis-open.org/odata/ns/edm}"
NESTED = xform(
    "<g><herds><name/><inside><animals><tag/></animals></inside></herds></g><when/><at/><trace/><shape/><n/><d/><b/><day/><who.it-is/><who_it_is/>",
    '<bind nodeset="/data/n" type="int"/><bind nodeset="/data/d" type="decimal"/><bind nodeset="/data/b" type="boolean"/>'
    '<bind nodeset="/data/when" type="dateTime"/><bind nodeset="/data/day" type="date"/><bind nodeset="/data/at" type="geopoint"/>'
    '<bind nodeset="/data/trace" type="geotrace"/><bind nodeset="/data/shape" type="geoshape"/>',
    '<group ref="/data/g"><repeat nodeset="/data/g/herds"><input ref="/data/g/herds/name"/>'
    '<group ref="/data/g/herds/inside"><repeat nodeset="/data/g/herds/inside/animals">'
    '<input ref="/data/g/herds/inside/animals/tag"/></repeat></group></repeat></group>',
    form_id="nested",
)
DEFINITION = FormDefinition.from_xform(NESTED)
ANSWERS: dict[str, Any] = {
    "g": {
        "herds": [
            {"name": "a", "inside": {"animals": [{"tag": "a1"}, {"tag": "a2"}]}},
            {"name": "b", "inside": {}},
            {"name": "c", "inside": {"animals": [{"tag": "c1"}]}},
        ]
    }
}


def row(table: str = "Submissions", answers: dict[str, Any] | None = None, **options: bool) -> dict[str, Any]:
    return next(Shape(table_of(DEFINITION, table), **options).rows("uuid:1", ANSWERS if answers is None else answers))


@pytest.mark.parametrize(
    ("name", "clean"),
    [("n_lost", "n_lost"), ("_x", "_x"), ("2nd", "_2nd"), ("who.it-is", "who_it_is"), ("گله", "__"), ("a..b", "a_b")],
)
def test_names_become_what_odata_allows(name: str, clean: str) -> None:
    assert odata_name(name) == clean


def test_two_names_that_become_one_stay_two() -> None:
    answers = {"who.it-is": "first", "who_it_is": "second"}
    assert {name: value for name, value in row(answers=answers).items() if name.startswith("who")} == {
        "who_it_is": "first",
        "who_it_is_2": "second",
    }


def test_every_repeat_is_a_table_and_its_rows_name_the_row_around_them() -> None:
    assert [table.name for table in tables_of(DEFINITION)] == [
        "Submissions",
        "Submissions.g.herds",
        "Submissions.g.herds.inside.animals",
    ]
    herds = list(Shape(table_of(DEFINITION, "Submissions.g.herds")).rows("uuid:1", ANSWERS))
    animals = list(Shape(table_of(DEFINITION, "Submissions.g.herds.inside.animals")).rows("uuid:1", ANSWERS))
    assert [herd["__Submissions-id"] for herd in herds] == ["uuid:1"] * 3
    assert [animal["__Submissions-g-herds-id"] for animal in animals] == [herds[0]["__id"]] * 2 + [herds[2]["__id"]]
    assert len({each["__id"] for each in (*herds, *animals)}) == 6
    link = herds[0]["inside"]["animals@odata.navigationLink"]
    assert link == f"Submissions('uuid%3A1')/g/herds('{herds[0]['__id']}')/inside/animals"
    expanded = row(expand=True)["g"]["herds"]
    assert [herd["__id"] for herd in expanded] == [herd["__id"] for herd in herds]
    assert [animal["__id"] for animal in expanded[0]["inside"]["animals"]] == [animal["__id"] for animal in animals[:2]]


def test_answers_of_the_wrong_type_are_null_where_a_type_is_promised() -> None:
    odd = {"n": "many", "d": "1.5", "b": "yes", "when": "noon", "day": "1405-01-01x", "at": "here", "trace": "1 2", "g": "flat"}
    found = row(answers=odd)
    assert [found[name] for name in ("n", "d", "b", "when", "day", "at", "trace", "shape")] == [None] * 8
    assert found["g"] == {"herds@odata.navigationLink": "Submissions('uuid%3A1')/g/herds"}
    assert row(answers={"n": 3, "d": 2, "b": True})["d"] == 2
    assert row(answers={"n": True})["n"] is None
    assert row(answers={"n": 2**63})["n"] is None
    assert row(answers={"when": "2026-05-02T07:41:09.123+0330"})["when"] == "2026-05-02T07:41:09.123+03:30"


def test_geometries_are_geojson_or_wkt() -> None:
    line, ring = "35 51 0 0; 36 52 0 0", "35 51 0 0; 36 52 0 0; 35 52 0 0; 35 51 0 0"
    found = row(answers={"at": "35.5 51.25", "trace": line, "shape": ring})
    assert found["at"] == {"type": "Point", "coordinates": [51.25, 35.5]}
    assert found["trace"]["coordinates"] == [[51, 35, 0], [52, 36, 0]]
    assert found["shape"]["coordinates"] == [[[51, 35, 0], [52, 36, 0], [52, 35, 0], [51, 35, 0]]]
    written = row(answers={"at": "35.5 51.25", "trace": line, "shape": ring + ";"}, wkt=True)
    assert written["at"] == "POINT (51.25 35.5)"
    assert written["trace"] == "LINESTRING (51 35 0,52 36 0)"
    assert written["shape"] == "POLYGON ((51 35 0,52 36 0,52 35 0,51 35 0))"
    assert row(answers={"shape": line})["shape"] is None


def test_t146_a_trace_is_read_however_its_points_are_parted() -> None:
    for text in ("35 51 0 0; 36 52 0 0", "35 51 0 0;36 52 0 0", "35 51 0 0; 36 52 0 0;", "35 51 0 0;36 52 0 0; "):
        assert row(answers={"trace": text})["trace"]["coordinates"] == [[51, 35, 0], [52, 36, 0]]


def test_t147_an_open_ring_is_closed_and_a_line_there_and_back_is_none() -> None:
    closed = "POLYGON ((51 35 0,52 36 0,52 35 0,51 35 0))"
    for text in ("35 51 0 0; 36 52 0 0; 35 52 0 0", "35 51 0 0; 36 52 0 0; 35 52 0 0; 35 51 0 0;"):
        assert row(answers={"shape": text}, wkt=True)["shape"] == closed
    for text in ("35 51 0 0; 36 52 0 0; 35 51 0 0", "35 51 0 0; 36 52 0 0"):
        assert row(answers={"shape": text}, wkt=True)["shape"] is None


def test_the_metadata_leads_from_every_repeat_to_its_table() -> None:
    tree = ET.fromstring(metadata(DEFINITION))
    types = {each.get("Name") for each in tree.iter() if each.tag in {f"{EDM}EntityType", f"{EDM}ComplexType"}}
    sets = {each.get("Name"): each for each in tree.iter(f"{EDM}EntitySet")}
    assert set(sets) <= types
    bindings = {
        name: {each.get("Path"): each.get("Target") for each in found.iter(f"{EDM}NavigationPropertyBinding")}
        for name, found in sets.items()
    }
    assert bindings["Submissions"]["g/herds"] == "Submissions.g.herds"
    assert bindings["Submissions.g.herds"] == {"inside/animals": "Submissions.g.herds.inside.animals"}


def test_fields_are_listed_in_the_order_of_the_form() -> None:
    listed = list(field_list(DEFINITION, sanitised=True))
    assert [each["order"] for each in listed] == list(range(len(listed)))
    assert [each["path"] for each in listed][:3] == ["/g", "/g/herds", "/g/herds/name"]
    assert [each["type"] for each in listed][:3] == ["structure", "repeat", "string"]
    assert "/g" not in {each["path"] for each in field_list(DEFINITION, flat=True)}


# --- reading from a database ---


@pytest.fixture
def filled(store: Store, blobs: Any) -> Store:
    publish(store, blobs, 1, xform=NESTED, source_name="test")
    start = datetime(2026, 3, 1, tzinfo=UTC)

    def work(connection: Any) -> None:
        for number in range(12):
            insert_record(
                connection,
                f"uuid:{number:02}",
                ANSWERS if number % 2 else {"n": number},
                form_id="nested",
                received_at=start + timedelta(hours=number // 3),
                review_state="rejected" if number == 4 else "received",
            )

    store.write(work)
    return store


def read(store: Store, table: str = "Submissions", access: Access = EVERYTHING, **options: str) -> list[dict[str, Any]]:
    given = {f"${name}": value for name, value in options.items()}
    return list(Reading(store.read, access, "nested", table_of(DEFINITION, table), Options.read(given)).rows())


@pytest.mark.parametrize("table", ["Submissions", "Submissions.g.herds", "Submissions.g.herds.inside.animals"])
@pytest.mark.parametrize("order", ["", "__system/submissionDate asc", "__system/updatedAt desc", "__system/reviewState"])
@pytest.mark.parametrize("top", [1, 5])
def test_pages_hold_every_row_once_even_among_records_of_the_same_moment(filled: Store, table: str, order: str, top: int) -> None:
    inside = order if table == "Submissions" else order.replace("__system", "$root/Submissions/__system")
    options = {"$top": str(top), "$count": "true", **({"$orderby": inside} if order else {})}
    whole = [each["__id"] for each in read(filled, table, **({"orderby": inside} if order else {}))]
    seen: list[str] = []
    place: Place | None = None
    while True:
        token = {"$skiptoken": place.token()} if place else {}
        reading = Reading(filled.read, EVERYTHING, "nested", table_of(DEFINITION, table), Options.read({**options, **token}))
        assert reading.count == len(whole)
        seen += [each["__id"] for each in reading.rows()]
        place = reading.next_place
        if place is None:
            break
    assert seen == whole
    assert len(set(seen)) == len(seen)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("__id eq 'uuid:03'", 1),
        ("__system/reviewState eq null", 11),
        ("__system/reviewState ne 'rejected'", 11),
        ("not (__system/reviewState eq 'rejected')", 11),
        ("not not __system/reviewState eq 'rejected'", 1),
        ("hour(__system/submissionDate) eq 2", 3),
        ("__system/submissionDate ge 2026-03-01T01:00:00Z and __system/submissionDate lt 2026-03-01T02:00:00Z", 3),
        ("__system/submissionDate ge 2026-03-01T04:30:00+03:30 or __id eq 'uuid:00'", 10),
        ("__system/submissionDate ge 2026-03-01T04:30:00 03:30", 9),
        ("2026-03-01T03:00:00Z le __system/submissionDate", 3),
        ("__system/submitterId eq null", 12),
        ("__system/submitterId eq '7' or (__id eq 'uuid:01')", 1),
        ("__system/deletedAt ne null", 0),
        ("year(__system/submissionDate) eq 2026 and second(__system/submissionDate) lt 1", 12),
    ],
)
def test_filters_find_what_they_say(filled: Store, text: str, count: int) -> None:
    assert len(read(filled, filter=text)) == count


@pytest.mark.parametrize(
    "text",
    [
        "__id eq 'x' or 1=1",
        "__id eq 'x'; DROP TABLE submission",
        "__id eq ''' OR 1=1 --'",
        "__id eq 'x' union select 1",
        "answers eq 'x'",
        "password_hash eq 'x'",
        "submission.answers ne null",
        "substringof('a', __id)",
        "contains(__id, '%')",
        "pg_sleep(10) eq 1",
        "__system/submissionDate eq '2026'",
        "__system/submissionDate eq 5",
        "__id gt 5",
        "1 eq 1",
        "null eq null",
        "__system/submissionDate lt null",
        "__system/submissionDate ge 2026-99-99",
        "__system/submissionDate ge 0001-01-01T00:00:00+14:00",
        "year(now()) eq 2026",
        "year(__id) eq 2026",
        "__system/submitterId eq 99999999999999999999999",
        "__id eq",
        "eq eq eq",
        "(((",
        "__id eq 'x",
        "(" * (MOST_DEPTH + 1) + "__id eq 'x'" + ")" * (MOST_DEPTH + 1),
        " or ".join(["__id eq 'x'"] * MOST_TOKENS),
        "not " * 5000 + "__id eq 'x'",
        "__id eq '\0'",
    ],
    ids=lambda text: text[:40],
)
def test_a_hostile_filter_is_refused_or_finds_nothing(filled: Store, text: str) -> None:
    refused, found = "", []
    try:
        found = read(filled, filter=text)
    except Problem as problem:
        refused = problem.kind.code
    assert (refused in {"", "value_invalid", "not_supported"}, found) == (True, [])
    assert len(read(filled)) == 12


@pytest.mark.parametrize(
    "options",
    [
        {"orderby": "answers"},
        {"orderby": "__id; DROP TABLE submission"},
        {"orderby": "__id sideways"},
        {"orderby": ",".join(["__id"] * 100)},
        {"orderby": "(select password_hash from account)"},
        {"select": "answers"},
        {"select": "g/nothing"},
        {"select": "n", "expand": "*"},
        {"top": "-1"},
        {"top": "1e3"},
        {"top": "99999999999"},
        {"skip": "x"},
        {"count": "maybe"},
        {"skiptoken": "nonsense"},
        {"skiptoken": Place(["2026-01-01"]).token()},
        {"skiptoken": Place([1, 2]).token()},
        {"skiptoken": Place(["2026-01-01T00:00:00+00:00", "x\0"]).token()},
        {"skiptoken": Place([{"a": 1}, []]).token()},
        {"skiptoken": Place(["9999-12-31T23:59:59-14:00", "uuid:1"]).token()},
        {"skiptoken": "W10"},
        {"apply": "x"},
        {"filter": "__id eq 'x' " + " " * 9000},
    ],
    ids=str,
)
def test_hostile_options_are_refused(filled: Store, options: dict[str, str]) -> None:
    with pytest.raises(Problem) as met:
        read(filled, **options)
    assert met.value.kind.code in {"value_invalid", "not_supported"}


def test_a_token_may_be_forged_and_gives_no_more_than_may_be_seen(filled: Store) -> None:
    forged = Place(["2999-01-01T00:00:00+00:00", "' OR 1=1 --"], 0, 10**12).token()
    assert len(read(filled, skiptoken=forged)) == 12
    nobody = Access(2, "stranger", frozenset({Right.SEE}))
    assert read(filled, access=nobody, skiptoken=forged) == []
    with pytest.raises(Problem) as met:
        read(filled, access=Access(1, "analyst", frozenset({Right.EXPORTS})))
    assert met.value.kind.code == "not_allowed"


def test_the_longest_filter_that_is_taken_costs_little(filled: Store) -> None:
    text = " or ".join(["hour(__system/submissionDate) ge 30"] * (MOST_TOKENS // 7))
    began = time.process_time()
    assert read(filled, filter=text) == []
    assert time.process_time() - began < 2


def test_a_selection_gives_only_what_it_names(filled: Store) -> None:
    rows = read(filled, select="__id,__system/edits,g/herds", filter="__id eq 'uuid:01'")
    assert rows == [
        {"__id": "uuid:01", "__system": {"edits": 0}, "g": {"herds@odata.navigationLink": "Submissions('uuid%3A01')/g/herds"}}
    ]
    assert set(read(filled, select="n")[0]) == {"n"}
