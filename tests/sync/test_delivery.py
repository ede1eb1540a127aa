"""Names of files as phones, computers and attackers write them."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.blobs import Blob
from sync.delivery import MAX_NAME_BYTES, ReceivedFile, file_name, same_name


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("1717322000123.jpg", "1717322000123.jpg"),
        ("نقشه (۲).jpg", "نقشه (۲).jpg"),
        ("می\u200cخواهم.jpg", "می\u200cخواهم.jpg"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("C:\\photos\\a.jpg", "a.jpg"),
        ("/a/b/", "b"),
        ("..", "unnamed"),
        (".", "unnamed"),
        ("", "unnamed"),
        ("/", "unnamed"),
        ("\0", "unnamed"),
        ("a\0.jpg", "a.jpg"),
        ("a\r\nSet-Cookie: x.jpg", "aSet-Cookie: x.jpg"),
        ("\ud800.jpg", ".jpg"),
        (".htaccess", ".htaccess"),
        ("CON", "CON"),
        ("a.jpg.", "a.jpg."),
        ("a ", "a "),
        ("... ", "unnamed"),
    ],
)
def test_only_the_last_part_of_a_path_is_kept_without_control_characters_15_39(raw: str, name: str) -> None:
    assert file_name(raw) == name


def test_a_name_of_three_hundred_characters_keeps_its_ending_15() -> None:
    assert file_name("x" * 300 + ".jpg") == "x" * 251 + ".jpg"
    assert file_name("ن" * 300 + ".jpg") == "ن" * 125 + ".jpg"
    assert len(file_name("x." + "y" * 300)) == MAX_NAME_BYTES


@given(st.text())
def test_any_text_becomes_a_name_that_is_safe_to_keep(raw: str) -> None:
    name = file_name(raw)
    assert 1 <= len(name.encode()) <= MAX_NAME_BYTES
    assert not set(name) & set("/\\\0\r\n")
    assert name not in {".", ".."}
    assert file_name(name) == name


def test_names_are_compared_however_their_letters_are_composed() -> None:
    composed, decomposed = (unicodedata.normalize(form, "café أب.jpg") for form in ("NFC", "NFD"))
    assert composed != decomposed
    assert same_name(composed) == same_name(decomposed) == composed


def test_a_file_goes_by_the_name_a_question_refers_to() -> None:
    file = ReceivedFile(("part", "photo.jpg"), Blob("0", "0", 1), "image/jpeg")
    assert file.name({"photo.jpg"}) == "photo.jpg"
    assert file.name({"part", "photo.jpg"}) == "part"
    assert file.name(set()) == "part"
