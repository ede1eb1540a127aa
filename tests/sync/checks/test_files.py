"""Pictures and other files: what is missing, what was taken elsewhere, what came before with another record."""

import io
import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from PIL import Image, ImageDraw
from PIL.TiffImagePlugin import IFDRational
from sqlalchemy import func, select

from records.flags import Flag
from records.models import Picture, PictureBand
from sync.checks import checker
from sync.checks.case import Case
from tests.support.cases import RECEIVED
from tests.support.desk import Desk

GPS = 0x8825
NEAR, FAR = (35.71, 51.41), (35.9, 51.41)


def scene(seed: int, size: tuple[int, int] = (800, 600)) -> Image.Image:
    """A picture with shapes in it, another one for every seed."""
    chance = random.Random(seed)
    picture = Image.new("RGB", size, (chance.randrange(256),) * 3)
    draw = ImageDraw.Draw(picture)
    for _ in range(40):
        x, y = chance.randrange(size[0]), chance.randrange(size[1])
        draw.ellipse((x, y, x + size[0] // 4, y + size[1] // 4), fill=tuple(chance.randrange(256) for _ in range(3)))
    return picture


def jpeg(picture: Image.Image, *, quality: int = 90, place: tuple[float, float] | None = None) -> bytes:
    out = io.BytesIO()
    exif = Image.Exif()
    if place is not None:
        exif[GPS] = {1: "N", 2: _parts(place[0]), 3: "E", 4: _parts(place[1])}
    picture.save(out, "JPEG", quality=quality, exif=exif)
    return out.getvalue()


def _parts(degrees: float) -> tuple[IFDRational, IFDRational, IFDRational]:
    seconds = round(degrees * 3_600_000)
    return IFDRational(seconds // 3_600_000), IFDRational(seconds // 60_000 % 60), IFDRational(seconds % 60_000, 1000)


def values(desk: Desk, instance_id: str, code: str) -> list[dict[str, Any]]:
    return [item["values"] for item in desk.row(instance_id).flags if item["code"] == code]


def sent(desk: Desk, *pictures: bytes, named: str = "a.jpg") -> list[list[dict[str, Any]]]:
    """Send records with one picture each; what each is told to have used before."""
    for number, data in enumerate(pictures):
        at = RECEIVED + timedelta(minutes=number)
        desk.send(f"uuid:{number}", {"photo": named}, {named: data}, received_at=at, device_id=f"collect:{number}")
    desk.checker.run()
    return [values(desk, f"uuid:{number}", "picture_reused") for number in range(len(pictures))]


def test_a_file_that_is_missing_is_told_until_it_comes(desk: Desk) -> None:
    desk.send("uuid:1", {"photo": "a.jpg"})
    desk.checker.run()
    assert values(desk, "uuid:1", "picture_missing") == [{"names": "a.jpg"}]
    desk.send("uuid:1", {"photo": "a.jpg"}, {"a.jpg": jpeg(scene(1))})
    assert desk.row("uuid:1").checked == 0
    desk.checker.run()
    assert values(desk, "uuid:1", "picture_missing") == []


def test_a_file_that_comes_while_its_record_is_looked_at_is_not_forgotten(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.send("uuid:1", {"photo": "a.jpg"})
    seen = []

    def sent_meanwhile(case: Case) -> Iterator[Flag]:
        seen.append(case.files)
        if len(seen) == 1:
            desk.send("uuid:1", {"photo": "a.jpg"}, {"a.jpg": jpeg(scene(1))})
        yield from ()

    monkeypatch.setattr(checker, "CHECKS", (*checker.CHECKS, sent_meanwhile))
    desk.checker.run()
    assert (values(desk, "uuid:1", "picture_missing"), len(seen)) == ([], 2)


def test_a_record_whose_look_was_cut_off_is_looked_at_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def pulled_plug(case: Case) -> Iterator[Flag]:
        raise KeyboardInterrupt

    desk.send("uuid:1", {"photo": "a.jpg"})
    with monkeypatch.context() as patch:
        patch.setattr(checker, "CHECKS", (pulled_plug,))
        with pytest.raises(KeyboardInterrupt):
            desk.checker.run()
    assert desk.checker.run() == 1
    assert values(desk, "uuid:1", "picture_missing") == [{"names": "a.jpg"}]


def test_a_correction_has_the_files_of_what_it_corrects(desk: Desk) -> None:
    desk.send("uuid:1", {"photo": "a.jpg"}, {"a.jpg": jpeg(scene(1))})
    desk.send("uuid:2", {"photo": "a.jpg"}, deprecated_id="uuid:1")
    desk.send("uuid:3", {"photo": "a.jpg", "remarks": "three"}, deprecated_id="uuid:2")
    desk.checker.run()
    assert not {"picture_missing", "picture_reused"} & set(desk.codes("uuid:1"))


@pytest.mark.parametrize(("place", "told"), [(NEAR, []), (FAR, [20.9]), (None, [])])
def test_a_picture_says_where_it_was_taken(desk: Desk, place: tuple[float, float] | None, told: list[float]) -> None:
    desk.send("uuid:1", {"photo": "a.jpg"}, {"a.jpg": jpeg(scene(1), place=place)})
    desk.checker.run()
    assert [each["km"] for each in values(desk, "uuid:1", "picture_elsewhere")] == told


def test_the_same_file_with_another_record_is_told_of_the_later_one(desk: Desk) -> None:
    data = jpeg(scene(1))
    first, second = sent(desk, data, data)
    assert (first, len(second)) == ([], 1)
    desk.checker.forget()
    desk.checker.run()
    assert [values(desk, f"uuid:{number}", "picture_reused") for number in (0, 1)] == [first, second]


@pytest.mark.parametrize("again", [lambda one: one.resize((400, 300)), lambda one: one.point(lambda value: min(255, value + 12))])
def test_a_picture_made_smaller_or_lighter_is_the_same_picture(desk: Desk, again: Any) -> None:
    original = scene(3)
    assert list(map(len, sent(desk, jpeg(original), jpeg(again(original), quality=60)))) == [0, 1]


def test_other_pictures_and_plain_ones_are_not_the_same(desk: Desk) -> None:
    grey, white = Image.new("RGB", (800, 600), "grey"), Image.new("RGB", (800, 600), "white")
    pictures = [jpeg(each) for each in (scene(1), scene(2), scene(3), grey, white)]
    assert sent(desk, *pictures) == [[]] * 5
    with desk.store.read() as connection:
        counts = [connection.execute(select(func.count()).select_from(table)).scalar() for table in (Picture, PictureBand)]
    assert counts == [5, 12]  # plain pictures have no hash


def test_a_picture_of_a_deleted_record_may_be_used_again(desk: Desk) -> None:
    data = jpeg(scene(1))
    desk.send("uuid:9", {"photo": "a.jpg"}, {"a.jpg": data}, received_at=RECEIVED - timedelta(days=1))
    desk.change("uuid:9", deleted_at=RECEIVED)
    assert sent(desk, data) == [[]]


def test_what_is_no_picture_or_a_broken_one_costs_nothing(desk: Desk) -> None:
    broken = jpeg(scene(1), place=FAR)[:900]
    assert sent(desk, broken, b"\xff\xd8\xff no picture", jpeg(scene(1))) == [[], [], []]
    assert all(desk.row(f"uuid:{number}").checked for number in range(3))
