"""Reviewing on the pages: every state and remedy is one button away, told in the history, and refused to who may not."""

import hashlib
import io
from collections.abc import Iterator
from contextlib import closing

import pytest
from PIL import Image
from sqlalchemy import select
from werkzeug.test import TestResponse

from forms.submission import case_number
from records import submissions
from records.models import AppUser, KeptAside
from records.submissions import Record
from server.pages import quarantine
from server.pages.history import STATES
from tests.support.pages import Page, Site, page
from tests.support.records import FLOCK, flock, loss, meta, new_id, renamed
from tests.support.stores import EVERYTHING

AUDIT = b"""event,node,start,end,latitude,longitude,accuracy,old-value,new-value
form start,,1000000,,35.7,51.4,4,,
question,/loss/predator,1000000,1120000,35.7,51.4,4,wolf,leopard
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with closing(Site(tmp_path_factory.mktemp("review") / "data")) as opened:
        yield opened


def sent(site: Site, **how: str) -> str:
    """The id of a new report about a flock."""
    instance_id = new_id()
    assert site.send(flock(instance_id, **how)).status_code == 201
    return instance_id


def address(instance_id: str, form_id: str = "flock_count") -> str:
    return f"/projects/1/reports/{form_id}/{instance_id}"


def shown(site: Site, instance_id: str, form_id: str = "flock_count", role: str = "reviewer") -> Page:
    return page(site.browser(role).get(address(instance_id, form_id)))


def words(found: Page) -> str:
    return " ".join(found.html.split())


def step(site: Site, instance_id: str, name: str, *, role: str = "reviewer", **more: str) -> TestResponse:
    """Press a button of a report's page."""
    return site.browser(role).post(f"{address(instance_id)}/review", data={"step": name, **more})


def record(site: Site, instance_id: str) -> Record:
    with site.services.store.read() as connection:
        return submissions.found(connection, EVERYTHING, instance_id)


def history(found: Page) -> list[str]:
    """The lines of the history, without their times."""
    return [" ".join(item.text.split()).partition(" – ")[2] for item in found.all("li") if "–" in item.text and "UTC" in item.text]


@pytest.mark.parametrize("state", ["hasIssues", "approved", "rejected", "received"])
def test_a_button_gives_a_state_and_the_history_says_who_and_why(site: Site, state: str) -> None:
    instance_id = sent(site)
    answer = step(site, instance_id, state, comment="I was there")
    assert (answer.status_code, answer.location) == (303, f"{address(instance_id)}#history")
    assert record(site, instance_id).review_state == state
    assert history(shown(site, instance_id))[-1] == f"{STATES[state]}, reviewer I was there"


def test_rejected_and_deleted_reports_say_that_they_never_count(site: Site) -> None:
    instance_id = sent(site)
    step(site, instance_id, "rejected")
    assert "it never enters counts, hotspots or anything that is published" in words(shown(site, instance_id))
    step(site, instance_id, "delete")
    assert "It is in no list, count or file." in words(shown(site, instance_id))
    listed = site.browser("reviewer").get("/projects/1/").get_data(as_text=True)
    assert case_number(instance_id) not in listed
    step(site, instance_id, "restore")
    assert record(site, instance_id).deleted_at is None
    assert [line.partition(",")[0] for line in history(shown(site, instance_id))][1:] == ["Rejected", "Deleted", "Restored"]


def test_a_returned_report_is_told_on_the_phone_and_needs_words(site: Site) -> None:
    instance_id = sent(site, sheep="many")
    refused = step(site, instance_id, "return", comment="  ")
    assert refused.status_code == 400
    assert "Write what the reporter should do" in refused.get_data(as_text=True)
    assert step(site, instance_id, "return", comment="How many?").status_code == 303
    with site.services.store.read() as connection:
        assert connection.execute(select(AppUser.notice)).scalar() == {"record": instance_id, "text": "How many?"}
    assert "How many?" in site.send(flock(new_id())).get_data(as_text=True)
    lines = history(shown(site, instance_id))
    assert sum("How many?" in line for line in lines) == 1
    assert lines[-1].startswith("Returned to the reporter, reviewer")
    step(site, instance_id, "approved")


