"""The catalogue of what the lint finds: each rule with its severity, its sentence and what to do about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from forms.phrases import Phrase, Translate
from forms.problems import Problem

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of finding.

    An "error" is a form that phones refuse to open or that breaks on them while it is filled in: it is not published. Everything
    else is a "warning". `message` and `hint` are sentences for `Phrase`.
    """

    code: str
    severity: Severity
    message: str
    hint: str


_FUNCTIONS = "https://docs.getodk.org/form-operators-functions/"

RULES: dict[str, Rule] = {
    rule.code: rule
    for rule in (
        # expressions
        Rule(
            "xpath_syntax",
            "error",
            "The expression in “{column}” cannot be read near “{near}”: phones refuse the form.",
            "Look for a missing bracket, quote, comma or operator.",
        ),
        Rule(
            "xpath_letters",
            "error",
            "The expression in “{column}” uses the name “{near}”: phones refuse names written in this script.",
            "Give the question or column a name of Latin letters, digits and underscores; its text may be in any script.",
        ),
        Rule(
            "xpath_step",
            "error",
            "The expression in “{column}” uses a kind of path that phones do not know, near “{near}”.",
            "Refer to questions as ${{name}}.",
        ),
        Rule(
            "xpath_above",
            "error",
            "The path “{near}” in “{column}” leaves the form: phones refuse the form.",
            "Refer to questions as ${{name}}.",
        ),
        Rule(
            "function_unknown",
            "error",
            "The expression in “{column}” calls {function}(), which phones do not know: the form breaks there.",
            f"Use the functions of {_FUNCTIONS}.",
        ),
        Rule(
            "function_arguments",
            "error",
            "The expression in “{column}” calls {function}() with {count} arguments: the form breaks there.",
            f"See {_FUNCTIONS} for what it takes.",
        ),
        Rule(
            "node_unknown",
            "warning",
            "The expression in “{column}” refers to “{node}”, which is not in the form: phones take it for blank.",
            "Correct the name. A text needs quotes: 'yes'.",
        ),
        Rule(
            "list_unknown",
            "error",
            "The expression in “{column}” refers to the list “{list}”, which is not in the form: the form breaks there.",
            "Correct the name of the list.",
        ),
        Rule(
            "column_unknown",
            "warning",
            "The expression in “{column}” refers to the column “{node}” of the list “{list}”, which has no such column.",
            "Correct the name of the column; as it is, nothing is ever found there.",
        ),
        Rule(
            "cycle",
            "error",
            "These depend on each other or on themselves, so phones refuse the form: {nodes}.",
            "Take one of them out of a relevance, calculation, required or read-only expression.",
        ),
        Rule(
            "sum_of_blank",
            "warning",
            "sum() in “{column}” gives NaN on the screen and in the data when “{node}” is left blank.",
            "Make that question required or give it a default, or sum only what is answered: sum({node}[. != '']).",
        ),
        # structure
        Rule(
            "name_letters",
            "error",
            "Phones refuse the name “{name}”, because its script has no upper and lower case.",
            "Give the question a name of Latin letters, digits and underscores; its text may be in any script.",
        ),
        Rule(
            "name_twice",
            "warning",
            "Two questions beside each other have the name “{name}”: their answers cannot be told apart.",
            "Give one of them another name.",
        ),
        Rule(
            "bind_without_node",
            "warning",
            "Rules are given for “{name}”, which is not in the form; they have no effect.",
            "Correct the nodeset, or delete the bind.",
        ),
        Rule(
            "control_without_node",
            "error",
            "A question has no place for its answer: “{name}” is not in the form. Phones refuse the form.",
            "Correct its ref.",
        ),
        Rule(
            "action_without_node",
            "error",
            "A value is set for “{name}”, which is not in the form: phones refuse the form.",
            "Correct its ref.",
        ),
        Rule(
            "default_unreadable",
            "warning",
            "The default “{value}” is no value of the type {type}: phones do without it.",
            "Correct the default.",
        ),
        Rule(
            "instance_id_missing",
            "warning",
            "The form gives its records no instanceID: a record sent twice is stored twice.",
            "Add meta/instanceID, or publish the form as an XLSForm.",
        ),
        Rule(
            "version_missing",
            "warning",
            "The form has no version, so it can never be changed.",
            "Give it one in the sheet “settings”, for example the date.",
        ),
        Rule(
            "entities_newer",
            "warning",
            "The form uses entities of the specification {version}: KoBoCollect up to 2025.3.3 cannot open it.",
            "Take entities out of repeats, or use ODK Collect 2026 on all phones.",
        ),
        Rule(
            "entities_unknown",
            "error",
            "The form uses entities of the specification {version}: no phone can open it.",
            "Convert the form with the XLSForm converter of this server.",
        ),
        Rule(
            "entities_encrypted",
            "warning",
            "The form is encrypted, so no entity is made from its records.",
            "Do without one of the two.",
        ),
        Rule(
            "key_unreadable",
            "error",
            "The public key is no RSA key that phones can read: they cannot finalise a record.",
            "Copy the key again, base64 without the BEGIN and END lines, into the sheet “settings”.",
        ),
        Rule(
            "key_weak",
            "warning",
            "The public key has {bits} bits; fewer than 2048 can be broken.",
            "Make a new pair of keys.",
        ),
        # questions
        Rule(
            "label_missing",
            "warning",
            "The question has neither a text nor a hint.",
            "Fill in its label.",
        ),
        Rule(
            "text_missing",
            "error",
            "The text “{text}” is missing in {language}, the form's main language: phones refuse the form.",
            "Fill in the text.",
        ),
        Rule(
            "text_missing_elsewhere",
            "warning",
            "The text “{text}” is missing in {language}.",
            "Fill in the text.",
        ),
        Rule(
            "language_without_code",
            "warning",
            "The language “{language}” has no code: programs cannot know its script, its direction and its digits.",
            "Name it with its code, such as Persian (fa).",
        ),
        Rule(
            "select_number",
            "warning",
            "A choice from a list has the type {type}: phones take it, filling in with a browser refuses the form.",
            "Let the type of the answer be string.",
        ),
        Rule(
            "choices_missing",
            "error",
            "The question has no choices: phones refuse the form.",
            "Add choices to its list.",
        ),
        Rule(
            "choice_blank",
            "warning",
            "The choice name “{name}” has a space in it: among several chosen ones it cannot be told apart.",
            "Write an underscore instead; its text may have spaces.",
        ),
        Rule(
            "choice_twice",
            "warning",
            "The choice name “{name}” is there twice: their answers cannot be told apart.",
            "Give one of them another name.",
        ),
        # files
        Rule(
            "media_name_differs",
            "error",
            "The form uses the file “{name}”, but the file given is “{given}”.",
            "Give the file exactly the name that stands in the form.",
        ),
        Rule(
            "media_unused",
            "warning",
            "The form does not use the file “{name}”; phones will not get it.",
            "Check the name in the form.",
        ),
        Rule(
            "media_zip",
            "warning",
            "Phones do not notice when a .zip changes: whoever has “{name}” keeps the old one.",
            "Give a changed .zip another name.",
        ),
        Rule(
            "media_large",
            "warning",
            "The file “{name}” has {megabytes} MB: at 50 kB/s a phone needs {minutes} minutes for it and starts again after a cut.",
            "Make the pictures smaller or divide the list.",
        ),
        Rule(
            "media_total",
            "warning",
            "The form's files have {megabytes} MB together: at 50 kB/s a phone needs {minutes} minutes for them.",
            "Make the pictures smaller or let phones fetch the form on a fast network.",
        ),
        Rule(
            "csv_not_utf8",
            "warning",
            "The list “{name}” is not UTF-8 text: phones show wrong letters.",
            "Save it again as CSV UTF-8.",
        ),
        Rule(
            "csv_header",
            "warning",
            "The column “{column}” of “{name}” is no XML name: phones take it, filling in with a browser refuses the form.",
            "Use letters, digits and underscores for the heads of columns.",
        ),
        Rule(
            "csv_column_missing",
            "error",
            "The list “{name}” has no column “{column}”, which a question takes its choices from.",
            "Add the column, or name the right one in the question's parameters.",
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found: its rule, the path of the question it concerns ("" for the form as a whole), and the rule's arguments."""

    rule: Rule
    where: str
    message: Phrase
    hint: Phrase

    @property
    def code(self) -> str:
        """The code of the rule."""
        return self.rule.code

    @property
    def severity(self) -> Severity:
        """Whether it keeps the form from being published."""
        return self.rule.severity

    def say(self, translate: Translate = str) -> str:
        """Place, message and hint as one line."""
        line = f"{self.message.say(translate)} {self.hint.say(translate)}"
        return f"{self.where}: {line}" if self.where else line


def found(code: str, where: str = "", **arguments: str | int) -> Finding:
    """A finding of the rule `code`."""
    rule = RULES[code]
    return Finding(rule, where, Phrase(rule.message, arguments), Phrase(rule.hint, arguments))


def refuse_errors(findings: Sequence[Finding], translate: Translate = str) -> None:
    """Raise `Problem("form_invalid")` that names all errors, where there are any."""
    errors = [finding.say(translate) for finding in findings if finding.severity == "error"]
    if errors:
        raise Problem("form_invalid", " ".join(errors))
