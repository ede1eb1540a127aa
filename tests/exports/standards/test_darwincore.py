"""The Darwin Core archive as a data manager of GBIF reads it: by meta.xml alone. Columns are terms, each search has its effort."""

import csv
import io
import json
import zipfile
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from frictionless import Package
from sqlalchemy import Connection, delete, update

from exports.data.generalised import Generalised
from exports.package.release import Standing, make
from exports.policy import PARTNER, PUBLIC
from exports.recipes import RECIPES
from exports.standards.taxa import Taxon, not_seen, targets, taxon
from exports.tables import VALUES
from records.models import Form, FormVersion, Project
from tests.exports.standards.conftest import AS_OF, Release, table
from tests.support import terms
from tests.support.stores import EVERYTHING
from tests.support.wildlife import SECRETS, block, group, patrol, put, sign, transect

PUBLIC_NAME, PARTNER_NAME = "darwincore-public", "darwincore-partner"
TEXT = "{http://rs.tdwg.org/dwc/text/}"
KNOWN = {
    "http://rs.tdwg.org/dwc/terms/": terms.EVENT | terms.OCCURRENCE,
    "http://rs.tdwg.org/eco/terms/": terms.HUMBOLDT,
    "http://purl.org/dc/terms/": terms.DUBLIN_CORE,
}


def fill(records: Connection) -> None:
    """Something of every kind."""
    put(records, "prey_transect", "uuid:seen", transect(group(n_young=2, radial_m=80.5), group("sus_scrofa", 3)))
    put(records, "prey_transect", "uuid:none", transect(), day=date(2025, 6, 1), place=(35.1, 51.7))
    put(records, "prey_block", "uuid:block", block(group("ovis_gmelini", 9)))
    put(records, "patrol_effort", "uuid:patrol", patrol({"obs_kind": "dog", "obs_n": 3}, {"obs_kind": "snare", "obs_n": 1}))
    put(records, "leopard_sign", "uuid:sign", sign())


@pytest.mark.parametrize("name", [PUBLIC_NAME, PARTNER_NAME])
def test_meta_xml_tells_every_column_and_every_row_belongs_to_an_event(records: Connection, release: Release, name: str) -> None:
    fill(records)
    made = release(name)
    with zipfile.ZipFile(made.folder / "darwin-core-archive.zip") as archive:
        files = {each: archive.read(each) for each in archive.namelist()}
    assert set(files) == {"event.csv", "occurrence.csv", "humboldt.csv", "meta.xml", "eml.xml"}
    assert files == {each: (made.folder / each).read_bytes() for each in files}
    root = ET.fromstring(files["meta.xml"])
    assert root.get("metadata") == "eml.xml"
    core, *extensions = root
    assert [core.tag, *(each.tag for each in extensions)] == [f"{TEXT}core", *[f"{TEXT}extension"] * 2]
    ids = [row[0] for row in _rows(core, files)]
    assert len(ids) == len(set(ids)) == 5
    for part in root:
        header, namespace = _header(part, files), part.get("rowType", "").rpartition("/")[0] + "/"
        fields = {int(field.get("index", "")): field.get("term", "") for field in part.iter(f"{TEXT}field")}
        assert set(fields) | {0} == set(range(len(header)))
        for index, term in fields.items():
            space, _, own = term.rpartition("/")
            assert own == header[index]
            assert own in KNOWN[f"{space}/"]
            assert f"{space}/" in {namespace, "http://purl.org/dc/terms/"}
        assert {row[0] for row in _rows(part, files)} <= set(ids)
        assert {len(row) for row in _rows(part, files)} == {len(header)}
    assert core.get("rowType") == "http://rs.tdwg.org/dwc/terms/Event"
    assert [each.get("rowType") for each in extensions] == [
        "http://rs.tdwg.org/dwc/terms/Occurrence",
        "http://rs.tdwg.org/eco/terms/Event",
    ]
    assert sorted(row[0] for row in _rows(extensions[1], files)) == sorted(ids)


