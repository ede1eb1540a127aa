"""The catalogue of flags: its page in the handbook, its sentences, and the limits they name."""

import string

import pytest

from records import pictures
from records.flag_kinds import KINDS, FlagKind
from records.flags import flag
from sync.checks import devices, place, time, words
from sync.checks import pictures as files
from tests.support import docs

LIMITS = {
    "location_water": place.COAST_KM,
    "location_outside": place.COAST_KM,
    "location_country": place.BORDER_KM,
    "location_coarse": place.COARSE_M,
    "location_jump": devices.FASTEST_KMH,
    "location_elevation": place.HIGHEST_M,
    "location_area": place.AREA_KM,
    "time_future": time.FUTURE.total_seconds() / 3600,
    "time_lag": time.LAG.days,
    "time_late": time.LATE.days,
    "picture_elsewhere": files.ELSEWHERE_KM,
}


def test_the_page_of_checks_is_that_of_the_catalogue() -> None:
    docs.assert_current("checks.md")
    assert {code for kinds in docs._GROUPS.values() for code in kinds} == set(KINDS)


@pytest.mark.parametrize(("code", "limit"), LIMITS.items())
def test_the_sentence_names_the_limit_that_is_checked(code: str, limit: float) -> None:
    assert f"{limit:,.0f}" in KINDS[code].text


def test_the_other_limits_that_sentences_and_the_handbook_name_in_words() -> None:
    assert (place.FEWEST_DECIMALS, time.OLD.days, words.GRACE.days, words.OFFICE_KM, pictures.NEAR) == (3, 366, 7, 1.0, 3)


@pytest.mark.parametrize(("code", "kind"), KINDS.items())
def test_a_flag_says_what_its_sentence_has_place_for(code: str, kind: FlagKind) -> None:
    names = [name for _, name, _, _ in string.Formatter().parse(kind.detail) if name]
    item = flag(code, **dict.fromkeys(names, "§"))
    assert item["message"].count("§") == len(names)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [("km", 412.34, "412.34 km"), ("accuracy_m", 700, "700 m"), ("seconds", 4000, "1 h 6 min 40 s"),
     ("seconds", 200_000, "2 d 7 h"),
     ("offset_seconds", -90, "-0 h 1 min 30 s"), ("case", "1A2B-3C4D", "1A2B-3C4D"), ("number", 5, "5")],
)  # fmt: skip
def test_values_have_their_units(name: str, value: str | float, text: str) -> None:
    assert FlagKind("info", "", "", f"{{{name}}}").sentence({name: value}) == text
