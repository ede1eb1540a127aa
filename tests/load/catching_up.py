"""What it costs that a station which was alone for long brings all it has: CPU time of each step, both sides in one process.

Station and hub are in this process without a network between them, so each step can be told from the others: the intake from
phones for comparison, writing down and signing, the meeting (packing, sealing, verifying, writing on both sides), the settling,
and a meeting with nothing new. Everything is signed and on disk when a step ends; TMPDIR says on which.
"""

import random
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from records.store import Store, open_engine
from server.setup import migrate
from sync.relay.meeting import Meeting
from tests.load.deliveries import Options
from tests.load.form import record, xform
from tests.load.meter import cpu_seconds, spread, table
from tests.support.postgres import Cluster
from tests.support.relay import Node, joined

MOST = 5000
"""Records of a run; `--records` asks for fewer."""
_SAME = "بالای دره نزدیک آغل"
_WORDS = ("پلنگ", "گله", "دره", "آغل", "شب", "برف", "چوپان", "سگ", "بز", "میش", "کوه", "چشمه", "آمد", "رفت", "دید", "خورد")
_FAST = 10_000_000.0  # bytes per second: the meeting need not find out that there is no line
_STEPS = ("intake from phones", "station: write down, sign", "meeting, both sides", "hub: settle", "meeting, nothing new")
_HEADINGS = ["hub", "step", "CPU ms a record", "records per s of CPU", "PostgreSQL CPU ms"]


def report(options: Options) -> Iterator[str]:
    """The pieces of the report."""
    count = min(MOST, options.records)
    for database in options.databases:
        runs = [_run(database, count) for _ in range(options.runs)]
        rows = []
        for step in _STEPS:
            own = [run[step][0] for run in runs]
            more = [spread([run[step][1] for run in runs], 2)] if database == "postgres" else [""]
            rows.append([database, step, spread(own, 3), f"{1000 / sorted(own)[len(own) // 2]:,.0f}", *more])
        yield f"## {count} records of {len(_reports(1)[0]):,} bytes of XML, hub on {database}\n\n" + table(_HEADINGS, rows)


def _run(database: str, count: int) -> dict[str, tuple[float, float]]:
    """CPU milliseconds a record of each step: of this process, and of PostgreSQL."""
    with _nodes(database) as (station, hub, roots):
        written = _reports(count)
        again = Meeting(station.answerer, station.peer(hub), hub.answerer.answer)
        meeting = Meeting(station.answerer, station.peer(hub), hub.answerer.answer)
        meeting.outcome.rate = _FAST
        works: tuple[Callable[[], object], ...] = (
            lambda: [station.receive(xml) for xml in written],
            station.write_down,
            lambda: meeting.run(files=False),
            hub.settle,
            lambda: again.run(files=False),
        )
        figures = {}
        for step, work in zip(_STEPS, works, strict=True):
            before = time.process_time(), cpu_seconds(roots)
            work()
            after = time.process_time(), cpu_seconds(roots)
            own, database_cpu = (1000 * (late - early) / count for early, late in zip(before, after, strict=True))
            figures[step] = (own, database_cpu)
        if len(hub.records()) != count or not again.outcome.safe:
            raise RuntimeError(f"{len(hub.records())} of {count} records are at the hub")
    return figures


@contextmanager
def _nodes(database: str) -> Iterator[tuple[Node, Node, list[int]]]:
    """A station that has joined a hub, and the processes of PostgreSQL."""
    folder = Path(tempfile.mkdtemp(prefix="tulliana-bench-"))
    cluster = Cluster(durable=True).start() if database == "postgres" else None
    nodes = []
    try:
        for name, url in (("hub", cluster.create("hub") if cluster else ""), ("station", "")):
            (folder / name).mkdir()
            nodes.append(_node(name, folder / name, url or f"sqlite:///{folder / name / 'tulliana.sqlite3'}"))
        nodes[0].publish(xform())
        yield joined(nodes[1], nodes[0]), nodes[0], cluster.pids() if cluster else []
    finally:
        for node in nodes:
            node.close()
        if cluster:
            cluster.stop()
        shutil.rmtree(folder)


def _node(name: str, folder: Path, url: str) -> Node:
    store = Store(open_engine(url))
    migrate(store)
    store.close()
    return Node(name, folder, url)


def _reports(count: int) -> list[bytes]:
    """Filled-in records whose texts differ."""
    chance = random.Random(count)  # the same ones each time
    found = []
    for _ in range(count):
        first, *others = record(f"uuid:{uuid.UUID(int=chance.getrandbits(128), version=4)}", "").decode().split(_SAME)
        found.append("".join([first, *(" ".join(chance.choices(_WORDS, k=4)) + each for each in others)]).encode())
    return found
