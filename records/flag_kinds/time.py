"""Flags about when a record says that it was."""

from records.flag_kinds.kind import FlagKind

TIME = {
    "time_future": FlagKind(
        "error",
        "In the future",
        "The day lies more than 24 hours after the report came.",
        "Day: {day}. Received: {received}.",
    ),
    "time_ahead": FlagKind(
        "warning",
        "After its own arrival",
        "The day or hour lies after the report came, by less than 24 hours: mostly the phone's clock is ahead.",
        "Ahead by {seconds}.",
    ),
    "time_calendar": FlagKind(
        "error",
        "Another calendar?",
        "The year is one of the Solar or the Lunar Hijri calendar. Dates are kept in the Gregorian one.",
        "It reads {text}. In the Gregorian calendar: {day}.",
    ),
    "time_old": FlagKind(
        "warning",
        "More than a year ago",
        "The day lies more than a year before the form was filled in. Is the year right?",
        "Day: {day}.",
    ),
    "time_lag": FlagKind("info", "Sent late", "The report came more than 30 days after the event.", "After {seconds}."),
    "time_late": FlagKind(
        "warning",
        "Sent very late",
        "The report came more than 180 days after the event: what is told from memory, and too late to be verified.",
        "After {seconds}.",
    ),
    "time_order": FlagKind(
        "warning",
        "End before beginning",
        "Of two times of the report the later one comes first.",
        "{first_question}: {first_day}. {second_question}: {second_day}.",
    ),
    "time_duration": FlagKind(
        "warning",
        "Odd time to fill in",
        "The form was filled in quicker than its questions can be read, or it was open for more than a day.",
        "Time: {seconds}.",
    ),
    "time_zone": FlagKind(
        "info",
        "Another time zone",
        "The phone's time zone is none of the country where the position lies.",
        "Phone: {zone}. Country: {country}.",
    ),
    "time_skew": FlagKind(
        "info",
        "Phone's clock wrong",
        "The phone's clock was wrong. Analyses use the corrected time; the answers stay as they are.",
        "Difference to our clock: {offset_seconds}.",
    ),
}
