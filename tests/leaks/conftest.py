"""One world for all attackers."""

from collections.abc import Iterator

import pytest

from tests.conftest import NewServer
from tests.support.leaks import PASSWORD, World


@pytest.fixture(scope="session")
def world(new_server: NewServer) -> Iterator[World]:
    """A server full of secrets, with its releases made, an analyst, a data collector, a reviewer and nobody else."""
    made = World.on(new_server("sqlite", {"TULLIANA_EXPORT_SCHEDULE": "never"}))
    for name, role in (("ana", "analyst"), ("col", "data_collector"), ("rev", "reviewer")):
        code, said = made.server.here("account", "add", name, "--role", role, "--password", PASSWORD)
        assert code == 0, said
    for level in ("public", "partner"):
        for name in ("hotspots", "indicators", "darwincore", "camtrapdp"):
            code, said = made.server.here("export", "run", name, "--level", level, "--as-of", "2026-07-01")
            assert code == 0, said
    return made
