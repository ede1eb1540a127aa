"""What the ranger reads on the phone after sending, and the herder takes home: a case number, and what is still to be done.

Collect shows the text in a row of a list, so it stays short, and what matters most comes first.
"""

from typing import Any

from forms.numbers import in_digits_of
from forms.phrases import Translate
from forms.submission import case_number
from server.i18n import translator
from sync.delivery import Receipt
from sync.phone_clock import rounded

_MOST = 200  # characters


def _(text: str) -> str:
    """Mark a text for translation; it is translated when it is said."""
    return text


_INCOMPLETE = _("Case {case} is safe. {present} of {expected} files are here: press send again.")
_AGAIN = _("Case {case} was here already and is safe.")
_ASIDE = _("Case {case} is safe and waits for the coordinator to look at it.")
_SAFE = _("Case {case} is safe.")
_SLOW = _("The phone's clock is {time} slow: check it.")
_FAST = _("The phone's clock is {time} fast: check it.")
_RETURNED = _("Case {case} came back: {text}")
_UNITS = {"minutes": _("{n} min"), "hours": _("{n} h"), "days": _("{n} days")}
SENTENCES = (_INCOMPLETE, _AGAIN, _ASIDE, _SAFE, _SLOW, _FAST, _RETURNED, *_UNITS.values())


def receipt_text(receipt: Receipt, language: str, notice: dict[str, Any] | None = None) -> str:
    """The receipt in this language. `notice` is a record that came back: {record, text}."""
    translate = translator(language)
    present, expected = (in_digits_of(language, str(count)) for count in (receipt.files_present, receipt.files_expected))
    about = translate(_of_the_case(receipt)).format(case=case_number(receipt.instance_id), present=present, expected=expected)
    parts = [about, in_digits_of(language, _of_the_clock(receipt, translate))]
    if notice is not None and notice["record"] != receipt.instance_id:
        parts.append(translate(_RETURNED).format(case=case_number(notice["record"]), text=notice["text"]))
    text = " ".join(part for part in parts if part)
    return text if len(text) <= _MOST else text[: _MOST - 1] + "…"


def _of_the_case(receipt: Receipt) -> str:
    if receipt.files_present < receipt.files_expected:
        return _INCOMPLETE
    if receipt.outcome == "duplicate":
        return _AGAIN
    return _ASIDE if receipt.outcome in {"conflict", "held"} else _SAFE


def _of_the_clock(receipt: Receipt, translate: Translate) -> str:
    """Which of two clocks is wrong, nobody here can know: the words leave it open."""
    if receipt.clock_offset is None:
        return ""
    n, unit = rounded(receipt.clock_offset)
    text = _SLOW if receipt.clock_offset.total_seconds() < 0 else _FAST
    return translate(text).format(time=translate(_UNITS[unit]).format(n=n))
