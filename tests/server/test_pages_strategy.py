"""The page, the JSON and the command of the strategy: what a person and a program are told about each activity."""

import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from html import unescape
from pathlib import Path
from re import DOTALL, findall, sub
from typing import Any

import pytest
from sqlalchemy import Engine

from forms.library import read_survey, survey_ids
from forms.library.translations import pick_languages
from forms.strategy import strategy
from records.store import Store
from server.pages import strategy as page_module
from tests.support.commands import Run
from tests.support.conflict import insert_record
from tests.support.firsts import first_folder
from tests.support.pages import Site, page

YEAR = datetime.now(UTC).year
RECORDS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("grazing_survey", {"country": "IR"}, {"day": date(2025, 6, 1)}),
    ("grazing_survey", {"country": "TM"}, {"day": date(2025, 7, 2)}),
    ("grazing_survey", {"country": "TM"}, {"review_state": "rejected"}),
    ("prey_block", {"country": "IR"}, {"day": date(YEAR, 1, 1)}),
    *(("leopard_mortality", {"country": "PK"}, {"day": date(2025, 3, day)}) for day in range(1, 7)),
    ("leopard_mortality", {"country": "PK"}, {"day": date(2024, 3, 1)}),
]


def fill(engine: Engine) -> None:
    with engine.begin() as connection:
        for number, (survey, content, more) in enumerate(RECORDS):
            insert_record(connection, f"uuid:{number}", content, form_id=survey, **more)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    data = tmp_path_factory.mktemp("strategy") / "data"
    shutil.copytree(first_folder(tmp_path_factory), data)
    with closing(Site(data)) as opened:
        fill(opened.services.store.engine)
        yield opened


def shown(site: Site, role: str = "coordinator", language: str = "en") -> str:
    answer = site.browser(role, language=language).get("/projects/1/strategy")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def row(html: str, activity: str) -> list[str]:
    """The texts of the cells about an activity."""
    [found] = findall(rf'<tr id="activity-{activity}"[^>]*>(.*?)</tr>', html, DOTALL)
    cells = findall(r"<td[^>]*>(.*?)</td>", found, DOTALL)
    return [" ".join(unescape(sub("<[^>]*>", " ", cell)).split()).replace(" :", ":") for cell in cells]


def test_every_activity_survey_indicator_and_oddity_is_on_the_page(site: Site) -> None:
    html = shown(site)
    assert findall(r'id="activity-([^"]+)"', html) == list(strategy().activities)
    assert findall(r'<dt id="([^"]+)"', html) == list(strategy().indicators)
    text = unescape(html)
    assert [each for each in strategy().texts() if each not in text] == []
    assert [name for name in survey_ids() if f'href="/projects/1/forms/{name}"' not in html] == []


def test_an_activity_tells_its_records_days_countries_and_that_it_is_overdue(site: Site) -> None:
    html = shown(site)
    assert row(html, "7.1.3") == [
        "7.1.3 Assess grazing in priority areas: degradation, impact on wild ungulates",
        "1.96",
        "2025 overdue",
        "Livestock grazing survey: 2"
        " Prey count – vantage point, block or double observer: 1"
        " Prey count – line transect: no records",
        "3",
        f"2025-06-01 – {YEAR}-01-01",
        "Iran (Islamic Republic of), Turkmenistan",
        "I-GRZ-1 I-GRZ-2 I-GRZ-3 I-GRZ-4",
    ]
    assert '<tr id="activity-7.1.3" class="flagged">' in html
    assert row(html, "11.1.4")[2] == f"every year data: {YEAR}"
    assert row(html, "11.2.2")[2] == "as soon as possible"
    assert row(html, "1.2.3a")[1:5] == ["2.58", "–", "–", "–"]
    assert "7.2 Impact of dogs – due 2025 overdue" in " ".join(sub("<[^>]*>", " ", html).split())


def test_what_is_overdue_is_listed_first(site: Site) -> None:
    [notice] = findall(r'<p class="notice">(.*?)</p>', shown(site), DOTALL)
    assert {"7.1.1", "7.1.2", "7.1.3", "7.2.1", "7.2.2"} <= set(findall(r"#activity-([\d.]+)", notice))


def test_a_restricted_survey_tells_years_and_no_country(site: Site) -> None:
    for role in ("coordinator", "analyst"):
        html = shown(site, role)
        cells = row(html, "4.2.3")
        assert cells[3] == "Leopard mortality, injury or capture: 2024: fewer than 5, 2025: 6 restricted"
        assert cells[4:7] == ["0 and restricted ones", "–", "–"]
        assert "Pakistan" not in html


