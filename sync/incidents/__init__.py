"""Incidents: which reports may tell of one event, and what a visit refers to. People decide; nothing is merged."""
