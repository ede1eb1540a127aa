"""The page for analysts says what the code does."""

import re
from pathlib import Path

from exports import episodes, places, privacy
from exports.hotspots import assessment
from exports.hotspots.columns import COLUMNS

PAGE = (Path(__file__).parents[3] / "docs" / "hotspots.md").read_text("utf-8")


def test_the_column_table_equals_the_data_dictionary() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\w*) \| (.*?) ?\| (.*) \|$", PAGE, re.M)
    assert rows == [column[:4] for column in COLUMNS]


def test_the_numbers_in_the_text_are_those_of_the_code() -> None:
    for sentence in (
        *(f"ended at least {circle.embargo_days} days ago" for circle in privacy.LEVELS.values()),
        f"at most {episodes.DAYS_APART} days and at most {episodes.METRES_APART / 1000:.0f} km apart",
        f"less certain than {places.WORST_ACCURACY_M / 1000:.0f} km lies in no cell; one between {places.COARSE_M:.0f} m",
        f"fewer than {assessment.FEWEST_EVENTS} attacks or {assessment.FEWEST_CELLS} cells",
        f"more than {privacy.LARGEST_SHARE * 100:.0f} percent",
    ):
        assert sentence in " ".join(PAGE.split()), sentence
    assert (privacy.FEWEST_HOUSEHOLDS, assessment.FEWEST_NEARBY) == (5, 3)


def test_every_class_and_method_is_explained() -> None:
    assert all(f"`{name}`" in PAGE for name in (*assessment.CLASSES, assessment.METHOD, "rolled_up", "merged") if name != "none")
