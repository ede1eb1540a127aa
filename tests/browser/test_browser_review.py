"""From the quarantine to an approved report, as a coordinator does it: with a mouse, with keys alone, on a phone, in Persian."""

import re

import pytest
from playwright.sync_api import Page, expect

from server.demo.pictures import mountains
from tests.browser.conftest import Open
from tests.conftest import NewServer
from tests.support.collect import Collect, Record
from tests.support.pages import PASSWORD
from tests.support.records import FLOCK, LOSS, flock, loss, new_id
from tests.support.servers import Server

TWICE = "uuid:twice"


@pytest.fixture(scope="module")
def site(new_server: NewServer) -> Server:
    """A server of this module's own: a report of which two contents came, and three with an unreadable answer."""
    server = new_server("sqlite", {"TULLIANA_EXPORT_SCHEDULE": "never"})
    for form in (FLOCK, LOSS):
        server.publish(form)
    server.here("account", "add", "coordinator", "--role", "coordinator", "--password", PASSWORD)
    phone = Collect(server.app_user("Ranger")["url"])
    phone.send(Record(loss(TWICE, "near.jpg", remarks="two goats"), {"near.jpg": mountains(1)}))
    phone.send(Record(loss(TWICE, "near.jpg", remarks="three goats"), {"near.jpg": mountains(2)}))
    for _ in range(3):
        phone.send(Record(flock(new_id(), sheep="many")))
    return server


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than the screen."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def test_two_contents_are_compared_one_is_taken_and_the_report_approved(open_page: Open) -> None:
    page = open_page("/projects/1/quarantine")
    page.get_by_role("row", name="Two contents, one id").get_by_role("link").click()
    pictures = page.locator("img.photo")
    expect(pictures).to_have_count(2)
    for number in range(2):
        pictures.nth(number).scroll_into_view_if_needed()
        expect(pictures.nth(number)).to_have_js_property("complete", value=True)
        assert pictures.nth(number).evaluate("image => image.naturalWidth") == 240
    page.get_by_role("link", name="Compare the contents").click()
    expect(page.locator("mark")).to_have_text(["two goats", "three goats"])
    page.get_by_role("button", name="Make the other the current one").click()
    expect(page).to_have_url(re.compile("#history$"))
    expect(page.get_by_role("region", name="Answers")).to_contain_text("three goats")
    page.get_by_label("Comment").fill("asked the herder")
    page.get_by_role("button", name="Approve").click()
    expect(page.locator(".heading .tag")).to_have_text("Approved")
    expect(page.locator(".history li").last).to_contain_text("asked the herder")
    page.goto(page.url.partition("/projects")[0] + "/projects/1/?state=approved")
    expect(page.locator("tbody tr")).to_have_count(1)


def test_a_reason_is_settled_for_several_reports_with_keys_alone(open_page: Open) -> None:
    page = open_page("/projects/1/quarantine")
    page.get_by_role("link", name="Unreadable answer").focus()
    page.keyboard.press("Enter")
    boxes = page.get_by_role("checkbox")
    expect(boxes).to_have_count(3)
    for number in range(2):
        boxes.nth(number).focus()
        page.keyboard.press("Space")
    page.get_by_role("button", name="Accept the chosen as they are").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Accepted: 2")
    expect(page.get_by_role("checkbox")).to_have_count(1)


@pytest.mark.parametrize("language", ["fa", "en"])
def test_review_fits_a_small_phone_and_needs_no_script(open_page: Open, language: str) -> None:
    page = open_page("/projects/1/quarantine?reason=value_invalid", width=360, language=language, java_script_enabled=True)
    assert overflow(page) == 0
    page.locator("tbody a").first.click()
    assert overflow(page) == 0
    plain = open_page(f"/projects/1/reports/livestock_loss/{TWICE}", width=360, language=language, java_script_enabled=False)
    plain.locator("textarea").fill("سلام")
    plain.locator("button[value=comment]").click()
    expect(plain.locator(".history li").last).to_contain_text("سلام")
