"""Pages of the handbook that are made from the code, and the check that they were made from today's.

python -m tests.support.docs        writes docs/problems.md, settings.md, drawings.md, checks.md and privacy.md anew
"""

from pathlib import Path

from forms.library.sources import LIBRARY, Row, read_rows
from forms.problems import CATALOGUE
from records.flag_kinds import ARRIVAL, FlagKind
from records.flag_kinds.content import CONTENT
from records.flag_kinds.incidents import INCIDENTS
from records.flag_kinds.place import PLACE
from records.flag_kinds.text_and_files import TEXT_AND_FILES
from records.flag_kinds.time import TIME
from server.config import SETTINGS
from tests.support import privacy_docs

FOLDER = Path(__file__).parents[2] / "docs"
REMEDY = "is not what the code says. Make it anew: .venv/bin/python -m tests.support.docs"


_PROBLEMS = """# Problems

What can go wrong, and what to do. Phones read it as OpenRosa messages in the language of the phone's key, programs as
`application/problem+json` ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)) with the code in `code`, people as a page.
The detail that follows the title names the case: which form, which file, which setting.

| Code | Status | What it says | What to do |
|---|---|---|---|
"""
_SETTINGS = """# Settings

Nothing needs to be set. What is set comes from the environment; `--host`, `--port` and `--data` of `tulliana serve` come
before it. `NAME_FILE` names a file with the value in it, for secrets: `TULLIANA_DATABASE_URL_FILE=/run/secrets/database`.
A name that does not exist, or a value that cannot be used, stops the start, and all of them are told at once.

| Name | Default | What it is for |
|---|---|---|
"""
_DRAWINGS = """# The drawings

Many herders read poorly. Beside the choices that matter most the phone shows a drawing; the words stay with it. These are all
of them, by the list of choices they belong to. Where two choices share a drawing, the words tell them apart.

- **Own work**, under the licence of the project ([Apache-2.0](../LICENSE)), free to use in any form: a workbook that names one of
  these files (`media::image`, `leopard.png`) gets it when it is published here.
- **No drawing suggests an answer.** Where evidence of an attack is asked for, the predator is a dark one of no kind. What cannot be
  drawn, or cannot be told from its neighbour by a drawing, has words only: other, unknown, none, mules, wild sheep nobody is sure
  of, a changed grazing plan, illness. Age and sex have words only too: a lamb beside “young” would mislead who lost a calf.
- **Small.** About 3 kB each, at most 250 kB for all of a survey, and fetched once. They lie on white, so that a phone in its dark
  colours shows them too.
- **Sources** are the SVG files in `forms/library/media/`, 200 by 200 units, plain shapes. After a change
  `.venv/bin/python -m forms.library draw` makes the PNGs that phones get; the surveys that show them need a new version
  ([how](surveys.md)). A new drawing goes into the column `image` of `choices.csv`, and its question gets the appearance `columns`:
  a folded list (`minimal`) shows the drawings only once it is opened, and without its buttons (`no-buttons`) phones hide the words.
"""
_LISTS = {
    "livestock": "Livestock",
    "predator": "Predators",
    "basis": "How people know which predator it was",
    "bite_site": "Where the bites are",
    "eaten_first": "What was eaten",
    "photo_kind": "What a photo shows",
    "enclosure": "Enclosures",
    "measure": "Protection",
    "prey": "Wild prey",
    "dog_class": "Dogs",
    "dog_event": "What dogs did",
    "sign_type": "Signs of a leopard",
}
_PER_ROW = 6
_CHECKS = """# Checks

Every report is kept, whatever it says; what is odd about it is flagged. A flag is never a refusal: a phone that is refused
holds back everything behind it, and the ranger at home cannot go back to the kill.

- **Severities.** An *error* keeps the report out of hotspots and other counts until a person decides; a *warning* waits for a
  person and counts; an *info* only says. Data exports (CSV, OData, KoBoToolbox, the API) hold every report with its flags.
- **When.** Some flags come with the report. The others come seconds later, from a server that has time: phones that send come
  first. They come again when the report is corrected, when one of its files arrives, when study areas change, and when a new
  version of the server checks differently. `tulliana check` does what waits at once, `tulliana check --again` everything.
- **Deciding.** The page of a report and the *Quarantine* offer to accept a flag, to return the report to its reporter, to
  correct or delete it. Approving a report accepts whatever was flagged so far. What a person settled stays settled. A report
  that is said to be a test is not looked at further.
- **Place.** Country and first-level unit come from the position and the shipped boundaries (Natural Earth), or those that
  `TULLIANA_BOUNDARIES` names; they are never typed. Up to 2 km off the coast a position belongs to the nearest unit.
- **Study areas.** `tulliana area import FILE` takes a GeoJSON collection of polygons with `code`, `name`, `country` (two
  letters), `metapopulation` (1 to 4, if any) and `transboundary`; a report lies in the smallest that holds it. A *point* in
  the file is an office: reports from within 1 km of it look like tests.
- **Clocks.** A phone's clock is judged by what the phone says when it sends, else by the reports that it sent soonest after
  they were finished. The corrected end of filling in is kept beside the answers (`finished_at`), never in place of them.
- **Forms of your own** are checked too. The first position and the first day that a form asks for are those of its report, so
  ask for the day of the event first. That a day is long ago is told for questions named `event_date`, `event_time`,
  `obs_time`, `visit_time`, `check_date`, `date_from`, `start_date` or `start_time` only: a day of birth is long ago by right.
  A question is for a number, and is not searched for telephone numbers, if it has a constraint or the appearance `numbers`,
  or a name ending in `_id`, `_ref`, `_code`, `_no` and the like.

Limits are constants with their reasons in `sync/checks/`.
"""
_GROUPS = {
    "Place": PLACE,
    "Time": TIME,
    "Words, form and files": TEXT_AND_FILES,
    "Counts, values, species, evidence, effort, duplicates": CONTENT,
    "Incidents": INCIDENTS,
    "On arrival": ARRIVAL,
}


