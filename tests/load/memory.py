"""How much memory a station and its hub hold, step by step through what a season brings.

Resident sizes of all processes of a server from /proc, once added up, so that pages which two of them share count twice, and once
with such pages divided by those who share them. The highest sum between two steps is that of ten looks a second.
"""

import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from forms.definition import FormDefinition
from records.store import Store, open_engine
from server.accounts import Person, begin_session
from server.demo.reports import reports
from server.demo.world import SHARES, events
from server.identity import COOKIE
from tests.load.deliveries import Options
from tests.load.meter import table
from tests.support.collect import Collect, Record
from tests.support.processes import held, resident
from tests.support.servers import Server

MOST = 10_000
"""Reports of a run; `--records` asks for fewer."""
PAGES = (
    *("", "relay", "incidents", "forms", "forms/conflict_livestock/data", "phones", "exports", "log", "strategy", "quarantine"),
    *("map/points.json", "languages", "entities"),
)
PHONES_AT_ONCE = 8
_LOOK_SECONDS = 0.1
_QUIET_SECONDS = 10
_REST_SECONDS = 65  # what was freed goes back once a minute
_HEADINGS = ["after", "station, MiB", "shared pages once", "highest", "hub, MiB", "shared pages once", "highest"]


@dataclass
class Watched:
    """A server under observation: its highest sum of resident sizes since it was told last."""

    server: Server
    highest: float = 0.0
    ended: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        """Look until it is ended."""
        while not self.ended.wait(_LOOK_SECONDS):
            self.highest = max(self.highest, resident(self.server.pids()))

    def told(self) -> list[str]:
        """Cells of a table, in MiB: the sum now, the same with shared pages counted once, the highest since this was asked last."""
        now, highest = resident(self.server.pids()), self.highest
        self.highest = 0.0
        return [f"{each:.0f}" for each in (now, held(self.server.pids()), max(now, highest))]


def report(options: Options) -> Iterator[str]:
    """The pieces of the report."""
    count = min(MOST, options.records)
    with _nodes() as (hub, station):
        time.sleep(_QUIET_SECONDS)
        rows = [[name, *station.told(), *hub.told()] for name in _steps(count, hub.server, station.server)]
    yield f"## {count:,} reports\n\n" + table(_HEADINGS, rows)


def _steps(count: int, hub: Server, station: Server) -> Iterator[str]:
    """Do one thing after the other and name each when its traces have settled."""
    yield "start"
    phone = Collect(station.app_user("bench")["url"])
    offered = [form for form in phone.form_list() if form.form_id in SHARES]
    forms = {form.form_id: FormDefinition.from_xform(phone.get(form.download_url).body) for form in offered}
    yield "form list and forms"
    written = {each.instance_id: each.xml for each in reports(events(1, date(2026, 11, 1), count), forms, 1)}
    urls = [station.app_user(f"bench {number}")["url"] for number in range(PHONES_AT_ONCE)]
    with ThreadPoolExecutor(PHONES_AT_ONCE) as together:
        list(together.map(_send, urls, (list(written.values())[number::PHONES_AT_ONCE] for number in range(PHONES_AT_ONCE))))
    yield f"{len(written):,} reports from {PHONES_AT_ONCE} phones at once"
    _wait_for(station, "SELECT count(*) = 0 FROM submission WHERE checked <= 0")
    yield "they were checked"
    _open(station, "POST", "relay/meet")
    _wait_for(hub, f"SELECT count(*) >= {len(written)} FROM submission")
    _wait_for(hub, "SELECT count(*) = 0 FROM submission WHERE checked <= 0")
    time.sleep(_QUIET_SECONDS)
    yield "a meeting and what follows"
    time.sleep(_REST_SECONDS)
    yield "a minute of rest"
    for server in (station, hub):
        for page in PAGES:
            _open(server, "GET", page)
    yield f"{len(PAGES)} pages"
    for server in (station, hub):
        server.run("export", "run", "hotspots-public")
        _open(server, "POST", "exports/hotspots-public/run")
    _wait_for(hub, "SELECT count(*) > 1 FROM export_run WHERE state = 'done'")
    yield "a release of hotspots"
    time.sleep(_REST_SECONDS)
    yield "a minute of rest"


def _send(url: str, records: Sequence[bytes]) -> None:
    """What one phone brings."""
    phone = Collect(url)
    for xml in records:
        phone.send(Record(xml))


@contextmanager
def _nodes() -> Iterator[tuple[Watched, Watched]]:
    """A hub and a station that knows its forms, both serving and watched."""
    settings = {"TULLIANA_RELAY_MINUTES": "never"}
    with tempfile.TemporaryDirectory(prefix="tulliana-bench-") as folder, ThreadPoolExecutor(2) as watching:
        hub, station = (Watched(Server(Path(folder) / name, settings=settings)) for name in ("hub", "station"))
        try:
            for node in (hub, station):
                node.server.start()
            invited = hub.server.run("relay", "invite", "station", "--url", f"http://127.0.0.1:{hub.server.port}").stdout.decode()
            station.server.run("relay", "enrol", invited.partition("relay enrol ")[2].split()[0])
            for node in (hub, station):
                node.server.stop()
                node.server.start()
                watching.submit(node.watch)
            yield hub, station
        finally:
            for node in (hub, station):
                node.ended.set()
                node.server.kill()


def _open(server: Server, method: str, page: str) -> None:
    """Have the administrator's browser ask for a page of the first project."""
    store = Store(open_engine(f"sqlite:///{server.data / 'tulliana.sqlite3'}"))
    try:
        with store.read() as connection:
            number = connection.exec_driver_sql("SELECT id FROM account WHERE name = 'admin'").scalar_one()
        cookie = {"Cookie": f"{COOKIE}={begin_session(store, Person(number, 'admin', True, {}))}"}
    finally:
        store.close()
    where = f"http://127.0.0.1:{server.port}"
    answer = server.raw(method, f"{where}/projects/1/{page}", b"" if method == "POST" else None, cookie | {"Origin": where})
    if answer.status >= 400:
        raise RuntimeError(f"{method} {page}: {answer.status} {answer.body.decode()}")


def _wait_for(server: Server, question: str) -> None:
    """Wait until the database says yes."""
    with sqlite3.connect(server.data / "tulliana.sqlite3") as database:
        while not database.execute(question).fetchone()[0]:
            time.sleep(0.5)
