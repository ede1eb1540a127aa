"""Reads the tables of the releases that a report is made from: hotspots, clusters and indicators, as they are given out."""

import csv
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from exports.hotspots.export import run_hotspots
from exports.indicators.files import run_indicators
from exports.report.numbers import EVENT_SET, PREDATOR, Cluster, Numbers, Place, Value
from records.access import Access, Right
from records.geography import boundaries as boundaries_of

_NEAR_KM = 50.0
"""The centre of a cluster on a shore or border belongs to land at most so far away."""


def read_numbers(
    connection: Connection, access: Access, level: str, as_of: date, *, boundaries: Path | None = None, revision: int = 1
) -> Numbers:
    """Write both releases into a folder of their own and read them. Raises what they raise."""
    access.require(Right.SEE)
    common: Any = {"revision": revision, "boundaries": boundaries}
    with tempfile.TemporaryDirectory(prefix="report-") as folder:
        hotspots = run_hotspots(connection, access, level, as_of, Path(folder), predator=PREDATOR, by_year=True, **common)
        indicators = run_indicators(connection, access, level, as_of, Path(folder), **common)
        found = [
            (next(hotspots.folder.glob(f"conflict_hotspots_*_{EVENT_SET}_*.csv")), hotspots),
            (hotspots.folder / hotspots.summary["scan"]["clusters"], hotspots),
            (indicators.folder / "indicators.csv", indicators),
        ]
        places, clusters, values = (_rows(path) for path, _ in found)
        sources = {path.name: path.read_bytes() for path, _ in found}
        tables = {path.name: result.tables[path.name] for path, result in found}
    summary = hotspots.summary
    start, end = (date.fromisoformat(summary[name]) for name in ("period_start", "period_end"))
    return Numbers(
        level=level,
        release_id=summary["release_id"],
        start=start,
        end=end,
        newest=date.fromisoformat(indicators.summary["period_end"]),
        as_of=as_of,
        area="",
        places=tuple(_places(places)),
        clusters=tuple(_clusters(clusters, boundaries)),
        values=tuple(_values(values)),
        summary=summary,
        boundaries=boundaries,
        sources=sources,
        tables=tables,
    )


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def _places(rows: Iterable[Mapping[str, str]]) -> Iterator[Place]:
    for row in rows:
        yield Place(
            cell_id=row["cell_id"],
            level=row["cell_level"],
            centre=_centre(row),
            reach_km=(_number(row["coordinate_uncertainty_m"]) or 0) / 1000,
            country=row["country"],
            province=row["admin1"],
            attacks=int(row["n_events"]),
            reports=int(row["n_reports"]),
            verified=int(row["n_events_strict"]),
            households=row["n_households"],
            killed=int(row["n_killed"]) if row["n_killed"] else None,
            loss=_number(row["loss_local"]),
            currency=row["loss_currency"],
            hotspot_class=row["hotspot_class"],
            history=row["history_class"],
            nearby=int(row["nb_events"]) if row["nb_events"] else None,
            expected=_number(row["nb_expected"]),
            risk=_number(row["rr_nb"]),
            flags=_flags(row["quality_flags"]),
        )


def _clusters(rows: Iterable[Mapping[str, str]], boundaries: Path | None) -> Iterator[Cluster]:
    land = boundaries_of(boundaries)
    for row in rows:
        centre = _centre(row)
        unit = land.unit_near(*centre, km=_NEAR_KM) or ""
        yield Cluster(
            centre=centre,
            radius_km=float(row["radius_km"]),
            cells=int(row["n_cells"]),
            country=unit[:2],
            province=unit,
            households=row["n_households"],
            attacks=int(row["n_events"]) if row["n_events"] else None,
            expected=_number(row["expected"]),
            p=float(row["p_value"]),
        )


def _values(rows: Iterable[Mapping[str, str]]) -> Iterator[Value]:
    for row in rows:
        yield Value(
            indicator=row["indicator"],
            figure=row["figure"],
            of=row["of"],
            predator=row["predator"],
            country=row["country"],
            period=row["period"],
            unit=row["unit"],
            value=_number(row["value"]),
            category=row["class"],
            lower=_number(row["lower"]),
            upper=_number(row["upper"]),
            n=int(row["n"] or 0),
            households=row["n_households"],
            coverage=_number(row["coverage"]),
            flags=_flags(row["flags"]),
            reason=row["reason"],
        )


def _centre(row: Mapping[str, str]) -> tuple[float, float]:
    """Latitude and longitude; zeros for what has no centre."""
    return float(row["lat"] or 0), float(row["lon"] or 0)


def _flags(text: str) -> tuple[str, ...]:
    return tuple(filter(None, text.split(";")))


def _number(text: str) -> float | None:
    return float(text) if text else None
