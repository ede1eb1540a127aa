"""The daily care for personal data: everything is sealed, and what has had its time goes."""

import logging
import threading
from datetime import UTC, datetime

from forms.problems import Problem
from records.retention import drop_due
from server.services import Services
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
        drop_due(services.store, months=services.config.contact_months, now=datetime.now(UTC), actor=ACTOR)
    except Problem as problem:
        _log.error("Personal data could not be looked after: %s", problem)


def forget_plain_thumbnails(services: Services) -> None:
    """Delete the small pictures of a version of this program that did not seal them."""
    for plain in (services.config.data / "thumbnails").glob("*/*.jpg"):
        plain.unlink(missing_ok=True)
