"""What a person may do in a project, decided in one place.

Everything that reads records for people takes an `Access` and not the number of a project: who has none, reads nothing. An `Access`
narrows what its holder sees (`visible`) and refuses what the role does not allow (`require`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, select

from forms.personal import ATTENDANCE, PICTURE
from forms.problems import Problem
from records.models import AppUser, Form, Submission


class Right(StrEnum):
    """One thing a role may allow."""

    SEE = "see"  # reports, places exact
    CONTACT = "contact"  # who somebody is: names, telephone numbers, sheets of attendance
    PICTURES = "pictures"  # photos and other files of reports
    CONFIDENTIAL = "confidential"  # records of confidential forms too: deaths of leopards, illegal trade
    REVIEW = "review"  # review states, comments, remedies
    FORMS = "forms"  # publish, draft, close
    PHONES = "phones"  # add phones, withdraw their keys
    EXPORTS = "exports"  # releases, which hold no exact place
    RUN_EXPORTS = "run_exports"
    ENTITIES = "entities"  # lists of households and the like
    LOG = "log"  # who did what in the project
    SERVER = "server"  # what belongs to no project: accounts, who signed in


COLLECTOR = "data_collector"
ROLES: dict[str, frozenset[Right]] = {
    "coordinator": frozenset(Right) - {Right.SERVER},
    "reviewer": frozenset({Right.SEE, Right.PICTURES, Right.REVIEW, Right.EXPORTS}),
    "analyst": frozenset({Right.EXPORTS}),
    COLLECTOR: frozenset({Right.SEE, Right.PICTURES}),  # of the phones that are theirs
}


@dataclass(frozen=True, slots=True)
class Access:
    """What somebody may do in one project. `only_account`: sees only what the phones of this account sent."""

    project_id: int
    actor: str
    rights: frozenset[Right]
    only_account: int | None = None

    @classmethod
    def everything(cls, project_id: int, actor: str) -> "Access":
        """For administrators, the command line and the schedule."""
        return cls(project_id, actor, frozenset(Right))

    @classmethod
    def of_role(cls, project_id: int, actor: str, role: str, account_id: int) -> "Access":
        """What a role gives; a data collector is kept to their own phones."""
        return cls(project_id, actor, ROLES.get(role, frozenset()), account_id if role == COLLECTOR else None)

    def may(self, *rights: Right) -> bool:
        """Whether one of these rights is there."""
        return not self.rights.isdisjoint(rights)

    def require(self, *rights: Right) -> None:
        """Raise `Problem("not_allowed")` unless one of these rights is there."""
        if not self.may(*rights):
            raise Problem("not_allowed")

    def file_kinds(self) -> list[str]:
        """The kinds of files (see `forms.personal`) that its holder may look at."""
        return [ATTENDANCE] * self.may(Right.CONTACT) + [PICTURE] * self.may(Right.PICTURES)

    def visible(self, *, with_deleted: bool = False) -> Sequence[ColumnElement[bool]]:
        """The conditions on `submission` under which its holder may see a record."""
        conditions: list[ColumnElement[bool]] = [Submission.project_id == self.project_id]
        if not with_deleted:
            conditions.append(Submission.deleted_at.is_(None))
        if self.only_account is not None:
            own = select(AppUser.id).where(AppUser.project_id == self.project_id, AppUser.account_id == self.only_account)
            conditions.append(Submission.app_user_id.in_(own))
        elif Right.CONFIDENTIAL not in self.rights:
            conditions.append(
                Submission.form_id.not_in(select(Form.form_id).filter_by(project_id=self.project_id, confidential=True))
            )
        return conditions
