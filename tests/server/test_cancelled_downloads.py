"""Downloads that are broken off, at a real server: nothing of them stays, on the disk, in the database or among the few places."""

import csv
import io
import time
from collections.abc import Iterator

import pytest
import requests
from sqlalchemy import Engine, insert, select, text

from records.models import Submission
from records.store import open_engine
from server.data_files import MOST_AT_ONCE
from tests.conftest import NewServer
from tests.support.collect import Collect, Record
from tests.support.programs import PASSWORD, Reader, form_path, reader
from tests.support.records import FLOCK, flock, new_id

MANY, MOST_SECONDS = 5_000, 60
ADDRESS = f"{form_path('flock_count')}/data"


def fill(engine: Engine) -> None:
    """So many copies of the one record that a download does not fit into what the two ends keep between them."""
    with engine.begin() as connection:
        row = dict(connection.execute(select(*Submission.__table__.columns)).one()._mapping)
        row["answers"] = {**row["answers"], "remarks": "x" * 4000}
        row["checked"] = 1_000_000  # the checks have nothing to do with this
        ids = [f"uuid:{number}" for number in range(MANY)]
        connection.execute(insert(Submission), [{**row, "instance_id": each, "current_instance_id": each} for each in ids])


def held(engine: Engine) -> bool:
    """Whether somebody still reads an old state of the database."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            return bool(connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)")).one()[0])
        old = "datname = current_database() AND xact_start < now() - interval '3 seconds'"
        return bool(connection.scalar(text(f"SELECT count(*) FROM pg_stat_activity WHERE {old}")))


def break_off(asking: Reader, name: str) -> None:
    address = f"{asking.root}{ADDRESS}?format={name}"
    with requests.get(address, auth=(asking.name, PASSWORD), timeout=60, stream=True) as answer:
        assert answer.status_code == 200
        assert answer.raw.read(1000)


def whole(asking: Reader) -> int:
    """Rows of a download, as soon as there is a place for it."""
    end = time.monotonic() + MOST_SECONDS
    while (answer := asking.ask(f"{ADDRESS}?format=csv&table=flock_count")).status_code == 503 and time.monotonic() < end:
        time.sleep(0.2)
    assert answer.status_code == 200, answer.text[:300]
    return len(list(csv.reader(io.StringIO(answer.text, newline="")))) - 1


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def filled(request: pytest.FixtureRequest, new_server: NewServer) -> Iterator[tuple[Reader, Engine]]:
    """Somebody who may see the reports of a server of its own, and its database."""
    server = new_server(request.param)
    server.publish(FLOCK)
    Collect(server.app_user("Ranger")["url"]).send(Record(flock(new_id())))
    engine = open_engine(server.database_url or f"sqlite:///{server.data / 'tulliana.sqlite3'}")
    fill(engine)
    yield reader(server), engine
    engine.dispose()


@pytest.mark.parametrize("name", ["csv", "geojson", "gpkg"])
def test_a_broken_off_download_leaves_nothing(filled: tuple[Reader, Engine], name: str) -> None:
    asking, engine = filled
    for _ in range(MOST_AT_ONCE + 1):
        break_off(asking, name)
        time.sleep(0.3)
    assert whole(asking) == MANY + 1
    end = time.monotonic() + MOST_SECONDS
    while held(engine) and time.monotonic() < end:
        time.sleep(0.2)
    assert not held(engine)
    assert not list(asking.server.data.glob("unfinished/*"))
