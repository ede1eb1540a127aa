"""What the WSGI server calls in its worker process: the application, with the schedule running beside it."""

import logging

from flask import Flask

from server import schedule
from server.app import create_app


def application() -> Flask:
    """The application for the environment's settings."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    app = create_app()
    schedule.start(app.extensions["tulliana"])
    return app
