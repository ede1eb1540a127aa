"""A picture says where it was taken: who may not see places gets none, and what pages show of it is drawn anew."""

import hashlib
import io

import pytest
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from tests.leaks.attackers import exif_position, points_in
from tests.support.collect import encode
from tests.support.leaks import World
from tests.support.records import LOSS, loss, new_id, parts

GPS = 0x8825
FORM = "/v1/projects/1/forms/livestock_loss"
PAGE = "/projects/1/reports/livestock_loss"


@pytest.fixture(scope="module")
def sent(world: World) -> tuple[str, str, str]:
    """A report with a picture that knows its place: its id, the digest of the picture, the key of the phone."""
    exif = Image.Exif()
    exif[GPS] = {
        1: "N",
        2: (IFDRational(36), IFDRational(24), IFDRational(36)),
        3: "E",
        4: (IFDRational(52), IFDRational(12), IFDRational(9)),
    }
    out = io.BytesIO()
    Image.new("RGB", (640, 480), "green").save(out, "JPEG", exif=exif)
    world.server.publish(LOSS)
    phone = world.server.app_user("camera")
    instance = new_id()
    body, kind = encode(parts(loss(instance, "kill.jpg"), {"kill.jpg": out.getvalue()}))
    got = world.server.raw("POST", f"{phone['url']}/submission", body, {"Content-Type": kind})
    assert got.status == 201
    return instance, hashlib.sha256(out.getvalue()).hexdigest(), phone["url"]


def test_the_picture_itself_tells_its_place_to_who_may_see_it(world: World, sent: tuple[str, str, str]) -> None:
    got = world.ask(f"{FORM}/submissions/{sent[0]}/attachments/kill.jpg", "rev")
    assert exif_position(got.body)[2] == (36, 24, 36)


def test_what_pages_show_of_it_tells_nothing(world: World, sent: tuple[str, str, str]) -> None:
    got = world.ask(f"{PAGE}/{sent[0]}/thumbnails/{sent[1]}.jpg", "rev", Accept="image/*")
    assert got.status == 200
    assert exif_position(got.body) == {}


@pytest.mark.parametrize("who", [None, "ana", "col"])
def test_others_get_no_picture_by_any_door(world: World, sent: tuple[str, str, str], who: str | None) -> None:
    instance, digest, _ = sent
    for path in (
        f"{FORM}/submissions/{instance}/attachments/kill.jpg",
        f"{FORM}/submissions/{instance}.xml",
        f"{PAGE}/{instance}/files/{digest}/kill.jpg",
        f"{PAGE}/{instance}/thumbnails/{digest}.jpg",
    ):
        assert world.ask(path, who).status in {302, 401, 403, 404}, path
    for level in ("partner", "public", "exact"):
        got = world.ask(f"{FORM}/data?format=zip&level={level}", who)
        assert b"kill.jpg" not in got.body


@pytest.mark.parametrize("level", ["partner", "public"])
def test_there_are_no_generalised_pictures(world: World, level: str) -> None:
    for who in ("ana", "rev"):
        got = world.ask(f"/v1/projects/1/forms/conflict_livestock/data?format=zip&level={level}", who)
        assert got.status == 501
        assert b"never told" in got.body


def test_the_key_of_a_phone_opens_forms_and_no_records(world: World, sent: tuple[str, str, str]) -> None:
    root = sent[2].removeprefix(f"http://127.0.0.1:{world.server.port}")
    assert world.ask(f"{root}/formList").status == 200
    points = [(attack.latitude, attack.longitude) for attack in world.attacks]
    for path in (
        "/view/submissionList?formId=conflict_livestock",
        "/forms/conflict_livestock/data",
        "/forms/conflict_livestock/submissions",
        "/forms/conflict_livestock.svc/Submissions",
    ):
        got = world.ask(f"{root}{path}")
        assert got.status in {401, 403, 404}, path
        assert points_in(got.body, points) == set()
