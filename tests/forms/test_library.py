"""The shipped surveys: phones take them, every language is complete, and a published version never changes."""

import re
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from forms.definition import FormDefinition
from forms.entities import lists_fed
from forms.library import __main__ as upkeep
from forms.library import drawings_of, read_survey, survey_ids, workbook
from forms.library.sources import COLUMNS, LIBRARY, read_rows, restricted_ids
from forms.library.translations import Language, Text, languages, texts
from forms.lint import lint
from forms.personal import CODES
from forms.problems import Problem
from forms.workbook import Sheet
from forms.xlsform import Conversion, convert_workbooks
from tests.support.validate import refused_by_phones

SURVEYS = survey_ids()
TRANSLATIONS = [language for language in languages() if language.code != "en"]
COMPLETE = ["ar", "az", "ckb", "fa", "hy", "ka", "kk", "prs", "ps", "ru", "tg", "tk", "tr", "ur", "uz"]
"""The languages that have every text and must keep every text; docs/surveys.md tells when to add or take away one."""
HEADER = ",".join(name for name in COLUMNS if name not in {"save_to", "personal"}) + "\n"
PLACEHOLDER = re.compile(r"\$\{\w+\}")
LISTS = {"households", "incidents", "installations"}
PERSONAL = {"${owner_contact}", "${household_code}", "${reporter_code}", "${place_name}", "${observers}", "${remarks}"}


@cache
def all_converted() -> dict[str, Conversion]:
    return dict(zip(SURVEYS, convert_workbooks([workbook(survey_id) for survey_id in SURVEYS]), strict=True))


def converted(survey_id: str) -> Conversion:
    return all_converted()[survey_id]


@cache
def definition(survey_id: str) -> FormDefinition:
    return FormDefinition.from_xform(converted(survey_id).xform)


@cache
def needed() -> set[Text]:
    return {text for survey_id in SURVEYS for text in texts(read_survey(survey_id))}


def column(sheet: Sheet, name: str) -> list[str]:
    return [row[sheet.header.index(name)] for row in sheet.rows]


# phones


def test_the_four_surveys_of_losses_prey_and_dogs_are_there() -> None:
    assert {"conflict_livestock", "dog_impact", "prey_block", "prey_transect"} <= set(SURVEYS)


@pytest.mark.parametrize("survey_id", SURVEYS)
def test_a_survey_converts_without_a_warning(survey_id: str) -> None:
    conversion = converted(survey_id)
    assert conversion.warnings == []
    assert set(conversion.media) - set(drawings_of(read_survey(survey_id))) <= {f"{name}.csv" for name in LISTS}
    assert (conversion.form_id, conversion.title) == (survey_id, read_survey(survey_id).title)


@pytest.mark.parametrize("survey_id", SURVEYS)
def test_nothing_is_found_in_a_survey_that_is_shipped(survey_id: str) -> None:
    conversion = converted(survey_id)
    assert [finding.say() for finding in lint(conversion.xform, conversion.media)] == []


def test_phones_open_every_survey_and_would_not_open_a_broken_one(tmp_path: Path) -> None:
    broken = converted("prey_block").xform.replace(b"count(", b"kount(")
    forms = {survey_id: converted(survey_id).xform for survey_id in SURVEYS}
    assert refused_by_phones({**forms, "broken": broken}, tmp_path) == {"broken"}


@pytest.mark.parametrize("survey_id", SURVEYS)
def test_every_question_and_choice_has_a_text_in_every_language(survey_id: str) -> None:
    form = definition(survey_id)
    headings = [language.heading for language in languages()]
    assert list(form.languages) == headings
    labelled = [field for field in form.walk() if field.labels]
    assert labelled
    for field in labelled:
        assert list(field.labels) == headings, field.path
        for choice in field.choices or ():
            assert list(choice.labels) == headings, (field.path, choice.name)
        if field.constraint:
            assert list(field.constraint_message) == headings, field.path


