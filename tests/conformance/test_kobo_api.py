"""The API of KoBoToolbox (contract T204, T205), read by pykobo and koboextractor themselves."""

import json

import pytest
import requests
from koboextractor import KoboExtractor
from pykobo import Manager

from tests.conformance.conftest import Site
from tests.support.collect import Record
from tests.support.programs import Reader, reader
from tests.support.records import LOSS, loss, new_id, parts, renamed

of_pykobo = pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")  # pykobo's own, about pandas


@pytest.fixture(scope="session")
def person(site: Site) -> Reader:
    return reader(site.server)


@pytest.fixture(scope="session")
def token(person: Reader) -> str:
    """What KoBoToolbox's users copy from their account page."""
    return str(person.get("/token/?format=json")["token"])


@pytest.fixture(scope="module")
def form(site: Site, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[str]]:
    """A form with five records: four with animals, one without."""
    form_id = f"loss {new_id()[-12:]}"
    path = tmp_path_factory.mktemp("form") / "form.xml"
    path.write_bytes(renamed(LOSS, form_id))
    site.server.publish(path)
    ids = [new_id() for _ in range(5)]
    for number, instance_id in enumerate(ids):
        animals = tuple(f"{number}{letter}.jpg" for letter in "abcd"[:number])
        xml = loss(instance_id, "a.jpg", animals, remarks=f"no {number}").replace(b'"livestock_loss"', f'"{form_id}"'.encode())
        site.phone().post(f"{site.url}/submission", parts(xml, {"a.jpg": b"\xff\xd8\xff\xe0 %d" % number}))
    return form_id, ids


def uid(person: Reader, form_id: str) -> str:
    found = [each for each in person.get("/api/v2/assets.json")["results"] if each["deployment__submission_count"] >= 5]
    return next(
        str(each["uid"])
        for each in found
        if person.get(f"/api/v2/assets/{each['uid']}/")["content"]["settings"]["id_string"] == form_id
    )


@of_pykobo
def test_t204_pykobo_finds_the_forms_and_reads_a_form_with_repeats(person: Reader, token: str, form: tuple[str, list[str]]) -> None:
    manager = Manager(url=person.root, api_version=2, token=token)
    assert len(manager.get_forms()) >= 4
    found = manager.get_form(uid(person, form[0]))
    found.fetch_data()
    assert list(found.data["remarks"]) == [f"no {number}" for number in range(5)]
    assert list(found.data["_place_latitude"]) == ["35.7001"] * 5
    assert len(found.repeats["animals"]) == 10
    assert list(found.repeats["animals"]["_parent_index"]) == [2, 3, 3, 4, 4, 4, 5, 5, 5, 5]
    found.fetch_attachments(["photo"])
    photo = requests.get(found.data["media_photo"][3], headers={"Authorization": f"Token {token}"}, timeout=60)
    assert photo.content == b"\xff\xd8\xff\xe0 3"
    found.display(columns_as="label", choices_as="label")
    assert set(found.data["کدام حیوان؟"]) == {"پلنگ"}
    found.fetch_media()
    assert found.media.empty


def test_t205_koboextractor_gets_what_it_asks_for(person: Reader, token: str, form: tuple[str, list[str]]) -> None:
    kobo = KoboExtractor(token, f"{person.root}/api/v2")
    asset_uid = uid(person, form[0])
    everything = kobo.get_data(asset_uid)
    assert (everything["count"], [row["remarks"] for row in everything["results"]]) == (5, [f"no {number}" for number in range(5)])
    part = kobo.get_data(asset_uid, start=2, limit=2)
    assert (part["count"], [row["remarks"] for row in part["results"]]) == (5, ["no 2", "no 3"])
    third = everything["results"][2]
    newer = kobo.get_data(asset_uid, query=json.dumps({"_id": {"$gt": third["_id"]}}))
    assert [row["remarks"] for row in newer["results"]] == ["no 3", "no 4"]
    assert kobo.get_data(asset_uid, submitted_after="2100-01-01T00:00:00")["results"] == []
    asset = kobo.get_asset(asset_uid)
    choices, questions = kobo.get_choices(asset), kobo.get_questions(asset=asset, unpack_multiples=True)
    labelled = kobo.label_result(third, choices, questions, unpack_multiples=True)
    assert labelled["results"]["predator"]["answer_label"] == "پلنگ"
    assert set(labelled["results"]["signs"]["choices"]) == {"tracks", "scat", "scratch"}


