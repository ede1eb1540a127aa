"""Flags about what a record says: counts, values, species, evidence, distances, effort, cameras, twins."""

from records.flag_kinds.kind import FlagKind

CONTENT = {
    "count_zero": FlagKind(
        "warning",
        "No animal lost",
        "No animal was killed, hurt or missing, and nobody said that it was an attack without loss. Was a row left out?",
    ),
    "count_big": FlagKind(
        "warning",
        "Many animals killed at once",
        "More than 30 animals killed in one attack happens, but is rare. Was the number typed right?",
        "Killed: {number}.",
    ),
    "count_huge": FlagKind(
        "error",
        "Too many animals killed at once",
        "More than 100 animals killed in one attack is mostly a slip of the finger. The report counts when a person has said so.",
        "Killed: {number}.",
    ),
    "count_herd": FlagKind(
        "warning",
        "More killed than there were",
        "More animals were killed than stood at the place.",
        "Killed: {number}. At the place: {herd}.",
    ),
    "count_outlier": FlagKind(
        "warning",
        "Unusual number of animals",
        "The number is far above what was reported of such animals in this country in the three years before.",
        "{livestock}: {number} killed. Usual: {usual}.",
    ),
    "count_sum": FlagKind(
        "warning",
        "Total differs",
        "The total that came with the report is not the sum of its rows. The sum of the rows is used.",
        "Total: {total}. Sum of the rows: {sum}.",
    ),
    "count_part": FlagKind(
        "warning",
        "A part larger than the whole",
        "Of some animals or people, more are of one kind than there are in all.",
        "Of this kind: {part}. In all: {whole}.",
    ),
    "count_verified": FlagKind(
        "warning",
        "More verified than reported",
        "The visit accepts more animals than the report says were killed, hurt or missing. Does it name the right report?",
        "Accepted: {number}. Reported: {reported_number}.",
    ),
    "count_group": FlagKind(
        "warning",
        "Unusually large group",
        "Of a thousand groups of this species at most one would be so large, going by those counted in the three years before.",
        "{prey}: {number} in one group. Usual: {usual}.",
    ),
    "value_outlier": FlagKind(
        "warning",
        "Unusual value",
        "One animal is valued at more than eight times, or less than an eighth, of what is usual in this country and year.",
        "{livestock}: {amount} {currency}. Usual: {usual_amount}.",
    ),
    "value_toman": FlagKind(
        "warning",
        "Rial or toman?",
        "One animal is valued at about ten times, or a tenth, of what is usual: were rial and toman mistaken for each other?",
        "{livestock}: {amount} {currency}. Usual: {usual_amount}.",
    ),
    "value_currency": FlagKind(
        "warning",
        "Currency of another country",
        "The values are neither in the currency of the country nor in US dollars.",
        "{currency} in {country}.",
    ),
    "species_range": FlagKind(
        "warning",
        "Not known from this country",
        "The wild animal is not known to live in this country. Is it another species, or a discovery?",
        "{prey} in {country}.",
    ),
    "species_impossible": FlagKind(
        "warning",
        "Predator does not live there",
        "This predator does not live in this country. Is it another species?",
        "{predator} in {country}.",
    ),
    "evidence_bleeding": FlagKind(
        "warning",
        "Bitten alive, yet no predator",
        "Bleeding under the skin means that the animal was alive when it was bitten. The report says that no predator killed it.",
    ),
    "evidence_hearsay": FlagKind(
        "warning",
        "Certain by hearsay",
        "The predator is called certain, but the only reasons are what others told and what happened before.",
    ),
    "evidence_finding": FlagKind(
        "warning",
        "Predator kill without a predator",
        "The finding is a predator kill, and the predator after the check is “not a predator”.",
    ),
    "evidence_untrained": FlagKind(
        "warning",
        "C2 without training",
        "Class C2 means confirmed by a trained person; this one is not trained.",
    ),
    "distance_geometry": FlagKind(
        "warning",
        "Distance and angle do not fit",
        "The perpendicular distance is not the distance to the group times the sine of the angle. Use the one worked out here.",
        "It reads {phone_m}. Worked out: {worked_out_m}.",
    ),
    "distance_far": FlagKind(
        "warning",
        "Very far away",
        "Groups farther than 1,500 m from a transect are hardly told apart. Was it typed in metres?",
        "Distance: {distance_m}.",
    ),
    "distance_heaped": FlagKind(
        "info",
        "Rounded distances",
        "Many distances are multiples of 50 m: they were estimated rather than measured, which spoils the detection curve.",
        "{number} of {whole} distances.",
    ),
    "effort_speed": FlagKind(
        "warning",
        "Odd walking speed",
        "People on foot count at 0.3 to 8 km per hour. Are length, start and end right?",
        "{km} in {seconds}.",
    ),
    "effort_length": FlagKind(
        "warning",
        "Length and track differ",
        "The length and what the phone recorded of the way differ by more than a fifth.",
        "Length: {km}. Recorded: {track_km}.",
    ),
    "effort_empty": FlagKind(
        "warning",
        "Neither seen nor not seen",
        "No animal is listed, and nobody said that none was seen. Was a row left out?",
    ),
    "camera_order": FlagKind(
        "warning",
        "Retrieved before it was deployed",
        "The camera's only deployments known here are later than this visit. Is one of the dates wrong?",
        "Deployed: {deployed_day} ({case}). This visit: {visit_day}.",
    ),
    "camera_clock": FlagKind(
        "warning",
        "Camera's clock wrong",
        "The clock of the camera and that of the phone differ by more than 10 minutes. Times of its pictures need this correction.",
        "The camera's clock: {offset_seconds}.",
    ),
    "camera_last_image": FlagKind(
        "warning",
        "Picture after the visit",
        "The last picture on the card is dated after the visit that took it away. Is the camera's clock right?",
        "Last picture: {image_day}. Visit: {visit_day}.",
    ),
    "duplicate_exact": FlagKind(
        "error",
        "Same answers again",
        "Another report has exactly these answers and came before. It counts, this one does not, unless somebody says otherwise.",
        "The first one: {case}.",
    ),
    "followup_overlaps": FlagKind(
        "warning",
        "Periods overlap",
        "Another follow-up of the same household covers some of the same days: losses would be counted twice.",
        "From {from_day} to {to_day}. The other one: {case}.",
    ),
}
