"""Which file a record means. Names change on their way: case, how letters are composed, characters a server does not like."""

import re

from forms.problems import Problem
from forms.xml import parse_xml
from sync.delivery import file_name, same_name

_LONGEST = 255
_REPLACED = re.compile(r"[^\w.-]")  # KoBoToolbox keeps files under names that Django allows


class Names:
    """The texts of one record that may be names of files."""

    def __init__(self, xml: bytes) -> None:
        self._texts: dict[str, str] = {}
        try:
            root = parse_xml(xml, lenient=True)
        except Problem:  # the intake says so
            return
        for node in root.iter():
            text = (node.text or "").strip() if isinstance(node.tag, str) and not len(node) else ""
            if "." in text and len(text) <= _LONGEST:
                self._texts.setdefault(_alike(text), text)
                self._texts.setdefault(_alike(_REPLACED.sub("", text.replace(" ", "_"))), text)

    def of(self, found: str) -> tuple[str, ...]:
        """What a file may be called: as the record has it, and as it is called where it lies."""
        name = file_name(found)
        return tuple(dict.fromkeys((self._texts.get(_alike(name), name), name)))


def _alike(name: str) -> str:
    return same_name(name).casefold()
