"""Incidents: reports of one event, the visits that hang on them, and what people decided. Nothing is merged.

An incident is what hangs together by decisions "same". Its id is the instance id of the report that came first.
"""

from records.incidents.decisions import DECISIONS, decide
from records.incidents.pairs import Pair, pair_of, proposed_pairs, refresh_flags, twin_flags
from records.incidents.reading import Incident, incident_of, joined_incidents
from records.incidents.references import find_report
from records.incidents.steps import Latency, Step, Timeline, latencies, timeline

__all__ = [
    "DECISIONS",
    "Incident",
    "Latency",
    "Pair",
    "Step",
    "Timeline",
    "decide",
    "find_report",
    "incident_of",
    "joined_incidents",
    "latencies",
    "pair_of",
    "proposed_pairs",
    "refresh_flags",
    "timeline",
    "twin_flags",
]
