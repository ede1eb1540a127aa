"""Records made for tests of the indicators, without a database."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from itertools import count
from typing import Any

from exports.indicators.catalogue import indicators
from exports.indicators.figures import Figure
from exports.indicators.records import Answers, Holdings, Record
from exports.indicators.slices import Data, Period, Slice
from exports.report.labels import LABELS

YEAR = Period("2025", date(2025, 1, 1), date(2025, 12, 31))
QUARTER = Period("2025Q2", date(2025, 4, 1), date(2025, 6, 30))
_numbers = count(1)


def record(
    form_id: str,
    answers: Mapping[str, Any],
    *,
    country: str = "IR",
    day: date = date(2025, 5, 10),
    household: str = "",
    instance_id: str = "",
    place: tuple[float, float] | None = None,
    sender: int | None = None,
) -> Record:
    name = instance_id or f"uuid:{next(_numbers)}"
    came = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return Record(form_id, name, country, day, came, household, place, "", sender, Answers(nested(answers)))


def nested(answers: Mapping[str, Any]) -> dict[str, Any]:
    """Answers by path ("losses_g/loss") as they are stored."""
    found: dict[str, Any] = {}
    for path, value in answers.items():
        *groups, name = path.split("/")
        inner = found
        for group in groups:
            inner = inner.setdefault(group, {})
        inner[name] = value
    return found


def data(*records: Record, until: date = date(2025, 12, 31), **more: Any) -> Data:
    by_form: dict[str, list[Record]] = {}
    for each in records:
        by_form.setdefault(each.form_id, []).append(each)
    return Data(Holdings(by_form, ()), until, **more)


def figures(indicator: str, found: Data, *, period: Period = YEAR, country: str = "") -> list[Figure]:
    """The figures of an indicator; each has words in the report."""
    made = list(indicators()[indicator].figures(Slice(found, period, country)))
    assert {(indicator, each.name) for each in made} <= set(LABELS)
    return made


def only(found: Iterable[Figure], name: str, **wanted: Any) -> Figure:
    """The one figure of that name, predator, of."""
    (figure,) = [each for each in found if each.name == name and all(getattr(each, key) == value for key, value in wanted.items())]
    return figure


def report(
    household: str = "h1", *, killed: int = 1, predator: str = "leopard", day: date = date(2025, 5, 10), **more: Any
) -> Record:
    """A sure conflict report; `more` are answers by path, with "__" for "/", or instance_id, country and place."""
    about = {key: more.pop(key) for key in ("instance_id", "country", "place") if key in more}
    answers = {
        "cause/predator": predator,
        "cause/confidence": "certain",
        "losses_g/loss": [{"species": "sheep", "age": "adult", "n_killed": killed, "n_injured": 0, "n_missing": 0}],
    }
    answers |= {key.replace("__", "/"): value for key, value in more.items()}
    return record("conflict_livestock", answers, day=day, household=household, **about)


def several(number: int, make: Callable[[int], Record]) -> list[Record]:
    return [make(each) for each in range(number)]
