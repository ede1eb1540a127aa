"""An intake with the form of the checks, and a checker, for tests that send records and look at them."""

from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from records.blobs import BlobStore
from records.models import Submission
from records.store import Store
from sync.checks import Checker
from sync.delivery import Delivery, ReceivedFile
from sync.intake import Intake
from tests.support.cases import GOOD, elements, form, joined
from tests.support.small import record
from tests.support.stores import PROJECT, publish_form


class Desk:
    """Takes records in and looks at them."""

    def __init__(self, store: Store, blobs: BlobStore) -> None:
        self.store, self.blobs = store, blobs
        publish_form(store, blobs, form())
        self.intake, self.checker = Intake(store, blobs), Checker(store, blobs)

    def send(
        self,
        instance_id: str,
        answers: dict[str, Any] | None = None,
        files: dict[str, bytes] | None = None,
        *,
        received_at: datetime | None = None,
        device_id: str = "collect:a",
        **more: Any,
    ) -> None:
        """Send a good record with these answers over it; as if it had come at that moment."""
        content = joined(GOOD, answers or {})
        kept = tuple(ReceivedFile((name,), self.blobs.put(data), "image/jpeg") for name, data in (files or {}).items())
        xml = record(elements(content), form_id="conflict_livestock", instance_id=instance_id, **more)
        self.intake.receive(Delivery(PROJECT, xml, kept, device_id=device_id))
        if received_at is not None:
            self.change(instance_id, received_at=received_at)

    def change(self, instance_id: str, **values: Any) -> None:
        """Change the row of a record."""
        change = update(Submission).filter_by(instance_id=instance_id).values(values)
        self.store.write(lambda connection: connection.execute(change))

    def row(self, instance_id: str) -> Any:
        """The row of a record."""
        with self.store.read() as connection:
            return connection.execute(select(*Submission.__table__.columns).filter_by(instance_id=instance_id)).one()

    def codes(self, instance_id: str) -> list[str]:
        """The codes of its flags."""
        return [item["code"] for item in self.row(instance_id).flags]
