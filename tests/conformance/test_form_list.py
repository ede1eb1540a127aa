"""7.2 of the client contract: the form list."""

import re
import threading
import uuid
from pathlib import Path

import pytest

from tests.conformance.conftest import Site, make_site
from tests.support.collect import Collect, md5
from tests.support.openrosa import Refused
from tests.support.records import FLOCK, renamed


def publish(site: Site, folder: Path, form: bytes, name: str = "form.xml") -> None:
    path = folder / name
    path.write_bytes(form)
    site.server.publish(path)


def test_t021_t022_t025_a_phone_reads_the_list(any_phone: Collect) -> None:
    forms = {form.form_id: form for form in any_phone.form_list()}
    assert {"flock_count", "livestock_loss", "village_visit"} <= set(forms)
    assert forms["livestock_loss"].name == "ثبت تلفات دام"
    assert all(re.fullmatch("[0-9a-f]{32}", form.hash or "") for form in forms.values())


def test_t026_the_hash_is_of_the_bytes_served(any_phone: Collect) -> None:
    for form in any_phone.form_list():
        assert md5(any_phone.get(form.download_url).body) == form.hash


def test_t026_what_is_served_is_what_was_published(phone: Collect) -> None:
    served = {offer.form.form_id: phone.download(offer).xml for offer in phone.refresh()}
    assert served["flock_count"] == FLOCK.read_bytes()


def test_t027_t028_only_forms_with_media_have_a_manifest(phone: Collect) -> None:
    forms = {form.form_id: form for form in phone.form_list()}
    assert forms["flock_count"].manifest_url is None
    assert forms["livestock_loss"].manifest_url is None
    assert len(phone.manifest(forms["village_visit"])) == 2


def test_t029_nothing_is_listed_empty(site: Site) -> None:
    assert not re.findall(rb"<(\w+)\s*/>|<(\w+)></\2>", site.get().body)


def test_t023_t024_a_form_without_title_or_version(site: Site, tmp_path: Path, phone: Collect) -> None:
    bare = renamed(FLOCK, "bare_form").replace(b' version="2026050201"', b"")
    publish(site, tmp_path, bare)
    listed = next(offer for offer in phone.refresh() if offer.form.form_id == "bare_form")
    assert listed.form.version is None
    assert phone.download(listed).version is None


@pytest.mark.parametrize("form_id", ["a b.c", "گله-شماری", "a+b", "50%25", "x&y='z'", "a/b", "q?r#s"])
def test_t030_unusual_form_ids_work_to_the_end(site: Site, tmp_path: Path, any_phone: Collect, form_id: str) -> None:
    escaped = form_id.replace("&", "&amp;")
    publish(site, tmp_path, renamed(FLOCK, escaped))
    offer = next(offer for offer in any_phone.refresh() if offer.form.form_id == form_id)
    assert offer.form.download_url.isascii()
    assert any_phone.download(offer).form_id == form_id


def test_t031_names_with_markup_and_direction_marks(site: Site, tmp_path: Path, phone: Collect) -> None:
    publish(site, tmp_path, renamed(FLOCK, "marked", title="A &amp; B &lt;b&gt; \"q\" 'p' \u202bراست\u202c \u200cنیم"))
    listed = next(form for form in phone.form_list() if form.form_id == "marked")
    assert listed.name == "A & B <b> \"q\" 'p' \u202bراست\u202c \u200cنیم"


def test_t032_t046_a_new_version_replaces_the_old_entry_at_once(site: Site, tmp_path: Path) -> None:
    publish(site, tmp_path, renamed(FLOCK, "moving", version="1"))
    seen: list[str | None] = []
    done = threading.Event()

    def watch() -> None:
        phone = site.phone()
        while not done.is_set():
            versions = [form.version for form in phone.form_list() if form.form_id == "moving"]
            seen.append(versions[0] if len(versions) == 1 else repr(versions))

    watcher = threading.Thread(target=watch)
    watcher.start()
    publish(site, tmp_path, renamed(FLOCK, "moving", version="2"))
    done.set()
    watcher.join()
    listed = [form for form in site.phone().form_list() if form.form_id == "moving"]
    assert [form.version for form in listed] == ["2"]
    assert set(seen) <= {"1", "2"}
    assert sorted(seen, key=str) == seen  # never back to the old one


