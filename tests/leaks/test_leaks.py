"""Attackers of every circle at every channel find no place, no household and no day; at exact data the same attacks succeed."""

import csv
import io
import json
import zipfile
from datetime import date
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import update

from records.models import Form
from tests.leaks.attackers import (
    appeared,
    one_household,
    order_kept,
    place_by_bisection,
    points_in,
    small_groups,
    words_in,
)
from tests.support.leaks import Attack, World, table
from tests.support.wildlife import SECRETS

FORM = "conflict_livestock"
DATA = f"/v1/projects/1/forms/{FORM}/data"
FORMATS = ("csv", "xlsx", "geojson", "gpkg", "parquet")
LEVELS = ("partner", "public")


def points(world: World) -> list[tuple[float, float]]:
    return [(attack.latitude, attack.longitude) for attack in world.attacks]


def secrets(world: World) -> set[str]:
    told = {"RANGER-9", "device-secret", "phone of", "Village of", ".jpg", "SubmissionDate"}
    for attack in world.attacks:
        told |= {attack.key, attack.key.removeprefix("uuid:"), attack.household}
    return told


def as_written(world: World, level: str, name: str, tmp_path: Path, form_id: str = FORM) -> bytes:
    target = tmp_path / f"{level}.{name}"
    asked = ("--level", level, "--format", name, "--to", str(target))
    as_of = () if level == "exact" else ("--as-of", "2026-07-01")
    code, said = world.server.here("export", "data", form_id, *asked, *as_of)
    assert code == 0, said
    return target.read_bytes()


@pytest.mark.parametrize("name", FORMATS)
def test_no_file_holds_a_point_or_a_name_and_the_exact_one_holds_all(world: World, name: str, tmp_path: Path) -> None:
    exact = as_written(world, "exact", name, tmp_path)
    if name != "parquet":  # its text is compressed
        assert points_in(exact, points(world)) == set(points(world))
        assert {attack.household for attack in world.attacks} <= words_in(exact, secrets(world))
    for level in LEVELS:
        told = as_written(world, level, name, tmp_path)
        assert len(told) > 1000
        assert points_in(told, points(world)) == set()
        assert words_in(told, secrets(world)) == set()


def test_days_are_not_told(world: World, tmp_path: Path) -> None:
    days = {attack.day.isoformat() for attack in world.attacks if attack.day.day not in {1, 28, 30, 31}}
    assert words_in(as_written(world, "exact", "csv", tmp_path), days) == days
    for level in LEVELS:
        assert words_in(as_written(world, level, "csv", tmp_path), days) == set()


def test_signs_of_leopards_are_told_to_a_tenth_of_a_degree_and_dens_and_collars_never(world: World, tmp_path: Path) -> None:
    assert points_in(as_written(world, "exact", "csv", tmp_path, "leopard_sign"), world.signs.values()) == set(world.signs.values())
    for level in LEVELS:
        told = as_written(world, level, "csv", tmp_path, "leopard_sign")
        assert points_in(told, world.signs.values()) == set()
        rows = world.rows(level, "leopard_sign")
        assert {row["sign_type"] for row in rows} == {"track"}
        assert len(rows) == len(world.signs) - 2
        for row in rows:
            assert round(float(row["decimalLatitude"]) * 100) % 10 == 5
            assert int(row["coordinateUncertaintyInMeters"]) > 15_691
            assert "cell" in row["dataGeneralizations"]
            assert "withheld" in row["informationWithheld"]


@pytest.mark.parametrize("form_id", ["camera_station", "leopard_mortality", "illegal_trade", "community_attitudes"])
@pytest.mark.parametrize("level", LEVELS)
def test_some_surveys_never_leave(world: World, form_id: str, level: str) -> None:
    code, said = world.server.here("export", "data", form_id, "--level", level)
    assert code == 1
    assert "never told" in said


def test_a_form_that_is_made_confidential_leaves_no_more(world: World) -> None:
    def confide(*, confidential: bool) -> None:
        with world.connection() as connection:
            connection.execute(update(Form).filter_by(form_id=FORM).values(confidential=confidential))

    confide(confidential=True)
    try:
        assert world.server.here("export", "data", FORM, "--level", "public")[0] == 1
        assert world.ask(f"{DATA}?level=public", "ana").status == 501
    finally:
        confide(confidential=False)
    told = world.ask(f"{DATA}?level=public", "ana")
    assert told.status == 200
    assert 'filename="public-' in told.headers["content-disposition"]  # not to be taken for the exact one


def told_truth(world: World) -> list[Attack]:
    """The attacks in the order of the rows: the attacker is given even that."""
    return sorted(world.attacks, key=lambda attack: attack.key)


