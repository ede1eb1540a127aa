"""What the checks do about incidents: pairs of reports that may tell of one event, and visits linked to their reports."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from records.flags import Flag
from records.incidents import twin_flags
from records.incidents.references import BEGINNERS
from sync.incidents.facts import REPORT
from sync.incidents.matching import match
from sync.incidents.visits import VISITS, begin, forget, refer

if TYPE_CHECKING:  # the checks import this room
    from sync.checks.case import Case


def link_incidents(connection: Connection, case: "Case") -> Sequence[Flag]:
    """Keep facts, pairs and links of a record up to date, and say what a person should look at."""
    if case.form_id in VISITS:
        return refer(connection, case)
    if case.form_id not in BEGINNERS:
        return ()
    if case.is_test or case.encrypted:
        forget(connection, case)
    else:
        begin(connection, case)
    if case.form_id != REPORT:
        return ()
    return twin_flags(connection, case.key) if match(connection, case) else ()
