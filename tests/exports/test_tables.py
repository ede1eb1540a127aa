"""The CSV of a form has the layout of ODK Central, whatever the answers hold."""

import csv
import io
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, insert

from exports.tables import repeats_of, write_csv
from forms.definition import FormDefinition
from forms.problems import Problem
from records.models import AppUser, Attachment, FormVersion, Submission
from tests.support.conflict import insert_record
from tests.support.stores import EVERYTHING

XFORM = Path(__file__).parents[1] / "support" / "data" / "livestock_loss.xml"
NESTED = """<?xml version="1.0"?><h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"
 xmlns:jr="http://openrosa.org/javarosa"><h:head><h:title>Herds</h:title><model><instance><data id="herds" version="1">
 <camp><name/><herd jr:template=""><kind/><care><dog jr:template=""><age/></dog></care></herd></camp><meta><instanceID/></meta>
 </data></instance><bind nodeset="/data/camp/herd/care/dog/age" type="int"/></model></h:head><h:body>
 <repeat nodeset="/data/camp/herd"><input ref="/data/camp/herd/kind"><label>Kind</label></input>
 <repeat nodeset="/data/camp/herd/care/dog"><input ref="/data/camp/herd/care/dog/age"><label>Age</label></input></repeat>
 </repeat></h:body></h:html>"""


def publish(connection: Connection, form_id: str, xform: bytes) -> None:
    insert_record(connection, "uuid:first", {}, form_id=form_id, received_at=datetime(2026, 1, 1, tzinfo=UTC))
    version = {"title": form_id, "md5": "0" * 32, "sha256": "0" * 64, "source_name": "form.xml", "xform": xform}
    published = {"project_id": 1, "form_id": form_id, "version": "1", "published_at": datetime(2026, 1, 1, tzinfo=UTC)}
    connection.execute(insert(FormVersion).values(**published, **version))


def table(connection: Connection, form_id: str, *repeat: str) -> list[dict[str, str]]:
    stream = io.StringIO(newline="")
    count = write_csv(connection, EVERYTHING, form_id, stream, repeat=repeat)
    rows = list(csv.DictReader(io.StringIO(stream.getvalue().removeprefix("\ufeff"), newline="")))
    assert count == len(rows)
    return rows


def answers(**more: Any) -> dict[str, Any]:
    rounds = [{"species": "sheep", "killed": 3, "carcass": None}, {"species": "goat", "killed": 1, "carcass": None}]
    place = "35.7001 -51.4002 1320.0 4.5"
    return {"place": place, "predator": "leopard", "animals": rounds, "meta": {"instanceID": "uuid:b"}} | more


def test_the_root_table_has_the_columns_of_central(engine: Engine) -> None:
    with engine.begin() as connection:
        publish(connection, "livestock_loss", XFORM.read_bytes())
        assert list(table(connection, "livestock_loss")[0]) == [
            "SubmissionDate",
            "start",
            *("place-Latitude", "place-Longitude", "place-Altitude", "place-Accuracy"),
            *("predator", "signs", "photo", "remarks", "meta-instanceID", "meta-instanceName"),
            *("KEY", "SubmitterID", "SubmitterName", "AttachmentsPresent", "AttachmentsExpected", "Status", "ReviewState"),
            *("DeviceID", "Edits", "FormVersion"),
        ]


def test_a_record_is_written_with_its_phone_files_and_state(engine: Engine) -> None:
    came = datetime(2026, 5, 2, 7, 41, 9, 123000, tzinfo=UTC)
    with engine.begin() as connection:
        publish(connection, "livestock_loss", XFORM.read_bytes())
        user = {"id": 7, "project_id": 1, "name": "Ranger 1", "token_sha256": "1" * 64, "language": "fa", "created_at": came}
        connection.execute(insert(AppUser).values(**user))
        insert_record(connection, "uuid:b", answers(), form_id="livestock_loss", received_at=came, review_state="edited")
        mine = Submission.instance_id == "uuid:b"
        connection.execute(Submission.__table__.update().where(mine).values(app_user_id=7, files=["1.jpg", "2.jpg"], edits=1))
        photo = {"name": "1.jpg", "md5": "", "size": 1, "content_type": "image/jpeg", "received_at": came}
        key = {"project_id": 1, "form_id": "livestock_loss", "instance_id": "uuid:b"}
        connection.execute(insert(Attachment), [{**key, **photo, "sha256": digest} for digest in ("a", "b")])
        first, row = table(connection, "livestock_loss")
    assert row["SubmissionDate"] == "2026-05-02T07:41:09.123Z"
    assert [row[f"place-{part}"] for part in ("Latitude", "Longitude", "Altitude", "Accuracy")] == [
        *("35.7001", "-51.4002"),
        *("1320.0", "4.5"),
    ]
    assert (row["KEY"], row["meta-instanceID"], row["SubmitterID"], row["SubmitterName"]) == ("uuid:b", "uuid:b", "7", "Ranger 1")
    assert (row["AttachmentsPresent"], row["AttachmentsExpected"], row["ReviewState"], row["Edits"]) == ("1", "2", "edited", "1")
    assert (first["ReviewState"], first["SubmitterName"], first["place-Latitude"]) == ("", "", "")