@pytest.mark.parametrize("survey_id", SURVEYS)
def test_every_survey_begins_with_the_common_questions(survey_id: str) -> None:
    names = column(workbook(survey_id).survey, "name")
    assert names[:8] == ["start", "end", "today", "deviceid", "username", "audit", "form_schema", "submission_purpose"]


@pytest.mark.parametrize("survey_id", SURVEYS)
def test_the_name_of_a_saved_report_holds_nothing_personal(survey_id: str) -> None:
    asked = set(PLACEHOLDER.findall(read_survey(survey_id).instance_name))
    assert asked
    assert not asked & PERSONAL


def test_surveys_make_entities_that_phones_pick_from() -> None:
    fed = {survey_id: lists_fed(definition(survey_id)) for survey_id in SURVEYS}
    assert {survey_id: lists for survey_id, lists in fed.items() if lists} == {
        "compensation_followup": {"incidents": ["claim"]},
        "conflict_livestock": {"incidents": ["country", "event_date", "predator", "report", "case_no", "area"]},
        "conflict_verification": {"incidents": ["finding"]},
        "household_register": {"households": ["code", "country", "village"]},
        "mitigation_followup": {"installations": ["last_visit", "state"]},
        "mitigation_install": {"installations": ["household_code", "measure", "start_date", "report", "case_no"]},
    }
    assert {name for lists in fed.values() for name in lists} == LISTS
    versions = {survey_id: definition(survey_id).entities_version for survey_id in SURVEYS}
    assert {version for version in versions.values() if version} == {"2024.1.0"}  # KoBoCollect opens no newer one


def test_questions_that_tell_who_somebody_is_are_marked() -> None:
    marked = {
        (survey_id, "/".join(field.path)): field.personal
        for survey_id in SURVEYS
        for field in definition(survey_id).walk()
        if field.personal in {"contact", "attendance"}
    }
    assert marked == {("conflict_livestock", "reporter/owner_contact"): "contact", ("training_event", "sheet"): "attendance"}


@pytest.mark.parametrize("survey_id", SURVEYS)
def test_a_code_of_a_household_or_person_is_marked(survey_id: str) -> None:
    fields = list(definition(survey_id).walk())
    people = {"household", "household_typed", "household_code", "reporter_code", "verifier_code", "unit_code", "observers"}
    kinds = {field.name: field.personal for field in fields if field.personal in CODES}
    assert set(kinds) == {field.name for field in fields if field.name in people}
    writers = {"reporter_code", "verifier_code", "observers"}
    theirs = "register" if survey_id == "household_register" else "code"
    assert kinds == {name: "reporter" if name in writers else theirs for name in kinds}


def test_what_all_phones_get_of_a_report_names_nobody_and_no_exact_place() -> None:
    survey = read_survey("conflict_livestock")
    shared = {row["name"] for row in survey.questions if row.get("save_to")} | {
        name.strip("${}") for name in PLACEHOLDER.findall(survey.entity["label"])
    }
    assert shared == {"country", "event_date", "predator", "report_id", "case_no", "area"}
    [area] = [row["calculation"] for row in survey.questions if row["name"] == "area"]
    assert area.count("round(") == 2
    assert area.count(", 1)") >= 2  # a tenth of a degree


def test_surveys_that_would_betray_leopards_to_poachers_are_restricted() -> None:
    assert {"camera_station", "illegal_trade", "leopard_mortality", "leopard_sign"} <= set(restricted_ids())
    assert set(restricted_ids()) < set(SURVEYS)


def test_opinions_are_asked_without_a_name_or_a_point() -> None:
    form = definition("community_attitudes")
    asked = [field for field in form.walk() if field.control]
    assert {field.type for field in asked} == {"string", "int"}
    typed = {field.name for field in asked if field.type == "string" and field.control == "input"}
    assert typed == {"consent_text", "cluster_code", "wish"}


