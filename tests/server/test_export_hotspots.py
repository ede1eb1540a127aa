"""`tulliana export hotspots` works out hotspots once, without making a release."""

from pathlib import Path

from tests.conftest import NewServer


def test_hotspots_are_worked_out_once_for_a_year_and_all_carnivores(new_server: NewServer, tmp_path: Path) -> None:
    server = new_server("sqlite", {"TULLIANA_EXPORT_SCHEDULE": "never"})
    asked = ("--predator", "all_large_carnivores", "--by-year", "--fdr", "by", "--as-of", "2026-09-28")
    code, said = server.here("export", "hotspots", *asked, "--out", str(tmp_path))
    assert code == 0, said
    folder = tmp_path / "conflict_hotspots_all_large_carnivores_2025Q1-2025Q4_partner_r1"
    assert f"{folder / 'METHOD.fa.txt'}\t0 rows\t" in said
    assert "2025-01-01" in (folder / "METHOD.txt").read_text("utf-8")
    code, said = server.here("export", "list", "--json")
    assert (code, said) == (0, "")


def test_a_cluster_needs_a_storage(new_server: NewServer, tmp_path: Path) -> None:
    server = new_server("sqlite", {"TULLIANA_EXPORT_SCHEDULE": "never"})
    code, said = server.here("export", "hotspots", "--dask", "tcp://127.0.0.1:1", "--out", str(tmp_path))
    assert code == 2
    assert "--dask and --storage go together" in said
