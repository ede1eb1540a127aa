"""What the flags of a report mean, in the reader's words."""

from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup

from forms.definition import FormDefinition, pick
from records.flag_kinds import Severity, kind_of
from records.flags import Flag, is_waiting
from records.submissions import Record
from server.downloads import visible_name
from server.pages.rendering import language, translate
from server.pages.values import shown_value
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


class Tag(NamedTuple):
    """A word or two, and their look."""

    words: str
    look: str


LOOKS: dict[Severity, str] = {"error": "bad", "warning": "warn", "info": ""}
"""Severities, the gravest first, and their looks."""


def title(code: str) -> str:
    """A flag in a word or two; one of a newer version in its own code."""
    words = kind_of(code).title
    return translate(words) if words else code.replace("_", " ")


def explanation(code: str) -> str:
    """What a flag means, in a sentence."""
    words = kind_of(code).text
    return translate(words) if words else ""


def titles(flags: list[Flag]) -> list[str]:
    """The flags of a report that nobody settled, in a word or two each, none twice, errors first."""
    return [tag.words for tag in tags(flags)]


def tags(flags: list[Flag]) -> list[Tag]:
    """The same with the look of each."""
    return list(dict.fromkeys(tag(flag["code"]) for flag in sorted(flags, key=_rank) if "settled" not in flag))


def tag(code: str) -> Tag:
    """A flag as a tag; an error says so in words too."""
    severity = kind_of(code).severity
    words = translate("Error: {flag}").format(flag=title(code)) if severity == "error" else title(code)
    return Tag(words, LOOKS[severity])


def _rank(flag: Flag) -> int:
    return list(LOOKS).index(kind_of(flag["code"]).severity)


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
    detail = _detail(flag, definition)
    return ShownFlag(code, kind_of(code).severity, title(code), text, where, detail, remedies, flag.get("settled"))


def all_shown(flags: list[Flag], definition: FormDefinition) -> list[ShownFlag]:
    """The flags of a report, errors first. That files are missing, its page says in a place of its own."""
    return [shown(flag, definition) for flag in sorted(flags, key=_rank) if flag["code"] != "picture_missing"]


def _detail(flag: Flag, definition: FormDefinition) -> str:
    """What is particular to this case: the catalogue's sentence, or what an unknown kind came with."""
    kind, values = kind_of(flag["code"]), flag.get("values")
    if kind.detail and values:
        shown_values = {name: shown_value(name, value, definition) for name, value in values.items()}
        return Markup(translate(kind.detail)).format(**shown_values)  # noqa: S704 - the catalogue's own sentence
    return "" if kind.title else visible_name(flag.get("message", ""))
