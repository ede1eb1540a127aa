"""The map of hotspots: cells and provinces of the release on the shipped outline. No point of an attack is here to be drawn."""

from collections.abc import Iterable, Iterator, Sequence

import shapely
from shapely.geometry.base import BaseGeometry

from exports.report import svg
from exports.report.document import Figure
from exports.report.language import Language
from exports.report.numbers import INSUFFICIENT, Numbers, Place
from exports.report.projection import Box, Sheet, box_around, cell_shape, countries, lines, units

WIDTH = 460.0
LAND, SILENT, BORDER, FINE_BORDER = "#f4f0e4", "#e3e5e4", "#7d8580", "#c9c6b8"
COLOURS = {"hot_99": "#8c1414", "hot_95": "#e06a1b", "none": "#f3cf62", INSUFFICIENT: "#a9b3c1"}
"""From dark to light, so that they differ on a grey print and for eyes that do not tell red from green."""
EDGE = "#4a2a0c"
_RING: dict[str, str | float] = {
    "stroke": "#1c3f5e",
    "stroke_width": 1.6,
    "stroke_dasharray": "1.5 2.5",
    "stroke_linecap": "round",
}
PROVINCE_OPACITY = 0.35
_KM_PER_DEGREE = 111.2
_LEAST, _LEAST_RING = 7.0, 8.0
"""A cell is drawn at least so wide, or nobody would see it; a ring with at least such a radius, so that it goes around the cell."""
_ROOM = 120.0
"""A name needs an area of so much on the map."""
_SHIFTS = (0, -16, 16, -30, 30)
_ROW, _SYMBOL = 22.0, 18.0
_SCALES_KM = (20, 50, 100, 200, 500, 1000)
Legend = list[tuple[str, str]]


def hotspot_map(numbers: Numbers, _: Language) -> Figure:
    """The map of an area with its legend."""
    sheet = Sheet(box_around(_shapes_to_show(numbers)), WIDTH)
    legend = list(_legend(numbers, _))
    parts = [
        _hatching(numbers),
        *_land(numbers, sheet),
        *_provinces(numbers, sheet),
        *_borders(numbers, sheet),
        *_cells(numbers, sheet),
        *_rings(numbers, sheet),
        *_words(numbers, sheet, _),
        *_scale(sheet, _),
        *_drawn_legend(legend, sheet.height + 14, right_to_left=_.right_to_left),
    ]
    height = sheet.height + 20 + _ROW * len(legend)
    return Figure(
        svg.drawing(WIDTH, height, parts),
        _("Where attacks were told, and where there were more of them than could be expected. {start} to {end}. Hotspots that are "
          "told of for a whole country only are in the table, not on the map.",
          start=_.day(numbers.start), end=_.day(numbers.end)),
        _("Map. Cells that are hotspots: {hot}. Cells with attacks in all: {cells}.",
          hot=_.number(len(numbers.hotspots)), cells=_.number(sum(place.is_cell for place in numbers.places))),
        width=78,
    )  # fmt: skip


def _shapes_to_show(numbers: Numbers) -> list[BaseGeometry]:
    """The countries of the rows, whole; of a range-wide map its places and rings, or everything where there are none."""
    every = countries(numbers.boundaries)
    if numbers.area:
        return [every[numbers.area]] if numbers.area in every else list(every.values())
    cells = [cell_shape(place.cell_id) for place in numbers.places if place.is_cell]
    provinces = units(numbers.boundaries)
    cells += [provinces[place.province] for place in numbers.places if place.level == "adm1" and place.province in provinces]
    cells += [shapely.Point(*reversed(cluster.centre)).buffer(cluster.radius_km / _KM_PER_DEGREE) for cluster in numbers.clusters]
    return cells or list(every.values())


def _hatching(numbers: Numbers) -> str:
    """The pattern over countries of which too little is told."""
    return (
        f'<defs><pattern id="{_pattern(numbers)}" width="7" height="7" patternUnits="userSpaceOnUse">'
        '<path d="M0 7L7 0" stroke="#b9b7a4" stroke-width="0.9"/></pattern></defs>'
    )


def _pattern(numbers: Numbers) -> str:
    return f"hatch-{numbers.area or 'range'}"


def _land(numbers: Numbers, sheet: Sheet) -> Iterator[str]:
    known, quiet = set(numbers.countries), numbers.under_reported
    for code, shape in countries(numbers.boundaries).items():
        flat = sheet.flat(shape)
        if flat.is_empty:
            continue
        is_ours = not numbers.area or code == numbers.area
        yield svg.path(lines(flat), fill=LAND if code in known and is_ours else SILENT)
        if code in quiet:
            yield svg.path(lines(flat), fill=f"url(#{_pattern(numbers)})")


