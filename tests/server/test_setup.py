"""The first start, and every later one."""

import hashlib
from pathlib import Path

import pytest
from sqlalchemy import func, select

from forms.library import drawings_of, read_survey, survey_ids
from forms.problems import Problem
from records.forms import media_of, open_forms
from records.models import Account, AuditEvent
from records.publishing import publish
from server.config import Config
from server.network import public_url, serving_url, write_address
from server.services import standalone
from server.setup import prepare
from tests.support.small import xform


def config(data: Path, **more: str) -> Config:
    return Config.load({"DATA": str(data), **more}, {})


def test_the_first_start_sets_everything_up_and_the_second_changes_nothing(tmp_path: Path) -> None:
    told: list[str] = []
    with standalone(config(tmp_path / "data")) as services:
        mine = xform("<q/>", form_id=survey_ids()[0], version="of the coordinator")
        first = prepare(services, told.append)
        assert first.surveys == told == list(survey_ids())
        assert first.password is not None
        with services.store.read() as connection:
            assert {form.form_id for form in open_forms(connection, 1)} == set(survey_ids())
            for survey in map(read_survey, survey_ids()):
                files = {row.name: row.sha256 for row in media_of(connection, 1, survey.id, survey.version)}
                assert files == {name: hashlib.sha256(data).hexdigest() for name, data in drawings_of(survey).items()}
            events = connection.execute(select(func.count(AuditEvent.id))).scalar()
        again = prepare(services, told.append)
        assert (again.surveys, again.password) == ([], None)
        assert told == list(survey_ids())
        with services.store.read() as connection:
            assert connection.execute(select(func.count(AuditEvent.id))).scalar() == events
            assert connection.execute(select(func.count(Account.id))).scalar() == 1
        publish(services.store, services.blobs, 1, xform=mine, source_name="own")
        prepare(services)
        with services.store.read() as connection:  # a coordinator's own version of a shipped survey stays the current one
            current = {form.form_id: form.version for form in open_forms(connection, 1)}
        assert current[survey_ids()[0]] == "of the coordinator"


def test_a_data_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(Problem, match="TULLIANA_DATA") as caught, standalone(config(tmp_path / "file" / "data")):
        pass
    assert caught.value.kind.code == "settings_invalid"


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        ({"PUBLIC_URL": "https://data.example.org/"}, "https://data.example.org"),
        ({"HOST": "192.168.50.2", "PORT": "8081"}, "http://192.168.50.2:8081"),
        ({"HOST": "fd00::2"}, "http://[fd00::2]:8080"),
    ],
)
def test_phones_are_told_the_address_that_was_set(tmp_path: Path, settings: dict[str, str], url: str) -> None:
    assert public_url(config(tmp_path, **settings)) == url


def test_the_address_of_this_machine_is_a_real_one(tmp_path: Path) -> None:
    assert public_url(config(tmp_path)).startswith("http://")
    assert "0.0.0.0" not in public_url(config(tmp_path))


def test_a_command_beside_the_server_uses_the_address_of_the_server(tmp_path: Path) -> None:
    served = config(tmp_path, HOST="192.168.50.2", PORT="9000")
    assert serving_url(config(tmp_path, HOST="10.0.0.1")) == "http://10.0.0.1:8080"
    write_address(served)
    assert serving_url(config(tmp_path, HOST="10.0.0.1")) == "http://192.168.50.2:9000"
    (tmp_path / "address.json").write_text("half a fi")
    assert serving_url(config(tmp_path, HOST="10.0.0.1")) == "http://10.0.0.1:8080"
