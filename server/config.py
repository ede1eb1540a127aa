"""Settings: from the command line, else the environment, else a file named by NAME_FILE, else a default; all errors at once."""

import ipaddress
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from forms.problems import Problem
from server.slots import trigger

PREFIX = "TULLIANA_"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its environment name without the prefix, default as text, reader (raises ValueError), and what it is for."""

    name: str
    default: str
    read: Callable[[str], Any]
    help: str

    @property
    def variable(self) -> str:
        """The name of its environment variable."""
        return PREFIX + self.name


def _whole(text: str) -> int:
    if not text.isdecimal():
        raise ValueError("must be a whole number")
    return int(text)


def _port(text: str) -> int:
    port = _whole(text)
    if not 1 <= port <= 65535:
        raise ValueError("must be between 1 and 65535")
    return port


def _megabytes(text: str) -> int:
    size = _whole(text)
    if not 1 <= size <= 200:
        raise ValueError("must be between 1 and 200")
    return size * 1_000_000


def _months(text: str) -> int:
    months = _whole(text)
    if not 1 <= months <= 240:
        raise ValueError("must be between 1 and 240")
    return months


def _folder(text: str) -> Path:
    return Path(text).expanduser().absolute()


def _path(text: str) -> Path | None:
    return _folder(text) if text else None


def _database(text: str) -> str:
    if text and not text.startswith(("postgresql+psycopg://", "sqlite:///")):
        raise ValueError("must begin with postgresql+psycopg:// or sqlite:///")
    return text


def _bucket(text: str) -> str:
    if text and (urlsplit(text).scheme != "s3" or not urlsplit(text).hostname):
        raise ValueError("must be an address like s3://bucket/prefix")
    return text.rstrip("/")


def _public_url(text: str) -> str:
    if text and (urlsplit(text).scheme not in {"http", "https"} or not urlsplit(text).hostname):
        raise ValueError("must be an address like https://data.example.org")
    return text.rstrip("/")


def _kept(text: str) -> int:
    if text == "all":
        return 0
    if not text.isdecimal() or not 1 <= int(text) <= 10_000:
        raise ValueError("must be all or a number from 1 to 10000")
    return int(text)


def _minutes(text: str) -> int:
    if text == "never":
        return 0
    if not text.isdecimal() or not 1 <= int(text) <= 1440:
        raise ValueError("must be never or a number from 1 to 1440")
    return int(text)


def _mail(text: str) -> tuple[str, ...]:
    addresses = tuple(part.strip() for part in text.split(",") if part.strip())
    if any(address.count("@") != 1 or " " in address for address in addresses):
        raise ValueError("must be addresses like who@example.org, separated by commas")
    return addresses


def _smtp(text: str) -> str:
    if text and (urlsplit(text).scheme not in {"smtp", "smtps"} or not urlsplit(text).hostname):
        raise ValueError("must be an address like smtp://user:password@mail.example.org:587")
    return text


def _networks(text: str) -> tuple[str, ...]:
    return tuple(str(ipaddress.ip_network(part.strip())) for part in text.split(",") if part.strip())


def _file(text: str) -> Path | None:
    if text and not Path(text).expanduser().is_file():
        raise ValueError("is no file")
    return _folder(text) if text else None


def _cron(text: str) -> str:
    if text == "never":
        return ""
    try:
        trigger(text)
    except (ValueError, IndexError):
        raise ValueError("must be five cron fields, e.g. 0 2 * * * for every night at two, or never") from None
    return text


SETTINGS = (
    Setting("HOST", "0.0.0.0", str, "Address to listen on. 0.0.0.0 lets phones on the network in; 127.0.0.1 only this machine."),  # noqa: S104
    Setting("PORT", "8080", _port, "Port to listen on."),
    Setting("DATA", "~/tulliana-data", _folder, "Folder for everything that is kept: database, files, releases. Back this up."),
    Setting(
        "PERSONAL_KEY",
        "",
        _path,
        "File with the key of personal data, made at the first start; empty for keys/personal.key in DATA. Keep a copy elsewhere.",
    ),
    Setting(
        "DATABASE_URL", "", _database, "postgresql+psycopg://user:password@host/name to use PostgreSQL; empty for SQLite in DATA."
    ),
    Setting(
        "BLOBS",
        "",
        _bucket,
        "s3://bucket/prefix to keep photos and other files in S3-compatible storage (AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, ...); "
        "empty for DATA.",
    ),
    Setting(
        "RELEASES",
        "",
        _path,
        "Folder of the releases; empty for releases/ in DATA. Servers on several machines need one that they share.",
    ),
    Setting(
        "PUBLIC_URL", "", _public_url, "Address under which phones reach this server; empty for this machine's own on the network."
    ),
    Setting(
        "TRUSTED_PROXIES", "", _networks, "Networks (10.0.0.0/8, ...) of reverse proxies whose X-Forwarded headers are believed."
    ),
    Setting(
        "UPLOAD_MB",
        "5",
        _megabytes,
        "What a phone puts into one request, in MB. Smaller repeats less on a weak link; larger is quicker.",
    ),
    Setting(
        "CONTACT_MONTHS",
        "24",
        _months,
        "How many months names and telephone numbers are kept at most. They go earlier when the claim is closed.",
    ),
    Setting("EXPORT_SCHEDULE", "0 2 * * *", _cron, "When exports run, as five cron fields in this machine's time, or never."),
    Setting("EXPORT_KEEP", "all", _kept, "How many releases of each name are kept, the newest ones; or all."),
    Setting(
        "EXPORT_WEBHOOK",
        "",
        _public_url,
        "Address that gets a POST of JSON when a release is ready or failed; empty for none.",
    ),
    Setting(
        "EXPORT_WEBHOOK_SECRET",
        "",
        str,
        "Secret that signs these: the header X-Tulliana-Signature is sha256= and the HMAC-SHA-256 of the body.",
    ),
    Setting("EXPORT_EMAIL", "", _mail, "Addresses, separated by commas, that get a mail when a release is ready or failed."),
    Setting(
        "SMTP_URL",
        "",
        _smtp,
        "Mail server as smtp://user:password@host:587 (with STARTTLS where it is offered) or smtps://; the user is the sender.",
    ),
    Setting(
        "RELAY_MINUTES",
        "10",
        _minutes,
        "How many minutes after a meeting with its hub a station tries to meet it again; never for only when somebody asks.",
    ),
    Setting(
        "BOUNDARIES",
        "",
        _file,
        "GeoJSON of first-level units (property code: ISO 3166-2) in which reports should lie; empty for the Persian leopard's "
        "range. After a change: tulliana check --again.",
    ),
)


@dataclass(frozen=True, slots=True)
class Config:
    """The settings in force; see `SETTINGS` for each. `upload_bytes` is in bytes."""

    host: str
    port: int
    data: Path
    personal_key: Path | None
    database_url: str
    blobs: str
    releases: Path | None
    public_url: str
    trusted_proxies: tuple[str, ...]
    upload_bytes: int
    contact_months: int
    export_schedule: str
    export_keep: int
    export_webhook: str
    export_webhook_secret: str
    export_email: tuple[str, ...]
    smtp_url: str
    relay_minutes: int
    boundaries: Path | None

    @classmethod
    def load(cls, overrides: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None) -> "Config":
        """Read all settings; `overrides` ({"HOST": ...}, None = not given) come from the command line.

        Raises `Problem("settings_invalid")` that names every wrong one.
        """
        environ = os.environ if environ is None else environ
        given = {name: str(value) for name, value in (overrides or {}).items() if value is not None}
        values: dict[str, Any] = {}
        errors: list[str] = []
        for setting in SETTINGS:
            try:
                text = given.get(setting.name) or _from_environment(setting, environ)
                values[setting.name] = setting.read(text)
            except (ValueError, OSError) as error:
                errors.append(f"{setting.variable}: {error}")
        known = {setting.variable for setting in SETTINGS}
        errors += [
            f"{name}: there is no such setting"
            for name in sorted(environ)
            if _is_ours(name) and name.removesuffix("_FILE") not in known
        ]
        if errors:
            raise Problem("settings_invalid", "; ".join(errors) + ".")
        values["UPLOAD_BYTES"] = values.pop("UPLOAD_MB")
        return cls(**{name.lower(): value for name, value in values.items()})

    @property
    def key_file(self) -> Path:
        """Where the keys of personal data are."""
        return self.personal_key or self.data / "keys" / "personal.key"

    @property
    def releases_folder(self) -> Path:
        """Where the releases are."""
        return self.releases or self.data / "releases"

    @property
    def engine_url(self) -> str:
        """The database address for SQLAlchemy."""
        return self.database_url or f"sqlite:///{self.data / 'tulliana.sqlite3'}"

    def environment(self) -> dict[str, str]:
        """What a child process needs to find these settings again; the others it inherits, so that no secret is copied."""
        return {
            PREFIX + "HOST": self.host,
            PREFIX + "PORT": str(self.port),
            PREFIX + "DATA": str(self.data),
        }


def _is_ours(name: str) -> bool:
    return name.startswith(PREFIX)


def _from_environment(setting: Setting, environ: Mapping[str, str]) -> str:
    text, file = environ.get(setting.variable), environ.get(setting.variable + "_FILE")
    if file and not text:
        text = Path(file).read_text(encoding="utf-8").strip()
    return text or setting.default
