"""The state of an entity does not depend on the order in which what was asked of it arrives."""

from dataclasses import replace
from itertools import permutations
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from sync import entity_fold
from sync.entity_fold import APPLIED, FAILED, WAITING, Action, History, fold

Outcome = tuple[list[tuple[str, str]], History]


def create(source: str = "new", **values: str) -> Action:
    return Action(0, "create", {"label": "H-1", **values}, source)


def update(
    base: int, source: str = "", *, trunk: int | None = None, branch: str = "", kind: str = "update", **values: str
) -> Action:
    own = source or f"{branch}{base}{values}"
    return Action(0, kind, values, own, base_version=base, trunk_version=trunk, branch_id=branch or None)


def arrive(*actions: Action) -> tuple[History, dict[str, Action]]:
    """Each arrives after the one before it was applied as far as possible, as on a server."""
    here: list[Action] = []
    history = History()
    for number, action in enumerate(actions, 1):
        here.append(replace(action, id=number))
        history = fold(here)
    return history, {action.source: action for action in here}


def states(*actions: Action) -> list[tuple[str, str]]:
    _, after = arrive(*actions)
    return [(after[action.source].state, after[action.source].detail) for action in actions]


def test_t157_a_creation_is_version_1() -> None:
    history, after = arrive(create(herd="12"))
    assert history.versions == [{"label": "H-1", "herd": "12"}]
    assert (after["new"].state, after["new"].version, history.conflict) == (APPLIED, 1, None)


def test_t159_a_creation_without_a_label_fails() -> None:
    assert states(Action(0, "create", {"herd": "12"}, "new")) == [(FAILED, entity_fold.NO_LABEL)]


def test_a_second_creation_of_one_id_fails() -> None:
    history, after = arrive(create(herd="12"), create("other", herd="99"))
    assert (after["other"].state, after["other"].detail) == (FAILED, entity_fold.EXISTS)
    assert history.versions[-1]["herd"] == "12"


def test_t160_an_update_of_the_current_version_is_the_next_version() -> None:
    history, _ = arrive(create(herd="12"), update(1, herd="13"))
    assert [version["herd"] for version in history.versions] == ["12", "13"]
    assert history.conflict is None


def test_t161_changes_of_different_properties_are_merged_and_marked_soft() -> None:
    history, _ = arrive(create(a="1", b="1"), update(1, a="2"), update(1, b="3"))
    assert (history.versions[-1], history.conflict) == ({"label": "H-1", "a": "2", "b": "3"}, "soft")


def test_t161_a_property_sent_again_as_it_was_is_no_change() -> None:
    history, _ = arrive(create(a="1", b="1"), update(1, a="2", b="1"), update(1, a="1", b="3"))
    assert (history.versions[-1], history.conflict) == ({"label": "H-1", "a": "2", "b": "3"}, "soft")


def test_t162_different_values_of_one_property_are_a_hard_conflict_and_the_last_one_wins() -> None:
    history, _ = arrive(create(a="1"), update(1, a="2"), update(1, a="3"))
    assert (history.versions[-1]["a"], history.conflict, history.clashes) == ("3", "hard", {"a": ("2", "3")})
    assert [version["a"] for version in history.versions] == ["1", "2", "3"]


def test_t162_the_same_value_twice_is_no_hard_conflict() -> None:
    assert arrive(create(a="1"), update(1, "x", a="2"), update(1, "y", a="2"))[0].conflict == "soft"


def test_a_hard_conflict_stays_hard() -> None:
    history, _ = arrive(create(a="1", b="1"), update(1, a="2"), update(1, a="3"), update(1, b="2"), update(4, b="5"))
    assert history.conflict == "hard"


def test_a_person_resolves_a_conflict_with_or_without_another_value() -> None:
    torn = (create(a="1"), update(1, a="2"), update(1, a="3"))
    history, _ = arrive(*torn, Action(0, "resolve", {}))
    assert (history.conflict, len(history.versions)) == (None, 3)
    history, _ = arrive(*torn, Action(0, "resolve", {"a": "2"}))
    assert (history.conflict, history.clashes, history.versions[3:]) == (None, {}, [{"label": "H-1", "a": "2"}])


