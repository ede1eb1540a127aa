"""Who gets what at every address of the server: the table of routes, what nobody may learn beside it, and what nobody may change.

The numbers a25 to a33 are those of the list of attacks in tests/attacks/README.md.
"""

from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from itertools import count

import pytest
from sqlalchemy import select
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from forms.submission import case_number
from records.models import Account, AppUser, Base, Membership, ReviewEvent, Session, Submission
from server.api.kobo import uid_of
from tests.support.ground import LOST, READERS, RECORDS, Ground, built, filled, words, written_table

PROGRAM_DOORS = ("central.", "kobo.")  # their table is in test_api_access.py
PHONE_DOORS = ("by_token.", "by_pass.", "by_account.", "by_password.", "draft_door.")
REFUSED = {302, 401, 403}
HAS_NOTHING = {
    "pages.decrypt", "pages.form_differences", "pages.find_pair", "central.form_attachment", "pull.media", "pull_by_account.media",
    "pages.newest_report", "pages.newest_report_file", "pages.compared_node", "pages.asked_erasure",
}  # fmt: skip
"""Rules of which an address with something needs more: an encrypted record, versions, a file of a form, a number, a signature,
a report, another node."""
MAY_SEE = {
    "data_collector": {"mine"},
    "reviewer": {"mine", "theirs", "aside"},
    "coordinator": {"mine", "theirs", "aside", "entity"},
    "administrator": {"mine", "theirs", "aside", "entity", "elsewhere"},
    "stranger": {"elsewhere"},
}
DELETED_TOO = {"data_collector", "reviewer", "coordinator", "administrator"}
"""Who may look at a deleted record by its address; it is in no list."""


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with closing(Ground(tmp_path_factory.mktemp("access") / "data")) as opened:
        yield opened


TABLE = written_table()


def routes(ground: Ground) -> Iterator[tuple[str, Rule]]:
    """Every route for people and programs; phones' doors have another table below."""
    return ((method, rule) for method, rule in ground.rules() if not rule.endpoint.startswith((*PHONE_DOORS, "static")))


def in_table(ground: Ground) -> Iterator[tuple[str, Rule]]:
    """Those of the written table."""
    return ((method, rule) for method, rule in routes(ground) if not rule.endpoint.startswith(PROGRAM_DOORS))


def statuses(ground: Ground, reader: str) -> dict[tuple[str, str], int]:
    """What this reader gets at every route, where there is nothing."""
    asked = ground.reader(reader)
    found = {}
    for method, rule in in_table(ground):
        by = asked if method == "GET" else ground.reader(reader)  # some others end the session
        found[method, rule.rule] = by.open(filled(rule), method=method).status_code
    return found


def test_a25_every_route_has_a_line_in_the_table(ground: Ground) -> None:
    assert {(method, rule.rule) for method, rule in in_table(ground)} == set(TABLE)


@pytest.mark.parametrize("reader", READERS)
def test_a25_everybody_gets_what_the_table_says(ground: Ground, reader: str) -> None:
    assert statuses(ground, reader) == {route: line[reader] for route, line in TABLE.items()}


@pytest.mark.parametrize("reader", LOST)
def test_a25_whoever_lost_the_way_in_gets_what_nobody_gets(ground: Ground, reader: str) -> None:
    assert statuses(ground, reader) == {route: line["nobody"] for route, line in TABLE.items()}


@pytest.mark.parametrize("reader", READERS)
def test_a32_a_refusal_never_tells_whether_something_is_there(ground: Ground, reader: str) -> None:
    asked = ground.reader(reader)
    for rule in (rule for method, rule in routes(ground) if method == "GET"):
        is_own = "account" in rule.arguments and reader in MAY_SEE and reader != "stranger"  # nothing is another project there
        nothing = asked.get(filled(rule))
        if nothing.status_code in REFUSED and not is_own:
            something = asked.get(ground.address(rule, "theirs"))
            assert something.status_code == nothing.status_code, rule.rule
            if nothing.status_code == 403:  # others lead on to where one wanted to go
                assert something.get_data() == nothing.get_data(), rule.rule


