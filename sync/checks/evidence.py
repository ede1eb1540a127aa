"""Checks of evidence against conclusions: what cannot both be true, or does not follow."""

from collections.abc import Iterator

from records.flags import Flag, flag
from sync.checks.case import Case
from sync.checks.values import of, words

HEARSAY = frozenset({"told", "habit"})
PREDATION = frozenset({"confirmed", "probable"})
NO_PREDATOR = "not_predator"


@of("conflict_livestock")
def report_evidence(case: Case) -> Iterator[Flag]:
    """A report that no predator did it, though the animal was bitten alive; a certainty that rests on hearsay."""
    predator, basis = case.text("cause", "predator"), set(words(case.value("cause", "basis")))
    if predator == NO_PREDATOR and (case.text("evidence", "bleeding") == "yes" or "bite" in basis):
        yield flag("evidence_bleeding", "cause/predator")
    if case.text("cause", "confidence") == "certain" and basis and basis <= HEARSAY:
        yield flag("evidence_hearsay", "cause/confidence")


@of("conflict_verification")
def visit_evidence(case: Case) -> Iterator[Flag]:
    """The same of a visit, and classes and findings that its own answers exclude."""
    finding, predator = case.text("verification_status"), case.text("predator_final")
    bitten = case.text("bleeding") == "yes" or "bite" in words(case.value("basis"))
    if bitten and (finding == "not_predation" or predator == NO_PREDATOR):
        yield flag("evidence_bleeding", "verification_status" if finding == "not_predation" else "predator_final")
    elif finding in PREDATION and predator == NO_PREDATOR:
        yield flag("evidence_finding", "predator_final")
    if case.text("scalp") == "c2" and case.text("verifier_trained") == "no":
        yield flag("evidence_untrained", "scalp")


@of("leopard_sign")
def sign_evidence(case: Case) -> Iterator[Flag]:
    """A class that the form works out, and another program need not."""
    if case.text("scalp_auto") == "c2" and case.text("trained") == "no":
        yield flag("evidence_untrained", "trained")
