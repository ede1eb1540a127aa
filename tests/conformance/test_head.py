"""7.5 of the client contract: the question before every record."""

from tests.conformance.conftest import Site
from tests.support.collect import FILES_PER_POST, Collect, Record, encode
from tests.support.records import loss, new_id, parts


def limit(site: Site) -> int:
    return int(site.phone().head().headers["x-openrosa-accept-content-length"])


def test_t073_t074_t075_head_is_exactly_204_with_a_limit(any_phone: Collect) -> None:
    answer = any_phone.head()
    assert answer.status == 204
    assert answer.headers["x-openrosa-accept-content-length"].isdigit()
    assert answer.headers["x-openrosa-version"] == "1.0"
    assert answer.body == b""
    assert "location" not in answer.headers


def test_t076_head_stays_204_whatever_get_says(site: Site) -> None:
    assert site.get("/submission").status in {200, 204, 405}
    assert site.phone().head().status == 204


def test_t078_an_unknown_token_is_403(site: Site) -> None:
    assert Collect(site.url.replace(site.token, "A" * len(site.token))).head().status == 403


def test_t079_a_post_of_the_advertised_size_in_102_parts_is_taken(site: Site) -> None:
    xml, size = loss(new_id()), limit(site)
    share = (size - len(xml)) // FILES_PER_POST
    files = {f"{number:013}.jpg": bytes(share) for number in range(FILES_PER_POST)}
    files["0000000000000.jpg"] += bytes(size - len(xml) - share * FILES_PER_POST)
    assert sum(map(len, files.values())) + len(xml) == size
    assert site.post(parts(xml, files, incomplete=True)).status == 201


def test_t074_one_file_beyond_the_limit_is_still_taken(site: Site, any_phone: Collect) -> None:
    """1.7: a single file larger than the limit is sent all the same; the real limit must lie well above the advertised one."""
    record = Record(loss(new_id(), "big.jpg"), {"big.jpg": bytes(limit(site) + 3_000_000)})
    any_phone.send(record)
    assert record.status == "sent"


def test_t080_t129_neither_head_nor_post_is_redirected(site: Site) -> None:
    for url in (f"{site.url}/submission", f"{site.url}/submission?deviceID=x"):
        assert site.server.raw("HEAD", url).status == 204
        body, kind = encode(parts(loss(new_id())))
        assert site.server.raw("POST", url, body, {"Content-Type": kind}).status == 201


def test_head_and_post_share_one_connection(site: Site) -> None:
    """A 204 that leaves bytes behind, or closes, would cost every record a second connection."""
    phone = site.phone()
    phone.head()
    before = next(iter(phone.wire._open.values()))
    phone.send(Record(loss(new_id())))
    assert next(iter(phone.wire._open.values())) is before