def test_t163_a_branch_delivered_backwards_is_applied_in_its_order() -> None:
    chain = [update(base, trunk=1, branch="b", n=str(base)) for base in (1, 2, 3)]
    history, _ = arrive(create(), *reversed(chain))
    assert [version.get("n") for version in history.versions] == [None, "1", "2", "3"]
    assert history.conflict is None
    assert states(create(), chain[2], chain[1])[1:] == [(WAITING, entity_fold.GAP)] * 2


def test_t163_a_branch_of_an_entity_that_the_phone_made_itself() -> None:
    chain = [update(1, branch="b", n="1"), update(2, branch="b", n="2")]
    history, _ = arrive(*reversed(chain), create())
    assert [version.get("n") for version in history.versions] == [None, "1", "2"]


def test_a_phone_that_was_merged_with_another_does_not_undo_its_change() -> None:
    """The phone of the branch never saw the other's `b`, and sends its own old one with every change."""
    chain = [update(1, trunk=1, branch="x", a="2", b="1"), update(2, trunk=1, branch="x", a="3", b="1")]
    history, _ = arrive(create(a="1", b="1"), update(1, b="9"), *chain)
    assert (history.versions[-1], history.conflict) == ({"label": "H-1", "a": "3", "b": "9"}, "soft")


def test_a_phone_remembers_what_it_saw_before_all_of_its_own_changes() -> None:
    """Its first change did not ask for `b` at all; its second one shows the old `b` and sends it back."""
    chain = [update(1, trunk=1, branch="x", a="2"), update(2, trunk=1, branch="x", a="3", b="1")]
    history, _ = arrive(create(a="1", b="1"), update(1, b="9"), *chain)
    assert (history.versions[-1], history.conflict) == ({"label": "H-1", "a": "3", "b": "9"}, "soft")


def test_t164_an_update_waits_for_the_creation() -> None:
    assert states(update(1, a="2")) == [(WAITING, entity_fold.NOT_CREATED)]
    assert [version.get("a") for version in arrive(update(1, a="2"), create(a="1"))[0].versions] == ["1", "2"]


def test_an_update_of_a_version_that_is_not_here_waits() -> None:
    assert states(create(), update(3, a="2"))[1] == (WAITING, entity_fold.NEWER_BASE)


def test_an_update_that_names_no_version_fails() -> None:
    assert states(create(), Action(0, "update", {"a": "2"}, "u"))[1] == (FAILED, entity_fold.NO_BASE)


def test_a_gap_that_is_overdue_holds_nothing_up() -> None:
    late = replace(update(3, trunk=1, branch="b", a="4"), overdue=True)
    history, after = arrive(create(a="1"), late, update(1, trunk=1, branch="b", a="2"))
    assert (after[late.source].state, history.versions[1]["a"]) == (APPLIED, "4")
    assert history.conflict == "hard"


def test_an_upsert_makes_what_is_not_there_and_changes_what_is() -> None:
    assert arrive(Action(0, "upsert", {"label": "H-1"}, "u"))[0].versions == [{"label": "H-1"}]
    history, _ = arrive(create(a="1"), update(1, kind="upsert", a="2"))
    assert (history.versions[-1]["a"], history.conflict) == ("2", None)
    assert states(update(1, kind="upsert", label="H-1")) == [(WAITING, entity_fold.NOT_CREATED)]


def test_a_deleted_entity_stays_deleted() -> None:
    history, after = arrive(create(a="1"), Action(0, "delete", {}), update(1, "u", a="2"), create("again"))
    assert history.deleted
    assert [after[source].detail for source in ("u", "again")] == [entity_fold.DELETED] * 2


def edit(source: str, replaces: str, **values: str) -> Action:
    return replace(create(source, **values), replaces=replaces)


