"""The first page of a project: reports on a map and the newest ones in a table."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import Response, request, url_for
from sqlalchemy import Connection

from forms.problems import Problem
from forms.submission import case_number
from records import submissions
from records.access import Right
from records.flags import is_waiting
from records.forms import titles
from records.submissions import Position
from server import looks
from server.compression import compressed
from server.pages import flags
from server.pages.access import access, open_to
from server.pages.blueprint import PROJECT, pages
from server.pages.history import STATES
from server.pages.rendering import form_title, page
from server.pages.report import pictures
from server.services import services

PAGE_SIZE = 25
MAP_LIMIT = 5000
COLOURS = 8
"""How many forms the style sheet has colours for; further ones share."""


@pages.get(f"{PROJECT}/", endpoint="overview")
@open_to(Right.SEE)
def overview() -> Response:
    """The newest reports, and the map."""
    wanted, after = _wanted(), _position(request.args.get("after", ""))
    with services().store.read() as connection:
        shown = submissions.newest(connection, access(), limit=PAGE_SIZE + 1, before=after, **wanted)
        forms = _forms(connection)
    reports, more = shown[:PAGE_SIZE], shown[PAGE_SIZE:]
    last = f"{reports[-1].received_at.isoformat()} {reports[-1].instance_id}" if more else None
    return page(
        "overview.html",
        forms=forms,
        reports=reports,
        older=last,
        is_first_page=after is None,
        case_number=case_number,
        tags=flags.tags,
        missing_files=flags.missing,
        map_limit=MAP_LIMIT,
        states=STATES,
        pictures=pictures,
        **wanted,
    )


@pages.get(f"{PROJECT}/map/points.json")
@open_to(Right.SEE)
def map_points() -> Response:
    """The newest reports that have a place, as rows (see `columns`) to keep the answer small."""
    with services().store.read() as connection:
        rows = submissions.points(connection, access(), limit=MAP_LIMIT + 1, **_wanted())
        forms = _forms(connection)
    answer = {
        "columns": ["latitude", "longitude", "form", "flags", "case", "date", "who", "address"],
        "forms": {form_id: {"title": form["title"], "colour": form["colour"]} for form_id, form in forms.items()},
        "points": [_point(row) for row in rows[:MAP_LIMIT]],
        "is_complete": len(rows) <= MAP_LIMIT,
    }
    response = Response(json.dumps(answer, ensure_ascii=False, separators=(",", ":")), content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return looks.at_list(compressed(response), access(), "map")


@pages.get(f"{PROJECT}/map/boundaries.geojson")
@open_to(Right.SEE)
def boundaries() -> Response:
    """The provinces of the region, the map's base layer (those that are shipped: Natural Earth, public domain)."""
    from records.geography import SHIPPED

    response = Response((services().config.boundaries or SHIPPED).read_bytes(), content_type="application/geo+json")
    response.add_etag(weak=True)
    response.headers["Cache-Control"] = "private, no-cache"
    response.make_conditional(request)
    return compressed(response) if response.status_code == 200 else response


def _wanted() -> dict[str, Any]:
    """What the reader filtered for."""
    chosen = {"form_id": request.args.get("form") or None, "review_state": request.args.get("state") or None}
    return {**chosen, "only_flagged": request.args.get("flagged") == "1"}


def _position(text: str) -> Position | None:
    """Where the page before ended."""
    if not text:
        return None
    moment, _, instance_id = text.partition(" ")
    try:
        return datetime.fromisoformat(moment), instance_id
    except ValueError as error:
        raise Problem("value_invalid") from error


def _forms(connection: Connection) -> dict[str, dict[str, Any]]:
    """Title and colour of every form by its id; the colour follows from the order of the ids."""
    known: Sequence[tuple[str, str]] = titles(connection, access().project_id)
    return {form_id: {"title": form_title(title), "colour": number % COLOURS} for number, (form_id, title) in enumerate(known)}


def _point(row: Any) -> list[Any]:
    address = url_for("pages.report", form_id=row.form_id, instance_id=row.instance_id)
    day = row.event_date.isoformat() if row.event_date else row.received_at.date().isoformat()
    words = ", ".join(flags.titles([item for item in row.flags if is_waiting(item)]))
    return [row.latitude, row.longitude, row.form_id, words, case_number(row.instance_id), day, row.app_user or "", address]
