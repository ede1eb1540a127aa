"""What a form asks, read from the XForm that phones really get (ODK XForms specification)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from sys import intern
from typing import Literal, cast

from lxml import etree

from forms.personal import CONTACT, NAMESPACE, PICTURE, kind_of
from forms.problems import Problem
from forms.xml import child, full_text, local_name, parse_xml, text_of

Kind = Literal["group", "repeat", "question"]
Path = tuple[str, ...]
_TRUE = ("true()", "1", "true", "'true'")
_FALSE = ("false()", "0", "false", "'false'")
_CONTROLS = {"input", "select", "select1", "rank", "upload", "range", "trigger", "secret", "group", "repeat"}
_OWN_PROPERTIES = {"name", "label"}  # columns of every entity list
_MAX_CHARACTERS = 249  # of a form id or version: OpenRosa metadata
_MEDIA_URL = re.compile(r"jr://(?:images|audio|video|file|file-csv)/(.+)")
_WITH_URL = etree.XPath("//text()[contains(., 'jr://')]/.. | //@*[contains(., 'jr://')]")
_ITEMS = re.compile(r"instance\(\s*(['\"])([^'\"]*)\1\s*\)(?:/[\w.:-]+)*/([\w.:-]+)")
_JR = "{http://openrosa.org/javarosa}"
_ENTITIES = "{http://www.opendatakit.org/xforms/entities}"
_PERSONAL = f"{{{NAMESPACE}}}personal"


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer of a select: its `name` in the data and its labels by language."""

    name: str
    labels: dict[str, str]


@dataclass(frozen=True, slots=True)
class Field:
    """One node of the form. `path` holds the names from below the root, e.g. ("where", "event_gps").

    `required_if` is the expression that decides where `required` does not; `count` says how many rows a repeat has. `saveto` is
    the property its answer gives to an entity, `dataset` the list that an entity declared here belongs to. `personal` is the kind
    of an answer that tells who somebody is (see `forms.personal`).
    """

    path: tuple[str, ...]
    kind: Kind
    type: str = "string"
    control: str = ""
    mediatype: str = ""
    required: bool = False
    required_if: str = ""
    readonly: str = ""
    relevant: str = ""
    constraint: str = ""
    constraint_message: dict[str, str] = field(default_factory=dict)
    calculate: str = ""
    preload: str = ""
    default: str = ""
    count: str = ""
    appearance: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    hints: dict[str, str] = field(default_factory=dict)
    choices: tuple[Choice, ...] | None = None
    choice_filter: str = ""
    saveto: str = ""
    dataset: str = ""
    personal: str = ""
    children: tuple["Field", ...] = ()

    @property
    def name(self) -> str:
        """The node's own name."""
        return self.path[-1]

    @property
    def is_file(self) -> bool:
        """Whether the answer names an attachment."""
        return self.type == "binary" or self.control == "upload"


@dataclass(frozen=True, slots=True)
class Declaration:
    """Where a form declares an entity: the path of the group or repeat (empty: the form), its list, the properties it saves."""

    path: Path
    list_name: str
    properties: dict[Path, str]