def problems() -> str:
    """Every problem a person or a phone can be told about."""
    return _PROBLEMS + "".join(f"| `{kind.code}` | {kind.status} | {kind.title} | {kind.hint} |\n" for kind in CATALOGUE.values())


def settings() -> str:
    """Every setting."""
    defaults = {setting.name: f"`{setting.default}`" if setting.default else "" for setting in SETTINGS}
    return _SETTINGS + "".join(f"| `{setting.variable}` | {defaults[setting.name]} | {setting.help} |\n" for setting in SETTINGS)


def drawings() -> str:
    """Every drawing with what it means."""
    rows = [row for row in read_rows(LIBRARY / "choices.csv") if row["image"]]
    lists = dict.fromkeys(row["list_name"] for row in rows)
    return _DRAWINGS + "".join(
        f"\n## {_LISTS[name]}\n\n{_sheet([row for row in rows if row['list_name'] == name])}" for name in lists
    )


def _sheet(rows: list[Row]) -> str:
    """The drawings of a list, some in a row, with their words beneath."""
    cells = [f'<img src="../forms/library/media/{row["image"]}" width="110" alt=""><br>{row["label"]}' for row in rows]
    cells += [" "] * (-len(cells) % _PER_ROW)
    lines = [f"| {' | '.join(cells[start : start + _PER_ROW])} |\n" for start in range(0, len(cells), _PER_ROW)]
    return "|" + "   |" * _PER_ROW + "\n" + "|" + "---|" * _PER_ROW + "\n" + "".join(lines)


def checks() -> str:
    """Every kind of flag."""
    return _CHECKS + "".join(f"\n## {name}\n\n{_flags(kinds)}" for name, kinds in _GROUPS.items())


def _flags(kinds: dict[str, FlagKind]) -> str:
    rows = "".join(f"| `{code}` | {kind.severity} | {kind.title} | {kind.text} |\n" for code, kind in kinds.items())
    return f"| Code | Severity | What it is called | What it means |\n|---|---|---|---|\n{rows}"


PAGES = {
    "problems.md": problems,
    "settings.md": settings,
    "drawings.md": drawings,
    "checks.md": checks,
    "privacy.md": privacy_docs.page,
}


def assert_current(name: str) -> None:
    """Fail, with the remedy, when this page is not the one that the code makes."""
    page = FOLDER / name
    assert page.exists(), f"docs/{name} {REMEDY}"
    assert page.read_text(encoding="utf-8") == PAGES[name](), f"docs/{name} {REMEDY}"


if __name__ == "__main__":
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")
