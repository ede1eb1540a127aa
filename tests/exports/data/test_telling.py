"""Which answers are told: those of a kind that may be, given by five households or more, else rounded, else not."""

import pytest

from exports.data.telling import Common, Told, code_in, household_of, nearest_step, never_told
from forms.definition import Choice, Field, FormDefinition
from forms.personal import CODE

SHEEP = Field(("herd", "sheep"), "question", "int", "input")
ANIMAL = Field(("herd", "animal"), "question", "string", "select1", choices=(Choice("dog", {}), Choice("goat", {})))
GUARDS = Field(("guards",), "question", "string", "select", choices=(Choice("fence", {}), Choice("light", {})))
NOTE = Field(("note",), "question", "string", "input")
ASKED = Field(("household",), "question", "string", "input", personal=CODE)
FORM = FormDefinition(
    "f", "1", "F", "data", (ASKED, Field(("herd",), "group", children=(SHEEP, ANIMAL)), GUARDS, NOTE), ()
)  # fmt: skip


def common(rows: list[tuple[int, dict[str, object]]]) -> Common:
    made = Common(Told.of(FORM).definition.fields, counted=True)
    for household, answers in rows:
        made.add(answers, household)
    return made


def herd(sheep: object, animal: object = "dog") -> dict[str, object]:
    return {"herd": {"sheep": sheep, "animal": animal}, "note": "by the river"}


def test_text_and_codes_are_no_columns() -> None:
    told = Told.of(FORM)
    assert [field.name for field in told.definition.walk()] == ["herd", "sheep", "animal", "guards"]
    assert told.withheld == {"codes", "text"}


def test_a_number_of_five_households_is_told_and_of_fewer_is_rounded_or_left_out() -> None:
    rows = [(number, herd(20)) for number in range(4)] + [(4, herd(19)), (5, herd(347))]
    made = common(rows)
    assert made.told(herd(20))["herd"]["sheep"] == 20
    assert made.told(herd(19))["herd"]["sheep"] == 20
    assert made.told(herd(347))["herd"]["sheep"] is None
    assert made.told(herd("many"))["herd"]["sheep"] is None


def test_the_same_household_five_times_is_one() -> None:
    assert common([(1, herd(20))] * 9).told(herd(20))["herd"]["sheep"] is None
    assert common([(-1, herd(20))] * 9).told(herd(20))["herd"]["sheep"] is None


def test_choices_are_told_one_by_one_and_nothing_that_is_none() -> None:
    made = common([(number, {"guards": "fence light" if number else "fence"}) for number in range(5)])
    assert made.told({"guards": "fence light /etc"})["guards"] == "fence"
    assert common([(n, herd(1, "Ali's")) for n in range(9)]).told(herd(1, "Ali's"))["herd"]["animal"] is None


@pytest.mark.parametrize(("given", "rounded"), [(0, 0), (3, 2), (7, 5), (8, 10), (347, 200), (0.3, 0.2), (-14, -10)])
def test_numbers_are_rounded_to_one_two_or_five(given: float, rounded: float) -> None:
    assert nearest_step(given) == rounded


def test_the_code_of_the_household_is_read_as_it_is_compared() -> None:
    paths = household_of(FORM)
    assert code_in({"household": " H-1 "}, paths) == code_in({"household": "h-1"}, paths) != ""
    assert {code_in({"household": each}, paths) for each in ("NEW", "", "erased", None)} == {""}


def test_dens_young_and_collars_are_found_anywhere() -> None:
    assert never_told({"sign_type": "den"})
    assert never_told({"g": {"r": [{"basis": "tracks collar"}]}})
    assert not never_told({"sign_type": "track", "measures": "collar"})
