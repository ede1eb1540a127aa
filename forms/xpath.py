"""Constraints as phones evaluate them: XPath 1.0 with the functions of the ODK XForms specification, on lxml.

JavaRosa compares dates as numbers of days since 1970-01-01, where plain XPath would compare NaN with NaN; `day_number` turns the
text of a date into that number and the caller writes it into the tree before evaluating. Regular expressions run on RE2, whose
time is linear in the text: a pattern cannot be used to stall the server, and `effort` bounds what a path may visit. An expression
we cannot compile or evaluate, or not in time, is not judged.
A record may come weeks after it was filled in, so today() and now() are asked of the caller: they become variables, see `clock`.
"""

import hashlib
import math
import re
import uuid
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Any

import re2
from lxml import etree

from forms.datatypes import instant, normal_offset

_EPOCH = date(1970, 1, 1)
_DAY_SECONDS = 86_400
_LITERAL = re.compile(r"('[^']*'|\"[^\"]*\")")
_ROUND = re.compile(r"\bround\s*\(")
_MOMENT = re.compile(r"\b(today|now)\s*\(\s*\)")
_CALL = re.compile(r"(?<![\w.:-])([A-Za-z_][\w.:-]*+)\s*+\(")
_SEARCH = re.compile(r"contains|translate|substring-(?:before|after)")
_ELSEWHERE = re.compile(r"[/\[]|::|\*|\.\.")
_MOMENT_TEXT = re.compile(r"\d{4}-\d\d-\d\d(?=T|$)|\d\d:\d\d(?=:|$)", re.ASCII)
_TEXTUAL = re.compile(
    r"=\s*''|''\s*!?=|\b(string|concat|contains|starts-with|string-length|substring|substring-before|substring-after|substr"
    r"|normalize-space|translate|regex|selected|selected-at|join)\s*\("
)
MAX_EFFORT = 10**8  # visits and comparisons: a second or so
_CORE = {  # XPath 1.0: functions, node tests, operators that may stand before a bracket
    "last", "position", "count", "id", "local-name", "namespace-uri", "name", "string", "concat", "starts-with", "contains",
    "substring-before", "substring-after", "substring", "string-length", "normalize-space", "translate", "boolean", "not",
    "true", "false", "lang", "number", "sum", "floor", "ceiling", "text", "node", "comment", "and", "or", "div", "mod",
}  # fmt: skip
_TRIAL = etree.fromstring("<data><question>1</question></data>")[0]
_TRIAL_SIZE = 2, 1
_QUIET = re2.Options()
_QUIET.log_errors = False
NAMESPACES = {
    "jr": "http://openrosa.org/javarosa",
    "orx": "http://openrosa.org/xforms",
    "odk": "http://www.opendatakit.org/xforms",
}


def day_number(text: str) -> float | None:
    """Days since 1970-01-01 of a date or dateTime text (fractional, UTC, for an instant); None when unreadable."""
    try:
        if len(text) == 10:
            return float((date.fromisoformat(text) - _EPOCH).days)
    except ValueError:
        return None
    moment = instant(text)
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() / _DAY_SECONDS


def comparable(text: str) -> float | None:
    """The number that clients compare for the text of a date or dateTime (days), or of a time (part of a day); None for others."""
    if not _MOMENT_TEXT.match(text):
        return None
    if text[2] != ":":
        return day_number(text)
    try:
        moment = time.fromisoformat(normal_offset(text))  # the hands of the clock, wherever it hangs
    except ValueError:
        return None
    return (moment.hour * 3600 + moment.minute * 60 + moment.second + moment.microsecond / 1e6) / _DAY_SECONDS


@lru_cache(maxsize=4096)
def reads_text(expression: str) -> bool:
    """Whether `expression` looks at letters, where a date must not have become a number."""
    return _TEXTUAL.search(_LITERAL.sub("''", expression)) is not None


def clock(text: str = "") -> dict[str, float]:
    """`today` and `now` as a phone had them at this dateTime text; without one, as we have them."""
    text = text or datetime.now().astimezone().isoformat()
    return {"today": day_number(text[:10]) or 0.0, "now": day_number(text) or 0.0}