@pytest.mark.parametrize("project", ["99", "99999999999999999999"])
def test_a32_a_project_that_is_not_there_looks_like_one_of_others(ground: Ground, project: str) -> None:
    asked = {reader: ground.reader(reader) for reader in READERS}
    for method, rule in in_table(ground):
        if "project_id" in rule.arguments:
            address = filled(rule).replace("/projects/1", f"/projects/{project}", 1)
            for reader in READERS if len(project) < 11 else ("administrator",):  # else it is no number of a project at all
                theirs = TABLE[method, rule.rule]["stranger" if reader != "nobody" else "nobody"]
                wanted = 404 if reader == "administrator" else theirs
                assert asked[reader].open(address, method=method).status_code == wanted, (reader, rule.rule)


@pytest.mark.parametrize("reader", READERS)
def test_a27_no_way_of_asking_gives_more_than_another(ground: Ground, reader: str) -> None:
    """HEAD, a part, and what is known already: all the same answer set, and no word of a record that may not be seen."""
    allowed, asked = MAY_SEE.get(reader, set()), ground.reader(reader)
    for rule in (rule for method, rule in routes(ground) if method == "GET"):
        for address, record in {ground.address(rule, record): record for record in RECORDS}.items():
            plain = asked.get(address)
            is_deleted = record == "deleted" and reader in DELETED_TOO and "instance_id" in rule.arguments
            visible = allowed | ({"deleted"} if is_deleted else set())
            assert words(plain) <= visible, address
            for headers in [{"Range": "bytes=0-"}, {"If-None-Match": plain.headers.get("ETag", "*")}] if record == "theirs" else []:
                other = asked.get(address, headers=headers)
                same = {200, 206, 304} if plain.status_code == 200 else {plain.status_code}
                assert other.status_code in same, (address, headers)
                assert words(other) <= visible, (address, headers)
                assert asked.head(address).status_code == plain.status_code, address


def test_a27_there_is_something_at_every_address_that_is_tried(ground: Ground) -> None:
    asked = ground.reader("administrator")
    tried = [rule for method, rule in routes(ground) if method == "GET" and rule.arguments and rule.endpoint not in HAS_NOTHING]
    found = {rule.rule: asked.get(ground.address(rule, "theirs")).status_code for rule in tried}
    assert found == dict.fromkeys(found, 200)


# what nobody may change

MISCHIEF = {
    "name": "intruder", "role": "administrator", "is_administrator": "1", "account_id": "1", "project": "1", "project_id": "2",
    "review_state": "approved", "state": "approved", "owner": "intruder", "actor": "somebody else", "do": "delete",
    "step": "approved",
    "account": "administrator", "language": "fa", "forms": "some", "form": "livestock_loss", "approval": "1", "comment": "x",
    "reviewState": "approved",
}  # fmt: skip


def contents(ground: Ground) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table but the sessions."""
    with ground.services.store.read() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in Base.metadata.sorted_tables
            if table.name != Session.__tablename__
        }


@pytest.mark.parametrize("reader", [*READERS, *LOST])
def test_a31_whoever_is_refused_changes_nothing_whatever_is_sent_along(ground: Ground, reader: str) -> None:
    column = "nobody" if reader in LOST else reader
    asked = ground.reader(reader)  # signs in, which is an event
    before = contents(ground)
    for method, rule in in_table(ground):
        if method != "GET" and TABLE[method, rule.rule][column] in {401, 403} and rule.rule != "/sign-in":
            for address in {filled(rule), ground.address(rule, "theirs")}:
                for body in ({"data": MISCHIEF}, {"json": MISCHIEF}):
                    assert asked.open(address, method=method, **body).status_code in {401, 403}, (method, address)
    assert contents(ground) == before


def test_a31_who_may_add_gives_no_more_than_the_form_on_the_page(ground: Ground) -> None:
    extra = {name: value for name, value in MISCHIEF.items() if name not in {"name", "role", "account", "language", "step"}}
    asked = ground.reader("coordinator")
    assert asked.post("/projects/1/phones", data={"name": "plain", "language": "en", **extra}).status_code == 200
    assert ground.reader("administrator").post("/people", data={"name": "plain", "role": "analyst", **extra}).status_code == 200
    report = "/projects/1/reports/livestock_loss/uuid:theirs"
    assert asked.post(f"{report}/review", data={"step": "comment", **extra}).status_code in {200, 303, 400}
    with ground.services.store.read() as connection:
        phone = connection.execute(select(AppUser.project_id, AppUser.account_id, AppUser.form_ids).filter_by(name="plain")).one()
        person = connection.execute(select(Account.id, Account.is_administrator).filter_by(name="plain")).one()
        roles = connection.execute(select(Membership.project_id, Membership.role).filter_by(account_id=person.id)).all()
        said = connection.execute(select(ReviewEvent.actor).where(ReviewEvent.action == "comment")).scalars().all()
        state = connection.execute(select(Submission.review_state).filter_by(instance_id="uuid:theirs")).scalar()
    assert tuple(phone) == (1, None, None)
    assert (person.is_administrator, [tuple(role) for role in roles]) == (False, [(1, "analyst")])
    assert set(said) <= {"coordinator"}
    assert state == "received"


# the doors of phones

CALLERS = ("own", "withdrawn", "unknown", "elsewhere")
"""A phone at its own door, one whose key was withdrawn, one with made-up secrets, and one of another project at this one's door."""
ANSWERS = {
    "by_token": {"withdrawn": 403, "unknown": 403, "elsewhere": 403},
    "by_account": {"withdrawn": 401, "unknown": 401, "elsewhere": 404},
    "by_password": {"withdrawn": 401, "unknown": 401},  # a password names its project: there is no elsewhere
    "by_pass": {"unknown": 403, "withdrawn": 403},
    "draft_door": {"unknown": 404, "elsewhere": 404, "withdrawn": 404},
}
OWN = {
    "formList": 200, "form.xml": 404, "manifest": 404, "<name>": 404, "<name>.csv": 404, "integrity": 404, "submission": 204,
}  # fmt: skip


