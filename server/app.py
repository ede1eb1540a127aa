"""The application: Flask with everything behind it opened and every door hung."""

from collections.abc import Callable, Iterable
from io import BytesIO
from ipaddress import ip_address, ip_network
from typing import Any

from flask import Flask, Response, request
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter

from forms.problems import Problem
from records.turnstile import Turnstile
from server import errors
from server.api import central, kobo_door
from server.briefcase import briefcase
from server.config import Config
from server.crowding import Crowd
from server.doors import DOORS, PULL_DOORS
from server.draft_door import draft_door
from server.openrosa import openrosa
from server.pages import pages
from server.relay_door import relay_door
from server.release_files import releases
from server.services import open_services, services
from server.unchanged import answers_unchanged
from server.uploads import wait_for_small

_CROWDED = "tulliana.crowded"
WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def create_app(config: Config | None = None) -> Flask:
    """The application for this configuration (by default that of the environment). Raises `Problem("settings_invalid")`."""
    config = config or Config.load()
    app = Flask("server", static_folder="static")
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.url_map.converters["int"] = _Number
    opened = open_services(app, config)
    errors.install(app)
    for name, prefix in DOORS.items():
        app.register_blueprint(openrosa, name=name, url_prefix=prefix)
    for name, prefix in PULL_DOORS.items():
        app.register_blueprint(briefcase, name=name, url_prefix=prefix)
    app.register_blueprint(draft_door)
    app.register_blueprint(central)
    app.register_blueprint(kobo_door)
    app.register_blueprint(pages)
    app.register_blueprint(releases)
    app.register_blueprint(relay_door)
    app.after_request(_openrosa_headers)
    app.before_request(_room_for_more)
    in_turn = _in_turn(answers_unchanged(app.wsgi_app, opened.store), opened.turnstile)
    app.wsgi_app = _one_slash(_proxied(in_turn, config.trusted_proxies))  # type: ignore[method-assign, assignment]
    return app


class _Number(IntegerConverter):
    """A number in an address, as far as a database can look for it."""

    regex = r"\d{1,18}"


def _openrosa_headers(response: Response) -> Response:
    """What phones need on every answer, errors too."""
    if errors.is_for_phones():
        response.headers["X-OpenRosa-Version"] = "1.0"
        if request.path.endswith("/submission"):
            response.headers["X-OpenRosa-Accept-Content-Length"] = str(services().config.upload_bytes)
    return response


def _room_for_more() -> None:
    if _CROWDED in request.environ:
        raise Problem("busy")


def _in_turn(application: WsgiApp, turnstile: Turnstile) -> WsgiApp:
    """Answer requests in turn; see `records.turnstile`. A small body is waited for before, a large one by who reads it."""
    crowd = Crowd()

    def wrapped(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        with crowd.place(environ) as is_free:
            if is_free:
                wait_for_small(environ)
            else:
                environ |= {_CROWDED: True, "wsgi.input": BytesIO()}
            with turnstile.inside():
                return application(environ, start_response)

    return wrapped


def _one_slash(application: WsgiApp) -> WsgiApp:
    """Server addresses typed with a slash at the end make doubled slashes; redirecting would turn a POST into a GET."""

    def wrapped(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        while "//" in path:
            path = path.replace("//", "/")
        environ["PATH_INFO"] = path
        return application(environ, start_response)

    return wrapped


def _proxied(application: WsgiApp, networks: tuple[str, ...]) -> WsgiApp:
    """Believe X-Forwarded headers only from the proxies named in the settings."""
    if not networks:
        return application
    trusted = [ip_network(network) for network in networks]
    fixed = ProxyFix(application, x_for=1, x_proto=1, x_host=1, x_port=1, x_prefix=1)

    def wrapped(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        try:
            address = ip_address(environ.get("REMOTE_ADDR", ""))
        except ValueError:
            return application(environ, start_response)
        is_trusted = any(address in network for network in trusted)
        return (fixed if is_trusted else application)(environ, start_response)

    return wrapped