@pytest.mark.parametrize("survey_id", SURVEYS)
def test_a_workbook_holds_only_the_choice_lists_its_survey_uses(survey_id: str) -> None:
    book = workbook(survey_id)
    used = {kind.split()[1] for kind in column(book.survey, "type") if kind.startswith(("select_one ", "select_multiple "))}
    assert set(column(book.choices, "list_name")) == used


def test_every_choice_list_is_used_and_written_once() -> None:
    rows = read_rows(LIBRARY / "choices.csv")
    names = [row["list_name"] for row in rows]
    assert len(dict.fromkeys(names)) == 1 + sum(a != b for a, b in pairwise(names))
    assert len({(row["list_name"], row["name"]) for row in rows}) == len(rows)
    assert set(names) == {row["list_name"] for survey_id in SURVEYS for row in read_survey(survey_id).choices}


def test_species_keep_their_scientific_names() -> None:
    sheet = workbook("conflict_livestock").choices
    names = dict(zip(column(sheet, "name"), column(sheet, "scientific_name"), strict=True))
    assert names["leopard"] == "Panthera pardus tulliana"
    assert names["sheep"] == "Ovis aries"
    assert b"<scientific_name>Panthera pardus tulliana</scientific_name>" in converted("conflict_livestock").xform


# languages


def test_the_first_language_named_is_the_forms_own() -> None:
    book = workbook("conflict_livestock", ["fa", "en"])
    assert book.survey.header[2:6] == ("label::فارسی (fa)", "label::English (en)", "hint::فارسی (fa)", "hint::English (en)")
    settings = dict(zip(book.settings.header, book.settings.rows[0], strict=True))
    assert settings["default_language"] == "فارسی (fa)"
    [persian] = [each for each in TRANSLATIONS if each.code == "fa"]
    assert settings["form_title"] == persian.texts[Text("title", read_survey("conflict_livestock").title)]


@pytest.mark.parametrize("code", COMPLETE)
def test_a_complete_language_has_every_text(code: str) -> None:
    [language] = [each for each in TRANSLATIONS if each.code == code]
    assert sorted((text.context, text.english) for text in needed() if not language.texts.get(text)) == []


@pytest.mark.parametrize("language", TRANSLATIONS, ids=lambda each: each.code)
class TestEveryLanguage:
    def test_has_no_text_that_no_survey_uses(self, language: Language) -> None:
        with (LIBRARY / "locale" / f"{language.code}.po").open("rb") as file:
            kept = {Text(message.context or "", str(message.id)) for message in read_po(file) if message.id}
        assert kept - needed() == set()

    def test_keeps_the_answers_that_a_text_quotes(self, language: Language) -> None:
        for text, translation in language.texts.items():
            assert sorted(PLACEHOLDER.findall(translation)) == sorted(PLACEHOLDER.findall(text.english)), text

    def test_calls_no_two_choices_of_a_list_the_same(self, language: Language) -> None:
        for survey_id in SURVEYS:
            seen: dict[tuple[str, str], str] = {}
            for row in read_survey(survey_id).choices:
                label = language.translate(row["list_name"], row["label"])
                assert seen.setdefault((row["list_name"], label), row["name"]) == row["name"], (row, label)


def test_persian_is_written_as_persian() -> None:
    [persian] = [each for each in TRANSLATIONS if each.code == "fa"]
    faults = {
        "Arabic ye or kaf": r"[يك]",
        "Latin or Arabic digits, except in codes such as C2": r"(?<![A-Z])[0-9]|[\u0660-\u0669]",
        "a Latin question mark or comma": r"[?,;]",
        "a blank where the half-space belongs": r"(?<![\w\u200c])ن?می \w|\w ها(?:ی|یی)?(?!\w)",
        "a blank before a stop": r" [.،؛؟:]",
        "two blanks or a blank at the edge": r"  |^ | $",
        "a half-space at the edge of a word": r"\u200c(?!\w)|(?<!\w)\u200c",
    }
    for text, translation in persian.texts.items():
        plain = PLACEHOLDER.sub("۰", translation)
        assert [fault for fault, pattern in faults.items() if re.search(pattern, plain)] == [], translation
        assert "؟" in plain or not text.english.endswith("?"), translation


