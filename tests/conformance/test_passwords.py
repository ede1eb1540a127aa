"""The plain doors: a user name and a password, by Digest or Basic, as KoBoCollect and older tools expect; and replaced keys."""

import json
import time
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest
import requests
from requests.auth import HTTPDigestAuth

from server.digest import NONCE_SECONDS, Digest
from tests.conformance.conftest import MAP_NAME, Site
from tests.conftest import NewServer
from tests.support.collect import Collect, Record, encode
from tests.support.login import Login
from tests.support.openrosa import Refused, parse_message
from tests.support.records import flock, loss, new_id, parts
from tests.support.servers import Server

PROXY = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "station.example"}
NewPhone = Callable[..., Collect]


def credentials(server: Server, name: str) -> dict[str, str]:
    """A new app user with a user name and a password."""
    server.app_user(name)
    code, said = server.here("app-user", "password", name, "--json")
    assert code == 0, said
    made: dict[str, str] = json.loads(said)
    return made


@pytest.fixture
def user(site: Site) -> dict[str, str]:
    return credentials(site.server, f"ranger {new_id()}")


@pytest.fixture(params=["collect-2026", "kobo-2025"])
def new_phone(site: Site, user: dict[str, str], request: pytest.FixtureRequest) -> NewPhone:
    """Phones of either generation, set up with the address, the user name and the password."""

    def make(path: str = "", password: str = user["password"], username: str = user["username"], **more: Any) -> Collect:
        return Collect(user["url"] + path, request.param, login=Login(username, password), **more)

    return make


def refusals(phone: Collect) -> int:
    return sum(status == 401 for _, _, status in phone.wire.log)


@pytest.mark.parametrize("path", ["", "/project1", "/"])
def test_t172_list_forms_media_and_records_go_by_digest(site: Site, new_phone: NewPhone, path: str) -> None:
    phone = new_phone(path)
    offers = {offer.form.form_id: offer for offer in phone.match_exactly()}
    assert {"flock_count", "livestock_loss", "village_visit"} <= set(offers)
    village = next(form for form in phone.forms if form.form_id == "village_visit")
    assert set(village.media) == {"villages.csv", MAP_NAME}
    record = Record(loss(first := new_id(), "a.jpg", ("b.jpg",)), {"a.jpg": b"\xff\xd8a", "b.jpg": b"\xff\xd8b"})
    phone.send(record)
    assert site.kept("livestock_loss", first)["files_present"] == 2
    assert refusals(phone) == 1  # one challenge for everything


def test_t077_head_asks_as_post_does(site: Site, user: dict[str, str]) -> None:
    for method in ("HEAD", "POST", "GET"):
        answer = site.server.raw(method, f"{user['url']}/submission", b"x" if method == "POST" else None)
        assert answer.status == 401
        assert answer.headers["www-authenticate"].startswith("Basic")  # the last of two lines
        assert answer.headers["x-openrosa-version"] == "1.0"


def test_t173_the_target_is_judged_as_it_was_sent(new_phone: NewPhone) -> None:
    phone = new_phone(device_id="collect:ü /?&=%41")
    assert phone.form_list()
    assert phone.head().status == 204


def test_t174_a_nonce_serves_many_requests_with_gaps(site: Site, new_phone: NewPhone) -> None:
    phone = new_phone()
    login = phone.login
    assert login is not None
    for _ in range(50):
        login._count += 3  # answers that got lost
        assert phone.wire.request("GET", f"{phone.server_url}/formList?formID=none").status == 200
    assert refusals(phone) == 1


def test_t175_a_nonce_outlives_the_server(new_server: NewServer) -> None:
    server = new_server("sqlite")
    user = credentials(server, "ranger")
    phone = Collect(user["url"], login=Login(user["username"], user["password"]))
    phone.form_list()
    server.stop()
    server.start()
    phone.form_list()
    assert refusals(phone) == 1
    assert (server.data / "secret").stat().st_mode & 0o077 == 0
    for secret in (user["password"], user["username"]):
        assert secret not in server.log  # T183


def age(site: Site, phone: Collect) -> None:
    """Let the nonce that the phone keeps be an old one."""
    assert phone.login is not None
    old = Digest((site.server.data / "secret").read_bytes()).nonce(time.time() - NONCE_SECONDS - 60)
    for kept in phone.login.kept.values():
        kept["nonce"] = old


def test_t176_a_record_sent_with_an_old_nonce_arrives_once(site: Site, new_phone: NewPhone) -> None:
    phone = new_phone()
    phone.form_list()
    age(site, phone)
    body = parts(flock(first := new_id()), {"x.jpg": b"\xff\xd8" * 200_000})
    assert phone.post(f"{phone.server_url}/submission", body).status == 201
    assert [status for method, _, status in phone.wire.log if method == "POST"] == [401, 201]
    assert site.kept("flock_count", first)["edits"] == 0


@pytest.fixture(scope="module")
def proxied(new_server: NewServer) -> Server:
    """A server behind a reverse proxy that it trusts."""
    return new_server("sqlite", {"TULLIANA_TRUSTED_PROXIES": "127.0.0.0/8"})


def challenges(server: Server, path: str, headers: dict[str, str]) -> list[str]:
    answer = requests.get(f"http://127.0.0.1:{server.port}{path}", headers=headers, timeout=20)
    assert answer.status_code == 401
    return answer.raw.headers.getlist("WWW-Authenticate")


