"""About how large a file becomes, told before it is made."""

from sqlalchemy import Text, cast, func, select

from exports.data.formats import Format
from exports.data.source import Source
from records.models import Attachment, Submission

_SAMPLE = 200  # records, the newest
_SHARES = {"csv": 0.6, "xlsx": 0.22, "geojson": 1.5, "gpkg": 0.75, "parquet": 0.08}
"""Of the characters of the answers, measured on a form of a hundred questions; tables that are packed are smaller."""


def estimate(source: Source, chosen: Format) -> int:
    """Bytes: for files of the records what they have, else by the length of the newest answers."""
    narrowed = (*source.access.visible(), Submission.form_id == source.form_id, source.filters.condition())
    if chosen.name == "zip":
        own = Attachment.instance_id.in_((Submission.instance_id, Submission.current_instance_id))
        same = (Attachment.project_id == Submission.project_id) & (Attachment.form_id == Submission.form_id) & own
        seen = Attachment.personal.in_(source.access.file_kinds())
        size = select(func.sum(Attachment.size)).join_from(Submission, Attachment, same).where(*narrowed, seen)
        return int(source.connection.execute(size).scalar_one() or 0)
    newest = select(func.length(cast(Submission.answers, Text)).label("length")).where(*narrowed)
    sample = newest.order_by(Submission.received_at.desc()).limit(_SAMPLE).subquery()
    length = source.connection.execute(select(func.avg(sample.c.length))).scalar_one()
    return int(float(length or 0) * _SHARES[chosen.name] * source.count())
