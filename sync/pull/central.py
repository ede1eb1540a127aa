"""Pulling from ODK Central (API v1, OData): forms with versions and files, records with theirs, edits, review states, comments.

What is new since the last pull is asked for by `submissionDate` and `updatedAt`; records whose files were not all there are asked
for again by name. Drafts and their test records are never asked for.
"""

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple
from urllib.parse import quote

from forms.problems import Problem
from sync.delivery import ReceivedFile, same_name
from sync.pull import progress
from sync.pull.client import Client, Missing
from sync.pull.definitions import Definition, close_new, known_versions, publish_missing
from sync.pull.lists import Lists
from sync.pull.naming import Names
from sync.pull.receiving import Receiver, Said, Tally, moment
from sync.pull.walk import Json, pages

_MOST_INCOMPLETE = 5000
_NEW = ("submissionDate", "updatedAt")
_NO_VERSION = "___"


class _Version(NamedTuple):
    """A version of a record there: its id, when it came and from which device."""

    instance_id: str
    at: str
    device_id: str


class Central:
    """One project of one ODK Central."""

    def __init__(self, receiver: Receiver, client: Client, project: int) -> None:
        self._receiver, self._client = receiver, client
        self._project = f"/v1/projects/{project}"

    def pull(self, only: Collection[str] = ()) -> Tally:
        """Pull these forms (none named: all). Raises `Problem` "source_failed", "not_found"; what came until then is kept."""
        listed: list[Json] = self._required(f"{self._project}/forms")
        forms = [form for form in listed if form.get("publishedAt") and (not only or form["xmlFormId"] in only)]
        if unknown := set(only) - {form["xmlFormId"] for form in forms}:
            raise Problem("not_found", f"{self._client.base} has no form {', '.join(sorted(unknown))} that is published.")
        lists = Lists(self._receiver, self._client, self._project)
        lists.make(only)
        for form in forms:
            self._form(form["xmlFormId"], is_open=form.get("state", "open") == "open")
            self._records(form["xmlFormId"])
        lists.pull()
        self._receiver.finish(f"{self._client.base}{self._project}")
        return self._receiver.tally

    def _required(self, path: str) -> Any:
        try:
            return self._client.json(path)
        except Missing as error:
            text = f"{self._client.base}{path}: {error}."
            raise Problem("not_found", text, hint="Check the address and --source-project.") from None

    def _form(self, form_id: str, *, is_open: bool) -> None:
        form = self._at(form_id)
        versions = [each.get("version") or "" for each in self._required(f"{form}/versions")]
        known = known_versions(self._receiver, form_id)
        missing = [version for version in reversed(versions) if version not in known]
        found = []
        for version in missing:
            here = f"{form}/versions/{_segment(version or _NO_VERSION)}"
            try:
                found.append(Definition(self._client.content(f"{here}.xml"), self._media(here, form)))
            except Missing as error:
                self._receiver.tally.tell(f"{form_id}, version “{version}”: it cannot be had ({error})")
        publish_missing(self._receiver, form_id, found, has_newest=bool(versions) and versions[0] in missing)
        if not known and not is_open:
            close_new(self._receiver, form_id)

    def _media(self, version: str, form: str) -> dict[str, bytes]:
        """The files of a version; those of the current one from a server that does not keep them by version. A list is no file."""
        for place in (version, form):
            try:
                listed: list[Json] = self._client.json(f"{place}/attachments")
                names = [file["name"] for file in listed if file.get("exists") and not file.get("datasetExists")]
                return {name: self._client.content(f"{place}/attachments/{_segment(name)}") for name in names}
            except Missing:
                continue
        return {}

    def _records(self, form_id: str) -> None:
        store, project_id = self._receiver.store, self._receiver.access.project_id
        address = f"{self._client.base}{self._at(form_id)}"
        state = progress.load(store, project_id, address)
        incomplete: dict[str, None] = dict.fromkeys(state.get("incomplete", []))
        for instance_id in list(incomplete):
            self._kept(form_id, instance_id, None, incomplete)
        for page in pages(self._client, f"{self._at(form_id)}.svc/Submissions", _NEW, state, only="__id,__system"):
            for row in page.rows:
                self._kept(form_id, row["__id"], row.get("__system") or {}, incomplete)
            progress.save(store, project_id, address, {**page.state, "incomplete": list(incomplete)[-_MOST_INCOMPLETE:]})
        self._receiver.tally.counts["incomplete"] += len(incomplete)

    def _kept(self, form_id: str, instance_id: str, system: Json | None, incomplete: dict[str, None]) -> None:
        """One record as it is there now; `system` is None for one whose files are asked for again."""
        incomplete.pop(instance_id, None)
        record = f"{self._at(form_id)}/submissions/{_segment(instance_id)}"
        try:
            if not self._versions(form_id, instance_id, record, system):
                incomplete[instance_id] = None
            if system is not None:
                self._receiver.decided(form_id, instance_id, system.get("reviewState") or "received", self._comments(record))
        except Missing as error:
            if error.is_gone:  # deleted since it was listed; nothing is deleted here
                self._receiver.tally.tell(f"{form_id}, {instance_id}: it is gone there; what is here stays")
            else:
                incomplete[instance_id] = None
                self._receiver.tally.tell(f"{form_id}, {instance_id}: it cannot be had now ({error}); the next pull asks again")

    def _versions(self, form_id: str, instance_id: str, record: str, system: Json | None) -> bool:
        """Take the versions in, the oldest first; whether all files of the last one came."""
        said = system or {}
        versions = [_Version(instance_id, said.get("submissionDate") or "", said.get("deviceId") or "")]
        if system is None or said.get("edits"):
            listed: list[Json] = self._client.json(f"{record}/versions")
            versions = [
                _Version(each["instanceId"], each.get("createdAt") or "", each.get("deviceId") or "") for each in listed[::-1]
            ]
        for version in versions[:-1]:
            if self._receiver.holds(form_id, version.instance_id) is None:
                self._earlier(form_id, version, f"{record}/versions/{_segment(version.instance_id)}")
        last = versions[-1]
        present = self._receiver.holds(form_id, last.instance_id)
        has_none = said.get("attachmentsExpected") == said.get("attachmentsPresent") == 0
        files: list[Json] = [] if has_none else self._client.json(f"{record}/attachments")
        there = [file["name"] for file in files if file.get("exists")]
        new = [name for name in there if same_name(name) not in (present or ())]
        came = self._take(form_id, last, record, new) if present is None or new else 0
        return len(files) == len(there) - len(new) + came

    def _earlier(self, form_id: str, version: _Version, record: str) -> None:
        """Take in an earlier version with the files it had, as far as that server still gives them."""
        try:
            files: list[Json] = self._client.json(f"{record}/attachments")
        except Missing:
            files = []
        self._take(form_id, version, record, [file["name"] for file in files if file.get("exists")])

    def _take(self, form_id: str, version: _Version, record: str, files: Collection[str]) -> int:
        """Take in one version with these files; how many of them came."""
        xml = self._client.content(f"{record}.xml")
        names, received, where = Names(xml), list[ReceivedFile](), f"{form_id}, {version.instance_id}"
        for name in files:
            try:
                with self._client.chunks(f"{record}/attachments/{_segment(name)}") as chunks:
                    received.append(self._receiver.file(names.of(name), chunks))
            except Missing as error:
                self._receiver.tally.tell(f"{where}: the file {name} cannot be had ({error})")
        self._receiver.take(xml, received, where=where, device_id=version.device_id, at=moment(version.at))
        return len(received)

    def _comments(self, record: str) -> Iterator[Said]:
        listed: list[Json] = self._client.json(f"{record}/comments")
        for each in reversed(listed):
            who = (each.get("actor") or {}).get("displayName") or each.get("actorName") or str(each.get("actorId") or "")
            yield Said(each.get("body") or "", who, each.get("createdAt") or "")

    def _at(self, form_id: str) -> str:
        return f"{self._project}/forms/{_segment(form_id)}"


def _segment(text: str) -> str:
    return quote(text, safe="")
