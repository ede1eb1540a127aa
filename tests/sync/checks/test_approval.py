"""What a person approves counts, whatever the checks said of it."""

from records import reviews
from tests.support.desk import Desk
from tests.support.stores import EVERYTHING


def approve(desk: Desk) -> None:
    reviews.set_state(desk.store, EVERYTHING, "conflict_livestock", "uuid:1", "approved", "I was there")


def test_an_approved_report_counts_and_waits_for_nobody(desk: Desk) -> None:
    desk.send("uuid:1", {"where": {"loc_method": "here", "event_gps": "51.4 35.7 1200 5"}})
    desk.checker.run()
    assert desk.row("uuid:1").excluded
    approve(desk)
    desk.checker.forget()
    desk.checker.run()
    assert (desk.row("uuid:1").excluded, desk.row("uuid:1").attention) == (False, False)


def test_what_is_found_after_the_approval_is_told(desk: Desk) -> None:
    desk.send("uuid:1")
    desk.checker.run()
    approve(desk)
    desk.send("uuid:2", {"where": {"loc_method": "here", "event_gps": "51.4 35.7 1200 5"}}, deprecated_id="uuid:1")
    desk.checker.run()
    assert desk.row("uuid:1").excluded