def effort(expression: str, elements: int, characters: int) -> int:
    """A bound of what evaluating `expression` may visit, compare and copy.

    `elements` is the number of elements in the tree, `characters` the length of its longest text.
    """
    searching = characters**2 if _SEARCH.search(expression) else 0
    return max(int(elements ** _degree(expression)), characters * len(expression), searching)


@lru_cache(maxsize=4096)
def _degree(expression: str) -> int:
    """The power of the number of elements that an evaluation may cost, as measured on libxml2 2.14.

    Two sets of nodes are compared pairwise; every level of brackets and every `//` multiplies by the elements, and an axis such as
    following:: by their square, because the sets it finds are merged pairwise.
    """
    text = _LITERAL.sub("''", expression)
    if not _ELSEWHERE.search(text):
        return 0
    depth = deepest = 0
    for bracket in re.findall(r"[\[\]]", text):
        depth += 1 if bracket == "[" else -1
        deepest = max(deepest, depth)
    return max(2, 1 + deepest + text.count("//") + 2 * text.count("::"))


def compile_expression(expression: str) -> Callable[..., Any] | None:
    """A function of a node and `**clock()` to the value of `expression` there, or None when it uses what we do not know."""
    pieces = _LITERAL.split(expression)
    pieces[::2] = [_MOMENT.sub(r"$\1", _ROUND.sub("round-to(", piece)) for piece in pieces[::2]]
    for place in range(1, len(pieces), 2):
        number = comparable(pieces[place][1:-1])
        before, after = pieces[place - 1].rstrip(" ="), pieces[place + 1].lstrip()
        if number is not None and (before.endswith(("<", ">")) or after.startswith(("<", ">"))):
            pieces[place] = repr(number)
    text = "".join(pieces)
    if not _CORE.union(_NAMED).issuperset(_CALL.findall(" ".join(pieces[::2]))) or effort(expression, *_TRIAL_SIZE) > MAX_EFFORT:
        return None
    used = {(None, name): function for name, function in _NAMED.items() if name in text}  # each one costs at every evaluation
    try:
        compiled = etree.XPath(text, namespaces=NAMESPACES, extensions=used, regexp=False)
        with suppress(ValueError, ArithmeticError, LookupError):  # these depend on the answers
            compiled(_TRIAL, **clock())
    except (etree.XPathError, TypeError, re2.error):
        return None
    return compiled


def is_false(expression: Callable[..., Any], node: etree._Element, moment: Mapping[str, float]) -> bool:
    """Whether a constraint is definitely violated at `node` at this moment (see `clock`); what cannot be evaluated is not."""
    try:
        return not truth(expression(node, **moment))
    except (etree.XPathError, ValueError, TypeError, ArithmeticError, LookupError, re2.error):
        return False


def truth(value: Any) -> bool:
    """XPath 1.0 boolean()."""
    if isinstance(value, float):
        return value != 0 and not math.isnan(value)
    return bool(value)


def _text(value: Any) -> str:
    if isinstance(value, list):
        value = value[0] if value else ""
    if isinstance(value, etree._Element):
        return "".join(map(str, value.itertext())).strip()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _number(value: Any) -> float:
    if isinstance(value, (float, int)):
        return float(value)
    try:
        return float(_text(value))
    except ValueError:
        return math.nan


def _days(value: Any) -> float | str:
    number = _number(value)
    if not math.isnan(number):
        return number
    text = _text(value)
    days = comparable(text)
    return text if days is None else days


@lru_cache(maxsize=512)
def _pattern(pattern: str) -> Any:
    return re2.compile(pattern, _QUIET)


def _regex(_: Any, value: Any, pattern: Any) -> bool:
    """Collect wants the whole text to match, Enketo and ODK Web Forms any part of it; raises ValueError where they would differ."""
    compiled, text = _pattern(_text(pattern)), _text(value)
    if compiled.fullmatch(text) is not None:
        return True
    if compiled.search(text) is not None:
        raise ValueError("clients differ about this text")
    return False


