"""The release of the camera stations as a Camera Trap Data Package: Camtrap DP 1.0.2 (TDWG, camtrap-dp.tdwg.org).

The survey tells where cameras stood and how long they worked. Pictures and what is on them are kept elsewhere, so the tables of
media and observations are empty, as the standard allows, until somebody adds theirs.
"""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from exports.csvfile import Cell
from exports.indicators.effort import CAMERA
from exports.indicators.parts import is_code
from exports.package.contents import Column, ExportResult, Table, new_folder, write_json
from exports.package.dictionary import DESCRIPTOR
from exports.package.readme import LICENCES
from exports.standards.cameras import Deployment, told_deployments
from exports.standards.releasing import Edition, archive, box_around, edition, may_be_told, truth, write_plain
from records.access import Access, Right

METHOD = "camtrapdp-1"
TITLE = "Camera-trap deployments (Camtrap DP)"
ARCHIVE = "camtrap-dp.zip"
VERSION = "1.0.2"
HOME = f"https://raw.githubusercontent.com/tdwg/camtrap-dp/{VERSION}"
FEATURES = ("carcass", "culvert", "roadDirt", "trailGame", "trailHiking", "waterSource")
"""Those of our survey that the standard knows too; the others are tags."""
DEPLOYMENTS = (
    Column("deploymentID", "string", "", "Id of the deployment, the same in every release for these readers"),
    Column("locationID", "string", "", "Id of the station; deployments at one station share it"),
    Column("locationName", "string", "", "Name of the place: the middle of its cell"),
    Column("latitude", "number", "degrees, WGS 84", "Latitude of the middle of the cell"),
    Column("longitude", "number", "degrees, WGS 84", "Longitude of the middle of the cell"),
    Column("coordinateUncertainty", "integer", "m", "The station was no farther than this from the middle of the cell"),
    Column("deploymentStart", "datetime", "ISO 8601", "Start of the month or quarter in which the camera began to work"),
    Column("deploymentEnd", "datetime", "ISO 8601", "End of the month or quarter in which it worked last"),
    Column("setupBy", "string", "", "Not told"),
    Column("cameraID", "string", "", "Not told"),
    Column("cameraModel", "string", "", "Not asked"),
    Column("cameraDelay", "integer", "s", "Not asked"),
    Column("cameraHeight", "number", "m", "Height of the camera above the ground"),
    Column("cameraDepth", "number", "m", "Not asked"),
    Column("cameraTilt", "integer", "degrees", "Not asked"),
    Column("cameraHeading", "integer", "degrees", "Direction in which the camera looked, clockwise from north"),
    Column("detectionDistance", "number", "m", "Farthest detection in the walk test"),
    Column("timestampIssues", "boolean", "", "Not told: there are no pictures here"),
    Column("baitUse", "boolean", "", "Whether bait or a lure was used"),
    Column("featureType", "string", "", "What the camera was placed at", FEATURES),
    Column("habitat", "string", "", "Not asked"),
    Column("deploymentGroups", "string", "", "Not told"),
    Column("deploymentTags", "string", "", "Nights on which the camera worked, whether a second one faced it, other features"),
    Column("deploymentComments", "string", "", "What was made coarser, and what is not told"),
)
MEDIA = (
    *("mediaID", "deploymentID", "captureMethod", "timestamp", "filePath", "filePublic", "fileName", "fileMediatype"),
    *("exifData", "favorite", "mediaComments"),
)
OBSERVATIONS = (
    *("observationID", "deploymentID", "mediaID", "eventID", "eventStart", "eventEnd", "observationLevel", "observationType"),
    *("cameraSetupType", "scientificName", "count", "lifeStage", "sex", "behavior", "individualID"),
    *("individualPositionRadius", "individualPositionAngle", "individualSpeed", "bboxX", "bboxY", "bboxWidth", "bboxHeight"),
    *("classificationMethod", "classifiedBy", "classificationTimestamp", "classificationProbability"),
    *("observationTags", "observationComments"),
)
_ABOUT = (
    "Where and how long cameras worked. Only cameras that were taken down are told. Places are the middles of fixed cells of "
    "{size} degrees and times are widened to whole periods ({period}), to protect leopards; the tag cameraNights has the true "
    "number of nights. Pictures and what is on them are not part of this package."
)
_COARSER = "place generalised to the middle of a fixed cell of {size} degrees, start and end widened to {period}; "
_WITHHELD = "withheld: exact place and days, numbers of station, camera and card, who set it up, remarks and pictures"


