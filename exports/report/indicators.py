"""The strategy: its activities with their dates, and the indicators with the newest figure that is told of each."""

from collections.abc import Iterator, Sequence

from exports.indicators.parts import SPELLS, rounds_of
from exports.report.document import Block, Heading, Paragraph, Table, isolated
from exports.report.labels import CLASSES, FLAGS, LABELS, PARTS, REASONS
from exports.report.language import Language
from exports.report.numbers import PREDATOR, Numbers, Value
from exports.strategy import Status, status_of
from forms.strategy import Activity, Due, strategy

MOST_PARTS = 5
"""So many species, measures or currencies of one figure are shown, those with most cases first."""


BY_END = "I-HOT"
"""Its figures are of calendar years alone, so that the one that ends last says most."""
SIGNED = {
    ("I-MIT-2", "reduction"),
    ("I-PREY-5", "change"),
    ("I-TRN-2", "gain"),
    ("I-MIT-6", "income_difference"),
    ("I-MIT-6", "income_change"),
    ("I-ATT-1", "difference_in_differences"),
    ("I-ATT-1", "change"),
}
"""Figures that may be below zero; a limit of any other that is, is of the method and means nothing."""


def _(text: str) -> str:
    """Mark a text for translation; it is translated when it is shown."""
    return text


STATES = {
    Status.OVERDUE: _("date has passed"),
    Status.DUE: _("due now"),
    Status.LATER: _("later"),
    Status.SOON: _("as soon as possible"),
}
RHYTHMS = {1: _("every year"), 4: _("every four years")}


def activities(numbers: Numbers, say: Language) -> Iterator[Block]:
    """What the strategy asks for, by when, and which numbers of this report answer it."""
    told = {indicator for (indicator, _figure), values in numbers.own.items() if any(value.is_told for value in values)}
    rows: list[tuple[str, ...]] = []
    objective = ""
    for activity in strategy().activities.values():
        if activity.objective != objective:
            objective = activity.objective
            rows.append((say("Objective {n}: {text}", n=say.digits(objective), text=say(strategy().objectives[objective].text)),))
        rows.append(_activity_row(activity, told, numbers, say))
    yield Heading(say("What the strategy asks for"))
    yield Paragraph(
        say(
            "The range-wide strategy for the Persian leopard (CMS, 2023 to 2032) lists what should be done and by when. "
            "These are the "
            "activities that field data serve. “Date has passed” does not say that nothing was done: whether an activity "
            "was carried "
            "out is not known here."
        )
    )
    yield Table(
        caption=say("Activities, as of {year}", year=say.digits(str(numbers.as_of.year))),
        columns=(say("No."), say("Activity"), say("Due"), say("State"), say("Numbers in this report")),
        numeric=(False,) * 5,
        widths=(3, 13, 4, 5, 7),
        rows=tuple(rows),
    )


def _activity_row(activity: Activity, told: set[str], numbers: Numbers, say: Language) -> tuple[str, ...]:
    found = [isolated(each) for each in activity.indicators if each in told]
    none = say("none yet") if activity.indicators else "–"
    state = STATES.get(status_of(activity.due, numbers.as_of), "")
    return (
        isolated(activity.id),
        say(activity.text),
        _due(activity.due, say),
        say(state) if state else "–",
        say(", ").join(found) or none,
    )


def _due(due: Due, say: Language) -> str:
    if due.every:
        return say(RHYTHMS[due.every])
    if due.first is None or due.last is None:
        return "–"
    years = [say.digits(str(year)) for year in dict.fromkeys((due.first, due.last))]
    return years[0] if len(years) == 1 else say("{start} to {end}", start=years[0], end=years[1])


