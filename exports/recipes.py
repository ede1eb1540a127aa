"""What can be released: every export that is run at its slots, for each circle of readers, by the name of its releases."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from exports.package.contents import ExportResult
from records.access import Access


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the files of a release are made: `function` (module:name, imported when it is run) for the circle of readers `level`.

    `options` are further arguments of the function, such as the way in which hotspots are counted.
    """

    kind: str
    level: str
    function: str
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def name(self) -> str:
        """The name of its releases, such as hotspots-public."""
        return f"{self.kind}-{self.level}"

    def run(
        self, connection: Connection, access: Access, as_of: date, out: Path, *, boundaries: Path | None, revision: int
    ) -> ExportResult:
        """Write the files that are due on a day into a folder of their own below `out`."""
        module, _, name = self.function.partition(":")
        result: ExportResult = getattr(import_module(module), name)(
            connection, access, self.level, as_of, out, boundaries=boundaries, revision=revision, **self.options
        )
        return result


def _both(kind: str, function: str, **options: Any) -> tuple[Recipe, Recipe]:
    return Recipe(kind, "public", function, options), Recipe(kind, "partner", function, options)


RECIPES = {
    recipe.name: recipe
    for recipe in (
        *_both("hotspots", "exports.hotspots.export:run_hotspots", by_year=True),
        *_both("indicators", "exports.indicators.files:run_indicators"),
        *_both("report", "exports.report.files:run_report"),
        *_both("darwincore", "exports.standards.darwincore:run_darwincore"),
        *_both("camtrapdp", "exports.standards.camtrapdp:run_camtrapdp"),
    )
}
"""By name."""
