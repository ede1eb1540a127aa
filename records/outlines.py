"""Areas with straight edges on a map of degrees: does a point lie in one, and how far beside it?

In plain Python, since these two questions are all that a server asks of areas while it serves: the library that answers every
question about them, with what it stands on, would hold 16 MB of the memory of a small station. Exports use that library.
"""

import math
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

Point = Sequence[float]
"""(longitude, latitude, and what else GeoJSON may say) in degrees."""


Box = tuple[float, float, float, float]
"""West, south, east, north in degrees."""


@dataclass(frozen=True, slots=True)
class Ring:
    """A closed line by its corners: longitudes, latitudes."""

    xs: "array[float]"
    ys: "array[float]"
    box: Box

    @classmethod
    def of(cls, corners: Iterable[Point]) -> "Ring":
        """Raises ValueError or TypeError for what are no points."""
        points = [(float(longitude), float(latitude)) for longitude, latitude, *_ in corners]
        if not points or not all(map(math.isfinite, chain.from_iterable(points))):
            raise ValueError("a ring without corners, or beyond everything")
        xs, ys = zip(*points, strict=True)
        return cls(array("d", xs), array("d", ys), (min(xs), min(ys), max(xs), max(ys)))

    def holds(self, x: float, y: float) -> bool:
        """Whether a line from the point to the east crosses the ring an odd number of times."""
        west, south, east, north = self.box
        if not (west <= x <= east and south <= y <= north):
            return False
        inside = False
        before_x, before_y = self.xs[-1], self.ys[-1]
        for here_x, here_y in zip(self.xs, self.ys, strict=True):
            if (before_y > y) != (here_y > y):
                turn = (here_x - before_x) * (y - before_y) - (x - before_x) * (here_y - before_y)
                inside ^= (turn > 0) == (here_y > before_y)
            before_x, before_y = here_x, here_y
        return inside

    def distance(self, x: float, y: float, stretch: float, most: float) -> float:
        """How far the point is from the nearest edge, or `most` if that is less. A degree of longitude is `stretch` long."""
        north, south = y + most, y - most
        if self.box[1] > north or self.box[3] < south or (self.box[0] - x) * stretch > most or (x - self.box[2]) * stretch > most:
            return most
        before_x, before_y = (self.xs[-1] - x) * stretch, self.ys[-1]
        for corner_x, here_y in zip(self.xs, self.ys, strict=True):
            here_x = (corner_x - x) * stretch
            if (before_y <= north or here_y <= north) and (before_y >= south or here_y >= south):
                across, up = here_x - before_x, here_y - before_y
                squared = across * across + up * up
                along = -(before_x * across + (before_y - y) * up) / squared if squared else 0.0
                along = min(1.0, max(0.0, along))
                most = min(most, math.hypot(before_x + along * across, before_y + along * up - y))
            before_x, before_y = here_x, here_y
        return most

    @property
    def size(self) -> float:
        """What it surrounds, in square degrees."""
        corners = zip(self.xs, self.ys, [*self.xs[1:], self.xs[0]], [*self.ys[1:], self.ys[0]], strict=True)
        return abs(sum(x * next_y - next_x * y for x, y, next_x, next_y in corners)) / 2


@dataclass(frozen=True, slots=True)
class Outline:
    """An area: polygons, each an outer ring and its holes."""

    polygons: Sequence[Sequence[Ring]]

    @classmethod
    def of(cls, geometry: Mapping[str, Any]) -> "Outline":
        """The area of a Polygon or MultiPolygon of GeoJSON. Raises ValueError, KeyError or TypeError for anything else."""
        kind, found = geometry["type"], geometry["coordinates"]
        if kind not in {"Polygon", "MultiPolygon"} or not found:
            raise ValueError(f"{kind} is no area")
        return cls([[Ring.of(ring) for ring in polygon] for polygon in (found if kind == "MultiPolygon" else [found])])

    @property
    def box(self) -> Box:
        """What it lies in."""
        west, south, east, north = zip(*(polygon[0].box for polygon in self.polygons), strict=True)
        return min(west), min(south), max(east), max(north)

    @property
    def size(self) -> float:
        """In square degrees."""
        return sum(outer.size - sum(hole.size for hole in holes) for outer, *holes in self.polygons)

    def holds(self, x: float, y: float) -> bool:
        """Whether a point lies in it. One on an edge that two areas share lies in one of them."""
        return any(outer.holds(x, y) and not any(hole.holds(x, y) for hole in holes) for outer, *holes in self.polygons)

    def distance(self, x: float, y: float, stretch: float, most: float = math.inf) -> float:
        """How far a point lies from it, in degrees of latitude; zero inside, and at most `most`.

        A degree of longitude is `stretch` long.
        """
        if self.holds(x, y):
            return 0.0
        for polygon in self.polygons:
            for ring in polygon:
                most = ring.distance(x, y, stretch, most)
        return most
