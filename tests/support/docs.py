"""Pages of the handbook that are made from the code, and the check that they were made from today's.

python -m tests.support.docs        writes docs/problems.md and docs/settings.md anew
"""

from pathlib import Path

from forms.problems import CATALOGUE
from server.config import SETTINGS

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


def problems() -> str:
    """Every problem a person or a phone can be told about."""
    return _PROBLEMS + "".join(f"| `{kind.code}` | {kind.status} | {kind.title} | {kind.hint} |\n" for kind in CATALOGUE.values())


def settings() -> str:
    """Every setting."""
    defaults = {setting.name: f"`{setting.default}`" if setting.default else "" for setting in SETTINGS}
    return _SETTINGS + "".join(f"| `{setting.variable}` | {defaults[setting.name]} | {setting.help} |\n" for setting in SETTINGS)


PAGES = {"problems.md": problems, "settings.md": settings}


def assert_current(name: str) -> None:
    """Fail, with the remedy, when this page is not the one that the code makes."""
    page = FOLDER / name
    assert page.exists(), f"docs/{name} {REMEDY}"
    assert page.read_text(encoding="utf-8") == PAGES[name](), f"docs/{name} {REMEDY}"


if __name__ == "__main__":
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")
