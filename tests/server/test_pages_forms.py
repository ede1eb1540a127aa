"""The pages of forms: publishing, trying first, closing, changing files, and what changed in words."""

import io
import re
from collections.abc import Iterator
from contextlib import closing

import pytest

from forms.library import drawings, drawings_of, read_survey
from tests.support.collect import encode
from tests.support.pages import HOSTILE, HOSTILE_XML, Browser, Site, page
from tests.support.records import FLOCK, VILLAGES, flock, new_id, parts, renamed

FORMS = "/projects/1/forms"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with closing(Site(tmp_path_factory.mktemp("forms") / "data")) as opened:
        yield opened


@pytest.fixture
def browser(site: Site) -> Browser:
    return site.browser("coordinator")


def bring(browser: Browser, xform: bytes, what: str = "publish", note: str = "") -> str:
    """Bring a form; what the page then says."""
    answer = browser.post(FORMS, data={"form": (io.BytesIO(xform), "form.xml"), "what": what, "note": note})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


def text_of(browser: Browser, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


def list_of(site: Site) -> str:
    return site.app.test_client().get(f"/v1/key/{site.token}/projects/1/formList").get_data(as_text=True)


def trial_path(shown: str) -> str:
    address = re.search(r"http://[^<]+(/v1/test/[^<]+/draft)", shown)
    assert address is not None
    return address[1]


def test_a_form_is_tried_first_and_published_when_it_is_good(site: Site, browser: Browser) -> None:
    shown = bring(browser, renamed(FLOCK, "tried"), "try", HOSTILE)
    assert "Try the form on a phone" in shown
    assert "<svg" in shown
    tester = site.app.test_client()
    path = trial_path(shown)
    assert "<formID>tried</formID>" in tester.get(f"{path}/formList").get_data(as_text=True)
    assert "tried" not in list_of(site)
    body, kind = encode(parts(flock(new_id(), form_id="tried", sheep="many")))
    assert tester.post(f"{path}/submission", data=body, headers={"Content-Type": kind}).status_code == 201
    shown = text_of(browser, f"{FORMS}/tried")
    assert "Unreadable answer" in shown
    assert HOSTILE not in shown
    assert "trial" in text_of(browser, FORMS)
    assert browser.post(f"{FORMS}/tried/draft/publish").status_code == 303
    assert "<formID>tried</formID>" in list_of(site)
    assert tester.get(f"{path}/formList").status_code == 404
    shown = text_of(browser, f"{FORMS}/tried")
    assert "No record of this trial" not in shown
    assert HOSTILE_XML not in shown


def test_a_new_code_ends_the_one_before_and_a_draft_can_be_discarded(site: Site, browser: Browser) -> None:
    first = trial_path(bring(browser, renamed(FLOCK, "keyed"), "try"))
    assert (
        browser.post(FORMS, data={"form": (io.BytesIO(renamed(FLOCK, "keyed", title="Other")), "f.xml"), "what": "try"}).status_code
        == 303
    )
    second = trial_path(browser.post(f"{FORMS}/keyed/draft/key").get_data(as_text=True))
    client = site.app.test_client()
    assert [client.get(f"{path}/formList").status_code for path in (first, second)] == [404, 200]
    assert "<name>Other</name>" in client.get(f"{second}/formList").get_data(as_text=True)
    assert browser.post(f"{FORMS}/keyed/draft/discard").status_code == 303
    assert client.get(f"{second}/formList").status_code == 404
    assert browser.get(f"{FORMS}/keyed").status_code == 404


def test_a_form_is_closed_retired_and_opened_again(site: Site, browser: Browser) -> None:
    bring(browser, renamed(FLOCK, "stateful"))
    for state, words in (("closed", "Closed: no phone gets it"), ("retired", "Retired: nothing more"), ("open", "Phones get it.")):
        assert browser.post(f"{FORMS}/stateful/state", data={"state": state}).status_code == 303
        assert words in text_of(browser, f"{FORMS}/stateful")
        assert ("<formID>stateful</formID>" in list_of(site)) == (state == "open")
    assert browser.post(f"{FORMS}/stateful/state", data={"state": "gone"}).status_code == 400
    assert browser.post(f"{FORMS}/never/state", data={"state": "closed"}).status_code == 404


def test_what_changed_is_told_in_the_readers_language(site: Site, browser: Browser) -> None:
    bring(browser, renamed(FLOCK, "changed", version="1"), note="first")
    bring(browser, renamed(FLOCK, "changed", version="2", title="Flocks in spring"))
    shown = page(browser.get(f"{FORMS}/changed"))
    link = next(link for link in shown.all("a") if "differences" in link.attributes["href"])
    assert "Flocks in spring" in text_of(browser, link.attributes["href"])
    persian = site.browser("coordinator", language="fa").get(link.attributes["href"]).get_data(as_text=True)
    assert "از نسخهٔ 1 به 2" in persian
    assert "عنوان اکنون" in persian


def test_a_list_is_replaced_and_a_stranger_is_not_taken(site: Site, browser: Browser) -> None:
    name = "نقشه (۲).jpg"
    media = [(io.BytesIO(b"name,label\nv1,A\n"), "villages.csv"), (io.BytesIO(b"\xff\xd8\xff"), name)]
    answer = browser.post(FORMS, data={"form": (io.BytesIO(VILLAGES.read_bytes()), "v.xml"), "what": "publish", "media": media})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    new = {"media": [(io.BytesIO(b"name,label\nv1,A\nv2,B\n"), "villages.csv")]}
    assert browser.post(f"{FORMS}/village_visit/media", data=new).status_code == 303
    strange = browser.post(f"{FORMS}/village_visit/media", data={"media": [(io.BytesIO(b"x"), "other.csv")]})
    assert strange.status_code == 422
    assert "The form does not use other.csv." in strange.get_data(as_text=True)


def test_a_shipped_survey_that_was_changed_keeps_its_drawings_and_own_pictures_come_first(site: Site, browser: Browser) -> None:
    survey = browser.get(f"{FORMS}/leopard_sign/workbook.xlsx").data
    own = drawings(["sheep.png"])["sheep.png"]
    files = {"form": (io.BytesIO(survey), "mine.xlsx"), "media": (io.BytesIO(own), "leopard.png")}
    answer = browser.post(FORMS, data=files)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    phone = site.app.test_client()
    address = re.search(r"<manifestUrl>([^<]+/leopard_sign/[^<]+)</manifestUrl>", list_of(site))
    assert address is not None
    manifest = phone.get(address[1]).get_data(as_text=True)
    listed = dict(zip(*(re.findall(f"<{tag}>([^<]+)</{tag}>", manifest) for tag in ("filename", "downloadUrl")), strict=True))
    given = {}
    for name, url in listed.items():
        with phone.get(url) as file:
            given[name] = file.data
    assert given == drawings_of(read_survey("leopard_sign")) | {"leopard.png": own}
