"""The log of an interview, as ODK Collect writes it and as it arrives after everything that can happen to it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.audit import Audit, read_audit

PLAIN = """\
event,node,start,end
form start,,1548106927319,
question,/data/q1,1548106927323,1548106930112
question,/data/g/animals[2]/species,1548106930118,1548106931611
form save,,1548106931611,
form exit,,1548106931611,
"""
TRACKED = """\
event,node,start,end,latitude,longitude,accuracy,old-value,new-value
form start,,1000,,35.7001,51.4002,4.5,,
question,/data/q1,1000,3000,35.7001,51.4002,4.5,,first
question,/data/q1,4000,5000,35.7001,51.4002,4.5,first,"second
line, with ""quotes"" in it"
question,/data/g/q2,5000,9000,35.7001,51.4002,4.5,7,7
question,/data/q1,9000,10000,,,,second,third
"""


def test_a_plain_log_tells_how_long_it_took() -> None:
    told = read_audit(PLAIN.encode())
    assert told == Audit(pytest.approx(4.292), pytest.approx(4.282), (), has_track=False)


def test_changed_answers_are_told_once_and_a_first_answer_is_no_change() -> None:
    told = read_audit(b"\xef\xbb\xbf" + TRACKED.replace("\n", "\r\n").encode())
    assert told == Audit(9.0, 8.0, (("q1",),), has_track=True)


def test_paths_are_without_the_root_and_the_numbers_of_rows() -> None:
    log = PLAIN.replace("start,end", "start,end,old-value,new-value").replace("1548106931611\n", "1548106931611,goat,sheep\n", 1)
    told = read_audit(log.encode())
    assert told is not None
    assert told.changed == (("g", "animals", "species"),)


@pytest.mark.parametrize(
    ("log", "seconds"),
    [
        (PLAIN.replace("930112", "930112,x,y,z"), 4.292),
        (PLAIN + 'question,/data/q2,1548106999999,1548107000000,"never closed', 72.681),
        (PLAIN.replace("form save,,1548106931611,", "form save"), 4.292),
        (PLAIN.replace("\n", "\n\0"), 4.292),
        (PLAIN + "question,/data/q2,later,-5\n", 4.292),
    ],
    ids=["wider than the heading", "cut inside a quote", "narrower", "zero bytes", "no times"],
)
def test_odd_rows_cost_nothing_but_themselves(log: str, seconds: float) -> None:
    told = read_audit(log.encode())
    assert told is not None
    assert told.seconds == pytest.approx(seconds)


@pytest.mark.parametrize("data", [b"", b"event,node,start,end\n", b"\xff\xd8\xff", b"\x00" * 9, PLAIN.partition("\n")[2].encode()])
def test_what_is_no_log_tells_nothing(data: bytes) -> None:
    assert read_audit(data) is None


@given(st.binary(max_size=200) | st.text(alphabet='event,node start"\n0123/', max_size=200).map(str.encode))
def test_any_bytes_are_survived(data: bytes) -> None:
    for log in (data, PLAIN.encode() + data, TRACKED.encode()[:60] + data):
        told = read_audit(log)
        assert told is None or told.seconds >= 0
