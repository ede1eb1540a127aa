"""The command line in this process, on a database and a data folder of one test's own."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from forms.problems import Problem
from server.cli import cli as group

Run = Callable[..., Result]


@pytest.fixture
def cli(database_url: str, tmp_path: Path) -> Run:
    """`cli("form", "list")` runs `tulliana form list`; `code=` expects this problem."""

    def run(*arguments: str, code: str = "", **environ: str) -> Result:
        own = {
            "TULLIANA_DATA": str(tmp_path / "data"),
            "TULLIANA_DATABASE_URL": database_url,
            "TULLIANA_PUBLIC_URL": "http://10.0.0.5:8080",
        }
        result = CliRunner().invoke(group, arguments, env={**own, **environ}, prog_name="tulliana")
        if code:
            assert isinstance(result.exception, Problem), result.output
            assert result.exception.kind.code == code
        elif result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run
