"""A station meets its hub: what each should have of the other, it has, and whole."""

from pathlib import Path

from sqlalchemy import select

from records.models import Attachment, FormMedia
from sync.relay.standing import standing
from tests.support.records import LOSS, VILLAGES, loss, new_id
from tests.support.relay import Node

PHOTO = b"\xff\xd8\xff" + bytes(5000)


def test_a_form_published_at_the_hub_is_on_the_station_and_its_records_at_the_hub(hub: Node, station: Node) -> None:
    hub.publish(LOSS.read_bytes())
    station.meet(hub)
    instance = new_id()
    station.receive(loss(instance, "1.jpg"), {"1.jpg": PHOTO})
    outcome = station.meet(hub)
    assert outcome.safe
    assert hub.versions() == station.versions()
    assert (hub.waiting(), station.waiting()) == ([], [])
    assert hub.records()[instance].answers == station.records()[instance].answers
    first = hub.records()[instance].first_received_at  # the station's day, not the hub's
    assert first is not None
    assert abs((first - station.records()[instance].received_at).total_seconds()) < 60
    assert station.records()[instance].first_received_at is None


def test_a_database_that_was_put_back_is_told_of_on_the_other_side(hub: Node, station: Node, tmp_path: Path) -> None:
    hub.publish(LOSS.read_bytes())
    station.meet(hub)
    station.receive(loss(new_id()))
    station.meet(hub)
    restore = station.backup(tmp_path / "earlier")
    station.receive(loss(new_id()))
    station.meet(hub)
    assert [peer.regressed for peer in standing(hub.answerer, hub.access).peers] == [False]
    restore()
    station.receive(loss(new_id()))
    assert station.meet(hub).regressed
    assert [peer.regressed for peer in standing(hub.answerer, hub.access).peers] == [True]
    assert [peer.regressed for peer in standing(station.answerer, station.access).peers] == [False]
    assert len(hub.records()) == 3


def test_a_form_whose_file_is_lost_at_the_hub_keeps_no_photo_from_it(hub: Node, station: Node) -> None:
    hub.publish(LOSS.read_bytes())
    station.meet(hub)
    hub.publish(VILLAGES.read_bytes(), media={"villages.csv": b"name,label\nw,W\n"})
    with hub.store.read() as connection:
        hub.blobs.remove(connection.execute(select(FormMedia.sha256)).scalar_one())
    instance = new_id()
    station.receive(loss(instance, "1.jpg"), {"1.jpg": PHOTO})
    outcome = station.meet(hub)
    assert (outcome.files_got, outcome.files_sent) == (1, 1)
    assert "files" in station.waiting()
    with hub.store.read() as connection:
        assert connection.execute(select(Attachment.name)).scalars().all() == ["1.jpg"]
