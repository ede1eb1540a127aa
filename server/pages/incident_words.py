"""The evidence about two reports, roles and steps, in the reader's words."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from records.incidents import Pair
from server.pages.rendering import number, translate


def _(text: str) -> str:
    """Mark a text for translation; it is translated when it is shown."""
    return text


BANDS = {"likely": _("likely"), "possible": _("possible"), "asked": _("asked by a person")}
DECISIONS = {"same": _("the same event"), "different": _("different events"), "": _("not decided")}
ROLES = {
    "report": _("Report"),
    "verification": _("Verification"),
    "compensation": _("Compensation or insurance"),
    "mortality": _("Dead or hurt leopard"),
}
OUTCOMES = {"approved": _("approved"), "rejected": _("rejected")}
"""What was decided about a claim."""
STEPS = {
    "event": _("Event"),
    "report": _("Report written"),
    "verification": _("Verification"),
    "claim": _("Claim"),
    "decision": _("Decision on the claim"),
    "payment": _("Payment"),
}
SPANS = {
    ("event", "report"): _("From the event to the report"),
    ("event", "verification"): _("From the event to the verification"),
    ("event", "claim"): _("From the event to the claim"),
    ("claim", "decision"): _("From the claim to the decision"),
    ("decision", "payment"): _("From the decision to the payment"),
}
EVIDENCE = {
    ("distance", "within"): _("The places are {n} m apart: no more than people stand apart."),
    ("distance", "near"): _("The places are {n} m apart: somewhat more than people stand apart."),
    ("distance", "off"): _("The places are {n} m apart."),
    ("distance", "far"): _("The places are {n} m apart: far."),
    ("distance", "within_coarse"): _("The places are {n} m apart, and not exactly known."),
    ("distance", "near_coarse"): _("The places are {n} m apart: somewhat more than they may be wrong."),
    ("distance", "off_coarse"): _("The places are {n} m apart: more than they may be wrong."),
    ("distance", "far_coarse"): _("The places are {n} m apart: far, even though they are not exactly known."),
    ("days", "same"): _("Both name the same day."),
    ("days", "within"): _("The days differ by {n}: no more than they are unsure."),
    ("days", "next"): _("The days differ by {n}: one more than they are unsure."),
    ("days", "apart"): _("The days differ by {n}."),
    ("time_of_day", "same"): _("The time of day is the same."),
    ("time_of_day", "close"): _("The times of day are close to each other."),
    ("time_of_day", "different"): _("The times of day differ."),
    ("predator", "same"): _("Both name the same predator."),
    ("predator", "different"): _("They name different predators."),
    ("species", "same"): _("Both name the same kinds of animals."),
    ("species", "some"): _("Some of the kinds of animals are the same."),
    ("species", "different"): _("The kinds of animals differ."),
    ("counts", "same_many"): _("As many animals were killed, and they were many."),
    ("counts", "same"): _("As many animals were killed."),
    ("counts", "close"): _("The numbers of animals killed differ by {n}."),
    ("counts", "different"): _("The numbers of animals killed differ much: by {n}."),
    ("household", "same"): _("The household is the same."),
    ("household", "similar"): _("The household codes are similar: a slip, or a neighbour."),
    ("household", "different"): _("The households differ."),
    ("place", "same"): _("The name of the place is the same."),
    ("place", "similar"): _("The names of the place are similar."),
    ("place", "different"): _("The names of the place differ."),
    ("reporter", "others"): _("Two people in different roles reported."),
    ("reporter", "same_role"): _("Two people in the same role reported."),
    ("reporter", "same_phone"): _("Both came from one phone."),
    ("reporter", "same"): _("One reporter sent both: a repeat, or another event."),
    ("photos", "alike"): _("Photos of both look alike."),
}


@dataclass(frozen=True, slots=True)
class Reason:
    """One piece of evidence: whether it speaks for the same event, and how strongly (0 to 3)."""

    text: str
    is_for: bool
    strength: int


def reasons(pair: Pair) -> list[Reason]:
    """What speaks for and against, the strongest first."""
    return sorted(_reasons(pair.evidence), key=lambda reason: (-reason.strength, not reason.is_for))


def _reasons(evidence: dict[str, dict[str, Any]]) -> Iterator[Reason]:
    for term, said in evidence.items():
        sentence = EVIDENCE.get((term, said["value"]))
        if sentence is not None:
            figure = number(_rounded(term, said.get("figure") or 0))
            weight = said["weight"]
            yield Reason(translate(sentence).format(n=figure), weight >= 0, 3 if abs(weight) >= 3 else 2 if abs(weight) >= 1 else 1)


def _rounded(term: str, figure: int) -> int:
    """Metres to two digits: more was not measured."""
    return round(figure, 1 - len(str(figure)) + 1) if term == "distance" and figure > 99 else figure
