"""What a file is, told from its first bytes: names and what a phone claims are not trusted.

The signatures are those of the formats' own specifications (ISO/IEC 14496-12 for the `ftyp` brands, RFC 4867 for AMR, RFC 3533 for
Ogg, the WHATWG "MIME Sniffing" standard for pictures). Only what phones send is told apart; the rest is octets.
"""

import codecs

HEAD_BYTES = 64
"""How much of a file `kind_of` wants to see."""
UNKNOWN = "application/octet-stream"
SHOWN = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
"""The pictures that every browser shows."""
_BEGINNINGS = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"#!AMR", "audio/amr"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf1", "audio/aac"),
    (b"\xff\xf9", "audio/aac"),
    (b"\x1a\x45\xdf\xa3", "video/webm"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"PK\x05\x06", "application/zip"),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav"}
_BRANDS = (
    ((b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"), "image/heic"),
    ((b"avif", b"avis"), "image/avif"),
    ((b"3gp", b"3gr", b"3gs", b"3g2"), "video/3gpp"),
    ((b"M4A", b"M4B"), "audio/mp4"),
    ((b"qt",), "video/quicktime"),
)
_CONTROLS = frozenset(range(32)) - frozenset(b"\t\n\r\f")


def kind_of(head: bytes, name: str = "") -> str:
    """The media type of a file that begins with `head`. Of plain text only the name can say whether it is a table."""
    for beginning, kind in _BEGINNINGS:
        if head.startswith(beginning):
            return kind
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12], UNKNOWN)
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        return next((kind for brands, kind in _BRANDS if brand.startswith(brands)), "video/mp4")
    if head[:4] == b"OggS":
        return "video/ogg" if b"\x80theora" in head else "audio/ogg"
    if not _is_text(head):
        return UNKNOWN
    return "text/csv" if name.lower().endswith(".csv") else "text/plain"


def is_picture(kind: str) -> bool:
    """Whether this media type is that of a picture."""
    return kind.startswith("image/")


def _is_text(head: bytes) -> bool:
    if not head or not _CONTROLS.isdisjoint(head):
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # the last letter may be cut
    except UnicodeDecodeError:
        return False
    return True
