"""Whatever phones, people and chance do in whatever order: nothing stranded, nothing lost, nothing doubled.

A machine makes up histories step by step: records, edits and forks, edits of what never came, other contents under the same id,
files over several deliveries, answers that got lost, a disk that is full, forms that are closed, retired or replaced, forms that
are not here yet, records that are deleted and restored. After every step the database is compared with a model of a few lines.
"""

import hashlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import Connection, select

from forms.problems import Problem
from records import form_life, reviews
from records.access import Access
from records.blobs import BlobStore
from records.models import Attachment, Feed, KeptAside, Submission, SubmissionVersion
from records.personal import open_xml
from records.store import Store
from sync import aside
from sync.delivery import Delivery, Receipt, ReceivedFile
from sync.fold import HELD
from sync.intake import Intake
from tests.support.small import record, xform
from tests.support.stores import PROJECT, publish_form

EVERYTHING = Access.everything(PROJECT, "test")
BINDS = '<bind nodeset="/data/photo" type="binary"/>', '<input ref="/data/q"/><upload ref="/data/photo"/>'
PHOTOS = ("a.jpg", "b.jpg")
numbers = count(1)


@dataclass(frozen=True)
class Paper:
    """One version of a record as it lies on a phone; `text` makes twins differ."""

    form_id: str
    instance_id: str
    deprecated_id: str = ""
    text: str = "1"
    version: str = "1"

    @property
    def xml(self) -> bytes:
        ids = {"instance_id": self.instance_id, "deprecated_id": self.deprecated_id}
        return record(f"<q>{self.text}</q><photo>a.jpg</photo>", form_id=self.form_id, version=self.version, **ids)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.xml).hexdigest()


