"""What the checks found, as people read it: errors first and in words, values in the reader's language, where a report lies."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy import update

from records.flags import Flag, flag, flag_columns
from records.models import Submission
from tests.support.pages import Page, Site, page
from tests.support.records import loss, new_id

CASPIAN = (b"35.7001 51.4002", b"39.5001 50.9002")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with closing(Site(tmp_path_factory.mktemp("flags") / "data")) as opened:
        yield opened


def checked(site: Site, xml: bytes) -> None:
    assert site.send(xml).status_code == 201
    site.services.checker().run()


def with_flags(site: Site, instance_id: str, *flags: Flag) -> None:
    """As if the checks had found these, and nothing else."""
    change = update(Submission).filter_by(instance_id=instance_id).values(flag_columns(flags))
    site.services.store.write(lambda connection: connection.execute(change))


def report(site: Site, instance_id: str, language: str = "en") -> Page:
    return page(site.browser("coordinator", language=language).get(f"/projects/1/reports/livestock_loss/{instance_id}"))


def test_an_error_is_told_in_words_and_first(site: Site) -> None:
    instance_id = new_id()
    checked(site, loss(instance_id).replace(*CASPIAN))
    found = report(site, instance_id)
    first = next(item for item in found.all("li") if item.attributes.get("class") in {"error", "warning", "info"})
    assert first.attributes["class"] == "error"
    for words in ("In the sea", "Error: not counted until somebody decides", "39.500100, 50.900200"):
        assert words in first.text
    overview = site.browser("coordinator").get("/projects/1/").text
    assert '<span class="tag bad">Error: In the sea</span>' in overview


def test_a_report_says_its_province_and_country_in_the_readers_language(site: Site) -> None:
    instance_id = new_id()
    checked(site, loss(instance_id))
    assert "Tehran, Iran (Islamic Republic of)" in report(site, instance_id).html
    assert "استان تهران، ایران" in report(site, instance_id, "fa").html


@pytest.mark.parametrize(
    ("item", "english", "persian"),
    [
        (flag("location_jump", km=412.3, seconds=3900, case="1A2B-3C4D"), ["412 km", "1 hour"], ["۴۱۲ کیلومتر", "۱ ساعت"]),
        (flag("location_area", area="KH-1", km=23.4), ["23 km", "KH-1"], ["۲۳ کیلومتر"]),
        (flag("location_coarse", accuracy_m=2500), ["2,500 m"], ["۲٬۵۰۰ متر"]),
        (flag("location_country", reported="AM", country="IR"), ["Armenia", "Iran"], ["ارمنستان", "ایران"]),
        (flag("time_future", day="2026-05-06", received="?"), ['<time datetime="2026-05-06">'], ["روز: <time"]),
        (flag("time_skew", offset_seconds=-7200), ["2 hours behind"], ["۲ ساعت عقب"]),
        (flag("time_order", first_question="start", second_question="q", first_day="2026-05-06", second_day="x"), ["start"], []),
        (flag("location_named", name="<script>x</script>"), ["&lt;script&gt;x"], ["&lt;script&gt;x"]),
    ],
)  # fmt: skip
def test_values_are_told_in_the_readers_language(site: Site, item: Flag, english: list[str], persian: list[str]) -> None:
    instance_id = new_id()
    checked(site, loss(instance_id))
    with_flags(site, instance_id, item)
    for language, expected in (("en", english), ("fa", persian)):
        html = report(site, instance_id, language).html
        assert [words for words in expected if words not in html] == []


def test_the_quarantine_has_errors_before_older_warnings(site: Site) -> None:
    warned, broken = new_id(), new_id()
    for instance_id, code in ((warned, "location_rounded"), (broken, "location_range")):
        checked(site, loss(instance_id))
        with_flags(site, instance_id, flag(code, point="1, 2") if code == "location_rounded" else flag(code, text="95 51"))
    html = site.browser("reviewer").get("/projects/1/quarantine").text
    assert 0 < html.index(broken) < html.index(warned)
    assert html.index("Error: Not on Earth") < html.index("Rounded position")


def test_files_that_are_missing_are_told_once(site: Site) -> None:
    instance_id = new_id()
    checked(site, loss(instance_id, "near.jpg"))
    assert report(site, instance_id).html.count("Files missing") == 1
