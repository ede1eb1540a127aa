"""Records in the order their current versions arrived, for programs that pull them and remember how far they came."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, and_, select

from forms.problems import Problem
from records.access import Access, Right
from records.models import Attachment, Feed, Submission, SubmissionVersion
from records.personal import shown_xml
from records.store import vault_of
from records.submissions import KeptFile, found

_OF_VERSION = and_(
    Submission.project_id == SubmissionVersion.project_id,
    Submission.form_id == SubmissionVersion.form_id,
    Submission.instance_id == SubmissionVersion.root_id,
    Submission.current_instance_id == SubmissionVersion.instance_id,
    Submission.current_sha256 == SubmissionVersion.sha256,
)
_ARRIVED = and_(
    Feed.project_id == SubmissionVersion.project_id,
    Feed.form_id == SubmissionVersion.form_id,
    Feed.instance_id == SubmissionVersion.instance_id,
    Feed.sha256 == SubmissionVersion.sha256,
)


@dataclass(frozen=True, slots=True)
class Pulled:
    """A record as a program gets it: its current version without what tells who somebody is, its files with their MD5 in hex."""

    instance_id: str
    received_at: datetime
    sha256: str
    xml: bytes
    files: list[tuple[KeptFile, str]]


def arrived(connection: Connection, access: Access, form_id: str, *, after: int, limit: int) -> Sequence[Row[int, str]]:
    """(position in the feed, instance id) of the current versions of a form's records that arrived after a position, in order."""
    access.require(Right.SEE)
    query = (
        select(Feed.position, Submission.current_instance_id)
        .join(SubmissionVersion, _ARRIVED)
        .join(Submission, _OF_VERSION)
        .where(Feed.kind == "submission", Feed.position > after, Feed.form_id == form_id, *access.visible())
    )
    return connection.execute(query.order_by(Feed.position).limit(limit)).all()


def pulled(connection: Connection, access: Access, form_id: str, instance_id: str) -> Pulled:
    """The current version of the record that has, or had, this instance id. Raises `Problem("submission_unknown")`."""
    record = found(connection, access, instance_id, form_id)
    version = SubmissionVersion
    current = select(*version.__table__.columns).join(Submission, _OF_VERSION)
    here = current.where(Submission.form_id == form_id, Submission.instance_id == record.instance_id, *access.visible())
    row = connection.execute(here).first()
    if row is None:
        raise Problem("submission_unknown", instance_id)
    digests = {file.sha256 for file in record.attachments}
    rows = connection.execute(
        select(Attachment.sha256, Attachment.md5)
        .where(Attachment.project_id == access.project_id, Attachment.form_id == form_id, Attachment.sha256.in_(digests))
        .distinct()
    )
    md5 = {row.sha256: row.md5 for row in rows}
    xml = shown_xml(vault_of(connection), row)
    files = [(file, md5[file.sha256]) for file in record.attachments if not file.withheld]
    return Pulled(row.instance_id, row.received_at, row.sha256, xml, files)
