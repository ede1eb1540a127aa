"""Dogs as a driver of conflict and a threat to wildlife (activity 7.2.1)."""

from collections.abc import Iterable
from dataclasses import replace

from exports.indicators.attacks import REPORT, VERIFIED, VISIT, attacks_of
from exports.indicators.figures import LEOPARD, Figure, Indicator, Support, behind, estimated, share
from exports.indicators.intervals import poisson_rate, ratio_of_sums
from exports.indicators.prey_statistics import encounter_rate
from exports.indicators.records import Record
from exports.indicators.slices import Slice

DOGS, PATROL, TRANSECT, SIGN, DEATH = "dog_impact", "patrol_effort", "prey_transect", "leopard_sign", "leopard_mortality"
RABIES = frozenset({"aggression", "salivation", "neuro"})
DISTEMPER = frozenset({"neuro", "discharge"})


def patrols(where: Slice) -> list[Record]:
    """The patrols of a slice with a distance."""
    return [record for record in where.of(PATROL) if record.answers.number("patrol/km")]


def patrol_days(record: Record) -> int:
    """How many days a patrol touched; 1 where its times are not known."""
    start, end = record.answers.day("patrol/start_time"), record.answers.day("patrol/end_time")
    return (end - start).days + 1 if start and end and start <= end and (end - start).days < 60 else 1


def _events(where: Slice, kind: str) -> list[Record]:
    return [record for record in where.of(DOGS) if kind in record.answers.chosen("event_type")]


def _reporters(records: Iterable[Record]) -> Support:
    """Who told of livestock that dogs killed stands for its owners, whom the survey does not ask for."""
    chosen = list(records)
    codes = [record.answers.code("reporter_code") for record in chosen]
    return behind(chosen, households=[f"reporter {code}" if code else "" for code in codes])


def _encounters(where: Slice) -> Iterable[Figure]:
    seen: list[tuple[float, float]] = []
    for record in patrols(where):
        dogs = sum(max(1, row.count("obs_n")) for row in record.answers.rows("patrol/obs") if row.text("obs_kind") == "dog")
        seen.append((dogs, record.answers.number("patrol/km") or 0.0))
    for record in where.of(TRANSECT):
        length = record.answers.number("end_g/length_km")
        if length:
            seen.append((sum(row.count("dogs_500m") for row in record.answers.rows("obs")), length))
    if seen:
        rate, _ = encounter_rate([dogs for dogs, _ in seen], [km for _, km in seen])
        figure = estimated("dogs", rate, "per 100 km", len(seen), factor=100)
        yield replace(figure, method="encounter rate, variance between walks (Buckland et al. 2001)")


def _on_wildlife(where: Slice) -> Iterable[Figure]:
    events = _events(where, "wildlife")
    days = sum(map(patrol_days, patrols(where)))
    if days:
        figure = estimated("attacks", poisson_rate(len(events), days, 100), "per 100 patrol-days", len(events))
        yield replace(figure, method="Garwood 1936")
        victims = sum(map(_victims, events))
        yield Figure("victims", 100 * victims / days, "per 100 patrol-days", len(events), method="sum / patrol-days")
    killed = sum(record.answers.count("wild/wild_killed") for record in events)
    yield from share("killed_share", killed, sum(map(_victims, events)))
    for name, path in (("attacks_by_species", "wild/wild_species"), ("attacks_by_dogs", "dog_class")):
        kinds = [record.answers.text(path) for record in events if record.answers.text(path)]
        for kind in sorted(set(kinds)):
            yield from share(name, kinds.count(kind), len(kinds), of=kind)


def _victims(record: Record) -> int:
    return sum(record.answers.count(f"wild/{name}") for name in ("wild_chased", "wild_injured", "wild_killed"))


