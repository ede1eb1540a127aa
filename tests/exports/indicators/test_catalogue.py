"""The strategy and the indicators name each other: none is promised and missing, none is worked out for nothing."""

import re
from pathlib import Path

from exports.indicators import catalogue
from exports.indicators.catalogue import FAMILIES, indicators
from exports.indicators.disclosure import DIFFERENCE, DOMINANCE, FEW_HOUSEHOLDS, FEW_RECORDS
from exports.indicators.files import FLAGS
from exports.indicators.prey import FEWEST_GROUPS, FEWEST_LINES
from exports.report.labels import FLAGS as REPORT_FLAGS
from exports.report.labels import LABELS, REASONS
from forms.library import read_survey, survey_ids
from forms.strategy import strategy


def test_every_indicator_of_the_strategy_is_worked_out_and_no_other() -> None:
    made = [indicator.id for family in FAMILIES for indicator in family.INDICATORS]
    assert sorted(made) == sorted(strategy().indicators)
    assert list(indicators()) == list(strategy().indicators)


def test_every_indicator_serves_an_activity_and_every_activity_is_served_by_what_there_is() -> None:
    for indicator in indicators():
        assert strategy().activities_of(indicator), indicator
    for activity in strategy().activities.values():
        assert set(activity.indicators) <= set(indicators()), activity.id


def test_indicators_name_surveys_that_are_there() -> None:
    for indicator in indicators().values():
        assert set(indicator.surveys) <= set(survey_ids()), indicator.id
        assert indicator.formula, indicator.id


def test_every_question_that_is_asked_for_is_in_its_survey() -> None:
    """Paths in the code that look like "group/question" are paths of some survey."""
    known = set()
    for survey_id in survey_ids():
        inside: list[str] = []
        for row in read_survey(survey_id).questions:
            kind, name = row["type"], row["name"]
            if kind.startswith("begin "):
                known.add("/".join([*inside, name]))
                inside.append(name)
            elif kind.startswith(("end group", "end repeat")):
                inside.pop()
            else:
                known.add("/".join([*inside, name]))
    source = "\n".join(path.read_text() for path in Path(catalogue.__file__).parent.glob("*.py"))
    asked = set(re.findall(r'(?:text|code|number|count|day|moment|chosen|rows)\("([a-z_0-9/]+)"\)', source))
    names = {path.rpartition("/")[2] for path in known}
    groups = {path.partition("/")[0] for path in known if "/" in path}
    asked |= {path for path in re.findall(r'"([a-z_0-9]+/[a-z_0-9/]+)"', source) if path.partition("/")[0] in groups}
    missing = {path for path in asked if path not in known and not ("/" not in path and path in names)}
    assert missing == set()
    assert len(asked) > 100


def test_the_readme_explains_every_flag() -> None:
    source = "\n".join(path.read_text() for path in Path(catalogue.__file__).parent.glob("*.py"))
    for flag in FLAGS:
        assert source.count(f'"{flag}"') >= 2, flag


def test_every_figure_flag_and_reason_that_the_code_can_give_has_words_in_the_report() -> None:
    """`making.figures` asks the same of every figure that a test has worked out; here are those that no test has."""
    source = "\n".join(path.read_text() for path in Path(catalogue.__file__).parent.glob("*.py"))
    made = r'(?:Figure|estimated|share|_of_answers|_figure|_part|_people|_count|_share)\(\s*"([a-z_0-9]+)"|\bname="([a-z_0-9]+)"'
    names = {first or second for first, second in re.findall(made, source)}
    assert names <= {figure for _, figure in LABELS}
    assert len(names) > 60
    assert set(REPORT_FLAGS) == set(FLAGS)
    reasons = {FEW_HOUSEHOLDS, FEW_RECORDS, DOMINANCE, DIFFERENCE, f"below_{FEWEST_GROUPS}_groups", f"below_{FEWEST_LINES}_lines"}
    reasons |= {found for pair in re.findall(r'refused="([a-z_0-9]+)"|"(too_many_[a-z_]+)"', source) for found in pair if found}
    assert set(REASONS) == reasons | {"nothing_saved"}