# sources, shown on a library of one small survey


@pytest.fixture
def walk(tmp_path: Path) -> Path:
    """A library with the survey `walk`, one shared block, one choice list, and Persian."""
    files = {
        "walk/form.toml": 'title = "Walk"\nversion = "2026112201"\nactivities = ["7.2.1"]\ninstance_name = "${dogs}"\n',
        "walk/survey.csv": HEADER + "include,dogs,,,,,,,,,,\nselect_one sex,sex,Sex,Look twice.,,,,,,,,\n",
        "common/dogs.csv": HEADER + "integer,dogs,How many dogs?,,,,. > 0,More than zero.,,,,\n",
        "choices.csv": "list_name,name,label,scientific_name\nsex,f,Female,\nsex,m,Male,\nunused,x,X,\n",
        "locale/fa.po": (
            "# Language: فارسی\n# State: draft\n"
            'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
            'msgctxt "dogs"\nmsgid "How many dogs?"\nmsgstr "چند سگ؟"\n\n'
            'msgctxt "sex"\nmsgid "Female"\nmsgstr "ماده"\n'
        ),
        "published.csv": "form_id,version,sha256\nolder,2025010101,00\n",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    return tmp_path


def edit(path: Path, old: str, new: str) -> None:
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_a_workbook_brings_together_blocks_choices_and_languages(walk: Path) -> None:
    book = workbook("walk", root=walk)
    assert book.survey == Sheet(
        (
            *("type", "name", "label::English (en)", "label::فارسی (fa)", "hint::English (en)", "hint::فارسی (fa)"),
            *("constraint", "constraint_message::English (en)", "constraint_message::فارسی (fa)"),
        ),
        (
            ("integer", "dogs", "How many dogs?", "چند سگ؟", "", "", ". > 0", "More than zero.", "More than zero."),
            ("select_one sex", "sex", "Sex", "Sex", "Look twice.", "Look twice.", "", "", ""),
        ),
    )
    assert book.choices.rows == (("sex", "f", "Female", "ماده"), ("sex", "m", "Male", "Male"))
    assert book.settings == Sheet(
        ("form_title", "form_id", "version", "default_language", "instance_name"),
        (("Walk", "walk", "2026112201", "English (en)", "${dogs}"),),
    )


def test_an_unknown_language_or_survey_is_answered_with_the_known_ones(walk: Path) -> None:
    with pytest.raises(Problem, match=r"No language xx\. Use some of: en, fa\."):
        workbook("walk", ["en", "xx"], root=walk)
    with pytest.raises(Problem, match=r"no survey '\.\./x'\. Use one of: walk\."):
        workbook("../x", root=walk)


def test_a_row_with_an_unquoted_comma_is_named_by_file_and_line(walk: Path) -> None:
    edit(walk / "walk" / "survey.csv", "Look twice.", "Look, twice.")
    with pytest.raises(Problem, match=r"walk/survey\.csv, line 3: 13 cells, but the header has 12.*double quotes"):
        workbook("walk", root=walk)


def test_upkeep_says_what_is_wrong_with_a_source(walk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edit(walk / "walk" / "survey.csv", "Look twice.", "Look, twice.")
    monkeypatch.setattr(upkeep, "update", lambda new_code: read_survey("walk", walk))
    monkeypatch.setattr("sys.argv", ["python -m forms.library", "update"])
    with pytest.raises(SystemExit, match=r"walk/survey\.csv, line 3.*as many commas as the header"):
        upkeep.main()


def test_an_unknown_shared_block_is_answered_with_the_known_ones(walk: Path) -> None:
    edit(walk / "walk" / "survey.csv", "include,dogs", "include,cats")
    with pytest.raises(Problem, match=r"no shared block 'cats'\. Use one of: dogs"):
        workbook("walk", root=walk)


def test_a_file_saved_by_a_spreadsheet_program_is_read(walk: Path) -> None:
    path, before = walk / "walk" / "survey.csv", workbook("walk", root=walk)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert workbook("walk", root=walk) == before


def test_a_catalogue_without_its_name_or_state_is_refused(walk: Path) -> None:
    edit(walk / "locale" / "fa.po", "# State: draft", "# State: good")
    with pytest.raises(Problem, match=r"fa\.po needs the header comments"):
        workbook("walk", root=walk)


# upkeep


def test_a_new_language_starts_with_every_text_and_speaks_english_until_it_is_translated(walk: Path) -> None:
    upkeep.update(walk, "ckb")
    text = (walk / "locale" / "ckb.po").read_text()
    assert text.count("\nmsgid ") == 1 + len(set(texts(read_survey("walk", walk))))
    assert "# Language: کوردیی ناوەندی\n# State: draft" in text
    assert column(workbook("walk", ["ckb"], root=walk).survey, "label::کوردیی ناوەندی (ckb)") == ["How many dogs?", "Sex"]


@pytest.mark.parametrize("code", ["fa-AF", "xx", "tajik"])
def test_a_language_that_phones_do_not_know_is_not_begun(walk: Path, code: str) -> None:
    with pytest.raises(SystemExit, match=rf"no language '{code}': .* such as prs for Dari"):
        upkeep.update(walk, code)
    assert not (walk / "locale" / f"{code}.po").exists()


def test_a_changed_english_text_waits_for_its_translator_and_an_unused_one_goes(walk: Path) -> None:
    edit(walk / "common" / "dogs.csv", "How many dogs?", "How many dogs were there?")
    edit(walk / "choices.csv", "sex,f,Female,\n", "")
    upkeep.update(walk)
    persian = (walk / "locale" / "fa.po").read_text()
    assert 'fuzzy\nmsgctxt "dogs"\nmsgid "How many dogs were there?"\nmsgstr "چند سگ؟"' in persian
    assert "Female" not in persian
    assert column(workbook("walk", ["fa"], root=walk).survey, "label::فارسی (fa)")[0] == "How many dogs were there?"


def test_upkeep_leaves_finished_catalogues_as_they_are(walk: Path) -> None:
    upkeep.update(walk)
    before = (walk / "locale" / "fa.po").read_bytes()
    upkeep.update(walk)
    assert (walk / "locale" / "fa.po").read_bytes() == before


def test_a_release_notes_new_versions_and_refuses_a_changed_one(walk: Path) -> None:
    upkeep.release(walk)
    before = read_rows(walk / "published.csv")
    assert [(line["form_id"], line["version"]) for line in before] == [("older", "2025010101"), ("walk", "2026112201")]
    edit(walk / "walk" / "survey.csv", "Look twice.", "Look again.")
    with pytest.raises(SystemExit, match=r"other content: walk\. Write a new version"):
        upkeep.release(walk)
    edit(walk / "walk" / "form.toml", "2026112201", "2026120301")
    upkeep.release(walk)
    assert read_rows(walk / "published.csv")[:2] == before
    assert read_rows(walk / "published.csv")[2]["version"] == "2026120301"


# what was given out


@pytest.mark.parametrize("survey_id", SURVEYS)
def test_a_published_version_never_changes(survey_id: str) -> None:
    published = {(line["form_id"], line["version"]): line["sha256"] for line in read_rows(LIBRARY / "published.csv")}
    now = upkeep.line_of(converted(survey_id))
    assert published.get((now["form_id"], now["version"])) == now["sha256"], upkeep.NEW_VERSION


@pytest.mark.parametrize("survey_id", SURVEYS)
def test_a_version_is_a_date_and_two_digits(survey_id: str) -> None:
    assert re.fullmatch(r"20\d\d(0[1-9]|1[0-2])([0-2]\d|3[01])\d\d", read_survey(survey_id).version)
