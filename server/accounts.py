"""Accounts of people who sign in: passwords (Argon2, at sign-in only), roles, and browser sessions that can be ended."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from forms.problems import Problem
from records.models import Account, AuditEvent, Session
from records.store import Store
from server.tokens import digest, new_token

if TYPE_CHECKING:
    from argon2 import PasswordHasher

ROLES = ("administrator", "coordinator", "analyst")
SESSION_DAYS = 14
_MINIMUM_PASSWORD = 10


@dataclass(frozen=True, slots=True)
class Person:
    """Who is signed in."""

    id: int
    name: str
    role: str

    def may(self, *roles: str) -> bool:
        """Whether this person has one of these roles; an administrator has all."""
        return self.role == "administrator" or self.role in roles


def new_password() -> str:
    """A password that can be read aloud and typed: 20 letters and digits in fours (about 99 bits)."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(alphabet) for _ in range(4)) for _ in range(5))


def add(store: Store, name: str, role: str, password: str, *, actor: str = "") -> None:
    """Make an account. Raises `Problem` "value_invalid" or "name_taken"."""
    name = name.strip()
    if not name or len(name) > 100:
        raise Problem("value_invalid", "A name has 1 to 100 characters.")
    if role not in ROLES:
        raise Problem("value_invalid", f"Role {role}: one of {', '.join(ROLES)}.")
    row = {"name": name, "role": role, "password_hash": _hash(password), "created_at": datetime.now(UTC)}

    def work(connection: Connection) -> None:
        if connection.execute(select(Account.id).filter_by(name=name)).first() is not None:
            raise Problem("name_taken", name)
        connection.execute(insert(Account).values(row))
        _note(connection, actor, "account.add", name)

    store.write(work)


def set_password(store: Store, name: str, password: str, *, actor: str = "") -> None:
    """Give an account a new password and end its sessions. Raises `Problem` "not_found" or "value_invalid"."""
    password_hash = _hash(password)

    def work(connection: Connection) -> None:
        account_id = connection.execute(select(Account.id).filter_by(name=name)).scalar()
        if account_id is None:
            raise Problem("not_found", f"No account is called {name}.")
        connection.execute(update(Account).filter_by(id=account_id).values(password_hash=password_hash))
        connection.execute(delete(Session).filter_by(account_id=account_id))
        _note(connection, actor, "account.set_password", name)

    store.write(work)


def first_administrator(store: Store) -> str | None:
    """Make the account `admin` when there is no account yet, and return its password: the only time it is known."""
    with store.read() as connection:
        if connection.execute(select(func.count(Account.id))).scalar_one():
            return None
    password = new_password()
    add(store, "admin", "administrator", password, actor="first start")
    return password


def verified(connection: Connection, name: str, password: str) -> Person:
    """The person with this name and password. Raises `Problem("sign_in_needed")`; takes as long for a name that is not there."""
    from argon2.exceptions import VerificationError

    row = connection.execute(select(Account.id, Account.name, Account.role, Account.password_hash).filter_by(name=name)).first()
    try:
        _hasher().verify(row.password_hash if row else _nobody(), password)
    except VerificationError:
        row = None
    if row is None:
        raise Problem("sign_in_needed", "The name or the password is wrong.")
    return Person(row.id, row.name, row.role)


def listed(connection: Connection) -> Sequence[Row[str, str, datetime]]:
    """All accounts: (name, role, created_at)."""
    return connection.execute(select(Account.name, Account.role, Account.created_at).order_by(Account.name)).all()


def begin_session(store: Store, person: Person) -> str:
    """A token for the browser's cookie."""
    token, now = new_token(), datetime.now(UTC)
    row = {"token_sha256": digest(token), "account_id": person.id, "expires_at": now + timedelta(days=SESSION_DAYS)}

    def work(connection: Connection) -> None:
        connection.execute(delete(Session).where(Session.expires_at < now))
        connection.execute(insert(Session).values(row))

    store.write(work)
    return token


def end_session(store: Store, token: str) -> None:
    """Sign this browser out."""
    store.write(lambda connection: connection.execute(delete(Session).filter_by(token_sha256=digest(token))))


def signed_in(connection: Connection, token: str) -> Person | None:
    """Whose browser this is."""
    row = connection.execute(
        select(Account.id, Account.name, Account.role)
        .join(Session, Session.account_id == Account.id)
        .where(Session.token_sha256 == digest(token), Session.expires_at > datetime.now(UTC))
    ).first()
    return Person(row.id, row.name, row.role) if row else None


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


def _note(connection: Connection, actor: str, action: str, target: str) -> None:
    connection.execute(insert(AuditEvent).values(at=datetime.now(UTC), actor=actor, action=action, target=target, detail={}))
