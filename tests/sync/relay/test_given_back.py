"""A station whose database was put back, or began anew with its key, gets its own reports back from the hub, and only these."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from forms.problems import Problem
from records import reviews
from records.models import RelayRecord, ReviewEvent, SubmissionVersion
from sync.relay import sticks
from sync.relay.meeting import Meeting
from sync.relay.scribe import SUBMISSION
from tests.support.records import FLOCK, LOSS, flock, loss, new_id
from tests.support.relay import Node
from tests.sync.relay.conftest import NewNode
from tests.sync.relay.test_requirements import PHOTO, decided, files_of, review


@pytest.fixture
def hub(new_node: NewNode) -> Node:
    return new_node("hub", forms=(LOSS.read_bytes(), FLOCK.read_bytes()))


def signed(node: Node) -> int:
    """How many submissions the node ever signed, as far as is known here."""
    with node.store.read() as connection:
        return connection.execute(select(func.count()).where(RelayRecord.kind == SUBMISSION)).scalar_one()


def forget_files(node: Node) -> None:
    """The disk with the files was lost too."""
    for path in (node.folder / "blobs").rglob("*"):
        if path.is_file():
            path.unlink()


def a_day_at_the_station(west: Node, hub: Node) -> list[str]:
    """A report with two photos, one of which came later, an edit, a decision and a comment, all of it at the hub."""
    first, second, edit = new_id(), new_id(), new_id()
    xml = loss(first, "1.jpg", ("2.jpg",))
    west.receive(xml, {"1.jpg": PHOTO})
    long_ago = update(SubmissionVersion).values(received_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    west.store.write(lambda connection: connection.execute(long_ago))  # signed anew, it would say another second
    west.meet(hub)
    west.receive(xml, {"2.jpg": PHOTO + b"2"})
    west.receive(flock(second, sheep="1"))
    west.receive(flock(edit, sheep="90", deprecated_id=second))
    review(west, second, "approved")
    reviews.comment(west.store, west.access, "flock_count", second, "counted twice")
    assert west.meet(hub).safe
    return [first, second]


def is_whole(west: Node, hub: Node, first: str, second: str) -> None:
    assert west.versions() == hub.versions()
    assert files_of(west) == files_of(hub) == {(first, "1.jpg"), (first, "2.jpg")}
    assert set(west.records()) == {first, second}
    assert west.records()[second].answers["sheep"] == 90
    assert decided(west, second) == ("approved", set())
    with west.store.read() as connection:
        said = connection.execute(select(ReviewEvent.actor, ReviewEvent.comment).filter_by(action="comment")).all()
    assert [tuple(row) for row in said] == [("test", "counted twice")]
    assert west.waiting() == []


@pytest.mark.parametrize("is_disk_lost", [False, True])
def test_a_station_that_was_put_back_gets_its_reports_files_and_decisions_back(
    hub: Node, west: Node, tmp_path: Path, is_disk_lost: bool
) -> None:
    back = west.backup(tmp_path / "backup")
    first, second = a_day_at_the_station(west, hub)
    count = signed(hub)
    back()
    if is_disk_lost:
        forget_files(west)
    assert west.meet(hub).safe
    is_whole(west, hub, first, second)
    assert west.meet(hub).safe
    assert signed(hub) == signed(west) == count
    assert west.ids() == hub.ids()


def test_a_station_that_begins_anew_with_its_key_gets_everything_back(hub: Node, west: Node, new_node: NewNode) -> None:
    first, second = a_day_at_the_station(west, hub)
    count = signed(hub)
    reborn = new_node("reborn")
    reborn.close()
    (reborn.folder / "keys" / "relay.key").write_bytes((west.folder / "keys" / "relay.key").read_bytes())
    reborn.open()
    reborn.enrol(hub)
    for _ in range(2):
        assert reborn.meet(hub).safe
    is_whole(reborn, hub, first, second)
    assert signed(hub) == signed(reborn) == count


def test_what_the_phone_sends_again_before_the_hub_is_met_is_one_report(hub: Node, west: Node, tmp_path: Path) -> None:
    back = west.backup(tmp_path / "backup")
    instance = new_id()
    west.receive(loss(instance, "1.jpg"), {"1.jpg": PHOTO})
    west.meet(hub)
    back()
    west.receive(loss(instance, "1.jpg"), {"1.jpg": PHOTO})
    for _ in range(2):
        assert west.meet(hub).safe
    assert west.versions() == hub.versions()
    assert len(hub.records()) == len(west.records()) == 1
    assert files_of(hub) == files_of(west) == {(instance, "1.jpg")}


def test_a_photo_that_came_only_after_the_backup_was_put_back_reaches_the_hub(hub: Node, west: Node, tmp_path: Path) -> None:
    back = west.backup(tmp_path / "backup")
    instance = new_id()
    xml = loss(instance, "1.jpg", ("2.jpg",))
    west.receive(xml, {"1.jpg": PHOTO})
    west.meet(hub)
    back()
    west.meet(hub)
    west.receive(xml, {"2.jpg": PHOTO + b"2"})
    assert west.meet(hub).safe
    assert files_of(hub) == files_of(west) == {(instance, "1.jpg"), (instance, "2.jpg")}


def test_a_report_that_is_half_back_when_the_line_breaks_comes_whole_the_next_time(hub: Node, west: Node, tmp_path: Path) -> None:
    back = west.backup(tmp_path / "backup")
    for _ in range(5):
        west.receive(flock(new_id()))
    west.meet(hub)
    back()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sync.relay.meeting.MOST_AGAIN", 2)
        questions = 0

        def breaking(packet: bytes) -> bytes:
            nonlocal questions
            questions += 1
            if questions > 6:
                raise Problem("relay_unreachable", "the line broke")
            return hub.answerer.answer(packet)

        with pytest.raises(Problem):
            west.meet(hub, breaking)
    assert west.meet(hub).safe
    assert west.versions() == hub.versions()
    assert len(west.records()) == 5


def test_a_station_never_gets_the_reports_of_another(hub: Node, west: Node, east: Node) -> None:
    instance = new_id()
    west.receive(loss(instance, "1.jpg"), {"1.jpg": PHOTO})
    west.meet(hub)
    east.receive(flock(new_id()))
    east.meet(hub)
    with hub.store.read() as connection:
        of_west = list(connection.execute(select(RelayRecord.id).filter_by(origin=west.me.node_id)).scalars())
    meeting = Meeting(east.answerer, east.peer(hub), hub.answerer.answer)
    assert meeting._ask("again", ids=of_west, most=100_000).data == (0).to_bytes(4, "big")
    ((sha256, _),) = {(row[1], row[0]) for row in _files(hub)}
    with pytest.raises(Problem, match="is not for"):
        meeting._ask("get", sha256=sha256, offset=0, most=100_000)
    of_its_own = Meeting(west.answerer, west.peer(hub), hub.answerer.answer)
    assert of_its_own._ask("get", sha256=sha256, offset=0, most=100_000).data == PHOTO


def _files(node: Node) -> list[tuple[str, str]]:
    with node.store.read() as connection:
        rows = connection.execute(select(RelayRecord.files)).scalars().all()
    return [(name, sha256) for files in rows for name, sha256, _ in files]


def test_by_stick_a_station_gets_its_own_back_too(hub: Node, west: Node, tmp_path: Path) -> None:
    back = west.backup(tmp_path / "backup")
    first, second = a_day_at_the_station(west, hub)
    count = signed(hub)
    back()
    forget_files(west)
    stick = tmp_path / "stick"
    for _ in range(3):
        stick.mkdir()
        for one, other in ((west, hub), (hub, west)):
            sticks.write(one.answerer, one.peer(other), stick)
            sticks.bring(other.answerer, stick)
            other.settle()
        stick.rename(tmp_path / new_id())
    is_whole(west, hub, first, second)
    assert west.peer(hub).state["safe"]
    assert signed(hub) == signed(west) == count
    assert west.meet(hub).pushed == 0
