"""Entity lists over HTTP: what a phone makes offline, another one picks (CONTRACT: ODK Entities, OpenRosa manifest)."""

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from tests.conformance.conftest import Site
from tests.support.collect import Collect, Record, md5
from tests.support.collect_entities import read_integrity
from tests.support.entities import household, household_form
from tests.support.openrosa import ListedFile
from tests.support.records import new_id, parts
from tests.support.servers import Plain

Lists = Callable[..., str]


@pytest.fixture
def visit(site: Site, tmp_path: Path) -> str:
    """The id of a form of its own, which feeds and uses a list of the same name."""
    name = f"visit_{uuid4().hex[:8]}"
    publish(site, tmp_path, name)
    return name


def publish(site: Site, folder: Path, name: str, *, version: str = "1", extra: str = "") -> None:
    form = folder / f"{name}.xml"
    form.write_bytes(household_form(form_id=name, list_name=name, version=version, extra=extra))
    site.server.publish(form)


def record(name: str, instance_id: str, uuid: str, flags: str = 'create="1"', **more: str | int) -> bytes:
    xml = household(instance_id, uuid, flags, form_id=name, **more)  # type: ignore[arg-type]
    return xml.replace(b'dataset="households"', f'dataset="{name}"'.encode())


def send(site: Site, *records: bytes) -> None:
    for xml in records:
        assert site.post(parts(xml)).status in {201, 202}


def listed(phone: Collect, name: str) -> ListedFile:
    [form] = [form for form in phone.form_list() if form.form_id == name]
    [file] = phone.manifest(form)
    return file


def refresh(phone: Collect, name: str) -> None:
    [offer] = [offer for offer in phone.refresh() if offer.form.form_id == name]
    phone.download(offer)


def rows(answer: Plain) -> list[dict[str, str]]:
    assert answer.status == 200
    return list(csv.DictReader(io.StringIO(answer.body.decode("utf-8"), newline="")))


def run(site: Site, *arguments: str) -> str:
    code, said = site.server.here("entity", *arguments)
    assert code == 0, said
    return said


def test_publishing_a_form_makes_its_list_and_asks_for_no_file(site: Site, visit: str, phone: Collect) -> None:
    assert re.search(rf"^{visit}\t0\t.*herd, note$", run(site, "lists"), re.MULTILINE)
    file = listed(phone, visit)
    assert (file.filename, file.kind) == (f"{visit}.csv", "entityList")
    assert site.get(file.download_url).body == b"name,label,__version,herd,note\n"


def test_a_file_that_was_uploaded_under_the_name_goes_before_the_list(site: Site, tmp_path: Path, phone: Collect) -> None:
    name = f"own_{uuid4().hex[:8]}"
    (tmp_path / f"{name}.csv").write_text("name,label\na,A\n")
    publish(site, tmp_path, name)
    file = listed(phone, name)
    assert (file.kind, site.get(file.download_url).body) == (None, b"name,label\na,A\n")


def test_t157_t158_a_record_sent_twice_makes_one_entry(site: Site, visit: str, phone: Collect) -> None:
    xml, uuid = record(visit, new_id(), str(uuid4()), herd="12"), ""
    send(site, xml, xml)
    [row] = rows(site.get(listed(phone, visit).download_url))
    uuid = row["name"]
    assert row == {"name": uuid, "label": "H-1", "__version": "1", "herd": "12", "note": ""}


def test_t159_a_blank_label_keeps_the_record_and_is_told(site: Site, visit: str) -> None:
    instance_id, uuid = new_id(), str(uuid4())
    send(site, record(visit, instance_id, uuid, label=""))
    assert site.kept(visit, instance_id)["instance_id"] == instance_id
    assert f"failed\tcreate\t{uuid}\t{instance_id}\tThe label is empty." in run(site, "show", visit, "--log")


