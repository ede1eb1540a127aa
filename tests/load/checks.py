"""What checking records costs: intake with and without it, how fast what waits is checked, a look-up of boundaries.

Two servers get the same bursts in turn. One of them never checks: this process holds its lock, so it does not lead.
"""

import fcntl
import random
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import Engine, create_engine, text

from forms.library import read_survey
from records.geography import boundaries
from server.schedule import LOCK_KEY
from tests.load.deliveries import Options
from tests.load.meter import Run, cpu_seconds, measure, spread, table
from tests.load.phones import burst
from tests.support.cases import elements
from tests.support.collect import encode
from tests.support.postgres import Cluster
from tests.support.records import parts
from tests.support.servers import Server
from tests.support.small import record

FORM = "conflict_livestock"
RANGERS = 120
"""Each of a village of its own."""
LOOKED_UP = 20_000
_HEADINGS = ["checks", "records per s", "p99 ms", "server CPU ms", "checked meanwhile, %", "the rest per s", "CPU ms with the rest"]


@dataclass
class Side:
    """One of the two servers and what it was measured at. Of the one that checks: the share of a burst that was checked while it
    lasted, how many a second were checked then, and the CPU milliseconds of a record until all were.
    """

    server: Server
    roots: list[int]
    database: Engine
    is_checking: bool
    request: Callable[[], bytes]
    runs: list[Run] = field(default_factory=list)
    meanwhile: list[float] = field(default_factory=list)
    drained: list[float] = field(default_factory=list)
    whole_cpu: list[float] = field(default_factory=list)

    def burst(self, phones: int, seconds: float, *, is_counted: bool) -> None:
        """One burst, and all that follows from it."""
        begun = cpu_seconds(self.roots[:1])
        send = partial(burst, ("127.0.0.1", self.server.port), self.request, phones=phones, seconds=seconds)
        run = measure(send, self.roots[:1], self.roots[1:])
        if set(run.burst.statuses) != {201}:
            raise RuntimeError(f"Not every record was taken: {run.burst.statuses}")
        left, waited = self._drain() if self.is_checking else (0, 0.0)
        if not is_counted:
            return
        self.runs.append(run)
        if self.is_checking:
            sent = len(run.burst.waits)
            self.meanwhile.append(100 * (1 - left / sent))
            self.drained.append(left / waited)
            self.whole_cpu.append(1000 * (cpu_seconds(self.roots[:1]) - begun) / sent)

    def _drain(self) -> tuple[int, float]:
        """Wait until everything is checked: how many records that were, and in how many seconds."""
        begun, waiting = time.perf_counter(), self._waiting()
        while self._waiting():
            time.sleep(0.1)
        return waiting, time.perf_counter() - begun

    def _waiting(self) -> int:
        with self.database.connect() as connection:
            return int(connection.execute(text("SELECT count(*) FROM submission WHERE checked = 0")).scalar_one())

    def cells(self) -> list[str]:
        """Medians with their spread, ready for a table."""
        bursts = [run.burst for run in self.runs]
        more = [
            spread(values, digits) for values, digits in ((self.meanwhile, 0), (self.drained, 0), (self.whole_cpu, 2)) if values
        ]
        return [
            "on" if self.is_checking else "off",
            spread([each.per_second for each in bursts], 0),
            spread([each.percentile(99) for each in bursts], 0),
            spread([run.server_cpu for run in self.runs], 2),
            *(more or [""] * 3),
        ]


def report(options: Options) -> Iterator[str]:
    """The pieces of the report."""
    yield _looked_up(options.runs)
    phones = max(options.phones)
    for database in options.databases:
        with ExitStack() as stack:
            sides = [stack.enter_context(_side(database, is_checking=is_checking)) for is_checking in (False, True)]
            for number in range(options.runs + 1):
                for side in sides:
                    side.burst(phones, options.seconds, is_counted=number > 0)  # the first one warms up
            yield f"## {database}, {phones} phones, {FORM}\n\n" + table(_HEADINGS, [side.cells() for side in sides])
            ratios = [on.burst.per_second / off.burst.per_second for off, on in zip(sides[0].runs, sides[1].runs, strict=True)]
            yield f"Intake with the checks, compared with intake without: {spread(ratios, 2)}."


@contextmanager
def _side(database: str, *, is_checking: bool) -> Iterator[Side]:
    with tempfile.TemporaryDirectory(prefix="tulliana-bench-") as folder, ExitStack() as stack:
        cluster = Cluster(durable=True).start() if database == "postgres" else None
        if cluster:
            stack.callback(cluster.stop)
        server = Server(Path(folder) / "data", cluster.create("bench") if cluster else "")
        server.data.mkdir()
        engine = create_engine(server.database_url or f"sqlite:///{server.data / 'tulliana.sqlite3'}")
        stack.callback(engine.dispose)
        if not is_checking and cluster:
            held = stack.enter_context(engine.connect())
            held.execute(text("SELECT pg_advisory_lock(:key)"), {"key": LOCK_KEY})
        elif not is_checking:
            fcntl.flock(stack.enter_context((server.data / "leader.lock").open("w")), fcntl.LOCK_EX)
        stack.callback(server.stop)
        server.start()
        roots = [server.pids()[0], *(cluster.pids() if cluster else [])]
        yield Side(server, roots, engine, is_checking, _reports(server.app_user("bench")["url"]))


