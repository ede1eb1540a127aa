"""What one phone can do to the records of others, and what can be guessed. Numbers are those of the list in README.md."""

import re
from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy import select

from records import projects
from records.models import Submission, SubmissionVersion
from records.personal import open_xml
from records.publishing import publish
from server import app_users
from tests.support.collect import encode
from tests.support.openrosa import parse_message
from tests.support.pages import HOST, Site
from tests.support.records import FLOCK, flock, new_id, parts

DRAWN_LETTERS = 64  # of a key: 62 letters and digits or more, so 380 bits


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with closing(Site(tmp_path_factory.mktemp("access") / "data")) as opened:
        yield opened


@pytest.fixture(scope="module")
def other_project(site: Site) -> int:
    number = projects.add(site.services.store, "Other", "other")
    publish(site.services.store, site.services.blobs, number, xform=FLOCK.read_bytes(), source_name="test")
    return number


def key(site: Site, name: str, project_id: int = 1) -> str:
    with site.app.app_context():
        return f"/v1/key/{app_users.add(site.services.store, name, project_id=project_id).token}/projects/{project_id}"


def post(site: Site, address: str, xml: bytes) -> int:
    body, kind = encode(parts(xml))
    answer = site.app.test_client().post(f"{address}/submission", data=body, headers={"Content-Type": kind})
    assert parse_message(answer.get_data())
    return answer.status_code


def records(site: Site, instance_id: str) -> list[tuple[int, str, str]]:
    """(project, record, current version) of everything under this id."""
    with site.services.store.read() as connection:
        columns = Submission.project_id, Submission.instance_id, Submission.current_instance_id
        return [tuple(row) for row in connection.execute(select(*columns).filter_by(instance_id=instance_id))]


def test_a23_media_beyond_the_limit_are_refused_before_they_are_read(site: Site) -> None:
    """A list of a gigabyte is announced; the server says so before it came."""

    class Endless:
        taken = 0

        def read(self, size: int = -1) -> bytes:
            self.taken += size
            return b"x" * size

        readline = read

    stream = Endless()
    answer = site.browser("coordinator").post(
        "/projects/1/forms",
        environ_overrides={"wsgi.input": stream, "CONTENT_LENGTH": str(10**9)},
        content_type="multipart/form-data; boundary=B",
        headers={"Origin": HOST},
    )
    assert answer.status_code == 413
    assert stream.taken < 10**7


def test_a26_keys_and_addresses_are_drawn_and_not_counted(site: Site) -> None:
    keys = [key(site, f"phone {number}").split("/")[3] for number in range(3)]
    assert all(re.fullmatch(rf"[A-Za-z0-9_$!-]{{{DRAWN_LETTERS},}}", one) for one in keys)
    common = [sum(one == other for one, other in zip(keys[0], another, strict=True)) for another in keys[1:]]
    assert max(common) < DRAWN_LETTERS / 4
    home = site.browser("coordinator").get("/projects/1/exports").get_data(as_text=True)
    assert not re.search(r"/exports/\d+\b", home)


def test_a29_an_edit_from_another_project_never_touches_a_record(site: Site, other_project: int) -> None:
    original, edit = new_id(), new_id()
    assert post(site, key(site, "here"), flock(original)) == 201
    assert post(site, key(site, "there", other_project), flock(edit, deprecated_id=original, sheep="1")) in {201, 202}
    assert records(site, original) == [(1, original, original)]
    assert records(site, edit) == [(other_project, edit, edit)]


def test_a29_the_same_id_in_another_project_is_a_record_of_its_own(site: Site, other_project: int) -> None:
    instance = new_id()
    assert post(site, key(site, "first"), flock(instance)) == 201
    assert post(site, key(site, "second", other_project), flock(instance, sheep="1")) == 201
    assert {project for project, _, _ in records(site, instance)} == {1, other_project}


def test_a29_whatever_another_phone_edits_the_original_stays_and_who_edited_is_known(site: Site) -> None:
    original, edit = new_id(), new_id()
    xml = flock(original)
    post(site, key(site, "owner"), xml)
    assert post(site, key(site, "colleague"), flock(edit, deprecated_id=original, sheep="1")) == 201
    with site.services.store.read() as connection:
        rows = connection.execute(select(*SubmissionVersion.__table__.columns).filter_by(root_id=original)).all()
    assert xml in {open_xml(site.services.store.vault, row) for row in rows}
    assert len({row.app_user_id for row in rows}) == 2


@pytest.mark.parametrize("claim", ["review_state", "root_id", "app_user_id", "project_id", "deleted_at", "attention", "flags"])
def test_a31_a_record_cannot_give_itself_a_state_or_an_owner(site: Site, claim: str) -> None:
    instance = new_id()
    value = {"flags": "[]", "deleted_at": "2020-01-01"}.get(claim, "1")
    xml = flock(instance).replace(b"<herder>", f"<{claim}>{value}</{claim}><herder>".encode())
    xml = xml.replace(b"<data ", f'<data {claim}="{value}" '.encode())
    assert site.send(xml).status_code in {201, 202}
    with site.services.store.read() as connection:
        kept = connection.execute(select(*Submission.__table__.columns).filter_by(instance_id=instance)).one()
    assert (kept.project_id, kept.review_state, kept.deleted_at, kept.attention) == (1, "received", None, True)
    assert [item["code"] for item in kept.flags] == ["extra"]
    assert kept.app_user_id is not None