def _on_livestock(where: Slice) -> Iterable[Figure]:
    visited = [each for each in where.data.once(attacks_of).told.of(where) if each.visit and each.finding in VERIFIED]
    killed = [sum(row.count("v_killed") for row in each.visit.answers.rows("verified")) for each in visited if each.visit]
    if sum(killed):
        by_dogs = [number if each.predator == "dog" else 0 for each, number in zip(visited, killed, strict=True)]
        figure = estimated("dog_share", ratio_of_sums(by_dogs, killed), "%", sum(killed), factor=100)
        support = behind((each.report for each in visited), [float(number) for number in killed])
        yield replace(figure, method="Fieller 1954, by report", supports=(support,), is_sum=True)
    events = _events(where, "livestock")
    asked = [record for record in events if record.answers.text("stock/blamed_predator") in ("yes", "no")]
    blamed = sum(record.answers.text("stock/blamed_predator") == "yes" for record in asked)
    for figure in share("blamed_predator_share", blamed, len(asked), supports=(_reporters(asked),)):
        yield replace(figure, coverage=len(asked) / len(events))


def _at_kills(where: Slice) -> Iterable[Figure]:
    events = _events(where, "klepto")
    known = [record for record in events if record.answers.text("leo/klepto") in ("took", "scavenged", "lost")]
    took = sum(record.answers.text("leo/klepto") == "took" for record in known)
    for figure in share("taken_share", took, len(known)):
        yield replace(figure, coverage=len(known) / len(events))
    visited = sum(record.answers.text("leo/pred_species") == LEOPARD for record in events)
    found = sum(record.answers.text("sign_type") == "kill_wild" for record in where.of(SIGN))
    for figure in share("visited_share", visited, visited + found):
        yield replace(figure, predator=LEOPARD, restricted=True, supports=(behind([*events, *where.of(SIGN)]),))


def _leopards(where: Slice) -> Iterable[Figure]:
    met = [record for record in where.of(DOGS) if record.answers.text("leo/pred_species") == LEOPARD]
    killed = sum(record.answers.count("leo/dogs_killed") for record in met)
    if where.of(DOGS):
        yield Figure("dogs_killed", killed, "animals", len(met), predator=LEOPARD, method="sum")
    harm = ("injured", "killed", "eaten")
    hurt = [record for record in met if record.answers.text("leo/leo_result") in harm]
    hurt += [record for record in where.of(DEATH) if record.answers.text("cause") == "dog"]
    if hurt:
        figure = Figure("leopards_hurt", len(hurt), "animals", len(hurt), predator=LEOPARD, restricted=True, method="count")
        yield replace(figure, supports=(behind(hurt),))


def _disease(where: Slice) -> Iterable[Figure]:
    if not where.of(DOGS):
        return
    sick = _events(where, "disease")
    for name, signs in (("rabies_signs", RABIES), ("distemper_signs", DISTEMPER)):
        told = sum(not signs.isdisjoint(record.answers.chosen("health/signs")) for record in sick)
        yield Figure(name, told, "reports", len(sick), method="count")
    asked = [record for record in sick if record.answers.text("health/vaccinated") in ("yes", "no")]
    vaccinated = sum(record.answers.text("health/vaccinated") == "yes" for record in asked)
    for figure in share("vaccinated_share", vaccinated, len(asked)):
        yield replace(figure, coverage=len(asked) / len(sick))


INDICATORS = (
    Indicator("I-DOG-1", "100 * dogs seen on patrols and transects / km", (PATROL, TRANSECT), _encounters),
    Indicator("I-DOG-2", "100 * attacks of dogs on wildlife, and their victims / patrol-days", (DOGS, PATROL), _on_wildlife),
    Indicator(
        "I-DOG-3",
        "livestock verified as killed by dogs / verified killed; blamed on predators first",
        (DOGS, REPORT, VISIT),
        _on_livestock,
    ),
    Indicator("I-DOG-4", "kills taken over / kills that dogs visited; visited / leopard kills found", (DOGS, SIGN), _at_kills),
    Indicator("I-DOG-5", "dogs killed by leopards; leopards hurt or killed by dogs", (DOGS, DEATH), _leopards),
    Indicator("I-DOG-6", "reports with signs of rabies or distemper; vaccinated / known", (DOGS,), _disease),
)
