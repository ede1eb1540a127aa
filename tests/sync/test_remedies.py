"""The quarantine: each reason has a remedy, nothing is merged away, and every step is written down."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from forms.problems import Problem
from records import form_life, reviews
from records.access import Access
from records.blobs import BlobStore
from records.models import AppUser, Feed, KeptAside, Submission, SubmissionVersion
from records.store import Store
from records.submissions import Record, found, newest
from server import app_users
from sync import aside, remedies
from sync.delivery import Delivery, Receipt
from sync.intake import Intake
from tests.support.small import asked, record
from tests.support.stores import EVERYTHING, PROJECT, publish_form

REVIEWER = Access.of_role(PROJECT, "leila", "reviewer", 7)
FORM = "small"


@pytest.fixture
def intake(store: Store, blobs: BlobStore) -> Intake:
    publish_form(store, blobs, asked("int"))
    return Intake(store, blobs)


def send(intake: Intake, content: str, **more: Any) -> Receipt:
    phone = {name: more.pop(name) for name in ("app_user_id", "form_ids") if name in more}
    return intake.receive(Delivery(PROJECT, record(content, **more), **phone))


def one(store: Store, instance_id: str = "uuid:1") -> Record:
    with store.read() as connection:
        return found(connection, EVERYTHING, instance_id)


def waiting(store: Store) -> list[str]:
    with store.read() as connection:
        return sorted(row.instance_id for row in newest(connection, EVERYTHING, limit=9, only_flagged=True))


def steps(store: Store, instance_id: str = "uuid:1") -> list[tuple[str, str, str | None]]:
    with store.read() as connection:
        return [(row.actor, row.action, row.state) for row in reviews.history(connection, EVERYTHING, FORM, instance_id)]


def digests(store: Store, instance_id: str = "uuid:1") -> list[str]:
    query = select(SubmissionVersion.sha256).filter_by(instance_id=instance_id).order_by(SubmissionVersion.received_at)
    with store.read() as connection:
        return list(connection.execute(query).scalars())


def test_a_record_without_flags_waits_for_nobody(intake: Intake, store: Store) -> None:
    send(intake, "<q>5</q>")
    assert waiting(store) == []


def test_accepting_settles_every_flag_and_says_who_did(intake: Intake, store: Store) -> None:
    send(intake, "<q>many</q><r/>")
    assert waiting(store) == ["uuid:1"]
    reviews.settle(store, REVIEWER, FORM, "uuid:1", {"extra"})
    assert waiting(store) == ["uuid:1"]
    reviews.settle(store, REVIEWER, FORM, "uuid:1", None, "counted by hand")
    assert waiting(store) == []
    assert {item["settled"]["by"] for item in one(store).flags} == {"leila"}
    assert steps(store) == [("leila", "settle", None)] * 2


def test_a_settled_flag_stays_settled_when_the_phone_repeats_the_record(intake: Intake, store: Store) -> None:
    send(intake, "<q>many</q>")
    send(intake, "<q>1</q>")
    reviews.settle(store, REVIEWER, FORM, "uuid:1", None)
    for content in ("<q>many</q>", "<q>1</q>"):
        assert send(intake, content).outcome == "duplicate"
    assert waiting(store) == []
    send(intake, "<q>2</q>")  # a third content is news
    assert waiting(store) == ["uuid:1"]


def test_a_record_of_an_unknown_version_is_judged_by_the_version_a_person_names(
    intake: Intake, store: Store, blobs: BlobStore
) -> None:
    publish_form(store, blobs, asked("string").replace(b'version="1"', b'version="2"'))
    send(intake, "<q>many</q>", version="7")
    assert [item["code"] for item in one(store).flags] == ["unknown_version"]
    remedies.attach(store, intake, REVIEWER, FORM, "uuid:1", "1")
    kept = one(store)
    assert {item["code"]: "settled" in item for item in kept.flags} == {"value_invalid": False, "unknown_version": True}
    assert kept.version == "7"
    with pytest.raises(Problem) as refused:
        remedies.attach(store, intake, REVIEWER, FORM, "uuid:1", "8")
    assert refused.value.kind.code == "value_invalid"


def test_of_two_contents_a_person_takes_one_and_the_other_stays(intake: Intake, store: Store) -> None:
    send(intake, "<q>1</q>")
    send(intake, "<q>2</q>")
    first, second = digests(store)
    remedies.take(store, intake, REVIEWER, FORM, "uuid:1", second)
    assert (one(store).answers["q"], waiting(store), digests(store)) == (2, [], [first, second])
    remedies.take(store, intake, REVIEWER, FORM, "uuid:1", first)
    assert one(store).answers["q"] == 1
    assert send(intake, "<q>2</q>").outcome == "duplicate"
    with pytest.raises(Problem) as refused:
        remedies.take(store, intake, REVIEWER, FORM, "uuid:1", "0" * 64)
    assert refused.value.kind.code == "submission_unknown"


def test_of_two_corrections_a_person_takes_the_other(intake: Intake, store: Store) -> None:
    send(intake, "<q>1</q>")
    send(intake, "<q>2</q>", instance_id="uuid:2", deprecated_id="uuid:1")
    send(intake, "<q>3</q>", instance_id="uuid:3", deprecated_id="uuid:1")
    assert (one(store).answers["q"], waiting(store)) == (2, ["uuid:1"])
    remedies.take(store, intake, REVIEWER, FORM, "uuid:1", digests(store, "uuid:3")[0])
    assert (one(store).answers["q"], waiting(store)) == (3, [])
    assert send(intake, "<q>4</q>", instance_id="uuid:4", deprecated_id="uuid:3").outcome == "edited"
    assert one(store).answers["q"] == 4


def test_both_contents_become_records_of_their_own(intake: Intake, store: Store) -> None:
    send(intake, "<q>1</q>")
    send(intake, "<q>2</q>")
    first, second = digests(store)
    own = remedies.split(store, intake, REVIEWER, FORM, "uuid:1", second)
    assert (one(store).answers["q"], one(store, own).answers["q"], waiting(store)) == (1, 2, [])
    for content in ("<q>1</q>", "<q>2</q>"):
        assert send(intake, content).outcome == "duplicate"
    with store.read() as connection:
        assert len(newest(connection, EVERYTHING, limit=9)) == 2
    with pytest.raises(Problem):
        remedies.split(store, intake, REVIEWER, FORM, "uuid:1", first)


def test_a_correction_of_a_deleted_record_is_kept_and_waits(intake: Intake, store: Store) -> None:
    send(intake, "<q>1</q>")
    reviews.delete(store, REVIEWER, FORM, "uuid:1", "a test")
    with store.read() as connection:
        assert newest(connection, EVERYTHING, limit=9) == []
    assert send(intake, "<q>1</q>").outcome == "duplicate"
    assert send(intake, "<q>2</q>", instance_id="uuid:2", deprecated_id="uuid:1").outcome == "edited"
    kept = one(store)
    assert kept.deleted_at is not None
    assert ([item["code"] for item in kept.flags], kept.attention) == (["after_delete"], True)
    reviews.restore(store, REVIEWER, FORM, "uuid:1")
    assert (one(store).answers["q"], one(store).deleted_at) == (2, None)
    assert [action for _, action, _ in steps(store)] == ["delete", "restore"]


def test_a_returned_record_is_told_to_its_phone_until_it_is_corrected(intake: Intake, store: Store) -> None:
    app_users.add(store, "ranger", project_id=PROJECT)
    with store.read() as connection:
        phone = connection.execute(select(AppUser.id)).scalar_one()
    send(intake, "<q>many</q>", app_user_id=phone)

    def notice() -> Any:
        with store.read() as connection:
            return connection.execute(select(AppUser.notice)).scalar_one()

    reviews.send_back(store, REVIEWER, FORM, "uuid:1", "How many?")
    assert notice() == {"record": "uuid:1", "text": "How many?"}
    assert (one(store).review_state, waiting(store)) == ("hasIssues", [])
    send(intake, "<q>3</q>", instance_id="uuid:9", app_user_id=phone)
    assert notice() is not None
    send(intake, "<q>2</q>", instance_id="uuid:2", deprecated_id="uuid:1", app_user_id=phone)
    assert notice() is None
    assert one(store).review_state == "edited"
    reviews.send_back(store, REVIEWER, FORM, "uuid:1", "Really?")
    reviews.set_state(store, REVIEWER, FORM, "uuid:1", "approved")
    assert notice() is None


def test_every_step_is_in_the_feed(intake: Intake, store: Store) -> None:
    send(intake, "<q>1</q>")
    reviews.set_state(store, REVIEWER, FORM, "uuid:1", "rejected", "seen on the phone")
    reviews.comment(store, REVIEWER, FORM, "uuid:1", "who was it?")
    with store.read() as connection:
        assert connection.execute(select(Feed.kind).order_by(Feed.position)).scalars().all() == ["submission", "review", "review"]


@pytest.mark.parametrize("role", ["analyst", "data_collector"])
def test_who_may_not_review_changes_nothing(intake: Intake, store: Store, role: str) -> None:
    send(intake, "<q>many</q>")
    asking = Access.of_role(PROJECT, "x", role, 1)
    for step in (
        lambda: reviews.set_state(store, asking, FORM, "uuid:1", "approved"),
        lambda: reviews.settle(store, asking, FORM, "uuid:1", None),
        lambda: reviews.delete(store, asking, FORM, "uuid:1"),
        lambda: remedies.take(store, intake, asking, FORM, "uuid:1", digests(store)[0]),
        lambda: aside.dismiss(store, asking, "0" * 64),
    ):
        with pytest.raises(Problem) as refused:
            step()
        assert refused.value.kind.code == "not_allowed"
    assert steps(store) == []


def test_a_reviewer_of_another_project_finds_no_record(intake: Intake, store: Store) -> None:
    send(intake, "<q>many</q>")
    with pytest.raises(Problem) as refused:
        reviews.settle(store, replace(REVIEWER, project_id=2), FORM, "uuid:1", None)
    assert refused.value.kind.code == "submission_unknown"


def test_what_was_refused_is_taken_in_once_its_form_is_known(intake: Intake, store: Store, blobs: BlobStore) -> None:
    late = asked("int").replace(b'id="small"', b'id="late"')
    for _ in range(3):
        with pytest.raises(Problem):
            send(intake, "<q>3</q>", form_id="late")
    with store.read() as connection:
        [row] = aside.waiting(connection, REVIEWER)
    assert (row.form_id, row.times, row.reason) == ("late", 3, "form_unknown")
    publish_form(store, blobs, late)
    assert aside.take_in_for(store, blobs, intake, PROJECT, "late") == 1
    with store.read() as connection:
        assert aside.waiting(connection, REVIEWER) == []
        assert connection.execute(select(Submission.answers).filter_by(form_id="late")).scalar_one()["q"] == 3
    assert send(intake, "<q>3</q>", form_id="late").outcome == "duplicate"


def test_what_cannot_be_read_can_be_dismissed_and_its_bytes_stay(intake: Intake, store: Store, blobs: BlobStore) -> None:
    with pytest.raises(Problem):
        intake.receive(Delivery(PROJECT, b"<broken"))
    with store.read() as connection:
        [row] = aside.waiting(connection, REVIEWER)
    with pytest.raises(Problem) as again:
        aside.take_in(store, blobs, intake, REVIEWER, row.sha256)
    assert again.value.kind.code == "xml_unreadable"
    aside.dismiss(store, REVIEWER, row.sha256)
    with store.read() as connection:
        assert aside.waiting(connection, REVIEWER) == []
        assert connection.execute(select(KeptAside.settled_by)).scalar_one() == "leila"
    assert blobs.open(row.sha256).read() == b"<broken"


@pytest.mark.parametrize(("state", "code"), [("closed", "after_close"), ("retired", "after_retire"), ("open", None)])
def test_a_form_may_close_or_retire_and_its_records_are_still_kept(
    intake: Intake, store: Store, state: str, code: str | None
) -> None:
    form_life.set_state(store, EVERYTHING, FORM, state)
    assert send(intake, "<q>1</q>").outcome == "created"
    assert [item["code"] for item in one(store).flags] == ([code] if code else [])


def test_a_phone_without_the_form_is_not_turned_away(intake: Intake, store: Store) -> None:
    send(intake, "<q>1</q>", form_ids=frozenset({"other"}))
    assert [item["code"] for item in one(store).flags] == ["not_assigned"]
