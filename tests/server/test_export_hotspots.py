"""`tulliana export hotspots` works out hotspots once, without making a release."""

from pathlib import Path

import pytest
from distributed import LocalCluster

from tests.conftest import NewServer
from tests.support.storage import new_bucket, storage


def test_hotspots_are_worked_out_once_for_a_year_and_all_carnivores(new_server: NewServer, tmp_path: Path) -> None:
    server = new_server("sqlite", {"TULLIANA_EXPORT_SCHEDULE": "never"})
    asked = ("--predator", "all_large_carnivores", "--by-year", "--fdr", "by", "--grid", "ease10", "--as-of", "2026-09-28")
    code, said = server.here("export", "hotspots", *asked, "--out", str(tmp_path))
    assert code == 0, said
    folder = tmp_path / "conflict_hotspots_all_large_carnivores_2025Q1-2025Q4_partner_r1"
    assert f"{folder / 'METHOD.fa.txt'}\t0 rows\t" in said
    method = (folder / "METHOD.txt").read_text("utf-8")
    assert "2025-01-01" in method
    assert "EASE-Grid 2.0" in method
    code, said = server.here("export", "list", "--json")
    assert (code, said) == (0, "")


def test_a_cluster_needs_a_storage(new_server: NewServer, tmp_path: Path) -> None:
    server = new_server("sqlite", {"TULLIANA_EXPORT_SCHEDULE": "never"})
    code, said = server.here("export", "hotspots", "--dask", "tcp://127.0.0.1:1", "--out", str(tmp_path))
    assert code == 2
    assert "--dask and --storage go together" in said


def test_a_release_can_be_counted_on_a_cluster(new_server: NewServer, tmp_path: Path) -> None:
    with storage() as environment, pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        server = new_server("sqlite", {"TULLIANA_EXPORT_SCHEDULE": "never"} | environment)
        bucket = new_bucket(environment)
        with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0", memory_limit=0) as cluster:
            on_it = ("--dask", cluster.scheduler_address, "--storage", bucket)
            code, said = server.here("export", "run", "hotspots-public", *on_it, "--out", str(tmp_path))
            assert code == 0, said
        assert (tmp_path / "METHOD.txt").is_file()
        code, said = server.here("export", "run", "indicators", *on_it)
        assert (code, "Only hotspots are counted on a cluster" in said) == (2, True)
