"""Databases and files for the tests of this room."""

from tests.support.stores import (
    blobs,
    database_url,
    empty_url,
    postgres_store,
    postgres_tables,
    sqlite_store,
    sqlite_template,
    store,
)

__all__ = [
    "blobs",
    "database_url",
    "empty_url",
    "postgres_store",
    "postgres_tables",
    "sqlite_store",
    "sqlite_template",
    "store",
]
