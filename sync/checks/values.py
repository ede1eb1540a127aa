"""What checks of answers have in common: which surveys they look at, and how they read rows and counts."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import wraps

from forms.datatypes import instant
from forms.numbers import CURRENCIES
from records.flags import Flag
from sync.checks.case import Answers, Case, as_number, as_text

Check = Callable[[Case], Iterable[Flag]]
Path = tuple[str, ...]
DOLLAR = "USD"
"""Taken everywhere."""
KNOWN_MONEY = frozenset({DOLLAR}.union(*CURRENCIES.values()))


def of(*form_ids: str) -> Callable[[Check], Check]:
    """Make a function a check of these surveys, for records that nobody deleted or rejected."""

    def decorated(check: Check) -> Check:
        @wraps(check)
        def checked(case: Case) -> Iterable[Flag]:
            return check(case) if case.form_id in form_ids and not (case.is_withdrawn or case.encrypted) else ()

        return checked

    return decorated


def counts(case: Case) -> bool:
    """Whether others are compared with it: it can be read, is no test, and nobody deleted or rejected it."""
    return not (case.encrypted or case.is_withdrawn or case.is_test)


def at(answers: Answers, path: Path) -> object:
    """The answer at a path of groups below these answers; None without one."""
    found: object = answers
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def rows(case: Case, *path: str) -> Iterator[tuple[str, Answers]]:
    """The rows of a repeat, each with its path as flags name it."""
    found = case.value(*path)
    for number, row in enumerate(found if isinstance(found, list) else (), 1):
        if isinstance(row, dict):
            yield f"{'/'.join(path)}[{number}]", row


def count(value: object) -> float:
    """A number of animals or people; zero where there is none, as forms add them up."""
    return max(as_number(value) or 0.0, 0.0)


def words(value: object) -> list[str]:
    """The codes of the choices of an answer."""
    return as_text(value).split()


def moment(value: object) -> datetime | None:
    """The moment of a dateTime answer; None without one. Without an offset it is taken for UTC."""
    found = instant(as_text(value))
    return found.replace(tzinfo=UTC) if found is not None and found.tzinfo is None else found


def whole(number: float) -> float:
    """The number as people write it: a whole one without a decimal point, if it is none that no JSON takes."""
    return int(number) if abs(number) < 1e15 and number == int(number) else round(number, 2)
