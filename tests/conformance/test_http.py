"""7.1 of the client contract: what every OpenRosa answer has in common."""

import gzip
import hashlib
from urllib.parse import urlsplit

import pytest

from tests.conformance.conftest import Site
from tests.support.collect import Collect, encode
from tests.support.openrosa import parse_form_list
from tests.support.raw import exchange, head, in_pieces
from tests.support.records import flock, new_id, parts
from tests.support.servers import Plain

LIST, SUBMISSION = "/formList", "/submission"


def addresses(site: Site) -> list[str]:
    offers = site.phone("kobo-2025").refresh()
    found = [site.url + LIST]
    for offer in offers:
        found += [offer.form.download_url, *filter(None, [offer.form.manifest_url]), *(file.download_url for file in offer.files)]
    return found


def test_t001_device_id_changes_no_answer(site: Site) -> None:
    for url in addresses(site):
        plain, marked = site.get(url), site.get(f"{url}?deviceID=collect%3AAbc")
        assert plain.status == marked.status == 200
        assert plain.body == marked.body


def test_t002_device_id_after_another_query(site: Site) -> None:
    answer = site.get(f"{LIST}?formID=flock_count&deviceID=collect%3AAbc")
    assert b"flock_count" in answer.body
    assert b"livestock_loss" not in answer.body


@pytest.mark.parametrize("date", ["Sat, 02 May 2026 03:07:09 GMT", "شنبه, ۰۲ مه ۲۰۲۶", "garbage", ""])
def test_t003_t004_t005_any_date_header_is_accepted(site: Site, date: str) -> None:
    headers = {"Date": date.encode().decode("latin-1")} if date else {}
    assert site.get(**headers).status == 200
    assert site.post(parts(flock(new_id())), **headers).status == 201


def test_t006_the_version_header_is_not_demanded(site: Site) -> None:
    assert site.get().status == 200
    body, kind = encode(parts(flock(new_id())))
    assert site.server.raw("POST", site.url + SUBMISSION, body, {"Content-Type": kind}).status == 201


def every_status(site: Site) -> dict[str, Plain]:
    raw, wrong = site.server.raw, site.url.replace(site.token, "x" * 64)
    etag = site.get().headers["etag"]
    instance = parts(flock(new_id()))
    return {
        "list 200": site.get(),
        "list 304": site.get(If_None_Match=etag),
        "list 403": raw("GET", wrong + LIST),
        "manifest 200": site.get(next(filter(None, (form.manifest_url for form in site.phone().form_list())))),
        "head 204": raw("HEAD", site.url + SUBMISSION),
        "head 403": raw("HEAD", wrong + SUBMISSION),
        "post 201": site.post(instance),
        "post again": site.post(instance),
        "post 400": site.post([("other", None, None, b"x")]),
        "post no multipart": raw("POST", site.url + SUBMISSION, b"<x/>", {"Content-Type": "text/xml"}),
        "post unreadable": site.post(parts(b"<data")),
        "post 403": raw("POST", wrong + SUBMISSION, b"", {"Content-Type": "multipart/form-data; boundary=x"}),
        "form 404": site.get("/forms/no-such-form.xml"),
        "method": raw("PUT", site.url + SUBMISSION, b""),
    }


def test_t007_every_answer_carries_the_openrosa_version(site: Site) -> None:
    lacking = [name for name, answer in every_status(site).items() if answer.headers.get("x-openrosa-version") != "1.0"]
    assert not lacking


def test_t008_t009_t010_xml_answers_are_utf8_text_xml_from_the_first_byte(site: Site) -> None:
    wrong = {}
    for name, answer in every_status(site).items():
        if answer.body:
            kind = answer.headers.get("content-type", "")
            if kind.replace(" ", "").lower() != "text/xml;charset=utf-8" or answer.body[:1] != b"<":
                wrong[name] = (answer.status, kind, answer.body[:40])
            answer.body.decode("utf-8")
    assert not wrong
    assert "ثبت تلفات دام" in site.get().body.decode()


def test_t011_gzip_hides_nothing_from_the_hash(site: Site) -> None:
    for form in parse_form_list(site.phone().get(site.url + LIST)):
        answer = site.get(form.download_url, Accept_Encoding="gzip")
        assert answer.headers["content-encoding"] == "gzip"
        assert hashlib.md5(gzip.decompress(answer.body)).hexdigest() == form.hash
        assert hashlib.md5(site.get(form.download_url).body).hexdigest() == form.hash


def test_t012_unknown_headers_and_cookies_are_ignored(site: Site) -> None:
    assert site.get(Cookie="session=other; x=y", X_Whatever="1").status == 200


def test_t013_a_204_has_no_body_and_no_length(site: Site) -> None:
    url = f"{site.url}/submission"
    answer = exchange(url, [head("HEAD", url, Connection="close")], until_close=True)
    start, _, rest = answer.partition(b"\r\n\r\n")
    assert start.startswith(b"HTTP/1.1 204")
    assert rest == b""
    lengths = [line.partition(b":")[2].strip() for line in start.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    assert lengths in ([], [b"0"])
    assert b"transfer-encoding" not in start.lower()


@pytest.mark.parametrize("host", ["192.168.50.2:8080", "station.example:1234", "[fd00::7]:8000", "STATION.example"])
def test_t016_t017_each_phone_gets_addresses_with_the_host_it_used(site: Site, host: str) -> None:
    for form in forms_for(site, Host=host):
        assert urlsplit(form).netloc.lower() == host.lower()
        assert urlsplit(form).scheme == "http"


def forms_for(site: Site, **headers: str) -> list[str]:
    body = site.get(**headers).body.decode()
    return [text.partition("<")[0] for tag in ("downloadUrl", "manifestUrl") for text in body.split(f"<{tag}>")[1:]]


def test_t015_forwarded_headers_of_strangers_are_ignored(site: Site) -> None:
    forwarded = forms_for(site, X_Forwarded_Host="evil.example", X_Forwarded_Proto="https", X_Forwarded_Prefix="/x")
    assert forwarded == forms_for(site)


def test_t020_a_slow_upload_is_waited_for(site: Site) -> None:
    """A second of drip stand for ten minutes: no part of the server may count time while bytes arrive."""
    url, (body, kind) = f"{site.url}/submission", encode(parts(flock(new_id(), herder="x" * 2000)))
    start = head("POST", url, Content_Type=kind, Content_Length=str(len(body)))
    assert exchange(url, [start, *in_pieces(body, 20)], pause=0.05).startswith(b"HTTP/1.1 201")


def test_the_kobo_generation_is_not_fooled_by_its_own_cache(site: Site) -> None:
    """1.1.4: without a query OkHttp guesses freshness; a list must be asked for every time."""
    phone = site.phone("kobo-2025")
    phone.form_list(), phone.form_list()
    assert [status for method, url, status in phone.wire.log if url.endswith(LIST)] == [200, 304]


def test_a_finished_download_costs_nothing_the_second_time(any_phone: Collect) -> None:
    """1.1.4 and T051: pinned addresses are immutable, so a phone that starts over reads them from its cache."""
    offers = any_phone.refresh()
    for offer in offers:
        any_phone.download(offer)
    before = len(any_phone.wire.log)
    any_phone.forms.clear()
    for offer in any_phone.refresh():
        any_phone.download(offer)
    manifests = sum(bool(offer.files) for offer in offers)
    assert [status for _, _, status in any_phone.wire.log[before:]] == [304] * (1 + manifests)  # the form list and each manifest
