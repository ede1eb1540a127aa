"""What the pages say: reports, files, phones, forms, people."""

import ast
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from sqlalchemy import update

from forms.submission import case_number
from records.flag_kinds import ARRIVAL
from records.models import Submission
from server.app_users import NewAppUser
from server.network import write_address
from server.pages import overview
from server.phone_settings import settings_qr
from sync import fold, intake
from sync.relay import decisions
from tests.support.pages import HOST, PASSWORD, Site, page
from tests.support.postgres import Cluster
from tests.support.records import FLOCK, flock, loss, new_id, renamed
from tests.support.small import record, xform

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF"
NOTERS = {"flag", "Violation", "_note", "ValidationError"}
DEMO_FORM = """\
| survey |           |       |             |
|        | type      | name  | label       |
|        | integer   | goats | How many?   |
|        | text      | note  | Anything?   |
| settings |         |       |             |
|        | form_title | form_id | version  |
|        | Goats     | goats | 1           |
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with closing(Site(tmp_path_factory.mktemp("pages") / "data")) as opened:
        yield opened


@pytest.fixture(params=["sqlite", "postgres"])
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """An empty site on each database."""
    database_url = ""
    if request.param == "postgres":
        cluster: Cluster = request.getfixturevalue("postgres")
        database_url = cluster.create(f"pages_{new_id()[5:13]}")
    with closing(Site(tmp_path / "data", database_url)) as opened:
        yield opened


def reports(site: Site, address: str = "/projects/1/") -> list[str]:
    """The case numbers in the table."""
    html = site.browser("coordinator").get(address).get_data(as_text=True)
    return re.findall(r'<td data-label="Case"><span class="code">([0-9A-F-]+)</span>', html)


def walk(site: Site, address: str) -> Iterator[list[str]]:
    """The table, page by page."""
    while address:
        yield reports(site, address)
        links = page(site.browser("coordinator").get(address)).all("a")
        address = next((link.attributes["href"] for link in links if link.attributes.get("rel") == "next"), "")


# reports


def test_an_empty_server_says_how_to_begin(fresh: Site) -> None:
    text = fresh.browser("coordinator").get("/projects/1/").get_data(as_text=True)
    assert "No report has come yet" in text
    assert 'id="map"' not in text


def test_pages_of_reports_join_without_gap_or_repeat_even_where_times_are_equal(
    fresh: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview, "PAGE_SIZE", 3)
    ids = [new_id() for _ in range(8)]
    for instance_id in ids:
        assert fresh.send(flock(instance_id)).status_code == 201
    assert [case for part in walk(fresh, "/projects/1/") for case in part] == [case_number(one) for one in reversed(ids)]
    same = update(Submission).values(received_at=datetime(2026, 5, 2, 7, 41, 9, 123456, UTC))
    fresh.services.store.write(lambda connection: connection.execute(same))
    parts = list(walk(fresh, "/projects/1/"))
    assert [len(part) for part in parts] == [3, 3, 2]
    assert sorted(case for part in parts for case in part) == sorted(map(case_number, ids))


def test_reports_are_filtered_by_form_and_by_flag_in_table_and_map(fresh: Site) -> None:
    plain, odd, other = new_id(), new_id(), new_id()
    for xml in (flock(plain), flock(odd, sheep="many"), loss(other)):
        assert fresh.send(xml).status_code == 201
    wanted = {"": 3, "?form=flock_count": 2, "?flagged=1": 1, "?form=livestock_loss&flagged=1": 0, "?form=nothing": 0}
    assert {query: len(reports(fresh, f"/projects/1/{query}")) for query in wanted} == wanted
    assert reports(fresh, "/projects/1/?flagged=1") == [case_number(odd)]
    points = fresh.browser("coordinator").get("/projects/1/map/points.json").get_json()
    assert [point[4] for point in points["points"]] == [case_number(other)]
    assert points["points"][0][:4] == [35.7001, 51.4002, "livestock_loss", ""]
    assert points["forms"]["livestock_loss"]["title"] == "ثبت تلفات دام"
    assert fresh.browser("coordinator").get("/projects/1/map/points.json?form=flock_count").get_json()["points"] == []


def test_the_map_shows_the_newest_and_says_that_there_are_more(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [new_id() for _ in range(3)]
    for instance_id in ids:
        site.send(loss(instance_id))
    asked = site.browser("coordinator")
    assert asked.get("/projects/1/map/points.json").get_json()["is_complete"] is True
    monkeypatch.setattr(overview, "MAP_LIMIT", 2)
    answer = asked.get("/projects/1/map/points.json").get_json()
    assert [point[4] for point in answer["points"]] == [case_number(one) for one in (ids[2], ids[1])]
    assert answer["is_complete"] is False


@pytest.mark.parametrize("after", ["yesterday", "2026-13-01 x", "x y"])
def test_a_bent_page_address_is_told(site: Site, after: str) -> None:
    assert site.browser("coordinator").get(f"/projects/1/?after={after}").status_code == 400


def test_boundaries_come_once_and_packed(site: Site) -> None:
    browser = site.browser("coordinator")
    first = browser.get("/projects/1/map/boundaries.geojson", headers={"Accept-Encoding": "gzip"})
    assert (first.status_code, first.headers["Content-Encoding"]) == (200, "gzip")
    assert len(first.data) < 300_000
    again = browser.get("/projects/1/map/boundaries.geojson", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert len(json.loads(browser.get("/projects/1/map/boundaries.geojson").data)["features"]) == 322


# one report


def test_a_report_shows_labels_choices_groups_and_what_is_missing(site: Site) -> None:
    instance_id = new_id()
    site.send(loss(instance_id, "near.jpg", ("one.jpg", "two.jpg"), remarks="first line\nsecond"), {"one.jpg": JPEG})
    shown = page(site.browser("coordinator").get(f"/projects/1/reports/livestock_loss/{instance_id}"))
    texts = [" ".join(element.text.split()) for element in shown.elements if element.tag in {"dt", "dd", "h3", "li"}]
    assert texts[texts.index("کدام حیوان؟") + 1] == "پلنگ"
    assert texts[texts.index("نشانه‌ها") + 1] == "رد پا, سرگین"
    assert texts[texts.index("محل حادثه") + 1] == "35.70010° N, 51.40020° E (± 4 m)"
    assert {"دام – 1", "دام – 2"} <= set(texts)
    assert texts[texts.index("عکس") + 1] == "near.jpg has not come yet."
    assert any(text.startswith("Files missing 1 of 3 files are here.") and "near.jpg, two.jpg" in text for text in texts)
    photo = next(shown.all("img")).attributes
    assert photo["src"].endswith(f"/thumbnails/{hashlib.sha256(JPEG).hexdigest()}.jpg")
    assert photo["alt"] == "عکس لاشه"


def test_flags_are_explained_in_both_languages(site: Site) -> None:
    instance_id = new_id()
    site.send(flock(instance_id, sheep="many"))
    english = site.browser("coordinator").get(f"/projects/1/reports/flock_count/{instance_id}").get_data(as_text=True)
    persian = (
        site.browser("coordinator", language="fa").get(f"/projects/1/reports/flock_count/{instance_id}").get_data(as_text=True)
    )
    assert "The answer does not fit its question. It is kept as it came." in english
    assert "پاسخ با پرسش جور نیست." in persian
    assert "many" in english


def test_a_constraint_is_explained_in_the_words_of_the_form(site: Site) -> None:
    bind = '<bind nodeset="/data/q" type="int" constraint=". &lt; 5" jr:constraintMsg="Fewer than five."/>'
    site.publish(xform("<q/>", bind, '<input ref="/data/q"><label>How many?</label></input>', form_id="few"))
    site.send(record("<q>7</q>", form_id="few", instance_id="uuid:few"))
    shown = page(site.browser("coordinator").get("/projects/1/reports/few/uuid:few"))
    told = next(" ".join(item.text.split()) for item in shown.all("li"))
    assert told.startswith("Unusual answer – How many? Fewer than five. ")


def raised_codes() -> Iterator[str]:
    """The code of every flag that reading and keeping may put on a report, from the places that do."""
    root = Path(overview.__file__).parents[2]
    for path in (*root.glob("forms/*.py"), *root.glob("sync/*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in NOTERS:
                first = node.args[0].values[0] if isinstance(node.args[0], ast.JoinedStr) else node.args[0]
                if isinstance(first, ast.Constant):
                    yield str(first.value).partition(":")[0]
    yield from fold.OF_THE_RECORD
    yield from intake._AFTER.values()
    yield decisions.CONTRADICTED


def test_every_flag_the_server_can_raise_has_words() -> None:
    raised = set(raised_codes())
    assert {"required", "constraint", "file_twice", "edit_before_original", "instance_conflict", "value_invalid"} <= raised
    assert raised == set(ARRIVAL)


def test_exact_bytes_of_every_version_can_be_saved(site: Site) -> None:
    instance_id = new_id()
    versions = [flock(instance_id, sheep="1"), flock(instance_id, sheep="2"), flock(new_id(), sheep="3", deprecated_id=instance_id)]
    for xml in versions:
        assert site.send(xml).status_code in {201, 202}
    browser = site.browser("coordinator")
    links = [link.attributes["href"] for link in page(browser.get(f"/projects/1/reports/flock_count/{instance_id}")).all("a")]
    saved = [browser.get(link) for link in links if link.endswith(".xml")]
    assert [answer.data for answer in saved] == versions
    assert all(answer.headers["Content-Disposition"].startswith("attachment") for answer in saved)


@pytest.mark.parametrize(
    ("name", "data", "kind", "disposition"),
    [
        ("photo.jpg", JPEG, "image/jpeg", "inline"),
        ("photo.png", b"\x89PNG\r\n\x1a\n", "image/png", "inline"),
        ("photo.webp", b"RIFF\0\0\0\0WEBPVP8 ", "image/webp", "inline"),
        ("photo.bin", b"GIF89a", "image/gif", "inline"),
        ("evil.jpg", b"<html><script>alert(1)</script>", "application/octet-stream", "attachment"),
        ("evil.svg", b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "application/octet-stream", "attachment"),
        ("evil.pdf", b"%PDF-1.7", "application/octet-stream", "attachment"),
        ("نقشه; x.html", b"<p>", "application/octet-stream", "attachment"),
    ],
)
def test_only_real_pictures_are_shown_and_nothing_runs(site: Site, name: str, data: bytes, kind: str, disposition: str) -> None:
    instance_id = new_id()
    site.send(loss(instance_id, name), {name: data})
    browser = site.browser("coordinator")
    html = page(browser.get(f"/projects/1/reports/livestock_loss/{instance_id}"))
    saving = next(link.attributes["href"] for link in html.all("a") if link.attributes["href"].endswith("?save=1"))
    answer = browser.get(saving.partition("?")[0])
    assert (answer.data, answer.content_type) == (data, kind)
    assert answer.headers["Content-Disposition"].startswith(disposition)
    assert browser.get(saving).headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert len(list(html.all("img"))) == (1 if disposition == "inline" else 0)


def test_a_file_is_only_given_with_its_own_report(site: Site) -> None:
    one, other = new_id(), new_id()
    site.send(loss(one, "mine.jpg"), {"mine.jpg": JPEG + b"mine"})
    site.send(loss(other, "mine.jpg"), {"mine.jpg": JPEG + b"theirs"})
    digest = hashlib.sha256(JPEG + b"mine").hexdigest()
    assert site.browser("coordinator").get(f"/projects/1/reports/livestock_loss/{one}/files/{digest}/mine.jpg").status_code == 200
    assert site.browser("coordinator").get(f"/projects/1/reports/livestock_loss/{other}/files/{digest}/mine.jpg").status_code == 404


# phones


def added(site: Site, name: str, *, host: str = HOST) -> tuple[str, str]:
    """(page, server address) after adding a phone."""
    answer = site.browser("coordinator", host=host).post("/projects/1/phones", data={"name": name, "language": "fa"})
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.get_data(as_text=True), next(page(answer).all("textarea")).text


def test_a_new_phone_gets_a_code_that_works_and_is_shown_once(site: Site) -> None:
    html, url = added(site, "Ranger Azadeh")
    base, _, rest = url.partition("/v1/key/")
    user = NewAppUser("Ranger Azadeh", "Tulliana", "fa", 1, rest.partition("/")[0])
    assert base == HOST
    assert settings_qr(user, base).svg_inline(border=4, omitsize=True, dark="#000", light="#fff") in html
    path = url.removeprefix(base)
    assert site.browser().get(f"{path}/formList").status_code == 200
    assert "hreflang" not in html  # choosing a language would lose the code
    assert user.token not in site.browser("coordinator").get("/projects/1/phones").get_data(as_text=True)
    site.browser("coordinator").post("/projects/1/phones/Ranger%20Azadeh/revoke")
    assert site.browser().get(f"{path}/formList").status_code == 403
    assert "withdrawn" in site.browser("coordinator").get("/projects/1/phones").get_data(as_text=True)


def test_a_name_in_use_is_told_beside_the_field(site: Site) -> None:
    added(site, "twice")
    answer = site.browser("coordinator").post("/projects/1/phones", data={"name": "twice"})
    assert answer.status_code == 409
    assert "This name is in use." in answer.get_data(as_text=True)
    assert [field.attributes["value"] for field in page(answer).all("input")] == ["twice"]


@pytest.mark.parametrize(
    ("settings", "seen", "base", "is_warned"),
    [
        ({"HOST": "10.1.2.3"}, "http://localhost:8080", "http://10.1.2.3:8080", False),
        ({"HOST": "127.0.0.1"}, "http://127.0.0.1:8080", "http://127.0.0.1:8080", True),
        ({"HOST": "127.0.0.1"}, "http://station:8080", "http://station:8080", False),
        ({"PUBLIC_URL": "https://data.example.org"}, HOST, "https://data.example.org", False),
    ],
    ids=["browser on this machine", "no network", "as the browser came", "as set"],
)
def test_a_code_holds_an_address_phones_can_reach(
    tmp_path: Path, settings: dict[str, str], seen: str, base: str, is_warned: bool
) -> None:
    with closing(Site(tmp_path / "data", **settings)) as site:
        write_address(site.services.config)
        html, url = added(site, "one", host=seen)
    assert url.startswith(f"{base}/v1/key/")
    assert ("Phones cannot reach this address." in html) is is_warned


# forms


def test_a_form_is_published_from_the_browser_and_told_when_it_is_the_same(site: Site) -> None:
    for words, problems in (("Phones get this form from now on.", 0), ("This very form was published before", 0)):
        answer = site.browser("coordinator").post("/projects/1/forms", data={"form": (BytesIO(DEMO_FORM.encode()), "goats.md")})
        assert (answer.status_code, answer.get_data(as_text=True).count('role="alert"')) == (200, problems)
        assert words in answer.get_data(as_text=True)
    row = site.browser("coordinator").get("/projects/1/forms").get_data(as_text=True).partition("Goats")[2].partition("</tr>")[0]
    assert re.findall(r">([^<>\s]+)<", row) == ["goats", "1", "2", "–"]


@pytest.mark.parametrize(
    ("data", "name", "status", "words"),
    [
        (DEMO_FORM.replace("integer ", "intejer ").encode(), "goats.md", 422, "intejer"),
        (renamed(FLOCK, "flock_count", extra="<!-- other -->"), "flock.xml", 409, "Give the form a new version"),
        (b"<html>", "page.xml", 400, "The XML cannot be read."),
        (b"\xff\xd8\xff a photo", "photo.jpg", 422, "The form cannot be used."),
    ],
    ids=["misspelt", "version taken", "no XML", "no form"],
)
def test_a_form_that_cannot_be_used_is_explained_on_the_page(site: Site, data: bytes, name: str, status: int, words: str) -> None:
    answer = site.browser("coordinator").post("/projects/1/forms", data={"form": (BytesIO(data), name)})
    text = answer.get_data(as_text=True)
    assert answer.status_code == status
    assert 'role="alert"' in text
    assert words in text
    assert 'type="file"' in text  # and one can try again at once


def test_a_missing_picture_is_named_and_taken_when_given(site: Site) -> None:
    extra = '<instance id="villages" src="jr://file-csv/villages.csv"/>'
    data = renamed(FLOCK, "with_list", extra=extra)
    browser = site.browser("coordinator")
    refused = browser.post("/projects/1/forms", data={"form": (BytesIO(data), "form.xml")})
    assert refused.status_code == 422
    assert "villages.csv" in refused.get_data(as_text=True)
    files = {"form": (BytesIO(data), "form.xml"), "media": (BytesIO(b"name,label\n"), "villages.csv")}
    assert browser.post("/projects/1/forms", data=files).status_code == 200


def test_shipped_workbooks_are_there_to_change(site: Site) -> None:
    answer = site.browser("coordinator").get("/projects/1/forms/conflict_livestock/workbook.xlsx")
    assert answer.data.startswith(b"PK")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="conflict_livestock.xlsx"'


# people


def test_a_new_person_gets_a_password_that_works_until_the_next(site: Site) -> None:
    administrator = site.browser("administrator")
    first = _password(administrator.post("/people", data={"name": "شیرین", "role": "analyst"}).get_data(as_text=True))
    browser = site.browser()
    assert browser.post("/sign-in", data={"name": "شیرین", "password": first}).status_code == 303
    assert browser.get("/projects/1/exports").status_code == 200
    second = _password(administrator.post("/people/شیرین/password").get_data(as_text=True))
    assert browser.get("/projects/1/exports").status_code == 302  # signed out by the change
    assert browser.post("/sign-in", data={"name": "شیرین", "password": first}).status_code == 401
    assert browser.post("/sign-in", data={"name": "شیرین", "password": second}).status_code == 303
    assert second != first != PASSWORD


@pytest.mark.parametrize("role", ["", "king"])
def test_a_role_must_be_one_there_is(site: Site, role: str) -> None:
    assert site.browser("administrator").post("/people", data={"name": "x", "role": role}).status_code == 400


def _password(html: str) -> str:
    found = re.search(r'<p class="password code" tabindex="0">([a-z0-9-]+)</p>', html)
    assert found is not None
    return found[1]
