"""Flags about what was written, the form it was written in, and the files that came with it."""

from records.flag_kinds.kind import FlagKind

TEXT_AND_FILES = {
    "test": FlagKind("info", "Test", "Whoever filled it in said that it is a test. It never counts."),
    "test_like": FlagKind(
        "warning",
        "Looks like a test",
        "It was not said to be a test and looks like one: an answer says so, or it was filled in at an office or a training. "
        "Delete it if it is one.",
    ),
    "text_personal": FlagKind(
        "warning",
        "Telephone or identity number",
        "A text seems to hold a telephone number or the number of an identity card. Take it out by correcting the report.",
    ),
    "version_superseded": FlagKind(
        "info",
        "Older form version",
        "The phone used a version of the form that had been replaced more than a week before. Have the phone fetch its forms.",
        "Version: {version}. Newer: {newer}.",
    ),
    "picture_missing": FlagKind(
        "info", "Files missing", "Not all files of the report have come yet. The phone still has them.", "Missing: {names}."
    ),
    "picture_elsewhere": FlagKind(
        "warning",
        "Picture from elsewhere",
        "The picture itself says that it was taken more than 5 km from the report's position.",
        "{name}: {km} away.",
    ),
    "picture_reused": FlagKind(
        "warning",
        "Picture used before",
        "The same picture, or one that can hardly be told from it, came with another report before.",
        "{name}. The other report: {case}.",
    ),
}
