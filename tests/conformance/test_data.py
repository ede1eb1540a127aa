"""What the contract asks of data and of a server that has lived a while (7.2, 7.3, 7.7, 7.8), without a network."""

import csv
import io
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import event

from exports.tables import write_csv
from forms.definition import FormDefinition
from records.publishing import publish
from tests.support.pages import Site
from tests.support.records import FLOCK, flock, new_id, renamed
from tests.support.small import record, xform
from tests.support.stores import EVERYTHING

LIST = "/v1/key/{}/projects/1/formList"
HERDS = xform(
    "<herd><kind/><dog><age/></dog></herd><q/>",
    '<bind nodeset="/data/herd/dog/age" type="int"/>',
    '<repeat nodeset="/data/herd"><input ref="/data/herd/kind"/><repeat nodeset="/data/herd/dog"><input ref="/data/herd/dog/age"/>'
    '</repeat></repeat><input ref="/data/q"/>',
    form_id="herds",
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with closing(Site(tmp_path_factory.mktemp("data") / "data")) as opened:
        opened.publish(HERDS)
        yield opened


def table(site: Site, form_id: str, *repeat: str) -> list[dict[str, str]]:
    stream = io.StringIO(newline="")
    with site.services.store.read() as connection:
        write_csv(connection, EVERYTHING, form_id, stream, repeat=repeat)
    return list(csv.DictReader(io.StringIO(stream.getvalue().removeprefix("\ufeff"), newline="")))


def test_t045_the_list_costs_the_same_few_statements_whatever_the_number_of_forms(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No form is read, compiled or hashed when phones ask for the list; not even the first time."""
    for number in range(300):
        publish(site.services.store, site.services.blobs, 1, xform=renamed(FLOCK, f"many{number}"), source_name="test")
    statements: list[str] = []
    event.listen(site.services.store.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))

    def compiled(*_: object) -> Any:
        raise AssertionError("a form was compiled")

    monkeypatch.setattr(FormDefinition, "from_xform", compiled)
    client = site.app.test_client()
    assert client.get(LIST.format(site.token)).get_data(as_text=True).count("<xform>") >= 302
    assert len(statements) == 2  # who asks, and the list
    assert not [statement for statement in statements if "form_version.xform" in statement]
    client.get(LIST.format(site.token))
    assert len(statements) == 3


def test_t056_what_is_published_is_served_whatever_the_converter_makes_today(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    client = site.app.test_client()
    address = client.get(LIST.format(site.token) + "?formID=flock_count").get_data(as_text=True)
    path = address.partition("<downloadUrl>http://localhost")[2].partition("<")[0]
    monkeypatch.setattr("forms.xlsform.convert", lambda *_, **__: pytest.fail("nothing is converted to serve a form"))
    assert client.get(path).get_data() == FLOCK.read_bytes()


def test_t136_exports_hold_the_current_version_under_the_id_of_the_first(site: Site) -> None:
    first, second = new_id(), new_id()
    site.send(flock(first, sheep="1"))
    site.send(flock(second, sheep="2", deprecated_id=first))
    rows = [row for row in table(site, "flock_count") if row["KEY"] in {first, second}]
    assert [(row["KEY"], row["sheep"], row["Edits"]) for row in rows] == [(first, "2", "1")]


def test_t154_rows_of_repeats_keep_their_keys(site: Site) -> None:
    first, second = new_id(), new_id()
    content = "<herd><kind>goat</kind><dog><age>3</age></dog><dog><age>4</age></dog></herd><herd><kind>sheep</kind></herd><q>{}</q>"
    site.send(record(content.format(1), form_id="herds", instance_id=first))
    before = [(row["PARENT_KEY"], row["KEY"], row["age"]) for row in table(site, "herds", "herd", "dog")]
    assert before == [
        (f"{first}/herd[1]", f"{first}/herd[1]/dog[1]", "3"),
        (f"{first}/herd[1]", f"{first}/herd[1]/dog[2]", "4"),
    ]
    site.send(record(content.format(2), form_id="herds", instance_id=second, deprecated_id=first))
    assert [(row["PARENT_KEY"], row["KEY"], row["age"]) for row in table(site, "herds", "herd", "dog")] == before


def test_t151_an_answer_is_labelled_by_the_version_it_was_given_in(site: Site) -> None:
    def version(number: str, *choices: str) -> bytes:
        items = "".join(f"<item><label>Label of {name}</label><value>{name}</value></item>" for name in choices)
        return xform("<q/>", "", f'<select1 ref="/data/q"><label>Q</label>{items}</select1>', form_id="chosen", version=number)

    site.publish(version("1", "wolf", "leopard"))
    instance_id = new_id()
    site.send(record("<q>wolf</q>", form_id="chosen", instance_id=instance_id))
    site.publish(version("2", "leopard"))
    shown = site.browser("coordinator").get(f"/projects/1/reports/chosen/{instance_id}").get_data(as_text=True)
    assert "Label of wolf" in shown
    assert "Unreadable answer" not in shown


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1"])
def test_t156_a_spreadsheet_runs_nothing_and_what_arrived_stays(site: Site, text: str) -> None:
    instance_id = new_id()
    site.send(flock(instance_id, herder=text))
    [row] = [row for row in table(site, "flock_count") if row["KEY"] == instance_id]
    assert row["herder"] == f"'{text}"
    with site.services.store.read() as connection:
        from records.submissions import xml_of

        assert f"<herder>{text}</herder>".encode() in xml_of(connection, EVERYTHING, instance_id)


def test_t187_each_phone_is_answered_under_the_address_it_used(site: Site) -> None:
    client = site.app.test_client()
    for base in ("http://192.168.7.5:8080", "http://station.example:8080", "https://data.example.org"):
        shown = client.get(LIST.format(site.token), base_url=base).get_data(as_text=True)
        assert shown.count(f"<downloadUrl>{base}/") == shown.count("<xform>") > 0
