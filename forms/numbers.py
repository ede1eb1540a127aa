"""Numbers and sums of money as people in the range write and say them."""

from forms.spelling import ascii_digits

TOMAN = 10
"""A toman is ten rial: the unit people in Iran speak in, and an answer of its own."""
CURRENCIES = {
    "AF": {"AFN"},
    "AM": {"AMD"},
    "AZ": {"AZN"},
    "GE": {"GEL"},
    "IR": {"IRR", "IRT"},
    "IQ": {"IQD"},
    "KZ": {"KZT"},
    "PK": {"PKR"},
    "RU": {"RUB"},
    "TJ": {"TJS"},
    "TM": {"TMT"},
    "TR": {"TRY"},
    "UZ": {"UZS"},
}
"""What is paid with in the states of the range (ISO 3166-1 to ISO 4217, and IRT for the toman, which ISO does not know)."""
_DIGITS = {code: str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹") for code in ("fa", "prs", "ps")}
"""Babel gives a language its separators, not its digits."""
_SIGNS = str.maketrans({"٫": ".", "٬": None, "−": "-", "\u200e": None, "\u200f": None, "\u061c": None})


def plain_number(text: str) -> str:
    """The text of a number as programs write it: digits 0 to 9, a decimal point, no separators of thousands, no marks of direction.

    Only the separators of Arabic script (٫ and ٬; Unicode Standard, chapter 9) are taken for such: what a comma means depends on
    the writer, so a text in Latin script stays as it is.
    """
    return text if text.isascii() else ascii_digits(text).translate(_SIGNS)


def in_digits_of(language: str, text: str) -> str:
    """A number in the digits of a language (BCP 47)."""
    return text.translate(_DIGITS.get(language, {}))


def official(amount: float, currency: str) -> tuple[float, str]:
    """The sum in the official currency: toman in rial, every other one as it is. Without this no two sums are compared or added."""
    return (amount * TOMAN, "IRR") if currency == "IRT" else (amount, currency)
