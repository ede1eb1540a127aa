"""Publishing: the bytes of a version never change, phones get the newest, old versions stay readable."""

import hashlib
import threading

import pytest
from sqlalchemy import delete, select, update

from forms.problems import Problem
from records.blobs import BlobStore
from records.forms import Schemas, latest_xform, media_of, open_forms, xform_with
from records.models import AuditEvent, Form, FormVersion
from records.publishing import publish
from records.store import Store
from tests.support.small import xform

PROJECT = 1
FIRST, SECOND = xform("<q/>", version="1"), xform("<q/><r/>", version="2", title="Second")


def put(store: Store, blobs: BlobStore, form: bytes, **more: object) -> bool:
    return publish(store, blobs, PROJECT, xform=form, source_name="small.xml", **more).created  # type: ignore[arg-type]


def code(store: Store, blobs: BlobStore, form: bytes, **more: object) -> str:
    with pytest.raises(Problem) as caught:
        put(store, blobs, form, **more)
    return caught.value.kind.code


def test_phones_get_the_version_published_last(store: Store, blobs: BlobStore) -> None:
    assert put(store, blobs, FIRST)
    assert put(store, blobs, SECOND)
    with store.read() as connection:
        (listed,) = open_forms(connection, PROJECT)
        assert (listed.form_id, listed.version, listed.title) == ("small", "2", "Second")
        assert listed.md5 == hashlib.md5(SECOND).hexdigest()
        assert not listed.has_files
        assert latest_xform(connection, PROJECT, "small") == SECOND
        old = hashlib.md5(FIRST).hexdigest()
        assert tuple(xform_with(connection, PROJECT, "small", old)) == (FIRST, "1")
        assert open_forms(connection, 2) == []


def test_publishing_the_same_bytes_again_is_no_change(store: Store, blobs: BlobStore) -> None:
    media = {"a.csv": b"1"}
    assert put(store, blobs, FIRST, media=media)
    assert not put(store, blobs, FIRST, media=media)
    with store.read() as connection:
        assert [event.action for event in connection.execute(select(AuditEvent.action))] == ["form.publish"]


def test_other_bytes_or_other_files_under_a_published_version_are_refused(store: Store, blobs: BlobStore) -> None:
    put(store, blobs, FIRST, media={"a.csv": b"1"})
    assert code(store, blobs, FIRST + b"\n", media={"a.csv": b"1"}) == "form_version_taken"
    assert code(store, blobs, FIRST, media={"a.csv": b"2"}) == "form_version_taken"
    assert code(store, blobs, FIRST) == "form_version_taken"
    with store.read() as connection:
        assert latest_xform(connection, PROJECT, "small") == FIRST
        assert [row.md5 for row in media_of(connection, PROJECT, "small", "1")] == [hashlib.md5(b"1").hexdigest()]


def test_a_form_whose_files_are_missing_is_not_published(store: Store, blobs: BlobStore) -> None:
    with pytest.raises(Problem, match=r"b\.csv, نقشه\.jpg") as caught:
        put(store, blobs, FIRST, needed=["نقشه.jpg", "a.csv", "b.csv"], media={"a.csv": b"1"})
    assert caught.value.kind.code == "form_media_missing"
    with store.read() as connection:
        assert open_forms(connection, PROJECT) == []


def test_the_files_of_a_version_are_listed_and_counted(store: Store, blobs: BlobStore) -> None:
    put(store, blobs, FIRST, media={"نقشه (۲).jpg": b"map", "a.csv": b"1"}, needed=["a.csv"])
    with store.read() as connection:
        assert open_forms(connection, PROJECT)[0].has_files
        rows = media_of(connection, PROJECT, "small", "1")
    assert {(row.name, row.size) for row in rows} == {("a.csv", 1), ("نقشه (۲).jpg", 3)}
    assert all(blobs.path(row.sha256).exists() for row in rows)


def test_a_form_without_a_version_is_published_too(store: Store, blobs: BlobStore) -> None:
    bare = xform("<q/>", version="")
    assert put(store, blobs, bare)
    with store.read() as connection:
        assert open_forms(connection, PROJECT)[0].version == ""


def test_what_is_no_form_is_refused_before_anything_is_kept(store: Store, blobs: BlobStore) -> None:
    assert code(store, blobs, b"<data/>", media={"a.csv": b"1"}) == "form_invalid"
    assert code(store, blobs, xform("<q/>", form_id="x" * 250)) == "form_invalid"
    assert [path for path in blobs.folder.rglob("*") if path.is_file()] == []


def test_a_closed_form_is_not_listed_but_known(store: Store, blobs: BlobStore) -> None:
    put(store, blobs, FIRST)
    store.write(lambda connection: connection.execute(update(Form).values(state="closed")))
    with store.read() as connection:
        assert open_forms(connection, PROJECT) == []
        assert latest_xform(connection, PROJECT, "small") == FIRST


def test_what_is_not_there_is_told(store: Store) -> None:
    with store.read() as connection:
        with pytest.raises(Problem) as caught:
            latest_xform(connection, PROJECT, "never")
        assert caught.value.kind.code == "form_unknown"
        with pytest.raises(Problem) as caught:
            xform_with(connection, PROJECT, "never", "0" * 32)
        assert caught.value.kind.code == "not_found"


def test_a_schema_is_that_of_its_version_or_of_the_current_one(store: Store, blobs: BlobStore) -> None:
    put(store, blobs, FIRST)
    schemas = Schemas(store)
    assert schemas.get(PROJECT, "small", "1")[1]
    put(store, blobs, SECOND)
    exact, known = schemas.get(PROJECT, "small", "1")
    assert (len(exact.definition.fields), known) == (1, True)
    other, known = schemas.get(PROJECT, "small", "lost")
    assert (other.definition.version, known) == ("2", False)
    assert schemas.get(PROJECT, "small", "1")[0] is exact
    with pytest.raises(Problem) as caught:
        schemas.get(PROJECT, "never", "1")
    assert caught.value.kind.code == "form_unknown"
    with pytest.raises(Problem):
        schemas.get(2, "small", "1")


def test_the_schemas_kept_in_memory_are_limited(store: Store, blobs: BlobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    from records import forms

    monkeypatch.setattr(forms, "_SCHEMAS_KEPT", 2)
    schemas = Schemas(store)
    for version in "123":
        put(store, blobs, xform("<q/>", version=version))
        schemas.get(PROJECT, "small", version)
    assert len(schemas._kept) == 2
    assert schemas.get(PROJECT, "small", "1")[1]


def test_a_form_published_from_many_sides_at_once_is_published_once(store: Store, blobs: BlobStore) -> None:
    outcomes: list[object] = []

    def one() -> None:
        try:
            outcomes.append(put(store, blobs, FIRST))
        except Exception as error:
            outcomes.append(error)

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes, key=str) == [False] * 7 + [True]


def test_a_form_of_which_no_version_is_left_is_unknown(store: Store, blobs: BlobStore) -> None:
    put(store, blobs, FIRST)
    store.write(lambda connection: connection.execute(delete(FormVersion)))
    with pytest.raises(Problem, match="small") as caught:
        Schemas(store).get(PROJECT, "small", "1")
    assert caught.value.kind.code == "form_unknown"
