"""A database with the surveys of wildlife, and releases made from it."""

import csv
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine

from exports.package.release import Made, make
from exports.recipes import RECIPES
from records.models import Base
from records.store import open_engine
from tests.support import wildlife
from tests.support.stores import EVERYTHING

AS_OF = date(2026, 9, 28)
Release = Callable[..., Made]
Rows = list[dict[str, str]]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """An empty database with the surveys."""
    made = open_engine(f"sqlite:///{tmp_path / 'wildlife.db'}")
    Base.metadata.create_all(made)
    with made.begin() as connection:
        wildlife.publish(connection)
    yield made
    made.dispose()


@pytest.fixture
def records(engine: Engine) -> Iterator[Connection]:
    """A connection to it."""
    with engine.begin() as connection:
        yield connection


@pytest.fixture
def release(records: Connection, tmp_path: Path) -> Release:
    """Makes a release by its name, as of a day."""

    def run(name: str, as_of: date = AS_OF, out: str = "out") -> Made:
        made = make(records, EVERYTHING, RECIPES[name], as_of, tmp_path / out / name)
        assert isinstance(made, Made)
        return made

    return run


def table(made: Made, name: str) -> Rows:
    """The rows of a table of a release."""
    with (made.folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
