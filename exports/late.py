"""Reports that came after their time was told of: they wait until five households have sent some, and are counted together.

What a release told of a quarter stands. One report that comes later, counted in the next release, would be what the two differ by.
So late reports of a survey, country and quarter are counted in groups of five households, as single records are told
(`exports/data/grouping.py`), whichever release told of the quarter first. Tables of places are told once: what comes after the
first release of their window is in none of them.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, func, select

from exports.policy import FEWEST, WILDLIFE
from exports.windows import Window
from forms.library.sources import survey_ids
from forms.spelling import folded
from records.access import Access, Right
from records.export_runs import Telling, tellings
from records.models import Submission

_OF_NOBODY = WILDLIFE | {"camera_station", "training_event"}
"""Surveys behind whose figures stands no household."""
_ASKING = frozenset(
    {
        "community_attitudes",
        "conflict_livestock",
        "grazing_survey",
        "household_register",
        "mitigation_followup",
        "mitigation_install",
    }
)
"""Surveys that ask for the household; of others each report counts as of its own."""
_CODES = (("household_code",), ("reporter", "household_code"), ("household_g", "household_code"))
_NO_CODE = ("", "new")
_SHIPPED = Submission.form_id.in_(survey_ids())
_NEVER = datetime.max.replace(tzinfo=UTC)


class Late(NamedTuple):
    """A report that came when its quarter was told of already; `who` is the household that sent it, empty if unknown."""

    instance_id: str
    received: datetime
    who: str


def on_time(connection: Connection, access: Access, window: Window | None = None) -> Sequence[ColumnElement[bool]]:
    """The conditions under which a report is counted; `window` is that of a table of places. None before anything was told."""
    access.require(Right.SEE)
    told = _told(connection, access)
    closed = next((each.at for each in told if window and (each.start, each.end) == (window.start, window.end)), _NEVER)
    waits = _uncounted(connection, access, [each for each in told if each.at < closed], closed)
    conditions = [Submission.instance_id.not_in(waits)] if waits else []
    return [*conditions, Submission.received_at <= closed] if closed < _NEVER else conditions


def _told(connection: Connection, access: Access) -> list[Telling]:
    """The releases that told of anything: when they were made there were reports of their days."""
    found = []
    for each in tellings(connection, access.project_id):
        some = select(Submission.instance_id).where(*access.visible(with_deleted=True), Submission.received_at <= each.at)
        of_its_days = some.where(_SHIPPED, Submission.event_date.between(each.start, each.end))
        if len(connection.execute(of_its_days.limit(FEWEST)).all()) >= FEWEST:
            found.append(each)
    return found


def _uncounted(connection: Connection, access: Access, told: Sequence[Telling], until: datetime) -> list[str]:
    """The ids of the late reports that could not be counted until then, since too few households sent some with them."""
    found: list[str] = []
    for quarter, (first, *later) in _moments(told).items():
        groups: dict[tuple[str, str], list[Late]] = defaultdict(list)
        for form_id, country, late in _late(connection, access, quarter, first):
            groups[form_id, country].append(late)
        for group in groups.values():
            found += _waiting(group, [*later, until])
    return sorted(found)


def _moments(told: Iterable[Telling]) -> dict[date, list[datetime]]:
    """When each quarter was told of, by its first day."""
    found: dict[date, set[datetime]] = defaultdict(set)
    for each in told:
        quarter = each.start.replace(month=(each.start.month - 1) // 3 * 3 + 1, day=1)
        while quarter <= each.end:
            found[quarter].add(each.at)
            quarter = _next(quarter)
    return {quarter: sorted(moments) for quarter, moments in found.items()}


def _next(quarter: date) -> date:
    return date(quarter.year + quarter.month // 10, (quarter.month + 2) % 12 + 1, 1)


def _late(connection: Connection, access: Access, quarter: date, told: datetime) -> Iterator[tuple[str, str, Late]]:
    """The reports of a quarter that came when it was told of, by survey and country."""
    code = func.coalesce(*(Submission.answers[path].as_string() for path in _CODES))
    columns = (Submission.form_id, Submission.country, Submission.instance_id, Submission.received_at, code)
    its_days = (Submission.event_date >= quarter, Submission.event_date < _next(quarter))
    surveys = sorted(set(survey_ids()) - _OF_NOBODY)
    came_later = func.coalesce(Submission.received_at, told) > told  # so put, records are looked up by their days, not by arrival
    query = select(*columns).where(*access.visible(), Submission.form_id.in_(surveys), *its_days, came_later)
    for form_id, country, instance_id, received, named in connection.execute(query):
        who = folded(named or "") if form_id in _ASKING else instance_id
        yield form_id, country or "", Late(instance_id, received, "" if who in _NO_CODE else who)


def _waiting(group: Iterable[Late], moments: Iterable[datetime]) -> list[str]:
    """Those of a group that wait: at each of these moments, all that had come were counted if five households had sent them."""
    left = list(group)
    pending: list[Late] = []
    for moment in moments:
        pending += [each for each in left if each.received <= moment]
        left = [each for each in left if each.received > moment]
        if len({each.who for each in pending} - {""}) >= FEWEST:
            pending = []
    return [each.instance_id for each in pending]
