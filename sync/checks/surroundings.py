"""What the checks of a record know of the world: region, form, study areas, what the same phone sent, what pictures show."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import Connection, bindparam, select

from forms.definition import FormDefinition
from forms.problems import Problem
from records.blobs import BlobStore
from records.forms import Schemas
from records.geography import Boundaries
from records.models import Form, FormVersion, Submission
from records.store import Store
from records.study_areas import KnownAreas
from records.turnstile import Turnstile
from sync.checks import devices, pictures
from sync.checks.case import Case, Training, as_day
from sync.checks.place import COAST_KM

TRAINING_FORM = "training_event"
LONGEST_TRAINING = timedelta(days=60)


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
            _tell_trainings(connection, cases)
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


_CURRENT = (
    select(Form.project_id, Form.form_id, Form.current_version, FormVersion.published_at)
    .join(FormVersion, (FormVersion.project_id == Form.project_id) & (FormVersion.form_id == Form.form_id))
    .where(FormVersion.version == Form.current_version, Form.form_id.in_(bindparam("form_ids", expanding=True)))
)


def _tell_newer_versions(connection: Connection, cases: Sequence[Case]) -> None:
    """Tell each case the current version of its form, if it is another one."""
    rows = connection.execute(_CURRENT, {"form_ids": list({case.form_id for case in cases})})
    current = {(row.project_id, row.form_id): (row.current_version, row.published_at) for row in rows}
    for case in cases:
        newest = current.get((case.project_id, case.form_id))
        case.replaced = newest if newest is not None and newest[0] != case.version else None


_TRAININGS = (
    select(Submission.project_id, Submission.latitude, Submission.longitude, Submission.answers)
    .where(Submission.project_id.in_(bindparam("project_ids", expanding=True)), Submission.form_id == TRAINING_FORM)
    .where(Submission.deleted_at.is_(None), Submission.latitude.is_not(None), Submission.longitude.is_not(None))
    .where(Submission.event_date.between(bindparam("first"), bindparam("last")))
)


def _tell_trainings(connection: Connection, cases: Sequence[Case]) -> None:
    """Tell each case the trainings of its project at about its time."""
    days = [case.event_date for case in cases if case.event_date is not None]
    if not days:
        return
    trainings = defaultdict(list)
    around = {"first": min(days) - min(LONGEST_TRAINING, min(days) - date.min), "last": max(days)}
    for row in connection.execute(_TRAININGS, around | {"project_ids": list({case.project_id for case in cases})}):
        first = as_day(row.answers.get("date_from"))
        last = as_day(row.answers.get("date_to")) or first
        if first is not None and last is not None:
            trainings[row.project_id].append(Training((row.latitude, row.longitude), first, last))
    for case in cases:
        case.trainings = trainings[case.project_id]
