"""A form definition compiled to a marshmallow schema, and the reading of one submission with it.

Reading never fails: what is wrong becomes a `Violation` beside the answers, and the text as it came stands for the value.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lxml import etree
from marshmallow import INCLUDE, Schema, ValidationError, fields

from forms.datatypes import BY_TYPE, Answer, SelectMultiple, SelectOne, calendar_day, read_point
from forms.definition import Field, FormDefinition
from forms.encryption import Envelope
from forms.judging import Constraint, Judge
from forms.personal import ATTENDANCE, CODES, CONSENT, CONTACT, PICTURE, WITHHELD, Told, is_copy, put
from forms.submission import Submission
from forms.xml import full_text, local_name
from forms.xpath import clock

Answers = dict[str, Any]
_DATES = {"date", "dateTime"}
_MOMENTS = 4  # start and end are two
MAX_VIOLATIONS = 200
_DEEPEST = 64  # levels of what the form does not know; below, only the text is kept
NO_CODE = "NEW"
"""What is written in place of a code that was not given yet."""
_LONGEST = 500  # characters of a path, as far as it is told or followed into what the form does not know


@dataclass(frozen=True, slots=True)
class Violation:
    """What a reviewer should look at: `path` is "group/question", with "[2]" after the second row of a repeat."""

    code: str
    path: str
    message: str


@dataclass(slots=True)
class Reading:
    """A submission read: `answers` nested by group and repeat, files it refers to, its place (° and m) and its day.

    `pictures` are those of the files that should be pictures, `attendance` those with the names of people; `strange_files` is the
    kind of a file that no question asks for. `moments` are when the phone says it was filled in: start, end. `contact` holds the
    answers that tell who somebody is; among the answers stands WITHHELD in their place. `is_refused`: the person did not agree to
    take part; then codes are in `contact` too, and none of it is to be kept.
    """

    answers: Answers = field(default_factory=dict)
    violations: list[Violation] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)
    attendance: list[str] = field(default_factory=list)
    strange_files: str = PICTURE
    contact: list[Told] = field(default_factory=list)
    is_refused: bool = False
    latitude: float | None = None
    longitude: float | None = None
    accuracy: float | None = None
    day: str | None = None
    moments: list[str] = field(default_factory=list)


class FormSchema:
    """Compiled once per form version; `read` may be called from many threads.

    `schema` is the marshmallow schema of the answers. Reading walks the XML once and deserialises each answer with the schema's own
    field as it passes, which costs a quarter of loading the nested whole.
    """

    def __init__(self, definition: FormDefinition) -> None:
        self.definition = definition
        self.schema: Schema = _schema(definition.fields)()
        self._plan = _Plan(None, children=_plans(definition.fields, self.schema, ()))
        self._strange_files = ATTENDANCE if any(item.personal == ATTENDANCE for item in definition.walk()) else PICTURE
        self._always_asked = [item.path for item in _unconditional(definition.fields) if item.required and item.control]

    @property
    def unjudged(self) -> list[str]:
        """Paths of constraints this server cannot evaluate (phones still do)."""
        return [
            "/".join(plan.item.path)
            for plan in _walk(self._plan)
            if plan.item is not None and plan.item.constraint and plan.is_asked and plan.constraint is None
        ]

    def read(self, submission: Submission) -> Reading:
        """Answers and violations of a submission. The submission's tree is changed: dates become day numbers for XPath."""
        if submission.encrypted:
            return _read_encrypted(submission.root)
        reading = _Pass(self._plan, self._always_asked).run(submission.root)
        reading.strange_files = self._strange_files
        return reading


@dataclass(slots=True)
class _Plan:
    """What to do at one node: its definition, its children by name, the field that reads it, its compiled constraint."""

    item: Field | None
    children: dict[str, "_Plan"] = field(default_factory=dict)
    answer: Answer | None = None
    constraint: Constraint | None = None

    @property
    def is_repeat(self) -> bool:
        return self.item is not None and self.item.kind == "repeat"

    @property
    def is_asked(self) -> bool:
        """Whether a person answers it, rather than the phone."""
        return self.item is not None and bool(self.item.control)

    @property
    def is_free_text(self) -> bool:
        """Whether its answer may be any text, and so a copy of another."""
        return self.item is None or (self.item.type == "string" and self.item.choices is None)


_STRANGER = _Plan(None)


def _schema(items: tuple[Field, ...]) -> type[Schema]:
    return Schema.from_dict({item.name: _marshmallow(item) for item in items})


def _marshmallow(item: Field) -> fields.Field[Any]:
    if item.kind == "question":
        return _answer(item)
    nested = fields.Nested(_schema(item.children), unknown=INCLUDE, allow_none=True)
    return fields.List(nested, allow_none=True) if item.kind == "repeat" else nested


