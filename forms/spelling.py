"""One spelling for comparing: codes and names as different people, phones and keyboards write them.

Persian and Arabic keyboards give different letters and digits for the same sign (Unicode Standard, chapter 9, "Arabic"), and what
looks the same may hold invisible joiners. What comes out is for comparing only, never for showing.
"""

import unicodedata
from functools import lru_cache

_LETTERS = str.maketrans({"ي": "ی", "ى": "ی", "ے": "ی", "ك": "ک", "ة": "ه", "ە": "ه", "ہ": "ه", "ھ": "ه", "ۃ": "ه", "ı": "i"})
"""Letters that stand for each other and are not told apart by decomposing."""


def ascii_digits(text: str) -> str:
    """The text with the decimal digits of every script (۷, ٧, ７) written 0 to 9."""
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(each)) if each.isdecimal() else each for each in text)


@lru_cache(maxsize=4096)
def folded(text: str) -> str:
    """The letters and digits of a code or a name, as compared.

    Without case, blanks, punctuation, joiners, tatweel, vowel signs, accents; letters of Arabic script as in Persian; digits 0-9.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text).casefold()
        text = unicodedata.normalize("NFKD", text).translate(_LETTERS)  # case folding makes new marks (İ)
        text = ascii_digits(text).replace("ـ", "")
    return "".join(each for each in text.casefold() if each.isalnum())