@dataclass(frozen=True)
class FormDefinition:
    """A form version: identity, fields as a tree in document order, languages, and the files it refers to."""

    form_id: str
    version: str
    title: str
    root_name: str
    fields: tuple[Field, ...]
    languages: tuple[str, ...]
    public_key: str = ""
    submission_url: str = ""
    entities_version: str = ""
    files: frozenset[str] = frozenset()
    """Names of the files its secondary instances come from."""
    media: frozenset[str] = frozenset()
    """Names of all files it uses, those included; what jr://instance/last-saved means is the phone's own and no file."""

    @classmethod
    def from_xform(cls, xform: bytes) -> "FormDefinition":
        """Read the definition from an XForm. Raises `Problem("form_invalid")` naming what is missing."""
        return _Reader(parse_xml(xform)).definition()

    def walk(self) -> Iterator[Field]:
        """All fields, groups and repeats before their children."""
        stack = list(reversed(self.fields))
        while stack:
            item = stack.pop()
            yield item
            stack.extend(reversed(item.children))

    @cached_property
    def by_path(self) -> dict[tuple[str, ...], Field]:
        """Every field by its path."""
        return {item.path: item for item in self.walk()}

    @cached_property
    def declarations(self) -> tuple[Declaration, ...]:
        """The entities the form declares. An answer goes to the nearest declaration around it (ODK Entities)."""
        found = {item.path[:-2]: Declaration(item.path[:-2], item.dataset, {}) for item in self.walk() if item.dataset}
        for item in self.walk():
            if item.personal == CONTACT:  # phones get the lists
                continue
            around = [path for path in found if item.saveto and item.path[: len(path)] == path]
            if around and item.saveto.lower() not in _OWN_PROPERTIES and not item.saveto.startswith("__"):
                found[max(around, key=len)].properties[item.path] = item.saveto
        return tuple(found.values())

    def marked_like(self, other: "FormDefinition") -> "FormDefinition":
        """This version with those questions personal too that another version says are."""
        return replace(self, fields=tuple(_marked(item, other.by_path) for item in self.fields))

    def label(self, path: tuple[str, ...], language: str = "") -> str:
        """The question's text in `language` (a language name or its code), else in the default one, else its name."""
        item = self.by_path.get(path)
        if item is None:
            return path[-1] if path else ""
        return pick(item.labels, language) or item.name


def pick(texts: dict[str, str], language: str) -> str:
    """The text in `language` ("fa" also finds "فارسی (fa)"), else the first one."""
    for name, text in texts.items():
        if language and (name == language or name.endswith(f"({language})")):
            return text
    return next(iter(texts.values()), "")


