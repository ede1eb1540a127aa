"""What the page of a report says about its incident."""

from dataclasses import dataclass

from sqlalchemy import Connection

from forms.problems import Problem
from records import incidents
from records.incidents import Incident, Pair
from records.submissions import Record
from server.pages.access import access


@dataclass(frozen=True, slots=True)
class Card:
    """The incident of a report, and the pairs that nobody has decided about."""

    incident: Incident
    undecided: list[Pair]


def card_of(connection: Connection, record: Record) -> Card | None:
    """What there is to say; None for a record that belongs to no incident."""
    try:
        found = incidents.incident_of(connection, access(), record.form_id, record.instance_id)
    except Problem:
        return None
    here = {(each.form_id, each.instance_id) for each in found.reports}
    return Card(found, [pair for pair in found.pairs if not pair.decision and not {pair.first, pair.second} <= here])