def _lines(part: ET.Element, files: dict[str, bytes]) -> list[list[str]]:
    """The lines of a file, read by nothing but what meta.xml says of it."""
    location = part.find(f"{TEXT}files/{TEXT}location")
    assert location is not None
    assert location.text
    text = files[location.text].decode(part.get("encoding", ""))
    end = part.get("linesTerminatedBy", "").replace(r"\r", "\r").replace(r"\n", "\n")
    assert text.endswith(end)
    assert "\ufeff" not in text
    found = csv.reader(io.StringIO(text, newline=""), delimiter=part.get("fieldsTerminatedBy", ""), strict=True)
    return list(found)


def _header(part: ET.Element, files: dict[str, bytes]) -> list[str]:
    return _lines(part, files)[0]


def _rows(part: ET.Element, files: dict[str, bytes]) -> list[list[str]]:
    return _lines(part, files)[int(part.get("ignoreHeaderLines", "")) :]


@pytest.mark.parametrize("name", [PUBLIC_NAME, PARTNER_NAME])
def test_the_package_around_it_is_valid(records: Connection, release: Release, name: str) -> None:
    fill(records)
    report = Package(str(release(name).folder / "datapackage.json")).validate()
    assert report.valid, report.flatten(["title", "note"])


def test_a_country_without_such_records_gets_tables_without_rows_that_are_valid(release: Release) -> None:
    made = release(PUBLIC_NAME)
    assert Package(str(made.folder / "datapackage.json")).validate().valid
    assert [table(made, name) for name in ("event.csv", "occurrence.csv", "humboldt.csv")] == [[], [], []]
    assert ET.fromstring((made.folder / "eml.xml").read_bytes()).find("dataset/coverage") is None
    assert "nothing can be told yet" in (made.folder / "README.txt").read_text()


