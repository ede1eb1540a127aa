"""Two versions of a form compared, in words: what came, went, moved and changed, and what that means for answers that exist."""

import string

import pytest

from forms.definition import FormDefinition
from forms.difference_words import WORDS
from forms.differences import Difference, as_in_sheet, differences
from tests.support.records import LOSS
from tests.support.small import xform


def asked(name: str, label: str = "", more: str = "", control: str = "input", hint: str = "", attributes: str = "") -> str:
    hint = f"<hint>{hint}</hint>" if hint else ""
    return f'<{control} ref="/data/{name}"{attributes}><label>{label or name.title()}</label>{hint}{more}</{control}>'


def choices(**labels: str) -> str:
    return "".join(f"<item><label>{label}</label><value>{name}</value></item>" for name, label in labels.items())


def group(name: str, inside: str, label: str = "") -> str:
    return f'<group ref="/data/{name}"><label>{label or name.title()}</label>{inside}</group>'


def repeat(name: str, inside: str, attributes: str = "") -> str:
    return f'<group ref="/data/{name}"><label>Rows</label><repeat nodeset="/data/{name}"{attributes}>{inside}</repeat></group>'


def bind(name: str = "a", **attributes: str) -> str:
    text = " ".join(f'{key.replace("_", ":")}="{value}"' for key, value in attributes.items())
    return f'<bind nodeset="/data/{name}" {text}/>'


def form(nodes: str = "<a/>", binds: str = "", body: str | None = None, title: str = "Small") -> FormDefinition:
    return FormDefinition.from_xform(xform(nodes, binds, asked("a") if body is None else body, title=title))


def spoken(**texts: str) -> str:
    """Texts of question a by language, in a form of these languages."""
    return (
        "<itext>"
        + "".join(
            f'<translation lang="{language}"><text id="a"><value>{text}</value></text></translation>'
            for language, text in texts.items()
        )
        + "</itext>"
    )


IN_LANGUAGES = '<input ref="/data/a"><label ref="jr:itext(\'a\')"/></input>'
SELECT = form(body=asked("a", more=choices(wolf="Wolf", bear="Bear"), control="select1"))
FROM_FILE = form(
    binds='<instance id="v" src="jr://file-csv/v.csv"/>',
    body=asked("a", more='<itemset nodeset="instance(\'v\')/root/item"><value ref="name"/></itemset>', control="select1"),
)


def filtered(condition: str = "") -> FormDefinition:
    listed = '<instance id="l"><root><item><name>x</name><label>X</label></item></root></instance>'
    return form(
        "<a/><b/>",
        listed,
        asked(
            "a", more=f'<itemset nodeset="instance(\'l\')/root/item{condition}"><value ref="name"/></itemset>', control="select1"
        ),
    )


def rows(count: str = "") -> FormDefinition:
    return form(
        "<a/><r><n/></r>", "", asked("a") + repeat("r", '<input ref="/data/r/n"/>', f' jr:count="{count}"' if count else "")
    )


