"""7.6 of the client contract, first half: a record is taken, once, however often and in whatever parts it comes."""

import socket
from concurrent.futures import ThreadPoolExecutor
from xml.etree import ElementTree as ET

import pytest

from tests.conformance.conftest import Site
from tests.support.collect import Collect, Record, encode
from tests.support.openrosa import parse_message
from tests.support.raw import exchange, head, in_pieces
from tests.support.records import flock, loss, new_id, parts

PHOTO, OTHER = b"\xff\xd8\xff\xe0 photo", b"\xff\xd8\xff\xe0 another"


def test_t081_t082_t083_t084_a_minimal_record_is_received(site: Site) -> None:
    instance = new_id()
    answer = site.post(parts(flock(instance)))
    assert answer.status == 201
    assert ET.fromstring(answer.body).tag == "{http://openrosa.org/http/response}OpenRosaResponse"
    assert b"<message" in answer.body
    assert parse_message(answer.body)
    assert answer.headers["x-openrosa-accept-content-length"].isdigit()
    assert answer.headers["x-openrosa-version"] == "1.0"
    assert site.server.xml(instance) == flock(instance)


def test_t086_the_same_record_three_times_is_one(site: Site) -> None:
    instance = new_id()
    answers = [site.post(parts(loss(instance, "1.jpg"), {"1.jpg": PHOTO})) for _ in range(3)]
    assert {answer.status for answer in answers} <= {201, 202}
    assert len(site.kept("livestock_loss", instance)["files"]) == 1


def test_t087_the_same_record_ten_times_at_once_is_one(site: Site) -> None:
    instance = new_id()
    body = parts(loss(instance, "1.jpg"), {"1.jpg": PHOTO})
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: site.post(body), range(10)))
    assert {answer.status for answer in answers} <= {201, 202}
    record = site.kept("livestock_loss", instance)
    assert len(record["files"]) == 1
    assert record["edits"] == 0
    assert not record["flags"]


@pytest.mark.parametrize("share", [0.2, 0.98])
def test_t088_t089_a_broken_upload_leaves_nothing_and_the_retry_works(site: Site, share: float) -> None:
    instance, url = new_id(), f"{site.url}/submission"
    body, kind = encode(parts(loss(instance, "1.jpg"), {"1.jpg": PHOTO * 2000}))
    start = head("POST", url, Content_Type=kind, Content_Length=str(len(body)))
    exchange(url, [start + body[: int(len(body) * share)]], listen=False)
    assert instance not in [record["instance_id"] for record in site.server.submissions("livestock_loss")]
    assert site.post(parts(loss(instance, "1.jpg"), {"1.jpg": PHOTO * 2000})).status == 201
    assert len(site.kept("livestock_loss", instance)["files"]) == 1


def test_t089_a_multipart_body_without_its_end_is_refused(site: Site) -> None:
    instance = new_id()
    body, kind = encode(parts(loss(instance, "1.jpg"), {"1.jpg": PHOTO * 100}))
    answer = site.server.raw("POST", f"{site.url}/submission", body[:-60], {"Content-Type": kind})
    assert answer.status == 400
    assert parse_message(answer.body)
    assert instance not in [record["instance_id"] for record in site.server.submissions("livestock_loss")]


def test_t090_without_the_xml_part_it_is_400_with_words(site: Site) -> None:
    answer = site.post([("photo.jpg", "photo.jpg", "image/jpeg", PHOTO)])
    assert answer.status == 400
    assert parse_message(answer.body)


def test_t091_the_xml_part_may_come_last(site: Site) -> None:
    instance = new_id()
    answer = site.post(parts(loss(instance, "1.jpg"), {"1.jpg": PHOTO})[::-1])
    assert answer.status == 201
    assert len(site.kept("livestock_loss", instance)["files"]) == 1


@pytest.mark.parametrize(
    ("name", "kind"), [(None, None), (None, "text/xml"), ("x", None), ("xml_submission_file", "application/xml")]
)
def test_t092_the_xml_part_needs_no_file_name_and_no_type(site: Site, name: str | None, kind: str | None) -> None:
    assert site.post([("xml_submission_file", name, kind, flock(new_id()))]).status == 201


def test_t093_chunked_bodies_are_accepted(site: Site) -> None:
    url, (body, kind) = f"{site.url}/submission", encode(parts(flock(new_id())))
    chunks = [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in in_pieces(body, 7)]
    start = head("POST", url, Content_Type=kind, Transfer_Encoding="chunked")
    assert exchange(url, [start, *chunks, b"0\r\n\r\n"]).startswith(b"HTTP/1.1 201")


