"""A table that people keep fills a list, as often as it changes."""

import pytest
from sqlalchemy import select

from forms.problems import Problem
from records.access import Access
from records.entities import entities
from records.models import AuditEvent, EntityAction
from records.store import Store
from sync.entities import change
from sync.entity_import import import_csv
from tests.support.entities import uuid_of
from tests.support.stores import EVERYTHING


def put(store: Store, text: str) -> dict[str, int]:
    return dict(import_csv(store, EVERYTHING, "households", text.encode()))


def rows(store: Store) -> list[tuple[str, dict[str, str], int]]:
    with store.read() as connection:
        return sorted((row.label, row.data, row.version) for row in entities(connection, EVERYTHING, "households"))


def test_a_table_makes_a_list_and_changes_it(store: Store) -> None:
    assert put(store, "label,village,herd\nH-1,دره,12\nH-2,Ab,\n") == {"made": 2}
    assert put(store, "\ufefflabel,herd\r\nH-1,13\r\nH-2,\r\nH-3,1\r\n") == {"changed": 1, "unchanged": 1, "made": 1}
    assert rows(store) == [
        ("H-1", {"village": "دره", "herd": "13"}, 2),
        ("H-2", {"village": "Ab", "herd": ""}, 1),
        ("H-3", {"herd": "1"}, 1),
    ]
    with store.read() as connection:
        assert set(connection.execute(select(EntityAction.actor)).scalars()) == {EVERYTHING.actor}
        assert connection.execute(select(AuditEvent.detail).filter_by(action="entity.import")).scalars().first() == {"made": 2}


def test_rows_with_ids_are_known_by_them_whatever_their_label(store: Store) -> None:
    uuid = uuid_of("H-1")
    put(store, f"name,label\n{uuid},H-1\n")
    assert put(store, f"name,label,__version\nuuid:{uuid.upper()},H-1 new,7\n") == {"changed": 1}
    assert rows(store) == [("H-1 new", {}, 2)]


def test_a_deleted_entity_does_not_come_back_with_the_table(store: Store) -> None:
    uuid = uuid_of("H-1")
    put(store, f"name,label\n{uuid},H-1\n")
    change(store, EVERYTHING, uuid, "delete")
    assert put(store, f"name,label\n{uuid},H-1\n") == {"deleted before": 1}
    assert rows(store) == []


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("code\nH-1\n", "needs a column named label"),
        ("label,herd\nH-1,1\n ,2\n", "Line 3 has no label"),
        ("label,herd\nH-1\n", "Line 2 has another number of cells"),
        ("label,herd\nH-1,1,2\n", "Line 2 has another number of cells"),
        ("name,label\n7,H-1\n", "Line 2: 7 is not a UUID"),
        ('label\n"H-1\n', "not a CSV file"),
    ],
)
def test_a_faulty_table_changes_nothing_and_is_told_by_its_line(store: Store, table: str, message: str) -> None:
    with pytest.raises(Problem, match=message):
        put(store, table)
    assert rows(store) == []


def test_who_may_not_look_after_lists_may_not_fill_them(store: Store) -> None:
    reviewer = Access.of_role(1, "somebody", "reviewer", 7)
    with pytest.raises(Problem) as caught:
        import_csv(store, reviewer, "households", b"label\nH-1\n")
    assert caught.value.kind.code == "not_allowed"
