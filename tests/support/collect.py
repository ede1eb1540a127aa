"""A phone with ODK Collect or KoBoCollect on it, as far as a server can tell.

    python -m tests.support.collect http://192.168.50.2:8000/v1/key/TOKEN/projects/1 --form livestock_loss --send 3

`collect-2026` is ODK Collect 2026.3 (deviceID on every request, OkHttp 5); `kobo-2025` is KoBoCollect on Collect 2025.3
(deviceID only when sending, OkHttp 4, and the cache guesses how long an answer stays fresh). The behaviour was read from
getodk/collect and square/okhttp.
"""

import argparse
import hashlib
import random
import sys
import time
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote_plus, urlsplit

from tests.support.collect_entities import LocalEntities, read_integrity
from tests.support.filler import fill
from tests.support.login import Login
from tests.support.openrosa import (
    ListedFile,
    ListedForm,
    Refused,
    parse_form_list,
    parse_manifest,
    parse_message,
)
from tests.support.wire import Answer, Wire, WireError

MODES = {
    "collect-2026": "org.odk.collect.android/v2026.3.3 Dalvik/2.1.0 (Linux; U; Android 13; SM-A045F Build/TP1A.220624.014)",
    "kobo-2025": "org.koboc.collect.android/v2025.3.3 Dalvik/2.1.0 (Linux; U; Android 9; SM-J250F Build/PMR1.210812.003)",
}
DEFAULT_LIMIT = 10_000_000
FILES_PER_POST = 101
CONTENT_TYPES = {
    ".xml": "text/xml", ".csv": "text/csv", ".txt": "text/plain", ".pdf": "application/pdf", ".xls": "application/vnd.ms-excel",
    ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".3gp": "video/3gpp", ".mp4": "video/mp4",
    ".3gpp": "audio/3gpp", ".m4a": "audio/mp4", ".amr": "audio/amr", ".wav": "audio/wav", ".mp3": "audio/mpeg",
}  # fmt: skip

Part = tuple[str, str | None, str | None, bytes]  # field, file name, content type, content


@dataclass
class Record:
    """One finalised record: the XML and the other files of its folder, in the order the phone's file system gives them."""

    xml: bytes
    files: dict[str, bytes] = field(default_factory=dict)
    name: str = "record_2026-05-02_07-41-09.xml"
    status: str = "finalised"
    message: str = ""

    @property
    def form_id(self) -> str:
        """The id attribute of the root."""
        return ET.fromstring(self.xml).get("id", "")


@dataclass
class LocalForm:
    """One blank form on the phone."""

    form_id: str
    version: str | None
    title: str
    xml: bytes
    media: dict[str, bytes] = field(default_factory=dict)
    deleted: bool = False

    @property
    def md5(self) -> str:
        """What Collect recognises a form by."""
        return md5(self.xml)


@dataclass
class Offer:
    """One line of the download screen. `state` is new, up to date, updated version, updated hash or updated media."""

    form: ListedForm
    files: list[ListedFile]
    state: str


