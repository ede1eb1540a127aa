"""Conflict reports as they are counted, and what an aggregate says of them."""

import random
from dataclasses import fields
from datetime import date, timedelta
from typing import Any

import numpy as np

from exports.partition import Aggregate, Counted, Question
from exports.reports import Reports
from exports.windows import Window
from records.counted import LAYOUT, counted
from tests.support.conflict import answers

WINDOW = Window(date(2024, 7, 1), date(2026, 6, 30))
QUESTION = Question("leopard", WINDOW.start)


def packed(*each: bytes) -> Counted:
    """Reports as they are counted."""
    return np.frombuffer(b"".join(each), LAYOUT)


def reports(number: int) -> Counted:
    """Made-up reports."""
    chance = random.Random(8)
    kinds = ["leopard"] * 5 + ["wolf", "unknown"]
    rows = []
    for each in range(number):
        content = answers(f"H{chance.randrange(90)}", predator=chance.choice(kinds), purpose=chance.choice(["real"] * 9 + ["test"]))
        place = (36.6 - abs(chance.gauss(0, 0.3)), 52.4 + chance.gauss(0, 0.3), 9.0)
        day = WINDOW.start + timedelta(days=chance.randrange(-200, 700)) if chance.random() < 0.97 else None
        rows.append(counted(f"uuid:{each}", content, *place, day))
    return packed(*rows)


REPORTS = reports(400)


def told(aggregate: Aggregate) -> tuple[Any, ...]:
    """Everything an aggregate says, with its reports in an order of their own."""
    reports = aggregate.reports
    codes = [int(aggregate.households[number]) if number >= 0 else 0 for number in reports.household.tolist()]
    columns = [getattr(reports, one.name).tolist() for one in fields(Reports) if one.name not in ("household", "loss")]
    rows = sorted(zip(codes, *columns, strict=True))
    return (
        rows,
        aggregate.households.tolist(),
        aggregate.touched.cells.tolist(),
        aggregate.touched.counts.tolist(),
        aggregate.left_out,
    )
