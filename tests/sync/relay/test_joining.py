"""A station without any network joins its hub by a stick that goes there and back, and loses nothing meanwhile."""

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from forms.problems import Problem
from records.models import AuditEvent, Project, RelayInvite
from sync.relay import enrolment, sticks
from sync.relay.enrolment import PREFIX, Code
from sync.relay.leaving import leave
from sync.relay.messages import Peer, sealed
from sync.relay.projects import COUNTRY
from sync.relay.standing import Peer as Shown
from sync.relay.standing import standing
from sync.relay.stick_files import FOLDER
from tests.support.records import LOSS, loss, new_id
from tests.support.relay import Node
from tests.sync.relay.conftest import NewNode


@pytest.fixture
def hub(new_node: NewNode) -> Node:
    return new_node("hub", forms=[LOSS.read_bytes()])


@pytest.fixture
def lonely(new_node: NewNode) -> Node:
    """A station that no network reaches; it has the form of its own."""
    return new_node("lonely", forms=[LOSS.read_bytes()])


def unreachable(packet: bytes) -> bytes:
    raise Problem("relay_unreachable", "There is no network.")


def code_of(hub: Node, name: str = "Golestan") -> Code:
    return Code.read(str(enrolment.invite(hub.store, hub.me, hub.access, name, "http://hub.example:8383")))


def join(node: Node, code: Code) -> None:
    assert enrolment.join(node.store, node.me, node.access, code, "station", unreachable) is None


def write(node: Node, other: Node, stick: Path) -> None:
    sticks.write(node.answerer, node.peer(other), stick)


def bring(node: Node, stick: Path) -> sticks.Brought:
    brought = sticks.bring(node.answerer, stick)
    node.settle()
    return brought


def project_of(node: Node) -> str:
    with node.store.read() as connection:
        return str(connection.execute(select(Project.name)).scalar_one())


def upstream(node: Node) -> Shown:
    (peer,) = standing(node.answerer, node.access).peers
    return peer


def test_a_station_without_a_network_joins_by_a_stick_that_goes_there_and_back(hub: Node, lonely: Node, stick: Path) -> None:
    before, after = loss(new_id()), loss(new_id())
    lonely.receive(before)
    join(lonely, code_of(hub))
    assert (upstream(lonely).name, upstream(lonely).asked) == ("hub.example", True)
    lonely.receive(after)
    write(lonely, hub, stick)
    brought = bring(hub, stick)
    assert (brought.joined, brought.reasons) == (["Golestan"], [])
    assert hub.versions() == lonely.versions()
    assert len(hub.versions()) == 2
    write(hub, lonely, stick)
    assert not bring(lonely, stick).reasons
    assert sticks.bring(lonely.answerer, stick).counts.keys() == {"taken"}  # its own form is not waited for
    peer = upstream(lonely)
    assert (peer.name, peer.asked, peer.refused) == (project_of(hub), False, "")
    assert standing(lonely.answerer, lonely.access).safe
    write(lonely, hub, stick)
    assert not list(stick.rglob("0-*"))
    with lonely.store.read() as connection:
        assert "relay.join" in connection.execute(select(AuditEvent.action)).scalars().all()


def test_forms_come_back_on_the_stick_by_which_a_station_joined(hub: Node, new_node: NewNode, stick: Path) -> None:
    empty = new_node("empty")
    join(empty, code_of(hub))
    write(empty, hub, stick)
    bring(hub, stick)
    write(hub, empty, stick)
    bring(empty, stick)
    empty.settle()
    empty.receive(loss(new_id()))
    assert len(empty.records()) == 1


def test_a_station_that_waits_asks_by_itself_once_the_hub_can_be_reached(hub: Node, lonely: Node) -> None:
    join(lonely, code_of(hub))
    with pytest.raises(Problem, match="There is no network"):
        enrolment.ask_again(lonely.store, lonely.me, lonely.peer(hub), unreachable)
    enrolment.ask_again(lonely.store, lonely.me, lonely.peer(hub), hub.answerer.answer)
    assert not upstream(lonely).asked
    lonely.receive(loss(new_id()))
    assert lonely.meet(hub).safe
    enrolment.ask_again(lonely.store, lonely.me, lonely.peer(hub), unreachable)  # it has nothing to ask


def test_a_stick_that_is_read_again_or_was_lost_joins_nobody_twice(hub: Node, lonely: Node, stick: Path, tmp_path: Path) -> None:
    join(lonely, code_of(hub))
    lonely.receive(loss(new_id()))
    (lost := tmp_path / "lost").mkdir()
    write(lonely, hub, lost)
    write(lonely, hub, stick)
    for each in (stick, stick, lost):
        assert not bring(hub, each).reasons
    assert len(standing(hub.answerer, hub.access).peers) == 1
    assert len(hub.versions()) == 1
    write(hub, lonely, stick)
    for _ in range(2):
        assert not bring(lonely, stick).reasons
    assert not upstream(lonely).asked