@dataclass
class Collect:
    """One app on one phone, set up with one project."""

    server_url: str
    mode: str = "collect-2026"
    device_id: str = "collect:a1B2c3D4e5F6g7H8"
    clock: Callable[[], float] = time.time
    login: Login | None = None
    forms: list[LocalForm] = field(default_factory=list)
    outbox: list[Record] = field(default_factory=list)
    entities: LocalEntities = field(default_factory=LocalEntities)
    wire: Wire = field(init=False)
    _moved: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.wire = Wire(MODES[self.mode], self.clock)
        if self.login is not None:
            self.wire.sign = self.login.send

    # blank forms

    def form_list(self) -> list[ListedForm]:
        """The form list, or `Refused` with what the screen would say."""
        return parse_form_list(self.get(self.server_url.rstrip("/") + "/formList"))

    def manifest(self, form: ListedForm) -> list[ListedFile]:
        """The media of a form; Collect swallows every failure and goes on as if there were none."""
        if not form.manifest_url:
            return []
        try:
            return parse_manifest(self.get(form.manifest_url))
        except (Refused, WireError):
            return []

    def refresh(self) -> list[Offer]:
        """Open the download screen: list, every manifest, and what each form is to this phone."""
        offers = []
        for form in self.form_list():
            files = self.manifest(form)
            offers.append(Offer(form, files, self._state(form, files)))
        return offers

    def match_exactly(self) -> list[Offer]:
        """Background synchronisation in the mode "exactly match server": absent forms go first, then the rest is fetched."""
        offers = self.refresh()
        listed = {offer.form.form_id for offer in offers}
        for form in [form for form in self.forms if form.form_id not in listed]:
            if any(record.form_id == form.form_id for record in self.outbox):
                form.deleted = True
            else:
                self.forms.remove(form)
        failures = []
        for offer in offers:
            if offer.state != "up to date":
                try:
                    self.download(offer)
                except (Refused, WireError) as failure:
                    failures.append(failure)
        if failures:
            raise failures[0]
        return offers

    def download(self, offer: Offer) -> LocalForm:
        """Get one form with its media. Local forms of the same id and version go in any case: this is how a phone loses a form."""
        form = offer.form
        if form.hash is None:
            raise Refused(f"{form.form_id}: no hash")
        here = self._by_md5(form.hash)
        doomed = [] if here else [old for old in self.forms if (old.form_id, old.version) == (form.form_id, form.version)]
        if here:
            here.deleted = False
        try:
            xml = self._fetch(form.download_url)
            media = dict(self._media(form.form_id, offer.files))
            installed = self._by_md5(md5(xml))
            if installed is None:
                installed = read_form(xml)
                self.forms.append(installed)
            installed.media |= media
            return installed
        finally:
            for old in doomed:
                if old in self.forms:
                    self.forms.remove(old)

    def get(self, url: str) -> Answer:
        """GET as this app does it: the newer one appends deviceID to every address."""
        return self.wire.get(self._with_device(url) if self.mode == "collect-2026" else url)

    # records

    def send(self, record: Record, action: str | None = None) -> str:
        """HEAD, then as many POSTs as the limit asks for. Returns the message; raises `Refused` with the error the ranger reads."""
        record.status = "submission failed"  # the app writes this before it tries
        base = action or self.server_url.removesuffix("/") + "/submission"
        url = self._with_device(base)
        try:
            limit, url = self._ask(url)
            answers = [self.post(url, parts) for parts in self._posts(record, limit, url)]
        except (WireError, Refused) as error:
            record.message = str(error)
            raise
        record.status = "sent"
        record.message = parse_message(answers[-1].body) or "Success"
        return record.message

    def send_all(self) -> list[Record]:
        """Send everything not yet sent; one failure does not stop the others."""
        for record in self.outbox:
            if record.status != "sent":
                try:
                    self.send(record)
                except (Refused, WireError):
                    continue
        return [record for record in self.outbox if record.status == "sent"]

    def head(self) -> Answer:
        """The question before every record."""
        return self.wire.request("HEAD", self._with_device(self.server_url.removesuffix("/") + "/submission"))

    def post(self, url: str, parts: list[Part]) -> Answer:
        """One POST of these parts; anything but 201 and 202 is `Refused`."""
        body, content_type = encode(parts, part_lengths=self.mode == "kobo-2025")
        answer = self.wire.request("POST", url, body=body, headers={"Content-Type": content_type})
        if answer.status in {201, 202}:
            return answer
        message = parse_message(answer.body)
        if answer.status == 200:
            raise Refused("Error: Network login failure? Again?", 200)
        if answer.status == 401 or (message is None and answer.status != 400):
            raise Refused(f"Error: {answer.reason} ({answer.status}) at {url}", answer.status)
        raise Refused(f"Error: {message}" if message is not None else "Failed to upload.", answer.status)

    def _posts(self, record: Record, limit: int, url: str) -> Iterator[list[Part]]:
        """Split: a POST closes before the file that would pass the limit and after 101 files; each repeats the XML."""
        waiting = [(name, data) for name, data in record.files.items() if not name.startswith(".")]
        while True:
            parts: list[Part] = [("xml_submission_file", record.name, "text/xml", record.xml)]
            size = len(record.xml)
            while waiting:
                name, data = waiting.pop(0)
                kind = CONTENT_TYPES.get(Path(name).suffix.lower(), "application/octet-stream")
                parts.append((name, name, kind, data))
                size += len(data)
                if waiting and (len(parts) - 1 >= FILES_PER_POST or size + len(waiting[0][1]) > limit):
                    parts.append(("*isIncomplete*", None, None, b"yes"))
                    break
            yield parts
            if not waiting:
                return

    def _ask(self, url: str) -> tuple[int, str]:
        if url in self._moved:
            return DEFAULT_LIMIT, self._moved[url]
        answer = self.wire.request("HEAD", url)
        if answer.status == 401:
            raise Refused(f"{urlsplit(url).hostname} wants credentials", 401)
        if answer.status == 204:
            if "location" in answer.headers:
                self._moved[url] = url = self._same_host(url, unquote_plus(answer.headers["location"]))
            limit = answer.headers.get("x-openrosa-accept-content-length", "")
            return (int(limit) if limit.isascii() and limit.isdigit() else DEFAULT_LIMIT), url
        if 200 <= answer.status < 300:
            raise Refused(f"Failed to send to {url}. Is this an OpenRosa submission endpoint?", answer.status)
        return DEFAULT_LIMIT, url

    @staticmethod
    def _same_host(url: str, moved: str) -> str:
        if (urlsplit(moved).hostname or "").lower() != (urlsplit(url).hostname or "").lower():
            raise Refused(f"Error: Unexpected redirection attempt to a different host: {moved}")
        return moved if urlsplit(moved).query else f"{moved}?{urlsplit(url).query}"

    def _with_device(self, url: str) -> str:
        return f"{url}{'&' if urlsplit(url).query else '?'}deviceID={quote(self.device_id, safe='')}"

    def _by_md5(self, digest: str) -> LocalForm | None:
        return next((form for form in self.forms if form.md5 == digest), None)

    def _state(self, form: ListedForm, files: list[ListedFile]) -> str:
        here = self._by_md5(form.hash) if form.hash else None
        if here:
            if here.deleted:
                return "new"
            known = {md5(data) for data in here.media.values()}
            changed = any(entry.hash not in known for entry in files if not entry.filename.endswith(".zip"))
            return "updated media" if changed else "up to date"
        same_id = [old for old in self.forms if old.form_id == form.form_id and not old.deleted]
        if not same_id:
            return "new"
        if form.hash is None:
            return "up to date"
        return "updated hash" if any(old.version == form.version for old in same_id) else "updated version"

    def _media(self, form_id: str, files: list[ListedFile]) -> Iterator[tuple[str, bytes]]:
        versions = [form.media for form in reversed(self.forms) if form.form_id == form_id]
        for entry in files:
            if entry.kind:
                self._take_list(entry, entry.kind)
                continue
            kept = next((media[entry.filename] for media in versions if entry.filename in media), None)
            yield entry.filename, kept if kept is not None and md5(kept) == entry.hash else self._fetch(entry.download_url)

    def _take_list(self, entry: ListedFile, kind: str) -> None:
        name = entry.filename.removesuffix(".csv")
        if self.entities.hashes.get(name) != entry.hash:
            self.entities.take(name, kind, self._fetch(entry.download_url), entry.hash, lambda ids: self._deleted(entry, ids))
        elif self.mode == "collect-2026":  # the older one asks only when it imports
            self.entities.ask(name, lambda ids: self._deleted(entry, ids))

    def _deleted(self, entry: ListedFile, ids: list[str]) -> set[str]:
        """Which of the entities made here were deleted on the server meanwhile."""
        wanted = ",".join(ids)
        return read_integrity(self.get(f"{entry.integrity_url}?id={wanted}")) if wanted and entry.integrity_url else set()

    def _fetch(self, url: str) -> bytes:
        answer = self.get(url)
        if answer.status != 200:
            raise Refused(f"The server {url} returned status code {answer.status}", answer.status)
        return answer.body


