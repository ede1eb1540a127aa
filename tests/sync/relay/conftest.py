"""Nodes that tests of the relay make: stations on SQLite, hubs on both databases."""

import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from tests.support.relay import Node, joined

NewNode = Callable[..., Node]


@pytest.fixture
def new_node(sqlite_template: Path, tmp_path: Path) -> Iterator[NewNode]:
    """`new_node("name")` makes a node with these forms in a fresh database of its own, on SQLite unless `url` says where."""
    made: list[Node] = []

    def make(name: str, url: str = "", *, forms: Iterable[bytes] = ()) -> Node:
        folder = tmp_path / name
        folder.mkdir()
        made.append(Node(name, folder, url or f"sqlite:///{shutil.copy(sqlite_template, folder / 'tulliana.sqlite3')}"))
        for form in forms:
            made[-1].publish(form)
        return made[-1]

    yield make
    for node in made:
        node.close()


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    """A USB stick."""
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


@pytest.fixture
def hub(new_node: NewNode, database_url: str) -> Node:
    """A hub, on SQLite and on PostgreSQL."""
    return new_node("hub", database_url)


@pytest.fixture
def west(new_node: NewNode, hub: Node) -> Node:
    """A station of the hub that has its forms."""
    return joined(new_node("west"), hub)


@pytest.fixture
def east(new_node: NewNode, hub: Node) -> Node:
    """Another one."""
    return joined(new_node("east"), hub)


@pytest.fixture
def station(new_node: NewNode, hub: Node) -> Node:
    """A station that has joined the hub."""
    made = new_node("station")
    made.enrol(hub)
    return made
