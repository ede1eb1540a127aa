"""Encrypted records over the wire: kept as they came, opened with the coordinator's key, and never with another."""

import csv
from pathlib import Path

import pytest

from tests.conformance.conftest import Site
from tests.support.collect import Record
from tests.support.encryption import NAMESPACE, Keys, Sealed, seal
from tests.support.records import FLOCK, flock, loss, new_id, parts, renamed

KEYS = Keys.make()
MEDIA = {"a.jpg": b"\xff\xd8 a carcass", "b.jpg": b"\xff\xd8 another"}


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "key.pem"
    path.write_bytes(KEYS.pem())
    return path


@pytest.fixture
def form_id(site: Site, tmp_path: Path) -> str:
    """A form of its own for each test."""
    form_id = f"secret_{new_id().removeprefix('uuid:')}"
    (tmp_path / "form.xml").write_bytes(renamed(FLOCK, form_id))
    site.server.publish(tmp_path / "form.xml")
    return form_id


def sealed(form_id: str, instance_id: str, herder: str = "Gholam", media: dict[str, bytes] | None = None) -> Sealed:
    return seal(KEYS, instance_id, flock(instance_id, herder=herder, form_id=form_id), media, form_id=form_id)


def send(site: Site, record: Sealed, *, without: str = "") -> None:
    files = {name: data for name, data in record.files.items() if name != without}
    site.phone().send(Record(record.envelope, files, "submission.xml"))


@pytest.mark.parametrize("namespace", [NAMESPACE, "http://opendatakit.org/submissions"])
def test_t137_an_envelope_is_recognised_in_either_namespace(site: Site, form_id: str, namespace: str) -> None:
    record = seal(KEYS, first := new_id(), flock(first), {"a.jpg": b"1"}, form_id=form_id, namespace=namespace)
    send(site, record)
    kept = site.kept(form_id, first)
    assert (kept["encrypted"], kept["files_expected"], kept["files_present"], kept["answers"]) == (True, 2, 2, {})
    assert site.server.xml(first) == record.envelope


def test_t138_the_encrypted_answers_may_come_in_a_second_post(site: Site, form_id: str) -> None:
    record = sealed(form_id, first := new_id(), media=MEDIA)
    send(site, record, without="submission.xml.enc")
    assert (site.kept(form_id, first)["files_expected"], site.kept(form_id, first)["files_present"]) == (3, 2)
    send(site, record)
    assert site.kept(form_id, first)["files_present"] == 3


def test_t139_the_command_gives_back_what_the_phone_sealed(site: Site, form_id: str, key_file: Path, tmp_path: Path) -> None:
    ids = [new_id(), new_id()]
    for herder, instance_id in zip(("غلام", "=Gholam"), ids, strict=True):
        send(site, sealed(form_id, instance_id, herder, MEDIA))
    site.phone().send(Record(flock(new_id(), form_id=form_id)))  # one that is not encrypted stays out
    out = tmp_path / "out"
    code, said = site.server.here("submission", "decrypt", "--form", form_id, "--key", str(key_file), "--out", str(out))
    assert code == 0, said
    assert "2 of 2" in said
    with (out / f"{form_id}.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = {row["KEY"]: row["herder"] for row in csv.DictReader(file)}
    assert rows == dict(zip(ids, ("غلام", "'=Gholam"), strict=True))
    for instance_id in ids:
        (folder,) = (path for path in out.iterdir() if instance_id.removeprefix("uuid:") in path.name)
        assert {path.name: path.read_bytes() for path in folder.iterdir() if path.name in MEDIA} == MEDIA
        assert f"orx:instanceID>{instance_id}" in (folder / "submission.xml").read_text(encoding="utf-8")
    assert out.stat().st_mode & 0o077 == 0


def test_t139_rows_of_repeats_have_a_table_of_their_own(site: Site, key_file: Path, tmp_path: Path) -> None:
    instance_id = new_id()
    record = seal(KEYS, instance_id, loss(instance_id, "a.jpg", ("b.jpg",)), MEDIA, form_id="livestock_loss", version="1")
    send(site, record)
    out = tmp_path / "out"
    code, said = site.server.here("submission", "decrypt", "--form", "livestock_loss", "--key", str(key_file), "--out", str(out))
    assert code == 0, said
    with (out / "livestock_loss-animals.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [(row["PARENT_KEY"], row["carcass"]) for row in csv.DictReader(file)] == [(instance_id, "b.jpg")]


def test_t140_what_is_missing_is_named_and_the_rest_is_opened(site: Site, form_id: str, key_file: Path, tmp_path: Path) -> None:
    send(site, sealed(form_id, first := new_id(), media=MEDIA), without="a.jpg.enc")
    out = tmp_path / "out"
    code, said = site.server.here("submission", "decrypt", "--form", form_id, "--key", str(key_file), "--out", str(out))
    assert code == 1
    assert "a.jpg.enc has not come yet" in said
    (folder,) = (path for path in out.iterdir() if first.removeprefix("uuid:") in path.name)
    assert (folder / "b.jpg").read_bytes() == MEDIA["b.jpg"]


def test_t141_a_file_that_came_in_the_clear_is_kept_and_told(site: Site, form_id: str) -> None:
    record = sealed(form_id, first := new_id(), media=MEDIA)
    site.post(parts(record.envelope, {**record.files, "a.jpg": MEDIA["a.jpg"], "other.jpg": b"\xff\xd8"}))
    assert site.flags(form_id, first) == {"encrypted", "file_plain", "file_unexpected"}
    assert site.kept(form_id, first)["attention"]


def test_t142_an_envelope_without_its_id_is_kept_for_a_person_to_look_at(site: Site, form_id: str) -> None:
    record = sealed(form_id, "")
    answer = site.post(parts(record.envelope, record.files))
    assert answer.status == 202
    (kept,) = (kept for kept in site.server.submissions(form_id) if kept["encrypted"])
    assert kept["attention"]
    assert site.flags(form_id, kept["instance_id"]) == {"encrypted", "envelope_broken"}


def test_another_key_opens_nothing_and_says_so(site: Site, form_id: str, tmp_path: Path) -> None:
    send(site, sealed(form_id, new_id()))
    (tmp_path / "other.pem").write_bytes(Keys.make().pem())
    command = ["submission", "decrypt", "--form", form_id, "--key", str(tmp_path / "other.pem"), "--out", str(tmp_path / "out")]
    code, said = site.server.here(*command)
    assert code == 1
    assert "This key does not open the record" in said
    assert [path.name for path in (tmp_path / "out").iterdir()] == [f"{form_id}.csv"]


def test_nothing_of_the_key_is_kept(site: Site, form_id: str, key_file: Path, tmp_path: Path) -> None:
    send(site, sealed(form_id, new_id()))
    site.server.here("submission", "decrypt", "--form", form_id, "--key", str(key_file), "--out", str(tmp_path / "out"))
    secret = key_file.read_text().splitlines()[5]
    kept = [path for path in site.server.data.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]
    assert kept == []
    assert secret not in site.server.log
