"""Downloading the records of a form: which, how, and the addresses that stay for R, Excel and QGIS."""

from datetime import UTC, datetime
from urllib.parse import quote, urlencode

from flask import Response, request
from sqlalchemy import Connection

from exports.data.estimate import estimate
from exports.data.formats import FORMATS, format_of, passes
from exports.data.level import EXACT, NAMES, level_of, source_of
from exports.data.source import Source, held
from exports.data.wanted import WORDS
from exports.policy import stays_inside
from records.access import Right
from records.forms import titles
from server import data_files
from server.pages.access import access, open_to
from server.pages.blueprint import PROJECT, pages
from server.pages.history import STATES
from server.pages.rendering import form_title, language, page, translate
from server.pages.values import choice
from server.services import services

_PAGE = f"{PROJECT}/forms/<segment:form_id>/data"
PRESETS = {
    "excel": {"format": "xlsx", "checks": "true"},
    "r": {"format": "csv", "checks": "true"},
    "qgis": {"format": "gpkg", "checks": "true"},
    "photos": {"format": "zip"},
}
"""What somebody wants it for, and what is chosen for it."""
_IN_R = """library(httr2)
request("{address}") |>
  req_auth_basic("name", "password") |>
  req_perform(path = "reports.csv")
reports <- readr::read_csv("reports.csv")"""


@pages.get(_PAGE, endpoint="data")
@open_to(Right.SEE, Right.EXPORTS)
def choose(form_id: str) -> Response:
    """What can be chosen, what was chosen so far, and how much that is."""
    opened, level = services(), level_of(request.args, access())
    presets = {name: words for name, words in PRESETS.items() if level == EXACT or name != "photos"}
    purpose = request.args.get("for", "")
    purpose = purpose if purpose in presets else "excel"
    words = {name: value for name, value in data_files.words_of_request().items() if name in WORDS and value}
    with opened.store.snapshot() as connection:
        today, own = datetime.now(UTC).date(), opened.config.boundaries
        source = source_of(connection, access(), form_id, words, as_of=today, boundaries=own)
        chosen = {**_preset(source, purpose), **words}
        wanted = format_of(chosen["format"])
        records, found = source.count(), held(connection, access(), form_id) if level == EXACT else {}
        size = estimate(source, wanted) if level == EXACT else None
        title = dict(titles(connection, access().project_id)).get(form_id, form_id)
    addresses = _addresses(source, chosen, level)
    return page(
        "data.html",
        form_id=form_id,
        title=form_title(title),
        formats={name: each for name, each in FORMATS.items() if level == EXACT or name != "zip"},
        presets=presets,
        purpose=purpose,
        chosen=chosen,
        level=level,
        levels=[name for name in NAMES if access().may(Right.SEE if name == EXACT else Right.EXPORTS)],
        left_out=[(number, translate(words_of_reason)) for words_of_reason, number in source.left_out_in_words()],
        languages=[name for name in source.definition.languages if name],
        states={name: translate(words) for name, words in STATES.items()},
        held=found,
        countries={code: choice("country", code) for code in found.get("country", ())},
        records=records,
        size=size,
        addresses=addresses,
        in_r=_IN_R.format(address=addresses[0]),
    )


def _preset(source: Source, purpose: str) -> dict[str, str]:
    """What is chosen where nobody chose: people read Excel in their own language."""
    own = next((name for name in source.definition.languages if language() in {name, name.rpartition("(")[2].rstrip(")")}), "")
    return {**PRESETS[purpose], **({"language": own} if purpose == "excel" and own else {})}


def _addresses(source: Source, chosen: dict[str, str], level: str) -> list[str]:
    """Where programs find the same; a table each, where a file holds one."""
    words = {**chosen, **({} if level == EXACT else {"level": level})}
    tables = [table.name for table in source.tables] if passes(source, format_of(words["format"])) > 1 else [""]
    path = f"{request.root_url}v1/projects/{access().project_id}/forms/{quote(source.form_id, safe='')}/data"
    return [f"{path}?{urlencode({**words, **({'table': name} if name else {})}, safe=',')}" for name in tables]


@pages.get(f"{_PAGE}/file", endpoint="data_file")
@open_to(Right.SEE, Right.EXPORTS)
def download(form_id: str) -> Response:
    """The file."""
    return data_files.response(form_id, access(), data_files.words_of_request())


def downloadable(connection: Connection) -> list[tuple[str, str]]:
    """(form id, title) of the forms whose records can be downloaded by who asks."""
    if not access().may(Right.SEE, Right.EXPORTS):
        return []
    exact = access().may(Right.SEE)
    known = titles(connection, access().project_id)
    return [(form_id, form_title(title)) for form_id, title in known if exact or not stays_inside(form_id)]
