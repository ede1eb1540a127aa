"""Records as the phones write them, for the forms in tests/support/data."""

import uuid
from pathlib import Path

from tests.support.collect import CONTENT_TYPES, Part

DATA = Path(__file__).parent / "data"
FLOCK, LOSS, VILLAGES = DATA / "flock_count.xml", DATA / "livestock_loss.xml", DATA / "villages.xml"


def new_id() -> str:
    """A fresh instanceID."""
    return f"uuid:{uuid.uuid4()}"


def meta(instance_id: str | None, deprecated_id: str | None = None) -> str:
    """The meta block as Collect writes it, with orx prefixes."""
    deprecated = f"<orx:deprecatedID>{deprecated_id}</orx:deprecatedID>" if deprecated_id else ""
    own = f"<orx:instanceID>{instance_id}</orx:instanceID>" if instance_id else ""
    return f'<orx:meta xmlns:orx="http://openrosa.org/xforms">{own}{deprecated}</orx:meta>'


def flock(
    instance_id: str | None,
    *,
    sheep: str = "120",
    herder: str = "Gholam",
    deprecated_id: str | None = None,
    form_id: str = "flock_count",
    version: str = "2026050201",
) -> bytes:
    """A record of flock_count.xml."""
    return (
        f'<?xml version=\'1.0\' ?><data id="{form_id}" version="{version}"><herder>{herder}</herder><sheep>{sheep}</sheep>'
        f"<counted_on>2026-05-02</counted_on>{meta(instance_id, deprecated_id)}</data>"
    ).encode()


def loss(
    instance_id: str | None,
    photo: str = "",
    carcasses: tuple[str, ...] = (),
    *,
    deprecated_id: str | None = None,
    remarks: str = "",
) -> bytes:
    """A record of livestock_loss.xml with one photo and one repeat per carcass."""
    animals = "".join(
        f"<animals><species>sheep</species><killed>1</killed><carcass>{name}</carcass></animals>" for name in carcasses
    )
    return (
        '<?xml version=\'1.0\' ?><loss id="livestock_loss" version="1"><start>2026-05-02T07:41:09.123+03:30</start>'
        "<place>35.7001 51.4002 1320.0 4.5</place><predator>leopard</predator><signs>tracks scat</signs>"
        f"<photo>{photo}</photo>{animals}<remarks>{remarks}</remarks>{meta(instance_id, deprecated_id)}</loss>"
    ).encode()


def parts(xml: bytes, files: dict[str, bytes] | None = None, *, incomplete: bool = False) -> list[Part]:
    """The parts of one POST."""
    rest: list[Part] = [
        (name, name, CONTENT_TYPES.get(Path(name).suffix, "application/octet-stream"), data) for name, data in (files or {}).items()
    ]
    flag: list[Part] = [("*isIncomplete*", None, None, b"yes")] if incomplete else []
    return [("xml_submission_file", "record.xml", "text/xml", xml), *rest, *flag]


def renamed(form: Path, form_id: str, *, title: str | None = None, version: str | None = None, extra: str = "") -> bytes:
    """flock_count.xml (or another form) under another id, title or version; `extra` goes into its model, so bytes differ."""
    text = form.read_text(encoding="utf-8")
    old_id = text.partition(' id="')[2].partition('"')[0]
    old_version = text.partition(f'id="{old_id}" version="')[2].partition('"')[0]
    new_version = old_version if version is None else version
    text = text.replace(f'id="{old_id}" version="{old_version}"', f'id="{form_id}" version="{new_version}"')
    if title is not None:
        start, end = text.index("<h:title>") + 9, text.index("</h:title>")
        text = text[:start] + title + text[end:]
    return text.replace("</model>", f"{extra}</model>").encode()
