"""What would go wrong with a form on phones or in the browser, found before it is published.

Each rule is argued from what JavaRosa (inside ODK Collect and KoBoCollect) and the web engine do with such a form. A rule that
cries wolf is worse than none: what many sound forms do is no finding.
"""

from collections.abc import Collection, Mapping

from forms.lint.expressions import check_expressions
from forms.lint.findings import RULES, Finding, Rule, refuse_errors
from forms.lint.media import alike, check_media, list_columns
from forms.lint.questions import check_questions
from forms.lint.source import Source
from forms.lint.structure import check_structure

__all__ = ["RULES", "Finding", "Rule", "alike", "lint", "refuse_errors"]


def lint(xform: bytes, needed: Collection[str] = (), media: Mapping[str, bytes] | None = None) -> list[Finding]:
    """The findings in a form and in the files given with it, errors first, each once.

    `needed` are the names of the files the form uses. Raises `Problem("form_invalid")` for what is no XForm.
    """
    source, media = Source(xform), media or {}
    columns = list_columns(source, media)
    findings = [
        *check_structure(source),
        *check_questions(source),
        *check_expressions(source, columns),
        *check_media(source, needed, media, columns),
    ]
    each = {(finding.code, finding.where, str(finding.message)): finding for finding in findings}
    return sorted(each.values(), key=lambda finding: finding.severity)
