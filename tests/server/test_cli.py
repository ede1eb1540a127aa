"""The command line: what people type, what scripts read, and what is said when it goes wrong."""

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from forms.library import survey_ids
from records import projects
from records.blobs import BlobStore
from records.store import Store, open_engine
from records.vault import Vault
from server.cli import COMMANDS
from server.cli import cli as group
from sync.delivery import Delivery, ReceivedFile
from sync.intake import Intake
from tests.support.commands import Run
from tests.support.small import record, xform

ROOT = Path(__file__).parents[2]
COMMAND = str(Path(sysconfig.get_path("scripts")) / "tulliana")
WITH_FILE = xform("<q/>", '<instance id="v" src="jr://file-csv/villages.csv"/><bind nodeset="/data/q"/>', '<input ref="/data/q"/>')


def told(*arguments: str) -> Result:
    """What a command says that needs no data."""
    return CliRunner().invoke(group, arguments, prog_name="tulliana")


@pytest.fixture
def form(tmp_path: Path) -> Path:
    file = tmp_path / "small.xml"
    file.write_bytes(xform("<q/>", '<bind nodeset="/data/q" type="int"/>', '<input ref="/data/q"/>'))
    return file


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_every_command_explains_itself(name: str) -> None:
    result = told(*([name] if name else []), "--help")
    assert result.exit_code == 0
    assert "Usage: tulliana" in result.output
    assert all(command in result.output for command in COMMANDS) or name


@pytest.mark.parametrize("name", COMMANDS)
def test_every_subcommand_explains_itself(name: str) -> None:
    command = group.get_command(click.Context(group), name)
    for inner in getattr(command, "commands", {}):
        assert told(name, inner, "--help").exit_code == 0
    assert told(name, "--nonsense").exit_code == 2


def test_an_unknown_command_is_told() -> None:
    result = told("shred")
    assert result.exit_code == 2
    assert "No such command 'shred'" in result.output


def test_a_problem_is_told_in_words_with_what_to_do_and_without_a_traceback(tmp_path: Path) -> None:
    environ = {**os.environ, "TULLIANA_PORT": "eighty", "TULLIANA_DATA": str(tmp_path)}
    done = subprocess.run([COMMAND, "form", "list"], env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("tulliana: The settings cannot be used. TULLIANA_PORT: ")
    assert "Correct the settings" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_app_user_for_a_script_is_one_json_object(cli: Run) -> None:
    user = json.loads(cli("app-user", "add", "ranger", "--json").stdout)
    assert set(user) == {"name", "token", "url"}
    assert user["name"] == "ranger"
    assert user["url"] == f"http://10.0.0.5:8080/v1/key/{user['token']}/projects/1"


def test_an_app_user_for_a_person_is_a_code_and_an_address(cli: Run, tmp_path: Path) -> None:
    picture = tmp_path / "code.png"
    result = cli("app-user", "add", "محیط‌بان", "--language", "fa", "--png", str(picture))
    assert "http://10.0.0.5:8080/v1/key/" in result.output
    assert "█" in result.output or "▀" in result.output
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "محیط‌بان\tfa\tactive" in cli("app-user", "list").output
    assert "withdrawn" in cli("app-user", "revoke", "محیط‌بان").output
    assert "محیط‌بان\tfa\twithdrawn" in cli("app-user", "list").output


def test_an_app_user_twice_or_unknown_is_told(cli: Run) -> None:
    cli("app-user", "add", "ranger", "--json")
    cli("app-user", "add", "ranger", code="name_taken")
    cli("app-user", "revoke", "nobody", code="not_found")
    cli("app-user", "add", "x", "--language", "klingon", code="value_invalid")


def test_accounts_are_made_with_a_given_or_a_new_password(cli: Run) -> None:
    assert "shown only now" in cli("account", "add", "leila", "--role", "analyst").output
    assert "shown only now" not in cli("account", "add", "reza", "--password", "a long pass phrase").output
    assert "shown only now" in cli("account", "password", "reza").output
    cli("account", "add", "leila", code="name_taken")
    cli("account", "password", "nobody", code="not_found")
    cli("account", "add", "x", "--password", "short", code="value_invalid")
    assert cli("account", "add", "x", "--role", "king").exit_code == 2


def test_a_form_is_published_once_and_its_version_never_changes(cli: Run, form: Path) -> None:
    assert "small, version “1”, is published." in cli("form", "publish", str(form)).output
    assert "unchanged" in cli("form", "publish", str(form)).output
    assert cli("form", "list").output == "small\t1\tSmall\n"
    form.write_bytes(form.read_bytes() + b"\n<!-- other bytes -->")
    cli("form", "publish", str(form), code="form_version_taken")
    form.write_bytes(xform("<q/>", version="2", title="Small again"))
    cli("form", "publish", str(form))
    assert cli("form", "list").output == "small\t2\tSmall again\n"


def test_the_files_of_a_form_are_found_where_people_put_them(cli: Run, tmp_path: Path) -> None:
    file = tmp_path / "visit.xml"
    file.write_bytes(WITH_FILE)
    cli("form", "publish", str(file), code="form_media_missing")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "villages.csv").write_text("name,label\nv1,One\n")
    assert "is published" in cli("form", "publish", str(file), "--media", str(elsewhere)).output
    beside = tmp_path / "visit-media"
    beside.mkdir()
    (beside / "villages.csv").write_text("name,label\nv1,One\n")
    assert "unchanged" in cli("form", "publish", str(file)).output
    (tmp_path / "villages.csv").write_text("name,label\nv1,Another\n")
    cli("form", "publish", str(file), code="form_version_taken")
    assert "unchanged" in cli("form", "publish", str(file), "--media", str(beside / "villages.csv")).output