def test_the_second_who_uses_a_code_is_told_so_by_stick_and_loses_nothing(
    hub: Node, lonely: Node, new_node: NewNode, stick: Path
) -> None:
    code, second = code_of(hub), new_node("second")
    second.publish(LOSS.read_bytes())
    join(lonely, code)
    join(second, code)
    second.receive(loss(new_id()))
    write(lonely, hub, stick)
    bring(hub, stick)
    write(second, hub, stick)
    brought = bring(hub, stick)
    assert any("was used by another node" in reason for reason in brought.reasons)
    bring(hub, stick)
    assert hub.versions() == set()
    sticks.hand_on(hub.answerer, stick)
    assert len(list((stick / FOLDER / second.me.node_id).rglob("*.tul"))) == 1
    bring(second, stick)
    assert (upstream(second).asked, upstream(second).refused) == (False, "used")
    assert upstream(lonely).refused == ""
    join(second, code_of(hub, "Golestan 2"))
    assert upstream(second).refused == ""
    bring(second, stick)  # the refusal of the other code says nothing of this one
    assert upstream(second).asked
    write(second, hub, stick)
    assert "Golestan 2" in bring(hub, stick).joined
    assert hub.versions() == second.versions()
    write(hub, second, stick)
    bring(second, stick)
    assert not upstream(second).asked


@pytest.mark.parametrize("why", ["old", "unknown"])
def test_a_code_that_ran_out_or_is_forgotten_is_told_by_stick(hub: Node, lonely: Node, stick: Path, why: str) -> None:
    join(lonely, code_of(hub))
    write(lonely, hub, stick)
    change = {"until": datetime.now(UTC) - timedelta(days=1)} if why == "old" else {"secret_sha256": "0" * 64}
    hub.store.write(lambda connection: connection.execute(update(RelayInvite).values(**change)))
    brought = bring(hub, stick)
    assert brought.counts["refused"]
    assert not standing(hub.answerer, hub.access).peers
    sticks.hand_on(hub.answerer, stick)
    bring(lonely, stick)
    assert upstream(lonely).refused == why


def test_a_stick_that_was_intercepted_shows_and_grants_nothing(hub: Node, lonely: Node, new_node: NewNode, stick: Path) -> None:
    code = code_of(hub)
    join(lonely, code)
    lonely.receive(loss(new_id(), remarks="behind the shrine"))
    write(lonely, hub, stick)
    content = b"".join(path.read_bytes() for path in stick.rglob("*.tul"))
    for secret in (code.secret, "behind the shrine", str(code)):
        assert secret.encode() not in content
    thief = new_node("thief")
    join(thief, code_of(hub, "other"))
    (asked,) = stick.rglob("0-*")
    mine = base64.b64decode(enrolment.asked(thief.peer(hub))["packet"])  # type: ignore[index]
    heading = mine[:33]
    asked.write_bytes(heading + asked.read_bytes()[33:])
    brought = bring(hub, stick)
    assert brought.joined == []
    assert not standing(hub.answerer, hub.access).peers


def test_a_refusal_that_the_hub_did_not_sign_is_not_believed(hub: Node, lonely: Node, new_node: NewNode) -> None:
    join(lonely, code_of(hub))
    packet = forged_refusal(new_node("thief"), hub, lonely)
    with pytest.raises(Problem):
        lonely.answerer.hear(packet)
    assert upstream(lonely).asked


def forged_refusal(thief: Node, hub: Node, station: Node) -> bytes:
    """A refusal that somebody else made in the name of the hub."""
    waits = enrolment.asked(station.peer(hub))
    assert waits
    packet = sealed(
        thief.me,
        Peer.of(station.me.verify_key, station.me.seal_key),
        {"type": "refused", "nonce": waits["nonce"], "why": "used"},
    )
    return packet.replace(bytes.fromhex(thief.me.node_id), bytes.fromhex(hub.me.node_id), 1)


def test_a_code_is_signed_by_the_hub_so_that_no_letter_of_it_can_be_changed(hub: Node, new_node: NewNode) -> None:
    code = code_of(hub)
    text = str(code)
    for at in range(len(PREFIX), len(text) - 1, 7):
        changed = text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]
        with pytest.raises(Problem, match="no code of a hub"):
            Code.read(changed)
    thief = new_node("thief")
    swapped = Code(code.url, code.verify_key, thief.me.seal_key, code.project, code.secret, code.role).signed(thief.me)
    with pytest.raises(Problem, match="no code of a hub"):
        Code.read(str(swapped))
    assert Code.read(f" {text[:60]}\n {text[60:]} ") == code


def test_who_took_the_code_of_a_wrong_hub_leaves_it_unanswered_and_joins_the_right_one(
    hub: Node, lonely: Node, new_node: NewNode, stick: Path
) -> None:
    lonely.receive(loss(new_id()))
    wrong = new_node("wrong")
    join(lonely, code_of(wrong))
    write(lonely, wrong, stick)
    leave(lonely.store, lonely.access)
    join(lonely, code_of(hub))
    write(lonely, hub, stick)
    assert bring(hub, stick).joined == ["Golestan"]
    assert hub.versions() == lonely.versions()
    write(hub, lonely, stick)
    bring(lonely, stick)
    assert standing(lonely.answerer, lonely.access).safe


def test_a_hub_of_a_country_does_not_join_without_being_answered(hub: Node, new_node: NewNode) -> None:
    code = enrolment.invite(hub.store, hub.me, hub.access, "Iran", "http://range", role=COUNTRY, grants=("shared:IR",))
    country = new_node("country")
    with pytest.raises(Problem, match="There is no network"):
        enrolment.join(country.store, country.me, country.access, code, "Iran", unreachable)
    assert not standing(country.answerer, country.access).peers
