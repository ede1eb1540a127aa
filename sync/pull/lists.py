"""Entity lists of ODK Central: their properties, their entries with every version, and which were deleted there.

Most entries are made here by the records that made them there. What came otherwise (typed in, uploaded, changed by hand) follows:
a version that is not among those here is asked for as a change that builds on the last one both have, so that a change made here
since is marked and not lost.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from sqlalchemy import Connection, select

from forms.entities import normal_uuid
from forms.problems import Problem
from records import entities as kept
from records.access import Right
from records.models import Entity, EntityAction
from sync import entities
from sync.entity_fold import APPLIED, LABEL, Values
from sync.pull import progress
from sync.pull.client import Client, Missing
from sync.pull.receiving import Receiver
from sync.pull.walk import Json, pages

_CHANGED, _DELETED = ("createdAt", "updatedAt"), ("deletedAt",)
_EVER = "1970-01-01T00:00:00.000Z"


class _Version(NamedTuple):
    """A version of an entry there: how it looks, and what was asked of it to become so."""

    values: Values
    asked: Values


class _News(NamedTuple):
    """An entry that looks otherwise there: all its versions, the oldest first."""

    uuid: str
    versions: Sequence[_Version]


class Lists:
    """The entity lists of one project of one ODK Central."""

    def __init__(self, receiver: Receiver, client: Client, project: str) -> None:
        receiver.access.require(Right.ENTITIES)
        self._receiver, self._client, self._project = receiver, client, project
        self._properties: dict[str, dict[str, str]] = {}
        """By list: what a property is called, by the name of its column there."""

    def make(self, only: Collection[str]) -> None:
        """Make the lists that these forms feed or pick from (none named: all), before the forms are published."""
        try:
            listed: list[Json] = self._client.json(f"{self._project}/datasets")
        except Missing:  # a server from before there were lists
            return
        for name in [each["name"] for each in listed]:
            try:
                about = self._client.json(self._at(name))
            except Missing as error:
                self._receiver.tally.tell(f"the list {name}: it cannot be had ({error})")
                continue
            forms = {form["xmlFormId"] for form in [*about.get("linkedForms", ()), *about.get("sourceForms", ())]}
            if not only or forms & set(only):
                self._make(name, about)

    def _make(self, name: str, about: Json) -> None:
        receiver, access = self._receiver, self._receiver.access
        properties = {each.get("odataName") or each["name"]: each["name"] for each in about.get("properties", ())}

        def work(connection: Connection) -> bool:
            is_new = name not in kept.names(connection, access.project_id)
            kept.make_list(connection, access.project_id, name, properties.values())
            return is_new

        try:
            is_new = receiver.store.write(work)
        except Problem as problem:
            receiver.tally.tell(f"the list {name}: {problem}")
            return
        if is_new and about.get("approvalRequired"):
            kept.set_approval(receiver.store, receiver.there, name, True)
        self._properties[name] = properties

    def pull(self) -> None:
        """Follow what is new in the lists that `make` made; the records that feed them are here already."""
        for name in self._properties:
            address = f"{self._client.base}{self._at(name)}"
            state = progress.load(self._receiver.store, self._receiver.access.project_id, address)
            table = f"{self._at(name)}.svc/Entities"
            gone = [
                row["__id"]
                for page in pages(self._client, table, _DELETED, {"since": state.get("since") or _EVER}, only="__id")
                for row in page.rows
            ]
            self._receiver.store.write(lambda connection, name=name, gone=gone: self._delete(connection, name, gone))  # type: ignore[misc]
            for page in pages(self._client, table, _CHANGED, state):
                news = [each for each in self._news(name, page.rows) if each is not None]
                self._receiver.store.write(lambda connection, name=name, news=news: self._follow(connection, name, news))  # type: ignore[misc]
                progress.save(self._receiver.store, self._receiver.access.project_id, address, page.state)

    def _news(self, name: str, rows: Iterable[Json]) -> Iterable[_News | None]:
        """What is not here of these entries; nothing is written."""
        for row in rows:
            uuid = normal_uuid(row["__id"])
            values = self._values(name, row)
            with self._receiver.store.read() as connection:
                here = _here(connection, self._receiver.access.project_id, name, uuid)
            if here is None or here.deleted_at is not None or not _alike(values, {**here.data, LABEL: here.label}):
                yield self._of_one(name, uuid, row, values, here)

    def _of_one(self, name: str, uuid: str, row: Json, values: Values, here: Any) -> _News | None:
        if here is not None and here.deleted_at is not None:
            self._receiver.tally.tell(f"list {name}, {values[LABEL]}: it was deleted here and stays so")
            return None
        versions = [_Version(values, values)]
        if row["__system"].get("updates") or row["__system"].get("version", 1) > 1:
            try:
                listed: list[Json] = self._client.json(f"{self._at(name)}/entities/{uuid}/versions")
            except Missing as error:
                self._receiver.tally.tell(f"list {name}, {values[LABEL]}: its versions cannot be had ({error})")
                return None
            versions = [_version(each) for each in sorted(listed, key=lambda each: int(each["version"]))]
        return _News(uuid, versions)

    def _follow(self, connection: Connection, name: str, news: Iterable[_News]) -> None:
        """Ask here for the versions that are not here. What waited for one of them may make the next by itself."""
        for uuid, versions in news:
            base, common = self._common(connection, name, uuid, versions)
            asked = 0
            while common < len(versions):
                version = versions[common]
                kind = "update" if base else "create"
                entities.ask(connection, self._receiver.there, name, uuid, kind, version.asked, base or None)
                said = _last(connection, self._receiver.access.project_id, name, uuid)
                if said.state != APPLIED:
                    self._receiver.tally.tell(f"list {name}, {version.values[LABEL]}: {said.detail}")
                    break
                asked = common + 1
                base, common = self._common(connection, name, uuid, versions)
                base, common = max(base, said.version), max(common, asked)
            self._receiver.tally.counts["entity"] += bool(asked)

    def _common(self, connection: Connection, name: str, uuid: str, versions: Sequence[_Version]) -> tuple[int, int]:
        """The last version that both have: its number here and there. Where they share none, ours is the one to build on."""
        if _here(connection, self._receiver.access.project_id, name, uuid) is None:
            return 0, 0
        history, actions = entities.history(connection, self._receiver.access, uuid, name)
        taken = {
            action.version: {**action.data, **({} if action.label is None else {LABEL: action.label})}
            for action in actions
            if action.actor == self._receiver.origin and action.state == APPLIED
        }
        here, there = 0, 0
        for number, version in enumerate(versions, 1):
            for at in range(here + 1, len(history.versions) + 1):
                if _alike(version.values, history.versions[at - 1]) or taken.get(at) == version.asked:
                    here, there = at, number
                    break
        return here or 1, there

    def _delete(self, connection: Connection, name: str, uuids: Iterable[str]) -> None:
        for uuid in map(normal_uuid, uuids):
            here = _here(connection, self._receiver.access.project_id, name, uuid)
            if here is not None and here.deleted_at is None:
                entities.ask(connection, self._receiver.there, name, uuid, "delete", {})
                self._receiver.tally.counts["entity_gone"] += 1

    def _values(self, name: str, row: Json) -> Values:
        properties = self._properties[name]
        found = {properties[column]: str(value) for column, value in row.items() if column in properties and value}
        return {**found, LABEL: row.get("label") or ""}

    def _at(self, name: str) -> str:
        return f"{self._project}/datasets/{quote(name, safe='')}"


def _version(listed: Json) -> _Version:
    values = {**listed["data"], LABEL: listed["label"]}
    return _Version(values, listed.get("dataReceived") or values)


def _alike(one: Values, other: Values) -> bool:
    """Whether they say the same; to say nothing of a property is to leave it empty."""
    return {name: value for name, value in one.items() if value} == {name: value for name, value in other.items() if value}


def _here(connection: Connection, project_id: int, name: str, uuid: str) -> Any:
    query = select(Entity.label, Entity.data, Entity.deleted_at).filter_by(project_id=project_id, list_name=name, uuid=uuid)
    return connection.execute(query).first()


def _last(connection: Connection, project_id: int, name: str, uuid: str) -> Any:
    """What became of what was asked last."""
    action = EntityAction
    query = select(action.state, action.detail, action.version).filter_by(project_id=project_id, list_name=name, uuid=uuid)
    return connection.execute(query.order_by(action.id.desc()).limit(1)).one()
