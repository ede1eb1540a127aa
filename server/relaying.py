"""What the leader does for the relay: settle what came from peers, write down what arrived, meet the hub regularly."""

import logging
import threading
import time
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, select

from forms.problems import Problem
from records.access import Access, Right
from records.models import RelayNode, RelayProject
from server.services import Services
from sync.relay import projects, sticks
from sync.relay.link import Link
from sync.relay.meeting import Meeting, Outcome, scribe_of

_LOOK_SECONDS = 2
_SLICE_SECONDS = 600
"""A meeting of the schedule ends after so long, so that what arrived meanwhile, which is smaller than photos, comes first again."""
_met = threading.Lock()
_log = logging.getLogger(__name__)


def relayed(services: Services) -> list[Row[Any]]:
    """(project_id, key, hub) of the projects that are exchanged."""
    with services.store.read() as connection:
        return list(connection.execute(select(RelayProject.project_id, RelayProject.key, RelayProject.hub)))


def upstream(services: Services, access: Access) -> Row[Any]:
    """The hub of a project. Raises `Problem` not_found or not_allowed."""
    access.require(Right.SEE)
    with services.store.read() as connection:
        project = projects.relayed(connection, access.project_id)
        if project is None or project.hub is None:
            raise Problem("not_found", "This project goes to no hub: tulliana relay enrol CODE.")
        row = connection.execute(select(*RelayNode.__table__.columns).filter_by(id=project.hub)).first()
    if row is None:
        raise Problem("not_found", "This project goes to no hub: tulliana relay enrol CODE.")
    return row


def meet(services: Services, access: Access, *, files: bool = True, most_seconds: float | None = None) -> Outcome:
    """Meet the hub of a project now. Raises `Problem` not_found, not_allowed, busy, or what a meeting raises."""
    peer = upstream(services, access)
    if not _met.acquire(blocking=False):
        raise Problem("busy", "A meeting is under way.")
    link = Link(peer.url)
    try:
        services.settler().run()
        sticks.deliver(services.answerer(), peer, link)
        outcome = Meeting(services.answerer(), peer, link, most_seconds=most_seconds).run(files=files)
        services.settler().run()
        return outcome
    finally:
        link.close()
        _met.release()


def keep_up(services: Services, lost: threading.Event) -> None:
    """Settle and write down what came, and meet hubs as often as the settings say, until the lead is lost."""
    last = 0.0
    while not lost.wait(_LOOK_SECONDS):
        try:
            present = relayed(services)
            if not present:
                continue
            services.settler().run()
            for project in present:
                scribe_of(services.answerer(), project.project_id).run()
            if services.config.relay_minutes and time.monotonic() - last >= services.config.relay_minutes * 60:
                last = time.monotonic()
                threading.Thread(target=_meet_all, args=(services, present), name="meeting", daemon=True).start()
        except Exception:
            _log.exception("The relay stopped; it is tried again")


def _meet_all(services: Services, present: list[Row[Any]]) -> None:
    for project in present:
        if project.hub is not None:
            try:
                outcome = meet(services, Access.everything(project.project_id, "schedule"), most_seconds=_SLICE_SECONDS)
                _log.info("Met the hub at %s: %s", datetime.now(UTC).isoformat(timespec="seconds"), outcome)
            except Problem as problem:
                _log.info("The hub was not met: %s", problem)
            except Exception:
                _log.exception("A meeting broke off")