def _answer(item: Field) -> Answer:
    names = None if item.choices is None else frozenset(choice.name for choice in item.choices)
    mandatory = item.required and bool(item.control)  # nobody can answer what is not asked
    if item.control == "select1":
        return SelectOne(mandatory=mandatory, choices=names)
    if item.control in {"select", "rank"}:  # a name with a blank in it cannot be told from two names
        words = None if names is None else frozenset(word for name in names for word in name.split())
        return SelectMultiple(mandatory=mandatory, choices=words)
    return BY_TYPE.get(item.type, Answer)(mandatory=mandatory)


def _plans(items: tuple[Field, ...], schema: Schema, repeats: tuple[int, ...]) -> dict[str, _Plan]:
    """The plans of `items`; `repeats` are the depths of the repeats they are in."""
    return {item.name: _plan_of(item, schema.fields.get(item.name), repeats) for item in items}


def _plan_of(item: Field, compiled: Any, repeats: tuple[int, ...]) -> _Plan:
    if item.kind == "question":
        answer = compiled if isinstance(compiled, Answer) else _answer(item)
        return _Plan(item, answer=answer, constraint=Constraint.of(item, repeats))
    nested = compiled.inner if isinstance(compiled, fields.List) else compiled
    schema = nested.schema if isinstance(nested, fields.Nested) else _schema(item.children)()
    inside = (*repeats, len(item.path)) if item.kind == "repeat" else repeats
    return _Plan(item, children=_plans(item.children, schema, inside))


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


def _read_encrypted(root: etree._Element) -> Reading:
    """An encrypted envelope: nothing can be read but the names of its files (ODK XForms specification, "Encryption")."""
    envelope = Envelope.read(root)
    reading = Reading(files=list(envelope.files), violations=[Violation("encrypted", "", "The answers are encrypted.")])
    if not envelope.instance_id:
        reading.violations.append(Violation("envelope_broken", "", "Without its instanceID it can never be decrypted."))
    return reading