def knock(ground: Ground, door: str, caller: str, method: str, rule: Rule) -> TestResponse:
    """This phone at this address of a door, where there is nothing but the lists."""
    keys = {name: user.token for name, user in ground.phones.items()}
    passes = {"own": ground.passes["coordinator"], "withdrawn": ground.passes["closed"]}
    secrets = {"by_token": keys, "by_pass": passes, "draft_door": {"own": ground.draft_key, "withdrawn": ground.old_draft_key}}
    secret = secrets.get(door, {}).get(caller, "x" * 64)
    values = {"project_id": 1, "token": secret, "reader": secret, "account": "project1", "form_id": "flock_count"}
    headers = {}
    if door in {"by_account", "by_password"}:
        login = ground.logins.get(caller)
        name, password = (login.username, login.password) if login else ("phone-nobody", "a guess")
        headers["Authorization"] = "Basic " + b64encode(f"{name}:{password}".encode()).decode()
    address = built(rule, {name: values.get(name, "nothing") for name in rule.arguments})
    return ground.app.test_client().open(
        address, method=method, headers=headers, environ_base={"REMOTE_ADDR": f"127.0.0.{next(_NUMBERS)}"}
    )


_NUMBERS = count(1)  # guessing is slowed by name and address: every knock comes from another


@pytest.mark.parametrize("caller", CALLERS)
def test_a25_every_address_for_phones_knows_who_knocks(ground: Ground, caller: str) -> None:
    for method, rule in ground.rules():
        door = rule.endpoint.partition(".")[0]
        if f"{door}." not in PHONE_DOORS or (caller != "own" and caller not in ANSWERS[door]):
            continue
        answer = knock(ground, door, caller, method, rule)
        if caller != "own":
            assert answer.status_code == ANSWERS[door][caller], (method, rule.rule, caller)
            assert ("WWW-Authenticate" in answer.headers) == (answer.status_code == 401)  # a33
            assert b"flock_count" not in answer.get_data()
        elif method == "GET":
            assert answer.status_code == OWN[rule.rule.rpartition("/")[2]], rule.rule
        else:
            assert answer.status_code == (403 if door == "by_pass" else 400), rule.rule  # nothing was sent


def test_a30_what_gives_many_records_at_once_gives_a_collector_their_own(ground: Ground) -> None:
    many = ("submissions", "submissions.csv.zip", ".svc/Submissions?$count=true")
    addresses = [f"/v1/projects/1/forms/livestock_loss{'' if one.startswith('.') else '/'}{one}" for one in many]
    addresses += ["/projects/1/", "/projects/1/map/points.json", f"/api/v2/assets/{uid_of(1, 'livestock_loss')}/data.json"]
    for address in addresses:
        text = ground.reader("data_collector").get(address).get_data()
        assert b"uuid:theirs" not in text, address
        assert case_number("uuid:theirs").encode() not in text, address
    counted = ground.reader("data_collector").get(addresses[2]).get_json()
    assert counted["@odata.count"] == 1
