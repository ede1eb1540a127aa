"""A form definition compiled to a marshmallow schema, and the reading of one submission with it.

Reading never fails: what is wrong becomes a `Violation` beside the answers, and the text as it came stands for the value.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from lxml import etree
from marshmallow import INCLUDE, Schema, ValidationError, fields

from forms.datatypes import BY_TYPE, Answer, SelectMultiple, SelectOne, read_point
from forms.definition import Field, FormDefinition, pick
from forms.submission import Submission
from forms.xml import child, local_name, text_of
from forms.xpath import compile_expression, day_number, is_false

Answers = dict[str, Any]
_DATES = {"date", "dateTime"}


@dataclass(frozen=True, slots=True)
class Violation:
    """What a reviewer should look at: `path` is "group/question", with "[2]" after the second row of a repeat."""

    code: str
    path: str
    message: str


@dataclass(slots=True)
class Reading:
    """A submission read: `answers` nested by group and repeat, files it refers to, its place (° and m) and its day."""

    answers: Answers = field(default_factory=dict)
    violations: list[Violation] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    latitude: float | None = None
    longitude: float | None = None
    accuracy: float | None = None
    day: str | None = None


@dataclass(slots=True)
class _Plan:
    """What to do at one node: its field, its children by name, its compiled constraint."""

    item: Field | None
    children: dict[str, "_Plan"] = field(default_factory=dict)
    constraint: Callable[[etree._Element], Any] | None = None
    asked: bool = True

    @property
    def is_repeat(self) -> bool:
        return self.item is not None and self.item.kind == "repeat"

    @property
    def is_question(self) -> bool:
        return self.item is not None and self.item.kind == "question"


class FormSchema:
    """Compiled once per form version; `read` may be called from many threads."""

    def __init__(self, definition: FormDefinition) -> None:
        self.definition = definition
        self._plan = _Plan(None, {item.name: _plan(item) for item in definition.fields})
        self._schema: Schema = _schema(definition.fields)()
        self._always_asked = [item.path for item in _unconditional(definition.fields) if item.required]

    @property
    def unjudged(self) -> list[str]:
        """Paths of constraints this server cannot evaluate (phones still do)."""
        return [
            "/".join(plan.item.path)
            for plan in _walk(self._plan)
            if plan.item is not None and plan.item.constraint and plan.constraint is None
        ]

    def read(self, submission: Submission) -> Reading:
        """Answers and violations of a submission. The submission's tree is changed: dates become day numbers for XPath."""
        if submission.encrypted:
            return _read_encrypted(submission.root)
        return _Pass(self).run(submission.root)


def _plan(item: Field) -> _Plan:
    return _Plan(
        item,
        {inner.name: _plan(inner) for inner in item.children},
        compile_expression(item.constraint) if item.constraint else None,
        asked=bool(item.control),
    )


def _walk(plan: _Plan) -> Iterator[_Plan]:
    yield plan
    for inner in plan.children.values():
        yield from _walk(inner)


def _unconditional(items: tuple[Field, ...]) -> Iterator[Field]:
    """Questions that every submission must show: no relevance on the way, no repeat."""
    for item in items:
        if item.relevant or item.kind == "repeat":
            continue
        if item.kind == "question":
            yield item
        yield from _unconditional(item.children)


def _schema(items: tuple[Field, ...]) -> type[Schema]:
    return Schema.from_dict({item.name: _marshmallow(item) for item in items})


def _marshmallow(item: Field) -> fields.Field[Any]:
    if item.kind == "question":
        return _answer(item)
    nested = fields.Nested(_schema(item.children), unknown=INCLUDE, allow_none=True)
    return fields.List(nested, allow_none=True) if item.kind == "repeat" else nested


def _answer(item: Field) -> Answer:
    names = None if item.choices is None else frozenset(choice.name for choice in item.choices)
    if item.control == "select1":
        return SelectOne(mandatory=item.required, choices=names)
    if item.control in {"select", "rank"}:
        return SelectMultiple(mandatory=item.required, choices=names)
    return BY_TYPE.get(item.type, Answer)(mandatory=item.required)


def _read_encrypted(root: etree._Element) -> Reading:
    """An encrypted envelope: nothing can be read but the names of its files (ODK XForms specification, "Encryption")."""
    media = [text_of(child(node, "file")) for node in root if local_name(node) == "media"]
    files = [name for name in [*media, text_of(child(root, "encryptedXmlFile"))] if name]
    return Reading(files=files, violations=[Violation("encrypted", "", "The answers are encrypted.")])


