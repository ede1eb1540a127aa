"""7.3 of the client contract: what was published under one version never changes, so no phone loses a form."""

from pathlib import Path

import openpyxl
import pytest

from tests.conformance.conftest import Site
from tests.support.collect import Collect, Offer, md5
from tests.support.records import FLOCK, renamed


def publish(site: Site, folder: Path, form: bytes) -> tuple[int, str]:
    path = folder / "form.xml"
    path.write_bytes(form)
    return site.server.here("form", "publish", str(path))


def offer_of(phone: Collect, form_id: str) -> Offer:
    return next(offer for offer in phone.refresh() if offer.form.form_id == form_id)


def test_t047_other_bytes_under_the_same_version_are_refused(site: Site, tmp_path: Path, phone: Collect) -> None:
    publish(site, tmp_path, renamed(FLOCK, "fixed", version="1"))
    before = offer_of(phone, "fixed").form.hash
    code, words = publish(site, tmp_path, renamed(FLOCK, "fixed", version="1", extra="<!-- changed -->"))
    assert code != 0
    assert "version" in words
    assert offer_of(phone, "fixed").form.hash == before


def test_t048_the_same_bytes_again_are_no_mistake(site: Site, tmp_path: Path, phone: Collect) -> None:
    publish(site, tmp_path, renamed(FLOCK, "again", version="1"))
    before = offer_of(phone, "again").form
    publish(site, tmp_path, renamed(FLOCK, "again", version="1"))
    assert offer_of(phone, "again").form == before


def test_t050_an_old_address_still_gives_the_old_bytes(site: Site, tmp_path: Path, any_phone: Collect) -> None:
    form_id = f"pinned-{any_phone.mode}"
    publish(site, tmp_path, renamed(FLOCK, form_id, version="1"))
    old = offer_of(any_phone, form_id)
    publish(site, tmp_path, renamed(FLOCK, form_id, version="2"))
    answer = site.get(old.form.download_url)
    assert answer.status == 200
    assert md5(answer.body) == old.form.hash


def test_t051_pinned_addresses_may_be_kept_for_ever(site: Site, phone: Collect) -> None:
    for offer in phone.refresh():
        for url in (offer.form.download_url, *(file.download_url for file in offer.files if file.kind is None)):
            answer = site.get(url)
            assert "immutable" in answer.headers["cache-control"]
            assert "max-age=31536000" in answer.headers["cache-control"]
            assert site.get(url, If_None_Match=answer.headers["etag"]).status == 304


def test_t052_a_foreign_submission_address_does_not_reach_the_phone(site: Site, tmp_path: Path, phone: Collect) -> None:
    action = '<submission action="https://elsewhere.example/submission" method="post"/>'
    _, words = publish(site, tmp_path, renamed(FLOCK, "foreign", extra=action))
    assert "elsewhere.example" in words
    listed = [offer for offer in phone.refresh() if offer.form.form_id == "foreign"]
    for offer in listed:
        assert b"elsewhere.example" not in phone.download(offer).xml


@pytest.mark.parametrize("broken", ["no title", "no id", "no instance", "not xml"])
def test_t053_what_collect_would_refuse_is_refused_here(site: Site, tmp_path: Path, broken: str) -> None:
    form = renamed(FLOCK, "broken").decode()
    form = {
        "no title": form.replace("<h:title>Flock count</h:title>", ""),
        "no id": form.replace(' id="broken"', ""),
        "no instance": form.replace("<instance>", "<elsewhere>").replace("</instance>", "</elsewhere>"),
        "not xml": form[:-20],
    }[broken]
    before = site.get().body
    code, words = publish(site, tmp_path, form.encode())
    assert code != 0
    assert "Traceback" not in words
    assert site.get().body == before


def test_t055_a_workbook_converts_to_the_same_bytes_every_time(site: Site, tmp_path: Path, phone: Collect) -> None:
    book = openpyxl.Workbook()
    survey, settings = book.active, book.create_sheet("settings")
    survey.title = "survey"
    for row in (["type", "name", "label"], ["text", "herder", "چوپان"], ["geopoint", "place", "Place"]):
        survey.append(row)
    for row in (["form_title", "form_id", "version"], ["Workbook", "workbook", "3"]):
        settings.append(row)
    book.save(tmp_path / "workbook.xlsx")
    site.server.run("form", "publish", str(tmp_path / "workbook.xlsx"))
    before = offer_of(phone, "workbook").form
    site.server.publish(tmp_path / "workbook.xlsx")
    assert offer_of(phone, "workbook").form == before
    assert phone.download(offer_of(phone, "workbook")).version == "3"


def test_match_exactly_follows_a_new_version(site: Site, tmp_path: Path, any_phone: Collect) -> None:
    """1.1.5, 1.1.6: the state goes new, up to date, updated version, up to date; the old version stays for its drafts."""
    form_id = f"followed-{any_phone.mode}"
    publish(site, tmp_path, renamed(FLOCK, form_id, version="1"))
    states = [offer_of(any_phone, form_id).state]
    any_phone.match_exactly()
    states.append(offer_of(any_phone, form_id).state)
    publish(site, tmp_path, renamed(FLOCK, form_id, version="2"))
    states.append(offer_of(any_phone, form_id).state)
    any_phone.match_exactly()
    states.append(offer_of(any_phone, form_id).state)
    assert states == ["new", "up to date", "updated version", "up to date"]
    assert [form.version for form in any_phone.forms if form.form_id == form_id] == ["1", "2"]
