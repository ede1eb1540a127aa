"""Flags given while a record is taken in."""

from records.flag_kinds.kind import FlagKind

ARRIVAL = {
    "required": FlagKind("warning", "Answer missing", "A question that must be answered is empty."),
    "constraint": FlagKind("warning", "Unusual answer", "The answer lies outside what the form allows."),
    "value_invalid": FlagKind("warning", "Unreadable answer", "The answer does not fit its question. It is kept as it came."),
    "extra": FlagKind("warning", "Unknown question", "The answer belongs to no question of this version of the form."),
    "unknown_version": FlagKind(
        "warning",
        "Unknown form version",
        "The phone used a version of the form that this server never had.",
        "The record names version “{version}”.",
    ),
    "after_close": FlagKind("warning", "Sent after the end", "The form was closed before this report came. It is kept."),
    "after_retire": FlagKind("warning", "Form retired", "The form was retired before this report came. It is kept."),
    "not_assigned": FlagKind("warning", "Not this phone's form", "This phone is not meant to have the form. The report is kept."),
    "answers_unreadable": FlagKind("warning", "Unreadable answers", "The answers could not be read. The file is kept as it came."),
    "unjudged": FlagKind("info", "Not fully checked", "From here on, the limits of answers were not checked: it took too long."),
    "more": FlagKind("info", "And more", "There are more such remarks than are listed here."),
    "encrypted": FlagKind("info", "Encrypted", "The answers are encrypted and cannot be read here."),
    "instance_conflict": FlagKind(
        "warning",
        "Two contents, one id",
        "The same report came with different answers. Both are kept; compare the versions.",
        "The other answers are in version {digest}.",
    ),
    "edit_conflict": FlagKind(
        "warning",
        "Two corrections",
        "Two corrections of the same report came. Both are kept; compare the versions.",
        "{edit} corrects a version that was corrected before.",
    ),
    "edit_before_original": FlagKind(
        "warning",
        "Original missing",
        "This is a correction, and the original has not come yet.",
        "It corrects {original}.",
    ),
    "after_delete": FlagKind(
        "warning", "Deleted before", "The report was deleted here before this correction came. The correction is kept."
    ),
    "after_erasure": FlagKind(
        "warning",
        "Erased before",
        "The data of the person were erased here before this came. It may tell again who they are: erase it anew if so.",
    ),
    "decisions_contradict": FlagKind(
        "warning",
        "Decided differently",
        "Two people decided about the report at different places, without knowing of each other. The stricter counts until one of "
        "them decides again.",
        "They decided: {decisions}.",
    ),
    "consent_contradicted": FlagKind(
        "warning",
        "Personal data without consent",
        "The person did not agree to take part, and still it was written who it is. That was not kept. Was “no” meant?",
    ),
    "file_unexpected": FlagKind("warning", "Unexpected file", "A file came that no question asks for.", "File: {name}"),
    "envelope_broken": FlagKind(
        "warning", "Cannot be decrypted", "The phone left out what decryption needs. Ask the ranger to fill it in anew."
    ),
    "file_plain": FlagKind(
        "warning",
        "Not encrypted",
        "A file came without encryption beside the encrypted one. It can be read by who sees reports.",
        "File: {name}",
    ),
    "file_twice": FlagKind("warning", "File came twice", "A file came with different contents. All are kept.", "File: {name}"),
    "file_kind": FlagKind(
        "warning",
        "No picture",
        "The question asks for a picture, and the file is none. It is kept as it came.",
        "File: {name} ({kind})",
    ),
    "file_empty": FlagKind("warning", "Empty file", "A file came without content.", "File: {name}"),
}
