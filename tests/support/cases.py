"""Records as the checks see them, without a database: a good one, and what is changed about it."""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from xml.sax.saxutils import escape

from forms.datatypes import calendar_day, read_point
from forms.definition import FormDefinition
from records.flag_kinds import ARRIVAL
from records.flags import Flag
from records.geography import boundaries
from sync.checks import devices
from sync.checks.case import Case, Sent
from tests.support.small import xform

RECEIVED = datetime(2026, 5, 3, 8, 0, tzinfo=UTC)
TEHRAN = "35.712345 51.412345 1100 5"
"""In the province of Tehran."""
_TYPES = {
    "start": ("dateTime", 'jr:preload="timestamp" jr:preloadParams="start"', ""),
    "end": ("dateTime", 'jr:preload="timestamp" jr:preloadParams="end"', ""),
    "submission_purpose": ("string", "", "select1"),
    "consent": ("string", "", "select1"),
    "reporter/household_code": ("string", 'tulliana:personal="code"', "input"),
    "reporter/owner_contact": ("string", 'tulliana:personal="contact"', "input"),
    "reporter/claim_ref": ("string", "", "input"),
    "country": ("string", "", "select1"),
    "area_code": ("string", "", "input"),
    "when/event_date": ("date", "", "input"),
    "when/found_date": ("date", "", "input"),
    "obs_time": ("dateTime", "", "input"),
    "where/loc_method": ("string", "", "select1"),
    "where/event_gps": ("geopoint", "", "input"),
    "where/event_map": ("geopoint", "", "map"),
    "where/place_name": ("string", "", "input"),
    "code": ("string", "constraint=\"regex(., '[0-9]+')\"", "input"),
    "photo": ("binary", "", "upload"),
    "seen/animal": ("string", "", "input"),
    "remarks": ("string", "", "input"),
}


@cache
def definition() -> FormDefinition:
    """What the form below asks."""
    return FormDefinition.from_xform(form())


@cache
def form() -> bytes:
    """A form with the questions that the checks of place, time and words know, as the shipped surveys have them."""
    groups: dict[str, list[str]] = {}
    for path in _TYPES:
        group, _, name = path.rpartition("/")
        groups.setdefault(group, []).append(name)
    nodes = "".join(f"<{name}/>" for name in groups.pop(""))
    nodes += "".join(f"<{group}>{''.join(f'<{name}/>' for name in names)}</{group}>" for group, names in groups.items())
    binds = "".join(f'<bind nodeset="/data/{path}" type="{kind}" {more}/>' for path, (kind, more, _) in _TYPES.items())
    body = "".join(_control(path, control) for path, (_, _, control) in _TYPES.items() if control and "seen" not in path)
    body += '<group ref="/data/seen"><repeat nodeset="/data/seen"><input ref="/data/seen/animal"/></repeat></group>'
    made = xform(nodes, binds, body, form_id="conflict_livestock")
    return made.replace(b"<h:html ", b'<h:html xmlns:tulliana="urn:tulliana:xforms" ', 1)


def elements(answers: dict[str, Any]) -> str:
    """The XML of answers as a phone writes them."""
    return "".join(
        "".join(f"<{name}>{elements(row)}</{name}>" for row in value)
        if isinstance(value, list)
        else f"<{name}>{elements(value) if isinstance(value, dict) else escape(str(value))}</{name}>"
        for name, value in answers.items()
    )


def _control(path: str, control: str) -> str:
    if control == "map":
        return f'<input ref="/data/{path}" appearance="placement-map"/>'
    mediatype = 'mediatype="image/*"' if control == "upload" else ""
    return f'<{control} ref="/data/{path}" {mediatype}/>'


GOOD: dict[str, Any] = {
    "start": "2026-05-02T10:00:00.000+03:30",
    "end": "2026-05-02T10:20:00.000+03:30",
    "submission_purpose": "real",
    "consent": "yes",
    "country": "IR",
    "reporter": {"household_code": "H-12"},
    "when": {"event_date": "2026-05-01"},
    "where": {"loc_method": "here", "event_gps": TEHRAN},
    "remarks": "two goats, near the spring",
}


def case(answers: dict[str, Any] | None = None, *, received_at: datetime = RECEIVED, **more: Any) -> Case:
    """A case with these answers over the good ones (None takes one away, groups are joined), read as at its arrival."""
    content = joined(GOOD, answers or {})
    fields: dict[str, Any] = {
        "project_id": 1, "form_id": "conflict_livestock", "instance_id": "uuid:1", "current_instance_id": "uuid:1",
        "current_sha256": "0" * 64, "version": "1", "received_at": received_at, "app_user_id": None, "device_id": "collect:a",
        "clock_offset": None, "latitude": None, "longitude": None, "accuracy": None, "event_date": None, "files": [], "flags": [],
        "encrypted": False, "answers": content, "land": boundaries(), "definition": definition(),
    }  # fmt: skip
    made = Case(**(fields | more))
    read_again(made, set(more))
    return made


def joined(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """The answers of one with those of the other over them."""
    both = {
        name: joined(one[name], value) if isinstance(value, dict) and isinstance(one.get(name), dict) else value
        for name, value in (one | other).items()
        if name in other
    }
    return {name: value for name, value in (one | both).items() if value is not None}


def read_again(made: Case, given: set[str]) -> None:
    """Fill in what intake and the checker take from the answers."""
    for asked in made.asked:
        kind, control, value = asked.question.type, asked.question.control, asked.value
        if not control or not isinstance(value, str):
            continue
        if kind == "geopoint" and made.latitude is None and "latitude" not in given:
            try:
                made.latitude, made.longitude, _, accuracy = read_point(value)
            except ValueError:
                continue
            made.accuracy = accuracy or None
        elif kind in {"date", "dateTime"} and made.event_date is None and (day := calendar_day(value)):
            made.event_date = date.fromisoformat(day)
    if made.point is not None and made.land is not None and "admin1" not in given:
        made.admin1 = made.land.units_at([made.point[0]], [made.point[1]])[0] or made.land.unit_near(*made.point, 2.0)
        made.country = made.admin1[:2] if made.admin1 else None
    ended = made.moment("end")
    made.finished_at = ended - devices.ahead(made) if ended is not None else None


def sent(number: int, **more: Any) -> Sent:
    """What the device sent `number` days before: at noon, twenty minutes of work, sent at once, from Tehran."""
    at = RECEIVED - timedelta(days=number)
    fields: dict[str, Any] = {
        "key": ("conflict_livestock", f"uuid:before-{number}"), "received_at": at, "began_at": at - timedelta(minutes=20),
        "finished_at": at, "lag": timedelta(seconds=30), "point": (35.7 + number / 1000, 51.4), "accuracy": 5.0,
        "event_date": at.date(),
    }  # fmt: skip
    return Sent(**(fields | more))


def codes(found: list[Flag]) -> list[str]:
    """The codes of the flags that are none of arrival."""
    return [item["code"] for item in found if item["code"] not in ARRIVAL]