class _Reader:
    """Collects binds, controls and texts of one XForm, then builds the field tree from the primary instance."""

    def __init__(self, root: etree._Element) -> None:
        head, body = child(root, "head"), child(root, "body")
        model = child(head, "model") if head is not None else None
        if head is None or model is None or body is None:
            raise Problem("form_invalid", "This is not an XForm: h:head, model or h:body is missing.")
        self.head, self.body, self.model = head, body, model
        instances = [node for node in model if local_name(node) == "instance"]
        if not instances or len(instances[0]) == 0:
            raise Problem("form_invalid", "The primary instance is missing.")
        self.primary = instances[0][0]
        self.secondary = {node.get("id", ""): node for node in instances[1:]}
        binds = [node for node in model if local_name(node) == "bind" and node.get("nodeset")]
        self.binds = {_steps(node.get("nodeset", "")): node for node in binds}
        self.nodesets = {node.get("id", ""): node.get("nodeset", "") for node in binds if node.get("id")}
        self.texts, self.languages = self._read_texts()
        self.controls = {
            path: node
            for node in self.body.iter(etree.Element)
            if local_name(node) in _CONTROLS  # and not an action beside them, such as setvalue
            if (path := self._aim(node))
        }

    def definition(self) -> FormDefinition:
        title_node = child(self.head, "title")
        title = full_text(title_node) if title_node is not None else ""
        form_id = self.primary.get("id", "").strip()
        if not title:
            raise Problem("form_invalid", "The form has no title (h:title).")
        if not form_id:
            raise Problem("form_invalid", "The primary instance has no id attribute.")
        if max(len(form_id), len(version_of(self.primary))) > _MAX_CHARACTERS:
            raise Problem("form_invalid", f"The form's id or version is longer than {_MAX_CHARACTERS} characters.")
        submission = child(self.model, "submission")
        return FormDefinition(
            form_id=form_id,
            version=version_of(self.primary),
            title=title,
            root_name=local_name(self.primary),
            fields=tuple(self._fields(self.primary, ())),
            languages=self.languages,
            public_key=submission.get("base64RsaPublicKey", "") if submission is not None else "",
            submission_url=submission.get("action", "") if submission is not None else "",
            entities_version=self.model.get(_ENTITIES + "entities-version", ""),
            files=frozenset(
                src.rpartition("/")[2] for node in self.secondary.values() if (src := node.get("src", "")).startswith("jr://file")
            ),
            media=self._media(),
        )

    def _media(self) -> frozenset[str]:
        holders = cast("list[str | etree._Element]", _WITH_URL(self.body))
        values = (holder if isinstance(holder, str) else text_of(holder) for holder in holders)
        found = (_MEDIA_URL.fullmatch(value.strip()) for value in values)
        return frozenset(match[1] for match in found if match)

    def _aim(self, control: etree._Element) -> Path:
        """The node a control is for: by path, relative to the group around it or not, or by the id of its bind."""
        nodeset = control.get("nodeset", "") if local_name(control) == "repeat" else ""
        given = (control.get("ref") or nodeset or self.nodesets.get(control.get("bind", ""), "")).strip()
        if not given or given.startswith("/"):
            return _steps(given)
        around = (self._aim(node) for node in control.iterancestors() if local_name(node) in {"group", "repeat"})
        return next(filter(None, around), ()) + _steps(given)

    def _read_texts(self) -> tuple[dict[str, dict[str, str]], tuple[str, ...]]:
        texts: dict[str, dict[str, str]] = {}
        itext = child(self.model, "itext")
        translations = [] if itext is None else [node for node in itext if local_name(node) == "translation"]
        translations.sort(key=lambda node: not node.get("default"))
        languages = tuple(node.get("lang", "") for node in translations)
        for language, translation in zip(languages, translations, strict=True):
            for entry in translation:
                value = next((node for node in entry if local_name(node) == "value" and not node.get("form")), None)
                if value is not None:
                    text = intern(full_text(value))  # forms share lists of choices, and languages what is not translated
                    texts.setdefault(entry.get("id", ""), {})[language] = text
        return texts, languages

    def _label(self, owner: etree._Element | None, name: str = "label") -> dict[str, str]:
        node = child(owner, name) if owner is not None else None
        return {} if node is None else self._reference(node.get("ref", "")) or {"": full_text(node)}

    def _reference(self, ref: str) -> dict[str, str]:
        return self.texts.get(ref.partition("'")[2].rpartition("'")[0], {}) if "itext(" in ref else {}

    def _fields(self, element: etree._Element, parent: tuple[str, ...]) -> Iterator[Field]:
        seen: set[str] = set()
        for node in element:
            name = local_name(node)
            if name not in seen:  # a repeat has a template and a first instance of the same name
                seen.add(name)
                yield self._field(node, (*parent, name))

    def _field(self, node: etree._Element, path: tuple[str, ...]) -> Field:
        bind, control = self.binds.get(path), self.controls.get(path)
        control_name = local_name(control) if control is not None else ""
        attributes = {str(key): str(value) for key, value in bind.attrib.items()} if bind is not None else {}
        relevant = attributes.get("relevant", "")
        required = attributes.get("required", "").strip()
        appearance = control.get("appearance", "") if control is not None else ""
        if control_name == "repeat" or len(node):
            labelled = control.getparent() if control_name == "repeat" and control is not None else control
            kind: Kind = "repeat" if control_name == "repeat" else "group"
            children = tuple(self._fields(node, path))
            return Field(
                path,
                kind,
                "structure",
                relevant=relevant,
                count=control.get(_JR + "count", "") if control is not None else "",
                appearance=appearance,
                labels=self._label(labelled),
                dataset=_dataset(node),
                children=children,
            )
        message = attributes.get(_JR + "constraintMsg", "")
        data_type = attributes.get("type", "string").rpartition(":")[2]
        return Field(
            path,
            kind="question",
            required=required in _TRUE,
            required_if="" if required in (*_TRUE, *_FALSE) else required,
            readonly=attributes.get("readonly", ""),
            relevant=relevant,
            type=data_type,
            control=control_name,
            mediatype=control.get("mediatype", "") if control is not None else "",
            constraint=attributes.get("constraint", ""),
            constraint_message=self._reference(message) or ({"": message} if message else {}),
            calculate=attributes.get("calculate", ""),
            preload=attributes.get(_JR + "preloadParams", "") or attributes.get(_JR + "preload", ""),
            default=text_of(node),
            appearance=appearance,
            labels=self._label(control),
            hints=self._label(control, "hint"),
            choices=self._choices(control) if control_name in {"select", "select1", "rank"} and control is not None else None,
            choice_filter=_filter_of(control) if control is not None else "",
            saveto=attributes.get(_ENTITIES + "saveto", ""),
            dataset=_dataset(node),
            personal=kind_of(attributes.get(_PERSONAL, "").strip(), is_file=data_type == "binary" or control_name == "upload"),
        )

    def _choices(self, control: etree._Element) -> tuple[Choice, ...] | None:
        """Choices of a select, or None when they come from a file or from other answers and so cannot be known here."""
        if "search(" in control.get("appearance", ""):
            return None
        itemset = child(control, "itemset")
        if itemset is None:
            return tuple(
                Choice((value.text or "").strip(), self._label(item))
                for item in control
                if local_name(item) == "item" and (value := child(item, "value")) is not None
            )
        source = _ITEMS.search(_without_filters(itemset.get("nodeset", "")))
        instance = self.secondary.get(source[2]) if source else None
        if source is None or instance is None or instance.get("src"):
            return None
        items = [node for node in instance.iter(etree.Element) if local_name(node) == source[3].rpartition(":")[2]]
        value_ref, label_ref = child(itemset, "value"), child(itemset, "label")
        value_name = value_ref.get("ref", "name") if value_ref is not None else "name"
        label_name = label_ref.get("ref", "label") if label_ref is not None else "label"
        choices = tuple(self._item(item, value_name, label_name) for item in items)
        return choices if any(choice.name for choice in choices) else None

    def _item(self, item: etree._Element, value_name: str, label_name: str) -> Choice:
        values = {local_name(node): (node.text or "").strip() for node in item}
        labels = self.texts.get(values.get("itextId", ""), {}) if "itext(" in label_name else {"": values.get(label_name, "")}
        return Choice(values.get(value_name, ""), labels)