def run_camtrapdp(
    connection: Connection,
    access: Access,
    level: str,
    as_of: date,
    out: Path,
    *,
    boundaries: Path | None = None,
    revision: int = 1,
) -> ExportResult:
    """Write the release that is due on a day into a folder of its own below `out`, which must not be there yet.

    Without any deployment its tables are empty. Raises `Problem` not_allowed, or value_invalid for another level.
    """
    access.require(Right.SEE)
    due = edition(connection, access, level, as_of, revision)
    is_told = may_be_told(connection, access, CAMERA)
    found = told_deployments(connection, access, due.policy, as_of, boundaries) if is_told else []
    rows = sorted((_row(each, due) for each in found), key=lambda row: str(row[0]))
    folder = new_folder(out, due.name("camtrapdp"))
    tables = {
        "deployments": write_plain(folder / "deployments.csv", [column.name for column in DEPLOYMENTS], rows),
        "media": write_plain(folder / "media.csv", MEDIA, []),
        "observations": write_plain(folder / "observations.csv", OBSERVATIONS, []),
    }
    summary = {**due.summary(min((each.first for each in found), default=None)), "method": METHOD}
    files = [*tables.values(), write_json(folder / DESCRIPTOR, _descriptor(folder.name, found, summary, due), indented=True)]
    files.append(archive(folder, ARCHIVE, files))
    table = Table(DEPLOYMENTS, ("deploymentID",))
    return ExportResult(
        folder, files, summary, title=TITLE, tables={"deployments.csv": table}, readme="camtrapdp", surveys=(CAMERA,)
    )


def _row(told: Deployment, due: Edition) -> list[Cell]:
    place, setup, size = told.place, told.setup, due.policy.degrees
    height, heading, feature = setup.number("height_cm"), setup.number("heading"), setup.text("feature")
    tags = [f"cameraNights:{told.nights}", "paired:yes" if setup.text("paired") == "yes" else ""]
    tags += [f"feature:{feature}" if is_code(feature) and feature not in FEATURES else ""]
    ids: list[Cell] = [due.id_of("deployment", told.instance_id), due.id_of("station", told.station_id)]
    where: list[Cell] = [f"cell {place.place}", place.latitude, place.longitude, place.uncertainty]
    when: list[Cell] = [f"{told.first}T00:00:00Z", f"{told.last}T23:59:59Z"]
    camera: list[Cell] = [None if height is None else height / 100, None, None, None if heading is None else round(heading)]
    bait = setup.text("bait")
    found: list[Cell] = [setup.number("detect_m"), None, truth(bait == "yes") if bait else None]
    last: list[Cell] = [feature if feature in FEATURES else None, None, None, " | ".join(filter(None, tags))]
    comment = _COARSER.format(size=size, period=due.policy.period) + _WITHHELD
    return [*ids, *where, *when, None, None, None, None, *camera, *found, *last, comment]


def _descriptor(name: str, found: Sequence[Deployment], summary: dict[str, Any], due: Edition) -> dict[str, Any]:
    """The package as the profile of Camtrap DP wants it told. The day it was made is that of the edition, whenever it is made."""
    licence = {key: text for key, text in LICENCES[due.policy.name].items() if key in {"name", "title", "path"}}
    last = max((each.last for each in found), default=due.end)
    return {
        "profile": f"{HOME}/camtrap-dp-profile.json",
        "name": name.lower().replace("_", "-"),
        "id": name,
        "created": f"{due.day}T00:00:00Z",
        "title": f"{TITLE}: {due.publisher}",
        "description": _ABOUT.format(size=due.policy.degrees, period=due.policy.period),
        "version": summary["release_id"],
        "contributors": [{"title": due.publisher, "role": role} for role in ("rightsHolder", "publisher", "contact")],
        "sources": [{"title": "tulliana"}],
        "licenses": [{**licence, "scope": scope} for scope in ("data", "media")],
        "project": {
            "title": due.publisher,
            "samplingDesign": "targeted",
            "captureMethod": ["activityDetection"],
            "individualAnimals": False,
            "observationLevel": ["event"],
        },
        "coordinatePrecision": due.policy.degrees,
        "spatial": _spatial(found, due),
        "temporal": {"start": summary["period_start"], "end": last.isoformat()},
        "taxonomic": [],
        "resources": [_resource(table) for table in ("deployments", "media", "observations")],
    }


def _spatial(found: Sequence[Deployment], due: Edition) -> dict[str, Any]:
    places = [(each.place.latitude, each.place.longitude) for each in found]
    box = box_around([(lat, lon) for lat, lon in places if lat is not None and lon is not None], due.policy.degrees)
    if box is None:
        return {"type": "GeometryCollection", "geometries": []}
    west, south, east, north = box
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def _resource(name: str) -> dict[str, Any]:
    about = {"name": name, "path": f"{name}.csv", "profile": "tabular-data-resource", "format": "csv", "mediatype": "text/csv"}
    return {**about, "encoding": "utf-8", "schema": f"{HOME}/{name}-table-schema.json"}
