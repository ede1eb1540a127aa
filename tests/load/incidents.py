"""How well reports of one event are found, on made-up reports and on real attacks, and what looking for them costs a report."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import func, insert, select

from forms.library import read_survey
from records.models import IncidentPair, Submission
from records.projects import FIRST
from records.store import Store
from server.config import Config
from server.services import standalone
from server.setup import prepare
from sync.checks import checker
from sync.incidents.comparison import link_incidents
from sync.incidents.scoring import LIKELY, POSSIBLE, UNLIKELY, WEIGHTS
from tests.load.deliveries import Options
from tests.load.meter import spread, table
from tests.support.twin_figures import CALIBRATION, TRIAL, calibration, figures, ticino_figures
from tests.support.twins import FORM, Told, truth_set


def report(options: Options) -> Iterator[str]:
    """Precision and recall, the pairs of Ticino, the calibration, the cost."""
    rows = []
    for name, seeds in (("calibration", CALIBRATION), ("trial", TRIAL)):
        found = figures(seeds)
        for band in (LIKELY, POSSIBLE):
            counts = (found.pairs[True, band], found.pairs[False, band])
            shares = (found.precision(band), found.recall(band))
            rows.append([name, str(found.reports), str(found.twins), band, *map(str, counts), *(f"{each:.3f}" for each in shares)])
        both = (LIKELY, POSSIBLE)
        totals = [str(sum(found.pairs[is_twin, band] for band in both)) for is_twin in (True, False)]
        shares = (found.precision(*both), found.recall(*both))
        rows.append([name, "", "", "both", *totals, *(f"{each:.3f}" for each in shares)])
        missed = [found.pairs[True, band] for band in (UNLIKELY, "never")]
        rows.append([name, "", "", "missed", f"{missed[0]} weighed, {missed[1]} not compared", "", "", ""])
    yield table(["set", "reports", "twins", "band", "twins in it", "others in it", "precision", "recall"], rows)
    real = ticino_figures()
    yield f"Ticino: {real.rows} attacks, {real.near} pairs within 1 km and 1 day; {real.likely} likely, {real.possible} possible."
    levels = [
        [term, level, f"{twins:.3f}", f"{others:.3f}", f"{ratio:+.1f}", f"{WEIGHTS[term].get(level, 0):+.1f}"]
        for term, level, twins, others, ratio in calibration(CALIBRATION)
    ]
    yield table(["term", "level", "among twins", "among others", "log2 of the ratio", "weight"], levels)
    yield table(["reports", "pairs", "ms per report"], [_cost(options.runs)])


def _cost(runs: int) -> list[str]:
    """What the comparison adds to the checks of a report, on SQLite: the checks with it and without."""
    told = [each for seed in range(4) for each in truth_set(seed + 1, attacks=500)]
    spent = {}
    pairs = 0
    for name, comparisons in (("without", ()), ("with", (link_incidents,))):
        checker.COMPARISONS = comparisons  # type: ignore[assignment]
        spent[name] = []
        for _ in range(runs):
            with tempfile.TemporaryDirectory(prefix="bench-") as folder, standalone(Config.load({"DATA": Path(folder)}, {})) as own:
                prepare(own)
                _fill(own.store, told)
                found = checker.Checker(own.store, own.blobs)
                began = time.process_time()
                found.run()
                spent[name].append(1000 * (time.process_time() - began) / len(told))
                with own.store.read() as connection:
                    pairs = connection.scalar(select(func.count()).select_from(IncidentPair)) or 0
    added = [late - early for late, early in zip(spent["with"], spent["without"], strict=True)]
    return [f"{len(told):,}", str(pairs), spread(added, 2)]


def _fill(store: Store, told: Sequence[Told]) -> None:
    version, came = read_survey(FORM).version, datetime(2026, 11, 1, tzinfo=UTC)
    rows = [
        {
            "project_id": FIRST, "form_id": FORM, "instance_id": each.instance_id, "current_instance_id": each.instance_id,
            "current_sha256": "0" * 64, "version": version, "received_at": came, "device_id": each.device, "event_date": each.day,
            "instance_name": "", "files": [], "flags": [], "answers": each.answers,
        } | dict(zip(("latitude", "longitude", "accuracy"), each.point or (None, None, None), strict=True))
        for each in told
    ]  # fmt: skip
    store.write(lambda connection: connection.execute(insert(Submission), rows))
