"""The tables. What arrived is immutable (`submission_version`, `attachment`, `form_version`); `submission` is the current state
folded from it and can be rebuilt; every arrival appends one row to `feed`.

Every row that belongs to a project carries its id. Keys hold the instance id, by which the data could be spread over machines.
"""

from records.models.base import Base
from records.models.checks import Measure, Picture, PictureBand, StudyArea
from records.models.entities import Entity, EntityAction, EntityList
from records.models.exports import ExportRun
from records.models.forms import DraftSubmission, Form, FormDraft, FormMedia, FormVersion, Project
from records.models.incidents import ConflictReport, IncidentLink, IncidentPair
from records.models.people import Account, AppUser, AuditEvent, Membership, Session
from records.models.personal import Erasure, PersonalKey
from records.models.pulls import PullServer, PullSource
from records.models.relay import RelayFile, RelayInvite, RelayNode, RelayPosition, RelayProject, RelayRecord
from records.models.submissions import Attachment, Feed, KeptAside, ReviewEvent, Submission, SubmissionVersion

__all__ = [
    "Account",
    "AppUser",
    "Attachment",
    "AuditEvent",
    "Base",
    "ConflictReport",
    "DraftSubmission",
    "Entity",
    "EntityAction",
    "EntityList",
    "Erasure",
    "ExportRun",
    "Feed",
    "Form",
    "FormDraft",
    "FormMedia",
    "FormVersion",
    "IncidentLink",
    "IncidentPair",
    "KeptAside",
    "Measure",
    "Membership",
    "PersonalKey",
    "Picture",
    "PictureBand",
    "Project",
    "PullServer",
    "PullSource",
    "RelayFile",
    "RelayInvite",
    "RelayNode",
    "RelayPosition",
    "RelayProject",
    "RelayRecord",
    "ReviewEvent",
    "Session",
    "StudyArea",
    "Submission",
    "SubmissionVersion",
]
