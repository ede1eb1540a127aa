"""Conflict reports as they are counted, and what an aggregate says of them."""

import json
import random
from dataclasses import fields
from datetime import date, timedelta
from typing import Any

from exports.partition import COUNTED, Aggregate, Question
from exports.reports import Reports
from exports.windows import Window
from tests.support.conflict import answers

WINDOW = Window(date(2024, 7, 1), date(2026, 6, 30))
QUESTION = Question("leopard", WINDOW.start)


def counted(content: Any) -> str:
    """What is counted of the answers of a report."""

    def answer(path: str) -> Any:
        found = content
        for name in path.split("/"):
            found = found.get(name) if isinstance(found, dict) else None
        return found

    return json.dumps([answer(path) for path in COUNTED])


def records(number: int) -> list[tuple[Any, ...]]:
    chance = random.Random(8)
    kinds = ["leopard"] * 5 + ["wolf", "unknown"]
    rows = []
    for each in range(number):
        content = answers(f"H{chance.randrange(90)}", predator=chance.choice(kinds), purpose=chance.choice(["real"] * 9 + ["test"]))
        place = (36.6 - abs(chance.gauss(0, 0.3)), 52.4 + chance.gauss(0, 0.3), 9.0)
        day = (WINDOW.start + timedelta(days=chance.randrange(-200, 700))).isoformat() if chance.random() < 0.97 else None
        state = chance.choice(["received"] * 9 + ["rejected"])
        rows.append((f"uuid:{each}", state, *place, day, counted(content)))
    return rows


RECORDS = records(400)


def told(aggregate: Aggregate) -> tuple[Any, ...]:
    """Everything an aggregate says, with its reports in an order of their own."""
    reports = aggregate.reports
    codes = [aggregate.households[number] if number >= 0 else "" for number in reports.household.tolist()]
    columns = [getattr(reports, one.name).tolist() for one in fields(Reports) if one.name not in ("household", "loss")]
    rows = sorted(zip(codes, *columns, strict=True))
    return rows, aggregate.households, aggregate.touched.cells.tolist(), aggregate.touched.counts.tolist(), aggregate.left_out
