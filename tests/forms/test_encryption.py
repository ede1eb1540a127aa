"""Encrypted submissions give back exactly what was sealed, whoever sealed it, and say what is missing, damaged or mixed up."""

import io
import subprocess
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.encryption import Decrypted, Envelope, Opener, decrypt, initialisation_vectors, read_private_key
from forms.problems import Problem
from forms.xml import parse_xml
from tests.support.encryption import NAMESPACE, Keys, Sealed, seal
from tests.support.records import flock

KEYS = Keys.make()
SEAL = Path(__file__).parents[1] / "support" / "Seal.java"
ID = "uuid:6f1c7a52-4f56-44a5-a2a4-2f9a0a55b7b1"
XML = flock(ID, herder="غلام‌رضا")
MEDIA = {"sheep.jpg": b"\xff\xd8 a sheep" * 999, "empty.txt": b"", "عکس ۲.jpg": b"x" * 4096}


def opened(sealed: Sealed, *, keys: Keys = KEYS, without: Iterable[str] = ()) -> tuple[Decrypted, dict[str, bytes]]:
    files: Mapping[str, Opener] = {
        name: partial(io.BytesIO, data) for name, data in sealed.files.items() if name not in set(without)
    }
    written: dict[str, bytes] = {}

    def write(name: str, chunks: Iterable[bytes]) -> None:
        written[name] = b"".join(chunks)

    return decrypt(Envelope.read(parse_xml(sealed.envelope)), keys.private, files, write), written


@pytest.mark.parametrize("namespace", [NAMESPACE, "http://opendatakit.org/submissions", "http://www.w3.org/2002/xforms"])
def test_an_envelope_is_read_in_either_namespace(namespace: str) -> None:  # T137
    envelope = Envelope.read(parse_xml(seal(KEYS, ID, XML, MEDIA, namespace=namespace).envelope))
    assert (envelope.form_id, envelope.version, envelope.instance_id) == ("flock_count", "2026050201", ID)
    assert envelope.files == ("sheep.jpg.enc", "empty.txt.enc", "عکس ۲.jpg.enc", "submission.xml.enc")


def test_xml_and_media_equal_the_originals() -> None:  # T139
    decrypted, written = opened(seal(KEYS, ID, XML, MEDIA))
    assert (decrypted.xml, written) == (XML, MEDIA)
    assert decrypted == Decrypted(XML, tuple(MEDIA), (), (), True)


def test_what_java_sealed_is_opened(tmp_path: Path) -> None:  # T139, by the ciphers of another implementation
    media = {f"{number}.jpg": bytes([number]) * (number * 1000) for number in range(17)}  # past the end of the vector
    for name, data in {**media, "submission.xml": XML}.items():
        (tmp_path / name).write_bytes(data)
    command = ["java", str(SEAL), str(tmp_path), KEYS.public_text, "flock_count", "2026050201", ID, *media, "submission.xml"]
    try:
        said = subprocess.run(command, capture_output=True, check=True, text=True).stdout.split()
    except FileNotFoundError:
        pytest.fail("Java is needed: apt-get install openjdk-17-jdk-headless")
    envelope = Envelope(
        "flock_count", "2026050201", ID, said[0], tuple(f"{name}.enc" for name in media), "submission.xml.enc", said[1]
    )
    written: dict[str, bytes] = {}
    decrypted = decrypt(
        envelope,
        KEYS.private,
        {name: partial((tmp_path / name).open, "rb") for name in envelope.files},
        lambda name, chunks: written.update({name: b"".join(chunks)}),
    )
    assert (decrypted.xml, written, decrypted.is_signed) == (XML, media, True)