def test_an_edit_of_the_record_that_made_it_is_an_update() -> None:
    history, after = arrive(create(a="1"), edit("e", "new", a="2"))
    assert (history.versions[-1]["a"], after["e"].version, history.conflict) == ("2", 2, None)


def test_an_edit_changes_only_what_it_changes() -> None:
    history, _ = arrive(create(a="1", b="1"), update(1, b="9"), edit("e", "new", a="2", b="1"))
    assert (history.versions[-1], history.conflict) == ({"label": "H-1", "a": "2", "b": "9"}, "soft")


def test_an_edit_that_supplies_the_missing_label_makes_the_entity() -> None:
    history, after = arrive(Action(0, "create", {"a": "1"}, "new"), edit("e", "new", a="1"))
    assert (after["new"].state, after["e"].state, len(history.versions)) == (FAILED, APPLIED, 1)


def test_an_edit_waits_for_an_original_that_waits() -> None:
    change, correction = update(1, "u", a="2"), replace(update(1, "e", a="3"), replaces="u")
    assert states(change, correction)[1] == (WAITING, entity_fold.ORIGINAL_WAITS)
    assert [version.get("a") for version in arrive(change, correction, create(a="1"))[0].versions] == ["1", "2", "3"]


def test_what_is_held_back_waits_with_its_reason() -> None:
    assert states(replace(create(), hold="Not yet."))[0] == (WAITING, "Not yet.")


@st.composite
def fleets(draw: st.DrawFn) -> list[Action]:
    """A creation and the branches of several phones that all saw its first version; each phone has a property of its own, and
    sends those of the others as it saw them.
    """
    phones = draw(st.integers(1, 3))
    own = [f"p{phone}" for phone in range(phones)]
    made = create(**dict.fromkeys(own, "0"))
    result = [made]
    for phone, name in enumerate(own):
        for number in range(draw(st.integers(1, 2 if phones > 2 else 3))):
            values = dict.fromkeys(own, "0") | {name: str(number + 1)}
            trunk = None if phone == 0 and draw(st.booleans()) else 1
            result.append(update(number + 1, f"{name}/{number}", trunk=trunk, branch=name, **values))
    corrected = draw(st.lists(st.sampled_from(result), max_size=1))
    result += [replace(each, source="edit", replaces=each.source, values=each.values | {"note": "x"}) for each in corrected]
    return result


def held(order: list[Action]) -> list[Action]:
    """An edit before its original is held back by the server, and let go when that comes: the same as coming later."""
    original = {action.replaces for action in order if action.replaces}
    late = [action for action in order if action.replaces]
    rest = [action for action in order if not action.replaces]
    for action in late:
        earliest = next(number for number, other in enumerate(rest) if other.source in original)
        rest.insert(max(order.index(action), earliest + 1), action)
    return rest


@given(fleets(), st.randoms(use_true_random=False))
def test_every_order_of_arrival_leads_to_the_same_entity(actions: list[Action], chance: Random) -> None:
    expected, _ = arrive(*actions)
    orders = [list(actions) for _ in range(8)]
    for order in orders:
        chance.shuffle(order)
    for order in orders:
        history, after = arrive(*held(order))
        assert history.versions[-1] == expected.versions[-1]
        assert (len(history.versions), history.conflict) == (len(expected.versions), expected.conflict)
        assert {action.state for action in after.values()} == {APPLIED}


def test_all_permutations_of_two_branches_lead_to_the_same_entity() -> None:
    actions = [
        create(a="0", b="0"),
        *(update(base, trunk=1, branch="x", a=str(base), b="0") for base in (1, 2)),
        *(update(base, trunk=1, branch="y", a="0", b=str(base)) for base in (1, 2)),
    ]
    results = [arrive(*order)[0] for order in permutations(actions)]
    assert {(str(sorted(each.versions[-1].items())), len(each.versions), each.conflict) for each in results} == {
        ("[('a', '2'), ('b', '2'), ('label', 'H-1')]", 5, "soft")
    }
