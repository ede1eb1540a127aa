"""Nobody reads what they may not see: every function that takes an `Access`, in a world with every kind of record in it."""

import csv
import hashlib
import importlib
import inspect
import io
import pkgutil
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from sqlalchemy import Connection, insert, update

import exports
import records
import sync
from exports import tables
from exports.data.source import Source
from exports.dataset import read_conflicts
from exports.kobo import rows as kobo_rows
from exports.odata import read as odata
from exports.odata.model import tables_of
from exports.odata.options import Options
from exports.package.contents import ExportResult
from exports.policy import PUBLIC
from exports.recipes import RECIPES
from exports.windows import Window
from forms.definition import FormDefinition
from forms.problems import Problem
from records import arrivals, catalogue, reviews, submissions, summaries
from records.access import ROLES, Access, Right
from records.blobs import BlobStore
from records.forms import Schemas, latest_xform
from records.models import Account, AppUser, Membership, Project, Submission
from records.publishing import publish
from records.store import Store
from sync.delivery import Delivery
from sync.intake import Intake
from sync.person.finding import Person
from sync.person.identity import Identity
from sync.pull.servers import Server
from sync.relay.enrolment import Code
from sync.relay.identity import Identity as RelayIdentity
from tests.support.small import record, xform

FORMS = ("small", "conflict_livestock", "leopard_mortality")
CONFIDENTIAL = "leopard_mortality"
DAY = date(2026, 3, 1)
WINDOW = Window(date(2026, 1, 1), date(2026, 12, 31))


class Kept(NamedTuple):
    """One record of the world."""

    project_id: int
    form_id: str
    phone: str
    is_deleted: bool

    @property
    def instance_id(self) -> str:
        """The same id is used in both projects: it is no secret and no key by itself."""
        return f"uuid:{self.form_id} {self.phone} {'deleted' if self.is_deleted else 'kept'}"

    @property
    def sent(self) -> bytes:
        """What the phone sent; it says which project it is for."""
        return record(f"<q>{self.project_id}</q>", form_id=self.form_id, instance_id=self.instance_id)


OWNERS = {"mine": 1, "yours": 2, "nobody's": None}  # phones, and the accounts of the data collectors they belong to
WORLD = [Kept(*each) for each in product((1, 2), FORMS, OWNERS, (False, True))]