class _Pass:
    """One reading of one submission."""

    def __init__(self, schema: FormSchema) -> None:
        self.schema = schema
        self.reading = Reading()
        self.to_judge: list[tuple[etree._Element, _Plan, str]] = []
        self.fallback_day: str | None = None

    def run(self, root: etree._Element) -> Reading:
        if str(root.tag).startswith("{"):
            for node in root.iter(etree.Element):
                node.tag = local_name(node)
        raw = self._raw(root, self.schema._plan, "")
        self.reading.answers = self._load(raw)
        self._missing(raw)
        self._judge()
        self.reading.day = self.reading.day or self.fallback_day
        return self.reading

    def _raw(self, element: etree._Element, plan: _Plan, prefix: str) -> Answers:
        raw: Answers = {}
        for node in element:
            name = local_name(node)
            inner = plan.children.get(name)
            if inner is None:
                self._extra(node, raw, name, prefix)
            elif inner.is_repeat:
                rows = raw.setdefault(name, [])
                rows.append(self._raw(node, inner, f"{prefix}{name}[{len(rows) + 1}]/"))
            else:
                value: Any = (
                    self._text(node, inner, prefix + name) if inner.is_question else self._raw(node, inner, f"{prefix}{name}/")
                )
                raw[name] = [raw[name], value] if name in raw else value
        return raw

    def _extra(self, node: etree._Element, raw: Answers, name: str, prefix: str) -> None:
        raw[name] = self._raw(node, _Plan(None), f"{prefix}{name}/") if len(node) else node.text or ""
        if not prefix.startswith("meta/") and name != "meta":
            self.reading.violations.append(Violation("extra", prefix + name, "is not a question of this form version"))

    def _text(self, node: etree._Element, plan: _Plan, path: str) -> str:
        text = node.text or ""
        if plan.item is None or not text.strip():
            return ""
        kind = plan.item.type
        if plan.constraint is not None:
            self.to_judge.append((node, plan, path))
        if kind == "string":
            return text
        text = text.strip()
        if kind == "binary":
            self.reading.files.append(text)
        elif kind == "geopoint" and (self.reading.latitude is None) and plan.asked:
            self._place(text)
        elif kind in _DATES:
            self._date(node, plan, text)
        return text

    def _place(self, text: str) -> None:
        try:
            latitude, longitude, _, accuracy = read_point(text)
        except ValueError:
            return
        self.reading.latitude, self.reading.longitude, self.reading.accuracy = latitude, longitude, accuracy

    def _date(self, node: etree._Element, plan: _Plan, text: str) -> None:
        days = day_number(text)
        if days is None:
            return
        node.text = repr(days)
        if plan.asked:
            self.reading.day = self.reading.day or text[:10]
        else:
            self.fallback_day = self.fallback_day or text[:10]

    def _load(self, raw: Answers) -> Answers:
        try:
            loaded: Answers = self.schema._schema.load(raw, unknown=INCLUDE)
        except ValidationError as error:
            loaded = error.valid_data if isinstance(error.valid_data, dict) else {}
            messages = error.messages if isinstance(error.messages, dict) else {}
            self._keep_raw(loaded, raw, messages, "")
        return loaded

    def _keep_raw(self, loaded: Any, raw: Any, messages: Any, prefix: str) -> None:
        """Put the text as it came where no value could be read, and note why."""
        for key, inner in messages.items():
            path = f"{prefix}[{key + 1}]" if isinstance(key, int) else f"{prefix}/{key}".lstrip("/")
            present = key in loaded if isinstance(loaded, dict) else key < len(loaded)
            if isinstance(inner, dict) and present and "_schema" not in inner:
                self._keep_raw(loaded[key], raw[key], inner, path)
                continue
            code, _, message = (inner[0] if isinstance(inner, list) else "value_invalid: is not a group").partition(": ")
            self.reading.violations.append(Violation(code, path, message))
            if isinstance(loaded, dict):
                loaded[key] = raw[key] if raw[key] != "" else None

    def _missing(self, raw: Answers) -> None:
        for path in self.schema._always_asked:
            value: Any = raw
            for name in path:
                value = value.get(name) if isinstance(value, dict) else None
            if value is None:
                self.reading.violations.append(Violation("required", "/".join(path), "this question must be answered"))

    def _judge(self) -> None:
        for node, plan, path in self.to_judge:
            if plan.item is not None and plan.constraint is not None and is_false(plan.constraint, node):
                message = pick(plan.item.constraint_message, "en") or "is outside what the form allows"
                self.reading.violations.append(Violation("constraint", path, message))
