"""What a start does before the door opens: tables, the first project, the shipped surveys, the first administrator."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import select, union

from records import migrations, projects
from records.models import Form, FormVersion
from records.publishing import publish
from records.store import Store
from server import accounts
from server.services import Services
from sync import entities

_SHIPPED = "shipped survey "


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was made: ids of surveys published just now, and the first administrator's password if there was none."""

    surveys: list[str]
    password: str | None


def prepare(opened: Services, tell: Callable[[str], None] = lambda _: None) -> Prepared:
    """Bring the data folder up to date. Safe to repeat. `tell` hears of each survey before it is set up."""
    migrate(opened.store)
    surveys = install_surveys(opened, tell)
    opened.blobs.sweep()
    entities.settle_waiting(opened.store)
    return Prepared(surveys, accounts.first_administrator(opened.store))


def migrate(store: Store) -> None:
    """Bring the tables up to date and make the first project."""
    with store.read() as connection:
        is_current = migrations.current_revision(connection) == migrations.newest_revision()
    if not is_current:
        store.rebuild(migrations.upgrade)

    store.write(projects.make_first)


def install_surveys(opened: Services, tell: Callable[[str], None] = lambda _: None) -> list[str]:
    """Publish the shipped surveys whose version is not here yet, in every project."""
    from forms.library import read_survey, survey_ids

    versions = {survey_id: read_survey(survey_id).version for survey_id in survey_ids()}
    lacking = {survey_id: _lacking(opened.store, survey_id, version) for survey_id, version in versions.items()}
    wanted = {survey_id: versions[survey_id] for survey_id, project_ids in lacking.items() if project_ids}
    for survey_id, xform in _xforms(opened.store, wanted, tell).items():
        for project_id in sorted(lacking[survey_id]):
            source_name = f"{_SHIPPED}{survey_id}"
            publish(opened.store, opened.blobs, project_id, xform=xform, source_name=source_name, actor="start")
    return list(wanted)


def _xforms(store: Store, versions: dict[str, str], tell: Callable[[str], None]) -> dict[str, bytes]:
    """The XForms of these surveys: from a project that has them, the others converted now, which takes seconds."""
    found = {survey_id: _converted(store, survey_id, version) for survey_id, version in versions.items()}
    new = [survey_id for survey_id, xform in found.items() if xform is None]
    if new:
        from forms.library import workbook
        from forms.xlsform import convert_workbooks

        for survey_id in new:
            tell(survey_id)
        made = convert_workbooks([workbook(survey_id) for survey_id in new])
        found.update(zip(new, (conversion.xform for conversion in made), strict=True))
    return {survey_id: xform for survey_id, xform in found.items() if xform is not None}


def _converted(store: Store, survey_id: str, version: str) -> bytes | None:
    """The XForm of a shipped survey, from a project that has it."""
    with store.read() as connection:
        shipped = {"form_id": survey_id, "version": version, "source_name": f"{_SHIPPED}{survey_id}"}
        return connection.execute(select(FormVersion.xform).filter_by(**shipped).limit(1)).scalar()


def _lacking(store: Store, survey_id: str, version: str) -> set[int]:
    """The projects that have neither this version of a survey nor one that people made of it."""
    with store.read() as connection:
        known = select(FormVersion.project_id).filter_by(form_id=survey_id, version=version)
        is_current = (
            (Form.project_id == FormVersion.project_id)
            & (Form.form_id == FormVersion.form_id)
            & (Form.current_version == FormVersion.version)
        )
        own = (
            select(FormVersion.project_id)
            .join(Form, is_current)
            .where(FormVersion.form_id == survey_id, FormVersion.source_name.not_like(f"{_SHIPPED}%"))
        )
        return {project.id for project in projects.listed(connection)} - set(connection.execute(union(known, own)).scalars())
