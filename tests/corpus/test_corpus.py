"""The forms of this folder and the shipped surveys, filled in by both engines; `python -m tests.corpus DIR` tries any others."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from forms.library.sources import survey_ids
from tests.conftest import NewServer
from tests.corpus.__main__ import table
from tests.corpus.engines import engines
from tests.corpus.judge import wrong
from tests.corpus.sources import forms_in, shipped
from tests.corpus.trial import Bench, Trial

FORMS = forms_in(Path(__file__).parent / "forms")
TIMES = 2  # of the sixteen languages; CI does it ten times more, and `python -m tests.corpus --times 50` fifty
ENGINES = ("xforms-engine", "javarosa")
PATIENCE = 120.0  # seconds, for a machine that has much else to do


@pytest.fixture(scope="module")
def trials(new_server: NewServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Trial]]:
    """What became of every form, by its file name."""
    folder = tmp_path_factory.mktemp("corpus")
    both = engines(seconds=PATIENCE)
    try:
        bench = Bench(new_server("sqlite"), both, folder / "work")
        yield {trial.source.name: trial for trial in bench.run([*FORMS, *shipped(folder / "shipped")], times=TIMES)}
    finally:
        for engine in both:
            engine.close()


@pytest.mark.parametrize("name", [form.name for form in FORMS] + [f"{survey_id}.xlsx" for survey_id in survey_ids()])
def test_a_form_is_served_filled_in_by_two_engines_and_kept_as_it_was_sent(trials: dict[str, Trial], name: str) -> None:
    trial = trials[name]
    assert (trial.state, trial.message, trial.faults) == ("served", "", [])
    assert [(filling.engine, filling.state, filling.message) for filling in trial.fillings] == [
        (name, "valid", "") for name in ENGINES for _ in range(TIMES)
    ]


def test_the_table_counts_what_happened(trials: dict[str, Trial]) -> None:
    lines = table(list(trials.values())).splitlines()
    count = len(trials)
    assert lines[0] == f"{count} forms: {count} served, 0 refused with a message, 0 failed"
    fillings = count * TIMES
    assert [line.endswith(f"{fillings} of {fillings} kept as sent, 0 with a false flag") for line in lines[1:3]] == [True, True]


SENT = b'<data id="f"><a> 1 </a><rows><b>x</b></rows><rows><b>y</b><c>2.50</c></rows><d/><e>true</e></data>'
ANSWERS = {"a": 1, "rows": [{"b": "x"}, {"b": "y", "c": 2.5}], "d": None, "e": True}
PHOTO = b"photo"


def kept(**different: Any) -> dict[str, Any]:
    """A record as the server keeps it, unless said otherwise."""
    files = [{"name": "a.jpg", "sha256": hashlib.sha256(PHOTO).hexdigest()}]
    return {"answers": ANSWERS, "flags": [], "files": files, "told": []} | different


def test_what_is_kept_as_it_was_sent_is_not_complained_of() -> None:
    assert wrong(SENT, {"a.jpg": PHOTO}, SENT, kept(), valid=True) == []


@pytest.mark.parametrize(
    ("xml", "record", "words"),
    [
        (SENT + b" ", kept(), "the XML differs"),
        (SENT, kept(files=[]), "the files differ"),
        (SENT, kept(files=[{"name": "a.jpg", "sha256": "0"}]), "the files differ"),
        (SENT, kept(answers=ANSWERS | {"a": 2}), "answer a"),
        (SENT, kept(answers=ANSWERS | {"rows": [{"b": "y", "c": 2.5}, {"b": "x"}]}), "answer rows/b"),
        (SENT, kept(answers=ANSWERS | {"more": "z"}), "answer more"),
        (SENT, kept(answers={"a": 1}), "answer rows/b"),
        (SENT, kept(answers=ANSWERS | {"e": False}), "answer e"),
        (SENT, kept(flags=[{"code": "required", "path": "a", "message": "must be answered"}]), "flag required at a"),
    ],
)
def test_any_difference_is_noticed(xml: bytes, record: dict[str, Any], words: str) -> None:
    found = wrong(SENT, {"a.jpg": PHOTO}, xml, record, valid=True)
    assert found
    assert found[0].startswith(words)


def test_what_the_engine_itself_objects_to_may_be_flagged() -> None:
    record = kept(flags=[{"code": "required", "path": "a", "message": "must be answered"}])
    assert wrong(SENT, {"a.jpg": PHOTO}, SENT, record, valid=False) == []
