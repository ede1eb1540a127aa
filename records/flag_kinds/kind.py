"""What there is to say about a flag of one kind."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class FlagKind:
    """A kind of flag, in English; the sentences are the keys of their translations.

    An `error` keeps the record out of aggregates until a person settles it, a `warning` waits for a person but counts, an `info`
    only says. `detail` has `{names}` for what is particular to a case. A name tells what its value is: `km`, `..._m` (metres),
    `...seconds`, `...day` and `received` (ISO 8601), `country` and `reported` (ISO 3166-1), `case` (a case number), `question` (a
    path), `...amount` (money), `currency`, `livestock`, `predator` and `prey` (choices of the lists of that name), others as they
    are.
    """

    severity: Severity
    title: str
    text: str
    detail: str = ""

    def sentence(self, values: Mapping[str, str | float]) -> str:
        """The detail of a case in English."""
        return self.detail.format(**{name: plain(name, value) for name, value in values.items()})


def plain(name: str, value: str | float) -> str:
    """A value with its unit, in English."""
    if isinstance(value, str):
        return value
    if name.endswith("seconds"):
        days, rest = divmod(round(abs(value)), 86400)
        sign = "-" if value < 0 else ""
        return sign + (f"{days} d {rest // 3600} h" if days else f"{rest // 3600} h {rest // 60 % 60} min {rest % 60} s")
    if name.endswith("amount"):
        return f"{value:,.15g}"
    unit = " km" if name.endswith("km") else " m" if name.endswith("_m") else ""
    return f"{value:.6g}{unit}"
