"""The child process in which pyxform runs: workbooks on stdin, JSON on stdout. Started by forms/xlsform.py only.

A workbook comes from outside: limits are set before its first byte is read, and nothing it does can reach the server.
"""

import re
import sys
import unicodedata
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import orjson

from forms.xml import MAX_XML_BYTES

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # the container of .xls, of .doc, and of password-protected .xlsx
OUT_OF_MEMORY = 3  # the exit status
MAX_UNPACKED = 200 * 1024 * 1024  # bytes; the limit Excel's own users never come near
_SAVE_AS = "Open it in Excel or LibreOffice and save it as .xlsx."
_TYPES = "https://xlsform.org/en/#question-types"
_LINES = 5  # of one message
_DEEP = {"bind", "body", "control", "instance"}
Answer = dict[str, object]


class Unreadable(Exception):
    """The file is no workbook that pyxform can read; the message says what it is and what to do."""


def file_type(data: bytes, file_name: str) -> str:
    """The kind of file by its content: ".xlsx", ".xls", ".csv" or ".md". Raises `Unreadable`."""
    if data.startswith(b"PK"):
        return _zip_type(data)
    if data.startswith(_OLE):
        return _ole_type(data)
    suffix = Path(file_name).suffix.lower()
    if suffix not in {".csv", ".md"}:
        raise Unreadable(f"this is not a workbook. {_SAVE_AS}")
    try:
        data.decode()
    except UnicodeDecodeError as error:
        raise Unreadable("this is not UTF-8 text. Save it again with the encoding UTF-8, or as .xlsx.") from error
    return suffix


def _zip_type(data: bytes) -> str:
    try:
        with ZipFile(BytesIO(data)) as archive:
            names = set(archive.namelist())
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except (BadZipFile, ValueError) as error:
        raise Unreadable(f"the workbook is damaged. {_SAVE_AS}") from error
    if "xl/workbook.xml" not in names:
        raise Unreadable(f"this is not an Excel workbook. {_SAVE_AS}")
    if unpacked > MAX_UNPACKED:
        raise Unreadable(f"the workbook unpacks to {unpacked} bytes; {MAX_UNPACKED} are allowed.")
    return ".xlsx"


def _ole_type(data: bytes) -> str:
    if "EncryptedPackage".encode("utf-16-le") in data:
        raise Unreadable("the workbook is protected by a password. Remove the password and save it again.")
    if "WordDocument".encode("utf-16-le") in data:
        raise Unreadable("this is a Word document. A form is a workbook with a sheet named survey.")
    return ".xls"


def convert(data: bytes, file_name: str) -> Answer:
    """The XForm, pyxform's warnings and itemsets.csv, or an error that names sheet, row and remedy."""
    from pyxform.errors import PyXFormError
    from pyxform.xls2json_backends import Definition, SupportedFileTypes, get_xlsform
    from pyxform.xls2xform import convert as to_xform

    rows: Sequence[dict[str, str]] | None = None
    try:
        kind = SupportedFileTypes(file_type(data, file_name))
        source = BytesIO(data.removeprefix(b"\xef\xbb\xbf"))
        sheets = get_xlsform(Definition(source, kind, Path(file_name).stem), file_type=kind.value)
        rows = sheets.survey or ()
        fields = {name: getattr(sheets, name) for name in sheets.__slots__}
        result = to_xform(fields)
    except Unreadable as error:
        return {"error": str(error)}
    except PyXFormError as error:
        return {"error": explain(str(error), rows or ())}
    except RecursionError:
        return {"error": "groups or references are nested too deeply. Divide the form."}
    except MemoryError:
        sys.exit(OUT_OF_MEMORY)
    except Exception as error:  # whatever a broken workbook sets off in the libraries that read it
        return {"error": _broken(error, rows)}
    if (size := len(result.xform.encode())) > MAX_XML_BYTES:
        return {"error": f"the form becomes an XForm of {size} bytes; {MAX_XML_BYTES} are allowed. Put long lists into a CSV file."}
    return {"xform": result.xform, "warnings": result.warnings, "itemsets": result.itemsets}


