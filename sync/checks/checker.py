"""Looks at records that arrived or changed, a few at a time, and writes down where they lie and what is odd about them."""

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, or_, select, tuple_, update

from forms.problems import Problem
from records.blobs import BlobStore
from records.flag_kinds import ARRIVAL, KINDS
from records.flags import Flag, flag_columns
from records.forms import Schemas
from records.geography import Boundaries, boundaries
from records.models import Submission, SubmissionVersion
from records.store import Store
from records.turnstile import Turnstile
from sync.checks import content, devices, pictures, place, time, words
from sync.checks.case import Case
from sync.checks.surroundings import Surroundings
from sync.incidents.comparison import link_incidents

RULES = 1
"""The version of the checks. A record that was looked at by another version is looked at again."""
BATCH = 8
"""Few, because phones wait while a batch is looked at."""
_TAKEN = -1
"""Being looked at. Whatever changes a record sets `checked` to 0, and what was found meanwhile of its former state is dropped."""
Check = Callable[[Case], Iterable[Flag]]
"""A check of one record alone."""
Comparison = Callable[[Connection, Case], Iterable[Flag]]
"""A check that looks at other records too, within the transaction that writes the findings."""
CHECKS: Sequence[Check] = (*place.CHECKS, *time.CHECKS, *words.CHECKS, *devices.CHECKS, *pictures.CHECKS, *content.CHECKS)
COMPARISONS: Sequence[Comparison] = (link_incidents, *pictures.COMPARISONS, *content.COMPARISONS)
_COLUMNS = (
    "project_id", "form_id", "instance_id", "current_instance_id", "current_sha256", "version", "received_at", "app_user_id",
    "device_id", "latitude", "longitude", "accuracy", "event_date", "files", "flags", "encrypted", "answers",
    "edits",
)  # fmt: skip
_FILLED = ("country", "admin1", "study_area", "finished_at", "content_sha256", "counted")
_ID = tuple_(Submission.project_id, Submission.form_id, Submission.instance_id)
_WAITING = select(*_ID.clauses).where(Submission.checked <= 0).order_by(Submission.received_at).limit(BATCH)
_WITHDRAWN = or_(Submission.deleted_at.is_not(None), Submission.review_state == "rejected")
_CASES = (
    select(*(getattr(Submission, name) for name in _COLUMNS), SubmissionVersion.clock_offset)
    .add_columns(Submission.content_sha256.label("content_before"), _WITHDRAWN.label("is_withdrawn"))
    .join(
        SubmissionVersion,
        (SubmissionVersion.project_id == Submission.project_id)
        & (SubmissionVersion.form_id == Submission.form_id)
        & (SubmissionVersion.instance_id == Submission.current_instance_id)
        & (SubmissionVersion.sha256 == Submission.current_sha256),
        isouter=True,
    )
    .where(_ID.in_(bindparam("keys", expanding=True)))
    .order_by(Submission.received_at)
)
_TAKE = update(Submission).where(_ID.in_(bindparam("keys", expanding=True))).values(checked=_TAKEN)
_KEY = [getattr(Submission, name) == bindparam(f"of_{name}") for name in ("project_id", "form_id", "instance_id")]
_CHECKED = (
    update(Submission)
    .where(*_KEY, Submission.checked == _TAKEN)
    .values({name: bindparam(f"new_{name}") for name in _FILLED} | {"checked": RULES})
    .returning(Submission.flags)
)
"""Writes down what was found of a record, if nothing happened to it since it was taken."""
_FLAGGED = update(Submission).where(*_KEY).values({name: bindparam(f"new_{name}") for name in flag_columns([])})
_log = logging.getLogger(__name__)


