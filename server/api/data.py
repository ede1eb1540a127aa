"""The records of a form as files, at addresses that stay: for R, Excel, QGIS. docs/exports.md says what they may say."""

from typing import Any

from flask import Response

from exports.data.formats import FORMATS, ZIP
from exports.data.wanted import WORDS
from server import data_files
from server.api.blueprint import FORM, access, central
from server.api.describe import TEXT, described

_QUERY: tuple[tuple[str, Any], ...] = tuple((name, TEXT) for name in WORDS if name != "format")
_FORMAT = {"enum": list(FORMATS)}
_TYPES = tuple(dict.fromkeys([*(each.media_type for each in FORMATS.values()), ZIP]))


@central.get(f"{FORM}/data")
@described(_TYPES, query=(("format", _FORMAT), *_QUERY))
def data(form_id: str) -> Response:
    """The records in one of the formats, narrowed and laid out as the address says."""
    return data_files.response(form_id, access(), data_files.words_of_request())


@central.get(f"{FORM}/submissions.csv")
@described(FORMATS["csv"].media_type, query=_QUERY)
def submissions_csv(form_id: str) -> Response:
    """The table of the form as CSV, without its repeats."""
    return data_files.response(form_id, access(), {**data_files.words_of_request(), "format": "csv"}, only_root=True)


@central.get(f"{FORM}/submissions.geojson")
@described(FORMATS["geojson"].media_type, query=_QUERY)
def submissions_geojson(form_id: str) -> Response:
    """The records as features of a map."""
    return data_files.response(form_id, access(), {**data_files.words_of_request(), "format": "geojson"})
