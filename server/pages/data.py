"""Downloading the records of a form: which, how, and the addresses that stay for R, Excel and QGIS."""

from datetime import UTC, datetime
from urllib.parse import quote

from flask import Response, request
from sqlalchemy import Connection

from exports.data.formats import FORMATS
from exports.data.level import EXACT, NAMES, level_of, source_of
from exports.data.source import held
from records.access import Right
from records.forms import titles
from server import data_files
from server.pages.access import access, open_to
from server.pages.blueprint import PROJECT, pages
from server.pages.history import STATES
from server.pages.rendering import form_title, page, translate
from server.services import services

_PAGE = f"{PROJECT}/forms/<segment:form_id>/data"


@pages.get(_PAGE, endpoint="data")
@open_to(Right.SEE, Right.EXPORTS)
def choose(form_id: str) -> Response:
    """What can be chosen."""
    opened, words = services(), {name: request.args[name] for name in ("level",) if name in request.args}
    level = level_of(words, access())
    with opened.store.snapshot() as connection:
        today, own = datetime.now(UTC).date(), opened.config.boundaries
        source = source_of(connection, access(), form_id, words, as_of=today, boundaries=own)
        records, found = source.count(), held(connection, access(), form_id) if level == EXACT else {}
        title = dict(titles(connection, access().project_id)).get(form_id, form_id)
    return page(
        "data.html",
        form_id=form_id,
        title=form_title(title),
        formats={name: each for name, each in FORMATS.items() if level == EXACT or name != "zip"},
        level=level,
        levels=[name for name in NAMES if access().may(Right.SEE if name == EXACT else Right.EXPORTS)],
        left_out=[(number, translate(words_of_reason)) for words_of_reason, number in source.left_out_in_words()],
        languages=[name for name in source.definition.languages if name],
        states={name: translate(words) for name, words in STATES.items()},
        held=found,
        records=records,
        address=f"{request.root_url}v1/projects/{access().project_id}/forms/{quote(form_id, safe='')}/data",
    )


@pages.get(f"{_PAGE}/file", endpoint="data_file")
@open_to(Right.SEE, Right.EXPORTS)
def download(form_id: str) -> Response:
    """The file."""
    return data_files.response(form_id, access(), data_files.words_of_request())


def downloadable(connection: Connection) -> list[tuple[str, str]]:
    """(form id, title) of the forms whose records can be downloaded by who asks."""
    if not access().may(Right.SEE, Right.EXPORTS):
        return []
    return [(form_id, form_title(title)) for form_id, title in titles(connection, access().project_id)]