def test_t177_basic_is_never_offered_where_others_can_listen(proxied: Server) -> None:
    found = challenges(proxied, "/formList", PROXY | {"X-Forwarded-Proto": "http"})
    assert [line.split()[0] for line in found] == ["Digest"]
    user = credentials(proxied, "over http")
    basic = "Basic " + b64encode(f"{user['username']}:{user['password']}".encode()).decode()
    assert challenges(proxied, "/formList", PROXY | {"X-Forwarded-Proto": "http", "Authorization": basic})


def test_t178_over_https_basic_works_and_each_challenge_has_its_line(proxied: Server) -> None:
    assert [line.split()[0] for line in challenges(proxied, "/formList", PROXY)] == ["Digest", "Basic"]
    user = credentials(proxied, "over https")
    answer = requests.get(
        f"http://127.0.0.1:{proxied.port}/formList", headers=PROXY, auth=(user["username"], user["password"]), timeout=20
    )
    assert answer.status_code == 200
    assert "<downloadUrl>https://station.example/forms/" in answer.text


def test_t179_guessing_is_slowed_and_others_are_not_touched(site: Site, new_phone: NewPhone, user: dict[str, str]) -> None:
    other = credentials(site.server, f"other {new_id()}")
    colleague = Collect(other["url"], login=Login(other["username"], other["password"]))
    seen = set()
    for number in range(20):
        with pytest.raises(Refused) as caught:
            new_phone(password=f"wrong {number}").form_list()
        seen.add(caught.value.status)
        assert colleague.form_list()
    assert seen == {401, 429}
    assert site.phone().form_list()  # who comes with a key


def test_a_wrong_password_is_tried_once(new_phone: NewPhone) -> None:
    """Another nonce in the refusal would have some clients try without end."""
    phone = new_phone(password="wrong")
    with pytest.raises(Refused) as caught:
        phone.form_list()
    assert caught.value.status == 401
    assert refusals(phone) == 2


def test_t180_user_names_and_passwords_are_ascii_and_the_challenge_says_utf8(site: Site, user: dict[str, str]) -> None:
    assert (user["username"] + user["password"]).isascii()
    assert (user["username"] + user["password"]).strip() == user["username"] + user["password"]
    lines = challenges(site.server, "/submission", {})
    assert all('charset="UTF-8"' in line for line in lines)


@pytest.mark.parametrize("path", ["/formList", "/submission", "/forms/flock_count/0/form.xml", "/forms/flock_count/0/manifest"])
def test_t181_a_wrong_key_is_refused_without_asking_for_a_password(site: Site, path: str) -> None:
    for method in ("GET", "POST") if path == "/submission" else ("GET",):
        answer = site.server.raw(method, site.url.replace(site.token, "x" * 64) + path, b"x" if method == "POST" else None)
        assert answer.status == 403
        assert "www-authenticate" not in answer.headers
        assert "not known" in (parse_message(answer.body) or "")


def test_t182_a_replaced_key_still_delivers_but_gets_no_forms(site: Site) -> None:
    name = f"rotated {new_id()}"
    old = Collect(site.server.app_user(name)["url"])
    offer = old.refresh()[0]
    code, said = site.server.here("app-user", "rotate", name, "--json")
    assert code == 0, said
    new = Collect(json.loads(said)["url"])
    assert new.form_list()
    for answer in (old.get(f"{old.server_url}/formList"), old.get(offer.form.download_url)):
        assert answer.status == 403
        assert "new QR code" in (parse_message(answer.body) or "")
    old.send(Record(flock(first := new_id())))
    assert site.kept("flock_count", first)["app_user"] == name
    site.server.here("app-user", "rotate", name, "--json")
    with pytest.raises(Refused) as caught:
        old.send(Record(flock(new_id())))
    assert caught.value.status == 403


def test_a_new_password_ends_the_old_one_and_withdrawal_ends_both(site: Site, user: dict[str, str]) -> None:
    def status(made: dict[str, str]) -> int:
        login = HTTPDigestAuth(made["username"], made["password"])
        return requests.get(f"{made['url']}/formList", auth=login, timeout=20).status_code

    assert status(user) == 200
    code, said = site.server.here("app-user", "password", user["name"], "--json")
    assert code == 0, said
    newer = json.loads(said)
    assert (status(user), status(newer)) == (401, 200)
    site.server.here("app-user", "revoke", user["name"])
    assert status(newer) == 401


def test_another_project_name_leads_nowhere_and_empty_credentials_do_no_harm(new_phone: NewPhone) -> None:
    for phone, expected in ((new_phone("/elsewhere"), 404), (new_phone(username="", password=""), 401)):
        with pytest.raises(Refused) as caught:
            phone.form_list()
        assert caught.value.status == expected


def test_a_body_is_read_before_it_is_refused(site: Site, user: dict[str, str]) -> None:
    body, kind = encode([("xml_submission_file", "x.xml", "text/xml", flock(new_id())), ("a.jpg", "a.jpg", None, bytes(3_000_000))])
    with requests.Session() as session:
        for _ in range(3):  # on one connection: what was left unread would be taken for the next request
            answer = session.post(f"{user['url']}/submission", data=body, headers={"Content-Type": kind}, timeout=30)
            assert answer.status_code == 401
            assert parse_message(answer.content)


def test_the_code_for_the_phone_holds_the_user_name_and_the_password(site: Site) -> None:
    code, said = site.server.here("app-user", "password", site.server.app_user(f"qr {new_id()}")["name"])
    assert code == 0
    assert "user name: phone-" in said
    assert "/v1/key/" not in said
