"""The place of an event as a phone writes it, with the ways in which places go wrong."""

from random import Random

from server.demo.filling import Answers
from server.demo.landscapes import WORDS
from server.demo.world import SWAPPED, Event

_WITHOUT_ACCURACY, _NAMED, _COARSE = 0.12, 0.03, 0.03
"""Shares of places pointed to on the map (a phone writes the accuracy 0), told by name only, and measured under bad sky."""


def geopoint(latitude: float, longitude: float, altitude: float, accuracy: float) -> str:
    """Give `latitude longitude altitude accuracy` in degrees and metres."""
    return f"{latitude:.7f} {longitude:.7f} {altitude:.1f} {accuracy:.1f}"


def where(event: Event, own: Random) -> Answers:
    """Answers to the block of questions that conflict and dog reports share."""
    altitude = event.landscape.altitude_m + own.gauss(0, 120)
    way = own.choices(("map", "named", "here"), (_WITHOUT_ACCURACY, _NAMED, 1 - _WITHOUT_ACCURACY - _NAMED))[0]
    accuracy = own.uniform(300, 3000) if own.random() < _COARSE else min(90, own.lognormvariate(1.8, 0.5))
    place = (event.latitude, event.longitude)
    if event.planted == SWAPPED:
        way, place = "here", (event.longitude, event.latitude)
    return {
        "loc_method": way,
        "event_gps": geopoint(*place, altitude, accuracy),
        "event_map": geopoint(*place, 0, 0),
        "place_name": own.choice(WORDS[event.landscape.language].places),
    }
