"""What an indicator is made of: a definition, the figures it gives for a slice of the data, and who stands behind a figure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from exports.indicators.intervals import Estimate, wilson
from exports.indicators.records import Record
from exports.indicators.slices import Slice

NO_CONTROLS = "no_controls_not_evidence"
"""A before/after figure without control households: whatever else changed in that time is in it, so it is no evidence."""
LOW_N = "low_n"
LEOPARD, ANY = "leopard", "any"


class Share(NamedTuple):
    """What one record adds to a figure: its instance id, the household (empty if unknown), and how much of it."""

    record: str
    household: str
    amount: float


Support = tuple[Share, ...]
"""Everything behind one part of a figure."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of an indicator. `of` says of what (species, measure, currency), `coverage` on which share of the cases it rests.

    `supports` are what it was counted from, one for each side of a comparison; without any, no household is in it. Each holds five
    households in what is published. `is_sum`: the largest household may not make up most of it. `restricted`: told for whole
    countries and years only, from five cases (`n`) on, and supports then are counted by records. `refused` says why there is none.
    """

    name: str
    value: float | None
    unit: str
    n: int
    lower: float | None = None
    upper: float | None = None
    of: str = ""
    predator: str = ""
    category: str = ""
    coverage: float | None = None
    method: str = ""
    flags: tuple[str, ...] = ()
    supports: tuple[Support, ...] = ()
    is_sum: bool = False
    restricted: bool = False
    refused: str = ""

    def flagged(self, *flags: str) -> "Figure":
        """The same with more flags."""
        return replace(self, flags=(*self.flags, *flags))


class Indicator(NamedTuple):
    """An indicator of the strategy: how it is worked out, from which surveys, and the function that does it for a slice."""

    id: str
    formula: str
    surveys: tuple[str, ...]
    figures: Callable[[Slice], Iterable[Figure]]


def behind(records: Iterable[Record], amounts: Sequence[float] | None = None, households: Sequence[str] | None = None) -> Support:
    """Say what stands behind a figure. Each record adds one, or its amount, for its own household, or that given here."""
    chosen = list(records)
    each = amounts if amounts is not None else [1.0] * len(chosen)
    owners = households if households is not None else [record.household for record in chosen]
    return tuple(Share(record.instance_id, owner, one) for record, owner, one in zip(chosen, owners, each, strict=True))


def estimated(name: str, estimate: Estimate, unit: str, n: int, *, factor: float = 1.0) -> Figure:
    """Make a figure of an estimate, multiplied by `factor`."""
    value, lower, upper = (None if each is None else each * factor for each in estimate)
    return Figure(name, value, unit, n, lower, upper)


def blurred(figure: Figure) -> Figure:
    """The same with two significant digits: a median of sums of money, and each of its limits, is the sum of one household."""
    value, lower, upper = (None if each is None else float(f"{each:.2g}") for each in (figure.value, figure.lower, figure.upper))
    return replace(figure, value=value, lower=lower, upper=upper)


def share(name: str, yes: int, total: int, *, of: str = "", supports: tuple[Support, ...] = ()) -> Iterable[Figure]:
    """Give a share in percent with Wilson's limits; nothing where there is no case."""
    if total:
        figure = estimated(name, wilson(yes, total), "%", total, factor=100)
        yield replace(figure, of=of, supports=supports, method="Wilson 1927", flags=(LOW_N,) if total < 10 else ())
