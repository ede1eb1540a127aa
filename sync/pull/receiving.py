"""What every pull does with what it finds: hand it to the one intake, follow decisions, and count in words what became of it."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from forms.datatypes import instant
from forms.problems import Problem
from records.access import Access, Right
from records.audit import note
from records.blobs import BlobStore
from records.file_kinds import HEAD_BYTES, kind_of
from records.models import Attachment, ReviewEvent, SubmissionVersion
from records.reviews import MOST_COMMENT, Review
from records.store import Store
from sync import remedies
from sync.delivery import Delivery, Receipt, ReceivedFile, same_name
from sync.intake import Intake

WORDS = {
    "created": "{n} new records",
    "edited": "{n} edits of records",
    "held": "{n} edits whose originals are not here; they stand for themselves until these come",
    "conflict": "{n} records that are here already with other answers; a person decides, in the quarantine",
    "attached": "{n} records whose missing files came",
    "duplicate": "{n} records that were here before, unchanged",
    "aside": "{n} that could not be placed and are kept aside, in the quarantine",
    "unfinished": "{n} that were not finished on the phone and were left there (--unfinished takes them too)",
    "encrypted": "{n} of them encrypted; they are kept as they are",
    "decision": "{n} review states",
    "comment": "{n} comments",
    "form": "{n} versions of forms",
    "entity": "{n} entries of lists, new or changed",
    "entity_gone": "{n} entries taken off lists, because they were deleted there",
    "incomplete": "{n} records whose files are not all at the source; the next pull asks again",
}
_MOST_TOLD = 50


def moment(text: str) -> datetime | None:
    """When something happened there; without an offset it is UTC."""
    read = instant(text)
    return read.replace(tzinfo=UTC) if read is not None and read.tzinfo is None else read


class Said(NamedTuple):
    """A comment made elsewhere: by whom, and when, as the other server writes it."""

    text: str
    by: str
    at: str


@dataclass(slots=True)
class Tally:
    """What became of what was found; `told` names what a person should look at."""

    counts: Counter[str] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)

    def tell(self, text: str) -> None:
        """Name something, as long as the list can be read."""
        self.counts["told"] += 1
        if len(self.told) < _MOST_TOLD:
            self.told.append(text)

    def lines(self) -> list[str]:
        """The summary in plain words."""
        lines = [words.format(n=self.counts[key]) for key, words in WORDS.items() if self.counts[key]]
        unsaid = self.counts["told"] - len(self.told)
        return [*(lines or ["nothing new"]), *self.told, *([f"and {unsaid} more like these"] if unsaid else [])]


class Receiver:
    """Takes in what a pull finds. `origin` is where from, for people: who does here what was decided there (`there`)."""

    def __init__(self, store: Store, blobs: BlobStore, intake: Intake, access: Access, origin: str) -> None:
        access.require(Right.FORMS)
        access.require(Right.REVIEW)
        self.store, self.blobs, self.intake, self.access, self.origin = store, blobs, intake, access, origin
        self.tally = Tally()
        self.there = replace(access, actor=origin)

    def file(self, names: tuple[str, ...], chunks: Iterable[bytes]) -> ReceivedFile:
        """Keep a file piece by piece, whatever its size. Only a whole one is kept."""
        head = b""
        with self.blobs.writer() as writer:
            for chunk in chunks:
                head += chunk[: HEAD_BYTES - len(head)] if len(head) < HEAD_BYTES else b""
                writer.write(chunk)
            return ReceivedFile(names, writer.keep(), kind_of(head, names[0]))

    def take(
        self, xml: bytes, files: Sequence[ReceivedFile], *, where: str, device_id: str = "", at: datetime | None = None
    ) -> Receipt | None:
        """Hand a record to the intake; it came there `at` this moment. None: it was kept aside, and `where` it lies is told."""
        project_id, origin = self.access.project_id, self.origin
        delivery = Delivery(project_id, xml, tuple(files), device_id=device_id, user_agent=origin, first_received_at=at)
        try:
            receipt = self.intake.receive(delivery)
        except Problem as problem:
            if problem.kind.status not in {400, 404}:  # the disk is full, say: the rest would fail as well
                raise
            self.tally.counts["aside"] += 1
            self.tally.tell(
                f"{where}: {problem.kind.title} {problem.detail if problem.kind.code == 'form_unknown' else ''}".rstrip()
            )
            return None
        self.tally.counts[receipt.outcome] += 1
        return receipt

    def holds(self, form_id: str, instance_id: str) -> frozenset[str] | None:
        """The names of the files that are here of this version of a record; None if it is not here."""
        key = {"project_id": self.access.project_id, "form_id": form_id, "instance_id": instance_id}
        with self.store.read() as connection:
            if connection.execute(select(SubmissionVersion.root_id).filter_by(**key)).first() is None:
                return None
            return frozenset(map(same_name, connection.execute(select(Attachment.name).filter_by(**key)).scalars()))

    def holds_bytes(self, xml: bytes) -> bool:
        """Whether these very bytes are here as a record."""
        key = {"project_id": self.access.project_id, "sha256": hashlib.sha256(xml).hexdigest()}
        with self.store.read() as connection:
            return connection.execute(select(SubmissionVersion.root_id).filter_by(**key)).first() is not None

    def decided(self, form_id: str, instance_id: str, state: str, comments: Iterable[Said] = ()) -> None:
        """Follow what was decided and said there. What was said here since stays, until they decide anew."""
        comments = list(comments)
        with self.store.read() as connection:
            root_id, said_here = self._said(connection, form_id, instance_id)
        if root_id is None:
            return
        states = [event.state for event in said_here if event.action == "state"]
        if state != (states[-1] if states else "received") and not (state == "edited" and not states):
            remedies.review(self.store, self.there, form_id, root_id, state)
            self.tally.counts["decision"] += 1
        known = {(event.detail.get("by"), event.detail.get("at")) for event in said_here if event.action == "comment"}
        new = [each for each in comments if each.text.strip() and (each.by, each.at) not in known]
        if new:
            self.store.write(lambda connection: self._comment(connection, form_id, root_id, new))
            self.tally.counts["comment"] += len(new)

    def finish(self, target: str) -> None:
        """Write into the log that it was done, with the counts."""
        counts = {name: count for name, count in self.tally.counts.items() if name != "told"}

        def work(connection: Connection) -> None:
            note(connection, "record.pull", target, actor=self.access.actor, project_id=self.access.project_id, **counts)

        self.store.write(work)

    def _said(self, connection: Connection, form_id: str, instance_id: str) -> tuple[str | None, Sequence[Any]]:
        """The id of the record this is a version of, and what was taken over from there before."""
        key = {"project_id": self.access.project_id, "form_id": form_id}
        root = select(SubmissionVersion.root_id).filter_by(**key, instance_id=instance_id)
        root_id = connection.execute(root).scalar()
        event = ReviewEvent
        query = select(event.action, event.state, event.detail).filter_by(**key, instance_id=root_id, actor=self.origin)
        return root_id, connection.execute(query.order_by(event.id)).all()

    def _comment(self, connection: Connection, form_id: str, root_id: str, comments: Sequence[Said]) -> None:
        review = Review(connection, self.there, form_id, root_id)
        for each in comments:
            review.note("comment", each.text.strip()[:MOST_COMMENT], by=each.by, at=each.at)
