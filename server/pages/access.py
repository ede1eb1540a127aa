"""Who may see a page, and the refusal of requests that other sites have a browser make."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from flask import redirect, request, url_for

from forms.problems import Problem
from server.accounts import ROLES, Person
from server.errors import is_for_phones
from server.identity import person, require
from server.pages.blueprint import pages

_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
View = Callable[..., Any]


@pages.before_app_request
def refuse_forged() -> None:
    """Refuse a request that another site had a browser make (OWASP, "Cross-Site Request Forgery Prevention", Fetch Metadata).

    Browsers say where a request comes from and let no site lie about it. Who says nothing is no browser and brings no cookie.
    """
    if request.method in _SAFE_METHODS or is_for_phones(request.path):
        return
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    is_own = site in {"same-origin", "none"} if site else origin is None or urlsplit(origin).netloc == request.host
    if not is_own:
        raise Problem("request_forged")


def open_to(*roles: str) -> Callable[[View], View]:
    """A page for people with one of these roles, and for administrators. Others are told; strangers are sent to sign in."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(**values: Any) -> Any:
            is_page = request.method in _SAFE_METHODS and request.accept_mimetypes.best != "application/json"
            if is_page and person() is None:
                wanted = request.full_path.rstrip("?")
                return redirect(url_for("pages.sign_in", next=None if wanted == "/" else wanted))
            require(*roles)
            return view(**values)

        return guarded

    return decorate


def reader() -> Person:
    """Who asked for a page that is open to them."""
    return require(*ROLES)


def local_path(wanted: str) -> str:
    """`wanted` if it is a path of this server, else the start page. Browsers read `//host` and `/\\host` as other sites."""
    is_clean = wanted.isprintable() and "\\" not in wanted
    return wanted if is_clean and wanted.startswith("/") and not wanted.startswith("//") else "/"
