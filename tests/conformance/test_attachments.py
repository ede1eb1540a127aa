"""2.2.3 and 2.7 of the client contract, over HTTP: files in any grouping, after any cut, of any content."""

import hashlib

import pytest

from tests.conformance.conftest import Site
from tests.support.collect import encode
from tests.support.raw import exchange, head
from tests.support.records import loss, new_id, parts

PHOTO, OTHER = b"\xff\xd8\xff\xe0 photo", b"\xff\xd8\xff\xe0 another"
WIDE = b'event,node,start,end\nform start,,1,,35.7,51.4\nquestion,/loss/remarks,1,2,"a\nquoted ""line""",x,y,z\n'


@pytest.mark.parametrize("log", [WIDE, WIDE[:-9], b"\xff\xfe\0", b""], ids=["wider than the heading", "cut", "no text", "empty"])
def test_t143_a_log_of_the_interview_is_kept_as_it_came(site: Site, log: bytes) -> None:
    instance = new_id()
    assert site.post(parts(loss(instance), {"audit.csv": log})).status == 201
    [file] = site.kept("livestock_loss", instance)["files"]
    assert (file["name"], file["sha256"]) == ("audit.csv", hashlib.sha256(log).hexdigest())


def test_t115_t118_what_is_odd_about_files_is_said(site: Site) -> None:
    instance = new_id()
    xml = loss(instance, "1.jpg", ("2.jpg", "3.jpg"))
    for files in ({"1.jpg": PHOTO, "2.jpg": b"", "9.jpg": PHOTO}, {"1.jpg": OTHER, "3.jpg": b"<svg/>"}):
        assert site.post(parts(xml, files)).status in {201, 202}
    assert site.flags("livestock_loss", instance) == {"file_twice", "file_empty", "file_unexpected", "file_kind"}


def test_t112_files_that_never_came_are_listed_as_missing(site: Site) -> None:
    instance = new_id()
    assert site.post(parts(loss(instance, "1.jpg", ("2.jpg",)), {"2.jpg": PHOTO})).status == 201
    record = site.kept("livestock_loss", instance)
    assert (record["files_expected"], record["files_present"]) == (2, 1)
    assert site.flags("livestock_loss", instance) == set()


@pytest.mark.parametrize("share", [0.3, 0.7, 0.95])
def test_t113_after_a_cut_another_grouping_completes_the_record(site: Site, share: float) -> None:
    instance, url = new_id(), f"{site.url}/submission"
    xml = loss(instance, "1.jpg", ("2.jpg", "3.jpg"))
    files = {f"{number}.jpg": PHOTO * 3000 + bytes([number]) for number in (1, 2, 3)}
    assert site.post(parts(xml, {"1.jpg": files["1.jpg"]}, incomplete=True)).status == 201
    body, kind = encode(parts(xml, {"2.jpg": files["2.jpg"], "3.jpg": files["3.jpg"]}))
    exchange(
        url, [head("POST", url, Content_Type=kind, Content_Length=str(len(body))) + body[: int(len(body) * share)]], listen=False
    )
    assert site.post(parts(xml, {"1.jpg": files["1.jpg"], "3.jpg": files["3.jpg"]}, incomplete=True)).status == 201
    assert site.post(parts(xml, {"2.jpg": files["2.jpg"]})).status == 201
    record = site.kept("livestock_loss", instance)
    assert (record["files_present"], len(record["files"])) == (3, 3)
    assert site.flags("livestock_loss", instance) == set()


def test_t135_a_file_that_an_edit_inherits_is_replaced_when_it_comes(site: Site) -> None:
    root, edit = new_id(), new_id()
    assert site.post(parts(loss(root, "1.jpg", ("2.jpg",)), {"1.jpg": PHOTO, "2.jpg": PHOTO})).status == 201
    edited = loss(edit, "1.jpg", ("2.jpg",), deprecated_id=root, remarks="counted again")
    assert site.post(parts(edited, incomplete=True)).status == 201
    before = {file["name"]: file["sha256"] for file in site.kept("livestock_loss", root)["files"]}
    assert site.post(parts(edited, {"1.jpg": OTHER})).status == 201
    after = {file["name"]: file["sha256"] for file in site.kept("livestock_loss", root)["files"]}
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in (("1.jpg", OTHER), ("2.jpg", PHOTO))}
    assert (set(before.values()), after) == ({digests["2.jpg"]}, digests)


def test_t134_a_late_file_of_the_first_version_stays_with_it(site: Site) -> None:
    root, edit = new_id(), new_id()
    original = loss(root, "1.jpg")
    assert site.post(parts(original, incomplete=True)).status == 201
    assert site.post(parts(loss(edit, "1.jpg", deprecated_id=root), {"1.jpg": OTHER})).status == 201
    assert site.post(parts(original, {"1.jpg": PHOTO})).status == 201
    [file] = site.kept("livestock_loss", root)["files"]
    assert file["sha256"] == hashlib.sha256(OTHER).hexdigest()
