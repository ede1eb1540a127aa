"""The page of the exchange: what a ranger and a coordinator see, in their language, and what they can do there."""

import html
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from forms.problems import Problem
from records.access import Access
from server import relaying, stick_places
from server.i18n import translator
from sync.person import erasing, finding
from sync.relay import link
from sync.relay.enrolment import PREFIX, REFUSALS
from sync.relay.scribes import scribe_of
from tests.support.pages import Site
from tests.support.records import loss, new_id
from tests.support.stores import PROJECT

HERE = f"/projects/{PROJECT}/relay"
EVERYTHING = Access.everything(PROJECT, "test")
PHOTO = b"\xff\xd8\xff" + bytes(4000)


class Wire:
    """Carries packets to the one site, as the network would."""

    site: Site

    def __init__(self, url: str) -> None:
        assert url.startswith("http://")

    def __call__(self, packet: bytes) -> bytes:
        answer: TestResponse = self.site.app.test_client().post("/relay/1", data=packet, headers={"Accept": "application/json"})
        if answer.status_code != 200:
            raise Problem(answer.json["code"], answer.json["detail"])
        return answer.data

    def close(self) -> None:
        """Nothing to let go of."""


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    made = Site(tmp_path / "hub", PUBLIC_URL="http://hub.example")
    monkeypatch.setattr(Wire, "site", made, raising=False)
    monkeypatch.setattr(link, "Link", Wire)
    yield made
    made.close()


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path / "station")
    yield made
    made.close()


def code_for(hub: Site, name: str) -> str:
    answer = hub.browser("coordinator").post(f"{HERE}/invite", data={"name": name})
    found = re.search(re.escape(PREFIX) + r"[\w-]+", html.unescape(answer.text))
    assert found
    return found[0]


def enrol(hub: Site, station: Site) -> None:
    answer = station.browser("coordinator").post(f"{HERE}/enrol", data={"code": code_for(hub, "Golestan")})
    assert answer.status_code == 303
    for each in (hub, station):  # as the leader does
        scribe_of(each.services.answerer(), PROJECT).run()


def text(site: Site, role: str = "coordinator", language: str = "en") -> str:
    return html.unescape(site.browser(role).get(f"{HERE}?lang={language}").text)


def test_a_station_joins_with_a_code_and_sees_when_all_is_safe(hub: Site, station: Site) -> None:
    enrol(hub, station)
    for _ in range(3):
        assert station.send(loss(new_id(), "1.jpg"), {"1.jpg": PHOTO}).status_code == 201
    before = text(station, "reviewer")
    assert "Safe here, not all of it at the hub yet" in before
    assert "Everything is safe" not in before
    relaying.meet(station.services, EVERYTHING)
    after = text(station, "reviewer")
    assert "Everything is safe at the hub" in after
    assert translator("fa")("Everything is safe at the hub") in text(station, language="fa")
    compared = html.unescape(station.browser("reviewer").get(f"{HERE}/nodes/{hub.services.answerer().me.node_id}").text)
    assert re.search(r'data-label="Here">3<.*data-label="There">3<', compared, re.DOTALL)
    station.send(loss(new_id()))
    scribe_of(station.services.answerer(), PROJECT).run()
    compared = html.unescape(station.browser("reviewer").get(f"{HERE}/nodes/{hub.services.answerer().me.node_id}").text)
    assert re.search(r'data-label="Here">4<.*data-label="There">3<', compared, re.DOTALL)
    assert "Everything is safe" not in text(station)
    hub.services.settler().run()
    of_hub = text(hub)
    assert "Golestan" in of_hub
    assert "Who brings reports here" in of_hub


def test_what_was_kept_aside_is_not_called_safe(hub: Site, station: Site) -> None:
    enrol(hub, station)
    assert station.send(loss(new_id()).replace(b"livestock_loss", b"never_published")).status_code == 404
    relaying.meet(station.services, EVERYTHING)
    shown = text(station)
    assert "Kept aside on this machine only, until a person settles it: 1." in shown
    assert "Everything is safe" not in shown


