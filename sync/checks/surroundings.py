"""What the checks of a record know of the world: region, form, study areas, what the same phone sent, what pictures show."""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from forms.definition import FormDefinition
from forms.problems import Problem
from records.blobs import BlobStore
from records.forms import Schemas
from records.geography import Boundaries
from records.models import Form, FormVersion
from records.store import Store
from records.study_areas import KnownAreas
from records.turnstile import Turnstile
from sync.checks import devices, pictures
from sync.checks.case import Case
from sync.checks.place import COAST_KM


class Surroundings:
    """Fills in what cases are looked at with."""

    def __init__(self, store: Store, blobs: BlobStore, schemas: Schemas, land: Boundaries, turnstile: Turnstile) -> None:
        self._store, self._blobs, self._schemas, self._turnstile = store, blobs, schemas, turnstile
        self._land = land
        self._areas = KnownAreas()

    def surround(self, cases: Sequence[Case]) -> None:
        """Fill in these cases, which are in the order they arrived."""
        self._locate(cases)
        for case in cases:
            case.definition = self._definition(case)
        with self._store.read() as connection:
            _tell_newer_versions(connection, cases)
            areas = {project_id: self._areas.of(connection, project_id) for project_id in {case.project_id for case in cases}}
            for case in cases:
                case.areas = areas[case.project_id]
                case.study_area = case.areas.at(*case.point) if case.point is not None else None
            devices.follow(connection, cases)
        pictures.examine(self._store, self._blobs, self._turnstile, cases)

    def _locate(self, cases: Sequence[Case]) -> None:
        """Find country and first-level unit of every point; one just off the coast belongs to the nearest."""
        placed = [(case, case.point) for case in cases if case.point is not None]
        units = self._land.units_at([point[0] for _, point in placed], [point[1] for _, point in placed])
        for case in cases:
            case.land = self._land
        for (case, point), unit in zip(placed, units, strict=True):
            case.admin1 = unit or self._land.unit_near(*point, COAST_KM)
            case.country = case.admin1[:2] if case.admin1 else None

    def _definition(self, case: Case) -> FormDefinition | None:
        if case.encrypted:
            return None
        try:
            return self._schemas.get(case.project_id, case.form_id, case.version)[0].definition
        except Problem:
            return None


def _tell_newer_versions(connection: Connection, cases: Sequence[Case]) -> None:
    """Tell each case the current version of its form, if it is another one."""
    same = (FormVersion.project_id == Form.project_id) & (FormVersion.form_id == Form.form_id)
    rows = connection.execute(
        select(Form.project_id, Form.form_id, Form.current_version, FormVersion.published_at)
        .join(FormVersion, same & (FormVersion.version == Form.current_version))
        .where(Form.form_id.in_({case.form_id for case in cases}))
    )
    current = {(row.project_id, row.form_id): (row.current_version, row.published_at) for row in rows}
    for case in cases:
        newest = current.get((case.project_id, case.form_id))
        case.replaced = newest if newest is not None and newest[0] != case.version else None
