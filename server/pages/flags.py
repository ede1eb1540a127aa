"""What the flags of a report mean, in the reader's words."""

from dataclasses import dataclass

from forms.definition import FormDefinition, pick
from records.flag_kinds import Severity, kind_of
from records.flags import Flag, is_waiting
from records.submissions import Record
from server.downloads import visible_name
from server.pages.rendering import language, translate
from sync.delivery import same_name
from sync.remedies import ANY_FLAG, REMEDIES

OF_TWO_CONTENTS = frozenset(code for code, remedies in REMEDIES.items() if "take" in remedies)
"""Flags of reports of which two contents came."""


@dataclass(frozen=True, slots=True)
class ShownFlag:
    """A flag as people read it: `where` is the question, `detail` what is particular to this case.

    `remedies` are what a person can do about it; none where nothing is to be decided or somebody did: `settled` {at, by, remedy}.
    """

    code: str
    severity: Severity
    title: str
    text: str
    where: str
    detail: str
    remedies: tuple[str, ...] = ()
    settled: dict[str, str] | None = None


def title(code: str) -> str:
    """A flag in a word or two; one of a newer version in its own code."""
    words = kind_of(code).title
    return translate(words) if words else code.replace("_", " ")


def explanation(code: str) -> str:
    """What a flag means, in a sentence."""
    words = kind_of(code).text
    return translate(words) if words else ""


def titles(flags: list[Flag]) -> list[str]:
    """The flags of a report that nobody settled, in a word or two each, none twice."""
    return list(dict.fromkeys(title(flag["code"]) for flag in flags if "settled" not in flag))


def missing(record: Record) -> list[str]:
    """The names of files that questions refer to and that have not come."""
    present = {same_name(file.name) for file in record.attachments}
    return [visible_name(name) for name in record.files_expected if same_name(name) not in present]


def shown(flag: Flag, definition: FormDefinition) -> ShownFlag:
    """A flag with its explanation and the question it is about."""
    code, path = flag["code"], flag.get("path", "")
    names = tuple(part.partition("[")[0] for part in path.split("/") if part)
    field = definition.by_path.get(names)
    text = explanation(code)
    if code == "constraint" and field is not None:
        text = pick(field.constraint_message, language()) or text
    remedies = REMEDIES.get(code, ANY_FLAG) if is_waiting(flag) else ()
    where = definition.label(names, language()) if names else ""
    return ShownFlag(code, kind_of(code).severity, title(code), text, where, _detail(flag), remedies, flag.get("settled"))


def _detail(flag: Flag) -> str:
    """What is particular to this case: the catalogue's sentence, or what an unknown kind came with."""
    kind, values = kind_of(flag["code"]), flag.get("values")
    if kind.detail and values:
        return translate(kind.detail).format(**{name: visible_name(str(value)) for name, value in values.items()})
    return "" if kind.title else visible_name(flag.get("message", ""))
