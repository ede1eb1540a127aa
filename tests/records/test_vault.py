"""The vault: what is sealed is opened by who has the key, in its own place only, and a key is never lost in silence."""

import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forms.problems import Problem
from records import keys
from records.store import Store, vault_of
from records.vault import Vault, is_sealed


def code_of(problem: pytest.ExceptionInfo[Problem]) -> str:
    return problem.value.kind.code


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.binary(max_size=200))
def test_what_is_sealed_opens_in_its_place_and_never_looks_the_same(vault: Vault, data: bytes) -> None:
    first, second = vault.seal(data, "xml", 1, "form"), vault.seal(data, "xml", 1, "form")
    assert first != second
    assert is_sealed(first)
    assert vault.open(first, "xml", 1, "form") == data


@pytest.mark.parametrize("place", [("xml", 1, "form", "other"), ("xml", 1), ("xml", 1, "formid"), ("contact", 1, "form", "id")])
def test_what_was_moved_to_another_place_is_not_opened(vault: Vault, place: tuple[str | int, ...]) -> None:
    sealed = vault.seal(b"x", "xml", 1, "form", "id")
    with pytest.raises(Problem) as caught:
        vault.open(sealed, *place)
    assert code_of(caught) == "seal_broken"


@pytest.mark.parametrize("at", [5, 17, -1])
def test_what_was_changed_is_not_opened(vault: Vault, at: int) -> None:
    sealed = bytearray(vault.seal(b"some text", "a"))
    sealed[at] ^= 1
    with pytest.raises(Problem) as caught:
        vault.open(bytes(sealed), "a")
    assert code_of(caught) == "seal_broken"


def test_another_key_opens_nothing_and_says_which_is_missing(vault: Vault, tmp_path: Path) -> None:
    sealed = vault.seal(b"x", "a")
    other = Vault(tmp_path / "other")
    other.add_key()
    with pytest.raises(Problem) as caught:
        other.open(sealed, "a")
    assert code_of(caught) == "personal_key_missing"
    assert vault.key_ids[0] in caught.value.detail


def test_a_key_that_is_put_back_is_found_without_a_restart(vault: Vault, tmp_path: Path) -> None:
    sealed = vault.seal(b"x", "a")
    text = vault.path.read_text()  # type: ignore[union-attr]
    late = Vault(tmp_path / "late")
    with pytest.raises(Problem):
        late.seal(b"x", "a")
    late.path.write_text(text)  # type: ignore[union-attr]
    assert late.open(sealed, "a") == b"x"
    assert late.open(late.seal(b"y", "a"), "a") == b"y"


def test_while_the_file_is_missing_everything_is_sealed_for_it(vault: Vault, tmp_path: Path) -> None:
    text = vault.path.read_text()  # type: ignore[union-attr]
    late = Vault(tmp_path / "late")
    late.seal_for(vault.public(vault.key_ids[0]))
    sealed = late.seal(b"x", "a")
    assert sealed.startswith(late.beginning)
    assert not late.can_open()
    with pytest.raises(Problem) as caught:
        late.open(sealed, "a")
    assert code_of(caught) == "personal_key_missing"
    assert vault.open(sealed, "a") == b"x"
    late.path.write_text(text)  # type: ignore[union-attr]
    assert late.open(sealed, "a") == b"x"


def test_what_another_process_sealed_is_opened_and_no_two_of_them_share_a_key(vault: Vault) -> None:
    one, other = Vault(vault.path), Vault(vault.path)
    pair = one.seal(b"x", "a"), other.seal(b"x", "a")
    assert [vault.open(each, "a") for each in pair] == [b"x", b"x"]
    assert pair[0][5:37] != pair[1][5:37]


@pytest.mark.parametrize("share", [bytes(32), b"\x01" + bytes(31)])
def test_a_share_that_no_key_has_opens_nothing(vault: Vault, share: bytes) -> None:
    sealed = vault.seal(b"x", "a")
    with pytest.raises(Problem) as caught:
        vault.open(sealed[:5] + share + sealed[37:], "a")
    assert code_of(caught) == "seal_broken"


def test_only_the_owner_can_read_the_key_file(vault: Vault) -> None:
    assert vault.path is not None
    assert stat.S_IMODE(vault.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(vault.path.parent.stat().st_mode) == 0o700


def test_a_new_key_seals_and_the_old_ones_open(vault: Vault) -> None:
    before = vault.seal(b"x", "a")
    first = vault.key_ids
    fresh = vault.add_key()
    assert vault.key_ids == [fresh, *first]
    assert vault.seal(b"x", "a").startswith(vault.beginning)
    assert not before.startswith(vault.beginning)
    assert vault.open(before, "a") == b"x"
    assert stat.S_IMODE(vault.path.stat().st_mode) == 0o600  # type: ignore[union-attr]


def test_a_key_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("# a comment\nabc\n")
    with pytest.raises(Problem) as caught:
        Vault(tmp_path / "key")
    assert code_of(caught) == "settings_invalid"


def test_whoever_has_a_connection_has_the_vault(store: Store) -> None:
    with store.read() as connection:
        assert vault_of(connection) is store.vault
    with store.snapshot() as connection:
        assert vault_of(connection) is store.vault
    assert store.write(vault_of) is store.vault


def test_the_first_start_makes_a_key_and_later_ones_keep_it(store: Store, tmp_path: Path) -> None:
    store.vault = Vault(tmp_path / "new" / "key")
    assert keys.ready(store) == []
    made = store.vault.key_ids
    assert len(made) == 1
    assert keys.ready(store) == []
    assert (store.vault.key_ids, Vault(tmp_path / "new" / "key").key_ids) == (made, made)


def test_a_lost_key_is_told_and_never_replaced(store: Store, tmp_path: Path) -> None:
    assert keys.ready(store) == []
    lost = store.vault.key_ids
    had, store.vault = store.vault, Vault(tmp_path / "new" / "key")
    assert keys.ready(store) == lost
    assert not (tmp_path / "new").exists()
    with pytest.raises(Problem) as caught:
        store.vault.require()
    assert code_of(caught) == "personal_key_missing"
    assert had.open(store.vault.seal(b"came meanwhile", "a"), "a") == b"came meanwhile"


def test_of_several_keys_the_newest_seals_while_they_are_missing(store: Store, tmp_path: Path) -> None:
    assert keys.ready(store) == []
    had, newest = store.vault, store.vault.add_key()
    assert keys.ready(store) == []
    store.vault = Vault(tmp_path / "new" / "key")
    assert keys.ready(store) == [had.key_ids[1], newest]
    assert store.vault.beginning == had.beginning
