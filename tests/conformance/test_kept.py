"""7.6 of the client contract, second half: what is odd is kept and flagged; only what cannot be identified is refused."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.conformance.conftest import Site
from tests.support.collect import Collect
from tests.support.openrosa import parse_message
from tests.support.raw import exchange, head
from tests.support.records import FLOCK, flock, loss, meta, new_id, parts, renamed

PHOTO, OTHER = b"\xff\xd8\xff\xe0 photo", b"\xff\xd8\xff\xe0 another"


def names(record: dict[str, list[dict[str, str]]]) -> list[str]:
    return sorted(file["name"] for file in record["files"])


@pytest.mark.parametrize("name", ["عکس ۱ از دره.jpg", "le léopard.jpg", "a b + c%20.jpg", "a;b='c'.jpg", "🐆.jpg"])
def test_t095_file_names_stay_as_they_are(site: Site, name: str) -> None:
    instance = new_id()
    assert site.post(parts(loss(instance, name), {name: PHOTO})).status == 201
    record = site.kept("livestock_loss", instance)
    assert names(record) == [name]
    assert record["files_present"] == record["files_expected"] == 1


def test_t096_an_escaped_quote_finds_its_question(site: Site) -> None:
    instance = new_id()
    assert site.post(parts(loss(instance, 'a"b.jpg'), {'a"b.jpg': PHOTO})).status == 201
    assert site.kept("livestock_loss", instance)["files_present"] == 1


@pytest.mark.parametrize("name", ["../../etc/x.jpg", "C:\\photos\\x.jpg", "/x.jpg"])
def test_t097_only_the_base_name_is_used(site: Site, name: str) -> None:
    instance = new_id()
    assert site.post(parts(loss(instance), {name: PHOTO})).status == 201
    assert names(site.kept("livestock_loss", instance)) == ["x.jpg"]


DTD = b'<!DOCTYPE data [<!ENTITY a "aa"><!ENTITY b "&a;&a;&a;">]><data id="flock_count"><herder>&b;</herder></data>'
EXTERNAL = b'<!DOCTYPE data [<!ENTITY x SYSTEM "file:///etc/passwd">]><data id="flock_count"><herder>&x;</herder></data>'


@pytest.mark.parametrize("xml", [DTD, EXTERNAL, b"<data", b"", b"\x00\x01", b"<data/>", b"<a>" * 100_000])
def test_t098_what_cannot_be_identified_is_400_with_words(site: Site, xml: bytes) -> None:
    answer = site.post(parts(xml))
    assert answer.status == 400
    assert parse_message(answer.body)
    assert b"root:" not in answer.body


def test_t098_refused_bytes_are_not_lost(site: Site) -> None:
    xml = b"<data " + new_id().encode()
    assert site.post(parts(xml)).status == 400
    assert site.server.file(hashlib.sha256(xml).hexdigest()) == xml


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_t099_other_encodings_are_read(site: Site, encoding: str) -> None:
    instance = new_id()
    declared = "utf-16" if encoding == "utf-16" else "utf-8"
    text = flock(instance, herder="غلام").decode().replace("version='1.0'", f"version='1.0' encoding='{declared}'", 1)
    xml = text.replace("><", ">\r\n<").encode(encoding)
    assert site.post(parts(xml)).status in {201, 202}
    assert site.server.xml(instance) == xml


@pytest.mark.parametrize(
    "record",
    [
        '<x xmlns="http://example.org/f" id="flock_count" version="2026050201"><meta><instanceID>{}</instanceID></meta></x>',
        '<flock id="flock_count" version="2026050201"><meta><instanceID>{}</instanceID></meta></flock>',
        '<n:x xmlns:n="urn:n" id="flock_count" version="2026050201"><n:meta><n:instanceID>{}</n:instanceID></n:meta></n:x>',
        '<data id="flock_count" version="2026050201" instanceID="{}"><herder>x</herder></data>',
        '<data id="flock_count" version="2026050201"><instanceID>{}</instanceID></data>',
        '<data xmlns:orx="http://openrosa.org/xforms" id="flock_count" orx:version="2026050201">'
        "<orx:meta><orx:instanceID>{}</orx:instanceID></orx:meta></data>",
    ],
)
def test_t100_t101_t102_t103_identity_is_found_wherever_clients_put_it(site: Site, record: str) -> None:
    instance = new_id()
    assert site.post(parts(record.format(instance).encode())).status == 201
    assert site.kept("flock_count", instance)["version"] == "2026050201"


def test_t114_the_same_file_again_is_nothing_new(site: Site) -> None:
    instance = new_id()
    for _ in range(2):
        assert site.post(parts(loss(instance, "1.jpg"), {"1.jpg": PHOTO})).status in {201, 202}
    assert names(site.kept("livestock_loss", instance)) == ["1.jpg"]


def test_t115_the_same_name_with_other_bytes_keeps_both(site: Site) -> None:
    instance = new_id()
    assert site.post(parts(loss(instance, "1.jpg"), {"1.jpg": PHOTO})).status == 201
    assert site.post(parts(loss(instance, "1.jpg"), {"1.jpg": OTHER})).status in {201, 202}
    record = site.kept("livestock_loss", instance)
    assert {file["sha256"] for file in record["files"]} == {hashlib.sha256(data).hexdigest() for data in (PHOTO, OTHER)}
    assert record["flags"]


def test_t116_a_file_nobody_asked_for_is_kept(site: Site) -> None:
    instance = new_id()
    assert site.post(parts(loss(instance), {"stray.jpg": PHOTO})).status == 201
    record = site.kept("livestock_loss", instance)
    assert names(record) == ["stray.jpg"]
    assert record["files_expected"] == 0


def test_t117_equal_names_in_two_records_do_not_meet(site: Site) -> None:
    first, second = new_id(), new_id()
    for instance, data in ((first, PHOTO), (second, OTHER)):
        assert site.post(parts(loss(instance, "1717322000123.jpg"), {"1717322000123.jpg": data, "audit.csv": data})).status == 201
    for instance, data in ((first, PHOTO), (second, OTHER)):
        assert {file["sha256"] for file in site.kept("livestock_loss", instance)["files"]} == {hashlib.sha256(data).hexdigest()}


def test_t118_an_empty_file_is_kept_and_flagged(site: Site) -> None:
    instance = new_id()
    assert site.post(parts(loss(instance, "1.jpg"), {"1.jpg": b""})).status in {201, 202}
    assert names(site.kept("livestock_loss", instance)) == ["1.jpg"]
    assert site.flags("livestock_loss", instance)


def test_t119_an_unknown_version_is_kept_and_flagged(site: Site, phone: Collect) -> None:
    instance = new_id()
    assert site.post(parts(flock(instance, version="1999"))).status in {201, 202}
    assert "unknown_version" in site.flags("flock_count", instance)
    assert site.server.xml(instance) == flock(instance, version="1999")


def test_t120_an_unknown_form_is_not_lost(site: Site) -> None:
    xml = flock(new_id(), form_id="never_heard_of")
    answer = site.post(parts(xml))
    assert answer.status in {202, 404}
    assert parse_message(answer.body)
    assert site.server.file(hashlib.sha256(xml).hexdigest()) == xml


def test_an_old_version_stays_welcome(site: Site, tmp_path: Path) -> None:
    """2.4: drafts of the old version are sent for months after the new one was published."""
    for version in ("1", "2"):
        (tmp_path / "form.xml").write_bytes(renamed(FLOCK, "aging", version=version))
        site.server.publish(tmp_path / "form.xml")
    instance = new_id()
    assert site.post(parts(flock(instance, form_id="aging", version="1"))).status == 201
    assert site.kept("aging", instance)["version"] == "1"
    assert not site.flags("aging", instance)


def test_t122_wrong_values_are_kept_and_recorded(site: Site) -> None:
    instance = new_id()
    assert site.post(parts(flock(instance, sheep="many", herder=""))).status in {201, 202}
    record = site.kept("flock_count", instance)
    assert len(record["flags"]) >= 2
    assert site.server.xml(instance) == flock(instance, sheep="many", herder="")


def test_t123_the_same_id_with_other_answers_keeps_both(site: Site) -> None:
    instance = new_id()
    assert site.post(parts(flock(instance, sheep="1"))).status == 201
    assert site.post(parts(flock(instance, sheep="2"))).status == 202
    assert site.kept("flock_count", instance)["answers"]["sheep"] in {1, "1"}
    assert "instance_conflict" in site.flags("flock_count", instance)
    assert site.server.xml(instance) == flock(instance, sheep="1")


def test_t123_the_conflict_repeated_stays_one_conflict(site: Site) -> None:
    instance = new_id()
    for sheep in "1212":
        assert site.post(parts(flock(instance, sheep=sheep))).status in {201, 202}
    conflicts = [flag for flag in site.kept("flock_count", instance)["flags"] if flag["code"] == "instance_conflict"]
    assert len(conflicts) == 1


def test_t123_both_at_the_same_moment_are_both_kept_and_flagged(site: Site) -> None:
    instances = [new_id() for _ in range(10)]
    posts = [flock(instance, sheep=sheep) for instance in instances for sheep in "12"]
    with ThreadPoolExecutor(10) as pool:
        assert {answer.status for answer in pool.map(lambda xml: site.post(parts(xml)), posts)} <= {201, 202}
    assert [found for found in (site.flags("flock_count", each) for each in instances) if found != {"instance_conflict"}] == []


def test_t126_a_refused_upload_is_read_to_its_end(site: Site) -> None:
    """A phone that is still writing when the refusal comes reports a broken pipe instead of our words."""
    url = site.url.replace(site.token, "A" * len(site.token)) + "/submission"
    body = [bytes(1_000_000)] * 10
    start = head("POST", url, Content_Type="multipart/form-data; boundary=x", Content_Length=str(10_000_000))
    answer = exchange(url, [start, *body], pause=0.02)
    assert answer.startswith(b"HTTP/1.1 403")


def test_t130_messages_are_short_and_utf8(site: Site) -> None:
    instance = new_id()
    answers = [site.post(parts(loss(instance, "1.jpg"))), site.post(parts(loss(instance, "1.jpg"))), site.post(parts(b"<data"))]
    for answer in answers:
        message = parse_message(answer.body)
        assert message
        assert len(message) <= 200


def test_meta_twice_does_not_cost_the_record(site: Site) -> None:
    first, second = new_id(), new_id()
    xml = f'<data id="flock_count" version="2026050201"><herder>x</herder>{meta(first)}{meta(second)}</data>'.encode()
    assert site.post(parts(xml)).status in {201, 202}
    assert site.server.xml(first) == xml
