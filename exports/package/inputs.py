"""What a release was made from: every record of its surveys is counted once, and the numbers add up to those of the database.

A number below five is not said: it is added to "other", and "other" takes in more until it is large enough.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, Text, and_, case, cast, func, not_, or_, select, true

from exports.late import on_time
from exports.package.contents import said
from exports.privacy import FEWEST_HOUSEHOLDS
from exports.windows import Window
from forms.library.sources import restricted_ids, survey_ids
from records.access import Access, Right
from records.models import FormVersion, Submission

COUNTED, UNDATED = "counted", "undated"
_RESTRICTED = "restricted surveys"
_BATCH = 2000
_KIND = itemgetter(slice(2, None))


class _Kind(NamedTuple):
    """What is known of records that are alike; flags as the text of their JSON."""

    form_id: str
    state: str
    review_state: str
    version: str
    flags: str


@dataclass
class Inputs:
    """The records of one survey: how many in which state, and what is known of those that count."""

    states: Counter[str] = field(default_factory=Counter)
    reviews: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    versions: set[str] = field(default_factory=set)

    @property
    def read(self) -> int:
        """How many there are in the database."""
        return sum(self.states.values())

    def add(self, kind: _Kind, number: int) -> None:
        """Take in so many records of one kind."""
        self.states[kind.state] += number
        if kind.state in {COUNTED, UNDATED}:
            self.reviews[kind.review_state] += number
            self.versions.add(kind.version)
            for code in {str(flag.get("code")) for flag in orjson.loads(kind.flags)}:
                self.flags[code] += number

    def told(self) -> dict[str, Any]:
        """The numbers as they may be told: `used` and those `left_out` add up to `read`."""
        left_out = {state: number for state, number in self.states.items() if state not in {COUNTED, UNDATED}}
        used = self.states[COUNTED] + self.states[UNDATED]
        numbers = add_up(left_out)
        exact = not any(isinstance(number, str) for number in (*numbers.values(), said(used)))
        return {
            "read": self.read if exact else None,
            "used": said(used),
            "used_without_a_day": said(self.states[UNDATED]),
            "left_out": numbers,
            "used_by_review_state": add_up(self.reviews),
            "used_by_flag": {flag: said(number) for flag, number in sorted(self.flags.items())},
            "form_versions": sorted(self.versions),
        }


def read_inputs(
    connection: Connection, access: Access, window: Window, surveys: Iterable[str] = ()
) -> tuple[dict[str, Inputs], str]:
    """Count the records of the surveys (none: all shipped ones) by form, and the digest of those used: sorted ids and contents.

    The restricted surveys are counted together. A record is used when it is dated in the window, or not dated. Versions are told
    that were published here; what else a phone calls one is told to nobody.
    """
    access.require(Right.SEE)
    purpose = Submission.answers["submission_purpose"].as_string()
    state = case(
        (Submission.deleted_at.is_not(None), "deleted"),
        (Submission.encrypted, "encrypted"),
        (Submission.review_state.in_(["rejected", "duplicate"]), Submission.review_state),
        (Submission.excluded, "error"),
        (func.coalesce(purpose, "real") == "test", "test"),
        (Submission.event_date.is_(None), UNDATED),
        (or_(Submission.event_date < window.start, Submission.event_date > window.end), "other_days"),
        (not_(and_(true(), *on_time(connection, access, window))), "late"),
        else_=COUNTED,
    ).label("state")
    kind = (Submission.form_id, state, Submission.review_state, Submission.version, cast(Submission.flags, Text))
    query = select(Submission.instance_id, Submission.current_sha256, *kind).where(*access.visible(with_deleted=True))
    query = query.where(Submission.form_id.in_(list(surveys) or survey_ids()))
    kinds: Counter[tuple[Any, ...]] = Counter()
    digests = []
    for records in connection.execute(query, execution_options={"yield_per": _BATCH}).partitions():
        kinds.update(map(_KIND, records))
        used = ((form_id, *which) for *which, form_id, is_now, _, _, _ in records if is_now in {COUNTED, UNDATED})
        digests += [hashlib.sha256("\t".join(line).encode()).digest() for line in used]
    restricted = restricted_ids()
    found: defaultdict[str, Inputs] = defaultdict(Inputs)
    for alike, number in kinds.items():
        found[_RESTRICTED if alike[0] in restricted else alike[0]].add(_Kind(*alike), number)
    published = select(FormVersion.version).filter_by(project_id=access.project_id)
    here = set(connection.execute(published.distinct()).scalars())
    for inputs in found.values():
        inputs.versions &= here
    return dict(sorted(found.items())), hashlib.sha256(b"".join(sorted(digests))).hexdigest()


def add_up(numbers: Mapping[str, int]) -> dict[str, int | str]:
    """Tell numbers so that they add up and none is below five: small ones are joined to "other"; what stays small is not exact."""
    large = {name: number for name, number in sorted(numbers.items()) if number >= FEWEST_HOUSEHOLDS}
    other = sum(numbers.values()) - sum(large.values())
    while 0 < other < FEWEST_HOUSEHOLDS and large:
        other += large.pop(min(large, key=lambda name: (large[name], name)))
    return {**large, "other": said(other)} if other else dict(large)
