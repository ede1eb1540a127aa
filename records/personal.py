"""What of a record is sealed: the bytes as they came, and the answers that tell who somebody is. Each for its own version."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Row

from forms.personal import Told, bare, emptied
from records.vault import Vault, is_sealed

_VERSION = ("project_id", "form_id", "instance_id", "sha256")


def seal_xml(vault: Vault, version: Mapping[str, Any], xml: bytes) -> bytes:
    """The bytes of this version, sealed. Raises `Problem("personal_key_missing")`."""
    return vault.seal(xml, "xml", *(version[name] for name in _VERSION))


def open_xml(vault: Vault, version: Row[Any]) -> bytes:
    """The bytes of this version. Raises `Problem` personal_key_missing or seal_broken."""
    xml: bytes = version.xml
    return vault.open(xml, "xml", *(getattr(version, name) for name in _VERSION)) if is_sealed(xml) else xml


def shown_xml(vault: Vault, version: Row[Any]) -> bytes:
    """The bytes of this version without what tells who somebody is."""
    xml = open_xml(vault, version)
    return emptied(xml, version.contact_paths) if version.contact_paths else xml


def seal_contact(vault: Vault, version: Mapping[str, Any], told: Sequence[Told]) -> bytes | None:
    """The answers of this version that tell who somebody is, sealed; None for none. Raises `Problem("personal_key_missing")`."""
    plain = orjson.dumps([[each.path, each.text] for each in told])
    return vault.seal(plain, "contact", *(version[name] for name in _VERSION)) if told else None


def open_contact(vault: Vault, record: Row[Any]) -> list[Told]:
    """What is sealed with a record. Raises `Problem` personal_key_missing or seal_broken."""
    if record.contact is None:
        return []
    place = (record.project_id, record.form_id, record.current_instance_id, record.current_sha256)
    return [Told(path, text) for path, text in orjson.loads(vault.open(record.contact, "contact", *place))]


def contact_paths(told: Sequence[Told]) -> list[str] | None:
    """The questions that were answered so; None for none."""
    return sorted({bare(each.path) for each in told}) or None
