"""Answers that tell who somebody is, for people: only for who may know, and never without a line in the log."""

from sqlalchemy import Connection, select

from forms.personal import Told
from forms.problems import Problem
from records.access import Access, Right
from records.audit import note
from records.models import Submission
from records.personal import open_contact
from records.store import Store


def read_contact(store: Store, access: Access, form_id: str, instance_id: str) -> list[Told]:
    """The answers of a record that tell who somebody is; the log notes it.

    Raises `Problem` submission_unknown, not_allowed, personal_key_missing or seal_broken.
    """
    access.require(Right.CONTACT)
    visible = select(*Submission.__table__.columns).where(*access.visible(with_deleted=True), Submission.form_id == form_id)
    with store.read() as connection:
        row = connection.execute(visible.where(Submission.instance_id == instance_id)).first()
        if row is None:
            raise Problem("submission_unknown", instance_id)
        told = open_contact(store.vault, row)
    if told:
        note_reading(store, access, form_id, instance_id, "answers")
    return told


def note_reading(store: Store, access: Access, form_id: str, instance_id: str, what: str) -> None:
    """Leave in the log that a person reads what tells who somebody is: of which record, and `what` of it."""
    access.require(Right.CONTACT)
    detail = {"form_id": form_id, "what": what}

    def work(connection: Connection) -> None:
        note(connection, "personal.read", instance_id, actor=access.actor, project_id=access.project_id, **detail)

    store.write(work)