def test_t160_t161_t162_changes_of_one_version_are_merged_and_marked(site: Site, visit: str) -> None:
    uuid = str(uuid4())

    def state() -> str:
        return run(site, "show", visit).rstrip("\n")

    send(site, record(visit, new_id(), uuid, herd="1", note="a"))
    send(site, record(visit, new_id(), uuid, 'update="1"', base=1, herd="2"))
    assert state() == f"{uuid}\tH-1\t2\t"
    send(site, record(visit, new_id(), uuid, 'update="1"', base=1, note="b"))
    assert state() == f"{uuid}\tH-1\t3\tsoft"
    send(site, record(visit, new_id(), uuid, 'update="1"', base=1, herd="9"))
    assert state() == f"{uuid}\tH-1\t4\thard"
    told = run(site, "history", uuid)
    assert "In conflict: herd was “2” and is “9”." in told
    assert re.findall(r"^\d\t.*herd=(\d)", told, re.MULTILINE) == ["1", "2", "2", "9"]
    run(site, "resolve", uuid, "--set", "herd=2")
    assert state() == f"{uuid}\tH-1\t5\t"


def test_t163_t164_a_branch_delivered_backwards_before_its_creation(site: Site, visit: str, phone: Collect) -> None:
    uuid = str(uuid4())
    chain = [record(visit, new_id(), uuid, 'update="1"', base=base, branch="b-1", herd=str(base)) for base in (1, 2, 3)]
    send(site, *reversed(chain))
    assert rows(site.get(listed(phone, visit).download_url)) == []
    send(site, record(visit, new_id(), uuid, herd="0"))
    [row] = rows(site.get(listed(phone, visit).download_url))
    assert (row["__version"], row["herd"]) == ("4", "3")


def test_t165_ids_are_normalised(site: Site, visit: str, phone: Collect) -> None:
    uuid = str(uuid4())
    send(
        site, record(visit, new_id(), f"uuid:{uuid.upper()}"), record(visit, new_id(), uuid.upper(), 'update="1"', base=1, herd="5")
    )
    [row] = rows(site.get(listed(phone, visit).download_url))
    assert (row["name"], row["__version"]) == (uuid, "2")


def test_t166_t168_the_list_is_plain_utf_8_with_its_length_and_the_same_every_time(site: Site, visit: str, phone: Collect) -> None:
    send(site, *(record(visit, new_id(), str(uuid4()), label=f"خانوار {number}") for number in range(3)))
    file = listed(phone, visit)
    answer = site.get(file.download_url)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert int(answer.headers["content-length"]) == len(answer.body)
    assert md5(answer.body) == file.hash == listed(phone, visit).hash
    assert answer.body.startswith(b"name,label,__version,")
    assert [row["label"] for row in rows(answer)] == ["خانوار 0", "خانوار 1", "خانوار 2"]
    assert all(int(row["__version"]) >= 1 for row in rows(answer))
    again = site.get(file.download_url, If_None_Match=answer.headers["etag"])
    assert (again.status, again.body) == (304, b"")


def test_t169_integrity_tells_which_of_200_ids_are_deleted(site: Site, visit: str, phone: Collect) -> None:
    kept, gone = str(uuid4()), str(uuid4())
    send(site, record(visit, new_id(), kept), record(visit, new_id(), gone))
    run(site, "delete", gone)
    ids = ",".join([kept, *(str(uuid4()) for _ in range(198)), gone])
    url = f"{listed(phone, visit).integrity_url}?id={ids}"
    answer = site.get(url)
    assert answer.headers["x-openrosa-version"] == "1.0"
    assert answer.headers["content-type"].startswith("text/xml")
    assert answer.body.decode() == (
        f'<data><entities><entity id="{kept}"><deleted>false</deleted></entity>'
        f'<entity id="{gone}"><deleted>true</deleted></entity></entities></data>'
    )
    assert read_integrity(phone.get(url)) == {gone}


def test_t170_a_list_that_waits_for_approval_says_so_to_phones(site: Site, visit: str, phone: Collect) -> None:
    run(site, "approval", visit)
    assert listed(phone, visit).kind == "approvalEntityList"
    send(site, record(visit, new_id(), str(uuid4())))
    assert "waiting\tcreate" in run(site, "show", visit, "--log")
    run(site, "approval", visit, "--off")
    assert [row["label"] for row in rows(site.get(listed(phone, visit).download_url))] == ["H-1"]