CHANGES: list[tuple[FormDefinition, FormDefinition, list[str]]] = [
    (form(), form(title="Great"), ["The title is now “Great” (before: “Small”)."]),
    (form(), form("<a/><b/>", "", asked("a") + asked("b", "Which one?")), ["New question: “Which one?” (b)."]),
    (
        form("<a/><b/>", "", asked("a") + asked("b")),
        form(),
        ["The question “B” (b) is gone. Answers given before stay in their records; new records have none."],
    ),
    (form(), form("<a/><start/>"), ["New value that the phone fills in: start."]),
    (
        form("<a/><start/>"),
        form(),
        ["The phone no longer fills in the value start. Values from before stay in their records; new records have none."],
    ),
    (
        form("<a/>"),
        form("<b/>", "", asked("b", "A")),
        ["“A” has another name in the data: b instead of a. Exports have a column for each"],
    ),
    (
        form("<g><x/><y/></g><b/>", "", group("g", asked("g/x", "X")) + asked("b")),
        form("<g><y/></g><b/><x/>", "", group("g", "") + asked("b") + asked("x", "X")),
        ["“X” is now at x in the data (before: g/x). Exports have a column for each"],
    ),
    (
        form("<g><x/></g>", "", group("g", asked("g/x", "X"))),
        form("<h><x/></h>", "", group("h", asked("h/x", "X"), "G")),
        ["“G” has another name in the data: h instead of g. Exports have a column for each"],
    ),
    (
        form("<a/><b/><c/>", "", asked("a") + asked("b") + asked("c")),
        form("<b/><c/><a/>", "", asked("b") + asked("c") + asked("a")),
        ["“A” comes at another point of the form."],
    ),
    (
        form(),
        form("<a/><g><x/></g>", "", asked("a") + group("g", asked("g/x"))),
        ["New group: “G” (g).", "New question: “G/X” (x)."],
    ),
    (form("<a/><g><b/></g>", "", asked("a") + group("g", "")), form(), ["The group “G” (g) is gone.", "The phone no longer fills"]),
    (form(), rows(), ["New group that repeats: “Rows” (r).", "New question: “n” (n)."]),
    (rows(), form(), ["The repeating group “Rows” (r) is gone. Rows given before stay", "The question “n” (n) is gone."]),
    (
        form(binds=bind(type="string")),
        form(binds=bind(type="int")),
        ["The answer to “A” is now of the type integer (before: text). Answers of both types stand in the same column."],
    ),
    (form(), SELECT, ["The answer to “A” is now of the type select_one (before: text)."]),
    (form(), form(body=asked("a", "Who?")), ["The text of “Who?” in – is now “Who?” (before: “A”)."]),
    (form(), form(body='<input ref="/data/a"/>'), ["“a” no longer has a text in – (before: “A”)."]),
    (form(body='<input ref="/data/a"/>'), form(), ["“A” now has a text in –: “A”."]),
    (form(), form(body=asked("a", hint="Ask")), ["“A” now has a hint in –: “Ask”."]),
    (form(body=asked("a", hint="Ask")), form(), ["“A” no longer has a hint in – (before: “Ask”)."]),
    (form(body=asked("a", hint="Ask")), form(body=asked("a", hint="Say")), ["The hint of “A” in – is now “Say” (before: “Ask”)."]),
    (
        form(binds=spoken(en="Who?", fa="کی؟"), body=IN_LANGUAGES),
        form(binds=spoken(en="Who?", fa="چه کسی؟"), body=IN_LANGUAGES),
        ["The text of “Who?” in fa is now “چه کسی؟” (before: “کی؟”)."],
    ),
    (
        form(binds=spoken(en="A"), body=IN_LANGUAGES),
        form(binds=spoken(en="A", fa="ا"), body=IN_LANGUAGES),
        ["The language fa is new."],
    ),
    (
        form(binds=spoken(en="A", fa="ا"), body=IN_LANGUAGES),
        form(binds=spoken(en="A"), body=IN_LANGUAGES),
        ["The language fa is gone."],
    ),
    (form(), FROM_FILE, ["The form now uses the file v.csv.", "The answer to “A” is now of the type select_one (before: text)."]),
    (
        FROM_FILE,
        form(),
        ["The form no longer uses the file v.csv.", "The answer to “A” is now of the type text (before: select_one)."],
    ),
    (SELECT, FROM_FILE, ["The form now uses the file v.csv.", "The choices of “A” now come from a file."]),
    (FROM_FILE, SELECT, ["The form no longer uses the file v.csv.", "The choices of “A” no longer come from a file."]),
    (form(), form(binds='<submission base64RsaPublicKey="k"/>'), ["Records are encrypted from now on. Maps, checks"]),
    (form(binds='<submission base64RsaPublicKey="k"/>'), form(), ["Records are no longer encrypted."]),
    (
        form(binds='<submission base64RsaPublicKey="k"/>'),
        form(binds='<submission base64RsaPublicKey="l"/>'),
        ["Records are encrypted with another key. Keep the old private key"],
    ),
    (form(), form(binds=bind(required="true()")), ["“A” must now be answered."]),
    (form(binds=bind(required="true()")), form(binds=bind(required="false()")), ["“A” may now be left blank."]),
    (form("<a/><b/>"), form("<a/><b/>", bind(required="../b = 1")), ["“A” must now be answered if: ${b} = 1"]),
    (form("<a/><b/>", bind(required="../b = 1")), form("<a/><b/>"), ["“A” may now be left blank."]),
    (form("<a/><b/>", bind(required="../b = 1")), form("<a/><b/>", bind(required="1")), ["“A” must now be answered."]),
    (
        form(),
        form(binds=bind(relevant="selected( /data/b , 'x')")),
        ["“A” is now asked only if: selected(${b}, 'x') A blank in the data now has one more reason."],
    ),
    (form(binds=bind(relevant="1")), form(), ["“A” is now always asked (before, only if: 1)."]),
    (form(binds=bind(relevant="1")), form(binds=bind(relevant="2")), ["“A” is now asked only if: 2 (before: 1). A blank"]),
    (form(), form(binds=bind(constraint=". &gt; 0")), ["An answer to “A” is now taken only if: . > 0"]),
    (form(binds=bind(constraint="1")), form(), ["Any answer to “A” is now taken (before, only if: 1)."]),
    (form(binds=bind(constraint="1")), form(binds=bind(constraint="2")), ["An answer to “A” is now taken only if: 2 (before: 1)."]),
    (form(), form(binds=bind(jr_constraintMsg="No")), ["When an answer to “A” is not taken, the phone now says in –: “No”."]),
    (form(binds=bind(jr_constraintMsg="No")), form(), ["When an answer to “A” is not taken, the phone no longer says why in –."]),
    (form(binds=bind(jr_constraintMsg="No")), form(binds=bind(jr_constraintMsg="Oh")), ["now says in –: “Oh” (before: “No”)."]),
    (form(), form(binds=bind(calculate="1")), ["“A” is now worked out by the phone: 1 Values from before were not worked out."]),
    (
        form(binds=bind(calculate="1")),
        form(),
        ["“A” is no longer worked out by the phone (before: 1). Values from before were worked out."],
    ),
    (form(binds=bind(calculate="1")), form(binds=bind(calculate="2")), ["“A” is now worked out as: 2 (before: 1). Values from"]),
    (form(), form("<a>1</a>"), ["“A” now begins with “1”."]),
    (form("<a>1</a>"), form(), ["“A” now begins blank (before: “1”)."]),
    (form("<a>1</a>"), form("<a>2</a>"), ["“A” now begins with “2” (before: “1”)."]),
    (form(), form(binds=bind(readonly="1")), ["“A” can no longer be changed by hand if: 1"]),
    (form(binds=bind(readonly="1")), form(), ["“A” can now always be changed by hand."]),
    (form(binds=bind(readonly="1")), form(binds=bind(readonly="2")), ["“A” can no longer be changed by hand if: 2 (before: 1)."]),
    (rows(), rows("/data/a"), ["The number of rows of “Rows” is now: ${a}"]),
    (rows("/data/a"), rows(), ["The number of rows of “Rows” is now free (before: ${a})."]),
    (rows("/data/a"), rows("/data/b"), ["The number of rows of “Rows” is now: ${b} (before: ${a})."]),
    (form(), form(body=asked("a", attributes=' appearance="w1"')), ["“A” is now shown as: w1"]),
    (form(body=asked("a", attributes=' appearance="w1"')), form(), ["“A” is now shown as usual (before: w1)."]),
    (
        form(body=asked("a", attributes=' appearance="w1"')),
        form(body=asked("a", attributes=' appearance="w2"')),
        ["“A” is now shown as: w2 (before: w1)."],
    ),
    (
        SELECT,
        form(body=asked("a", more=choices(wolf="Wolf", bear="Bear", lynx="Lynx"), control="select1")),
        ["“A” has a new choice: “Lynx” (lynx)."],
    ),
    (
        SELECT,
        form(body=asked("a", more=choices(wolf="Wolf"), control="select1")),
        ["“A” no longer has the choice “Bear” (bear). Records that chose it stay; new ones cannot choose it."],
    ),
    (
        SELECT,
        form(body=asked("a", more=choices(wolf="Wolf", brown_bear="Bear"), control="select1")),
        ["The choice “Bear” of “A” has another name in the data: brown_bear instead of bear. Count both names together"],
    ),
    (
        SELECT,
        form(body=asked("a", more=choices(wolf="Wolf", bear="Black bear"), control="select1")),
        ["The choice bear of “A” now reads “Black bear” in – (before: “Bear”). Check that it still means the same."],
    ),
    (
        SELECT,
        form(body=asked("a", more=choices(bear="Bear", wolf="Wolf"), control="select1")),
        ["The choices of “A” come in another order."],
    ),
    (
        SELECT,
        form(body=asked("a", more=choices(wolf="Wolf", bear=""), control="select1")),
        ["no longer has a text in – (before: “Bear”)."],
    ),
    (
        form(body=asked("a", more=choices(wolf="Wolf", bear=""), control="select1")),
        SELECT,
        ["The choice bear of “A” now has a text in –: “Bear”."],
    ),
    (filtered(), filtered("[b = /data/b ]"), ["The choices of “A” that are shown now depend on: b = ${b}"]),
    (filtered("[b = 1]"), filtered(), ["All choices of “A” are now shown (before, only if: b = 1)."]),
    (filtered("[b = 1]"), filtered("[b = 2]"), ["The choices of “A” that are shown now depend on: b = 2 (before: b = 1)."]),
]


