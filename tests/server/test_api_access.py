"""Who may read what through the doors for programs: every address, every role, and no side door (attacks 25, 27, 30, 32, 46)."""

import re
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing

import pytest

from records import projects, reviews
from records.access import Access
from server import accounts
from server.api import kobo
from server.api.bundle import MOST_AT_ONCE
from tests.support.entities import household, household_form, uuid_of
from tests.support.pages import PASSWORD, Site
from tests.support.records import flock, new_id
from tests.support.stores import EVERYTHING

READERS = ("nobody", "wrong project", "analyst", "data_collector", "reviewer", "coordinator", "administrator")
PROJECT = "/v1/projects/<int(max=2147483647):project_id>"
FORM = f"{PROJECT}/forms/<path:form_id>"
RECORD = f"{FORM}/submissions/<path:instance_id>"
LIST = f"{PROJECT}/datasets/<path:name>"
ASSET = "/api/v2/assets/<uid>"
OPEN = (200,) * 7
SIGNED_IN = (401, 200, 200, 200, 200, 200, 200)
SEE = (401, 403, 403, 200, 200, 200, 200)
DATA = (401, 403, 501, 200, 200, 200, 200)  # this form asks for no household, so that an analyst gets nothing generalised of it
OF_RECORD = (401, 403, 403, 404, 200, 200, 200)  # the record is of no phone of this collector
ABSENT = (401, 403, 403, 404, 404, 404, 404)
REVIEW = (401, 403, 403, 403, 400, 400, 400)
ENTITIES = (401, 403, 403, 403, 403, 200, 200)
# what each reader gets at addresses of things that are there; POST and PATCH bring nothing
TABLE = {
    ("POST", "/v1/sessions"): (400,) * 7,
    ("DELETE", "/v1/sessions/current"): SIGNED_IN,
    ("DELETE", "/v1/sessions/<token>"): SIGNED_IN,
    ("GET", "/v1/users/current"): SIGNED_IN,
    ("GET", "/v1/projects"): SIGNED_IN,
    ("GET", "/v1/audits"): SIGNED_IN,
    ("GET", "/v1/openapi.json"): OPEN,
    ("GET", PROJECT): (401, 403, 200, 200, 200, 200, 200),
    ("GET", f"{PROJECT}/app-users"): (401, 403, 403, 403, 403, 200, 200),
    ("GET", f"{PROJECT}/forms"): SEE,
    ("GET", FORM): SEE,
    ("GET", f"{FORM}.xml"): SEE,
    ("GET", f"{FORM}/versions"): SEE,
    ("GET", f"{FORM}/versions/<path:version>.xml"): SEE,
    ("GET", f"{FORM}/versions/<path:version>/fields"): SEE,
    ("GET", f"{FORM}/fields"): SEE,
    ("GET", f"{FORM}/attachments"): SEE,
    ("GET", f"{FORM}/attachments/<path:name>"): ABSENT,
    ("GET", f"{FORM}.svc"): SEE,
    ("GET", f"{FORM}.svc/$metadata"): SEE,
    ("GET", f"{FORM}.svc/<path:target>"): SEE,
    ("GET", f"{FORM}/submissions"): SEE,
    ("GET", f"{FORM}/submissions/keys"): SEE,
    ("GET", f"{FORM}/submissions.csv.zip"): SEE,
    ("GET", f"{FORM}/submissions.csv"): DATA,
    ("GET", f"{FORM}/submissions.geojson"): DATA,
    ("GET", f"{FORM}/data"): DATA,
    ("GET", RECORD): OF_RECORD,
    ("PATCH", RECORD): REVIEW,
    ("GET", f"{RECORD}.xml"): OF_RECORD,
    ("GET", f"{RECORD}/versions"): OF_RECORD,
    ("GET", f"{RECORD}/versions/<path:version_id>.xml"): OF_RECORD,
    ("GET", f"{RECORD}/attachments"): OF_RECORD,
    ("GET", f"{RECORD}/attachments/<path:name>"): OF_RECORD,
    ("GET", f"{RECORD}/comments"): OF_RECORD,
    ("POST", f"{RECORD}/comments"): REVIEW,
    ("GET", f"{RECORD}/audits"): OF_RECORD,
    ("GET", f"{PROJECT}/datasets"): ENTITIES,
    ("GET", LIST): ENTITIES,
    ("GET", f"{LIST}/entities"): ENTITIES,
    ("GET", f"{LIST}/entities/<uuid>"): ENTITIES,
    ("GET", f"{LIST}/entities.csv"): ENTITIES,
    ("GET", f"{LIST}.svc"): ENTITIES,
    ("GET", f"{LIST}.svc/$metadata"): ENTITIES,
    ("GET", f"{LIST}.svc/Entities"): ENTITIES,
    ("GET", "/token/"): SIGNED_IN,
    ("GET", "/api/v2/assets.json"): SIGNED_IN,
    ("GET", "/api/v2/assets/"): SIGNED_IN,
    ("GET", f"{ASSET}.json"): SEE,
    ("GET", f"{ASSET}/"): SEE,
    ("GET", f"{ASSET}.xml"): SEE,
    ("GET", f"{ASSET}/data.json"): SEE,
    ("GET", f"{ASSET}/data/"): SEE,
    ("GET", f"{ASSET}/data/<record>.json"): OF_RECORD,
    ("GET", f"{ASSET}/data/<record>/"): OF_RECORD,
    ("GET", f"{ASSET}/data/<record>.xml"): OF_RECORD,
    ("GET", f"{ASSET}/files.json"): SEE,
    ("GET", f"{ASSET}/files/"): SEE,
    ("GET", f"{ASSET}/export-settings/"): SEE,
    ("GET", f"{ASSET}/exports/"): SEE,
}
INSTANCE = new_id()
PARTS = {
    "project_id": "1",
    "form_id": "flock_count",
    "instance_id": INSTANCE,
    "version_id": INSTANCE,
    "version": "2026050201",
    "target": "Submissions",
    "uid": kobo.uid_of(1, "flock_count"),
    "record": INSTANCE.removeprefix("uuid:"),
    "uuid": uuid_of("h1"),
    "token": "nothing",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with closing(Site(tmp_path_factory.mktemp("api") / "data")) as opened:
        opened.publish(household_form())
        assert opened.send(household(new_id(), uuid_of("h1"))).status_code == 201
        assert opened.send(flock(INSTANCE), {"a.jpg": b"\xff\xd8\xff photo"}).status_code in {201, 202}
        other = projects.add(opened.services.store, "Elsewhere", "elsewhere")
        accounts.add(opened.services.store, "wrong project", "coordinator", PASSWORD, project_id=other)
        yield opened


def routes(site: Site) -> Iterator[tuple[str, str]]:
    for rule in site.app.url_map.iter_rules():
        if rule.endpoint.startswith(("central.", "kobo.")):
            yield from ((method, rule.rule) for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}))


