"""One submission from bytes to rows. Bytes first, then judgement: what can be identified is kept, what is odd about it is flagged.

A phone repeats a record until it is told "delivered", so the same delivery may come any number of times, in any order, in parallel.
"""

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from traceback import format_tb
from typing import Any, TypeVar

from sqlalchemy import Connection, insert, select, update

from forms.datatypes import instant
from forms.encryption import SUFFIX
from forms.entities import Request, asked
from forms.personal import ATTENDANCE, CONTACT, PICTURE, WITHHELD, Told, emptied, is_copy
from forms.problems import Problem
from forms.schema import FormSchema, Reading, Violation
from forms.submission import Submission as Incoming
from forms.submission import identify
from records.blobs import BlobStore
from records.entities import add_requests
from records.file_kinds import is_picture
from records.flags import Flag, flag, flag_columns
from records.forms import Schemas
from records.models import Attachment, Feed, Submission, SubmissionVersion
from records.orphans import remove_files
from records.personal import contact_paths, seal_contact, seal_xml
from records.store import Store, insert_new
from records.vault import Vault
from sync import aside, entities, phone_clock
from sync.delivery import Delivery, Receipt, ReceivedFile, same_name
from sync.fold import Arrival, add_flags, fold

_Given = TypeVar("_Given")
_Made = TypeVar("_Made")
_FEED = insert(Feed)
_AFTER = {"closed": "after_close", "retired": "after_retire"}
_BEGINNING = datetime(2010, 1, 1, tzinfo=UTC)  # no server took records of phones before
_log = logging.getLogger(__name__)


class Intake:
    """Receives deliveries. One per process; `receive` may be called from many threads."""

    def __init__(self, store: Store, blobs: BlobStore) -> None:
        self._store = store
        self._blobs = blobs
        self.schemas = Schemas(store)

    def receive(self, delivery: Delivery) -> Receipt:
        """Keep a delivery; it is on disk when this returns.

        What cannot be identified raises `Problem` (xml_unreadable, form_id_missing, form_unknown) and is kept aside.
        """
        return self._keep([self._read(delivery)])[0]

    def receive_all(self, deliveries: Sequence[Delivery]) -> list[Receipt | Exception]:
        """Keep deliveries in this order, together: of each its receipt, or why it alone could not be kept.

        Raises `Problem` when nothing can be kept now: busy, disk_full.
        """
        read = [or_error(self._read, delivery) for delivery in deliveries]
        works = [each for each in read if isinstance(each, _Work)]
        try:
            receipts: Iterator[Receipt | Exception] = iter(self._keep(works))
        except Problem:
            raise
        except Exception:  # one of them cannot be kept, or somebody brings the same: nothing was, and each is tried alone
            receipts = iter([or_error(lambda alone: self._keep([alone])[0], work) for work in works])
        return [next(receipts) if isinstance(each, _Work) else each for each in read]

    def _read(self, delivery: Delivery) -> "_Work":
        """What is to be done for a delivery. Raises `Problem`."""
        form_id = ""
        try:
            incoming = identify(delivery.xml)
            form_id = incoming.form_id
            schema, is_known_version = self.schemas.get(delivery.project_id, incoming.form_id, incoming.version)
        except Problem as problem:
            if problem.kind.status in {400, 404}:
                aside.keep(self._store, self._blobs, delivery, problem, form_id)
            raise
        requests = _asked_of_entities(schema, incoming)  # first: reading changes the tree
        reading = read_answers(schema, incoming)
        requests = [_without_contact(request, reading) for request in requests]
        circumstances = [] if is_known_version else [flag("unknown_version", version=incoming.version)]
        state = self.schemas.state(delivery.project_id, incoming.form_id)
        if state != "open":
            circumstances.append(flag(_AFTER[state]))
        if delivery.form_ids is not None and incoming.form_id not in delivery.form_ids:
            circumstances.append(flag("not_assigned"))
        return _Work(self._store.vault, delivery, incoming, reading, circumstances, requests)

    def _keep(self, works: Sequence["_Work"]) -> list[Receipt]:
        """Write all of it or nothing."""
        receipts = self._store.write(lambda connection: _written(connection, works)) if works else []
        erased = [file.blob.sha256 for work in works if work.is_erased for file in work.delivery.files]
        remove_files(self._store, self._blobs, erased)  # a phone sends what a person had erased
        for project_id in {work.delivery.project_id for work in works}:
            of_project = [work for work in works if work.delivery.project_id == project_id]
            entities.settle(self._store, project_id, [request for work in of_project for request in work.requests])
        return receipts


