"""Wildlife of a made-up year for tests: prey counts, patrols, signs of leopards and cameras, every place of them known."""

import hashlib
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Connection, delete, insert, update

from forms.library import workbook
from forms.xlsform import convert_workbooks
from records.models import FormVersion, Submission
from tests.support.conflict import insert_record

HOME = (36.4137, 52.2391)
DAY = date(2025, 2, 11)
SKY = {"weather": "clear", "visibility": "good"}
SURVEYS = ("prey_transect", "prey_block", "patrol_effort", "leopard_sign")
SECRETS = ("LINE-77", "BLOCK-77", "AREA-77", "CAM-77", "CARD-77", "ST-LIVE", "ST-OVER", "PAIR-77", "near the red rock", "OBS-77")
"""Codes and words that stand in the records, and may stand nowhere else."""


@cache
def shipped() -> dict[str, bytes]:
    """The shipped surveys of wildlife in English, as phones get them."""
    made = convert_workbooks([workbook(form_id, ["en"]) for form_id in SURVEYS])
    return {form_id: each.xform for form_id, each in zip(SURVEYS, made, strict=True)}


def publish(connection: Connection) -> None:
    """Publish the surveys of wildlife in an empty database."""
    for form_id, xform in shipped().items():
        insert_record(connection, "uuid:none", {}, form_id=form_id)  # brings the project and the form
        connection.execute(delete(Submission))
        key = {"project_id": 1, "form_id": form_id, "version": "1", "published_at": datetime(2025, 1, 1, tzinfo=UTC)}
        own = {"title": form_id, "md5": "0" * 32, "sha256": hashlib.sha256(xform).hexdigest(), "source_name": "x", "xform": xform}
        connection.execute(insert(FormVersion).values(**key, **own))


def put(
    connection: Connection,
    form_id: str,
    key: str,
    answers: dict[str, Any],
    *,
    place: tuple[float, float] | None = HOME,
    day: date = DAY,
    came: date | None = None,
    **about: Any,
) -> None:
    """A record of a shipped survey that came two days after it was made, and was checked."""
    content = {"submission_purpose": "real", "country": "IR", "meta": {"instanceID": key}} | answers
    where = (*place, 6.0) if place else (None, None, None)
    insert_record(connection, key, content, place=where, day=day, form_id=form_id)
    received = datetime.combine(came or day + timedelta(days=2), time(9), UTC)
    own = {"received_at": received, "checked": 99, "country": "IR" if place else None, "admin1": "IR-21" if place else None}
    connection.execute(update(Submission).filter_by(instance_id=key).values(own | about))


def point(place: tuple[float, float]) -> str:
    """A position as a phone writes it."""
    return f"{place[0]} {place[1]} 1200 6"


def group(species: str = "capra_aegagrus", total: int = 7, **more: Any) -> dict[str, Any]:
    """A group of animals as both prey counts tell it."""
    return {"species": species, "n_total": total, **more}


def transect(*groups: dict[str, Any], km: float = 4.2, place: tuple[float, float] = HOME, **more: Any) -> dict[str, Any]:
    """A walk along a line."""
    return {
        "survey": {"area_code": "AREA-77", "transect_id": "LINE-77", "visit_no": 1, "observers": "OBS-77", "travel": "foot"},
        "start_g": {"start_time": f"{DAY}T06:31:00.000+03:30", "start_point": point(place)} | SKY,
        "animals_seen": "yes" if groups else "no",
        "obs": list(groups),
        "end_g": {"length_km": km, "completed": "yes", "end_point": point(place), "remarks": "near the red rock"} | more,
    }


def block(*groups: dict[str, Any], role: str = "", km2: float = 8.0, share: float | None = 75, **more: Any) -> dict[str, Any]:
    """A block that was looked over."""
    survey = {"area_code": "AREA-77", "block_id": "BLOCK-77", "block_km2": km2, "visible_share": share, "observers": "OBS-77"}
    survey |= {"count_method": "double" if role else "vantage", "pair_code": "PAIR-77" if role else None, "obs_role": role or None}
    survey |= {"point": point(HOME), "weather": "wind", "visibility": "fair"}
    return {"survey": survey, "animals_seen": "yes" if groups else "no", "grp": list(groups), "remarks": "near the red rock"} | more


def patrol(*seen: dict[str, Any], km: float = 12.5) -> dict[str, Any]:
    """A patrol with what it noted."""
    return {
        "area_code": "AREA-77",
        "zero_month": "no",
        "patrol": {"patrol_type": "horse", "km": km, "people": 2, "anything_seen": "yes" if seen else "no", "obs": list(seen)},
    }


def sign(kind: str = "track", *, trained: str = "yes", place: tuple[float, float] = HOME, **more: Any) -> dict[str, Any]:
    """A leopard or its sign."""
    where = {"event_point": point(place), "event_gps": point(place), "place_name": "near the red rock"}
    return {"sign_type": kind, "trained": trained, "where": where, "habitat": "cliff", "confidence": "certain", **more}


def visit(event: str, day: date, station: str = "ST-OVER", *, place: tuple[float, float] = HOME, **more: Any) -> dict[str, Any]:
    """A visit to a camera station."""
    setup = {"feature": "trailGame", "height_cm": 45, "heading": 270, "detect_m": 11.5, "paired": "no", "bait": "no"}
    about = {"project_code": "AREA-77", "station_id": station, "cam_event": event, "point": point(place)}
    about |= {"event_time": f"{day}T10:12:00.000+03:30", "camera_id": "CAM-77", "card_id": "CARD-77"}
    return about | (setup if event == "deploy" else {"working": "yes", "n_images": 812}) | more


def stand(connection: Connection, station: str, *visits: tuple[str, date], place: tuple[float, float] = HOME, **more: Any) -> None:
    """The visits to a camera station, each an event and its day; `more` are answers to the first."""
    for number, (event, day) in enumerate(visits):
        answers = visit(event, day, station, place=place, **(more if not number else {}))
        put(connection, "camera_station", f"uuid:{station}-{number}", answers, place=place, day=day)