def _provinces(numbers: Numbers, sheet: Sheet) -> Iterator[str]:
    """Provinces that have a row of their own; on the map of a country the outlines of all."""
    told = {place.province: place for place in _provinces_with_rows(numbers.places)}
    for code, shape in sorted(units(numbers.boundaries).items()):
        is_ours = bool(numbers.area) and code.startswith(numbers.area)
        if code not in told and not is_ours:
            continue
        flat = sheet.flat(shape)
        if code in told:
            colour = COLOURS[told[code].hotspot_class]
            yield svg.path(lines(flat), fill=colour, fill_opacity=PROVINCE_OPACITY, stroke=colour, stroke_width=0.8)
        else:
            yield svg.path(lines(flat), fill="none", stroke=FINE_BORDER, stroke_width=0.6)


def _borders(numbers: Numbers, sheet: Sheet) -> Iterator[str]:
    for shape in countries(numbers.boundaries).values():
        yield svg.path(lines(sheet.flat(shape)), fill="none", stroke=BORDER, stroke_width=1.0, stroke_linejoin="round")


def _cells(numbers: Numbers, sheet: Sheet) -> Iterator[str]:
    """Large cells below small ones, hotspots on top."""
    order = {name: number for number, name in enumerate(reversed(COLOURS))}
    cells = [place for place in numbers.places if place.is_cell]
    for place in sorted(cells, key=lambda each: (each.level, order[each.hotspot_class], each.cell_id)):
        style: dict[str, str | float] = {"fill": COLOURS[place.hotspot_class], "stroke": EDGE, "stroke_width": 0.6}
        yield svg.path([sheet.cell(place.cell_id, _LEAST)], fill_opacity=0.9, **style)


def _rings(numbers: Numbers, sheet: Sheet) -> Iterator[str]:
    """The clusters of the second method, around their cells; what lies beyond the map is cut off."""
    name = f"sheet-{numbers.area or 'range'}"
    yield f'<clipPath id="{name}">{svg.rect(0, 0, WIDTH, sheet.height)}</clipPath>'
    for cluster in numbers.clusters:
        ring = sheet.ring(cluster.centre, cluster.radius_km, _LEAST_RING)
        yield svg.path([ring], fill="none", clip_path=f"url(#{name})", **_RING)


def _words(numbers: Numbers, sheet: Sheet, _: Language) -> Iterator[str]:
    """The numbers of the hotspots beside their cells, then the names; what has no room is left out."""
    cells = [_around(sheet.cell(place.cell_id, _LEAST)) for place in numbers.places if place.is_cell]
    rings = [_around(sheet.ring(cluster.centre, cluster.radius_km, _LEAST_RING)) for cluster in numbers.clusters]
    small = [ring for ring in rings if ring[2] - ring[0] < WIDTH / 8]
    taken: list[Box] = []
    yield from _numbers(numbers, sheet, taken, _)
    yield from _names(numbers, sheet, [*taken, *cells, *small], _)


def _numbers(numbers: Numbers, sheet: Sheet, taken: list[Box], _: Language) -> Iterator[str]:
    """Each beside its cell, where no other number stands yet."""
    for number, place in enumerate(numbers.hotspots, 1):
        words = _.number(number)
        left, top, right, bottom = _around(sheet.cell(place.cell_id, _LEAST))
        half, x, y = len(words) * 3.8, (left + right) / 2, (top + bottom) / 2
        beside = [(right + half + 3, y), (left - half - 3, y), (x, top - 8), (x, bottom + 8), (right + half + 12, y - 12)]
        boxes = [(across - half, down - 6, across + half, down + 6) for across, down in beside]
        free = next((box for box in boxes if not any(_meet(box, other) for other in taken)), boxes[0])
        taken.append(free)
        yield svg.halo((free[0] + free[2]) / 2, free[3] - 1.5, words, size=13, font_weight="bold", fill=svg.INK)


def _names(numbers: Numbers, sheet: Sheet, taken: list[Box], _: Language) -> Iterator[str]:
    """Names of countries, or of the provinces that have rows, beside the cells; one without room is left out."""
    for shape, words in _named(numbers, _):
        flat = sheet.flat(shape)
        if flat.is_empty or flat.area < _ROOM:
            continue
        biggest = max(shapely.get_parts(flat), key=lambda part: (part.area, part.wkt))
        x, y = shapely.get_coordinates(biggest.representative_point())[0].tolist()
        half = len(words) * 3.6
        x = min(max(x, half + 4), WIDTH - half - 4)
        for shift in _SHIFTS:
            box = (x - half, y + shift - 8, x + half, y + shift + 8)
            if box[1] > 0 and box[3] < sheet.height - 30 and not any(_meet(box, other) for other in taken):
                taken.append(box)
                yield svg.halo(x, y + shift + 4, words, size=12, font_weight="bold", fill="#3f4a44")
                break


