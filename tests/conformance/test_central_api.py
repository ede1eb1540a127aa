"""The API of ODK Central (contract T194-T203), read by pyodk itself and by the calls that ruODK, Excel and Power BI make."""

import csv
import io
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import requests
from pyodk.client import Client
from pyodk.errors import PyODKError

from tests.conformance.conftest import Site
from tests.support.collect import Record
from tests.support.entities import household, household_form, uuid_of
from tests.support.programs import PASSWORD, Reader, delete_record, form_path, reader, service
from tests.support.records import FLOCK, LOSS, flock, loss, new_id, parts, renamed

EDM = "{http://docs.oasis-open.org/odata/ns/edm}"


@pytest.fixture(scope="session")
def person(site: Site) -> Reader:
    return reader(site.server)


@pytest.fixture
def form(site: Site, tmp_path: Path) -> str:
    """A form that no other test sends records of."""
    form_id = f"flock {new_id()[-12:]}"
    publish(site, tmp_path, renamed(FLOCK, form_id))
    return form_id


@pytest.fixture
def client(person: Reader, tmp_path: Path) -> Iterator[Client]:
    """pyodk with its settings and its cache in files, as people use it."""
    settings = tmp_path / "pyodk.toml"
    account = f'base_url = "{person.root}"\nusername = "{person.name}"\npassword = "{PASSWORD}"\ndefault_project_id = 1\n'
    settings.write_text(f"[central]\n{account}", encoding="utf-8")
    with Client(config_path=settings, cache_path=tmp_path / "cache.toml") as opened:
        yield opened


def publish(site: Site, folder: Path, xform: bytes) -> None:
    path = folder / f"{new_id()[-12:]}.xml"
    path.write_bytes(xform)
    site.server.publish(path)


def send(site: Site, form_id: str, count: int = 1, *, start: int = 0) -> list[str]:
    phone, ids = site.phone(), [new_id() for _ in range(count)]
    for number, instance_id in enumerate(ids, start=start):
        phone.send(Record(flock(instance_id, form_id=form_id, sheep=str(number))))
    return ids


def test_t194_pyodk_lists_projects_forms_and_submissions_and_reads_tables(client: Client, site: Site, form: str) -> None:
    ids = send(site, form, 3)
    assert client.projects.list()[0].id == 1
    assert client.projects.get(1).name
    assert {"flock_count", "livestock_loss", "village_visit", form} <= {each.xmlFormId for each in client.forms.list()}
    assert client.forms.get(form).state == "open"
    listed = client.submissions.list(form_id=form)
    assert [each.instanceId for each in listed] == ids[::-1]
    assert client.submissions.get(ids[0], form_id=form) == listed[-1]
    table = client.submissions.get_table(form_id=form, top=2, count=True, wkt=True)
    assert (len(table["value"]), table["@odata.count"]) == (2, 3)
    assert [row["sheep"] for row in table["value"]] == [2, 1]
    assert client.submissions.get_table(form_id="livestock_loss", expand="*")["value"] is not None


def test_t194_pyodk_reviews_and_comments(client: Client, site: Site, form: str) -> None:
    (instance,) = send(site, form)
    client.submissions._patch(instance, "hasIssues", form_id=form)
    reviewed = client.submissions.get(instance, form_id=form)
    assert (reviewed.reviewState, reviewed.updatedAt is not None) == ("hasIssues", True)
    said = client.submissions.add_comment(instance, "عکس تار است", form_id=form)
    assert said.actorId > 0
    assert [each.body for each in client.submissions.list_comments(instance, form_id=form)] == ["عکس تار است"]
    with pytest.raises(PyODKError, match="value_invalid"):
        client.submissions._patch(instance, "wonderful", form_id=form)


