"""7.8 of the client contract, as far as a record is read when it arrives: values as phones write them."""

from typing import Any

import pytest

from tests.conformance.conftest import Site
from tests.support.records import loss, new_id, parts

PLACE, START = "35.7001 51.4002 1320.0 4.5", "2026-05-02T07:41:09.123+03:30"


def kept(site: Site, old: str = "", new: str = "", carcasses: tuple[str, ...] = ()) -> dict[str, Any]:
    """What becomes of a record in which `old` is replaced by `new`."""
    instance = new_id()
    assert site.post(parts(loss(instance, "", carcasses).decode().replace(old, new).encode())).status == 201
    return site.kept("livestock_loss", instance)


@pytest.mark.parametrize("written", [PLACE, "3.57001E1 5.14002E1", "35.7001 51.4002 1320.0", "35.70010000 51.40020000 0 0"])
def test_t144_t145_positions_with_two_to_four_numbers(site: Site, written: str) -> None:
    record = kept(site, PLACE, written)
    assert (record["latitude"], record["longitude"]) == (35.7001, 51.4002)
    assert record["answers"]["place"] == written
    assert not record["flags"]


@pytest.mark.parametrize("written", ["95 200 0 0", "35.7", "here", "NaN NaN 0 0", "35.7,51.4"])
def test_a_position_that_is_none_is_kept_raw_and_flagged(site: Site, written: str) -> None:
    record = kept(site, PLACE, written)
    assert (record["latitude"], record["longitude"]) == (None, None)
    assert record["answers"]["place"] == written
    assert [flag["path"] for flag in record["flags"]] == ["place"]


@pytest.mark.parametrize("offset", ["Z", "+03:30", "+04:30", "+0330", "+03", "-11:00"])
def test_t148_every_offset_is_understood_and_kept_raw(site: Site, offset: str) -> None:
    record = kept(site, START, f"2026-05-02T07:41:09.123{offset}")
    assert record["answers"]["start"] == f"2026-05-02T07:41:09.123{offset}"
    assert not record["flags"]


def test_t149_the_day_is_the_phones_day(site: Site) -> None:
    """00:30 in Tehran is still the evening before in UTC; the incident belongs to the ranger's day."""
    assert str(kept(site, START, "2026-05-02T00:30:00.000+03:30")["event_date"]) == "2026-05-02"


@pytest.mark.parametrize(("signs", "flagged"), [("tracks scat", False), ("  scat   tracks ", False), ("tracks yeti", True)])
def test_t150_choices_are_split_on_any_run_of_spaces(site: Site, signs: str, flagged: bool) -> None:
    record = kept(site, "<signs>tracks scat</signs>", f"<signs>{signs}</signs>")
    assert [flag["path"] for flag in record["flags"]] == ["signs"] * flagged


def test_t152_t153_what_was_not_asked_is_absent_and_no_rounds_are_no_rows(site: Site) -> None:
    record = kept(site, "<signs>tracks scat</signs>", "")
    assert record["answers"].get("signs") is None
    assert not record["answers"].get("animals")
    assert not record["flags"]


def test_repeats_keep_their_order(site: Site) -> None:
    record = kept(site, carcasses=("3.jpg", "1.jpg", "2.jpg"))
    assert [animal["carcass"] for animal in record["answers"]["animals"]] == ["3.jpg", "1.jpg", "2.jpg"]


@pytest.mark.parametrize("text", ["می\u200cروم ۱۲", "ي ى ک ك", "a\nb", "\u202bراست\u202c", "=1+1", "🐆"])
def test_t155_text_is_kept_letter_by_letter(site: Site, text: str) -> None:
    assert kept(site, "<remarks></remarks>", f"<remarks>{text}</remarks>")["answers"]["remarks"] == text


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e400", "9" * 400, "۱۲", "-0", "1.5", "0x10", "1_000"])
def test_numbers_no_question_expects_never_cost_the_record(site: Site, number: str) -> None:
    record = kept(site, "<killed>1</killed>", f"<killed>{number}</killed>", ("1.jpg",))
    assert record["flags"] or isinstance(record["answers"]["animals"][0]["killed"], int)
    assert f"<killed>{number}</killed>".encode() in site.server.xml(record["instance_id"])


def test_elements_the_form_does_not_know_stay_in_the_bytes(site: Site) -> None:
    record = kept(site, "<remarks></remarks>", "<remarks/><invented>by a newer phone</invented>")
    assert b"<invented>by a newer phone</invented>" in site.server.xml(record["instance_id"])
