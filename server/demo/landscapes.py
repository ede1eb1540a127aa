"""Where the made-up years happen: landscapes known for leopards, in 10 range states, with what is herded and hunted there.

The landscapes are real, everything that happens in them is invented: no household, hamlet, name or loss exists. Prey and predators
follow the species accounts of the IUCN Red List; prices are round numbers of the right order of magnitude, not market data.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Landscape:
    """One cluster of the made-up years. `weight` is its share of attacks; `language` is that of its names and remarks.

    Everything happens within `reach_km` of the centre, which lies farther than this from any border.
    """

    code: str
    name: str
    country: str
    latitude: float
    longitude: float
    reach_km: int
    altitude_m: int
    weight: float
    language: str
    prey: tuple[str, ...]
    other_predators: tuple[str, ...] = ("wolf",)


_CAUCASUS = ("capra_aegagrus", "cervus_elaphus", "capreolus", "sus_scrofa")
_HYRCANIAN = ("cervus_elaphus", "sus_scrofa", "capreolus", "capra_aegagrus")
_ZAGROS = ("capra_aegagrus", "ovis_hybrid", "sus_scrofa")
_DRY = ("ovis_vignei", "capra_aegagrus", "gazella_bennettii")
_KOPET_DAG = ("ovis_vignei", "capra_aegagrus", "sus_scrofa")

LANDSCAPES = (
    Landscape("GOL", "Golestan", "IR", 37.33, 55.75, 45, 1100, 70, "fa", _HYRCANIAN, ("wolf", "bear_brown")),
    Landscape("SAV", "Central Alborz", "IR", 36.05, 52.85, 45, 1900, 52, "fa", _HYRCANIAN, ("wolf", "bear_brown")),
    Landscape("BAM", "Bamu", "IR", 29.80, 52.70, 50, 1900, 42, "fa", _ZAGROS, ("wolf", "hyena")),
    Landscape("DEN", "Dena", "IR", 30.85, 51.55, 50, 2300, 24, "fa", _ZAGROS, ("wolf", "bear_brown")),
    Landscape("TAL", "Talysh", "IR", 37.55, 48.75, 25, 1500, 34, "fa", _HYRCANIAN, ("wolf", "bear_brown", "lynx")),
    Landscape("TAN", "Tandoureh", "IR", 37.20, 58.80, 40, 1700, 38, "fa", _KOPET_DAG),
    Landscape("ARA", "Arasbaran", "IR", 38.60, 46.95, 38, 1600, 10, "fa", _CAUCASUS, ("wolf", "bear_brown", "lynx")),
    Landscape("KHA", "Khabr", "IR", 28.85, 56.40, 50, 2400, 6, "fa", _DRY, ("wolf", "caracal")),
    Landscape("OSH", "Oshtorankuh", "IR", 33.25, 49.35, 50, 2100, 4, "fa", _ZAGROS, ("wolf", "bear_brown")),
    Landscape("QAR", "Qara Dagh", "IQ", 35.30, 45.35, 45, 1100, 34, "en", _ZAGROS, ("wolf", "hyena")),
    Landscape("HAK", "Hakkari", "TR", 37.65, 43.75, 36, 2200, 36, "tr", _ZAGROS, ("wolf", "bear_brown")),
    Landscape("SII", "Siirt", "TR", 37.85, 42.40, 45, 1300, 5, "tr", _ZAGROS, ("wolf", "bear_brown")),
    Landscape("LER", "Lerik", "AZ", 38.85, 48.40, 15, 1100, 10, "ru", _CAUCASUS, ("wolf", "bear_brown")),
    Landscape("KHO", "Khosrov", "AM", 40.00, 44.95, 22, 1700, 20, "en", _CAUCASUS, ("wolf", "bear_brown", "lynx")),
    Landscape("VAY", "Vayots Dzor", "AM", 39.85, 45.45, 14, 2000, 5, "en", _CAUCASUS, ("wolf", "bear_brown")),
    Landscape("DAG", "Dagestan", "RU", 42.35, 46.60, 40, 1900, 9, "ru", ("capra_cylindricornis", "capreolus", "sus_scrofa")),
    Landscape("AHA", "Kopet Dag", "TM", 38.55, 56.60, 26, 1000, 9, "ru", _KOPET_DAG),
    Landscape("BMY", "Bamyan", "AF", 34.90, 67.30, 50, 3000, 8, "fa", ("capra_sibirica", "ovis_vignei")),
    Landscape("CHI", "Chiltan", "PK", 30.10, 66.85, 40, 2200, 26, "en", ("capra_falconeri", "ovis_vignei"), ("wolf", "caracal")),
)


@dataclass(frozen=True, slots=True)
class Country:
    """What a whole country has in common: clock, money, and the value of one US dollar in it, rounded."""

    offset: str
    currency: str
    per_dollar: float


COUNTRIES = {
    "AF": Country("+04:30", "AFN", 70),
    "AM": Country("+04:00", "AMD", 390),
    "AZ": Country("+04:00", "AZN", 1.7),
    "IQ": Country("+03:00", "IQD", 1300),
    "IR": Country("+03:30", "IRT", 90_000),
    "PK": Country("+05:00", "PKR", 280),
    "RU": Country("+03:00", "RUB", 85),
    "TM": Country("+05:00", "TMT", 3.5),
    "TR": Country("+03:00", "TRY", 40),
}


@dataclass(frozen=True, slots=True)
class Words:
    """What people write in one language; `label` says in it that the record is made up."""

    label: str
    places: tuple[str, ...]
    reserve: str
    owners: tuple[str, ...]
    notes: tuple[str, ...]


WORDS = {
    "fa": Words(
        "داده ساختگی برای نمایش (synthetic).",
        ("دره بالا", "چشمه سفید", "ییلاق پایین", "کلاته نو", "تنگ گردو"),
        "پناهگاه نمونه",
        ("صفر نمونه‌ای", "گل‌اندام نمونه‌ای", "مراد نمونه‌ای"),
        (
            "شب بعد از کوچ نوروزی بود.",
            "سگ‌ها تا صبح پارس کردند.",
            "لاشه را تا پای صخره کشیده بود.",
            "در آغل باز مانده بود.",
            "رد پنجه روی گل کنار چشمه بود.",
        ),
    ),
    "ru": Words(
        "Вымышленные данные для показа (synthetic).",
        ("Верхнее пастбище", "Белый ключ", "Кош у ручья", "Новая кошара"),
        "Учебный заповедник",
        ("Пример Примеров", "Образцова Анна"),
        ("Собаки лаяли до утра.", "Тушу утащили к скалам.", "Следы на снегу у кошары.", "Ворота загона были открыты."),
    ),
    "tr": Words(
        "Gösterim için uydurma kayıt (synthetic).",
        ("Yukarı Yayla", "Akpınar Mezrası", "Taşlıdere", "Çınar Ağılı"),
        "Örnek Koruma Alanı",
        ("Örnek Örnekoğlu", "Deneme Yılmazörnek"),
        (
            "Köpekler sabaha kadar havladı.",
            "Leşi kayalığa sürüklemiş.",
            "Nevruz haftasıydı, sürü yeni çıkmıştı.",
            "Ağılın kapısı açıktı.",
        ),
    ),
    "en": Words(
        "Made-up record for demonstration (synthetic).",
        ("Upper pasture", "White spring", "Walnut gorge", "New fold"),
        "Example reserve",
        ("Example Owner", "Sample Herder"),
        (
            "The dogs barked until morning.",
            "The carcass was dragged to the cliff.",
            "The gate of the fold was open.",
            "Tracks by the spring.",
        ),
    ),
}
