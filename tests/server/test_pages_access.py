"""How people come in, and what others cannot do in their name: sessions, forged requests, guessed passwords. See test_access.py."""

import re
import secrets
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from server import schedule
from server.pages.access import local_path
from tests.support.ground import written_table
from tests.support.pages import HOST, PASSWORD, Site, page
from tests.support.records import flock, new_id

POSTS = sorted(rule for method, rule in written_table() if method == "POST")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with closing(Site(tmp_path_factory.mktemp("pages") / "data")) as opened:
        yield opened


def filled(rule: str) -> str:
    """An address of this rule at which there is nothing."""
    return re.sub("<[^<>]+>", "nothing", rule.replace("<int:project_id>", "1"))


def test_an_ended_session_opens_nothing(site: Site) -> None:
    browser = site.browser("administrator")
    cookie = browser.get_cookie("tulliana_session", domain="192.168.7.5")
    assert cookie is not None
    assert browser.get("/people").status_code == 200
    answer = browser.post("/sign-out")
    assert (answer.status_code, answer.location) == (303, "/sign-in")
    assert browser.get_cookie("tulliana_session", domain="192.168.7.5") is None
    browser.set_cookie("tulliana_session", cookie.value, domain="192.168.7.5")
    assert browser.get("/people").status_code == 302


def test_signing_in_gives_a_guarded_cookie_and_leads_where_one_wanted_to_go(site: Site) -> None:
    browser = site.browser()
    asked = browser.get("/projects/1/phones?lang=fa")
    assert asked.location == "/sign-in?next=/projects/1/phones?lang%3Dfa"
    form = page(browser.get(asked.location))
    wanted = next(field for field in form.all("input") if field.attributes["name"] == "next").attributes["value"]
    answer = browser.post("/sign-in", data={"name": "coordinator", "password": PASSWORD, "next": wanted})
    assert (answer.status_code, answer.location) == (303, "/projects/1/phones?lang=fa")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie
    assert browser.get("/projects/1/phones").status_code == 200


def test_the_cookie_is_secure_where_the_connection_is(site: Site) -> None:
    browser = site.browser(host="https://data.example.org")
    answer = browser.post("/sign-in", data={"name": "coordinator", "password": PASSWORD})
    assert "Secure" in answer.headers["Set-Cookie"]


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "\\\\evil.example",
        "/\t/evil.example",
        "\n//evil.example",
        "javascript:alert(1)",
        "evil.example",
        "",
    ],
)
def test_signing_in_never_leads_to_another_site(site: Site, wanted: str) -> None:
    answer = site.browser().post("/sign-in", data={"name": "analyst", "password": PASSWORD, "next": wanted})
    assert (answer.status_code, answer.location) == (303, "/")
    assert local_path(wanted) == "/"


def test_a_wrong_password_and_an_unknown_name_look_the_same(site: Site) -> None:
    wrong = site.browser().post("/sign-in", data={"name": "analyst", "password": "not this one"})
    unknown = site.browser().post("/sign-in", data={"name": "nobody here", "password": "not this one"})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.get_data() == unknown.get_data()
    assert "The name or the password is wrong." in wrong.get_data(as_text=True)
    assert "not this one" not in wrong.get_data(as_text=True)


def test_guessing_is_slowed_for_that_name_only(site: Site) -> None:
    browser, victim = site.browser(), f"guessed {secrets.token_hex(4)}"
    statuses = [browser.post("/sign-in", data={"name": victim, "password": "guess"}).status_code for _ in range(11)]
    assert statuses == [401] * 10 + [429]
    late = browser.post("/sign-in", data={"name": victim, "password": "guess"}, headers={"Accept-Language": "fa"})
    assert late.headers["Retry-After"] == "60"
    assert "یک دقیقه صبر کنید" in late.get_data(as_text=True)
    assert browser.post("/sign-in", data={"name": "analyst", "password": PASSWORD}).status_code == 303


@pytest.mark.parametrize("rule", POSTS)
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": HOST},
        {"Origin": "https://evil.example"},
        {"Origin": "http://192.168.7.5:9999"},
        {"Origin": "null"},
    ],
    ids=str,
)
def test_another_site_cannot_have_a_browser_post(site: Site, rule: str, headers: dict[str, str]) -> None:
    answer = site.browser("administrator").post(filled(rule), headers=headers)
    assert answer.status_code == 403
    assert "The page was open too long or the request came from elsewhere." in answer.get_data(as_text=True)


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "same-origin"}, {"Origin": HOST}, {}], ids=str)
def test_own_pages_and_scripts_may_post(site: Site, headers: dict[str, str]) -> None:
    answer = site.browser("coordinator").post("/projects/1/phones", data={"name": f"phone {secrets.token_hex(4)}"}, headers=headers)
    assert answer.status_code == 200


def test_phones_may_post_from_anywhere(site: Site) -> None:
    assert site.send(flock(new_id()), Origin="https://evil.example", Sec_Fetch_Site="cross-site").status_code == 201


def test_data_for_scripts_is_refused_with_a_status_not_a_page(site: Site) -> None:
    answer = site.browser().get("/projects/1/map/points.json", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.mimetype) == (401, "application/problem+json")


def test_analysts_are_led_to_the_exports_and_see_no_other_door(site: Site) -> None:
    browser = site.browser("analyst")
    assert browser.get("/").location == "/projects/1/exports"
    shown = page(browser.get("/projects/1/exports"))
    assert {link.attributes["href"] for link in shown.all("a")} >= {"/projects/1/exports", "/"}
    assert not {"/projects/1/phones", "/projects/1/forms", "/people"} & {link.attributes["href"] for link in shown.all("a")}
    assert not [form for form in shown.all("form") if form.attributes["action"].endswith("/run")]


def test_a_coordinator_starts_an_export_in_the_background(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[dict[str, object]] = []
    done = threading.Event()

    def run_now(**arguments: object) -> None:
        started.append(arguments)
        done.set()

    monkeypatch.setattr(schedule, "run_now", run_now)
    answer = site.browser("coordinator").post("/projects/1/exports/hotspots-public/run")
    assert (answer.status_code, answer.location) == (303, "/projects/1/exports?started=hotspots-public")
    assert done.wait(10)
    assert started == [{"services": site.services, "project_id": 1, "name": "hotspots-public", "origin": "coordinator", "note": ""}]
