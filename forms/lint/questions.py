"""Rules for questions: their texts in every language, and their choices."""

import re
from collections import Counter
from collections.abc import Iterator

from forms.definition import Field
from forms.lint.findings import Finding, found
from forms.lint.source import Source, text_id
from forms.xml import child, local_name

_SELECTS = {"select", "select1", "rank"}
_LANGUAGE = re.compile(r"(?:.*\()?[A-Za-z]{2,3}(?:-[A-Za-z0-9]+)*\)?")  # "Persian (fa)", or "fa" alone
_NO_LANGUAGE = "default"  # pyxform's name for a text without one


def check_questions(source: Source) -> Iterator[Finding]:
    """All findings in questions, texts and choices."""
    for control in source.questions:
        where = "/".join(control.path[1:])
        if child(control.node, "label") is None and child(control.node, "hint") is None:
            yield found("label_missing", where)
        if control.kind in _SELECTS and all(child(control.node, name) is None for name in ("item", "itemset")):
            yield found("choices_missing", where)
    yield from _check_texts(source)
    for language in source.texts:
        if language != _NO_LANGUAGE and not _LANGUAGE.fullmatch(language):
            yield found("language_without_code", language=language)
    unfiltered = {
        control.path[1:]
        for control in source.questions
        if (itemset := child(control.node, "itemset")) is None or "[" not in itemset.get("nodeset", "")
    }
    for item in source.definition.walk():
        yield from _check_select(item, filtered=item.path not in unfiltered)


def _check_texts(source: Source) -> Iterator[Finding]:
    """Texts that labels and hints refer to (JavaRosa refuses the form when one is missing in the main language)."""
    for control in source.controls:
        for node in control.node:
            if local_name(node) in {"label", "hint"} and (identity := text_id(node.get("ref", ""))):
                code = "text_missing"
                for language, texts in source.texts.items():
                    if identity not in texts:
                        yield found(code, "/".join(control.path[1:]), text=identity, language=language)
                    code = "text_missing_elsewhere"


def _check_select(item: Field, *, filtered: bool) -> Iterator[Finding]:
    where = "/".join(item.path)
    if item.control == "select1" and item.type == "int":
        yield found("select_number", where, type=item.type)
    counts = Counter(choice.name for choice in item.choices or ())
    for name, count in counts.items():
        if item.control != "select1" and len(name.split()) > 1:
            yield found("choice_blank", where, name=name)
        if count > 1 and not filtered:
            yield found("choice_twice", where, name=name)
