"""The sentences in which the changes between two form versions are told, and what each means for answers that exist."""

from collections.abc import Mapping
from typing import NamedTuple


class Words(NamedTuple):
    """What changed and, where answers that exist no longer mean or fit the same, why that matters."""

    sentence: str
    risk: str = ""


_COLUMNS = "Exports have a column for each, which must be joined when years are compared."

# {question} is the text of a question, {name} its name in the data; {before} and {after} are what was and what is.
WORDS: Mapping[str, Words] = {
    # the form as a whole
    "title": Words("The title is now “{after}” (before: “{before}”)."),
    "language_added": Words("The language {after} is new."),
    "language_removed": Words("The language {before} is gone."),
    "file_added": Words("The form now uses the file {after}."),
    "file_removed": Words("The form no longer uses the file {before}."),
    "encrypted": Words(
        "Records are encrypted from now on.", "Maps, checks and exports see nothing of them without the private key."
    ),
    "key": Words(
        "Records are encrypted with another key.", "Keep the old private key as long as there are records of the old version."
    ),
    "decrypted": Words("Records are no longer encrypted."),
    # questions that come, go and move
    "question_added": Words("New question: “{question}” ({name})."),
    "question_removed": Words(
        "The question “{question}” ({name}) is gone.", "Answers given before stay in their records; new records have none."
    ),
    "hidden_added": Words("New value that the phone fills in: {name}."),
    "hidden_removed": Words(
        "The phone no longer fills in the value {name}.", "Values from before stay in their records; new records have none."
    ),
    "group_added": Words("New group: “{question}” ({name})."),
    "group_removed": Words("The group “{question}” ({name}) is gone."),
    "repeat_added": Words("New group that repeats: “{question}” ({name})."),
    "repeat_removed": Words(
        "The repeating group “{question}” ({name}) is gone.", "Rows given before stay in their records; new records have none."
    ),
    "renamed": Words("“{question}” has another name in the data: {after} instead of {before}.", _COLUMNS),
    "regrouped": Words("“{question}” is now at {after} in the data (before: {before}).", _COLUMNS),
    "moved": Words("“{question}” comes at another point of the form."),
    # one question
    "type": Words(
        "The answer to “{question}” is now of the type {after} (before: {before}).",
        "Answers of both types stand in the same column.",
    ),
    "label_added": Words("“{question}” now has a text in {language}: “{after}”."),
    "label_removed": Words("“{question}” no longer has a text in {language} (before: “{before}”)."),
    "label_changed": Words("The text of “{question}” in {language} is now “{after}” (before: “{before}”)."),
    "hint_added": Words("“{question}” now has a hint in {language}: “{after}”."),
    "hint_removed": Words("“{question}” no longer has a hint in {language} (before: “{before}”)."),
    "hint_changed": Words("The hint of “{question}” in {language} is now “{after}” (before: “{before}”)."),
    "message_added": Words("When an answer to “{question}” is not taken, the phone now says in {language}: “{after}”."),
    "message_removed": Words("When an answer to “{question}” is not taken, the phone no longer says why in {language}."),
    "message_changed": Words(
        "When an answer to “{question}” is not taken, the phone now says in {language}: “{after}” (before: “{before}”)."
    ),
    "required_added": Words("“{question}” must now be answered."),
    "required_removed": Words("“{question}” may now be left blank."),
    "required_if": Words("“{question}” must now be answered if: {after}"),
    "relevant_added": Words("“{question}” is now asked only if: {after}", "A blank in the data now has one more reason."),
    "relevant_removed": Words("“{question}” is now always asked (before, only if: {before})."),
    "relevant_changed": Words(
        "“{question}” is now asked only if: {after} (before: {before}).", "A blank in the data has another reason than before."
    ),
    "constraint_added": Words("An answer to “{question}” is now taken only if: {after}"),
    "constraint_removed": Words("Any answer to “{question}” is now taken (before, only if: {before})."),
    "constraint_changed": Words("An answer to “{question}” is now taken only if: {after} (before: {before})."),
    "calculate_added": Words("“{question}” is now worked out by the phone: {after}", "Values from before were not worked out."),
    "calculate_removed": Words(
        "“{question}” is no longer worked out by the phone (before: {before}).", "Values from before were worked out."
    ),
    "calculate_changed": Words(
        "“{question}” is now worked out as: {after} (before: {before}).", "Values from before were worked out the other way."
    ),
    "default_added": Words("“{question}” now begins with “{after}”."),
    "default_removed": Words("“{question}” now begins blank (before: “{before}”)."),
    "default_changed": Words("“{question}” now begins with “{after}” (before: “{before}”)."),
    "readonly_added": Words("“{question}” can no longer be changed by hand if: {after}"),
    "readonly_removed": Words("“{question}” can now always be changed by hand."),
    "readonly_changed": Words("“{question}” can no longer be changed by hand if: {after} (before: {before})."),
    "count_added": Words("The number of rows of “{question}” is now: {after}"),
    "count_removed": Words("The number of rows of “{question}” is now free (before: {before})."),
    "count_changed": Words("The number of rows of “{question}” is now: {after} (before: {before})."),
    "appearance_added": Words("“{question}” is now shown as: {after}"),
    "appearance_removed": Words("“{question}” is now shown as usual (before: {before})."),
    "appearance_changed": Words("“{question}” is now shown as: {after} (before: {before})."),
    "saveto_added": Words("The answer to “{question}” is now saved to the property {after} of its entity."),
    "saveto_removed": Words("The answer to “{question}” is no longer saved to the property {before} of its entity."),
    "saveto_changed": Words("The answer to “{question}” is now saved to the property {after} of its entity (before: {before})."),
    # choices
    "choice_added": Words("“{question}” has a new choice: “{choice}” ({name})."),
    "choice_removed": Words(
        "“{question}” no longer has the choice “{choice}” ({name}).", "Records that chose it stay; new ones cannot choose it."
    ),
    "choice_renamed": Words(
        "The choice “{choice}” of “{question}” has another name in the data: {after} instead of {before}.",
        "Count both names together when years are compared.",
    ),
    "choice_label_added": Words("The choice {name} of “{question}” now has a text in {language}: “{after}”."),
    "choice_label_removed": Words("The choice {name} of “{question}” no longer has a text in {language} (before: “{before}”)."),
    "choice_label_changed": Words(
        "The choice {name} of “{question}” now reads “{after}” in {language} (before: “{before}”).",
        "Check that it still means the same.",
    ),
    "choices_moved": Words("The choices of “{question}” come in another order."),
    "choices_from_file": Words("The choices of “{question}” now come from a file."),
    "choices_from_form": Words("The choices of “{question}” no longer come from a file."),
    "choice_filter_added": Words("The choices of “{question}” that are shown now depend on: {after}"),
    "choice_filter_removed": Words("All choices of “{question}” are now shown (before, only if: {before})."),
    "choice_filter_changed": Words("The choices of “{question}” that are shown now depend on: {after} (before: {before})."),
}
