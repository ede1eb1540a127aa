"""Records filled in at a training are asked whether they are tests."""

from datetime import date

import pytest

from tests.support.conflict import insert_record
from tests.support.desk import Desk


@pytest.mark.parametrize(
    ("first", "last", "found"),
    [("2026-05-01", "2026-05-01", True), ("2026-04-29", "2026-05-01", True), ("2026-04-28", "2026-04-30", False),
     ("2026-05-02", "2026-05-03", False), ("2026-05-01", None, True), ("2026-05-01", "soon", True)],
)  # fmt: skip
def test_what_is_filled_in_at_a_training_looks_like_a_test(desk: Desk, first: str, last: str | None, found: bool) -> None:
    place, day = (35.713, 51.4125, 5.0), date.fromisoformat(first)
    training = {"date_from": first, "date_to": last}
    desk.store.write(
        lambda connection: insert_record(connection, "uuid:9", training, form_id="training_event", place=place, day=day)
    )
    desk.send("uuid:1")  # on the first of May, less than a hundred metres away
    desk.checker.run()
    assert ("test_like" in desk.codes("uuid:1")) is found
