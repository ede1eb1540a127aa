"""The daily care for personal data: everything is sealed, and what has had its time goes."""

import logging
import shutil
import threading
import zipfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from forms.problems import Problem
from records.access import Access
from records.retention import drop_due
from server.services import Services
from server.thumbnails import path_of
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
        drop_due(services.store, months=services.config.contact_months, now=datetime.now(UTC), actor=ACTOR)
    except Problem as problem:
        _log.error("Personal data could not be looked after: %s", problem)


def withdraw_releases(services: Services, access: Access, person: Person) -> list[str]:
    """Delete the releases that name a person who was erased, and return their folders. Releases name nobody, so there are none."""
    root = services.config.data / "releases"
    folder = root / f"project{access.project_id}"
    named = {file.parent for file in folder.rglob("*") if file.is_file() and person.identity.is_in(_text(file))}
    for each in named:
        shutil.rmtree(each)
    return sorted(str(each.relative_to(root)) for each in named)


def _text(file: Path) -> str:
    if not zipfile.is_zipfile(file):
        return file.read_text(encoding="utf-8", errors="replace")
    with zipfile.ZipFile(file) as archive:
        return "\n".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())


def forget_thumbnails(services: Services, digests: Iterable[str]) -> None:
    """Delete the small pictures of these files."""
    for sha256 in digests:
        path_of(services, sha256).unlink(missing_ok=True)


def forget_plain_thumbnails(services: Services) -> None:
    """Delete the small pictures of a version of this program that did not seal them."""
    for plain in (services.config.data / "thumbnails").glob("*/*.jpg"):
        plain.unlink(missing_ok=True)
