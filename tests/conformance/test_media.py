"""7.4 of the client contract: the files that go with a form."""

import shutil
from pathlib import Path

import pytest

from tests.conformance.conftest import MAP, MAP_NAME, VILLAGE_LIST, Site
from tests.support.collect import Collect, Offer, md5
from tests.support.records import VILLAGES, renamed


def publish(site: Site, folder: Path, form: bytes, rows: bytes = VILLAGE_LIST) -> tuple[int, str]:
    (folder / "form.xml").write_bytes(form)
    (folder / "villages.csv").write_bytes(rows)
    (folder / MAP_NAME).write_bytes(MAP)
    return site.server.here("form", "publish", str(folder / "form.xml"))


def offer_of(phone: Collect, form_id: str) -> Offer:
    return next(offer for offer in phone.refresh() if offer.form.form_id == form_id)


def test_t057_t058_t059_t065_the_files_arrive_whole_under_their_names(any_phone: Collect) -> None:
    form = any_phone.download(offer_of(any_phone, "village_visit"))
    assert form.media == {"villages.csv": VILLAGE_LIST, MAP_NAME: MAP}
    assert offer_of(any_phone, "village_visit").state == "up to date"


def test_t057_every_entry_is_complete(site: Site, phone: Collect) -> None:
    form = offer_of(phone, "village_visit").form
    body = site.get(form.manifest_url or "").body.decode()
    assert body.count("<mediaFile") == body.count("<hash>md5:") == body.count("<downloadUrl>http") == 2
    assert f"<filename>{MAP_NAME}</filename>" in body


def test_t060_a_form_without_its_files_is_not_published(site: Site, tmp_path: Path) -> None:
    (tmp_path / "form.xml").write_bytes(renamed(VILLAGES, "lonely"))
    code, words = site.server.here("form", "publish", str(tmp_path / "form.xml"))
    assert code != 0
    assert "villages.csv" in words
    assert MAP_NAME in words
    assert "last-saved" not in words
    assert b"lonely" not in site.get().body


def test_t061_changed_media_under_the_same_version_are_not_silently_dropped(site: Site, tmp_path: Path, phone: Collect) -> None:
    """Either the phone sees "updated media" under the same form hash, or publishing says that a new version is needed."""
    form = renamed(VILLAGES, "changing")
    publish(site, tmp_path, form)
    phone.download(offer_of(phone, "changing"))
    code, words = publish(site, tmp_path, form, VILLAGE_LIST + b"v3,New village\n")
    state = offer_of(phone, "changing").state
    assert (code == 0 and state == "updated media") or (code != 0 and "version" in words and state == "up to date")


def test_t062_t067_the_same_files_make_the_same_manifest(site: Site, tmp_path: Path, phone: Collect) -> None:
    form = offer_of(phone, "village_visit").form
    assert site.get(form.manifest_url or "").body == site.get(form.manifest_url or "").body


def test_t063_the_manifest_has_the_headers_of_the_list(site: Site, phone: Collect) -> None:
    answer = site.get(offer_of(phone, "village_visit").form.manifest_url or "")
    assert answer.headers["x-openrosa-version"] == "1.0"
    assert "text/xml" in answer.headers["content-type"]
    assert "no-cache" in answer.headers["cache-control"]
    assert site.get(offer_of(phone, "village_visit").form.manifest_url or "", If_None_Match=answer.headers["etag"]).status == 304


def test_t068_an_interrupted_download_goes_on_where_it_stopped(any_phone: Collect) -> None:
    offer = offer_of(any_phone, "village_visit")
    whole, offer.files = offer.files, offer.files[:1]
    any_phone.download(offer)
    any_phone.forms.clear()
    offer.files = whole
    before = len(any_phone.wire.log)
    any_phone.download(offer)
    assert [url.partition("?")[0] for _, url, _ in any_phone.wire.log[before:]] == [whole[1].download_url]


def test_t069_an_old_manifest_goes_with_the_old_form(site: Site, tmp_path: Path, phone: Collect) -> None:
    publish(site, tmp_path, renamed(VILLAGES, "paired", version="1"))
    old = offer_of(phone, "paired").form
    before = site.get(old.manifest_url or "").body
    publish(site, tmp_path, renamed(VILLAGES, "paired", version="2"), VILLAGE_LIST + b"v3,New village\n")
    assert site.get(old.manifest_url or "").body == before
    new = offer_of(phone, "paired")
    assert phone.download(new).media["villages.csv"].endswith(b"v3,New village\n")


def test_t070_ranges_are_answered_or_ignored(site: Site, phone: Collect) -> None:
    for file in offer_of(phone, "village_visit").files:
        whole, part = site.get(file.download_url), site.get(file.download_url, Range="bytes=2-5")
        assert (part.status, part.body) in {(206, whole.body[2:6]), (200, whole.body)}


@pytest.mark.parametrize("step", ["..%2f..%2f", "../../", "%2e%2e/", "..%5c", "....//", "%00", "%c0%af"])
def test_t071_no_way_out_of_the_media(site: Site, phone: Collect, step: str) -> None:
    for file in offer_of(phone, "village_visit").files:
        start = file.download_url.rpartition("/")[0]
        for target in ("etc/passwd", "tulliana.sqlite3", "villages.csv"):
            assert site.get(f"{start}/{step}{target}").status in {400, 404}


def test_media_tell_their_length(site: Site, phone: Collect) -> None:
    """1.4: the phone notices a truncated file only by its length."""
    for file in offer_of(phone, "village_visit").files:
        answer = site.get(file.download_url)
        assert int(answer.headers["content-length"]) == len(answer.body)
        assert md5(answer.body) == file.hash


def test_a_folder_of_files_that_nobody_needs_is_left_alone(site: Site, tmp_path: Path, phone: Collect) -> None:
    shutil.copy(VILLAGES, tmp_path / "unrelated.xml")
    (tmp_path / "diary.txt").write_text("private")
    publish(site, tmp_path, renamed(VILLAGES, "tidy"))
    assert sorted(file.filename for file in offer_of(phone, "tidy").files) == sorted(["villages.csv", MAP_NAME])
