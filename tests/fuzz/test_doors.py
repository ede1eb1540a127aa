"""The doors for phones and forms, tried with structured nonsense: what can be identified is kept, the rest is refused in words."""

import hashlib
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from forms import xlsform_child
from forms.definition import FormDefinition
from forms.lint import lint
from forms.problems import Problem
from forms.schema import FormSchema
from forms.submission import Submission, identify
from forms.xlsform import convert
from records.models import Attachment, SubmissionVersion
from records.personal import open_xml
from sync.delivery import file_name
from tests.fuzz.mutations import TEXTS, changed
from tests.fuzz.seeds import SEEDS
from tests.fuzz.targets import TARGETS
from tests.support.openrosa import parse_message
from tests.support.pages import Site
from tests.support.records import FLOCK, LOSS, flock, loss, new_id

REFUSED = {400, 401, 403, 404, 413, 503, 507}
LONGEST_ANSWER = 2000  # bytes: a phone shows it
FORMS = {"flock_count", "livestock_loss"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with closing(Site(tmp_path_factory.mktemp("doors") / "data")) as opened:
        yield opened


def identified(xml: bytes) -> Submission | None:
    with suppress(Problem):
        found = identify(xml)
        return found if found.form_id in FORMS else None
    return None


def versions_with(site: Site, xml: bytes) -> list[bytes]:
    with site.services.store.read() as connection:
        query = select(*SubmissionVersion.__table__.columns).filter_by(sha256=hashlib.sha256(xml).hexdigest())
        return [open_xml(site.services.store.vault, row) for row in connection.execute(query)]


def files_of(site: Site, instance_id: str) -> set[tuple[str, str]]:
    with site.services.store.read() as connection:
        query = select(Attachment.name, Attachment.sha256).filter_by(instance_id=instance_id)
        return {(row.name, row.sha256) for row in connection.execute(query)}


FILE_NAMES = TEXTS.map(lambda text: text.replace('"', "").replace("\\", "")).filter(lambda text: file_name(text) != "unnamed")
FILES = st.dictionaries(FILE_NAMES, st.binary(max_size=40), max_size=4)


@settings(max_examples=80)
@given(st.data(), FILES)
def test_whatever_a_phone_sends_is_kept_once_byte_for_byte_or_refused_in_words(
    site: Site, data: st.DataObject, files: dict[str, bytes]
) -> None:
    good = data.draw(
        st.sampled_from([flock(new_id()), loss(new_id(), "a.jpg", ("b.jpg",)), flock(new_id(), deprecated_id=new_id())])
    )
    xml = changed(good, data)
    answers = [site.send(xml, files), site.send(xml, files)]
    found = identified(xml)
    for answer in answers:
        assert parse_message(answer.get_data())
        assert len(answer.get_data()) < LONGEST_ANSWER
        assert answer.status_code in ({201, 202} if found else REFUSED)
    assert versions_with(site, xml) == ([xml] if found else [])
    if found:
        sent = {(file_name(name), hashlib.sha256(content).hexdigest()) for name, content in files.items()}
        assert sent <= files_of(site, found.instance_id)  # without an id of its own, a record may have come before


HEADERS = st.sampled_from(
    [
        b'Content-Disposition: form-data; name="xml_submission_file"; filename="r.xml"',
        b'content-disposition:form-data;name="a.jpg";filename="a.jpg"',
        b'Content-Disposition: form-data; name="*isIncomplete*"',
        b"Content-Disposition: form-data; name=\"a\"; filename*=UTF-8''%D9%86.jpg",
        b'Content-Disposition: attachment; filename="x"',
        b'Content-Disposition: form-data; name="a"; filename="\xe9\xff.jpg"',
        b"Content-Type: multipart/mixed; boundary=B",
        b"Content-Transfer-Encoding: base64",
        b"Content-Length: 5",
        b"X" * 9000 + b": 1",
        b": empty",
        b" folded",
    ]
)
PIECES = st.sampled_from(
    [b"--B\r\n", b"\r\n", b"\r\n\r\n", b"--B--", b"\n", b"--", flock("uuid:fuzz"), b"\x00", b"--B--\r\n", b"\r\n--B\r\n"]
)


@settings(max_examples=150)
@given(st.lists(HEADERS.map(lambda line: line + b"\r\n") | PIECES | st.binary(max_size=20), max_size=20).map(b"".join))
def test_any_pieces_of_an_upload_are_read_or_refused_in_words(site: Site, body: bytes) -> None:
    path = f"/v1/key/{site.token}/projects/1/submission"
    answer = site.app.test_client().post(path, data=body, headers={"Content-Type": "multipart/form-data; boundary=B"})
    assert parse_message(answer.get_data())
    assert len(answer.get_data()) < LONGEST_ANSWER
    assert answer.status_code in {201, 202} | REFUSED


@settings(max_examples=100)
@given(st.data(), st.sampled_from([FLOCK, LOSS]))
def test_any_form_is_refused_with_a_reason_or_records_of_it_can_be_read(data: st.DataObject, form: Path) -> None:
    xform = changed(form.read_bytes(), data, ["utf-8", "utf-8-sig"])
    with suppress(Problem):
        ready = convert(xform, "form.xml")
        findings = lint(ready.xform, ready.media)
        schema = FormSchema(FormDefinition.from_xform(ready.xform))
        assert all(str(finding) for finding in findings)
        for good in (flock("uuid:1"), loss("uuid:2", "a.jpg")):
            orjson.dumps(schema.read(identify(good)).answers)


WORDS = st.sampled_from(
    [
        *("text", "integer", "calculate", "note", "geopoint", "image", "range", "audit", "entity", "trigger", "hidden", "rank a"),
        *("select_one a", "select_multiple a or_other", "select_one_from_file a.csv", "begin group", "end group", "begin repeat"),
        *("end repeat", "name", "a", "b", "a b", "1a", "", "سلام", "|", "\u202e", "${a}", "${", "${b} > 1", ". <", "yes", "1"),
        *("concat(${a}, ${b})", "start=1 end=5 step=0", "jr:count(x)", "=1+1", "pulldata('x','y','z',${a})", "form_title"),
        "regex(., '((a+)+)+')",
    ]
)
COLUMNS = [
    *("type", "name", "label", "label::fa", "label::fa::x", "hint", "relevant", "constraint", "required", "calculation", "save_to"),
    *("choice_filter", "repeat_count", "appearance", "parameters", "default", "trigger", "media::image", "bind::x"),
]
HEADS = st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=8)


