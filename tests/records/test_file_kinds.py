"""A file is what its first bytes say, whatever it is called."""

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from records.file_kinds import HEAD_BYTES, SHOWN, UNKNOWN, is_picture, kind_of


def drawn(form: str, **how: object) -> bytes:
    """A real picture, written by Pillow."""
    out = io.BytesIO()
    Image.new("RGB", (9, 7), "olive").save(out, form, **how)
    return out.getvalue()


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a", "b")
    return out.getvalue()


def boxed(brand: bytes) -> bytes:
    """How a file of ISO/IEC 14496-12 begins."""
    return b"\x00\x00\x00\x18ftyp" + brand + b"\x00\x00\x02\x00" + b"isommp42"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        *((drawn(form), f"image/{form.lower()}") for form in ("JPEG", "PNG", "GIF", "WEBP", "AVIF")),
        (drawn("JPEG", exif=b"Exif\0\0"), "image/jpeg"),
        *((boxed(brand), "image/heic") for brand in (b"heic", b"mif1", b"heix")),
        *((boxed(brand), "video/3gpp") for brand in (b"3gp4", b"3gp5", b"3g2a")),
        *((boxed(brand), "video/mp4") for brand in (b"isom", b"mp42", b"avc1")),
        (boxed(b"M4A "), "audio/mp4"),
        (boxed(b"qt  "), "video/quicktime"),
        (b"#!AMR\n\x3c", "audio/amr"),
        (b"#!AMR-WB\n\x44", "audio/amr"),
        (b"OggS\0\x02" + bytes(22) + b"\x13OpusHead", "audio/ogg"),
        (b"OggS\0\x02" + bytes(22) + b"\x2a\x80theora", "video/ogg"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "audio/wav"),
        (b"RIFF\x24\0\0\0AVI LIST", UNKNOWN),
        (b"ID3\x04\0", "audio/mpeg"),
        (b"\xff\xf1\x50\x80", "audio/aac"),
        (b"\x1a\x45\xdf\xa3\x01", "video/webm"),
        (b"%PDF-1.7\n", "application/pdf"),
        (zipped(), "application/zip"),
        (b"event,node,start,end\r\n", "text/plain"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "text/plain"),
        (b"<html><script>", "text/plain"),
        (("گزارش " * 20).encode(), "text/plain"),
        (b"\x00\x01\x02", UNKNOWN),
        (b"MZ\x90\0\x03", UNKNOWN),
        (b"", UNKNOWN),
    ],
)
def test_the_first_bytes_tell_what_phones_send(data: bytes, kind: str) -> None:
    assert kind_of(data[:HEAD_BYTES], "misleading.jpg") == kind


def test_of_text_the_name_says_whether_it_is_a_table() -> None:
    assert kind_of(b"event,node\n", "audit.CSV") == "text/csv"
    assert kind_of(b"\xff\xd8\xff\xe0", "audit.csv") == "image/jpeg"


def test_what_browsers_show_are_pictures_and_no_drawing_that_can_run() -> None:
    assert all(is_picture(kind) for kind in SHOWN)
    assert not any("svg" in kind for kind in SHOWN)


@given(st.binary(max_size=HEAD_BYTES), st.text(max_size=9))
def test_any_bytes_have_a_kind(head: bytes, name: str) -> None:
    assert "/" in kind_of(head, name)
