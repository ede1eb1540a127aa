"""Pulling from KoBoToolbox (API v2): forms with their versions, records with their files, edits, validation statuses.

KoBoToolbox does not tell what changed since a day, and an edited record keeps its number. So every pull looks at all records, a
thousand to a page and only at what tells them apart, and fetches what is not here. A pull that broke off goes on where it was.

Records bear the name of their version ("3 (2026-05-02 10:00:00)") and its id, `__version__`; only the latter leads to the version.
So a version is fetched when the first record of it comes. Old forms have another id in their records than in the form.
"""

import json
from collections.abc import Collection, Iterator
from typing import Any
from urllib.parse import quote

from forms.problems import Problem
from forms.submission import Submission, identify
from forms.xlsform import convert, convert_workbook
from forms.xml import local_name, text_of
from sync.delivery import ReceivedFile, same_name
from sync.pull import progress
from sync.pull.client import Client, Missing, following
from sync.pull.definitions import Definition, known_versions, publish_missing
from sync.pull.kobo_content import VERSION, workbook
from sync.pull.naming import Names
from sync.pull.receiving import Receiver, Tally, moment

STATES = {
    "validation_status_approved": "approved",
    "validation_status_not_approved": "rejected",
    "validation_status_on_hold": "hasIssues",
}
_PAGE = 1000  # KoBoToolbox gives no more
_ASSETS = "/api/v2/assets/"
_FIELDS = ["_id", "_uuid", "meta/instanceID", "_submission_time", "_validation_status", "_attachments"]
Json = dict[str, Any]


