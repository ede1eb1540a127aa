"""Accounts of people who sign in: passwords (Argon2, at sign-in only), roles in projects, and sessions that can be ended."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, func, insert, select, update

from forms.problems import Problem
from records.access import COLLECTOR, ROLES, Access
from records.audit import note
from records.models import Account, Membership, Session
from records.store import Store
from server.tokens import digest, new_token

if TYPE_CHECKING:
    from argon2 import PasswordHasher

ADMINISTRATOR = "administrator"
SESSION_DAYS = 14
PASSWORD_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # noqa: S105 - without what looks alike
_MINIMUM_PASSWORD = 10


@dataclass(frozen=True, slots=True)
class Person:
    """Who is signed in. `roles` are by the number of the project."""

    id: int
    name: str
    is_administrator: bool
    roles: dict[int, str]

    def access(self, project_id: int) -> Access:
        """What this person may do in a project. Raises `Problem("not_allowed")`, whether there is such a project or not."""
        if self.is_administrator:
            return Access.everything(project_id, self.name)
        if project_id not in self.roles:
            raise Problem("not_allowed")
        return Access.of_role(project_id, self.name, self.roles[project_id], self.id)


def new_password() -> str:
    """A password that can be read aloud and typed: 20 letters and digits in fours (about 99 bits)."""
    return "-".join("".join(secrets.choice(PASSWORD_ALPHABET) for _ in range(4)) for _ in range(5))


def add(store: Store, name: str, role: str, password: str, *, project_id: int, actor: str = "") -> None:
    """Make an account: an administrator, or one with a role in this project. Raises `Problem` "value_invalid" or "name_taken"."""
    name = name.strip()
    if not name or len(name) > 100:
        raise Problem("value_invalid", "A name has 1 to 100 characters.")
    _check_role(role)
    is_administrator = role == ADMINISTRATOR
    row = {"name": name, "is_administrator": is_administrator, "password_hash": _hash(password), "created_at": datetime.now(UTC)}

    def work(connection: Connection) -> None:
        if connection.execute(select(Account.id).filter_by(name=name)).first() is not None:
            raise Problem("name_taken", name)
        account_id = connection.execute(insert(Account).values(row).returning(Account.id)).scalar_one()
        if not is_administrator:
            connection.execute(insert(Membership).values(project_id=project_id, account_id=account_id, role=role))
        note(connection, "account.add", name, actor=actor, project_id=None if is_administrator else project_id, role=role)

    store.write(work)


def set_role(store: Store, name: str, role: str | None, *, project_id: int, actor: str = "") -> None:
    """Give a person a role in a project, or none. Administrators need none. Raises `Problem` "not_found" or "value_invalid"."""
    if role is not None:
        _check_role(role)
        if role == ADMINISTRATOR:
            raise Problem("value_invalid", "Administrators are made as such: they are for all projects.")

    def work(connection: Connection) -> None:
        account_id = _id(connection, name)
        connection.execute(delete(Membership).filter_by(account_id=account_id, project_id=project_id))
        if role is not None:
            connection.execute(insert(Membership).values(project_id=project_id, account_id=account_id, role=role))
        note(connection, "account.set_role", name, actor=actor, project_id=project_id, role=role)

    store.write(work)


def set_password(store: Store, name: str, password: str, *, actor: str = "") -> None:
    """Give an account a new password and end its sessions. Raises `Problem` "not_found" or "value_invalid"."""
    password_hash = _hash(password)

    def work(connection: Connection) -> None:
        account_id = _id(connection, name)
        connection.execute(update(Account).filter_by(id=account_id).values(password_hash=password_hash))
        connection.execute(delete(Session).filter_by(account_id=account_id))
        note(connection, "account.set_password", name, actor=actor)

    store.write(work)


def close(store: Store, name: str, *, actor: str = "") -> None:
    """Close an account: its sessions end and nobody signs in with it again. What was done under its name stays told.

    Raises `Problem` "not_found", or "value_invalid" for the last administrator.
    """

    def work(connection: Connection) -> None:
        account_id = _id(connection, name)
        others = select(func.count(Account.id)).where(
            Account.is_administrator, Account.closed_at.is_(None), Account.id != account_id
        )
        if connection.execute(others).scalar_one() == 0:
            raise Problem("value_invalid", "This is the last administrator; somebody must be able to come in.")
        connection.execute(update(Account).filter_by(id=account_id).values(closed_at=datetime.now(UTC)))
        connection.execute(delete(Session).filter_by(account_id=account_id))
        note(connection, "account.close", name, actor=actor)

    store.write(work)


def end_sessions(store: Store, name: str, *, actor: str = "") -> None:
    """Sign an account out of every browser, when one was lost say. Raises `Problem("not_found")`."""

    def work(connection: Connection) -> None:
        connection.execute(delete(Session).filter_by(account_id=_id(connection, name)))
        note(connection, "account.end_sessions", name, actor=actor)

    store.write(work)


def first_administrator(store: Store) -> str | None:
    """Make the account `admin` when there is no account yet, and return its password: the only time it is known."""
    with store.read() as connection:
        if connection.execute(select(func.count(Account.id))).scalar_one():
            return None
    password = new_password()
    add(store, "admin", ADMINISTRATOR, password, project_id=0, actor="first start")
    return password


def verified(connection: Connection, name: str, password: str) -> Person:
    """The person with this name and password. Raises `Problem("sign_in_needed")`; takes as long for a name that is not there."""
    from argon2.exceptions import VerificationError

    row = connection.execute(select(Account.id, Account.password_hash).filter_by(name=name, closed_at=None)).first()
    try:
        _hasher().verify(row.password_hash if row else _nobody(), password)
    except VerificationError:
        row = None
    found = person(connection, row.id) if row else None
    if found is None:
        raise Problem("sign_in_needed", "The name or the password is wrong.")
    return found


@dataclass(frozen=True, slots=True)
class Listed:
    """An account as administrators see it. `roles` are by the number of the project."""

    name: str
    is_administrator: bool
    roles: dict[int, str]
    created_at: datetime
    closed_at: datetime | None


def listed(connection: Connection) -> list[Listed]:
    """All accounts, closed ones last."""
    roles: dict[int, dict[int, str]] = {}
    memberships = select(Membership.account_id, Membership.project_id, Membership.role).order_by(Membership.project_id)
    for account_id, project_id, role in connection.execute(memberships):
        roles.setdefault(account_id, {})[project_id] = role
    columns = (Account.id, Account.name, Account.is_administrator, Account.created_at, Account.closed_at)
    rows = connection.execute(select(*columns).order_by(Account.closed_at.is_not(None), Account.name))
    return [Listed(row.name, row.is_administrator, roles.get(row.id, {}), row.created_at, row.closed_at) for row in rows]


def collectors(connection: Connection, project_id: int) -> Sequence[str]:
    """The names of those who see what their own phones sent."""
    query = select(Account.name).join(Membership).where(Membership.project_id == project_id, Membership.role == COLLECTOR)
    return connection.execute(query.where(Account.closed_at.is_(None)).order_by(Account.name)).scalars().all()


def begin_session(store: Store, person: Person, *, days: int = SESSION_DAYS) -> str:
    """A token for the browser's cookie, or for a program."""
    token, now = new_token(), datetime.now(UTC)
    row = {"token_sha256": digest(token), "account_id": person.id, "expires_at": now + timedelta(days=days)}

    def work(connection: Connection) -> None:
        connection.execute(delete(Session).where(Session.expires_at < now))
        connection.execute(insert(Session).values(row))
        note(connection, "account.sign_in", person.name, actor=person.name)

    store.write(work)
    return token


