"""A station meets its hub: what each should have of the other, it has, and whole."""


from tests.support.records import LOSS, loss, new_id
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
