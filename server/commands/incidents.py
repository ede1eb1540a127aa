"""tulliana incident: which reports tell of one event, the visits to it, the days between its steps."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from forms.submission import case_number
from server.commands import access, opened

if TYPE_CHECKING:
    from records.incidents import Incident, Pair, Step, Timeline

_MOST = 10_000


@click.group("incident")
def command() -> None:
    """Look at reports that may tell of one event, and say so. A report is named by its case number or its id."""


@command.command("list")
@click.option("--band", type=click.Choice(["likely", "possible"]), help="Only pairs of this band.")
@click.option("--joined", is_flag=True, help="The incidents with several reports or visits instead.")
@click.option("--days", is_flag=True, help="The days between the steps of all incidents instead.")
def show_list(band: str | None, joined: bool, days: bool) -> None:
    """List the pairs that wait for a decision, the strongest first: score, band, the two case numbers, the evidence."""
    from records import incidents

    with opened() as services, services.store.read() as connection:
        if joined:
            for brief in incidents.joined_incidents(connection, access(), limit=_MOST):
                counts = f"{brief.reports} reports\t{brief.visits} visits"
                click.echo(f"{case_number(brief.id)}\t{brief.event_date or ''}\t{counts}\t{brief.id}")
        elif days:
            for each in incidents.latencies(connection, access(), datetime.now(UTC).date()):
                told = "" if each.median is None else f"median {each.median:g} d, 90 % within {each.slowest:g} d, "
                click.echo(f"{each.start} to {each.end}\t{told}{each.done} finished, {each.open} open")
        else:
            for pair in incidents.proposed_pairs(connection, access(), limit=_MOST, band=band or ""):
                click.echo(_pair(pair))


def _pair(pair: "Pair") -> str:
    evidence = ", ".join(f"{term} {said['value']} {said['weight']:+g}" for term, said in pair.evidence.items())
    cases = f"{case_number(pair.first[1])} {case_number(pair.second[1])}"
    return f"{pair.score:.2f}\t{pair.band}\t{cases}\t{evidence}"


@command.command()
@click.argument("report")
def show(report: str) -> None:
    """Show the incident of REPORT: its reports, visits, pairs, what happened when, and the days between."""
    from records import incidents

    with opened() as services, services.store.read() as connection:
        found = incidents.incident_of(connection, access(), *incidents.find_report(connection, access(), report))
    told = incidents.timeline(found, datetime.now(UTC).date())
    for line in (*_records(found), *_steps(told)):
        click.echo(line)


def _records(found: "Incident") -> Iterator[str]:
    yield f"Incident {case_number(found.id)}"
    for role, record in [("report", each) for each in found.reports] + list(found.visits):
        yield f"{role}\t{case_number(record.instance_id)}\t{record.received_at:%Y-%m-%d %H:%M}\t{record.instance_id}"
    for pair in found.pairs:
        decided = f"{pair.decision} ({pair.decided_by}) {pair.comment}".strip() if pair.decision else "not decided"
        yield f"pair\t{_pair(pair)}\t{decided}"


def _steps(told: "Timeline") -> Iterator[str]:
    for step in told.steps:
        yield f"{step.day}\t{step.kind}\t{_amount(step)}\t{step.detail}\t{step.claim}".rstrip()
    for each in told.latencies:
        claim = f" of claim {each.claim}" if each.claim else ""
        yield f"{each.start} to {each.end}{claim}\t{each.days} d{', still open' if each.is_open else ''}"


def _amount(step: "Step") -> str:
    if step.amount is None:
        return ""
    rial = f" ({_plain(step.in_rial)} IRR)" if step.in_rial is not None else ""
    return f"{_plain(step.amount)} {step.currency}{rial}"


def _plain(amount: float) -> str:
    return f"{amount:.2f}".removesuffix(".00")


@command.command()
@click.argument("one")
@click.argument("other")
@click.argument("decision", type=click.Choice(["same", "different", "undecided"]))
@click.option("--comment", default="", help="Why; it stays in the history of both reports.")
def decide(one: str, other: str, decision: str, comment: str) -> None:
    """Say that the reports ONE and OTHER tell of the same event or of different ones, or that it is open again."""
    from records import incidents

    with opened() as services:
        with services.store.read() as connection:
            both = [incidents.find_report(connection, access(), report) for report in (one, other)]
        incidents.decide(services.store, access(), both[0], both[1], decision, comment)
    click.echo(f"{case_number(both[0][1])}, {case_number(both[1][1])}: {decision}.")
