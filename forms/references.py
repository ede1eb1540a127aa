"""What an XPath expression of a form calls and refers to, read the way phones read it.

Lexer and grammar follow JavaRosa, the engine inside ODK Collect and KoBoCollect. It is stricter than XPath 1.0: a path has child,
parent and attribute steps only, there are no variables, and a name consists of letters that have an upper and a lower case.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Trouble = Literal["syntax", "letters", "step", "above"]
_DEEPEST = 100  # brackets inside brackets; below, JavaRosa itself gives up
_NEAR = 30  # characters
_NAME = r"[^\W\d][\w.-]*"
_SIGNS = r"\.\.|::|//|!=|<=|>=|[-+*=<>|/\[\]().,@]"
_VALUE = re.compile(
    rf"""(?P<text>'[^']*'|"[^"]*")|(?P<number>[0-9]+(?:\.[0-9]*)?|\.[0-9]+)|(?P<name>{_NAME}(?::{_NAME})?)|(?P<sign>{_SIGNS})"""
)
_OPERATOR = re.compile(rf"(?P<sign>and|or|div|mod|{_SIGNS})")
_BLANKS = re.compile(r"\s*")
_OPERATORS = {"!=", "<=", ">=", "and", "or", "div", "mod", "-", "+", "*", "=", "<", ">", "|"}


class Unreadable(ValueError):
    """An expression phones cannot read.

    `trouble` is "syntax", "letters" (a name in a script without upper and lower case), "step" (a kind of path phones do not know)
    or "above" (a path that leaves the form); `near` is the place.
    """

    def __init__(self, trouble: Trouble, near: str) -> None:
        super().__init__(trouble, near)
        self.trouble, self.near = trouble, near


@dataclass(frozen=True, slots=True)
class Reference:
    """A place an expression refers to: names from the root on ("*" is any, "@x" an attribute), prefixes left out.

    `instance` is the id of a secondary instance, or empty for the form's own. `path` is None where the start is not known.
    `filtered` tells whether a condition in square brackets stands in it.
    """

    path: tuple[str, ...] | None
    instance: str = ""
    filtered: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A function call. An argument that is one path and nothing else stands as its reference, any other one as None."""

    name: str
    arguments: tuple[Reference | None, ...]


@dataclass(slots=True)
class Expression:
    """What was found in an expression, in the order of reading."""

    calls: list[Call] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)


def read_expression(text: str, context: tuple[str, ...] | None) -> Expression:
    """Read an expression that stands at the node `context` (names from the root on; None: not known). Raises `Unreadable`."""
    return _Reader(text, Reference(context)).read()


class _Token(NamedTuple):
    kind: str
    text: str
    start: int


_END = _Token("end", "", -1)


def has_case(name: str) -> bool:
    """Whether phones can read this name in an expression: all its letters have an upper and a lower case."""
    return all(letter.islower() or letter.isupper() for letter in name if letter.isalpha())


def _tokens(expression: str) -> Iterator[_Token]:
    position, after_value = _skip_blanks(expression, 0), False
    while position < len(expression):
        match = (_OPERATOR if after_value else _VALUE).match(expression, position)
        if match is None or match.lastgroup is None:
            raise Unreadable("syntax", _near(expression, position))
        token = _Token(match.lastgroup, match[0], position)
        if token.kind == "name" and not has_case(token.text):
            raise Unreadable("letters", token.text)
        yield token
        after_value = token.kind != "sign" or token.text in {"]", ")", ".", ".."} or (token.text == "*" and not after_value)
        position = _skip_blanks(expression, match.end())


def _skip_blanks(expression: str, position: int) -> int:
    match = _BLANKS.match(expression, position)
    return match.end() if match else position


def _near(expression: str, position: int) -> str:
    return expression[max(0, position - _NEAR) : position + _NEAR].strip()


class _Reader:
    """One expression, read from left to right by recursive descent."""

    def __init__(self, text: str, own: Reference) -> None:
        self.text, self.own = text, own
        self.tokens = list(_tokens(text))
        self.at, self.depth = 0, 0
        self.found = Expression()

    def read(self) -> Expression:
        self._expression(self.own)
        if self._peek() is not _END:
            raise self._unreadable()
        return self.found

    def _peek(self) -> _Token:
        return self.tokens[self.at] if self.at < len(self.tokens) else _END

    def _next(self) -> _Token:
        token = self._peek()
        self.at += 1
        return token

    def _take(self, sign: str) -> bool:
        if self._peek().text != sign:
            return False
        self.at += 1
        return True

    def _expect(self, sign: str) -> None:
        if not self._take(sign):
            raise self._unreadable()

    def _unreadable(self, trouble: Trouble = "syntax") -> Unreadable:
        token = self.tokens[min(self.at, len(self.tokens) - 1)] if self.tokens else _END
        return Unreadable(trouble, _near(self.text, max(token.start, 0)))

    def _expression(self, context: Reference) -> Reference | None:
        """Operands between operators; a single path gives its reference."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self._unreadable()
        only = self._operand(context)
        while self._peek().text in _OPERATORS and self._peek().kind == "sign":
            self.at += 1
            only = None
            self._operand(context)
        self.depth -= 1
        return only

    def _operand(self, context: Reference) -> Reference | None:
        while self._take("-"):
            pass
        token = self._peek()
        if token.kind in {"text", "number"}:
            self.at += 1
            return None
        if self._take("("):
            self._expression(context)
            self._expect(")")
            self._no_steps()
            return None
        if token.kind == "name" and self.tokens[self.at + 1 : self.at + 2] and self.tokens[self.at + 1].text == "(":
            return self._call(context)
        if self._take("/"):
            return self._steps(Reference(()))
        return self._steps(context)

    def _no_steps(self) -> None:
        if self._peek().text in {"/", "//", "["}:
            raise self._unreadable("step")

    def _call(self, context: Reference) -> Reference | None:
        name = self._next().text
        self._expect("(")
        first = self._peek()
        arguments: list[Reference | None] = []
        if not self._take(")"):
            arguments.append(self._expression(context))
            while self._take(","):
                arguments.append(self._expression(context))
            self._expect(")")
        self.found.calls.append(Call(name, tuple(arguments)))
        if name == "instance" and first.kind == "text":
            start = Reference((), first.text[1:-1])
        elif name == "current":
            start = self.own
        else:
            self._no_steps()
            return None
        return self._steps(start) if self._take("/") else None

    def _steps(self, start: Reference) -> Reference:
        path, filtered = start.path, False
        while True:
            path = self._step(path)
            while self._take("["):
                filtered = True
                self._expression(Reference(path, start.instance))
                self._expect("]")
            if not self._take("/"):
                break
        if self._peek().text in {"//", "::"}:
            raise self._unreadable("step")
        reference = Reference(path, start.instance, filtered)
        self.found.references.append(reference)
        return reference

    def _step(self, path: tuple[str, ...] | None) -> tuple[str, ...] | None:
        token = self._peek()
        if token.text == "//":
            raise self._unreadable("step")
        self.at += 1
        if token.text == ".":
            return path
        if token.text == "..":
            if path == ():
                raise Unreadable("above", self.text)
            return path and path[:-1]
        name = token.text
        if token.text == "@":
            name = "@" + self._next().text
        elif token.kind != "name" and token.text != "*":
            self.at -= 1
            raise self._unreadable()
        if self._peek().text in {"(", "::"}:
            raise self._unreadable("step")
        return None if path is None else (*path, name.rpartition(":")[2])
