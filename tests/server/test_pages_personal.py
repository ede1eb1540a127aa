"""The page on which a coordinator finds a person, hands over what is kept of them, and erases it; nobody else comes near."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from sqlalchemy import select, update

from records.models import AuditEvent, Erasure, Submission, SubmissionVersion
from server.i18n import translator
from server.pages.personal import TROUBLES
from tests.support.pages import Site, page
from tests.support.small import record, xform
from tests.support.stores import PROJECT

KIND = 'xmlns:t="urn:tulliana:xforms" t:personal'
FORM = xform(
    "<owner/><code/><photo/><q/>",
    f'<bind nodeset="/data/owner" type="string" {KIND}="contact"/><bind nodeset="/data/code" type="string" {KIND}="code"/>'
    '<bind nodeset="/data/photo" type="binary"/><bind nodeset="/data/q" type="string"/>',
    form_id="claim",
)
HERE = f"/projects/{PROJECT}/personal"
PHOTO = b"\xff\xd8\xff\xe0 goats " * 99


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path / "data", database_url)
    made.publish(FORM)
    for number, (name, code) in enumerate([("Gholam Rezaei", "H-12"), ("Maryam Karimi", "H-13")]):
        content = f"<owner>{name}</owner><code>{code}</code><photo>{number}.jpg</photo><q>7</q>"
        xml = record(content, form_id="claim", instance_id=f"uuid:{number}")
        assert made.send(xml, {f"{number}.jpg": PHOTO + code.encode()}).status_code == 201
    yield made
    made.close()


def actions(site: Site) -> list[str]:
    with site.services.store.read() as connection:
        return list(connection.execute(select(AuditEvent.action).where(AuditEvent.action.like("personal.%"))).scalars())


@pytest.mark.parametrize("role", ["reviewer", "analyst", "data_collector"])
def test_only_who_may_know_names_sees_the_page_or_a_way_to_it(site: Site, role: str) -> None:
    browser = site.browser(role)
    for path, method in [("", "GET"), ("", "POST"), ("/copy", "POST"), ("/erase", "POST")]:
        answer = browser.open(HERE + path, method=method, data={"text": "H-12", "again": "H-12", "reason": "x"})
        assert answer.status_code == 403
    start = browser.get(f"/projects/{PROJECT}/exports" if role == "analyst" else f"/projects/{PROJECT}/")
    assert HERE not in start.get_data(as_text=True)
    assert actions(site) == []


def test_a_person_is_found_and_the_name_stands_in_no_address(site: Site) -> None:
    browser = site.browser("coordinator")
    shown = page(browser.post(HERE, data={"text": "Gholam Rezaei"}))
    assert [each.attributes["href"] for each in shown.all("a") if "/reports/claim" in each.attributes["href"]] == [
        f"/projects/{PROJECT}/reports/claim/uuid:0"
    ]
    assert not any("Gholam" in value for each in shown.elements for name, value in each.attributes.items() if name != "value")
    assert actions(site) == ["personal.find"]


def test_a_person_is_found_from_a_report_about_them(site: Site) -> None:
    browser = site.browser("coordinator")
    report = page(browser.get(f"/projects/{PROJECT}/reports/claim/uuid:0"))
    [link] = [each.attributes["href"] for each in report.all("a") if each.attributes["href"].startswith(HERE + "?")]
    text = browser.get(link).get_data(as_text=True)
    assert "Reports about them: 1" in text
    assert "uuid:1" not in text
    assert actions(site) == ["personal.find"]


@pytest.mark.parametrize(
    ("text", "status", "words"), [("nobody", 200, "Nothing is kept"), ("x", 400, "2 letters"), ("", 400, "2 letters")]
)
def test_who_is_not_here_or_could_be_anybody_is_told_in_words(site: Site, text: str, status: int, words: str) -> None:
    for path in ("", "/copy", "/erase") if status == 200 else ("",):
        answer = site.browser("coordinator").post(HERE + path, data={"text": text, "again": text, "reason": "x"})
        assert answer.status_code == status
        assert words in answer.get_data(as_text=True)


def test_what_is_kept_is_handed_over_as_a_zip_that_nothing_on_the_way_keeps(site: Site) -> None:
    answer = site.browser("coordinator").post(f"{HERE}/copy", data={"text": "H-12"})
    assert answer.mimetype == "application/zip"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "attachment" in answer.headers["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        [kept] = orjson.loads(archive.read("data.json"))["records"]
        assert kept["answers"]["owner"] == "Gholam Rezaei"
        assert any(archive.read(name) == PHOTO + b"H-12" for name in archive.namelist())
    assert set(actions(site)) == {"personal.find", "personal.read", "personal.export"}


def test_nothing_is_erased_before_the_word_is_typed_again_and_a_reason_given(site: Site) -> None:
    browser = site.browser("coordinator")
    for again, reason, words in [
        ("H-13", "letter 17", "differ"),
        ("", "letter 17", "differ"),
        ("H-12", "", "reason"),
        ("H-12", "H-12 asked", "names the person"),
    ]:
        answer = browser.post(f"{HERE}/erase", data={"text": "H-12", "again": again, "reason": reason})
        assert answer.status_code == 400
        assert words in answer.get_data(as_text=True)
    with site.services.store.read() as connection:
        assert connection.execute(select(Erasure.id)).first() is None
        assert all(connection.execute(select(Submission.contact)).scalars())


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", ("asked by letter 17", "Reports: 1", "photos and files: 1")), ("fa", ("asked by letter 17", "گزارش‌ها: ۱"))],
)
def test_what_was_erased_is_listed_and_nothing_about_whom(site: Site, language: str, words: tuple[str, ...]) -> None:
    browser = site.browser("coordinator", language=language)
    answer = browser.post(f"{HERE}/erase", data={"text": "H-12", "again": "H-12", "reason": "asked by letter 17"})
    assert answer.status_code == 303
    assert "H-12" not in answer.location
    text = browser.get(answer.location).get_data(as_text=True)
    assert all(each in text for each in words)
    assert "H-12" not in text
    assert "Gholam" not in text
    assert site.browser("coordinator").post(HERE, data={"text": "H-12"}).status_code == 200
    report = site.browser("coordinator").get(f"/projects/{PROJECT}/reports/claim/uuid:0?contact=1").get_data(as_text=True)
    assert "Gholam" not in report
    assert "Maryam" in site.browser("coordinator").get(f"/projects/{PROJECT}/reports/claim/uuid:1?contact=1").get_data(as_text=True)


def test_what_was_typed_wrong_is_said_in_the_readers_language(site: Site) -> None:
    browser = site.browser("coordinator", language="fa")
    asked = {"text": "H-12", "again": "H-12"}
    answers = [browser.post(HERE, data={"text": "x"}), browser.post(f"{HERE}/erase", data=asked | {"reason": " "})]
    answers.append(browser.post(f"{HERE}/erase", data=asked | {"reason": "H-12"}))
    for answer, english in zip(answers, TROUBLES, strict=True):
        told = answer.get_data(as_text=True)
        assert english not in told
        assert translator("fa")(english) in told


def test_the_person_of_a_report_is_erased_after_its_number_was_typed(site: Site) -> None:
    browser = site.browser("coordinator")
    shown = page(browser.get(f"{HERE}?form=claim&record=uuid:0"))
    hidden = {
        each.attributes["name"]: each.attributes["value"] for each in shown.all("input") if each.attributes.get("type") == "hidden"
    }
    [word] = [each.text.strip().removeprefix("Type ").partition(" ")[0] for each in shown.all("label") if "once more" in each.text]
    answer = browser.post(f"{HERE}/erase", data={**hidden, "again": word, "reason": "letter"})
    assert answer.status_code == 303
    with site.services.store.read() as connection:
        left = connection.execute(select(Submission.instance_id).where(Submission.contact.is_not(None))).scalars().all()
    assert left == ["uuid:1"]


def test_the_page_says_what_goes_when_and_whether_the_key_is_there(site: Site) -> None:
    browser = site.browser("coordinator")
    old = update(SubmissionVersion).filter_by(instance_id="uuid:1")
    with site.services.store.read() as connection:
        received = connection.execute(select(SubmissionVersion.received_at).filter_by(instance_id="uuid:1")).scalar_one()
    old = old.values(received_at=received.replace(year=2025, month=3, day=1))
    site.services.store.write(lambda connection: connection.execute(old))
    text = browser.get(HERE).get_data(as_text=True)
    assert "after 24 months" in text
    assert "Reports with names or numbers: 2" in text
    assert "2027-03-01" in text
    vault = site.services.store.vault
    assert vault.key_ids[0] in text
    vault.path.unlink()  # type: ignore[union-attr]
    vault._load()
    assert "A key is missing" in browser.get(HERE).get_data(as_text=True)
