"""App users: a phone's key in the path of its server address, and the QR code that sets the phone up."""

import base64
import json
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from forms.problems import Problem
from records.models import AppUser, AuditEvent, Project
from records.store import Store
from server.tokens import digest, new_token

_LANGUAGES = {"en": "en", "fa": "fa"}
_IDENTIFIED = select(AppUser.id, AppUser.language).where(  # built once: every request of a phone asks it
    AppUser.token_sha256 == bindparam("token"), AppUser.project_id == bindparam("project_id"), AppUser.revoked_at.is_(None)
)


@dataclass(frozen=True, slots=True)
class NewAppUser:
    """An app user just made. This is the only moment its token is known."""

    name: str
    token: str
    project: str
    language: str
    project_id: int

    def url(self, base_url: str) -> str:
        """What goes into the phone's server field."""
        return f"{base_url}/v1/key/{self.token}/projects/{self.project_id}"


def add(store: Store, name: str, *, project_id: int, language: str = "en", actor: str = "") -> NewAppUser:
    """Make an app user with a new key. Raises `Problem` "value_invalid" or "name_taken"."""
    name = name.strip()
    if not name or len(name) > 100:
        raise Problem("value_invalid", "A name has 1 to 100 characters.")
    if language not in _LANGUAGES:
        raise Problem("value_invalid", f"Language {language}: one of {', '.join(_LANGUAGES)}.")
    token, now = new_token(), datetime.now(UTC)

    def work(connection: Connection) -> str:
        taken = select(AppUser.id).filter_by(project_id=project_id, name=name, revoked_at=None)
        if connection.execute(taken).first() is not None:
            raise Problem("name_taken", name)
        row = {"project_id": project_id, "name": name, "token_sha256": digest(token), "language": language, "created_at": now}
        connection.execute(insert(AppUser).values(row))
        event = {"at": now, "project_id": project_id, "actor": actor, "action": "app_user.add", "target": name, "detail": {}}
        connection.execute(insert(AuditEvent).values(event))
        return connection.execute(select(Project.name).filter_by(id=project_id)).scalar_one()

    return NewAppUser(name, token, store.write(work), language, project_id)


def revoke(store: Store, name: str, *, project_id: int, actor: str = "") -> None:
    """Withdraw an app user's key. Raises `Problem("not_found")`."""
    now = datetime.now(UTC)

    def work(connection: Connection) -> int:
        event = {"at": now, "project_id": project_id, "actor": actor, "action": "app_user.revoke", "target": name, "detail": {}}
        connection.execute(insert(AuditEvent).values(event))
        return connection.execute(
            update(AppUser).filter_by(project_id=project_id, name=name, revoked_at=None).values(revoked_at=now)
        ).rowcount

    if store.write(work) == 0:
        raise Problem("not_found", f"No active app user is called {name}.")


def listed(connection: Connection, project_id: int) -> list[Row[Any]]:
    """All app users: (name, language, created_at, revoked_at)."""
    columns = (AppUser.name, AppUser.language, AppUser.created_at, AppUser.revoked_at)
    return list(connection.execute(select(*columns).filter_by(project_id=project_id).order_by(AppUser.name)))


def identified(connection: Connection, token: str, project_id: int) -> Row[int, str]:
    """(id, language) of the app user with this key. Raises `Problem("token_unknown")`."""
    row = connection.execute(_IDENTIFIED, {"token": digest(token), "project_id": project_id}).first()
    if row is None:
        raise Problem("token_unknown")
    return row


def collect_settings(user: NewAppUser, base_url: str) -> dict[str, Any]:
    """The settings of ODK Collect and KoBoCollect for this phone (ODK documentation, "Importing and exporting settings")."""
    return {
        "general": {
            "server_url": user.url(base_url),
            "form_update_mode": "match_exactly",
            "periodic_form_updates_check": "every_fifteen_minutes",
            "autosend": "wifi_and_cellular",
            "delete_send": False,
            "image_size": "medium",
            "app_language": _LANGUAGES[user.language],
            "metadata_username": user.name,
            "basemap_source": "osm",
            "analytics": False,
        },
        "admin": {},
        "project": {"name": user.project, "icon": "🐆", "color": "#8a5a00"},
    }


def settings_qr(user: NewAppUser, base_url: str) -> Any:
    """The settings as a QR code (a `segno.QRCode`): JSON, zlib, base64, error correction L."""
    import segno

    text = json.dumps(collect_settings(user, base_url), ensure_ascii=False, separators=(",", ":"))
    return segno.make_qr(base64.b64encode(zlib.compress(text.encode(), 9)).decode(), error="l", boost_error=False)
