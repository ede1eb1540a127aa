"""Whoever takes exact data out, or looks at a record as it is, leaves one line in the log each time, whatever the door."""

import hashlib
import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from forms.submission import case_number
from records.audit import ENTITY, LIST, RECORD
from records.models import SubmissionVersion
from server import briefcase
from server.api import kobo
from server.cli import cli
from tests.support.entities import household, household_form, uuid_of
from tests.support.pages import PASSWORD, Site
from tests.support.records import LOSS, flock, loss, new_id, renamed

AS_REVIEWER, AS_COORDINATOR = (f"Basic {b64encode(f'{who}:{PASSWORD}'.encode()).decode()}" for who in ("reviewer", "coordinator"))
ONE, SEEN, ATTACK = (f"uuid:{uuid_of(name)}" for name in ("one", "seen", "attack"))  # the same in every process of a run
HOUSEHOLD = uuid_of("H-1")
PHOTO = b"\xff\xd8\xff\xe0 a photo"
FORM = "/v1/projects/1/forms/flock_count"
TABLE = f"{FORM}.svc/Submissions"
ASSET = f"/api/v2/assets/{kobo.uid_of(1, 'flock_count')}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with closing(Site(tmp_path_factory.mktemp("taken") / "data")) as opened:
        opened.publish(household_form())
        opened.publish(renamed(LOSS, "conflict_livestock"))
        attack = loss(ATTACK).replace(b'"livestock_loss"', b'"conflict_livestock"')
        assert opened.send(attack).status_code == 201
        records = [flock(ONE), flock(new_id()), flock(new_id()), household(new_id(), HOUSEHOLD, label="H-1")]
        assert {opened.send(each).status_code for each in records} == {201}
        assert opened.send(loss(SEEN, "1.jpg"), {"1.jpg": PHOTO}).status_code == 201
        opened.services.checker().run()  # puts the attack into an incident
        yield opened


def run(site: Site, *arguments: str) -> str:
    done = CliRunner().invoke(cli, arguments, env={"TULLIANA_DATA": str(site.services.config.data)})
    assert done.exit_code == 0, done.output
    return done.output


def lines(site: Site, action: str = "data.export") -> list[dict[str, object]]:
    return [json.loads(line) for line in run(site, "log", "--action", action, "--json").splitlines()]


def everything(site: Site) -> list[tuple[object, object, object]]:
    """(action, target, what) of the whole log, the newest first."""
    told = [json.loads(line) for line in run(site, "log", "--limit", "10000", "--json").splitlines()]
    return [(line["action"], line["target"], line["detail"].get("what")) for line in told]


def get(site: Site, path: str, who: str = AS_REVIEWER) -> bytes:
    answer = site.browser().get(path, headers={"Authorization": who, "Accept": "*/*"})
    assert answer.status_code == 200, (path, answer.data)
    return bytes(answer.data)


@pytest.mark.parametrize(
    ("path", "way", "rows"),
    [
        (f"{FORM}/data?format=csv", "csv", 3),
        (f"{FORM}/data?format=xlsx&state=approved", "xlsx", 0),
        (f"{FORM}/data?format=zip", "zip", 3),
        (f"{FORM}/submissions.geojson", "geojson", 3),
        (f"{FORM}/submissions.csv", "csv", 3),
        (f"{FORM}/submissions.csv.zip", "csv.zip", None),
        (TABLE, "odata", 3),
        (f"{TABLE}?$filter=__system/reviewState eq 'approved'", "odata", 0),
        (f"{ASSET}/data.json", "kobo", 3),
        ("/view/submissionList?formId=flock_count", "briefcase", None),
        ("/project1/view/submissionList?formId=flock_count", "briefcase", None),
    ],
)
def test_every_door_leaves_one_line(site: Site, path: str, way: str, rows: int | None) -> None:
    before = len(lines(site))
    get(site, path)
    newest, *others = lines(site)
    assert len(others) == before
    detail = newest["detail"]
    assert isinstance(detail, dict)
    assert (newest["actor"], newest["target"], detail["format"], detail.get("rows")) == ("reviewer", "flock_count", way, rows)


def test_further_pages_of_a_download_leave_no_further_line(site: Site) -> None:
    before = len(lines(site))
    first = json.loads(get(site, f"{TABLE}?$top=9&$count=true"))
    assert first["@odata.count"] == 3
    page = json.loads(get(site, f"{ASSET}/data.json?limit=2"))
    get(site, page["next"].removeprefix("http://192.168.7.5:8080"))
    assert len(lines(site)) == before + 2


def test_who_has_the_newest_already_takes_nothing_out(site: Site) -> None:
    answer = site.browser().get(TABLE, headers={"Authorization": AS_REVIEWER, "Accept": "*/*"})
    before = len(lines(site))
    asked = {"Authorization": AS_REVIEWER, "Accept": "*/*", "If-None-Match": answer.headers["ETag"]}
    assert site.browser().get(TABLE, headers=asked).status_code == 304
    assert len(lines(site)) == before


def test_the_page_tells_it_in_words(site: Site) -> None:
    get(site, f"{FORM}/data?format=csv&country=IR")
    html = site.browser("coordinator").get("/projects/1/log").get_data(as_text=True)
    assert "downloaded the exact data of flock_count" in html
    assert "Reports: 0" in html


