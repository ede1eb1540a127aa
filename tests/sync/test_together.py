"""Records taken in together end exactly as the same records one after the other, whatever they are and however they are cut."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, LargeBinary, delete, event, insert, select

from forms.problems import Problem
from records.blobs import BlobStore
from records.models import (
    Attachment,
    Base,
    Entity,
    EntityAction,
    EntityList,
    Feed,
    KeptAside,
    Project,
    Submission,
    SubmissionVersion,
)
from records.models.base import Moment
from records.personal import open_xml
from records.publishing import publish
from records.store import Store
from sync import entities, fold, intake
from sync.delivery import Delivery, Receipt, ReceivedFile
from sync.intake import Intake
from tests.support.entities import household, household_form, uuid_of
from tests.support.small import record, xform
from tests.sync.test_fold import PHOTO_FORM, Version, arrivals

ONE_BY_ONE, TOGETHER = 1, 2
"""Two projects with the same forms."""
TABLES: list[type[Base]] = [Feed, Attachment, Submission, SubmissionVersion, KeptAside, EntityAction, Entity, EntityList]
_OWN = {"project_id", "id", "position", "revision"}  # numbers of the row, and how often a list was written
Sent = tuple[bytes, tuple[str, ...]]
"""XML and the names of files."""


@pytest.fixture
def taken(store: Store, blobs: BlobStore) -> Intake:
    with store.engine.begin() as connection:
        row = dict(connection.execute(select(Project.__table__)).mappings().one())
        connection.execute(insert(Project), {**row, "id": TOGETHER, "account": "together"})
    for project_id in (ONE_BY_ONE, TOGETHER):
        publish(store, blobs, project_id, xform=xform("<q/><photo/>", *PHOTO_FORM), source_name="test")
        publish(store, blobs, project_id, xform=household_form(), source_name="test")
    return Intake(store, blobs)


def delivery(blobs: BlobStore, project_id: int, sent: Sent) -> Delivery:
    xml, names = sent
    files = tuple(ReceivedFile((name,), blobs.put(name.encode()), "image/jpeg") for name in names)
    return Delivery(project_id, xml, files, device_id="collect:1")


def photo_record(version: Version) -> bytes:
    content = f"<q>{version.text}</q>" + "".join(f"<photo>{name}</photo>" for name in version.photos[:1])
    return record(content, instance_id=version.instance_id, deprecated_id=version.deprecated_id)


def told(work: Callable[[Delivery], Receipt], given: Delivery) -> Receipt | str:
    """The receipt, or the code of what was wrong."""
    try:
        return work(given)
    except Problem as problem:
        return problem.kind.code


def kept(store: Store, project_id: int) -> dict[str, list[dict[str, Any]]]:
    """All rows of a project: without when they were written, and without what is sealed, which is opened."""
    with store.read() as connection:
        return {table.__tablename__: list(_rows(store, connection, table, project_id)) for table in TABLES}


def _rows(store: Store, connection: Connection, model: type[Base], project_id: int) -> Iterator[dict[str, Any]]:
    table = model.__table__
    shown = [each.name for each in table.c if each.name not in _OWN and not isinstance(each.type, Moment | LargeBinary)]
    order = {Feed: [table.c.get("position")], EntityAction: [table.c.get("id")]}.get(model, list(table.primary_key))
    for row in connection.execute(select(table).filter_by(project_id=project_id).order_by(*order)):
        if model is not Feed or row.kind != "entity":  # told once for all that was asked together
            xml = {"xml": open_xml(store.vault, row)} if model is SubmissionVersion else {}
            yield {name: getattr(row, name) for name in shown} | xml


def emptied(connection: Connection) -> None:
    for table in TABLES:
        if table is not EntityList:
            connection.execute(delete(table))


@st.composite
def households(draw: st.DrawFn) -> list[bytes]:
    """Records that make two households, some of them again. How changes are merged depends on when they are looked at."""
    uuids = draw(st.lists(st.sampled_from(["H-1", "H-2"]), max_size=4))
    return [household(f"h{number}", uuid_of(name), herd=str(number)) for number, name in enumerate(uuids)]


@st.composite
def plans(draw: st.DrawFn) -> tuple[list[Sent], list[int]]:
    """What comes, in its order, and how many are taken together each time."""
    _, photos = draw(arrivals())
    sent: list[Sent] = [(photo_record(version), names) for version, names in photos]
    sent += [(xml, ()) for xml in draw(households())]
    sent += draw(st.lists(st.sampled_from([(b"<data", ()), (b'<data id="never"/>', ("x.jpg",))]), max_size=1))
    return draw(st.permutations(sent)), draw(st.lists(st.integers(1, 12), min_size=1, max_size=4))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plans())
def test_what_is_taken_in_together_ends_as_one_after_the_other(
    taken: Intake, store: Store, blobs: BlobStore, plan: tuple[list[Sent], list[int]]
) -> None:
    sent, cuts = plan
    store.write(emptied)
    alone = [told(taken.receive, delivery(blobs, ONE_BY_ONE, each)) for each in sent]
    together, at = list[Receipt | Exception](), 0
    while at < len(sent):
        count = cuts[at % len(cuts)]
        together += taken.receive_all([delivery(blobs, TOGETHER, each) for each in sent[at : at + count]])
        at += count
    assert [each.kind.code if isinstance(each, Problem) else each for each in together] == alone
    assert kept(store, TOGETHER) == kept(store, ONE_BY_ONE)


def plain(count: int, first: int = 0) -> list[Sent]:
    return [(photo_record(Version(f"uuid:{first + number}")), ()) for number in range(count)]


def send(taken: Intake, blobs: BlobStore, sent: Sequence[Sent]) -> list[Receipt | Exception]:
    return taken.receive_all([delivery(blobs, TOGETHER, each) for each in sent])


def outcomes(became: Sequence[Receipt | Exception]) -> list[str]:
    return [each.outcome if isinstance(each, Receipt) else type(each).__name__ for each in became]


def test_many_cost_as_many_statements_as_few(taken: Intake, store: Store, blobs: BlobStore) -> None:
    statements: list[str] = []
    send(taken, blobs, plain(1))  # what is looked up once
    event.listen(store.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    counts = []
    for count in (2, 100):
        statements.clear()
        assert outcomes(send(taken, blobs, plain(count, 1000 * count))) == ["created"] * count
        counts.append(len([each for each in statements if "current_version" not in each]))  # every two seconds
    assert counts[0] == counts[1]


def test_one_that_cannot_be_kept_does_not_cost_the_others(
    taken: Intake, store: Store, blobs: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete = intake._Work.complete

    def failing(work: Any, *given: Any) -> Receipt:
        if work.incoming.instance_id == "uuid:1":
            raise ValueError("this one")
        return complete(work, *given)

    monkeypatch.setattr(intake._Work, "complete", failing)
    assert outcomes(send(taken, blobs, plain(3))) == ["created", "ValueError", "created"]
    assert [row["instance_id"] for row in kept(store, TOGETHER)["submission"]] == ["uuid:0", "uuid:2"]


def test_what_somebody_else_brings_at_the_same_moment_is_told_one_by_one(
    taken: Intake, blobs: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    relatives, looks = fold._relatives, list[int]()
    send(taken, blobs, plain(1))

    def before(connection: Connection, arrivals: Sequence[Any]) -> Any:
        looks.append(len(arrivals))
        return [[] for _ in arrivals] if len(looks) == 1 else relatives(connection, arrivals)  # it looked a moment earlier

    monkeypatch.setattr(fold, "_relatives", before)
    assert outcomes(send(taken, blobs, plain(3))) == ["duplicate", "created", "created"]
    assert looks == [3, 1, 1, 1]


def test_a_server_that_can_keep_nothing_says_so_at_once(
    taken: Intake, store: Store, blobs: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []

    def full(_: object) -> None:
        tries.append(1)
        raise Problem("disk_full")

    monkeypatch.setattr(store, "write", full)
    with pytest.raises(Problem):
        send(taken, blobs, plain(3))
    assert len(tries) == 1


def test_what_many_records_ask_of_lists_is_done_at_once_but_for_what_cannot_be(
    taken: Intake, store: Store, blobs: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, writes = entities._settle_one, list[int]()
    bad = uuid_of("H-3")

    def failing(connection: Connection, project_id: int, name: str, uuid: str) -> None:
        if uuid == bad:
            raise ValueError("this one")
        one(connection, project_id, name, uuid)

    write = store.write
    monkeypatch.setattr(store, "write", lambda work: writes.append(1) or write(work))  # type: ignore[func-returns-value]
    sent = [(household(f"h{number}", uuid_of(f"H-{number}")), ()) for number in range(6)]
    send(taken, blobs, sent[:3])
    assert len(writes) == 2  # the records, and the households
    monkeypatch.setattr(entities, "_settle_one", failing)
    send(taken, blobs, sent[3:])
    found = kept(store, TOGETHER)
    assert [row["state"] for row in found["entity_action"]] == ["applied"] * 3 + ["waiting", "applied", "applied"]
    assert len(found["submission"]) == 6
