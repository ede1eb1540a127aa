"""The strategy and the indicators name each other: none is promised and missing, none is worked out for nothing."""

import re
from pathlib import Path

from exports.indicators import catalogue
from exports.indicators.catalogue import FAMILIES, indicators
from exports.indicators.files import FLAGS
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
