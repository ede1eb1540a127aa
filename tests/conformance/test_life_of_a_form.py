"""A form from its trial to its end, as phones of either generation live it."""

import time
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.conftest import MAP, MAP_NAME, VILLAGE_LIST, Site
from tests.support.collect import Collect, Record
from tests.support.openrosa import Refused
from tests.support.records import FLOCK, VILLAGES, flock, new_id, renamed

NEW_LIST = VILLAGE_LIST + b"v3,New village\n"


def run(site: Site, *arguments: str) -> str:
    code, said = site.server.here("form", *arguments)
    assert code == 0, said
    return said


def form_of(form_id: str) -> bytes:
    return renamed(FLOCK, form_id)


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def written(name: str, content: bytes) -> str:
        (tmp_path / name).write_bytes(content)
        return str(tmp_path / name)

    return written


def ids(phone: Collect) -> set[str]:
    return {form.form_id for form in phone.form_list()}


def record(form_id: str) -> Record:
    return Record(flock(new_id(), form_id=form_id))


@pytest.mark.parametrize("mode", ["collect-2026", "kobo-2025"])
def test_t033_a_draft_is_tried_on_phones_of_its_own_and_then_published(site: Site, write: Any, mode: str) -> None:
    form_id = f"tried_{mode[:4]}"
    file = write("form.xml", form_of(form_id))
    address = run(site, "draft", file, "--url-only", "--note", "first try").strip()
    tester, ranger = Collect(address, mode), site.phone(mode)
    assert ids(tester) == {form_id}
    assert form_id not in ids(ranger)
    tester.match_exactly()
    assert [form.form_id for form in tester.forms] == [form_id]
    assert tester.send(record(form_id)).startswith("Trial. Case ")
    assert f"{form_id}\t" in run(site, "drafts")
    assert "\t1\tfirst try" in run(site, "drafts")
    run(site, "draft-publish", form_id)
    assert form_id in ids(ranger)
    assert site.server.submissions(form_id) == []  # a trial never counts
    with pytest.raises(Refused) as over:
        tester.form_list()
    assert over.value.status == 404
    assert "first try" in run(site, "versions", form_id)


def test_a_replaced_draft_reaches_its_testers_and_a_new_key_ends_the_old(site: Site, write: Any) -> None:
    file = write("form.xml", form_of("changing_draft"))
    address = run(site, "draft", file, "--url-only").strip()
    tester = Collect(address)
    tester.match_exactly()
    changed = form_of("changing_draft").replace(b"<h:title>", b"<h:title>New ")
    write("form.xml", changed)
    assert run(site, "draft", file, "--url-only") == ""
    assert [offer.state for offer in tester.refresh()] == ["updated hash"]
    tester.match_exactly()
    assert [form.xml for form in tester.forms] == [changed]
    other = run(site, "draft-key", "changing_draft", "--url-only").strip()
    with pytest.raises(Refused):
        tester.form_list()
    assert ids(Collect(other)) == {"changing_draft"}
    run(site, "draft-discard", "changing_draft")
    with pytest.raises(Refused):
        Collect(other).form_list()


def test_a_draft_that_could_never_be_published_is_refused_at_once(site: Site, write: Any) -> None:
    run(site, "publish", write("form.xml", form_of("taken")))
    code, said = site.server.here("form", "draft", write("form.xml", form_of("taken").replace(b"<h:title>", b"<h:title>X ")))
    assert (code, "published already with other content" in said) == (1, True)


def test_a_trial_judges_a_record_as_the_real_thing_does(site: Site, write: Any) -> None:
    address = run(site, "draft", write("form.xml", form_of("judged")), "--url-only").strip()
    tester = Collect(address)
    tester.match_exactly()
    for wrong in (Record(flock(new_id())), Record(b'<data id="judged"')):
        with pytest.raises(Refused):
            tester.send(wrong)
    sent = record("judged")
    assert tester.send(sent) == tester.send(sent).replace("was here already and is safe", "is safe")


def test_t034_t121_a_closed_form_leaves_the_list_and_its_records_are_still_taken(site: Site, write: Any) -> None:
    run(site, "publish", write("form.xml", form_of("closing")))
    phone = site.phone()
    phone.match_exactly()
    for verb, state, flag in (("close", "closed", "after_close"), ("retire", "retired", "after_retire")):
        run(site, verb, "closing")
        assert "closing" not in ids(phone)
        assert f"closing\t2026050201\tFlock count\t{state}" in run(site, "list", "--all")
        time.sleep(2.1)  # that long may the running server believe what it knew
        sent = record("closing")
        phone.send(sent)
        newest = max(site.server.submissions("closing"), key=lambda one: one["received_at"])
        assert site.flags("closing", newest["instance_id"]) == {flag}
    run(site, "reopen", "closing")
    assert "closing" in ids(phone)


@pytest.mark.parametrize("mode", ["collect-2026", "kobo-2025"])
def test_t061_t069_a_list_is_changed_without_a_new_version(site: Site, tmp_path: Path, mode: str) -> None:
    form_id = f"village_{mode[:4]}"
    (tmp_path / "form.xml").write_bytes(renamed(VILLAGES, form_id))
    (tmp_path / MAP_NAME).write_bytes(MAP)
    (tmp_path / "villages.csv").write_bytes(VILLAGE_LIST)
    run(site, "publish", str(tmp_path / "form.xml"))
    phone = site.phone(mode)
    offer = next(offer for offer in phone.refresh() if offer.form.form_id == form_id)
    before = phone.download(offer)
    old_url = next(file.download_url for file in offer.files if file.filename == "villages.csv")
    (tmp_path / "villages.csv").write_bytes(NEW_LIST)
    assert run(site, "media", form_id, str(tmp_path / "villages.csv")) == "Changed: villages.csv\n"
    assert "Nothing changed" in run(site, "media", form_id, str(tmp_path / "villages.csv"))
    offer = next(offer for offer in phone.refresh() if offer.form.form_id == form_id)
    assert (offer.state, offer.form.hash) == ("updated media", before.md5)
    assert phone.download(offer).media == {"villages.csv": NEW_LIST, MAP_NAME: MAP}
    assert site.get(old_url).body == VILLAGE_LIST  # a download that was under way goes on
    (tmp_path / "villages.csv").write_bytes(VILLAGE_LIST)
    assert run(site, "media", form_id, str(tmp_path / "villages.csv")) == "Changed: villages.csv\n"
    offer = next(offer for offer in phone.refresh() if offer.form.form_id == form_id)
    assert phone.download(offer).media["villages.csv"] == VILLAGE_LIST


def test_a_file_the_form_does_not_use_is_no_media_of_it(site: Site, write: Any) -> None:
    code, said = site.server.here("form", "media", "village_visit", write("other.csv", b"name\n"))
    assert (code, "villages.csv" in said) == (1, True)
