"""From the events of the made-up years to what phones send: filled-in forms with photos, and the phone each comes from."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from random import Random
from uuid import UUID

from forms.definition import FormDefinition
from server.demo.cameras import camera_answers
from server.demo.conflict import conflict_answers
from server.demo.filling import Answers, Filler
from server.demo.landscapes import COUNTRIES
from server.demo.pictures import mountains
from server.demo.surveys import block_answers, dog_answers, transect_answers
from server.demo.world import RESENT, TEST, Event

PHONES = {"محیط‌بانان ایران و شرق": "fa", "Кавказский патруль": "en", "Hakkâri–Zagros saha ekibi": "en"}
"""The app users: name, and language of the receipts they get."""
_PHONE_OF = dict.fromkeys(("AM", "AZ", "RU"), "Кавказский патруль") | dict.fromkeys(("IQ", "TR"), "Hakkâri–Zagros saha ekibi")
_ANSWERS: dict[str, Callable[[Event, Random, Random], Answers]] = {
    "conflict_livestock": conflict_answers,
    "prey_transect": transect_answers,
    "prey_block": block_answers,
    "dog_impact": dog_answers,
    "camera_station": camera_answers,
}
_PHOTOS = {"conflict_livestock": ("photos", "photo_kind", "photo"), "dog_impact": ("dphotos", "dphoto_kind", "dphoto")}
_SAME_PICTURE = 0.02
"""Share of photos that are one and the same, as when somebody claims twice with one carcass."""


@dataclass(frozen=True, slots=True)
class Report:
    """One delivery: the app user it comes from, its device, when it came, the record, and its files by name."""

    phone: str
    device_id: str
    event: Event
    instance_id: str
    received_at: datetime
    xml: bytes
    files: dict[str, bytes]


def reports(happened: Sequence[Event], definitions: Mapping[str, FormDefinition], seed: int) -> Iterator[Report]:
    """Give the deliveries of these events; one that is planted as delivered twice comes twice."""
    fillers = {form_id: Filler(definition) for form_id, definition in definitions.items()}
    for event in happened:
        report = _report(event, fillers[event.form_id], seed)
        yield report
        if event.planted == RESENT:
            yield report


def _report(event: Event, filler: Filler, seed: int) -> Report:
    facts, own = (Random(f"{seed} {what}") for what in (f"story {event.story}", f"report {event.number}"))  # noqa: S311
    phone = _PHONE_OF.get(event.landscape.country, next(iter(PHONES)))
    device_id = f"collect:{event.landscape.code}{own.randint(1, 3)}DEMO"
    answers = _ANSWERS[event.form_id](event, facts, own)
    files = _add_photos(event, answers, own)
    answers = _header(event, phone, device_id, own) | answers
    instance_id = f"uuid:{UUID(int=own.getrandbits(128), version=4)}"
    received_at = datetime.combine(event.reported, time(21), UTC) + timedelta(days=own.choices((0, 1, 4, 12), (60, 20, 15, 5))[0])
    return Report(phone, device_id, event, instance_id, received_at, filler.fill(answers, instance_id, PHONES[phone]), files)


def _header(event: Event, phone: str, device_id: str, own: Random) -> Answers:
    """What the phone itself notes, unless the answers already say when the form was opened and closed."""
    offset = COUNTRIES[event.landscape.country].offset
    start = datetime.combine(event.reported, time(own.randint(9, 20), own.randint(0, 59), own.randint(0, 59)))
    end = start + timedelta(minutes=own.uniform(4, 25))
    return {
        "start": f"{start:%Y-%m-%dT%H:%M:%S}.{own.randint(0, 999):03}{offset}",
        "end": f"{end:%Y-%m-%dT%H:%M:%S}.{own.randint(0, 999):03}{offset}",
        "today": event.reported.isoformat(),
        "deviceid": device_id,
        "username": phone,
        "form_schema": "pl-1",
        "submission_purpose": "test" if event.planted == TEST else "real",
    }


def _add_photos(event: Event, answers: Answers, own: Random) -> dict[str, bytes]:
    """Add up to two photos to a report of a form that asks for some, and give the files."""
    if event.form_id not in _PHOTOS:
        return {}
    repeat, kind, photo = _PHOTOS[event.form_id]
    noon = int(datetime.combine(event.reported, time(12), UTC).timestamp()) * 1000  # phones name photos by milliseconds
    names = [f"{noon + own.randrange(3_600_000)}.png" for _ in range(own.choices((0, 1, 2), (55, 30, 15))[0])]
    answers[repeat] = [{kind: "site", photo: name} for name in names]
    return {name: mountains(0 if own.random() < _SAME_PICTURE else own.getrandbits(32)) for name in names}
