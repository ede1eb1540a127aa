"""The pages in a real browser: what a coordinator does in the first ten minutes, on a laptop and on a small phone."""

import re

import pytest
from playwright.sync_api import Page, expect

from forms.submission import case_number
from tests.browser.conftest import Open
from tests.support.pages import HOSTILE, PASSWORD

PAGES = (
    "/",
    "/projects/1/quarantine",
    "/projects/1/quarantine?reason=value_invalid",
    "/projects/1/phones",
    "/projects/1/forms",
    "/projects/1/exports",
    "/projects/1/strategy",
    "/projects",
    "/projects/1/log",
    "/projects/1/phones/Ranger",
    "/people",
    "/people/coordinator",
    "/people/coordinator/close",
    "/people/coordinator/password",
    "/projects/1/phones/Ranger/revoke",
    "/projects/1/reports/livestock_loss/uuid:hostile",
)


def test_sign_in_look_at_the_map_open_a_report_and_leave(open_page: Open) -> None:
    page = open_page("/", None)
    expect(page).to_have_url(re.compile("/sign-in$"))
    page.keyboard.type("coordinator")  # the name has the focus already
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#map-count")).to_have_text("Reports with a place: 2")
    expect(page.locator(".legend li:visible")).to_have_count(2)  # the one survey of both, and what a ring means
    expect(page.locator("#map .pin")).to_have_count(2)
    expect(page.locator("#map .name span").first).to_be_visible()
    page.get_by_role("link", name="ثبت تلفات دام").last.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("ثبت تلفات دام")
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/sign-in$"))


def test_a_marker_tells_about_its_report_and_runs_nothing(open_page: Open) -> None:
    page = open_page("/")
    page.get_by_role("button", name=f"ثبت تلفات دام {case_number('uuid:hostile')}").press("Enter")
    popup = page.locator(".leaflet-popup")
    expect(popup).to_contain_text(HOSTILE)
    expect(popup.locator("img, script")).to_have_count(0)
    assert page.evaluate("window.hacked") is None
    popup.get_by_role("link", name="Open the report").click()
    expect(page).to_have_url(re.compile("/projects/1/reports/livestock_loss/uuid:hostile$"))
    assert page.evaluate("window.hacked") is None


def test_the_filter_narrows_map_and_table(open_page: Open) -> None:
    page = open_page("/")
    page.get_by_label("Only flagged").check()
    page.get_by_role("button", name="Show").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr .tag.warn").first).to_have_text("Unreadable answer")
    expect(page.locator("#map-count")).to_have_text("No report with a place")


def test_adding_a_phone_shows_a_code_large_and_clear_enough_to_scan(open_page: Open) -> None:
    for width, theme in ((1280, "dark"), (360, "light")):
        page = open_page("/projects/1/phones", width=width, color_scheme=theme)
        page.get_by_label("Name of the phone or its ranger").fill(f"phone {width}")
        page.get_by_role("button", name="Make the QR code").click()
        picture = page.get_by_role("img", name="QR code with the settings for this phone")
        box = picture.locator("svg").bounding_box()
        assert box is not None
        assert abs(box["width"] - box["height"]) < 1
        assert box["width"] > 260
        assert picture.evaluate("element => getComputedStyle(element).backgroundColor") == "rgb(255, 255, 255)"
        expect(page.get_by_label("Server address, to type or copy instead")).to_have_value(re.compile("/v1/key/"))
        expect(page.get_by_role("alert")).to_contain_text("Phones cannot reach this address.")


def test_a_key_is_withdrawn_after_a_question(open_page: Open) -> None:
    page = open_page("/projects/1/phones")
    page.get_by_label("Name of the phone or its ranger").fill("lost")
    page.get_by_role("button", name="Make the QR code").click()
    page.get_by_role("link", name="Done").click()
    page.get_by_role("link", name="Withdraw the key of lost").click()
    page.get_by_role("link", name="Cancel").click()
    page.get_by_role("link", name="Withdraw the key of lost").click()
    page.get_by_role("button", name="Withdraw the key").click()
    expect(page.locator("tr.gone", has_text="lost")).to_contain_text("withdrawn")


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than the screen."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


@pytest.mark.parametrize("language", ["fa", "en"])
def test_no_page_is_wider_than_a_small_phone(open_page: Open, language: str) -> None:
    page = open_page("/sign-in", "administrator", width=360, language=language)
    widths = {}
    for path in PAGES:
        page.goto(
            page.url.partition("/sign-in")[0] + path if "/sign-in" in page.url else re.sub(r"(//[^/]+).*", rf"\1{path}", page.url)
        )
        page.wait_for_load_state("networkidle" if path == "/" else "load")  # the map asks for its reports
        widths[path] = overflow(page)
    assert widths == dict.fromkeys(PAGES, 0)


def test_persian_reads_from_the_right_with_its_own_calendar_and_digits(open_page: Open) -> None:
    page = open_page("/projects/1/reports/livestock_loss/uuid:hostile", width=360, language="fa-IR")
    assert page.evaluate("[document.documentElement.dir, document.documentElement.lang]") == ["rtl", "fa"]
    expect(page.locator(".facts time").first).to_have_text("۱۲ اردیبهشت ۱۴۰۵")
    expect(page.locator(".facts time").first).to_have_attribute("datetime", "2026-05-02")
    brand, reader = (page.locator(name).bounding_box() for name in (".brand", ".reader"))
    assert brand is not None
    assert reader is not None
    assert brand["x"] > reader["x"]
    page.get_by_role("link", name="English").click()
    expect(page.locator(".facts time").first).to_have_text("May 2, 2026")


def test_everything_but_the_map_works_without_scripts(open_page: Open) -> None:
    page = open_page("/", java_script_enabled=False)
    expect(page.locator("tbody tr")).to_have_count(3)
    expect(page.locator("tbody time").first).to_have_text("2026-05-02")
    page.get_by_role("link", name="فارسی").click()
    expect(page.locator("h1")).to_have_text("گزارش‌ها")


def test_the_first_key_leads_to_the_content(open_page: Open) -> None:
    page = open_page("/projects/1/forms")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


def test_a_strange_page_cannot_make_the_browser_add_a_phone(open_page: Open) -> None:
    page = open_page("/projects/1/phones", forgive="403")
    address = page.url
    before = page.locator("tbody tr").count()
    page.goto("about:blank")
    page.set_content(f'<form method="post" action="{address}"><input name="name" value="forged"><button>Win</button></form>')
    with page.expect_response(address) as answer:
        page.get_by_role("button").click()
    assert answer.value.status == 403
    page.goto(address)
    expect(page.locator("tbody tr")).to_have_count(before)
