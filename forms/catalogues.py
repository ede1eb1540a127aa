"""Translated texts of a room, in a gettext catalogue beside the texts."""

from pathlib import Path


def translations(path: Path) -> dict[str, str]:
    """The texts of a catalogue (.po) that are translated, by the English ones; none where there is no such file."""
    from babel.messages.pofile import read_po

    if not path.is_file():
        return {}
    with path.open("rb") as file:
        return {str(message.id): str(message.string) for message in read_po(file) if message.id and message.string}