def filled(rule: str) -> str:
    """An address of this rule at which there is something."""
    name = "households" if "/datasets/" in rule else "a.jpg"
    return re.sub(r"<(?:[^:<>]+:)?(\w+)>", lambda part: PARTS.get(part[1], name), rule)


def password_of(name: str) -> dict[str, str]:
    if name == "nobody":
        return {"Accept": "*/*"}
    return {"Authorization": "Basic " + b64encode(f"{name}:{PASSWORD}".encode()).decode(), "Accept": "*/*"}


def test_every_address_has_a_line_in_the_table(site: Site) -> None:
    assert sorted(routes(site)) == sorted(TABLE)


@pytest.mark.parametrize(("reader", "column"), [(reader, column) for column, reader in enumerate(READERS)])
def test_everybody_gets_what_the_table_says_at_every_address(site: Site, reader: str, column: int) -> None:
    found = {}
    for method, rule in TABLE:
        answer = site.browser().open(filled(rule), method=method, headers=password_of(reader))
        found[method, rule] = answer.status_code
        assert answer.status_code < 400 or answer.mimetype in {"application/json", "application/problem+json"}
        assert ("WWW-Authenticate" in answer.headers) == (answer.status_code == 401)
    assert found == {route: statuses[column] for route, statuses in TABLE.items()}


def test_head_and_conditions_say_no_more_than_get(site: Site) -> None:
    etags = {}
    for method, rule in TABLE:
        if method == "GET":
            allowed = site.browser().get(filled(rule), headers=password_of("reviewer"))
            etags[rule] = allowed.headers.get("ETag", "*")
    for name in ("nobody", "analyst", "wrong project"):
        column = READERS.index(name)
        for (method, rule), statuses in TABLE.items():
            if method == "GET" and statuses[column] >= 400:
                conditions = {"If-None-Match": etags[rule], "Range": "bytes=0-1"}
                for again in ("HEAD", "GET"):
                    answer = site.browser().open(filled(rule), method=again, headers={**password_of(name), **conditions})
                    assert answer.status_code == statuses[column], (name, again, rule)