class Kobo:
    """One account of one KoBoToolbox."""

    def __init__(self, receiver: Receiver, client: Client) -> None:
        self._receiver, self._client = receiver, client
        self._asked: set[tuple[str, str]] = set()
        """The versions of forms that were looked for."""

    def pull(self, only: Collection[str] = ()) -> Tally:
        """Pull these assets by uid (none named: all that are deployed). Raises `Problem` "source_failed", "not_found"."""
        assets = [asset for asset in self._assets() if asset.get("has_deployment") and (not only or asset["uid"] in only)]
        if unknown := set(only) - {asset["uid"] for asset in assets}:
            raise Problem("not_found", f"{self._client.base} has no deployed form {', '.join(sorted(unknown))}.")
        for asset in assets:
            uid = asset["uid"]
            form_id = self._form(uid)
            self._records(uid, form_id)
        self._receiver.finish(self._client.base)
        return self._receiver.tally

    def _assets(self) -> Iterator[Json]:
        query: dict[str, str] | None = {"asset_type": "survey", "format": "json", "limit": "100"}
        while query is not None:
            page = self._listed(_ASSETS, query)
            yield from page["results"]
            query = following(page.get("next"))

    def _listed(self, path: str, query: dict[str, str]) -> Json:
        try:
            page: Json = self._client.json(path, query)
        except Missing as error:
            raise Problem("source_failed", f"{self._client.base}{path}: {error}.") from None
        return page

    def _form(self, uid: str) -> str:
        """Publish the form as it is deployed now, unless it is here; its id."""
        try:
            xform = self._client.content(f"{_ASSETS}{quote(uid)}.xml")
            form_id = convert(xform, f"{uid}.xml").form_id
            media = self._media(uid)
        except (Missing, Problem) as problem:
            self._receiver.tally.tell(f"{uid}: its form cannot be taken over ({problem}); publish it by hand")
            return uid
        publish_missing(self._receiver, form_id, [Definition(xform, media)], has_newest=True)
        return form_id

    def _media(self, uid: str) -> dict[str, bytes]:
        page = self._listed(f"{_ASSETS}{quote(uid)}/files/", {"format": "json", "file_type": "form_media"})
        found = ((file.get("metadata") or {}, file.get("content")) for file in page["results"])
        return {about["filename"]: self._client.content(place) for about, place in found if about.get("filename") and place}

    def _records(self, uid: str, form_id: str) -> None:
        store, project_id = self._receiver.store, self._receiver.access.project_id
        address = f"{self._client.base}{_ASSETS}{uid}"
        state = progress.load(store, project_id, address)
        after: int = state.get("after", 0)
        ids = dict.fromkeys([form_id, *state.get("ids", ())])
        data = f"{_ASSETS}{quote(uid)}/data/"
        query = {"format": "json", "sort": '{"_id":1}', "limit": str(_PAGE), "fields": json.dumps(_FIELDS)}
        while True:
            rows: list[Json] = self._listed(data, {**query, "query": json.dumps({"_id": {"$gt": after}})})["results"]
            for row in rows:
                self._record(data, ids, row)
            after = rows[-1]["_id"] if rows else 0
            progress.save(store, project_id, address, {"ids": list(ids)} | ({"after": after} if rows else {}))
            if not rows:
                return

    def _record(self, data: str, ids: dict[str, None], row: Json) -> None:
        """One record as it is there now; `ids` are those under which its form is here, the usual one first."""
        instance_id = row.get("meta/instanceID") or f"uuid:{row['_uuid']}"
        here = ((each, self._receiver.holds(each, instance_id)) for each in ids)
        form_id, present = next(((each, held) for each, held in here if held is not None), (next(iter(ids)), None))
        files = [file for file in row.get("_attachments") or [] if not file.get("is_deleted")]
        try:
            if present is None or len(present) < len(files):
                xml = self._client.content(f"{data}{row['_id']}.xml")
                form_id = self._version(data, xml, form_id)
                ids.setdefault(form_id)
                received = list(self._files(Names(xml), files, present or frozenset()))
                if present is None or received:
                    at = moment(row.get("_submission_time") or "")
                    self._receiver.take(xml, received, where=f"{form_id}, {instance_id}", at=at)
        except Missing as error:
            self._receiver.tally.tell(f"{form_id}, {instance_id}: it cannot be had now ({error}); the next pull asks again")
        status = (row.get("_validation_status") or {}).get("uid", "")
        self._receiver.decided(form_id, instance_id, STATES.get(status, "received"))

    def _version(self, data: str, xml: bytes, own: str) -> str:
        """The id of the form that this record is of (`own`: as it is there). Its version is published, if it is not here."""
        try:
            record = identify(xml)
        except Problem:  # the intake keeps it aside
            return own
        if (record.form_id, record.version) not in self._asked:
            self._asked.add((record.form_id, record.version))
            if record.version not in known_versions(self._receiver, record.form_id):
                self._publish(data, record, has_newest=record.form_id != own)
        return record.form_id

    def _publish(self, data: str, record: Submission, *, has_newest: bool) -> None:
        """Publish the version of the form that a record is of, as far as the record says which, and it can be had."""
        form_id, version, uid = record.form_id, record.version, _version_id(record)
        if not uid:
            return
        asset = data.removesuffix("data/")
        try:
            content = self._client.json(f"{asset}versions/{quote(uid)}/", {"format": "json"})["content"]
            root = local_name(record.root)
            found = convert_workbook(workbook(content, form_id=form_id, root=root, version=version, uid=uid))
            definition = Definition(found.xform, self._media(asset.removeprefix(_ASSETS).rstrip("/")) if found.media else {})
        except (Missing, Problem) as problem:
            self._receiver.tally.tell(
                f"{form_id}, version “{version}”: it cannot be taken over ({problem}); its records are flagged"
            )
            return
        publish_missing(self._receiver, form_id, [definition], has_newest=has_newest)

    def _files(self, names: Names, files: Collection[Json], present: Collection[str]) -> Iterator[ReceivedFile]:
        for file in files:
            called = names.of(file.get("media_file_basename") or file["filename"])
            if not {same_name(name) for name in called} & set(present):
                try:
                    with self._client.chunks(file["download_url"]) as chunks:
                        received = self._receiver.file(called, chunks)
                except Missing as error:
                    self._receiver.tally.tell(f"the file {called[0]} cannot be had ({error}); the next pull asks again")
                else:
                    yield received


def _version_id(record: Submission) -> str:
    """Which version a record says it is of."""
    return next((text_of(node).strip() for node in record.root if local_name(node) == VERSION), "")
