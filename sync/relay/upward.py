"""What a station tells its hub: submissions with the files that came with them, files that came later, reviews, erasures."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import orjson
from sqlalchemy import Connection, Row, or_, select, tuple_

from records.models import Attachment, RelayRecord, SubmissionVersion
from records.personal import open_xml
from sync.relay.batch import digest, written
from sync.relay.log import Entry
from sync.relay.projects import DATA, channel
from sync.relay.scribe import FILES, SUBMISSION, Scribe

_VERSION = (SubmissionVersion.form_id, SubmissionVersion.instance_id, SubmissionVersion.sha256)
_ATTACHMENT = (Attachment.form_id, Attachment.instance_id, Attachment.sha256)
_Key = tuple[str, str, str]
_Back = Mapping[tuple[str, str], Sequence[Row[Any]]]


class Upward(Scribe):
    """Writes the log of a project that goes to a hub."""

    is_upward: ClassVar[bool] = True

    def entries(self, connection: Connection, page: Sequence[Row[Any]]) -> Iterator[Entry]:
        """What the hub should have of these rows of the feed."""
        to = channel(DATA, self.key)
        versions, files, back = self._versions(connection, page), self._files(connection, page), self._came_back(connection, page)
        came_with = _deliveries(page)
        for number, row in enumerate(page):
            key = (row.form_id, row.instance_id, row.sha256)
            if row.kind in {"submission", "redaction"} and key in versions:
                came = came_with.get(number, ()) if row.kind == "submission" else files  # who gets it emptied gets nothing else
                own = [each for other in came if other[:2] == key[:2] for each in files.get(other, ())]
                if row.kind == "submission" and self._is_among(back.get(key[:2], ()), versions[key]):
                    yield from self._of_files(row, own, back, to)
                else:
                    yield self._submission(versions[key], [each[:3] for each in own], to)
            elif row.kind == "attachment" and number in came_with:
                yield from self._of_files(row, files.get(key, ()), back, to)
            elif row.kind == "review":
                yield from self.review(connection, row, {to: ()})
            elif row.kind == "erasure":
                yield from self.erasure(connection, row, {to: ()})

    def _versions(self, connection: Connection, page: Sequence[Row[Any]]) -> dict[_Key, Row[Any]]:
        keys = [(row.form_id, row.instance_id, row.sha256) for row in page if row.kind in {"submission", "redaction"}]
        query = select(*SubmissionVersion.__table__.columns).filter_by(project_id=self.project_id)
        found = connection.execute(query.where(tuple_(*_VERSION).in_(keys))).all() if keys else []
        return {(row.form_id, row.instance_id, row.sha256): row for row in found}

    def _files(self, connection: Connection, page: Sequence[Row[Any]]) -> Mapping[_Key, list[tuple[Any, ...]]]:
        """(name, SHA-256, size, when) of files, under each name; and of all files of what was emptied."""
        keys = [(row.form_id, row.instance_id, row.sha256) for row in page if row.kind == "attachment"]
        emptied = [(row.form_id, row.instance_id) for row in page if row.kind == "redaction"]
        about = (*_ATTACHMENT, Attachment.name, Attachment.size, Attachment.received_at)
        query = select(*about).filter_by(project_id=self.project_id).order_by(Attachment.name)
        chosen = or_(tuple_(*_ATTACHMENT).in_(keys), tuple_(*_ATTACHMENT[:2]).in_(emptied))
        files: dict[_Key, list[tuple[Any, ...]]] = {}
        for row in connection.execute(query.where(chosen)) if keys or emptied else ():
            key = (row.form_id, row.instance_id, row.sha256)
            files.setdefault(key, []).append((row.name, row.sha256, row.size, row.received_at))
        return files

    def _came_back(self, connection: Connection, page: Sequence[Row[Any]]) -> _Back:
        """What this node wrote about these submissions and files before its database was put back, and its hub gave back."""
        keys = {(row.form_id, row.instance_id) for row in page if row.kind in {"submission", "attachment"}}
        row = RelayRecord
        query = select(row.form_id, row.instance_id, row.kind, row.header, row.files)
        query = query.filter_by(project_id=self.project_id, origin=self.me.node_id).where(row.via.is_not(None))
        query = query.where(row.kind.in_([SUBMISSION, FILES]), tuple_(row.form_id, row.instance_id).in_(keys))
        back: dict[tuple[str, str], list[Row[Any]]] = {}
        for each in connection.execute(query) if keys else ():
            back.setdefault((each.form_id, each.instance_id), []).append(each)
        return back

    def _is_among(self, back: Sequence[Row[Any]], version: Row[Any]) -> bool:
        """Whether one of these records says what this version does."""
        if not back:
            return False
        xml = open_xml(self.store.vault, version)
        said = (orjson.loads(each.header)["b"] == digest(body_of(xml, each.files)) for each in back if each.kind == SUBMISSION)
        return version.erased_at is not None or any(said)

    def _of_files(self, row: Row[Any], files: Sequence[tuple[Any, ...]], back: _Back, to: str) -> Iterator[Entry]:
        """What is to be told of files that came, but for those that came back."""
        known = {tuple(file[:2]) for each in back.get((row.form_id, row.instance_id), ()) for file in each.files}
        if fresh := [each for each in files if each[:2] not in known]:
            body = orjson.dumps([each[:3] for each in fresh])
            yield self.written(FILES, to, fresh[0][3], body, f=row.form_id, i=row.instance_id)

    def _submission(self, version: Row[Any], files: Sequence[Sequence[Any]], to: str) -> Entry:
        xml = open_xml(self.store.vault, version)
        more: dict[str, Any] = {"f": version.form_id, "i": version.instance_id}
        if version.device_id:
            more["d"] = version.device_id
        if version.app_user_id is not None:
            more["u"] = version.app_user_id
        if hashlib.sha256(xml).hexdigest() != version.sha256:  # what tells who somebody is was dropped, or never kept
            more["x"] = version.sha256
        record = written(self.me, SUBMISSION, to, version.received_at, body_of(xml, files), **more)
        return Entry(record, self.project_id, sha256=version.sha256, files=files)


def body_of(xml: bytes, files: Sequence[Sequence[Any]]) -> bytes:
    """What is sent of a submission: its bytes as they came, and behind a NUL, which no XML has, its files."""
    return xml + b"\0" + orjson.dumps([list(each) for each in files])


def parts_of(body: bytes) -> tuple[bytes, list[list[Any]]]:
    """The submission and its [name, SHA-256, size]. Raises ValueError for what `body_of` did not make."""
    xml, _, files = body.rpartition(b"\0")
    return xml, orjson.loads(files)


def _deliveries(page: Sequence[Row[Any]]) -> dict[int, list[_Key]]:
    """The files that came with each submission: their rows follow it. Files that came alone stand for themselves."""
    found: dict[int, list[_Key]] = {}
    begun = None
    for number, row in enumerate(page):
        if row.kind != "attachment":
            begun = number if row.kind == "submission" else None
            continue
        key = (row.form_id, row.instance_id, row.sha256)
        if begun is not None and key[:2] == (page[begun].form_id, page[begun].instance_id):
            found.setdefault(begun, []).append(key)
        else:
            begun = None
            found[number] = []
    return found
