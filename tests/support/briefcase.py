"""ODK Briefcase pulling from a server, as far as the server can tell (read from getodk/briefcase, `PullFromAggregate`).

Lists and records are asked for with the credentials of a person, by the strongest scheme the server offers and then by the next;
manifests, their files and the files of records are asked for without any.
"""

import hashlib
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlencode

import requests
from requests.auth import HTTPBasicAuth, HTTPDigestAuth

from tests.support.openrosa import FORM_LIST, MANIFEST

SUBMISSIONS = "http://opendatakit.org/submissions"
PAGE = 100


@dataclass
class Pulled:
    """One record: its instance element and its files."""

    instance: ET.Element
    files: dict[str, bytes]


@dataclass
class Briefcase:
    """One installation with its source configured; `headers` are what a proxy before the server adds."""

    url: str
    username: str
    password: str
    headers: dict[str, str] = field(default_factory=dict)
    cursors: list[str] = field(default_factory=list)

    def forms(self) -> dict[str, tuple[bytes, dict[str, bytes]]]:
        """Every form with its definition and media, by its id."""
        found = {}
        for entry in ET.fromstring(self._get("/formList")).iter(f"{{{FORM_LIST}}}xform"):
            text = {child.tag.rpartition("}")[2]: child.text or "" for child in entry}
            manifest = self._plain(text["manifestUrl"]) if "manifestUrl" in text else f"<manifest xmlns='{MANIFEST}'/>".encode()
            found[text["formID"]] = (self._plain(text["downloadUrl"]), dict(self._files(ET.fromstring(manifest), MANIFEST)))
        return found

    def pull(self, form_id: str, root: str = "data", cursor: str = "") -> dict[str, Pulled]:
        """All records of a form that arrived after the cursor, by their ids; remembers every cursor."""
        records = {}
        for instance_id in self._ids(form_id, cursor):
            key = f"{form_id}[@version=Optional[1] and @uiVersion=null]/{root}[@key={instance_id}]"
            answer = ET.fromstring(self._get("/view/downloadSubmission", formId=key))
            data = answer.find(f"{{{SUBMISSIONS}}}data")
            assert answer.tag == f"{{{SUBMISSIONS}}}submission"
            assert data is not None
            records[instance_id] = Pulled(data[0], dict(self._files(answer, SUBMISSIONS)))
        return records

    def _ids(self, form_id: str, cursor: str) -> Iterator[str]:
        while True:
            chunk = ET.fromstring(self._get("/view/submissionList", formId=form_id, cursor=cursor, numEntries=str(PAGE)))
            assert chunk.tag == f"{{{SUBMISSIONS}}}idChunk"
            ids = [node.text or "" for node in chunk.iter(f"{{{SUBMISSIONS}}}id")]
            yield from ids
            cursor = chunk.findtext(f"{{{SUBMISSIONS}}}resumptionCursor") or ""
            self.cursors.append(cursor)
            if not ids:
                return

    def _files(self, document: ET.Element, namespace: str) -> Iterator[tuple[str, bytes]]:
        for entry in document.iter(f"{{{namespace}}}mediaFile"):
            text = {child.tag.rpartition("}")[2]: child.text or "" for child in entry}
            content = self._plain(text["downloadUrl"])
            assert text["hash"] == f"md5:{hashlib.md5(content).hexdigest()}"
            yield text["filename"], content

    def _plain(self, url: str) -> bytes:
        """A file, without credentials. Behind a proxy its public address leads to the server all the same."""
        local = self.url + "/" + url.split("/", 3)[3]
        answer = requests.get(local, headers=self.headers, timeout=30)
        answer.raise_for_status()
        return answer.content

    def _get(self, path: str, **query: str) -> bytes:
        url = f"{self.url}{path}?{urlencode(query)}"
        tried: list[str] = []
        answer = requests.get(url, headers=self.headers, timeout=30)
        while answer.status_code == 401:
            offered = [line.split()[0] for line in answer.raw.headers.getlist("WWW-Authenticate")]
            scheme = next((scheme for scheme in ("Digest", "Basic") if scheme in offered and scheme not in tried), None)
            if scheme is None or (tried and tried[-1] in offered):  # refused, not just unsupported
                break
            tried.append(scheme)
            kind = HTTPDigestAuth if scheme == "Digest" else HTTPBasicAuth
            answer = requests.get(url, headers=self.headers, auth=kind(self.username, self.password), timeout=30)
        answer.raise_for_status()
        return answer.content
