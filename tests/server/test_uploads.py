"""Multipart bodies as phones, other clients and attackers write them. Numbers are those of our list of attacks."""

import io
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forms.problems import Problem
from forms.xml import MAX_XML_BYTES
from records import blobs as blob_module
from records.blobs import BlobStore
from records.turnstile import Turnstile
from server import uploads
from server.uploads import MAX_PARTS, Upload, drain, read_upload

XML = b'<data id="f"/>'
NAMED = 'form-data; name="xml_submission_file"; filename="record.xml"'


def part(disposition: str | bytes, data: bytes, *more: str) -> bytes:
    line = disposition if isinstance(disposition, bytes) else disposition.encode()
    return b"\r\n".join([b"--B", b"Content-Disposition: " + line, *(header.encode() for header in more), b"", data, b""])


def body(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--B--\r\n"


def read(blobs: BlobStore, data: bytes, kind: str = "multipart/form-data; boundary=B", stream: object = None) -> Upload:
    return read_upload({"CONTENT_TYPE": kind, "wsgi.input": stream or io.BytesIO(data)}, blobs, Turnstile(1))


def refused(blobs: BlobStore, data: bytes, kind: str = "multipart/form-data; boundary=B", stream: object = None) -> str:
    with pytest.raises(Problem) as caught:
        read(blobs, data, kind, stream)
    assert list(blobs.incoming.iterdir()) == []  # nothing half is left
    return caught.value.kind.code


def kept(blobs: BlobStore) -> list[Path]:
    return [path for path in blobs.folder.rglob("*") if path.is_file()]


def names_of(blobs: BlobStore, disposition: str | bytes) -> tuple[str, ...]:
    upload = read(blobs, body(part(NAMED, XML), part(disposition, b"photo")))
    return upload.files[0].names if upload.files else ()


def test_what_collect_sends_is_read(blobs: BlobStore) -> None:
    data = body(
        part(NAMED, XML, "Content-Type: text/xml"),
        part(
            'form-data; name="1.jpg"; filename="1.jpg"',
            b"\xff\xd8\xff\r\n--A\r\n",
            "Content-Type: image/jpeg",
            "Content-Length: 10",
        ),
        part('form-data; name="*isIncomplete*"', b"yes"),
    )
    upload = read(blobs, data)
    assert (upload.xml, [file.names for file in upload.files]) == (XML, [("1.jpg",)])
    (photo,) = upload.files
    with blobs.open(photo.blob.sha256) as file:
        assert (photo.content_type, file.read()) == ("image/jpeg", b"\xff\xd8\xff\r\n--A\r\n")
    assert b"\xff\xd8\xff" not in blobs.path(photo.blob.sha256).read_bytes()


def test_t091_t092_the_record_need_not_come_first_nor_have_a_file_name(blobs: BlobStore) -> None:
    upload = read(
        blobs, body(part('form-data; name="a"; filename="a.jpg"', b"1"), part('form-data; name="xml_submission_file"', XML))
    )
    assert (upload.xml, upload.files[0].names) == (XML, ("a", "a.jpg"))


@pytest.mark.parametrize(
    "kind",
    [
        "",
        "text/xml",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/mixed; boundary=B",
        "multipart/form-data; b=B",
    ],
)
def test_another_content_type_or_no_boundary_is_refused_12(blobs: BlobStore, kind: str) -> None:
    assert refused(blobs, body(part(NAMED, XML)), kind) == "body_unreadable"


@pytest.mark.parametrize("kind", ['multipart/form-data; boundary="B"', "Multipart/Form-Data; charset=utf-8; Boundary=B"])
def test_a_content_type_may_be_written_in_many_ways(blobs: BlobStore, kind: str) -> None:
    assert read(blobs, body(part(NAMED, XML)), kind).xml == XML


def test_a_body_cut_anywhere_is_refused_and_leaves_nothing_visible_12(blobs: BlobStore) -> None:
    whole = body(part(NAMED, XML), part('form-data; name="a"; filename="a"', b"photo"))
    for length in range(len(whole) - len(b"--\r\n")):
        assert refused(blobs, whole[:length]) == "body_unreadable"


@pytest.mark.parametrize(
    "data",
    [
        b"no multipart at all",
        b"--C\r\n\r\n--C--\r\n",
        b"--B\r\nContent-Disposition form-data\r\n\r\nx\r\n--B--\r\n",
        b"--B\r\n\r\nno disposition\r\n--B--\r\n",
        b'--B\r\nContent-Disposition: attachment; name="a"\r\n\r\nx\r\n--B--\r\n',
        b"--B\r\nContent-Disposition: form-data\r\n\r\nno name\r\n--B--\r\n",
    ],
)
def test_a_malformed_part_is_refused_12(blobs: BlobStore, data: bytes) -> None:
    assert refused(blobs, data) in {"body_unreadable", "submission_missing"}


def test_ten_thousand_parts_are_refused_13(blobs: BlobStore) -> None:
    many = [part('form-data; name="x"', b"1")] * 10_000
    assert refused(blobs, body(part(NAMED, XML), *many)) == "too_large"
    assert len(read(blobs, body(part(NAMED, XML), *many[: MAX_PARTS - 1])).files) == 0


def test_t094_a_hundred_files_and_the_mark_of_more_to_come_are_taken(blobs: BlobStore) -> None:
    photos = [part(f'form-data; name="{number}.jpg"; filename="{number}.jpg"', b"%d" % number) for number in range(101)]
    upload = read(blobs, body(part(NAMED, XML), *photos, part('form-data; name="*isIncomplete*"', b"yes")))
    assert len(upload.files) == 101


def test_a_huge_header_is_refused(blobs: BlobStore) -> None:
    assert refused(blobs, body(part(NAMED, XML, "X-Junk: " + "x" * 1_000_000))) in {"too_large", "body_unreadable"}
    assert refused(blobs, body(part(NAMED, XML, *(f"X-{number}: x" for number in range(1000))))) in {"too_large", "body_unreadable"}


def test_the_record_is_the_first_part_of_that_name_and_the_second_is_a_file_14(blobs: BlobStore) -> None:
    upload = read(blobs, body(part(NAMED, XML), part(NAMED, b"<other/>")))
    assert upload.xml == XML
    assert [file.names for file in upload.files] == [("xml_submission_file", "record.xml")]


def test_the_name_of_the_record_is_compared_exactly_14(blobs: BlobStore) -> None:
    assert refused(blobs, body(part('form-data; name="XML_submission_file"; filename="r.xml"', XML))) == "submission_missing"
    assert refused(blobs, body()) == "submission_missing"
    assert refused(blobs, body(part('form-data; name="a"', b"1"))) == "submission_missing"


def test_two_files_of_one_name_are_both_read_14(blobs: BlobStore) -> None:
    twice = [part('form-data; name="a.jpg"; filename="a.jpg"', data) for data in (b"1", b"2")]
    assert [file.blob.size for file in read(blobs, body(part(NAMED, XML), *twice)).files] == [1, 1]


@pytest.mark.parametrize(
    ("disposition", "names"),
    [
        ('form-data; name="نقشه (۲).jpg"; filename="نقشه (۲).jpg"', ("نقشه (۲).jpg",)),
        ('form-data; name="q"; filename="../../etc/passwd"', ("q", "passwd")),
        ('form-data; name="q"; filename="C:\\\\x\\\\a.jpg"', ("q", "a.jpg")),
        ('form-data; name="q"; filename="CON"', ("q", "CON")),
        ('form-data; name="q"; filename=".htaccess"', ("q", ".htaccess")),
        ('form-data; name="q"; filename="a.jpg. "', ("q", "a.jpg. ")),
        ('form-data; name="q"; filename="a%22b.jpg"', ("q", 'a"b.jpg')),
        ('form-data; name="q"; filename="' + "x" * 300 + '.jpg"', ("q", "x" * 251 + ".jpg")),
        ("form-data; name=q; filename=a.jpg", ("q", "a.jpg")),
        ('form-data; name="q"; filename=""', ()),
    ],
)
def test_names_are_read_as_their_writer_meant_them_and_are_safe_14_15(
    blobs: BlobStore, disposition: str, names: tuple[str, ...]
) -> None:
    assert names_of(blobs, disposition) == names


def test_t096_a_quote_written_as_percent_22_is_a_quote(blobs: BlobStore) -> None:
    assert names_of(blobs, 'form-data; name="a%22b.jpg"; filename="a%22b.jpg"') == ('a"b.jpg',)


def test_names_in_another_encoding_are_refused_or_read_but_never_crash_14(blobs: BlobStore) -> None:
    latin = 'form-data; name="q"; filename="é.jpg"'.encode("latin-1")
    rfc2231 = "form-data; name=\"q\"; filename*=UTF-8''%D9%86%D9%82%D8%B4%D9%87.jpg"
    for disposition in (latin, rfc2231.encode(), b'form-data; name="q"; filename="a\x00.jpg"'):
        names: tuple[str, ...] = ()
        with suppress(Problem):
            names = names_of(blobs, disposition)
        assert all(name and "\0" not in name for name in names)


def test_twins_of_one_name_composed_differently_stay_two_files_15(blobs: BlobStore) -> None:
    twins = [unicodedata.normalize(form, "é.jpg") for form in ("NFC", "NFD")]
    upload = read(blobs, body(part(NAMED, XML), *(part(f'form-data; name="{name}"; filename="{name}"', b"1") for name in twins)))
    assert [file.names[0] for file in upload.files] == twins


class Broken(io.RawIOBase):
    """A connection that dies after some bytes."""

    def __init__(self, data: bytes) -> None:
        self.pieces: Iterator[bytes] = iter([data])

    def read(self, _: int = -1) -> bytes:
        for piece in self.pieces:
            return piece
        raise ConnectionResetError("reset by peer")


def test_t089_a_connection_that_dies_leaves_nothing_visible_17(blobs: BlobStore) -> None:
    whole = body(part(NAMED, XML), part('form-data; name="a"; filename="a"', b"x" * 1000))
    assert refused(blobs, b"", stream=Broken(whole[:-500])) == "body_unreadable"
    assert kept(blobs) == []


def test_a_disk_that_fills_up_on_the_way_is_told_17(blobs: BlobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(blob_module, "_write_all", full)
    assert refused(blobs, body(part(NAMED, XML), part('form-data; name="a"; filename="a"', b"x"))) == "disk_full"
    assert kept(blobs) == []


def test_t125_a_body_beyond_the_limit_is_refused_and_names_the_file(blobs: BlobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_REQUEST_BYTES", 300_000)
    whole = body(part(NAMED, XML), part('form-data; name="video.mp4"; filename="video.mp4"', b"x" * 1_000_000))
    with pytest.raises(Problem, match=r"video\.mp4") as caught:
        read(blobs, whole)
    assert caught.value.kind.code == "too_large"
    assert kept(blobs) == []


def test_answers_beyond_the_limit_are_refused_before_they_fill_the_memory(blobs: BlobStore) -> None:
    assert refused(blobs, body(part(NAMED, b"x" * (MAX_XML_BYTES + 1)))) == "too_large"


def test_t126_what_is_left_of_a_body_is_read_so_that_the_phone_sees_the_answer() -> None:
    stream = io.BytesIO(b"x" * 1_000_000)
    drain({"wsgi.input": stream})
    assert stream.read() == b""
    drain({"wsgi.input": Broken(b"x")})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_are_read_or_refused_with_a_problem(blobs: BlobStore, data: bytes, inside: bool) -> None:
    with suppress(Problem):
        read(blobs, body(part(NAMED, data)) if inside else data)
    assert list(blobs.incoming.iterdir()) == []