def test_t194_pyodk_reads_entities(site: Site, tmp_path: Path) -> None:
    publish(site, tmp_path, household_form())
    site.phone().send(Record(household(new_id(), uuid_of("h1"), label="Gholam", herd="120", note="=cmd")))
    coordinator = reader(site.server, "coordinator")
    settings = tmp_path / "pyodk.toml"
    account = f'base_url = "{coordinator.root}"\nusername = "{coordinator.name}"\npassword = "{PASSWORD}"\n'
    settings.write_text(f"[central]\n{account}", encoding="utf-8")
    with Client(config_path=settings, cache_path=tmp_path / "cache.toml", project_id=1) as client:
        assert "households" in {each.name for each in client.entity_lists.list()}
        properties = {each.name: each.forms for each in client.entity_lists.get("households").properties or ()}
        assert {**properties, "herd": ["visit"], "note": ["visit"]} == properties
        listed = client.entities.list(entity_list_name="households")
        assert {each.uuid: each.currentVersion.label for each in listed}[uuid_of("h1")] == "Gholam"
        table = client.entities.get_table(entity_list_name="households", count=True, select="__id,label,herd")
    assert {"__id": uuid_of("h1"), "label": "Gholam", "herd": "120"} in table["value"]
    sheet = coordinator.ask("/v1/projects/1/datasets/households/entities.csv")
    rows = list(csv.DictReader(io.StringIO(sheet.content.decode("utf-8-sig"))))
    found = next(row for row in rows if row["__id"] == uuid_of("h1"))
    assert (found["label"], found["herd"], found["note"], found["__version"]) == ("Gholam", "120", "'=cmd", "1")
    assert int(found["__creatorId"]) > 0
    types = ET.fromstring(coordinator.ask("/v1/projects/1/datasets/households.svc/$metadata").content)
    assert {each.get("Name") for each in types.iter(f"{EDM}Property")} >= {"herd", "note", "label", "__system"}


def test_t195_a_submitter_nobody_knows_has_a_number_too(site: Site, person: Reader, form: str) -> None:
    (instance,) = send(site, form)
    listed = person.get(f"{form_path(form)}/submissions")
    assert listed[0]["instanceId"] == instance
    assert isinstance(listed[0]["submitterId"], int)
    assert person.rows(form)[0]["__system"]["submitterId"] == str(listed[0]["submitterId"])


