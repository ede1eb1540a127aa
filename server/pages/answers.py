"""The answers of one report as people read them: labels of the form in the reader's language, groups and repeats kept together."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from markupsafe import Markup

from forms.datatypes import instant, read_point
from forms.definition import Field, pick
from forms.personal import DELETED, ERASED, WITHHELD
from records.submissions import KeptFile
from server.downloads import visible_name
from server.pages.rendering import language, moment, number, translate
from sync.delivery import same_name

_Files = Mapping[str, Sequence[KeptFile]]
"""Files by the names questions refer to, the first that came first."""


@dataclass(slots=True)
class Shown:
    """One thing on the page: an answer with `text` or `file`, or a group with `parts`. `is_quiet`: nobody was asked for it.

    `twins` are files that came under the same name with other bytes.
    """

    label: str
    text: str | Markup = ""
    file: KeptFile | None = None
    twins: Sequence[KeptFile] = ()
    parts: list["Shown"] = field(default_factory=list)
    is_quiet: bool = False


def shown_answers(fields: Sequence[Field], answers: dict[str, Any], files: Sequence[KeptFile]) -> list[Shown]:
    """Everything that was answered, in the order of the form, then what the form does not know."""
    by_name: dict[str, list[KeptFile]] = {}
    for file in files:
        by_name.setdefault(same_name(file.name), []).append(file)
    return list(_group(fields, answers, by_name, is_root=True))


def split_quiet(shown: list[Shown]) -> tuple[list[Shown], list[Shown]]:
    """(what people answered, what the phone worked out): the second is flat and comes last on the page."""
    told, quiet = [], []
    for item in shown:
        if item.parts:
            inner, worked_out = split_quiet(item.parts)
            quiet += worked_out
            if inner:
                told.append(Shown(item.label, parts=inner))
        else:
            (quiet if item.is_quiet else told).append(item)
    return told, quiet


def _group(fields: Sequence[Field], answers: dict[str, Any], files: _Files, *, is_root: bool = False) -> Iterator[Shown]:
    known = {item.name for item in fields} | ({"meta"} if is_root else set())
    for item in fields:
        value = answers.get(item.name)
        if value is None or value == "" or item.name == "meta":
            continue
        if item.kind == "repeat" and isinstance(value, list):
            yield from _rows(item, value, files)
        elif item.children and isinstance(value, dict):
            if parts := list(_group(item.children, value, files)):
                yield Shown(pick(item.labels, language()), parts=parts)
        else:
            yield _answer(item, value, files)
    for name, value in answers.items():
        if name not in known and value not in (None, "", [], {}):
            yield Shown(name, text=str(value))


def _rows(item: Field, rows: list[Any], files: _Files) -> Iterator[Shown]:
    label = pick(item.labels, language()) or item.name
    for position, row in enumerate(rows, start=1):
        if isinstance(row, dict) and (parts := list(_group(item.children, row, files))):
            yield Shown(f"{label} – {number(position)}", parts=parts)


def _(text: str) -> str:
    """Mark a text for translation; it is translated when it is shown."""
    return text


_IN_PLACE = {WITHHELD: _("Withheld"), DELETED: _("Deleted"), ERASED: _("Erased")}


def _answer(item: Field, value: Any, files: _Files) -> Shown:
    label = pick(item.labels, language()) or item.name
    is_quiet = not item.control
    if item.is_file and value != ERASED:
        if came := files.get(same_name(str(value))):
            if came[0].withheld:
                return Shown(label, text=translate("Withheld"), is_quiet=is_quiet)
            return Shown(label, file=came[0], twins=came[1:], is_quiet=is_quiet)
        missing = translate("{name} has not come yet.").format(name=visible_name(str(value)))
        return Shown(label, text=missing, is_quiet=is_quiet)
    return Shown(label, text=_text(item, value), is_quiet=is_quiet)


def _text(item: Field, value: Any) -> str | Markup:
    if value in _IN_PLACE:
        return translate(_IN_PLACE[value])
    if item.choices is not None:
        return _chosen(item, str(value))
    if isinstance(value, bool):
        return translate("yes") if value else translate("no")
    if isinstance(value, int | float):
        return number(value)
    return _BY_TYPE.get(item.type, str)(str(value))


def _chosen(item: Field, value: str) -> str:
    labels = {choice.name: pick(choice.labels, language()) or choice.name for choice in item.choices or ()}
    names = [value] if value in labels or item.control == "select1" else value.split()
    return translate(", ").join(labels.get(name, name) for name in names)


def _day(text: str) -> str | Markup:
    try:
        return moment(date.fromisoformat(text[:10]))
    except ValueError:
        return text


def _moment(text: str) -> str | Markup:
    found = instant(text)
    return text if found is None or found.tzinfo is None else moment(found)


def _place(text: str) -> str:
    try:
        latitude, longitude, _, accuracy = read_point(text)
    except ValueError:
        return text
    place = f"{abs(latitude):.5f}° {'NS'[latitude < 0]}, {abs(longitude):.5f}° {'EW'[longitude < 0]}"
    return place if accuracy is None else f"{place} (± {accuracy:.0f} m)"


_BY_TYPE: dict[str, Callable[[str], str | Markup]] = {"geopoint": _place, "dateTime": _moment, "date": _day}
