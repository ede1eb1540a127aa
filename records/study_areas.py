"""The study areas of a project: which one a point lies in, and how a file of them is taken in."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, Row, delete, func, select, update

from forms.problems import Problem
from forms.spelling import folded
from records.geography import distance_km, km_between
from records.models import StudyArea, Submission
from records.outlines import Outline
from records.store import Store, insert_new

METAPOPULATIONS = range(1, 5)
MOST_CHARACTERS = 64
"""Of a code."""
MOST_POINTS = 200_000
"""Of one file: a thousand detailed areas."""


class StudyAreas:
    """The areas of one project, GeoJSON geometries by their codes. One that is a point is an office: nothing lies in it."""

    def __init__(self, geometries: Mapping[str, Mapping[str, Any]]) -> None:
        surfaces = {code: Outline.of(geometry) for code, geometry in geometries.items() if geometry["type"] != "Point"}
        self._smallest_first = sorted(surfaces.items(), key=lambda each: (each[1].size, each[0]))
        points = (geometry["coordinates"] for geometry in geometries.values() if geometry["type"] == "Point")
        self._offices = [(latitude, longitude) for longitude, latitude, *_ in points]
        self._by_spelling = {folded(code): area for code, area in surfaces.items()}

    def at(self, latitude: float, longitude: float) -> str | None:
        """The smallest area that holds this point (degrees, WGS 84); None outside all of them."""
        return next((code for code, area in self._smallest_first if area.holds(longitude, latitude)), None)

    def km_from(self, code: str, latitude: float, longitude: float) -> float | None:
        """How far a point is from the area with this code, however it is spelt; None for a code that no area has."""
        area = self._by_spelling.get(folded(code))
        return None if area is None else distance_km(area, latitude, longitude)

    def is_at_office(self, latitude: float, longitude: float, km: float) -> bool:
        """Whether an office is at most `km` away."""
        return any(km_between((latitude, longitude), office) <= km for office in self._offices)


NO_AREAS = StudyAreas({})


class KnownAreas:
    """The areas of projects as they are now; prepared once, and again after a change."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[Any, StudyAreas]] = {}

    def of(self, connection: Connection, project_id: int) -> StudyAreas:
        """Those of this project."""
        state = connection.execute(select(func.count(), func.max(StudyArea.changed_at)).filter_by(project_id=project_id)).one()
        known = self._kept.get(project_id)
        if known is None or known[0] != state:
            rows = connection.execute(select(StudyArea.code, StudyArea.geometry).filter_by(project_id=project_id))
            known = self._kept[project_id] = state, StudyAreas({row.code: row.geometry for row in rows})
        return known[1]


def listed(connection: Connection, project_id: int) -> Sequence[Row[Any]]:
    """(code, name, country, metapopulation, transboundary, changed_at) of the areas of a project, in the order of their codes."""
    names = (StudyArea.code, StudyArea.name, StudyArea.country, StudyArea.metapopulation, StudyArea.transboundary)
    query: Any = select(*names, StudyArea.changed_at).filter_by(project_id=project_id).order_by(StudyArea.code)
    rows: Sequence[Row[Any]] = connection.execute(query).all()
    return rows


def import_file(store: Store, project_id: int, path: Path) -> list[str]:
    """Take in the areas of a GeoJSON file, replacing those of the same codes; all records of the project are then looked at again.

    Raises `Problem("value_invalid")` naming the first feature that cannot be used; then nothing is taken in.
    """
    import shapely.geometry

    try:
        features = orjson.loads(path.read_bytes())["features"]
        if not isinstance(features, list) or not features:
            raise TypeError
    except (ValueError, KeyError, TypeError) as error:
        raise Problem("value_invalid", f"{path.name} is no GeoJSON file with a collection of features.") from error
    areas = [_area(number, feature) for number, feature in enumerate(features, 1)]
    codes = [area["code"] for area in areas]
    twice = {folded(code) for code in codes if [folded(each) for each in codes].count(folded(code)) > 1}
    if twice:
        raise Problem("value_invalid", f"Two features have the same code: {', '.join(sorted(twice))}.")
    if sum(shapely.get_num_coordinates(shapely.geometry.shape(area["geometry"])) for area in areas) > MOST_POINTS:
        raise Problem("value_invalid", f"The areas have more than {MOST_POINTS:,} points: simplify them.")

    def work(connection: Connection) -> None:
        connection.execute(delete(StudyArea).where(StudyArea.project_id == project_id, StudyArea.code.in_(codes)))
        own = {"project_id": project_id, "changed_at": datetime.now(UTC)}
        connection.execute(insert_new(connection, StudyArea), [area | own for area in areas])
        _look_again(connection, project_id)

    store.write(work)
    return codes


def remove(store: Store, project_id: int, code: str) -> None:
    """Take an area away; all records of the project are then looked at again. Raises `Problem("not_found")`."""

    def work(connection: Connection) -> int:
        gone = connection.execute(delete(StudyArea).filter_by(project_id=project_id, code=code)).rowcount
        if gone:
            connection.execute(update(StudyArea).filter_by(project_id=project_id).values(changed_at=datetime.now(UTC)))
            _look_again(connection, project_id)
        return gone

    if not store.write(work):
        raise Problem("not_found", f"There is no study area {code}.")


def _look_again(connection: Connection, project_id: int) -> None:
    placed = (Submission.project_id == project_id, Submission.latitude.is_not(None))
    connection.execute(update(Submission).where(*placed).values(checked=0))


def _area(number: int, feature: Any) -> dict[str, Any]:
    """The row of a feature. Raises `Problem("value_invalid")`."""
    properties = feature.get("properties") if isinstance(feature, dict) else None
    properties = properties if isinstance(properties, dict) else {}
    code, name, country = (str(properties.get(key) or "").strip() for key in ("code", "name", "country"))
    metapopulation = properties.get("metapopulation")
    geometry, trouble = _geometry(feature)
    if not code or len(code) > MOST_CHARACTERS or not folded(code):
        trouble = f"a code of 1 to {MOST_CHARACTERS} characters is missing"
    elif len(country) != 2 or not (country.isascii() and country.isalpha()):
        trouble = "country is not a code of two letters (ISO 3166-1)"
    elif metapopulation is not None and (type(metapopulation) is not int or metapopulation not in METAPOPULATIONS):
        trouble = "metapopulation is not 1, 2, 3 or 4"
    elif type(properties.get("transboundary", False)) is not bool:
        trouble = "transboundary is not true or false"
    if trouble:
        raise Problem("value_invalid", f"Feature {number} ({code or 'no code'}): {trouble}.")
    return {
        "code": code,
        "name": name or code,
        "country": country.upper(),
        "metapopulation": metapopulation,
        "transboundary": properties.get("transboundary", False),
        "geometry": geometry,
    }


def _geometry(feature: Any) -> tuple[Any, str]:
    """The geometry of a feature, or what is wrong with it."""
    import shapely.geometry

    try:
        geometry = shapely.geometry.shape(feature["geometry"])
    except (shapely.errors.ShapelyError, ValueError, KeyError, TypeError, AttributeError, IndexError):
        return None, "its geometry cannot be read"
    if geometry.geom_type not in {"Polygon", "MultiPolygon", "Point"} or geometry.is_empty:
        return None, "its geometry is neither an area nor a point"
    if not shapely.is_valid(geometry):
        return None, f"its outline is not valid: {shapely.is_valid_reason(geometry)}"
    west, south, east, north = geometry.bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        return None, "its coordinates are not degrees of longitude and latitude (WGS 84)"
    return shapely.geometry.mapping(geometry), ""