REPORT, LISTED = f"/projects/1/reports/livestock_loss/{SEEN}", "/v1/projects/1/datasets/households"
RECORDS = "/v1/projects/1/forms/livestock_loss/submissions"
KEPT = f"files/{hashlib.sha256(PHOTO).hexdigest()}/1.jpg"
LOOKS = (
    (REPORT, RECORD, SEEN, "page"),
    (f"{REPORT}/{KEPT}", RECORD, SEEN, "file"),
    (f"{REPORT}/versions/{{version}}.xml", RECORD, SEEN, "xml"),
    (f"/projects/1/incidents/conflict_livestock/{ATTACK}", RECORD, ATTACK, "incident"),
    (f"/projects/1/incidents/pair/livestock_loss/{SEEN}/flock_count/{ONE}", RECORD, SEEN, "pair"),
    (f"{RECORDS}/{SEEN}", RECORD, SEEN, "about"),
    (f"{RECORDS}/{SEEN}.xml", RECORD, SEEN, "xml"),
    (f"{RECORDS}/{SEEN}/versions/{SEEN}.xml", RECORD, SEEN, "xml"),
    (f"{RECORDS}/{SEEN}/attachments/1.jpg", RECORD, SEEN, "file"),
    (f"{TABLE}('{ONE}')", RECORD, ONE, "odata"),
    (f"{ASSET}/data/{ONE.removeprefix('uuid:')}.json", RECORD, ONE, "kobo"),
    (f"{ASSET}/data/{ONE.removeprefix('uuid:')}.xml", RECORD, ONE, "xml"),
    ("/projects/1/map/points.json", LIST, "map", None),
    ("/projects/1/incidents", LIST, "incidents", None),
    (RECORDS, LIST, "livestock_loss", None),
    (f"{LISTED}/entities", LIST, "households", None),
    (f"{LISTED}/entities/{HOUSEHOLD}", ENTITY, HOUSEHOLD, None),
    (f"{LISTED}/entities.csv", "data.export", "households", None),
    (f"{LISTED}.svc/Entities", "data.export", "households", None),
    ("/projects/1/entities/households", LIST, "households", None),
    (f"/projects/1/entities/households/{HOUSEHOLD}", ENTITY, HOUSEHOLD, None),
)


@pytest.mark.parametrize(("path", "action", "target", "what"), LOOKS)
def test_every_look_leaves_one_line(site: Site, path: str, action: str, target: str, what: str | None) -> None:
    with site.services.store.read() as connection:
        sha256 = connection.execute(select(SubmissionVersion.sha256).filter_by(instance_id=SEEN)).scalar_one()
    before = everything(site)
    get(site, path.format(version=sha256), AS_COORDINATOR)
    assert everything(site) == [(action, target, what), *before]


def test_a_route_to_one_record_is_noted_or_gives_nothing_of_it(site: Site) -> None:
    """Whoever adds a route says here what it gives out."""
    nothing = {"report_thumbnail", "submission_versions", "submission_attachments", "submission_comments", "submission_audits"}
    nothing |= {"decrypt", "dataset", "entity_service", "entity_metadata_document"}
    noted = {site.app.url_map.bind("x").match(path.format(version="0" * 64))[0] for path, *_ in LOOKS}
    wanted = {"instance_id", "record", "uuid"}
    single = {rule.endpoint for rule in site.app.url_map.iter_rules() if wanted & rule.arguments and "GET" in (rule.methods or ())}
    assert {name for name in single - noted if name.rpartition(".")[2] not in nothing} == set()


def test_who_has_a_photo_already_is_given_nothing(site: Site) -> None:
    path = f"{REPORT}/{KEPT}"
    first = site.browser().get(path, headers={"Authorization": AS_REVIEWER, "Accept": "*/*"})
    before = everything(site)
    again = {"Authorization": AS_REVIEWER, "Accept": "*/*"}
    assert site.browser().get(path, headers={**again, "If-None-Match": first.headers["ETag"]}).status_code == 304
    assert site.browser().get(path, headers={**again, "Range": "bytes=4-"}).status_code == 206
    assert everything(site) == before


def test_a_record_pulled_by_itself_is_a_download_and_all_of_a_day_are_one(site: Site) -> None:
    briefcase._noted.clear()
    before = len(lines(site))
    for each in (SEEN, SEEN):
        get(site, f"/view/downloadSubmission?formId=livestock_loss[@version=null and @uiVersion=null]/data[@key={each}]")
    assert len(lines(site)) == before + 1
    get(site, f"/view/downloadSubmission?formId=flock_count[@version=null]/data[@key={ONE}]")
    assert len(lines(site)) == before + 2


def test_what_a_phone_sends_and_gets_is_not_looked_at(site: Site) -> None:
    before = everything(site)
    assert site.send(flock(new_id())).status_code == 201
    assert site.app.test_client().get(f"/v1/key/{site.token}/projects/1/formList").status_code == 200
    assert everything(site) == before


def test_commands_that_show_a_record_or_an_entity_say_so(site: Site) -> None:
    for arguments, action, target in (
        (("submission", "show", SEEN), RECORD, SEEN),
        (("entity", "show", "households"), LIST, "households"),
        (("entity", "history", HOUSEHOLD), ENTITY, HOUSEHOLD),
    ):
        run(site, *arguments)
        assert everything(site)[0][:2] == (action, target)


def test_the_page_of_the_log_tells_apart_what_was_done_and_what_was_looked_at(site: Site) -> None:
    get(site, REPORT)
    browser = site.browser("coordinator")
    words = f"looked at the report {case_number(SEEN)}"
    assert words not in browser.get("/projects/1/log").get_data(as_text=True)
    looked = browser.get("/projects/1/log?looks=1").get_data(as_text=True)
    assert words in looked
    assert "downloaded the exact data" not in looked
