"""The data cut to size: fixed periods (calendar years and quarters), each for the whole range and for every country."""

from calendar import monthrange
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Generic, NamedTuple, TypeVar, cast

from exports.indicators.records import Holdings, Record
from exports.windows import Window

_T = TypeVar("_T")
DAYS_PER_MONTH = 30.4375


class Period(NamedTuple):
    """A calendar year (2025) or a quarter of one (2025Q3), both days included."""

    name: str
    start: date
    end: date

    @property
    def is_year(self) -> bool:
        """Whether it is a year."""
        return "Q" not in self.name

    @property
    def days(self) -> int:
        """Its length."""
        return (self.end - self.start).days + 1

    @property
    def quarters(self) -> list["Period"]:
        """The quarters of it, or itself."""
        return _quarters(self.start.year) if self.is_year else [self]

    @property
    def months(self) -> list[tuple[int, int]]:
        """Its months as (year, month)."""
        return [(self.start.year, month) for month in range(self.start.month, self.end.month + 1)]

    def days_within(self, first: date, last: date) -> int:
        """How many nights from `first` to `last` lie in it."""
        return max(0, (min(last, self.end + timedelta(days=1)) - max(first, self.start)).days)


class Exchange(NamedTuple):
    """A stated exchange rate: US dollars for one unit of a currency, its day and who stated it."""

    usd: float
    day: date
    source: str


def quarter_of(day: date) -> tuple[int, int]:
    """Year and quarter of a day."""
    return day.year, (day.month + 2) // 3


def periods(window: Window) -> list[Period]:
    """The years and quarters that lie whole in a window, years first."""
    years = [Period(str(year), date(year, 1, 1), date(year, 12, 31)) for year in range(window.start.year, window.end.year + 1)]
    quarters = [quarter for year in years for quarter in year.quarters]
    return [each for each in (*years, *quarters) if window.start <= each.start and each.end <= window.end]


def _quarters(year: int) -> list[Period]:
    return [Period(f"{year}Q{number}", date(year, number * 3 - 2, 1), _last(year, number * 3)) for number in (1, 2, 3, 4)]


def _last(year: int, month: int) -> date:
    return date(year, month, monthrange(year, month)[1])


class Sorted(Generic[_T]):
    """Things by country and quarter, in their order, so that a slice finds its own quickly."""

    def __init__(self, things: Iterable[_T], key: Callable[[_T], tuple[str, date]]) -> None:
        self._key = key
        self._found: dict[tuple[int, int], dict[str, list[_T]]] = {}
        for thing in things:
            country, day = key(thing)
            self._found.setdefault(quarter_of(day), {}).setdefault(country, []).append(thing)

    def of(self, where: "Slice") -> list[_T]:
        """Those that belong to a slice."""
        quarters = [
            self._found.get(quarter, {}) for quarter in sorted({(year, (month + 2) // 3) for year, month in where.period.months})
        ]
        if where.country:
            return [thing for quarter in quarters for thing in quarter.get(where.country, ())]
        return [thing for quarter in quarters for things in quarter.values() for thing in things]


@dataclass(frozen=True, eq=False)
class Data:
    """Everything known of a project up to the end of a window.

    `joined` numbers the incidents that people put together of several reports, `areas` are the study areas by their code as
    compared: (country, square kilometres). `standings` and `uses` are what the database says of records and their users, `hot` are
    the published cells of the hotspot test by the name of the year.
    """

    holdings: Holdings
    until: date
    joined: Mapping[str, int] = field(default_factory=dict)
    areas: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    rates: Mapping[str, Exchange] = field(default_factory=dict)
    standings: Sequence["Standing"] = ()
    uses: Sequence["Use"] = ()
    hot: Mapping[str, Sequence["HotCell"]] = field(default_factory=dict)
    _made: dict[Any, Any] = field(default_factory=dict)

    def of(self, form_id: str) -> Sequence[Record]:
        """All records of a survey."""
        return self.holdings.records.get(form_id, ())

    def once(self, make: Callable[["Data"], _T]) -> _T:
        """What a function makes of the data; it is called one time."""
        if make not in self._made:
            self._made[make] = make(self)
        return cast(_T, self._made[make])

    def sorted(self, form_id: str) -> Sorted[Record]:
        """The records of a survey by country and quarter."""
        if form_id not in self._made:
            self._made[form_id] = Sorted(self.of(form_id), lambda record: (record.country, record.day))
        return cast(Sorted[Record], self._made[form_id])


class Standing(NamedTuple):
    """How many records of a country and day there are, and how many of them are wrong, sent twice, of the current survey."""

    country: str
    day: date
    records: int
    flagged: int
    duplicates: int
    current: int


class Use(NamedTuple):
    """That somebody used the database on a day; `downloads` is 1 for a file taken."""

    actor: str
    day: date
    downloads: int


class HotCell(NamedTuple):
    """A published cell of the hotspot test, or with cell 0 the attacks counted elsewhere in a country."""

    cell: int
    country: str
    km2: float
    attacks: int
    is_hot: bool


@dataclass(frozen=True)
class Slice:
    """The data of one period and one country; an empty country is the whole range."""

    data: Data
    period: Period
    country: str = ""

    def has(self, country: str, day: date) -> bool:
        """Whether something of that country and day belongs to it."""
        return self.period.start <= day <= self.period.end and self.country in ("", country)

    def of(self, form_id: str) -> list[Record]:
        """The records of a survey in it."""
        return self.data.sorted(form_id).of(self)

    def until(self, form_id: str) -> list[Record]:
        """The records of a survey up to its last day."""
        return [
            record for record in self.data.of(form_id) if record.day <= self.period.end and self.country in ("", record.country)
        ]


def slices(data: Data, window: Window) -> Iterator[Slice]:
    """Every slice with data behind it, coarse before fine: years before quarters, the range before its countries."""
    countries = sorted({record.country for records in data.holdings.records.values() for record in records} - {""})
    every = periods(window)
    for is_year in (True, False):
        for country in ("", *countries):
            yield from (Slice(data, period, country) for period in every if period.is_year == is_year)
