"""An XForm as the lint looks at it: its nodes, binds, controls, texts, lists and every expression with its place."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from lxml import etree

from forms.definition import FormDefinition
from forms.references import Unreadable, read_expression
from forms.xml import child, local_name, parse_xml

Path = tuple[str, ...]  # names from the root on
_COLUMNS = {  # attribute of a bind: column of the XLSForm
    "relevant": "relevant",
    "constraint": "constraint",
    "calculate": "calculation",
    "required": "required",
    "readonly": "read_only",
}
_CONTROLS = {"input", "select", "select1", "rank", "upload", "range", "trigger", "secret"}
_ACTIONS = {"setvalue", "setgeopoint", "recordaudio"}
_JR = "{http://openrosa.org/javarosa}"


@dataclass(frozen=True, slots=True)
class Written:
    """An expression as it stands in the form: in which column, at which node (None where several nodes share it)."""

    text: str
    column: str
    context: Path | None


@dataclass(frozen=True, slots=True)
class Control:
    """A question, group or repeat of the body, and the node it answers."""

    node: etree._Element
    path: Path

    @property
    def kind(self) -> str:
        """The element's name: "input", "select1", "repeat" ..."""
        return local_name(self.node)


class Source:
    """One XForm, parsed once for all rules."""

    def __init__(self, xform: bytes) -> None:
        self.root = parse_xml(xform)
        self.definition = FormDefinition.from_xform(xform)
        head = child(self.root, "head")
        model = child(head, "model") if head is not None else None
        body = child(self.root, "body")
        assert model is not None  # noqa: S101 - the definition has been read from it
        assert body is not None  # noqa: S101
        self.model, self.body = model, body
        instances = [node for node in model if local_name(node) == "instance"]
        self.primary = instances[0][0]
        self.lists = {node.get("id", ""): node for node in instances[1:]}
        self.top = (local_name(self.primary),)
        self.binds = [
            (names(node.get("nodeset", ""), self.top), node) for node in model if local_name(node) == "bind" and node.get("nodeset")
        ]
        self.controls = list(self._controls(body, self.top))

    @cached_property
    def nodes(self) -> dict[Path, etree._Element]:
        """The nodes of the primary instance by their paths; of a repeat the first one."""
        nodes: dict[Path, etree._Element] = {}
        for path, node in _walk(self.primary, ()):
            nodes.setdefault(path, node)
        return nodes

    def has(self, path: Path) -> bool:
        """Whether the form has this node, or the node that this attribute belongs to."""
        return (path[:-1] if path[-1].startswith("@") else path) in self.nodes

    @cached_property
    def questions(self) -> list[Control]:
        """The controls that take an answer."""
        return [control for control in self.controls if control.kind in _CONTROLS]

    @cached_property
    def list_nodes(self) -> dict[str, set[Path] | None]:
        """The paths inside each list of the form; None where its content comes from elsewhere."""
        return {name: {path for inner in node for path, _ in _walk(inner, ())} or None for name, node in self.lists.items()}

    @cached_property
    def texts(self) -> dict[str, set[str]]:
        """By language, the main one first, the ids of the texts that are there in any form."""
        itext = child(self.model, "itext")
        translations = [] if itext is None else [node for node in itext if local_name(node) == "translation"]
        translations.sort(key=lambda node: not node.get("default"))
        return {
            node.get("lang", ""): {text.get("id", "") for text in node if child(text, "value") is not None} for node in translations
        }

    @property
    def actions(self) -> Iterator[tuple[Path, etree._Element]]:
        """What sets a value by itself, and the node it is for."""
        for node in self.root.iter(etree.Element):
            if local_name(node) in _ACTIONS and node.get("ref"):
                yield names(node.get("ref", ""), self.top), node

    @property
    def expressions(self) -> Iterator[Written]:
        """Every expression of the form."""
        for path, bind in self.binds:
            for attribute, column in _COLUMNS.items():
                if text := bind.get(attribute, "").strip():
                    yield Written(text, column, path)
        for path, action in self.actions:
            if text := action.get("value", "").strip():
                yield Written(text, "default", path)
        for control in self.controls:
            yield from _of_control(control)
        owners = self._text_owners()
        for text_node in self.model.iter(etree.Element):
            if local_name(text_node) == "text":
                yield from _outputs(text_node, owners.get(text_node.get("id", "")))

    def _controls(self, parent: etree._Element, path: Path) -> Iterator[Control]:
        for node in parent:
            kind = local_name(node)
            reference = node.get("ref") or node.get("nodeset")
            if kind not in _CONTROLS | {"group", "repeat"}:
                continue
            own = names(reference, path) if reference else path
            if reference:
                yield Control(node, own)
            yield from self._controls(node, own)

    def _text_owners(self) -> dict[str, Path | None]:
        """The node whose question shows a text; None for a text that several show."""
        owners: dict[str, Path | None] = {}
        for control in self.controls:
            for node in control.node:
                identity = text_id(node.get("ref", ""))
                if identity:
                    owners[identity] = control.path if owners.get(identity, control.path) == control.path else None
        return owners


def names(reference: str, context: Path) -> Path:
    """The path that the reference of a control or bind names, whatever its prefixes."""
    try:
        found = read_expression(reference, context).references
    except Unreadable:
        return tuple(part.rpartition(":")[2] for part in reference.strip().split("/") if part)
    return found[0].path or () if found else ()


def text_id(reference: str) -> str:
    """The id in jr:itext('id'); empty for anything else, such as the name of a list's column."""
    return reference.partition("'")[2].rpartition("'")[0] if "itext(" in reference else ""


def _walk(node: etree._Element, parent: Path) -> Iterator[tuple[Path, etree._Element]]:
    path = (*parent, local_name(node))
    yield path, node
    for inner in node:
        yield from _walk(inner, path)


def _of_control(control: Control) -> Iterator[Written]:
    if control.kind == "repeat" and (count := control.node.get(_JR + "count", "").strip()):
        yield Written(count, "repeat_count", control.path)
    for node in control.node:
        kind = local_name(node)
        if kind == "itemset" and (text := node.get("nodeset", "").strip()):
            yield Written(text, "choice_filter", control.path)
        elif kind in {"label", "hint"}:
            yield from _outputs(node, control.path)
        elif kind == "item" and (label := child(node, "label")) is not None:
            yield from _outputs(label, control.path)


def _outputs(parent: etree._Element, context: Path | None) -> Iterator[Written]:
    for node in parent.iter(etree.Element):
        if local_name(node) == "output" and (text := (node.get("value") or node.get("ref") or "").strip()):
            yield Written(text, "label", context)
