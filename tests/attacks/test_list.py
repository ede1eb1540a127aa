"""The list of attacks names tests that exist, for every number, and every test here has its number in the list."""

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
LIST = Path(__file__).with_name("README.md").read_text(encoding="utf-8")
ROWS = {int(row[1]): row[2] for row in re.finditer(r"^\| (\d+) \|[^|]*\|(.*)\|$", LIST, re.MULTILINE)}


def functions(file: Path) -> set[str]:
    return {node.name for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.FunctionDef)}


def test_every_attack_has_tests_and_they_exist() -> None:
    assert sorted(ROWS) == [*range(1, 37), 41, 42]
    for number, row in ROWS.items():
        named = re.findall(r"`([\w/]+\.py)::(\w+)`", row)
        assert named, number
        missing = [name for file, name in named if name not in functions(TESTS / file)]
        assert missing == [], number


def test_the_tests_of_this_folder_are_under_a_number_of_the_list() -> None:
    names = {name for file in Path(__file__).parent.glob("test_*.py") for name in functions(file) if name.startswith("test_a")}
    assert {int(re.findall(r"a_?(\d\d)", name)[0]) for name in names} <= set(ROWS)
