"""Pages for people: sign in, reports on a map and in a table, phones, downloads."""

from flask import Blueprint

pages = Blueprint("pages", __name__)
