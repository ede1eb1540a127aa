"""docs/privacy.md, with its tables made from the policies."""

from exports.data.generalised import ABOUT, LEFT_OUT, REASONS
from exports.policy import (
    CELL_LEVELS,
    CLOSING_DAYS,
    FEWEST,
    KINDS,
    LARGEST_SHARE,
    NEVER,
    POLICIES,
    RESTRICTED,
    WILDLIFE,
    Policy,
    stays_inside,
)
from forms.library.sources import survey_ids

_TEXT = """# Privacy: who sees what

Two secrets are kept. **People**: a herder who reports a loss may be blamed, robbed, or punished for what a neighbour did.
**Leopards**: a point on a map is enough for poison or a snare. So nothing leaves the programme as it came in. What each circle
of readers is told is written down in one place, `exports/policy.py`, and every release, table, page and address follows it.

{policies}

Cells are those of [H3](https://h3geo.org): resolution 6 is about 36 km2, resolution 5 about 250 km2. Signs of wildlife lie in
cells of 0.1 degrees. A place is always the middle of its cell, the same one every time: nothing is moved at random, since
whoever collects many moved points has the true one in their middle (Chapman, *Current Best Practices for Generalizing Sensitive
Species Occurrence Data*, GBIF 2020).

Kinds of answers that partners and the public do not get:

{kinds}

## Single records for partners and the public

`tulliana export data FORM --level public` (or `partner`), *Download data* on the page of a form, and `…/data?level=public` for
programs write one row for each report with these columns, then the answers, then the reasons: {columns}. An analyst gets the
level *partner* unless asked otherwise; who may see reports gets exact data unless asked otherwise. Everybody of a circle gets
the same rows, and they cannot be narrowed by day, place or state: two narrow questions tell a third one. Narrow them when you
have them.

* **{fewest} households.** Behind each place and time stand at least {fewest} different households. Where a cell has fewer, its
  reports go to the next larger place ({levels}); where a time has fewer, to the quarter, the year, or all that is told with the
  release. What is left of a country at the end joins its smallest group, or is left out. Public groups are made of whole
  partner groups, so that nobody with both files can set a few reports apart.
* **Answers.** Choices and numbers are told if at least {fewest} households gave them in reports of that quarter. A number that
  fewer gave is rounded to 1, 2 or 5 times a power of ten; if still fewer than {fewest} have one like it, the cell is empty. A
  herd of 347 would be a name.
* **Quarters are closed.** A report belongs to its quarter if it comes within {closing} days of its end; partners see it then,
  the public after 90 days. What comes later is told with the quarter in which it came, in groups of {fewest} of its own. So a
  file made today and one made tomorrow differ by nobody's report.
* **Consent.** Without consent a report is not told. Without consent to share the place it has only its province or country
  (`:unplaced`).
* **Order.** Rows are in the order of ids that phones draw at random and that are not told; `record` counts them.
* **Forms of your own** must say which question asks for the household, in the column `bind::tulliana:personal` with the value
  `code`; without it nobody can count households, and nothing is told. A question whose choices are names of places or people
  gets the value `contact`, and is then withheld.

Left out, with their number (below {fewest} it is not said exactly): {left_out}.

Surveys that visit no household ({wildlife}) are told with cells of 0.1 degrees and month or quarter, and the uncertainty that
Chapman gives (15,691 m more than that of the position). Records never leave if {never}. Of {inside} no single record is told at
all. Cameras are told by the releases `camtrapdp` once they were taken down: in the same cells, from the first day of a month or
quarter to the last of one, with the nights they worked. While a camera stands nothing is told of it.

## Figures

Hotspots and indicators follow the same policies ([hotspots](hotspots.md) says how): five households behind every figure and
behind every difference of two, sums of which one household makes up more than {share} percent kept back, restricted surveys
by country and year from five records on. A release that was given out stands: a night's late report does not change it. A
correction (`-r2`) is made only by a person who says why, and only if no row of it, taken from that of the release before,
tells of fewer than {fewest} households. Hotspots are those of calendar years, so that no two releases overlap. Of quarters
that were told of, late reports are counted in groups of {fewest} households, the same ones for partners and the public
([releases](releases.md)).

What somebody typed is in no figure: species, measures, roles, currencies, versions of forms are told only where they are codes
of the shipped surveys, or versions published here. A phone can write anything in place of a choice.

## Exact data

Coordinators and reviewers need exact places, and so do the programs that speak to them as ODK Central, KoBoToolbox and ODK
Briefcase do. Each such download leaves one line in the log: who, which form, which way, narrowed to what, how many records.
*Log* on the pages, or `tulliana log --action data.export`. So does every look: at the page, a file or the XML of one report
(`data.view`), at the map or a list of many (`data.list`), at an entity (`entity.view`); what a phone sends and gets is not a look.
*Show who looked at what* on the page of the log. Pictures are for who may see pictures; small pictures on pages hold
pixels and nothing else.

## What is promised, and what is not

Promised, and tried by attackers in `tests/leaks/` at files of every format, pages, programs' doors, filters, boxes that are
halved, order, layouts, differences and both circles together: no position closer than its cell, no name, code, text, file name,
phone, id or day; no group of fewer than {fewest} households; no answer of fewer.

Not promised: protection from somebody who knows the answers of four of five households; that five households who all said
the same are not known to have said it; nor that a report which is deleted or changed after its quarter was told is not
missed by who kept the old file: a review or a visit to a report moves the figures of its quarter in the next release.
Generalised data are worked out before the first row is sent: 20,000 reports take some five seconds.
"""


def page() -> str:
    """The page."""
    return _TEXT.format(
        policies=_table(
            ("level", "readers", "places", "wildlife", "time", "embargo", "households"), [_row(each) for each in POLICIES]
        ),
        kinds=_table(("kind", "what"), list(KINDS.items())),
        columns=", ".join(f"`{column.header}`" for column in (*ABOUT, *REASONS)),
        fewest=FEWEST,
        closing=CLOSING_DAYS,
        share=round(LARGEST_SHARE * 100),
        levels=", ".join(f"`{level}`" for level in CELL_LEVELS[1:]),
        left_out="; ".join(LEFT_OUT.values()),
        wildlife=", ".join(f"`{form_id}`" for form_id in sorted(WILDLIFE)),
        never=" or ".join(f"`{name}` is {' or '.join(sorted(answers))}" for name, answers in NEVER.items()),
        inside=", ".join(f"`{form_id}`" for form_id in survey_ids() if stays_inside(form_id)),
    )


def _row(policy: Policy) -> tuple[str, ...]:
    places = "exact" if policy.is_exact else CELL_LEVELS[policy.finest].replace("h3_", "H3 resolution ")
    wildlife = f"{policy.degrees} degrees" if policy.degrees else "exact" if policy.is_exact else "never"
    unit = " records" if policy is RESTRICTED else ", as 5-9 or 10+" if policy.bands else ""
    households = "" if policy.is_exact else f"at least {policy.fewest}{unit}"
    embargo = f"{policy.embargo_days} days" if policy.embargo_days else "none"
    return policy.name, policy.readers, places, wildlife, policy.period, embargo, households


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
