"""XLSForm -> XForm: one function for workbooks, CSV and Markdown (by pyxform) and for XForms that are ready.

pyxform runs in a child process with limits on memory and time, because a workbook can be a bomb.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from lxml import etree

from forms.definition import FormDefinition
from forms.problems import Problem
from forms.workbook import Workbook
from forms.xlsform_child import OUT_OF_MEMORY
from forms.xml import local_name, parse_xml


@dataclass(frozen=True, slots=True)
class Limits:
    """What one conversion may use: bytes of the file, bytes of memory, seconds."""

    file: int = 20 * 1024 * 1024
    memory: int = 2 * 1024**3
    seconds: int = 60


@dataclass(frozen=True, slots=True)
class Conversion:
    """An XForm and what it says about itself.

    `version` is empty where the form gives none. `warnings` are pyxform's. `media` are the names of the files the form needs;
    `itemsets` is the content of one of them, itemsets.csv, where pyxform made it from a sheet external_choices.
    """

    xform: bytes
    form_id: str
    version: str
    title: str
    warnings: list[str]
    media: list[str]
    itemsets: bytes | None = None


def convert(data: bytes, file_name: str, *, limits: Limits | None = None) -> Conversion:
    """Convert an .xlsx, .xls, .csv or .md XLSForm; take an XForm (.xml) as it is. Same input, same bytes.

    Raises `Problem("form_invalid")` naming sheet, row and remedy, `Problem("xml_unreadable")`, or `Problem("too_large")`.
    """
    limits = limits or Limits()
    if len(data) > limits.file:
        detail = f"{file_name} has {len(data)} bytes; a form may have {limits.file}."
        raise Problem("too_large", detail, hint="Remove pictures and sheets that do not belong to the form.")
    if data.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        return _conversion(data, [], None)
    [answer] = _run_pyxform([(file_name, data)], limits)
    return _answered(answer, file_name)


def convert_workbook(workbook: Workbook) -> Conversion:
    """Convert a workbook of the survey library, by way of the very .xlsx file that people get."""
    [conversion] = convert_workbooks([workbook])
    return conversion


def convert_workbooks(workbooks: Sequence[Workbook]) -> list[Conversion]:
    """Convert several in one process, which takes a second only to start. Each may use the time that one may use."""
    files = [("survey.xlsx", workbook.to_xlsx()) for workbook in workbooks]
    limits = Limits(seconds=Limits().seconds * len(files))
    return [_answered(answer, name) for (name, _), answer in zip(files, _run_pyxform(files, limits), strict=True)]


def _answered(answer: dict[str, Any], file_name: str) -> Conversion:
    if "error" in answer:
        raise Problem("form_invalid", f"{file_name}: {answer['error']}")
    itemsets = answer["itemsets"]
    return _conversion(answer["xform"].encode(), answer["warnings"], itemsets.encode() if itemsets else None)


def _conversion(xform: bytes, warnings: list[str], itemsets: bytes | None) -> Conversion:
    definition = FormDefinition.from_xform(xform)
    if definition.submission_url:
        xform = _sending_here(xform)
        warnings = [*warnings, f"The form would have sent its records to {definition.submission_url}. They will come here instead."]
    media = definition.media | ({"itemsets.csv"} if itemsets else set())
    return Conversion(
        xform=xform,
        form_id=definition.form_id,
        version=definition.version,
        title=definition.title,
        warnings=warnings,
        media=sorted(media),
        itemsets=itemsets,
    )


def _sending_here(xform: bytes) -> bytes:
    """The form without an address of its own to send to: phones would obey it and not their settings."""
    root = parse_xml(xform)
    for node in root.iter(etree.Element):
        if local_name(node) == "submission":
            node.attrib.pop("action", "")
            node.attrib.pop("method", "")
    return etree.tostring(root, encoding="utf-8", xml_declaration=True)


def _run_pyxform(files: Sequence[tuple[str, bytes]], limits: Limits) -> list[dict[str, Any]]:
    """What forms.xlsform_child answers to each file, given by name and content: `xform`, `warnings` and `itemsets`, or `error`."""
    command = [sys.executable, "-P", "-m", "forms.xlsform_child", str(limits.memory), str(limits.seconds)]
    try:
        done = subprocess.run(
            [*command, *(word for name, data in files for word in (Path(name).name, str(len(data))))],
            input=b"".join(data for _, data in files),
            capture_output=True,
            timeout=limits.seconds,
            check=False,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},  # else numpy reserves memory for every core of the machine
        )
    except subprocess.TimeoutExpired as error:
        raise _too_heavy(limits) from error
    if done.returncode < 0 or done.returncode == OUT_OF_MEMORY:  # below zero: stopped by a signal of the limits
        raise _too_heavy(limits)
    if done.returncode:
        raise RuntimeError(f"The converter cannot start: {done.stderr.decode(errors='replace')[-2000:]}")
    answers: list[dict[str, Any]] = orjson.loads(done.stdout)
    return answers


def _too_heavy(limits: Limits) -> Problem:
    return Problem(
        "form_invalid",
        f"The conversion needed more than {limits.seconds} s or {limits.memory // 1024**2} MiB.",
        hint="Delete unused rows, columns and sheets, or copy the used cells into a new workbook, and publish again.",
    )