def test_what_is_no_form_is_told(cli: Run, tmp_path: Path) -> None:
    file = tmp_path / "form.xml"
    for data, code in ((b"<data/>", "form_invalid"), (b"<data", "xml_unreadable")):
        file.write_bytes(data)
        assert cli("form", "publish", str(file), code=code).exit_code == 1
    assert cli("form", "publish", str(tmp_path / "gone.xml")).exit_code == 2


def test_a_shipped_survey_is_written_as_a_workbook(cli: Run, tmp_path: Path) -> None:
    out = tmp_path / "survey.xlsx"
    cli("form", "workbook", survey_ids()[0], "--out", str(out))
    assert out.read_bytes().startswith(b"PK")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the converter knows no database
def test_a_workbook_of_a_shipped_survey_is_published_again_with_its_drawings(cli: Run, tmp_path: Path) -> None:
    out = tmp_path / "survey.xlsx"
    cli("form", "workbook", "leopard_sign", "--out", str(out))
    assert "is not here" not in cli("form", "lint", str(out)).output
    assert "is published" in cli("form", "publish", str(out)).output


@pytest.fixture
def sent(cli: Run, form: Path, database_url: str, vault: Vault, tmp_path: Path) -> bytes:
    """One record with a flag and a photo nobody asked for."""
    cli("form", "publish", str(form))
    store, blobs = Store(open_engine(database_url), vault=vault), BlobStore(tmp_path / "data" / "blobs", vault)
    xml = record("<q>many</q>")
    photo = ReceivedFile(("a.jpg",), blobs.put(b"photo"), "image/jpeg")
    Intake(store, blobs).receive(Delivery(1, xml, (photo,)))
    store.close()
    return xml


def test_records_are_listed_for_people_and_for_scripts(cli: Run, sent: bytes) -> None:
    line = cli("submission", "list", "--form", "small").output
    assert line.startswith("uuid:1\t")
    assert "file_unexpected, value_invalid" in line
    (found,) = [json.loads(row) for row in cli("submission", "list", "--form", "small", "--json").output.splitlines()]
    assert (found["instance_id"], found["form_id"], found["review_state"]) == ("uuid:1", "small", "received")
    assert [file["name"] for file in found["attachments"]] == ["a.jpg"]
    assert {flag["code"] for flag in found["flags"]} == {"file_unexpected", "value_invalid"}
    cli("submission", "list", "--form", "never", code="form_unknown")


