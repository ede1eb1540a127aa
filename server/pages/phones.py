"""Phones: listing them, adding one with its QR code, withdrawing a key."""

from flask import Response, redirect, request, url_for
from markupsafe import Markup

from forms.problems import Problem
from records.access import Right
from server import app_users, phone_settings
from server.i18n import LANGUAGES
from server.network import is_loopback, serving_url
from server.pages.access import access, open_to
from server.pages.blueprint import PROJECT, pages
from server.pages.rendering import language, page
from server.services import services


@pages.get(f"{PROJECT}/phones", endpoint="phones")
@open_to(Right.PHONES)
def all_phones() -> Response:
    """The phones that may send, and the form to add one."""
    return _listed()


@pages.post(f"{PROJECT}/phones")
@open_to(Right.PHONES)
def add_phone() -> Response:
    """Add a phone and show its QR code: the only time its key is known."""
    name, wanted = request.form.get("name", ""), request.form.get("language", "en")
    try:
        user = app_users.add(services().store, name, project_id=access().project_id, language=wanted, actor=access().actor)
    except Problem as problem:
        return _listed(problem, name)
    base_url = phone_base_url()
    code = phone_settings.settings_qr(user, base_url)
    drawing = Markup(code.svg_inline(border=4, omitsize=True, dark="#000", light="#fff"))  # noqa: S704 - segno's own, of base64 text
    return page("phone_new.html", user=user, url=user.url(base_url), drawing=drawing, is_reachable=not is_loopback(base_url))


@pages.get(f"{PROJECT}/phones/<segment:name>/revoke")
@open_to(Right.PHONES)
def ask_revoke(name: str) -> Response:
    """Ask before a key is withdrawn."""
    return page("phone_revoke.html", name=name)


@pages.post(f"{PROJECT}/phones/<segment:name>/revoke")
@open_to(Right.PHONES)
def revoke(name: str) -> Response:
    """Withdraw a phone's key."""
    app_users.revoke(services().store, name, project_id=access().project_id, actor=access().actor)
    return redirect(url_for("pages.phones"), 303)  # type: ignore[return-value]


def phone_base_url() -> str:
    """Under which address phones reach this server: as set, else as this browser does, else as found on the network."""
    config = services().config
    seen = request.host_url.rstrip("/")
    if config.public_url or is_loopback(seen):
        return serving_url(config)
    return seen


def _listed(problem: Problem | None = None, name: str = "") -> Response:
    with services().store.read() as connection:
        users = app_users.listed(connection, access().project_id)
    status = problem.kind.status if problem else 200
    reader = language()
    return page("phones.html", status=status, users=users, problem=problem, name=name, languages=LANGUAGES, chosen=reader)
