"""Publishing here the forms of another server. A version that is known here stays as it is."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select, update

from forms.problems import Problem
from forms.xlsform import convert
from records.form_life import set_state
from records.models import Form, FormVersion
from records.publishing import list_changed, publish
from sync import aside
from sync.pull.receiving import Receiver


@dataclass(frozen=True, slots=True)
class Definition:
    """A version of a form as the other server has it, with the files it uses."""

    xform: bytes
    media: Mapping[str, bytes] = field(default_factory=dict)


def known_versions(receiver: Receiver, form_id: str) -> dict[str, str]:
    """The digest of every version of a form that is here."""
    with receiver.store.read() as connection:
        rows = connection.execute(select(FormVersion.version, FormVersion.sha256).filter_by(**_key(receiver, form_id))).all()
    return {row.version: row.sha256 for row in rows}


def publish_missing(receiver: Receiver, form_id: str, found: Sequence[Definition], *, has_newest: bool) -> None:
    """Publish those of these versions (the oldest first) that are not here; `has_newest`: the last is the one in use there.

    Phones get that one from then on, unless they get a version that was published here and not taken over. What cannot be published
    is told, and its records are kept aside or flagged until a person publishes it.
    """
    before, source = _current(receiver, form_id)
    published = 0
    for definition in found:
        try:
            published += _publish(receiver, form_id, definition)
        except Problem as problem:
            receiver.tally.tell(f"{form_id}: {problem}")
    receiver.tally.counts["form"] += published
    if published and before is not None and not (has_newest and source == receiver.origin):
        _make_current(receiver, form_id, before)
    if published:
        aside.take_in_for(receiver.store, receiver.blobs, receiver.intake, receiver.access.project_id, form_id)


def close_new(receiver: Receiver, form_id: str) -> None:
    """Close a form that is new here and closed there: no phone is to get it."""
    if known_versions(receiver, form_id):
        set_state(receiver.store, receiver.there, form_id, "closed")


def _publish(receiver: Receiver, form_id: str, definition: Definition) -> bool:
    conversion = convert(definition.xform, f"{form_id}.xml")
    here = known_versions(receiver, conversion.form_id).get(conversion.version)
    if here is None:
        publish(
            receiver.store,
            receiver.blobs,
            receiver.access.project_id,
            xform=conversion.xform,
            source_name=receiver.origin,
            needed=conversion.media,
            media={name: definition.media[name] for name in conversion.media if name in definition.media},
            actor=receiver.access.actor,
        )
    elif here != hashlib.sha256(conversion.xform).hexdigest():
        receiver.tally.tell(f"{form_id}, version “{conversion.version}”: it is another form here under the same version; it stays")
    return here is None


def _current(receiver: Receiver, form_id: str) -> tuple[str | None, str]:
    """The version phones get now, and where it was taken from."""
    with receiver.store.read() as connection:
        version = connection.execute(select(Form.current_version).filter_by(**_key(receiver, form_id))).scalar()
        source = select(FormVersion.source_name).filter_by(**_key(receiver, form_id), version=version)
        return version, connection.execute(source).scalar() or ""


def _make_current(receiver: Receiver, form_id: str, version: str) -> None:
    def work(connection: Connection) -> None:
        connection.execute(update(Form).filter_by(**_key(receiver, form_id)).values(current_version=version))
        list_changed(connection, receiver.access.project_id)

    receiver.store.write(work)


def _key(receiver: Receiver, form_id: str) -> dict[str, Any]:
    return {"project_id": receiver.access.project_id, "form_id": form_id}
