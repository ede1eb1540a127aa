"""Doors for programs: ODK Central's REST and OData below /v1, KoBoToolbox's below /api/v2, and one description of both.

Importing this hangs up every address.
"""

from server.api import app_users, data, entities, forms, kobo, odata, openapi, projects, sessions, submissions
from server.api.blueprint import central, kobo_door

__all__ = [
    "app_users",
    "central",
    "data",
    "entities",
    "forms",
    "kobo",
    "kobo_door",
    "odata",
    "openapi",
    "projects",
    "sessions",
    "submissions",
]
