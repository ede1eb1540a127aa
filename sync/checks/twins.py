"""Checks for records that say the same twice: equal answers, and overlapping periods of one household.

The one that came first counts; the flag is on the later ones and names it. When the first is corrected, deleted or rejected, the
later ones are looked at again.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator
from datetime import date
from functools import cache
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, select, tuple_, update

from forms.library.sources import survey_ids
from forms.personal import DELETED, WITHHELD
from forms.submission import case_number
from records.flags import Flag, flag
from records.incidents.references import case_key, reference_key
from records.models import Submission
from sync.checks.case import Case, as_day, as_text
from sync.checks.measures import FOLLOWED, others
from sync.checks.values import counts

FEWEST_ANSWERS = 6
"""With fewer, records are alike without being the same one: a person who did not agree, an empty form."""
NOT_CONTENT = frozenset(
    {
        "start", "end", "today", "deviceid", "username", "audit", "phonenumber", "simserial", "subscriberid", "email",
        "form_schema", "meta", "instanceID", "instanceName", "deprecatedID", "report_id", "case_no",
    }
)  # fmt: skip
"""What the phone and the form say of themselves; a case number follows from the id of the record."""
_ANONYMOUS = "community_attitudes"
_SAME = (
    select(Submission.instance_id, Submission.received_at)
    .where(
        Submission.project_id == bindparam("project_id"),
        Submission.content_sha256 == bindparam("content"),  # the form is a part of it
        Submission.instance_id != bindparam("instance_id"),
    )
    .order_by(Submission.received_at, Submission.instance_id)
    .limit(1)
)


def digest(case: Case) -> Iterable[Flag]:
    """Take the fingerprint of the answers; finds nothing itself.

    The day belongs to them, for visits that ask for no date. Where there is no place, and the form is not known to name what it is
    about, the moment when it was begun does too, because several people answer alike.
    """
    case.content_sha256 = None
    if counts(case):
        content = {"form": case.form_id, "day": case.event_date, "answers": _own(case)}
        if case.point is None and case.form_id not in _telling():
            content["start"] = case.value("start")
        packed = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
        case.content_sha256 = hashlib.sha256(packed).hexdigest()
    return ()


@cache
def _telling() -> frozenset[str]:
    """The surveys whose answers say which household, team, claim or event they are about."""
    return frozenset(survey_ids()) - {_ANONYMOUS}


def _own(case: Case) -> Any:
    """What its reporter said: neither the names of files, which the phone makes, nor what is kept apart."""
    return _content(case.answers, {None, "", *case.files, case.instance_id, WITHHELD, DELETED})


def _content(value: Any, ignored: Collection[str | None]) -> Any:
    """What is left of answers without what is not content, or is one of these; None if it is nothing."""
    if type(value) is list:
        return [inner for each in value if (inner := _content(each, ignored)) is not None] or None
    if type(value) is not dict:
        return None if value in ignored else value
    kept = {}
    for name, answer in value.items():
        if name in NOT_CONTENT:
            continue
        if type(answer) is dict or type(answer) is list:
            if (inner := _content(answer, ignored)) is not None:
                kept[name] = inner
        elif answer not in ignored:
            kept[name] = answer
    return kept or None


def _size(value: Any) -> int:
    """How many answers of such content there are."""
    inner = value.values() if type(value) is dict else value if type(value) is list else None
    return 1 if inner is None else sum(map(_size, inner))


def duplicate_exact(connection: Connection, case: Case) -> Iterator[Flag]:
    """The same answers in another record that came before."""
    content, before = case.content_sha256, case.content_before
    if before is not None and before != content:
        _look_again(connection, case, before)
    if content is None:
        return
    first = connection.execute(_SAME, {"project_id": case.project_id, "instance_id": case.instance_id, "content": content}).first()
    if first is None or _size(_own(case)) < FEWEST_ANSWERS:
        return
    if (first.received_at, first.instance_id) < (case.received_at, case.instance_id):
        yield flag("duplicate_exact", case=case_number(first.instance_id))
    if before != content:
        _look_again(connection, case, content)


def _look_again(connection: Connection, case: Case, content: str) -> None:
    """Have the later records with this content checked again."""
    same = (
        Submission.project_id == case.project_id,
        Submission.content_sha256 == content,
        tuple_(Submission.received_at, Submission.instance_id) > (case.received_at, case.instance_id),
    )
    connection.execute(update(Submission).where(*same).values(checked=0))


def followup_overlaps(connection: Connection, case: Case) -> Iterator[Flag]:
    """An earlier follow-up of the same household with some of the same days; that of another installation is another matter."""
    if case.form_id != "mitigation_followup" or not case.measures:
        return
    begin, end = case.day("period_from"), case.day("period_to")
    if begin is None or end is None:
        return
    for row in others(connection, case, FOLLOWED):
        if not row.came_before(case):
            return
        answers = connection.scalar(select(Submission.answers).filter_by(**case.key | {"instance_id": row.instance_id})) or {}
        first, last = max(filter(None, [begin, as_day(answers.get("period_from"))])), min(end, date.fromordinal(int(row.value)))
        if first < last and _is_one(case.text("install_ref"), as_text(answers.get("install_ref"))):
            days = {"from_day": first.isoformat(), "to_day": last.isoformat()}  # a visit's day ends one period and begins the next
            yield flag("followup_overlaps", "period_from", **days, case=case_number(row.instance_id))
            return


def _is_one(reference: str, other: str) -> bool:
    """Whether two references may name one installation: by its id, or by its case number."""
    names, others_names = ({reference_key(each), case_key(each)} for each in (reference, other))
    return not reference or not other or not names.isdisjoint(others_names)
