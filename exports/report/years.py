"""Years side by side: the figures by which a programme sees whether things get better, as far as whole years are told."""

from collections.abc import Iterator

from exports.report.charts import FEWEST_YEARS, over_years
from exports.report.document import Block, Heading, Paragraph, Table
from exports.report.indicators import shown
from exports.report.labels import LABELS
from exports.report.language import Language
from exports.report.numbers import Numbers, Value
from exports.report.summary import apart

FIGURES = (
    ("I-EFF-2", "completeness"),
    ("I-CON-1", "attacks_per_month"),
    ("I-CON-2", "attack_rate"),
    ("I-CON-3", "loss_rate"),
    ("I-CON-4", "median"),
    ("I-CON-5", "verified_share"),
    ("I-DOG-1", "dogs"),
    ("I-ATT-1", "mean"),
)
"""What is set side by side; how much was reported comes first, since all others hang on it."""
MOST_YEARS = 5


def years(numbers: Numbers, _: Language) -> Iterator[Block]:
    """A chart and a table of the whole years since the strategy began, or that there are too few."""
    if numbers.is_empty:
        return
    yield Heading(_("From year to year"))
    names = numbers.years[-MOST_YEARS:]
    if len(names) < FEWEST_YEARS:
        yield Paragraph(_("Years cannot be compared yet: that needs two whole calendar years with reports."))
        return
    drawing = over_years(numbers, _)
    if drawing:
        yield drawing
    found = [(figure, numbers.told(*figure, numbers.area)) for figure in FIGURES]
    rows = tuple(_row(LABELS[figure], told, names, _) for figure, told in found if any(name in told for name in names))
    yield Table(
        caption=_("Whole calendar years, side by side"),
        columns=(_("What"), *map(_.digits, names), _("First against last")),
        numeric=(False, *(True for _name in names), False),
        widths=(8, *(5 for _name in names), 6),
        rows=rows,
        note=_(
            "In brackets the numbers between which the true one is likely to be (95 of 100). “More than chance” is said where "
            "those of the first and the last year told do not meet. Even then the cause is not known: in a year with more months "
            "reported, more attacks become known. –: nothing was told, or it would tell of fewer than 5 households."
        ),
    )


def _row(label: str, told: dict[str, Value], names: list[str], _: Language) -> tuple[str, ...]:
    values = [told[name] for name in names if name in told]
    cells = (shown(told[name], _) if name in told else "–" for name in names)
    return _(label), *cells, _change(values, _)


def _change(values: list[Value], _: Language) -> str:
    first, last = values[0], values[-1]
    if len(values) < FEWEST_YEARS or None in (first.lower, last.lower):
        return "–"
    if not apart(first, last):
        return _("may be chance")
    return _("more, more than chance") if (last.value or 0) > (first.value or 0) else _("less, more than chance")
