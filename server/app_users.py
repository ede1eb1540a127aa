"""App users: a phone's key in the path of its server address or its user name and password, and the QR code that sets it up."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, insert, or_, select, update

from forms.problems import Problem
from records.access import COLLECTOR
from records.audit import note
from records.models import Account, AppUser, Form, Membership, Project
from records.store import Store
from server.accounts import PASSWORD_ALPHABET, new_password
from server.digest import ha1
from server.i18n import phone_languages
from server.tokens import digest, new_token

_OLD_KEY_DAYS = 90
_PHONE = (AppUser.id, AppUser.project_id, AppUser.language, AppUser.form_ids, AppUser.notice, Project.forms_revision)
_BY_TOKEN = select(*_PHONE, (AppUser.token_sha256 != bindparam("token")).label("is_old")).where(  # every request asks it
    AppUser.project_id == bindparam("project_id"),
    Project.id == AppUser.project_id,
    AppUser.revoked_at.is_(None),
    or_(
        AppUser.token_sha256 == bindparam("token"),
        and_(AppUser.old_token_sha256 == bindparam("token"), AppUser.old_token_until > bindparam("now")),
    ),
)
_BY_USERNAME = (
    select(*_PHONE, AppUser.ha1, Project.account)
    .join(Project, Project.id == AppUser.project_id)
    .where(AppUser.username == bindparam("username"), AppUser.revoked_at.is_(None))
)


@dataclass(frozen=True, slots=True)
class NewAppUser:
    """An app user with a secret just made: a token, or a user name and a password. This is the only moment it is known."""

    name: str
    project: str
    language: str
    project_id: int
    token: str = ""
    username: str = ""
    password: str = ""

    def url(self, base_url: str) -> str:
        """What goes into the phone's server field."""
        return f"{base_url}/v1/key/{self.token}/projects/{self.project_id}" if self.token else base_url


def add(
    store: Store, name: str, *, project_id: int, language: str = "en", account: str | None = None, actor: str = ""
) -> NewAppUser:
    """Make an app user with a new key; `account` names the data collector who sees what it sends.

    Raises `Problem` "value_invalid" or "name_taken".
    """
    name = name.strip()
    if not name or len(name) > 100:
        raise Problem("value_invalid", "A name has 1 to 100 characters.")
    if language not in phone_languages():
        raise Problem("value_invalid", f"Language {language}: one of {', '.join(phone_languages())}.")
    token, now = new_token(), datetime.now(UTC)

    def work(connection: Connection) -> str:
        taken = select(AppUser.id).filter_by(project_id=project_id, name=name, revoked_at=None)
        if connection.execute(taken).first() is not None:
            raise Problem("name_taken", name)
        row = {"project_id": project_id, "name": name, "token_sha256": digest(token), "language": language, "created_at": now}
        connection.execute(insert(AppUser).values(**row, account_id=_collector(connection, project_id, account)))
        note(connection, "app_user.add", name, actor=actor, project_id=project_id, account=account)
        return connection.execute(select(Project.name).filter_by(id=project_id)).scalar_one()

    return NewAppUser(name, store.write(work), language, project_id, token)


def revoke(store: Store, name: str, *, project_id: int, actor: str = "") -> None:
    """Withdraw an app user's key and password. Raises `Problem("not_found")`."""
    _change(store, name, project_id, actor, "app_user.revoke", {"revoked_at": datetime.now(UTC)})


def set_account(store: Store, name: str, account: str | None, *, project_id: int, actor: str = "") -> None:
    """Say which data collector sees what an app user sends, or none. Raises `Problem` "not_found" or "value_invalid"."""
    with store.read() as connection:
        account_id = _collector(connection, project_id, account)
    _change(store, name, project_id, actor, "app_user.set_account", {"account_id": account_id}, account=account)