def test_each_waiting_flag_offers_what_can_be_done_and_then_who_settled_it(site: Site) -> None:
    instance_id = sent(site, sheep="many")
    found = shown(site, instance_id)
    codes = [field.attributes["value"] for field in found.all("input") if field.attributes.get("name") == "code"]
    assert codes == ["value_invalid", "constraint"] or set(codes) == {item["code"] for item in record(site, instance_id).flags}
    for code in codes:
        assert record(site, instance_id).attention
        assert step(site, instance_id, "accept", code=code).status_code == 303
    assert not record(site, instance_id).attention
    assert words(shown(site, instance_id)).count("Settled by reviewer") == len(codes)
    assert "Unreadable answer" in history(shown(site, instance_id))[1]


def test_a_report_of_an_unknown_version_is_judged_by_one_that_was_published(site: Site) -> None:
    instance_id = sent(site, version="1999")
    options = [option.text for option in shown(site, instance_id).all("option")]
    assert "2026050201" in options
    assert step(site, instance_id, "attach", version="2026050201").status_code == 303
    assert not record(site, instance_id).attention
    assert "Judged by version 2026050201" in history(shown(site, instance_id))[-1]
    assert step(site, instance_id, "attach", version="nothing").status_code == 400


def two_contents(site: Site) -> tuple[str, str]:
    """(report, digest of the content that came second)."""
    instance_id = sent(site, sheep="1", herder="Gholam")
    other = flock(instance_id, sheep="2", herder="Gholam")
    assert site.send(other).status_code == 202
    return instance_id, hashlib.sha256(other).hexdigest()


def test_two_contents_stand_side_by_side_with_what_differs(site: Site) -> None:
    instance_id, digest = two_contents(site)
    found = shown(site, instance_id)
    assert [" ".join(mark.text.split()) for mark in found.all("mark")] == ["1", "2"]
    assert "Answers that are the same: 2" in words(found)
    assert [field.attributes["value"] for field in found.all("input") if field.attributes.get("name") == "sha256"] == [digest]


def test_one_content_is_taken(site: Site) -> None:
    instance_id, digest = two_contents(site)
    assert step(site, instance_id, "take", sha256=digest).status_code == 303
    assert (record(site, instance_id).answers["sheep"], record(site, instance_id).attention) == (2, False)
    assert f"Took the content {digest[:8]}" in history(shown(site, instance_id))[-1]
    assert step(site, instance_id, "take", sha256="0" * 64).status_code == 404


def test_both_contents_are_kept(site: Site) -> None:
    instance_id, digest = two_contents(site)
    assert step(site, instance_id, "split", sha256=digest).status_code == 303
    found = shown(site, instance_id)
    link = next(
        link.attributes["href"]
        for link in found.all("a")
        if "/uuid:" in link.attributes["href"] and link.attributes.get("class") == "code"
    )
    other = page(site.browser("reviewer").get(link))
    assert "Made out of another report" in history(other)[-1]
    assert case_number(instance_id) in words(other)


@pytest.mark.parametrize("name", ["", "perfect", "approve", "__class__"])
def test_an_unknown_step_is_told(site: Site, name: str) -> None:
    assert step(site, sent(site), name).status_code == 400


@pytest.mark.parametrize(("role", "status"), [("analyst", 403), ("data_collector", 403), ("reviewer", 303), ("coordinator", 303)])
def test_only_who_may_review_does(site: Site, role: str, status: int) -> None:
    instance_id = sent(site, sheep="many")
    for name in ("approved", "accept", "comment", "delete", "restore"):
        assert step(site, instance_id, name, role=role, code="value_invalid", comment="x").status_code == status
    assert (record(site, instance_id).review_state == "approved") == (status == 303)


def test_reports_are_filtered_by_state_and_say_it(site: Site) -> None:
    instance_id = sent(site)
    step(site, instance_id, "hasIssues")
    listed = site.browser("reviewer").get("/projects/1/?state=hasIssues").get_data(as_text=True)
    assert case_number(instance_id) in listed
    assert '<span class="tag warn">Has issues</span>' in listed
    assert case_number(instance_id) not in site.browser("reviewer").get("/projects/1/?state=approved").get_data(as_text=True)