def or_error(work: Callable[[_Given], _Made], given: _Given) -> _Made | Exception:
    """What the work makes of what it is given, or why it cannot."""
    try:
        return work(given)
    except Exception as error:
        return error


def _written(connection: Connection, works: Sequence["_Work"]) -> list[Receipt]:
    """The unit of work of some deliveries. It may run twice, so it changes nothing but the database."""
    receipts, entries = [], list[dict[str, Any]]()
    folded = fold(connection, [work.arrival for work in works])
    for work, (outcome, root_id) in zip(works, folded, strict=True):
        receipts.append(work.complete(connection, outcome, root_id, entries))
    if entries:
        connection.execute(_FEED, entries)
    return receipts


def read_answers(schema: FormSchema, incoming: Incoming) -> Reading:
    """Read the answers; whatever goes wrong in reading must not cost the record."""
    try:
        return schema.read(incoming)
    except Exception as error:
        where = "".join(format_tb(error.__traceback__))  # its words may quote an answer
        _log.error("The answers of %s could not be read: %s\n%s", incoming.instance_id, type(error).__name__, where)
        violation = Violation("answers_unreadable", "", f"The answers could not be read: {type(error).__name__}")
        asked = [Told("/".join(item.path), "") for item in schema.definition.walk() if item.personal == CONTACT]
        return Reading(violations=[violation], contact=asked)  # nobody knows of what is in them, so that all of them go on schedule


def _asked_of_entities(schema: FormSchema, incoming: Incoming) -> list[Request]:
    """What the submission asks of entity lists; whatever goes wrong in finding out must not cost the record."""
    if incoming.encrypted or not schema.definition.declarations:
        return []
    try:
        return asked(incoming.root, schema.definition)
    except Exception as error:
        where = "".join(format_tb(error.__traceback__))
        _log.error("The entities of %s could not be read: %s\n%s", incoming.instance_id, type(error).__name__, where)
        return []


def _without_contact(request: Request, reading: Reading) -> Request:
    """What is asked of an entity list, which all phones get, without what tells who somebody is."""
    told = reading.contact
    if not told:
        return request
    data = {name: WITHHELD if is_copy(value, told) else value for name, value in request.data.items()}
    return replace(request, label=WITHHELD if request.label and is_copy(request.label, told) else request.label, data=data)


def file_kind(name: str, reading: Reading) -> str:
    """Whether a file holds the names of people, by the question that asks for it."""
    if name in map(same_name, reading.attendance):
        return ATTENDANCE
    return PICTURE if name in map(same_name, reading.files) else reading.strange_files


def _ended(reading: Reading) -> datetime | None:
    """When the record was finished, by the phone's clock."""
    moments = [moment for moment in map(instant, reading.moments) if moment is not None and moment.tzinfo is not None]
    return max(moments, default=None)


