"""Photograph the conflict report as a phone shows it, into docs/screens/CODE-PART.png: `python -m tests.screens [LANGUAGE...]`."""

import argparse
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Locator

from tests.screens.phone import Phone, phone
from tests.support.chromium import chromium

SURVEY = "conflict_livestock"
CODES = ("fa", "ur", "ru", "hy")
SCREENS = Path(__file__).parents[2] / "docs/screens"
FONTS = ("Noto Naskh Arabic", "Noto Nastaliq Urdu", "Noto Sans Armenian", "Noto Sans Georgian")
_COLOURS = 128


def main() -> None:
    """Take the pictures and say how large they are; leaves with the command to run where something is missing."""
    parser = argparse.ArgumentParser(prog="python -m tests.screens", description=__doc__)
    parser.add_argument("language", nargs="*", default=CODES, help=f"codes of languages; otherwise {' '.join(CODES)}")
    parser.add_argument("--out", type=Path, default=SCREENS, help="the folder to write to")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    try:
        _need_fonts()
        with chromium() as browser:
            for code in options.language:
                with phone(browser, SURVEY, [code, "en"]) as shown:  # the first language gives the form its title
                    shown.speak(code)
                    for part, question in _parts(shown):
                        path = options.out / f"{code}-{part}.png"
                        path.write_bytes(_small(shown.picture(question)))
                        print(f"{path}  {path.stat().st_size // 1000} kB")
    except RuntimeError as missing:
        sys.exit(str(missing))


def _parts(shown: Phone) -> Iterator[tuple[str, Locator]]:
    """(name, question at the top of the screen), after the answers that lead there."""
    shown.choose("yes")  # the person agrees to take part
    yield "start", shown.questions.first
    shown.choose("sheep")
    yield "losses", shown.question("sheep")
    shown.choose("leopard")
    yield "predator", shown.question("leopard")
    shown.choose("h24")  # a carcass of a day
    shown.choose("throat")
    yield "evidence", shown.question("throat")


def _need_fonts() -> None:
    listed = subprocess.run(["fc-list", ":", "family"], capture_output=True, text=True, check=True).stdout
    if lacking := [font for font in FONTS if font not in listed]:
        raise RuntimeError(f"Fonts are missing ({', '.join(lacking)}): sudo apt-get install fonts-noto-core")


def _small(png: bytes) -> bytes:
    """The same picture in few colours: a third of the bytes."""
    file = BytesIO()
    with Image.open(BytesIO(png)) as picture:
        picture.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    return file.getvalue()


if __name__ == "__main__":
    main()
