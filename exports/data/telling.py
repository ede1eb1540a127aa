"""Which answers of a record are told outside the programme: numbers and choices, and only those that several households gave."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from exports.policy import FEWEST, KINDS, NEVER, kind_of
from exports.tables import Path
from forms.definition import Field, FormDefinition
from forms.personal import CODE, DELETED, ERASED, REGISTER, WITHHELD
from forms.spelling import folded

_NO_CODE = ("", "new", WITHHELD, DELETED, ERASED)
_STEPS = (1, 2, 5, 10)
_NUMBERS = frozenset({"int", "integer", "decimal"})
_SEVERAL = frozenset({"select", "rank"})
Value = str | int | float


@dataclass(frozen=True)
class Told:
    """What is told of a form: its definition without the questions that are withheld, and the kinds that are."""

    definition: FormDefinition
    withheld: frozenset[str]

    @classmethod
    def of(cls, definition: FormDefinition) -> "Told":
        """Look at every question of a form."""
        questions = [field for field in definition.walk() if field.kind == "question"]
        return cls(replace(definition, fields=_kept(definition.fields)), frozenset(map(kind_of, questions)) - {""})

    def reason(self, *, counted: bool) -> str:
        """What is withheld, in words."""
        kinds = [words for kind, words in KINDS.items() if kind in self.withheld]
        few = [f"answers that fewer than {FEWEST} households gave"] * counted
        return f"withheld: {'; '.join([*kinds, *few])}. Exact data are for the programme."


def _kept(fields: Sequence[Field]) -> tuple[Field, ...]:
    found = []
    for field in fields:
        if field.kind != "question":
            children = _kept(field.children)
            if children:
                found.append(replace(field, children=children))
        elif not kind_of(field):
            found.append(field)
    return tuple(found)


def household_of(definition: FormDefinition) -> list[Path]:
    """The questions outside repeats for the code of the household, the last first: a form works it out after it asked."""
    repeats = {field.path for field in definition.walk() if field.kind == "repeat"}
    found = [field.path for field in definition.walk() if field.kind == "question" and field.personal in {CODE, REGISTER}]
    return [path for path in reversed(found) if not any(path[: len(above)] == above for above in repeats)]


def code_in(answers: Mapping[str, Any], paths: Sequence[Path]) -> str:
    """The code of the household, as compared; empty where none is known."""
    for path in paths:
        found: Any = answers
        for name in path:
            found = found.get(name) if isinstance(found, dict) else None
        code = folded(str(found)) if isinstance(found, str | int) else ""
        if code not in _NO_CODE:
            return code
    return ""


def never_told(answers: Any) -> bool:
    """Whether an answer anywhere in a record keeps it from leaving (see `exports.policy.NEVER`)."""
    if isinstance(answers, list):
        return any(never_told(each) for each in answers)
    if not isinstance(answers, dict):
        return False
    return any(
        (isinstance(value, str) and not NEVER.get(name, set()).isdisjoint(value.split())) or never_told(value)
        for name, value in answers.items()
    )


def nearest_step(value: float) -> int | float:
    """A number rounded to 1, 2 or 5 times a power of ten."""
    if not value:
        return 0
    power = 10.0 ** math.floor(math.log10(abs(value)))
    near = min(_STEPS, key=lambda step: abs(abs(value) - step * power)) * power
    near = math.copysign(near, value)
    return int(near) if float(near).is_integer() else float(f"{near:.6g}")


class Common:
    """Counts by which households each answer was given, and writes records with the answers that are common enough.

    A number that fewer than five households gave is rounded; if still too few have one like it, it is not told.
    """

    def __init__(self, fields: Sequence[Field], *, counted: bool) -> None:
        """Without `counted` every number and choice is told: in surveys that visit no household."""
        self._fields, self._counted = fields, counted
        self._exact: dict[tuple[Path, Value], set[int]] = {}
        self._rounded: dict[tuple[Path, Value], set[int]] | None = None

    def add(self, answers: Mapping[str, Any], household: int) -> None:
        """Take the answers of a record of a household into account (-1: unknown, which proves nothing)."""
        if self._counted and household >= 0:
            for field, value in _given(self._fields, answers):
                known = self._exact.setdefault((field.path, value), set())
                if len(known) < FEWEST:
                    known.add(household)

    def told(self, answers: Mapping[str, Any]) -> dict[str, Any]:
        """What is told of these answers."""
        return self._told(self._fields, answers)

    def _told(self, fields: Sequence[Field], answers: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for field in fields:
            given = answers.get(field.name)
            if field.kind == "group" and isinstance(given, dict):
                found[field.name] = self._told(field.children, given)
            elif field.kind == "repeat" and isinstance(given, list):
                found[field.name] = [self._told(field.children, row) for row in given if isinstance(row, dict)]
            elif field.kind == "question":
                found[field.name] = self._answer(field, given)
        return found

    def _answer(self, field: Field, given: Any) -> Value | None:
        values = [told for value in _values(field, given) if (told := self._common(field, value)) is not None]
        if field.control in _SEVERAL:
            return " ".join(map(str, values)) or None
        return values[0] if values else None

    def _common(self, field: Field, value: Value) -> Value | None:
        if not self._counted or len(self._exact.get((field.path, value), ())) >= FEWEST:
            return value
        if isinstance(value, str):
            return None
        near = nearest_step(value)
        return near if len(self._alike().get((field.path, near), ())) >= FEWEST else None

    def _alike(self) -> dict[tuple[Path, Value], set[int]]:
        """Households by rounded number: those whose number is rounded to it, and those who gave just that one."""
        if self._rounded is None:
            self._rounded = {}
            for (path, value), households in self._exact.items():
                if not isinstance(value, str) and (len(households) < FEWEST or nearest_step(value) == value):
                    self._rounded.setdefault((path, nearest_step(value)), set()).update(households)
        return self._rounded


def _given(fields: Sequence[Field], answers: Mapping[str, Any]) -> Iterator[tuple[Field, Value]]:
    for field in fields:
        given = answers.get(field.name)
        if field.kind == "group" and isinstance(given, dict):
            yield from _given(field.children, given)
        elif field.kind == "repeat" and isinstance(given, list):
            for row in given:
                if isinstance(row, dict):
                    yield from _given(field.children, row)
        elif field.kind == "question":
            yield from ((field, value) for value in _values(field, given))


def _values(field: Field, given: Any) -> list[Value]:
    """The answers that are what the question asks for: a number, or choices that it has."""
    if field.choices is not None:
        known = {choice.name for choice in field.choices}
        several = given.split() if isinstance(given, str) and field.control in _SEVERAL else [given]
        return [each for each in several if isinstance(each, str) and each in known]
    is_number = field.type in _NUMBERS and type(given) in (int, float) and math.isfinite(given)
    return [given] if is_number else []