def state_of(
    vault: Vault, version: Mapping[str, Any], incoming: Incoming, reading: Reading, flags: Sequence[Flag]
) -> dict[str, Any]:
    """What a version (its row) makes of its record: the columns of `submission` that follow from its content."""
    return {
        "latitude": reading.latitude,
        "longitude": reading.longitude,
        "accuracy": reading.accuracy,
        "event_date": date.fromisoformat(reading.day) if reading.day else None,
        "instance_name": WITHHELD if is_copy(incoming.instance_name, reading.contact) else incoming.instance_name,
        "files": sorted(set(map(same_name, reading.files))),
        **flag_columns(flags),
        "checked": 0,
        "counted": None,
        "encrypted": incoming.encrypted,
        "answers": reading.answers,
        "contact": None if reading.is_refused else seal_contact(vault, version, reading.contact),
    }


class _Work:
    """What is to be written for one delivery."""

    def __init__(
        self,
        vault: Vault,
        delivery: Delivery,
        incoming: Incoming,
        reading: Reading,
        circumstances: Sequence[Flag],
        requests: Sequence[Request],
    ) -> None:
        self.delivery, self.incoming, self.requests = delivery, incoming, requests
        self.now = datetime.now(UTC)
        self.expected = frozenset(map(same_name, reading.files))
        self.form = {"project_id": delivery.project_id, "form_id": incoming.form_id}
        self.instance = {**self.form, "instance_id": incoming.instance_id}
        self.flags = [*reading_flags(reading), *circumstances]
        self.came = [(file.name(self.expected), file.blob.sha256, file.blob.size) for file in delivery.files]
        self.odd_kinds = kind_flags(
            [(file.name(self.expected), file.blob.size, file.content_type) for file in delivery.files], reading
        )
        self.flags += [*file_flags(self.came, self.expected), *self.odd_kinds]
        self.clock_offset = phone_clock.offset(delivery.date_header, self.now, _ended(reading))
        self.kinds = {name: file_kind(same_name(name), reading) for name, _, _ in self.came}
        self.arrival = self._arrival(vault, reading)
        self.is_erased = False

    def complete(self, connection: Connection, outcome: str, root_id: str, feed: list[dict[str, Any]]) -> Receipt:
        """Write what belongs to a version that became part of a record; what is to be told goes into `feed`."""
        self.is_erased = outcome == "duplicate" and bool(self.came) and self._was_erased(connection)
        added = [] if self.is_erased else self._insert_files(connection)
        if outcome == "duplicate" and added:
            outcome = "attached"
        files = self._files(connection, outcome)
        if outcome in {"attached", "conflict"}:
            record = {**self.form, "instance_id": root_id}
            add_flags(connection, record, [*file_flags(files, self.expected), *self.odd_kinds])
            connection.execute(update(Submission).filter_by(**record).values(checked=0))
        entries = [] if outcome in {"duplicate", "attached"} else [("submission", self.arrival.sha256)]
        entries += [("attachment", file.blob.sha256) for file in added]
        feed += [{"kind": kind, **self.instance, "sha256": sha256} for kind, sha256 in entries]
        if self.requests and outcome in {"created", "held", "edited"}:
            source = {**self.instance, "sha256": self.arrival.sha256}
            actor = f"app-user:{self.delivery.app_user_id}"
            add_requests(connection, source, self.requests, actor=actor, at=self.now)
        present = {same_name(name) for name, _, _ in files}
        return Receipt(
            outcome=outcome,
            form_id=self.incoming.form_id,
            instance_id=self.incoming.instance_id,
            files_expected=len(self.expected),
            files_present=len(self.expected & present),
            flags=tuple(sorted({item["code"] for item in self.flags})),
            clock_offset=self.clock_offset,
        )

    def _arrival(self, vault: Vault, reading: Reading) -> Arrival:
        incoming, delivery = self.incoming, self.delivery
        sha256 = delivery.sha256 or hashlib.sha256(incoming.xml).hexdigest()
        came = {"received_at": self.now, "app_user_id": delivery.app_user_id, "device_id": delivery.device_id}
        common = {**self.instance, "version": incoming.version, **came}
        version_row = {
            **common,
            "sha256": sha256,
            "deprecated_id": incoming.deprecated_id or None,
            "user_agent": delivery.user_agent,
            "clock_offset": None if self.clock_offset is None else round(self.clock_offset.total_seconds()),
            "contact_paths": contact_paths(reading.contact),
            "redacted_at": None,
        }
        xml = incoming.xml
        if reading.is_refused and reading.contact:  # who does not take part is not to be recognised: nothing of it is kept
            xml = emptied(xml, contact_paths(reading.contact) or [])
            version_row |= {"contact_paths": None, "redacted_at": self.now}
        version_row["xml"] = seal_xml(vault, version_row, xml)
        state_row = {
            **common,
            "current_instance_id": incoming.instance_id,
            "current_sha256": sha256,
            "first_received_at": self._earlier(delivery.first_received_at),
            "updated_at": None,
            "review_state": "received",
            "edits": 0,
            "deleted_at": None,
            **state_of(vault, version_row, incoming, reading, self.flags),
        }
        return Arrival(incoming.instance_id, incoming.deprecated_id, sha256, version_row, state_row)

    def _earlier(self, moment: datetime | None) -> datetime | None:
        """When another server got it, if that can be: a clock there may have been wrong."""
        return moment if moment is not None and _BEGINNING <= moment < self.now else None

    def _was_erased(self, connection: Connection) -> bool:
        key = {**self.instance, "sha256": self.arrival.sha256}
        return connection.execute(select(SubmissionVersion.erased_at).filter_by(**key)).scalar() is not None

    def _insert_files(self, connection: Connection) -> list[ReceivedFile]:
        """Insert the files; returns those that were not here."""
        return [
            file
            for file in self.delivery.files
            if connection.execute(
                insert_new(connection, Attachment),
                {
                    **self.instance,
                    "name": file.name(self.expected),
                    "sha256": file.blob.sha256,
                    "md5": file.blob.md5,
                    "size": file.blob.size,
                    "content_type": file.content_type,
                    "personal": self.kinds[file.name(self.expected)],
                    "received_at": self.now,
                },
            ).rowcount
        ]

    def _files(self, connection: Connection, outcome: str) -> Sequence[tuple[str, str, int]]:
        """(name, digest, size) of all files of this version."""
        if outcome in {"created", "held", "edited"} or not self.expected:
            return self.came
        rows = connection.execute(select(Attachment.name, Attachment.sha256, Attachment.size).filter_by(**self.instance))
        return [(row.name, row.sha256, row.size) for row in rows]


