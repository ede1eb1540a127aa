"""Flags about where a record says that it was."""

from records.flag_kinds.kind import FlagKind

PLACE = {
    "location_null_island": FlagKind(
        "error",
        "No real position",
        "The position is 0° north, 0° east, in the Gulf of Guinea: what a device writes that has no position.",
    ),
    "location_range": FlagKind(
        "error",
        "Not on Earth",
        "A latitude lies between −90 and 90 degrees, a longitude between −180 and 180.",
        "The position reads {text}.",
    ),
    "location_swapped": FlagKind(
        "error",
        "Latitude and longitude swapped?",
        "The position lies outside the region or in another country than the chosen one. With its two numbers swapped it fits.",
        "Swapped: {point}, in {country}.",
    ),
    "location_water": FlagKind(
        "error",
        "In the sea",
        "The position lies in a sea, more than 2 km off every coast of the region.",
        "Position: {point}.",
    ),
    "location_outside": FlagKind(
        "error",
        "Outside the region",
        "The position lies in none of the states of the region, nor within 2 km of one.",
        "Position: {point}.",
    ),
    "location_country": FlagKind(
        "warning",
        "Another country",
        "The position lies in another country than the one that was chosen, more than 5 km from the border.",
        "Chosen: {reported}. The position lies in {country}.",
    ),
    "location_coarse": FlagKind(
        "warning",
        "Coarse position",
        "The position is known to within more than 500 m only. From 2 km on it is counted in no cell of a map.",
        "Accuracy: {accuracy_m}.",
    ),
    "location_accuracy_missing": FlagKind(
        "info", "Accuracy unknown", "The position came without its accuracy, as typed or converted ones do. Take it for 1 km."
    ),
    "location_map": FlagKind("info", "Set on a map", "The position was set on a map, not measured. Take its accuracy for 1 km."),
    "location_named": FlagKind(
        "warning",
        "Only the name of a place",
        "There is no position, only the name of a place: the report is counted in totals of its country alone. "
        "Ask where it is, and correct the report.",
        "Place: {name}.",
    ),
    "location_rounded": FlagKind(
        "warning",
        "Rounded position",
        "Latitude and longitude have two decimals at most: a kilometre, or a position that somebody copied.",
        "Position: {point}.",
    ),
    "location_repeated": FlagKind(
        "warning",
        "The same position again",
        "The same phone sent exactly this position on several days. Receivers never measure the same twice: "
        "an old position was repeated, or another app makes positions up.",
        "Reports with this position: {number}. One of them: {case}.",
    ),
    "location_jump": FlagKind(
        "warning",
        "Too far in too short a time",
        "Between this report and another one of the same phone lies more than anybody travels in the time: over 200 km/h.",
        "{km} in {seconds}. The other report: {case}.",
    ),
    "location_elevation": FlagKind(
        "warning",
        "Impossible height",
        "No place of the region lies lower than −100 m or higher than 6,500 m.",
        "Height: {height_m}.",
    ),
    "location_area": FlagKind(
        "warning",
        "Far from its study area",
        "The position lies more than 20 km outside the study area that was chosen.",
        "Chosen: {area}. Distance: {km}.",
    ),
}
