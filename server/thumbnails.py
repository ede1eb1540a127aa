"""Small pictures for pages, made when first looked at and kept below the data folder; they may be deleted at any time.

A thumbnail is drawn anew, so it holds pixels and nothing else: no place (EXIF, XMP), no colour profile, no comment, no further
picture. It is sealed as its picture is.
"""

import contextlib
import secrets
import threading
from pathlib import Path
from typing import IO, TYPE_CHECKING

from records.pictures import opened as opened_picture
from server.services import Services

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 320  # pixels
KEPT_PER_FOLDER = 80
"""There are 256 folders: about 20,000 thumbnails of some 10 kB."""
_QUALITY = 75
_PURPOSE = "thumbnail"
_one_at_a_time = threading.Lock()  # a picture may take 200 MB while it is read


def thumbnail(opened: Services, sha256: str) -> bytes:
    """The thumbnail of this picture, as JPEG. Raises `Problem("not_found")` for what is no picture or far too large."""
    path = path_of(opened, sha256)
    vault = opened.store.vault
    with contextlib.suppress(FileNotFoundError):
        return vault.open(path.read_bytes(), _PURPOSE, sha256)
    with opened.turnstile.outside(), _one_at_a_time:
        with opened.blobs.open(sha256) as file:
            drawn = _drawn(file)
        _keep(path, vault.seal(drawn, _PURPOSE, sha256))
    return drawn


def path_of(opened: Services, sha256: str) -> Path:
    """Where the thumbnail of this picture is kept."""
    return opened.config.data / "thumbnails" / sha256[:2] / f"{sha256}.sealed"


def _drawn(source: IO[bytes]) -> bytes:
    from io import BytesIO

    from PIL import ImageOps

    with opened_picture(source) as picture:
        picture.draft("RGB", (2 * SIDE, 2 * SIDE))
        picture.thumbnail((SIDE, SIDE), reducing_gap=2.0)
        drawn = _on_white(ImageOps.exif_transpose(picture))
    out = BytesIO()
    drawn.save(out, "JPEG", quality=_QUALITY, optimize=True)
    return out.getvalue()


def _on_white(picture: "Image") -> "Image":
    """The pixels alone, in a picture that knows nothing of where they come from."""
    from PIL import Image

    plain = Image.new("RGB", picture.size, "white")
    coloured = picture.convert("RGBA")
    plain.paste(coloured, mask=coloured)
    return plain


def _keep(path: Path, data: bytes) -> None:
    """Put the thumbnail into its folder whole, and the oldest out where there are too many."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = sorted(path.parent.glob("[!.]*"), key=lambda file: file.stat().st_mtime)
    for oldest in kept[: max(0, len(kept) + 1 - KEPT_PER_FOLDER)]:
        oldest.unlink(missing_ok=True)
    fresh = path.with_name(f".{secrets.token_hex(8)}")
    fresh.write_bytes(data)
    fresh.replace(path)
