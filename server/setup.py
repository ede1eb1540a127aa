"""What a start does before the door opens: tables, the first project, the shipped surveys, the first administrator."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, select

from forms.problems import Problem
from records import migrations
from records.forms import publish
from records.models import FormVersion, Project
from records.store import Store, insert_new
from server import accounts
from server.app_users import PROJECT_ID
from server.services import Services


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was made: ids of surveys published just now, and the first administrator's password if there was none."""

    surveys: list[str]
    password: str | None


def prepare(opened: Services, tell: Callable[[str], None] = lambda _: None) -> Prepared:
    """Bring the data folder up to date. Safe to repeat. `tell` hears of each survey before it is set up."""
    migrate(opened.store)
    surveys = _install_surveys(opened, tell)
    opened.blobs.sweep()
    return Prepared(surveys, accounts.first_administrator(opened.store))


def migrate(store: Store) -> None:
    """Bring the tables up to date and make the first project."""
    with store.read() as connection:
        is_current = migrations.current_revision(connection) == migrations.newest_revision()
    if not is_current:
        store.rebuild(migrations.upgrade)

    def first_project(connection: Connection) -> None:
        row = {"id": PROJECT_ID, "name": "Tulliana", "created_at": datetime.now(UTC)}
        connection.execute(insert_new(connection, Project), row)

    store.write(first_project)


def _install_surveys(opened: Services, tell: Callable[[str], None]) -> list[str]:
    """Publish the shipped surveys whose version is not here yet."""
    from forms.library import read_survey, survey_ids, workbook

    installed = []
    for survey_id in survey_ids():
        with opened.store.read() as connection:
            versions = select(FormVersion.version).filter_by(project_id=PROJECT_ID, form_id=survey_id)
            known = set(connection.execute(versions).scalars())
        if read_survey(survey_id).version in known:
            continue
        from forms.xlsform import convert_workbook

        tell(survey_id)
        conversion = convert_workbook(workbook(survey_id))
        try:
            publish(
                opened.store,
                opened.blobs,
                PROJECT_ID,
                xform=conversion.xform,
                source_name=f"shipped survey {survey_id}",
                actor="start",
            )
        except Problem as problem:
            if problem.kind.code != "form_version_taken":
                raise
        installed.append(survey_id)
    return installed
