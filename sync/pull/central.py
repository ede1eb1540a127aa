"""Pulling from ODK Central (API v1, OData): forms with versions and files, records with theirs, edits, review states, comments.

What is new since the last pull is asked for by `submissionDate` and `updatedAt`, by that server's clock and with an overlap of ten
minutes; records whose files were not all there are asked for again by name. Drafts and their test records are never asked for.
"""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from forms.problems import Problem
from sync.delivery import ReceivedFile, same_name
from sync.pull import progress
from sync.pull.client import Client, Missing, following
from sync.pull.definitions import Definition, known_versions, publish_missing
from sync.pull.naming import Names
from sync.pull.receiving import Receiver, Said, Tally, moment

OVERLAP = timedelta(minutes=10)
_PAGE = 250
_MOST_INCOMPLETE = 5000
_NO_VERSION = "___"
Json = dict[str, Any]


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
        for form in forms:
            self._form(form["xmlFormId"])
            self._records(form["xmlFormId"])
        self._receiver.finish(f"{self._client.base}{self._project}")
        return self._receiver.tally

    def _required(self, path: str) -> Any:
        try:
            return self._client.json(path)
        except Missing as error:
            text = f"{self._client.base}{path}: {error}."
            raise Problem("not_found", text, hint="Check the address and --source-project.") from None

    def _form(self, form_id: str) -> None:
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

    def _media(self, version: str, form: str) -> dict[str, bytes]:
        """The files of a version; those of the current one from a server that does not keep them by version."""
        for place in (version, form):
            try:
                listed: list[Json] = self._client.json(f"{place}/attachments")
                names = [file["name"] for file in listed if file.get("exists")]
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
        for page, after, started in self._pages(form_id, state):
            for row in page:
                self._kept(form_id, row["__id"], row.get("__system") or {}, incomplete)
            waiting = list(incomplete)[-_MOST_INCOMPLETE:]
            now = {"since": state.get("since"), "started": started, "after": after} if after else {"since": started}
            progress.save(store, project_id, address, {**now, "incomplete": waiting})
        self._receiver.tally.counts["incomplete"] += len(incomplete)

    def _pages(self, form_id: str, state: Json) -> Iterator[tuple[list[Json], dict[str, str] | None, str]]:
        """The pages from where the last pull broke off, else of what is new: rows, the query of the next page, when it began."""
        table = f"{self._at(form_id)}.svc/Submissions"
        query: dict[str, str] | None = state.get("after") or _of_new(state.get("since"))
        started: str = state.get("started", "") if state.get("after") else ""
        while query is not None:
            try:
                page = self._client.json(table, query)
            except Missing as error:
                if query is not state.get("after"):
                    raise Problem("source_failed", f"{self._client.base}{table}: {error}.") from None
                query, started = _of_new(state.get("since")), ""  # that server knows the place no more
                continue
            started = started or (self._client.moment - OVERLAP).strftime("%Y-%m-%dT%H:%M:%S.000Z")
            query = following(page.get("@odata.nextLink"))
            yield page["value"], query, started

    def _kept(self, form_id: str, instance_id: str, system: Json | None, incomplete: dict[str, None]) -> None:
        """One record as it is there now; `system` is None for one whose files are asked for again."""
        incomplete.pop(instance_id, None)
        record = f"{self._at(form_id)}/submissions/{_segment(instance_id)}"
        try:
            is_edited, at = system is None or bool(system.get("edits")), moment((system or {}).get("submissionDate") or "")
            if not self._versions(form_id, instance_id, record, at, is_edited=is_edited):
                incomplete[instance_id] = None
            if system is not None:
                self._receiver.decided(form_id, instance_id, system.get("reviewState") or "received", self._comments(record))
        except Missing as error:
            if error.is_gone:  # deleted since it was listed; nothing is deleted here
                self._receiver.tally.tell(f"{form_id}, {instance_id}: it is gone there; what is here stays")
            else:
                incomplete[instance_id] = None
                self._receiver.tally.tell(f"{form_id}, {instance_id}: it cannot be had now ({error}); the next pull asks again")

    def _versions(self, form_id: str, instance_id: str, record: str, at: datetime | None, *, is_edited: bool) -> bool:
        """Take the versions in, the oldest first; whether all files of the last one came."""
        ids = [instance_id]
        if is_edited:
            listed: list[Json] = self._client.json(f"{record}/versions")
            ids = [each["instanceId"] for each in reversed(listed)]
        for version in ids[:-1]:
            if self._receiver.holds(form_id, version) is None:
                self._take(form_id, version, f"{record}/versions/{_segment(version)}.xml", (), at)
        present = self._receiver.holds(form_id, ids[-1])
        files: list[Json] = self._client.json(f"{record}/attachments")
        there = [file["name"] for file in files if file.get("exists")]
        new = [name for name in there if same_name(name) not in (present or ())]
        came = 0
        if present is None or new:
            wanted = [(name, f"{record}/attachments/{_segment(name)}") for name in new]
            came = self._take(form_id, ids[-1], f"{record}.xml", wanted, at)
        return len(files) == len(there) - len(new) + came

    def _take(self, form_id: str, version: str, address: str, files: Collection[tuple[str, str]], at: datetime | None) -> int:
        """Take in one version with these files (name, address); how many of them came."""
        xml = self._client.content(address)
        names, received = Names(xml), list[ReceivedFile]()
        for name, place in files:
            try:
                with self._client.chunks(place) as chunks:
                    received.append(self._receiver.file(names.of(name), chunks))
            except Missing as error:
                self._receiver.tally.tell(f"{form_id}, {version}: the file {name} cannot be had ({error})")
        self._receiver.take(xml, received, where=f"{form_id}, {version}", at=at)
        return len(received)

    def _comments(self, record: str) -> Iterator[Said]:
        listed: list[Json] = self._client.json(f"{record}/comments")
        for each in reversed(listed):
            who = (each.get("actor") or {}).get("displayName") or each.get("actorName") or str(each.get("actorId") or "")
            yield Said(each.get("body") or "", who, each.get("createdAt") or "")

    def _at(self, form_id: str) -> str:
        return f"{self._project}/forms/{_segment(form_id)}"


def _of_new(since: str | None) -> dict[str, str]:
    """What came or changed since then: a record that nobody touched has no `updatedAt`."""
    query = {"$top": str(_PAGE), "$select": "__id,__system"}
    return query | ({"$filter": f"__system/submissionDate ge {since} or __system/updatedAt ge {since}"} if since else {})


def _segment(text: str) -> str:
    return quote(text, safe="")
