"""People who sign in: passwords, roles, sessions that end."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from forms.problems import Problem
from records import projects
from records.access import ROLES, Right
from records.models import Account, AuditEvent, Session
from records.store import Store
from server import accounts
from server.accounts import Person

PASSWORD = "a long pass phrase"


@pytest.fixture
def person(store: Store) -> Person:
    accounts.add(store, "leila", "coordinator", PASSWORD, project_id=1, actor="test")
    with store.read() as connection:
        return accounts.verified(connection, "leila", PASSWORD)


def code(action: object, *arguments: object, **named: object) -> str:
    with pytest.raises(Problem) as caught:
        action(*arguments, **named)  # type: ignore[operator]
    return caught.value.kind.code


def test_a_person_signs_in_with_name_and_password_only(store: Store, person: Person) -> None:
    assert person == Person(person.id, "leila", is_administrator=False, roles={1: "coordinator"})
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
    assert code(accounts.add, store, name, role, password, project_id=1) == "value_invalid"


def test_a_name_is_used_once(store: Store, person: Person) -> None:
    assert code(accounts.add, store, "leila", "analyst", PASSWORD, project_id=1) == "name_taken"


# what a role may in a project: the whole table, so that nothing changes unseen
RIGHTS = {
    "coordinator": set(Right) - {Right.SERVER},
    "reviewer": {Right.SEE, Right.REVIEW, Right.EXPORTS, Right.PICTURES},
    "analyst": {Right.EXPORTS},
    "data_collector": {Right.SEE, Right.PICTURES},
}


def test_an_administrator_may_everything_everywhere_and_others_what_their_role_may_in_their_project() -> None:
    assert set(ROLES) == set(RIGHTS)
    for role, rights in RIGHTS.items():
        access = Person(7, "a", is_administrator=False, roles={3: role}).access(3)
        assert (set(access.rights), access.actor, access.project_id) == (rights, "a", 3)
        assert access.only_account == (7 if role == "data_collector" else None)
    everywhere = Person(7, "a", is_administrator=True, roles={}).access(99)
    assert (set(everywhere.rights), everywhere.only_account) == (set(Right), None)


def test_every_role_is_explained_in_the_documentation() -> None:
    text = (Path(accounts.__file__).parents[1] / "docs" / "people.md").read_text(encoding="utf-8")
    assert set(re.findall("^\\| `([a-z_]+)`", text, re.MULTILINE)) == {accounts.ADMINISTRATOR, *ROLES}


@pytest.mark.parametrize("roles", [{}, {2: "coordinator"}, {1: "a role of a newer version"}])
def test_whoever_has_no_role_in_a_project_may_nothing_there(roles: dict[int, str]) -> None:
    with pytest.raises(Problem, match="may not do this"):
        Person(7, "a", is_administrator=False, roles=roles).access(1).require(*Right)


def roles_of(store: Store, name: str) -> dict[int, str]:
    with store.read() as connection:
        return next(one.roles for one in accounts.listed(connection) if one.name == name)


def test_roles_are_given_changed_and_taken_away_by_project(store: Store, person: Person) -> None:
    other = projects.add(store, "Other", "other")
    token = accounts.begin_session(store, person)
    accounts.set_role(store, "leila", "analyst", project_id=other, actor="test")
    accounts.set_role(store, "leila", "reviewer", project_id=1, actor="test")
    assert roles_of(store, "leila") == {1: "reviewer", other: "analyst"}
    accounts.set_role(store, "leila", None, project_id=1, actor="test")
    assert roles_of(store, "leila") == {other: "analyst"}
    with store.read() as connection:
        found = accounts.signed_in(connection, token)  # a change counts at once, in sessions that are open
        assert found is not None
        assert found.roles == {other: "analyst"}
    for role, named, said in (
        ("king", "leila", "value_invalid"),
        ("administrator", "leila", "value_invalid"),
        ("analyst", "x", "not_found"),
    ):
        assert code(accounts.set_role, store, named, role, project_id=1) == said


def test_a_closed_account_comes_in_no_more_and_its_name_stays_taken(store: Store, person: Person) -> None:
    token = accounts.begin_session(store, person)
    accounts.add(store, "root", "administrator", PASSWORD, project_id=1)
    accounts.close(store, "leila", actor="test")
    with store.read() as connection:
        assert accounts.signed_in(connection, token) is None
        assert code(accounts.verified, connection, "leila", PASSWORD) == "sign_in_needed"
        assert [(one.name, one.closed_at is None) for one in accounts.listed(connection)] == [("root", True), ("leila", False)]
    assert code(accounts.add, store, "leila", "analyst", PASSWORD, project_id=1) == "name_taken"
    for action in (accounts.close, accounts.end_sessions):
        assert code(action, store, "leila") == "not_found"
    assert code(accounts.set_password, store, "leila", PASSWORD) == "not_found"


def test_the_last_administrator_stays(store: Store, person: Person) -> None:
    for name in ("one", "two"):
        accounts.add(store, name, "administrator", PASSWORD, project_id=1)
    accounts.close(store, "one")
    assert code(accounts.close, store, "two") == "value_invalid"
    accounts.close(store, "leila")  # others may go
    with store.read() as connection:
        assert accounts.verified(connection, "two", PASSWORD).is_administrator


def test_signing_out_everywhere_leaves_the_password(store: Store, person: Person) -> None:
    tokens = [accounts.begin_session(store, person) for _ in range(3)]
    accounts.end_sessions(store, "leila", actor="test")
    with store.read() as connection:
        assert [accounts.signed_in(connection, token) for token in tokens] == [None] * 3
        assert accounts.verified(connection, "leila", PASSWORD) == person


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
    assert actions == ["account.add", "account.sign_in", "account.set_password"]
    assert code(accounts.set_password, store, "nobody", PASSWORD) == "not_found"
    assert code(accounts.set_password, store, "leila", "short") == "value_invalid"


def test_the_first_administrator_is_made_once(store: Store) -> None:
    password = accounts.first_administrator(store)
    assert password is not None
    with store.read() as connection:
        assert accounts.verified(connection, "admin", password).is_administrator
    assert accounts.first_administrator(store) is None


def test_a_new_password_can_be_read_aloud_and_is_never_the_same() -> None:
    made = {accounts.new_password() for _ in range(200)}
    assert len(made) == 200
    assert all(len(password) == 24 and not set(password) & set("ilo01") for password in made)
