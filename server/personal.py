"""The daily care for personal data: everything is sealed, and what has had its time goes."""

import logging
import shutil
import threading
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from forms.problems import Problem
from records.access import Access
from records.orphans import remove_files
from records.retention import Dropped, drop_due
from server.services import Services
from server.thumbnails import path_of
from sync.person.erasing import erase as erase_person
from sync.person.erasing import finish
from sync.person.finding import Person
from sync.sealing import is_due, seal_all

ACTOR = "schedule"
_REST_SECONDS = 0.05  # between pages, so that phones hardly notice
_log = logging.getLogger(__name__)


def look_after(services: Services, lost: threading.Event) -> None:
    """Do what is due; ends early when `lost` is set."""
    try:
        with services.store.read() as connection:
            seal = is_due(connection)
        if seal:
            seal_all(services.store, services.blobs, services.intake.schemas, stop=lambda: lost.wait(_REST_SECONDS))
            forget_plain_thumbnails(services)
        finish(services.store, services.blobs)
        drop(services, services.config.contact_months, ACTOR)
    except Problem as problem:
        _log.error("Personal data could not be looked after: %s", problem)


def drop(services: Services, months: int, actor: str) -> Dropped:
    """Delete what is older than so many months. Raises `Problem("personal_key_missing")`."""
    done = drop_due(services.store, months=months, now=datetime.now(UTC), actor=actor)
    remove_files(services.store, services.blobs, done.digests)
    return done


@dataclass(frozen=True, slots=True)
class Erased:
    """How much of what was erased, and the folders of releases that named the person and are no longer there."""

    counts: Mapping[str, int]
    withdrawn: list[str]


def erase(services: Services, access: Access, person: Person, reason: str) -> Erased:
    """Erase what was found of a person: records, files, small pictures, releases. See `sync.person.erasing.erase`."""
    done = erase_person(services.store, services.blobs, services.intake.schemas, access, person, reason)
    for sha256 in done.digests:
        path_of(services, sha256).unlink(missing_ok=True)
    return Erased(done.counts, withdraw_releases(services, access, person))


def withdraw_releases(services: Services, access: Access, person: Person) -> list[str]:
    """Delete the releases that name a person who was erased, and return their folders. Releases name nobody, so there are none."""
    root = services.config.releases_folder
    runs = (root / f"project{access.project_id}").glob("*/*")
    named = [run for run in runs if any(file.is_file() and person.identity.is_in(_text(file)) for file in run.rglob("*"))]
    for each in named:
        shutil.rmtree(each)
    return sorted(str(each.relative_to(root)) for each in named)


def _text(file: Path) -> str:
    if not zipfile.is_zipfile(file):
        return file.read_text(encoding="utf-8", errors="replace")
    with zipfile.ZipFile(file) as archive:
        return "\n".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())


def forget_plain_thumbnails(services: Services) -> None:
    """Delete the small pictures of a version of this program that did not seal them."""
    for plain in (services.config.data / "thumbnails").glob("*/*.jpg"):
        plain.unlink(missing_ok=True)
