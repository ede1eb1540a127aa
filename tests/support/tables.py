"""A survey with everything a table can hold, and sources of its records, for tests of what goes out."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from typing import Any

from sqlalchemy import Engine, delete, insert, update

from exports.data.source import Source
from exports.data.wanted import Filters, Layout
from forms.xlsform import convert
from records.models import FormVersion, Submission
from tests.support.conflict import insert_record
from tests.support.stores import EVERYTHING

FORM = "herds"
_SURVEY = """
| survey  |                          |           |                |                 |
|         | type                     | name      | label::English (en) | label::فارسی (fa) |
|         | date                     | day       | Day            | روز             |
|         | begin_group              | camp      | Camp           | اردوگاه         |
|         | geopoint                 | place     | =Where         | کجا             |
|         | geotrace                 | walk      | Walk           | پیمایش          |
|         | geoshape                 | pasture   | Pasture        | مرتع            |
|         | select_one yes_no        | dog       | A dog?         | سگ؟             |
|         | select_multiple measure  | measures  | Measures       | اقدام‌ها        |
|         | integer                  | n         | Number         | شمار            |
|         | decimal                  | price     | Price          | بها             |
|         | text                     | remarks   | Remarks        | یادداشت         |
|         | image                    | photo     | Photo          | عکس             |
|         | end_group                |           |                |                 |
|         | begin_repeat             | herd      | Herd           | گله             |
|         | text                     | kind      | Kind           | گونه            |
|         | geopoint                 | pen       | Pen            | آغل             |
|         | begin_repeat             | bell      | Bell           | زنگوله          |
|         | integer                  | tone      | Tone           | صدا             |
|         | end_repeat               |           |                |                 |
|         | end_repeat               |           |                |                 |
| choices |                          |           |                |                 |
|         | list_name                | name      | label::English (en) | label::فارسی (fa) |
|         | yes_no                   | yes       | Yes            | بله             |
|         | yes_no                   | no        | +No            | خیر             |
|         | measure                  | fence     | A fence        | حصار            |
|         | measure                  | lights    | Lights         | چراغ            |
| settings |                         |           |                |                 |
|         | form_id                  | form_title | version       | default_language |
|         | herds                    | Herds     | {version}      | English (en)    |
"""


@cache
def xform(version: str = "1", old: str = "", new: str = "") -> bytes:
    """The survey as an XForm; `new` stands where its table has `old`."""
    text = _SURVEY.replace("{version}", version)
    return convert((text.replace(old, new) if old else text).encode(), "herds.md").xform


def publish(engine: Engine, form: bytes, version: str = "1", *, day: int = 1) -> None:
    """Publish a version of the survey, on a day of January 2026."""
    with engine.begin() as connection:
        insert_record(connection, "uuid:none", {}, form_id=FORM)  # brings the project and the form
        connection.execute(delete(Submission))
        own = {"title": "Herds", "md5": version * 32, "sha256": sha256(form).hexdigest(), "source_name": "herds.md", "xform": form}
        key = {"project_id": 1, "form_id": FORM, "version": version, "published_at": datetime(2026, 1, day, tzinfo=UTC)}
        connection.execute(insert(FormVersion).values(**key, **own))


def send(engine: Engine, key: str, answers: dict[str, Any], **about: Any) -> None:
    """Put a record with these answers into the database; `about` are columns of its row."""
    with engine.begin() as connection:
        insert_record(connection, key, answers, form_id=FORM)
        own = {"latitude": None, "longitude": None, "event_date": None, "received_at": datetime(2026, 5, 2, 7, 41, tzinfo=UTC)}
        connection.execute(update(Submission).filter_by(instance_id=key).values({**own, **about}))


def answers(**camp: Any) -> dict[str, Any]:
    """The answers of a record."""
    own = {"place": "35.7 51.4 1320.0 4.5", "dog": "yes", "measures": "fence", "n": 3, "price": 1.5, "remarks": "calm"}
    herds = [{"kind": "sheep", "pen": "35.8 51.5 0 0", "bell": [{"tone": 1}, {"tone": 2}]}, {"kind": "goat", "bell": [{"tone": 3}]}]
    return {"day": "2026-05-01", "camp": own | camp, "herd": herds, "meta": {"instanceID": "uuid:a"}}


@contextmanager
def opened(engine: Engine, filters: Filters | None = None, layout: Layout | None = None) -> Iterator[Source]:
    """A source of what is there."""
    with engine.connect() as connection:
        yield Source(connection, EVERYTHING, FORM, filters, layout)
