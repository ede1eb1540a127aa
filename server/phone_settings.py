"""The QR code that sets up ODK Collect or KoBoCollect (ODK documentation, "Importing and exporting settings")."""

import base64
import json
import zlib
from typing import Any

from server.app_users import NewAppUser

_COMMON = {
    "form_update_mode": "match_exactly",
    "periodic_form_updates_check": "every_fifteen_minutes",
    "autosend": "wifi_and_cellular",
    "delete_send": False,
    "image_size": "medium",
    "basemap_source": "osm",
    "analytics": False,
}


_APP_LANGUAGES = {code: code for code in ("en", "fa", "ar", "ka", "ps", "ru", "tr", "ur")} | {"prs": "fa"}
"""The languages ODK Collect itself speaks, of those of the receipts; elsewhere it keeps to the language of the phone."""


def collect_settings(user: NewAppUser, base_url: str) -> dict[str, Any]:
    """The settings for this phone."""
    credentials = {"username": user.username, "password": user.password} if user.username else {}
    own = {"server_url": user.url(base_url), "metadata_username": user.name}
    if user.language in _APP_LANGUAGES:
        own["app_language"] = _APP_LANGUAGES[user.language]
    project = {"name": user.project, "icon": "🐆", "color": "#8a5a00"}
    return {"general": {**own, **credentials, **_COMMON}, "admin": {}, "project": project}


def trial_settings(url: str, title: str) -> dict[str, Any]:
    """The settings for a phone that tries a draft: a project of its own that nobody takes for the real one."""
    project = {"name": f"{title} (trial)", "icon": "🧪", "color": "#b3261e"}
    return {"general": {"server_url": url, **_COMMON}, "admin": {}, "project": project}


def qr(settings: dict[str, Any]) -> Any:
    """Settings as a QR code (a `segno.QRCode`): JSON, zlib, base64, error correction L."""
    import segno

    text = json.dumps(settings, ensure_ascii=False, separators=(",", ":"))
    return segno.make_qr(base64.b64encode(zlib.compress(text.encode(), 9)).decode(), error="l", boost_error=False)


def settings_qr(user: NewAppUser, base_url: str) -> Any:
    """The QR code for this phone."""
    return qr(collect_settings(user, base_url))
