"""tulliana strategy: what data there are for each activity of the strategy, and what is overdue."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
import orjson

from forms.problems import Problem
from server.commands import access, opened

if TYPE_CHECKING:
    from exports.strategy import ActivityData, Holding


@click.command("strategy")
@click.option("--activity", "wanted", metavar="ID", help="Only this activity, with its surveys: 7.1.1.")
@click.option("--json", "as_json", is_flag=True, help="For scripts: one JSON object a line.")
def command(wanted: str | None, as_json: bool) -> None:
    """Show what data there are for each activity of the strategy: records, days, countries; and what is overdue."""
    from exports import strategy

    with opened() as services, services.store.read() as connection:
        activities = strategy.read_strategy_data(connection, access(), datetime.now(UTC).date())
    shown = [each for each in activities if wanted in (None, each.activity.id, each.activity.source_id)]
    if not shown:
        raise Problem("not_found", f"No activity {wanted!r}.", hint="Use an id that tulliana strategy lists.")
    for each in shown:
        if as_json:
            click.echo(orjson.dumps(strategy.as_json(each)).decode())
            continue
        click.echo("\t".join(_summary(each)))
        for line in _details(each) if wanted else ():
            click.echo(f"    {line}")


def _summary(data: "ActivityData") -> Iterator[str]:
    yield data.activity.id
    yield f"priority {data.activity.priority:.2f}" if data.activity.priority else "no priority"
    yield _due(data)
    yield ", ".join([_held(data.together), *(["restricted data"] if data.has_restricted else [])]) if data.holdings else "no survey"
    yield data.activity.text


def _due(data: "ActivityData") -> str:
    due, status = data.activity.due, data.status.value
    if data.period:
        rhythm = {1: "yearly", 4: "four-yearly"}.get(due.every or 0, status)
        first, last = data.period
        return f"{rhythm}, {'data' if data.is_supplied else 'no data'} in {first if first == last else f'{first}-{last}'}"
    if due.first is None:
        return {"asap": "as soon as possible"}.get(status, "no date")
    return f"{due.first if due.first == due.last else f'{due.first}-{due.last}'}, {status}"


def _held(holding: "Holding") -> str:
    if not holding.records:
        return "no records"
    words = [f"{holding.records} records", f"{holding.first} to {holding.last}", *holding.countries]
    return ", ".join(words)


def _details(data: "ActivityData") -> Iterator[str]:
    """The surveys of an activity, with what does not count, and its indicators."""
    from exports.strategy import FEWER

    for each in data.holdings:
        if each.restricted:
            told = ", ".join(f"{year}: {FEWER if n is None else n}" for year, n in each.years.items())
            yield f"{each.survey_id}\trestricted, {told or 'no records'}"
            continue
        left_out = ", ".join(f"{n} {reason}" for reason, n in (each.left_out or {}).items() if n)
        arrived = f"last arrival {each.last_arrival:%Y-%m-%d %H:%M}Z" if each.last_arrival else ""
        not_counted = f"not counted: {left_out}" if left_out else ""
        yield "\t".join(filter(None, [each.survey_id, _held(each), arrived, not_counted]))
    if data.activity.indicators:
        yield f"indicators\t{', '.join(data.activity.indicators)}"
