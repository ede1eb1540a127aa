"""The camera stations as a Camera Trap Data Package: valid by the standard, and silent about every camera that still stands."""

import json
import zipfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from frictionless import Package
from sqlalchemy import Connection, update

from exports.indicators.effort import stations, working_spells
from exports.indicators.records import read_records
from exports.indicators.slices import Data
from exports.package.release import Made
from exports.standards.cameras import spells_over
from records.models import Form
from tests.exports.standards.conftest import Release, table
from tests.support import camtrap_dp
from tests.support.camtrap_dp import DEMANDED, DESIGNS, HOME, OF_PROJECT, ROLES
from tests.support.stores import EVERYTHING
from tests.support.wildlife import SECRETS, put, stand, visit

NAMES = ("camtrapdp-public", "camtrapdp-partner")
JANUARY, MARCH, MAY = date(2025, 1, 14), date(2025, 3, 3), date(2025, 5, 22)
ELSEWHERE = (35.1377, 51.7212)


def described(made: Made) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((made.folder / "datapackage.json").read_bytes())
    return found


def problems(folder: Path, descriptor: dict[str, Any]) -> list[Any]:
    """What frictionless says of a package whose schemas are taken from our notes of the standard instead of the network."""
    for resource in descriptor["resources"]:
        assert resource["schema"] == f"{HOME}/{resource['name']}-table-schema.json"
        resource["schema"] = camtrap_dp.schema(resource["name"])
    assert descriptor.pop("profile") == f"{HOME}/camtrap-dp-profile.json"
    found: list[Any] = Package(descriptor, basepath=str(folder)).validate().flatten(["title", "note"])
    return found


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("is_empty", [False, True])
def test_the_package_is_valid_by_the_standard(records: Connection, release: Release, name: str, is_empty: bool) -> None:
    if not is_empty:
        stand(records, "ST-OVER", ("deploy", JANUARY), ("service", MARCH), ("retrieve", MAY))
    made = release(name)
    assert len(table(made, "deployments.csv")) == (0 if is_empty else 2)
    descriptor = described(made)
    assert set(DEMANDED) <= set(descriptor)
    assert set(OF_PROJECT) <= set(descriptor["project"])
    assert descriptor["project"]["samplingDesign"] in DESIGNS
    assert {each["role"] for each in descriptor["contributors"]} <= ROLES
    assert {each["scope"] for each in descriptor["licenses"]} == {"data", "media"}
    assert descriptor["coordinatePrecision"] == 0.1
    assert descriptor["temporal"]["start"] <= descriptor["temporal"]["end"]
    assert descriptor["spatial"]["type"] == ("GeometryCollection" if is_empty else "Polygon")
    assert problems(made.folder, descriptor) == []
    with zipfile.ZipFile(made.folder / "camtrap-dp.zip") as archive:
        assert sorted(archive.namelist()) == ["datapackage.json", "deployments.csv", "media.csv", "observations.csv"]
        assert archive.read("datapackage.json") == (made.folder / "datapackage.json").read_bytes()


@pytest.mark.parametrize(("right", "wrong"), [("trailGame", "ridge"), ("false", "no"), ("2025-01-01T00:00:00Z", "2025-01-01")])
def test_a_wrong_value_would_be_found(records: Connection, release: Release, right: str, wrong: str) -> None:
    stand(records, "ST-OVER", ("deploy", JANUARY), ("retrieve", MARCH))
    made = release("camtrapdp-public")
    path = made.folder / "deployments.csv"
    path.chmod(0o644)
    path.write_text(path.read_text().replace(right, wrong, 1))
    assert problems(made.folder, described(made))


def test_a_deployment_tells_how_the_camera_stood_and_how_long_it_worked(records: Connection, release: Release) -> None:
    stand(records, "ST-OVER", ("deploy", JANUARY), ("service", MARCH), ("retrieve", MAY), paired="yes", feature="ridge", bait="yes")
    first, second = sorted(table(release("camtrapdp-partner"), "deployments.csv"), key=lambda row: row["deploymentStart"])
    assert (first["cameraHeight"], first["cameraHeading"], first["detectionDistance"]) == ("0.45", "270", "11.5")
    assert (first["baitUse"], first["featureType"]) == ("true", "")
    assert first["deploymentTags"] == f"cameraNights:{(MARCH - JANUARY).days} | paired:yes | feature:ridge"
    assert (first["deploymentStart"], first["deploymentEnd"]) == ("2025-01-01T00:00:00Z", "2025-03-31T23:59:59Z")
    assert (second["deploymentStart"], second["deploymentEnd"]) == ("2025-03-01T00:00:00Z", "2025-05-31T23:59:59Z")
    assert second["cameraHeight"] == "0.45"
    assert first["locationID"] == second["locationID"]
    assert first["deploymentID"] != second["deploymentID"]
    assert (first["latitude"], first["longitude"], first["coordinateUncertainty"]) == ("36.45", "52.25", "15700")
    assert "0.1 degrees" in first["deploymentComments"]
    assert "withheld" in first["deploymentComments"]


def test_what_somebody_typed_in_place_of_a_feature_is_not_told(records: Connection, release: Release) -> None:
    stand(records, "ST-OVER", ("deploy", JANUARY), ("retrieve", MARCH), feature="den at 36.51,52.12")
    [row] = table(release("camtrapdp-partner"), "deployments.csv")
    assert row["deploymentTags"] == f"cameraNights:{(MARCH - JANUARY).days}"


