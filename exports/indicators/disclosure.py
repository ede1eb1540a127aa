"""What may be told of people and of leopards: five households behind every figure, and behind every difference of two of them.

Figures of restricted surveys are told for whole countries and years, from five records on. A figure over fewer is kept back, and so
is one that, taken from another one, would leave fewer: a country from the range, a quarter from its year, a predator from all.
"""

from collections import defaultdict
from collections.abc import Iterable

from exports.indicators.figures import Figure, Share, Support
from exports.indicators.slices import Slice
from exports.policy import RESTRICTED
from exports.privacy import Ledger, enough_households, nobody_dominates

FEW_HOUSEHOLDS, FEW_RECORDS, DOMINANCE, DIFFERENCE = "few_households", "few_records", "dominance", "difference"
FEWEST_RECORDS = RESTRICTED.fewest


class _Side:
    """One side of the figures that can be taken from each other: what was published of it."""

    def __init__(self, *, is_sum: bool, restricted: bool) -> None:
        self._is_sum, self._restricted = is_sum, restricted
        self._numbers: dict[str, int] = {}
        self._households: dict[str, int] = {"": -1}
        self._shares: dict[int, tuple[int, float]] = {}
        self._ledger = Ledger(self._is_safe)

    def publish(self, support: Support) -> str:
        """Note a figure as published; why it must be kept back, or nothing."""
        items = self._noted(support)
        if not items:
            return ""
        if not self._restricted and not enough_households(self._shares[item][0] for item in items):
            return FEW_HOUSEHOLDS
        if not self._is_safe(items):
            return FEW_RECORDS if self._restricted else DOMINANCE
        return "" if self._ledger.publish(items) else DIFFERENCE

    def _noted(self, support: Iterable[Share]) -> set[int]:
        amounts: dict[int, float] = defaultdict(float)
        for record, household, amount in support:
            item = self._numbers.setdefault(record, len(self._numbers))
            amounts[item] += amount
            self._shares[item] = (self._households.setdefault(household, len(self._households)), amounts[item])
        return set(amounts)

    def _is_safe(self, items: set[int]) -> bool:
        if self._restricted:
            return len(items) >= FEWEST_RECORDS
        by_household: dict[int, float] = defaultdict(float)
        for item in items:
            household, amount = self._shares[item]
            by_household[household] += amount
        return nobody_dominates(by_household) if self._is_sum else enough_households(by_household)


class Guard:
    """Decides for one indicator after the other figure what is published, coarse slices before fine ones."""

    def __init__(self) -> None:
        self._sides: dict[tuple[object, ...], _Side] = {}

    def reason(self, figure: Figure, where: Slice) -> str | None:
        """Why a figure is kept back; empty for one that may be published, None for one that is not even mentioned."""
        if figure.restricted and not where.period.is_year:
            return None
        reason = FEW_RECORDS if figure.restricted and figure.n < FEWEST_RECORDS else ""
        for number, support in enumerate(figure.supports):
            key: tuple[object, ...] = (figure.name, number, figure.is_sum, figure.of if figure.is_sum else "")
            key = ("restricted",) if figure.restricted else key
            side = self._sides.setdefault(key, _Side(is_sum=figure.is_sum, restricted=figure.restricted))
            reason = reason or side.publish(support)
        return None if reason and figure.restricted and figure.of else reason


def said(number: int) -> str:
    """A number of records left out; below five it is not said exactly."""
    return str(number) if number == 0 or number >= FEWEST_RECORDS else f"1-{FEWEST_RECORDS - 1}"


def households(figure: Figure) -> int:
    """How many different known households are behind a figure."""
    return len({share.household for support in figure.supports for share in support} - {""})
