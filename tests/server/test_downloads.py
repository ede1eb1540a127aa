"""Files from the field in a browser: any part of them, under a name that fools nobody, and nothing in them runs."""

import hashlib
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.http import parse_options_header
from werkzeug.test import TestResponse

from server.downloads import visible_name
from tests.support.pages import Site, page
from tests.support.records import loss, new_id

JPEG = b"\xff\xd8\xff\xe0" + bytes(range(200)) * 5


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with closing(Site(tmp_path_factory.mktemp("downloads") / "data")) as opened:
        yield opened


def address(site: Site, name: str, data: bytes) -> str:
    """Where a file with this name is, after a phone sent it."""
    instance_id = new_id()
    assert site.send(loss(instance_id), {name: data}).status_code == 201
    shown = page(site.browser("coordinator").get(f"/projects/1/reports/livestock_loss/{instance_id}"))
    links = [link.attributes["href"] for link in shown.all("a")]
    return next(link for link in links if link.endswith("?save=1")).partition("?")[0]


def fetched(site: Site, where: str, method: str = "GET", **headers: str) -> TestResponse:
    own = {name.replace("_", "-"): value for name, value in headers.items()}
    return site.browser("coordinator").open(where, method=method, headers=own)


@pytest.mark.parametrize(
    ("wanted", "status", "part"),
    [
        (None, 200, JPEG),
        ("bytes=0-9", 206, JPEG[:10]),
        ("bytes=-4", 206, JPEG[-4:]),
        ("bytes=1000-", 206, JPEG[1000:]),
        (f"bytes={len(JPEG)}-", 416, b""),
    ],
)
def test_any_part_can_be_asked_for(site: Site, wanted: str | None, status: int, part: bytes) -> None:
    answer = fetched(site, address(site, "1.jpg", JPEG), **({"Range": wanted} if wanted else {}))
    assert (answer.status_code, answer.data) == (status, part)
    assert answer.headers["Content-Length"] == str(len(part))
    if status == 206:
        assert answer.headers["Content-Range"].endswith(f"/{len(JPEG)}")
    if status == 416:
        assert answer.headers["Content-Range"] == f"bytes */{len(JPEG)}"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_what_is_there_already_is_not_sent_again(site: Site) -> None:
    where = address(site, "1.jpg", JPEG)
    first = fetched(site, where)
    again = fetched(site, where, If_None_Match=first.headers["ETag"])
    assert (again.status_code, again.data) == (304, b"")
    assert fetched(site, where, Range="bytes=0-3", If_Range=first.headers["ETag"]).status_code == 206
    assert fetched(site, where, Range="bytes=0-3", If_Range='"other"').status_code == 200


def test_head_tells_size_and_type_without_the_bytes(site: Site) -> None:
    answer = fetched(site, address(site, "1.jpg", JPEG), "HEAD")
    assert (answer.status_code, answer.data, answer.content_type) == (200, b"", "image/jpeg")
    assert answer.headers["Content-Length"] == str(len(JPEG))


@pytest.mark.parametrize(
    ("name", "saved"),
    [
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("a\u2066b\u2069.jpg", "ab.jpg"),
        ("گزارش\u200cها.jpg", "گزارش\u200cها.jpg"),
        ('a"; filename="evil.html', 'a"; filename="evil.html'),
        ("le léopard 🐆.jpg", "le léopard 🐆.jpg"),
    ],
)
def test_the_name_is_what_it_looks_like(site: Site, name: str, saved: str) -> None:
    answer = fetched(site, address(site, name, JPEG))
    disposition, options = parse_options_header(answer.headers["Content-Disposition"])
    assert (disposition, options["filename"]) == ("inline", saved)
    assert "evil.html" not in {value.strip('"') for value in answer.headers["Content-Disposition"].split("; filename=")[2:]}


@given(st.text())
def test_a_visible_name_neither_turns_nor_breaks_a_line(name: str) -> None:
    shown = visible_name(name)
    assert shown
    assert not set(shown) & set("\r\n\0\u202e\u2066\u2028\x85\x1b")
    assert visible_name(shown) == shown


def test_a_page_shows_no_name_that_turns(site: Site) -> None:
    instance_id = new_id()
    site.send(loss(instance_id, "wanted\u202egpj.exe"), {"came\u202egpj.exe": b"MZ"})
    html = site.browser("coordinator").get(f"/projects/1/reports/livestock_loss/{instance_id}").get_data(as_text=True)
    assert "\u202e" not in html
    assert "camegpj.exe" in html
    assert "wantedgpj.exe" in html


def test_a_file_whose_bytes_are_gone_is_told_as_missing(site: Site) -> None:
    where = address(site, "gone.jpg", JPEG + b"gone")
    site.services.blobs.path(hashlib.sha256(JPEG + b"gone").hexdigest()).unlink()
    assert fetched(site, where).status_code == 404
