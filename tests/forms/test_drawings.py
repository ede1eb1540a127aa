"""The drawings beside the choices: our own, small, on every phone, and what their sources say."""

from io import BytesIO
from pathlib import Path

import pytest
from lxml import etree
from PIL import Image, ImageChops, ImageStat

from forms.definition import FormDefinition
from forms.library import __main__ as upkeep
from forms.library import drawings, drawings_of, read_survey, survey_ids, workbook
from forms.library.drawings import SIZE, draw, to_png
from forms.library.sources import COLUMNS, LIBRARY, read_rows
from forms.problems import Problem
from forms.xlsform import convert_workbook
from tests.support import docs

SOURCES = sorted((LIBRARY / "media").glob("*.svg"))
CHOICES = read_rows(LIBRARY / "choices.csv")
ILLUSTRATED = {row["list_name"] for row in CHOICES if row["image"]}
SHAPES = {"svg", "rect", "path", "circle", "ellipse", "g", "clipPath"}
SQUARE = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 200"><rect x="50" y="50" width="100" height="100"/></svg>'
FILES_LIMIT, FORM_LIMIT = 10_000, 250_000  # bytes: what a weak link carries in seconds, and once


def difference(one: bytes, other: bytes) -> float:
    """How far two pictures are apart, on average over pixels and colours, of 255."""
    with Image.open(BytesIO(one)) as a, Image.open(BytesIO(other)) as b:
        return sum(ImageStat.Stat(ImageChops.difference(a.convert("RGB"), b.convert("RGB"))).mean) / 3


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
class TestEveryDrawing:
    def test_is_what_its_source_says(self, source: Path) -> None:
        kept, now = source.with_suffix(".png").read_bytes(), to_png(source.read_text())
        assert difference(kept, now) < 0.5, "Run: python -m forms.library draw"

    def test_is_small_and_square(self, source: Path) -> None:
        kept = source.with_suffix(".png")
        assert kept.stat().st_size <= FILES_LIMIT
        with Image.open(kept) as image:
            assert (image.format, image.size) == ("PNG", (SIZE, SIZE))

    def test_is_made_of_plain_shapes_that_refer_to_nothing_outside(self, source: Path) -> None:
        root = etree.parse(source).getroot()
        assert root.get("viewBox") == "0 0 200 200"
        assert {etree.QName(node).localname for node in root.iter("*")} <= SHAPES
        assert b"http" not in source.read_bytes().replace(b"http://www.w3.org/2000/svg", b"")

    def test_can_be_seen_on_a_dark_phone(self, source: Path) -> None:
        with Image.open(source.with_suffix(".png")) as image:
            assert "transparency" not in image.info


def test_a_changed_drawing_would_be_noticed() -> None:
    ink = SQUARE.replace("<rect", '<rect fill="#c00"')
    moved = SQUARE.replace('x="50"', 'x="53"')
    assert difference(to_png(SQUARE), to_png(SQUARE)) == 0
    assert min(difference(to_png(SQUARE), to_png(other)) for other in (ink, moved)) > 0.5


def test_every_drawing_has_its_source_and_is_shown_beside_a_choice() -> None:
    named = {row["image"] for row in CHOICES if row["image"]}
    assert named == {path.with_suffix(".png").name for path in SOURCES}
    assert named == {path.name for path in (LIBRARY / "media").glob("*.png")}


def test_the_page_of_the_drawings_shows_all_of_them() -> None:
    docs.assert_current("drawings.md")


def test_a_drawing_suggests_no_answer_where_two_look_alike() -> None:
    """In a list with drawings, what has none cannot be drawn (other, unknown) or told apart by a drawing."""
    bare = {(row["list_name"], row["name"]) for row in CHOICES if row["list_name"] in ILLUSTRATED and not row["image"]}
    in_words = {"other", "unknown", "none", "na", "not_predator", "habit"}
    assert {pair for pair in bare if pair[1] not in in_words} == {
        ("livestock", "mule"),
        ("measure", "grazing_change"),
        ("prey", "ovis_hybrid"),
        ("dog_event", "killed"),
        ("dog_event", "disease"),
        *(("sign_type", name) for name in ("scrape", "scent", "kill_wild", "dead")),
    }


@pytest.mark.parametrize("survey_id", survey_ids())
def test_the_drawings_of_a_survey_reach_a_phone_over_a_weak_link(survey_id: str) -> None:
    assert sum(map(len, drawings_of(read_survey(survey_id)).values())) <= FORM_LIMIT


@pytest.mark.parametrize("survey_id", survey_ids())
def test_a_question_with_drawings_is_asked_in_columns_not_folded_away(survey_id: str) -> None:
    for row in read_survey(survey_id).questions:
        if row["type"].partition(" ")[2] in ILLUSTRATED:
            looks = row["appearance"].split()
            assert "columns" in looks, row["name"]
            assert not {"minimal", "no-buttons"} & set(looks), row["name"]  # without buttons, phones hide the text


def test_every_language_shows_the_drawings_and_keeps_its_words() -> None:
    conversion = convert_workbook(workbook("conflict_livestock"))
    assert conversion.warnings == []
    assert {name for name in conversion.media if name.endswith(".png")} == set(drawings_of(read_survey("conflict_livestock")))
    translations = etree.fromstring(conversion.xform).findall(".//{*}translation")
    shown = [[node.text for node in each.iterfind(".//{*}value[@form='image']")] for each in translations]
    assert len(shown) > 1
    assert shown[0]
    assert all(each == shown[0] for each in shown)
    form = FormDefinition.from_xform(conversion.xform)
    [species] = [field for field in form.walk() if field.name == "species"]
    assert [next(iter(choice.labels.values())) for choice in species.choices or ()][:2] == ["Sheep", "Goat"]


# upkeep, on a library of its own


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A library with one survey and one choice that names the drawing `square.png`."""
    header = ",".join(name for name in COLUMNS if name not in {"save_to", "personal"})
    files = {
        "look/form.toml": 'title = "Look"\nversion = "2026112201"\nactivities = ["7.2.1"]\ninstance_name = "x"\n',
        "look/survey.csv": f"{header}\nselect_one shape,shape,Shape,,,,,,,columns,,\n",
        "choices.csv": "list_name,name,label,scientific_name,image\nshape,square,Square,,square.png\nshape,other,Other,,\n",
        "published.csv": "form_id,version,sha256\n",
        "media/square.svg": SQUARE,
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    return tmp_path


def test_a_drawing_that_was_not_made_is_told_with_the_command_that_makes_it(small: Path) -> None:
    with pytest.raises(Problem, match=r"not there: square\.png.*forms\.library draw"):
        drawings_of(read_survey("look", small), small)
    draw(small)
    assert set(drawings_of(read_survey("look", small), small)) == {"square.png"}
    assert drawings(["../choices.csv", "circle.png", "square.png"], small).keys() == {"square.png"}


def test_a_drawing_belongs_to_the_version_that_was_given_out(small: Path) -> None:
    draw(small)
    upkeep.release(small)
    (small / "media" / "square.svg").write_text(SQUARE.replace('x="50"', 'x="40"'))
    draw(small)
    with pytest.raises(SystemExit, match="other content: look"):
        upkeep.release(small)
