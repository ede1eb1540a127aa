"""What one client accepts is not held against a record: rows of repeats, dates as numbers and as letters, hands of the clock."""

import pytest

from forms.judging import at_row
from tests.support.small import asked, codes, read, xform

ROW = ("herd", "animal", "health", "weight")


@pytest.mark.parametrize(
    ("expression", "same"),
    [
        (". < 3", ". < 3"),
        (". <= /data/herd/animal/number", ". <= ../../number"),
        (". <= /data/herd/animal/health/age", ". <= ../age"),
        ("/data/herd/animal/health/weight > 0", ". > 0"),
        (". <= /data/herd/all", ". <= ../../../all"),
        (". <= /data/all and /data/other/all", ". <= /data/all and /data/other/all"),
        ("count(/data/herd) > 0", "count(/data/herd) > 0"),
        ("count(/data/herd/animal) > 0", "count(/data/herd/animal) > 0"),
        ("count(/data/herd/animal[name = 'x']) > 0", "count(/data/herd/animal[name = 'x']) > 0"),
        (". != '/data/herd/animal/number'", ". != '/data/herd/animal/number'"),
        ("../x/data/herd/number = 1", "../x/data/herd/number = 1"),
        ("count(../list[k = 1]) > /data/herd/animal/number", "count(../list[k = 1]) > ../../number"),
        ("count(../list[k = /data/herd/animal/number]) > 0", ""),
        ("count(../list[k = 'a' or k = /data/herd/animal/number]) > 0", ""),
        ("count(../list[k = /data/all]) > 0", "count(../list[k = /data/all]) > 0"),
        (". < /data/گله/شمار", ". < /data/گله/شمار"),
    ],
)
def test_a_path_into_the_own_row_means_that_row(expression: str, same: str) -> None:
    assert at_row(expression, ROW, (1, 2)) == same


def test_outside_of_a_repeat_paths_stay_as_they_are() -> None:
    assert at_row(". <= /data/herd/animal/number", ROW, ()) == ". <= /data/herd/animal/number"


def test_the_second_row_is_judged_by_the_second_row() -> None:
    binds = '<bind nodeset="/data/row/a" type="date"/><bind nodeset="/data/row/b" type="date" constraint=". &gt;= /data/row/a"/>'
    body = '<repeat nodeset="/data/row"><input ref="/data/row/a"/><input ref="/data/row/b"/></repeat>'
    form = xform('<row jr:template=""><a/><b/></row>', binds, body)
    first = "<row><a>2026-05-02</a><b>2026-05-03</b></row>"
    assert codes(read(form, first + "<row><a>2026-03-01</a><b>2026-03-02</b></row>")) == []
    assert codes(read(form, first + "<row><a>2026-06-01</a><b>2026-05-20</b></row>")) == [("constraint", "row[2]/b")]


@pytest.mark.parametrize(
    ("kind", "constraint", "value"),
    [
        ("date", ". = '2026-05-02'", "2026-05-02"),
        ("date", ". &lt; '2030-01-01' and '2024-01-01' &lt;= .", "2026-05-02"),
        ("date", "number(substr(., 0, 4)) = 2026", "2026-05-02"),
        ("date", "string-length(.) = 10", "2026-05-02"),
        ("date", "format-date(., '%Y') = '2026'", "2026-05-02"),
        ("string", ". = '2026-05-02'", "2026-05-02"),
        ("string", ". &gt; date('2026-01-01')", "2026-05-02"),
        ("time", "decimal-time(.) &gt; 0.5", "14:05:00.000+03:30"),
        ("time", ". &gt; '08:00'", "14:05:00.000"),
        ("time", "starts-with(., '14')", "14:05:00.000"),
        ("string", "regex(., '[a-z]+( [a-z]+)*')", "night "),
    ],
)
def test_what_some_client_accepts_is_not_held_against_the_record(kind: str, constraint: str, value: str) -> None:
    assert codes(read(asked(kind, more=f'constraint="{constraint}"'), f"<q>{value}</q>")) == []


@pytest.mark.parametrize(
    ("kind", "constraint", "value"),
    [
        ("date", ". = '2026-05-02'", "2026-05-03"),
        ("date", ". &lt; '2030-01-01'", "2031-05-02"),
        ("date", "number(substr(., 0, 4)) = 2026", "2025-05-02"),
        ("time", "decimal-time(.) &gt; 0.5", "09:05:00.000+03:30"),
        ("time", ". &gt; '08:00'", "07:05:00.000"),
        ("string", "regex(., '[a-z]+')", "77"),
    ],
)
def test_what_no_client_accepts_is_said(kind: str, constraint: str, value: str) -> None:
    assert codes(read(asked(kind, more=f'constraint="{constraint}"'), f"<q>{value}</q>")) == [("constraint", "q")]


def test_one_time_may_be_compared_with_another() -> None:
    binds = '<bind nodeset="/data/a" type="time"/><bind nodeset="/data/b" type="time" constraint=". &gt; /data/a"/>'
    form = xform("<a/><b/>", binds, '<input ref="/data/a"/><input ref="/data/b"/>')
    assert codes(read(form, "<a>08:00:00.000+03:30</a><b>09:30:00.000+03:30</b>")) == []
    assert codes(read(form, "<a>08:00:00.000+03:30</a><b>07:30:00.000+03:30</b>")) == [("constraint", "b")]
