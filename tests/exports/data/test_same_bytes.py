"""CSV stays the same to the byte, whatever makes it quicker: compared with files written before, and one reader with the other."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, insert

from exports.csvfile import as_texts
from exports.data import formats
from exports.data.columns import tables_of
from exports.data.wanted import Layout
from exports.tables import TEXTS, VALUES, reader
from forms.definition import FormDefinition
from records.models import AppUser, Attachment
from tests.support.tables import FORM, answers, opened, publish, send, xform

GOLDEN = Path(__file__).parent / "golden"
LAYOUTS = {
    "central": Layout(),
    "labels": Layout(groups=False, split_selects=True, language="fa", checks=True),
    "kobo": Layout("kobo", split_selects=True, checks=True),
    "kobo-short": Layout("kobo", groups=False, split_points=False),
}
POINTS = (
    *("35.7 51.4 1320.0 4.5", "35.70 51.40 1320.00 4.50", "-35.7 -51.4 -1.0 0.0", "35 51 0 0", "-0.0 -0.0 -0 0.0", "35.7 51.4"),
    *(
        "0.00001 0.1 0.00012 0.5",
        "35.123456789012345 51.4 1320.4000244140625 4.800000190734863",
        "89.9 179.9 0.0 1.5",
        "90 180 1 1",
    ),
    *(
        "91.0 51.4 0.0 0.0",
        "35.7 181.5 0.0 0.0",
        " 35.7  51.4 0.0 0.0",
        "35,7 51,4",
        "۳۵٫۷ ۵۱٫۴ ۰ ۰",
        "nowhere",
        "",
        "1e1 2E+1 0 0",
        "035.7 051.4 0 0",
    ),
    *(
        "35.7 51.4 nan 0",
        "12345678901234567 1 1 1",
        "=1 2 3 4",
        '3"5 7',
        "35.7 51.4 99999.123456789 1e-7",
        None,
        35.7,
        ["35.7"],
        {"a": "35.7"},
    ),
)
NUMBERS = (
    0,
    -5,
    2**60,
    1.5,
    -2.0,
    1e-05,
    -1e-05,
    123456789012345.6,
    0.1 + 0.2,
    True,
    False,
    None,
    "",
    "-5",
    "+5",
    "-5-5",
    [1],
    {"b": None},
)
TEXT = (
    *(
        "calm",
        "a,b",
        "a;b",
        'say "x"',
        "two\nlines",
        "two\r\nlines",
        "\r",
        "a\tb",
        "\t=1",
        "=1+1",
        "+98",
        "@x",
        "-",
        "-1+1",
        "-5.25",
    ),
    *(
        "＝1",
        "＋",
        "－5",
        "＠x",
        "بره، شب",
        "a=1",
        " =1",
        "'",
        "1 2;-3 4",
        "-1 2;",
        "🐆",
        "\u2028",
        "",
        None,
        7,
        2.5,
        True,
        [1, "a"],
        {"c": 1},
    ),
)
SELECTS = ("fence", "lights fence", "fence fence", "lights other", " ", "", None, 3, ["fence"], "=fence", "fence\tlights")
ODD: tuple[dict[str, Any], ...] = (
    {"camp": "none", "herd": "none"},
    {"camp": [1], "herd": [1, {"kind": "=x"}, {"bell": {"tone": 1}}]},
    {"strange": 1, "day": {"a": 1}},
    {},
)


def odd_records() -> list[dict[str, Any]]:
    """One record for each odd answer: in its place, the others going round."""
    most = max(map(len, (POINTS, NUMBERS, TEXT, SELECTS)))
    camps = (
        {
            "place": POINTS[index % len(POINTS)],
            "n": NUMBERS[index % len(NUMBERS)],
            "price": NUMBERS[-1 - index % len(NUMBERS)],
            "remarks": TEXT[index % len(TEXT)],
            "walk": TEXT[-1 - index % len(TEXT)],
            "measures": SELECTS[index % len(SELECTS)],
            "dog": ("yes", "no", "=x", None, 1)[index % 5],
        }
        for index in range(most)
    )
    rounds = (
        [{"kind": TEXT[index % len(TEXT)], "pen": POINTS[-1 - index % len(POINTS)], "bell": [{"tone": -index}, {}]}]
        for index in range(most)
    )
    return [*({**answers(**camp), "herd": herd} for camp, herd in zip(camps, rounds, strict=True)), *ODD]


@pytest.fixture
def odd(engine: Engine) -> Engine:
    """A database with them, each with something else known about it."""
    publish(engine, xform())
    with engine.begin() as connection:
        came = datetime(2026, 5, 2, tzinfo=UTC)
        user = {"id": 7, "project_id": 1, "name": '=Ranger "1"', "token_sha256": "1" * 64, "language": "fa", "created_at": came}
        connection.execute(insert(AppUser).values(**user))
        photo = {"md5": "", "size": 1, "content_type": "image/jpeg", "received_at": came, "project_id": 1, "form_id": FORM}
        of_two = [
            ("uuid:4", "1.jpg", "a"),
            ("uuid:4", "1.jpg", "b"),
            ("uuid:4b", "1.jpg", "c"),
            ("uuid:4b", "2.jpg", "a"),
            ("uuid:9", "1.jpg", "a"),
        ]
        own = [{**photo, "instance_id": key, "name": name, "sha256": digest} for key, name, digest in of_two]
        connection.execute(insert(Attachment), own)
    for number, answered in enumerate(odd_records()):
        about: dict[str, Any] = {
            "received_at": datetime(2026, 5, 2, 7, 41, 9, 123999 - number, tzinfo=UTC) + timedelta(hours=number)
        }
        about["review_state"] = ("received", "edited", "hasIssues", "approved", "rejected")[number % 5]
        if number % 3 == 1:
            about |= {"app_user_id": 7, "edits": number, "files": ["1.jpg", "2.jpg"], "current_instance_id": f"uuid:{number}b"}
        if number % 4 == 2:
            about |= {"event_date": date(2026, 3, 4), "country": "IR", "admin1": "IR-07", "study_area": "=north", "encrypted": True}
            about |= {
                "flags": [{"code": "far"}, {"code": "old", "settled": {}}, {"code": "odd"}],
                "device_id": "a,b",
                "version": "-1",
            }
        send(engine, f"uuid:{number}", answered, **about)
    return engine


def written(engine: Engine, layout: Layout) -> bytes:
    """All tables of a layout, one after the other."""
    with opened(engine, layout=layout) as source:
        names = [table.name for table in source.tables]
        return b"".join(b"".join(formats.stream(source, formats.format_of("csv"), open, table=name)) for name in names)  # type: ignore[arg-type]


def test_csv_is_the_same_to_the_byte_as_it_always_was(odd: Engine) -> None:
    for name, layout in LAYOUTS.items():
        assert written(odd, layout) == (GOLDEN / f"{name}.csv").read_bytes(), name


ANSWER = (
    st.sampled_from([*POINTS, *NUMBERS, *TEXT, *SELECTS])
    | st.text(max_size=5)
    | st.floats(allow_nan=False)
    | st.integers(-(2**60), 2**60)
)
CAMPS = st.dictionaries(
    st.sampled_from(["place", "walk", "dog", "measures", "n", "price", "remarks", "strange"]), ANSWER, max_size=8
)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_texts_are_the_values_as_they_are_written(layout: Layout) -> None:
    questions = tables_of(FormDefinition.from_xform(xform()), layout)[0].questions
    read, read_texts = reader(questions, VALUES), reader(questions, TEXTS)

    @settings(max_examples=40)
    @given(st.lists(CAMPS | ANSWER, min_size=1, max_size=5))
    def same(camps: list[Any]) -> None:
        for camp in camps:
            assert read_texts({"camp": camp, "day": camp}) == as_texts(read({"camp": camp, "day": camp}))

    same()
