"""People who sign in: passwords, roles, sessions that end."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from forms.problems import Problem
from records.models import Account, AuditEvent, Session
from records.store import Store
from server import accounts
from server.accounts import Person

PASSWORD = "a long pass phrase"


@pytest.fixture
def person(store: Store) -> Person:
    accounts.add(store, "leila", "coordinator", PASSWORD, actor="test")
    with store.read() as connection:
        return accounts.verified(connection, "leila", PASSWORD)


def code(action: object, *arguments: object) -> str:
    with pytest.raises(Problem) as caught:
        action(*arguments)  # type: ignore[operator]
    return caught.value.kind.code


def test_a_person_signs_in_with_name_and_password_only(store: Store, person: Person) -> None:
    assert (person.name, person.role) == ("leila", "coordinator")
    with store.read() as connection:
        for name, password in (("leila", "wrong"), ("leila", ""), ("nobody", PASSWORD), ("", ""), ("LEILA", PASSWORD)):
            assert code(accounts.verified, connection, name, password) == "sign_in_needed"


def test_a_name_that_is_not_there_costs_as_much_as_a_wrong_password(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from argon2 import PasswordHasher

    asked = []
    verify = PasswordHasher.verify
    monkeypatch.setattr(PasswordHasher, "verify", lambda self, *given: asked.append(given[0]) or verify(self, *given))
    with store.read() as connection:
        assert code(accounts.verified, connection, "nobody", "x") == "sign_in_needed"
    assert [given.startswith("$argon2id$") for given in asked] == [True]


def test_the_password_is_kept_as_an_argon2_hash(store: Store, person: Person) -> None:
    with store.read() as connection:
        kept = connection.execute(select(Account.password_hash)).scalar_one()
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")  # OWASP, "Password Storage Cheat Sheet"
    assert PASSWORD not in kept


@pytest.mark.parametrize(
    ("name", "role", "password"),
    [("", "analyst", PASSWORD), ("x" * 101, "analyst", PASSWORD), ("x", "king", PASSWORD), ("x", "analyst", "short")],
)
def test_what_cannot_be_an_account_is_refused(store: Store, name: str, role: str, password: str) -> None:
    assert code(accounts.add, store, name, role, password) == "value_invalid"


def test_a_name_is_used_once(store: Store, person: Person) -> None:
    assert code(accounts.add, store, "leila", "analyst", PASSWORD) == "name_taken"


def test_an_administrator_may_everything_and_others_what_their_role_may() -> None:
    assert Person(1, "a", "administrator").may("analyst")
    assert Person(1, "a", "analyst").may("analyst", "coordinator")
    assert not Person(1, "a", "analyst").may("coordinator")
    assert not Person(1, "a", "coordinator").may()


def test_a_session_lasts_until_signed_out(store: Store, person: Person) -> None:
    token = accounts.begin_session(store, person)
    with store.read() as connection:
        assert accounts.signed_in(connection, token) == person
        assert accounts.signed_in(connection, token + "x") is None
        assert token not in connection.execute(select(Session.token_sha256)).scalars().all()
    accounts.end_session(store, token)
    with store.read() as connection:
        assert accounts.signed_in(connection, token) is None


def test_an_old_session_is_no_session_and_is_cleared_away(store: Store, person: Person) -> None:
    token = accounts.begin_session(store, person)
    past = datetime.now(UTC) - timedelta(seconds=1)
    store.write(lambda connection: connection.execute(update(Session).values(expires_at=past)))
    with store.read() as connection:
        assert accounts.signed_in(connection, token) is None
    accounts.begin_session(store, person)
    with store.read() as connection:
        assert len(connection.execute(select(Session.token_sha256)).all()) == 1


def test_a_new_password_ends_the_sessions_and_the_old_password(store: Store, person: Person) -> None:
    token = accounts.begin_session(store, person)
    accounts.set_password(store, "leila", "another pass phrase", actor="test")
    with store.read() as connection:
        assert accounts.signed_in(connection, token) is None
        assert code(accounts.verified, connection, "leila", PASSWORD) == "sign_in_needed"
        assert accounts.verified(connection, "leila", "another pass phrase") == person
        actions = connection.execute(select(AuditEvent.action)).scalars().all()
    assert actions == ["account.add", "account.set_password"]
    assert code(accounts.set_password, store, "nobody", PASSWORD) == "not_found"
    assert code(accounts.set_password, store, "leila", "short") == "value_invalid"


def test_the_first_administrator_is_made_once(store: Store) -> None:
    password = accounts.first_administrator(store)
    assert password is not None
    with store.read() as connection:
        assert accounts.verified(connection, "admin", password).role == "administrator"
    assert accounts.first_administrator(store) is None


def test_a_new_password_can_be_read_aloud_and_is_never_the_same() -> None:
    made = {accounts.new_password() for _ in range(200)}
    assert len(made) == 200
    assert all(len(password) == 24 and not set(password) & set("ilo01") for password in made)
