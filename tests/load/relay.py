"""What the relay makes of a bad line: a station with a season's reports tells its hub of them, over links like those of the field.

Station and hub are servers, each in a network namespace of its own. The station is enrolled over a quick link, as at the base,
which then becomes that of the cell. Bytes are those that really went over it, of IP and TCP and what was lost included. The reports
are those of the made-up year, four forms in two languages. Photos (`--photos`) follow when all records are there.
"""

import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import product
from pathlib import Path

from forms.definition import FormDefinition
from server.demo.reports import reports
from server.demo.world import SHARES, events
from tests.load.deliveries import Options
from tests.load.meter import table
from tests.support.bad_link import BadLink
from tests.support.collect import Collect, Record
from tests.support.line import Conditions, Counts
from tests.support.postgres import Cluster
from tests.support.processes import peak_memory
from tests.support.servers import Server

USUAL, MOST = 300, 10_000
"""Records of a cell, and how many `--records` may ask for."""
PHOTO_BYTES = 60_000
BASE = Conditions(rate=1e9, rtt=0, queue=100_000_000)
CELLS = {
    "no limit": BASE,
    "64 kbit/s, 0.3 s": Conditions(rtt=0.3),
    "64 kbit/s, 2 s": Conditions(),
    "64 kbit/s, 2 s, 10 % lost": Conditions(loss=0.1),
    "64 kbit/s, 2 s, 30 % lost": Conditions(loss=0.3),
    "64 kbit/s, 2 s, 2 % lost, down 15 s of every 60 s": Conditions(loss=0.02, down=15),
}
_TRIES = 20
_WRITTEN_SECONDS = 10  # the leader of the hub looks every two what there is to tell and what came
_HEADINGS = [
    "link",
    "s",
    "records per s",
    "minutes per 10,000",
    "bytes per record",
    "% of its XML",
    "packets lost",
    "hub, MiB",
    "station, MiB",
]
_AGAIN = ["nothing new: s", "bytes"]


@dataclass(frozen=True)
class Told:
    """One `tulliana relay run`: seconds, bytes of both directions, packets lost."""

    seconds: float
    sent: int
    lost: int


def report(options: Options) -> Iterator[str]:
    """The pieces of the report."""
    count, rows = options.records if options.records <= MOST else USUAL, []
    for database, name in product(options.databases, options.lines or CELLS):
        with _enrolled(database) as (link, hub, station):
            size = _fill(link, station, count, options.photos)
            link.change(CELLS[name])
            first = _meet(link, station)
            time.sleep(_WRITTEN_SECONDS)
            _meet(link, station)  # what the hub made of the reports: entries of lists
            again = _meet(link, station)
            held = sum(len(hub.submissions(form_id)) for form_id in SHARES)
            if held != count:
                raise RuntimeError(f"{name}: {held} of {count} records are at the hub")
            figures = [first.seconds, count / first.seconds, 10_000 * first.seconds / count / 60, first.sent / count]
            more = [
                100 * first.sent / size,
                first.lost,
                peak_memory(hub.pids()),
                peak_memory(station.pids()),
                again.seconds,
                again.sent,
            ]
            rows.append(
                [f"{name}; {database}", *(f"{figure:,.1f}" if figure < 100 else f"{figure:,.0f}" for figure in [*figures, *more])]
            )
    yield f"## {count:,} records of {size / count:,.0f} bytes, {options.photos:,} photos of {PHOTO_BYTES:,}\n\n" + table(
        [*_HEADINGS, *_AGAIN], rows
    )


@contextmanager
def _enrolled(database: str) -> Iterator[tuple[BadLink, Server, Server]]:
    """A hub at the far end of a quick link and a station that knows all its forms at the near one, both serving."""
    own = {"TULLIANA_HOST": "0.0.0.0", "TULLIANA_RELAY_MINUTES": "never"}
    with ExitStack() as kept:
        folder = Path(kept.enter_context(tempfile.TemporaryDirectory(prefix="tulliana-bench-")))
        cluster = Cluster(durable=True).start() if database == "postgres" else None
        kept.callback(cluster.stop if cluster else lambda: None)
        url = cluster.create("hub") if cluster else ""
        link = kept.enter_context(BadLink(BASE))
        hub, station = Server(folder / "hub", url, own), Server(folder / "station", settings=own)
        try:
            with link.far.here():
                hub.start()
            code = hub.run("relay", "invite", "station", "--url", f"http://{link.far.address}:{hub.port}").stdout.decode()
            with link.near.here():
                station.start()
                station.run("relay", "enrol", code.partition("relay enrol ")[2].split()[0])
            time.sleep(_WRITTEN_SECONDS)
            _meet(link, station)
            yield link, hub, station
        finally:
            station.kill()
            hub.kill()


def _fill(link: BadLink, station: Server, count: int, photos: int) -> int:
    """Have a phone send so many reports to the station, the first ones with a photo; the bytes of their XML."""
    chance = random.Random(1)
    with link.near.here():
        phone = Collect(station.app_user("bench")["url"])
        offered = [form for form in phone.form_list() if form.form_id in SHARES]
        forms = {form.form_id: FormDefinition.from_xform(phone.get(form.download_url).body) for form in offered}
        written = {each.instance_id: each.xml for each in reports(events(1, date(2026, 11, 1), count), forms, 1)}
        for number, xml in enumerate(list(written.values())[:count]):
            photo = {f"{number}.jpg": b"\xff\xd8\xff\xe0" + chance.randbytes(PHOTO_BYTES)} if number < photos else {}
            phone.send(Record(xml, photo))
    return sum(map(len, list(written.values())[:count]))


def _meet(link: BadLink, station: Server) -> Told:
    """Let the station meet its hub until everything is safe there."""
    before, begun = link.counts(), time.monotonic()
    with link.near.here():
        for _ in range(_TRIES):
            done = station.run("relay", "run", check=False, seconds=7200)
            if b"safe at the hub" in done.stdout:
                break
        else:
            raise RuntimeError(f"The hub was not met: {done.stderr.decode()}{done.stdout.decode()}")
    seconds = time.monotonic() - begun
    return Told(seconds, *(_both(link.counts(), name) - _both(before, name) for name in ("offered_bytes", "lost")))


def _both(counts: tuple[Counts, Counts], name: str) -> int:
    return sum(getattr(each, name) for each in counts)
