"""Pages for people: sign in, reports on a map and in a table, phones, forms, downloads. Importing this hangs up every page."""

from server.pages import (
    access,
    decryption,
    entities,
    exports,
    forms,
    incidents,
    languages,
    log,
    overview,
    people,
    phones,
    projects,
    quarantine,
    report,
    review,
    sign_in,
    strategy,
)
from server.pages.blueprint import pages

__all__ = [
    "access",
    "decryption",
    "entities",
    "exports",
    "forms",
    "incidents",
    "languages",
    "log",
    "overview",
    "pages",
    "people",
    "phones",
    "projects",
    "quarantine",
    "report",
    "review",
    "sign_in",
    "strategy",
]
