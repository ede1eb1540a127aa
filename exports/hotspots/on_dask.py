"""Counting on a Dask cluster: the records go as GeoParquet into S3-compatible storage, and workers count a file each.

What they do is `partition.part` and `partition.merge`, as in one process, so the result is the same; the files of a worker that
dies are counted by another. Only what is counted leaves this machine (no names, telephone numbers or free text), and it is deleted
afterwards. Needs the extra `cluster`; access to the storage comes from the usual variables (AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL,
...) here and on the workers.
"""

import io
import uuid
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from typing import Any

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray

from exports.partition import Aggregate, Counted, Question, merge, part, places
from forms.problems import Problem
from records.counted import LAYOUT

ROWS = 100_000
"""Records of a partition; the last one has fewer."""
MERGED = 8
"""So many aggregates are merged at a time."""
_PLACE = np.dtype([("latitude", "<f8"), ("longitude", "<f8")])


class Cluster:
    """A way to count, as `dataset.counted_here` is one: on the cluster whose scheduler is at `address` (tcp://host:8786).

    `storage` is a bucket and a prefix (s3://bucket/prefix) that this machine and the workers reach.
    """

    def __init__(self, address: str, storage: str, *, rows: int = ROWS) -> None:
        self._address, self._storage, self._rows = address, storage, rows

    def __call__(
        self, reports: Iterable[Counted], others: Iterable[Iterable[tuple[float, float]]], question: Question
    ) -> Aggregate:
        """Count conflict reports, and places of other records, batch by batch. Raises `Problem("not_supported")`."""
        distributed = _library("distributed")
        names: list[str] = []
        store, run = _store(self._storage), uuid.uuid4().hex
        try:
            kinds = (("reports", reports), ("places", (np.array([*map(tuple, batch)], _PLACE) for batch in others)))
            for kind, batches in kinds:
                for number, rows in enumerate(_regrouped(batches, self._rows)):
                    names.append(f"{run}/{kind}-{number:05}.parquet")
                    store.put(names[-1], _written(rows))
            with distributed.Client(self._address) as client:
                found: Aggregate = submitted(client, self._storage, names, question).result() if names else merge([])
        finally:
            for name in names:
                store.delete(name)
        return found


def submitted(client: Any, storage: str, names: Sequence[str], question: Question) -> Any:
    """Hand the partitions to a cluster; the future of their aggregate."""
    futures = [client.submit(part_at, storage, name, question, retries=2) for name in names]
    while len(futures) > 1:
        futures = [client.submit(merged, *futures[start : start + MERGED]) for start in range(0, len(futures), MERGED)]
    return futures[0]


def part_at(storage: str, name: str, question: Question) -> Aggregate:
    """Count the partition of this name: what a worker does."""
    columns = _library("pyarrow.parquet").read_table(io.BytesIO(bytes(_store(storage).get(name).bytes())))
    if "/places-" in name:
        return places(question.grid, columns["latitude"].to_pylist(), columns["longitude"].to_pylist())
    return part(_counted(columns), question)


def merged(*aggregates: Aggregate) -> Aggregate:
    """Merge aggregates that come as arguments."""
    return merge(aggregates)


def _regrouped(batches: Iterable[NDArray[np.void]], size: int) -> Iterator[NDArray[np.void]]:
    waiting: list[NDArray[np.void]] = []
    for batch in batches:
        waiting.append(batch)
        if sum(map(len, waiting)) >= size:
            rows = np.concatenate(waiting)
            whole = len(rows) // size * size
            yield from np.split(rows[:whole], whole // size)
            waiting = [rows[whole:]]
    if sum(map(len, waiting)):
        yield np.concatenate(waiting)


def _counted(columns: Any) -> Counted:
    """The reports of a partition."""
    facts = np.empty(columns.num_rows, LAYOUT)
    for name, _ in LAYOUT:
        facts[name] = columns[name].to_numpy()
    return facts


def _written(rows: NDArray[np.void]) -> bytes:
    """A partition as GeoParquet 1.1."""
    arrow, parquet = _library("pyarrow"), _library("pyarrow.parquet")
    columns = {name: rows[name].astype(np.str_) if rows[name].dtype.kind == "S" else rows[name] for name in rows.dtype.names or ()}
    points = np.asarray(shapely.points(columns["longitude"], columns["latitude"]), object)
    points[np.isnan(columns["latitude"])] = None
    about = {"encoding": "WKB", "geometry_types": ["Point"]}
    geo = orjson.dumps({"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": about}})
    table = arrow.table(columns | {"geometry": arrow.array(shapely.to_wkb(points, byte_order=1), arrow.binary())})
    content = io.BytesIO()
    parquet.write_table(table.replace_schema_metadata({"geo": geo}), content, compression="zstd")
    return content.getvalue()


def _store(storage: str) -> Any:
    return _library("obstore.store").from_url(storage, client_options={"allow_http": True})


def _library(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        detail = f"Counting on a cluster needs {name.partition('.')[0]}, which is not installed here."
        raise Problem("not_supported", detail, hint="On this machine and the workers: pip install 'tulliana[cluster]'.") from None