def _broken(error: Exception, rows: Sequence[dict[str, str]] | None) -> str:
    """What to say of an error that no library foresaw; `rows` is None where the workbook could not even be read."""
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    if rows is None:
        return f"the workbook cannot be read ({reason}). Delete charts and sheets that are no part of it. {_SAVE_AS}"
    return f"the workbook can be read, but something in it breaks the conversion ({reason}). {_suspects(rows)}"


def explain(message: str, rows: Sequence[dict[str, str]]) -> str:
    """pyxform's message with sheet, row and remedy where it leaves them out. `rows` is the survey sheet."""
    for pattern, better in (
        (r"Unknown question type '(.*)'\.", _unknown_type),
        (r"The survey element named '(.*)' has no label or hint.*", _no_label),
        (r"\[row : (\d+)\] List name not in choices sheet: (.*)", _no_list),
        (r"(This section) has not been included\.", _no_section),
    ):
        if match := re.fullmatch(pattern, message, re.DOTALL):
            return better(match, rows)
    if message.startswith("[row : ") and " sheet" not in message:
        return message.replace("] ", "] On the 'survey' sheet: ", 1)
    if "not recognized as a supported type" in message:
        return f"the workbook is damaged, empty or protected by a password. {_SAVE_AS}"
    first, more = message.splitlines()[:_LINES], len(message.splitlines()) - _LINES
    return "\n".join([*first, f"And {more} more like these."] if more > 0 else first)


def _unknown_type(match: re.Match[str], rows: Sequence[dict[str, str]]) -> str:
    invisible = any(unicodedata.category(letter) == "Cf" for letter in match[1])
    remark = " It holds a character that cannot be seen: delete the cell and type it anew." if invisible else ""
    return f"{_where(rows, 'type', match[1])}the type '{match[1]}' is unknown.{remark} Use a type of {_TYPES}."


def _no_label(match: re.Match[str], rows: Sequence[dict[str, str]]) -> str:
    return f"{_where(rows, 'name', match[1])}'{match[1]}' has no text. Fill in its label."


def _no_list(match: re.Match[str], _: Sequence[dict[str, str]]) -> str:
    return (
        f"[row : {match[1]}] On the 'survey' sheet, the list '{match[2]}' is used, but the 'choices' sheet has none."
        f" Add rows with the list_name {match[2]}, or correct the name."
    )


def _no_section(_: re.Match[str], rows: Sequence[dict[str, str]]) -> str:
    return f"{_where(rows, 'type', 'include')}the type 'include' is not supported. Copy the rows of the other form into this one."


def _suspects(rows: Sequence[dict[str, str]]) -> str:
    """The headers of the survey sheet that reach deep into the form, or hold two headers in one."""
    headers = sorted({name for row in rows for name in row})
    joined = [name for name in headers if name.count("::") > 1 and not name.startswith("media")]
    odd = joined + [name for name in headers if name.partition(":")[0] in _DEEP]
    if odd:
        return f"Look at the columns with these headers first: {', '.join(odd)}."
    return "Take out the columns and rows that came last, until it can be converted."


def _where(rows: Sequence[dict[str, str]], column: str, value: str) -> str:
    line = next((number for number, row in enumerate(rows, start=2) if row.get(column) == value), None)
    return f"[row : {line}] On the 'survey' sheet, " if line else "On the 'survey' sheet, "


def _set_limits(memory: int, seconds: int) -> None:
    """Bound this process. Windows knows no such limits; there the parent's timeout alone holds."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))


def main() -> None:
    """`python -m forms.xlsform_child MEMORY_BYTES SECONDS FILE_NAME BYTES [FILE_NAME BYTES ...]`, the files one after another."""
    memory, seconds, *files = sys.argv[1:]
    _set_limits(int(memory), int(seconds))
    out, sys.stdout = sys.stdout, sys.stderr
    answers = [convert(sys.stdin.buffer.read(int(size)), name) for name, size in zip(files[::2], files[1::2], strict=True)]
    out.buffer.write(orjson.dumps(answers))


if __name__ == "__main__":
    main()
