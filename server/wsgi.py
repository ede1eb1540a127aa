"""What the WSGI server calls in its worker process: the application, with the schedule running beside it."""

import logging

from flask import Flask

from server import schedule
from server.app import create_app
from server.crowding import ask_after_silent_phones


def application() -> Flask:
    """The application for the environment's settings."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    app = create_app()
    opened = app.extensions["tulliana"]
    schedule.start(opened)
    ask_after_silent_phones(opened.config.port)
    return app