def test_an_encrypted_report_says_so_and_offers_one_look(site: Site) -> None:
    instance_id = new_id()
    envelope = (
        '<data xmlns="http://opendatakit.org/submissions" id="flock_count" version="2026050201" encrypted="yes">'
        f"<base64EncryptedKey>AAAA</base64EncryptedKey>{meta(instance_id)}<encryptedXmlFile>submission.xml.enc</encryptedXmlFile></data>"
    )
    assert site.send(envelope.encode()).status_code in {201, 202}
    found = shown(site, instance_id)
    assert "it enters no count, map or hotspot" in words(found)
    assert f"{address(instance_id)}/decrypt" in {link.attributes["href"] for link in found.all("a")}
    assert "it enters no count" not in words(shown(site, sent(site)))


# files


def photo(colour: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (900, 600), colour).save(out, "JPEG")
    return out.getvalue()


def test_two_files_of_one_name_are_both_seen_small(site: Site) -> None:
    instance_id = new_id()
    for colour in ("red", "blue"):
        site.send(loss(instance_id, "near.jpg"), {"near.jpg": photo(colour)})
    sources = [picture.attributes["src"] for picture in shown(site, instance_id, "livestock_loss").all("img")]
    assert len(set(sources)) == 2
    for source in sources:
        answer = site.browser("reviewer").get(source)
        assert Image.open(io.BytesIO(answer.data)).size == (320, 213)
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert site.browser("reviewer").get(source, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
        assert site.browser("analyst").get(source).status_code == 403
    other = new_id()
    site.send(loss(other, "far.jpg"), {"far.jpg": photo("green")})
    assert site.browser("reviewer").get(sources[0].replace(instance_id, other)).status_code == 404
    assert f'class="tiny" src="{sources[0]}"' in site.browser("reviewer").get("/projects/1/").get_data(as_text=True)


def test_the_log_of_an_interview_is_read_and_marked_as_a_track(site: Site) -> None:
    instance_id = new_id()
    site.send(loss(instance_id), {"audit.csv": AUDIT})
    found = words(shown(site, instance_id, "livestock_loss"))
    assert "exact track, never published" in found
    assert "<dd>2 minutes</dd>" in found
    assert "کدام حیوان؟" in found.partition("Answers changed")[2]


def test_a_log_that_is_none_costs_nothing(site: Site) -> None:
    instance_id = new_id()
    site.send(loss(instance_id), {"audit.csv": b"\xff\xfe no log"})
    assert "The interview" not in words(shown(site, instance_id, "livestock_loss"))


# quarantine


@pytest.fixture
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site without reports."""
    with closing(Site(tmp_path_factory.mktemp("quarantine") / "data")) as opened:
        yield opened


def chosen(found: Page) -> list[str]:
    return [field.attributes["value"] for field in found.all("input") if field.attributes.get("name") == "record"]


def test_the_quarantine_groups_by_reason_and_accepts_the_chosen(own: Site) -> None:
    odd = [sent(own, sheep="many") for _ in range(3)]
    stranger = sent(own, version="1999")
    sent(own)
    browser = own.browser("reviewer")
    everything = page(browser.get("/projects/1/quarantine"))
    cases = [element.text for element in everything.all("span") if element.attributes.get("class") == "code"]
    assert cases == [case_number(each) for each in (*odd, stranger)]  # the oldest first
    assert chosen(everything) == []
    assert '<span class="count">4</span>' in everything.html.partition("</nav>")[0]
    one = page(browser.get("/projects/1/quarantine?reason=value_invalid"))
    assert len(chosen(one)) == 3
    answer = browser.post(
        "/projects/1/quarantine", data={"reason": "value_invalid", "record": chosen(one)[:2], "comment": "by hand"}
    )
    assert answer.status_code == 303
    assert "Accepted: 2" in browser.get(answer.location).get_data(as_text=True)
    left = page(browser.get("/projects/1/quarantine?reason=value_invalid"))
    assert chosen(left) == chosen(one)[2:]
    assert record(own, odd[0]).flags[0]["settled"]["by"] == "reviewer"
    assert "by hand" in history(shown(own, odd[0]))[-1]
    assert not record(own, odd[0]).attention or len(record(own, odd[0]).flags) > 1


def test_the_quarantine_is_walked_page_by_page(own: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quarantine, "PAGE_SIZE", 2)
    ids = [sent(own, sheep="many") for _ in range(5)]
    where, seen = "/projects/1/quarantine?reason=value_invalid", []
    while where:
        found = page(own.browser("reviewer").get(where))
        seen += chosen(found)
        where = next((link.attributes["href"] for link in found.all("a") if link.attributes.get("rel") == "next"), "")
    assert seen == [f'["flock_count", "{each}"]' for each in ids]
    assert own.browser("reviewer").get("/projects/1/quarantine?start=99999&reason=nothing").status_code == 200
    ticked = page(own.browser("reviewer").get("/projects/1/quarantine?reason=value_invalid&all=1"))
    assert all("checked" in field.attributes for field in ticked.all("input") if field.attributes.get("name") == "record")


@pytest.mark.parametrize("data", [{}, {"reason": "x"}, {"reason": "x", "record": "y"}, {"reason": "x", "record": "[1]"}])
def test_a_bent_choice_is_told(site: Site, data: dict[str, str]) -> None:
    assert site.browser("reviewer").post("/projects/1/quarantine", data=data).status_code == 400


def test_what_was_kept_aside_is_seen_saved_taken_in_or_dismissed(own: Site) -> None:
    late = flock(new_id(), form_id="late")
    for _ in range(2):
        assert own.send(late, {"near.jpg": b"\xff\xd8\xff\xe0 near"}).status_code == 404
    assert own.send(b"<broken").status_code == 400
    browser = own.browser("reviewer")
    found = page(browser.get("/projects/1/quarantine"))
    assert "sent 2 times" in words(found)
    saved = [browser.get(link.attributes["href"]) for link in found.all("a") if "/aside/" in link.attributes["href"]]
    assert {answer.data for answer in saved} == {late, b"\xff\xd8\xff\xe0 near", b"<broken"}
    assert all(answer.headers["Content-Disposition"].startswith("attachment") for answer in saved)
    buttons = {
        digest: f"/projects/1/quarantine/aside/{digest}"
        for digest in (hashlib.sha256(each).hexdigest() for each in (late, b"<broken"))
    }
    taking, dismissing = buttons.values()
    refused = browser.post(taking, data={"step": "take_in"})
    assert refused.status_code == 404
    assert "This server has never had a form with this id." in refused.get_data(as_text=True)
    own.publish(renamed(FLOCK, "late"))
    assert browser.post(taking, data={"step": "take_in"}).status_code == 303
    assert browser.post(dismissing, data={"step": "dismiss"}).status_code == 303
    assert browser.post(dismissing, data={"step": "burn"}).status_code == 400
    assert "Nothing is kept aside." in browser.get("/projects/1/quarantine").get_data(as_text=True)
    with own.services.store.read() as connection:
        assert set(connection.execute(select(KeptAside.settled_by)).scalars()) == {"reviewer"}
    assert browser.get(f"{dismissing}.xml").data == b"<broken"
    assert browser.get(f"{dismissing}/files/{hashlib.sha256(late).hexdigest()}/x").status_code == 404


@pytest.mark.parametrize("role", ["analyst", "data_collector"])
def test_who_may_not_review_sees_no_quarantine(site: Site, role: str) -> None:
    browser = site.browser(role)
    assert browser.get("/projects/1/quarantine").status_code == 403
    assert browser.post("/projects/1/quarantine", data={"reason": "x", "record": "[]"}).status_code == 403
    assert browser.post(f"/projects/1/quarantine/aside/{'0' * 64}", data={"step": "dismiss"}).status_code == 403
    assert "/projects/1/quarantine" not in browser.get("/projects/1/exports").get_data(as_text=True)
