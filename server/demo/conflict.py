"""How somebody answers the livestock-loss report about one attack of the made-up years."""

from datetime import timedelta
from random import Random

from server.demo.filling import Answers
from server.demo.landscapes import COUNTRIES, WORDS
from server.demo.place import where
from server.demo.world import SECOND_REPORT, Event, Household

_DOLLARS = {"sheep": 150, "goat": 120, "cattle": 800, "donkey": 140, "horse": 900, "dog_guard": 200}
_SURPLUS, _ONE_MORE = 0.05, 0.5
"""Share of attacks that kill 5 to 30; else each animal killed is followed by another with this chance."""
_SIGNS = {
    "certain": (("saw_attack",), ("saw_predator", "tracks"), ("photo", "bite"), ("camera_trap", "tracks")),
    "probable": (("tracks", "bite"), ("bite", "drag"), ("tracks", "scat"), ("bite", "claw", "cached"), ("hair", "bite")),
    "possible": (("told", "tracks"), ("heard",), ("scat",)),
    "guess": (("habit",), ("told",)),
}


class Attack:
    """What happened, the same for everybody who reports it."""

    def __init__(self, event: Event, household: Household, facts: Random) -> None:
        self.in_corral = facts.random() < 0.55
        self.at_night = facts.random() < (0.92 if self.in_corral else 0.43)
        self.is_surplus = self.in_corral and facts.random() < _SURPLUS / 0.55
        self.setting = (
            "corral" if self.in_corral else facts.choices(("pasture", "forest", "route", "camp", "water"), (45, 25, 10, 14, 6))[0]
        )
        self.losses = self._losses(household, facts)
        self.has_carcass = facts.random() < 0.85 and any(row["n_killed"] for row in self.losses)

    def _losses(self, household: Household, facts: Random) -> list[Answers]:
        """One or two rows by species, age and sex: killed geometric, now and then many, now and then none but the wounded."""
        killed = facts.randint(5, min(30, household.herd_small)) if self.is_surplus else 1
        while not self.is_surplus and facts.random() < _ONE_MORE:
            killed += 1
        if not self.is_surplus and facts.random() < 0.06:
            killed = 0
        injured = facts.choices((0, 1, 2), (75, 18, 7))[0] if killed else facts.randint(0, 2)
        species = self._species(household, facts)
        second = facts.randint(1, killed - 1) if killed > 2 and species in {"sheep", "goat"} and facts.random() < 0.5 else 0
        missing = facts.choices((0, 1, 2), (88, 9, 3))[0]
        rows = [_row(species, facts, killed - second, injured, missing)]
        if second:
            rows.append(_row("goat" if species == "sheep" else "sheep", facts, second, 0, 0))
        return rows

    def _species(self, household: Household, facts: Random) -> str:
        if self.is_surplus or self.in_corral:
            return facts.choices(("sheep", "goat", "dog_guard"), (52, 44, 4))[0]
        large = 3 if household.herd_large else 0
        return facts.choices(("goat", "sheep", "cattle", "donkey", "horse", "dog_guard"), (38, 30, 6 * large, 4, large, 6))[0]


def _row(species: str, facts: Random, killed: int, injured: int, missing: int) -> Answers:
    ages = ("young", "yearling", "adult")
    return {
        "species": species,
        "age": facts.choices(ages, (6, 3, 1) if species in {"cattle", "horse"} else (2, 3, 5))[0],
        "sex": facts.choices(("f", "m", "u"), (6, 3, 1))[0],
        "n_killed": killed,
        "n_injured": injured,
        "n_missing": missing,
    }


def conflict_answers(event: Event, facts: Random, own: Random) -> Answers:
    """Give the answers; `facts` draws what happened, `own` how this reporter tells it."""
    household = event.household
    if household is None:
        raise ValueError("an attack strikes a household")
    attack = Attack(event, household, facts)
    consent = own.random() > 0.02
    return {
        "consent": "yes" if consent else "no",
        "consent_share": "yes" if own.random() > 0.04 else "no",
        "reporter": _reporter(event, household, own),
        "country": event.landscape.country,
        "when": _when(event, attack, own),
        "where": where(event, own),
        "place_more": _place_more(event, attack, own),
        "losses_g": _losses(event, attack, own),
        "cause": (cause := _cause(event, attack, facts, own)),
        "evidence": _evidence(attack, cause, own),
        "husbandry": _husbandry(household, attack, own),
        "history": _history(own),
        "response": _response(event, attack, own),
    }


def _reporter(event: Event, household: Household, own: Random) -> Answers:
    role = own.choices(("herder", "ranger", "community", "ngo", "vet"), (45, 25, 16, 10, 4))[0]
    if event.planted == SECOND_REPORT:
        role = "ranger"
    owner = own.choice(WORDS[event.landscape.language].owners) if own.random() < 0.1 else ""
    number = household.code if role == "herder" else f"{event.landscape.code}-{role[:3].upper()}{own.randint(1, 3)}"
    return {"reporter_role": role, "reporter_code": number, "household_typed": household.code, "owner_contact": owner}


def _when(event: Event, attack: Attack, own: Random) -> Answers:
    found = min(event.day + timedelta(days=own.choice((0, 0, 0, 1))), event.reported)
    night = (
        own.choices(("night", "dawn"), (88, 12))[0] if attack.at_night else own.choices(("day", "dusk", "unknown"), (70, 22, 8))[0]
    )
    return {
        "event_date": event.day.isoformat(),
        "date_precision": own.choices(("exact", "day1", "week"), (80, 16, 4))[0],
        "time_of_day": night,
        "found_date": found.isoformat(),
    }


