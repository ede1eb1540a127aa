"""The `query`, `sort` and `fields` of KoBoToolbox's API, as far as they are understood; whatever is not is refused, never ignored.

`_id` is the instant a record arrived, in microseconds: it grows, so that `{"_id": {"$gt": last}}` gives what is new.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Text, and_, cast, func

from forms.definition import FormDefinition
from forms.problems import Problem
from records.models import Submission

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_ID = 2**53
_MOST_CONDITIONS = 20
_MOST_VALUES = 500
_EQUALITY = ("$eq", "$ne", "$in")
_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "$gt": lambda column, value: column > value,
    "$gte": lambda column, value: column >= value,
    "$lt": lambda column, value: column < value,
    "$lte": lambda column, value: column <= value,
    "$eq": lambda column, value: column == value,
    "$ne": lambda column, value: column != value,
    "$in": lambda column, value: column.in_(value),
}


def id_of(arrived: datetime) -> int:
    """The `_id` of a record that arrived then."""
    return (arrived - _EPOCH) // timedelta(microseconds=1)


def arrival_of(number: Any) -> datetime:
    """When the record with this `_id` arrived. Raises `Problem("value_invalid")`."""
    if type(number) is not int or not 0 <= number < _MOST_ID:
        raise Problem("value_invalid", "_id: a whole number.")
    return _EPOCH + timedelta(microseconds=number)


def condition(text: str, definition: FormDefinition) -> ColumnElement[bool]:
    """What `query` states. Raises `Problem("value_invalid")` for what is not understood."""
    wanted = _object(text, "query")
    if len(wanted) > _MOST_CONDITIONS:
        raise _invalid("too many conditions")
    return and_(*(_condition(name, value, definition) for name, value in wanted.items()))


def is_newest_first(text: str) -> bool:
    """What `sort` states: by `_id` or `_submission_time`, 1 or -1. Raises `Problem("value_invalid")`."""
    wanted = _object(text, "sort")
    if set(wanted) - {"_id", "_submission_time"} or len(wanted) != 1 or set(wanted.values()) - {1, -1}:
        raise Problem("value_invalid", 'sort: {"_id": 1} or {"_id": -1}.')
    return -1 in wanted.values()


def names(text: str) -> frozenset[str]:
    """What `fields` states: a list of names. Raises `Problem("value_invalid")`."""
    try:
        wanted = orjson.loads(text)
    except orjson.JSONDecodeError:
        wanted = None
    if not isinstance(wanted, list) or not all(isinstance(name, str) for name in wanted):
        raise Problem("value_invalid", 'fields: a list of names, as in ["_id", "household"].')
    return frozenset(wanted)


def _object(text: str, name: str) -> dict[str, Any]:
    try:
        wanted = orjson.loads(text)
    except orjson.JSONDecodeError:
        wanted = None
    if not isinstance(wanted, dict) or not wanted:
        raise Problem("value_invalid", f"{name}: a JSON object.")
    return wanted


def _condition(name: str, wanted: Any, definition: FormDefinition) -> ColumnElement[bool]:
    column, read = _column(name, definition)
    asked = wanted if isinstance(wanted, dict) else {"$eq": wanted}
    allowed = _EQUALITY if read is _text else tuple(_OPERATORS)
    if not asked or not set(asked) <= set(allowed):
        raise _invalid(f"{name[:80]}: one of {', '.join(allowed)}")
    made = []
    for operator, value in asked.items():
        if operator == "$in" and (not isinstance(value, list) or len(value) > _MOST_VALUES):
            raise _invalid(f"{name[:80]}: $in takes a list of at most {_MOST_VALUES}")
        made.append(_OPERATORS[operator](column, [read(each) for each in value] if operator == "$in" else read(value)))
    return and_(*made)


def _column(name: str, definition: FormDefinition) -> tuple[Any, Callable[[Any], Any]]:
    """What a name stands for, and how its values are read."""
    if name == "_id":
        return Submission.received_at, arrival_of
    if name == "_submission_time":
        return Submission.received_at, _moment
    if name in {"_uuid", "meta/rootUuid", "meta/instanceID"}:
        column = Submission.instance_id if name == "meta/rootUuid" else Submission.current_instance_id
        return column, _uuid
    path = tuple(name.split("/"))
    field = definition.by_path.get(path)
    above = (definition.by_path[path[:end]].kind for end in range(1, len(path))) if field is not None else ()
    if field is None or field.kind != "question" or field.type == "boolean" or "repeat" in above:
        raise _invalid(f"{name[:80]} is no question that can be asked for")
    return func.coalesce(cast(Submission.answers[path].as_string(), Text), ""), _text


def _moment(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise _invalid("_submission_time: as in 2026-03-01T12:00:00") from None


def _uuid(value: Any) -> str:
    text = _text(value)
    return text if text.startswith("uuid:") else f"uuid:{text}"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float) or "\0" in str(value):
        raise _invalid("a value is a text or a number")
    return str(value)


def _invalid(what: str) -> Problem:
    return Problem("value_invalid", f"query: {what}.")
