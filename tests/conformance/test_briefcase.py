"""Programs that pull records as ODK Briefcase does."""

import pytest
import requests

from tests.conformance.conftest import Site
from tests.conformance.test_passwords import PROXY, credentials
from tests.conftest import NewServer
from tests.support.briefcase import SUBMISSIONS, Briefcase
from tests.support.collect import Record
from tests.support.openrosa import parse_message
from tests.support.records import FLOCK, flock, loss, new_id, parts, renamed
from tests.support.servers import Server

PASSWORD = "a long pass phrase"


def account(server: Server, role: str = "coordinator") -> Briefcase:
    """A person with this role, and Briefcase on their computer."""
    name = f"{role} {new_id().removeprefix('uuid:')}"
    code, said = server.here("account", "add", name, "--role", role, "--password", PASSWORD)
    assert code == 0, said
    return Briefcase(f"http://127.0.0.1:{server.port}", name, PASSWORD)


def test_t206_briefcase_pulls_250_records_and_their_files_and_comes_to_an_end(site: Site) -> None:
    phone = site.phone()
    sent = {}
    for number in range(250):
        files = {f"{number}.jpg": b"\xff\xd8 photo %d" % number} if number % 50 == 0 else {}
        phone.post(f"{site.url}/submission", parts(loss(instance := new_id(), *files), files))
        sent[instance] = files
    briefcase = account(site.server)
    pulled = briefcase.pull("livestock_loss", "loss")
    assert {instance: record.files for instance, record in pulled.items() if instance in sent} == sent
    assert briefcase.cursors[-1] == briefcase.cursors[-2]
    assert len(set(briefcase.cursors)) == len(briefcase.cursors) - 1
    some = pulled[next(iter(sent))].instance
    assert some.tag == f"{{{SUBMISSIONS}}}loss"
    assert (some.get("id"), some.get("instanceID"), some.get("isComplete")) == ("livestock_loss", next(iter(sent)), "true")
    assert some.get("submissionDate", "").endswith("+00:00")
    later = new_id()
    phone.post(f"{site.url}/submission", parts(loss(later)))
    assert list(briefcase.pull("livestock_loss", "loss", briefcase.cursors[-1])) == [later]


def test_the_forms_come_with_their_files_though_these_are_asked_for_without_credentials(site: Site) -> None:
    forms = account(site.server).forms()
    assert forms["flock_count"][0] == FLOCK.read_bytes()
    assert set(forms["village_visit"][1]) == {"villages.csv", "نقشه (۲).jpg"}


def test_an_edited_record_is_pulled_once_as_it_is_now(site: Site) -> None:
    phone, first, second = site.phone(), new_id(), new_id()
    phone.send(Record(flock(first, sheep="1")))
    phone.send(Record(flock(second, sheep="2", deprecated_id=first)))
    pulled = account(site.server).pull("flock_count")
    assert first not in pulled
    assert pulled[second].instance.findtext(f"{{{SUBMISSIONS}}}sheep") == "2"


def test_a_form_id_may_hold_anything_that_form_ids_hold(site: Site, tmp_path_factory: pytest.TempPathFactory) -> None:
    form_id = "گله/[شمار]"
    path = tmp_path_factory.mktemp("odd") / "form.xml"
    path.write_bytes(renamed(FLOCK, form_id))
    site.server.publish(path)
    site.phone().send(Record(flock(first := new_id(), form_id=form_id)))
    assert list(account(site.server).pull(form_id)) == [first]


def test_who_may_not_see_reports_pulls_nothing(site: Site) -> None:
    with pytest.raises(requests.HTTPError) as caught:
        account(site.server, "analyst").pull("flock_count")
    assert caught.value.response.status_code == 403


def test_a_phone_pulls_nothing(site: Site) -> None:
    made = credentials(site.server, f"phone {new_id()}")
    for path in ("/view/submissionList?formId=flock_count", "/view/downloadSubmission?formId=flock_count/data[@key=x]"):
        for auth in (requests.auth.HTTPBasicAuth, requests.auth.HTTPDigestAuth):
            answer = requests.get(made["url"] + path, auth=auth(made["username"], made["password"]), timeout=20)
            assert answer.status_code == 401
            assert answer.headers["WWW-Authenticate"].startswith("Basic")


def test_over_http_no_password_of_a_person_is_asked_for(new_server: NewServer) -> None:
    server = new_server("sqlite", {"TULLIANA_TRUSTED_PROXIES": "127.0.0.0/8"})
    briefcase = account(server)
    briefcase.headers = PROXY
    assert briefcase.pull("conflict_livestock") == {}
    answer = requests.get(
        f"{briefcase.url}/view/submissionList?formId=conflict_livestock",
        headers=PROXY | {"X-Forwarded-Proto": "http"},
        auth=(briefcase.username, briefcase.password),
        timeout=20,
    )
    assert answer.status_code == 401
    assert "WWW-Authenticate" not in answer.headers
    assert "https" in (parse_message(answer.content) or "")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/view/submissionList?formId=never", 404),
        ("/view/submissionList?formId=flock_count&cursor=x", 400),
        ("/view/submissionList?formId=flock_count&numEntries=-1", 400),
        ("/view/submissionList?formId=flock_count&cursor=99999999999999999999", 400),
        ("/view/downloadSubmission?formId=flock_count", 400),
        ("/view/downloadSubmission?formId=flock_count/data[@key=uuid:never]", 404),
        ("/view/media/made-up/x.jpg", 403),
        ("/view/made-up/formList", 403),
        ("/elsewhere/view/submissionList?formId=flock_count", 403),
        ("/project1/view/submissionList?formId=flock_count", 200),
    ],
)
def test_what_cannot_be_given_is_refused_as_phones_understand_it(site: Site, path: str, expected: int) -> None:
    briefcase = account(site.server)
    answer = requests.get(briefcase.url + path, auth=(briefcase.username, briefcase.password), timeout=20)
    assert answer.status_code == expected
    assert answer.headers["Content-Type"] == "text/xml; charset=utf-8"


def test_a_reader_cannot_send(site: Site) -> None:
    briefcase = account(site.server)
    answer = requests.post(f"{briefcase.url}/submission", data=b"x", auth=(briefcase.username, briefcase.password), timeout=20)
    assert answer.status_code == 403
