"""Signing in and out."""

from flask import Response, redirect, request

from forms.problems import Problem
from server import accounts
from server.identity import COOKIE, sign_in
from server.pages.access import local_path
from server.pages.blueprint import pages
from server.pages.rendering import page
from server.services import services

_SECONDS = accounts.SESSION_DAYS * 24 * 3600


@pages.get("/sign-in", endpoint="sign_in")
def form() -> Response:
    """Ask for name and password."""
    return page("sign_in.html", wanted=local_path(request.args.get("next", "/")))


@pages.post("/sign-in")
def sign_in_now() -> Response:
    """Begin a session and go where the person wanted to go."""
    wanted = local_path(request.form.get("next", "/"))
    try:
        token = sign_in(request.form.get("name", "").strip(), request.form.get("password", ""))
    except Problem as problem:
        return page("sign_in.html", status=problem.kind.status, problem=problem, wanted=wanted)
    response: Response = redirect(wanted, 303)  # type: ignore[assignment]
    response.set_cookie(COOKIE, token, max_age=_SECONDS, httponly=True, samesite="Lax", secure=request.is_secure)
    return response


@pages.post("/sign-out")
def sign_out() -> Response:
    """End the session of this browser."""
    accounts.end_session(services().store, request.cookies.get(COOKIE, ""))
    response: Response = redirect("/sign-in", 303)  # type: ignore[assignment]
    response.delete_cookie(COOKIE, httponly=True, samesite="Lax", secure=request.is_secure)
    return response
