"""Phones: their keys, and the QR code that Collect must not refuse."""

import base64
import io
import json
import zlib
from datetime import UTC, datetime
from typing import Any

import pytest
import segno
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from forms.problems import Problem
from records import projects
from records.models import AppUser, AuditEvent
from records.store import Store
from server import app_users, phone_settings
from server.app_users import NewAppUser

URL = "http://192.168.50.2:8080"
# ODK Collect, client-settings.schema.json: the JSON type of each key, and the values of those that are enums
SCHEMA: dict[str, type | set[str]] = {
    "server_url": str,
    "metadata_username": str,
    "app_language": str,
    "delete_send": bool,
    "analytics": bool,
    "form_update_mode": {"manual", "previously_downloaded", "match_exactly"},
    "periodic_form_updates_check": {"every_fifteen_minutes", "every_one_hour", "every_six_hours", "every_24_hours"},
    "autosend": {"off", "wifi_only", "cellular_only", "wifi_and_cellular"},
    "image_size": {"original_image_size", "small", "very_small", "medium", "large"},
    "basemap_source": {"google", "mapbox", "osm", "usgs", "stamen", "carto"},
}


def code_of(store: Store, name: str, **more: Any) -> str:
    with pytest.raises(Problem) as caught:
        app_users.add(store, name, project_id=1, **more)
    return caught.value.kind.code


@pytest.fixture
def user(store: Store) -> NewAppUser:
    return app_users.add(store, "محیط‌بان ۷", project_id=1, language="fa", actor="test")


def test_a_key_opens_its_project_until_it_is_withdrawn(store: Store, user: NewAppUser) -> None:
    with store.read() as connection:
        assert app_users.identified(connection, user.token, 1).language == "fa"
    app_users.revoke(store, user.name, project_id=1)
    with store.read() as connection:
        with pytest.raises(Problem) as caught:
            app_users.identified(connection, user.token, 1)
        assert caught.value.kind.code == "token_unknown"
        assert app_users.listed(connection, 1)[0].revoked_at is not None
        assert [event.action for event in connection.execute(select(AuditEvent.action))] == ["app_user.add", "app_user.revoke"]


def test_a_key_opens_no_other_project_and_no_other_key_opens_this_one(store: Store, user: NewAppUser) -> None:
    with store.read() as connection:
        for token, project in ((user.token, 2), (user.token + "x", 1), (user.token.swapcase(), 1), ("", 1)):
            with pytest.raises(Problem):
                app_users.identified(connection, token, project)


def test_a_stolen_database_opens_nothing(store: Store, user: NewAppUser) -> None:
    with store.read() as connection:
        row = connection.execute(select(AppUser.__table__)).one()
    assert user.token not in map(str, row)
    assert len(user.token) == 64
    assert app_users.add(store, "other", project_id=1).token != user.token


def test_a_name_is_used_once_per_project(store: Store, user: NewAppUser) -> None:
    assert code_of(store, f" {user.name} ") == "name_taken"
    other = projects.add(store, "Other", "other")
    assert app_users.add(store, user.name, project_id=other).project == "Other"


def test_the_name_of_a_withdrawn_key_is_free_again_and_only_the_new_key_opens(store: Store, user: NewAppUser) -> None:
    for _ in range(3):
        app_users.revoke(store, user.name, project_id=1)
        before, user = user, app_users.add(store, user.name, project_id=1)
        with store.read() as connection:
            assert app_users.identified(connection, user.token, 1).id
            with pytest.raises(Problem):
                app_users.identified(connection, before.token, 1)
    with store.read() as connection:
        assert [one.revoked_at is None for one in app_users.listed(connection, 1)].count(True) == 1


def test_the_database_itself_allows_one_active_phone_of_a_name(store: Store, user: NewAppUser) -> None:
    row = {"project_id": 1, "name": user.name, "language": "en", "created_at": datetime.now(UTC)}
    with pytest.raises(IntegrityError):
        store.write(lambda connection: connection.execute(insert(AppUser).values(**row, token_sha256="1")))
    withdrawn = {**row, "token_sha256": "2", "revoked_at": datetime.now(UTC)}
    store.write(lambda connection: connection.execute(insert(AppUser).values(withdrawn)))


@pytest.mark.parametrize(("name", "more"), [("", {}), ("  ", {}), ("x" * 101, {}), ("x", {"language": "klingon"})])
def test_a_name_or_language_that_cannot_be_used_is_refused(store: Store, name: str, more: dict[str, str]) -> None:
    assert code_of(store, name, **more) == "value_invalid"


def test_only_an_active_key_can_be_withdrawn(store: Store, user: NewAppUser) -> None:
    app_users.revoke(store, user.name, project_id=1)
    for name in (user.name, "nobody"):
        with pytest.raises(Problem) as caught:
            app_users.revoke(store, name, project_id=1)
        assert caught.value.kind.code == "not_found"


def test_t188_t193_the_code_holds_the_settings_as_collect_reads_them(user: NewAppUser, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    make = segno.make_qr

    def spy(content: str, **options: Any) -> Any:
        written.append(content)
        return make(content, **options)

    monkeypatch.setattr(segno, "make_qr", spy)
    code = phone_settings.settings_qr(user, URL)
    settings = json.loads(zlib.decompress(base64.b64decode(written[0], validate=True)))
    assert settings == phone_settings.collect_settings(user, URL)
    assert isinstance(settings["general"], dict)
    assert isinstance(settings["admin"], dict)
    assert settings["general"]["metadata_username"] == "محیط‌بان ۷"
    assert len(written[0]) <= 1000  # T192: a cheap camera reads it at 6 cm
    assert (code.error, code.default_border_size) == ("L", 4)
    assert code.designator.startswith(tuple(f"{version}-" for version in range(1, 16)))


def test_t189_t190_every_key_has_the_type_and_value_collect_knows(user: NewAppUser) -> None:
    settings = phone_settings.collect_settings(user, URL)
    for key, value in settings["general"].items():
        rule = SCHEMA[key]
        assert value in rule if isinstance(rule, set) else type(value) is rule, key
    assert set(settings) == {"general", "admin", "project"}
    assert settings["project"]["color"][0] == "#"
    assert settings["general"]["delete_send"] is False  # the phone is the backup


def test_t191_the_address_has_a_scheme_and_no_slash_or_blank_at_its_end(user: NewAppUser) -> None:
    address = phone_settings.collect_settings(user, URL)["general"]["server_url"]
    assert address == f"{URL}/v1/key/{user.token}/projects/1"
    assert address == address.strip().rstrip("/")


def test_the_code_can_be_drawn(user: NewAppUser) -> None:
    out = io.BytesIO()
    phone_settings.settings_qr(user, URL).save(out, kind="png", scale=6, border=4)
    assert out.getvalue().startswith(b"\x89PNG")
