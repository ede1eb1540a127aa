"""A made-up truth set: attacks of which it is known who reported them, with the mistakes people make, and hard cases.

Villages hold households with herds. An attack is reported by the herder, and often by a ranger or an NGO too: they stand elsewhere,
write the village and the household in another spelling, err about the day, the animals and the predator. Neighbours are attacked in
the same night, and herds night after night; these are different events. Nothing here knows how reports are compared.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from sync.checks.case import Case
from sync.incidents.facts import Facts, facts_of

FORM = "conflict_livestock"
VILLAGES = ("علی‌آباد", "ده‌بالا", "چشمه کبود", "کلاته", "قلعه‌نو", "تنگ گز", "مزرعه شاه", "گلستان", "Aghavnadzor", "Ağdaban")
ARABIC = str.maketrans("یک", "يك")
PERSIAN_DIGITS = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
KM = 1 / 111.2


@dataclass(frozen=True, slots=True)
class Told:
    """One report: `story` is the attack it tells of. Place in degrees, or None."""

    instance_id: str
    story: int
    day: date
    point: tuple[float, float, float | None] | None
    device: str
    answers: dict[str, Any]

    def case(self) -> Case:
        """As the checks see it."""
        latitude, longitude, accuracy = self.point or (None, None, None)
        return Case(
            project_id=1,
            form_id=FORM,
            instance_id=self.instance_id,
            current_instance_id=self.instance_id,
            current_sha256="0" * 64,
            version="1",
            received_at=datetime(2026, 11, 1, tzinfo=UTC),
            app_user_id=None,
            device_id=self.device,
            clock_offset=None,
            latitude=latitude,
            longitude=longitude,
            accuracy=accuracy,
            event_date=self.day,
            files=[],
            flags=[],
            encrypted=False,
            answers=self.answers,
        )

    def facts(self) -> Facts:
        """What is compared of it."""
        return facts_of(self.case())


@dataclass(frozen=True, slots=True)
class Home:
    """A household: its code, village, place and phone."""

    code: str
    village: str
    latitude: float
    longitude: float
    herd: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Attack:
    """What really happened."""

    home: Home
    day: date
    time: str
    latitude: float
    longitude: float
    predator: str
    losses: tuple[tuple[str, int, int], ...]


def truth_set(seed: int, *, attacks: int = 300, villages: int = 12, days: int = 730) -> list[Told]:
    """Reports of about so many attacks, in the order of their days."""
    chance = Random(f"twins {seed}")
    happened = sorted(_attacks(chance, attacks, villages, days), key=lambda each: each.day)
    told = [report for story, attack in enumerate(happened) for report in _reports(chance, story, attack)]
    return [replace(each, instance_id=f"uuid:{number:08x}-{seed}") for number, each in enumerate(told)]


def _attacks(chance: Random, attacks: int, villages: int, days: int) -> Iterator[Attack]:
    homes = [_homes(chance, number) for number in range(villages)]
    weights = [1 / (1 + rank) for rank in range(villages)]
    made = 0
    while made < attacks:
        village = chance.choices(homes, weights)[0]
        attack = _attack(chance, chance.choice(village), date(2024, 11, 1) + timedelta(days=chance.randrange(days)))
        for one in (attack, *_same_night(chance, attack, village), *_more_nights(chance, attack)):
            yield one
            made += 1


def _homes(chance: Random, number: int) -> list[Home]:
    north, east = 33 + 0.25 * (number % 4), 51 + 0.3 * (number // 4)
    name = VILLAGES[number % len(VILLAGES)]
    species = (("sheep", "goat"), ("sheep",), ("goat",), ("goat", "cattle"), ("sheep", "goat", "donkey"))
    return [
        Home(f"IR-{number:02}-{each:03}", name, *_moved(chance, north, east, 0.5), chance.choice(species))
        for each in range(1, chance.randint(5, 16))
    ]


def _attack(chance: Random, home: Home, day: date) -> Attack:
    in_fold = chance.random() < 0.5
    place = _moved(chance, home.latitude, home.longitude, 0.05 if in_fold else 1.2)
    time = chance.choices(("night", "dawn", "day", "dusk"), (80, 12, 4, 4) if in_fold else (35, 15, 35, 15))[0]
    killed = 1
    while chance.random() < 0.45:
        killed += 1
    if in_fold and chance.random() < 0.08:
        killed = chance.randint(6, 30)
    predator = chance.choices(("leopard", "wolf", "bear_brown"), (70, 26, 4))[0]
    species = chance.choice(home.herd)
    losses = [(species, killed, chance.choices((0, 1, 2), (75, 18, 7))[0])]
    if killed > 2 and len(home.herd) > 1 and chance.random() < 0.4:
        second = next(each for each in home.herd if each != species)
        losses = [(species, killed - 1, losses[0][2]), (second, 1, 0)]
    return Attack(home, day, time, *place, predator, tuple(losses))


def _same_night(chance: Random, attack: Attack, village: list[Home]) -> Iterator[Attack]:
    """Another household of the village, attacked by the same predator in the same night."""
    if chance.random() < 0.12 and len(village) > 1:
        neighbour = chance.choice([home for home in village if home != attack.home])
        yield replace(_attack(chance, neighbour, attack.day), predator=attack.predator, time=attack.time)


def _more_nights(chance: Random, attack: Attack) -> Iterator[Attack]:
    """The predator comes back to the herd."""
    day = attack.day
    while chance.random() < 0.18:
        day += timedelta(days=chance.randint(1, 3))
        again = _attack(chance, attack.home, day)
        place = _moved(chance, attack.latitude, attack.longitude, 0.15)
        yield replace(again, predator=attack.predator, time=attack.time, latitude=place[0], longitude=place[1])


def _reports(chance: Random, story: int, attack: Attack) -> Iterator[Told]:
    """Usually the herder, sometimes others, the shepherd beside the owner; now and then somebody sends it once more, not alike."""
    shares = (("herder", 0.85), ("ranger", 0.3), ("ngo", 0.12), ("shepherd", 0.03))
    for role in [role for role, share in shares if chance.random() < share] or ["herder"]:
        told = _told(chance, story, attack, role)
        yield told
        if chance.random() < 0.02:
            again = _told(chance, story, attack, role)
            yield replace(again, device=told.device, answers=again.answers | {"reporter": told.answers["reporter"]})


def _told(chance: Random, story: int, attack: Attack, role: str) -> Told:
    own = role in {"herder", "shepherd"}
    number = attack.home.code.split("-")[1]
    device = f"phone-{attack.home.code}" if role == "herder" and chance.random() < 0.7 else f"phone-{role}-{number}"
    day, precision = _dated(chance, attack, own)
    where, point = _placed(chance, attack, own)
    return Told("", story, day, point, device, {
        "submission_purpose": "real",
        "consent": "yes" if chance.random() < 0.97 else "no",
        "reporter": {
            "reporter_role": "herder" if own else role,
            "reporter_code": attack.home.code if role == "herder" else f"{role[:3].upper()}-{number}-{chance.randint(1, 2)}",
            "household_code": _code(chance, attack.home.code, own),
        },
        "country": "IR",
        "when": {"event_date": day.isoformat(), "date_precision": precision, "time_of_day": _time(chance, attack.time, own)},
        "where": where,
        "losses_g": {"loss": _losses(chance, attack, own)},
        "cause": {"predator": _predator(chance, attack.predator, own)},
    })  # fmt: skip


def _dated(chance: Random, attack: Attack, own: bool) -> tuple[date, str]:
    """Others hear of it later: they err by a day now and then, and not all of them know that they may."""
    error = chance.choices((0, 1, -1), (95, 2, 3) if own else (87, 4, 9))[0]
    precision = chance.choices(("exact", "day1", "week"), (85, 12, 3) if own else (70, 24, 6))[0]
    if precision == "week":
        error = chance.randint(-4, 4)
    return attack.day + timedelta(days=error), precision


def _placed(chance: Random, attack: Attack, own: bool) -> tuple[dict[str, Any], tuple[float, float, float | None] | None]:
    method = chance.choices(("here", "map", "named"), (82, 11, 7))[0]
    if method == "named":
        return {"loc_method": method, "place_name": _spelled(chance, attack.home.village)}, None
    stand = 0.06 if own else 0.12
    accuracy = round(chance.lognormvariate(2.0, 0.6), 1)
    if method == "here" and chance.random() < 0.1:  # filled in at home, not at the carcass
        place = _moved(chance, attack.home.latitude, attack.home.longitude, 0.02)
    elif method == "here":
        place = _moved(chance, attack.latitude, attack.longitude, math.hypot(stand, accuracy / 1000))
    else:
        place, accuracy = _moved(chance, attack.latitude, attack.longitude, 0.5), 0.0
    return {"loc_method": method}, (*place, accuracy or None)


def _code(chance: Random, code: str, own: bool) -> str:
    """A household code as somebody writes it: unknown, mistyped, in small letters, without hyphens or in Persian digits."""
    if chance.random() < (0.04 if own else 0.15):
        return "NEW"
    if chance.random() < 0.04:
        position = chance.randrange(3, len(code))
        code = code[:position] + chance.choice("0123456789") + code[position + 1 :]
    way = chance.random()
    if way < 0.1:
        return code.lower().replace("-", " ")
    return code.translate(PERSIAN_DIGITS) if way < 0.2 else code


def _spelled(chance: Random, name: str) -> str:
    way = chance.random()
    if way < 0.3:
        return name.translate(ARABIC)
    if way < 0.5:
        return name.replace("\u200c", " ")
    if way < 0.6 and len(name) > 5:
        position = chance.randrange(1, len(name) - 1)
        return name[:position] + name[position + 1 :]
    return name


def _time(chance: Random, time: str, own: bool) -> str:
    if chance.random() < (0.04 if own else 0.15):
        return "unknown"
    if chance.random() < 0.1:
        return {"night": "dawn", "dawn": "night", "day": "dusk", "dusk": "night"}[time]
    return time


def _losses(chance: Random, attack: Attack, own: bool) -> list[dict[str, Any]]:
    rows = []
    for species, killed, injured in attack.losses:
        told = {"sheep": "goat", "goat": "sheep"}.get(species, species) if not own and chance.random() < 0.07 else species
        number = max(0, killed + (chance.choice((-1, 1)) if chance.random() < (0.05 if own else 0.18) else 0))
        hurt = injured if own or chance.random() < 0.8 else 0
        rows.append({"species": told, "n_killed": number, "n_injured": hurt, "n_missing": 0})
    return rows


def _predator(chance: Random, predator: str, own: bool) -> str:
    draw = chance.random()
    if draw < (0.06 if own else 0.1):
        return "unknown"
    if draw < 0.16:
        return chance.choice([each for each in ("leopard", "wolf") if each != predator])
    return predator


def _moved(chance: Random, latitude: float, longitude: float, km: float) -> tuple[float, float]:
    """A place about so far away (standard deviation in each direction)."""
    north, east = chance.gauss(0, km) * KM, chance.gauss(0, km) * KM
    return latitude + north, longitude + east / math.cos(math.radians(latitude))
