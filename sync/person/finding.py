"""Looking for what is kept of a person, in every place where it may be."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Connection, Row, and_, select

from forms.definition import Field, FormDefinition
from forms.personal import CODES, REGISTER, REPORTER, Told
from forms.problems import Problem
from forms.spelling import folded
from forms.submission import identify
from records.access import Access, Right
from records.audit import note
from records.blobs import BlobStore
from records.forms import Schemas
from records.models import (
    AppUser,
    DraftSubmission,
    Entity,
    Form,
    KeptAside,
    RelayRecord,
    ReviewEvent,
    Submission,
    SubmissionVersion,
)
from records.personal import open_contact, open_xml
from records.store import Store
from sync.intake import read_answers
from sync.person.identity import Identity

_BATCH = 500
NO_CODE = {"", "new"}
"""What stands in place of a code that is not known, as compared."""
RELAYED = ("sub", "att", "review", "entity")
"""Kinds of signed records that other nodes send, or get, and in whose bodies somebody may be named; see `sync.relay`."""
RecordKey = tuple[str, str]
"""Form id and id of a record."""


@dataclass(slots=True)
class Person:
    """What is kept of a person. `about` are the records about them, `written` those about others in which they are named, mostly as
    who wrote them.
    """

    identity: Identity
    about: list[RecordKey] = field(default_factory=list)
    written: list[RecordKey] = field(default_factory=list)
    mentions: list[RecordKey] = field(default_factory=list)
    """Records with a comment that names them."""
    entities: list[tuple[str, str]] = field(default_factory=list)
    """Lists, and ids of entities in them."""
    own_lists: set[str] = field(default_factory=set)
    """Lists of people: an entity that names the person is theirs."""
    trials: list[tuple[str, str, str]] = field(default_factory=list)
    """Form id, instance id and digest of records of trials."""
    aside: list[str] = field(default_factory=list)
    """Digests of what was refused and kept aside."""

    relayed: list[str] = field(default_factory=list)
    """Ids of records of other nodes, or for them, that name the person."""
    phones: list[str] = field(default_factory=list)
    """Names of phones that are named like them."""

    @property
    def is_nobody(self) -> bool:
        """Whether nothing was found."""
        return not any((self.about, self.written, self.mentions, self.entities, self.trials, self.aside, self.relayed, self.phones))


@dataclass(frozen=True, slots=True)
class Code:
    """An answer that is a code."""

    item: Field
    text: str


def find(store: Store, blobs: BlobStore, schemas: Schemas, access: Access, text: str) -> Person:
    """Look for a person by a household's or reporter's code, a name or a telephone number; the log says that somebody looked.

    Raises `Problem` value_invalid, not_allowed or personal_key_missing.
    """
    access.require(Right.CONTACT)
    person = Person(Identity.of(text))
    store.write(lambda connection: note(connection, "personal.find", "", actor=access.actor, project_id=access.project_id))
    _Search(store, blobs, schemas, access, person).run()
    return person


def of_records(store: Store, blobs: BlobStore, schemas: Schemas, access: Access, keys: Sequence[RecordKey]) -> Person:
    """The person that these records are about: everything in them that stands for somebody.

    Raises `Problem` submission_unknown, not_allowed or personal_key_missing.
    """
    access.require(Right.CONTACT)
    person = Person(Identity(), about=list(keys))
    search = _Search(store, blobs, schemas, access, person)
    for form_id, instance_id in keys:
        search.learn(form_id, instance_id)
    store.write(lambda connection: note(connection, "personal.find", "", actor=access.actor, project_id=access.project_id))
    search.run()
    return person


def codes_in(fields: Sequence[Field], answers: Mapping[str, Any]) -> Iterator[Code]:
    """The codes of households and people among some answers."""
    for item in fields:
        value = answers.get(item.name)
        if item.kind == "question":
            if item.personal in CODES and isinstance(value, str) and value:
                yield Code(item, value)
        else:
            for content in value if isinstance(value, list) else [value]:
                if isinstance(content, dict):
                    yield from codes_in(item.children, content)


class _Search:
    """One look through a project."""

    def __init__(self, store: Store, blobs: BlobStore, schemas: Schemas, access: Access, person: Person) -> None:
        self.store, self.blobs, self.schemas, self.access, self.person = store, blobs, schemas, access, person
        self.project = {"project_id": access.project_id}
        self.codes: set[str] = set()

    def run(self) -> None:
        """Look everywhere; where a contact was found, its household is looked for by its code, too."""
        identity = self.person.identity
        with self.store.snapshot() as connection:
            forms = connection.execute(select(*Form.__table__.columns).filter_by(**self.project)).all()
            self.person.own_lists = {name for form in forms for name in self._lists_of_people(form)}
            self._records(connection)
            if not self.codes <= identity.codes:
                identity.codes |= self.codes
                self._records(connection)
            said = select(ReviewEvent.form_id, ReviewEvent.instance_id, ReviewEvent.comment).filter_by(**self.project)
            for row in connection.execute(said):
                key = (row.form_id, row.instance_id)
                if identity.is_in(row.comment, own=key in self.person.about) and key not in self.person.mentions:
                    self.person.mentions.append(key)
            for entity in connection.execute(select(*Entity.__table__.columns).filter_by(**self.project)):
                if any(identity.is_in(str(text)) for text in (entity.label, *entity.data.values())):
                    self.person.entities.append((entity.list_name, entity.uuid))
            names = connection.execute(select(AppUser.name).filter_by(**self.project).order_by(AppUser.id)).scalars()
            self.person.phones = [name for name in names if identity.is_in(name)]
            for trial in connection.execute(select(*DraftSubmission.__table__.columns).filter_by(**self.project)):
                if identity.is_in(_readable(open_xml(self.store.vault, trial))):
                    self.person.trials.append((trial.form_id, trial.instance_id, trial.sha256))
            for sha256 in connection.execute(select(KeptAside.sha256).filter_by(**self.project)).scalars():
                if self.blobs.has(sha256) and identity.is_in(_readable(self.blobs.open(sha256).read())):
                    self.person.aside.append(sha256)
            self._relayed(connection)

    def _relayed(self, connection: Connection) -> None:
        """What came from other nodes and waits, or was said to them; what a station erased waits for a person anyway."""
        row, version, identity, own = RelayRecord, SubmissionVersion, self.person.identity, set[RecordKey]()
        for form_id, root_id in self.person.about:
            versions = select(version.instance_id).filter_by(**self.project, form_id=form_id, root_id=root_id)
            own |= {(form_id, instance_id) for instance_id in connection.execute(versions).scalars()}
        kept = select(row.id, row.kind, row.body, row.form_id, row.instance_id).filter_by(**self.project)
        kept = kept.where(row.body.is_not(None), row.kind.in_(RELAYED))
        for each in connection.execute(kept, execution_options={"yield_per": _BATCH}):
            body = self.store.vault.open(each.body, "relay", each.id)
            comment = str(orjson.loads(body)["comment"]) if each.kind == "review" else ""
            if identity.is_in(_readable(body)) or identity.is_in(comment, own=(each.form_id, each.instance_id) in own):
                self.person.relayed.append(each.id)

    def learn(self, form_id: str, instance_id: str) -> None:
        """Take a record's codes and contacts for the person's. Raises `Problem("submission_unknown")`."""
        with self.store.read() as connection:
            key = {"form_id": form_id, "instance_id": instance_id}
            row = connection.execute(select(*Submission.__table__.columns).filter_by(**self.project, **key)).first()
        if row is None:
            raise Problem("submission_unknown", instance_id)
        self.person.identity.codes |= _of_households(codes_in(self._definition(form_id, row.version).fields, row.answers))
        self.person.identity.learn(open_contact(self.store.vault, row))

    def _records(self, connection: Connection) -> None:
        self._current_contents(connection)
        self._other_contents(connection)

    def _current_contents(self, connection: Connection) -> None:
        columns = [getattr(Submission, name) for name in ("project_id", "form_id", "instance_id", "version", "answers", "contact")]
        columns += [Submission.current_instance_id, Submission.current_sha256]
        query = select(*columns).filter_by(**self.project, encrypted=False).order_by(Submission.received_at)
        for row in connection.execute(query, execution_options={"yield_per": _BATCH}):
            definition = self._definition(row.form_id, row.version)
            self._look((row.form_id, row.instance_id), definition, row.answers, open_contact(self.store.vault, row))

    def _other_contents(self, connection: Connection) -> None:
        """What the other contents of records say: those before a correction, and those in conflict."""
        version = SubmissionVersion
        current = and_(
            Submission.project_id == version.project_id,
            Submission.form_id == version.form_id,
            Submission.current_instance_id == version.instance_id,
            Submission.current_sha256 == version.sha256,
            Submission.instance_id == version.root_id,
        )
        query = select(*version.__table__.columns).join(Submission, current, isouter=True)
        query = query.where(version.project_id == self.access.project_id, Submission.instance_id.is_(None))
        for row in connection.execute(query, execution_options={"yield_per": _BATCH}):
            incoming = identify(open_xml(self.store.vault, row))
            schema, _ = self.schemas.get(row.project_id, row.form_id, row.version)
            reading = read_answers(schema, incoming)
            self._look((row.form_id, row.root_id), schema.definition, reading.answers, reading.contact)

    def _look(self, key: RecordKey, definition: FormDefinition, answers: Mapping[str, Any], told: Sequence[Told]) -> None:
        """Whether a content of a record is about the person, or was written by them."""
        identity = self.person.identity
        codes = list(codes_in(definition.fields, answers))
        is_told = any(identity.is_in(each.text) for each in told)
        if is_told:
            self.codes |= _of_households(codes)
        named = [code for code in codes if identity.has_code(code.text)]
        if is_told or any(code.item.personal != REPORTER for code in named):
            if key not in self.person.about:
                self.person.about.append(key)
            identity.learn(told)
        elif key not in self.person.written and (named or any(map(identity.is_in, _texts(answers)))):
            self.person.written.append(key)

    def _lists_of_people(self, form: Row[Any]) -> Iterator[str]:
        """The lists in which a form gives people their codes."""
        definition = self._definition(form.form_id, form.current_version)
        for declared in definition.declarations:
            if any(definition.by_path[path].personal == REGISTER for path in declared.properties):
                yield declared.list_name

    def _definition(self, form_id: str, version: str) -> FormDefinition:
        return self.schemas.get(self.access.project_id, form_id, version)[0].definition


def _of_households(codes: Iterable[Code]) -> set[str]:
    """Those of the codes that stand for whom the record is about, as compared."""
    return {folded(code.text) for code in codes if code.item.personal != REPORTER} - NO_CODE


def _texts(value: Any) -> Iterator[str]:
    """Every text among some answers."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)


def _readable(content: bytes) -> str:
    """The words of a file whatever it is."""
    return content.decode("utf-8", "replace")
