"""Checks of camera stations: the camera's clock, its last picture, and the order of its visits."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from sqlalchemy import Connection

from forms.submission import case_number
from records.flags import Flag, flag
from sync.checks.case import Case
from sync.checks.measures import DEPLOYED, others
from sync.checks.values import moment, of

MOST_OFF = 600.0  # seconds


@of("camera_station")
def clock(case: Case) -> Iterator[Flag]:
    """The camera's clock against the phone's."""
    phone, camera = moment(case.value("event_time")), moment(case.value("camera_clock"))
    if phone is not None and camera is not None:
        ahead = (camera - phone).total_seconds()
        if abs(ahead) > MOST_OFF:
            yield flag("camera_clock", "camera_clock", offset_seconds=ahead)


@of("camera_station")
def last_image(case: Case) -> Iterator[Flag]:
    """A picture that is younger than the visit which took the card."""
    image, visit = case.day("last_image"), case.day("event_time")
    if image is not None and visit is not None and image > visit:
        yield flag("camera_last_image", "last_image", image_day=image.isoformat(), visit_day=visit.isoformat())


def camera_order(connection: Connection, case: Case) -> Iterable[Flag]:
    """A retrieval before the deployment.

    A camera stands, is taken in and stands again, and its first deployment may be older than this server: so a retrieval is odd
    only when no deployment before it is known, and one that is dated after it had come before it.
    """
    if case.form_id != "camera_station" or case.text("cam_event") != "retrieve" or not case.measures:
        return ()
    visit = moment(case.value("event_time"))
    if visit is None:
        return ()
    deployments = others(connection, case, DEPLOYED)
    earlier = [row for row in deployments if row.came_before(case)]
    if not earlier or any(row.value <= visit.timestamp() for row in deployments):
        return ()
    first = min(earlier, key=lambda row: (row.value, row.instance_id))
    deployed = datetime.fromtimestamp(first.value, visit.tzinfo).date()
    days = {"deployed_day": deployed.isoformat(), "visit_day": visit.date().isoformat()}
    return [flag("camera_order", "event_time", case=case_number(first.instance_id), **days)]