def test_a_collector_reads_through_every_door_only_what_their_own_phone_sent(tmp_path_factory: pytest.TempPathFactory) -> None:
    with closing(Site(tmp_path_factory.mktemp("own") / "data")) as site:
        own, others = new_id(), new_id()
        site.send(flock(own))
        site.send(flock(others))
        from sqlalchemy import update

        from records.models import AppUser, Submission

        def give(connection):  # type: ignore[no-untyped-def]
            connection.execute(update(AppUser).values(account_id=site.people["data_collector"].id))
            connection.execute(update(Submission).filter_by(instance_id=others).values(app_user_id=None))

        site.services.store.write(give)
        headers = password_of("data_collector")
        get = lambda path: site.browser().get(path, headers=headers)
        form = "/v1/projects/1/forms/flock_count"
        uid = kobo.uid_of(1, "flock_count")
        for path in (
            f"{form}/submissions",
            f"{form}.svc/Submissions",
            f"{form}.svc/Submissions?$filter=__system/submitterId eq null or __system/deletedAt eq null",
            f"/api/v2/assets/{uid}/data.json",
        ):
            text = get(path).get_data(as_text=True)
            assert (own in text, others in text) == (True, False), path
        assert get(f"{form}.svc/Submissions?$count=true&$top=0").json["@odata.count"] == 1  # type: ignore[index]
        assert get(f"/api/v2/assets/{uid}/data.json").json["count"] == 1  # type: ignore[index]
        assert get(f"{form}.svc/Submissions('{others}')").status_code == 404
        assert get(f"{form}/submissions/{others}").status_code == 404
        assert get("/api/v2/assets.json").json["results"][0]["deployment__submission_count"] == 1  # type: ignore[index]


def test_archives_that_nobody_reads_to_the_end_hold_no_place(site: Site) -> None:
    address = "/v1/projects/1/forms/flock_count/submissions.csv.zip"
    for method in ["HEAD", "GET"] * (MOST_AT_ONCE + 1):
        site.app.test_client().open(address, method=method, headers=password_of("reviewer")).close()
    assert site.browser().get(address, headers=password_of("reviewer")).status_code == 200


def test_another_site_cannot_have_a_browser_change_anything(site: Site) -> None:
    for method, rule in (("PATCH", RECORD), ("POST", f"{RECORD}/comments"), ("DELETE", "/v1/sessions/current")):
        browser = site.browser("coordinator")
        answer = browser.open(
            filled(rule), method=method, json={"reviewState": "rejected", "body": "x"}, headers={"Sec-Fetch-Site": "cross-site"}
        )
        assert (answer.status_code, answer.json["details"]["problem"]) == (403, "request_forged")  # type: ignore[index]
    assert site.browser("coordinator").get("/v1/users/current").status_code == 200


def test_a_form_cannot_be_posted_as_json(site: Site) -> None:
    answer = site.browser("coordinator").post(
        filled(f"{RECORD}/comments"), data='{"body": "x"}', headers={"Content-Type": "text/plain"}
    )
    assert answer.status_code == 400


def test_a_page_that_asks_gets_no_dialog(site: Site) -> None:
    answer = site.browser().get("/v1/users/current", headers={"X-Requested-With": "XMLHttpRequest", "Accept": "*/*"})
    assert answer.status_code == 401
    assert "WWW-Authenticate" not in answer.headers


def test_only_the_review_state_can_be_changed(site: Site) -> None:
    instance = new_id()
    site.send(flock(instance))
    answer = site.browser().patch(
        f"/v1/projects/1/forms/flock_count/submissions/{instance}",
        json={"reviewState": "approved", "instanceId": "uuid:x", "submitterId": 99, "deletedAt": "2026-01-01"},
        headers=password_of("reviewer"),
    )
    assert answer.json is not None
    assert (answer.json["reviewState"], answer.json["instanceId"], answer.json["deletedAt"]) == ("approved", instance, None)
    with site.services.store.read() as connection:
        assert [event.action for event in reviews.history(connection, EVERYTHING, "flock_count", instance)] == ["state"]
    assert isinstance(EVERYTHING, Access)


def test_a_stranger_learns_nothing_of_what_is_there(site: Site) -> None:
    for path in ("/v1/projects/1/forms/flock_count", "/v1/projects/1/forms/nothing", "/v1/projects/77/forms/nothing"):
        answers = [site.browser().get(path, headers=password_of(name)) for name in ("nobody", "wrong project")]
        assert [answer.status_code for answer in answers] == [401, 403]
        assert answers[1].json == site.browser().get("/v1/projects/99", headers=password_of("wrong project")).json
