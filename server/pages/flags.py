"""What the flags of a report mean, in words for people. Codes come from `forms/schema.py` and `sync/`."""

from dataclasses import dataclass

from forms.definition import FormDefinition, pick
from records.flags import Flag, is_waiting
from records.submissions import Record
from server.downloads import visible_name
from server.pages.rendering import language, translate
from sync.delivery import same_name
from sync.remedies import ANY_FLAG, REMEDIES

OF_TWO_CONTENTS = frozenset(code for code, remedies in REMEDIES.items() if "take" in remedies)
"""Flags of reports of which two contents came."""


def _(text: str) -> str:
    """Mark a text for translation; it is translated when it is shown."""
    return text


_WORDS = {
    "required": (_("Answer missing"), _("A question that must be answered is empty.")),
    "constraint": (_("Unusual answer"), _("The answer lies outside what the form allows.")),
    "value_invalid": (_("Unreadable answer"), _("The answer does not fit its question. It is kept as it came.")),
    "extra": (_("Unknown question"), _("The answer belongs to no question of this version of the form.")),
    "unknown_version": (_("Unknown form version"), _("The phone used a version of the form that this server never had.")),
    "after_close": (_("Sent after the end"), _("The form was closed before this report came. It is kept.")),
    "after_retire": (_("Form retired"), _("The form was retired before this report came. It is kept.")),
    "not_assigned": (_("Not this phone's form"), _("This phone is not meant to have the form. The report is kept.")),
    "answers_unreadable": (_("Unreadable answers"), _("The answers could not be read. The file is kept as it came.")),
    "unjudged": (_("Not fully checked"), _("From here on, the limits of answers were not checked: it took too long.")),
    "more": (_("And more"), _("There are more such remarks than are listed here.")),
    "encrypted": (_("Encrypted"), _("The answers are encrypted and cannot be read here.")),
    "instance_conflict": (
        _("Two contents, one id"),
        _("The same report came with different answers. Both are kept; compare the versions."),
    ),
    "edit_conflict": (_("Two corrections"), _("Two corrections of the same report came. Both are kept; compare the versions.")),
    "edit_before_original": (_("Original missing"), _("This is a correction, and the original has not come yet.")),
    "after_delete": (_("Deleted before"), _("The report was deleted here before this correction came. The correction is kept.")),
    "file_unexpected": (_("Unexpected file"), _("A file came that no question asks for.")),
    "envelope_broken": (
        _("Cannot be decrypted"),
        _("The phone left out what decryption needs. Ask the ranger to fill it in anew."),
    ),
    "file_plain": (
        _("Not encrypted"),
        _("A file came without encryption beside the encrypted one. It can be read by who sees reports."),
    ),
    "file_twice": (_("File came twice"), _("A file came with different contents. All are kept.")),
    "file_kind": (_("No picture"), _("The question asks for a picture, and the file is none. It is kept as it came.")),
    "file_empty": (_("Empty file"), _("A file came without content.")),
}


@dataclass(frozen=True, slots=True)
class ShownFlag:
    """A flag as people read it: `where` is the question, `detail` what is particular to this case (English or the form's words).

    `remedies` are what a person can do about it; none where nothing is to be decided or somebody did: `settled` {at, by, remedy}.
    """

    code: str
    title: str
    text: str
    where: str
    detail: str
    remedies: tuple[str, ...] = ()
    settled: dict[str, str] | None = None


def title(code: str) -> str:
    """A flag in a word or two; one of a newer version in its own code."""
    return translate(_WORDS[code][0]) if code in _WORDS else code.replace("_", " ")


def explanation(code: str) -> str:
    """What a flag means, in a sentence."""
    return translate(_WORDS[code][1]) if code in _WORDS else ""


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
    detail = flag.get("message", "") if code.startswith(("file_", "edit_", "unknown_", "answers_")) or code not in _WORDS else ""
    text = explanation(code)
    if code == "constraint" and field is not None:
        text = pick(field.constraint_message, language()) or text
    remedies = REMEDIES.get(code, ANY_FLAG) if is_waiting(flag) else ()
    where = definition.label(names, language()) if names else ""
    return ShownFlag(code, title(code), text, where, visible_name(detail) if detail else "", remedies, flag.get("settled"))
