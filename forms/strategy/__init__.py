"""The activities of the range-wide strategy for the Persian leopard (CMS, 2023-2032) that field data serve, as data.

The files of this folder are made to be read and corrected by people; docs/strategy.md tells how.
"""

from forms.strategy.model import Activity, Country, Due, Indicator, Note, Objective, Reference, Result, Strategy
from forms.strategy.reading import read_strategy, strategy

__all__ = [
    "Activity",
    "Country",
    "Due",
    "Indicator",
    "Note",
    "Objective",
    "Reference",
    "Result",
    "Strategy",
    "read_strategy",
    "strategy",
]