class Checker:
    """Checks records; one at a time in all processes (the leader's)."""

    def __init__(
        self,
        store: Store,
        blobs: BlobStore,
        schemas: Schemas | None = None,
        land: Boundaries | None = None,
        turnstile: Turnstile | None = None,
    ) -> None:
        """`turnstile` is what the caller of `step` is inside of, if it is."""
        self._store = store
        self._surroundings = Surroundings(store, blobs, schemas or Schemas(store), land or boundaries(), turnstile or Turnstile(1))

    def run(self) -> int:
        """Check everything that waits; how many records were looked at."""
        done = 0
        while batch := self.step():
            done += batch
        return done

    def step(self) -> int:
        """Check the few records that have waited longest; how many. They wait while the key of their pictures is missing."""
        if not self._store.vault.can_open():
            return 0
        with self._store.read() as connection:
            keys = [tuple(row) for row in connection.execute(_WAITING)]
        if keys:
            self._store.write(lambda connection: connection.execute(_TAKE, {"keys": keys}))
            with self._store.read() as connection:
                cases = [Case(**row._mapping) for row in connection.execute(_CASES, {"keys": keys})]
            self._surround(cases)
            for case in cases:
                checks = CHECKS if not case.is_test else (words.test,)  # nobody should have to look at what never counts
                case.found = [found for check in checks for found in _guarded(check, case)]
            self._keep(cases)
        return len(keys)

    def _surround(self, cases: Sequence[Case]) -> None:
        """Fill in what the checks know of the world; where that fails for a record, it must not stop the others."""
        try:
            self._surroundings.surround(cases)
        except Problem:  # busy: later
            raise
        except Exception:
            if len(cases) == 1:
                _log.exception("What surrounds %s could not be found out", cases[0].instance_id)
            else:
                for case in cases:
                    self._surround([case])

    def _keep(self, cases: Sequence[Case]) -> None:
        """Write the findings; a record whose findings cannot be written must not stop the others."""
        try:
            self._store.write(lambda connection: _write(connection, cases))
        except Problem:  # busy or full: later
            raise
        except Exception:
            if len(cases) > 1:
                for case in cases:
                    self._keep([case])
                return
            _log.exception("The findings on %s could not be written", cases[0].instance_id)
            done = update(Submission).filter_by(**cases[0].key).values(checked=RULES)
            self._store.write(lambda connection: connection.execute(done))

    def forget(self, *, only_older: bool = False) -> None:
        """Have every record looked at again, or those that another version of the checks looked at."""
        done = Submission.checked.not_in([0, RULES]) if only_older else Submission.checked != 0
        self._store.write(lambda connection: connection.execute(update(Submission).where(done).values(checked=0)))


def _guarded(check: Callable[..., Iterable[Flag]], *arguments: Any) -> Sequence[Flag]:
    """What a check finds; one that fails must not cost the others."""
    try:
        return list(check(*arguments))
    except Exception:
        _log.exception("The check %s failed on %s", check.__name__, arguments[-1].instance_id)
        return []


def _write(connection: Connection, cases: Sequence[Case]) -> None:
    """Keep what was found, for each record to which nothing happened while it was looked at."""
    for case in cases:
        now = {f"new_{name}": getattr(case, name) for name in _FILLED}
        known = {f"of_{name}": value for name, value in case.key.items()}
        present: list[Flag] | None = connection.execute(_CHECKED, now | known).scalar()
        if present is None:
            continue
        found = [*case.found, *(item for compare in COMPARISONS for item in _guarded(compare, connection, case))]
        flags = merged(present, found)
        if flags != present:
            columns = {f"new_{name}": value for name, value in flag_columns(flags).items()}
            connection.execute(_FLAGGED, columns | {f"of_{name}": value for name, value in case.key.items()})


def merged(present: Sequence[Flag], found: Sequence[Flag]) -> list[Flag]:
    """The flags of a record after a check: what arrival found and what a person settled stays, the rest is what was found now."""
    staying = [item for item in present if "settled" in item or item["code"] in ARRIVAL or item["code"] not in KINDS]
    known = [_identity(item) for item in staying]
    return [*staying, *(item for item in found if _identity(item) not in known)]


def _identity(item: Flag) -> tuple[str, str, str]:
    return item["code"], item["path"], item["message"]