def set_forms(store: Store, name: str, form_ids: Sequence[str] | None, *, project_id: int, actor: str = "") -> None:
    """Say which forms an app user gets; None: all, those to come too. Raises `Problem` "not_found" or "form_unknown"."""
    wanted = None if form_ids is None else sorted(set(form_ids))
    with store.read() as connection:
        known = connection.execute(select(Form.form_id).filter_by(project_id=project_id)).scalars().all()
    if unknown := sorted(set(wanted or ()) - set(known)):
        raise Problem("form_unknown", ", ".join(unknown), hint="List them: tulliana form list.")
    _change(store, name, project_id, actor, "app_user.set_forms", {"form_ids": wanted}, forms=wanted)


def rotate(store: Store, name: str, *, project_id: int, actor: str = "") -> NewAppUser:
    """A new key for an app user; with the old one the phone delivers for 90 days what it has. Raises `Problem("not_found")`."""
    token = new_token()
    old = {"old_token_sha256": AppUser.token_sha256, "old_token_until": datetime.now(UTC) + timedelta(days=_OLD_KEY_DAYS)}
    project, language = _change(store, name, project_id, actor, "app_user.rotate", {**old, "token_sha256": digest(token)})
    return NewAppUser(name, project, language, project_id, token)


def set_password(store: Store, name: str, *, project_id: int, actor: str = "") -> NewAppUser:
    """A new user name and password for an app user, for apps and doors that take no key. Raises `Problem("not_found")`."""
    username = "phone-" + "".join(secrets.choice(PASSWORD_ALPHABET) for _ in range(6))
    password = new_password()
    values = {"username": username, "ha1": ha1(username, password)}
    project, language = _change(store, name, project_id, actor, "app_user.set_password", values)
    return NewAppUser(name, project, language, project_id, username=username, password=password)


def _change(
    store: Store, name: str, project_id: int, actor: str, action: str, values: dict[str, Any], **detail: Any
) -> tuple[str, str]:
    """Change the active app user of this name; (name of the project, language)."""

    def work(connection: Connection) -> tuple[str, str]:
        row = connection.execute(
            select(AppUser.id, Project.name.label("project"), AppUser.language)
            .join(Project, Project.id == AppUser.project_id)
            .where(AppUser.project_id == project_id, AppUser.name == name, AppUser.revoked_at.is_(None))
        ).first()
        if row is None:
            raise Problem("not_found", f"No active app user is called {name}.")
        connection.execute(update(AppUser).filter_by(id=row.id).values(values))
        note(connection, action, name, actor=actor, project_id=project_id, **detail)
        return row.project, row.language

    return store.write(work)


def _collector(connection: Connection, project_id: int, account: str | None) -> int | None:
    """The id of a data collector's account. Raises `Problem("value_invalid")`."""
    if not account:
        return None
    query = select(Account.id).join(Membership).where(Account.name == account, Account.closed_at.is_(None))
    found = connection.execute(query.where(Membership.project_id == project_id, Membership.role == COLLECTOR)).scalar()
    if found is None:
        raise Problem("value_invalid", f"{account} is no data collector of this project.")
    return found


def listed(connection: Connection, project_id: int) -> list[Row[Any]]:
    """All app users, active ones first: (id, name, language, form_ids, account, created_at, revoked_at)."""
    columns = (
        AppUser.id,
        AppUser.name,
        AppUser.language,
        AppUser.form_ids,
        Account.name.label("account"),
        AppUser.created_at,
        AppUser.revoked_at,
    )
    query = select(*columns).join(Account, Account.id == AppUser.account_id, isouter=True).where(AppUser.project_id == project_id)
    return list(connection.execute(query.order_by(AppUser.revoked_at.is_not(None), AppUser.name, AppUser.id)))


def identified(connection: Connection, token: str, project_id: int) -> Row[Any]:
    """The phone with this key: `_PHONE` and is_old. Raises `Problem("token_unknown")`."""
    asked = {"token": digest(token), "project_id": project_id, "now": datetime.now(UTC)}
    row = connection.execute(_BY_TOKEN, asked).first()
    if row is None:
        raise Problem("token_unknown")
    return row


def with_username(connection: Connection, username: str) -> Row[Any] | None:
    """(id, project_id, language, form_ids, notice, forms_revision, ha1, account) of the active app user with this user name.

    `account` is the project's short name.
    """
    return connection.execute(_BY_USERNAME, {"username": username}).first()