def saving(name: str = "") -> FormDefinition:
    saveto = f'xmlns:e="http://www.opendatakit.org/xforms/entities" e:saveto="{name}"' if name else ""
    return form(binds=f'<bind nodeset="/data/a" {saveto}/>')


CHANGES += [
    (saving(), saving("village"), ["The answer to “A” is now saved to the property village of its entity."]),
    (saving("village"), saving(), ["The answer to “A” is no longer saved to the property village of its entity."]),
    (saving("village"), saving("town"), ["is now saved to the property town of its entity (before: village)."]),
]


@pytest.mark.parametrize(("before", "after", "said"), CHANGES, ids=[change[2][0][:40] for change in CHANGES])
def test_a_change_is_told_in_words(before: FormDefinition, after: FormDefinition, said: list[str]) -> None:
    found = differences(before, after)
    assert len(found) == len(said)
    for difference, words in zip(found, said, strict=True):
        assert words in difference.say()


def test_every_sentence_is_said() -> None:
    said = {difference.code for before, after, _ in CHANGES for difference in differences(before, after)}
    assert said == set(WORDS)


@pytest.mark.parametrize("version", [LOSS, "small"])
def test_nothing_is_told_where_nothing_changed(version: object) -> None:
    one = FormDefinition.from_xform(LOSS.read_bytes()) if version is LOSS else rows("/data/a")
    assert differences(one, one) == []


