"""Proposed pairs, kept up to date with every report that comes, changes or goes.

Whether two reports make a pair follows from their facts alone, and whenever the facts of one change, all its pairs are worked out
anew: so the pairs are the same in whatever order reports and corrections come.
"""

from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Executable, bindparam, delete, insert, select, union_all, update

from records.incidents import refresh_flags
from records.incidents.pairs import pair_key
from records.models import ConflictReport, IncidentPair
from records.store import insert_new
from sync.incidents.facts import REPORT, Facts, cell_of, cells_around, facts_of
from sync.incidents.scoring import RULE, UNLIKELY, Match, comparable, compared

if TYPE_CHECKING:  # the checks import this room
    from sync.checks.case import Case

MOST_COMPARED = 300
"""A report is compared with at most so many others: a flood of reports of one place and day must not stop the checks."""
_NAMES = tuple(each.name for each in fields(Facts))
_COLUMNS = tuple(getattr(ConflictReport, name) for name in _NAMES)
_IN_TIME = (
    select(*_COLUMNS)
    .where(ConflictReport.project_id == bindparam("project_id"))
    .where(ConflictReport.happened_on.between(bindparam("first"), bindparam("last")))
    .order_by(ConflictReport.instance_id)
    .limit(MOST_COMPARED)
)
_WAYS = {
    "cells": ConflictReport.cell.in_(bindparam("cells", expanding=True)),
    "household": ConflictReport.household == bindparam("household"),
    "place": ConflictReport.place == bindparam("place"),
}
"""How other reports are found, by what this one must have; each way has its index."""
_PAIR = tuple(column.name for column in IncidentPair.__table__.primary_key)
_STATE = ("score", "band", "evidence", "rule", "decision")
_OF_REPORT = union_all(  # each part has its index
    *(
        select(*(getattr(IncidentPair, name) for name in (*_PAIR, *_STATE))).where(
            IncidentPair.project_id == bindparam("project_id"),
            getattr(IncidentPair, f"{side}_form") == bindparam("form_id"),
            getattr(IncidentPair, f"{side}_id") == bindparam("instance_id"),
        )
        for side in ("first", "second")
    )
)


def match(connection: Connection, case: "Case") -> bool:
    """Bring facts and pairs of a report up to date; a test and an encrypted one have none. Whether it may be in a pair."""
    found: Mapping[str, Match] = {}
    if case.is_test or case.encrypted:
        connection.execute(delete(ConflictReport).filter_by(**case.key))
    else:
        facts, is_new = _written(connection, case)
        found = {other.instance_id: one for other in _candidates(connection, case, facts) if (one := _proposal(facts, other))}
        if is_new and not found:
            return False
    for other in _settle(connection, case, found):
        refresh_flags(connection, case.key | {"instance_id": other})
    return True


def _proposal(one: Facts, other: Facts) -> Match | None:
    if not comparable(one, other):
        return None
    found = compared(one, other)
    return None if found.band == UNLIKELY else found


def _written(connection: Connection, case: "Case") -> tuple[Facts, bool]:
    """The facts of a report, after writing them down, and whether they are the first."""
    facts = facts_of(case)
    values = asdict(facts) | case.key | {"cell": cell_of(facts.latitude, facts.longitude)}
    is_new = connection.execute(insert_new(connection, ConflictReport), values).rowcount > 0
    if not is_new:
        connection.execute(update(ConflictReport).filter_by(**case.key).values(values))
    return facts, is_new


def _candidates(connection: Connection, case: "Case", facts: Facts) -> list[Facts]:
    """Reports of about that time nearby, of the same household or of a place of the same name."""
    given = {
        "cells": cells_around(*facts.point) if facts.point is not None else (),
        "household": facts.household,
        "place": facts.place,
    }
    values = {name: value for name, value in given.items() if value}
    if facts.days is None or not values:
        return []
    first, last = facts.days
    rows = connection.execute(_search(tuple(values)), values | {"project_id": case.project_id, "first": first, "last": last})
    found = {row.instance_id: Facts(*row) for row in rows}
    found.pop(case.instance_id, None)
    return list(found.values())


@cache
def _search(ways: tuple[str, ...]) -> Executable:
    """The statement that finds other reports in these ways."""
    parts = [select(_IN_TIME.where(_WAYS[way]).subquery()) for way in ways]  # SQLite knows no limit within a union
    return parts[0] if len(parts) == 1 else union_all(*parts)


def _settle(connection: Connection, case: "Case", found: Mapping[str, Match]) -> list[str]:
    """Write the pairs of a report as they are now; the ids of reports of which a pair came or went. What is decided stays."""
    changed = []
    known = set()
    for row in connection.execute(_OF_REPORT, case.key).all():
        other = row.second_id if row.first_id == case.instance_id else row.first_id
        known.add(other)
        this = {name: getattr(row, name) for name in _PAIR}
        if other in found:
            values = _values(found[other])
            if any(getattr(row, name) != value for name, value in values.items()):
                connection.execute(update(IncidentPair).filter_by(**this).values(values))
        elif not row.decision:
            connection.execute(delete(IncidentPair).filter_by(**this))
            changed.append(other)
    now = datetime.now(UTC)
    for other, one in found.items():
        if other not in known:
            key = pair_key(case.project_id, (REPORT, case.instance_id), (REPORT, other))
            connection.execute(insert(IncidentPair), key | _values(one) | {"proposed_at": now, "comment": ""})
            changed.append(other)
    return changed


def _values(one: Match) -> dict[str, Any]:
    evidence = {
        term: {"value": each.value, "weight": each.weight} | ({} if each.figure is None else {"figure": each.figure})
        for term, each in one.evidence.items()
    }
    return {"score": round(one.score, 4), "band": one.band, "evidence": evidence, "rule": RULE}
