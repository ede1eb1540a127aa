"""What a start does before the door opens: tables, the first project, the shipped surveys, the first administrator."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from sqlalchemy import select

from records import keys, migrations, projects
from records.access import Access
from records.models import Form, FormVersion
from records.publishing import publish
from records.store import Store
from server import accounts
from server.services import Services
from sync import entities

Languages = tuple[str, ...]
"""Codes in their order; none for all."""
Edition = tuple[str, Languages]
"""A shipped survey in certain languages."""
_SHIPPED = "shipped survey "
_log = logging.getLogger(__name__)
_CURRENT = select(Form.project_id, Form.form_id, FormVersion.version, FormVersion.source_name).join(
    FormVersion,
    (Form.project_id == FormVersion.project_id)
    & (Form.form_id == FormVersion.form_id)
    & (Form.current_version == FormVersion.version),
)


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
    if lost := keys.ready(store):
        _log.error("The key of personal data %s is not in %s: put it back to read what it sealed.", lost[-1], store.vault.path)


def install_surveys(opened: Services, tell: Callable[[str], None] = lambda _: None) -> list[str]:
    """Publish the shipped surveys whose version is not here yet, in every project in the languages it chose."""
    from forms.library import drawings_of, read_survey

    with opened.store.read() as connection:
        chosen = {project.id: tuple(project.languages) for project in projects.listed(connection)}
    wanted = _wanted(opened.store, chosen)
    xforms = _xforms(opened.store, set(wanted.values()), tell)
    drawn = {survey_id: drawings_of(read_survey(survey_id)) for survey_id, _ in xforms}
    for (project_id, survey_id), edition in sorted(wanted.items()):
        source_name, media = f"{_SHIPPED}{survey_id}", drawn[survey_id]
        publish(opened.store, opened.blobs, project_id, xform=xforms[edition], source_name=source_name, media=media, actor="start")
    return sorted({survey_id for survey_id, _ in wanted.values()})


def choose_languages(opened: Services, access: Access, codes: Sequence[str]) -> None:
    """Give the shipped surveys of a project these languages in this order. Raises `Problem` value_invalid or not_allowed."""
    from forms.library.translations import pick_languages

    languages = [language.code for language in pick_languages(list(dict.fromkeys(codes)))] if codes else []
    projects.set_languages(opened.store, access, languages)
    install_surveys(opened)


def _wanted(store: Store, chosen: Mapping[int, Languages]) -> dict[tuple[int, str], Edition]:
    """What to publish, by project and survey: where the current version is an older one of ours, or there is none."""
    from forms.library import read_survey, survey_ids, version

    with store.read() as connection:
        current = {(row.project_id, row.form_id): row for row in connection.execute(_CURRENT)}
    surveys = [read_survey(survey_id) for survey_id in survey_ids()]
    wanted = {}
    for (project_id, languages), survey in product(chosen.items(), surveys):
        here = current.get((project_id, survey.id))
        if here is None or (here.source_name.startswith(_SHIPPED) and here.version != version(survey, languages)):
            wanted[project_id, survey.id] = (survey.id, languages)
    return wanted


def _xforms(store: Store, editions: Collection[Edition], tell: Callable[[str], None]) -> dict[Edition, bytes]:
    """The XForms of these editions: from a project that has them, the others converted now, which takes seconds."""
    found = {edition: _converted(store, *edition) for edition in sorted(editions)}
    new = [edition for edition, xform in found.items() if xform is None]
    if new:
        from forms.library import workbook
        from forms.xlsform import convert_workbooks

        for survey_id, _ in new:
            tell(survey_id)
        made = convert_workbooks([workbook(survey_id, languages) for survey_id, languages in new])
        found.update(zip(new, (conversion.xform for conversion in made), strict=True))
    return {edition: xform for edition, xform in found.items() if xform is not None}


def _converted(store: Store, survey_id: str, languages: Languages) -> bytes | None:
    """The XForm of an edition, from a project that has it."""
    from forms.library import read_survey, version

    known = version(read_survey(survey_id), languages)
    with store.read() as connection:
        shipped = {"form_id": survey_id, "version": known, "source_name": f"{_SHIPPED}{survey_id}"}
        return connection.execute(select(FormVersion.xform).filter_by(**shipped).limit(1)).scalar()