def test_changes_come_in_the_order_of_the_form_and_what_is_gone_where_it_stood() -> None:
    before = form("<a/><b/><c/>", "", asked("a") + asked("b") + asked("c"))
    after = form("<a/><x/><c/>", "", asked("a", "First") + asked("x", "New") + asked("c", "Last"))
    assert [(found.where, found.code) for found in differences(before, after)] == [
        ("a", "label_changed"),
        ("b", "question_removed"),
        ("x", "question_added"),
        ("c", "label_changed"),
    ]


def test_a_question_that_moves_and_changes_is_still_the_same_question() -> None:
    before = form("<g><x/><y/></g>", bind("g/x", type="int"), group("g", asked("g/x", "How many?")))
    after = form("<g><y/></g><x/>", bind("x", type="int", required="true()"), group("g", "") + asked("x", "How many sheep?"))
    assert [found.code for found in differences(before, after)] == ["regrouped", "label_changed", "required_added"]


def test_two_questions_of_the_same_name_are_not_guessed_to_have_moved() -> None:
    before = form("<g><x/><y/></g><h><x/><y/></h>", "", group("g", asked("g/x", "One")) + group("h", asked("h/x", "Two")))
    after = form("<g><y/></g><h><y/></h><x/>", "", group("g", "") + group("h", "") + asked("x", "Three"))
    assert [found.code for found in differences(before, after)] == ["question_removed", "question_removed", "question_added"]


def test_what_matters_for_answers_that_exist_is_marked() -> None:
    codes = {code for code, words in WORDS.items() if words.risk}
    assert {"question_removed", "renamed", "regrouped", "type", "choice_removed", "calculate_changed"} <= codes
    assert not codes & {"question_added", "choice_added", "hint_changed", "label_changed", "title", "moved"}
    risky: list[Difference] = [found for before, after, _ in CHANGES for found in differences(before, after) if found.risky]
    assert {found.code for found in risky} == codes


def test_a_change_is_told_in_the_readers_language_about_the_question_in_that_language() -> None:
    before = form(binds=spoken(en="Who?", fa="چه کسی؟"), body=IN_LANGUAGES)
    after = form(binds=spoken(en="Who?", fa="چه کسی؟") + bind(required="true()"), body=IN_LANGUAGES)
    (found,) = differences(before, after, "fa")
    persian = {"“{question}” must now be answered.": "پاسخ به «{question}» اکنون لازم است."}
    assert found.say(lambda text: persian[text]) == "پاسخ به «چه کسی؟» اکنون لازم است."


def test_every_place_in_a_sentence_has_its_value() -> None:
    known = {"question", "name", "before", "after", "language", "choice"}
    for words in WORDS.values():
        for text in words:
            assert {field for _, field, _, _ in string.Formatter().parse(text) if field} <= known


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        (" /data/g/seen  = 'yes'", "${seen} = 'yes'"),
        ("../n + current()/../../m", "${n} + ${m}"),
        ("instance('v')/root/item[name = current()/../v ]/label", "instance('v')/root/item[name = ${v}]/label"),
        (". >= 0 and . div 2 = '/data/a'", ". >= 0 and . div 2 = '/data/a'"),
        ("concat( /data/a , ' ', /data/b )", "concat(${a}, ' ', ${b})"),
    ],
)
def test_expressions_are_shown_as_in_the_workbook(expression: str, shown: str) -> None:
    assert as_in_sheet(expression) == shown
