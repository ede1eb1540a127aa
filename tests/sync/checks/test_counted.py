"""The checks pack what is counted of a report of losses; whatever changes the answers takes it away until they looked again."""

from datetime import date
from typing import Any

import numpy as np

from records.counted import LAYOUT, counted, digest, report_number
from tests.support.cases import case
from tests.support.desk import Desk


def facts(desk: Desk, instance_id: str) -> Any:
    return np.frombuffer(desk.row(instance_id).counted, LAYOUT)[0]


def test_a_checked_report_has_its_losses_place_day_and_household_packed(desk: Desk) -> None:
    desk.send("uuid:1", {"cause": {"predator": "wolf"}})
    assert desk.row("uuid:1").counted is None
    desk.checker.run()
    row, packed = desk.row("uuid:1"), facts(desk, "uuid:1")
    assert (packed["predator"], packed["latitude"], packed["longitude"]) == (b"wolf", row.latitude, row.longitude)
    assert date.fromordinal(int(packed["day"]) + date(1970, 1, 1).toordinal()) == row.event_date
    assert packed["report"] == report_number("uuid:1")
    assert packed["household"] == digest(str(row.answers["reporter"]["household_code"]).lower().replace("-", ""))
    assert row.counted == counted("uuid:1", row.answers, row.latitude, row.longitude, row.accuracy, row.event_date)


def test_an_edit_takes_it_away_and_the_next_look_packs_the_new_answers(desk: Desk) -> None:
    desk.send("uuid:1")
    desk.checker.run()
    desk.send("uuid:2", {"cause": {"predator": "wolf"}}, deprecated_id="uuid:1")
    assert desk.row("uuid:1").counted is None
    desk.checker.run()
    assert (facts(desk, "uuid:1")["predator"], facts(desk, "uuid:1")["report"]) == (b"wolf", report_number("uuid:1"))


def test_an_edit_that_came_first_is_packed_under_the_id_of_its_original(desk: Desk) -> None:
    desk.send("uuid:2", {"cause": {"predator": "wolf"}}, deprecated_id="uuid:1")
    desk.checker.run()
    assert facts(desk, "uuid:2")["report"] == report_number("uuid:2")
    desk.send("uuid:1")
    assert desk.row("uuid:1").counted is None
    desk.checker.run()
    assert (facts(desk, "uuid:1")["predator"], facts(desk, "uuid:1")["report"]) == (b"wolf", report_number("uuid:1"))


def test_other_surveys_are_not_packed() -> None:
    assert case({}, form_id="dog_impact").counted is None
