"""Every indicator, in the order of the strategy. `forms.strategy` says what it tells, its unit and the activities it serves."""

from functools import cache

from exports.indicators import (
    attitudes,
    claims,
    conflict,
    dogs,
    effort,
    grazing,
    hotspots,
    leopards,
    losses,
    mitigation,
    prey,
    quality,
    training,
)
from exports.indicators.figures import Indicator
from forms.strategy import strategy

FAMILIES = (conflict, losses, hotspots, mitigation, grazing, dogs, prey, training, claims, attitudes, effort, leopards, quality)


@cache
def indicators() -> dict[str, Indicator]:
    """The indicators by id."""
    found = {indicator.id: indicator for family in FAMILIES for indicator in family.INDICATORS}
    return {each: found[each] for each in strategy().indicators}