def test_t037_a_wrong_token_is_403_and_never_an_empty_list(site: Site) -> None:
    phone = Collect(site.url.replace(site.token, "A" * len(site.token)))
    with pytest.raises(Refused) as refusal:
        phone.form_list()
    assert refusal.value.status == 403


def test_t037_an_unknown_project_is_403_too(site: Site) -> None:
    with pytest.raises(Refused) as refusal:
        Collect(site.url.removesuffix("/1") + "/999").form_list()
    assert refusal.value.status == 403


def test_t039_form_id_picks_one_or_none(site: Site) -> None:
    assert re.findall(rb"<formID>(.*?)</formID>", site.get("/formList?formID=flock_count").body) == [b"flock_count"]
    nothing = site.get("/formList?formID=FLOCK_COUNT")
    assert nothing.status == 200
    assert b"<xform>" not in nothing.body


def test_t040_a_pasted_trailing_slash_works(site: Site) -> None:
    assert Collect(site.url + "/").form_list()
    assert Collect(site.url + "///").form_list()


def test_t041_t063_the_list_and_the_manifest_are_always_asked_for_again(site: Site, phone: Collect) -> None:
    manifest = next(form.manifest_url for form in phone.form_list() if form.manifest_url)
    for answer in (site.get(), site.get(manifest)):
        assert "no-cache" in answer.headers["cache-control"]
        assert answer.headers["etag"]
        assert "last-modified" not in answer.headers


def test_t042_an_equal_etag_is_304_without_body(site: Site) -> None:
    for etag in (site.get().headers["etag"], "W/" + site.get().headers["etag"].removeprefix("W/")):
        answer = site.get(If_None_Match=etag)
        assert (answer.status, answer.body) == (304, b"")
    assert site.get(If_None_Match='"something-else"').status == 200


@pytest.mark.parametrize("since", ["Sat, 02 May 2099 03:07:09 GMT", "Thu, 01 Jan 1970 00:00:00 GMT", "nonsense"])
def test_t043_if_modified_since_is_ignored(site: Site, since: str) -> None:
    answer = site.get(If_Modified_Since=since)
    assert answer.status == 200
    assert answer.body == site.get().body


def test_t044_nothing_changed_means_the_same_bytes(site: Site) -> None:
    assert site.get().body == site.get().body


def test_t042_what_was_unchanged_is_told_again_as_soon_as_it_changes(site: Site, tmp_path: Path) -> None:
    """The list a phone has is good for it alone, and only while nothing about it changes."""
    name = f"careful {uuid.uuid4()}"
    own = make_site(site.server, name)
    other = make_site(site.server, f"other {uuid.uuid4()}")
    form_id = f"f{uuid.uuid4().hex}"
    (tmp_path / "form.xml").write_bytes(renamed(FLOCK, form_id))
    site.server.publish(tmp_path / "form.xml")

    def ask(asking: Site, **headers: str) -> tuple[int, str]:
        answer = asking.get(**headers)
        return answer.status, answer.headers.get("etag", "")

    tag = ask(own)[1]
    assert [ask(own, If_None_Match=tag)[0] for _ in range(3)] == [304] * 3
    assert ask(other, If_None_Match=tag)[0] == 200  # its addresses hold another key
    assert ask(own, If_None_Match=tag, Host="station.example:80")[0] == 200
    assert own.get(f"/formList?formID={form_id}", If_None_Match=tag).status == 200
    for change in (
        ("form", "close", form_id),
        ("form", "reopen", form_id),
        ("app-user", "forms", name, "flock_count"),
        ("app-user", "forms", name, "--all"),
        ("app-user", "rotate", name, "--json"),
    ):
        assert site.server.here(*change)[0] == 0
        status, new_tag = ask(own, If_None_Match=tag)
        assert status == (403 if "rotate" in change else 200)
        assert new_tag != tag
        tag = new_tag
    site.server.here("app-user", "revoke", name)
    assert ask(own, If_None_Match=tag)[0] == 403
