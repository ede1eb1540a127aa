"""A laptop whose clock is wrong by years: what comes is taken, and keeps its order."""

from datetime import datetime, tzinfo

import pytest

from records.access import Access
from records.arrivals import arrived
from records.blobs import BlobStore
from records.store import Store
from sync import fold, intake
from sync.delivery import Delivery
from sync.intake import Intake
from tests.support.small import asked, record
from tests.support.stores import PROJECT, publish_form


class FiveYearsBack(datetime):
    """The clock after the battery was empty."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "FiveYearsBack":
        today = datetime.now(tz)
        return cls.combine(today.replace(year=today.year - 5, day=1), today.timetz())


def test_t186_records_keep_their_order_when_the_clock_jumps_by_years(
    store: Store, blobs: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_form(store, blobs, asked("string"))
    receiving = Intake(store, blobs)

    def send(instance_id: str, deprecated_id: str = "") -> str:
        xml = record(f"<q>{instance_id}</q>", instance_id=instance_id, deprecated_id=deprecated_id)
        return receiving.receive(Delivery(PROJECT, xml)).outcome

    assert send("first") == "created"
    with monkeypatch.context() as wrong:
        wrong.setattr(intake, "datetime", FiveYearsBack)
        wrong.setattr(fold, "datetime", FiveYearsBack)
        assert send("second") == "created"
        assert send("edit of the first", "first") == "edited"
        assert send("second") == "duplicate"
    assert send("third") == "created"
    with store.read() as connection:
        order = arrived(connection, Access.everything(PROJECT, "test"), "small", after=0, limit=10)
    assert [row.current_instance_id for row in order] == ["second", "edit of the first", "third"]
