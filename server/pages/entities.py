"""Entity lists: what phones pick from, conflicts for a person to resolve, and what was asked of a list and waits or failed."""

from typing import Any

from flask import Response, redirect, request, url_for
from sqlalchemy import Connection, Row

from forms.problems import Problem
from forms.submission import case_number
from records import entities as kept
from records.access import Right
from server import looks
from server.pages.access import access, open_to
from server.pages.blueprint import PROJECT, pages
from server.pages.rendering import page, translate
from server.services import services
from sync.entities import change, history, settle_waiting

_MOST = 500


def _(text: str) -> str:
    """Mark a text for translation; it is translated when it is shown."""
    return text


_KINDS = {
    "create": _("new"),
    "update": _("change"),
    "upsert": _("new or change"),
    "resolve": _("conflict resolved"),
    "delete": _("deleted"),
}
_REASONS = (
    _("The record that creates it has not come."),
    _("An earlier change from the same phone has not come."),
    _("It builds on a version that is not here."),
    _("The change it corrects waits itself."),
    _("The record it corrects has not come."),
    _("Its record is not approved."),
    _("The entity was deleted before."),
    _("An entity with this id exists."),
    _("The label is empty."),
    _("It does not say which version it builds on."),
    _("The id is not a UUID."),
    _("The form has no entities of this list."),
    _("The version it is based on is not a number."),
)
"""Why something waits or failed, as `sync.entity_fold`, `sync.entities` and `forms.entities` say it."""


@pages.get(f"{PROJECT}/entities", endpoint="entity_lists")
@open_to(Right.ENTITIES)
def all_lists() -> Response:
    """All lists of the project, and what waits or failed."""
    with services().store.read() as connection:
        return page("entity_lists.html", lists=kept.summaries(connection, access()), log=_log(connection))


@pages.get(f"{PROJECT}/entities/<segment:name>", endpoint="entity_list")
@open_to(Right.ENTITIES)
def one_list(name: str) -> Response:
    """The entities of a list, those in conflict first."""
    with services().store.read() as connection:
        found = kept.list_row(connection, access(), name)
        rows = kept.entities(connection, access(), name, limit=_MOST + 1)
        shown = page(
            "entity_list.html", list=found, rows=rows[:_MOST], most=_MOST, log=_log(connection, name), more=len(rows) > _MOST
        )
    return looks.at_list(shown, access(), name)


@pages.post(f"{PROJECT}/entities/<segment:name>")
@open_to(Right.ENTITIES)
def set_entity_approval(name: str) -> Response:
    """Whether records change the list at once or when they are approved."""
    kept.set_approval(services().store, access(), name, "approval" in request.form)
    settle_waiting(services().store, access().project_id)
    return redirect(url_for("pages.entity_list", name=name), 303)  # type: ignore[return-value]


@pages.get(f"{PROJECT}/entities/<segment:name>/<uuid>", endpoint="entity")
@open_to(Right.ENTITIES)
def one(name: str, uuid: str) -> Response:
    """An entity: its values, its conflict, everything that was asked of it."""
    with services().store.read() as connection:
        found = kept.entity(connection, access(), uuid, name)
        told, rows = history(connection, access(), uuid)
        properties = kept.list_row(connection, access(), found.list_name).properties
    shown = page(
        "entity.html",
        entity=found,
        properties=[each for each in properties if each not in told.clashes],
        clashes=told.clashes,
        log=[_line(row) for row in reversed(rows)],
    )
    return looks.at_entity(shown, access(), found.uuid, found.list_name)


@pages.post(f"{PROJECT}/entities/<segment:name>/<uuid>")
@open_to(Right.ENTITIES)
def change_entity(name: str, uuid: str) -> Response:
    """Resolve the conflict of an entity, with the values chosen, or delete it."""
    kind = request.form.get("do", "")
    if kind not in {"resolve", "delete"}:
        raise Problem("value_invalid")
    chosen = {key.removeprefix("value."): text for key, text in request.form.items() if key.startswith("value.")}
    with services().store.read() as connection:
        found = kept.entity(connection, access(), uuid, name)
    current = {**found.data, "label": found.label}
    other = {key: value for key, value in chosen.items() if current.get(key, "") != value}
    change(services().store, access(), uuid, kind, other if kind == "resolve" else None)
    target = url_for("pages.entity_list", name=name) if kind == "delete" else url_for("pages.entity", name=name, uuid=uuid)
    return redirect(target, 303)  # type: ignore[return-value]


def _log(connection: Connection, name: str | None = None) -> list[dict[str, Any]]:
    return [_line(row) for row in kept.unsettled(connection, access(), name)]


def _line(row: Row[Any]) -> dict[str, Any]:
    """One request as people read it."""
    return {
        **row._mapping,
        "kind": translate(_KINDS[row.kind]),
        "reason": translate(row.detail),
        "case": case_number(row.instance_id) if row.instance_id else "",
    }
