"""Flags of reports that may tell of one event, and of visits whose report is not here."""

from records.flag_kinds.kind import FlagKind

TWIN = "twin_proposed"
AWAITED, MISSING = "reference_awaited", "reference_missing"
INCIDENTS = {
    TWIN: FlagKind(
        "warning",
        "Reported twice?",
        "Another report may tell of the same event. Compare the two on the page of incidents; nothing is merged.",
        "The other one: {case}",
    ),
    AWAITED: FlagKind(
        "info",
        "Its report has not come",
        "This visit names a report that is not here yet. It is linked as soon as the report comes.",
        "It names “{reference}”.",
    ),
    MISSING: FlagKind(
        "warning",
        "Its report never came",
        "This visit names a report that has not come for 90 days. Look for the right number and correct it.",
        "It names “{reference}”.",
    ),
}
