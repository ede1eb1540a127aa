"""Answers of the shipped surveys for tests of what they say: only what a check reads; and records made of them."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import Connection, select, update

from records.flag_kinds.content import CONTENT
from records.models import Submission
from records.store import Store
from sync.checks import Checker
from sync.checks.case import Case
from sync.checks.effort import EFFORTS
from sync.checks.species import QUESTIONS
from tests.support.conflict import insert_record

RECEIVED = datetime(2026, 5, 3, 8, 0, tzinfo=UTC)
FIRST = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
NOWHERE = (None, None, None)
Send = Callable[..., None]
_VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=8),
    st.sampled_from(["yes", "no", "IR", "sheep", "saiga", "c2", "leopard", "foot", "perp", "1 2 3 4"]),
    st.sampled_from(["2026-05-01", "2026-05-01T12:00:00Z"]),
)  # fmt: skip
_READ = """
    country obs grp loss losses_g species n_killed n_total unit_value cause predator basis husbandry herd_small dogs_n dogs_lgd aud
    radial_m perp_m angle_method sight_angle event_time camera_clock last_image verified v_killed period_from period_to start_point
    women household_code install_ref cam_event station_id project_code camera_id end_point"""
_NAMES = st.sampled_from(
    sorted(
        {
            *_READ.split(),
            *(name for questions in QUESTIONS.values() for question in questions for name in question.path),
            *(name for paths in EFFORTS.values() for path in paths for name in path),
        }
    )
)
_ANYTHING = st.recursive(
    _VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=5), max_leaves=25
)
ANY_ANSWERS = st.dictionaries(_NAMES, _ANYTHING, max_size=8)
"""Answers under the names that checks read, of any kind that is kept."""


def case(form_id: str, answers: Any, **more: Any) -> Case:
    """A record of this survey that was just received from Iran, with these answers."""
    fields: dict[str, Any] = {
        "project_id": 1, "instance_id": "uuid:1", "current_instance_id": "uuid:1", "current_sha256": "0" * 64, "version": "1",
        "received_at": RECEIVED, "app_user_id": None, "device_id": "collect:a", "clock_offset": None, "latitude": 35.7,
        "longitude": 51.4, "accuracy": 5.0, "event_date": date(2026, 5, 1), "files": [], "flags": [], "encrypted": False,
        "country": "IR",
    }  # fmt: skip
    return Case(form_id=form_id, answers=answers, **(fields | more))


def lost(species: str = "sheep", killed: float = 1, injured: float = 0, missing: float = 0, **more: Any) -> dict[str, Any]:
    """A row of animals lost."""
    return {"species": species, "n_killed": killed, "n_injured": injured, "n_missing": missing, **more}


def conflict(*losses: dict[str, Any], herd: tuple[int, int] = (80, 5), **more: Any) -> dict[str, Any]:
    """A conflict report with these rows; `losses_g` and other groups may be given more answers."""
    answers: dict[str, Any] = {
        "country": "IR",
        "husbandry": {"herd_small": herd[0], "herd_large": herd[1], "dogs_n": 2, "dogs_lgd": 1},
    }
    answers |= {
        "losses_g": {"loss": list(losses)},
        "cause": {"predator": "leopard", "confidence": "probable", "basis": "tracks bite"},
    }
    for group, given in more.items():
        answers[group] = answers[group] | given if isinstance(given, dict) and group in answers else given
    return answers


def transect(*groups: dict[str, Any], km: float = 6, hours: float = 3, **more: Any) -> dict[str, Any]:
    """A transect on foot from seven o'clock, with these groups of animals; `more` goes to its end."""
    end = datetime(2026, 5, 1, 7, tzinfo=UTC).timestamp() + hours * 3600
    finished = {"end_time": datetime.fromtimestamp(end, UTC).isoformat(), "length_km": km}
    return {
        "country": "IR",
        "survey": {"travel": "foot"},
        "start_g": {"start_time": "2026-05-01T07:00:00.000+00:00"},
        "obs": list(groups),
        "end_g": finished | ({} if groups else {"no_detection": "yes"}) | more,
    }


def seen(
    species: str = "capra_aegagrus", n_total: int = 7, radial_m: float = 120, sight_angle: float = 30, **more: Any
) -> dict[str, Any]:
    """A group of animals beside a transect, at 60 m from the line."""
    place = {"angle_method": "relative", "radial_m": radial_m, "sight_angle": sight_angle, "perp_m": 60.0}
    return {"species": species, "n_total": n_total, "n_male": 2, "n_female": 3, "n_young": 2} | place | more


def put(connection: Connection, instance_id: str, answers: dict[str, Any], *, after: float = 0, **more: Any) -> None:
    """Store a record that came `after` minutes after the first."""
    insert_record(
        connection, instance_id, answers, received_at=FIRST + timedelta(minutes=after), **{"day": date(2026, 3, 1)} | more
    )


def flags(store: Store, instance_id: str) -> list[Any]:
    """The flags of a record about what it says."""
    with store.read() as connection:
        row = connection.execute(select(Submission.flags).filter_by(instance_id=instance_id)).scalar_one()
    return [item for item in row if item["code"] in CONTENT]


def codes(store: Store, instance_id: str) -> list[str]:
    """Their codes."""
    return [item["code"] for item in flags(store, instance_id)]


def corrected(store: Store, instance_id: str, answers: dict[str, Any]) -> None:
    """A correction came."""
    values = {"answers": answers, "checked": 0}
    store.write(lambda connection: connection.execute(update(Submission).filter_by(instance_id=instance_id).values(values)))


def settled(checks: Checker, store: Store, *instance_ids: str) -> list[list[str]]:
    """The codes of these records when all is checked; looking at everything again finds the same."""
    checks.run()
    once = [codes(store, each) for each in instance_ids]
    checks.forget()
    checks.run()
    assert [codes(store, each) for each in instance_ids] == once
    return once
