"""The pages of entity lists: conflicts are seen with both values, resolved or deleted, and what failed says why."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from forms.submission import case_number
from server.i18n import translator
from sync import entities, entity_fold
from tests.support.entities import household, household_form, uuid_of
from tests.support.pages import HOSTILE, HOSTILE_XML, Site, page
from tests.support.records import new_id

LIST = "/projects/1/entities/households"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with closing(Site(tmp_path_factory.mktemp("entities") / "data")) as opened:
        opened.publish(household_form())
        yield opened


def send(site: Site, *records: bytes) -> None:
    for xml in records:
        assert site.send(xml).status_code == 201


def in_conflict(site: Site, name: str) -> str:
    """An entity that two phones gave different values."""
    uuid = uuid_of(name)
    send(site, household(new_id(), uuid, label=name, herd="1"))
    send(site, *(household(new_id(), uuid, 'update="1"', label=None, base=1, herd=herd) for herd in ("2", HOSTILE_XML)))
    return uuid


def test_lists_are_shown_with_what_is_to_be_looked_at(site: Site) -> None:
    in_conflict(site, "H-1")
    browser = site.browser("coordinator")
    [row] = [row.text for row in page(browser.get("/projects/1/entities")).all("tr") if "households" in row.text]
    assert row.split()[:3] == ["households", "1", "1"]
    shown = page(browser.get(LIST))
    assert [link.text for link in shown.all("a") if "/entities/households/" in link.attributes.get("href", "")] == ["H-1"]
    assert "two values" in "".join(cell.text for cell in shown.all("td"))


def test_a_conflict_is_shown_with_both_values_and_the_other_one_can_be_chosen(site: Site) -> None:
    uuid = in_conflict(site, "H-2")
    browser = site.browser("coordinator")
    answer = browser.get(f"{LIST}/{uuid}")
    assert "<img src=x" not in answer.get_data(as_text=True)
    choices = {field.attributes["value"]: "checked" in field.attributes for field in page(answer).all("input")}
    assert choices == {HOSTILE: True, "2": False}
    answer = browser.post(f"{LIST}/{uuid}", data={"do": "resolve", "value.herd": "2"})
    assert (answer.status_code, answer.location) == (303, f"{LIST}/{uuid}")
    after = page(browser.get(f"{LIST}/{uuid}"))
    assert list(after.all("input")) == []
    assert any(cell.text.strip() == "2" for cell in after.all("dd"))
    assert "coordinator" in "".join(cell.text for cell in after.all("td"))


def test_a_conflict_may_be_right_as_it_is(site: Site) -> None:
    uuid = in_conflict(site, "H-3")
    browser = site.browser("coordinator")
    browser.post(f"{LIST}/{uuid}", data={"do": "resolve", "value.herd": HOSTILE})
    [version] = [cell.text for cell in page(browser.get(f"{LIST}/{uuid}")).all("dd") if cell.text.strip() in {"3", "4"}]
    assert version.strip() == "3"


def test_an_entry_is_deleted_and_says_so(site: Site) -> None:
    uuid = uuid_of("H-4")
    send(site, household(new_id(), uuid, label="H-4"))
    browser = site.browser("coordinator")
    assert browser.post(f"{LIST}/{uuid}", data={"do": "delete"}).location == LIST
    assert "H-4" not in browser.get(LIST).get_data(as_text=True)
    assert "deleted" in browser.get(f"{LIST}/{uuid}").get_data(as_text=True)
    assert browser.post(f"{LIST}/{uuid}", data={"do": "delete"}).status_code == 404
    assert browser.post(f"{LIST}/{uuid}", data={"do": "something"}).status_code == 400


def test_what_failed_and_what_waits_is_told_in_the_readers_language_with_its_report(site: Site) -> None:
    failed, waiting = new_id(), new_id()
    send(site, household(failed, uuid_of("H-5"), label=""), household(waiting, uuid_of("H-6"), 'update="1"', base=1))
    english = site.browser("coordinator").get("/projects/1/entities").get_data(as_text=True)
    for text in ("The label is empty.", "The record that creates it has not come.", case_number(failed), case_number(waiting)):
        assert text in english
    persian = site.browser("coordinator", language="fa").get("/projects/1/entities").get_data(as_text=True)
    assert "عنوان خالی است." in persian
    assert "The label is empty." not in persian


def test_a_list_can_wait_for_approval(site: Site) -> None:
    browser = site.browser("coordinator")
    browser.post(LIST, data={"approval": "1"})
    uuid = uuid_of("H-7")
    send(site, household(new_id(), uuid, label="H-7"))
    assert browser.get(f"{LIST}/{uuid}").status_code == 404
    browser.post(LIST, data={})
    assert browser.get(f"{LIST}/{uuid}").status_code == 200


def test_an_entity_of_another_list_or_none_is_not_found(site: Site) -> None:
    uuid = uuid_of("H-8")
    send(site, household(new_id(), uuid, label="H-8"))
    browser = site.browser("coordinator")
    assert browser.get(f"/projects/1/entities/others/{uuid}").status_code == 404
    assert browser.get(f"{LIST}/{uuid_of('never')}").status_code == 404


def test_every_reason_has_words_in_every_language() -> None:
    reasons = {
        text
        for module in (entities, entity_fold)
        for name, text in vars(module).items()
        if name.isupper() and isinstance(text, str) and text.endswith(".")
    }
    assert len(reasons) == 10
    assert [text for text in reasons if translator("fa")(text) == text] == []