def _place_more(event: Event, attack: Attack, own: Random) -> Answers:
    near = attack.setting in {"corral", "camp"}
    return {
        "setting": attack.setting,
        "habitat": own.choices(("shrub", "steppe", "forest_b", "cliff", "alpine", "forest_c"), (26, 24, 20, 14, 10, 6))[0],
        "in_pa": own.choices(("no", "yes", "dk"), (70, 24, 6))[0],
        "pa_name": WORDS[event.landscape.language].reserve,
        "dist_settlement_m": round(own.lognormvariate(4.6 if near else 7.2, 0.7), -1),
        "dist_cover_m": round(own.lognormvariate(4.8, 0.8), -1),
    }


def _losses(event: Event, attack: Attack, own: Random) -> Answers:
    country = COUNTRIES[event.landscape.country]
    rows = []
    for row in attack.losses:
        value = _DOLLARS[row["species"]] * country.per_dollar * own.lognormvariate(0, 0.2) * (0.6 if row["age"] == "young" else 1)
        rows.append(row | {"unit_value": float(f"{value:.2g}") if own.random() < 0.85 else ""})
    vet = float(f"{8 * country.per_dollar * own.lognormvariate(0, 0.5):.2g}")
    return {"loss": rows, "currency": country.currency, "vet_cost": vet, "no_loss_ok": "yes"}


def _cause(event: Event, attack: Attack, facts: Random, own: Random) -> Answers:
    confidence = facts.choices(("certain", "probable", "possible", "guess"), (22, 62, 11, 5))[0]
    if event.predator in {"unknown", "not_predator"}:
        confidence = "possible"
    basis: tuple[str, ...] = facts.choice(_SIGNS[confidence])
    if not attack.has_carcass:
        basis = tuple(sign for sign in basis if sign not in {"bite", "claw", "drag", "cached"}) or ("tracks",)
    return {
        "predator": event.predator,
        "confidence": confidence,
        "basis": basis,
        "n_predators_seen": own.randint(2, 6) if event.predator == "wolf" else own.choices((1, 2), (92, 8))[0],
        "predator_fate": own.choices(("left", "chased", "unknown"), (70, 18, 12))[0],
        "people_injured": 0,
    }


def _evidence(attack: Attack, cause: Answers, own: Random) -> Answers:
    bites = {"leopard": ("throat", "nape"), "wolf": ("hind", "flank", "multiple")}.get(cause["predator"], ("multiple", "na"))
    sample = own.random() < 0.08
    return {
        "carcass_age": own.choices(("h6", "h24", "d3"), (35, 50, 15))[0] if attack.has_carcass else "none",
        "bleeding": own.choices(("yes", "dk", "no"), (60, 36, 4))[0],
        "bite_site": own.choice(bites) if "bite" in cause["basis"] else "na",
        "canine_mm": round(own.gauss(44 if cause["predator"] == "leopard" else 38, 3), 1),
        "eaten": own.choices(("chest", "hind", "belly", "none", "all"), (26, 24, 22, 20, 8))[0],
        "drag_m": own.randint(5, 400),
        "sample": "yes" if sample else "no",
        "sample_id": f"DEMO-{own.randint(1, 9999):04}",
    }


def _husbandry(household: Household, attack: Attack, own: Random) -> Answers:
    penned = attack.in_corral
    present = ("near", "with", "far", "none") if penned else ("with", "far", "near", "none")
    return {
        "herd_small": household.herd_small,
        "herd_large": household.herd_large,
        "herd_activity": "penned"
        if penned
        else ("bedded" if attack.at_night else own.choice(("grazing", "grazing", "resting", "moving"))),
        "herder_presence": own.choices(present, (45, 25, 15, 15))[0],
        "enclosure": household.enclosure if penned else "none",
        "wall_cm": own.choice((100, 120, 150, 160, 180, 200)),
        "breach": own.choices(("yes", "no"), (85, 15))[0],
        "dogs_n": household.dogs,
        "dogs_lgd": min(household.dogs, own.randint(0, 2)),
        "measures": household.measures,
        "measures_state": own.choices(("ok", "part", "not"), (40, 35, 25))[0],
    }


def _history(own: Random) -> Answers:
    prior = own.choices((0, 1, 2, 3, 5), (45, 28, 15, 8, 4))[0]
    return {
        "prior_attacks": prior,
        "prior_killed": prior + own.randint(0, 2 * prior),
        "other_deaths": own.choices((0, 2, 5, 9, 14), (20, 30, 28, 15, 7))[0],
        "prey_trend": own.choices(("dec", "stable", "inc", "dk"), (46, 22, 12, 20))[0],
    }


def _response(event: Event, attack: Attack, own: Random) -> Answers:
    words = WORDS[event.landscape.language]
    note = f" {own.choice(words.notes)}" if own.random() < 0.5 else ""
    return {
        "carcass_left": own.choice(("yes", "no")) if attack.has_carcass else "",
        "scheme": own.choices(("gov", "insurance", "ngo", "none", "dk"), (24, 24, 8, 30, 14))[0],
        "claim": own.choice(("yes", "no")),
        "claim_ref": f"DEMO-{event.story:04}",
        "remarks": words.label + note,
    }
