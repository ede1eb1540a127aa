"""Which constraints a record breaks. Clients read some expressions differently; what one of them accepts is not held against it."""

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

from lxml import etree

from forms.definition import Field, Path, pick
from forms.xpath import MAX_EFFORT, comparable, compile_expression, effort, is_false, reads_text

_SECONDS = 2.0  # a constraint that counts all rows, asked at every row, must not stall the server
_LITERAL = re.compile(r"('[^']*'|\"[^\"]*\")")
_ABSOLUTE = re.compile(r"(?<![\w.)\]*:-])/[\w.:-]+((?:/[\w.:-]+)+)")


@dataclass(frozen=True, slots=True)
class Constraint:
    """The constraint of one question, compiled. `expression` has the same meaning at every row."""

    expression: str
    evaluate: Callable[..., Any]
    message: str

    @classmethod
    def of(cls, item: Field, repeats: Sequence[int]) -> "Constraint | None":
        """The constraint of a question; `repeats` are the depths of the repeats it is in.

        None where there is none, where this server cannot evaluate it, or where no client asks: nobody can correct a calculation.
        """
        expression = at_row(item.constraint, item.path, repeats) if item.control else ""
        evaluate = compile_expression(expression) if expression else None
        if evaluate is None:
            return None
        return cls(expression, evaluate, pick(item.constraint_message, "en") or "is outside what the form allows")


def at_row(expression: str, path: Path, repeats: Sequence[int]) -> str:
    """`expression` of the question `path`, with absolute paths into the same row of a repeat made relative.

    Clients take /data/animals/number, asked in the third row, for the number of that row. Empty where this cannot be expressed.
    """
    pieces = _LITERAL.split(expression)
    outside, brackets = True, 0

    def relative(found: re.Match[str]) -> str:
        nonlocal outside
        steps = tuple(step.rpartition(":")[2] for step in found[1].split("/")[1:])
        shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(path, steps, strict=False)))
        if not any(depth <= shared for depth in repeats) or (shared == len(steps) and steps != path):
            return found[0]
        before = found.string[: found.start()]
        outside = outside and brackets + before.count("[") == before.count("]")
        return "/".join([*[".."] * (len(path) - shared), *steps[shared:]]) or "."

    for place in range(0, len(pieces), 2):
        piece = pieces[place]
        pieces[place] = _ABSOLUTE.sub(relative, piece)
        brackets += piece.count("[") - piece.count("]")
    return "".join(pieces) if outside else ""


@dataclass(slots=True)
class Judge:
    """Collects the constraints to judge while a record is read, and the moments in it that clients compare as numbers."""

    cases: list[tuple[etree._Element, Constraint, str]] = field(default_factory=list)
    texts: list[tuple[etree._Element, str]] = field(default_factory=list)
    unjudged: str = ""

    def note_moment(self, node: etree._Element, text: str) -> None:
        """Make the text of a date or time the number that clients compare."""
        number = comparable(text)
        if number is not None:
            self.texts.append((node, node.text or ""))
            node.text = repr(number)

    def broken(self, moments: Sequence[Mapping[str, float]], size: tuple[int, int]) -> Iterator[tuple[str, str]]:
        """(path, message) of every constraint that was false at all these moments, with dates as numbers and as letters.

        `size` is the number of elements of the record and the length of its longest text. `unjudged` is then the first path that
        would have taken too long.
        """
        end = time.monotonic() + _SECONDS
        suspects = [case for case in self.cases if self._is_false(case, moments, size, end)]
        for node, text in self.texts:
            node.text = text
        for case in suspects:
            if not reads_text(case[1].expression) or self._is_false(case, moments, size, end):
                yield case[2], case[1].message

    def _is_false(
        self,
        case: tuple[etree._Element, Constraint, str],
        moments: Sequence[Mapping[str, float]],
        size: tuple[int, int],
        end: float,
    ) -> bool:
        node, constraint, path = case
        if time.monotonic() > end or effort(constraint.expression, *size) > MAX_EFFORT:
            self.unjudged = self.unjudged or path
            return False
        return all(is_false(constraint.evaluate, node, moment) for moment in moments)