@given(st.binary(max_size=200), st.lists(st.binary(max_size=40), max_size=20), st.integers(0, 19))
def test_a_missing_file_keeps_its_step(xml: bytes, contents: list[bytes], lost: int) -> None:  # T140
    media = {f"{number}.jpg": data for number, data in enumerate(contents)}
    lost_name = f"{lost}.jpg"
    decrypted, written = opened(seal(KEYS, ID, xml, media), without=[f"{lost_name}.enc"])
    assert decrypted.xml == xml
    assert written == {name: data for name, data in media.items() if name != lost_name}
    assert decrypted.missing == ((f"{lost_name}.enc",) if lost_name in media else ())
    assert decrypted.is_signed is (None if lost_name in media else True)


def test_the_answers_may_come_later_than_the_media() -> None:
    decrypted, written = opened(seal(KEYS, ID, XML, MEDIA), without=["submission.xml.enc"])
    assert (decrypted.xml, decrypted.missing, written) == (b"", ("submission.xml.enc",), MEDIA)


def test_a_damaged_file_is_named_and_the_others_are_opened() -> None:
    sealed = seal(KEYS, ID, XML, MEDIA)
    sealed.files["sheep.jpg.enc"] = sealed.files["sheep.jpg.enc"][:-5]
    decrypted, written = opened(sealed)
    assert (decrypted.broken, decrypted.is_signed, decrypted.xml) == (("sheep.jpg.enc",), False, XML)
    assert written["عکس ۲.jpg"] == MEDIA["عکس ۲.jpg"]


def test_files_of_another_record_do_not_pass_for_its_own() -> None:
    sealed = seal(KEYS, ID, XML, MEDIA, tamper=lambda text: text.replace("sheep", "wolf"))
    assert opened(sealed)[0].is_signed is False


def test_a_form_without_a_version_signs_without_one() -> None:
    assert opened(seal(KEYS, ID, XML, version=None))[0].is_signed is True
    assert opened(seal(KEYS, ID, XML, version=""))[0].is_signed is True


def test_another_key_is_refused_in_words() -> None:
    with pytest.raises(Problem) as caught:
        opened(seal(KEYS, ID, XML), keys=Keys.make())
    assert caught.value.kind.code == "key_wrong"


def test_a_key_of_another_cipher_is_refused() -> None:
    with pytest.raises(Problem) as caught:
        opened(seal(KEYS, ID, XML, aes_key=b"k" * 16))
    assert caught.value.kind.code == "key_wrong"


def test_an_envelope_without_instance_id_cannot_be_opened() -> None:
    with pytest.raises(Problem) as caught:
        opened(seal(KEYS, "", XML))
    assert caught.value.kind.code == "envelope_broken"


def test_large_media_are_never_in_memory() -> None:
    largest = 0

    def write(name: str, chunks: Iterable[bytes]) -> None:
        nonlocal largest
        largest = max(largest, *map(len, chunks))

    sealed = seal(KEYS, ID, XML, {"film.mp4": bytes(3_000_000)})
    files = {name: partial(io.BytesIO, data) for name, data in sealed.files.items()}
    decrypt(Envelope.read(parse_xml(sealed.envelope)), KEYS.private, files, write)
    assert 0 < largest <= 256 * 1024


def test_a_key_file_is_read_with_its_passphrase_only() -> None:
    assert read_private_key(KEYS.pem("گربه"), "گربه").private_numbers() == KEYS.private.private_numbers()
    assert read_private_key(KEYS.pem()).private_numbers() == KEYS.private.private_numbers()
    for pem, passphrase in [
        (KEYS.pem("right"), "wrong"),
        (KEYS.pem("right"), ""),
        (b"-----BEGIN nothing", ""),
        (KEYS.public_der, ""),
    ]:
        with pytest.raises(Problem) as caught:
            read_private_key(pem, passphrase)
        assert caught.value.kind.code == "key_unreadable"


def test_the_vectors_step_through_all_bytes_and_wrap() -> None:
    vectors = initialisation_vectors(ID, b"k" * 32)
    first = [next(vectors) for _ in range(16 * 256 + 1)]
    assert [index for index in range(16) if first[0][index] != first[1][index]] == [1]
    assert first[16 * 256] == first[0]
    assert len(set(first)) == 16 * 256
