"""Reports and visits put into a database and looked at by the checks, for the tests of incidents."""

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import delete, select, update

from records.blobs import BlobStore
from records.incidents.references import BEGINNERS
from records.models import IncidentPair, Submission
from records.store import Store
from sync.checks import Checker
from sync.incidents.visits import VISITS
from tests.support.conflict import insert_record
from tests.support.records import FLOCK, renamed
from tests.support.stores import PROJECT, publish_form
from tests.support.twins import FORM, Told

DAY = date(2026, 3, 1)
HERE = (36.5, 52.0, 8.0)
CAME = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def told(
    instance_id: str,
    *,
    point: tuple[float, float, float | None] | None = HERE,
    day: date = DAY,
    household: str = "IR-01-001",
    reporter: str = "H-1",
    role: str = "herder",
    device: str = "",
    predator: str = "leopard",
    killed: int = 2,
    **answers: Any,
) -> Told:
    """A report of two sheep killed by a leopard in the night."""
    content = {
        "submission_purpose": "real",
        "consent": "yes",
        "consent_share": "yes",
        "country": "IR",
        "reporter": {"reporter_role": role, "reporter_code": reporter, "household_code": household},
        "when": {"event_date": day.isoformat(), "date_precision": "exact", "time_of_day": "night"},
        "where": {"loc_method": "here"},
        "losses_g": {"loss": [{"species": "sheep", "n_killed": killed, "n_injured": 0, "n_missing": 0}]},
        "cause": {"predator": predator, "confidence": "certain"},
    }
    return Told(instance_id, 0, day, point, device or f"phone-{reporter}", content | answers)


def ranger(instance_id: str, **other: Any) -> Told:
    """The same by a ranger."""
    return told(instance_id, **({"reporter": "R-1", "role": "ranger"} | other))


class Desk:
    """A database with the checks."""

    def __init__(self, store: Store, blobs: BlobStore) -> None:
        self.store = store
        for form_id in (*BEGINNERS, *VISITS):
            publish_form(store, blobs, renamed(FLOCK, form_id, version="1"))
        self.checker = Checker(store, blobs)

    def take(self, *reports: Told, received_at: datetime = CAME) -> None:
        """Keep these reports and check them."""
        for each in reports:
            self.keep(each, received_at)
        self.checker.run()

    def keep(self, report: Told, received_at: datetime = CAME) -> None:
        """Keep a report, or its new content."""
        place = report.point or (None, None, None)

        def work(connection: Any) -> None:
            values = {"place": place, "day": report.day, "received_at": received_at, "project_id": PROJECT}
            insert_record(connection, report.instance_id, report.answers, **values)
            changed = dict(zip(("latitude", "longitude", "accuracy"), place, strict=True))
            row = update(Submission).filter_by(form_id=FORM, instance_id=report.instance_id)
            connection.execute(
                row.values(**changed, answers=report.answers, event_date=report.day, device_id=report.device, checked=0)
            )

        self.store.write(work)

    def visit(self, instance_id: str, form_id: str, received_at: datetime = CAME, **answers: Any) -> None:
        """Keep a visit and check it."""
        content = {"submission_purpose": "real"} | answers
        place = (None, None, None)

        def work(connection: Any) -> None:
            insert_record(connection, instance_id, content, form_id=form_id, day=None, place=place, received_at=received_at)
            row = update(Submission).filter_by(form_id=form_id, instance_id=instance_id)
            connection.execute(row.values(answers=content, received_at=received_at, checked=0))

        self.store.write(work)
        self.checker.run()

    def pairs(self) -> list[tuple[str, str, str, str]]:
        """(first, second, band, decision) of all pairs."""
        with self.store.read() as connection:
            pair = IncidentPair
            columns = (pair.first_id, pair.second_id, pair.band, pair.decision)
            return sorted(tuple(row) for row in connection.execute(select(*columns)))  # type: ignore[misc]

    def row(self, instance_id: str) -> Any:
        """The record as kept."""
        with self.store.read() as connection:
            return connection.execute(select(*Submission.__table__.columns).filter_by(instance_id=instance_id)).one()

    def flags(self, instance_id: str) -> list[tuple[str, str]]:
        """(code, message) of its flags about incidents that nobody settled."""
        about = ("twin_", "reference_")
        items = self.row(instance_id).flags
        return [(each["code"], each["message"]) for each in items if each["code"].startswith(about) and "settled" not in each]

    def empty(self) -> None:
        """Remove all records."""
        self.store.write(lambda connection: connection.execute(delete(Submission)))
