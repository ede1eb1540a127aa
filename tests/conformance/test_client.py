"""The phone itself: it must be as strict as Collect, else the rest of this folder proves little."""

from collections.abc import Callable

import pytest

from tests.support.collect import Collect, LocalForm, Record, encode, md5
from tests.support.openrosa import Refused, parse_form_list, parse_manifest, parse_message
from tests.support.records import FLOCK, flock, loss, new_id, renamed
from tests.support.wire import Answer, Kept, twelve_hour_date

LIST = """<?xml version="1.0"?><xforms xmlns="http://openrosa.org/xforms/xformsList">{}</xforms>"""
ENTRY = "<xform><formID>{id}</formID><name>n</name><version>{version}</version><hash>{hash}</hash><downloadUrl>http://h/{id}</downloadUrl></xform>"
OPENROSA = {"content-type": "text/xml; charset=utf-8", "x-openrosa-version": "1.0"}


def answer(body: str | bytes, status: int = 200, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, "reason", OPENROSA | named, body.encode() if isinstance(body, str) else body, "http://h/")


def entry(form: bytes, form_id: str = "flock_count", version: str = "2026050201") -> str:
    return ENTRY.format(id=form_id, version=version, hash=f"md5:{md5(form)}")


@pytest.mark.parametrize(
    "bad",
    [
        answer(LIST.format(""), content_type="application/xml"),
        answer(LIST.format(""), content_type="text/html"),
        answer("\n" + LIST.format("")),
        answer(LIST.format("").encode("utf-16")),
        answer(LIST.format("").replace("xformsList", "other")),
        answer(LIST.format("<xform><formID>a</formID><name/><downloadUrl>http://h/</downloadUrl></xform>")),
        answer(LIST.format(entry(b"") + "<xform><formID>a</formID><name>n</name></xform>")),
        answer(LIST.format(ENTRY.format(id="a", version="", hash=""))),
        answer(LIST.format(""), status=204),
        Answer(200, "", {"content-type": "text/xml"}, LIST.format("").encode(), "http://h/"),
    ],
)
def test_a_list_collect_would_not_take_is_not_taken(bad: Answer) -> None:
    with pytest.raises(Refused):
        parse_form_list(bad)


def test_a_hash_without_its_prefix_counts_as_none() -> None:
    assert parse_form_list(answer(LIST.format(ENTRY.format(id="a", version="", hash="abc"))))[0].hash is None


def test_a_manifest_hash_loses_four_characters_whatever_they_are() -> None:
    body = '<manifest xmlns="http://openrosa.org/xforms/xformsManifest"><mediaFile><filename>a/b.csv</filename>'
    body += "<hash>0123456789</hash><downloadUrl>http://h/</downloadUrl></mediaFile></manifest>"
    assert [(file.filename, file.hash) for file in parse_manifest(answer(body))] == [("b.csv", "456789")]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            '<OpenRosaResponse xmlns="http://openrosa.org/http/response"><message>a <b>b</b></message></OpenRosaResponse>',
            "a b",
        ),
        ('<x:OpenRosaResponse xmlns:x="u"><x:message>a</x:message></x:OpenRosaResponse>', None),
        ('\n<?xml version="1.0"?><OpenRosaResponse><message>a</message></OpenRosaResponse>', None),
        ("<html>message</html>", None),
        ("", None),
    ],
)
def test_messages_are_found_as_collect_finds_them(body: str, message: str | None) -> None:
    assert parse_message(body.encode()) == message


def test_the_date_has_twelve_hours() -> None:
    assert twelve_hour_date(1777734429) == "Sat, 02 May 2026 03:07:09 GMT"


class Script(Collect):
    """A phone whose wire is a table of answers."""

    answers: dict[str, Answer]
    sent: list[bytes]

    def play(self, answers: dict[str, Answer]) -> "Script":
        self.answers, self.sent = answers, []
        self.wire.get = lambda url: self.answers[url.partition("?")[0]]  # type: ignore[method-assign]

        def request(method: str, url: str, *, body: bytes | None = None, headers: dict[str, str] | None = None) -> Answer:
            if body is not None:
                self.sent.append(body)
            return self.answers[method]

        self.wire.request = request  # type: ignore[method-assign]
        return self


def listed(form: bytes, listing: str) -> dict[str, Answer]:
    return {"http://h/formList": answer(LIST.format(listing)), "http://h/flock_count": answer(form)}


def local(form: bytes, version: str = "2026050201") -> LocalForm:
    return LocalForm("flock_count", version, "n", form)