def _round(_: Any, value: Any, digits: Any = 0.0) -> float:
    scale = 10.0 ** int(_number(digits))
    number = _number(value) * scale
    return number / scale if math.isnan(number) or math.isinf(number) else math.floor(number + 0.5) / scale


def _format_date(_: Any, value: Any, pattern: Any) -> str:
    days = _days(value)
    if isinstance(days, str):
        return ""
    moment = datetime.fromtimestamp(days * _DAY_SECONDS, UTC)
    out = _text(pattern)
    parts = {
        "%Y": f"{moment:%Y}",
        "%y": f"{moment:%y}",
        "%m": f"{moment:%m}",
        "%n": str(moment.month),
        "%d": f"{moment:%d}",
        "%e": str(moment.day),
        "%H": f"{moment:%H}",
        "%h": str(moment.hour),
        "%M": f"{moment:%M}",
        "%S": f"{moment:%S}",
    }
    for code, replacement in parts.items():
        out = out.replace(code, replacement)
    return out


def _selected_at(_: Any, value: Any, index: Any) -> str:
    names, at = _text(value).split(), _number(index)
    return names[int(at)] if 0 <= at < len(names) else ""


def _substr(_: Any, value: Any, start: Any, end: Any = None) -> str:
    return _text(value)[int(_number(start)) : None if end is None else int(_number(end))]


def _coalesce(_: Any, *values: Any) -> Any:
    return next((value for value in values if _text(value) != ""), "")


def _nodes(*values: Any) -> list[Any]:
    return [item for value in values for item in (value if isinstance(value, list) else [value])]


_NUMERIC: dict[str, Callable[..., float]] = {
    "pow": math.pow, "sqrt": math.sqrt, "abs": abs, "sin": math.sin, "cos": math.cos, "tan": math.tan, "asin": math.asin,
    "acos": math.acos, "atan": math.atan, "atan2": math.atan2, "exp": math.exp, "exp10": lambda x: math.pow(10, x),
    "log": math.log, "log10": math.log10, "int": lambda x: float(math.trunc(x)),
}  # fmt: skip


def _numeric(function: Callable[..., float]) -> Callable[..., float]:
    def call(_: Any, *values: Any) -> float:
        return float(function(*map(_number, values)))

    return call


def _digest(_: Any, value: Any, algorithm: Any, encoding: Any = "base64") -> str:
    done = hashlib.new(_text(algorithm).replace("-", "").lower(), _text(value).encode(), usedforsecurity=False)
    return done.hexdigest() if _text(encoding) == "hex" else b64encode(done.digest()).decode()


_NAMED: dict[str, Callable[..., Any]] = {
    **{name: _numeric(function) for name, function in _NUMERIC.items()},
    "round-to": _round,
    "pi": lambda _: math.pi,
    "date": lambda _, value: _days(value),
    "date-time": lambda _, value: _days(value),
    "decimal-date-time": lambda _, value: _days(value),
    "decimal-time": lambda _, value: _number(_days(value)) % 1,
    "format-date": _format_date,
    "format-date-time": _format_date,
    "regex": _regex,
    "selected": lambda _, value, name: _text(name).strip() in _text(value).split(),
    "selected-at": _selected_at,
    "count-selected": lambda _, value: float(len(_text(value).split())),
    "if": lambda _, condition, yes, no: yes if truth(condition) else no,
    "coalesce": _coalesce,
    "once": lambda _, value: value,
    "join": lambda _, separator, *values: _text(separator).join(map(_text, _nodes(*values))),
    "substr": _substr,
    "min": lambda _, *values: min(map(_number, _nodes(*values)), default=math.nan),
    "max": lambda _, *values: max(map(_number, _nodes(*values)), default=math.nan),
    "boolean-from-string": lambda _, value: _text(value) in {"true", "1"},
    "count-non-empty": lambda _, values: float(sum(_text(value) != "" for value in _nodes(values))),
    "digest": _digest,
    "uuid": lambda _, *__: str(uuid.uuid4()),
}
