"""A seeded world of households, leopards and teams, whose every point is known, on a running server: what attackers try to find."""

import base64
import csv
import io
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import h3.api.basic_str as h3
from sqlalchemy import Connection, delete, update

from records.models import Submission
from records.store import open_engine
from tests.support import wildlife
from tests.support.conflict import insert_record
from tests.support.servers import Plain, Server

PASSWORD = "a long enough one"
HOME = h3.latlng_to_cell(36.4, 52.2, 5)
CELLS = sorted(h3.cell_to_children(HOME, 6))
HOUSEHOLDS = (9, 8, 6, 5, 4, 2, 1)
"""How many households live in each of these cells of resolution 6."""
FIRST, DAYS = date(2025, 1, 1), 365
ASKED = date(2026, 7, 1)
"""The day on which the attackers look."""


@dataclass(frozen=True)
class Attack:
    """One conflict report: where and when it really was, of whom, and how many sheep it cost."""

    key: str
    household: str
    latitude: float
    longitude: float
    day: date
    killed: int
    predator: str


@dataclass
class World:
    """The server, and the truth about what is on it."""

    server: Server
    attacks: list[Attack] = field(default_factory=list)
    signs: dict[str, tuple[float, float]] = field(default_factory=dict)
    searched: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Where prey was counted, patrols went and cameras stood or stand: those that stand are named ST-LIVE."""

    @classmethod
    def on(cls, server: Server, seed: int = 7) -> "World":
        """Fill a server with a year of reports."""
        made = cls(server)
        made._fill(random.Random(seed))
        return made

    def _fill(self, draw: random.Random) -> None:
        for cell, number in zip(CELLS, HOUSEHOLDS, strict=True):
            for resident in range(number):
                made = list(_attacks(draw, cell, f"H-{cell[4:8]}-{resident}"))
                self.attacks += made
        with self.connection() as connection:
            for attack in self.attacks:
                _store(connection, attack, _answers(attack, draw))
            for number in range(12):
                place = (36.35 + draw.random() / 5, 52.1 + draw.random() / 5, 6.0)
                kind = ("den", "collar", "track")[min(number, 2)]
                key = f"uuid:sign-{number}"
                self.signs[key] = place[:2]
                point = f"{place[0]} {place[1]} 0 6"
                content = {"sign_type": kind, "where": {"event_point": point}, "remarks": f"seen at {point}", "country": "IR"}
                insert_record(
                    connection, key, content, place=place, day=FIRST + timedelta(days=30 * number), form_id="leopard_sign"
                )
                _came(connection, key, FIRST + timedelta(days=30 * number))
            self._search(connection, draw)

    def _search(self, connection: Connection, draw: random.Random) -> None:
        """Prey counts, patrols, and cameras of which every second still stands, far from the others."""
        day = FIRST + timedelta(days=40)
        for number in range(4):
            line, block, patrol, over = ((36.35 + draw.random() / 5, 52.1 + draw.random() / 5) for _ in range(4))
            live = (35.1 + draw.random() / 5, 51.1 + draw.random() / 5)
            seen = wildlife.group(radial_m=120.5, obs_point=wildlife.point(line))
            dogs = {"obs_kind": "dog", "obs_n": 2, "obs_point": wildlife.point(patrol), "obs_note": "near the red rock"}
            walk = wildlife.transect(seen, place=line)
            wildlife.put(connection, "prey_transect", f"uuid:line-{number}", walk, place=line, day=day)
            wildlife.put(connection, "prey_block", f"uuid:block-{number}", wildlife.block(seen), place=block, day=day)
            wildlife.put(connection, "patrol_effort", f"uuid:patrol-{number}", wildlife.patrol(dogs), place=patrol, day=day)
            wildlife.put(connection, "leopard_sign", f"uuid:sure-{number}", wildlife.sign(place=line), place=line, day=day)
            self.signs[f"uuid:sure-{number}"] = line
            up, visited, down = (day + timedelta(days=days) for days in (0, 31, 83))
            spells = [("deploy", up), ("service", visited)]
            wildlife.stand(connection, f"ST-OVER{number}", *spells, ("retrieve", down), place=over)
            wildlife.stand(connection, f"ST-LIVE{number}", *spells, place=live)
            places = {"line": line, "block": block, "patrol": patrol, "ST-OVER": over, "ST-LIVE": live}
            self.searched |= {f"{name}{number}": place for name, place in places.items()}

    def connection(self) -> Any:
        """A connection beside the server."""
        url = self.server.database_url or f"sqlite:///{self.server.data / 'tulliana.sqlite3'}"
        return open_engine(url).begin()

    def late(self, attack: Attack, came: date) -> None:
        """A report that comes long after its day."""
        self.attacks.append(attack)
        with self.connection() as connection:
            _store(connection, attack, _answers(attack, random.Random(1)))
            _came(connection, attack.key, came)

    def forget(self, attack: Attack) -> None:
        """As if it had never come."""
        self.attacks.remove(attack)
        with self.connection() as connection:
            connection.execute(delete(Submission).filter_by(instance_id=attack.key))

    def rows(self, level: str, form_id: str = "conflict_livestock", *more: str, as_of: date = ASKED) -> list[dict[str, str]]:
        """The rows that `tulliana export data` writes at a level."""
        return table(self.file(level, form_id, *more, as_of=as_of))

    def file(self, level: str, form_id: str = "conflict_livestock", *more: str, as_of: date = ASKED) -> bytes:
        """The root table that it writes."""
        target = self.server.data.parent / f"{self.server.data.name}-{level}.csv"
        target.unlink(missing_ok=True)
        asked = ("--level", level, "--as-of", as_of.isoformat(), "--table", form_id, "--to", str(target))
        code, said = self.server.here("export", "data", form_id, *asked, *more)
        assert code == 0, said
        return target.read_bytes()

    def ask(self, path: str, who: str | None = None, **headers: str) -> Plain:
        """What the server answers somebody."""
        own = {} if who is None else {"Authorization": "Basic " + base64.b64encode(f"{who}:{PASSWORD}".encode()).decode()}
        return self.server.raw("GET", f"http://127.0.0.1:{self.server.port}{path}", headers={**own, **headers})


def table(content: bytes) -> list[dict[str, str]]:
    """CSV as rows."""
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def _attacks(draw: random.Random, cell: str, household: str) -> Iterator[Attack]:
    latitude, longitude = h3.cell_to_latlng(cell)
    home = (latitude + draw.uniform(-0.02, 0.02), longitude + draw.uniform(-0.02, 0.02))
    for number in range(draw.randint(1, 4)):
        point = (home[0] + draw.uniform(-0.003, 0.003), home[1] + draw.uniform(-0.003, 0.003))
        day = FIRST + timedelta(days=draw.randrange(DAYS))
        predator = draw.choice(["leopard", "leopard", "wolf"])
        key = f"uuid:{draw.getrandbits(128):032x}"
        killed = 37 if household.endswith("-0") and not number else draw.choice([1, 1, 2, 2, 3])
        yield Attack(key, household, *point, day, killed, predator)


def _answers(attack: Attack, draw: random.Random) -> dict[str, Any]:
    return {
        "submission_purpose": "real",
        "consent": "yes",
        "consent_share": "yes",
        "country": "IR",
        "reporter": {
            "household_code": attack.household,
            "reporter_role": "herder",
            "reporter_code": "RANGER-9",
            "owner_contact": "withheld",
        },
        "when": {"event_date": attack.day.isoformat(), "time_of_day": draw.choice(["night", "day"])},
        "where": {
            "event_point": f"{attack.latitude} {attack.longitude} 0 8",
            "event_gps": f"{attack.latitude} {attack.longitude} 0 8",
            "place_name": f"Village of {attack.household}",
        },
        "losses_g": {"loss": [{"species": "sheep", "n_killed": attack.killed, "n_injured": 0, "n_missing": 0}]},
        "cause": {"predator": attack.predator, "confidence": "certain"},
        "photos": [{"photo": f"{attack.latitude:.5f}_{attack.longitude:.5f}.jpg", "photo_kind": "wound"}],
        "husbandry": {"herd_small": draw.randrange(100, 900), "dogs_n": draw.choice([1, 2])},
        "response": {"remarks": f"at {attack.latitude:.5f} {attack.longitude:.5f} beside {attack.household}"},
        "meta": {"instanceID": attack.key, "instanceName": f"{attack.household} {attack.day}"},
        "deviceid": f"phone of {attack.household}",
    }


def _store(connection: Connection, attack: Attack, answers: dict[str, Any]) -> None:
    insert_record(connection, attack.key, answers, place=(attack.latitude, attack.longitude, 8.0), day=attack.day)
    _came(connection, attack.key, attack.day + timedelta(days=2))


def _came(connection: Connection, key: str, day: date) -> None:
    """Let a record have come on a day, and be checked as the server does it."""
    came = datetime.combine(day, time(9), UTC)
    about = {"received_at": came, "checked": 99, "country": "IR", "admin1": "IR-21", "device_id": "device-secret"}
    connection.execute(update(Submission).filter_by(instance_id=key).values(about))
