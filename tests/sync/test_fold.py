"""The fold: whatever order versions arrive in, nothing is lost, one chain is one record, and conflicts are told."""

import hashlib
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count, permutations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Row, select, text

from records import reviews
from records.access import Access
from records.blobs import BlobStore
from records.models import Attachment, Feed, Submission, SubmissionVersion
from records.store import Store
from sync.delivery import Delivery, ReceivedFile
from sync.fold import HELD
from sync.intake import Intake
from tests.support.small import record, xform
from tests.support.stores import publish_form

_numbers = count(1)
PHOTO_FORM = '<bind nodeset="/data/photo" type="binary"/>', '<input ref="/data/q"/><upload ref="/data/photo"/>'


@dataclass(frozen=True)
class Version:
    """One version as a phone would send it: `text` makes its bytes differ from those of a twin with the same id."""

    instance_id: str
    deprecated_id: str = ""
    text: str = "1"
    photos: tuple[str, ...] = ()


@dataclass
class Place:
    """A form of one test's own, and what became of it."""

    intake: Intake
    store: Store
    blobs: BlobStore
    form_id: str

    def send(self, version: Version, *photos: str) -> str:
        files = tuple(ReceivedFile((name,), self.blobs.put(name.encode()), "image/jpeg") for name in photos)
        return self.intake.receive(Delivery(1, self.xml(version), files)).outcome

    def xml(self, version: Version) -> bytes:
        content = f"<q>{version.text}</q>" + "".join(f"<photo>{name}</photo>" for name in version.photos[:1])
        ids = {"instance_id": version.instance_id, "deprecated_id": version.deprecated_id}
        return record(content, form_id=self.form_id, **ids)

    def rows(self, *columns: object) -> list[Row[object]]:
        table = columns[0].class_  # type: ignore[attr-defined]
        with self.store.read() as connection:
            return list(connection.execute(select(*columns).where(table.form_id == self.form_id)))  # type: ignore[call-overload]

    def records(self) -> dict[str, Row[object]]:
        columns = (Submission.instance_id, Submission.current_instance_id, Submission.edits, Submission.flags, Submission.answers)
        return {row.instance_id: row for row in self.rows(*columns)}  # type: ignore[attr-defined]

    def codes(self, instance_id: str) -> set[str]:
        return {item["code"] for item in self.records()[instance_id].flags}  # type: ignore[attr-defined]


def place(store: Store, blobs: BlobStore) -> Place:
    form_id = f"form{next(_numbers)}"
    publish_form(store, blobs, xform("<q/><photo/>", *PHOTO_FORM, form_id=form_id))
    return Place(Intake(store, blobs), store, blobs, form_id)


@pytest.fixture
def here(store: Store, blobs: BlobStore) -> Place:
    return place(store, blobs)


def root_of(instance_id: str, parents: dict[str, str]) -> str:
    """The first version of the chain that is here."""
    while parents.get(instance_id, "") in parents and parents[instance_id]:
        instance_id = parents[instance_id]
    return instance_id


