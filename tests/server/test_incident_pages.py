"""The pages and commands of incidents: two reports side by side, what speaks for and against, a decision, what happened when."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from click.testing import Result
from sqlalchemy import update

from forms.library import workbook
from forms.submission import case_number
from forms.xlsform import convert_workbooks
from records import incidents
from records.blobs import BlobStore
from records.incidents import proposed_pairs
from records.models import Submission
from records.store import Store
from server.i18n import translator
from server.pages.incident_words import BANDS, EVIDENCE
from sync.checks import Checker, checker
from sync.incidents.comparison import link_incidents
from sync.incidents.scoring import WEIGHTS
from tests.support.conflict import insert_record
from tests.support.incidents import CAME, DAY, Desk, ranger, told
from tests.support.pages import HOSTILE, Page, Site, page
from tests.support.stores import EVERYTHING
from tests.support.twins import FORM, Told

PAGES = "/projects/1/incidents"
A, B, C = "uuid:a", "uuid:b", "uuid:c"
PAIR = f"{PAGES}/pair/{FORM}/{quote(A, safe='')}/{FORM}/{quote(B, safe='')}"
CLAIM = {
    "claim_id": "77", "claim_date": "2026-03-04", "amount_claimed": 300, "currency": "IRT", "status": "approved",
    "decision_date": "2026-03-24", "amount_approved": 200,
}  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with closing(Site(tmp_path_factory.mktemp("incidents") / "data")) as opened:
        names = (FORM, "conflict_verification", "compensation_followup")
        for conversion in convert_workbooks([workbook(name, ["en", "fa"]) for name in names]):
            opened.publish(conversion.xform)
        keep(opened, told(A), CAME)
        keep(opened, ranger(B, point=(36.501, 52.0, 9.0), reporter=HOSTILE, killed=3), CAME + timedelta(hours=5))
        keep(opened, told(C, reporter="N-1", role="ngo", day=DAY + timedelta(days=1)), CAME + timedelta(hours=9))
        visit(opened, "uuid:v", "conflict_verification", incident_ref=case_number(A), verification_status="confirmed")
        visit(opened, "uuid:p", "compensation_followup", incident_ref=case_number(B), **CLAIM)
        checked(opened)
        yield opened


def keep(site: Site, report: Told, came: datetime) -> None:
    values = {"place": report.point, "day": report.day, "received_at": came}

    def work(connection: Any) -> None:
        insert_record(connection, report.instance_id, report.answers, **values)
        connection.execute(update(Submission).filter_by(instance_id=report.instance_id).values(device_id=report.device))

    site.services.store.write(work)


def visit(site: Site, instance_id: str, form_id: str, **answers: Any) -> None:
    content = {"submission_purpose": "real"} | answers
    values = {"form_id": form_id, "day": None, "place": (None, None, None), "received_at": datetime(2026, 3, 9, tzinfo=UTC)}
    site.services.store.write(lambda connection: insert_record(connection, instance_id, content, **values))


def checked(site: Site) -> None:
    own = site.services
    Checker(own.store, own.blobs).run()


@pytest.fixture(autouse=True)
def undecided(site: Site) -> Iterator[None]:
    yield
    for one, other in ((A, B), (B, C), (A, C)):
        incidents.decide(site.services.store, EVERYTHING, (FORM, one), (FORM, other), "undecided")
    checked(site)


def cards(shown: Page) -> list[str]:
    return [each.text for each in shown.all("article")]


def test_pairs_are_shown_strongest_first_side_by_side_with_differences_marked_and_evidence_in_words(site: Site) -> None:
    answer = site.browser("reviewer").get(PAGES)
    shown = page(answer)
    found = cards(shown)
    assert len(found) == 3
    assert case_number(A) in found[0]
    for words in (
        "Both name the same day.",
        "The numbers of animals killed differ by 1.",
        "m apart",
        "Two people in different roles",
    ):
        assert any(words in text for text in found), words
    marked = [each.text for each in shown.all("mark")]
    assert "3" in marked
    assert "Herder / livestock owner" in "".join(marked)
    assert "<img src=x" not in answer.get_data(as_text=True)
    with site.services.store.read() as connection:
        scores = [pair.score for pair in proposed_pairs(connection, EVERYTHING, limit=9)]
    assert scores == sorted(scores, reverse=True)


def test_a_decision_is_taken_on_the_list_and_taken_back_on_the_page_of_the_pair(site: Site) -> None:
    browser = site.browser("reviewer")
    answer = browser.post(PAIR, data={"decision": "same", "comment": "One donkey", "from": "list"})
    assert (answer.status_code, answer.location) == (303, f"{PAGES}?decided=same")
    after = browser.get(answer.location).get_data(as_text=True)
    assert "Decided: the same event" in after
    assert len(cards(Page(after))) == 2
    pair = browser.get(PAIR).get_data(as_text=True)
    assert "reviewer decided: the same event." in pair
    assert "One donkey" in pair
    answer = browser.post(PAIR, data={"decision": "undecided"})
    assert answer.status_code == 303
    assert len(cards(page(browser.get(PAGES)))) == 3


def test_a_contradiction_is_told_where_it_is_made(site: Site) -> None:
    browser = site.browser("reviewer")
    for one, other, decision, status in ((A, B, "same", 303), (A, C, "different", 303), (B, C, "same", 409)):
        path = f"{PAGES}/pair/{FORM}/{quote(one, safe='')}/{FORM}/{quote(other, safe='')}"
        answer = browser.post(path, data={"decision": decision})
        assert answer.status_code == status
    text = answer.get_data(as_text=True)
    assert "This contradicts another decision." in text
    assert f"{case_number(A)} ≠ {case_number(C)}" in text
    assert browser.post(PAIR, data={"decision": "merge"}).status_code == 400


def test_the_page_of_an_incident_tells_what_happened_with_amounts_and_days(site: Site) -> None:
    browser = site.browser("reviewer")
    browser.post(PAIR, data={"decision": "same"})
    text = browser.get(f"{PAGES}/{FORM}/{quote(B, safe='')}").get_data(as_text=True)
    for words in ("Confirmed predator kill", "approved", "300 <", "(3,000 <", "20 days", "still open", "One toman (IRT)"):
        assert words in text, words
    assert text.index(case_number(A)) < text.index(case_number(B))
    listed = browser.get(PAGES).get_data(as_text=True)
    assert f'href="{PAGES}/{FORM}/{A}"' in listed
    assert browser.get(f"{PAGES}/{FORM}/nothing").status_code == 404


def test_the_page_of_a_report_leads_to_its_incident_and_to_what_may_be_the_same(site: Site) -> None:
    browser = site.browser("reviewer")
    text = browser.get(f"/projects/1/reports/{FORM}/{quote(A, safe='')}").get_data(as_text=True)
    assert f"The same event as {case_number(B)}?" in text
    browser.post(PAIR, data={"decision": "different", "comment": "Two folds"})
    text = browser.get(f"/projects/1/reports/{FORM}/{quote(A, safe='')}").get_data(as_text=True)
    assert f"The same event as {case_number(B)}?" not in text
    assert "Another event than another report" in text
    assert "Two folds" in text
    log = site.browser("coordinator").get("/projects/1/log").get_data(as_text=True)
    assert f"said that the report {case_number(A)} is of another event" in log


def test_any_two_reports_can_be_compared_by_case_number(site: Site) -> None:
    browser = site.browser("reviewer")
    query = {"form_id": FORM, "instance_id": A, "other": case_number(B).translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"))}
    answer = browser.get(f"{PAGES}/find", query_string=query)
    assert answer.status_code == 303
    assert browser.get(answer.location).status_code == 200
    assert browser.get(f"{PAGES}/find", query_string=query | {"other": "0000-0000"}).status_code == 404


def test_a_data_collector_sees_no_report_of_others_and_decides_nothing(site: Site) -> None:
    browser = site.browser("data_collector")
    assert browser.get(PAGES).status_code == 403
    assert browser.get(PAIR).status_code == 404
    assert browser.get(f"{PAGES}/{FORM}/{quote(A, safe='')}").status_code == 404
    assert browser.post(PAIR, data={"decision": "same"}).status_code == 403


def test_the_pages_speak_persian(site: Site) -> None:
    browser = site.browser("reviewer", language="fa")
    text = browser.get(PAGES).get_data(as_text=True)
    assert "هر دو یک روز را نام برده‌اند" in text
    assert "Both name" not in text
    assert browser.get(PAIR).status_code == browser.get(f"{PAGES}/{FORM}/{quote(A, safe='')}").status_code == 200


def test_every_piece_of_evidence_has_words() -> None:
    assert set(EVIDENCE) == {(term, value) for term, levels in WEIGHTS.items() for value in levels}
    assert [text for text in (*EVIDENCE.values(), *BANDS.values()) if translator("fa")(text) == text] == []


@pytest.fixture
def desk(store: Store, blobs: BlobStore, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(checker, "CHECKS", ())
    monkeypatch.setattr(checker, "COMPARISONS", (link_incidents,))
    desk = Desk(store, blobs)
    desk.take(told(A))
    desk.take(ranger(B), received_at=CAME + timedelta(hours=1))
    desk.visit("uuid:p", "compensation_followup", incident_ref=case_number(B), **CLAIM)
    return desk


def test_the_commands_list_show_and_decide(desk: Desk, cli: Callable[..., Result]) -> None:
    listed = cli("incident", "list").output
    assert f"likely\t{case_number(A)} {case_number(B)}\t" in listed
    assert "days same +2" in listed
    assert cli("incident", "list", "--band", "possible").output == ""
    done = cli("incident", "decide", case_number(A), B, "same", "--comment", "One donkey").output
    assert done == f"{case_number(A)}, {case_number(B)}: same.\n"
    assert cli("incident", "list").output == ""
    assert f"{case_number(A)}\t2026-03-01\t2 reports\t1 visits" in cli("incident", "list", "--joined").output
    assert "claim to decision\tmedian 20 d, 90 % within 20 d, 1 finished, 0 open" in cli("incident", "list", "--days").output
    shown = cli("incident", "show", case_number(B).lower()).output
    for line in ("same (command line) One donkey", "2026-03-04\tclaim\t300 IRT (3000 IRR)", "decision to payment of claim 77\t"):
        assert line in shown
    cli("incident", "show", "0000-0000", code="submission_unknown")
    cli("incident", "decide", A, A, "same", code="value_invalid")
