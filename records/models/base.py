"""What all tables share: instants in UTC, JSON, ids."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, DateTime, Dialect, Integer, LargeBinary, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import JSON, TypeDecorator, UserDefinedType

Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
Id = BigInteger().with_variant(Integer, "sqlite")


class Moment(TypeDecorator[datetime]):
    """An instant in UTC. SQLite keeps no offset, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class _KeptMoment(UserDefinedType[str]):
    """A `Moment` as SQLite keeps it, in the words of `MOMENT_TEXT`."""

    cache_ok = True

    def result_processor(self, _: Dialect, __: object) -> Callable[[Any], str]:
        return lambda kept: f"{kept[:10]}T{kept[11:23]}Z"


class _ToldMoment(UserDefinedType[str]):
    """A `Moment` as PostgreSQL tells it in those words."""

    cache_ok = True

    def column_expression(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        return func.to_char(func.timezone("UTC", column), 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"', type_=self)


MOMENT_TEXT = _KeptMoment().with_variant(_ToldMoment(), "postgresql")
"""A `Moment` read as text, such as 2026-05-02T07:41:09.123Z, without making a moment of it first."""


class Base(DeclarativeBase):
    """All tables of Tulliana."""

    type_annotation_map = {datetime: Moment, dict[str, Any]: Json, list[Any]: Json, list[dict[str, Any]]: Json, bytes: LargeBinary}  # noqa: RUF012
