"""What the fuzzing begins with: good inputs, and words that are worth trying."""

from collections.abc import Sequence

from tests.support.records import FLOCK, LOSS, flock, loss

RECORDS = (flock("uuid:1"), flock(None, sheep="۱۲", deprecated_id="uuid:0"), loss("uuid:2", "a.jpg", ("b.jpg", "c.jpg")))


def part(disposition: str, content: bytes = b"") -> bytes:
    """A part of an upload whose boundary is B."""
    return b"--B\r\nContent-Disposition: form-data; " + disposition.encode() + b"\r\n\r\n" + content + b"\r\n"


RECORD = part('name="xml_submission_file"; filename="record.xml"', RECORDS[0])
SEEDS: dict[str, Sequence[bytes]] = {
    "multipart": [
        RECORD + part('name="a.jpg"; filename="a.jpg"', b"\xff\xd8\xff\xe0") + b"--B--\r\n",
        part('name="a"; filename="..\\b%22.jpg"') + part('name=xml_submission_file; filename="۱.xml"', b"<a/>") + b"--B--",
        RECORD + part("name=a; filename*=UTF-8''%D9%86.jpg") + part('name="*isIncomplete*"', b"yes") + b"--B--\r\nrest",
    ],
    "xml": [*RECORDS, RECORDS[0].decode().encode("utf-16"), RECORDS[2].replace(b"<loss", b'<l:loss xmlns:l="urn:l"')],
    "xform": [FLOCK.read_bytes(), LOSS.read_bytes()],
}
WORDS = {
    "multipart": r"""
--B
--B--
Content-Disposition: form-data;
Content-Type: image/jpeg
Content-Transfer-Encoding: base64
name="xml_submission_file"
filename="a.jpg"
filename*=UTF-8''a
%22
../
""",
    "xml": """
<data id="flock_count">
<orx:meta xmlns:orx="http://openrosa.org/xforms">
<meta>
<instanceID>
</instanceID>
<deprecatedID>
encrypted="yes"
&#x41;
<![CDATA[
]]>
xmlns:a="b"
<?xml version="1.0" encoding="utf-16"?>
1e400
NaN
9999-12-31T23:59:59-14:00
35.7 51.4 0 0;
<sheep>
<counted_on>
<place>
<animals>
""",
    "xform": """
<bind nodeset="/data/
constraint="
relevant="
calculate="
type="geopoint"
<repeat nodeset="
<itemset nodeset="instance('a')/root/item[b=1]">
jr:preload="
<setvalue ref="
<submission action="
jr://images/
<instance id="a" src="jr://file-csv/a.csv"/>
count(
regex(., '
//*[
following::
selected(
entities:entity
<translation lang="
jr:itext('
odk:length="
<input ref="
<select1 ref="
base64RsaPublicKey="
""",
}


def dictionary(name: str) -> str:
    """The words of a target as libFuzzer reads them."""
    lines = [word.replace("\\", "\\\\").replace('"', '\\"') for word in WORDS[name].splitlines() if word]
    return "".join(f'"{line}"\n' for line in lines)
