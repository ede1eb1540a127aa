"""What there is to say about a flag of one kind."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class FlagKind:
    """A kind of flag, in English; the sentences are the keys of their translations.

    An `error` keeps the record out of aggregates until a person settles it, a `warning` waits for a person but counts, an `info`
    only says. `detail` has `{names}` for what is particular to a case.
    """

    severity: Severity
    title: str
    text: str
    detail: str = ""
