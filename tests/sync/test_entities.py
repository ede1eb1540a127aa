"""Entities are kept up with the records that ask for them, on both databases, and never cost a record."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import select, update

from forms.problems import Problem
from records import entities as kept
from records.blobs import BlobStore
from records.entity_files import ListFiles
from records.models import Entity, EntityAction, EntityList, Feed, Submission
from records.store import Store
from records.submissions import found
from sync import entities
from sync.delivery import Delivery, Receipt
from sync.entities import change, history, settle_waiting
from sync.entity_fold import NOT_CREATED
from sync.intake import Intake
from tests.support.entities import household, household_form, uuid_of
from tests.support.small import record, xform
from tests.support.stores import EVERYTHING, publish_form

H1 = uuid_of("H-1")
UPDATE = 'update="1"'


@pytest.fixture
def intake(store: Store, blobs: BlobStore) -> Intake:
    publish_form(store, blobs, household_form())
    return Intake(store, blobs)


def send(intake: Intake, *records: bytes) -> list[Receipt]:
    return [intake.receive(Delivery(1, xml, app_user_id=None)) for xml in records]


def current(store: Store, uuid: str = H1) -> Any:
    with store.read() as connection:
        return kept.entity(connection, EVERYTHING, uuid)


def states(store: Store) -> list[tuple[str, str]]:
    with store.read() as connection:
        return [
            (row.state, row.detail)
            for row in connection.execute(select(EntityAction.state, EntityAction.detail).order_by(EntityAction.id))
        ]


def test_t157_a_record_makes_an_entity(intake: Intake, store: Store) -> None:
    send(intake, household("uuid:1", H1, herd="120", note=""))
    row = current(store)
    assert (row.list_name, row.label, row.data, row.version, row.conflict) == (
        "households",
        "H-1",
        {"herd": "120", "note": ""},
        1,
        None,
    )
    assert states(store) == [("applied", "")]


def test_t158_the_same_record_again_changes_nothing(intake: Intake, store: Store) -> None:
    receipts = send(intake, *[household("uuid:1", H1, herd="120")] * 3)
    assert [receipt.outcome for receipt in receipts] == ["created", "duplicate", "duplicate"]
    assert (current(store).version, len(states(store))) == (1, 1)


def test_t158_the_same_record_in_parallel_makes_one_entity(intake: Intake, store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: send(intake, household("uuid:1", H1, herd="120")), range(8)))
    assert (current(store).version, states(store)) == (1, [("applied", "")])


def test_changes_of_one_entity_in_parallel_all_count(intake: Intake, store: Store) -> None:
    send(intake, household("uuid:0", H1))
    changes = [household(f"uuid:{number}", H1, UPDATE, base=1, note=str(number)) for number in range(1, 13)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda xml: send(intake, xml), changes))
    assert (current(store).version, current(store).conflict) == (13, "hard")
    with store.read() as connection:
        told, rows = history(connection, EVERYTHING, H1)
    assert sorted(row.version for row in rows) == list(range(1, 14))
    assert told.versions[-1]["note"] == current(store).data["note"]


def test_t159_an_entity_without_a_label_fails_and_the_record_is_kept(intake: Intake, store: Store) -> None:
    [receipt] = send(intake, household("uuid:1", H1, label=" "))
    assert receipt.outcome == "created"
    assert states(store) == [("failed", "The label is empty.")]
    with store.read() as connection:
        assert found(connection, EVERYTHING, "uuid:1").instance_id == "uuid:1"
        assert [row.uuid for row in kept.unsettled(connection, EVERYTHING)] == [H1]


def test_what_no_list_can_use_is_noted_with_its_reason(intake: Intake, store: Store) -> None:
    send(intake, household("uuid:1", "H 1, the second"))
    assert states(store) == [("failed", "The id is not a UUID.")]


def test_t127_a_crash_of_the_entities_costs_no_record(intake: Intake, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> None:
        raise RuntimeError("boom")

    with monkeypatch.context() as patch:
        patch.setattr(entities, "fold", crash)
        assert [receipt.outcome for receipt in send(intake, household("uuid:1", H1))] == ["created"]
    assert states(store) == [("waiting", "")]
    settle_waiting(store)
    assert (states(store), current(store).version) == ([("applied", "")], 1)


def test_t127_a_record_whose_entities_cannot_be_read_is_kept(intake: Intake, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.intake.asked", lambda *_: 1 / 0)
    assert [receipt.outcome for receipt in send(intake, household("uuid:1", H1))] == ["created"]


def test_a_form_without_entities_costs_no_statement(store: Store, blobs: BlobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    publish_form(store, blobs, xform("<q/>"))
    monkeypatch.setattr("sync.intake.asked", lambda *_: 1 / 0)
    monkeypatch.setattr(entities, "_settle", lambda *_: 1 / 0)
    assert [receipt.outcome for receipt in send(Intake(store, blobs), record("<q>1</q>"))] == ["created"]


def test_t163_t164_every_order_of_a_branch_leads_to_the_same_entity(intake: Intake, store: Store) -> None:
    for number, order in enumerate(permutations(range(4))):
        uuid = uuid_of(f"entity {number}")
        chain = [household(f"uuid:{number}/0", uuid, herd="0", note="0")]
        chain += [
            household(f"uuid:{number}/{step}", uuid, UPDATE, label=None, base=step, trunk=1, branch="b", herd=str(step))
            for step in (1, 2, 3)
        ]
        send(intake, *(chain[position] for position in order))
        row = current(store, uuid)
        assert (row.version, row.data, row.conflict) == (4, {"herd": "3", "note": "0"}, None), order


def test_t164_an_update_before_its_creation_waits_and_says_so(intake: Intake, store: Store) -> None:
    send(intake, household("uuid:2", H1, UPDATE, base=1, herd="121"))
    assert states(store) == [("waiting", NOT_CREATED)]
    send(intake, household("uuid:1", H1, herd="120"))
    assert (current(store).version, current(store).data["herd"]) == (2, "121")


def test_a_gap_is_waited_for_with_patience_and_not_for_ever(intake: Intake, store: Store) -> None:
    send(intake, household("uuid:1", H1, herd="120"), household("uuid:3", H1, UPDATE, base=2, trunk=1, branch="b", herd="122"))
    settle_waiting(store)
    assert current(store).version == 1
    long_ago = datetime.now(UTC) - entities.PATIENCE - timedelta(hours=1)
    store.write(lambda connection: connection.execute(update(EntityAction).values(at=long_ago)))
    settle_waiting(store)
    assert (current(store).version, current(store).data["herd"]) == (2, "122")


def test_an_edit_is_an_update_by_whoever_edited(intake: Intake, store: Store) -> None:
    send(intake, household("uuid:1", H1, herd="120"), household("uuid:2", H1, herd="130", replaces="uuid:1"))
    assert (current(store).version, current(store).data) == (2, {"herd": "130"})


def test_an_edit_before_its_original_waits_for_it(intake: Intake, store: Store) -> None:
    send(intake, household("uuid:2", H1, herd="130", replaces="uuid:1"))
    assert states(store) == [("waiting", entities.ORIGINAL_MISSING)]
    send(intake, household("uuid:1", H1, herd="120"))
    assert (current(store).version, current(store).data) == (2, {"herd": "130"})


def test_other_answers_under_a_known_id_change_no_entity(intake: Intake, store: Store) -> None:
    receipts = send(intake, household("uuid:1", H1, herd="120"), household("uuid:1", H1, herd="999"))
    assert (receipts[1].outcome, current(store).data) == ("conflict", {"herd": "120"})


def test_a_list_with_approval_waits_for_it(intake: Intake, store: Store) -> None:
    kept.set_approval(store, EVERYTHING, "households", True)
    send(intake, household("uuid:1", H1, herd="120"))
    assert states(store) == [("waiting", entities.NOT_APPROVED)]
    store.write(lambda connection: connection.execute(update(Submission).values(review_state="approved")))
    settle_waiting(store, 1)
    assert current(store).version == 1


def test_a_person_deletes_and_what_comes_later_does_not_bring_it_back(intake: Intake, store: Store) -> None:
    send(intake, household("uuid:1", H1))
    change(store, EVERYTHING, H1, "delete")
    send(intake, household("uuid:2", H1, UPDATE, base=1, herd="9"), household("uuid:3", H1))
    assert current(store).deleted_at is not None
    assert states(store)[-2:] == [("failed", "The entity was deleted before.")] * 2
    with store.read() as connection:
        assert kept.deleted_among(connection, 1, "households", [H1, uuid_of("never")]) == {H1: True}
    with pytest.raises(Problem, match="was deleted"):
        change(store, EVERYTHING, H1, "resolve")


def test_a_person_resolves_a_conflict_and_may_choose_the_other_value(intake: Intake, store: Store) -> None:
    send(intake, household("uuid:1", H1, herd="1"), *(household(f"uuid:{n}", H1, UPDATE, base=1, herd=str(n)) for n in (2, 3)))
    assert current(store).conflict == "hard"
    with store.read() as connection:
        assert history(connection, EVERYTHING, H1)[0].clashes == {"herd": ("2", "3")}
    with pytest.raises(Problem, match="no property colour"):
        change(store, EVERYTHING, H1, "resolve", {"colour": "red"})
    change(store, EVERYTHING, H1, "resolve", {"herd": "2"})
    assert (current(store).conflict, current(store).data, current(store).version) == (None, {"herd": "2"}, 4)


def test_every_change_moves_the_feed_and_the_revision(intake: Intake, store: Store) -> None:
    def revision() -> int:
        with store.read() as connection:
            return connection.execute(select(EntityList.revision).filter_by(name="households")).scalar_one()

    send(intake, household("uuid:1", H1))
    before = revision()
    send(intake, household("uuid:1", H1))
    assert revision() == before
    send(intake, household("uuid:2", H1, UPDATE, base=1, herd="2"))
    assert revision() == before + 1
    with store.read() as connection:
        told = connection.execute(select(Feed.form_id, Feed.instance_id).filter_by(kind="entity")).all()
    assert [tuple(row) for row in told] == [("households", H1)] * 2


def test_t166_t168_t171_the_list_is_written_whole_stable_and_with_any_text(intake: Intake, store: Store) -> None:
    files = ListFiles(store)
    send(intake, household("uuid:1", H1, label='خانوار «۱», "ده"', herd="گلهٔ ۱۲،\n۱۳", note="=1+1, 'a'"))
    file = files.get(1, "households")
    assert file is not None
    assert file.content.decode() == (
        'name,label,__version,herd,note\n'
        f'{H1},"خانوار «۱», ""ده""",1,"گلهٔ ۱۲،\n۱۳","=1+1, \'a\'"\n'
    )  # fmt: skip
    assert ListFiles(store).get(1, "households") == file
    assert files.get(1, "no such list") is None
    send(intake, household("uuid:2", H1, UPDATE, base=1, herd="1"))
    changed = files.get(1, "households")
    assert changed is not None
    assert changed.md5 != file.md5


def test_t167_a_list_that_cannot_be_written_whole_is_not_written(intake: Intake, store: Store) -> None:
    send(intake, household("uuid:1", H1))
    store.write(lambda connection: connection.execute(update(Entity).values(data=["not a mapping"])))
    with pytest.raises(Problem) as caught:
        ListFiles(store).get(1, "households")
    assert (caught.value.kind.code, caught.value.kind.status) == ("entity_list_unavailable", 503)
