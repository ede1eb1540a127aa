"""Looking once into an encrypted report with a key, and what must not stay behind."""

import io
from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from records.models import AuditEvent
from tests.support.encryption import Keys, seal
from tests.support.pages import HOSTILE, HOSTILE_XML, Site
from tests.support.records import flock, new_id

KEYS = Keys.make()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with closing(Site(tmp_path_factory.mktemp("pages") / "data")) as opened:
        yield opened


def sealed(site: Site, herder: str = "غلام", *, without: str = "", media: dict[str, bytes] | None = None) -> str:
    """An encrypted report that came; the path of its page."""
    record = seal(KEYS, instance_id := new_id(), flock(instance_id, herder=herder), media)
    site.send(record.envelope, {name: data for name, data in record.files.items() if name != without})
    return f"/projects/1/reports/flock_count/{instance_id}"


def look(site: Site, path: str, pem: bytes, passphrase: str = "", *, language: str = "en") -> TestResponse:
    data = {"key": (io.BytesIO(pem), "key.pem"), "passphrase": passphrase}
    return site.browser("coordinator", language=language).post(f"{path}/decrypt", data=data)


def test_the_report_says_that_it_is_encrypted_and_leads_to_the_key(site: Site) -> None:
    path = sealed(site)
    shown = site.browser("coordinator").get(path).get_data(as_text=True)
    assert "The answers are encrypted and cannot be read here." in shown
    assert f'href="{path}/decrypt"' in shown
    assert "غلام" not in shown
    assert 'type="file" name="key"' in site.browser("coordinator").get(f"{path}/decrypt").get_data(as_text=True)


@pytest.mark.parametrize("passphrase", ["", "گربه"])
def test_the_right_key_shows_the_answers_once(site: Site, passphrase: str) -> None:
    path = sealed(site, media={"a.jpg": b"\xff\xd8"})
    answer = look(site, path, KEYS.pem(passphrase), passphrase)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert "غلام" in answer.get_data(as_text=True)
    assert "غلام" not in site.browser("coordinator").get(path).get_data(as_text=True)
    with site.services.store.read() as connection:
        events = connection.execute(select(AuditEvent.actor, AuditEvent.target).filter_by(action="submission.decrypt")).all()
    assert ("coordinator", path.rpartition("/")[2]) in [tuple(event) for event in events]


def test_neither_key_nor_answers_are_kept_or_logged(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    look(site, sealed(site, "Bahram-the-herder"), KEYS.pem("a passphrase of note"), "a passphrase of note")
    secrets = [b"Bahram-the-herder", KEYS.pem().splitlines()[4], b"a passphrase of note"]
    for path in site.services.config.data.rglob("*"):
        assert not (path.is_file() and any(secret in path.read_bytes() for secret in secrets)), path
    assert not any(secret.decode() in caplog.text for secret in secrets)


@pytest.mark.parametrize(
    ("pem", "status", "said"),
    [
        (Keys.make().pem(), 422, "This key does not open the record."),
        (b"nothing", 400, "The key file cannot be used."),
        (KEYS.pem("locked"), 400, "The key file cannot be used."),
        (b"", 400, "The key file cannot be used."),
        (b"x" * 100_000, 413, "The upload is larger than this server takes."),
    ],
)
def test_a_key_that_does_not_fit_is_told_in_words(site: Site, pem: bytes, status: int, said: str) -> None:
    answer = look(site, sealed(site), pem)
    assert answer.status_code == status
    assert said in answer.get_data(as_text=True)


def test_what_is_missing_is_named(site: Site) -> None:
    path = sealed(site, media={"a.jpg": b"1"}, without="a.jpg.enc")
    assert "a.jpg.enc has not come yet." in look(site, path, KEYS.pem()).get_data(as_text=True)
    path = sealed(site, without="submission.xml.enc")
    assert "No answer can be shown." in look(site, path, KEYS.pem()).get_data(as_text=True)


def test_decrypted_text_is_text_and_the_page_speaks_persian(site: Site) -> None:
    shown = look(site, sealed(site, HOSTILE_XML), KEYS.pem(), language="fa").get_data(as_text=True)
    assert HOSTILE not in shown
    assert "<script>hacked" not in shown
    assert "گزارش رمزشده" in shown


def test_only_encrypted_reports_ask_for_a_key_and_only_from_people_who_see_reports(site: Site) -> None:
    site.send(flock(plain := new_id()))
    path = f"/projects/1/reports/flock_count/{plain}/decrypt"
    assert site.browser("coordinator").get(path).status_code == 404
    secret = sealed(site)
    assert site.browser("analyst").get(f"{secret}/decrypt").status_code == 403
    assert site.browser("analyst").post(f"{secret}/decrypt").status_code == 403
    assert site.browser().post(f"{secret}/decrypt").status_code == 401
