"""Two releases of one window, taken from each other, tell of nobody."""

from exports.privacy import told_by_difference

KEY = ("cell_id", "event_set")


def row(cell: str, events: int, households: str, **more: str) -> dict[str, str]:
    return {"cell_id": cell, "event_set": "standard", "n_events": str(events), "n_households": households, **more}


def test_what_did_not_change_may_be_given_again() -> None:
    same = [row("a", 9, "5-9", rate="0.2")]
    assert told_by_difference(same, [row("a", 9, "5-9", rate="0.3")], KEY) == []


def test_a_late_report_waits_for_the_next_window() -> None:
    assert told_by_difference([row("a", 9, "5-9")], [row("a", 10, "5-9")], KEY) == ["a/standard"]
    assert told_by_difference([row("a", 9, "7")], [row("a", 13, "11")], KEY) == ["a/standard"]


def test_five_households_more_may_be_told() -> None:
    assert told_by_difference([row("a", 9, "7")], [row("a", 20, "12")], KEY) == []


def test_a_place_that_comes_or_goes_tells_how_few_it_had() -> None:
    assert told_by_difference([row("a", 9, "9")], [row("a", 9, "9"), row("b", 5, "5")], KEY) == ["b/standard"]
    assert told_by_difference([row("b", 5, "5")], [], KEY) == ["b/standard"]
