"""The strategy: what data the project has for each of its activities, and what is overdue. For programs the same as JSON."""

from datetime import UTC, datetime
from itertools import groupby

import orjson
from flask import Response

from exports import strategy as data
from exports.strategy import ActivityData, Status
from forms.strategy import strategy
from records.access import Right
from records.forms import titles
from server.compression import compressed
from server.pages.access import access, open_to
from server.pages.blueprint import PROJECT, pages
from server.pages.rendering import form_title, language, page
from server.services import services


def _(text: str) -> str:
    """Mark a text for translation; it is translated when it is shown."""
    return text


STATUS = {
    Status.OVERDUE: _("overdue"),
    Status.DUE: _("due"),
    Status.LATER: _("later"),
    Status.SOON: _("as soon as possible"),
}
"""What a status is in words; the others say nothing."""
RHYTHM = {1: _("every year"), 4: _("every four years")}
LEFT_OUT = {
    "test": _("tests"),
    "rejected": _("rejected"),
    "excluded": _("with an error"),
    "encrypted": _("encrypted"),
    "deleted": _("deleted records"),
}
"""Why records do not count, in words."""


@pages.get(f"{PROJECT}/strategy", endpoint="strategy")
@open_to(Right.EXPORTS)
def overview() -> Response:
    """The activities by objective and result, the surveys, the indicators."""
    today = datetime.now(UTC).date()
    with services().store.read() as connection:
        activities = data.read_strategy_data(connection, access(), today)
        forms = {form_id: form_title(title) for form_id, title in titles(connection, access().project_id)}
    return page(
        "strategy.html",
        strategy=strategy(),
        objectives=_by_objective(activities),
        overdue=[each.activity.id for each in activities if each.status is Status.OVERDUE],
        overdue_results={each.id for each in strategy().results.values() if data.status_of(each.due, today) is Status.OVERDUE},
        holdings={each.survey_id: each for activity in activities for each in activity.holdings},
        forms=forms,
        countries=_countries(),
        statuses=STATUS,
        rhythms=RHYTHM,
        reasons=LEFT_OUT,
    )


@pages.get(f"{PROJECT}/strategy.json", endpoint="strategy_json")
@open_to(Right.EXPORTS)
def as_json() -> Response:
    """The same for programs."""
    today = datetime.now(UTC).date()
    with services().store.read() as connection:
        activities = data.read_strategy_data(connection, access(), today)
    content = orjson.dumps({"as_of": today, "activities": [data.as_json(each) for each in activities]})
    response = Response(content, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return compressed(response)


def _by_objective(activities: list[ActivityData]) -> list[tuple[str, list[tuple[str, list[ActivityData]]]]]:
    """The activities below their objectives and results, in the order of the strategy."""
    return [
        (objective, [(result, list(inner)) for result, inner in groupby(group, lambda each: each.activity.result)])
        for objective, group in groupby(activities, lambda each: each.activity.objective)
    ]


def _countries() -> dict[str, str]:
    """The names of the countries in the reader's language, as the surveys have them."""
    from forms.library.translations import pick_languages

    reader = pick_languages([language()])[0]
    return {code: reader.translate("country", each.name) for code, each in strategy().countries.items()}
