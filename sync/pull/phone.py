"""A phone's own folder of records (ODK Collect and KoBoCollect): `instances/<form>_<date>/<form>_<date>.xml` with its media beside.

The folder is only read. Whether a record was finished, files tell only where the form notes its end; an envelope tells that it was,
and open answers of a form that encrypts tell that it was not.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from forms.problems import Problem
from forms.submission import Submission, identify
from forms.xml import MAX_XML_BYTES, local_name
from sync.delivery import ReceivedFile
from sync.pull.naming import Names
from sync.pull.receiving import Receiver, Tally

_INSTANCES = "instances"
_ENVELOPE = "submission.xml"
_NOT_RECORDS = {"forms", "layers", "metadata", "settings"}
_CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Instance:
    """One folder of a record: its XML files, and the media beside."""

    folder: Path
    xmls: tuple[str, ...]
    media: tuple[str, ...]


def pull_phone(receiver: Receiver, folder: Path, *, unfinished: bool = False) -> Tally:
    """Take in every record below `folder`, which may be `instances` or a folder above it; again is harmless.

    Raises `Problem("not_found")` where there is none, "value_invalid" where there are those of several projects. One record at a
    time is in memory.
    """
    if len(projects := _projects(folder)) > 1:
        detail = f"These are records of {len(projects)} projects: {', '.join(projects)}."
        raise Problem("value_invalid", detail, hint="Name the folder “instances” of one of them, and take in one after the other.")
    found = False
    for instance in instances(folder):
        found = True
        try:
            _take(receiver, instance, unfinished=unfinished)
        except OSError as error:  # a bad sector, no right: the others are taken all the same
            receiver.tally.tell(f"{instance.folder.name}: cannot be read: {error.strerror or type(error).__name__}")
    if not found:
        raise Problem("not_found", f"There are no records in {folder}.", hint="Name the folder “instances” of the phone.")
    receiver.finish("phone")
    return receiver.tally


def _projects(folder: Path) -> list[str]:
    """The folders with records below `folder`, which may itself be one; their names in it."""
    found = []
    for place, folders, _ in os.walk(folder):
        if _INSTANCES in folders and Path(place).name != _INSTANCES:
            found.append(str((Path(place) / _INSTANCES).relative_to(folder)))
        folders[:] = sorted(name for name in folders if name != _INSTANCES and not name.startswith("."))
    return found


def instances(folder: Path) -> Iterator[Instance]:
    """The records' folders, by name. Links are not followed: they may lead out of the phone.

    The record is in the file named like its folder, or in an envelope; another .xml beside it was attached by somebody.
    """
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in _NOT_RECORDS and not name.startswith("."))
        names = sorted(name for name in files if not name.startswith(".") and stat.S_ISREG(Path(place, name).lstat().st_mode))
        all_xml = tuple(name for name in names if name.lower().endswith(".xml"))
        own = f"{Path(place).name}.xml".casefold()
        xmls = tuple(name for name in all_xml if name.casefold() in {own, _ENVELOPE}) or all_xml
        if xmls:
            media = tuple(name for name in names if name not in xmls and not name.endswith((".xml.index", ".xml.save")))
            yield Instance(Path(place), xmls, media)


def _take(receiver: Receiver, instance: Instance, *, unfinished: bool) -> None:
    read = [(name, _content(receiver, instance.folder / name)) for name in instance.xmls]
    records = [(name, xml, _identified(xml)) for name, xml in read if xml is not None]
    sealed = [each for each in records if each[2] is not None and each[2].encrypted]
    for name, xml, incoming in sealed or records:
        where = f"{instance.folder.name}/{name}"
        if incoming is not None and not unfinished and not receiver.holds_bytes(xml) and not _is_finished(receiver, incoming):
            receiver.tally.counts["unfinished"] += 1
            receiver.tally.tell(f"{where}: not finished on the phone")
            continue
        receipt = receiver.take(xml, _files(receiver, instance, xml), where=where)
        if receipt is not None and incoming is not None and incoming.encrypted:
            receiver.tally.counts["encrypted"] += 1
        if receipt is not None and receipt.files_present < receipt.files_expected:
            lacking = receipt.files_expected - receipt.files_present
            receiver.tally.tell(f"{where}: {lacking} of its {receipt.files_expected} files are not in the folder")
    if sealed and len(records) > len(sealed):
        receiver.tally.tell(f"{instance.folder.name}: answers lie open beside the encrypted ones; they were not taken")


def _content(receiver: Receiver, file: Path) -> bytes | None:
    with file.open("rb") as opened:
        xml = opened.read(MAX_XML_BYTES + 1)
    if len(xml) > MAX_XML_BYTES:
        receiver.tally.tell(f"{file.parent.name}/{file.name}: too large for a record; it was left there")
        return None
    if not xml.strip(b"\0 \r\n\t"):  # the phone went out before it wrote
        receiver.tally.tell(f"{file.parent.name}/{file.name}: it is empty; its answers are lost on this phone")
        return None
    return xml


def _identified(xml: bytes) -> Submission | None:
    try:
        return identify(xml)
    except Problem:  # the intake keeps it aside
        return None


def _is_finished(receiver: Receiver, incoming: Submission) -> bool:
    """Whether the form notes when it was finished, and this was noted, or encrypts what is. Of other forms nobody can tell."""
    if incoming.encrypted:
        return True
    try:
        schema, _ = receiver.intake.schemas.get(receiver.access.project_id, incoming.form_id, incoming.version)
    except Problem:  # the intake keeps it aside
        return True
    if schema.definition.public_key:
        return False
    ends = {field.name for field in schema.definition.walk() if field.preload == "end"}
    texts = [(node.text or "").strip() for node in incoming.root.iter() if isinstance(node.tag, str) and local_name(node) in ends]
    return not texts or any(texts)


def _files(receiver: Receiver, instance: Instance, xml: bytes) -> list[ReceivedFile]:
    names, files = Names(xml), []
    for name in instance.media:
        if not (instance.folder / name).stat().st_size:
            receiver.tally.tell(f"{instance.folder.name}/{name}: it is empty")
            continue
        with (instance.folder / name).open("rb") as opened:
            files.append(receiver.file(names.of(name), _chunks(opened)))
    return files


def _chunks(opened: IO[bytes]) -> Iterator[bytes]:
    while chunk := opened.read(_CHUNK):
        yield chunk