def _around(outline: Sequence[tuple[float, float]]) -> Box:
    across, down = zip(*outline, strict=True)
    return min(across), min(down), max(across), max(down)


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _named(numbers: Numbers, _: Language) -> Iterable[tuple[BaseGeometry, str]]:
    if not numbers.area:
        known = numbers.countries
        every = countries(numbers.boundaries)
        return [(every[code], _.country(code)) for code in sorted(every, key=lambda code: (code not in known, code))]
    attacks: dict[str, int] = {}
    for place in numbers.places:
        if place.province:
            attacks[place.province] = attacks.get(place.province, 0) + place.attacks
    provinces = units(numbers.boundaries)
    most_first = sorted((code for code in attacks if code in provinces), key=lambda code: (-attacks[code], code))
    return [(provinces[code], _.province(code, numbers.boundaries)) for code in most_first]


def _scale(sheet: Sheet, _: Language) -> Iterator[str]:
    """A bar of a round length, at most a third of the map."""
    km = max((each for each in _SCALES_KM if each * sheet.per_km < WIDTH / 3), default=_SCALES_KM[0])
    x, y, length = 14.0, sheet.height - 14, km * sheet.per_km
    yield svg.rect(x - 6, y - 22, length + 12, 30, fill=svg.GROUND, fill_opacity=0.85)
    yield svg.line(x, y, x + length, y, stroke=svg.INK, stroke_width=2.5)
    yield svg.text(x + length / 2, y - 6, _("{n} km", n=_.number(km)), size=12, anchor="middle")


def _legend(numbers: Numbers, _: Language) -> Iterator[tuple[str, str]]:
    """Symbol and words of everything on this map."""
    classes = {place.hotspot_class for place in numbers.places if place.is_cell}
    words = {
        "hot_99": _("Hotspot: at most 1 in 100 is called so by chance"),
        "hot_95": _("Hotspot: at most 5 in 100 are called so by chance"),
        "none": _("Attacks, but no hotspot found"),
        INSUFFICIENT: _("Attacks; too few in all to look for hotspots"),
    }
    for name, colour in COLOURS.items():
        if name in classes:
            yield _box(colour, EDGE), words[name]
    if numbers.hotspots:
        yield svg.text(9, 12, _.number(1), size=13, anchor="middle", font_weight="bold"), _("Number of the hotspot in the table")
    if numbers.clusters:
        yield svg.rect(2, 0, 14, 14, rx=7, fill="none", **_RING), _("Ring: cluster found by the second method")
    provinces = {place.hotspot_class for place in _provinces_with_rows(numbers.places)}
    of_provinces = {
        "hot_99": _("Province counted as a whole, with a hotspot (1 in 100) in it"),
        "hot_95": _("Province counted as a whole, with a hotspot (5 in 100) in it"),
    }
    for name in [name for name in COLOURS if name in provinces]:
        yield _box(COLOURS[name], COLOURS[name], PROVINCE_OPACITY), of_provinces.get(name, _("Province counted as a whole"))
    if numbers.under_reported:
        symbol = _box(LAND, BORDER) + svg.rect(0, 0, _SYMBOL, 14, fill=f"url(#{_pattern(numbers)})")
        yield symbol, _("Hatched: reports of fewer than half of the months")
    yield _box(SILENT, BORDER), _("No reports at all") if not numbers.area else _("Other countries, or no reports at all")


def _provinces_with_rows(places: Sequence[Place]) -> list[Place]:
    return [place for place in places if place.level == "adm1" and ":unplaced" not in place.cell_id]


def _box(fill: str, stroke: str, opacity: float = 1.0) -> str:
    return svg.rect(0, 0, _SYMBOL, 14, fill=fill, fill_opacity=opacity, stroke=stroke, stroke_width=0.8)


def _drawn_legend(legend: Legend, top: float, *, right_to_left: bool) -> Iterator[str]:
    for number, (symbol, words) in enumerate(legend):
        y = top + number * _ROW
        x, start = (WIDTH - _SYMBOL - 6, WIDTH - _SYMBOL - 14) if right_to_left else (6.0, _SYMBOL + 14)
        yield f'<g transform="translate({svg.number(x)} {svg.number(y)})">{symbol}</g>'
        yield svg.text(start, y + 11.5, words, size=13, anchor="end" if right_to_left else "start")