def test_behind_every_place_and_time_stand_five_households_for_partner_public_and_both(world: World) -> None:
    truth = told_truth(world)
    told = {level: world.rows(level) for level in LEVELS}
    assert {level: len(rows) for level, rows in told.items()} == dict.fromkeys(LEVELS, len(truth))
    groups = {level: [(row["place"], row["period"], row["release"]) for row in rows] for level, rows in told.items()}
    households = [attack.household for attack in truth]
    for level in LEVELS:
        assert small_groups(zip(groups[level], households, strict=True)) == set()
    both = [(*partner, *public) for partner, public in zip(groups["partner"], groups["public"], strict=True)]
    assert small_groups(zip(both, households, strict=True)) == set()
    exact = [(f"{attack.latitude:.2f}", f"{attack.longitude:.2f}") for attack in truth]
    assert small_groups(zip(exact, households, strict=True))


def test_no_answer_gives_a_household_away(world: World) -> None:
    truth = told_truth(world)
    exact = sorted(world.rows("exact"), key=lambda row: row["KEY"])
    assert len(one_household(exact, truth, "husbandry-herd_small")) >= 15
    for level in LEVELS:
        rows = world.rows(level)
        for column in rows[0]:
            if column not in {"record", "place", "period"}:
                by_release = {row["release"] for row in rows}
                for release in by_release:
                    of = [(row, attack) for row, attack in zip(rows, truth, strict=True) if row["release"] == release]
                    assert one_household([row for row, _ in of], [attack for _, attack in of], column) == set(), column


def test_the_order_of_rows_tells_neither_day_nor_arrival(world: World) -> None:
    by_day = sorted(world.attacks, key=lambda attack: attack.day)
    exact = [row["KEY"] for row in world.rows("exact")]
    numbers = {key: number for number, key in enumerate(exact)}
    assert order_kept(list(range(len(exact))), [numbers[attack.key] for attack in by_day]) > 0.9
    told = {attack.key: number for number, attack in enumerate(told_truth(world))}
    assert 0.3 < order_kept(list(range(len(told))), [told[attack.key] for attack in by_day]) < 0.7


def test_asking_again_gives_the_same_so_that_nothing_can_be_averaged(world: World) -> None:
    for level in LEVELS:
        assert world.file(level) == world.file(level)


def counted(world: World, who: str, level: str) -> object:
    def count(west: float, south: float, east: float, north: float) -> int | None:
        got = world.ask(f"{DATA}?format=csv&table={FORM}&level={level}&box={west},{south},{east},{north}", who)
        return len(table(got.body)) if got.status == 200 else None

    return count


def test_narrow_boxes_find_the_northernmost_point_only_for_who_may_see_it(world: World) -> None:
    northernmost = max(world.attacks, key=lambda attack: attack.latitude)
    found = place_by_bisection(counted(world, "rev", "exact"))  # type: ignore[arg-type]
    assert found == pytest.approx((northernmost.latitude, northernmost.longitude), abs=0.001)
    for who, level in (
        ("ana", "partner"),
        ("ana", "public"),
        ("ana", "exact"),
        ("col", "exact"),
        ("col", "public"),
        ("rev", "public"),
    ):
        assert place_by_bisection(counted(world, who, level)) is None, (who, level)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "words", ["since=2025-03-01", "until=2025-03-01", "state=received", "country=IR", "area=x", "version=1", "admin1=IR-02"]
)
def test_what_is_told_is_never_narrowed(world: World, words: str) -> None:
    for level in LEVELS:
        assert world.ask(f"{DATA}?format=csv&level={level}&{words}", "ana").status == 400
        assert (
            world.server.here(
                "export", "data", FORM, "--level", level, f"--{words.split('=', maxsplit=1)[0]}", words.split("=")[1]
            )[0]
            == 1
        )


@pytest.mark.parametrize(
    "words",
    ["style=kobo", "checks=true", "points=false", "place=where-event_gps", "language=English (en)", "selects=true", "groups=false"],
)
def test_no_layout_brings_back_what_is_withheld(world: World, words: str) -> None:
    for level in LEVELS:
        got = world.ask(f"{DATA}?format=csv&table={FORM}&level={level}&{quote(words, safe='=')}", "ana")
        assert (got.status, len(table(got.body))) == (200, len(world.attacks))
        assert points_in(got.body, points(world)) == set()
        assert words_in(got.body, secrets(world) | {"KEY", "DeviceID", "_uuid", "EventDate"}) == set()


