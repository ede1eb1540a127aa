"""Conflict reports made for tests."""

from collections.abc import Iterable

import numpy as np

from exports.reports import STANDARD, Reports


def reports_at(sent: Iterable[tuple[int, float, float, int]]) -> Reports:
    """Sure reports of one sheep killed each, given as (day, latitude, longitude, household)."""
    rows = list(sent)
    size = len(rows)
    days, latitudes, longitudes, households = (
        (np.array(column) for column in zip(*rows, strict=True)) if rows else (np.empty(0) for _ in range(4))
    )
    return Reports(
        day=days.astype(np.int64),
        latitude=latitudes.astype(np.float64),
        longitude=longitudes.astype(np.float64),
        accuracy_m=np.full(size, 10.0),
        household=households.astype(np.int64),
        certainty=np.full(size, STANDARD),
        shared=np.ones(size, bool),
        country=np.full(size, "IR"),
        killed_small=np.ones(size, np.int64),
        killed_large=np.zeros(size, np.int64),
        injured=np.zeros(size, np.int64),
        missing=np.zeros(size, np.int64),
        loss=np.full(size, np.nan),
        currency=np.full(size, ""),
    )
