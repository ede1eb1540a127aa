"""Servers that are pulled from again and again: kept with their password sealed, pulled from now or every so many hours.

The command line and the page of a project are two faces of this. What one pull did is kept beside the server.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from forms.problems import Problem
from records.access import Access, Right
from records.audit import note
from records.blobs import BlobStore
from records.models import PullServer
from records.store import Store
from sync.intake import Intake
from sync.pull.receiving import Receiver, Tally

if TYPE_CHECKING:
    from sync.pull.client import Client

CENTRAL, KOBO = "central", "kobo"
MOST_HOURS = 24 * 31
_SHOWN = [column for column in PullServer.__table__.columns if column.name != "secret"]


@dataclass(frozen=True, slots=True)
class Server:
    """Where to pull from, and who is let in there. `forms`: only these; `every_hours`: 0 for never by itself."""

    kind: str
    address: str
    user: str = ""
    secret: str = field(default="", repr=False)
    source_project: int = 1
    forms: Sequence[str] = ()
    every_hours: int = 0

    def client(self) -> "Client":
        """Who asks there, signed in. Raises `Problem` "value_invalid" or "source_failed"."""
        from sync.pull.client import Client, Key

        if self.kind == KOBO:
            return Client(self.address, Key("Token", self.secret))
        client = Client(self.address)
        client.sign_in(self.user, self.secret)
        return client

    def pull(self, receiver: Receiver, client: "Client") -> Tally:
        """Pull. Raises `Problem` "source_failed" or "not_found"; what came until then is kept."""
        from sync.pull.central import Central
        from sync.pull.kobo import Kobo

        if self.kind == KOBO:
            return Kobo(receiver, client).pull(self.forms)
        return Central(receiver, client, self.source_project).pull(self.forms)


def origin(client: "Client") -> str:
    """What is written beside all that comes from there."""
    return f"pull from {client.base}"


def add(store: Store, access: Access, server: Server) -> int:
    """Keep a server; its number. Raises `Problem` "value_invalid" or "not_allowed"."""
    access.require(Right.FORMS)
    from sync.pull.client import Client

    address = Client(server.address).base
    if server.kind not in {CENTRAL, KOBO}:
        raise Problem("value_invalid", "A server is of the kind central or kobo.")
    if not server.secret or (server.kind == CENTRAL and not server.user):
        raise Problem("value_invalid", "Give a name and a password; with KoBoToolbox the key.")
    user = server.user if server.kind == CENTRAL else ""
    row = {
        "project_id": access.project_id,
        "kind": server.kind,
        "address": address,
        "user": user,
        "secret": store.vault.seal(server.secret.encode(), *_place(access.project_id, server.kind, address, user)),
        "source_project": server.source_project,
        "forms": list(server.forms),
        "every_hours": _hours(server.every_hours),
        "added_at": datetime.now(UTC),
        "outcome": {},
    }

    def work(connection: Connection) -> int:
        note(connection, "pull.add", address, actor=access.actor, project_id=access.project_id, every_hours=server.every_hours)
        return connection.execute(insert(PullServer).values(row).returning(PullServer.id)).scalar_one()

    return store.write(work)


def listed(connection: Connection, access: Access) -> Sequence[Row[Any]]:
    """The servers of a project in the order they were added, without their secrets. Raises `Problem("not_allowed")`."""
    access.require(Right.FORMS)
    return connection.execute(select(*_SHOWN).filter_by(project_id=access.project_id).order_by(PullServer.id)).all()


def kept(connection: Connection, access: Access, number: int) -> Row[Any]:
    """One server, with its secret as it is sealed. Raises `Problem` "not_found" or "not_allowed"."""
    access.require(Right.FORMS)
    row = connection.execute(select(PullServer.__table__).filter_by(project_id=access.project_id, id=number)).first()
    if row is None:
        raise Problem("not_found", f"There is no server {number} to pull from.")
    return row


def set_hours(store: Store, access: Access, number: int, every_hours: int) -> None:
    """Pull every so many hours, or with 0 only when asked. Raises `Problem` "value_invalid", "not_found" or "not_allowed"."""
    access.require(Right.FORMS)
    hours = _hours(every_hours)

    def work(connection: Connection) -> None:
        row = kept(connection, access, number)
        connection.execute(update(PullServer).filter_by(id=number).values(every_hours=hours))
        note(connection, "pull.change", row.address, actor=access.actor, project_id=access.project_id, every_hours=hours)

    store.write(work)


def forget(store: Store, access: Access, number: int) -> None:
    """Forget a server and its password; what came from there stays. Raises `Problem` "not_found" or "not_allowed"."""
    access.require(Right.FORMS)

    def work(connection: Connection) -> None:
        row = kept(connection, access, number)
        connection.execute(delete(PullServer).filter_by(id=number))
        note(connection, "pull.forget", row.address, actor=access.actor, project_id=access.project_id)

    store.write(work)


def due(connection: Connection, now: datetime) -> list[tuple[int, int]]:
    """(project, number) of the servers whose time has come."""
    server = PullServer
    query = select(server.project_id, server.id, server.every_hours, server.tried_at)
    rows = connection.execute(query.where(server.every_hours > 0, server.begun_at.is_(None)).order_by(server.id)).all()
    return [
        (row.project_id, row.id) for row in rows if row.tried_at is None or row.tried_at + timedelta(hours=row.every_hours) <= now
    ]


def pull(store: Store, blobs: BlobStore, intake: Intake, access: Access, number: int) -> Tally:
    """Pull from a kept server and keep what that did.

    Raises `Problem` "busy" while somebody else does, "not_found", "not_allowed", "source_failed" or "personal_key_missing".
    """
    access.require(Right.FORMS)
    row = store.write(lambda connection: _claimed(connection, access, number))
    tally = Tally()
    try:
        secret = store.vault.open(row.secret, *_place(row.project_id, row.kind, row.address, row.user)).decode()
        server = Server(row.kind, row.address, row.user, secret, row.source_project, row.forms)
        client = server.client()
        receiver = Receiver(store, blobs, intake, access, origin(client))
        tally = receiver.tally
        server.pull(receiver, client)
    except Problem as problem:
        stopped(store, number, problem, tally)
        raise
    except BaseException as error:
        stopped(store, number, Problem("source_failed", type(error).__name__), tally)
        raise
    _done(store, number, tally, {}, met_at=datetime.now(UTC))
    return tally


def stopped(store: Store, number: int, problem: Problem, tally: Tally | None = None) -> None:
    """Keep why a pull broke off, if it is not kept yet that it ended."""
    _done(store, number, tally or Tally(), {"failure": {"code": problem.kind.code, "detail": problem.detail or ""}})


def forget_interrupted(connection: Connection) -> None:
    """After a start: nobody pulls any more who did before."""
    connection.execute(update(PullServer).values(begun_at=None))


def _done(store: Store, number: int, tally: Tally, more: dict[str, Any], **moments: datetime) -> None:
    values = {
        "begun_at": None,
        "tried_at": datetime.now(UTC),
        "outcome": {"counts": dict(tally.counts), "told": tally.told, **more},
        **moments,
    }
    pulling = update(PullServer).where(PullServer.id == number, PullServer.begun_at.is_not(None))
    store.write(lambda connection: connection.execute(pulling.values(values)))


def _claimed(connection: Connection, access: Access, number: int) -> Row[Any]:
    row = kept(connection, access, number)
    claim = update(PullServer).where(PullServer.id == number, PullServer.begun_at.is_(None)).values(begun_at=datetime.now(UTC))
    if not connection.execute(claim).rowcount:
        raise Problem("busy", f"{row.address} is being pulled from already.", hint="Wait until that is done.")
    return row


def _hours(every_hours: int) -> int:
    if not 0 <= every_hours <= MOST_HOURS:
        raise Problem("value_invalid", f"Every {every_hours} hours: 1 to {MOST_HOURS}, or 0 for never.")
    return every_hours


def _place(project_id: int, kind: str, address: str, user: str) -> tuple[str | int, ...]:
    """What the secret is sealed for: it cannot be sent anywhere else by changing the row."""
    return "pull", project_id, kind, address, user
