"""Where else than in their records a person may be named: comments, lists, trials, what was kept aside, incidents, the log."""

import hashlib
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, or_, select, update

from forms.personal import ERASED
from forms.spelling import folded
from records.access import Access
from records.entities import append_to_feed
from records.models import (
    AppUser,
    AuditEvent,
    ConflictReport,
    DraftSubmission,
    Entity,
    EntityAction,
    EntityList,
    Feed,
    IncidentPair,
    KeptAside,
    Measure,
    RelayFile,
    RelayRecord,
    ReviewEvent,
    SubmissionVersion,
)
from sync.person.finding import RELAYED, Person
from sync.person.identity import Identity


def clear(connection: Connection, access: Access, person: Person, counts: Counter[str], digests: list[str]) -> None:
    """Clear the project of the person; `counts` and `digests` (of files that may go) are added to."""
    _Clearing(connection, access, person, counts, digests).run()


class _Clearing:
    """One clearing, within the unit of work of an erasure."""

    def __init__(self, connection: Connection, access: Access, person: Person, counts: Counter[str], digests: list[str]) -> None:
        self.connection, self.access, self.person = connection, access, person
        self.counts, self.digests, self.now = counts, digests, datetime.now(UTC)
        self.identity: Identity = person.identity
        self.project = {"project_id": access.project_id}

    def run(self) -> None:
        """Everything."""
        self._comments()
        self._notices()
        self._phones()
        self._trials()
        self._aside()
        self._relayed()
        self._entities()
        self._incidents()
        self._log()

    def _comments(self) -> None:
        event = ReviewEvent
        said = select(event.id, event.form_id, event.instance_id, event.comment).filter_by(**self.project)
        for row in self.connection.execute(said).all():
            if self.identity.is_in(row.comment, own=(row.form_id, row.instance_id) in self.person.about):
                self.connection.execute(update(event).filter_by(id=row.id).values(comment=ERASED))
                told = {"kind": "review", **self.project, "form_id": row.form_id, "instance_id": row.instance_id}
                self.connection.execute(insert(Feed).values(**told, sha256="", event_id=row.id))  # so that other nodes erase it
                self.counts["comments"] += 1

    def _notices(self) -> None:
        """What phones were to be told about a record that came back to them."""
        ids = {instance_id for _, instance_id in self.person.about}
        phones = select(AppUser.id, AppUser.notice).filter_by(**self.project).where(AppUser.notice.is_not(None))
        for row in self.connection.execute(phones).all():
            text = str(row.notice.get("text", ""))
            if self.identity.is_in(text, own=row.notice.get("record") in ids):
                self.connection.execute(update(AppUser).filter_by(id=row.id).values(notice={**row.notice, "text": ERASED}))

    def _phones(self) -> None:
        """A phone that is named like them goes on sending, under a name that says nothing."""
        for row in self.connection.execute(select(AppUser.id, AppUser.name).filter_by(**self.project)).all():
            if self.identity.is_in(row.name):
                self.connection.execute(update(AppUser).filter_by(id=row.id).values(name=f"{ERASED} {row.id}"))
                self.counts["phones"] += 1

    def _trials(self) -> None:
        for form_id, instance_id, sha256 in self.person.trials:
            key = {**self.project, "form_id": form_id, "instance_id": instance_id, "sha256": sha256}
            files = self.connection.execute(delete(DraftSubmission).filter_by(**key).returning(DraftSubmission.files)).scalar()
            self.digests += [file["sha256"] for file in files or ()]
            self.counts["trials"] += 1

    def _aside(self) -> None:
        for sha256 in self.person.aside:
            key = {**self.project, "sha256": sha256}
            files = self.connection.execute(select(KeptAside.files).filter_by(**key)).scalar_one()
            settled: dict[str, Any] = {"reason": ERASED, "detail": "", "files": [], "settled_by": self.access.actor}
            self.connection.execute(update(KeptAside).filter_by(**key).values(**settled, settled_at=self.now))
            self.digests += [sha256, *(file[-1] for file in files)]
            self.counts["kept aside"] += 1

    def _relayed(self) -> None:
        """What was signed for the relay cannot be changed: its body goes, as do names of files, and it is never asked for again."""
        row, version = RelayRecord, SubmissionVersion
        chosen: list[ColumnElement[bool]] = [row.id.in_(self.person.relayed)]
        for form_id, instance_id in self.person.about:
            of_record = select(version.instance_id).filter_by(**self.project, form_id=form_id, root_id=instance_id)
            of_kind = row.kind.in_(set(RELAYED) - {"review"})  # a decision stays; its comment names somebody or not
            chosen.append(and_(row.form_id == form_id, row.instance_id.in_(of_record), of_kind))
        for each in chosen:
            ids = self.connection.execute(select(row.id).filter_by(**self.project).where(each)).scalars().all()
            files = delete(RelayFile).where(RelayFile.record_id.in_(ids)).returning(RelayFile.sha256)
            self.digests += self.connection.execute(files).scalars()
            kept = update(row).where(row.id.in_(ids), row.body.is_not(None)).values(waiting=None)
            if count := self.connection.execute(kept).rowcount:
                self.counts["of other nodes"] += count
            self.connection.execute(update(row).where(row.id.in_(ids)).values(body=None, files=[]))

    def _entities(self) -> None:
        """In a list of people the entity goes; in others it stays under the made-up code."""
        for name, uuid in self.person.entities:
            key = {**self.project, "list_name": name, "uuid": uuid}
            entity = self.connection.execute(select(*Entity.__table__.columns).filter_by(**key)).one()
            is_own = name in self.person.own_lists
            for action in self.connection.execute(select(*EntityAction.__table__.columns).filter_by(**key)).all():
                self.connection.execute(update(EntityAction).filter_by(id=action.id).values(self._said(action, is_own=is_own)))
            state = self._said(entity, is_own=is_own)
            if is_own and entity.deleted_at is None:
                state["deleted_at"] = self.now
                asked = {**key, "kind": "delete", "at": self.now, "actor": self.access.actor, "ordinal": 0, "data": {}}
                self.connection.execute(insert(EntityAction).values(**asked, state="applied", detail="", version=entity.version))
            self.connection.execute(update(Entity).filter_by(**key).values(**state, updated_at=self.now))
            grown = {"revision": EntityList.revision + 1}  # phones get the list anew
            self.connection.execute(update(EntityList).filter_by(**self.project, name=name).values(grown))
            append_to_feed(self.connection, self.access.project_id, name, uuid)
            self.counts["entities"] += 1

    def _said(self, row: Any, *, is_own: bool) -> dict[str, Any]:
        """What an entity, or what was asked of one, says afterwards."""
        if is_own:
            return {"label": row.label and ERASED, "data": {}}
        return {"label": self.identity.cleared(row.label), "data": self.identity.cleared(row.data)}

    def _incidents(self) -> None:
        """The facts by which reports are compared, under the made-up code: who was one household still is."""
        report = ConflictReport
        named = or_(report.household.in_(self.identity.codes), report.reporter.in_(self.identity.codes))
        facts = select(report.form_id, report.instance_id, report.household, report.reporter).filter_by(**self.project).where(named)
        for row in self.connection.execute(facts).all():
            key = {**self.project, "form_id": row.form_id, "instance_id": row.instance_id}
            values = {name: self._code(getattr(row, name)) for name in ("household", "reporter")}
            self.connection.execute(update(report).filter_by(**key).values(values))
        for code in self.identity.codes:
            before, after = (hashlib.sha256(each.encode()).hexdigest() for each in (code, self._code(code)))
            self.connection.execute(update(Measure).filter_by(**self.project, subject=before).values(subject=after))
        pair = IncidentPair
        names = ("first_form", "first_id", "second_form", "second_id")
        for each in self.connection.execute(select(*pair.__table__.columns).filter_by(**self.project)).all():
            cleared = {name: self.identity.cleared(getattr(each, name)) for name in ("evidence", "comment")}
            if cleared != {name: getattr(each, name) for name in cleared}:
                key = {**self.project, **{name: getattr(each, name) for name in names}}
                self.connection.execute(update(pair).filter_by(**key).values(cleared))

    def _code(self, folded_code: str) -> str:
        return folded(self.identity.without_codes(folded_code))

    def _log(self) -> None:
        event = AuditEvent
        for row in self.connection.execute(select(event.id, event.target, event.detail).filter_by(**self.project)).all():
            target, detail = self.identity.cleared(row.target), self.identity.cleared(row.detail)
            if (target, detail) != (row.target, row.detail):
                self.connection.execute(update(event).filter_by(id=row.id).values(target=target, detail=detail))
                self.counts["lines of the log"] += 1