@pytest.fixture(scope="module")
def world(kept_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Two projects with the same forms, phones and ids; the two data collectors have phones in both."""
    store, blobs = kept_store, BlobStore(tmp_path_factory.mktemp("blobs"), kept_store.vault)
    now = datetime.now(UTC)

    def people(connection: Connection) -> None:
        connection.execute(insert(Project).values(id=2, name="Other", account="other", created_at=now))
        for number in (1, 2):
            connection.execute(insert(Account).values(id=number, name=f"collector {number}", password_hash="", created_at=now))
            connection.execute(insert(Membership).values(project_id=number, account_id=number, role="data_collector"))
        for number, (project_id, name) in enumerate(product((1, 2), OWNERS), 1):
            row = {"id": number, "project_id": project_id, "name": name, "language": "en", "account_id": OWNERS[name]}
            connection.execute(insert(AppUser).values(**row, token_sha256=str(number), created_at=now))

    store.write(people)
    phones = {key: number for number, key in enumerate(product((1, 2), OWNERS), 1)}
    intake = Intake(store, blobs)
    for project_id, form_id in product((1, 2), FORMS):
        publish(store, blobs, project_id, xform=xform("<q/>", form_id=form_id), source_name="test")
    for kept in WORLD:
        intake.receive(Delivery(kept.project_id, kept.sent, app_user_id=phones[kept.project_id, kept.phone]))
        reviews.comment(
            store, Access.everything(kept.project_id, "x"), kept.form_id, kept.instance_id, f"said in {kept.project_id}"
        )

    def finish(connection: Connection) -> None:
        connection.execute(update(Submission).values(latitude=35.7, longitude=51.4, event_date=DAY))
        for kept in WORLD:
            key = {"project_id": kept.project_id, "form_id": kept.form_id, "instance_id": kept.instance_id}
            connection.execute(update(Submission).filter_by(**key).values(deleted_at=now if kept.is_deleted else None))

    store.write(finish)
    return store


READERS = {
    "everything in 1": Access.everything(1, "x"),
    "everything in 2": Access.everything(2, "x"),
    "coordinator": Access.of_role(1, "x", "coordinator", 9),
    "reviewer": Access.of_role(1, "x", "reviewer", 9),
    "collector 1": Access.of_role(1, "x", "data_collector", 1),
    "collector 2": Access.of_role(1, "x", "data_collector", 2),
    "collector 2 in 2": Access.of_role(2, "x", "data_collector", 2),
    "collector without a phone": Access.of_role(1, "x", "data_collector", 9),
    "no such project": Access.everything(99, "x"),
}


def may_see(access: Access, kept: Kept) -> bool:
    """The rule, said another way than the program says it."""
    if kept.project_id != access.project_id:
        return False
    if access.only_account is not None:
        return access.only_account == OWNERS[kept.phone]
    return kept.form_id != CONFIDENTIAL or Right.CONFIDENTIAL in access.rights


Read = Callable[[Store, Connection, Access, Kept], Any]


def bare(row: Any) -> str:
    return str(row.instance_id)


def of_csv(_: Store, connection: Connection, access: Access, kept: Kept) -> set[str]:
    stream = io.StringIO(newline="")
    tables.write_csv(connection, access, kept.form_id, stream)
    return {row["KEY"] for row in csv.DictReader(io.StringIO(stream.getvalue().removeprefix("\ufeff"), newline=""))}


def of_odata(store: Store, connection: Connection, access: Access, kept: Kept) -> set[str]:
    definition = FormDefinition.from_xform(latest_xform(connection, access.project_id, kept.form_id))
    reading = odata.Reading(store.read, access, kept.form_id, tables_of(definition)[0], Options())
    found = {row["__id"] for row in reading.rows()}
    assert reading.count == len(found)
    return found


def of_kobo(store: Store, connection: Connection, access: Access, kept: Kept) -> set[str]:
    definition = FormDefinition.from_xform(latest_xform(connection, access.project_id, kept.form_id))
    found = list(kobo_rows.rows(store.read, access, definition, kobo_rows.Wanted(), lambda *_: ""))
    assert kobo_rows.count(connection, access, kept.form_id) == len(found)
    return {row["meta/instanceID"] for row in found}


# readers of many records: the ids they give, for a form
LISTS: dict[str, Read] = {
    "records.submissions.listed": lambda _, c, a, k: {bare(row) for row in submissions.listed(c, a, k.form_id)},
    "records.submissions.newest": lambda _, c, a, k: {bare(row) for row in submissions.newest(c, a, limit=99, form_id=k.form_id)},
    "records.submissions.by_arrival": lambda _, c, a, k: {bare(row) for row in submissions.by_arrival(c, a, k.form_id, limit=99)},
    "records.submissions.points": lambda _, c, a, k: {bare(row) for row in submissions.points(c, a, limit=99, form_id=k.form_id)},
    "records.arrivals.arrived": lambda _, c, a, k: {row[1] for row in arrivals.arrived(c, a, k.form_id, after=0, limit=99)},
    "records.summaries.summaries": lambda s, c, a, k: {bare(row) for row in summaries.summaries(s.read, a, k.form_id)},
    "exports.tables.write_csv": of_csv,
    "exports.tables.records": lambda _, c, a, k: {row[2] for row in tables.records(c, a, k.form_id)},
    "exports.data.source.Source": lambda _, c, a, k: {row[2] for row in Source(c, a, k.form_id).records()},
    "exports.odata.read.Reading": of_odata,
    "exports.kobo.rows.rows": of_kobo,
}
# readers that count the records of a form
COUNTS: dict[str, Read] = {
    "records.catalogue.tallies": lambda _, c, a, k: getattr(catalogue.tallies(c, a).get(k.form_id), "submissions", 0),
    "records.catalogue.last_arrival": lambda _, c, a, k: 0 if catalogue.last_arrival(c, a) is None else None,
    "exports.dataset.read_conflicts": lambda _, c, a, k: (
        read_conflicts(c, a, "leopard", WINDOW).left_out["n_other_predator"] if k.form_id == "conflict_livestock" else None
    ),
}
# readers of one record: what they find says of which project it is
SINGLE: dict[str, Read] = {
    "records.submissions.found": lambda _, c, a, k: submissions.found(c, a, k.instance_id, k.form_id).answers["q"],
    "records.submissions.xml_of": lambda _, c, a, k: inside(submissions.xml_of(c, a, k.instance_id)),
    "records.submissions.versions_of": lambda _, c, a, k: [row.sha256 for row in submissions.versions_of(c, a, as_record(k))],
    "records.submissions.version_xml": lambda _, c, a, k: inside(
        submissions.version_xml(c, a, k.form_id, k.instance_id, hashlib.sha256(k.sent).hexdigest())
    ),
    "records.submissions.read_version": lambda s, _, a, k: inside(
        submissions.read_version(s, a, k.form_id, k.instance_id, hashlib.sha256(k.sent).hexdigest())
    ),
    "records.reviews.history": lambda _, c, a, k: [row.comment for row in reviews.history(c, a, k.form_id, k.instance_id)],
    "records.arrivals.pulled": lambda _, c, a, k: inside(arrivals.pulled(c, a, k.form_id, k.instance_id).xml),
    "records.summaries.summary": lambda _, c, a, k: summaries.summary(c, a, k.form_id, k.instance_id).instance_id and [],
}
NOT_WHEN_DELETED = {"records.arrivals.pulled", "records.summaries.summary"}


def inside(xml: bytes) -> str:
    return xml.partition(b"<q>")[2].partition(b"</q>")[0].decode()


def as_record(kept: Kept) -> Any:
    return SimpleNamespace(form_id=kept.form_id, instance_id=kept.instance_id, current_instance_id=kept.instance_id)


def given(read: Read, store: Store, connection: Connection, access: Access, kept: Kept) -> Any:
    """What this reader gives, None for a record it does not know."""
    try:
        return read(store, connection, access, kept)
    except Problem as problem:
        if problem.kind.code in {"submission_unknown", "form_unknown"}:
            return None
        raise


@pytest.mark.parametrize("who", READERS)
def test_lists_and_counts_hold_what_may_be_seen_and_nothing_else(world: Store, who: str) -> None:
    access = READERS[who]
    for form_id in FORMS:
        wanted = {kept.instance_id for kept in WORLD if kept.form_id == form_id and not kept.is_deleted and may_see(access, kept)}
        asked = Kept(access.project_id, form_id, "mine", is_deleted=False)
        with world.snapshot() as connection:
            found = {name: given(read, world, connection, access, asked) or set() for name, read in LISTS.items()}
            assert found == dict.fromkeys(LISTS, wanted), (who, form_id)
            assert {given(read, world, connection, access, asked) for read in COUNTS.values()} <= {len(wanted), None}


@pytest.mark.parametrize("who", READERS)
def test_one_record_is_given_to_who_may_see_it_and_unknown_to_others(world: Store, who: str) -> None:
    access = READERS[who]
    with world.snapshot() as connection:
        for kept, (name, read) in product(WORLD, SINGLE.items()):
            twin = kept._replace(project_id=access.project_id)
            is_there = access.project_id in {1, 2} and may_see(access, twin)
            found = given(read, world, connection, access, twin)
            if not is_there or (kept.is_deleted and name in NOT_WHEN_DELETED):
                assert found in (None, []), (who, name, kept)
            else:
                digest = hashlib.sha256(twin.sent).hexdigest()
                assert found in (str(access.project_id), [digest], [f"said in {access.project_id}"], []), (who, name, kept)
                assert found != [] or name == "records.summaries.summary"


def test_the_bytes_of_another_project_are_not_given_by_their_digest(world: Store) -> None:
    kept = WORLD[0]
    foreign = hashlib.sha256(kept._replace(project_id=2).sent).hexdigest()
    with world.read() as connection, pytest.raises(Problem, match="no submission"):
        submissions.version_xml(connection, READERS["everything in 1"], kept.form_id, kept.instance_id, foreign)


def functions() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every public function of the inner rooms that takes an `Access`."""
    for room in (records, exports, sync):
        for module_info in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
            if ".migrations." in module_info.name:
                continue
            module = importlib.import_module(module_info.name)
            for name, function in inspect.getmembers(module, callable):
                if getattr(function, "__module__", "") != module.__name__ or name.startswith("_"):
                    continue
                if isinstance(function, type) and issubclass(function, Exception):
                    continue
                if "access" in inspect.signature(function).parameters:
                    yield f"{module.__name__}.{name}", function


TOLD_NOTHING = {"records.catalogue.last_arrival"}  # gives None
AFTER_THE_DOOR = {  # pieces of those that ask
    "records.entities.note", "exports.odata.read.filtered", "sync.entities.ask", "sync.person.elsewhere.clear",
}  # fmt: skip
NODE = RelayIdentity.new()
SENT_NOWHERE: dict[str, Any] = {
    "form_id": "small", "one": ("small", "uuid:x"), "decision": "same", "records": [],
    "first": DAY, "last": DAY, "today": DAY, "start": DAY, "end": DAY, "until": DAY,
    "region": None,
    "other": ("small", "uuid:y"),
    "instance_id": "uuid:x", "sha256": "0" * 64, "state": "closed", "comment": "x", "text": "x", "name": "x",
    "uuid": "x", "kind": "delete", "version": "1", "content": b"label\n", "approval": True, "codes": None, "limit": 5, "after": 0,
    "open_blob": open, "out": Path("nowhere"), "properties": [], "values": {}, "media": {},
    "token_sha256": "0", "what": "x", "predator": "leopard", "window": WINDOW, "stream": io.StringIO(), "xform": xform("<q/>"),
    "source_name": "x", "level": "public", "as_of": DAY, "record": as_record(WORLD[0]),
    "definition": FormDefinition.from_xform(xform("<q/>")), "options": Options(), "address": str, "wanted": kobo_rows.Wanted(),
    "table": tables_of(FormDefinition.from_xform(xform("<q/>")))[0], "confidential": True,
    "policy": PUBLIC, "words": {}, "way": "csv", "action": "data.view", "detail": "x", "months": 24,
    "origin": "x", "person": Person(Identity()), "target": io.BytesIO(), "reason": "x", "keys": [("small", "uuid:x")],
    "recipe": RECIPES["hotspots-public"], "home": Path("nowhere"), "changed": "",
    "result": ExportResult(Path("nowhere"), [], {}),
    "me": NODE, "url": "http://hub", "code": Code("", b"", b"", "", "", ""),
    "record_id": "0" * 64,
    "nonce": "x", "packet": b"", "call": bytes, "node_id": "0" * 16, "names": ["x"], "known": [], "answerer": None,
    "server": Server("kobo", "https://kf.example.org", secret="x"), "number": 1, "every_hours": 6, }  # fmt: skip


def refusal(function: Callable[..., Any], values: dict[str, Any]) -> str:
    """The code of the problem that calling this raises, at once or when its rows are read."""
    needed = [name for name, parameter in inspect.signature(function).parameters.items() if parameter.default is parameter.empty]
    with pytest.raises(Problem) as caught:
        _all(function(**{name: values[name] for name in needed}))
    return caught.value.kind.code


def _all(answer: Any) -> None:
    rows = answer if isinstance(answer, Iterator) else getattr(answer, "rows", ())
    list(rows() if callable(rows) else rows)


def test_every_reader_of_records_is_tried_here() -> None:
    known = {*LISTS, *COUNTS, *SINGLE}
    rooms = ("records.submissions", "records.arrivals", "records.summaries")
    rooms += ("exports.dataset", "exports.tables", "exports.data.source")
    pieces = {"exports.tables.table", "exports.data.source.held"}
    assert {name for name, _ in functions() if name.startswith(rooms)} <= known | pieces


@pytest.mark.parametrize("role", ["analyst", "a role of a newer version", "no right at all"])
def test_whoever_lacks_the_right_is_refused_by_every_function(world: Store, blobs: BlobStore, role: str, tmp_path: Path) -> None:
    access = Access(1, "x", ROLES.get(role, frozenset()) - {Right.EXPORTS})
    for name, function in functions():
        if name not in TOLD_NOTHING | AFTER_THE_DOOR:
            with world.snapshot() as connection:
                own = {"connection": connection, "store": world, "read": world.read, "blobs": blobs, "access": access}
                own |= {"intake": Intake(world, blobs), "schemas": Schemas(world), "folder": tmp_path}
                values = SENT_NOWHERE | own | ({"state": "approved"} if ".reviews." in name else {})
                assert refusal(function, values) == "not_allowed", name
    with world.read() as connection:
        assert catalogue.last_arrival(connection, access) is None
