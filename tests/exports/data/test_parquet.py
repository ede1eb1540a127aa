"""GeoParquet where pyarrow is not installed: a problem that says what to do."""

import sys

import pytest
from sqlalchemy import Engine

from exports.data import formats
from forms.problems import Problem
from tests.support.tables import opened


def test_without_its_library_parquet_is_a_problem_that_says_what_to_do(herds: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with opened(herds) as source, pytest.raises(Problem) as caught:
        next(formats.stream(source, formats.format_of("parquet"), open, table="herds"))  # type: ignore[arg-type]
    assert caught.value.kind.code == "not_supported"
    assert "tulliana[parquet]" in caught.value.hint
