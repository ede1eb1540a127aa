"""One release from the records to a folder that stays as it is, with everything a package needs, and its archive beside it."""

import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, select

from exports.package import changes, dictionary, provenance
from exports.package.contents import ExportedFile, ExportResult, described, write_csv, write_file, write_json
from exports.package.inputs import read_inputs
from exports.package.readme import LICENCES, citation, file_name, readme
from exports.package.words import LANGUAGES, said_of_demo
from exports.recipes import Recipe
from exports.windows import Window
from exports.zipped import timeless_entry
from records.access import Access, Right
from records.models import Project

SUMS = "SHA256SUMS"


@dataclass(frozen=True)
class Made:
    """A new release: its folder, all its files, the archive beside it, its summary, and the rows that changed by table."""

    folder: Path
    files: list[ExportedFile]
    archive: ExportedFile
    summary: dict[str, Any]
    changed: dict[str, dict[str, int]]


@dataclass(frozen=True)
class Standing:
    """The release of this window that was given out before, and stands; `is_same`: it says what a new one would say."""

    name: str
    is_same: bool


def make(
    connection: Connection,
    access: Access,
    recipe: Recipe,
    as_of: date,
    home: Path,
    *,
    past: Sequence[str] = (),
    boundaries: Path | None = None,
    note: str = "",
    may_correct: bool = True,
) -> Made | Standing:
    """Make the release that is due on a day, in `home`, unless the last one of its window holds the same.

    `past` are the names of all folders given out under this name, newest first. One of the same window gets a correction (-r2, with
    `note`) if it `may_correct`, and if that, taken from the one before, tells of no few households. None is ever overwritten. The
    first one that is still in `home` is compared with. The recipe is run once where nothing is to be given out, and twice for a
    correction. Raises what the recipe raises.
    """
    access.require(Right.SEE)
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".making-", dir=home) as workshop:

        def run(revision: int) -> ExportResult:
            out = Path(workshop) / str(revision)
            return recipe.run(connection, access, as_of, out, boundaries=boundaries, revision=revision)

        tried = revision_of(past[0]) if past else 1  # mostly the last release is of this window too, and says the same
        result = run(tried)
        stem = result.folder.name.rpartition("_r")[0]
        last, there = (_last_of_window(stem, names) for names in (past, [path.name for path in home.iterdir() if path.is_dir()]))
        # more there than known: a run was cut off before it could say so, or the database is older than the folder
        if (wanted := last or there + 1) != tried:
            result = run(wanted)
        if last:
            given = home / f"{stem}_r{last}"
            is_same = _is_as_given_out(result, given)
            if is_same or not may_correct or changes.tells_of_few(result, given):
                return Standing(given.name, is_same)
            result = run(max(last, there) + 1)
        before = next((home / name for name in past if (home / name).is_dir()), None)
        found = changes.compare(result, before)
        text = changes.told(result, before, found, note)
        files = pack(connection, access, result, text)
        return _give_out(result, files, home, {name: each.counted() for name, each in found.items()})


def revision_of(name: str) -> int:
    """The number at the end of the name of a folder: 1, and one more with each correction."""
    number = name.rpartition("_r")[2]
    return int(number) if number.isdecimal() else 0


def _last_of_window(stem: str, names: Iterable[str]) -> int:
    """The highest revision among releases of the window that their names begin with; 0 if there is none."""
    return max((revision_of(name) for name in names if name.rpartition("_r")[0] == stem), default=0)


def _is_as_given_out(result: ExportResult, folder: Path) -> bool:
    """Whether the data files are those of a release, byte for byte."""
    path = folder / provenance.NAME
    if not path.is_file():
        return False
    given = orjson.loads(path.read_bytes())["files"]
    return {name: each["sha256"] for name, each in given.items()} == {file.name: file.sha256 for file in result.files}


def pack(connection: Connection, access: Access, result: ExportResult, changed: str) -> list[ExportedFile]:
    """Add to the folder of a recipe what makes it a package; all its files."""
    access.require(Right.SEE)
    folder, data = result.folder, result.files
    summary = result.summary
    summary |= said_of_demo(connection, access)
    window = Window(date.fromisoformat(summary["period_start"]), date.fromisoformat(summary["period_end"]))
    inputs, digest = read_inputs(connection, access, window, result.surveys)
    publisher = connection.execute(select(Project.name).filter_by(id=access.project_id)).scalar() or "tulliana"
    files = [*data, write_csv(folder / dictionary.NAME, dictionary.header(), dictionary.rows(result))]
    files.append(write_file(folder / changes.NAME, changed.encode()))
    origin = provenance.provenance(result, data, inputs, digest)
    files.append(write_json(folder / provenance.NAME, origin, indented=True))
    files.append(write_file(folder / "CITATION.cff", citation(result, publisher)))
    files += [write_file(folder / file_name(each), readme(result, data, publisher, each)) for each in LANGUAGES]
    if dictionary.DESCRIPTOR not in {file.name for file in data}:  # a standard may have one of its own
        about = dictionary.descriptor(result, files, LICENCES[summary["level"]], provenance.software()["version"])
        files.append(write_file(folder / dictionary.DESCRIPTOR, about))
    sums = "".join(f"{file.sha256}  {file.name}\n" for file in sorted(files, key=lambda file: file.name))
    return [*files, write_file(folder / SUMS, sums.encode())]


def _give_out(result: ExportResult, files: list[ExportedFile], home: Path, changed: dict[str, dict[str, int]]) -> Made:
    """Bring folder and archive to their places, where nobody writes to them again."""
    final, archive = home / result.folder.name, home / f"{result.folder.name}.zip"
    fresh = result.folder.with_suffix(".zip")
    _archive(result.folder, files, fresh)
    for path in (fresh, *(result.folder / file.name for file in files)):
        path.chmod(0o444)
    fresh.replace(archive)
    result.folder.rename(final)
    return Made(final, files, described(archive), result.summary, changed)


def _archive(folder: Path, files: Sequence[ExportedFile], target: Path) -> None:
    """Put the files into a ZIP, in one folder, all of one day: the same files make the same archive."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(file.name for file in files):
            with archive.open(timeless_entry(f"{folder.name}/{name}"), "w") as stream, (folder / name).open("rb") as source:
                while part := source.read(1 << 20):
                    stream.write(part)
