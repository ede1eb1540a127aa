"""7.7 of the client contract: edits come in any order, and none is turned away."""

import itertools
import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conformance.conftest import Site
from tests.support.records import flock, loss, new_id, parts

PHOTO = b"\xff\xd8\xff\xe0 photo"


def chain(length: int) -> list[tuple[str, bytes]]:
    """(id, XML) of a record and its successive edits; the number of sheep counts the versions."""
    ids = [new_id() for _ in range(length)]
    return [
        (own, flock(own, sheep=str(number), deprecated_id=ids[number - 1] if number else None)) for number, own in enumerate(ids)
    ]


def test_t131_an_edit_is_a_new_version_of_the_record(site: Site) -> None:
    (root, first), (_, second) = chain(2)
    assert site.post(parts(first)).status == 201
    assert site.post(parts(second)).status in {201, 202}
    record = site.kept("flock_count", root)
    assert record["review_state"] == "edited"
    assert record["edits"] == 1
    assert int(record["answers"]["sheep"]) == 1


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_t132_a_chain_of_edits_in_any_order_ends_the_same(site: Site, order: tuple[int, ...]) -> None:
    versions = chain(3)
    for place in order:
        assert site.post(parts(versions[place][1])).status in {201, 202}
    record = site.kept("flock_count", versions[0][0])
    assert int(record["answers"]["sheep"]) == 2
    assert record["edits"] == 2
    assert not [flag for flag in record["flags"] if flag["code"] == "edit_before_original"]
    others = {identity for identity, _ in versions[1:]}
    assert not [found for found in site.server.submissions("flock_count") if found["instance_id"] in others]


def test_t132_chains_sent_all_at_once_end_the_same(site: Site) -> None:
    chains = [chain(4) for _ in range(10)]
    posts = [version for versions in chains for version in versions] * 2
    random.Random(4).shuffle(posts)
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda version: site.post(parts(version[1])), posts))
    assert {answer.status for answer in answers} <= {201, 202}
    found = {record["instance_id"]: record for record in site.server.submissions("flock_count")}
    for versions in chains:
        root, *edits = [identity for identity, _ in versions]
        assert int(found[root]["answers"]["sheep"]) == 3
        assert found[root]["edits"] == 3
        assert not set(edits) & set(found)


def test_t132_a_held_edit_is_shown_until_its_original_comes(site: Site) -> None:
    (_, _), (edit, second) = chain(2)
    answer = site.post(parts(second))
    assert answer.status in {201, 202}
    assert "edit_before_original" in site.flags("flock_count", edit)


def test_t133_two_edits_of_one_version_are_both_kept_and_flagged(site: Site) -> None:
    root, left, right = new_id(), new_id(), new_id()
    assert site.post(parts(flock(root, sheep="0"))).status == 201
    assert site.post(parts(flock(left, sheep="1", deprecated_id=root))).status in {201, 202}
    assert site.post(parts(flock(right, sheep="2", deprecated_id=root))).status == 202
    assert int(site.kept("flock_count", root)["answers"]["sheep"]) == 1
    assert "edit_conflict" in site.flags("flock_count", root)
    assert site.server.xml(right) == flock(right, sheep="2", deprecated_id=root)


def test_an_edit_sent_again_is_a_duplicate(site: Site) -> None:
    (root, first), (_, second), (_, third) = chain(3)
    for xml in (first, second, second, third, second, first):
        assert site.post(parts(xml)).status in {201, 202}
    record = site.kept("flock_count", root)
    assert record["edits"] == 2
    assert not record["flags"]


def test_t134_files_of_an_edit_belong_to_the_edit(site: Site) -> None:
    root, edit = new_id(), new_id()
    assert site.post(parts(loss(root, "1.jpg"), {"1.jpg": PHOTO})).status == 201
    edited = loss(edit, "2.jpg", deprecated_id=root)
    assert site.post(parts(edited, incomplete=True)).status in {201, 202}
    assert site.kept("livestock_loss", root)["files_present"] == 0
    assert site.post(parts(edited, {"2.jpg": PHOTO + b"2"})).status in {201, 202}
    record = site.kept("livestock_loss", root)
    assert (record["files_expected"], record["files_present"]) == (1, 1)


def test_t135_a_file_the_edit_still_names_is_inherited(site: Site) -> None:
    root, edit = new_id(), new_id()
    assert site.post(parts(loss(root, "1.jpg"), {"1.jpg": PHOTO})).status == 201
    assert site.post(parts(loss(edit, "1.jpg", deprecated_id=root, remarks="two more"))).status in {201, 202}
    record = site.kept("livestock_loss", root)
    assert (record["files_expected"], record["files_present"]) == (1, 1)


def test_an_edit_of_itself_is_kept(site: Site) -> None:
    own = new_id()
    for _ in range(2):
        assert site.post(parts(flock(own, deprecated_id=own))).status in {201, 202}
    assert site.kept("flock_count", own)


def test_a_circle_of_edits_is_kept(site: Site) -> None:
    first, second = new_id(), new_id()
    assert site.post(parts(flock(first, deprecated_id=second))).status in {201, 202}
    assert site.post(parts(flock(second, deprecated_id=first))).status in {201, 202}
    assert site.server.xml(first)
    assert site.server.xml(second)
