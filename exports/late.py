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

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

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
        some = some.where(Submission.event_date.between(each.start, each.end)).limit(FEWEST)
        if len(connection.execute(some).all()) >= FEWEST:
            found.append(each)
    return found


def _uncounted(connection: Connection, access: Access, told: Sequence[Telling], until: datetime) -> list[str]:
    """The ids of the late reports that could not be counted until then, since too few households sent some with them."""
    if not told:
        return []
    groups: dict[tuple[str, str, date], list[Late]] = defaultdict(list)
    for form_id, country, day, late in _late(connection, access, told):
        groups[form_id, country, day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)].append(late)
    found = (
        _waiting(group, [*sorted(each.at for each in told if each.start <= quarter <= each.end)[1:], until])
        for (*_, quarter), group in groups.items()
    )
    return sorted(instance_id for each in found for instance_id in each)


def _late(connection: Connection, access: Access, told: Sequence[Telling]) -> Iterator[tuple[str, str, date, Late]]:
    code = func.coalesce(*(Submission.answers[path].as_string() for path in _CODES))
    columns = (Submission.form_id, Submission.country, Submission.event_date, Submission.instance_id, Submission.received_at, code)
    came_later = [and_(Submission.event_date.between(each.start, each.end), Submission.received_at > each.at) for each in told]
    surveys = sorted(set(survey_ids()) - _OF_NOBODY)
    since = Submission.received_at > min(each.at for each in told)  # by the index of arrivals
    query = select(*columns).where(*access.visible(), since, Submission.form_id.in_(surveys), or_(*came_later))
    for form_id, country, day, instance_id, received, named in connection.execute(query.order_by(Submission.received_at)):
        who = folded(named or "") if form_id in _ASKING else instance_id
        yield form_id, country or "", day, Late(instance_id, received, "" if who in _NO_CODE else who)


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
