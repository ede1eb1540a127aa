"""Reviewing from the command line, as a coordinator with many records or a script does."""

from pathlib import Path

import pytest

from forms.problems import Problem
from records.blobs import BlobStore
from records.store import Store
from sync.delivery import Delivery
from sync.intake import Intake
from tests.support.commands import Run
from tests.support.small import asked, record
from tests.support.stores import PROJECT, publish_form


@pytest.fixture
def intake(store: Store, tmp_path: Path) -> Intake:
    """The intake of the very data folder that `cli` works on."""
    blobs = BlobStore(tmp_path / "data" / "blobs", store.vault)
    publish_form(store, blobs, asked("int"))
    return Intake(store, blobs)


def send(intake: Intake, content: str, **more: str) -> None:
    intake.receive(Delivery(PROJECT, record(content, **more)))


def state(cli: Run) -> list[str]:
    """Id, review state and flags of every record, as the list shows them."""
    lines = cli("submission", "list", "--form", "small").output.splitlines()
    return [" ".join(part for place, part in enumerate(line.split("\t")) if place in {0, 3}) for line in lines]


def digests(cli: Run) -> list[str]:
    lines = cli("submission", "history", "uuid:1").output.splitlines()
    return [line.split("\t")[1] for line in lines if len(line.split("\t")[1]) == 64]


def test_a_record_gets_a_state_with_a_comment(cli: Run, intake: Intake) -> None:
    send(intake, "<q>1</q>")
    assert "uuid:1: approved." in cli("submission", "review", "uuid:1", "approved", "--comment", "seen").output
    assert state(cli) == ["uuid:1 approved"]
    assert cli("submission", "history", "uuid:1").output.splitlines()[-1].endswith("command line\tstate\tapproved\tseen")
    cli("submission", "review", "uuid:1", "perfect", code="value_invalid")
    cli("submission", "review", "uuid:9", "approved", code="submission_unknown")


def test_flags_are_listed_and_settled(cli: Run, intake: Intake) -> None:
    send(intake, "<q>many</q><extra>1</extra>")
    assert "extra, value_invalid" in cli("quarantine", "list").output
    cli("submission", "settle", "uuid:1", "--flag", "extra")
    assert cli("quarantine", "list", "--flag", "extra").output == ""
    assert "value_invalid" in cli("quarantine", "list", "--flag", "value_invalid").output
    cli("submission", "settle", "uuid:1", "--comment", "counted by hand")
    assert cli("quarantine", "list").output == ""


def test_comment_return_delete_and_restore(cli: Run, intake: Intake) -> None:
    send(intake, "<q>1</q>")
    cli("submission", "comment", "uuid:1", "who was it?")
    cli("submission", "return", "uuid:1", "How many?")
    assert state(cli) == ["uuid:1 hasIssues"]
    cli("submission", "delete", "uuid:1")
    assert state(cli) == []
    cli("submission", "restore", "uuid:1", "--form", "small")
    assert state(cli) == ["uuid:1 hasIssues"]
    told = cli("submission", "history", "uuid:1").output
    assert all(words in told for words in ("who was it?", "return\tHow many?", "delete", "restore"))


def test_a_record_is_judged_by_another_version(cli: Run, intake: Intake) -> None:
    send(intake, "<q>many</q>", version="7")
    assert "unknown_version" in cli("quarantine", "list").output
    cli("submission", "attach", "uuid:1", "1")
    assert "unknown_version" not in cli("quarantine", "list").output
    cli("submission", "attach", "uuid:1", "8", code="value_invalid")


def test_of_two_contents_one_is_taken_or_both_are_kept(cli: Run, intake: Intake) -> None:
    send(intake, "<q>1</q>")
    send(intake, "<q>2</q>")
    first, second = digests(cli)
    assert f"{second[:8]} is the current content" in cli("submission", "take", "uuid:1", second).output
    assert '"q": 2' in cli("submission", "show", "uuid:1").output
    told = cli("submission", "split", "uuid:1", first).output
    own = told.rpartition(" ")[2].strip(".\n")
    assert '"q": 1' in cli("submission", "show", own).output
    assert len(state(cli)) == 2


def test_what_was_kept_aside_is_taken_in_or_dismissed(cli: Run, intake: Intake, store: Store) -> None:
    late = asked("int").replace(b'id="small"', b'id="late"')
    for xml in (record("<q>1</q>", form_id="late"), b"<broken"):
        with pytest.raises(Problem):
            intake.receive(Delivery(PROJECT, xml))
    lines = {line.split("\t")[4].partition(",")[0]: line.split("\t")[2] for line in cli("quarantine", "list").output.splitlines()}
    cli("quarantine", "take-in", lines["form_unknown"], code="form_unknown")
    publish_form(store, intake._blobs, late)
    assert "uuid:1: created." in cli("quarantine", "take-in", lines["form_unknown"]).output
    cli("quarantine", "dismiss", lines["xml_unreadable"])
    assert cli("quarantine", "list").output == ""
    cli("quarantine", "dismiss", "0" * 64, code="not_found")
