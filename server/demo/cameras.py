"""How rangers answer at the camera stations of the made-up years: they put a camera up, look after it, and take it down."""

from datetime import datetime, time, timedelta
from random import Random

from server.demo.filling import Answers
from server.demo.landscapes import COUNTRIES, WORDS
from server.demo.place import geopoint
from server.demo.world import Event

VISITS = ("deploy", "service", "retrieve")
_FEATURES = ("trailGame", "trailHiking", "roadDirt", "waterSource")
_FAILED = 0.15
"""Share of cameras that had stopped when they were looked after."""


def camera_answers(event: Event, facts: Random, own: Random) -> Answers:
    """Answers at one visit; what a station is follows from its story, the same at every visit."""
    camera, card, height, heading, reach = (
        f"C{facts.randint(100, 999)}",
        facts.randint(10, 99),
        facts.randint(35, 60),
        facts.randrange(360),
        round(facts.uniform(6, 18), 1),
    )
    feature, is_paired, fails = facts.choice(_FEATURES), facts.random() < 0.3, facts.random() < _FAILED
    at = datetime.combine(event.day, time(own.randint(8, 16), own.randint(0, 59)))
    before, moment, after = (_moment(event, at + timedelta(minutes=minutes)) for minutes in (-6, 0, 9))
    works = not (fails and event.visit == 1)
    return {
        "start": before,
        "end": after,
        "country": event.landscape.country,
        "project_code": f"{event.landscape.code}-CAM",
        "station_id": f"{event.landscape.code}-{event.story}",
        "cam_event": VISITS[event.visit],
        "event_time": moment,
        "point": geopoint(event.latitude, event.longitude, event.landscape.altitude_m, round(own.uniform(3, 8), 1)),
        "camera_typed": camera,
        "card_id": f"SD{card + event.visit}",
        "feature": feature,
        "height_cm": height,
        "heading": heading,
        "detect_m": reach,
        "paired": "yes" if is_paired else "no",
        "bait": "no",
        "working": "yes" if works else "no",
        "camera_clock": moment,
        "last_image": (event.day - timedelta(days=own.randint(3, 12))).isoformat(),
        "n_images": own.randint(40, 900),
        "remarks": WORDS[event.landscape.language].label,
    }


def _moment(event: Event, at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.000{COUNTRIES[event.landscape.country].offset}"
