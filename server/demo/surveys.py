"""How rangers answer the two prey counts and the dog report of the made-up years."""

import math
from datetime import datetime, time, timedelta
from random import Random

from server.demo.filling import Answers
from server.demo.landscapes import COUNTRIES, WORDS
from server.demo.place import geopoint, where
from server.demo.world import Event, moved

_HERDS = {"sus_scrofa": (2, 9), "capreolus": (1, 3), "cervus_elaphus": (1, 6), "gazella_bennettii": (1, 8)}


def transect_answers(event: Event, facts: Random, own: Random) -> Answers:
    """Answers about one walk along a line, with none to six groups seen from it."""
    bearing, length, speed = own.uniform(0, 2 * math.pi), round(own.uniform(1.5, 5), 2), own.uniform(1.4, 2.4)
    start = datetime.combine(event.day, time(6, own.randint(0, 50)))
    end = moved(event.latitude, event.longitude, length * 0.9 * math.cos(bearing), length * 0.9 * math.sin(bearing))
    altitude = event.landscape.altitude_m
    seen = _how_many(facts, 1.7)
    minutes = sorted(own.uniform(5, length / speed * 60 - 5) for _ in range(seen))
    stop = start + timedelta(hours=length / speed)
    return {
        "start": _moment(event, start),
        "end": _moment(event, stop + timedelta(minutes=2)),
        "country": event.landscape.country,
        "survey": {
            "area_code": event.landscape.code,
            "transect_id": f"{event.landscape.code}-T{own.randint(1, 9):02}",
            "visit_no": own.randint(1, 4),
            "observers": f"{event.landscape.code}-RAN1 {event.landscape.code}-RAN2",
            "travel": own.choices(("foot", "horse"), (92, 8))[0],
        },
        "start_g": {"start_time": _moment(event, start), "start_point": geopoint(event.latitude, event.longitude, altitude, 5)}
        | _sky(own),
        "animals_seen": "yes" if seen else "no",
        "obs": [_seen_from_line(event, start + timedelta(minutes=after), own) for after in minutes],
        "end_g": {
            "no_detection": "yes",
            "end_time": _moment(event, stop),
            "end_point": geopoint(*end, altitude + own.gauss(0, 60), 6),
            "length_km": length,
            "completed": own.choices(("yes", "no"), (93, 7))[0],
            "remarks": WORDS[event.landscape.language].label,
        },
    }


def _seen_from_line(event: Event, at: datetime, own: Random) -> Answers:
    """Fewer groups are seen the farther they are from the line."""
    perpendicular, angle = abs(own.gauss(0, 120)), own.uniform(15, 88)
    return _group(event, own) | {
        "obs_time": _clock(event, at),
        "cue": own.choices(("seen", "flushed", "heard"), (80, 14, 6))[0],
        "angle_method": "relative",
        "radial_m": round(perpendicular / math.sin(math.radians(angle)), 0),
        "sight_angle": round(angle, 0),
        "dist_method": own.choices(("rangefinder", "estimate"), (75, 25))[0],
        "behaviour": own.choice(("feeding", "resting", "moving", "alert", "fleeing")),
        "obs_habitat": own.choice(("cliff", "forest_b", "shrub", "steppe")),
        "livestock_500m": own.choices((0, 40, 120), (80, 12, 8))[0],
        "dogs_500m": own.choices((0, 2), (88, 12))[0],
    }


def block_answers(event: Event, facts: Random, own: Random) -> Answers:
    """Answers about one count of a block from a ridge, some of them by two observers."""
    method = own.choices(("vantage", "double", "total"), (55, 25, 20))[0]
    start = datetime.combine(event.day, time(own.choice((6, 7, 16)), own.randint(0, 50)))
    point = geopoint(event.latitude, event.longitude, event.landscape.altitude_m + 300, 5)
    groups = [
        _group(event, own)
        | {
            "group_no": str(number),
            "obs_time": _clock(event, start + timedelta(minutes=own.randint(3, 90))),
            "bearing": own.randint(0, 359),
            "distance_m": round(own.uniform(150, 2200), -1),
            "seen_by": own.choices(("both", "obs1", "obs2"), (60, 22, 18))[0],
            "double_count": own.choices(("no", "yes"), (92, 8))[0],
        }
        for number in range(1, 1 + _how_many(facts, 2.2))
    ]
    stop = start + timedelta(minutes=own.randint(95, 160))
    return {
        "start": _moment(event, start),
        "end": _moment(event, stop + timedelta(minutes=2)),
        "country": event.landscape.country,
        "survey": {
            "area_code": event.landscape.code,
            "block_id": f"{event.landscape.code}-B{own.randint(1, 6)}",
            "block_km2": round(own.uniform(3, 18), 1),
            "visible_share": own.randint(50, 95),
            "count_method": method,
            "obs_role": "reconciled",
            "pair_code": f"P{event.number}",
            "lag_min": own.choice((0, 15, 30)),
            "observers": f"{event.landscape.code}-RAN1 {event.landscape.code}-RAN3",
            "start_time": _moment(event, start),
            "point": point,
        }
        | _sky(own),
        "animals_seen": "yes" if groups else "no",
        "grp": groups,
        "no_detection": "yes",
        "end_time": _moment(event, stop),
        "walked_km": round(own.uniform(0, 4), 1),
        "remarks": WORDS[event.landscape.language].label,
    }


