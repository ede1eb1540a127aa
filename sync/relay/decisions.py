"""What people decided elsewhere about a record, replayed here: reviews, deletions, erasures.

Decisions name those their author knew. Where two places decided differently without knowing of each other, the stricter counts and
the record waits for a person, whatever the order in which both arrive.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, Row, and_, delete, insert, select, update

from forms.personal import ERASED
from forms.submission import identify
from records.blobs import BlobStore
from records.flags import flag, flag_columns, is_waiting
from records.models import AppUser, Attachment, Feed, RelayFile, RelayNode, RelayRecord, ReviewEvent, Submission, SubmissionVersion
from records.orphans import remove_files
from records.personal import seal_xml
from records.store import Store, lock_form, vault_of
from sync.intake import Intake, read_answers, reading_flags, state_of
from sync.relay.log import HOLLOW
from sync.relay.projects import STATION
from sync.relay.scribe import DECIDED, ERASURE, REVIEW, SUBMISSION, event_name, heads, is_decision, said_of, unwritten
from sync.relay.waits import Waits

CONTRADICTED = "decisions_contradict"
_STRICTEST = ("rejected", "hasIssues", "approved", "edited", "received", "delete", "restore")
_ADDED = {"comment", "settle", "split"}


def header(row: Row[Any]) -> dict[str, Any]:
    """What the header of a kept record says."""
    said: dict[str, Any] = orjson.loads(row.header)
    return said


def replay(store: Store, row: Row[Any], body: bytes, node: str, me: str) -> None:
    """Do here, at the node `me`, with a record what was done with it elsewhere. Raises `Waits` for one that is not here."""
    about, said = header(row), orjson.loads(body)
    if about["a"] not in _ADDED and not is_decision(about):
        raise Waits("kind")

    def work(connection: Connection) -> None:
        lock_form(connection, row.project_id, row.form_id, alone=True)
        record = _record(connection, row)
        key = {"project_id": row.project_id, "form_id": row.form_id, "instance_id": record.instance_id}
        known = _known(connection, key, about["e"], me)
        if known is not None:
            if said["comment"] == ERASED != known.comment and _may_withdraw(connection, row, record, about["e"]):
                _forget_comments(connection, [known], me, row.id)
            return
        actor = said["actor"] if row.origin == me else f"{said['actor']} @ {node}"
        detail = said["detail"] | {"relay": about["e"]}
        event = {**key, "at": datetime.fromisoformat(said["at"]), "actor": actor, "action": about["a"], "state": about.get("s")}
        added = connection.execute(insert(ReviewEvent).values(**event, comment=said["comment"], detail=detail)).inserted_primary_key
        entry = {"kind": "review", **key, "sha256": record.current_sha256, "event_id": added[0] if added else None}
        connection.execute(insert(Feed).values(entry))
        values = _settled(record, said["detail"], actor) if about["a"] == "settle" else {}
        if about["a"] in DECIDED:
            values = _decided(connection, row, record, about["a"], actor, me)
        if values:
            connection.execute(update(Submission).filter_by(**key).values(**values, updated_at=datetime.now(UTC)))
        if said["detail"].get("remedy") == "return" and record.app_user_id is not None:
            told = {"record": record.instance_id, "text": said["comment"][:120]}
            connection.execute(update(AppUser).filter_by(id=record.app_user_id).values(notice=told))

    store.write(work)


def _known(connection: Connection, key: dict[str, Any], name: str, me: str) -> Row[Any] | None:
    """What was done with a record under this name, if it was done here or told before."""
    events = connection.execute(select(*ReviewEvent.__table__.columns).filter_by(**key))
    return next((each for each in events if name == (each.detail.get("relay") or event_name(me, each))), None)


def _may_withdraw(connection: Connection, row: Row[Any], record: Row[Any], name: str) -> bool:
    """Whether the node may say that a comment was erased: a station only of what was said there."""
    if connection.execute(select(RelayNode.role).filter_by(id=row.origin)).scalar() != STATION:
        return True
    said = said_of(connection, row.project_id, row.form_id, record.instance_id)
    return any(each.about.get("e") == name and each.origin == row.origin and each.id != row.id for each in said)


def _forget_comments(connection: Connection, events: Sequence[Row[Any]], me: str, told: str = "") -> None:
    """Erase what people said with these events, here and in all that was signed of it but the record that `told` so; and pass it
    on."""
    for event in events:
        key = {"project_id": event.project_id, "form_id": event.form_id, "instance_id": event.instance_id}
        connection.execute(update(ReviewEvent).filter_by(id=event.id).values(comment=ERASED))
        connection.execute(insert(Feed).values(kind="review", **key, sha256="", event_id=event.id))
        name = event.detail.get("relay") or event_name(me, event)
        said = [each.id for each in said_of(connection, *key.values()) if each.id != told and each.about.get("e") == name]
        connection.execute(update(RelayRecord).where(RelayRecord.id.in_(said)).values(body=None, waiting=None))


def _record(connection: Connection, row: Row[Any]) -> Row[Any]:
    of_form = {"project_id": row.project_id, "form_id": row.form_id}
    roots = select(SubmissionVersion.root_id).filter_by(**of_form, instance_id=row.instance_id)
    query = select(*Submission.__table__.columns).filter_by(**of_form).where(Submission.instance_id.in_(roots))
    found = connection.execute(query.with_for_update()).first()
    if found is None or not _may_decide(connection, row, row.origin, found.instance_id):
        raise Waits("original")
    return found


def _may_decide(connection: Connection, row: Row[Any], origin: str, root_id: str) -> bool:
    """Whether a node may say something of a record: a station only of those that it brought, in case it is stolen."""
    if connection.execute(select(RelayNode.role).filter_by(id=origin)).scalar() != STATION:
        return True
    of_form = {"project_id": row.project_id, "form_id": row.form_id}
    versions = select(SubmissionVersion.instance_id).filter_by(**of_form, root_id=root_id)
    brought = select(RelayRecord.id).filter_by(**of_form, kind=SUBMISSION, origin=origin)
    return connection.execute(brought.where(RelayRecord.instance_id.in_(versions)).limit(1)).first() is not None


def _decided(connection: Connection, row: Row[Any], record: Row[Any], action: str, actor: str, me: str) -> dict[str, Any]:
    """What the decisions on a record come to, now that one more is known."""
    said = said_of(connection, row.project_id, row.form_id, record.instance_id)
    heard = {each for each in {one.origin for one in said} if _may_decide(connection, row, each, record.instance_id)}
    told = [each.about for each in said if is_decision(each.about) and each.origin in heard]
    key = {"project_id": row.project_id, "form_id": row.form_id, "instance_id": record.instance_id}
    told += unwritten(connection, me, key, [each["e"] for each in told])
    decisions = set(heads(told, action).values())
    decided = min(decisions, key=_STRICTEST.index)
    flags = list(record.flags)
    if action == "state" and len(decisions) > 1 and not any(item["code"] == CONTRADICTED for item in flags):
        flags.append(flag(CONTRADICTED, decisions=", ".join(sorted(decisions))))
    if action != "state":
        return {"deleted_at": datetime.now(UTC) if decided == "delete" else None, "checked": 0}
    if decided == "approved":
        flags = _accepted(flags, actor, {item["code"] for item in flags})
    again = {"checked": 0} if "rejected" in {decided, record.review_state} else {}
    return {"review_state": decided, **flag_columns(flags), **again}


def _settled(record: Row[Any], detail: dict[str, Any], actor: str) -> dict[str, Any]:
    return flag_columns(_accepted(record.flags, actor, set(detail.get("flags", ()))))


def _accepted(flags: list[dict[str, Any]], actor: str, codes: set[str]) -> list[dict[str, Any]]:
    mark = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "by": actor, "remedy": "accept"}
    return [{**item, "settled": mark} if item["code"] in codes and is_waiting(item) else item for item in flags]


def hide(store: Store, row: Row[Any], node: str) -> None:
    """Take a record out of every list that a station erased, until a person says what is to become of it."""

    def work(connection: Connection) -> None:
        record = _record(connection, row)
        if record.deleted_at is None:
            key = {"project_id": row.project_id, "form_id": row.form_id, "instance_id": record.instance_id}
            connection.execute(update(Submission).filter_by(**key).values(deleted_at=datetime.now(UTC), checked=0))
            event = {"at": datetime.now(UTC), "actor": node, "action": "delete", "comment": "", "detail": {"relay": row.id}}
            connection.execute(insert(ReviewEvent).values(**key, **event, state=None))

    store.write(work)


def show(store: Store, row: Row[Any]) -> None:
    """Bring back what `hide` took out: what happened counts again, without whom it happened to."""

    def work(connection: Connection) -> None:
        record = _record(connection, row)
        key = {"project_id": row.project_id, "form_id": row.form_id, "instance_id": record.instance_id}
        hidden = select(ReviewEvent.id).filter_by(**key, action="delete").where(ReviewEvent.detail["relay"].as_string() == row.id)
        if connection.execute(hidden).first() is not None:
            connection.execute(update(Submission).filter_by(**key).values(deleted_at=None, checked=0))

    store.write(work)


def erase(store: Store, blobs: BlobStore, intake: Intake, row: Row[Any], xml: bytes, me: str, *, is_agreed: bool = False) -> None:
    """Put what is left of a version in its place, take its files away, and never send or take the rest again.

    `is_agreed`: a person here agreed to what a station erased; who is meant is not known here, so all comments go.
    """
    incoming = identify(xml)
    schema, _ = intake.schemas.get(row.project_id, row.form_id, incoming.version)
    reading = read_answers(schema, incoming)
    about = header(row)
    is_by_them = bool(about.get("w"))

    def work(connection: Connection) -> list[str]:
        lock_form(connection, row.project_id, row.form_id, alone=True)
        record, now = _record(connection, row), datetime.now(UTC)
        key = {"project_id": row.project_id, "form_id": row.form_id, "instance_id": row.instance_id}
        of_version = {**key, "sha256": _sha256_here(connection, key, about["x"])}
        vault = vault_of(connection)
        values = {"xml": seal_xml(vault, of_version, xml), "redacted_at": now}
        values |= {} if is_by_them else {"erased_at": now, "contact_paths": None}
        connection.execute(update(SubmissionVersion).filter_by(**of_version).values(values))
        told = select(RelayRecord.id).filter_by(**key).where(RelayRecord.kind != ERASURE)
        told = told.where(RelayRecord.kind != REVIEW)
        connection.execute(update(RelayRecord).where(RelayRecord.id.in_(told)).values(body=None, files=[]))
        gone = [sha256 for _, sha256, _ in row.files]  # of a time before that broke off
        if not is_by_them:
            gone += connection.execute(delete(Attachment).filter_by(**key).returning(Attachment.sha256)).scalars()
            gone += connection.execute(delete(RelayFile).where(RelayFile.record_id.in_(told)).returning(RelayFile.sha256)).scalars()
        connection.execute(update(RelayRecord).filter_by(id=row.id).values(files=[["", sha256, 0] for sha256 in gone]))
        of_record = {**key, "instance_id": record.instance_id}
        if (record.current_instance_id, record.current_sha256) == (row.instance_id, of_version["sha256"]):
            state = state_of(vault, of_version, incoming, reading, reading_flags(reading))
            state = {name: value for name, value in state.items() if name not in {"flags", "attention", "excluded"}}
            state |= {} if is_by_them else {"files": [], "contact": None}
            connection.execute(update(Submission).filter_by(**of_record).values(**state, updated_at=now))
        if is_agreed:
            events = select(*ReviewEvent.__table__.columns).filter_by(**of_record).where(ReviewEvent.comment.not_in(["", ERASED]))
            _forget_comments(connection, connection.execute(events).all(), me)
        connection.execute(insert(Feed).values(kind="erasure", **of_record, sha256=record.current_sha256))
        return gone

    remove_files(store, blobs, store.write(work))
    store.tidy()


def came_whole(connection: Connection, brought: ColumnElement[bool]) -> list[str]:
    """The erasures that were carried out and of whose versions, among those `brought`, another node brought the whole since."""
    row, version = RelayRecord, SubmissionVersion
    same = and_(*(getattr(row, name) == getattr(version, name) for name in ("project_id", "form_id", "instance_id", "sha256")))
    query = select(*row.__table__.columns).join(version, same).where(brought, version.erased_at.is_(None))
    return [
        each.id for each in connection.execute(query.where(row.kind == ERASURE, row.waiting.is_(None))) if not header(each).get("w")
    ]


def pass_over(store: Store, me: str) -> None:
    """Wait no longer for the content of what was erased here too, nor of what was told in another record since."""
    row, version = RelayRecord, SubmissionVersion
    with store.read() as connection:
        waiting = connection.execute(select(*row.__table__.columns).filter_by(waiting=HOLLOW)).all()
        done = []
        for each in waiting:
            of_form = {"project_id": each.project_id, "form_id": each.form_id}
            here = select(version.root_id, version.erased_at).filter_by(**of_form, instance_id=each.instance_id)
            of_record = connection.execute(here).all()
            if each.kind == REVIEW:
                name = header(each).get("e", "")
                roots = [{**of_form, "instance_id": known.root_id} for known in of_record]
                is_over = any(_known(connection, root, name, me) is not None for root in roots)
            else:
                is_over = any(known.erased_at is not None for known in of_record)
            done += [each.id] * is_over
    if done:
        store.write(lambda connection: connection.execute(update(row).where(row.id.in_(done)).values(waiting=None)))


def _sha256_here(connection: Connection, instance: dict[str, Any], sha256: str) -> str:
    """The digest under which a version is here that has this one elsewhere: it may have come without its contacts.

    Raises `Waits` if it is not here.
    """
    here = connection.execute(select(SubmissionVersion.sha256).filter_by(**instance)).scalars().all()
    if sha256 in here:
        return sha256
    if len(here) != 1:
        raise Waits("original")
    return here[0]