@pytest.mark.parametrize(
    ("here", "state"),
    [
        (lambda served: [], "new"),
        (lambda served: [local(served)], "up to date"),
        (lambda served: [local(b"other")], "updated hash"),
        (lambda served: [local(b"other", "1")], "updated version"),
    ],
)
def test_the_update_table(here: Callable[[bytes], list[LocalForm]], state: str) -> None:
    served = FLOCK.read_bytes()
    phone = Script("http://h/", forms=here(served)).play(listed(served, entry(served)))
    assert phone.refresh()[0].state == state


def test_a_wrong_hash_makes_the_form_vanish() -> None:
    served = FLOCK.read_bytes()
    phone = Script("http://h", forms=[local(served)]).play(listed(served, entry(b"something else")))
    phone.match_exactly()
    assert phone.forms == []


def test_changed_bytes_and_a_broken_download_cost_the_form() -> None:
    changed = renamed(FLOCK, "flock_count", extra="<!-- changed -->")
    answers = listed(changed, entry(changed)) | {"http://h/flock_count": answer("", status=500)}
    phone = Script("http://h", forms=[local(FLOCK.read_bytes())]).play(answers)
    with pytest.raises(Refused):
        phone.match_exactly()
    assert phone.forms == []


def test_match_exactly_deletes_what_is_not_listed_and_hides_what_has_records() -> None:
    kept, gone = local(FLOCK.read_bytes()), LocalForm("other", "1", "n", b"other")
    phone = Script("http://h", forms=[kept, gone], outbox=[Record(flock(new_id()))]).play(
        {"http://h/formList": answer(LIST.format(""))}
    )
    phone.match_exactly()
    assert phone.forms == [kept]
    assert kept.deleted


def split(limit: str, sizes: list[int]) -> list[int]:
    """How many files each POST carried."""
    phone = Script("http://h").play({"HEAD": answer("", 204, x_openrosa_accept_content_length=limit), "POST": answer("", 201)})
    phone.send(Record(loss(new_id()), {f"{number}.jpg": bytes(size) for number, size in enumerate(sizes)}))
    assert all(body.count(b'name="xml_submission_file"') == 1 for body in phone.sent)
    assert [b"*isIncomplete*" in body for body in phone.sent] == [True] * (len(phone.sent) - 1) + [False]
    return [body.count(b'.jpg"; filename') for body in phone.sent]


def test_posts_are_split_by_size_and_by_number() -> None:
    assert split("5000", []) == [0]
    assert split("5000", [2000, 1500, 2000, 9000, 10]) == [2, 1, 1, 1]
    assert split("nonsense", [4_000_000, 4_000_000, 4_000_000]) == [2, 1]
    assert split("100000000", [1] * 210) == [101, 101, 8]


@pytest.mark.parametrize(
    ("status", "words"), [(200, "Network login failure"), (401, r"\(401\)"), (400, "Failed to upload"), (500, r"\(500\)")]
)
def test_only_201_and_202_count_as_sent(status: int, words: str) -> None:
    phone = Script("http://h").play({"HEAD": answer("", 204), "POST": answer("", status)})
    record = Record(flock(new_id()))
    with pytest.raises(Refused, match=words):
        phone.send(record)
    assert record.status == "submission failed"


def test_a_head_of_200_is_taken_for_a_login_page() -> None:
    phone = Script("http://h").play({"HEAD": answer("", 200), "POST": answer("", 201)})
    with pytest.raises(Refused, match="OpenRosa submission endpoint"):
        phone.send(Record(flock(new_id())))
    assert phone.sent == []


def test_the_kobo_cache_guesses_and_the_newer_one_cannot() -> None:
    for mode, fresh in (("kobo-2025", True), ("collect-2026", False)):
        phone = Collect("http://h", mode, clock=lambda: 1777734429.0)
        url = "http://h/formList" if mode == "kobo-2025" else "http://h/formList?deviceID=x"
        dated = answer("", date="Sat, 02 May 2026 15:07:09 GMT", last_modified="Fri, 01 May 2026 15:07:09 GMT")
        phone.wire.cache[url] = Kept(dated, 1777734429.0 - 3600)
        assert phone.wire._is_fresh(url, phone.wire.cache[url]) is fresh


def test_names_are_escaped_as_okhttp_escapes_them() -> None:
    body, _ = encode([('a"b\n', "عکس.jpg", None, b"")])
    assert 'name="a%22b%0A"; filename="عکس.jpg"'.encode() in body