@pytest.mark.parametrize("path", ["/v1/projects", "/v1/projects/1", "/v1/projects/1/forms", form_path("livestock_loss")])
def test_t196_json_comes_to_who_asks_for_xml_as_ruodk_does(person: Reader, path: str) -> None:
    answer = person.ask(path, headers={"Accept": "application/xml"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    answer.json()


def test_t197_links_lead_through_every_row_once(site: Site, person: Reader, form: str) -> None:
    ids = send(site, form, 5)
    first = person.get(f"{service(form)}/Submissions?%24top=2&%24count=true")
    assert len(first["value"]) == 2
    pages = list(person.pages(form, top=2, count="true"))
    assert [row["__id"] for page in pages for row in page["value"]] == ids[::-1]
    assert [page["@odata.count"] for page in pages] == [5, 5, 5]
    assert "@odata.nextLink" not in pages[-1]
    assert [row["__id"] for row in person.rows(form, top=2, skip=3)] == ids[1::-1]
    for order in ("__system/submissionDate asc", "__system/reviewState", "__system/updatedAt desc", "__id desc"):
        assert sorted(row["__id"] for row in person.rows(form, top=2, orderby=order)) == sorted(ids)


def test_t197_links_lead_through_the_rows_of_a_repeat(site: Site, person: Reader, tmp_path: Path) -> None:
    form_id = f"loss {new_id()[-12:]}"
    publish(site, tmp_path, renamed(LOSS, form_id))
    for number in range(4):
        animals = tuple(f"{number}{letter}.jpg" for letter in "abc"[:number])
        site.phone().send(Record(loss(new_id(), "", animals).replace(b'"livestock_loss"', f'"{form_id}"'.encode())))
    pages = list(person.pages(form_id, "Submissions.animals", top=2, count="true"))
    assert [[row["carcass"] for row in page["value"]] for page in pages] == [
        ["3a.jpg", "3b.jpg"],
        ["3c.jpg", "2a.jpg"],
        ["2b.jpg", "1a.jpg"],
    ]
    assert {page["@odata.count"] for page in pages} == {6}
    parents = {row["__id"] for row in person.rows(form_id)}
    assert {row["__Submissions-id"] for page in pages for row in page["value"]} < parents
    assert [row["carcass"] for row in person.rows(form_id, "Submissions.animals", skip=4, top=1)] == ["2b.jpg", "1a.jpg"]


def test_t198_nothing_is_lost_or_doubled_when_records_come_while_somebody_pages(site: Site, person: Reader, form: str) -> None:
    ids = send(site, form, 6)
    seen = []
    for page in person.pages(form, top=2):
        seen += [row["__id"] for row in page["value"]]
        send(site, form, 1)
    assert seen == ids[::-1]


def test_t199_what_was_not_answered_is_null_and_never_missing(site: Site, person: Reader, form: str) -> None:
    instance = new_id()
    empty = flock(instance, form_id=form).replace(b"<herder>Gholam</herder><sheep>120</sheep>", b"")
    site.phone().send(Record(empty))
    row = person.rows(form)[0]
    assert (row["herder"], row["sheep"], row["counted_on"]) == (None, None, "2026-05-02")
    assert {name: row["__system"][name] for name in ("updatedAt", "deletedAt", "reviewState", "status")} == dict.fromkeys(
        ("updatedAt", "deletedAt", "reviewState", "status")
    )


def test_t200_the_metadata_declares_every_property_of_every_row(site: Site, person: Reader) -> None:
    site.phone().send(Record(loss(new_id(), "a.jpg", ("b.jpg",))))
    document = person.ask(f"{service('livestock_loss')}/$metadata", headers={"Accept": "application/json"})
    assert document.headers["Content-Type"].startswith("application/xml")
    assert document.headers["OData-Version"] == "4.0"
    tree = ET.fromstring(document.content)
    types = {f"{schema.get('Namespace')}.{each.get('Name')}": each for schema in tree.iter(f"{EDM}Schema") for each in schema}
    sets = {each.get("Name"): each.get("EntityType") for each in tree.iter(f"{EDM}EntitySet")}
    listed = person.get(service("livestock_loss"))["value"]
    assert [each["name"] for each in listed] == list(sets) == ["Submissions", "Submissions.animals"]
    for table, name in sets.items():
        for row in person.rows("livestock_loss", str(table), top=20):
            assert undeclared(row, types, str(name)) == []


def undeclared(row: dict[str, object], types: dict[str, ET.Element], name: str) -> list[str]:
    properties = {each.get("Name"): each for each in types[name] if each.tag in {f"{EDM}Property", f"{EDM}NavigationProperty"}}
    found = []
    for key, value in row.items():
        declared = properties.get(key.partition("@")[0])
        if declared is None:
            found.append(key)
        elif isinstance(value, dict) and str(declared.get("Type")) in types:
            found += undeclared(value, types, str(declared.get("Type")))
    return found


@pytest.mark.parametrize(
    "options", ["$apply=aggregate($count as n)", "$search=x", "$expand=animals", "$filter=herder eq 'x'", "$orderby=herder"]
)
def test_t201_what_is_not_supported_is_said_so(person: Reader, options: str) -> None:
    answer = person.ask(f"{service('livestock_loss')}/Submissions?{options}")
    assert answer.status_code == 501
    assert isinstance(answer.json()["code"], float)
    assert int(answer.json()["code"]) == 501
    assert answer.json()["message"]


def test_t202_a_filter_gives_what_is_new_and_what_changed(site: Site, person: Reader, form: str) -> None:
    old, changed = send(site, form, 2)
    moment = person.rows(form)[0]["__system"]["submissionDate"]
    (new,) = send(site, form, start=7)
    assert person.ask(f"{form_path(form)}/submissions/{changed}", "PATCH", json={"reviewState": "approved"}).status_code == 200
    since = f"__system/submissionDate gt {moment} or __system/updatedAt ge {moment}"
    found = {row["__id"] for row in person.rows(form, filter=since)}
    assert {changed, new} <= found
    assert old not in found
    assert [row["__id"] for row in person.rows(form, filter="__system/reviewState eq 'approved'")] == [changed]
    assert {row["__id"] for row in person.rows(form, filter="not (__system/reviewState eq 'approved')")} == {old, new}
    assert {row["__id"] for row in person.rows(form, filter="__system/reviewState ne 'approved'")} == {old, new}
    assert person.rows(form, filter="__system/submissionDate lt 2020-01-01") == []
    submitter = person.rows(form)[0]["__system"]["submitterId"]
    assert len(person.rows(form, filter=f"__system/submitterId eq {submitter} and year(__system/submissionDate) ge 2026")) == 3
    assert len(person.rows(form, filter="__system/submissionDate lt now()")) == 3


def test_deleted_records_are_hidden_until_they_are_asked_for(site: Site, person: Reader, form: str) -> None:
    kept, deleted = send(site, form, 2)
    delete_record(site.server, form, deleted)
    assert [row["__id"] for row in person.rows(form)] == [kept]
    assert [row["__id"] for row in person.rows(form, filter="__system/deletedAt ne null")] == [deleted]
    assert [each["instanceId"] for each in person.get(f"{form_path(form)}/submissions?deleted=true")] == [deleted]
    assert person.ask(f"{form_path(form)}/submissions/{deleted}").status_code == 404


@pytest.mark.parametrize("form_id", ["flock.count", "a.svc", "گله.شماری", "flock (2)'s", "b.xml.svc"])
def test_t203_any_form_id_leads_to_its_own_tables(site: Site, person: Reader, tmp_path: Path, form_id: str) -> None:
    publish(site, tmp_path, renamed(FLOCK, form_id))
    (instance,) = send(site, form_id)
    assert person.rows(form_id, top=1)[0]["__id"] == instance
    assert person.ask(f"{service(form_id)}/$metadata").status_code == 200
    assert person.ask(f"{form_path(form_id)}.xml").content == renamed(FLOCK, form_id)
    assert person.get(f"{form_path(form_id)}/submissions/{instance}")["instanceId"] == instance
    context = person.get(service(form_id))["@odata.context"]
    assert person.ask(context).status_code == 200


def test_one_record_and_the_rows_in_it_have_addresses(site: Site, person: Reader) -> None:
    instance = new_id()
    site.phone().send(Record(loss(instance, "", ("b.jpg", "c.jpg"))))
    address = f"{service('livestock_loss')}/Submissions('{instance}')"
    (row,) = person.get(address)["value"]
    animals = person.get(f"{service('livestock_loss')}/{row['animals@odata.navigationLink']}")["value"]
    assert [animal["carcass"] for animal in animals] == ["b.jpg", "c.jpg"]
    (expanded,) = person.get(f"{address}?$expand=*")["value"]
    assert [(animal["__id"], animal["carcass"]) for animal in expanded["animals"]] == [
        (animal["__id"], animal["carcass"]) for animal in animals
    ]
    only = person.get(f"{address}/animals('{animals[1]['__id']}')")["value"]
    assert [animal["carcass"] for animal in only] == ["c.jpg"]
    assert person.ask(f"{service('livestock_loss')}/Submissions('{new_id()}')").status_code == 404
    assert row["place"] == {"type": "Point", "coordinates": [51.4002, 35.7001, 1320.0], "properties": {"accuracy": 4.5}}
    (wkt,) = person.get(f"{address}?$wkt=true&$select=place,__system/formVersion")["value"]
    assert wkt == {"__system": {"formVersion": "1"}, "place": "POINT (51.4002 35.7001 1320)"}


def test_excel_and_power_bi_find_their_way(site: Site, person: Reader, form: str) -> None:
    ids = send(site, form, 3)
    headers = {
        "Accept": "application/json;odata.metadata=minimal;q=1.0,application/json;odata=minimalmetadata",
        "OData-MaxVersion": "4.0",
    }
    probe = requests.get(person.root + service(form), headers=headers, timeout=60)
    assert probe.status_code == 401
    assert probe.headers["WWW-Authenticate"].startswith("Basic realm=")
    document = person.ask(service(form), headers=headers)
    assert document.headers["OData-Version"] == "4.0"
    assert person.ask(f"{service(form)}/$metadata", headers={"Accept": "application/xml"}).status_code == 200
    table = document.json()["value"][0]["url"]
    assert [row["__id"] for row in person.rows(form, table, top=1000)] == ids[::-1]
    old = person.ask(service(form), headers={"OData-MaxVersion": "3.0"})
    assert (old.status_code, int(old.json()["code"])) == (406, 406)
    assert person.ask(f"{service(form)}/Submissions", headers={"Accept": "application/xml"}).status_code == 406


def test_a_table_that_did_not_change_is_not_sent_again(site: Site, person: Reader, form: str) -> None:
    (instance,) = send(site, form)
    address = f"{service(form)}/Submissions"
    first = person.ask(address)
    assert first.headers["ETag"].startswith('W/"')
    assert first.headers["Cache-Control"] == "private, no-cache"
    for _ in range(100):  # the checks may still be looking at the record, which changes it
        again = person.ask(address, headers={"If-None-Match": first.headers["ETag"]})
        if again.status_code == 304:
            break
        first = again
        time.sleep(0.1)
    assert (again.status_code, again.content) == (304, b"")
    assert person.ask(f"{form_path(form)}/submissions/{instance}", "PATCH", json={"reviewState": "rejected"}).status_code == 200
    changed = person.ask(address, headers={"If-None-Match": first.headers["ETag"]})
    assert changed.json()["value"][0]["__system"]["reviewState"] == "rejected"
    other = reader(site.server, "coordinator").ask(address, headers={"If-None-Match": changed.headers["ETag"]})
    assert other.status_code == 200


def test_ruodk_reads_fields_files_and_attachments(site: Site, person: Reader) -> None:
    instance, name = new_id(), "عکس ۱.jpg"
    site.phone().post(f"{site.url}/submission", parts(loss(instance, name), {name: b"\xff\xd8\xff\xe0 photo"}))
    base = form_path("livestock_loss")
    fields = {each["path"]: each for each in person.get(f"{base}/fields?flatten=false&odata=false")}
    assert fields["/animals"]["type"] == "repeat"
    assert (fields["/photo"]["binary"], fields["/signs"]["selectMultiple"], fields["/place"]["type"]) == (True, True, "geopoint")
    assert person.get(f"{base}/submissions/keys") == []
    assert person.get(f"{base}/submissions/{instance}/attachments") == [{"name": name, "exists": True}]
    raw = site.server.raw(
        "GET", f"{person.root}{base}/submissions/{instance}/attachments/{name}".replace("عکس ۱", "%D8%B9%DA%A9%D8%B3%20%DB%B1")
    )
    assert raw.status == 401
    photo = person.ask(f"{base}/submissions/{instance}/attachments/{name}")
    assert photo.content == b"\xff\xd8\xff\xe0 photo"
    assert photo.headers["Content-Disposition"].startswith("attachment")
    detail = person.get(f"{base}", headers={"X-Extended-Metadata": "true"})
    assert detail["submissions"] >= 1
    assert set(detail["reviewStates"]) == {"received", "hasIssues", "edited"}
    assert person.get(form_path("village_visit") + "/attachments")[0]["type"] == "file"
    assert person.ask(f"{base}/submissions/{instance}.xml").content == loss(instance, name)


def test_the_whole_form_comes_as_one_zip(site: Site, person: Reader, tmp_path: Path) -> None:
    form_id = f"loss.zip {new_id()[-12:]}"
    publish(site, tmp_path, renamed(LOSS, form_id))
    for photo in (b"\xff\xd8\xff one", b"\xff\xd8\xff two"):
        xml = loss(new_id(), "a.jpg", ("b.jpg",)).replace(b'"livestock_loss"', f'"{form_id}"'.encode())
        site.phone().post(f"{site.url}/submission", parts(xml, {"a.jpg": photo}))
    answer = person.ask(f"{form_path(form_id)}/submissions.csv.zip?attachments=true")
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.testzip() is None
    names = archive.namelist()
    assert names[:2] == [f"{form_id}.csv", f"{form_id}-animals.csv"]
    assert {archive.read(name) for name in names[2:]} == {b"\xff\xd8\xff one", b"\xff\xd8\xff two"}
    assert len(list(csv.reader(io.StringIO(archive.read(names[0]).decode("utf-8-sig"))))) == 3
    bare = person.ask(f"{form_path(form_id)}/submissions.csv.zip?attachments=false&$filter=__system/reviewState eq 'approved'")
    tables = zipfile.ZipFile(io.BytesIO(bare.content))
    assert tables.namelist() == names[:2]
    assert len(tables.read(names[0]).decode().splitlines()) == 1


def test_a_session_begins_and_ends(person: Reader) -> None:
    began = requests.post(f"{person.root}/v1/sessions", json={"email": person.name, "password": PASSWORD}, timeout=60)
    assert began.status_code == 200
    headers = {"Authorization": f"Bearer {began.json()['token']}"}
    current = requests.get(f"{person.root}/v1/users/current", headers=headers, timeout=60)
    assert current.json()["displayName"] == person.name
    ended = requests.delete(f"{person.root}/v1/sessions/current", headers=headers, timeout=60)
    assert ended.json() == {"success": True}
    late = requests.get(f"{person.root}/v1/users/current", headers=headers, timeout=60)
    assert (late.status_code, late.json()["code"]) == (401, 401.2)
    wrong = requests.post(f"{person.root}/v1/sessions", json={"email": person.name, "password": "guess"}, timeout=60)
    assert (wrong.status_code, wrong.json()["code"]) == (401, 401.2)