def test_an_analyst_sees_no_link_to_a_form(site: Site) -> None:
    links = [each.attributes.get("href", "") for each in page(site.browser("analyst").get("/projects/1/strategy")).all("a")]
    assert [link for link in links if "/forms" in link] == []
    assert "/projects/1/strategy.json" in links


def test_a_survey_that_is_not_in_the_project_is_named_without_a_link(tmp_path: Path) -> None:
    with closing(Site(tmp_path / "data")) as bare:
        html = shown(bare)
    assert 'href="/projects/1/forms/dog_impact"' not in html
    assert "dog_impact: no records" in html


def test_in_persian_texts_titles_countries_and_years_are_persian(site: Site) -> None:
    html = shown(site, language="fa")
    cells = row(html, "7.1.3")
    persian = pick_languages(["fa"])[0]
    assert cells[1:3] == ["۱٫۹۶", "۲۰۲۵ مهلت گذشته"]
    assert persian.translate("title", read_survey("grazing_survey").title) in cells[3]
    assert persian.translate("country", "Turkmenistan") in cells[6]
    assert [each for each in strategy().texts() if len(each) > 20 and each in unescape(html)] == []


def test_programs_get_the_same_as_json(site: Site) -> None:
    answer = site.browser("analyst").get("/projects/1/strategy.json")
    assert (answer.status_code, answer.mimetype, answer.headers["Cache-Control"]) == (200, "application/json", "no-store")
    told = answer.get_json()
    assert told["as_of"] == datetime.now(UTC).date().isoformat()
    assert [each["id"] for each in told["activities"]] == list(strategy().activities)
    grazing = next(each for each in told["activities"] if each["id"] == "7.1.4")["surveys"][0]
    assert (grazing["records"], grazing["countries"], grazing["left_out"]["rejected"]) == (2, ["IR", "TM"], 1)
    assert "PK" not in answer.get_data(as_text=True)


def test_every_reason_and_rhythm_has_its_word() -> None:
    from exports.strategy import LEFT_OUT

    assert set(page_module.LEFT_OUT) == set(LEFT_OUT)
    assert {each.due.every for each in strategy().activities.values()} - {None} == set(page_module.RHYTHM)


# command line


def test_the_command_lists_every_activity(cli: Run, store: Store) -> None:
    fill(store.engine)
    lines = [line.split("\t") for line in cli("strategy").output.splitlines()]
    assert [line[0] for line in lines] == list(strategy().activities)
    told = {line[0]: line[1:4] for line in lines}
    assert (told["7.1.4"][0], told["7.1.4"][2]) == ("priority 1.96", "2 records, 2025-06-01 to 2025-07-02, IR, TM")
    assert told["7.2.1"][1] == "2024, overdue"
    assert told["1.2.3a"] == ["priority 2.58", "no date", "no survey"]
    assert told["8.1.2"][0] == "no priority"
    assert told["11.1.4"][1] == f"yearly, data in {YEAR}"
    assert told["4.2.3"][2] == "no records, restricted data"


def test_the_command_shows_one_activity_with_its_surveys(cli: Run, store: Store) -> None:
    fill(store.engine)
    output = cli("strategy", "--activity", "7.1.1").output
    assert output.startswith("7.1.1\tpriority 2.25\t2025, overdue\t")
    assert (
        "    grazing_survey\t2 records, 2025-06-01 to 2025-07-02, IR, TM\tlast arrival 2026-03-02 09:30Z\tnot counted: 1 rejected"
        in output
    )
    assert "    leopard_mortality\trestricted, 2024: fewer than 5, 2025: 6\n" in output
    assert output.splitlines()[-1].startswith("    indicators\tI-CON-1, ")
    assert [line[:6] for line in cli("strategy", "--activity", "1.2.3").output.splitlines() if line[0] == "1"] == [
        "1.2.3a",
        "1.2.3b",
    ]
    cli("strategy", "--activity", "5.2.2", code="not_found")


def test_the_command_writes_a_json_object_a_line(cli: Run, store: Store) -> None:
    told = [json.loads(line) for line in cli("strategy", "--json").output.splitlines()]
    assert [each["id"] for each in told] == list(strategy().activities)
    [one] = [json.loads(line) for line in cli("strategy", "--activity", "7.2.1", "--json").output.splitlines()]
    assert [each["id"] for each in one["surveys"]] == ["dog_impact", "mitigation_followup", "prey_transect"]
