"""The files of the records as one ZIP with names people can read."""

import io
import zipfile
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Engine, insert

from exports.data import formats
from exports.data.source import Source
from exports.data.wanted import Filters
from forms.problems import Problem
from forms.submission import case_number
from records.access import Access, Right
from records.models import Attachment
from tests.support.stores import EVERYTHING
from tests.support.tables import FORM, answers, send


def attach(engine: Engine, key: str, name: str, content: str) -> None:
    own = {"md5": "", "size": 1, "content_type": "image/jpeg", "received_at": datetime(2026, 5, 2, tzinfo=UTC)}
    with engine.begin() as connection:
        connection.execute(
            insert(Attachment), [{"project_id": 1, "form_id": FORM, "instance_id": key, "name": name, "sha256": content, **own}]
        )


def archive(engine: Engine, names: str = "", access: Access = EVERYTHING, filters: Filters | None = None) -> dict[str, bytes]:
    with engine.connect() as connection:
        source = Source(connection, access, FORM, filters)
        chunks = formats.stream(source, formats.format_of("zip"), lambda sha256: io.BytesIO(sha256.encode()), names=names)
        with zipfile.ZipFile(io.BytesIO(b"".join(chunks))) as made:
            return {name: made.read(name) for name in made.namelist()}


@pytest.fixture
def filled(herds: Engine) -> Engine:
    for key, day in (("uuid:a", date(2026, 4, 30)), ("uuid:b", None)):
        send(herds, key, answers(photo="1.jpg"), event_date=day, country="IR" if day else None)
        attach(herds, key, "1.jpg", f"photo of {key}")
    attach(herds, "uuid:a", "=../2.jpg", "not asked for")
    return herds


def test_names_tell_day_case_and_question(filled: Engine) -> None:
    first, second = case_number("uuid:a"), case_number("uuid:b")
    assert archive(filled) == {
        f"2026-04-30/{first}-photo-1.jpg": b"photo of uuid:a",
        f"2026-04-30/{first}-none-=.._2.jpg": b"not asked for",
        f"2026-05-02/{second}-photo-1.jpg": b"photo of uuid:b",
    }


def test_a_template_of_ones_own_leads_nowhere_else_and_keeps_twins_apart(filled: Engine) -> None:
    assert set(archive(filled, "{country}/{name}")) == {"IR/1.jpg", "IR/_.._2.jpg", "none/1.jpg"}
    assert set(archive(filled, "../{form}")) == {"unnamed/herds", "unnamed/herds (2)", "unnamed/herds (3)"}


@pytest.mark.parametrize("names", ["{nothing}", "{name.__class__}", "{name!r}", "{name:>9}", "{", "{}", "a\0"])
def test_another_template_is_a_problem(filled: Engine, names: str) -> None:
    with pytest.raises(Problem) as caught:
        archive(filled, names)
    assert caught.value.kind.code == "value_invalid"


def test_only_files_of_records_that_were_asked_for_and_that_may_be_seen(filled: Engine) -> None:
    assert len(archive(filled, filters=Filters(countries=("IR",)))) == 2
    assert archive(filled, access=Access(1, "x", frozenset({Right.SEE}))) == {}
