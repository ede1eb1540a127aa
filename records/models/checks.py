"""What the checks compare records with: measures of other records, pictures, the study areas of a project."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, ForeignKeyConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from records.models.base import Base, Id


class StudyArea(Base):
    """A survey area of a project. `metapopulation` is 1 to 4 as in figure 1 of the range-wide strategy; GeoJSON, WGS 84."""

    __tablename__ = "study_area"
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), primary_key=True)
    code: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str]
    country: Mapped[str] = mapped_column(String(2))
    metapopulation: Mapped[int | None]
    transboundary: Mapped[bool]
    geometry: Mapped[dict[str, Any]]
    changed_at: Mapped[datetime]


class Measure(Base):
    """A number of a record that others are compared with: `kind` says what was measured, `subject` of what and where.

    `received_at` is that of the record: it is compared with what came before.
    """

    __tablename__ = "measure"
    project_id: Mapped[int] = mapped_column(Id, primary_key=True)
    form_id: Mapped[str] = mapped_column(String(249), primary_key=True)
    instance_id: Mapped[str] = mapped_column(String(249), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(64))
    received_at: Mapped[datetime]
    value: Mapped[float]
    __table_args__ = (
        ForeignKeyConstraint(
            ["project_id", "form_id", "instance_id"],
            ["submission.project_id", "submission.form_id", "submission.instance_id"],
            ondelete="CASCADE",
        ),
        Index("measure_subject", "project_id", "kind", "subject", "received_at"),
    )


class Picture(Base):
    """What a picture shows of itself: a difference hash of 64 bits (signed; None where it says nothing), and from its EXIF data the
    place (degrees) and the local time (ISO 8601).
    """

    __tablename__ = "picture"
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    dhash: Mapped[int | None] = mapped_column(BigInteger)
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    taken_at: Mapped[str]


class PictureBand(Base):
    """A quarter of a picture's hash: the number of the quarter times 65,536, and its 16 bits.

    Two hashes that differ in at most three bits have a quarter in common (the pigeonhole principle), so all that are so near are
    found by an index.
    """

    __tablename__ = "picture_band"
    band: Mapped[int] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(ForeignKey("picture.sha256", ondelete="CASCADE"), primary_key=True)
