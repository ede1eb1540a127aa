"""What the handlers and commands work with: one store, one blob store, one intake per process."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy

from forms.problems import Problem
from records.blobs import BlobStore
from records.entity_files import ListFiles
from records.models import Base
from records.store import Store, engine_options, prepare_engine
from records.turnstile import Turnstile
from records.vault import Vault
from server.config import Config
from server.tokens import kept_secret
from sync.intake import Intake

if TYPE_CHECKING:
    from sync.checks import Checker
    from sync.relay.answering import Answerer
    from sync.relay.settling import Settler

WIDTH = {"sqlite": 1, "postgresql": 3}  # PostgreSQL answers while others compute
database = SQLAlchemy(metadata=Base.metadata, engine_options=engine_options())


@dataclass(frozen=True, slots=True)
class Services:
    """The rooms below, opened with one configuration."""

    config: Config
    store: Store
    blobs: BlobStore
    intake: Intake
    lists: ListFiles
    turnstile: Turnstile
    secret: bytes
    _relay: "list[Answerer]" = field(default_factory=list)

    def checker(self) -> "Checker":
        """What looks at records again; the boundaries are read on the first call."""
        from records.geography import boundaries
        from sync.checks import Checker

        return Checker(self.store, self.blobs, self.intake.schemas, boundaries(self.config.boundaries), self.turnstile)

    def answerer(self) -> "Answerer":
        """What speaks for this node with others; who it is, is made known on the first call."""
        from sync.relay.answering import Answerer
        from sync.relay.identity import kept_identity

        if not self._relay:
            me = kept_identity(self.config.key_file.parent / "relay.key")
            self._relay.append(Answerer(self.store, self.blobs, me, self.config.data / "relay"))
        return self._relay[0]

    def settler(self) -> "Settler":
        """What makes part of ours what came from other nodes."""
        from sync.relay.settling import Settler

        return Settler(self.store, self.blobs, self.intake, self.answerer().me)


def open_services(app: Flask, config: Config) -> Services:
    """Open the data folder and the database for this application. Raises `Problem("settings_invalid")`."""
    try:
        config.data.mkdir(parents=True, exist_ok=True)
        vault = Vault(config.key_file)
        blobs = _files(config, vault)
        secret = kept_secret(config.data)
    except OSError as error:
        raise Problem("settings_invalid", f"TULLIANA_DATA: the folder {config.data} cannot be used: {error.strerror}.") from error
    app.config["SQLALCHEMY_DATABASE_URI"] = config.engine_url
    database.init_app(app)
    with app.app_context():
        prepare_engine(database.engine)
        turnstile = Turnstile(WIDTH[database.engine.dialect.name])
        store = Store(database.engine, turnstile, vault)
    opened = Services(config, store, blobs, Intake(store, blobs), ListFiles(store), turnstile, secret)
    app.extensions["tulliana"] = opened
    return opened


def _files(config: Config, vault: Vault) -> BlobStore:
    folder = config.data / "blobs"
    if not config.blobs:
        return BlobStore(folder, vault)
    try:
        from records.bucket import BucketStore
    except ImportError as error:
        hint = 'Install it: pip install "tulliana[cluster]".'
        raise Problem("settings_invalid", "TULLIANA_BLOBS: the library obstore is missing.", hint=hint) from error
    return BucketStore(folder, vault, config.blobs)


@contextmanager
def standalone(config: Config) -> Iterator[Services]:
    """The services without any door, for commands; closed at the end."""
    app = Flask("server")
    opened = open_services(app, config)
    with app.app_context():
        try:
            yield opened
        finally:
            opened.store.close()


def services() -> Services:
    """The services of the current application."""
    return cast(Services, current_app.extensions["tulliana"])