def test_a_code_works_once_and_a_wrong_one_is_explained(hub: Site, station: Site, tmp_path: Path) -> None:
    code = code_for(hub, "Golestan")
    browser = station.browser("coordinator")
    wrong = browser.post(f"{HERE}/enrol", data={"code": code[:-4]})
    assert wrong.status_code == 400
    assert "no code of a hub" in wrong.text
    assert browser.post(f"{HERE}/enrol", data={"code": f" {code[:40]}\n{code[40:]} "}).status_code == 303
    other = Site(tmp_path / "other")
    again = other.browser("coordinator").post(f"{HERE}/enrol", data={"code": code})
    assert again.status_code == 403
    assert "was used by another node" in again.text
    other.close()


def test_a_station_without_a_network_joins_by_stick(
    hub: Site, station: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stick = plugged_in(tmp_path, monkeypatch)
    code = code_for(hub, "Golestan")
    with monkeypatch.context() as cut:
        cut.setattr(link, "Link", link_that_is_down)
        assert station.browser("coordinator").post(f"{HERE}/enrol", data={"code": code}).status_code == 303
        with pytest.raises(Problem, match="no network"):
            relaying.meet(station.services, EVERYTHING)
    waits = text(station)
    assert "does not know this station" in waits
    assert hub.services.answerer().me.node_id in waits
    assert translator("fa")("Join a hub") in text(station, language="fa")  # another code may be needed
    station.send(loss(new_id()))
    use(station, stick, "write")
    assert "Golestan\u2069 has joined" in use(hub, stick, "read")
    use(hub, stick, "write")
    use(station, stick, "read")
    assert "does not know this station" not in text(station)
    assert "Everything is safe at the hub" in text(station)


def test_a_station_that_the_hub_refused_by_stick_is_told_why(
    hub: Site, station: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stick = plugged_in(tmp_path, monkeypatch)
    code = code_for(hub, "Golestan")
    other = Site(tmp_path / "other")
    other.browser("coordinator").post(f"{HERE}/enrol", data={"code": code})
    other.close()
    with monkeypatch.context() as cut:
        cut.setattr(link, "Link", link_that_is_down)
        station.browser("coordinator").post(f"{HERE}/enrol", data={"code": code})
    use(station, stick, "write")
    use(hub, stick, "read")
    assert "Carried on for others" in use(hub, stick, "write")
    use(station, stick, "read")
    for language in ("en", "fa"):
        shown, say = text(station, language=language), translator(language)
        assert say("The hub does not let this station in.") in shown
        assert say(REFUSALS["used"]) in shown


def link_that_is_down(url: str) -> "Wire":
    class Down(Wire):
        def __call__(self, packet: bytes) -> bytes:
            raise Problem("relay_unreachable", "There is no network.")

    return Down(url)


def plugged_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: str = "rw") -> Path:
    """A stick as the system shows it."""
    stick, mounts = tmp_path / "media" / "a stick", tmp_path / "mounts"
    stick.mkdir(parents=True)
    mounts.write_text(
        f"/dev/sdb1 {str(stick).replace(' ', chr(92) + '040')} vfat {options} 0 0\n/dev/sda1 / ext4 rw 0 0\n", encoding="utf-8"
    )
    monkeypatch.setattr(stick_places, "_MOUNTS", mounts)
    monkeypatch.setattr(stick_places, "_PLACES", (f"{tmp_path}/media/",))
    return stick


def use(site: Site, stick: Path, what: str) -> str:
    """What the page says when a stick is used."""
    answer = site.browser("coordinator").post(f"{HERE}/stick", data={"stick": str(stick), "what": what})
    assert answer.status_code == 200, answer.text
    return html.unescape(answer.text)


def test_a_stick_that_is_locked_is_offered_and_can_be_read(
    hub: Site, station: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrol(hub, station)
    relaying.meet(station.services, EVERYTHING)
    monkeypatch.setattr(stick_places, "_PLACES", (f"{tmp_path}/media/",))
    (locked := tmp_path / "media" / "locked").mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tulliana-test", str(locked)], check=True)
    try:
        station.send(loss(new_id()))
        use(station, locked, "write")
        subprocess.run(["mount", "-o", "remount,ro", str(locked)], check=True)
        assert str(locked) in text(hub)
        assert "Taken from the stick: 2 packets" in use(hub, locked, "read")
        refused = hub.browser("coordinator").post(f"{HERE}/stick", data={"stick": str(locked), "what": "write"})
        assert refused.status_code == 400
        assert "Take off its write protection" in refused.text
    finally:
        subprocess.run(["umount", "-l", str(locked)], check=True)


def test_a_revoked_station_is_told_so_and_can_bring_nothing(hub: Site, station: Site) -> None:
    enrol(hub, station)
    node_id = station.services.answerer().me.node_id
    assert hub.browser("coordinator").post(f"{HERE}/nodes/{node_id}/revoke").status_code == 303
    assert "Revoked; nothing of it is taken." in text(hub)
    station.send(loss(new_id()))
    with pytest.raises(Problem, match="was revoked here"):
        relaying.meet(station.services, EVERYTHING)


@pytest.mark.parametrize("role", ["data_collector", "reviewer"])
def test_whoever_sends_reports_sees_the_page_and_may_meet_but_not_change_who_is_met(hub: Site, station: Site, role: str) -> None:
    enrol(hub, station)
    browser = station.browser(role)
    assert browser.get(HERE).status_code == 200
    assert browser.post(f"{HERE}/invite", data={"name": "x"}).status_code == 403
    assert browser.post(f"{HERE}/stick", data={"stick": "/"}).status_code == 403
    assert "By stick" not in browser.get(HERE).text


def test_a_stick_is_written_and_read_by_the_page_and_no_other_folder(
    hub: Site, station: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stick = plugged_in(tmp_path, monkeypatch)
    enrol(hub, station)
    relaying.meet(station.services, EVERYTHING)
    instance = new_id()
    station.send(loss(instance, "1.jpg"), {"1.jpg": PHOTO})
    assert "The stick may be taken out" in use(station, stick, "write")
    assert "Taken from the stick" in use(hub, stick, "read")
    assert hub.browser("coordinator").get(f"/projects/{PROJECT}/reports/livestock_loss/{instance}").status_code == 200
    for folder in ("/", str(tmp_path), f"{stick}/.."):
        refused = station.browser("coordinator").post(f"{HERE}/stick", data={"stick": folder, "what": "write"})
        assert refused.status_code == 400


def test_a_coordinator_sees_what_a_station_erased_before_agreeing(hub: Site, station: Site) -> None:
    enrol(hub, station)
    instance = new_id()
    station.send(loss(instance, "1.jpg"), {"1.jpg": PHOTO})
    relaying.meet(station.services, EVERYTHING)
    hub.services.settler().run()
    where = (station.services.store, station.services.blobs, station.services.intake.schemas, EVERYTHING)
    erasing.erase(*where, finding.of_records(*where, [("livestock_loss", instance)]), "asked by letter")
    relaying.meet(station.services, EVERYTHING)
    hub.services.settler().run()
    browser = hub.browser("coordinator")
    (address,) = re.findall(rf'href="({HERE}/erasures/\w+)"', browser.get(HERE).text)
    shown = html.unescape(browser.get(f"{address}?lang=en").text)
    assert f"/reports/livestock_loss/{instance}" in shown
    goes, stays = shown.split("This stays")
    assert "Photos and files: 1" in goes
    assert "At \u2068Golestan\u2069 the person of this report was erased on" in goes
    assert "35.70010° N" in stays
    assert hub.browser("reviewer").get(address).status_code == 403
    assert browser.post(address).status_code == 303
    assert browser.get(address).status_code == 404
    assert "Erased at a station" not in text(hub)


def test_a_coordinator_leaves_a_hub_and_can_join_again(hub: Site, station: Site) -> None:
    enrol(hub, station)
    station.send(loss(new_id()))
    relaying.meet(station.services, EVERYTHING)
    assert "Leave this hub" not in text(station, "reviewer")
    browser = station.browser("coordinator")
    assert "Nothing is deleted here or at the hub" in html.unescape(browser.get(f"{HERE}?lang=en").text)
    left = browser.post(f"{HERE}/leave")
    assert left.status_code == 303
    shown = html.unescape(browser.get(f"{left.location}&lang=en").text)
    assert "This server goes to no hub now." in shown
    assert "Join a hub" in shown
    assert "Where this server brings its reports" not in shown
    assert browser.post(f"{HERE}/leave").status_code == 303
    with pytest.raises(Problem, match="goes to no hub"):
        relaying.meet(station.services, EVERYTHING)
    enrol(hub, station)
    relaying.meet(station.services, EVERYTHING)
    assert "Everything is safe at the hub" in text(station)
