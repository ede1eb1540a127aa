"""People, projects, phones and the log as administrators and coordinators work with them."""

import ast
import re
import shutil
from collections.abc import Iterator
from contextlib import closing
from io import BytesIO
from pathlib import Path

import pytest
from sqlalchemy import delete, select

from forms.submission import case_number
from records import audit, projects, reviews
from records.access import ROLES, Access
from records.form_life import STATES
from records.models import Account, AppUser, AuditEvent
from server import accounts
from server.pages import log
from tests.support.firsts import first_folder
from tests.support.pages import PASSWORD, Page, Site, page
from tests.support.records import flock, loss, new_id

ROOT = Path(log.__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    data = tmp_path_factory.mktemp("people") / "data"
    shutil.copytree(first_folder(tmp_path_factory), data)
    with closing(Site(data)) as opened:
        opened.services.store.write(lambda connection: connection.execute(delete(Account).filter_by(name="admin")))
        projects.add(opened.services.store, "گلستان", "golestan", actor="administrator")
        yield opened


def person(site: Site, name: str, role: str = "analyst") -> None:
    accounts.add(site.services.store, name, role, PASSWORD, project_id=1)


def signed_in(site: Site, name: str) -> int:
    """The status that signing in as this person gets."""
    return site.browser().post("/sign-in", data={"name": name, "password": PASSWORD}).status_code


def links(shown: Page) -> dict[str, str]:
    return {link.attributes["href"]: " ".join(link.text.split()) for link in shown.all("a")}


# people


def test_roles_are_given_changed_and_taken_away_on_the_page_of_a_person(site: Site) -> None:
    person(site, "شیرین")
    browser = site.browser("administrator")
    for project, role in (("2", "coordinator"), ("1", "reviewer"), ("2", "")):
        answer = browser.post("/people/شیرین/role", data={"project": project, "role": role})
        assert (answer.status_code, answer.location) == (303, "/people/%D8%B4%DB%8C%D8%B1%DB%8C%D9%86")
    with site.services.store.read() as connection:
        assert next(one.roles for one in accounts.listed(connection) if one.name == "شیرین") == {1: "reviewer"}
    shown = page(browser.get("/people/شیرین"))
    assert [option.attributes["value"] for option in shown.all("option") if "selected" in option.attributes] == ["reviewer"]
    assert "شیرین" in links(page(browser.get("/people"))).values()


@pytest.mark.parametrize(
    "data", [{"project": "1", "role": "king"}, {"project": "9", "role": "analyst"}, {"project": "1", "role": "administrator"}]
)
def test_a_role_or_project_that_is_not_there_is_refused(site: Site, data: dict[str, str]) -> None:
    assert site.browser("administrator").post("/people/analyst/role", data=data).status_code == 400


def test_a_person_is_signed_out_everywhere_and_comes_back_with_the_password(site: Site) -> None:
    person(site, "Parisa")
    theirs = site.browser()
    assert theirs.post("/sign-in", data={"name": "Parisa", "password": PASSWORD}).status_code == 303
    assert site.browser("administrator").post("/people/Parisa/sign-out").status_code == 303
    assert theirs.get("/projects/1/exports").status_code == 302
    assert signed_in(site, "Parisa") == 303


def test_an_account_is_closed_after_a_question_and_its_page_says_so(site: Site) -> None:
    person(site, "gone")
    browser = site.browser("administrator")
    assert "Close the account of gone?" in browser.get("/people/gone/close").get_data(as_text=True)
    assert browser.post("/people/gone/close").location == "/people"
    assert signed_in(site, "gone") == 401
    text = browser.get("/people/gone").get_data(as_text=True)
    assert "This account is closed" in text
    assert 'action="/people/gone' not in text


def test_the_last_administrator_cannot_be_closed(site: Site) -> None:
    answer = site.browser("administrator").post("/people/administrator/close")
    assert answer.status_code == 400
    assert "This is the last administrator; somebody must be able to come in." in answer.get_data(as_text=True)
    assert signed_in(site, "administrator") == 303


# projects


def test_a_project_is_added_with_the_shipped_surveys_and_chosen_in_the_header(site: Site) -> None:
    browser = site.browser("administrator")
    answer = browser.post("/projects", data={"name": "Kopet Dag", "account": "kopet-dag"})
    assert answer.status_code == 303
    shown = page(browser.get(answer.location))
    assert links(shown)["/projects"] == "Kopet Dag"
    assert "conflict_livestock" in browser.get(answer.location + "forms").get_data(as_text=True)
    doors = links(page(browser.get("/projects")))
    assert {"/projects/1/": "Tulliana", "/projects/2/": "گلستان", answer.location: "Kopet Dag"}.items() <= doors.items()


@pytest.mark.parametrize(
    ("data", "status"),
    [({"name": "", "account": "x"}, 400), ({"name": "x", "account": "Ä"}, 400), ({"name": "x", "account": "golestan"}, 409)],
)
def test_a_project_that_cannot_be_is_explained_and_what_was_typed_stays(site: Site, data: dict[str, str], status: int) -> None:
    answer = site.browser("administrator").post("/projects", data=data)
    shown = page(answer)
    assert answer.status_code == status
    assert [field.attributes["value"] for field in shown.all("input")] == [data["name"], data["account"]]
    assert 'role="alert"' in shown.html


def test_who_has_one_project_sees_no_choice_and_who_has_none_is_told(site: Site) -> None:
    assert "/projects" not in links(page(site.browser("coordinator").get("/projects/1/")))
    person(site, "without")
    accounts.set_role(site.services.store, "without", None, project_id=1)
    browser = site.browser()
    browser.post("/sign-in", data={"name": "without", "password": PASSWORD})
    assert browser.get("/").status_code == 403
    assert "You have no role in a project yet." in browser.get("/projects").get_data(as_text=True)


def test_a_role_in_each_of_two_projects_opens_what_it_may_in_each(site: Site) -> None:
    person(site, "both", "analyst")
    accounts.set_role(site.services.store, "both", "coordinator", project_id=2)
    browser = site.browser()
    browser.post("/sign-in", data={"name": "both", "password": PASSWORD})
    assert {"/projects/1/exports", "/projects/2/"} <= set(links(page(browser.get("/projects"))))
    assert [browser.get(f"/projects/{number}/").status_code for number in (1, 2)] == [403, 200]
    assert links(page(browser.get("/projects/2/")))["/projects"] == "گلستان"


# phones


def test_a_phone_is_given_a_collector_and_some_forms_and_all_again(site: Site) -> None:
    coordinator, collector = site.browser("coordinator"), site.browser("data_collector")
    added = coordinator.post("/projects/1/phones", data={"name": "Azadeh", "language": "fa", "account": "data_collector"})
    path = re.sub("^http://[^/]+", "", next(page(added).all("textarea")).text)
    assert added.status_code == 200
    offered = site.browser().get(f"{path}/formList").get_data(as_text=True)
    flock_form = re.sub("^http://[^/]+", "", re.findall("<downloadUrl>([^<]*/flock_count/[^<]*)</downloadUrl>", offered)[0])
    assert site.browser().get(flock_form).status_code == 200
    change = {"forms": "some", "form": ["livestock_loss"], "account": "data_collector"}
    assert coordinator.post("/projects/1/phones/Azadeh", data=change).location == "/projects/1/phones"
    assert re.findall("<formID>(.*?)</formID>", site.browser().get(f"{path}/formList").get_data(as_text=True)) == ["livestock_loss"]
    assert site.browser().get(flock_form).status_code == 404
    instance_id = new_id()
    body = {"xml_submission_file": (BytesIO(flock(instance_id)), "flock.xml")}
    assert site.browser().post(f"{path}/submission", data=body).status_code == 201
    shown = collector.get("/projects/1/").get_data(as_text=True)
    assert case_number(instance_id) in shown
    assert "Not this phone&#39;s form" in shown
    assert coordinator.post("/projects/1/phones/Azadeh", data={"forms": "all", "account": ""}).status_code == 303
    assert case_number(instance_id) not in collector.get("/projects/1/").get_data(as_text=True)
    assert "<formID>flock_count" in site.browser().get(f"{path}/formList").get_data(as_text=True)
    with site.services.store.read() as connection:
        events = connection.execute(select(AuditEvent.action).filter_by(target="Azadeh").order_by(AuditEvent.id)).scalars().all()
    assert events == ["app_user.add", "app_user.set_forms", "app_user.set_forms", "app_user.set_account"]


@pytest.mark.parametrize("data", [{"account": "analyst"}, {"account": "nobody there"}, {"forms": "some", "form": ["never"]}])
def test_a_collector_or_form_that_is_not_there_changes_nothing(site: Site, data: dict[str, object]) -> None:
    browser = site.browser("coordinator")
    browser.post("/projects/1/phones", data={"name": "steady"})
    assert browser.post("/projects/1/phones/steady", data=data).status_code in {400, 404}
    with site.services.store.read() as connection:
        kept = connection.execute(select(AppUser.account_id, AppUser.form_ids).filter_by(name="steady", revoked_at=None)).one()
    assert tuple(kept) == (None, None)


# the log


def test_the_log_tells_who_did_what_newest_first_in_words(site: Site) -> None:
    instance_id = new_id()
    site.send(loss(instance_id))
    reviews.set_state(site.services.store, Access.everything(1, "coordinator"), "livestock_loss", instance_id, "approved", "seen")
    site.browser("coordinator").post("/projects/1/phones", data={"name": "told"})
    for language, phone, report in (
        ("en", "added the phone told", "changed the state of the report"),
        ("fa", "گوشی told را افزود", "وضعیت گزارش"),
    ):
        text = site.browser("coordinator", language=language).get("/projects/1/log").get_data(as_text=True)
        assert text.index(phone) < text.index(report)
        assert case_number(instance_id) in text


def test_a_coordinator_reads_the_log_of_the_project_and_an_administrator_that_of_the_server_too(site: Site) -> None:
    accounts.set_password(site.services.store, "analyst", PASSWORD, actor="administrator")
    accounts.set_role(site.services.store, "analyst", "analyst", project_id=2, actor="administrator")
    words = {role: site.browser(role).get("/projects/1/log").get_data(as_text=True) for role in ("coordinator", "administrator")}
    assert "gave analyst a new password" in words["administrator"]
    assert "gave analyst a new password" not in words["coordinator"]
    assert not [text for text in words.values() if "changed the role of analyst" in text]
    assert "changed the role of analyst" in site.browser("administrator").get("/projects/2/log").get_data(as_text=True)


def test_pages_of_the_log_join_without_gap_or_repeat(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "PAGE_SIZE", 4)
    with site.services.store.read() as connection:
        whole = [row.at for row in audit.events(connection, Access.of_role(1, "x", "coordinator", 0), limit=9999)]
    browser, address, seen = site.browser("coordinator"), "/projects/1/log", 0
    while address:
        shown = page(browser.get(address))
        seen += len(list(shown.all("tr"))) - 1
        address = next((link.attributes["href"] for link in shown.all("a") if link.attributes.get("rel") == "next"), "")
    assert seen == len(whole) > 4
    assert whole == sorted(whole, reverse=True)
    assert browser.get("/projects/1/log?page=9999").status_code == browser.get("/projects/1/log?page=x").status_code == 200


STEPS = ("state", "comment", "settle", "split", "delete", "restore", "same", "different", "undecided")


def written_actions() -> Iterator[str]:
    """The action of every event that is written down anywhere."""
    writers = {"note", "_change", "_settle_aside"}
    for path in (
        *ROOT.glob("records/**/*.py"),
        *ROOT.glob("sync/**/*.py"),
        *ROOT.glob("exports/**/*.py"),
        *ROOT.glob("server/**/*.py"),
    ):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            parts: list[ast.expr | None] = []
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in writers:
                parts = [*node.args]
            elif isinstance(node, ast.Dict):
                parts = [value for key, value in zip(node.keys, node.values, strict=True) if key and ast.unparse(key) == "'action'"]
            yield from (part.value for part in parts if isinstance(part, ast.Constant) and "." in str(part.value))
    yield from audit.LOOKS
    yield from (f"record.{action}" for action in STEPS)
    yield from (f"form.{state}" for state in (*STATES, "confidential", "not_confidential"))
    yield from (f"entity.{kind}" for kind in ("delete", "resolve"))


def test_every_action_that_is_written_down_has_words() -> None:
    assert set(written_actions()) == set(log.ACTIONS)


def test_every_role_has_a_name_and_its_duty_on_the_page_of_people(site: Site) -> None:
    for language in ("en", "fa"):
        shown = page(site.browser("administrator", language=language).get("/people"))
        offered = {field.attributes["value"] for field in shown.all("input") if field.attributes.get("type") == "radio"}
        assert offered == {"administrator", *ROLES}
        labels = [label.text for label in shown.all("label") if "tick" in label.attributes.get("class", "")]
        assert all(len(label.split()) > 3 for label in labels)