def since(connection: Connection, person: Person) -> datetime:
    """When this person's account was made."""
    return connection.execute(select(Account.created_at).filter_by(id=person.id)).scalar_one()


def end_session(store: Store, token: str) -> None:
    """Sign this browser or program out."""
    store.write(lambda connection: connection.execute(delete(Session).filter_by(token_sha256=digest(token))))


def signed_in(connection: Connection, token: str) -> Person | None:
    """Whose browser this is."""
    account_id = connection.execute(
        select(Session.account_id).where(Session.token_sha256 == digest(token), Session.expires_at > datetime.now(UTC))
    ).scalar()
    return None if account_id is None else person(connection, account_id)


def roles_and_hash(connection: Connection, name: str) -> Sequence[Any]:
    """What a remembered password depends on: the stored hash and every role, so that a change of one forgets it."""
    return connection.execute(
        select(Account.password_hash, Account.closed_at, Account.is_administrator, Membership.project_id, Membership.role)
        .join(Membership, Membership.account_id == Account.id, isouter=True)
        .where(Account.name == name)
        .order_by(Membership.project_id)
    ).all()


def person(connection: Connection, account_id: int) -> Person | None:
    """The person with this account, unless it is closed."""
    rows = connection.execute(
        select(Account.name, Account.is_administrator, Membership.project_id, Membership.role)
        .join(Membership, Membership.account_id == Account.id, isouter=True)
        .where(Account.id == account_id, Account.closed_at.is_(None))
        .order_by(Membership.project_id)
    ).all()
    if not rows:
        return None
    roles = {row.project_id: row.role for row in rows if row.project_id is not None}
    return Person(account_id, rows[0].name, rows[0].is_administrator, roles)


def _id(connection: Connection, name: str) -> int:
    account_id = connection.execute(select(Account.id).filter_by(name=name, closed_at=None)).scalar()
    if account_id is None:
        raise Problem("not_found", f"No account is called {name}.")
    return account_id


def _check_role(role: str) -> None:
    if role not in {ADMINISTRATOR, *ROLES}:
        raise Problem("value_invalid", f"Role {role}: one of {', '.join([ADMINISTRATOR, *ROLES])}.")


def _hash(password: str) -> str:
    if len(password) < _MINIMUM_PASSWORD:
        raise Problem("value_invalid", f"A password has at least {_MINIMUM_PASSWORD} characters.")
    return _hasher().hash(password)


def _hasher() -> "PasswordHasher":
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


_nobody_hash: list[str] = []


def _nobody() -> str:
    """The hash of a password nobody has, so that an unknown name costs as much time as a known one."""
    if not _nobody_hash:
        _nobody_hash.append(_hasher().hash(new_token()))
    return _nobody_hash[0]


def ids(connection: Connection, names: Collection[str]) -> dict[str, int]:
    """The numbers of the accounts with these names."""
    rows = connection.execute(select(Account.name, Account.id).where(Account.name.in_(names)))
    return {row.name: row.id for row in rows}
