"""What a hub tells its stations: forms with their files, entity lists, which nodes there are; and each what was decided about its
records."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, Row, func, select

from records.models import Entity, EntityList, Form, FormMedia, FormVersion, RelayNode, RelayRecord, SubmissionVersion
from sync.relay import log
from sync.relay.batch import digest
from sync.relay.log import Entry
from sync.relay.projects import DECISIONS, FORMS, NODES, STATION, channel
from sync.relay.scribe import SUBMISSION, Scribe, To

FORM, FORM_STATE, ENTITY, NODE = "form", "state", "entity", "node"


class Downward(Scribe):
    """Writes the log of a project whose hub we are."""

    def run(self) -> int:
        """Write down everything that changed; how many rows of the feed and records."""
        return super().run() + self._standing()

    def entries(self, connection: Connection, page: Sequence[Row[Any]]) -> Iterator[Entry]:
        """What stations should have of these rows of the feed."""
        entities = {(row.form_id, row.instance_id): None for row in page if row.kind == "entity"}
        for row in page:
            if row.kind in {"review", "erasure"}:
                tell = self.review if row.kind == "review" else self.erasure
                yield from tell(connection, row, self._of_record(connection, row))
        for name, uuid in entities:
            yield from self._entity(connection, name, uuid)

    def _of_record(self, connection: Connection, row: Row[Any]) -> To:
        """The channels of the stations that brought a record, and of which of its versions."""
        versions = select(SubmissionVersion.instance_id).filter_by(project_id=self.project_id, form_id=row.form_id)
        of_record = RelayRecord.instance_id.in_(versions.where(SubmissionVersion.root_id == row.instance_id))
        query = select(RelayRecord.via, RelayRecord.instance_id, RelayRecord.sha256)
        query = query.filter_by(project_id=self.project_id, form_id=row.form_id, kind=SUBMISSION)
        brought: dict[str, set[tuple[str, str]]] = {}
        for each in connection.execute(query.where(of_record, RelayRecord.via.is_not(None)).order_by(RelayRecord.via)):
            brought.setdefault(channel(DECISIONS, self.key, str(each.via)), set()).add((each.instance_id, each.sha256))
        return brought

    def _entity(self, connection: Connection, name: str, uuid: str) -> Iterator[Entry]:
        query = select(*Entity.__table__.columns).filter_by(project_id=self.project_id, list_name=name, uuid=uuid)
        row = connection.execute(query).first()
        of_list = select(EntityList.properties, EntityList.approval).filter_by(project_id=self.project_id, name=name)
        about = connection.execute(of_list).first()
        if row is None or about is None:
            return
        told = {"label": row.label, "data": row.data, "version": row.version, "deleted": row.deleted_at is not None}
        body = orjson.dumps(told | {"properties": about.properties, "approval": about.approval})
        yield self.written(ENTITY, channel(FORMS, self.key), row.updated_at or row.created_at, body, f=name, i=uuid)

    def _standing(self) -> int:
        """Forms, their states and the nodes, of which few change: what was not told in these words yet."""
        with self.store.snapshot() as connection:
            columns = (RelayRecord.kind, RelayRecord.form_id, RelayRecord.instance_id, RelayRecord.header)
            of_channels = RelayRecord.channel.in_(
                [channel(name, self.key) for name in (FORMS, NODES)]
            )  # by their index: it is asked often
            mine = select(*columns).where(of_channels, RelayRecord.kind != ENTITY, RelayRecord.origin == self.me.node_id)
            rows = connection.execute(mine).all()
            told: dict[tuple[str, ...], tuple[int, str, str]] = {}
            for row in rows:
                key = (row.kind, row.form_id, row.instance_id)
                told[key] = max(told.get(key, (0, "", "")), rank(row.header))
            facts = [*self._forms(connection), *self._states(connection), *self._nodes(connection)]
        last = [(each, told.get((each.kind, each.form_id, each.name), (0, "", ""))) for each in facts]
        news = [(each, before[0] + 1) for each, before in last if before[2] != digest(each.body)]
        if news:
            entries = [
                self.written(each.kind, channel(each.channel, self.key), each.at, each.body, f=each.form_id, i=each.name, v=number)
                for each, number in news
            ]
            self.store.write(lambda connection: log.append(connection, entries))
        return len(news)

    def _forms(self, connection: Connection) -> Iterator["_Fact"]:
        media: dict[tuple[str, str], list[list[Any]]] = {}
        of_project = select(*FormMedia.__table__.columns).filter_by(project_id=self.project_id, replaced_at=None)
        for row in connection.execute(of_project.order_by(FormMedia.name)):
            media.setdefault((row.form_id, row.version), []).append([row.name, row.sha256, row.size])
        version = FormVersion
        about = (
            version.form_id,
            version.version,
            version.title,
            version.sha256,
            version.published_at,
            version.source_name,
            version.note,
        )
        query = select(*about, func.length(version.xform).label("size")).where(version.project_id == self.project_id)
        for row in connection.execute(query.order_by(version.published_at, version.form_id)):
            files = [["", row.sha256, row.size], *media.get((row.form_id, row.version), [])]
            body = orjson.dumps({"title": row.title, "source": row.source_name, "note": row.note, "files": files})
            yield _Fact(FORM, FORMS, row.published_at, body, row.form_id, row.version)

    def _states(self, connection: Connection) -> Iterator["_Fact"]:
        for row in connection.execute(select(*Form.__table__.columns).filter_by(project_id=self.project_id)):
            body = orjson.dumps({"state": row.state, "current": row.current_version, "confidential": row.confidential})
            yield _Fact(FORM_STATE, FORMS, datetime.now(UTC), body, row.form_id, "")

    def _nodes(self, connection: Connection) -> Iterator["_Fact"]:
        for row in connection.execute(select(*RelayNode.__table__.columns).filter_by(project_id=self.project_id, role=STATION)):
            body = orjson.dumps({"name": row.name, "verify_key": row.verify_key.hex(), "revoked": row.revoked_at is not None})
            yield _Fact(NODE, NODES, row.revoked_at or row.enrolled_at, body, "", row.id)


class _Fact(NamedTuple):
    """Something that stands, as it is told; `name` is the version of a form, or the id of a node."""

    kind: str
    channel: str
    at: datetime
    body: bytes
    form_id: str
    name: str


def rank(header: bytes) -> tuple[int, str, str]:
    """By which the last word about something is found on all nodes, in whatever order they came: how often it was said before; and
    where a database was put back, so that two were said as often, anything that is the same everywhere."""
    about = orjson.loads(header)
    return int(about.get("v", 0)), str(about.get("t", "")), str(about.get("b", ""))
