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

import orjson
import shapely

from exports.partition import Aggregate, Question, Record, merge, part, places
from forms.problems import Problem

ROWS = 100_000
"""Records of a partition; the last one has fewer."""
MERGED = 8
"""So many aggregates are merged at a time."""
_LOSS = ("species", "n_killed", "n_injured", "n_missing", "unit_value")


class Cluster:
    """A way to count, as `dataset.counted_here` is one: on the cluster whose scheduler is at `address` (tcp://host:8786).

    `storage` is a bucket and a prefix (s3://bucket/prefix) that this machine and the workers reach.
    """

    def __init__(self, address: str, storage: str, *, rows: int = ROWS) -> None:
        self._address, self._storage, self._rows = address, storage, rows

    def __call__(
        self, records: Iterable[Iterable[Record]], others: Iterable[Iterable[tuple[float, float]]], question: Question
    ) -> Aggregate:
        """Count conflict reports, and places of other records, batch by batch. Raises `Problem("not_supported")`."""
        distributed = _library("distributed")
        names: list[str] = []
        store, run = _store(self._storage), uuid.uuid4().hex
        try:
            for kind, batches in (("reports", records), ("places", others)):
                for number, rows in enumerate(_regrouped(batches, self._rows)):
                    names.append(f"{run}/{kind}-{number:05}.parquet")
                    store.put(names[-1], _written(kind, rows))
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
    parquet = _library("pyarrow.parquet")
    columns = parquet.read_table(io.BytesIO(bytes(_store(storage).get(name).bytes())))
    if "/places-" in name:
        return places(question.grid, columns["latitude"].to_pylist(), columns["longitude"].to_pylist())
    return part(zip(*(columns[field].to_pylist() for field in Record._fields), strict=True), question)


def merged(*aggregates: Aggregate) -> Aggregate:
    """Merge aggregates that come as arguments."""
    return merge(aggregates)


def _regrouped(batches: Iterable[Iterable[Any]], size: int) -> Iterator[list[Any]]:
    waiting: list[Any] = []
    for batch in batches:
        waiting += batch
        while len(waiting) >= size:
            yield waiting[:size]
            waiting = waiting[size:]
    if waiting:
        yield waiting


def _written(kind: str, rows: Sequence[Any]) -> bytes:
    """A partition as GeoParquet 1.1."""
    arrow, parquet = _library("pyarrow"), _library("pyarrow.parquet")
    names = Record._fields if kind == "reports" else ("latitude", "longitude")
    columns = {name: list(values) for name, values in zip(names, zip(*rows, strict=True), strict=True)}
    if kind == "reports":
        columns["answers"] = [_counted(document) for document in columns["answers"]]
    columns["geometry"] = [_point(*place) for place in zip(columns["longitude"], columns["latitude"], strict=True)]
    kinds = {"latitude": arrow.float64(), "longitude": arrow.float64(), "accuracy": arrow.float64(), "geometry": arrow.binary()}
    schema = arrow.schema([(name, kinds.get(name, arrow.string())) for name in columns])
    about = {"encoding": "WKB", "geometry_types": ["Point"]}
    geo = orjson.dumps({"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": about}})
    content = io.BytesIO()
    parquet.write_table(arrow.table(columns, schema=schema.with_metadata({"geo": geo})), content, compression="zstd")
    return content.getvalue()


def _point(longitude: float | None, latitude: float | None) -> bytes | None:
    if longitude is None or latitude is None:
        return None
    return bytes(shapely.to_wkb(shapely.Point(longitude, latitude), byte_order=1))


def _counted(document: str) -> str:
    """The answers that are counted; of the rows of losses nothing but what is counted."""
    *simple, losses = orjson.loads(document)
    rows = [row for row in losses if isinstance(row, dict)] if isinstance(losses, list) else []
    return orjson.dumps([*simple, [{name: row[name] for name in _LOSS if name in row} for row in rows]]).decode()


def _store(storage: str) -> Any:
    return _library("obstore.store").from_url(storage, client_options={"allow_http": True})


def _library(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        detail = f"Counting on a cluster needs {name.partition('.')[0]}, which is not installed here."
        raise Problem("not_supported", detail, hint="On this machine and the workers: pip install 'tulliana[cluster]'.") from None