PROGRAMS = (
    f"/v1/projects/1/forms/{FORM}.svc/Submissions?$filter=where/event_accuracy_m lt 9&$count=true",
    f"/v1/projects/1/forms/{FORM}.svc/Submissions?$orderby=__system/submissionDate desc&$top=1",
    f"/v1/projects/1/forms/{FORM}.svc/Submissions?$count=true&$top=0",
    f"/v1/projects/1/forms/{FORM}/submissions",
    f"/v1/projects/1/forms/{FORM}/submissions.csv.zip",
    f"/v1/projects/1/forms/{FORM}/data?level=exact",
    "/view/submissionList?formId=conflict_livestock",
    "/projects/1/map/points.json",
    "/projects/1/",
    "/projects/1/incidents",
    "/projects/1/quarantine",
    "/projects/1/log",
    "/projects/1/entities",
)


@pytest.mark.parametrize("path", PROGRAMS)
@pytest.mark.parametrize("who", [None, "ana"])
def test_other_doors_tell_strangers_and_analysts_nothing(world: World, path: str, who: str | None) -> None:
    got = world.ask(quote(path, safe="/?=&$"), who)
    assert got.status in {302, 401, 403}
    assert points_in(got.body, points(world)) == set()
    assert words_in(got.body + str(got.headers).encode(), secrets(world)) == set()


@pytest.mark.parametrize("path", PROGRAMS[:7])
def test_a_data_collector_finds_nothing_of_what_others_sent(world: World, path: str) -> None:
    got = world.ask(quote(path, safe="/?=&$"), "col")
    assert points_in(got.body, points(world)) == set()
    assert words_in(got.body, {attack.household for attack in world.attacks}) == set()


def test_the_same_doors_tell_a_reviewer(world: World) -> None:
    got = world.ask(f"/v1/projects/1/forms/{FORM}.svc/Submissions?%24count=true", "rev")
    assert points_in(got.body, points(world)) == set(points(world))
    assert json.loads(got.body)["@odata.count"] == len(world.attacks)


PAGES = (
    "/projects/1/exports",
    f"/projects/1/forms/{FORM}/data",
    f"/projects/1/forms/{FORM}/data?level=public",
    "/projects/1/strategy",
)


@pytest.mark.parametrize(
    "path", [*PAGES, "/projects/1/strategy.json", f"{DATA}?format=geojson", f"{DATA}?table=Village%20of&format=csv"]
)
def test_pages_and_errors_of_an_analyst_hold_no_place_no_name_and_no_day(world: World, path: str) -> None:
    got = world.ask(path, "ana", Accept="text/html" if path in PAGES else "*/*")
    assert got.status in {200, 404}
    assert points_in(got.body, points(world)) == set()
    days = {attack.day.isoformat() for attack in world.attacks if attack.day.day not in {1, 28, 30, 31}}
    asked = {"Village of"} if "Village" in path else set()
    assert words_in(got.body, (secrets(world) | days) - asked - {".jpg"}) == set()


def test_an_analyst_is_not_even_offered_what_never_leaves(world: World) -> None:
    offered = {who: world.ask("/projects/1/exports", who, Accept="text/html").body.decode() for who in ("ana", "rev")}
    for form_id in ("camera_station", "community_attitudes"):
        assert f"/forms/{form_id}/data" not in offered["ana"]
        assert f"/forms/{form_id}/data" in offered["rev"]
    assert f"/forms/{FORM}/data" in offered["ana"]


def test_pages_that_may_show_places_are_found_out_by_the_same_attack(world: World) -> None:
    got = world.ask("/projects/1/map/points.json", "rev", Accept="application/json")
    assert points_in(got.body, points(world))


def test_releases_hold_no_place_no_name_and_no_day(world: World) -> None:
    files = [path for path in (world.server.data / "releases").rglob("*") if path.is_file()]
    assert len(files) > 8
    days = {attack.day.isoformat() for attack in world.attacks if attack.day.day not in {1, 28, 30, 31}}
    for path in files:
        assert points_in(path.read_bytes(), [*points(world), *world.signs.values(), *world.searched.values()]) == set(), path.name
        assert words_in(path.read_bytes(), (secrets(world) | days | {*SECRETS}) - {".jpg", "SubmissionDate"}) == set(), path.name


def released(world: World, pattern: str) -> dict[str, list[dict[str, str]]]:
    """The tables of the releases whose path fits, by it."""
    found = {str(path): table(path.read_bytes()) for path in (world.server.data / "releases").rglob(pattern)}
    assert len(found) == len(LEVELS)
    return found


