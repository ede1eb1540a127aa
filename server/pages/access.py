"""Who may see a page, and the refusal of requests that other sites have a browser make."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from flask import g, redirect, request, url_for

from forms.problems import Problem
from records.access import Access, Right
from server.accounts import Person
from server.errors import is_for_phones
from server.identity import access_to, person, require_person
from server.pages.blueprint import pages

_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
View = Callable[..., Any]


@pages.before_app_request
def refuse_forged() -> None:
    """Refuse a request that another site had a browser make (OWASP, "Cross-Site Request Forgery Prevention", Fetch Metadata).

    Browsers say where a request comes from and let no site lie about it. Who says nothing is no browser and brings no cookie.
    """
    if request.method in _SAFE_METHODS or is_for_phones():
        return
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    is_own = site in {"same-origin", "none"} if site else origin is None or urlsplit(origin).netloc == request.host
    if not is_own:
        raise Problem("request_forged")


def open_to(*rights: Right) -> Callable[[View], View]:
    """A page of a project for people with one of these rights. Others are told; strangers are sent to sign in."""

    def allow(_: Person) -> None:
        g.access = access_to(g.project_id)
        g.access.require(*rights)

    return _guard(allow)


def open_to_people(view: View) -> View:
    """A page of no project, for whoever is signed in."""
    return _guard(lambda _: None)(view)


def open_to_administrators(view: View) -> View:
    """A page for those who look after the server as a whole."""

    def allow(asking: Person) -> None:
        if not asking.is_administrator:
            raise Problem("not_allowed")

    return _guard(allow)(view)


def access() -> Access:
    """What who asked for this page may do in its project."""
    found: Access = g.access
    return found


def _guard(allow: Callable[[Person], None]) -> Callable[[View], View]:
    def decorate(view: View) -> View:
        @wraps(view)
        def inner(**values: Any) -> Any:
            is_page = request.method in _SAFE_METHODS and request.accept_mimetypes.best != "application/json"
            if is_page and person() is None:
                wanted = request.full_path.rstrip("?")
                return redirect(url_for("pages.sign_in", next=None if wanted == "/" else wanted))
            allow(require_person())
            return view(**values)

        return inner

    return decorate


def local_path(wanted: str) -> str:
    """`wanted` if it is a path of this server, else the start page. Browsers read `//host` and `/\\host` as other sites."""
    is_clean = wanted.isprintable() and "\\" not in wanted
    return wanted if is_clean and wanted.startswith("/") and not wanted.startswith("//") else "/"
