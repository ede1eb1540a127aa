"""Where ODK Central and KoBoToolbox differ from this product: answers written down after their documentation and source."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from forms.problems import Problem
from forms.xml import MAX_XML_BYTES
from records.blobs import BlobStore
from records.models import Form, Submission
from records.reviews import history
from records.store import Store
from records.submissions import listed
from sync.aside import waiting
from sync.intake import Intake
from sync.pull.central import Central
from sync.pull.client import Client, Key
from sync.pull.kobo import Kobo
from sync.pull.receiving import Receiver, Tally
from tests.support.recorded import Answer, Recorded, playing
from tests.support.small import record, xform
from tests.support.stores import EVERYTHING, PROJECT, publish_form

PHOTO = b"\xff\xd8\xff\xe0 photo"
FORM = "/v1/projects/7/forms/small"
ROWS = f"{FORM}.svc/Submissions"
ASSET = "/api/v2/assets/aUid"
BODY = '<upload ref="/data/photo" mediatype="image/*"/>'
BIND = '<bind nodeset="/data/photo" type="binary"/>'


def form(version: str = "1") -> bytes:
    return xform("<q/><photo/>", BIND, BODY, version=version)


def row(instance_id: str, **system: Any) -> dict[str, Any]:
    """As Central lists a record: what nobody touched has nulls."""
    nulls = {"updatedAt": None, "reviewState": None, "deletedAt": None, "status": None, "edits": 0}
    return {"__id": instance_id, "__system": {"submissionDate": "2026-05-02T10:00:00.000Z", **nulls, **system}}


def of_record(instance_id: str, xml: bytes, files: list[dict[str, Any]] | None = None) -> dict[str, list[Answer]]:
    place = f"{FORM}/submissions/{instance_id}"
    return {f"{place}.xml": [Answer(xml)], f"{place}/attachments": [Answer(files or [])], f"{place}/comments": [Answer([])]}


def central(rows: list[Answer]) -> dict[str, list[Answer]]:
    return {
        "/v1/sessions": [Answer({"token": "tok", "csrf": "c", "expiresAt": "2099-01-01T00:00:00.000Z"})],
        "/v1/projects/7/forms": [
            Answer([{"xmlFormId": "small", "publishedAt": "2026-01-01T00:00:00.000Z"}, {"xmlFormId": "draft", "publishedAt": None}])
        ],
        f"{FORM}/versions": [Answer([{"version": "2"}, {"version": "1"}])],
        f"{FORM}/versions/1.xml": [Answer(form("1"))],
        f"{FORM}/versions/2.xml": [Answer(form("2"))],
        f"{FORM}/versions/1/attachments": [Answer([])],
        f"{FORM}/versions/2/attachments": [Answer([])],
        ROWS: rows,
        **of_record("uuid:1", record("<q>1</q><photo/>", instance_id="uuid:1")),
        **of_record("uuid:2", record("<q>2</q><photo/>", instance_id="uuid:2")),
    }


def receiver(store: Store, blobs: BlobStore, played: Recorded) -> Receiver:
    return Receiver(store, blobs, Intake(store, blobs), EVERYTHING, f"pull from {played.url}")


def pulled(store: Store, blobs: BlobStore, played: Recorded) -> Tally:
    client = Client(played.url, backoff=0)
    client.sign_in("me", "very secret")
    return Central(receiver(store, blobs, played), client, 7).pull()


def kept(store: Store) -> dict[str, tuple[str, list[str]]]:
    with store.read() as connection:
        found = listed(connection, EVERYTHING, "small")
        return {each.instance_id: (each.review_state, [file.name for file in each.attachments]) for each in found}


@pytest.fixture
def two_pages() -> list[Answer]:
    return [
        Answer({"value": [row("uuid:2")], "@odata.nextLink": f"https://elsewhere.example.org{ROWS}?%24top=250&%24skiptoken=01abc"}),
        Answer({"value": [row("uuid:1")]}),
    ]


def test_pages_are_followed_without_their_host_and_only_what_is_new_is_asked_for(
    store: Store, blobs: BlobStore, two_pages: list[Answer]
) -> None:
    with playing(central(two_pages)) as played:
        first = pulled(store, blobs, played)
        assert (first.counts["created"], first.counts["form"]) == (2, 2)
        assert set(kept(store)) == {"uuid:1", "uuid:2"}
        assert {auth for path, auth in played.asked if path != "/v1/sessions"} == {"Bearer tok"}
        assert f"{ROWS}?$top=250&$skiptoken=01abc" in played.paths()
        assert not any("draft" in path for path in played.paths())
        played.asked.clear()
        second = pulled(store, blobs, played)
        asked = next(path for path in played.paths() if path.startswith(ROWS))
        assert "__system/submissionDate ge 20" in asked
        assert " or __system/updatedAt ge 20" in asked
        assert not any(path.endswith(".xml") for path in played.paths())
        assert second.lines() == ["nothing new"]
    with store.read() as connection:
        assert connection.execute(select(Form.current_version).filter_by(project_id=PROJECT, form_id="small")).scalar() == "2"


def test_when_a_record_came_there_is_remembered(store: Store, blobs: BlobStore, two_pages: list[Answer]) -> None:
    with playing(central(two_pages)) as played:
        pulled(store, blobs, played)
    with store.read() as connection:
        moments = set(connection.execute(select(Submission.first_received_at)).scalars())
    assert moments == {datetime(2026, 5, 2, 10, tzinfo=UTC)}


def test_a_busy_server_is_asked_again_when_it_says_and_a_redirect_is_followed(store: Store, blobs: BlobStore) -> None:
    answers = central([Answer({"value": [row("uuid:1")]})])
    answers[f"{FORM}/versions"].insert(0, Answer({}, 429, {"Retry-After": "0"}))
    answers[ROWS].insert(0, Answer({}, 503))
    answers[f"{FORM}/submissions/uuid:1.xml"].insert(0, Answer({}, 502))
    answers["/v1/projects/7/forms"].insert(0, Answer(b"", 301, {"Location": "/v1/projects/7/forms"}))
    with playing(answers) as played:
        assert pulled(store, blobs, played).counts["created"] == 1


def test_a_server_that_stays_busy_is_left_after_a_few_tries(store: Store, blobs: BlobStore) -> None:
    answers = central([Answer({}, 503)])
    with playing(answers) as played:
        with pytest.raises(Problem) as caught:
            pulled(store, blobs, played)
        assert caught.value.kind.code == "source_failed"
        assert "it answered 503" in str(caught.value)
        assert "secret" not in str(caught.value)
        assert sum(path.startswith(ROWS) for path in played.paths()) == 6


def test_a_cut_connection_goes_on_at_the_page_where_it_broke(store: Store, blobs: BlobStore, two_pages: list[Answer]) -> None:
    answers = central(two_pages)
    answers[f"{FORM}/submissions/uuid:1.xml"].insert(0, Answer(b"<data" * 1000, cut=True))
    with playing(answers) as played:
        with pytest.raises(Problem) as caught:
            pulled(store, blobs, played)
        assert caught.value.kind.code == "source_failed"
        assert set(kept(store)) == {"uuid:2"}
        played.asked.clear()
        pulled(store, blobs, played)
        assert set(kept(store)) == {"uuid:1", "uuid:2"}
        assert [path for path in played.paths() if path.startswith(ROWS)] == [f"{ROWS}?$top=250&$skiptoken=01abc"]


def test_a_place_the_server_forgot_begins_the_walk_anew(store: Store, blobs: BlobStore, two_pages: list[Answer]) -> None:
    answers = central(two_pages)
    answers[f"{FORM}/submissions/uuid:1.xml"].insert(0, Answer(b"<data" * 1000, cut=True))
    with playing(answers) as played:
        with pytest.raises(Problem):
            pulled(store, blobs, played)
        played.answers[f"{ROWS}?$top=250&$skiptoken=01abc"] = [Answer({"code": 400.35}, 400)]
        pulled(store, blobs, played)
    assert set(kept(store)) == {"uuid:1", "uuid:2"}


def test_edits_come_with_their_earlier_versions_states_and_comments(store: Store, blobs: BlobStore) -> None:
    answers = central([Answer({"value": [row("uuid:1", edits=1, reviewState="approved", updatedAt="2026-05-03T00:00:00.000Z")]})])
    place = f"{FORM}/submissions/uuid:1"
    answers[f"{place}/versions"] = [
        Answer([{"instanceId": "uuid:1b", "current": True}, {"instanceId": "uuid:1", "current": False}])
    ]
    answers[f"{place}/versions/uuid:1.xml"] = [Answer(record("<q>1</q><photo/>", instance_id="uuid:1"))]
    answers[f"{place}.xml"] = [Answer(record("<q>5</q><photo/>", instance_id="uuid:1b", deprecated_id="uuid:1"))]
    said = {"body": "counted again", "actorId": 12, "actor": {"displayName": "Maryam"}, "createdAt": "2026-05-03T00:00:00.000Z"}
    answers[f"{place}/comments"] = [Answer([said])]
    with playing(answers) as played:
        pulled(store, blobs, played)
        pulled(store, blobs, played)
    assert kept(store) == {"uuid:1": ("approved", [])}
    with store.read() as connection:
        events = history(connection, EVERYTHING, "small", "uuid:1")
    by = {"by": "Maryam", "at": "2026-05-03T00:00:00.000Z"}
    assert [(event.action, event.state, event.detail) for event in events if event.action == "comment"] == [("comment", None, by)]


def test_an_edit_says_by_itself_that_it_is_one(store: Store, blobs: BlobStore) -> None:
    answers = central([Answer({"value": [row("uuid:1", edits=1, reviewState="edited", updatedAt="2026-05-03T00:00:00.000Z")]})])
    place = f"{FORM}/submissions/uuid:1"
    answers[f"{place}/versions"] = [Answer([{"instanceId": "uuid:1b"}, {"instanceId": "uuid:1"}])]
    answers[f"{place}/versions/uuid:1.xml"] = [Answer(record("<q>1</q><photo/>", instance_id="uuid:1"))]
    answers[f"{place}.xml"] = [Answer(record("<q>5</q><photo/>", instance_id="uuid:1b", deprecated_id="uuid:1"))]
    with playing(answers) as played:
        assert pulled(store, blobs, played).counts["decision"] == 0
    assert kept(store) == {"uuid:1": ("edited", [])}


@pytest.mark.parametrize(("published_here", "current"), [("", "2"), ("0", "0")])
def test_a_version_published_here_stays_the_one_that_phones_get(
    store: Store, blobs: BlobStore, published_here: str, current: str
) -> None:
    if published_here:
        publish_form(store, blobs, form(published_here))
    with playing(central([Answer({"value": []})])) as played:
        assert pulled(store, blobs, played).counts["form"] == 2
    with store.read() as connection:
        assert connection.execute(select(Form.current_version).filter_by(project_id=PROJECT, form_id="small")).scalar() == current


def test_a_photo_that_came_late_there_is_asked_for_though_nothing_says_so(store: Store, blobs: BlobStore) -> None:
    answers = central([Answer({"value": [row("uuid:1")]}), Answer({"value": []})])
    answers |= of_record(
        "uuid:1", record("<q>1</q><photo>a.jpg</photo>", instance_id="uuid:1"), [{"name": "a.jpg", "exists": False}]
    )
    place = f"{FORM}/submissions/uuid:1"
    with playing(answers) as played:
        assert pulled(store, blobs, played).counts["incomplete"] == 1
        played.answers[f"{place}/versions"] = [Answer([{"instanceId": "uuid:1"}])]
        played.answers[f"{place}/attachments"] = [Answer([{"name": "a.jpg", "exists": True}])]
        played.answers[f"{place}/attachments/a.jpg"] = [Answer(PHOTO)]
        assert pulled(store, blobs, played).counts["attached"] == 1
    assert kept(store) == {"uuid:1": ("received", ["a.jpg"])}


def test_what_is_refused_is_kept_aside_and_what_is_gone_is_told(store: Store, blobs: BlobStore) -> None:
    answers = central([Answer({"value": [row("uuid:bad"), row("uuid:gone"), row("uuid:1")]})])
    answers |= of_record("uuid:bad", b"<data id='small'")
    with playing(answers) as played:
        tally = pulled(store, blobs, played)
    assert (tally.counts["aside"], tally.counts["created"]) == (1, 1)
    assert any("uuid:gone: it is gone there" in line for line in tally.lines())
    with store.read() as connection:
        assert [each.reason for each in waiting(connection, EVERYTHING)] == ["xml_unreadable"]


def test_a_file_that_cannot_be_had_keeps_neither_its_record_nor_the_others_away(store: Store, blobs: BlobStore) -> None:
    answers = central([Answer({"value": [row("uuid:1", reviewState="approved"), row("uuid:2")]}), Answer({"value": []})])
    answers |= of_record(
        "uuid:1", record("<q>1</q><photo>a.jpg</photo>", instance_id="uuid:1"), [{"name": "a.jpg", "exists": True}]
    )
    place = f"{FORM}/submissions/uuid:1"
    answers[f"{place}/attachments/a.jpg"] = [Answer({}, 500)]
    answers[f"{FORM}/submissions/uuid:2.xml"].insert(0, Answer(b" " * (MAX_XML_BYTES + 1)))
    with playing(answers) as played:
        tally = pulled(store, blobs, played)
        assert kept(store) == {"uuid:1": ("approved", [])}
        assert tally.counts["incomplete"] == 2
        assert "the file a.jpg cannot be had (it answered 500)" in "".join(tally.lines())
        played.answers[f"{place}/attachments/a.jpg"] = [Answer(PHOTO)]
        for each in ("uuid:1", "uuid:2"):
            played.answers[f"{FORM}/submissions/{each}/versions"] = [Answer([{"instanceId": each}])]
        pulled(store, blobs, played)
    assert kept(store) == {"uuid:1": ("approved", ["a.jpg"]), "uuid:2": ("received", [])}


@pytest.fixture
def kobo_answers() -> dict[str, list[Answer]]:
    file = {"filename": "me/attachments/x/1/a_b.jpg", "media_file_basename": "a_b.jpg", "download_url": "", "is_deleted": False}
    rows = [
        {"_id": 5, "_uuid": "1", "_validation_status": {"uid": "validation_status_not_approved"}, "_attachments": [file]},
        {"_id": 9, "_uuid": "2", "meta/instanceID": "uuid:2", "_validation_status": {}, "_attachments": []},
    ]
    asset = {"uid": "aUid", "has_deployment": True}
    return {
        "/api/v2/assets/": [Answer({"count": 2, "next": None, "results": [asset, {"uid": "aDraft", "has_deployment": False}]})],
        f"{ASSET}.xml": [Answer(form())],
        f"{ASSET}/files/": [Answer({"count": 0, "next": None, "results": []})],
        f"{ASSET}/data/": [Answer({"results": rows}), Answer({"results": []})],
        f"{ASSET}/data/5.xml": [Answer(record("<q>1</q><photo>a b.jpg</photo>", instance_id="uuid:1"))],
        f"{ASSET}/data/9.xml": [Answer(record("<q>2</q><photo/>", instance_id="uuid:2"))],
        "/media/a_b.jpg": [Answer(PHOTO)],
    }


def test_kobo_keeps_files_under_other_names_and_on_another_host_without_our_key(
    store: Store, blobs: BlobStore, kobo_answers: dict[str, list[Answer]]
) -> None:
    with playing({"/media/a_b.jpg": [Answer(PHOTO)]}) as elsewhere, playing(kobo_answers) as played:
        rows = kobo_answers[f"{ASSET}/data/"][0].body["results"]
        rows[0]["_attachments"][0]["download_url"] = f"{elsewhere.url}/media/a_b.jpg"
        tally = Kobo(receiver(store, blobs, played), Client(played.url, Key("Token", "k" * 40), backoff=0)).pull()
        assert tally.counts["created"] == 2
        assert {auth for _, auth in played.asked} == {f"Token {'k' * 40}"}
        assert elsewhere.asked == [("/media/a_b.jpg", "")]
        assert any('"$gt": 9' in path for path in played.paths())
    assert kept(store) == {"uuid:1": ("rejected", ["a b.jpg"]), "uuid:2": ("received", [])}


def test_kobo_goes_on_after_the_last_whole_page(store: Store, blobs: BlobStore, kobo_answers: dict[str, list[Answer]]) -> None:
    first = kobo_answers[f"{ASSET}/data/"][0].body["results"]
    first[0]["_attachments"] = []
    kobo_answers[f"{ASSET}/data/"] = [
        Answer({"results": first[:1]}),
        Answer({}, 403),
        Answer({"results": first[1:]}),
        Answer({"results": []}),
    ]
    with playing(kobo_answers) as played:
        client = Client(played.url, Key("Token", "k"), backoff=0)
        with pytest.raises(Problem):
            Kobo(receiver(store, blobs, played), client).pull()
        played.asked.clear()
        Kobo(receiver(store, blobs, played), client).pull()
        assert '"$gt": 5' in next(path for path in played.paths() if path.startswith(f"{ASSET}/data/?"))
    assert set(kept(store)) == {"uuid:1", "uuid:2"}


def test_an_address_with_a_name_in_it_is_refused() -> None:
    for address in ("https://me:secret@central.example.org", "ftp://central.example.org", "https://"):
        with pytest.raises(Problem) as caught:
            Client(address)
        assert caught.value.kind.code == "value_invalid"
        assert "secret" not in str(caught.value)
