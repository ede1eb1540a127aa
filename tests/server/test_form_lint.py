"""Forms looked over and compared, on the command line and on the page: what phones refuse is not published, the rest is told."""

from collections.abc import Iterator
from contextlib import closing
from io import BytesIO
from pathlib import Path

import pytest

from tests.support.commands import Run
from tests.support.pages import Site
from tests.support.small import xform

META = "<meta><instanceID/></meta>"
ASKED = '<input ref="/data/q"><label>How many?</label></input>'
LIST = '<instance id="v" src="jr://file-csv/villages.csv"/>'


def form(calculation: str = "1 + 1", *, version: str = "1", more: str = "", title: str = "Small") -> bytes:
    bind = f'<bind nodeset="/data/q" type="int"/><bind nodeset="/data/c" calculate="{calculation}"/>{more}'
    return xform(f"<q/><c/>{META}", bind, ASKED, version=version, title=title)


REFUSED = form("1 +")
DOUBTFUL = form("/data/gone + 1", version="2")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with closing(Site(tmp_path_factory.mktemp("lint") / "data")) as opened:
        yield opened


def test_a_form_is_looked_over_without_being_published(cli: Run, tmp_path: Path) -> None:
    file = tmp_path / "small.xml"
    file.write_bytes(form())
    assert cli("form", "lint", str(file)).output == "Nothing to object to.\n"
    file.write_bytes(DOUBTFUL)
    doubtful = cli("form", "lint", str(file))
    assert doubtful.exit_code == 0
    assert doubtful.output.startswith("Warning: c: The expression in “calculation” refers to “gone”")
    file.write_bytes(REFUSED)
    refused = cli("form", "lint", str(file))
    assert refused.exit_code == 1
    assert refused.output.startswith("Error: c: The expression in “calculation” cannot be read near “1 +”")
    assert cli("form", "list").output == ""


def test_what_phones_refuse_is_not_published_and_the_rest_is_told(cli: Run, tmp_path: Path) -> None:
    file = tmp_path / "small.xml"
    file.write_bytes(REFUSED)
    assert "cannot be read near “1 +”" in str(cli("form", "publish", str(file), code="form_invalid").exception)
    file.write_bytes(DOUBTFUL)
    published = cli("form", "publish", str(file))
    assert "Warning: c: The expression" in published.output
    assert "is published" in published.output


def test_a_file_of_almost_the_right_name_is_recognised(cli: Run, tmp_path: Path) -> None:
    file = tmp_path / "visit.xml"
    file.write_bytes(form(more=LIST))
    (looked,) = cli("form", "lint", str(file)).output.splitlines()
    assert looked.startswith("Warning: The file villages.csv is not here;")
    (tmp_path / "visit-media").mkdir()
    (tmp_path / "visit-media" / "Villages.CSV").write_text("name,label\nv1,One\n")
    refused = cli("form", "publish", str(file), code="form_invalid")
    assert "“villages.csv”, but the file given is “Villages.CSV”" in str(refused.exception)
    (tmp_path / "villages.csv").write_text("name,label\nv1,One\n")
    assert cli("form", "lint", str(file)).output == "Nothing to object to.\n"
    unused = tmp_path / "map.png"
    unused.write_bytes(b"x")
    assert "does not use the file “map.png”" in cli("form", "lint", str(file), "--media", str(unused)).output


def test_versions_are_compared_in_words(cli: Run, tmp_path: Path) -> None:
    file = tmp_path / "small.xml"
    for version, calculation, title in (("1", "1", "Small"), ("2", "2", "Small"), ("3", "2", "Great")):
        file.write_bytes(form(calculation, version=version, title=title))
        cli("form", "publish", str(file))
    assert cli("form", "diff", "small").output.splitlines() == [
        "small: from version “2” to version “3”",
        "- The title is now “Great” (before: “Small”).",
    ]
    assert cli("form", "diff", "small", "1").output.splitlines()[2:] == [
        "! “c” is now worked out as: 2 (before: 1). Values from before were worked out the other way."
    ]
    assert "from version “3” to version “1”" in cli("form", "diff", "small", "3", "1").output
    cli("form", "diff", "small", "9", code="not_found")
    cli("form", "diff", "never", code="form_unknown")
    assert cli("form", "diff", "small", "1", "2", "3").exit_code == 2


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "refers to “gone”, which is not in the form"), ("fa", "\u2068gone\u2069» اشاره می‌کند که در فرم نیست")],
)
def test_the_page_publishes_and_tells_what_could_be_better(site: Site, language: str, words: str) -> None:
    data = {"form": (BytesIO(DOUBTFUL), "small.xml")}
    answer = site.browser("coordinator").post(f"/projects/1/forms?lang={language}", data=data)
    assert answer.status_code == 200
    assert words in answer.get_data(as_text=True)


def test_the_page_says_in_the_readers_language_why_a_form_is_not_published(site: Site) -> None:
    data = {"form": (BytesIO(REFUSED), "small.xml")}
    answer = site.browser("coordinator").post("/projects/1/forms?lang=fa", data=data)
    assert answer.status_code == 422
    assert "خوانده نمی‌شود: گوشی‌ها این فرم را نمی‌پذیرند" in answer.get_data(as_text=True)


def test_a_picture_the_form_does_not_use_is_told_on_the_page(site: Site) -> None:
    data = {"form": (BytesIO(form(version="5")), "small.xml"), "media": (BytesIO(b"x"), "map.png")}
    answer = site.browser("coordinator").post("/projects/1/forms", data=data)
    assert answer.status_code == 200
    assert "does not use the file “map.png”" in answer.get_data(as_text=True)
