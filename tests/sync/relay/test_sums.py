"""What is summed of channels is read once, and is what is here also after a log was begun anew."""

from datetime import UTC, datetime

from sqlalchemy import insert, select, update

from records.models import Project, RelayRecord
from records.store import Store
from sync.relay import log
from sync.relay.batch import written
from sync.relay.comparing import Sums
from sync.relay.identity import Identity
from sync.relay.log import Entry
from tests.support.records import new_id
from tests.support.stores import PROJECT

OTHER = 2
ME = Identity.new()


def add(store: Store, project_id: int, count: int) -> None:
    """Records of a project in its channel, `data:<id>`."""
    made = [written(ME, "sub", f"data:{project_id}", datetime.now(UTC), None, f="f", i=new_id()) for _ in range(count)]
    store.write(lambda connection: log.append(connection, [Entry(record, project_id) for record in made]))


def summed(store: Store, sums: Sums, project_id: int = PROJECT) -> tuple[int, str]:
    with store.snapshot() as connection:
        return sums.whole(connection, f"data:{project_id}", of=ME.node_id)


def test_a_sum_goes_on_from_where_it_was(store: Store) -> None:
    sums = Sums()
    add(store, PROJECT, 3)
    first = summed(store, sums)
    store.write(lambda connection: connection.execute(update(RelayRecord).filter_by(seq=1).values(id="0" * 64)))
    assert summed(store, sums) == first  # the first record was not read again
    assert summed(store, Sums()) != first
    add(store, PROJECT, 5)
    assert summed(store, sums)[0] == 8


def test_a_log_that_was_begun_anew_is_summed_anew(store: Store) -> None:
    with store.engine.begin() as connection:
        row = dict(connection.execute(select(Project.__table__)).mappings().one())
        connection.execute(insert(Project), {**row, "id": OTHER, "account": "other"})
    sums = Sums()
    for project_id, count in ((PROJECT, 3), (OTHER, 2)):
        add(store, project_id, count)
    assert [summed(store, sums, each)[0] for each in (PROJECT, OTHER)] == [3, 2]
    store.write(lambda connection: log.begin_anew(connection, PROJECT, known=()))
    assert summed(store, sums) == (0, "0" * 64)
    add(store, PROJECT, 1)
    assert [summed(store, sums, each) for each in (PROJECT, OTHER)] == [summed(store, Sums(), each) for each in (PROJECT, OTHER)]
