"""A Dask cluster counts what one process counts, from files in S3-compatible storage, even when a worker is killed."""

import io
import os
import signal
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import orjson
import pyarrow.parquet
import pytest
from distributed import Client, LocalCluster

from exports.dataset import counted_here
from exports.hotspots.export import run_hotspots
from exports.hotspots.on_dask import Cluster, _counted, _regrouped, _store, _written, submitted
from exports.partition import Question, part
from forms.problems import Problem
from records.counted import counted
from records.models import Base
from records.store import open_engine
from tests.support.conflict import answers, insert_record
from tests.support.counting import QUESTION, REPORTS, packed, told
from tests.support.storage import new_bucket, objects, storage
from tests.support.stores import EVERYTHING

PLACES = [(36.5 + number / 50, 52.0) for number in range(40)]


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    with storage() as variables, pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        yield variables


@pytest.fixture(scope="module")
def workers(environment: dict[str, str]) -> Iterator[LocalCluster]:
    """Two processes that work; one that is gone stays gone."""
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, worker_dashboard_address=None, memory_limit=0
    ) as cluster:
        yield cluster


def test_a_cluster_gives_the_same_files_as_one_process(workers: LocalCluster, environment: dict[str, str], tmp_path: Path) -> None:
    address = new_bucket(environment)
    engine = open_engine(f"sqlite:///{tmp_path / 'records.db'}")
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        for number in range(160):
            place = (36.2 + 0.03 * (number % 12), 52.0 + 0.05 * (number % 5), 9.0)
            insert_record(connection, f"uuid:{number}", answers(f"H{number % 70}"), place=place, day=date(2025, 1 + number % 12, 3))
            insert_record(connection, f"uuid:e{number}", {}, place=(36.0 + number / 300, 51.8, 5.0), form_id="dog_impact")
        alone, together = (
            run_hotspots(connection, EVERYTHING, "partner", date(2026, 9, 28), tmp_path / name, count=count)
            for name, count in (("alone", counted_here), ("together", Cluster(workers.scheduler_address, address, rows=50)))
        )
    engine.dispose()
    assert together.files == alone.files
    assert together.summary == alone.summary
    assert alone.summary["sets"]["standard"]["tested"]
    assert objects(environment, address) == {}


def test_the_files_of_a_killed_worker_are_counted_by_another(workers: LocalCluster, environment: dict[str, str]) -> None:
    address = new_bucket(environment)
    store = _store(address)
    names = [f"run/reports-{number:05}.parquet" for number in range(40)]
    for number, name in enumerate(names):
        store.put(name, _written(REPORTS[number * 10 : number * 10 + 10]))
    with Client(workers.scheduler_address) as client:
        before = client.run(os.getpid)
        future = submitted(client, address, names, QUESTION)
        os.kill(next(iter(before.values())), signal.SIGKILL)
        assert told(future.result(timeout=120)) == told(part(REPORTS, QUESTION))
        assert set(client.run(os.getpid).values()) != set(before.values())


def test_only_what_is_counted_leaves_the_machine() -> None:
    content = answers("H1") | {"where": {"place_name": "Siahkal"}, "meta": {"instanceName": "Mahmoud"}}
    content["reporter"] |= {"owner_contact": "0912"}
    content["losses_g"]["loss"][0] |= {"note": "Mahmoud"}
    place = (36.5, 52.0, None, date(2026, 1, 1))
    rows = packed(counted("uuid:1", content, *place), counted("uuid:2", content, None, None, None, None))
    file = pyarrow.parquet.read_table(io.BytesIO(_written(rows)))
    text = str(file.to_pylist())
    assert not [word for word in ("Siahkal", "Mahmoud", "0912", "h1", "uuid") if word in text.lower()]
    assert orjson.loads(file.schema.metadata[b"geo"])["primary_column"] == "geometry"
    assert [value is None for value in file["geometry"].to_pylist()] == [False, True]
    assert _counted(file).tobytes() == rows.tobytes()


def test_batches_of_any_size_become_partitions_of_one_size() -> None:
    batches = [REPORTS[:7], REPORTS[7:7], REPORTS[7:16]]
    assert [len(group) for group in _regrouped(batches, 5)] == [5, 5, 5, 1]
    assert np.concatenate([*_regrouped(batches, 5)]).tobytes() == REPORTS[:16].tobytes()
    assert list(_regrouped([], 5)) == []


def test_a_missing_library_is_a_problem_that_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(Problem, match="distributed"):
        Cluster("tcp://127.0.0.1:1", "s3://none/here")([], [], Question("leopard", date(2025, 1, 1)))
