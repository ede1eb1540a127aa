"""Exports from a million made-up records: hotspots from the database to files, and rows of CSV, with the peak memory of each.

Each is run by the real command in a process of its own, on a database filled directly (the door has its own benchmark).
"""

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert

from exports.data.formats import format_of, stream
from exports.data.source import Source
from forms.library import read_survey
from records.access import Access
from records.counted import counted
from records.models import Submission
from records.projects import FIRST
from server.config import Config
from server.services import standalone
from server.setup import prepare
from sync.checks.checker import RULES
from tests.load.deliveries import Options
from tests.load.meter import spread, table

FORM = "conflict_livestock"
PLACES = 400
BATCH = 10_000
AS_OF = date(2026, 11, 1)
_MEASURE = (
    "import re,sys,time;from server.cli import cli;t=time.perf_counter();c=time.process_time();"
    "cli(sys.argv[1:],standalone_mode=False);"
    r"print(time.perf_counter()-t,time.process_time()-c,int(re.search(r'VmHWM:\s+(\d+)',open('/proc/self/status').read())[1])/1024)"
)


def report(options: Options) -> Iterator[str]:
    """Fill one SQLite database, then time the commands on it."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        data = Path(folder) / "data"
        begun = time.perf_counter()
        _fill(data, options.records)
        yield f"{options.records:,} conflict reports on SQLite (filled in {time.perf_counter() - begun:.0f} s)."
        wanted = ("hotspots", "--level", "partner", "--as-of")
        hotspots = [
            _run(data, "export", *wanted, AS_OF.isoformat(), "--out", f"{folder}/hotspots-{number}")
            for number in range(options.runs)
        ]
        released = _run(data, "export", "run", *wanted, AS_OF.isoformat())
        tables = [_run(data, "export", "table", FORM, "--out", str(Path(folder) / "csv")) for _ in range(options.runs)]
        with (Path(folder) / "csv" / f"{FORM}.csv").open(encoding="utf-8-sig") as file:
            columns = len(file.readline().split(","))
        rows = [
            ["hotspots, partner", *_cells(hotspots), ""],
            ["a release of them: with every record in its digest, compared with others, packed", *_cells([released]), ""],
            [f"CSV, {columns} columns, and its repeats", *_cells(tables), spread([options.records / run[1] for run in tables], 0)],
        ]
        yield table(["export", "s", "CPU s", "peak MiB", "records per CPU second"], rows)
        yield from data(folder, options)


WRITERS = {
    "CSV, the table of the form": ("--format", "csv", "--table", FORM),
    "CSV as KoBoToolbox, the table of the form": ("--format", "csv", "--table", FORM, "--style", "kobo"),
    "CSV, all tables in a ZIP": ("--format", "csv"),
    "GeoJSON": ("--format", "geojson"),
    "GeoPackage": ("--format", "gpkg"),
    "GeoParquet, the table of the form": ("--format", "parquet", "--table", FORM),
    "Excel workbook": ("--format", "xlsx"),
    "files (ZIP)": ("--format", "zip"),
}


def data(folder: str, options: Options) -> Iterator[str]:
    """Every writer of whole records on the same database, and how soon the first bytes of a CSV are there."""
    rows = []
    for name, words in WRITERS.items():
        runs = [_run(Path(folder) / "data", "export", "data", FORM, *words, "--to", f"{folder}/out") for _ in range(options.runs)]
        size = f"{(Path(folder) / 'out').stat().st_size / 1e6:,.0f}"
        rows.append([name, *_cells(runs), spread([options.records / run[1] for run in runs], 0), size])
    yield table(["writer", "s", "CPU s", "peak MiB", "records per CPU second", "MB"], rows)
    waits = [1000 * _first_byte(Path(folder) / "data") for _ in range(max(3, options.runs))]
    yield f"First bytes of the CSV after {waits[0]:.0f} ms, and after {spread(waits[1:], 1)} ms when the form was read before."


def _first_byte(home: Path) -> float:
    """Seconds from asking to the first bytes."""
    with standalone(Config.load({"DATA": home}, {})) as services, services.store.snapshot() as connection:
        begun = time.perf_counter()
        source = Source(connection, Access.everything(FIRST, "bench"), FORM)
        next(stream(source, format_of("csv"), services.blobs.open, table=FORM))
        return time.perf_counter() - begun


def _cells(runs: list[tuple[float, float, float]]) -> list[str]:
    return [spread([run[0] for run in runs], 1), spread([run[1] for run in runs], 1), spread([run[2] for run in runs], 0)]


def _run(data: Path, *arguments: str) -> tuple[float, float, float]:
    """(seconds, CPU seconds, MiB at most) of one command; what Python itself needs to start is not counted in the time."""
    environment = {**os.environ, "TULLIANA_DATA": str(data)}
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    wall, cpu, peak = map(float, done.stdout.splitlines()[-1].split())
    return wall, cpu, peak


def _fill(data: Path, records: int) -> None:
    chance = random.Random(7)
    centres = [(chance.uniform(29, 38), chance.uniform(46, 60), chance.paretovariate(1.2)) for _ in range(PLACES)]
    weights = [weight for *_, weight in centres]
    version = read_survey(FORM).version
    with standalone(Config.load({"DATA": data}, {})) as services:
        prepare(services)
        for start in range(0, records, BATCH):
            chosen = chance.choices(centres, weights, k=min(BATCH, records - start))
            rows = [_row(chance, version, start + number, centre) for number, centre in enumerate(chosen)]
            services.store.write(lambda connection, rows=rows: connection.execute(insert(Submission), rows))


def _row(chance: random.Random, version: str, number: int, centre: tuple[float, float, float]) -> dict[str, object]:
    latitude, longitude = chance.gauss(centre[0], 0.1), chance.gauss(centre[1], 0.1)
    day = AS_OF - timedelta(days=chance.randrange(720))
    killed = min(30, 1 + int(chance.expovariate(0.6)))
    place = f"{latitude:.6f} {longitude:.6f} 1320.0 4.5"
    household = f"H{int(centre[2] * 1e6) % 100_000}-{chance.randrange(200)}"
    loss = {"species": chance.choice(["sheep", "goat", "cattle"]), "age": "adult", "sex": "f", "n_killed": killed, "n_injured": 0}
    answers = {
        "start": f"{day}T07:41:09.123+03:30", "end": f"{day}T07:58:11.001+03:30", "today": f"{day}",
        "deviceid": "collect:bench", "submission_purpose": "real", "consent": "yes", "consent_share": "yes", "country": "IR",
        "reporter": {"reporter_role": "ranger", "reporter_code": "R-01", "household_code": household},
        "when": {"event_date": f"{day}", "date_precision": "exact", "time_of_day": "night"},
        "where": {"loc_method": "here", "event_gps": place, "event_point": place, "event_accuracy_m": "4.5"},
        "losses_g": {"loss": [loss | {"n_missing": 0, "unit_value": 90000000.0}], "currency": "IRR",
                     "total_killed": f"{killed}", "total_injured": "0", "total_missing": "0", "loss_value_local": "90000000"},
        "cause": {"predator": chance.choice(["leopard", "leopard", "wolf"]), "confidence": "probable", "basis": "tracks bite"},
        "husbandry": {"herd_small": 120, "herd_large": 4, "herd_activity": "penned", "enclosure": "stone", "measures": "lgd"},
        "meta": {"instanceID": f"uuid:{number:032x}"},
    }  # fmt: skip
    instance_id = f"uuid:{number:032x}"
    return {
        "project_id": FIRST, "form_id": FORM, "instance_id": instance_id, "current_instance_id": instance_id,
        "current_sha256": f"{number:064x}", "version": version, "received_at": datetime(2026, 11, 1, tzinfo=UTC),
        "updated_at": None, "app_user_id": None, "device_id": "collect:bench", "review_state": "received", "edits": 0,
        "latitude": latitude, "longitude": longitude, "accuracy": 4.5, "event_date": day, "instance_name": "", "files": [],
        "flags": [], "answers": answers, "checked": RULES,
        "counted": counted(instance_id, answers, latitude, longitude, 4.5, day),
    }  # fmt: skip
