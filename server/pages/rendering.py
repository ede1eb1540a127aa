"""How pages are made: the reader's language, the frame around every page, dates and numbers, headers that keep browsers strict."""

import hashlib
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import Response, g, render_template, request, url_for
from markupsafe import Markup

from forms.numbers import in_digits_of
from forms.problems import Problem
from records.access import Access
from server.accounts import Person
from server.compression import compressed
from server.downloads import visible_name
from server.errors import is_for_phones
from server.i18n import LANGUAGES, RIGHT_TO_LEFT, translator
from server.identity import own_projects
from server.pages.blueprint import pages

_LANGUAGE_COOKIE = "lang"
_YEAR = 365 * 24 * 3600
_STATIC = Path(__file__).parent.parent / "static"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


def language() -> str:
    """The reader's language: asked for in the address, chosen before, or wished for by the browser."""
    wished = (tag.partition("-")[0].lower() for tag in request.accept_languages.values())
    for code in (request.args.get("lang", ""), request.cookies.get(_LANGUAGE_COOKIE, ""), *wished):
        if code in LANGUAGES:
            return code
    return "en"


def translate(text: str) -> str:
    """A text in the reader's language."""
    return translator(language())(text)


def form_title(title: str) -> str:
    """A form's title; those of the shipped surveys in the reader's language."""
    from forms.library.translations import pick_languages

    return pick_languages([language()])[0].translate("title", title)


def page(template: str, *, status: int = 200, **values: Any) -> Response:
    """A page. It is for this reader alone, so nothing on the way keeps it."""
    reader = language()
    switch = (
        [] if request.method == "POST" else [(code, name, _same_page(code)) for code, name in LANGUAGES.items() if code != reader]
    )
    html = render_template(
        template,
        _=translator(reader),
        language=reader,
        direction="rtl" if reader in RIGHT_TO_LEFT else "ltr",
        language_switch=switch,
        person=g.get("person"),
        access=_access(status),
        own_projects=g.get("own_projects", {}),
        **values,
    )
    response = compressed(Response(html, status=status, content_type="text/html; charset=utf-8"))
    response.headers["Cache-Control"] = "no-store"
    if status == 429:
        response.headers["Retry-After"] = "60"
    return response


def _access(status: int) -> Access | None:
    """What the reader may do in the project of this page; a page of none of theirs leads on to their first one."""
    if g.get("person") is None or status >= 500:  # then the database may be what is broken
        return None
    own = own_projects()
    if g.get("project_id") not in own:
        g.project_id = next(iter(own), None)
    asking: Person = g.person
    return None if g.project_id is None else asking.access(g.project_id)


def problem_page(problem: Problem) -> Response:
    """A problem as a page: what happened and what to do."""
    return page("problem.html", status=problem.kind.status, problem=problem)


def _same_page(code: str) -> str:
    return "?" + urlencode({**request.args.to_dict(), "lang": code})


pages.add_app_template_filter(visible_name)


@pages.app_template_filter()
def number(value: float) -> str:
    """A number in the reader's digits."""
    from babel.numbers import format_decimal

    reader = language()
    text = str(format_decimal(value, locale=reader, numbering_system="default"))
    return in_digits_of(reader, text)


@pages.app_template_filter()
def year(value: int) -> str:
    """A year of the Gregorian calendar in the reader's digits."""
    return in_digits_of(language(), str(value))


@pages.app_template_filter()
def file_size(size: int) -> str:
    """A size in bytes for people."""
    if size < 1000:
        return translate("{n} bytes").format(n=number(size))
    if size < 1_000_000:
        return translate("{n} kB").format(n=number(round(size / 1000)))
    return translate("{n} MB").format(n=number(round(size / 1_000_000, 1)))


@pages.app_template_filter()
def duration(seconds: float) -> str:
    """A stretch of time for people."""
    from babel.dates import format_timedelta

    reader = language()
    return in_digits_of(reader, str(format_timedelta(timedelta(seconds=seconds), locale=reader)))


@pages.app_template_filter()
def moment(value: datetime | date | None) -> Markup:
    """A moment or a day. The page's script writes it in the reader's calendar and time zone; without scripts it is ISO 8601."""
    if value is None:
        return Markup("–")
    if isinstance(value, datetime):
        value = value.astimezone(UTC)
        return Markup('<time datetime="{}">{}</time>').format(f"{value:%Y-%m-%dT%H:%M:%SZ}", f"{value:%Y-%m-%d %H:%M} UTC")
    return Markup('<time datetime="{0}">{0}</time>').format(value.isoformat())


@pages.app_template_global()
def asset(name: str) -> str:
    """The address of a file of ours; it names its content, so browsers may keep it."""
    return url_for("static", filename=name, v=_digest(name))


@lru_cache
def _digest(name: str) -> str:
    return hashlib.sha256((_STATIC / name).read_bytes()).hexdigest()[:12]


@pages.after_app_request
def _finish(response: Response) -> Response:
    """Headers of everything a browser gets, and the language it chose."""
    if is_for_phones():
        return response
    response.headers.setdefault("Content-Security-Policy", _POLICY)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    if request.endpoint == "static" and request.args.get("v"):
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    if request.args.get("lang") in LANGUAGES:
        response.set_cookie(_LANGUAGE_COOKIE, request.args["lang"], max_age=_YEAR, samesite="Lax", secure=request.is_secure)
    return response
