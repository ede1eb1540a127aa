"""What was refused because nobody could say what it is: of a form never known here, or unreadable. It is kept where a person sees
it, and taken in when its form is published.
"""

import contextlib
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, select, update

from forms.problems import Problem
from records.access import Access, Right
from records.audit import note
from records.blobs import BlobStore
from records.file_kinds import HEAD_BYTES, kind_of
from records.models import AppUser, KeptAside
from records.orphans import ERASED, remove_files
from records.store import Store, insert_new
from sync.delivery import Delivery, Receipt, ReceivedFile

if TYPE_CHECKING:
    from sync.intake import Intake

_PLACE = re.compile(r"line \d+, column \d+")


def keep(store: Store, blobs: BlobStore, delivery: Delivery, problem: Problem, form_id: str) -> None:
    """Keep the bytes of a refused delivery, once however often a phone repeats it."""
    now, sha256 = datetime.now(UTC), blobs.put(delivery.xml, sealed=True).sha256
    row = {
        "project_id": delivery.project_id,
        "sha256": sha256,
        "reason": problem.kind.code,
        "detail": _where(problem),
        "form_id": form_id,
        "first_at": now,
        "last_at": now,
        "times": 1,
        "app_user_id": delivery.app_user_id,
        "device_id": delivery.device_id,
        "user_agent": delivery.user_agent,
        "files": [[*file.names, file.blob.sha256] for file in delivery.files],
    }
    if not store.write(lambda connection: _insert(connection, row)):
        remove_files(store, blobs, [sha256, *(file.blob.sha256 for file in delivery.files)])


def _where(problem: Problem) -> str:
    """What is told of a refusal. Of XML that cannot be read only where: the words of the parser quote what people said."""
    if problem.kind.code != "xml_unreadable":
        return problem.detail
    place = _PLACE.search(problem.detail)
    return place[0] if place else ""


def _insert(connection: Connection, row: dict[str, Any]) -> bool:
    """Note that it came, once more; False for what was erased and is not to be kept again."""
    if connection.execute(insert_new(connection, KeptAside), row).rowcount:
        return True
    key = {"project_id": row["project_id"], "sha256": row["sha256"]}
    if connection.execute(select(KeptAside.reason).filter_by(**key)).scalar() == ERASED:
        return False
    before: list[Any] = connection.execute(select(KeptAside.files).filter_by(**key).with_for_update()).scalar() or []
    files = [*before, *(file for file in row["files"] if file not in before)]
    connection.execute(update(KeptAside).filter_by(**key).values(last_at=row["last_at"], times=KeptAside.times + 1, files=files))
    return True


def waiting(connection: Connection, access: Access, *, limit: int = 100) -> Sequence[Row[Any]]:
    """What waits for a person, the newest first: the columns of `kept_aside`, and `app_user`, the name of the phone."""
    access.require(Right.REVIEW)
    query: Any = (
        select(*KeptAside.__table__.columns, AppUser.name.label("app_user"))
        .join_from(KeptAside, AppUser, AppUser.id == KeptAside.app_user_id, isouter=True)
        .where(KeptAside.project_id == access.project_id, KeptAside.settled_at.is_(None))
    )
    rows: Sequence[Row[Any]] = connection.execute(query.order_by(KeptAside.last_at.desc()).limit(limit)).all()
    return rows


def found(connection: Connection, access: Access, sha256: str) -> Row[Any]:
    """What was kept aside under this digest, settled or not. Raises `Problem("not_found")`."""
    access.require(Right.REVIEW)
    key = {"project_id": access.project_id, "sha256": sha256}
    row = connection.execute(select(*KeptAside.__table__.columns).filter_by(**key)).first()
    if row is None:
        raise Problem("not_found", f"Nothing with the digest {sha256} was kept aside.")
    return row


def take_in(store: Store, blobs: BlobStore, intake: "Intake", access: Access, sha256: str) -> Receipt:
    """Take in what was kept aside, as if it came now. Raises `Problem` not_found, or again what it was refused for."""
    with store.read() as connection:
        row = found(connection, access, sha256)
    files = []
    for *names, digest in row.files:
        if blobs.has(digest):
            with blobs.open(digest) as file:
                kind = kind_of(file.read(HEAD_BYTES), names[0])
            files.append(ReceivedFile(tuple(names), blobs.described(digest), kind))
    with blobs.open(sha256) as file:
        xml = file.read()
    delivery = Delivery(access.project_id, xml, tuple(files), row.app_user_id, row.device_id, row.user_agent)
    receipt = intake.receive(delivery)
    _settle_aside(store, access, sha256, "aside.take_in")
    return receipt


def dismiss(store: Store, access: Access, sha256: str) -> None:
    """Say that nothing is to be done about what was kept aside. The bytes stay."""
    with store.read() as connection:
        found(connection, access, sha256)
    _settle_aside(store, access, sha256, "aside.dismiss")


def take_in_for(store: Store, blobs: BlobStore, intake: "Intake", project_id: int, form_id: str) -> int:
    """After a form was published: take in what waited for it. How many."""
    with store.read() as connection:
        waiting = select(KeptAside.sha256).filter_by(project_id=project_id, form_id=form_id, reason="form_unknown", settled_at=None)
        digests = connection.execute(waiting).scalars().all()
    access = Access.everything(project_id, "publication")
    taken = 0
    for sha256 in digests:
        with contextlib.suppress(Problem):  # it goes on waiting, for a person
            take_in(store, blobs, intake, access, sha256)
            taken += 1
    return taken


def _settle_aside(store: Store, access: Access, sha256: str, action: str) -> None:
    key = {"project_id": access.project_id, "sha256": sha256}
    values = {"settled_at": datetime.now(UTC), "settled_by": access.actor}

    def work(connection: Connection) -> None:
        connection.execute(update(KeptAside).filter_by(**key).values(**values))
        note(connection, action, sha256, actor=access.actor, project_id=access.project_id)

    store.write(work)
