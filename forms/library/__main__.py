"""Upkeep of the survey library: `python -m forms.library update [LANGUAGE]`, `... release` and `... draw`."""

import argparse
import csv
import hashlib
import sys
from difflib import get_close_matches
from io import BytesIO
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.messages import Catalog
from babel.messages.pofile import read_po, write_po

from forms.library import drawings, read_survey, survey_ids, workbook
from forms.library.drawings import draw
from forms.library.sources import LIBRARY, read_rows
from forms.library.translations import texts
from forms.problems import Problem
from forms.xlsform import Conversion, convert_workbooks

PUBLISHED = ("form_id", "version", "sha256")


def update(root: Path = LIBRARY, new_code: str = "") -> None:
    """Bring every catalogue in line with the surveys, and begin one for `new_code`.

    New texts come in empty, texts no survey uses go, and a text that changed a little keeps its translation, marked fuzzy.
    """
    folder = root / "locale"
    if new_code and not (folder / f"{new_code}.po").exists():
        _write(_new_catalog(new_code), folder / f"{new_code}.po")
    template = Catalog()
    for survey_id in survey_ids(root):
        for text in texts(read_survey(survey_id, root)):
            template.add(text.english, context=text.context, auto_comments=[text.note])
    for path in sorted(folder.glob("*.po")):
        with path.open("rb") as file:
            catalog = read_po(file, locale=path.stem, abort_invalid=True)
        catalog.update(template, no_fuzzy_matching=True, update_creation_date=False)
        _keep_changed(catalog)
        _write(catalog, path)
        missing = sum(1 for message in catalog if message.id and (message.fuzzy or not message.string))
        print(f"{path.name}: {len(catalog)} texts, {missing} to translate")


def _keep_changed(catalog: Catalog) -> None:
    """Give a new text the translation of the text it replaces: the most similar unused one with the same context."""
    for message in catalog:
        if message.id and not message.string:
            old = {str(each.id): each for each in catalog.obsolete.values() if each.context == message.context}
            for similar in get_close_matches(str(message.id), old, n=1):
                message.string = old[similar].string
                message.flags.add("fuzzy")


def _new_catalog(code: str) -> Catalog:
    from pyxform.validators.pyxform.iana_subtags.validation import get_languages_with_bad_tags

    if get_languages_with_bad_tags([f"name ({code})"]):
        sys.exit(f"Phones know no language {code!r}: use its code of two or three letters, such as prs for Dari (not fa-AF).")
    try:
        name = Locale.parse(code, sep="-").get_language_name() or code
    except (UnknownLocaleError, ValueError):
        name = code
    comment = f"# Texts of the Tulliana surveys.\n# Language: {name}\n# State: draft"
    return Catalog(code, header_comment=comment, project="Tulliana surveys", version="1", fuzzy=False)


def _write(catalog: Catalog, path: Path) -> None:
    file = BytesIO()
    write_po(file, catalog, width=0, ignore_obsolete=True)
    path.write_bytes(file.getvalue())


def line_of(conversion: Conversion, root: Path = LIBRARY) -> dict[str, str]:
    """The line of published.csv for a form: the SHA-256 of its XForm in all languages and of its drawings."""
    content = b"".join([conversion.xform, *drawings(conversion.media, root).values()])
    sha256 = hashlib.sha256(content).hexdigest()
    return {"form_id": conversion.form_id, "version": conversion.version, "sha256": sha256}


def release(root: Path = LIBRARY) -> None:
    """Note the surveys' new versions in published.csv. A version that is noted there can never change again."""
    path = root / "published.csv"
    lines = read_rows(path)
    known = {(line["form_id"], line["version"]): line["sha256"] for line in lines}
    now = [line_of(each, root) for each in convert_workbooks([workbook(survey_id, root=root) for survey_id in survey_ids(root)])]
    new = [line for line in now if (line["form_id"], line["version"]) not in known]
    changed = [line["form_id"] for line in now if line not in new and line not in lines]
    if changed:
        sys.exit(f"Published already with other content: {', '.join(changed)}. {NEW_VERSION}")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, PUBLISHED, lineterminator="\n")
        writer.writeheader()
        writer.writerows(sorted(lines + new, key=lambda line: (line["form_id"], line["version"])))
    print(f"{len(new)} new versions noted")


NEW_VERSION = "Write a new version (the date and two digits) into form.toml, then run: python -m forms.library release"


def main() -> None:
    """Run one of the three commands."""
    parser = argparse.ArgumentParser(prog="python -m forms.library", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("update", help=str(update.__doc__)).add_argument("language", nargs="?", default="")
    commands.add_parser("release", help=str(release.__doc__))
    commands.add_parser("draw", help=str(draw.__doc__))
    chosen = parser.parse_args()
    try:
        if chosen.command == "update":
            update(new_code=chosen.language)
        elif chosen.command == "draw":
            draw()
        else:
            release()
    except Problem as problem:
        sys.exit(str(problem))


if __name__ == "__main__":
    main()