def check(here: Place, versions: Sequence[Version], photos: set[tuple[str, str]]) -> None:
    """What must be true at the end whatever the order was."""
    sent = {(version.instance_id, hashlib.sha256(here.xml(version)).hexdigest()) for version in versions}
    kept = here.rows(SubmissionVersion.instance_id, SubmissionVersion.sha256, SubmissionVersion.root_id)
    assert Counter(tuple(row)[:2] for row in kept) == Counter(sent)  # every distinct bytes once
    assert Counter(map(tuple, here.rows(Attachment.instance_id, Attachment.name))) == Counter(photos)
    arrivals = Counter(kind for (kind,) in here.rows(Feed.kind))  # type: ignore[misc]
    assert (arrivals["submission"], arrivals["attachment"]) == (len(sent), len(photos))

    parents = {version.instance_id: version.deprecated_id for version in versions}
    chains: dict[str, list[str]] = {}
    for instance_id in parents:
        chains.setdefault(root_of(instance_id, parents), []).append(instance_id)
    records = here.records()
    assert set(records) == set(chains)  # one record per chain, under the id of its first version
    assert {member: root for member, _, root in kept} == {member: root for root, chain in chains.items() for member in chain}

    by_id = Counter(instance_id for instance_id, _ in sent)
    for root, chain in chains.items():
        children = Counter(parents[member] for member in chain if member != root)
        leaves = [member for member in chain if member not in children]
        found = records[root]
        is_fork, has_twins = any(number > 1 for number in children.values()), any(by_id[member] > 1 for member in chain)
        assert found.current_instance_id in leaves
        assert ("edit_conflict" in here.codes(root)) == is_fork
        assert ("instance_conflict" in here.codes(root)) == has_twins
        assert (HELD in here.codes(root)) == bool(parents[root])
        if not is_fork:
            assert found.edits == len(chain) - 1
        if not is_fork and not has_twins:
            (leaf,) = (version for version in versions if version.instance_id == leaves[0])
            assert found.answers["q"] == leaf.text


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[list[Version], list[tuple[Version, tuple[str, ...]]]]:
    """Versions (originals, edits, forks, edits of what never comes, twins) and the order in which they arrive, some again."""
    versions: list[Version] = []
    for number in range(draw(st.integers(1, 6))):
        earlier = ["", "lost", *(version.instance_id for version in versions)]
        photos = tuple(f"{number}-{photo}.jpg" for photo in range(draw(st.integers(0, 2))))
        versions.append(Version(f"v{number}", draw(st.sampled_from(earlier)), str(number), photos))
    twins = draw(st.lists(st.sampled_from(versions), max_size=2, unique=True))
    versions += [Version(version.instance_id, version.deprecated_id, "other", version.photos) for version in twins]
    deliveries = [(version, version.photos[:1]) for version in versions]
    deliveries += [(version, version.photos[1:]) for version in versions if len(version.photos) > 1]
    again = draw(st.lists(st.sampled_from(deliveries), max_size=3))
    return versions, draw(st.permutations([*deliveries, *again]))


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arrivals())
def test_every_order_of_arrival_ends_in_the_same_place(
    store: Store, blobs: BlobStore, plan: tuple[list[Version], list[tuple[Version, tuple[str, ...]]]]
) -> None:
    versions, deliveries = plan
    here = place(store, blobs)
    for version, photos in deliveries:
        here.send(version, *photos)
    check(here, versions, {(version.instance_id, photo) for version, photos in deliveries for photo in photos})


SETS = {
    "chain": [Version("a"), Version("b", "a", "2"), Version("c", "b", "3"), Version("d", "c", "4")],
    "fork": [Version("a"), Version("b", "a", "2"), Version("c", "a", "3"), Version("d", "c", "4")],
    "twins": [Version("a"), Version("a", "", "other"), Version("b", "a", "2"), Version("b", "a", "other")],
    "never the original": [Version("b", "a", "2"), Version("c", "b", "3"), Version("d", "c", "4")],
}


@pytest.mark.parametrize("name", SETS)
def test_t131_t132_t133_all_orders_of_the_usual_cases(store: Store, blobs: BlobStore, name: str) -> None:
    for order in permutations(SETS[name]):
        here = place(store, blobs)
        for version in order:
            here.send(version)
        check(here, SETS[name], set())


def test_a_first_delivery_is_created_a_second_is_a_duplicate(here: Place) -> None:
    assert [here.send(Version("a")) for _ in range(3)] == ["created", "duplicate", "duplicate"]


def test_t111_t113_files_that_come_later_are_attached_once(here: Place) -> None:
    version = Version("a", photos=("x.jpg",))
    assert here.send(version) == "created"
    assert here.send(version, "x.jpg") == "attached"
    assert here.send(version, "x.jpg") == "duplicate"
    check(here, [version], {("a", "x.jpg")})


def test_t123_other_answers_under_the_same_id_are_kept_and_change_nothing(here: Place) -> None:
    assert here.send(Version("a", text="first")) == "created"
    assert here.send(Version("a", text="second")) == "conflict"
    assert here.records()["a"].answers["q"] == "first"  # type: ignore[attr-defined]
    assert here.codes("a") == {"instance_conflict"}


def test_an_edit_does_not_make_a_conflict_be_forgotten(here: Place) -> None:
    here.send(Version("a", text="first"))
    here.send(Version("a", text="second"))
    assert here.send(Version("b", "a")) == "edited"
    assert here.codes("a") == {"instance_conflict"}