@st.composite
def workbooks(draw: st.DrawFn) -> bytes:
    """A form written as Markdown, of words that mean something to pyxform."""
    lines = []
    for sheet in ("survey", draw(st.sampled_from(["choices", "settings", "entities", "external_choices", "osm"]))):
        heads = draw(HEADS) if sheet == "survey" else draw(st.lists(WORDS, min_size=1, max_size=4))
        rows = draw(st.lists(st.lists(WORDS, min_size=len(heads), max_size=len(heads)), max_size=8))
        lines += [f"| {sheet} |", *(f"| | {' | '.join(row)} |" for row in [heads, *rows])]
    return "\n".join(lines).encode()


@settings(max_examples=100)
@given(workbooks())
def test_any_rows_of_a_workbook_are_refused_with_a_reason_or_become_a_form(workbook: bytes) -> None:
    answer = xlsform_child.convert(workbook, "form.md")
    orjson.dumps(answer)
    if "error" in answer:
        assert str(answer["error"]).strip()
        return
    with suppress(Problem):  # pyxform lets some forms pass that no phone could use
        FormSchema(FormDefinition.from_xform(str(answer["xform"]).encode()))


@pytest.mark.parametrize("name", TARGETS)
def test_the_promises_of_the_fuzzing_hold_for_what_it_begins_with(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", lambda _: None)
    one = TARGETS[name]()
    for seed in (*SEEDS[name], b"", b"\x00", b"<" * 300):
        one(seed)