class History(RuleBasedStateMachine):
    """The phones, the people, and the model: what was acknowledged (`kept`, `files`), what waits for its form (`waiting`)."""

    store: Store
    blobs: BlobStore
    papers: Bundle[Paper] = Bundle("papers")
    early: Bundle[Paper] = Bundle("early")

    @initialize()
    def begin(self) -> None:
        self.intake = Intake(self.store, self.blobs)
        self.form_id, self.late_form = f"form{next(numbers)}", f"late{next(numbers)}"
        self.versions, self.published = count(1), set[str]()
        self.publish(self.form_id)
        self.kept: set[Paper] = set()
        self.files: set[tuple[str, str, str]] = set()
        self.waiting: set[Paper] = set()
        self.waiting_files: set[tuple[str, str, str]] = set()
        self.deleted: set[str] = set()
        self.names = count(1)

    def publish(self, form_id: str) -> None:
        self.published.add(form_id)
        publish_form(self.store, self.blobs, xform("<q/><photo/>", *BINDS, form_id=form_id, version=str(next(self.versions))))

    # the phones

    @rule(target=papers, version=st.sampled_from(["1", "2", "never"]))
    def fill_in(self, version: str) -> Paper:
        return Paper(self.form_id, f"v{next(self.names)}", version=version)

    @rule(target=papers, of=papers)
    def edit(self, of: Paper) -> Paper:
        return Paper(self.form_id, f"v{next(self.names)}", of.instance_id, text=of.text + "1")

    @rule(target=papers, of=papers)
    def fill_in_again_under_the_same_id(self, of: Paper) -> Paper:
        return replace(of, text=of.text + "0")

    @rule(target=papers)
    def send_an_edit_before_its_original(self) -> Paper:
        original = Paper(self.form_id, f"v{next(self.names)}")
        self.deliver(self.edit(original), set())
        return original

    @rule(target=early)
    def fill_in_a_form_that_is_not_here_yet(self) -> Paper:
        return Paper(self.late_form, f"v{next(self.names)}")

    @rule(paper=papers, photos=st.sets(st.sampled_from(PHOTOS)), other_bytes=st.booleans())
    def send(self, paper: Paper, photos: set[str], other_bytes: bool) -> None:
        self.deliver(paper, photos, other_bytes=other_bytes)

    @rule(paper=papers)
    def send_again_after_a_lost_answer(self, paper: Paper) -> None:
        self.deliver(paper, set())
        assert self.deliver(paper, set()).outcome == "duplicate"

    @rule(several=st.lists(papers, min_size=2, max_size=5))
    def send_at_the_same_moment(self, several: list[Paper]) -> None:
        with ThreadPoolExecutor(len(several)) as pool:
            list(pool.map(lambda paper: self.intake.receive(Delivery(PROJECT, paper.xml)), several))
        self.kept.update(several)

    @rule(paper=papers)
    def send_to_a_full_disk(self, paper: Paper) -> None:
        def full(_: Connection) -> None:
            raise Problem("disk_full")

        with pytest.raises(Problem) as refusal:
            Intake(Failing(self.store, full), self.blobs).receive(Delivery(PROJECT, paper.xml))  # type: ignore[arg-type]
        assert refusal.value.kind.status in {503, 507}

    @rule(paper=early, photos=st.sets(st.sampled_from(PHOTOS)))
    def send_early(self, paper: Paper, photos: set[str]) -> None:
        if self.late_form in self.published:
            self.deliver(paper, photos)
            return
        with pytest.raises(Problem) as refusal:
            self.intake.receive(self.delivery(paper, photos))
        assert refusal.value.kind.status == 404
        self.waiting.add(paper)
        self.waiting_files |= {(paper.instance_id, name, digest(name)) for name in photos}

    # the people

    @rule(state=st.sampled_from(form_life.STATES))
    def open_or_close_the_form(self, state: str) -> None:
        form_life.set_state(self.store, EVERYTHING, self.form_id, state)
        self.intake = Intake(self.store, self.blobs)  # another process, or this one two seconds later

    @rule()
    def publish_anew(self) -> None:
        self.publish(self.form_id)

    @rule()
    def publish_what_was_missing(self) -> None:
        if self.late_form not in self.published:
            self.publish(self.late_form)
            aside.take_in_for(self.store, self.blobs, self.intake, PROJECT, self.late_form)
            self.kept |= self.waiting
            self.files |= self.waiting_files
            self.waiting, self.waiting_files = set(), set()

    @rule(paper=papers, is_deletion=st.booleans())
    def delete_or_restore(self, paper: Paper, is_deletion: bool) -> None:
        with suppress(Problem):  # there may be no record under this id (yet, or any more)
            (reviews.delete if is_deletion else reviews.restore)(self.store, EVERYTHING, self.form_id, paper.instance_id)
            chain = next(chain for chain in self.chains().values() if paper.instance_id in chain)
            self.deleted = self.deleted - set(chain) | ({paper.instance_id} if is_deletion else set())

    @rule(paper=papers, state=st.sampled_from(reviews.STATES))
    def review(self, paper: Paper, state: str) -> None:
        with suppress(Problem):
            reviews.set_state(self.store, EVERYTHING, self.form_id, paper.instance_id, state, "seen")

    # the model

    @invariant()
    def every_version_ever_acknowledged_is_here_byte_for_byte_once(self) -> None:
        rows = self.rows(*(getattr(SubmissionVersion, name) for name in ("project_id", "form_id", "instance_id", "sha256", "xml")))
        kept = [(row.instance_id, open_xml(self.store.vault, row)) for row in rows]
        assert Counter(kept) == Counter((paper.instance_id, paper.xml) for paper in self.kept)

    @invariant()
    def every_file_of_every_acknowledged_delivery_is_here_once(self) -> None:
        rows = self.rows(Attachment.instance_id, Attachment.name, Attachment.sha256)
        assert Counter(map(tuple, rows)) == Counter(self.files)
        for _, _, sha256 in self.files:
            assert hashlib.sha256(self.blobs.path(sha256).read_bytes()).hexdigest() == sha256

    @invariant()
    def every_arrival_is_in_the_feed_once(self) -> None:
        rows = [tuple(row) for row in self.rows(Feed.kind, Feed.instance_id, Feed.sha256) if row.kind != "review"]
        versions = {("submission", paper.instance_id, paper.sha256) for paper in self.kept}
        assert Counter(rows) == Counter(versions | {("attachment", name, sha256) for name, _, sha256 in self.files})

    @invariant()
    def what_has_no_form_yet_waits_with_its_files(self) -> None:
        with self.store.read() as connection:
            query = select(KeptAside.sha256).filter_by(form_id=self.late_form, settled_at=None)
            found = set(connection.execute(query).scalars())
        assert found == {paper.sha256 for paper in self.waiting}

    @invariant()
    def every_chain_is_one_record_whatever_the_order_was(self) -> None:
        parents, chains = self.parents(), self.chains()
        columns = (
            Submission.instance_id,
            Submission.current_instance_id,
            Submission.answers,
            Submission.flags,
            Submission.deleted_at,
        )
        records = {row.instance_id: row for row in self.rows(*columns)}
        assert set(records) == set(chains)
        members = {tuple(row) for row in self.rows(SubmissionVersion.instance_id, SubmissionVersion.root_id)}
        assert members == {(member, root) for root, chain in chains.items() for member in chain}
        contents = Counter(paper.instance_id for paper in self.kept)
        for root, chain in chains.items():
            found, codes = records[root], {item["code"] for item in records[root].flags}
            children = Counter(parents[member] for member in chain if member != root)
            leaves = [member for member in chain if member not in children]
            is_fork, has_twins = any(number > 1 for number in children.values()), any(contents[member] > 1 for member in chain)
            assert found.current_instance_id in leaves
            assert ("edit_conflict" in codes, "instance_conflict" in codes) == (is_fork, has_twins)
            assert (HELD in codes) == bool(parents[root])
            assert self.deleted.isdisjoint(chain) or found.deleted_at is not None or "after_delete" in codes
            if not is_fork and not has_twins:
                assert {found.answers["q"]} == {paper.text for paper in self.kept if paper.instance_id == leaves[0]}

    # what the rules share

    def parents(self) -> dict[str, str]:
        return {paper.instance_id: paper.deprecated_id for paper in self.kept}

    def chains(self) -> dict[str, list[str]]:
        """The ids of every record, by the id of the first."""
        parents, found = self.parents(), dict[str, list[str]]()
        for member in parents:
            found.setdefault(root_of(member, parents), []).append(member)
        return found

    def deliver(self, paper: Paper, photos: set[str], *, other_bytes: bool = False) -> Receipt:
        receipt = self.intake.receive(self.delivery(paper, photos, other_bytes=other_bytes))
        self.kept.add(paper)
        self.files |= {(paper.instance_id, name, digest(name, other_bytes)) for name in photos}
        return receipt

    def delivery(self, paper: Paper, photos: set[str], *, other_bytes: bool = False) -> Delivery:
        files = [ReceivedFile((name,), self.blobs.put(content(name, other_bytes)), "image/jpeg") for name in sorted(photos)]
        return Delivery(PROJECT, paper.xml, tuple(files))

    def rows(self, *columns: Any) -> list[Any]:
        table = columns[0].class_
        with self.store.read() as connection:
            return list(connection.execute(select(*columns).where(table.form_id.in_([self.form_id, self.late_form]))))


class Failing:
    """A store that cannot write."""

    def __init__(self, store: Store, write: object) -> None:
        self.read, self.write, self.vault = store.read, write, store.vault


def content(name: str, other: bool = False) -> bytes:
    return f"{name} {other}".encode()


def digest(name: str, other: bool = False) -> str:
    return hashlib.sha256(content(name, other)).hexdigest()


def root_of(instance_id: str, parents: dict[str, str]) -> str:
    """The first version of the chain that is here."""
    while parents.get(instance_id, "") in parents:
        instance_id = parents[instance_id]
    return instance_id


def play(store: Store, blobs: BlobStore, examples: int) -> None:
    machine = type("Played", (History,), {"store": store, "blobs": blobs})
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large]
    run_state_machine_as_test(
        machine, settings=settings(max_examples=examples, stateful_step_count=25, suppress_health_check=checks, deadline=None)
    )


def test_nothing_is_stranded_lost_or_doubled_on_sqlite(sqlite_store: Store, blobs: BlobStore) -> None:
    play(sqlite_store, blobs, 40)


def test_nothing_is_stranded_lost_or_doubled_on_postgresql(postgres_store: Store, blobs: BlobStore) -> None:
    play(postgres_store, blobs, 12)
