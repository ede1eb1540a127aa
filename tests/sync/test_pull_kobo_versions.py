"""Versions of forms of KoBoToolbox: found by the records that are of them, made from what its form builder keeps (API v2).

Once as a running kpi answered (2e5efb0, 2026-08-21): a form deployed twice, a photo; then an edit and a status; then nothing more.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from forms.problems import Problem
from forms.xlsform import convert_workbook
from records.blobs import BlobStore
from records.models import Form, FormVersion, Submission
from records.store import Store
from records.submissions import listed
from sync.intake import Intake
from sync.pull.client import Client, Key
from sync.pull.kobo import Kobo
from sync.pull.kobo_content import workbook
from sync.pull.receiving import Receiver, Tally
from tests.support.recorded import Answer, Recorded, playing, written_down
from tests.support.small import xform
from tests.support.stores import EVERYTHING

ANSWERS = Path(__file__).parent.parent / "support" / "data" / "kobo_answers.json"
ASSET = "/api/v2/assets/aUid"
V1, V2 = "1 (2026-05-02 10:00:00)", "2 (2026-06-01 08:30:00)"


def content(*more: dict[str, Any], **sheets: Any) -> dict[str, Any]:
    """As the form builder keeps a form in two languages."""
    survey = [
        {"type": "start", "name": "start", "$kuid": "k1"},
        {"type": "integer", "$autoname": "sheep", "label": ["Sheep", "گوسفند"], "required": True, "$kuid": "k2"},
        {"type": "select_one", "name": "predator", "label": ["Predator", None], "select_from_list_name": "predators"},
        {"type": "begin_group", "name": "more", "label": ["More", "بیشتر"]},
        {"type": "text", "name": "note", "label": ["Note", "یادداشت"], "hint": ["short", None], "required": False, "tags": []},
        {"type": "end_group"},
        *more,
    ]
    choices = [
        {"list_name": "predators", "$autovalue": "leopard", "label": ["Leopard", "پلنگ"]},
        {"list_name": "predators", "name": "wolf", "label": ["Wolf", "گرگ"]},
    ]
    settings = {"default_language": "English (en)", "id_string": "aUid", "style": "pages"}
    languages = {"translations": ["English (en)", "Persian (fa)"], "translated": ["label", "hint"]}
    return {"survey": survey, "choices": choices, "settings": settings, "schema": "1", **languages, **sheets}


def record(instance_id: str, version: str, uid: str, *, form_id: str = "aUid", sheep: str = "7", **more: str) -> bytes:
    """As ODK Collect fills in the form that KoBoToolbox deployed."""
    said = "".join(f"<{name}>{value}</{name}>" for name, value in more.items())
    return (
        f'<aUid xmlns:orx="http://openrosa.org/xforms" id="{form_id}" version="{version}"><formhub><uuid>f00</uuid></formhub>'
        f"<start>2026-05-02T10:00:00.000+03:30</start><sheep>{sheep}</sheep><predator>leopard</predator><more><note>x</note></more>"
        f"{said}<__version__>{uid}</__version__><meta><instanceID>{instance_id}</instanceID></meta></aUid>"
    ).encode()


def answers(rows: dict[int, bytes], **versions: dict[str, Any]) -> dict[str, list[Answer]]:
    listed_rows = [{"_id": number, "_uuid": str(number), "_validation_status": {}, "_attachments": []} for number in rows]
    return {
        "/api/v2/assets/": [Answer({"count": 1, "next": None, "results": [{"uid": "aUid", "has_deployment": True}]})],
        f"{ASSET}.xml": [Answer(xform("<sheep/>", form_id="aUid", version=""))],
        f"{ASSET}/files/": [Answer({"count": 0, "next": None, "results": []})],
        f"{ASSET}/data/": [Answer({"results": listed_rows}), Answer({"results": []})] * 2,
        **{f"{ASSET}/data/{number}.xml": [Answer(xml)] for number, xml in rows.items()},
        **{f"{ASSET}/versions/{uid}/": [Answer({"uid": uid, "content": kept})] for uid, kept in versions.items()},
    }


def pulled(store: Store, blobs: BlobStore, played: Recorded, *only: str) -> Tally:
    receiver = Receiver(store, blobs, Intake(store, blobs), EVERYTHING, "pull from there")
    return Kobo(receiver, Client(played.url, Key("Token", "k"), backoff=0)).pull(only)


def flags(store: Store, form_id: str = "aUid") -> dict[str, list[str]]:
    with store.read() as connection:
        return {each.instance_id: [flag["code"] for flag in each.flags] for each in listed(connection, EVERYTHING, form_id)}


def test_versions_are_published_as_their_records_come_and_nothing_is_flagged(store: Store, blobs: BlobStore) -> None:
    dogs = {"type": "integer", "name": "dogs", "label": ["Dogs", "سگ"]}
    rows = {1: record("uuid:1", V1, "v1"), 2: record("uuid:2", V2, "v2", dogs="3"), 3: record("uuid:3", V2, "v2", dogs="4")}
    with playing(answers(rows, v1=content(), v2=content(dogs))) as played:
        tally = pulled(store, blobs, played)
        assert (tally.counts["created"], tally.counts["form"], tally.told) == (3, 3, [])
        assert sum("/versions/" in path for path in played.paths()) == 2
        assert flags(store) == {"uuid:1": [], "uuid:2": [], "uuid:3": []}
        played.asked.clear()
        assert pulled(store, blobs, played).lines() == ["nothing new"]
        assert not any("/versions/" in path or "/data/1.xml" in path for path in played.paths())
    with store.read() as connection:
        assert set(connection.execute(select(FormVersion.version)).scalars()) == {"", V1, V2}
        assert connection.execute(select(Form.current_version)).scalar_one() == ""
        kept = connection.execute(select(Submission.answers).filter_by(instance_id="uuid:2")).scalar_one()
    assert (kept["sheep"], kept["dogs"], kept["more"]) == (7, 3, {"note": "x"})


@pytest.mark.parametrize(
    "gone", [{}, {"v1": content({"type": "begin_kobomatrix", "name": "m"}, {"type": "end_kobomatrix"})}], ids=["gone", "matrix"]
)
def test_records_of_a_version_that_cannot_be_had_are_kept_and_flagged(
    sqlite_store: Store, blobs: BlobStore, gone: dict[str, Any]
) -> None:
    with playing(answers({1: record("uuid:1", V1, "v1"), 2: record("uuid:2", V1, "v1")}, **gone)) as played:
        tally = pulled(sqlite_store, blobs, played)
    assert len(tally.told) == 1
    assert f"version “{V1}”: it cannot be taken over" in tally.told[0]
    assert all("unknown_version" in codes for codes in flags(sqlite_store).values())
    assert tally.counts["created"] == 2


def test_a_running_kobotoolbox_gives_all_of_it(store: Store, blobs: BlobStore) -> None:
    with playing(written_down(ANSWERS)) as played:
        for given in played.answers.values():
            for answer in given:
                if not isinstance(answer.body, bytes):
                    answer.body = json.loads(json.dumps(answer.body).replace("https://kf.example.org", played.url))
        [form_id] = {path.split("/")[4] for path in played.answers if "/data/" in path}
        said = [pulled(store, blobs, played, form_id).lines() for _ in range(3)]
    assert said == [["2 new records", "3 versions of forms"], ["1 edits of records", "1 review states"], ["nothing new"]]
    with store.read() as connection:
        found = {each.instance_id[-1]: each for each in listed(connection, EVERYTHING, form_id)}
    assert (found["1"].review_state, [file.name for file in found["1"].attachments], found["1"].flags) == (
        "rejected",
        ["p.jpg"],
        [],
    )
    assert (found["2"].review_state, found["2"].edits, found["2"].flags) == ("edited", 1, [])


def test_records_under_an_older_id_of_the_form_bring_the_form_under_it(sqlite_store: Store, blobs: BlobStore) -> None:
    rows = {1: record("uuid:1", V1, "v1", form_id="losses_2016"), 2: record("uuid:2", V2, "v2", form_id="losses_2016")}
    with playing(answers(rows, v1=content(), v2=content())) as played:
        assert pulled(sqlite_store, blobs, played).counts["created"] == 2
        assert flags(sqlite_store, "losses_2016") == {"uuid:1": [], "uuid:2": []}
        played.asked.clear()
        assert pulled(sqlite_store, blobs, played).lines() == ["nothing new"]
        assert not any(path.endswith(".xml") and "/data/" in path for path in played.paths())
    with sqlite_store.read() as connection:
        assert connection.execute(select(Form.current_version).filter_by(form_id="losses_2016")).scalar_one() == V2


def test_texts_in_languages_and_what_the_form_builder_notes_become_an_xlsform() -> None:
    made = workbook(content(), form_id="aUid", root="aUid", version=V1, uid="v1")
    assert made.survey.header[:5] == ("type", "name", "label::English (en)", "label::Persian (fa)", "required")
    assert ("select_one predators", "predator", "Predator", "", "", "", "") in [row[:7] for row in made.survey.rows]
    xml = convert_workbook(made).xform.decode()
    assert "گوسفند" in xml
    assert f'version="{V1}"' in xml
    assert "$kuid" not in xml


def test_a_form_in_no_language_and_with_choices_of_other_kinds_is_told_as_it_is() -> None:
    rows = [
        {"type": "select_multiple", "name": "signs", "label": ["Signs"], "select_from_list_name": "signs", "_or_other": True},
        {"type": "select_one_from_file", "name": "household", "label": ["Household"], "file": "households.csv"},
        {"type": "calculate", "name": "n", "calculation": "1 + 1", "kobo--locking-profile": "x", "required": None},
    ]
    choices = [{"list_name": "signs", "name": "scat", "label": ["Scat"]}]
    plain = {"survey": rows, "choices": choices, "settings": {}, "translations": [None], "translated": ["label"]}
    made = workbook(plain, form_id="f", root="data", version="1", uid="v")
    kinds = [row[made.survey.header.index("type")] for row in made.survey.rows]
    assert kinds[:3] == ["select_multiple signs or_other", "select_one_from_file households.csv", "calculate"]
    assert "label" in made.survey.header
    assert not any(name.startswith("kobo--") for name in made.survey.header)
    assert convert_workbook(made).media == ["households.csv"]
    with pytest.raises(Problem) as caught:
        workbook({"survey": [{"type": "text", "relevant": ["a"]}]}, form_id="f", root="data", version="1", uid="v")
    assert caught.value.kind.code == "form_invalid"
