"""The checks of what a record says, in the order in which they run."""

from sync.checks import amounts, cameras, effort, evidence, measures, outliers, species, twins

CHECKS = (
    amounts.count_zero,
    amounts.count_big,
    amounts.count_herd,
    amounts.count_sum,
    amounts.count_part,
    amounts.value_currency,
    species.strangers,
    evidence.report_evidence,
    evidence.visit_evidence,
    evidence.sign_evidence,
    effort.distances,
    effort.speed,
    effort.length,
    effort.empty,
    cameras.clock,
    cameras.last_image,
    twins.digest,
)
COMPARISONS = (
    measures.keep,  # first: the others read what it writes
    outliers.outliers,
    twins.duplicate_exact,
    twins.followup_overlaps,
    cameras.camera_order,
    amounts.count_verified,
)
