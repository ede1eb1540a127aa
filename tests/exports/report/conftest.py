"""The report of made-up records, made once."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from exports.package.contents import ExportResult
from exports.report.files import run_report
from exports.report.numbers import Numbers
from exports.report.reading import read_numbers
from records.models import Base
from records.store import open_engine
from tests.support.reported import AS_OF, fill
from tests.support.stores import EVERYTHING


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    engine = open_engine(f"sqlite:///{tmp_path_factory.mktemp('report') / 'records.db'}")
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        fill(connection)
        yield connection
    engine.dispose()


@pytest.fixture(scope="session")
def report(filled: Connection, tmp_path_factory: pytest.TempPathFactory) -> ExportResult:
    """The public report of these records."""
    return run_report(filled, EVERYTHING, "public", AS_OF, tmp_path_factory.mktemp("reports"))


@pytest.fixture(scope="session")
def numbers(filled: Connection) -> Numbers:
    """What it is made from."""
    return read_numbers(filled, EVERYTHING, "public", AS_OF)
