"""What people make of records: review states, comments, settled flags, deletion. Every step is a row of `review_event`."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from forms.problems import Problem
from records.access import Access, Right
from records.flags import flag_columns, is_waiting
from records.models import AppUser, Feed, ReviewEvent, Submission
from records.store import Store, lock_form

STATES = ("received", "edited", "hasIssues", "approved", "rejected")
"""As in ODK Central. A rejected record never enters an aggregate."""
MOST_COMMENT = 2000  # characters
_NOTICE = 120  # characters of a comment that fit on a phone


def set_state(store: Store, access: Access, form_id: str, instance_id: str, state: str, comment: str = "") -> None:
    """Give a record a review state. Raises `Problem` value_invalid, submission_unknown or not_allowed."""
    access.require(Right.REVIEW)
    if state not in STATES:
        raise Problem("value_invalid", f"Review state {state}: one of {', '.join(STATES)}.")
    store.write(lambda connection: Review(connection, access, form_id, instance_id).set_state(state, comment))


def comment(store: Store, access: Access, form_id: str, instance_id: str, text: str) -> None:
    """Say something about a record. Raises `Problem` value_invalid, submission_unknown or not_allowed."""
    if not text.strip():
        raise Problem("value_invalid", "A comment says something.")
    store.write(lambda connection: Review(connection, access, form_id, instance_id).note("comment", text))


def send_back(store: Store, access: Access, form_id: str, instance_id: str, text: str) -> None:
    """Return a record to its reporter: it has issues, and the phone that sent it is told with its next receipt."""

    def work(connection: Connection) -> None:
        review = Review(connection, access, form_id, instance_id)
        review.set_state("hasIssues", text)
        review.settle(None, "return", text)
        told = {"record": review.record.instance_id, "text": text.strip()[:_NOTICE]}
        connection.execute(update(AppUser).filter_by(id=review.record.app_user_id).values(notice=told))

    store.write(work)


def settle(store: Store, access: Access, form_id: str, instance_id: str, codes: Collection[str] | None, text: str = "") -> None:
    """Accept what the flags of these codes say (None: all that wait). Raises `Problem` submission_unknown or not_allowed."""
    store.write(lambda connection: Review(connection, access, form_id, instance_id).settle(codes, "accept", text))


def delete(store: Store, access: Access, form_id: str, instance_id: str, text: str = "") -> None:
    """Take a record out of every list, count and file. Its bytes stay, and it can be restored."""
    store.write(lambda connection: Review(connection, access, form_id, instance_id).set_deleted(datetime.now(UTC), text))


def restore(store: Store, access: Access, form_id: str, instance_id: str, text: str = "") -> None:
    """Bring a deleted record back."""
    store.write(lambda connection: Review(connection, access, form_id, instance_id).set_deleted(None, text))


def history(connection: Connection, access: Access, form_id: str, instance_id: str) -> Sequence[Row[Any]]:
    """(at, actor, action, state, comment, detail) of everything people did with a record, in order."""
    access.require(Right.SEE)
    event = ReviewEvent
    visible = select(Submission.instance_id).where(*access.visible(with_deleted=True), Submission.form_id == form_id)
    return connection.execute(
        select(event.at, event.actor, event.action, event.state, event.comment, event.detail)
        .filter_by(project_id=access.project_id, form_id=form_id, instance_id=instance_id)
        .where(event.instance_id.in_(visible))
        .order_by(event.id)
    ).all()


class Review:
    """One step of a review, within a unit of work. Raises `Problem` submission_unknown or not_allowed."""

    def __init__(self, connection: Connection, access: Access, form_id: str, instance_id: str) -> None:
        access.require(Right.REVIEW)
        lock_form(connection, access.project_id, form_id, alone=True)
        self.connection, self.access = connection, access
        self.key = {"project_id": access.project_id, "form_id": form_id, "instance_id": instance_id}
        query = select(*Submission.__table__.columns).filter_by(**self.key).where(*access.visible(with_deleted=True))
        found = connection.execute(query.with_for_update()).first()
        if found is None:
            raise Problem("submission_unknown", instance_id)
        self.record: Row[Any] = found

    def note(self, action: str, comment: str, *, state: str | None = None, **detail: Any) -> None:
        """Write down what was done, and put it into the feed."""
        text = comment.strip()
        if len(text) > MOST_COMMENT:
            raise Problem("value_invalid", f"A comment has at most {MOST_COMMENT} characters.")
        event = {**self.key, "at": datetime.now(UTC), "actor": self.access.actor, "action": action, "state": state}
        added = self.connection.execute(insert(ReviewEvent).values(**event, comment=text, detail=detail)).inserted_primary_key
        entry = {"kind": "review", **self.key, "sha256": self.record.current_sha256, "event_id": added[0] if added else None}
        self.connection.execute(insert(Feed).values(entry))

    def set_state(self, state: str, comment: str) -> None:
        """Change the review state. Approving accepts whatever waits; what is rejected, or was, is compared with others anew."""
        again = {"checked": 0} if "rejected" in {state, self.record.review_state} else {}
        self.update(review_state=state, **again)
        own = AppUser.notice["record"].as_string() == self.record.instance_id
        self.connection.execute(update(AppUser).where(AppUser.id == self.record.app_user_id, own).values(notice=None))
        if state == "approved" and any(map(is_waiting, self.record.flags)):
            self.settle(None, "accept", "")
        self.note("state", comment, state=state)

    def settle(self, codes: Collection[str] | None, remedy: str, comment: str, **detail: Any) -> None:
        """Mark the waiting flags of these codes (None: all) as settled."""
        mark = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "by": self.access.actor, "remedy": remedy}
        chosen = [item for item in self.record.flags if is_waiting(item) and (codes is None or item["code"] in codes)]
        flags = [{**item, "settled": mark} if item in chosen else item for item in self.record.flags]
        self.update(**flag_columns(flags))
        self.note("settle", comment, remedy=remedy, flags=sorted({item["code"] for item in chosen}), **detail)

    def set_deleted(self, moment: datetime | None, comment: str) -> None:
        """Delete or restore; either way it is compared with others anew."""
        self.update(deleted_at=moment, checked=0)
        self.note("delete" if moment else "restore", comment)

    def update(self, **values: Any) -> None:
        """Change the current state of the record."""
        values |= {"updated_at": datetime.now(UTC)}  # programs that ask for what is new see it
        changed = update(Submission).filter_by(**self.key).values(**values).returning(*Submission.__table__.columns)
        self.record = self.connection.execute(changed).one()
