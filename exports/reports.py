"""Conflict reports as columns: what the hotspot method works on. Entries are in no order."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exports.grid import Cells
from exports.statistics import Floats, Ints

Flags = NDArray[np.bool_]
Codes = NDArray[np.str_]

NOT_COUNTED, STANDARD, STRICT = 0, 1, 2
"""How certain a report is: strict was verified, standard is what a sure reporter said, the rest is not counted."""
UNKNOWN = -1
"""The household of a report without a household code."""

_STRICT_FINDINGS = ("confirmed", "probable")
_REFUTED = ("not_predation",)


@dataclass(frozen=True)
class Reports:
    """Reports of losses to one predator, as arrays of equal length."""

    day: Ints
    """Day of the attack, counted from 1970-01-01."""
    latitude: Floats
    longitude: Floats
    """Degrees, WGS 84; not-a-number without a place."""
    accuracy_m: Floats
    """Metres; not-a-number where unknown."""
    household: Ints
    """A number per household code; -1 without a code."""
    certainty: Ints
    shared: Flags
    """Whether the household agreed that the place is used in published maps of large areas."""
    country: Codes
    """ISO 3166-1 alpha-2, empty where unknown."""
    killed_small: Ints
    killed_large: Ints
    injured: Ints
    missing: Ints
    loss: Floats
    """Value of the animals lost in `currency`; not-a-number where unknown."""
    currency: Codes
    incident: Ints
    """A number per incident of several reports, as people decided; -1 for a report of which nobody said so."""
    n_reports: Ints
    """How many reports this entry stands for."""
    predator: Codes
    """The code of the predator: repeated nights are those of one."""
    cell: Cells
    """The finest cell of the grid that the place lies in, where that was known before; else 0."""

    def __len__(self) -> int:
        return len(self.day)

    @classmethod
    def from_rows(cls, rows: Sequence[tuple[Any, ...]]) -> "Reports":
        """Turn rows, with values in the order of the columns but the cell and None for an unknown place, into columns."""
        columns = zip(*rows, strict=True) if rows else ([] for _ in DTYPES)
        told: list[NDArray[Any]] = [np.array(column, dtype) for column, dtype in zip(columns, DTYPES, strict=True)]
        return cls(*told, *[np.zeros(len(rows), np.uint64)])

    @classmethod
    def joined(cls, parts: Sequence["Reports"]) -> "Reports":
        """Put reports one after the other."""
        parts = parts or [cls.from_rows([])]
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))

    def where(self, chosen: Flags | Ints) -> "Reports":
        """Keep the chosen entries, in the order chosen."""
        return Reports(*(getattr(self, field.name)[chosen] for field in fields(self)))


DTYPES = (
    *(np.int64, np.float64, np.float64, np.float64, np.int64, np.int64, np.bool_, np.str_),
    *(np.int64, np.int64, np.int64, np.int64, np.float64, np.str_, np.int64, np.int64, np.str_),
)
"""The types of the columns of `Reports` in their order, but for the cell."""


def certainty_of(finding: str | None, scalp: str | None, *, is_sure: bool) -> int:
    """Grade a report by whether its reporter is sure and, once somebody visited, by the finding and SCALP class of the visit.

    SCALP classes (KORA): C1 hard fact, C2 confirmed by a trained person, C3 unconfirmed.
    """
    if finding in _REFUTED or scalp == "false":
        return NOT_COUNTED
    if finding in _STRICT_FINDINGS or scalp in ("c1", "c2"):
        return STRICT
    return STANDARD if is_sure else NOT_COUNTED
