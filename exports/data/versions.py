"""The columns of all versions of a form together: nothing that was ever asked is missing, and each question has one place."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from threading import Lock

from sqlalchemy import Connection, select

from forms.definition import Choice, Field, FormDefinition
from forms.problems import Problem
from records.access import Access, Right
from records.models import FormVersion

_KEPT = 16
_kept: dict[str, FormDefinition] = {}
_turn = Lock()


def definition_of(connection: Connection, access: Access, form_id: str, versions: Sequence[str] = ()) -> FormDefinition:
    """The form as the newest of these versions has it (of all, where none is named), and after it what only older ones asked.

    Raises `Problem` not_allowed, form_unknown, or not_found for versions that never were.
    """
    access.require(Right.SEE, Right.EXPORTS)
    query = select(FormVersion.sha256, FormVersion.version).filter_by(project_id=access.project_id, form_id=form_id)
    rows = connection.execute(query.order_by(FormVersion.published_at.desc(), FormVersion.version.desc())).all()
    if not rows:
        raise Problem("form_unknown", form_id)
    chosen = [row.version for row in rows if not versions or row.version in versions]
    if not chosen:
        raise Problem("not_found", f"Version {', '.join(versions)} of {form_id} was never published here.")
    digests = {row.version: row.sha256 for row in rows}
    return union([_definition(connection, access.project_id, form_id, version, digests[version]) for version in chosen])


def _definition(connection: Connection, project_id: int, form_id: str, version: str, sha256: str) -> FormDefinition:
    """A version, once read kept for the next download: in sixteen languages a tenth of a second goes into reading one."""
    with _turn:
        found = _kept.get(sha256)
    if found is None:
        key = {"project_id": project_id, "form_id": form_id, "version": version}
        found = FormDefinition.from_xform(connection.execute(select(FormVersion.xform).filter_by(**key)).scalar_one())
        with _turn:
            _kept.pop(next(iter(_kept)) if len(_kept) == _KEPT else "", None)
            _kept[sha256] = found
    return found


def union(definitions: Sequence[FormDefinition]) -> FormDefinition:
    """The first definition with what only the later ones have: each question behind the one it stood behind."""
    first, *others = definitions
    fields = first.fields
    for other in others:
        fields = _merged(fields, other.fields)
    return replace(first, fields=fields, languages=tuple(dict.fromkeys(name for one in definitions for name in one.languages)))


def _merged(new: Sequence[Field], old: Sequence[Field]) -> tuple[Field, ...]:
    known = {field.name: field for field in new}
    behind: dict[str, list[Field]] = {}
    anchor = ""
    for field in old:
        if field.name in known:
            anchor = field.name
            known[anchor] = _both(known[anchor], field)
        else:
            behind.setdefault(anchor, []).append(field)
    merged = list(behind.get("", ()))
    for field in new:
        merged += [known[field.name], *behind.get(field.name, ())]
    return tuple(merged)


def _both(new: Field, old: Field) -> Field:
    """A node of two versions: the newer one, with the children and choices that only the older one has."""
    if new.kind != old.kind:
        return new
    if new.kind != "question":
        return replace(new, children=_merged(new.children, old.children))
    return replace(new, choices=_choices(new.choices, old.choices)) if new.choices and old.choices else new


def _choices(new: Iterable[Choice], old: Iterable[Choice]) -> tuple[Choice, ...]:
    known = {choice.name: choice for choice in (*old, *new)}  # the newer words win
    order = dict.fromkeys(choice.name for choice in (*new, *old))
    return tuple(known[name] for name in order)