def indicators(numbers: Numbers, say: Language) -> Iterator[Block]:
    """The newest figure of each indicator: of the last whole year, or else of the last quarter."""
    rows: list[tuple[str, ...]] = []
    for indicator in strategy().indicators.values():
        here = [row for figure, label in _labels(indicator.id) for row in _figure_rows(numbers, indicator.id, figure, label, say)]
        if here:
            serves = say(", ").join(map(isolated, strategy().activities_of(indicator.id)))
            rows.append(
                (say("{id}: {text}. For {activities}", id=isolated(indicator.id), text=say(indicator.text), activities=serves),)
            )
            rows.extend(here)
    if not rows:
        return
    yield Heading(say("Indicators"))
    yield Paragraph(
        say(
            "In brackets stand the numbers between which the true one is likely to be (95 of 100). Cases says from how many it was "
            "counted: the fewer, the less sure. Years and quarters are those of the Gregorian calendar."
        )
    )
    yield Table(
        caption=say("Newest figures"),
        columns=(say("What"), say("Figure"), say("Cases"), say("Period"), say("Mind")),
        numeric=(False, True, True, False, False),
        widths=(9, 7, 3, 5, 8),
        rows=tuple(rows),
    )


def _labels(indicator: str) -> list[tuple[str, str]]:
    return [(figure, label) for (of, figure), label in LABELS.items() if of == indicator]


def _figure_rows(numbers: Numbers, indicator: str, figure: str, label: str, say: Language) -> Iterator[tuple[str, ...]]:
    """A row for each part that is told; parts that are kept back for one reason have one row together."""
    kept_back: dict[str, list[Value]] = {}
    for value in newest(numbers.own.get((indicator, figure), ())):
        if value.is_told:
            mind = [say(FLAGS[flag]) for flag in value.flags]
            of = "" if value.of == value.unit else value.of
            yield _named(label, [of], say), shown(value, say), say.number(value.n), say.period(value.period), say("; ").join(mind)
        else:
            kept_back.setdefault(REASONS[value.reason], []).append(value)
    for reason, values in kept_back.items():
        newest_of_all = max(values, key=_recent)
        yield _named(label, [value.of for value in values], say), say(reason), "", say.period(newest_of_all.period), ""


def _named(label: str, parts: Sequence[str], say: Language) -> str:
    words = [_of(part, say) for part in parts if part]
    return say("{what}: {of}", what=say(label), of=say(", ").join(words)) if words else say(label)


def newest(values: Sequence[Value]) -> list[Value]:
    """Of each part of a figure the last year, or the last quarter where no year is told; of leopards where predators differ."""
    by_part: dict[str, list[Value]] = {}
    has_leopard = any(value.predator == PREDATOR for value in values)
    for value in values:
        if not has_leopard or value.predator == PREDATOR:
            by_part.setdefault(value.of, []).append(value)
    chosen = [max(found, key=_recent) for found in by_part.values()]
    return sorted(chosen, key=lambda one: (not one.is_told, -one.n, one.of))[:MOST_PARTS]


def _recent(value: Value) -> tuple[bool, bool, str]:
    is_year = "Q" not in value.period
    return value.is_told, is_year and value.indicator != BY_END, value.period + "Q4" if is_year else value.period


def shown(value: Value, say: Language) -> str:
    """A figure as it is read: percent with its sign, money with its currency, a class in words."""
    if value.category:
        return say(CLASSES.get(value.category, value.category))
    if value.value is None:
        return ""
    is_money = len(value.unit) == 3 and value.unit.isupper()
    in_words = say.amount if is_money else say.percent if value.unit == "%" else say.number
    told = in_words(value.value)
    if value.lower is not None and value.upper is not None:
        least = value.lower if (value.indicator, value.figure) in SIGNED else max(0.0, value.lower)
        told = say("{value} ({low} to {high})", value=told, low=in_words(least), high=in_words(value.upper))
    return say("{sum} {currency}", sum=told, currency=say.choice(value.unit)) if is_money else told


def _of(of: str, say: Language) -> str:
    """What a figure is of: a choice, a choice and a spell of months, a kind and a choice, or two rounds."""
    if between := rounds_of(of):
        return say("round {first} to round {last}", **dict(zip(("first", "last"), map(say.digits, between), strict=True)))
    first, _colon, last = of.partition(":")
    if last in SPELLS:
        return say("{measure}, months {spell}", measure=say.choice(first), spell=isolated(say.digits(last)))
    return say(PARTS[of]) if of in PARTS else say.choice(last.strip() or of)
