"""What the leader does for the relay: settle what came from peers, write down what arrived, meet the hub regularly."""

import logging
import threading
import time
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Row, select

from forms.problems import Problem
from records.access import Access, Right
from records.models import RelayProject
from server.services import Services
from sync.relay import enrolment, projects, sharing, sticks
from sync.relay.meeting import Meeting, Outcome
from sync.relay.scribes import scribe_of
from sync.relay.sticks import Written

_LOOK_SECONDS = 2
_AGAIN_SECONDS = 10
"""What waited before is tried again, and files that came are given to their records."""
_SLICE_SECONDS = 600
"""A meeting of the schedule ends after so long, so that what arrived meanwhile, which is smaller than photos, comes first again."""
_met = threading.Lock()
_failed: dict[int, str] = {}
_log = logging.getLogger(__name__)


def relayed(services: Services) -> list[int]:
    """The projects that are exchanged."""
    with services.store.read() as connection:
        return list(connection.execute(select(RelayProject.project_id)).scalars())


def upstream(services: Services, access: Access) -> list[Row[Any]]:
    """The nodes that a project goes to: its hub, hubs above. Raises `Problem` not_found or not_allowed."""
    access.require(Right.SEE)
    found = _peers(services, access, {projects.HUB, projects.RANGE})
    if not found:
        raise Problem("not_found", "This project goes to no hub: tulliana relay enrol CODE.")
    return found


def _peers(services: Services, access: Access, roles: Collection[str]) -> list[Row[Any]]:
    """The peers of these roles that may speak."""
    with services.store.read() as connection:
        present = projects.nodes(connection, access.project_id)
    return [each for each in present if each.role in roles and each.revoked_at is None]


def meet(services: Services, access: Access, *, files: bool = True, most_seconds: float | None = None) -> dict[str, Outcome]:
    """Meet the hubs of a project now; what each meeting did, by the name of the hub.

    Raises `Problem` not_found, not_allowed, busy, or what a meeting raises.
    """
    peers = upstream(services, access)
    if not _met.acquire(blocking=False):
        raise Problem("busy", "A meeting is under way.")
    try:
        services.settler().run()
        outcomes = {peer.name: _meet(services, peer, files=files, most_seconds=most_seconds) for peer in peers}
        services.settler().run()
        return outcomes
    finally:
        _met.release()


def meet_soon(services: Services, access: Access) -> None:
    """Meet the hubs of a project in a thread of its own."""
    threading.Thread(target=_meet_one, args=(services, access), name="meeting", daemon=True).start()


def is_meeting() -> bool:
    """Whether this process meets a hub right now."""
    return _met.locked()


def last_failure(project_id: int) -> str:
    """Why the last meeting of a project broke off, if it did."""
    return _failed.get(project_id, "")


def write_stick(
    services: Services, access: Access, stick: Path, *, name: str | None = None, anew: bool = False
) -> list[tuple[str, Written]]:
    """Put on a stick what the hub lacks, or the stations, or only the node with this name or id, and then what is carried for
    others, whose name is none; until it is full. Raises `Problem` not_found, not_allowed or stick_unusable.
    """
    access.require(Right.PHONES)
    present = _peers(services, access, {projects.HUB, projects.STATION})
    peers = [each for each in present if name in {None, each.name, each.id}]
    if name is not None and not peers:
        raise Problem("not_found", f"There is no node {name} to write for. See: tulliana relay status.")
    found = []
    for peer in peers:
        found.append((str(peer.name), sticks.write(services.answerer(), peer, stick, anew=anew)))
        if found[-1][1].full:
            return found
    carried = sticks.hand_on(services.answerer(), stick)
    if carried != Written():
        found.append(("", carried))
    if not found:
        raise Problem("not_found", "There is no other node to write for.")
    return found


def _meet(services: Services, peer: Row[Any], *, files: bool, most_seconds: float | None) -> Outcome:
    from sync.relay.link import Link

    link = Link(peer.url)
    try:
        enrolment.ask_again(services.store, services.answerer().me, peer, link)
        sticks.deliver(services.answerer(), peer, link)
        return Meeting(services.answerer(), peer, link, most_seconds=most_seconds).run(files=files)
    finally:
        link.close()


def keep_up(services: Services, lost: threading.Event) -> None:
    """Settle and write down what came, and meet hubs as often as the settings say, until the lead is lost."""
    last = tried = 0.0
    while not lost.wait(_LOOK_SECONDS):
        try:
            present = relayed(services)
            if not present:
                continue
            if not tried:
                services.answerer().parts.sweep()
            if services.settler().waits() or time.monotonic() - tried >= _AGAIN_SECONDS:
                tried = time.monotonic()
                services.settler().run()
            answerer = services.answerer()
            for project_id in present:
                scribe_of(answerer, project_id).run()
                sharing.share(services.store, services.blobs, answerer.me, project_id, services.config.releases_folder)
            if services.config.relay_minutes and time.monotonic() - last >= services.config.relay_minutes * 60:
                last = time.monotonic()
                threading.Thread(target=_meet_all, args=(services, present), name="meeting", daemon=True).start()
        except Exception:
            _log.exception("The relay stopped; it is tried again")


def _meet_all(services: Services, present: list[int]) -> None:
    for project_id in present:
        _meet_one(services, Access.everything(project_id, "schedule"))


def _meet_one(services: Services, access: Access) -> None:
    """Meet, and keep in words why it broke off."""
    try:
        outcomes = meet(services, access, most_seconds=_SLICE_SECONDS)
        _log.info("Met at %s: %s", datetime.now(UTC).isoformat(timespec="seconds"), outcomes)
        _failed.pop(access.project_id, None)
    except Problem as problem:
        if problem.kind.code not in {"not_found", "busy"}:
            _failed[access.project_id] = str(problem)
            _log.info("The meeting broke off: %s", problem)
    except Exception:
        _failed[access.project_id] = ""
        _log.exception("A meeting broke off")