def test_t094_a_hundred_and_one_files_and_the_flag(site: Site, any_phone: Collect) -> None:
    names = tuple(f"{1717322000000 + number}.jpg" for number in range(120))
    record = Record(loss(new_id(), names[0], names[1:]), {name: name.encode() for name in names})
    any_phone.send(record)
    assert [method for method, _, _ in any_phone.wire.log] == ["HEAD", "POST", "POST"]
    instance = record.xml.decode().partition("<orx:instanceID>")[2].partition("<")[0]
    kept = site.kept("livestock_loss", instance)
    assert len(kept["files"]) == 120
    assert kept["files_present"] == kept["files_expected"] == 120


def test_t104_any_string_is_an_instance_id(site: Site) -> None:
    for instance in (f"abc-{new_id()[-6:]}", f"a/b:c {new_id()}", f"گزارش-{new_id()}"):
        assert site.post(parts(flock(instance))).status == 201
        assert site.server.xml(instance) == flock(instance)


def test_t105_without_an_instance_id_repeats_are_still_one(site: Site) -> None:
    herder = new_id()
    xml = flock(None, herder=herder)
    assert site.post(parts(xml)).status == 201
    assert site.post(parts(xml)).status in {201, 202}
    assert len([record for record in site.server.submissions("flock_count") if record["answers"].get("herder") == herder]) == 1


def test_t106_two_forms_may_share_an_instance_id(site: Site) -> None:
    instance = new_id()
    assert site.post(parts(flock(instance))).status == 201
    assert site.post(parts(loss(instance))).status == 201
    assert site.kept("flock_count", instance)
    assert site.kept("livestock_loss", instance)


def test_t107_a_record_of_five_megabytes(site: Site) -> None:
    instance = new_id()
    xml = loss(instance, "", ("",) * 15_000, remarks="x" * 4_000_000)
    assert len(xml) > 5_000_000
    assert site.post(parts(xml)).status == 201
    assert site.server.xml(instance) == xml


@pytest.mark.parametrize("query", ["", "?deviceID=" + "x" * 3000, "?deviceID=%00%ff", "?deviceID=a&deviceID=b"])
def test_t108_t109_any_device_id_will_do(site: Site, query: str) -> None:
    assert site.post(parts(flock(new_id())), query=query).status == 201


def test_t110_the_incomplete_flag_alone_makes_nothing_incomplete(site: Site) -> None:
    instance = new_id()
    assert site.post(parts(flock(instance), incomplete=True)).status == 201
    assert site.kept("flock_count", instance)["files_expected"] == 0


def test_t111_t112_t113_a_split_record_in_any_grouping_is_one(site: Site) -> None:
    instance = new_id()
    xml = loss(instance, "1.jpg", ("2.jpg", "3.jpg"))
    files = {"1.jpg": PHOTO, "2.jpg": PHOTO + b"2", "3.jpg": PHOTO + b"3"}
    assert site.post(parts(xml, {"3.jpg": files["3.jpg"]})).status in {201, 202}
    first = site.kept("livestock_loss", instance)
    assert (first["files_expected"], first["files_present"]) == (3, 1)
    assert site.post(parts(xml, {"2.jpg": files["2.jpg"], "3.jpg": files["3.jpg"]}, incomplete=True)).status in {201, 202}
    assert site.post(parts(xml, {"1.jpg": files["1.jpg"]})).status in {201, 202}
    whole = site.kept("livestock_loss", instance)
    assert (whole["files_expected"], whole["files_present"], len(whole["files"])) == (3, 3, 3)
    assert not whole["flags"]


def test_t111_a_phone_with_a_small_limit_splits_and_completes(site: Site, any_phone: Collect) -> None:
    limit = int(any_phone.head().headers["x-openrosa-accept-content-length"])
    files = {f"{number}.jpg": bytes([number]) * (limit // 2 - 1000) for number in range(1, 4)}
    instance = new_id()
    any_phone.send(Record(loss(instance, "1.jpg", ("2.jpg", "3.jpg")), files))
    assert [method for method, _, _ in any_phone.wire.log].count("POST") == 2
    assert site.kept("livestock_loss", instance)["files_present"] == 3


def test_a_newer_okhttp_resends_on_a_dead_connection(site: Site) -> None:
    """1.0: a pooled connection that died is replaced and the POST repeated without a word; nothing doubles."""
    phone, first, second = site.phone(), new_id(), new_id()
    phone.send(Record(flock(first)))
    for connection in phone.wire._open.values():
        connection.sock.shutdown(socket.SHUT_RDWR)
    phone.send(Record(flock(second)))
    assert site.kept("flock_count", second)
