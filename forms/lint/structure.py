"""Rules for the form as a whole: its nodes and what is bound to them, its version, its entities, its key."""

from base64 import b64decode
from collections.abc import Iterator

from marshmallow import ValidationError

from forms.datatypes import BY_TYPE
from forms.lint.findings import Finding, found
from forms.lint.source import Source
from forms.references import has_case
from forms.xml import local_name, text_of

_KOBOCOLLECT_OPENS = ("2022.1", "2023.1", "2024.1")  # entities specifications that KoBoCollect 2025.3.3 knows
_COLLECT_OPENS = (*_KOBOCOLLECT_OPENS, "2025.1")  # and ODK Collect 2026
_STRONG_KEY = 2048  # bits
_NUMBERS = {"int", "decimal"}


def check_structure(source: Source) -> Iterator[Finding]:
    """All findings about the form as a whole."""
    yield from _check_names(source)
    yield from _check_places(source)
    yield from _check_defaults(source)
    if not source.definition.version:
        yield found("version_missing")
    if not any(path[1:] == ("meta", "instanceID") for path in source.nodes):
        yield found("instance_id_missing")
    yield from _check_entities(source)
    yield from _check_key(source.definition.public_key)


def _check_names(source: Source) -> Iterator[Finding]:
    repeats = {control.path for control in source.controls if control.kind == "repeat"}
    for path, node in source.nodes.items():
        where = "/".join(path[1:])
        if not has_case(path[-1]):
            yield found("name_letters", where, name=path[-1])
        inner = [local_name(child) for child in node]
        for name in sorted({name for name in inner if inner.count(name) > 1}):
            if (*path, name) not in repeats:
                yield found("name_twice", where, name=name)


def _check_places(source: Source) -> Iterator[Finding]:
    places = (
        ("bind_without_node", [path for path, _ in source.binds]),
        ("control_without_node", [control.path for control in source.controls]),
        ("action_without_node", [path for path, _ in source.actions]),
    )
    for code, paths in places:
        for path in paths:
            if path and not source.has(path) and all(map(has_case, path)):
                yield found(code, "/".join(path[1:]), name="/".join(path))


def _check_defaults(source: Source) -> Iterator[Finding]:
    for path, bind in source.binds:
        kind = bind.get("type", "").rpartition(":")[2]
        value = text_of(source.nodes.get(path))
        if not value or kind not in _NUMBERS:
            continue
        try:
            BY_TYPE[kind]().deserialize(value)
        except ValidationError:
            yield found("default_unreadable", "/".join(path[1:]), value=value, type=kind)


def _check_entities(source: Source) -> Iterator[Finding]:
    version = source.definition.entities_version
    if not version:
        return
    if not version.startswith(_COLLECT_OPENS):
        yield found("entities_unknown", version=version)
    elif not version.startswith(_KOBOCOLLECT_OPENS):
        yield found("entities_newer", version=version)
    if source.definition.public_key:
        yield found("entities_encrypted")


def _check_key(public_key: str) -> Iterator[Finding]:
    """Collect reads the key as base64 of an X.509 SubjectPublicKeyInfo (ODK XForms specification, "Encryption")."""
    if not public_key:
        return
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        key = load_der_public_key(b64decode(public_key))
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPublicKey):
        yield found("key_unreadable")
    elif key.key_size < _STRONG_KEY:
        yield found("key_weak", bits=key.key_size)
