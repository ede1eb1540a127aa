"""Which keys of personal data were in use here, so that a lost one is noticed and never replaced in silence."""

import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, select

from records.models import PersonalKey
from records.store import Store, insert_new


def ready(store: Store) -> Sequence[str]:
    """See to a key: the first start makes one. The ids of keys that were in use here and are not at hand; none is as it should be.

    A key is never made in place of one that is lost: what was sealed with that would seem to be gone. What comes is sealed for it
    all the same, with the half of it that the database knows, and can be opened when the file is back.
    """
    vault = store.vault
    if vault.path is None:
        return []
    with store.read() as connection:
        used = known(connection)
        newest = connection.execute(select(PersonalKey.public).order_by(PersonalKey.since.desc()).limit(1)).scalar()
    if not used and not vault.key_ids:
        with contextlib.suppress(FileExistsError):  # another process was quicker
            vault.add_key()
    if fresh := [key_id for key_id in vault.key_ids if key_id not in used]:
        rows = [{"key_id": each, "public": vault.public(each), "since": datetime.now(UTC)} for each in reversed(fresh)]
        store.write(lambda connection: [connection.execute(insert_new(connection, PersonalKey), row) for row in rows])
    if newest is not None and not vault.key_ids:
        vault.seal_for(newest)
    return [key_id for key_id in used if key_id not in vault.key_ids]


def known(connection: Connection) -> Sequence[str]:
    """The ids of all keys that were in use here, the oldest first."""
    return connection.execute(select(PersonalKey.key_id).order_by(PersonalKey.since)).scalars().all()
