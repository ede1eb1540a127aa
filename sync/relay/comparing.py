"""Whether two nodes hold the same: counts and digests of records by form and day, and where these differ, the records one by one.

A digest is the exclusive or of the ids, which are digests themselves: it does not depend on the order, and two sets with equal ones
are equal. Nobody says "everything is safe" because nothing failed, but because this was compared.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, select

from records.models import RelayRecord
from sync.relay import log
from sync.relay.batch import START, Place
from sync.relay.projects import DATA

Groups = dict[str, tuple[int, str]]
"""How many records, and the digest in hex, by form and day: `form day`."""
_SHOWN = 20
_NOTHING: tuple[Place, int, int] = (START, 0, 0)


@dataclass(frozen=True, slots=True)
class Difference:
    """A form and day of which a peer holds other records than we: how many are there, and the ids of those on one side only."""

    group: str
    there: int
    only_here: list[str]
    only_there: list[str]

    def shortened(self) -> "Difference":
        """The same with few ids, to be shown."""
        return Difference(self.group, self.there, self.only_here[:_SHOWN], self.only_there[:_SHOWN])


def groups(connection: Connection, channel: str, *, of: str, upto: int | None = None) -> Groups:
    """What the log holds of a channel, or held `upto` a number; of one that several write, what the node `of` wrote."""
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    query = _of(channel, of) if upto is None else _of(channel, of).where(RelayRecord.seq <= upto)
    for row in connection.execute(query).yield_per(1000):
        entry = found[_group(row.header)]
        entry[0] += 1
        entry[1] ^= int(row.id, 16)
    return {name: (count, f"{digest:064x}") for name, (count, digest) in sorted(found.items())}


def ids(connection: Connection, channel: str, names: Collection[str], *, of: str) -> dict[str, list[str]]:
    """The records of these forms and days, by group."""
    found: dict[str, list[str]] = {name: [] for name in names}
    of_forms = RelayRecord.form_id.in_({name.rsplit(" ", 1)[0] for name in names})
    for row in connection.execute(_of(channel, of).where(of_forms).order_by(RelayRecord.id)).yield_per(1000):
        if (name := _group(row.header)) in found:
            found[name].append(row.id)
    return found


def differing(ours: Mapping[str, tuple[int, str]], theirs: Mapping[str, tuple[int, str]]) -> list[str]:
    """The groups that are not the same on both sides."""
    return sorted(name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))


class Sums:
    """Count and digest of whole channels: every meeting asks, and reads on from where this process read before."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], tuple[Place, int, int]] = {}

    def whole(self, connection: Connection, channel: str, *, of: str) -> tuple[int, str]:
        """Count and digest of a whole channel (where several write it, of what `of` wrote)."""
        row, known = RelayRecord, self._known.get((channel, of), _NOTHING)
        if log.common(connection, [known[0]]) is None:  # the database was put back, or the log begun anew
            known = _NOTHING
        at, count, digest = known
        query = _of(channel, of).with_only_columns(row.id, row.seq, row.chain).where(row.seq > at[0]).order_by(row.seq)
        for record_id, seq, chain in connection.execute(query):
            at, count, digest = (seq, chain), count + 1, digest ^ int(record_id, 16)
        self._known[channel, of] = (at, count, digest)
        return count, f"{digest:064x}"


def _of(channel: str, node: str) -> Any:
    row = RelayRecord
    query = select(row.id, row.header).filter_by(channel=channel)
    return query.where(row.origin == node) if channel.startswith(f"{DATA}:") else query


def _group(header: bytes) -> str:
    about = orjson.loads(header)
    return f"{about.get('f', '')} {str(about.get('t', ''))[:10]}"