def test_pages_follow_each_other_to_the_end(person: Reader, form: tuple[str, list[str]]) -> None:
    address = f"/api/v2/assets/{uid(person, form[0])}/data/?format=json&limit=2"
    seen = []
    while address:
        page = person.get(address)
        seen += [row["meta/rootUuid"] for row in page["results"]]
        address = page["next"]
    assert seen == form[1]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"remarks": "no 3"}, [3]),
        ({"remarks": {"$in": ["no 1", "no 4"]}}, [1, 4]),
        ({"predator": {"$ne": "leopard"}}, []),
        ({"_submission_time": {"$gte": "2020-01-01T00:00:00"}, "remarks": "no 0"}, [0]),
    ],
    ids=str,
)
def test_a_query_finds_by_answers(person: Reader, form: tuple[str, list[str]], query: dict[str, object], found: list[int]) -> None:
    page = person.get(f"/api/v2/assets/{uid(person, form[0])}/data.json", params={"query": json.dumps(query)})
    assert [row["meta/rootUuid"] for row in page["results"]] == [form[1][number] for number in found]
    assert page["count"] == len(found)


def test_sort_and_fields_are_honoured(person: Reader, form: tuple[str, list[str]]) -> None:
    asked = {"sort": '{"_id": -1}', "fields": '["_id", "remarks"]', "limit": 2}
    rows = person.get(f"/api/v2/assets/{uid(person, form[0])}/data.json", params=asked)["results"]
    assert [row["remarks"] for row in rows] == ["no 4", "no 3"]
    assert set(rows[0]) == {"_id", "remarks"}
    one = person.get(f"/api/v2/assets/{uid(person, form[0])}/data/{rows[0]['_id']}/")
    assert one["meta/rootUuid"] == form[1][4]
    assert person.get(f"/api/v2/assets/{uid(person, form[0])}/data/{one['_uuid']}.json") == one


@pytest.mark.parametrize(
    "query",
    [
        '{"remarks": {"$where": "1"}}',
        '{"remarks": {"$gt": "a"}}',
        '{"$or": []}',
        '{"animals/species": "sheep"}',
        "nonsense",
        "[]",
        '{"_id": "1"}',
    ],
)
def test_a_query_that_is_not_understood_is_refused_and_never_ignored(
    person: Reader, form: tuple[str, list[str]], query: str
) -> None:
    answer = person.ask(f"/api/v2/assets/{uid(person, form[0])}/data.json", params={"query": query})
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")


def test_a_key_opens_only_as_long_as_its_person_may(site: Site, form: tuple[str, list[str]]) -> None:
    asking = reader(site.server)
    headers = {"Authorization": f"Token {asking.get('/token/')['token']}"}
    address = f"{asking.root}/api/v2/assets/{uid(asking, form[0])}/data.json"
    assert requests.get(address, headers=headers, timeout=60).status_code == 200
    assert site.server.here("account", "role", asking.name, "analyst")[0] == 0
    assert requests.get(address, headers=headers, timeout=60).status_code == 403
    assert site.server.here("account", "close", asking.name)[0] == 0
    assert requests.get(address, headers=headers, timeout=60).status_code == 401


def test_a_record_that_was_sent_with_another_phone_shows_up_as_edited(
    site: Site, person: Reader, form: tuple[str, list[str]]
) -> None:
    edited = loss(new_id(), "a.jpg", (), remarks="edited", deprecated_id=form[1][0])
    site.phone().send(Record(edited.replace(b'"livestock_loss"', f'"{form[0]}"'.encode()), {"a.jpg": b"\xff\xd8\xff\xe0 0"}))
    rows = person.get(f"/api/v2/assets/{uid(person, form[0])}/data.json")["results"]
    assert [row["meta/rootUuid"] for row in rows] == form[1]
    assert (rows[0]["remarks"], rows[0]["_uuid"] != form[1][0]) == ("edited", True)
