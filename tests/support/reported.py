"""A valley with many attacks, a province with a few, and a country in which only four households tell of any."""

import random
from datetime import date, timedelta

from sqlalchemy import Connection

from tests.support.conflict import answers, insert_record

AS_OF = date(2026, 9, 28)
FIRST = date(2024, 8, 1)
KILLED = 157
"""In each attack of the four households: a number that nothing else adds up to."""


def animals(killed: int) -> dict[str, object]:
    return {"currency": "IRR", "loss": [{"species": "sheep", "age": "adult", "n_killed": killed, "unit_value": 120_000_000}]}


def fill(connection: Connection) -> None:
    """150 attacks in and around a valley of Mazandaran, 24 in Turkmenistan, 8 on four households in Armenia."""
    chance = random.Random(4)
    for number in range(150):
        spread = 0.03 if number < 90 else 0.5
        place = (36.6 - abs(chance.gauss(0, spread)), 52.4 + chance.gauss(0, spread), 12.0)
        content = answers(f"H{number % 60}", losses=animals(1 + number % 3))
        insert_record(connection, f"uuid:{number}", content, place=place, day=FIRST + timedelta(days=4 * number))
    for number in range(24):
        place = (38.4 + chance.random() / 50, 56.3, 12.0)
        content = answers(f"T{number % 8}", country="TM", losses=animals(2))
        insert_record(connection, f"uuid:t{number}", content, place=place, day=FIRST + timedelta(days=20 * number))
    for number in range(8):
        content = answers(f"A{number % 4}", country="AM", losses=animals(KILLED))
        insert_record(connection, f"uuid:a{number}", content, place=(39.9, 45.0, 12.0), day=FIRST + timedelta(days=60 * number))
    for number in range(70):
        visit = {"incident_ref": f"uuid:{number}", "predator_final": "leopard", "verification_status": "confirmed"}
        insert_record(connection, f"uuid:v{number}", visit, form_id="conflict_verification")