def cell(latitude: float, longitude: float) -> tuple[float, float]:
    """The middle of the tenth of a degree in which a place lies, worked out anew."""
    return int(latitude * 10) / 10 + 0.05, int(longitude * 10) / 10 + 0.05


def test_the_places_of_searches_stand_in_exact_files(world: World, tmp_path: Path) -> None:
    for form_id, name in (("prey_transect", "line"), ("camera_station", "ST-LIVE")):
        exact = as_written(world, "exact", "csv", tmp_path, form_id)
        assert points_in(exact, [world.searched[f"{name}0"]])
        assert words_in(exact, SECRETS)


def test_standards_tell_the_middle_of_a_cell_and_of_no_camera_that_stands(world: World) -> None:
    names = {"event.csv": ("decimalLatitude", "decimalLongitude"), "deployments.csv": ("latitude", "longitude")}
    standing = {cell(*place) for name, place in world.searched.items() if name.startswith("ST-LIVE")}
    other = {cell(*place) for name, place in world.searched.items() if not name.startswith("ST-LIVE")}
    other |= {cell(*place) for place in world.signs.values()}
    assert not standing & other
    for name, columns in names.items():
        for rows in released(world, f"*/*/*/{name}").values():
            cells = {(float(row[columns[0]]), float(row[columns[1]])) for row in rows}
            assert cells
            assert all(any(abs(a - x) + abs(b - y) < 1e-6 for x, y in other) for a, b in cells)
            assert not [each for each in cells if any(abs(each[0] - x) + abs(each[1] - y) < 1e-6 for x, y in standing)]
    for rows in released(world, "*/*/*/deployments.csv").values():
        assert len(rows) == 8


def test_archives_of_standards_tell_no_more_than_the_files_beside_them(world: World) -> None:
    for archive in ("darwin-core-archive.zip", "camtrap-dp.zip"):
        for path in (world.server.data / "releases").rglob(archive):
            with zipfile.ZipFile(path) as opened:
                assert all(opened.read(name) == (path.parent / name).read_bytes() for name in opened.namelist())


def test_rows_of_two_circles_cannot_be_put_side_by_side_and_ids_are_of_no_phone(world: World) -> None:
    for name, columns in (("event.csv", ["eventID"]), ("deployments.csv", ["deploymentID", "locationID"])):
        for column in columns:
            first, second = ({row[column] for row in rows} for rows in released(world, f"*/*/*/{name}").values())
            assert not first & second


def test_cells_of_a_release_count_five_households_each(world: World) -> None:
    import h3.api.basic_str as h3

    tables = list((world.server.data / "releases").rglob("conflict_hotspots_*_standard_*.csv"))
    assert tables
    for path in tables:
        for row in csv.DictReader(io.StringIO(path.read_text("utf-8-sig"), newline="")):
            if row["cell_level"].startswith("h3_"):
                size = int(row["cell_level"][-1])
                inside = {a.household for a in world.attacks if h3.latlng_to_cell(a.latitude, a.longitude, size) == row["cell_id"]}
                assert len(inside) >= 5


def test_a_late_report_is_not_shown_by_the_difference_of_two_files(world: World) -> None:
    before = {level: world.file(level) for level in (*LEVELS,)}
    exact = world.rows("exact")
    late = Attack("uuid:0000late", "H-late", 36.41, 52.21, date(2025, 3, 9), 1, "wolf")
    world.late(late, date(2026, 6, 20))
    try:
        [shown] = appeared(exact, world.rows("exact"))
        assert shown["reporter-household_code"] == "H-late"
        assert {level: world.file(level) for level in LEVELS} == before
        for level in LEVELS:
            later = world.rows(level, as_of=date(2027, 1, 1))
            assert len(appeared(table(before[level]), later)) in {0, *range(5, 1000)}
    finally:
        world.forget(late)


def test_two_nights_give_the_same_files_whatever_came_between_and_whoever_asks_for_a_correction(world: World) -> None:
    def kept() -> dict[str, bytes]:
        home = world.server.data / "releases"
        return {str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*") if path.is_file()}

    before = kept()
    late = Attack("uuid:0000night", "H-night", 36.41, 52.21, date(2025, 3, 9), 1, "leopard")
    world.late(late, date(2026, 6, 20))
    try:
        why = ("--note", "one more")
        for level, asked in (("partner", ()), ("partner", why), ("public", why)):
            names = ("hotspots", "indicators", "--level", level)
            code, said = world.server.here("export", "run", *names, "--as-of", "2026-07-01", *asked)
            assert code == 0, said
            assert said.count("records have changed") == 2
    finally:
        world.forget(late)
    assert kept() == before
