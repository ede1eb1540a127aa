"""The state of one entity, folded from what was asked of it, in whatever order that arrived (ODK Entities, offline entities).

What comes before what it builds on waits. Two changes of the same version are merged: each counts only for the properties it
changed, the later one wins, and the entity is marked until a person looks: `soft` where nothing clashed, `hard` where it did.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

LABEL = "label"
WAITING, APPLIED, FAILED = "waiting", "applied", "failed"
_RANK = {None: 0, "soft": 1, "hard": 2}
NOT_CREATED = "The record that creates it has not come."
GAP = "An earlier change from the same phone has not come."
NEWER_BASE = "It builds on a version that is not here."
ORIGINAL_WAITS = "The change it corrects waits itself."
DELETED = "The entity was deleted before."
EXISTS = "An entity with this id exists."
NO_LABEL = "The label is empty."
NO_BASE = "It does not say which version it builds on."
Values = dict[str, str]
"""The properties of an entity and its label."""


@dataclass(slots=True)
class Action:
    """What was asked of an entity: by the version `source` of a submission, which replaces the version `replaces` (an edit), or by
    a person. `hold` says why it must not be applied yet; an `overdue` one no longer waits for its predecessor.
    """

    id: int
    kind: str
    values: Values
    source: str = ""
    replaces: str = ""
    base_version: int | None = None
    trunk_version: int | None = None
    branch_id: str | None = None
    hold: str = ""
    overdue: bool = False
    state: str = WAITING
    detail: str = ""
    version: int | None = None


class _Basis(NamedTuple):
    """What a change builds on: the version, and what its author had before his eyes."""

    version: int
    seen: Values


class _Verdict(NamedTuple):
    state: str
    detail: str


@dataclass(slots=True)
class History:
    """All versions of an entity; `versions[0]` is version 1."""

    versions: list[Values] = field(default_factory=list)
    conflict: str | None = None
    deleted: bool = False
    clashes: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Properties in a hard conflict: what was there, what replaced it."""
    _applied: list[Action] = field(default_factory=list)
    _left: dict[int, Values] = field(default_factory=dict)
    """What the author of an applied action had before his eyes afterwards."""

    def take(self, action: Action, others: Sequence[Action] = ()) -> None:
        """Apply an action, or write into it why it waits or failed. `others` are all actions asked of the entity."""
        if action.kind == "delete":
            self.deleted = True
            self._note(action)
            return
        if action.kind == "resolve":
            self.conflict, self.clashes = None, {}
            if not action.values:
                self._note(action)
                return
        found = self._basis(action, others)
        if isinstance(found, _Verdict):
            action.state, action.detail = found
        else:
            self._apply(action, found)

    def _note(self, action: Action) -> None:
        action.state, action.detail, action.version = APPLIED, "", len(self.versions)

    def _apply(self, action: Action, basis: _Basis) -> None:
        now = self.versions[-1] if self.versions else {}
        written = {name: value for name, value in action.values.items() if name not in now or basis.seen.get(name, "") != value}
        clashes = {
            name: (now.get(name, ""), value)
            for name, value in written.items()
            if now.get(name, "") not in {basis.seen.get(name, ""), value}
        }
        mark = "hard" if clashes else "soft" if basis.version < len(self.versions) else None
        self.conflict = max(self.conflict, mark, key=_RANK.__getitem__)
        self.clashes |= clashes
        self.versions.append({**now, **written})
        self._left[action.id] = basis.seen | action.values
        self._applied.append(action)
        self._note(action)

    def _basis(self, action: Action, others: Sequence[Action]) -> _Basis | _Verdict:
        if action.hold:
            return _Verdict(WAITING, action.hold)
        if self.deleted:
            return _Verdict(FAILED, DELETED)
        if action.kind == "resolve":
            return self._version(len(self.versions))
        if action.replaces:
            before = [other for other in others if other.source == action.replaces]
            if any(other.state == WAITING for other in before):
                return _Verdict(WAITING, ORIGINAL_WAITS)
            for other in before:
                if other.id in self._left:
                    return self._after(other)
        return self._basis_of_update(action) if self.versions else self._basis_of_creation(action)

    def _basis_of_creation(self, action: Action) -> _Basis | _Verdict:
        if action.kind == "update" or (action.kind == "upsert" and action.base_version is not None):
            return _Verdict(WAITING, NOT_CREATED)
        return _Basis(0, {}) if action.values.get(LABEL) else _Verdict(FAILED, NO_LABEL)

    def _basis_of_update(self, action: Action) -> _Basis | _Verdict:
        base, trunk, here = action.base_version, action.trunk_version, len(self.versions)
        if action.kind == "create":
            return _Verdict(FAILED, EXISTS)
        if base is None:
            return _Basis(0, {}) if action.kind == "upsert" else _Verdict(FAILED, NO_BASE)
        begins = base == trunk or (trunk is None and base == 1)  # on version 1 of an entity that the phone made itself
        if action.branch_id and not begins:
            before = [other for other in self._applied if _precedes(other, action)]
            if before:
                return self._after(before[-1])
            return self._version(min(trunk or 1, here)) if action.overdue else _Verdict(WAITING, GAP)
        if base > here and not action.overdue:
            return _Verdict(WAITING, NEWER_BASE)
        return self._version(min(base, here))

    def _version(self, number: int) -> _Basis:
        return _Basis(number, self.versions[number - 1] if number else {})

    def _after(self, action: Action) -> _Basis:
        return _Basis(action.version or 0, self._left[action.id])


def _precedes(other: Action, action: Action) -> bool:
    """Whether `other` is the change that the same phone made just before."""
    return other.branch_id == action.branch_id and other.base_version == (action.base_version or 0) - 1 and not other.replaces


def fold(actions: Iterable[Action]) -> History:
    """The history of an entity. Actions that wait are applied where that has become possible; their fields tell."""
    everything = sorted(actions, key=lambda action: action.id)
    history = History()
    applied = [action for action in everything if action.state == APPLIED]
    for action in sorted(applied, key=lambda each: (each.version, each.id)):
        action.hold, action.overdue = "", True  # it was applied, whatever it waited for
        history.take(action, applied)
    waiting = [action for action in everything if action.state == WAITING]
    progress = True
    while progress:
        for action in waiting:
            history.take(action, everything)
        left = [action for action in waiting if action.state == WAITING]
        progress = len(left) < len(waiting)
        waiting = left
    return history
