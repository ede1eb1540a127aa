"""Incidents: reports of one event, the visits that hang on them, and what people decided. Nothing is merged.

An incident is what hangs together by decisions "same". Its id is the instance id of the report that came first.
"""

from records.incidents.decisions import DECISIONS, decide
from records.incidents.pairs import Pair, pair_of, proposed_pairs, refresh_flags, twin_flags, undecided_pairs
from records.incidents.reading import Brief, Incident, incident_of, joined_incidents, joined_reports
from records.incidents.references import find_report
from records.incidents.steps import Latency, Step, Summary, Timeline, latencies, timeline

__all__ = [
    "DECISIONS",
    "Brief",
    "Incident",
    "Latency",
    "Pair",
    "Step",
    "Summary",
    "Timeline",
    "decide",
    "find_report",
    "incident_of",
    "joined_incidents",
    "joined_reports",
    "latencies",
    "pair_of",
    "proposed_pairs",
    "refresh_flags",
    "timeline",
    "twin_flags",
    "undecided_pairs",
]