def test_times_are_quarters_for_the_public_and_ids_differ_by_circle(records: Connection, release: Release) -> None:
    stand(records, "ST-OVER", ("deploy", JANUARY), ("retrieve", MAY))
    [public], [partner] = (table(release(name), "deployments.csv") for name in NAMES)
    assert (public["deploymentStart"], public["deploymentEnd"]) == ("2025-01-01T00:00:00Z", "2025-06-30T23:59:59Z")
    assert not {public["deploymentID"], public["locationID"]} & {partner["deploymentID"], partner["locationID"]}


def told(records: Connection, release: Release, *visits: tuple[str, date], **more: Any) -> int:
    """How many deployments partners are told of a station."""
    stand(records, "ST-OVER", *visits, **more)
    return len(table(release("camtrapdp-partner"), "deployments.csv"))


UP, AGAIN = ("deploy", JANUARY), ("deploy", JANUARY + timedelta(days=3))


@pytest.mark.parametrize(
    ("visits", "number"),
    [
        ([UP], 0),
        ([UP, ("service", MARCH)], 0),
        ([UP, ("service", MARCH), ("service", MAY)], 0),
        ([UP, ("service", MARCH), ("retrieve", MAY)], 2),
        ([UP, ("service", MARCH), ("lost", MAY)], 1),
        ([UP, ("lost", MAY)], 0),
        ([UP, ("retrieve", MARCH), ("deploy", MAY)], 1),
        ([UP, ("retrieve", MARCH), ("deploy", MARCH), ("service", MAY)], 1),
        ([UP, AGAIN, ("retrieve", MARCH)], 0),
        ([UP, AGAIN, ("retrieve", MARCH), ("retrieve", MAY)], 1),
        ([("service", MARCH), ("retrieve", MAY)], 1),
    ],
)
def test_nothing_is_told_while_a_camera_stands(
    records: Connection, release: Release, visits: list[tuple[str, date]], number: int
) -> None:
    assert told(records, release, *visits) == number


def test_a_camera_that_stands_is_in_no_file_though_others_are(records: Connection, release: Release) -> None:
    stand(records, "ST-OVER", ("deploy", JANUARY), ("retrieve", MARCH))
    stand(records, "ST-LIVE", ("deploy", JANUARY), ("service", MARCH), place=ELSEWHERE)
    for name in NAMES:
        made = release(name)
        assert {row["latitude"] for row in table(made, "deployments.csv")} == {"36.45"}
        for path in made.folder.iterdir():
            content = path.read_bytes()
            if path.suffix == ".zip":
                with zipfile.ZipFile(path) as archive:
                    content = b"".join(map(archive.read, archive.namelist()))
            found = [word for word in (*SECRETS, "35.1", "51.7", "36.41", JANUARY.isoformat(), "uuid:") if word.encode() in content]
            assert found == [], path.name


def test_a_deployment_waits_for_the_quarter_in_which_the_camera_was_taken_down(records: Connection, release: Release) -> None:
    stand(records, "ST-OVER", ("deploy", JANUARY), ("service", MARCH), ("retrieve", date(2026, 5, 20)))
    assert [len(table(release(name), "deployments.csv")) for name in NAMES] == [0, 2]
    assert len(table(release("camtrapdp-public", date(2026, 9, 30), "later"), "deployments.csv")) == 2


def test_a_visit_that_was_sent_late_is_told_with_the_quarter_in_which_it_came(records: Connection, release: Release) -> None:
    put(records, "camera_station", "uuid:a", visit("deploy", JANUARY), day=JANUARY)
    put(records, "camera_station", "uuid:b", visit("retrieve", MARCH), day=MARCH, came=date(2026, 8, 25))
    assert table(release("camtrapdp-partner"), "deployments.csv") == []
    assert len(table(release("camtrapdp-partner", date(2026, 10, 31), "later"), "deployments.csv")) == 1


def test_a_camera_that_failed_worked_until_its_last_picture_as_in_the_indicator(records: Connection, release: Release) -> None:
    put(records, "camera_station", "uuid:a", visit("deploy", JANUARY), day=JANUARY)
    failed = visit("retrieve", MAY, working="no", last_image=MARCH.isoformat())
    put(records, "camera_station", "uuid:b", failed, day=MAY)
    [row] = table(release("camtrapdp-partner"), "deployments.csv")
    [visits] = stations(Data(read_records(records, EVERYTHING, MAY, surveys=("camera_station",)), MAY))
    nights = sum((spell.end - spell.start).days for spell in working_spells(visits))
    assert row["deploymentTags"] == f"cameraNights:{nights}"
    assert nights == (MARCH - JANUARY).days
    assert row["deploymentEnd"] == "2025-03-31T23:59:59Z"
    assert [over.ended.instance_id for over in spells_over(visits)] == ["uuid:b"]


def test_of_a_confidential_survey_nothing_is_told(records: Connection, release: Release) -> None:
    stand(records, "ST-OVER", ("deploy", JANUARY), ("retrieve", MARCH))
    records.execute(update(Form).values(confidential=True))
    assert table(release("camtrapdp-partner"), "deployments.csv") == []


def test_a_station_without_a_place_or_outside_the_region_and_tests_are_left_out(records: Connection, release: Release) -> None:
    for number, (place, more) in enumerate([(None, {}), ((0.5, 0.5), {}), ((36.4, 52.2), {"submission_purpose": "test"})]):
        for event, day in (("deploy", JANUARY), ("retrieve", MARCH)):
            answers = visit(event, day, f"ST-{number}") | more | ({"point": ""} if place is None else {})
            put(records, "camera_station", f"uuid:{number}-{event}", answers, place=place, day=day)
    assert table(release("camtrapdp-partner"), "deployments.csv") == []