def test_t171_any_text_comes_back_as_it_was_sent(site: Site, visit: str, phone: Collect) -> None:
    text = 'گلهٔ ۱۲، «بزرگ», "quoted"\n;=1+1\t\U0001f406'
    send(site, record(visit, new_id(), str(uuid4()), label="الف، ب", note=text.replace('"', "&quot;")))
    [row] = rows(site.get(listed(phone, visit).download_url))
    assert (row["label"], row["note"]) == ("الف، ب", text)


def test_a_list_is_only_for_those_who_get_a_form_that_uses_it(site: Site, visit: str, phone: Collect) -> None:
    url = listed(phone, visit).download_url
    assert site.get(url.replace(f"/lists/{visit}", "/lists/households")).status == 404
    assert site.get(url.replace(site.token, "x" * len(site.token))).status == 403


def test_a_new_property_of_a_new_version_is_a_new_column(site: Site, visit: str, tmp_path: Path, phone: Collect) -> None:
    table = tmp_path / "more.csv"
    table.write_text("label,herd,village\nH-7,70,Ab-e Garm\n")
    assert run(site, "import", visit, str(table)) == "1 made\n"
    assert run(site, "import", visit, str(table)) == "1 unchanged\n"
    table.write_text("label,herd\nH-7,71\n")
    assert run(site, "import", visit, str(table)) == "1 changed\n"
    [row] = rows(site.get(listed(phone, visit).download_url))
    assert (row["herd"], row["village"], row["__version"]) == ("71", "Ab-e Garm", "2")


@pytest.mark.parametrize("mode", ["collect-2026", "kobo-2025"])
def test_what_one_phone_makes_offline_another_one_picks_and_changes(site: Site, visit: str, mode: str) -> None:
    first, second = site.phone(mode), site.phone(mode, device_id="collect:other")
    refresh(first, visit)
    uuid = first.entities.new(visit, "H-1", herd="12")
    assert first.entities.choices(visit) == [(uuid, "H-1")]  # at once, without a network
    said = first.entities.changed(visit, uuid, herd="13")
    records = [record(visit, new_id(), uuid, herd="12"), record(visit, new_id(), uuid, 'update="1"', herd="13", **said)]
    refresh(second, visit)
    assert second.entities.choices(visit) == []
    for xml in reversed(records):
        first.send(Record(xml))
    refresh(first, visit)
    refresh(second, visit)
    assert first.entities.choices(visit) == second.entities.choices(visit) == [(uuid, "H-1")]
    assert not first.entities.lists[visit][uuid].is_dirty
    seen = second.entities.lists[visit][uuid]
    assert (seen.version, seen.properties["herd"]) == (2, "13")
    second.send(
        Record(record(visit, new_id(), uuid, 'update="1"', note="seen", **second.entities.changed(visit, uuid, note="seen")))
    )
    refresh(first, visit)
    assert first.entities.lists[visit][uuid].properties == {"herd": "13", "note": "seen"}
    assert run(site, "show", visit) == f"{uuid}\tH-1\t3\t\n"


def test_what_a_phone_has_not_sent_yet_survives_an_update_of_the_list(site: Site, visit: str, phone: Collect) -> None:
    refresh(phone, visit)
    own = phone.entities.new(visit, "unsent")
    send(site, record(visit, new_id(), str(uuid4()), label="of another phone"))
    refresh(phone, visit)
    assert [label for _, label in phone.entities.choices(visit)] == ["unsent", "of another phone"]
    phone.send(Record(record(visit, new_id(), own, label="unsent")))
    run(site, "delete", own)
    refresh(phone, visit)
    assert [label for _, label in phone.entities.choices(visit)] == ["of another phone"]


def test_an_unchanged_list_is_not_fetched_again(site: Site, visit: str, phone: Collect) -> None:
    send(site, record(visit, new_id(), str(uuid4())))
    refresh(phone, visit)
    fetched: list[str] = []
    get = phone.get

    def watched(url: str):  # type: ignore[no-untyped-def]
        fetched.append(url)
        return get(url)

    phone.get = watched  # type: ignore[method-assign]
    refresh(phone, visit)
    assert [url for url in fetched if "/lists/" in url] == []
