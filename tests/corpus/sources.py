"""The forms in a folder, and the files they need: those beside them, else small stand-ins of the right kind."""

import re
from collections.abc import Iterator
from pathlib import Path

from forms.library import survey_ids, workbook

SUFFIXES = {".xlsx", ".xls", ".xlsm", ".csv", ".md", ".xml"}
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763606060000000040001f61738550000000049454e44ae426082"
)
_GEOJSON = (
    b'{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"Point","coordinates":[51.4,35.7]},'
    b'"properties":{"id":"a","name":"a","title":"A"}}]}'
)
_SHEETS = re.compile(rb"\A(?:\xef\xbb\xbf)?[\s\"|]*(?:survey|choices|settings)\b", re.IGNORECASE)
_XFORM = b"http://www.w3.org/2002/xforms"
_XPATH_NAME = re.compile(r"[A-Za-z_][\w.-]*")
_OF_INSTANCE = re.compile(r"instance\(\s*['\"]([^'\"]+)['\"]\s*\)([^<>\"]*)")


def forms_in(place: Path) -> list[Path]:
    """Every file at or below `place` that is a form: workbooks; texts and XML by what they say."""
    found = [place] if place.is_file() else sorted(path for path in place.rglob("*") if path.is_file())
    return [path for path in found if path.suffix.lower() in SUFFIXES and _is_form(path)]


def shipped(folder: Path) -> list[Path]:
    """The surveys of the library as workbooks in this folder."""
    folder.mkdir()
    for survey_id in survey_ids():
        (folder / f"{survey_id}.xlsx").write_bytes(workbook(survey_id).to_xlsx())
    return forms_in(folder)


def _is_form(path: Path) -> bool:
    suffix = path.suffix.lower()
    if suffix in {".csv", ".md"}:
        return bool(_SHEETS.match(path.read_bytes()[:200]))
    return suffix != ".xml" or _XFORM in path.read_bytes()


def file_for(name: str, source: Path, xform: bytes) -> bytes:
    """The form's file of this name: from beside the form or its folder NAME-media, else a stand-in."""
    for place in (source.parent, source.parent / f"{source.stem}-media", source.parent / "media"):
        if (place / name).is_file():
            return (place / name).read_bytes()
    suffix = Path(name).suffix.lower()
    columns = list(dict.fromkeys(["name", "label", *_columns(xform.decode(errors="replace"), Path(name).stem)]))
    if suffix == ".csv":
        rows = [[f"{column}_{number}" for column in columns] for number in (1, 2, 3)]
        return "\n".join(",".join(row) for row in [columns, *rows]).encode()
    if suffix == ".xml":
        item = "".join(f"<{column}>{column}_1</{column}>" for column in columns)
        return f"<root><item>{item}</item></root>".encode()
    if suffix == ".geojson":
        return _GEOJSON
    return PIXEL


def _columns(xform: str, stem: str) -> Iterator[str]:
    """The names that expressions ask of this secondary instance; a few too many do no harm."""
    for instance, rest in _OF_INSTANCE.findall(xform):
        if instance == stem or len(stem) > 40:
            yield from (name for name in _XPATH_NAME.findall(rest) if name not in {"root", "item", "and", "or", "current"})
    yield from re.findall(r"<(?:value|label) ref=\"([\w.-]+)\"", xform)
