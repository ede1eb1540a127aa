"""What all tables share: instants in UTC, JSON, ids."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, LargeBinary
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


class MomentText(UserDefinedType[str]):
    """A `Moment` read as text, such as 2026-05-02T07:41:09.123Z; SQLite keeps a text that needs no calendar to become that."""

    cache_ok = True

    def result_processor(self, dialect: Dialect, _: object) -> Callable[[Any], str]:
        if dialect.name == "sqlite":
            return lambda kept: f"{kept[:10]}T{kept[11:23]}Z"
        return lambda moment: moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Base(DeclarativeBase):
    """All tables of Tulliana."""

    type_annotation_map = {datetime: Moment, dict[str, Any]: Json, list[Any]: Json, list[dict[str, Any]]: Json, bytes: LargeBinary}  # noqa: RUF012
