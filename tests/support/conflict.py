"""Conflict reports made for tests."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection

from exports.reports import STANDARD, Reports
from records.models import Form, Project, Submission
from records.store import insert_new


def reports_at(sent: Iterable[tuple[int, float, float, int]]) -> Reports:
    """Sure reports of one sheep killed each, given as (day, latitude, longitude, household)."""
    rows = list(sent)
    size = len(rows)
    days, latitudes, longitudes, households = (
        (np.array(column) for column in zip(*rows, strict=True)) if rows else (np.empty(0) for _ in range(4))
    )
    return Reports(
        day=days.astype(np.int64),
        latitude=latitudes.astype(np.float64),
        longitude=longitudes.astype(np.float64),
        accuracy_m=np.full(size, 10.0),
        household=households.astype(np.int64),
        certainty=np.full(size, STANDARD),
        shared=np.ones(size, bool),
        country=np.full(size, "IR"),
        killed_small=np.ones(size, np.int64),
        killed_large=np.zeros(size, np.int64),
        injured=np.zeros(size, np.int64),
        missing=np.zeros(size, np.int64),
        loss=np.full(size, np.nan),
        currency=np.full(size, ""),
        incident=np.full(size, -1),
        n_reports=np.ones(size, np.int64),
        predator=np.full(size, "leopard"),
        cell=np.zeros(size, np.uint64),
    )


def answers(
    household: str = "H1",
    *,
    predator: str = "leopard",
    confidence: str = "certain",
    consent: str = "yes",
    share: str = "yes",
    country: str = "IR",
    purpose: str = "real",
    losses: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The answers of a conflict report as they are stored."""
    return {
        "submission_purpose": purpose,
        "consent": consent,
        "consent_share": share,
        "reporter": {"household_code": household},
        "country": country,
        "cause": {"predator": predator, "confidence": confidence},
        "losses_g": losses or {"loss": [{"species": "sheep", "n_killed": 2, "n_injured": 1, "n_missing": 0}]},
    }


def insert_record(
    connection: Connection,
    instance_id: str,
    content: dict[str, Any],
    *,
    place: tuple[float | None, float | None, float | None] = (36.5, 52.0, 8.0),
    day: date | None = date(2026, 3, 1),
    form_id: str = "conflict_livestock",
    review_state: str = "received",
    project_id: int = 1,
    received_at: datetime = datetime(2026, 3, 2, 9, 30, tzinfo=UTC),
    counted: bytes | None = None,
) -> None:
    """Store one record in its current state; its project and form are made when missing."""
    project = {"id": project_id, "name": f"Project {project_id}", "account": f"project{project_id}", "created_at": received_at}
    connection.execute(insert_new(connection, Project), project)
    form = {"project_id": project_id, "form_id": form_id}
    connection.execute(insert_new(connection, Form), {**form, "current_version": "1", "state": "open", "created_at": received_at})
    latitude, longitude, accuracy = place
    record = {
        "instance_id": instance_id,
        "current_instance_id": instance_id,
        "current_sha256": "0" * 64,
        "version": "1",
        "received_at": received_at,
        "updated_at": None,
        "app_user_id": None,
        "device_id": "phone-1",
        "review_state": review_state,
        "edits": 0,
        "latitude": latitude,
        "longitude": longitude,
        "accuracy": accuracy,
        "event_date": day,
        "instance_name": "",
        "files": [],
        "flags": [],
        "answers": content,
        "counted": counted,
    }
    connection.execute(insert_new(connection, Submission), {**form, **record})