def md5(data: bytes) -> str:
    """Lower-case hex, as Collect compares it."""
    return hashlib.md5(data).hexdigest()


def read_form(xml: bytes) -> LocalForm:
    """What Collect reads from a form before it installs it; without title or id, or with a broken action, it refuses."""
    try:
        root = ET.fromstring(xml)
    except ET.ParseError as error:
        raise Refused(f"The form cannot be parsed: {error}") from error
    title = root.findtext("{http://www.w3.org/1999/xhtml}head/{http://www.w3.org/1999/xhtml}title")
    instance = root.find(".//{http://www.w3.org/2002/xforms}instance/*")
    if not title or instance is None or not instance.get("id"):
        raise Refused("The form has no title or its primary instance has no id")
    submission = root.find(".//{http://www.w3.org/2002/xforms}submission")
    action = submission.get("action") if submission is not None else None
    if action and not urlsplit(action).scheme.startswith("http"):
        raise Refused(f"The form has an invalid submission address: {action}")
    return LocalForm(instance.get("id", ""), instance.get("version"), title, xml)


def encode(parts: list[Part], *, part_lengths: bool = False) -> tuple[bytes, str]:
    """A multipart body as OkHttp writes it (raw UTF-8 names, only quotes and line ends escaped) and its content type."""
    boundary = str(uuid.uuid4())
    chunks = []
    for name, filename, kind, data in parts:
        head = f"--{boundary}\r\nContent-Disposition: form-data; name={_quoted(name)}"
        head += f"; filename={_quoted(filename)}" if filename is not None else ""
        head += f"\r\nContent-Type: {kind}" if kind else ""
        head += f"\r\nContent-Length: {len(data)}" if part_lengths else ""
        chunks += [head.encode(), b"\r\n\r\n", data, b"\r\n"]
    return b"".join([*chunks, f"--{boundary}--\r\n".encode()]), f"multipart/form-data; boundary={boundary}"


