"""Fills in a form as a phone does: what is not relevant is left out, and calculations are worked out."""

import re
from collections.abc import Callable
from typing import Any, TypeAlias
from uuid import NAMESPACE_OID, uuid5

from lxml import etree

from forms.definition import Field, FormDefinition, pick
from forms.xpath import clock, compile_expression, truth

Answers: TypeAlias = dict[str, Any]
_LIST = re.compile(r"instance\('[^']*'\)/root/item(\[[^\]]*\])?")
_NOTHING = "/.."
_CHOICE_NAME = re.compile(r"jr:choice-name\(\s*(\S+?)\s*,\s*'[^']*'\s*\)")


class Filler:
    """One form version, ready to be filled in many times, on a phone whose lists are still empty."""

    def __init__(self, definition: FormDefinition) -> None:
        self.definition = definition
        self._compiled: dict[str, Callable[[etree._Element], Any]] = {}

    def fill(self, answers: Answers, instance_id: str, language: str) -> bytes:
        """Give the record as a phone writes it; `language` (a code) is that of its name.

        `answers` are nested by group, repeats are lists. Answers to questions that turn out not to be asked are dropped.
        Raises KeyError for a name that is not in the form.
        """
        form = self.definition
        root = etree.Element(form.root_name, {"id": form.form_id, "version": form.version})
        self._write(root, form.fields, answers | {"meta": {"instanceID": instance_id}})
        self._settle(root, form.fields, language)
        for node in (root.find("/".join(item.path)) for item in form.walk() if item.dataset):
            if node is not None:
                node.set("id", str(uuid5(NAMESPACE_OID, instance_id)))
                node.set("create", "1" if root.findtext("submission_purpose") == "real" else "")
        return etree.tostring(root, xml_declaration=True, encoding="UTF-8")

    def _write(self, parent: etree._Element, items: tuple[Field, ...], answers: Answers) -> None:
        unknown = answers.keys() - {item.name for item in items}
        if unknown:
            raise KeyError(f"{self.definition.form_id} does not ask {', '.join(sorted(unknown))}")
        for item in items:
            if item.kind == "repeat":
                for row in answers.get(item.name, []):
                    self._write(etree.SubElement(parent, item.name), item.children, row)
            elif item.kind == "group":
                own = {"dataset": item.dataset} if item.dataset else {}
                self._write(etree.SubElement(parent, item.name, own), item.children, answers.get(item.name, {}))
            else:
                etree.SubElement(parent, item.name).text = _text(answers.get(item.name, ""))

    def _settle(self, parent: etree._Element, items: tuple[Field, ...], language: str) -> None:
        """Go through the record in its order, since in these forms nothing depends on what comes later."""
        for item in items:
            for node in parent.findall(item.name):
                if item.relevant and not truth(self._value(item.relevant, node)):
                    parent.remove(node)
                elif item.calculate:
                    node.text = _text(self._value(self._with_labels(item.calculate, node, language), node))
                else:
                    self._settle(node, item.children, language)

    def _value(self, expression: str, node: etree._Element) -> Any:
        if expression not in self._compiled:
            compiled = compile_expression(_LIST.sub(_NOTHING, expression))
            if compiled is None:
                raise ValueError(f"{self.definition.form_id}: cannot evaluate {expression}")
            self._compiled[expression] = compiled
        return self._compiled[expression](node, **clock())

    def _with_labels(self, expression: str, node: etree._Element, language: str) -> str:
        """Put the label of the chosen answer where the expression asks for it, which XPath alone does not know."""

        def label(found: re.Match[str]) -> str:
            path = tuple(found[1].strip("/").split("/")[1:])
            chosen = node.getroottree().findtext("/".join(path)) or ""
            choices = self.definition.by_path[path].choices or ()
            return next((f'"{pick(choice.labels, language)}"' for choice in choices if choice.name == chosen), '""')

        return _CHOICE_NAME.sub(label, expression)


def _text(value: Any) -> str:
    """Give a value as phones write it: whole numbers without a point, nothing for what is not a number, choices by blanks."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return "" if value != value else f"{value:.10g}"  # noqa: PLR0124 - not a number
    if isinstance(value, (list, tuple)):
        return " ".join(item.text or "" if isinstance(item, etree._Element) else str(item) for item in value)
    return str(value)
