"""The seas of the region, in rough outlines of our own: asked only where no state of the region has land.

So they may overlap those states, and follow the coast only where another state's land begins.
"""

from functools import lru_cache

from records.outlines import Outline, Ring

SEAS = {
    "Caspian Sea": ((46.5, 36.0), (55.2, 36.0), (55.2, 47.3), (51.0, 47.0), (49.3, 46.2), (47.7, 45.5), (46.9, 44.8)),
    "Black Sea": (
        *((28.3, 40.8), (41.9, 40.8), (41.9, 43.6), (38.0, 44.8), (36.6, 45.0), (35.2, 44.8), (33.8, 44.2), (33.2, 44.6)),
        *((32.4, 45.2), (30.9, 46.2), (29.9, 45.4), (28.9, 44.1), (28.2, 43.2), (28.0, 42.2)),
    ),
    "Sea of Azov": ((36.6, 45.4), (38.5, 45.4), (38.5, 46.9), (36.8, 46.5), (35.2, 46.1), (35.2, 45.6)),
    "Aegean and Marmara": ((24.5, 35.8), (28.5, 36.0), (29.6, 40.2), (29.5, 41.1), (27.0, 41.1), (25.0, 40.7), (24.5, 39.5)),
    "Levantine Sea": (
        (28.0, 36.9),
        (36.3, 37.0),
        (35.9, 35.9),
        (35.6, 34.6),
        (34.8, 32.6),
        (33.5, 31.5),
        (29.0, 31.5),
        (27.0, 34.0),
    ),
    "Persian Gulf and Gulf of Oman": (
        *((48.2, 30.2), (48.4, 29.2), (49.0, 27.9), (50.3, 26.9), (51.3, 26.3), (51.8, 24.8), (53.5, 24.5), (55.2, 25.6)),
        *(
            (56.1, 26.4),
            (56.5, 26.3),
            (56.7, 24.6),
            (58.9, 23.8),
            (60.0, 22.6),
            (68.0, 22.0),
            (68.2, 23.7),
            (66.0, 26.5),
            (50.0, 30.8),
        ),
    ),
}
"""(longitude, latitude) in degrees."""


@lru_cache(maxsize=1)
def _waters() -> Outline:
    return Outline([[Ring.of(corners)] for corners in SEAS.values()])


def is_sea(latitude: float, longitude: float) -> bool:
    """Whether a point without land of the region lies in one of its seas."""
    return _waters().holds(longitude, latitude)