def reading_flags(reading: Reading) -> list[Flag]:
    """What was found while the answers were read, in the words of the form."""
    return [flag(found.code, found.path, message=found.message or None) for found in reading.violations]


def file_flags(files: Sequence[tuple[str, str, int]], expected: Collection[str]) -> list[Flag]:
    """What is odd about the files of a version: all are kept."""
    distinct = {(same_name(name), sha256) for name, sha256, _ in files}
    twice = sorted(name for name, count in Counter(name for name, _ in distinct).items() if count > 1)
    return [
        *(_unexpected(name, expected) for name in sorted({name for name, _ in distinct} - set(expected))),
        *(flag("file_twice", name=name) for name in twice),
        *(flag("file_empty", name=name) for name in sorted({same_name(name) for name, _, size in files if size == 0})),
    ]


def _unexpected(name: str, expected: Collection[str]) -> Flag:
    """A file nobody asked for, or what a phone should have sent encrypted only."""
    if name + SUFFIX in expected:
        return flag("file_plain", name=name)
    return flag("file_unexpected", name=name)


def kind_flags(files: Iterable[tuple[str, int, str]], reading: Reading) -> list[Flag]:
    """Which of the files (name, size, media type) are no pictures though their questions ask for one."""
    pictures = frozenset(map(same_name, reading.pictures))
    odd = {same_name(name): kind for name, size, kind in files if size and same_name(name) in pictures and not is_picture(kind)}
    return [flag("file_kind", name=name, kind=kind) for name, kind in sorted(odd.items())]