def _quoted(name: str) -> str:
    return '"' + name.replace("\n", "%0A").replace("\r", "%0D").replace('"', "%22") + '"'


def main() -> int:
    """Command line: list, download, fill in and send."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.collect", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("url", help="server address as in the phone's settings")
    parser.add_argument("--mode", choices=MODES, default="collect-2026")
    parser.add_argument("--form", help="form id to fill in; without it every form is downloaded and nothing is sent")
    parser.add_argument("--send", type=int, default=1, help="how many records to fill in and send")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--xml", type=Path, help="send this record instead of filled-in ones")
    parser.add_argument("--file", type=Path, action="append", default=[], help="a file that belongs to --xml; may be repeated")
    options = parser.parse_args()
    phone = Collect(options.url, options.mode)
    if options.xml:
        files = {path.name: path.read_bytes() for path in options.file}
        phone.outbox.append(Record(options.xml.read_bytes(), files, options.xml.name))
    else:
        for offer in phone.refresh():
            print(f"{offer.form.form_id}  {offer.form.version or '-'}  {offer.form.name}  {len(offer.files)} files  {offer.state}")
            form = phone.download(offer)
            if form.form_id == options.form:
                chance = random.Random(options.seed)
                phone.outbox += [Record(*fill(form.xml, chance)) for _ in range(options.send)]
        if options.form and not phone.outbox:
            print(f"The server offers no form with the id {options.form}.")
            return 1
    phone.send_all()
    for record in phone.outbox:
        print(f"{record.status}: {record.message}")
    return 0 if all(record.status == "sent" for record in phone.outbox) else 1


if __name__ == "__main__":
    sys.exit(main())
