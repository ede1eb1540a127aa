"""Rules for the files of a form: pictures, sounds and lists."""

import csv
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from io import StringIO
from math import ceil

from forms.lint.findings import Finding, found
from forms.lint.source import Source
from forms.xml import child

_LARGE = 20_000_000  # bytes
_SLOW = 50_000  # bytes a second: a village's mobile network
_XML_NAME = re.compile(r"[^\W\d][\w.-]*")
_LIST = "jr://file-csv/"


def check_media(
    source: Source, needed: Collection[str], media: Mapping[str, bytes], columns: Mapping[str, set[str]]
) -> Iterator[Finding]:
    """All findings about files. `needed` are the names the form uses, `media` the files given, `columns` those of its lists."""
    given = {alike(name): name for name in media}
    for name in needed:
        if name not in media and alike(name) in given:
            yield found("media_name_differs", name=name, given=given[alike(name)])
    wanted = set(map(alike, needed))
    for name in media:
        if alike(name) not in wanted:
            yield found("media_unused", name=name)
    used = {name: data for name, data in media.items() if name in needed}
    yield from _check_sizes(used)
    for name, data in used.items():
        if name.lower().endswith(".zip"):
            yield found("media_zip", name=name)
        if name.lower().endswith(".csv"):
            yield from _check_csv(name, data)
    yield from _check_columns(source, columns)


def list_columns(source: Source, media: Mapping[str, bytes]) -> dict[str, set[str]]:
    """The columns of the form's lists that are CSV files at hand, by the id of their instance."""
    names = {identity: node.get("src", "") for identity, node in source.lists.items()}
    return {
        identity: set(_header(media[address.removeprefix(_LIST)]))
        for identity, address in names.items()
        if address.startswith(_LIST) and address.removeprefix(_LIST) in media
    }


def alike(name: str) -> str:
    """What two names have in common that only differ in case or in the way letters are composed."""
    return unicodedata.normalize("NFC", name).casefold()


def _header(data: bytes) -> list[str]:
    """The heads of a CSV file's columns; phones take commas and semicolons (JavaRosa, CsvExternalInstance)."""
    text = data.decode("utf-8-sig", "replace")
    first = text.partition("\n")[0]
    row = next(csv.reader(StringIO(text), delimiter=";" if ";" in first and "," not in first else ","), [])
    return [head.strip() for head in row]


def _check_sizes(used: Mapping[str, bytes]) -> Iterator[Finding]:
    large = [(name, len(data)) for name, data in used.items() if len(data) > _LARGE]
    for name, size in large:
        yield found("media_large", name=name, megabytes=round(size / 1e6), minutes=ceil(size / _SLOW / 60))
    total = sum(map(len, used.values()))
    if total > _LARGE and len(used) > len(large):
        yield found("media_total", megabytes=round(total / 1e6), minutes=ceil(total / _SLOW / 60))


def _check_csv(name: str, data: bytes) -> Iterator[Finding]:
    try:
        data.decode()
    except UnicodeDecodeError:
        yield found("csv_not_utf8", name=name)
        return
    for head in _header(data):
        if not _XML_NAME.fullmatch(head):
            yield found("csv_header", name=name, column=head)


def _check_columns(source: Source, columns: Mapping[str, set[str]]) -> Iterator[Finding]:
    """The columns from which a question takes the names and texts of its choices."""
    for control in source.questions:
        itemset = child(control.node, "itemset")
        identity = itemset.get("nodeset", "").partition("'")[2].partition("'")[0] if itemset is not None else ""
        if itemset is None or identity not in columns:
            continue
        for reference in (child(itemset, "value"), child(itemset, "label")):
            column = reference.get("ref", "") if reference is not None else ""
            if column and "(" not in column and column not in columns[identity]:
                yield found("csv_column_missing", "/".join(control.path[1:]), name=f"{identity}.csv", column=column)