def test_a_repeat_is_a_table_that_points_to_its_parent(engine: Engine) -> None:
    with engine.begin() as connection:
        publish(connection, "livestock_loss", XFORM.read_bytes())
        insert_record(connection, "uuid:b", answers(), form_id="livestock_loss")
        rows = table(connection, "livestock_loss", "animals")
    assert list(rows[0]) == ["species", "killed", "carcass", "PARENT_KEY", "KEY"]
    assert [tuple(row.values()) for row in rows] == [
        ("sheep", "3", "", "uuid:b", "uuid:b/animals[1]"),
        ("goat", "1", "", "uuid:b", "uuid:b/animals[2]"),
    ]


def test_a_repeat_in_a_repeat_points_to_the_round_around_it(engine: Engine) -> None:
    herds = [{"kind": "sheep", "care": {"dog": [{"age": 2}, {"age": 3}]}}, {"kind": "goat", "care": {"dog": [{"age": 5}]}}]
    with engine.begin() as connection:
        publish(connection, "herds", NESTED.encode())
        insert_record(connection, "uuid:b", {"camp": {"name": "Upper", "herd": herds}}, form_id="herds")
        dogs = table(connection, "herds", "camp", "herd", "care", "dog")
        assert [row["camp-name"] for row in table(connection, "herds")] == ["", "Upper"]
        assert [row["kind"] for row in table(connection, "herds", "camp", "herd")] == ["sheep", "goat"]
    assert [tuple(row.values()) for row in dogs] == [
        ("2", "uuid:b/camp/herd[1]", "uuid:b/camp/herd[1]/care/dog[1]"),
        ("3", "uuid:b/camp/herd[1]", "uuid:b/camp/herd[1]/care/dog[2]"),
        ("5", "uuid:b/camp/herd[2]", "uuid:b/camp/herd[2]/care/dog[1]"),
    ]


def test_the_repeats_of_a_form_are_listed() -> None:
    definition = FormDefinition.from_xform(NESTED.encode())
    assert repeats_of(definition) == [("camp", "herd"), ("camp", "herd", "care", "dog")]


def test_answers_of_the_wrong_type_are_written_and_formulas_disarmed(engine: Engine) -> None:
    content = answers(place="over there", remarks="=HYPERLINK(1)", predator={"odd": 1}, animals="none")
    with engine.begin() as connection:
        publish(connection, "livestock_loss", XFORM.read_bytes())
        insert_record(connection, "uuid:b", content, form_id="livestock_loss")
        row = table(connection, "livestock_loss")[-1]
        assert table(connection, "livestock_loss", "animals") == []
    assert (row["place-Latitude"], row["remarks"], row["predator"]) == ("over there", "'=HYPERLINK(1)", '{"odd":1}')


def test_the_file_opens_in_excel_with_persian_letters(engine: Engine) -> None:
    with engine.begin() as connection:
        publish(connection, "livestock_loss", XFORM.read_bytes())
        insert_record(connection, "uuid:b", answers(remarks="بره، شب\nدوم"), form_id="livestock_loss")
        stream = io.StringIO(newline="")
        write_csv(connection, EVERYTHING, "livestock_loss", stream)
    assert stream.getvalue().startswith("\ufeffSubmissionDate,")
    assert '"بره، شب\nدوم"' in stream.getvalue()


def test_a_form_or_repeat_that_is_not_there_is_a_problem(engine: Engine) -> None:
    with engine.begin() as connection:
        publish(connection, "livestock_loss", XFORM.read_bytes())
        with pytest.raises(Problem, match="There is nothing"):
            write_csv(connection, EVERYTHING, "livestock_loss", io.StringIO(), repeat=("place",))
        with pytest.raises(Problem):
            write_csv(connection, EVERYTHING, "nowhere", io.StringIO())


class Sink(io.StringIO):
    """Forgets what is written."""

    def write(self, text: str) -> int:
        return len(text)


def test_memory_does_not_grow_with_the_number_of_records(engine: Engine) -> None:
    with engine.begin() as connection:
        publish(connection, "livestock_loss", XFORM.read_bytes())
        insert_record(connection, "uuid:b", answers(remarks="x" * 3000), form_id="livestock_loss")
        stored = connection.execute(Submission.__table__.select().where(Submission.instance_id == "uuid:b")).mappings().one()
        connection.execute(insert(Submission), [{**stored, "instance_id": f"uuid:{number}"} for number in range(4000)])
        tracemalloc.start()
        assert write_csv(connection, EVERYTHING, "livestock_loss", Sink()) == 4002
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 6_000_000  # the records are 13 MB