def _marked(item: Field, others: Mapping[Path, Field]) -> Field:
    other = others.get(item.path)
    kind = other.personal if other is not None and item.kind == other.kind and item.personal in {"", PICTURE} else ""
    children = tuple(_marked(each, others) for each in item.children)
    return replace(item, personal=kind or item.personal, children=children)


def _steps(nodeset: str) -> Path:
    """The names on a path from below the root; a path may begin there, too."""
    names = [part.rpartition(":")[2] for part in nodeset.strip().split("/") if part]
    return tuple(names[1:] if nodeset.strip().startswith("/") else names)


def _without_filters(nodeset: str) -> str:
    """A path without its predicates, however deep they are nested."""
    inner = re.sub(r"\[[^\[\]]*\]", "", nodeset)
    return nodeset if inner == nodeset else _without_filters(inner)


def _filter_of(control: etree._Element) -> str:
    """The condition on the choices of a select, without its brackets."""
    itemset = child(control, "itemset")
    return itemset.get("nodeset", "").partition("[")[2].rpartition("]")[0].strip() if itemset is not None else ""


def _dataset(node: etree._Element) -> str:
    """The list of the entity that a form declares at `meta/entity` (ODK Entities)."""
    parent = node.getparent()
    is_declaration = local_name(node) == "entity" and parent is not None and local_name(parent) == "meta"
    return node.get("dataset", "").strip() if is_declaration else ""


def version_of(root: etree._Element) -> str:
    """The version attribute, plain or in a namespace; missing is the empty string (it is never a number)."""
    for key, value in root.attrib.items():
        if str(key).rpartition("}")[2] == "version":
            return str(value)
    return ""
