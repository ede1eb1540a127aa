"""Where a release comes from: program, methods, records, files. Enough to repeat it, and nothing about a single record."""

from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from exports.package.contents import ExportedFile, ExportResult
from exports.package.inputs import Inputs

NAME = "provenance.json"
_WAYS = ("method", "method_version", "attack_rule", "grid", "seed", "exposure_basis", "households", "records", "exchange_rates")
"""What of a summary tells how the figures were worked out."""


def software() -> dict[str, str]:
    """The program: name, version, and the revision of its source where it is run from that."""
    try:
        number = version("tulliana")
    except PackageNotFoundError:
        number = ""
    return {"name": "tulliana", "version": number, "revision": _revision(Path(__file__).parents[2] / ".git")}


def _revision(git: Path) -> str:
    """The commit a working copy is at, read as git keeps it; empty where there is none."""
    try:
        head = (git / "HEAD").read_text(encoding="ascii").strip()
        if not head.startswith("ref: "):
            return head
        name = head.removeprefix("ref: ")
        if (git / name).is_file():
            return (git / name).read_text(encoding="ascii").strip()
        packed = (git / "packed-refs").read_text(encoding="ascii").splitlines()
        return next((line.split(" ")[0] for line in packed if line.endswith(f" {name}")), "")
    except OSError:
        return ""


def provenance(result: ExportResult, files: Sequence[ExportedFile], inputs: Mapping[str, Inputs], digest: str) -> dict[str, Any]:
    """Tell program, window and methods, what was read, used, left out and kept back, and the digests of the data."""
    summary = result.summary
    return {
        "release": result.folder.name,
        "release_id": summary["release_id"],
        "level": summary["level"],
        "window": {"start": summary["period_start"], "end": summary["period_end"]},
        "software": software(),
        "methods": {name: summary[name] for name in _WAYS if name in summary},
        "inputs": {
            "digest": f"sha256:{digest}",
            "digest_of": "the sorted SHA-256 of 'form id TAB instanceID TAB SHA-256 of the record' of each used record",
            "surveys": {form_id: found.told() for form_id, found in inputs.items()},
        },
        "left_out_by_the_method": summary.get("left_out", {}),
        "kept_back": summary.get("kept_back", {}),
        "files": {file.name: {"sha256": file.sha256, "bytes": file.size, "rows": file.rows} for file in files},
    }
