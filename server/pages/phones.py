"""Phones: listing them, adding one with its QR code, who sees what it sends, which forms it gets, withdrawing a key."""

from typing import Any

from flask import Response, redirect, request, url_for
from markupsafe import Markup
from sqlalchemy import Row

from forms.problems import Problem
from records.access import Right
from records.forms import titles
from server import accounts, app_users, phone_settings
from server.i18n import phone_languages
from server.network import is_loopback, serving_url
from server.pages.access import access, open_to
from server.pages.blueprint import PROJECT, pages
from server.pages.rendering import form_title, language, page
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
    name, account = request.form.get("name", ""), request.form.get("account")
    given: dict[str, Any] = {"project_id": access().project_id, "account": account, "actor": access().actor}
    try:
        user = app_users.add(services().store, name, language=request.form.get("language", "en"), **given)
    except Problem as problem:
        return _listed(problem, name)
    base_url = phone_base_url()
    code = phone_settings.settings_qr(user, base_url)
    drawing = Markup(code.svg_inline(border=4, omitsize=True, dark="#000", light="#fff"))  # noqa: S704 - segno's own, of base64 text
    return page("phone_new.html", user=user, url=user.url(base_url), drawing=drawing, is_reachable=not is_loopback(base_url))


@pages.get(f"{PROJECT}/phones/<segment:name>", endpoint="phone")
@open_to(Right.PHONES)
def one(name: str) -> Response:
    """One phone: who sees what it sends, and which forms it gets."""
    user = _active(name)
    with services().store.read() as connection:
        forms = {form_id: form_title(title) for form_id, title in titles(connection, access().project_id)}
        collectors = accounts.collectors(connection, access().project_id)
    return page("phone.html", user=user, forms=forms, collectors=collectors)


@pages.post(f"{PROJECT}/phones/<segment:name>")
@open_to(Right.PHONES)
def change(name: str) -> Response:
    """Change who sees what a phone sends, and which forms it gets."""
    user, store = _active(name), services().store
    common: dict[str, Any] = {"project_id": access().project_id, "actor": access().actor}
    only = sorted(request.form.getlist("form")) if request.form.get("forms") == "some" else None
    account = request.form.get("account") or None
    if only != user.form_ids:
        app_users.set_forms(store, name, only, **common)
    if account != user.account:
        app_users.set_account(store, name, account, **common)
    return redirect(url_for("pages.phones"), 303)  # type: ignore[return-value]


@pages.get(f"{PROJECT}/phones/<segment:name>/revoke")
@open_to(Right.PHONES)
def ask_revoke(name: str) -> Response:
    """Ask before a key is withdrawn."""
    return page("phone_revoke.html", name=_active(name).name)


@pages.post(f"{PROJECT}/phones/<segment:name>/revoke")
@open_to(Right.PHONES)
def revoke(name: str) -> Response:
    """Withdraw a phone's key."""
    app_users.revoke(services().store, name, project_id=access().project_id, actor=access().actor)
    return redirect(url_for("pages.phones"), 303)  # type: ignore[return-value]


def _active(name: str) -> Row[Any]:
    """The active phone of this name. Raises `Problem("not_found")`."""
    with services().store.read() as connection:
        users = app_users.listed(connection, access().project_id)
    found = next((user for user in users if user.name == name and user.revoked_at is None), None)
    if found is None:
        raise Problem("not_found", f"No active app user is called {name}.")
    return found


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
        collectors = accounts.collectors(connection, access().project_id)
    status, given = problem.kind.status if problem else 200, {"problem": problem, "name": name, "chosen": language()}
    return page("phones.html", status=status, users=users, collectors=collectors, languages=phone_languages(), **given)
