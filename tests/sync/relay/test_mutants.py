"""The tests of the relay can fail: each safeguard is taken away in turn, and the test that is there for it says so.

The table is in README.md beside this file.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from records.models import RelayRecord
from sync.relay import decisions, log, projects, taking
from sync.relay.batch import START, Batch, Record
from sync.relay.sending import Sender
from sync.relay.upward import Upward
from tests.support.records import FLOCK, LOSS
from tests.support.relay import Node
from tests.sync.relay import test_disasters as disasters
from tests.sync.relay import test_given_back as back
from tests.sync.relay import test_passed_on as passed
from tests.sync.relay import test_threats as threats
from tests.sync.relay.conftest import NewNode
from tests.sync.relay.test_disasters import CLAIM

Patch = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture
def hub(new_node: NewNode) -> Node:
    return new_node("hub", forms=(LOSS.read_bytes(), FLOCK.read_bytes(), CLAIM))


def places_are_numbers(patch: pytest.MonkeyPatch) -> None:
    def common(connection: Any, offered: Any) -> Any:
        return max((each for each in offered if each[0] <= log.last(connection)[0]), default=None)

    patch.setattr(log, "common", common)


def references_are_believed(patch: pytest.MonkeyPatch) -> None:
    read = Batch.read
    patch.setattr(Batch, "read", classmethod(lambda _cls, said, data: replace(read(said, data), references=())))


def the_place_is_written_first(patch: pytest.MonkeyPatch) -> None:
    take_in = taking.take_in

    def first(store: Any, me: Any, peer: Any, key: str, batch: Batch) -> Any:
        if batch.after and batch.upto:
            after, upto = batch.after, batch.upto
            store.write(lambda connection: log.read_up_to(connection, peer.id, batch.channel, after, upto))
        return take_in(store, me, peer, key, batch)

    patch.setattr("sync.relay.meeting.take_in", first)


def gaps_are_passed_over(patch: pytest.MonkeyPatch) -> None:
    read_up_to = log.read_up_to

    def from_the_start(connection: Any, peer: str, channel: str, _behind: Any, upto: Any) -> Any:
        return read_up_to(connection, peer, channel, START, upto)

    patch.setattr(log, "read_up_to", from_the_start)


def every_channel_is_for_everybody(patch: pytest.MonkeyPatch) -> None:
    class Everything(set[str]):
        def __contains__(self, _channel: object) -> bool:
            return True

        def __or__(self, _other: Any) -> Any:
            return self

    patch.setattr(projects, "readable", lambda _peer, _key: Everything())


def missing_bodies_stay_missing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(taking, "_fill", lambda _connection, _entry: False)


def erasures_are_heard_and_forgotten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(decisions, "erase", lambda *_arguments: None)


def nobody_looks_at_signatures(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("sync.relay.batch.is_signed", lambda *_arguments: True)


def nobody_looks_at_bodies(patch: pytest.MonkeyPatch) -> None:
    verify = Record.verify
    patch.setattr(Record, "verify", lambda record, key: verify(replace(record, body=None), key))


def islands_stay_islands(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(log, "_island", lambda *_arguments: None)


def what_came_back_is_signed_anew(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Upward, "_is_among", lambda *_arguments: False)


def anybody_gets_any_record_again(patch: pytest.MonkeyPatch) -> None:
    some = Sender.some

    def of_whoever(sender: Sender, ids: Any, *, of: str, most_bytes: int) -> Any:
        with sender.store.read() as connection:
            writers = connection.execute(select(RelayRecord.origin).where(RelayRecord.id.in_(ids)).distinct()).scalars().all()
        return [record for each in writers for record in some(sender, ids, of=each, most_bytes=most_bytes)]

    patch.setattr(Sender, "some", of_whoever)


def whoever_says_so_is_heard(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(decisions, "_may_decide", lambda *_arguments: True)


SCENARIOS: list[tuple[Patch, Callable[..., None], tuple[Any, ...]]] = [
    (places_are_numbers, threats.test_a_hub_that_was_put_back_and_went_another_way_is_followed, ()),
    (references_are_believed, disasters.test_a_hub_put_back_gets_its_records_forms_decisions_and_erasures_from_its_stations, ()),
    (the_place_is_written_first, threats.test_a_station_that_stops_while_it_takes_forms_has_them_next_time, ()),
    (gaps_are_passed_over, threats.test_what_comes_behind_a_gap_does_not_hide_the_gap, ()),
    (every_channel_is_for_everybody, threats.test_a_station_reads_no_channel_but_its_own, ()),
    (missing_bodies_stay_missing, threats.test_a_body_that_was_missing_is_filled_when_it_comes, ()),
    (erasures_are_heard_and_forgotten, disasters.test_what_was_erased_stays_so_when_a_station_is_put_back, ()),
    (nobody_looks_at_signatures, threats.test_a_batch_with_one_bad_record_changes_nothing, (threats.forged,)),
    (nobody_looks_at_bodies, threats.test_a_batch_with_one_bad_record_changes_nothing, (threats.tampered,)),
    (what_came_back_is_signed_anew, back.test_a_station_that_begins_anew_with_its_key_gets_everything_back, ()),
    (anybody_gets_any_record_again, back.test_a_station_never_gets_the_reports_of_another, ()),
    (whoever_says_so_is_heard, passed.test_a_station_that_did_not_bring_a_report_decides_nothing_of_it_even_when_others_do, ()),
    (islands_stay_islands, threats.test_what_came_behind_a_gap_counts_once_the_gap_is_filled, ()),
]


@pytest.mark.parametrize(("mutant", "scenario", "more"), SCENARIOS, ids=lambda each: getattr(each, "__name__", None))
def test_without_a_safeguard_its_test_fails(
    mutant: Patch,
    scenario: Callable[..., None],
    more: tuple[Any, ...],
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wanted = [name for name in scenario.__annotations__ if name not in {"return", "bad"}]
    given = {name: request.getfixturevalue(name) for name in wanted}
    with monkeypatch.context() as patch:
        mutant(patch)
        with pytest.raises((AssertionError, KeyError)):
            scenario(**given, **({"bad": more[0]} if more else {}))