def test_a_record_is_shown_and_its_exact_bytes_too(cli: Run, sent: bytes) -> None:
    shown = cli("submission", "show", "uuid:1").output
    assert '"q": "many"' in shown
    assert "value_invalid: q " in shown
    assert cli("submission", "show", "uuid:1", "--xml").stdout_bytes == sent
    cli("submission", "show", "uuid:2", code="submission_unknown")
    cli("submission", "show", "uuid:2", "--xml", code="submission_unknown")


HEAVY = {
    "sqlalchemy", "flask", "pyxform", "numpy", "h3", "shapely", "lxml", "marshmallow", "babel", "alembic", "apscheduler",
    "granian", "argon2", "segno", "xlsxwriter", "requests", "re2",
}  # fmt: skip


def test_help_is_there_at_once_because_nothing_heavy_is_imported() -> None:
    program = "import sys\nfrom server.cli import cli\ntry: cli(['--help'])\nexcept SystemExit: print('|'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    modules = {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split("|")}
    assert "click" in modules
    assert modules & HEAVY == set()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the surveys of two projects take a while
def test_projects_are_added_with_their_surveys_and_chosen_by_number(cli: Run) -> None:
    said = cli("project", "add", "Golestan", "golestan").output
    assert "with the shipped surveys" in said
    second = said.partition("is project ")[2].partition(",")[0]
    assert cli("project", "list").output.splitlines() == ["1\tproject1\tTulliana", f"{second}\tgolestan\tGolestan"]
    listed = [line.split("\t")[0] for line in cli("--project", second, "form", "list").output.splitlines()]
    assert set(survey_ids()) <= set(listed)
    cli("--project", second, "app-user", "add", "Azadeh")
    assert cli("app-user", "list").output == ""
    assert "Azadeh" in cli("--project", second, "app-user", "list").output


@pytest.mark.parametrize("command", [("app-user", "add", "x"), ("form", "list"), ("account", "list"), ("export", "list")])
def test_a_project_that_is_not_there_is_told(cli: Run, command: tuple[str, ...]) -> None:
    cli("--project", "70000", *command, code="not_found")


def test_people_are_given_roles_signed_out_and_closed(cli: Run, store: Store) -> None:
    second = str(projects.add(store, "Golestan", "golestan"))
    cli("account", "add", "leila", "--role", "analyst", "--password", "a long pass phrase")
    cli("account", "add", "root", "--role", "administrator", "--password", "a long pass phrase")
    cli("--project", second, "account", "role", "leila", "coordinator")
    assert cli("account", "list").output.splitlines() == [
        "leila\tanalyst in Tulliana, coordinator in Golestan",
        "root\tadministrator",
    ]
    cli("account", "role", "leila", "none")
    assert "leila\tcoordinator in Golestan" in cli("account", "list").output
    assert "signed out everywhere" in cli("account", "sign-out", "leila").output
    cli("account", "close", "leila")
    assert "leila\tclosed" in cli("account", "list").output
    cli("account", "close", "root", code="value_invalid")
    cli("account", "role", "nobody", "analyst", code="not_found")


def test_a_phone_is_linked_to_a_collector_and_given_some_forms(cli: Run, form: Path) -> None:
    cli("form", "publish", str(form))
    cli("account", "add", "leila", "--role", "data_collector", "--password", "a long pass phrase")
    cli("app-user", "add", "Azadeh", "--account", "leila")
    cli("app-user", "forms", "Azadeh", "small")
    assert cli("app-user", "list").output == "Azadeh\ten\tactive\tsmall\tleila\n"
    cli("app-user", "forms", "Azadeh", "--all")
    assert cli("app-user", "list").output == "Azadeh\ten\tactive\tall forms\tleila\n"
    cli("app-user", "forms", "Azadeh", "never", code="form_unknown")
    cli("app-user", "add", "other", "--account", "nobody", code="value_invalid")
    for wrong in ((), ("small", "--all")):
        assert cli("app-user", "forms", "Azadeh", *wrong).exit_code == 2
