"""Rules for expressions: what phones cannot read, call or find, and what depends on itself."""

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from forms.lint.findings import Finding, found
from forms.lint.source import Path, Source, Written
from forms.references import Call, Expression, Reference, Unreadable, read_expression
from forms.xml import text_of

_MANY = 99
# What phones know, with the least and the most arguments (JavaRosa, XPathFuncExpr; Collect adds pulldata and intersects).
FUNCTIONS: Mapping[str, tuple[int, int]] = {
    **dict.fromkeys(("true", "false", "pi", "today", "now", "random", "version", "current"), (0, 0)),
    **dict.fromkeys(("position", "string-length", "normalize-space", "uuid"), (0, 1)),
    **dict.fromkeys(
        (
            "boolean", "number", "int", "string", "date", "date-time", "decimal-date-time", "decimal-time", "not",
            "boolean-from-string", "abs", "acos", "asin", "atan", "cos", "exp", "exp10", "log", "log10", "sin", "sqrt", "tan",
            "count-selected", "count", "count-non-empty", "sum", "once", "property", "area", "enclosed-area", "base64-decode",
            "instance", "intersects", "jr:itext",
        ),
        (1, 1),
    ),
    **dict.fromkeys(("round", "randomize"), (1, 2)),
    **dict.fromkeys(("depend", "distance", "join"), (1, _MANY)),
    **dict.fromkeys(
        (
            "format-date", "format-date-time", "atan2", "selected", "is-selected", "selected-at", "coalesce", "substring-before",
            "substring-after", "contains", "starts-with", "ends-with", "regex", "pow", "geofence", "extract-signed",
            "jr:choice-name",
        ),
        (2, 2),
    ),
    **dict.fromkeys(("substr", "digest"), (2, 3)),
    **dict.fromkeys(("checklist", "weighted-checklist"), (2, _MANY)),
    **dict.fromkeys(("if", "translate"), (3, 3)),
    **dict.fromkeys(("max", "min", "concat"), (0, _MANY)),
    "indexed-repeat": (3, 11),
    "pulldata": (4, 4),
}  # fmt: skip
_NOTHING = "null"  # many forms write it for nothing, and get it, since there is no question of that name
_TRIGGERS = {"relevant", "calculation", "required", "read_only"}  # what phones work out again when an answer changes
_HIDES_CHILDREN = {"relevant", "read_only"}


def check_expressions(source: Source, columns: Mapping[str, set[str]]) -> Iterator[Finding]:
    """All findings in expressions. `columns` are the columns of the lists given as files, by the id of their instance."""
    depends: dict[Path, set[Path]] = {}
    blank = _may_be_blank(source)
    for written in source.expressions:
        where = _where(written.context)
        try:
            expression = read_expression(written.text, written.context)
        except Unreadable as error:
            yield found(f"xpath_{error.trouble}", where, column=written.column, near=error.near)
            continue
        for call in expression.calls:
            yield from _check_call(call, written, blank)
        for reference in expression.references:
            yield from _check_reference(reference, written, source, columns)
        if written.column in _TRIGGERS and written.context is not None:
            _note_dependence(depends, written, expression, source)
    yield from _check_cycle(depends)


def _where(path: Path | None) -> str:
    """The path as people write it, from below the root."""
    return "/".join(path[1:]) if path else ""


def _check_call(call: Call, written: Written, blank: set[Path]) -> Iterator[Finding]:
    where, count = _where(written.context), len(call.arguments)
    if call.name not in FUNCTIONS:
        yield found("function_unknown", where, column=written.column, function=call.name)
        return
    least, most = FUNCTIONS[call.name]
    if not least <= count <= most:
        yield found("function_arguments", where, column=written.column, function=call.name, count=count)
    if call.name == "sum" and count == 1:
        summed = call.arguments[0]
        if summed is not None and not summed.instance and not summed.filtered and summed.path in blank:
            yield found("sum_of_blank", where, column=written.column, node=summed.path[-1])


def _may_be_blank(source: Source) -> set[Path]:
    """The nodes of questions that a person can pass over: neither required nor with a default."""
    filled = {path for path, bind in source.binds if bind.get("required")}
    filled |= {path for path, action in source.actions if action.get("value")}
    filled |= {path for path, node in source.nodes.items() if text_of(node)}
    return {control.path for control in source.questions} - filled


def _check_reference(reference: Reference, written: Written, source: Source, columns: Mapping[str, set[str]]) -> Iterator[Finding]:
    path, where = reference.path, _where(written.context)
    if not path or "*" in path or path[-1].lower() == _NOTHING:
        return
    if not reference.instance:
        if not source.has(path):
            yield found("node_unknown", where, column=written.column, node=path[-1])
    elif reference.instance not in source.lists:
        yield found("list_unknown", where, column=written.column, list=reference.instance)
    elif not _in_list(path, source.list_nodes[reference.instance], columns.get(reference.instance)):
        yield found("column_unknown", where, column=written.column, list=reference.instance, node=path[-1])


def _in_list(path: Path, nodes: set[Path] | None, columns: set[str] | None) -> bool:
    """Whether a list has this column; a list that is not at hand may have any."""
    if nodes is not None:
        return path in nodes
    return columns is None or len(path) < 3 or path[2] in columns


def _note_dependence(depends: dict[Path, set[Path]], written: Written, expression: Expression, source: Source) -> None:
    """Note what must be worked out before the nodes that this expression decides about (JavaRosa, TriggerableDag)."""
    context = written.context or ()
    decided = {context}
    if written.column in _HIDES_CHILDREN:
        decided |= {path for path in source.nodes if path[: len(context)] == context}
    triggers = {reference.path for reference in expression.references if reference.path and not reference.instance}
    for path in decided:
        depends.setdefault(path, set()).update(triggers)


def _check_cycle(depends: Mapping[Path, set[Path]]) -> Iterator[Finding]:
    try:
        TopologicalSorter(depends).prepare()
    except CycleError as error:
        names = [_where(path) for path in dict.fromkeys(error.args[1])]
        yield found("cycle", names[0], nodes=", ".join(names))
