"""Projects: one programme each, with forms, phones and data of its own."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, Row, insert, select, update

from forms.problems import Problem
from records.access import Access, Right
from records.audit import note
from records.models import Project
from records.store import Store, insert_new

FIRST = 1  # made at the first start
_ACCOUNT = re.compile("[a-z][a-z0-9-]{0,39}")


def make_first(connection: Connection) -> None:
    """The project everybody begins with, unless it is there."""
    row = {"id": FIRST, "name": "Tulliana", "account": f"project{FIRST}", "created_at": datetime.now(UTC)}
    connection.execute(insert_new(connection, Project), row)


def add(store: Store, name: str, account: str, *, actor: str = "") -> int:
    """Make a project and return its number. Raises `Problem` "value_invalid" or "name_taken"."""
    name = name.strip()
    if not name or len(name) > 100:
        raise Problem("value_invalid", "A name has 1 to 100 characters.")
    if not _ACCOUNT.fullmatch(account):
        raise Problem("value_invalid", "A short name has small Latin letters, digits and hyphens, and begins with a letter.")

    def work(connection: Connection) -> int:
        if connection.execute(select(Project.id).filter_by(account=account)).first() is not None:
            raise Problem("name_taken", account)
        row = {"name": name, "account": account, "created_at": datetime.now(UTC)}
        made = connection.execute(insert(Project).values(row).returning(Project.id))
        project_id = made.scalar_one()
        note(connection, "project.add", name, actor=actor, project_id=project_id)
        return project_id

    return store.write(work)


def set_languages(store: Store, access: Access, codes: Sequence[str]) -> None:
    """Give the shipped surveys these languages in this order; none means all. Raises `Problem("not_allowed")`."""
    access.require(Right.FORMS)

    def work(connection: Connection) -> None:
        connection.execute(update(Project).filter_by(id=access.project_id).values(languages=list(codes)))
        note(connection, "project.languages", " ".join(codes), actor=access.actor, project_id=access.project_id)

    store.write(work)


def languages(connection: Connection, project_id: int) -> list[str]:
    """The languages a project chose for the shipped surveys, in their order; empty for all."""
    return connection.execute(select(Project.languages).filter_by(id=project_id)).scalar() or []


def listed(connection: Connection) -> Sequence[Row[int, str, str, datetime, list[str]]]:
    """All projects in the order they were made: (id, name, account, created_at, languages)."""
    columns = (Project.id, Project.name, Project.account, Project.created_at, Project.languages)
    return connection.execute(select(*columns).order_by(Project.id)).all()


def named(connection: Connection, project_id: int) -> str:
    """The name of a project. Raises `Problem("not_found")`."""
    name = connection.execute(select(Project.name).filter_by(id=project_id)).scalar()
    if name is None:
        raise Problem("not_found", f"There is no project {project_id}.")
    return name