def _reports(url: str) -> Callable[[], bytes]:
    """Requests with a report each, as rangers of Iran send them: no two of one event."""
    where, chance, version = urlsplit(url), random.Random(5), read_survey(FORM).version
    villages = [(chance.uniform(29.5, 35.5), chance.uniform(51, 58)) for _ in range(RANGERS)]
    began = datetime.now(timezone(timedelta(hours=3.5))) - timedelta(hours=2)

    def request() -> bytes:
        ranger = chance.randrange(RANGERS)
        latitude, longitude = (degrees + chance.gauss(0, 0.02) for degrees in villages[ranger])
        day = began - timedelta(days=chance.randrange(1, 25))
        answers = _answers(
            chance, began - timedelta(minutes=chance.randrange(30)), day, f"{latitude:.6f} {longitude:.6f} 1320.5 4.5"
        )
        xml = record(elements(answers), form_id=FORM, version=version, instance_id=f"uuid:{uuid.uuid4()}")
        body, kind = encode(parts(xml, {}))
        head = f"POST {where.path}/submission?deviceID=collect%3A{ranger} HTTP/1.1\r\nHost: {where.netloc}\r\n"
        return f"{head}X-OpenRosa-Version: 1.0\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body

    return request


def _answers(chance: random.Random, began: datetime, day: datetime, place: str) -> dict[str, object]:
    killed = min(30, 1 + int(chance.expovariate(0.6)))
    loss = {"species": chance.choice(["sheep", "goat", "cattle"]), "age": "adult", "sex": "f", "n_killed": killed, "n_injured": 0}
    start, end = (f"{each:%Y-%m-%dT%H:%M:%S}.123+03:30" for each in (began, began + timedelta(minutes=17)))
    return {
        "start": start, "end": end,
        "today": f"{began:%Y-%m-%d}", "deviceid": "collect:bench",
        "submission_purpose": "real", "consent": "yes", "consent_share": "yes",
        "reporter": {"reporter_role": "ranger", "reporter_code": f"R-{chance.randrange(RANGERS):03}",
                     "household_code": f"H-{chance.randrange(10_000):04}"},
        "country": "IR", "when": {"event_date": f"{day:%Y-%m-%d}", "date_precision": "exact", "time_of_day": "night"},
        "where": {"loc_method": "here", "event_gps": place, "event_point": place, "event_accuracy_m": "4.5"},
        "place_more": {"setting": "corral", "habitat": "cliff", "in_pa": "no"},
        "losses_g": {"loss": [loss | {"n_missing": 0, "unit_value": 90000000}], "currency": "IRR", "total_killed": killed,
                     "total_injured": 0, "total_missing": 0, "loss_value_local": killed * 90000000},
        "cause": {"predator": chance.choice(["leopard", "wolf"]), "confidence": "probable", "basis": "tracks bite",
                  "predator_fate": "left"},
        "evidence": {"carcass_age": "h24", "bleeding": "yes", "bite_site": "throat", "sample": "no"},
        "husbandry": {"herd_small": 120, "herd_large": 4, "herd_activity": "penned", "herder_presence": "near",
                      "enclosure": "stone", "dogs_n": 2, "measures": "lgd", "measures_state": "ok"},
        "response": {"scheme": "none", "remarks": "بالای دره نزدیک آغل"},
    }  # fmt: skip


def _looked_up(runs: int) -> str:
    """How long one look-up of a point takes, alone and in a batch, and the nearest unit of a point in the sea."""
    chance, land = random.Random(5), boundaries()
    points = [(chance.uniform(25, 45), chance.uniform(44, 70)) for _ in range(LOOKED_UP)]
    latitudes, longitudes = [latitude for latitude, _ in points], [longitude for _, longitude in points]
    outside = [point for point, unit in zip(points, land.units_at(latitudes, longitudes), strict=True) if unit is None]
    works: dict[str, tuple[int, Callable[[], object]]] = {
        "unit of one point": (len(points), lambda: [land.units_at([latitude], [longitude]) for latitude, longitude in points]),
        "nearest unit within 2 km of a point outside": (len(outside), lambda: [land.unit_near(*point, 2.0) for point in outside]),
        "countries within 5 km": (len(points), lambda: [land.countries_within(*point, 5.0) for point in points]),
    }
    rows = [[name, spread([1e6 * _seconds(work) / count for _ in range(runs)], 1)] for name, (count, work) in works.items()]
    return table(["look-up", "µs per point"], rows)


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
