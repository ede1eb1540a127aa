"""Nodes of the relay for tests: each with a database, files and an identity of its own, and no network between them."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Row, select

from records.access import Access
from records.blobs import BlobStore
from records.models import RelayRecord, Submission, SubmissionVersion
from records.store import Store, open_engine
from records.vault import Vault
from sync.delivery import Delivery, Receipt, ReceivedFile
from sync.intake import Intake
from sync.relay import enrolment, projects
from sync.relay.answering import Answerer
from sync.relay.comparing import Sums
from sync.relay.identity import Identity, kept_identity
from sync.relay.meeting import Call, Meeting, Outcome
from sync.relay.scribes import scribe_of
from sync.relay.settling import Settler
from tests.support.stores import PROJECT, publish_form


def joined(node: "Node", hub: "Node") -> "Node":
    """The node, as a station of the hub that has its forms."""
    node.enrol(hub)
    node.meet(hub)
    return node


@dataclass
class Node:
    """A node: `folder` holds its files, `url` is where its database is."""

    name: str
    folder: Path
    url: str
    access: Access = field(default_factory=lambda: Access.everything(PROJECT, "test"))
    sums: Sums = field(default_factory=Sums)

    def __post_init__(self) -> None:
        self.vault = Vault(self.folder / "keys" / "personal.key")
        if not self.vault.can_open():
            self.vault.add_key()
        self.open()

    def open(self) -> None:
        """Start, as a process does."""
        self.store = Store(open_engine(self.url), vault=self.vault)
        self.blobs = BlobStore(self.folder / "blobs", self.vault)
        self.intake = Intake(self.store, self.blobs)
        self.me: Identity = kept_identity(self.folder / "keys" / "relay.key")
        self.answerer = Answerer(self.store, self.blobs, self.me, self.folder / "relay")
        self.settler = Settler(self.store, self.blobs, self.intake, self.me)

    def close(self) -> None:
        """Stop."""
        self.store.close()

    @property
    def database(self) -> Path:
        """The file of its database (SQLite)."""
        return Path(self.url.removeprefix("sqlite:///"))

    def publish(self, xform: bytes, **more: Any) -> str:
        """Publish a form here."""
        return publish_form(self.store, self.blobs, xform, **more)

    def receive(self, xml: bytes, files: dict[str, bytes] | None = None) -> Receipt:
        """Take a record as from a phone."""
        kept = tuple(ReceivedFile((name,), self.blobs.put(data, sealed=True), "image/jpeg") for name, data in (files or {}).items())
        return self.intake.receive(Delivery(PROJECT, xml, kept, device_id="collect:test"))

    def peer(self, other: "Node") -> Row[Any]:
        """What this node knows of another."""
        with self.store.read() as connection:
            return projects.node(connection, other.me.node_id)

    def enrol(self, hub: "Node", country: str = "") -> None:
        """Join a hub by a code, as a station, or as the hub of a country."""
        more: dict[str, Any] = {"role": projects.COUNTRY, "grants": (f"shared:{country}",)} if country else {}
        code = enrolment.Code.read(str(enrolment.invite(hub.store, hub.me, hub.access, self.name, "http://hub", **more)))
        enrolment.join(self.store, self.me, self.access, code, self.name, hub.answerer.answer)

    def write_down(self) -> None:
        """Have its scribe put into the log what arrived."""
        scribe_of(self.answerer, PROJECT).run()

    def settle(self) -> int:
        """Make what came part of what people see."""
        return self.settler.run()

    def meet(self, hub: "Node", call: Call | None = None, *, settle: bool = True, files: bool = True) -> Outcome:
        """Meet the hub; both settle before and after."""
        if settle:
            self.settle()
            hub.settle()
        hub.write_down()
        self.write_down()
        outcome = Meeting(self.answerer, self.peer(hub), call or hub.answerer.answer).run(files=files)
        if settle:
            hub.settle()
            self.settle()
        return outcome

    def check_sums(self) -> None:
        """What was summed of its log, whatever became of it since, is what is in it."""
        with self.store.snapshot() as connection:
            for channel, origin in connection.execute(select(RelayRecord.channel, RelayRecord.origin).distinct()).all():
                known = self.sums.whole(connection, channel, of=origin)
                assert known == Sums().whole(connection, channel, of=origin)

    def ids(self) -> set[str]:
        """The records in its log."""
        with self.store.read() as connection:
            return set(connection.execute(select(RelayRecord.id)).scalars())

    def waiting(self) -> list[str]:
        """Why records wait."""
        with self.store.read() as connection:
            return [
                str(each)
                for each in connection.execute(select(RelayRecord.waiting).where(RelayRecord.waiting.is_not(None))).scalars()
            ]

    def records(self) -> dict[str, Row[Any]]:
        """What people see, by instance id."""
        with self.store.read() as connection:
            return {row.instance_id: row for row in connection.execute(select(*Submission.__table__.columns))}

    def versions(self) -> set[tuple[str, str]]:
        """(instance id, digest) of everything that was ever submitted and is here."""
        with self.store.read() as connection:
            return {tuple(row) for row in connection.execute(select(SubmissionVersion.instance_id, SubmissionVersion.sha256))}

    def backup(self, to: Path) -> Callable[[], None]:
        """Copy the database; the function puts it back. Files stay as they are."""
        self.close()
        shutil.copy(self.database, to)
        self.open()

        def restore() -> None:
            self.close()
            for leftover in self.database.parent.glob(f"{self.database.name}-*"):
                leftover.unlink()
            shutil.copy(to, self.database)
            self.open()

        return restore