class _Pass:
    """One reading of one submission."""

    def __init__(self, plan: _Plan, always_asked: list[tuple[str, ...]]) -> None:
        self.plan, self.always_asked = plan, always_asked
        self.reading = Reading()
        self.judge = Judge()
        self.fallback_day: str | None = None
        self.elements = self.characters = 0

    def run(self, root: etree._Element) -> Reading:
        for node in root.iter(etree.Element):
            self.elements += 1
            self.characters = max(self.characters, len(node.text or ""))
            if ":" in node.tag:  # XPath of the form knows the names without namespaces
                node.tag = local_name(node)
        self.reading.answers = self._group(root, self.plan, "")
        self._missing()
        self._judge()
        self.reading.is_refused = self.reading.answers.get(CONSENT) == "no"
        if self.reading.is_refused:
            self._withhold_codes(self.reading.answers, self.plan, "")
        if told := tuple(self.reading.contact):
            self._withhold_copies(self.reading.answers, self.plan, "", told)
            if self.reading.is_refused:
                self._note("consent_contradicted", told[0].path, "")
                for each in self.reading.contact:
                    put(self.reading.answers, each.path, None)
        self.reading.day = self.reading.day or self.fallback_day
        return self.reading

    def _note(self, code: str, path: str, message: str) -> None:
        violations = self.reading.violations
        if len(violations) < MAX_VIOLATIONS:
            violations.append(Violation(code, path[:_LONGEST], message))
        elif violations[-1].code != "more":
            violations.append(Violation("more", "", "There is more than is listed here."))

    def _group(self, element: etree._Element, plan: _Plan, prefix: str) -> Answers:
        answers: Answers = {}
        for node in element:
            name = node.tag
            inner = plan.children.get(name)
            if inner is not None and inner.is_repeat:
                rows = answers.setdefault(name, [])
                rows.append(self._value(node, inner, f"{prefix}{name}[{len(rows) + 1}]"))
                continue
            value = self._value(node, inner, prefix + name)
            if name in answers:
                if prefix != "meta/":  # some clients write what they know beside what the form has
                    self._note("value_invalid", prefix + name, "is answered more than once")
                before = answers[name]
                if isinstance(before, list):
                    before.append(value)
                    continue
                value = [before, value]
            answers[name] = value
        return answers

    def _value(self, node: etree._Element, plan: _Plan | None, path: str) -> Any:
        """The answer at a node, or WITHHELD where it is kept apart."""
        if plan is None or plan.item is None or plan.item.personal != CONTACT or not (text := full_text(node)):
            return self._told(node, plan, path)
        self._told(node, plan, path)
        return self._withheld(path, text)

    def _withheld(self, path: str, text: str) -> str:
        self.reading.contact.append(Told(path, text))
        return WITHHELD

    def _withhold_codes(self, answers: Answers, plan: _Plan, prefix: str) -> None:
        """Keep codes of people and households apart."""
        for name, value in answers.items():
            inner, path = plan.children.get(name, _STRANGER), prefix + name
            if isinstance(value, dict):
                self._withhold_codes(value, inner, f"{path}/")
            elif isinstance(value, list):
                for number, row in enumerate(value, start=1):
                    if isinstance(row, dict):
                        self._withhold_codes(row, inner, f"{path}[{number}]/")
            elif inner.item is not None and inner.item.personal in CODES and value and value != NO_CODE:
                answers[name] = self._withheld(path, str(value))

    def _withhold_copies(self, answers: Answers, plan: _Plan, prefix: str, told: tuple[Told, ...]) -> None:
        """Keep apart too what repeats an answer that is kept apart: a calculation, a remark, the name of the record."""
        for name, value in answers.items():
            inner, path = plan.children.get(name, _STRANGER), prefix + name
            if isinstance(value, dict):
                self._withhold_copies(value, inner, f"{path}/", told)
            elif isinstance(value, list):
                for number, row in enumerate(value, start=1):
                    if isinstance(row, dict):
                        self._withhold_copies(row, inner, f"{path}[{number}]/", told)
            elif isinstance(value, str) and inner.is_free_text and is_copy(value, told):
                answers[name] = self._withheld(path, value)

    def _told(self, node: etree._Element, plan: _Plan | None, path: str) -> Any:
        """What was answered at a node; what does not fit the form is kept as it is, and noted."""
        if plan is None:
            if path.split("/", 1)[0] != "meta":
                self._note("extra", path, "is not a question of this form version")
            return self._as_it_is(node, path)
        if plan.answer is not None and len(node) == 0:
            return self._answer(node, plan, plan.answer, path)
        if plan.answer is None and (len(node) or not (node.text or "").strip()):
            return self._group(node, plan, path + "/")
        self._note("value_invalid", path, "has another structure than the form")
        return self._as_it_is(node, path)

    def _as_it_is(self, node: etree._Element, path: str) -> Any:
        if path.count("/") > _DEEPEST or len(path) > _LONGEST:
            return full_text(node)
        return self._group(node, _STRANGER, path + "/") if len(node) else node.text or ""

    def _answer(self, node: etree._Element, plan: _Plan, answer: Answer, path: str) -> Any:
        text = node.text or ""
        kind = plan.item.type if plan.item is not None else ""
        if kind != "string" or not text.strip():
            text = text.strip()
        try:
            value = answer.deserialize(text)
        except ValidationError as error:
            code, _, message = str(error.messages[0]).partition(": ")
            self._note(code, path, message)
            value = text or None
        if text:
            if plan.constraint is not None:
                self.judge.cases.append((node, plan.constraint, path))
            self._remember(plan, kind, text)
            self.judge.note_moment(node, text)
        return value

    def _remember(self, plan: _Plan, kind: str, text: str) -> None:
        """Keep in mind what the record as a whole is asked for: its files, its place, its day."""
        if plan.item is not None and plan.item.is_file:
            self.reading.files.append(text)
            if plan.item.mediatype.startswith("image/"):
                self.reading.pictures.append(text)
            if plan.item.personal == ATTENDANCE:
                self.reading.attendance.append(text)
        elif kind == "geopoint":
            if self.reading.latitude is None and plan.is_asked:
                self._place(text)
        elif kind in _DATES and (day := calendar_day(text)) is not None:
            if plan.is_asked:
                self.reading.day = self.reading.day or day
            else:
                self.fallback_day = self.fallback_day or day
                if plan.item is not None and plan.item.preload and kind == "dateTime":
                    self.reading.moments.append(text)

    def _place(self, text: str) -> None:
        try:
            latitude, longitude, _, accuracy = read_point(text)
        except ValueError:
            return
        self.reading.latitude, self.reading.longitude = latitude, longitude
        self.reading.accuracy = accuracy or None  # a point set on a map comes with 0: not measured

    def _missing(self) -> None:
        for path in self.always_asked:
            value: Any = self.reading.answers
            for name in path:
                if not isinstance(value, dict) or name not in value:
                    self._note("required", "/".join(path), "must be answered")
                    break
                value = value[name]

    def _judge(self) -> None:
        """Hold against the record only what was false from its start to its end."""
        moments = [clock(text) for text in self.reading.moments[:_MOMENTS]] or [clock()]
        for path, message in self.judge.broken(moments, (self.elements, self.characters)):
            self._note("constraint", path, message)
        if self.judge.unjudged:
            self._note("unjudged", self.judge.unjudged, "from here on, some constraints were not judged: it takes too long")
