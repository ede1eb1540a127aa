"""What pages never do: run words from the data, reach outside, leave a reader without words, show how they are made inside."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from server import app_users
from server.pages import overview
from tests.support.pages import HOSTILE, HOSTILE_XML, Site, page
from tests.support.records import loss, new_id
from tests.support.small import record, xform

STATIC = Path(overview.__file__).parent.parent / "static"
PHOTO = b"\xff\xd8\xff\xe0 a photo"
STATIC_PAGES = (
    "/projects/1/",
    "/projects/1/phones",
    "/projects/1/forms",
    "/projects/1/exports",
    "/projects",
    "/projects/1/log",
    "/people",
    "/people/analyst",
    "/people/analyst/close",
    "/sign-in",
    "/nothing/here",
    "/people/analyst/password",
)
OUTSIDE = re.compile(r"""(?:https?:)?//[\w.-]+\.\w+[^\s"'<>)]*""")


def hostile_form() -> bytes:
    """A form whose title, labels and choices want to be elements."""
    words = HOSTILE_XML
    body = (
        f'<input ref="/data/q"><label>{words}</label></input><select1 ref="/data/c"><label>{words}</label>'
        f"<item><label>{words}</label><value>bad</value></item></select1>"
    )
    binds = '<bind nodeset="/data/q" type="string"/><bind nodeset="/data/c" type="string"/>'
    return xform("<q/><c/>", binds, body, form_id="hostile", title=words)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Everything a stranger can name is named to do harm."""
    words = HOSTILE_XML
    with closing(Site(tmp_path_factory.mktemp("pages") / "data")) as site:
        site.publish(hostile_form())
        for xml, files in (
            (record(f"<q>{words}</q><c>bad</c><extra>{words}</extra>", form_id="hostile", instance_id="uuid:hostile"), None),
            (loss("uuid:loss", f"{words}.jpg", remarks=words), {f"{HOSTILE.replace('/', '')}.jpg": PHOTO}),
            (record(f"<q>{words}</q>", form_id="hostile", instance_id=words), None),
        ):
            assert site.send(xml, files).status_code == 201
        yield site


def addresses(site: Site) -> list[str]:
    """Every kind of page, with what the data offer."""
    home = page(site.browser("administrator").get("/projects/1/"))
    reports = [link.attributes["href"] for link in home.all("a") if link.attributes["href"].startswith("/projects/1/reports/")]
    phones = page(site.browser("administrator").get("/projects/1/phones"))
    revoke = next(link.attributes["href"] for link in phones.all("a") if link.attributes["href"].endswith("/revoke"))
    assert len(reports) == 3
    return [*STATIC_PAGES, revoke, *reports]


def test_words_from_the_data_are_never_elements(site: Site) -> None:
    shown = 0
    for address in addresses(site):
        html = site.browser("administrator").get(address).get_data(as_text=True)
        taken = page(site.browser("administrator").get(address))
        assert not [element for element in taken.elements if any(name.startswith("on") for name in element.attributes)], address
        assert not [script for script in taken.all("script") if script.text.strip() or not script.attributes.get("src")], address
        assert not [element for element in taken.elements if "style" in element.attributes or element.tag == "style"], address
        shown += html.count("&lt;img src=x")
    assert shown > 10  # the words were there, as words


def test_the_map_gets_them_as_data(site: Site) -> None:
    answer = site.browser("coordinator").get("/projects/1/map/points.json")
    assert answer.mimetype == "application/json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert [point[6] for point in answer.get_json()["points"]] == [HOSTILE]
    assert "innerHTML" not in (STATIC / "map.js").read_text(encoding="utf-8")


def test_the_policy_allows_no_inline_scripts_and_no_frames(site: Site) -> None:
    for address in addresses(site):
        answer = site.browser("administrator").get(address)
        policy = answer.headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert {"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "form-action 'self'"} <= set(
            policy.split("; ")
        )
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["Cache-Control"] == "no-store"


def test_no_page_names_an_outside_address(site: Site) -> None:
    for address in addresses(site):
        for language in ("en", "fa"):
            html = site.browser("administrator", language=language).get(address).get_data(as_text=True)
            assert OUTSIDE.findall(html) == [], address


def test_no_style_script_or_picture_of_ours_names_an_outside_address() -> None:
    ours = [path for path in STATIC.iterdir() if path.is_file()]
    assert len(ours) == 5
    for path in ours:
        found = OUTSIDE.findall(path.read_text(encoding="utf-8"))
        assert [address for address in found if "www.w3.org/2000/svg" not in address] == [], path.name


def test_leaflet_is_whole_licensed_and_shows_no_link_of_its_own() -> None:
    folder = STATIC / "leaflet"
    code = (folder / "leaflet.js").read_text(encoding="utf-8")
    assert "Leaflet 1.9.4" in code
    assert set(OUTSIDE.findall(code)) <= {"https://leafletjs.com", "http://www.w3.org/2000/svg"}
    assert "attributionControl: false" in (STATIC / "map.js").read_text(encoding="utf-8")
    assert "BSD 2-Clause" in (folder / "LICENSE").read_text(encoding="utf-8")
    styles = (folder / "leaflet.css").read_text(encoding="utf-8")
    assert set(re.findall(r"url\(images/([^)]+)\)", styles)) <= {path.name for path in (folder / "images").iterdir()}


@pytest.mark.parametrize(("language", "direction"), [("en", "ltr"), ("fa-IR", "rtl"), ("fa-AF, en;q=0.5", "rtl"), ("de", "ltr")])
def test_every_page_is_in_the_readers_language_and_direction(site: Site, language: str, direction: str) -> None:
    code = "fa" if direction == "rtl" else "en"
    for address in addresses(site):
        root = next(page(site.browser("administrator", language=language).get(address)).all("html"))
        assert (root.attributes["lang"], root.attributes["dir"]) == (code, direction), address


def test_the_language_chosen_is_kept_and_the_address_too(site: Site) -> None:
    browser = site.browser("coordinator")
    shown = page(browser.get("/projects/1/?form=hostile&flagged=1"))
    switch = next(link for link in shown.all("a") if link.attributes.get("hreflang") == "fa")
    assert switch.attributes["href"] == "?form=hostile&flagged=1&lang=fa"
    assert next(page(browser.get("/projects/1/?form=hostile&lang=fa")).all("html")).attributes["dir"] == "rtl"
    assert next(page(browser.get("/projects/1/phones")).all("html")).attributes["lang"] == "fa"
    assert next(page(browser.get("/projects/1/phones?lang=xx")).all("html")).attributes["lang"] == "fa"


@pytest.mark.parametrize("trick", ["_scheme=javascript&_external=1", "endpoint=x", "_anchor=x&_method=POST"])
def test_the_language_switch_cannot_be_bent(site: Site, trick: str) -> None:
    shown = page(site.browser("coordinator").get(f"/projects/1/phones?{trick}"))
    assert next(link for link in shown.all("a") if link.attributes.get("hreflang") == "fa").attributes["href"].startswith("?")


def test_every_field_has_a_label_and_every_page_one_title(site: Site) -> None:
    for address in addresses(site):
        shown = page(site.browser("administrator").get(address))
        assert len(list(shown.all("h1"))) == 1, address
        assert len(list(shown.all("main"))) == 1
        labelled = {label.attributes.get("for") for label in shown.all("label")}
        html = shown.html
        for control in [*shown.all("input"), *shown.all("select"), *shown.all("textarea")]:
            if control.attributes.get("type") == "hidden" or control.attributes.get("id") in labelled - {None}:
                continue
            before = html[: html.index(f'name="{control.attributes["name"]}"')]
            assert before.rindex("<label") > before.rfind("</label"), (address, control.attributes)
        assert all("alt" in picture.attributes for picture in shown.all("img"))


def contrast(one: str, other: str) -> float:
    """WCAG 2.2 contrast ratio of two #rrggbb colours."""

    def luminance(colour: str) -> float:
        channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
        red, green, blue = (value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_text_stands_out_in_the_light_and_in_the_dark() -> None:
    styles = (STATIC / "tulliana.css").read_text(encoding="utf-8")
    light, dark = (
        dict(re.findall(r"--([\w-]+): (#\w{3,6})", block)) for block in re.findall(r":root \{(.*?)\n *\}", styles, re.DOTALL)
    )
    pairs = [("ink", "paper"), ("ink", "card"), ("soft", "paper"), ("soft", "card"), ("accent", "paper"), ("accent", "card")]
    pairs += [("on-accent", "accent"), ("on-bar", "bar"), ("bad", "bad-back"), ("warn", "warn-back"), ("good", "good-back")]
    for colours in (light, light | dark):
        full = {
            name: value if len(value) == 7 else "#" + "".join(2 * digit for digit in value[1:]) for name, value in colours.items()
        }
        assert {
            pair: contrast(full[pair[0]], full[pair[1]]) for pair in pairs if contrast(full[pair[0]], full[pair[1]]) < 4.5
        } == {}


@pytest.mark.parametrize("language", ["en", "fa"])
def test_an_unforeseen_failure_is_told_without_its_inside(site: Site, monkeypatch: pytest.MonkeyPatch, language: str) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the inside of it")

    monkeypatch.setattr(app_users, "listed", fail)
    answer = site.browser("coordinator", language=language).get("/projects/1/phones")
    text = answer.get_data(as_text=True)
    assert answer.status_code == 500
    assert ("Nothing was lost." if language == "en" else "چیزی از دست نرفت") in text
    assert not re.search(r"the inside of it|Traceback|RuntimeError|\.py", text)
    assert next(page(answer).all("a")).attributes["href"] == "#content"


def test_wrong_addresses_and_methods_have_pages_of_their_own(site: Site) -> None:
    for method, address, status in (("GET", "/nothing", 404), ("POST", "/", 405), ("GET", "/projects/1/reports/a/b", 404)):
        answer = site.browser("coordinator").open(address, method=method)
        assert answer.status_code == status
        assert "What to do" in answer.get_data(as_text=True)


def test_what_is_kept_by_browsers_names_its_content(site: Site) -> None:
    shown = page(site.browser().get("/sign-in"))
    styles = next(link.attributes["href"] for link in shown.all("link") if link.attributes["rel"] == "stylesheet")
    assert "immutable" in site.browser().get(styles).headers["Cache-Control"]
    assert "immutable" not in site.browser().get(styles.partition("?")[0]).headers.get("Cache-Control", "")


def test_a_report_with_a_strange_id_has_a_page(site: Site) -> None:
    strange = ["a/b", "~1", "~2~0", "..", ".", "x?y#z%41", "سلام", "uuid:a//b", f"{new_id()} "]
    for instance_id in strange:
        assert site.send(record("<q>1</q>", form_id="hostile", instance_id=instance_id)).status_code in {201, 202}
    home = page(site.browser("coordinator").get("/projects/1/?form=hostile"))
    reports = [link.attributes["href"] for link in home.all("a") if link.attributes["href"].startswith("/projects/1/reports/")]
    assert len(reports) == len(strange) + 2
    assert {site.browser("coordinator").get(address).status_code for address in reports} == {200}
