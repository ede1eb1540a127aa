"""The data dictionary of the hotspot tables: every column with its type, unit and meaning, in the order of the files."""

from exports.equal_area import EASE10
from exports.grid import H3
from exports.package.contents import Column, Table

UNITS = (*H3.levels, *EASE10.levels, "adm1", "country")
COLUMNS = (
    Column("release_id", "string", "", "Quarter in which the window ends, and revision"),
    Column(
        "cell_id",
        "string",
        "",
        "H3 index, or ease_10:E501N435 (a square by column and row); adm1:CODE or country:CODE for what is counted in a unit; "
        ":unplaced for reports without a cell",
    ),
    Column("cell_level", "string", "", "h3_6, h3_5 and h3_4, or ease_10, ease_20 and ease_40; adm1 or country", UNITS),
    Column("lat", "number", "degrees, WGS 84", "Latitude of the cell's centre, never of an attack"),
    Column("lon", "number", "degrees, WGS 84", "Longitude of the cell's centre, never of an attack"),
    Column("coordinate_uncertainty_m", "integer", "m", "Farthest that a cell of this level reaches from its centre"),
    Column("area_km2", "number", "km2", "Area of the cell"),
    Column("country", "string", "ISO 3166-1 alpha-2", "Country of the cell's centre"),
    Column("admin1", "string", "ISO 3166-2", "First-level unit of the cell's centre"),
    Column("metapopulation", "integer", "", "Part of the leopard's range, 1 to 4; empty where no survey area says so"),
    Column("period_start", "date", "", "First day of the window"),
    Column("period_end", "date", "", "Last day of the window"),
    Column("predator", "string", "", "Predator that the attacks are laid to"),
    Column(
        "event_set",
        "string",
        "",
        "strict: verified attacks; standard: these and what sure reporters said",
        ("strict", "standard"),
    ),
    Column("n_events", "integer", "attacks", "Attacks, counted by attack_rule"),
    Column("n_reports", "integer", "reports", "Reports that these attacks were counted from"),
    Column("n_events_strict", "integer", "attacks", "Of these, verified as confirmed or probable (or SCALP C1, C2)"),
    Column("n_households", "string", "households", "Different known households; 5-9 or 10+ in public tables"),
    Column("n_killed", "integer", "animals", "Animals killed; empty where one household has more than 70 percent"),
    Column("n_injured", "integer", "animals", "Animals injured; empty where one household has more than 70 percent"),
    Column("n_missing", "integer", "animals", "Animals missing; empty where one household has more than 70 percent"),
    Column("n_killed_small", "integer", "animals", "Sheep and goats killed"),
    Column("n_killed_large", "integer", "animals", "All other animals killed"),
    Column("verified_share", "number", "0 to 1", "n_events_strict / n_events"),
    Column(
        "completeness",
        "number",
        "0 to 1",
        "Months of the window with a report from the country, or a report of nothing, against all its months",
    ),
    Column("exposure", "number", "exposure_unit", "What could be attacked in the cell"),
    Column("exposure_unit", "string", "", "Unit of the exposure"),
    Column(
        "exposure_basis",
        "string",
        "",
        "livestock_months, household_months or area: what the exposure was made from",
        ("livestock_months", "household_months", "area"),
    ),
    Column("rate", "number", "rate_unit", "n_events per exposure"),
    Column("rate_lo", "number", "rate_unit", "Lower exact 95 percent limit of the rate (Garwood)"),
    Column("rate_hi", "number", "rate_unit", "Upper exact 95 percent limit of the rate (Garwood)"),
    Column("rate_eb", "number", "rate_unit", "Rate calmed by empirical Bayes (Marshall), for maps; 3 digits"),
    Column("rate_unit", "string", "", "Unit of the rates"),
    Column("nb_events", "integer", "attacks", "Attacks in the cell and its ring of neighbours"),
    Column("nb_expected", "number", "attacks", "What nb_events would be if risk followed exposure everywhere alike"),
    Column("rr_nb", "number", "ratio", "Relative risk of the neighbourhood against all the rest"),
    Column("p_value", "number", "0 to 1", "Exact chance of nb_events or more"),
    Column("q_value", "number", "0 to 1", "p_value corrected for testing every cell (Benjamini-Hochberg)"),
    Column("gi_star_z", "number", "z-score", "Getis-Ord Gi*, for comparison only: it does not decide"),
    Column(
        "hotspot_class",
        "string",
        "",
        "hot_99, hot_95, none or insufficient; a rolled-up row has the strongest class inside it",
        ("hot_99", "hot_95", "none", "insufficient"),
    ),
    Column(
        "history_class",
        "string",
        "",
        "What the cell has been over eight periods or more, in the words of emerging hot spots; empty where they are too few",
        ("new", "consecutive", "intensifying", "persistent", "diminishing", "sporadic", "historical", "none"),
    ),
    Column("loss_local", "number", "loss_currency", "Value of the animals lost; five households, none above 70 percent"),
    Column("loss_currency", "string", "ISO 4217", "Currency of loss_local"),
    Column("loss_usd", "number", "USD", "loss_local in US dollars; empty without a stated rate"),
    Column("fx_rate", "number", "USD per unit", "Exchange rate used"),
    Column("fx_date", "date", "", "Day of the exchange rate"),
    Column(
        "suppression",
        "string",
        "",
        "none; rolled_up: cells with too few households, counted here together; merged: joined to hide a rest",
        ("none", "rolled_up", "merged"),
    ),
    Column(
        "quality_flags",
        "string",
        "",
        "coarse_location, overdispersed, insufficient, nearby_withheld, exposure_floor, exposure_withheld, under_reported; "
        "separated by ;",
    ),
    Column("method", "string", "", "Name of the method"),
    Column("method_version", "string", "", "Version of the method"),
    Column(
        "attack_rule",
        "string",
        "",
        "incident-episode-1: reports decided to tell of one event are one; one household within 3 days and 1 km is one attack",
    ),
)

TABLE = Table(COLUMNS, key=("cell_id", "event_set"), naming=("release_id", "period_start", "period_end"))