def dog_answers(event: Event, facts: Random, own: Random) -> Answers:
    """Answers about dogs and what they did."""
    kind = facts.choices(("sighting", "wildlife", "livestock", "leopard", "klepto", "killed", "disease"), (34, 22, 14, 8, 6, 8, 8))[
        0
    ]
    owned = own.choices(("yes", "no", "dk"), (50, 30, 20))[0]
    dogs, met = own.randint(1, 7), kind in {"leopard", "klepto", "killed"}
    prey = own.choice(event.landscape.prey)
    return {
        "country": event.landscape.country,
        "reporter_role": "ranger",
        "reporter_code": f"{event.landscape.code}-RAN{own.randint(1, 3)}",
        "event_date": event.day.isoformat(),
        "time_of_day": own.choice(("dawn", "day", "dusk", "night")),
        "where": where(event, own),
        "event_type": kind,
        "dog_class": own.choice(("guardian", "herding", "village"))
        if owned == "yes"
        else own.choice(("stray", "feral", "unknown")),
        "dogs_n": dogs,
        "pups_n": 0,
        "owned": owned,
        "dist_settlement_m": round(own.lognormvariate(6.5, 0.9), -1),
        "control": own.choice(("loose", "with_herder")) if owned == "yes" else "loose",
        "collared": "yes" if owned == "yes" else "no",
        "wild": _chased(prey, own),
        "stock": {
            "stock_species": own.choice(("sheep", "goat")),
            "stock_injured": own.randint(0, 3),
            "stock_killed": own.randint(1, 4),
            "blamed_predator": own.choices(("yes", "no"), (60, 40))[0],
        },
        "leo": {
            "pred_species": "leopard",
            "leo_result": "killed" if kind == "killed" else own.choice(("chased", "harassed")),
            "dogs_killed": 1 if met and kind == "killed" else 0,
            "klepto": own.choice(("took", "scavenged", "lost")),
            "kill_species": prey,
        },
        "health": {"signs": own.choice(("mange", "emaciated", "discharge")), "vaccinated": "dk", "bite_people": "no"},
        "action": own.choice(("none", "owner", "reported")),
        "remarks": WORDS[event.landscape.language].label,
    }


def _chased(prey: str, own: Random) -> Answers:
    result = own.choices(("chased", "injured", "killed"), (60, 18, 22))[0]
    return {
        "wild_species": prey,
        "wild_chased": own.randint(1, 6),
        "wild_injured": 1 if result == "injured" else 0,
        "wild_killed": 1 if result == "killed" else 0,
        "wild_result": result if result == "chased" else ("chased", result),
    }


def _group(event: Event, own: Random) -> Answers:
    """A group of one species with its age and sex classes; some animals stay unclassed."""
    species = own.choice(event.landscape.prey)
    total = own.randint(*_HERDS.get(species, (1, 14)))
    classed = own.randint(total // 2, total)
    classes = [own.choices(("n_male", "n_female", "n_subadult", "n_young"), (3, 4, 2, 3))[0] for _ in range(classed)]
    names = ("n_male", "n_female", "n_subadult", "n_young")
    return {"species": species, "n_total": total} | {name: classes.count(name) for name in names}


def _how_many(facts: Random, mean: float) -> int:
    """A Poisson number: arrivals before time runs out."""
    number, left = 0, facts.expovariate(1)
    while left < mean:
        number, left = number + 1, left + facts.expovariate(1)
    return number


def _sky(own: Random) -> Answers:
    return {
        "weather": own.choices(("clear", "partly", "overcast", "wind"), (50, 30, 14, 6))[0],
        "visibility": own.choices(("good", "fair", "poor"), (70, 25, 5))[0],
    }


def _moment(event: Event, at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.000{COUNTRIES[event.landscape.country].offset}"


def _clock(event: Event, at: datetime) -> str:
    return f"{at:%H:%M:%S}.000{COUNTRIES[event.landscape.country].offset}"