@pytest.mark.parametrize("name", [PUBLIC_NAME, "camtrapdp-public"])
def test_people_read_what_it_is_in_english_and_persian(release: Release, name: str) -> None:
    made = release(name)
    with (made.folder / "data_dictionary.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    english, persian = ((made.folder / each).read_text("utf-8") for each in ("README.txt", "README.fa.txt"))
    assert len(rows) > 20
    for row in rows:
        assert row["description_fa"] not in ("", row["description"])
        assert f"\n{row['name']} (" in english
        assert row["description_fa"] in persian
    assert "{" not in english + persian
    assert persian.splitlines()[0].split(" (")[0] != english.splitlines()[0].split(" (")[0]


def test_a_project_without_the_surveys_gets_the_same(records: Connection, release: Release) -> None:
    for each in (FormVersion, Form):
        records.execute(delete(each))
    assert table(release(PUBLIC_NAME), "event.csv") == []


def test_a_survey_that_was_made_confidential_is_left_out_and_the_others_are_released(records: Connection, release: Release) -> None:
    fill(records)
    records.execute(update(Form).filter_by(form_id="leopard_sign").values(confidential=True))
    protocols = {row["samplingProtocol"] for row in table(release(PARTNER_NAME), "event.csv")}
    assert protocols == {"distance sampling along a line transect", "vantagePointCount", "ranger patrol"}


def one(records: Connection, release: Release, form_id: str, answers: dict[str, Any]) -> tuple[Any, Any, Any]:
    """What becomes of one record: event, occurrences, inventory."""
    put(records, form_id, "uuid:one", answers)
    made = release(PARTNER_NAME)
    [event], occurrences, [inventory] = (table(made, name) for name in ("event.csv", "occurrence.csv", "humboldt.csv"))
    return event, occurrences, inventory


def test_a_line_on_which_nothing_was_seen_is_effort_and_says_what_was_absent(records: Connection, release: Release) -> None:
    event, occurrences, inventory = one(records, release, "prey_transect", transect(km=4.2))
    assert occurrences == []
    assert (event["sampleSizeValue"], event["sampleSizeUnit"], event["samplingEffort"]) == (
        "4.2",
        "kilometre",
        "4.2 km of line, foot",
    )
    assert (inventory["isSamplingEffortReported"], inventory["samplingEffortValue"], inventory["samplingEffortUnit"]) == (
        "true",
        "4.2",
        "kilometre",
    )
    assert (
        inventory["isAbsenceReported"] == inventory["isTaxonomicScopeFullyReported"] == inventory["isAbundanceReported"] == "true"
    )
    assert inventory["absentTaxa"] == inventory["targetTaxonomicScope"]
    assert "Capra aegagrus | " in inventory["absentTaxa"]
    assert json.loads(inventory["reportedWeather"]) == {"weather": "clear", "visibility": "good"}


def test_each_group_on_a_line_is_an_occurrence_with_what_distance_sampling_needs(records: Connection, release: Release) -> None:
    groups = (
        group(n_male=2, n_young=1, radial_m=80.5, sight_angle=33, dist_method="rangefinder", behaviour="feeding"),
        group("lepus", 1),
    )
    event, occurrences, inventory = one(records, release, "prey_transect", transect(*groups))
    goat, hare = occurrences
    assert (goat["scientificName"], goat["taxonRank"], goat["individualCount"]) == ("Capra aegagrus", "species", "7")
    assert (goat["basisOfRecord"], goat["occurrenceStatus"], goat["behavior"]) == ("HumanObservation", "present", "feeding")
    assert json.loads(goat["dynamicProperties"]) == {
        "adultMales": 2,
        "youngOfTheYear": 1,
        "radialDistanceInMeters": 80.5,
        "sightingAngleInDegrees": 33,
        "distanceMeasuredWith": "rangefinder",
    }
    assert (hare["scientificName"], hare["taxonRank"]) == ("Lepus", "genus")
    assert {row["eventID"] for row in occurrences} == {event["eventID"]}
    assert len({row["occurrenceID"] for row in occurrences}) == 2
    absent = inventory["absentTaxa"].split(" | ")
    assert not {"Capra aegagrus", "Lepus"} & set(absent)
    assert "Sus scrofa" in absent


@pytest.mark.parametrize("species", ["unknown", "other", "a species of a newer list"])
def test_where_an_animal_could_not_be_told_nothing_is_said_to_be_absent(
    records: Connection, release: Release, species: str
) -> None:
    _, [seen], inventory = one(records, release, "prey_transect", transect(group(species, 1)))
    name = ("Artiodactyla", "order") if species == "unknown" else ("Animalia", "kingdom")
    assert (seen["scientificName"], seen["taxonRank"]) == name
    assert (inventory["isAbsenceReported"], inventory["absentTaxa"]) == ("false", "")
    assert inventory["hasNonTargetTaxa"] == ("true" if species == "other" else "false")


def test_wild_sheep_that_could_not_be_told_apart_leave_no_sheep_absent() -> None:
    absent = not_seen([taxon("prey", "ovis_hybrid")])
    assert not [name for name in absent if name.startswith("Ovis")]
    assert "Ovis" not in not_seen([taxon("prey", "ovis_gmelini")])
    assert "Ovis vignei" in not_seen([taxon("prey", "ovis_gmelini")])
    assert set(not_seen([])) == {each.name for each in targets()}


def test_every_name_on_the_list_has_a_rank_that_fits_it() -> None:
    ranks = {"kingdom": 1, "order": 1, "family": 1, "genus": 1, "species": 2, "subspecies": 3}
    for each in (*targets(), taxon("predator", "leopard"), taxon("predator", "dog")):
        assert len(each.name.split()) == ranks[each.rank], each
        assert " sp." not in each.name
    assert taxon("prey", "galliform") == Taxon("Phasianidae", "family", "Partridge / snowcock")
    assert taxon("predator", "leopard")[:2] == ("Panthera pardus tulliana", "subspecies")


def test_of_two_observers_the_sheet_they_made_together_is_told_and_each_group_once(records: Connection, release: Release) -> None:
    sheep = group("ovis_gmelini", 9)
    for role in ("obs1", "obs2"):
        put(records, "prey_block", f"uuid:{role}", block(sheep, role=role))
    event, [seen], inventory = one(records, release, "prey_block", block(sheep, sheep | {"double_count": "yes"}, role="reconciled"))
    assert seen["individualCount"] == "9"
    assert (event["sampleSizeValue"], event["sampleSizeUnit"]) == ("6.0", "square kilometre")
    assert (inventory["totalAreaSampledValue"], inventory["totalAreaSampledUnit"]) == ("6.0", "km²")
    assert inventory["protocolNames"] == event["samplingProtocol"] == "doubleObserverCount"


def test_of_a_patrol_dogs_and_wild_animals_are_told_and_no_absence(records: Connection, release: Release) -> None:
    noted = (
        {"obs_kind": "dog", "obs_n": 3},
        {"obs_kind": "wild", "obs_species": "sus_scrofa", "obs_n": 4},
        {"obs_kind": "snare", "obs_n": 1},
    )
    event, occurrences, inventory = one(records, release, "patrol_effort", patrol(*noted))
    assert [(row["scientificName"], row["individualCount"]) for row in occurrences] == [
        ("Canis familiaris", "3"),
        ("Sus scrofa", "4"),
    ]
    assert event["samplingEffort"] == "12.5 km, horse"
    assert inventory["isAbsenceReported"] == "false"
    assert inventory["isTaxonomicScopeFullyReported"] == ""
    assert "no rate" in inventory["protocolDescriptions"]


def test_a_patrol_that_met_no_animal_tells_nobody_of_its_snares(records: Connection, release: Release) -> None:
    put(records, "patrol_effort", "uuid:snare", patrol({"obs_kind": "snare", "obs_n": 1}))
    assert table(release(PARTNER_NAME), "event.csv") == []


@pytest.mark.parametrize(
    ("kind", "more", "grade"),
    [
        ("camera", {}, "SCALP C1"),
        ("photo", {"n_animals": 2, "sex": "f", "life_stage": "adult"}, "SCALP C1"),
        ("track", {}, "SCALP C2"),
        ("scat", {"sample": "yes"}, "SCALP C2"),
        *((kind, {}, "") for kind in ("sighting", "call", "den", "dead", "collar")),
        ("track", {"trained": "no"}, ""),
        ("photo", {"n_animals": 1, "life_stage": "juvenile"}, ""),
    ],
)
def test_of_leopards_only_sure_signs_are_told(
    records: Connection, release: Release, kind: str, more: dict[str, Any], grade: str
) -> None:
    put(records, "leopard_sign", "uuid:sign", sign(kind, **more))
    made = release(PARTNER_NAME)
    assert [row["identificationVerificationStatus"] for row in table(made, "occurrence.csv")] == ([grade] if grade else [])
    for row in table(made, "occurrence.csv"):
        assert (row["scientificName"], row["taxonRank"]) == ("Panthera pardus tulliana", "subspecies")
        assert row["basisOfRecord"] == ("MachineObservation" if kind == "camera" else "HumanObservation")
        assert row["sex"] == ("female" if more.get("sex") else "")
        assert row["individualCount"] == str(more.get("n_animals", ""))
    for row in table(made, "humboldt.csv"):
        assert (row["inventoryTypes"], row["isSamplingEffortReported"], row["isAbsenceReported"]) == (
            "adventitious",
            "false",
            "false",
        )
        assert row["hasMaterialSamples"] == ("true" if more.get("sample") else "false")


@pytest.mark.parametrize("policy", [PARTNER, PUBLIC])
def test_places_and_times_are_those_of_the_records_that_everybody_of_the_circle_gets(
    records: Connection, release: Release, policy: Any
) -> None:
    fill(records)
    events = table(release(f"darwincore-{policy.name}"), "event.csv")
    told = set()
    for form_id in ("prey_transect", "prey_block", "patrol_effort", "leopard_sign"):
        source = Generalised(records, EVERYTHING, form_id, policy, AS_OF)
        names = [column.header for column in source.tables[0].columns]
        for row in source.rows(VALUES, source.tables[0]):
            cells = dict(zip(names, row.cells, strict=True))
            where = (cells["decimalLatitude"], cells["decimalLongitude"], cells["coordinateUncertaintyInMeters"])
            told.add((*map(str, where), f"{cells['period_start']}/{cells['period_end']}", cells["dataGeneralizations"]))
    columns = ("decimalLatitude", "decimalLongitude", "coordinateUncertaintyInMeters", "eventDate", "dataGeneralizations")
    assert {tuple(row[name] for name in columns) for row in events} == told
    assert {row["coordinatePrecision"] for row in events} == {"0.1"}
    assert all(row["informationWithheld"].startswith("withheld: ") for row in events)
    dates = {
        "partner": {"2025-02-01/2025-02-28", "2025-06-01/2025-06-30"},
        "public": {"2025-01-01/2025-03-31", "2025-04-01/2025-06-30"},
    }
    assert {row["eventDate"] for row in events} == dates[policy.name]


@pytest.mark.parametrize("name", [PUBLIC_NAME, PARTNER_NAME])
def test_no_code_and_no_word_that_people_typed_is_in_it(records: Connection, release: Release, name: str) -> None:
    fill(records)
    for path in release(name).folder.iterdir():
        content = path.read_bytes()
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                content = b"".join(map(archive.read, archive.namelist()))
        assert [secret for secret in (*SECRETS, "36.4137", "52.2391", "2025-02-11", "uuid:") if secret.encode() in content] == []


def test_ids_stay_the_same_from_release_to_release_and_differ_by_circle(records: Connection, release: Release) -> None:
    fill(records)
    ids = {name: {row["eventID"] for row in table(release(name), "event.csv")} for name in (PUBLIC_NAME, PARTNER_NAME)}
    assert not ids[PUBLIC_NAME] & ids[PARTNER_NAME]
    put(records, "prey_transect", "uuid:more", transect(), day=date(2026, 8, 1))
    later = {row["eventID"] for row in table(release(PUBLIC_NAME, date(2027, 1, 5), "later"), "event.csv")}
    assert ids[PUBLIC_NAME] < later


def test_a_quarter_is_told_of_when_its_embargo_is_over_and_a_release_stands_until_then(
    records: Connection, release: Release, tmp_path: Path
) -> None:
    put(records, "prey_transect", "uuid:new", transect(), day=date(2026, 5, 20))
    assert table(release(PUBLIC_NAME), "event.csv") == []
    partner = release(PARTNER_NAME)
    assert partner.summary["release_id"] == "2026Q2-r1"
    assert len(table(partner, "event.csv")) == 1
    put(records, "prey_transect", "uuid:newer", transect(), day=date(2026, 9, 20))
    home = tmp_path / "out" / PARTNER_NAME
    again = make(records, EVERYTHING, RECIPES[PARTNER_NAME], date(2026, 10, 29), home, past=[partner.folder.name])
    assert again == Standing(partner.folder.name, is_same=True)
    assert release(PARTNER_NAME, date(2026, 10, 31), "later").summary["release_id"] == "2026Q3-r1"


def test_the_dataset_says_whose_it_is_where_when_of_what_and_under_which_licence(records: Connection, release: Release) -> None:
    fill(records)
    records.execute(update(Project).values(name="Leopards & Herders <IR>"))
    dataset = ET.fromstring((release(PUBLIC_NAME).folder / "eml.xml").read_bytes()).find("dataset")
    assert dataset is not None
    assert dataset.findtext("creator/organizationName") == "Leopards & Herders <IR>"
    link = dataset.find("intellectualRights/para/ulink")
    assert link is not None
    assert link.get("url") == "https://creativecommons.org/licenses/by/4.0/"
    sides = {
        each.tag.removesuffix("BoundingCoordinate"): float(each.text or "") for each in dataset.iter() if "Bounding" in each.tag
    }
    assert sides == {"west": 51.7, "east": 52.3, "south": 35.1, "north": 36.5}
    when = [each.text for each in dataset.iter("calendarDate")]
    assert when == ["2025-01-01", "2026-03-31"]
    assert "Panthera pardus tulliana" in {each.text for each in dataset.iter("taxonRankValue")}
    partner = (release(PARTNER_NAME).folder / "eml.xml").read_text()
    assert "Data-sharing agreement" in partner
    assert "creativecommons" not in partner
