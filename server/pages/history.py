"""What happened to a report, in words: what arrived, what people decided."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from server.pages import flags
from server.pages.rendering import translate


def _(text: str) -> str:
    """Mark a text for translation; it is translated when it is shown."""
    return text


STATES = {
    "received": _("Not reviewed"),
    "edited": _("Corrected"),
    "hasIssues": _("Has issues"),
    "approved": _("Approved"),
    "rejected": _("Rejected"),
}
"""The review states in words, in the order in which they are offered."""
_REPORT, _CORRECTION = _("Report arrived"), _("Correction arrived")
_ACTIONS = {
    "comment": _("Comment"),
    "settle": _("Accepted"),
    "split": _("Made out of another report"),
    "same": _("The same event as another report"),
    "different": _("Another event than another report's"),
    "undecided": _("Whether it is another report's event is open again"),
    "delete": _("Deleted"),
    "restore": _("Restored"),
}
_REMEDIES = {
    "return": _("Returned to the reporter"),
    "attach": _("Judged by version {version}"),
    "take": _("Took the content {content}"),
    "split": _("The content {content} became a report of its own"),
}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a report. `about` names flags, `record` is another report, `version` is what arrived."""

    at: datetime
    words: str
    who: str = ""
    comment: str = ""
    about: Sequence[str] = ()
    record: str = ""
    version: Any = None


def history(versions: Sequence[Any], steps: Sequence[Any]) -> list[Event]:
    """What arrived and what people did, in the order in which it happened."""
    arrived = [
        Event(each.received_at, translate(_CORRECTION if each.deprecated_id else _REPORT), version=each) for each in versions
    ]
    return sorted([*arrived, *_done(steps)], key=lambda event: event.at)


def _done(steps: Sequence[Any]) -> Iterator[Event]:
    told = ""
    for step in steps:
        comment = "" if step.detail.get("remedy") == "return" and step.comment == told else step.comment
        about = [flags.title(code) for code in step.detail.get("flags", ())]
        yield Event(step.at, _words(step), step.actor, comment, about, step.detail.get("record", ""))
        told = step.comment


def _words(step: Any) -> str:
    if step.action == "state":
        return translate(STATES.get(step.state, step.state))
    remedy = _REMEDIES.get(step.detail.get("remedy", ""))
    if remedy is None:
        return translate(_ACTIONS.get(step.action, step.action))
    return translate(remedy).format(version=step.detail.get("version"), content=step.detail.get("sha256", "")[:8])
