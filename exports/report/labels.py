"""What each figure of an indicator is called in the report. A figure without a name here is in the release only."""


def _(text: str) -> str:
    """Mark a text for translation; it is translated when it is shown."""
    return text


LABELS = {
    ("I-CON-1", "attacks_per_month"): _("Attacks per month"),
    ("I-CON-2", "attack_rate"): _("Attacks per 1,000 animals and month"),
    ("I-CON-3", "loss_rate"): _("Animals killed, percent of the herd in a year"),
    ("I-CON-3", "predation_share"): _("Deaths of livestock that were due to predators"),
    ("I-CON-4", "median"): _("Animals killed in an attack, middle value"),
    ("I-CON-4", "percentile_90"): _("Animals killed in an attack: 9 of 10 attacks have no more"),
    ("I-CON-4", "surplus_share"): _("Attacks with two or more animals killed"),
    ("I-CON-5", "verified_share"): _("Reports that a visit found confirmed or probable"),
    ("I-CON-5", "visited_share"): _("Reports that were visited"),
    ("I-CON-6", "found"): _("What visits found where a leopard was blamed"),
    ("I-CON-7", "loss"): _("Value of the animals killed, and their treatment"),
    ("I-CON-7", "loss_per_household"): _("Loss of a household, middle value"),
    ("I-CON-8", "present_share"): _("Attacks where this protection was in place"),
    ("I-CON-8", "breach_share"): _("Attacks on animals in an enclosure in which it was broken through"),
    ("I-CON-9", "night_share"): _("Attacks at night"),
    ("I-CON-9", "corral_share"): _("Attacks in a corral"),
    ("I-CON-9", "herder_absent_share"): _("Attacks with no herder there"),
    ("I-HOT", "hotspots"): _("Hotspots"),
    ("I-HOT", "area"): _("Area of the hotspots, km²"),
    ("I-HOT", "attacks_in_hotspots"): _("Attacks that were in hotspots"),
    ("I-HOT", "protected_hotspots"): _("Hotspots with a protection measure that works"),
    ("I-MIT-1", "relative_risk"): _("Attacks with the measure, for one without it"),
    ("I-MIT-1", "reduction"): _("Fewer attacks with the measure than without"),
    ("I-MIT-2", "baci_ratio"): _("Attacks after for one before, set against households without the measure"),
    ("I-MIT-2", "before_after_ratio"): _("Attacks after for one before, with no households to compare"),
    ("I-MIT-3", "class"): _("How sure it is that the measure works"),
    ("I-MIT-4", "days_down_share"): _("Days on which the measure was out of order"),
    ("I-MIT-4", "cost_per_animal_saved"): _("Cost of an animal saved"),
    ("I-MIT-5", "installed"): _("Measures installed"),
    ("I-MIT-5", "working_share"): _("Measures that work"),
    ("I-GRZ-1", "stocking_density"): _("Livestock units on a km² of pasture"),
    ("I-GRZ-2", "degraded_share"): _("Degraded pastures"),
    ("I-GRZ-2", "bare_ground"): _("Bare ground on pastures"),
    ("I-GRZ-3", "overlap"): _("Places with wild ungulates that have livestock too"),
    ("I-GRZ-4", "core_share"): _("Livestock in the core of a protected area"),
    ("I-DOG-1", "dogs"): _("Dogs seen on 100 km"),
    ("I-DOG-2", "attacks"): _("Attacks of dogs on wildlife, on 100 days of patrol"),
    ("I-DOG-2", "killed_share"): _("Animals attacked by dogs that died"),
    ("I-DOG-3", "dog_share"): _("Livestock killed by dogs, of all that visits bore out"),
    ("I-DOG-3", "blamed_predator_share"): _("Losses to dogs that were blamed on predators at first"),
    ("I-DOG-4", "taken_share"): _("Kills that dogs took over"),
    ("I-DOG-5", "dogs_killed"): _("Dogs killed by leopards"),
    ("I-DOG-6", "rabies_signs"): _("Reports of dogs with signs of rabies"),
    ("I-DOG-6", "distemper_signs"): _("Reports of dogs with signs of distemper"),
    ("I-DOG-6", "vaccinated_share"): _("Dogs that are vaccinated"),
    ("I-PREY-1", "groups"): _("Groups of wild prey met on a km"),
    ("I-PREY-2", "density"): _("Wild prey on a km², by distance sampling"),
    ("I-PREY-3", "animals"): _("Wild prey counted by two observers"),
    ("I-PREY-4", "young"): _("Young for 100 females"),
    ("I-PREY-5", "change"): _("Change of the counts in a year, percent"),
    ("I-TRN-1", "people"): _("People trained for the first time"),
    ("I-TRN-1", "women_share"): _("Women among those trained"),
    ("I-TRN-2", "gain"): _("Gain of knowledge, percentage points"),
    ("I-TRN-3", "person_hours"): _("Hours of training, times people"),
    ("I-CMP-1", "event_to_claim_median"): _("Days from the attack to the claim, middle value"),
    ("I-CMP-1", "claim_to_decision_median"): _("Days from the claim to the decision, middle value"),
    ("I-CMP-1", "decision_to_payment_median"): _("Days from the decision to the payment, middle value"),
    ("I-CMP-2", "paid_share"): _("Paid, of the loss that visits bore out"),
    ("I-CMP-3", "approved_share"): _("Claims approved, of those decided"),
    ("I-CMP-4", "claimed_share"): _("Attacks with a claim, of those that could have one"),
    ("I-CMP-5", "fair_share"): _("People with a claim who find it was dealt with fairly"),
    ("I-ATT-1", "mean"): _("Attitude to leopards, 1 (against) to 5 (for)"),
    ("I-ATT-1", "difference_in_differences"): _("Change of attitude in the programme, minus change elsewhere"),
    ("I-EFF-1", "km"): _("Kilometres of patrol"),
    ("I-EFF-1", "person_days"): _("Days of patrol, times people"),
    ("I-EFF-2", "completeness"): _("Months with a report, or a report of nothing"),
    ("I-MON-1", "trap_nights"): _("Nights on which cameras worked"),
    ("I-MON-3", "areas"): _("Priority areas surveyed"),
    ("I-VIO-1", "violations"): _("Snares, poison, signs of shooting, on 100 km"),
    ("I-COR-1", "corridors"): _("Corridors checked"),
    ("I-COR-1", "barrier_km"): _("Length of barriers, km"),
    ("I-COR-1", "working_passages"): _("Passages that work"),
    ("I-DQ-1", "flagged_share"): _("Records that a check flagged"),
    ("I-DQ-2", "duplicate_share"): _("Records sent twice"),
    ("I-DQ-3", "current_version_share"): _("Records made with the current survey"),
}
CLASSES = {
    "effective": _("works well"),
    "promising": _("promising"),
    "unproven": _("not proven"),
    "harmful": _("does harm"),
}
"""How sure it is that a measure works."""
FLAGS = {
    "no_controls_not_evidence": _("no evidence: there were no households without the measure to compare"),
    "low_n": _("few cases"),
    "under_reported": _("fewer than half of the months were reported"),
    "exposure_incomplete": _("too high: not all herds were counted"),
    "values_imputed": _("some values estimated from like animals"),
    "few_clusters": _("few villages: less sure than it looks"),
    "groups_both_miss_bias_this_low": _("at least: both observers miss some"),
    "half_added_to_empty_counts": _("a count was zero: very unsure"),
}
"""What to mind, in a few words."""
HISTORIES = {
    "new": _("new: only in the newest period"),
    "consecutive": _("for some periods in a row, up to now"),
    "intensifying": _("nearly always, and getting worse"),
    "persistent": _("nearly always"),
    "diminishing": _("nearly always, but getting better"),
    "sporadic": _("now and then, and again now"),
    "historical": _("nearly always before, not in the newest period"),
    "none": _("over the whole time together, not in the newest period alone"),
}
"""What a cell has been over the years, by its class in the release."""
FLAGS_OF_PLACES = {
    "coarse_location": _("some places are known only to 2 km"),
    "exposure_floor": _("no herds or households known here: the least of all cells was taken"),
}
"""What to mind about a place, in a few words."""
FEW = _("fewer than 5 households")
"""Said in place of a number that stands for too few."""
NONE_OR_FEW = _("no reports, or of fewer than 5 households")
"""Said of a place that has no row: the release does not tell which of the two it is."""
REASONS = {
    "few_households": FEW,
    "difference": _("kept back: it would tell of fewer than 5 households"),
    "dominance": _("kept back: one household has most of it"),
    "few_records": _("fewer than 5 records"),
    "few_people": _("fewer than 5 people"),
    "below_40_groups": _("fewer than 40 groups seen: too few"),
    "too_many_still_open": _("too many cases are still open"),
}
"""Why a figure is not told, in a few words."""
OTHER_REASON = _("too few data")
