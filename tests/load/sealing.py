"""What sealing costs: intake with it and without, on two servers that get the same bursts in turn.

Nothing switches sealing off. The other server runs the same program with the three places replaced where it seals: records, files,
and what SQLite does with what is deleted. Neither of them checks records.
"""

import fcntl
import os
import random
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import create_engine, text

from forms.library import read_survey
from server.schedule import LOCK_KEY
from tests.load.deliveries import Options
from tests.load.meter import HEADINGS, Row, Run, measure, spread, table
from tests.load.phones import burst
from tests.support.cases import elements
from tests.support.collect import encode
from tests.support.postgres import Cluster
from tests.support.records import parts
from tests.support.servers import Server
from tests.support.small import record

FORM = "conflict_livestock"
PHOTO = 300_000
WITHOUT = """
import records.blobs, records.store, records.vault
writer, prepare = records.blobs.BlobStore.writer, records.store._prepare_sqlite

def _prepare(connection, which):
    prepare(connection, which)
    connection.execute("PRAGMA secure_delete=OFF")

records.vault.Vault.seal = lambda self, plain, *place: plain
records.blobs.BlobStore.writer = lambda self, *, sealed=True: writer(self, sealed=False)
records.store._prepare_sqlite = _prepare
"""
Request = Callable[[], bytes]


@dataclass
class Side:
    """One of the two servers, what is sent to it, and what it was measured at, by case."""

    name: str
    server: Server
    databases: list[int]
    cases: dict[str, Request]
    runs: dict[str, list[Run]] = field(default_factory=dict)

    def burst(self, case: str, phones: int, seconds: float, *, is_counted: bool) -> None:
        """One burst of a case."""
        send = partial(burst, ("127.0.0.1", self.server.port), self.cases[case], phones=phones, seconds=seconds)
        run = measure(send, self.server.pids()[:1], self.databases)
        if set(run.burst.statuses) != {201}:
            raise RuntimeError(f"Not every record was taken: {run.burst.statuses}")
        if is_counted:
            self.runs.setdefault(case, []).append(run)


def report(options: Options) -> Iterator[str]:
    """The pieces of the report."""
    phones = max(options.phones)
    for database in options.databases:
        with ExitStack() as stack:
            sides = [stack.enter_context(_side(database, is_sealing=is_sealing)) for is_sealing in (False, True)]
            for number in range(options.runs + 1):
                for case in sides[0].cases:
                    for side in sides:
                        side.burst(case, phones, options.seconds, is_counted=number > 0)  # the first one warms up
            rows = [Row(f"{case}, {side.name}", phones, side.runs[case]) for case in sides[0].cases for side in sides]
            yield f"## {database}, {phones} phones, {FORM}\n\n" + table(HEADINGS, [row.cells() for row in rows])
            for case in sides[0].cases:
                plain, sealed = (side.runs[case] for side in sides)
                ratios = [on.burst.per_second / off.burst.per_second for off, on in zip(plain, sealed, strict=True)]
                yield f"{case}, sealed, compared with not sealed: {spread(ratios, 2)}."


@contextmanager
def _side(database: str, *, is_sealing: bool) -> Iterator[Side]:
    with tempfile.TemporaryDirectory(prefix="tulliana-bench-") as folder, ExitStack() as stack:
        cluster = Cluster(durable=True).start() if database == "postgres" else None
        if cluster:
            stack.callback(cluster.stop)
        replaced = Path(folder) / "replaced"
        replaced.mkdir()
        (replaced / "sitecustomize.py").write_text(WITHOUT)
        settings = {} if is_sealing else {"PYTHONPATH": str(replaced)}
        server = Server(Path(folder) / "data", cluster.create("bench") if cluster else "", settings)
        server.data.mkdir()
        if cluster:
            engine = create_engine(server.database_url)
            stack.callback(engine.dispose)
            stack.enter_context(engine.connect()).execute(text("SELECT pg_advisory_lock(:key)"), {"key": LOCK_KEY})
        else:
            fcntl.flock(stack.enter_context((server.data / "leader.lock").open("w")), fcntl.LOCK_EX)
        stack.callback(server.stop)
        server.start()
        url = server.app_user("bench")["url"]
        cases = {"XML": _requests(url, 0), "XML + 300 kB photo": _requests(url, PHOTO)}
        yield Side("sealed" if is_sealing else "not sealed", server, cluster.pids() if cluster else [], cases)


def _requests(url: str, photo: int) -> Request:
    """Requests with a report each whose owner asks for money, and a photo of so many bytes."""
    where, chance, version = urlsplit(url), random.Random(5), read_survey(FORM).version

    def request() -> bytes:
        answers = {
            "submission_purpose": "real", "consent": "yes", "consent_share": "yes",
            "reporter": {"reporter_role": "herder", "reporter_code": f"R-{chance.randrange(99):03}",
                         "household_code": f"H-{chance.randrange(9999):04}",
                         "owner_contact": f"Gholam Rezaei 0912 {chance.randrange(10**7):07}"},
            "country": "IR", "when": {"event_date": "2026-05-01", "date_precision": "exact", "time_of_day": "night"},
            "where": {"loc_method": "here", "event_gps": f"{chance.uniform(30, 36):.6f} {chance.uniform(51, 58):.6f} 1320.5 4.5"},
            "losses_g": {"loss": [{"species": "sheep", "age": "adult", "n_killed": 2, "n_injured": 0}], "total_killed": 2},
            "evidence": {"photo_kill": "1.jpg" if photo else ""},
            "husbandry": {"herd_small": 120, "herd_large": 4, "enclosure": "stone", "dogs_n": 2, "measures": "lgd"},
            "response": {"scheme": "none", "remarks": "بالای دره نزدیک آغل"},
        }  # fmt: skip
        xml = record(elements(answers), form_id=FORM, version=version, instance_id=f"uuid:{uuid.uuid4()}")
        body, kind = encode(parts(xml, {"1.jpg": b"\xff\xd8\xff\xe0" + os.urandom(photo)} if photo else {}))
        head = f"POST {where.path}/submission?deviceID=collect%3Abench HTTP/1.1\r\nHost: {where.netloc}\r\n"
        return f"{head}X-OpenRosa-Version: 1.0\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body

    return request