def test_an_edit_before_its_original_is_held_and_told(here: Place) -> None:
    assert here.send(Version("b", "a", "2")) == "held"
    assert here.codes("b") == {HELD}
    assert here.send(Version("a")) == "created"
    (found,) = here.records().values()
    assert (found.instance_id, found.current_instance_id, found.edits, found.flags) == ("a", "b", 1, [])  # type: ignore[attr-defined]


def test_an_edit_that_was_deleted_while_it_waited_does_not_come_back_unseen(here: Place) -> None:
    here.send(Version("b", "a", "2"))
    reviews.delete(here.store, Access.everything(1, "test"), here.form_id, "b")
    here.send(Version("a"))
    assert here.codes("a") == {"after_delete"}


def test_circles_of_edits_are_kept_and_do_not_hang(store: Store, blobs: BlobStore) -> None:
    for order in permutations([Version("a", "c"), Version("b", "a"), Version("c", "b")]):
        here = place(store, blobs)
        for version in order:
            here.send(version)
        assert len(here.rows(SubmissionVersion.sha256)) == 3
        assert len(here.records()) == 1
    here = place(store, blobs)
    assert here.send(Version("a", "a")) == "held"
    assert here.send(Version("a", "a")) == "duplicate"


def test_t106_the_same_id_in_two_forms_is_two_records(store: Store, blobs: BlobStore) -> None:
    one, other = place(store, blobs), place(store, blobs)
    assert [one.send(Version("a")), other.send(Version("a"))] == ["created", "created"]
    assert other.send(Version("b", "a")) == "edited"
    assert one.records()["a"].edits == 0  # type: ignore[attr-defined]


def in_parallel(here: Place, versions: Sequence[Version]) -> list[str]:
    outcomes: list[str] = []
    start = threading.Barrier(len(versions))

    def one(version: Version) -> None:
        start.wait()
        outcomes.append(here.send(version, *version.photos))

    threads = [threading.Thread(target=one, args=(version,)) for version in versions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(outcomes)


def test_t087_the_same_delivery_from_many_threads_is_one_record_with_one_copy_of_each_file(here: Place) -> None:
    version = Version("a", photos=("x.jpg", "y.jpg"))
    assert in_parallel(here, [version] * 12) == ["created", *["duplicate"] * 11]
    check(here, [version], {("a", "x.jpg"), ("a", "y.jpg")})


@pytest.mark.parametrize("name", SETS)
def test_what_arrives_at_the_same_moment_ends_in_the_same_place(here: Place, name: str) -> None:
    versions = SETS[name] * 2
    in_parallel(here, versions)
    check(here, SETS[name], set())


def test_other_answers_at_the_same_moment_are_a_conflict_on_postgresql(postgres_store: Store, blobs: BlobStore) -> None:
    """Both look before either has committed: the second must still be told that it was not the first."""
    here = place(postgres_store, blobs)
    looked, outcomes = threading.Event(), []

    def slow() -> None:
        write = postgres_store.write

        def held_open(work):  # type: ignore[no-untyped-def]
            def longer(connection):  # type: ignore[no-untyped-def]
                receipt = work(connection)
                looked.set()
                for _ in range(3000):
                    waiting = (
                        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
                    )
                    with postgres_store.engine.connect() as other:
                        if other.execute(text(waiting)).scalar_one():
                            return receipt
                    threading.Event().wait(0.01)
                raise AssertionError("nobody waited")

            return write(longer)

        patched = Store.__new__(Store)
        patched.__dict__.update(postgres_store.__dict__)
        patched.write = held_open  # type: ignore[method-assign]
        first = Place(Intake(patched, blobs), postgres_store, blobs, here.form_id)
        outcomes.append(first.send(Version("a", text="first")))

    thread = threading.Thread(target=slow)
    thread.start()
    assert looked.wait(30)
    outcomes.append(here.send(Version("a", text="second")))
    thread.join()
    assert sorted(outcomes) == ["conflict", "created"]
    check(here, [Version("a", text="first"), Version("a", text="second")], set())


def test_an_edit_that_waited_is_adopted_once_by_two_originals_at_the_same_moment(postgres_store: Store, blobs: BlobStore) -> None:
    versions = [Version("b", "a", "2"), Version("a"), Version("a", text="other")]
    for _ in range(8):
        here = place(postgres_store, blobs)
        assert here.send(versions[0]) == "held"
        assert in_parallel(here, versions[1:]) == ["conflict", "created"]
        check(here, versions, set())
