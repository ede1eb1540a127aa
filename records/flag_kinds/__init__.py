"""What a flag of each code means: one catalogue, from which pages, commands and files take severity and words."""

from records.flag_kinds.arrival import ARRIVAL
from records.flag_kinds.content import CONTENT
from records.flag_kinds.incidents import INCIDENTS
from records.flag_kinds.kind import FlagKind, Severity
from records.flag_kinds.place import PLACE
from records.flag_kinds.text_and_files import TEXT_AND_FILES
from records.flag_kinds.time import TIME

__all__ = ["ARRIVAL", "KINDS", "FlagKind", "Severity", "kind_of"]

KINDS: dict[str, FlagKind] = {**ARRIVAL, **INCIDENTS, **PLACE, **TIME, **TEXT_AND_FILES, **CONTENT}
_UNKNOWN = FlagKind("warning", "", "")


def kind_of(code: str) -> FlagKind:
    """The kind of a flag; one of a newer version of this server is a warning without words."""
    return KINDS.get(code, _UNKNOWN)
