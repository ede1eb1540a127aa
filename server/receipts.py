"""What the ranger reads on the phone after sending, and the herder takes home: a case number, and what is still to be done.

Collect shows the text in a row of a list, so it stays short, and what matters most comes first.
"""

from typing import Any

from forms.submission import case_number
from server.i18n import translator
from sync.delivery import Receipt
from sync.phone_clock import rounded

_MOST = 200  # characters


def _(text: str) -> str:
    """Mark a text for translation; it is translated when it is said."""
    return text


_UNITS = {"minutes": _("{n} min"), "hours": _("{n} h"), "days": _("{n} days")}


def receipt_text(receipt: Receipt, language: str, notice: dict[str, Any] | None = None) -> str:
    """The receipt in this language. `notice` is a record that came back: {record, text}."""
    parts = [_about_the_case(receipt, language), _about_the_clock(receipt, language)]
    translate = translator(language)
    if notice is not None and notice["record"] != receipt.instance_id:
        parts.append(translate("Case {case} came back: {text}").format(case=case_number(notice["record"]), text=notice["text"]))
    text = " ".join(part for part in parts if part)
    return text if len(text) <= _MOST else text[: _MOST - 1] + "…"


def _about_the_case(receipt: Receipt, language: str) -> str:
    translate = translator(language)
    if receipt.files_present < receipt.files_expected:
        text = translate("Case {case} is safe. {present} of {expected} files are here: press send again.")
    elif receipt.outcome == "duplicate":
        text = translate("Case {case} was here already and is safe.")
    elif receipt.outcome in {"conflict", "held"}:
        text = translate("Case {case} is safe and waits for the coordinator to look at it.")
    else:
        text = translate("Case {case} is safe.")
    case = case_number(receipt.instance_id)
    return text.format(case=case, present=receipt.files_present, expected=receipt.files_expected)


def _about_the_clock(receipt: Receipt, language: str) -> str:
    """Which of two clocks is wrong, nobody here can know: the words leave it open."""
    if receipt.clock_offset is None:
        return ""
    translate = translator(language)
    n, unit = rounded(receipt.clock_offset)
    is_slow = receipt.clock_offset.total_seconds() < 0
    text = (
        translate("The phone's clock is {time} slow: check it.")
        if is_slow
        else translate("The phone's clock is {time} fast: check it.")
    )
    return text.format(time=translate(_UNITS[unit]).format(n=n))
