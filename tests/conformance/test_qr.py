"""7.11 of the client contract: the settings a phone scans. Types and values as in Collect's client-settings.schema.json."""

import base64
import json
import zlib
from typing import Any
from urllib.parse import urlsplit

import pytest

from server.app_users import NewAppUser
from server.config import Config
from server.network import public_url
from server.phone_settings import collect_settings, settings_qr

ENUMS = {
    "form_update_mode": {"manual", "previously_downloaded", "match_exactly"},
    "periodic_form_updates_check": {"every_fifteen_minutes", "every_one_hour", "every_six_hours", "every_24_hours"},
    "autosend": {"off", "wifi_only", "cellular_only", "wifi_and_cellular"},
    "image_size": {"original_image_size", "small", "very_small", "medium", "large"},
    "constraint_behavior": {"on_swipe", "on_finalize"},
    "guidance_hint": {"no", "yes", "yes_collapsed"},
    "basemap_source": {"google", "mapbox", "osm", "usgs", "carto"},
    "app_language": {"en", "fa"},
}
BOOLEANS = {"automatic_update", "hide_old_form_versions", "delete_send", "high_resolution", "instance_sync", "analytics"}
USER = NewAppUser(name="رنجر ۰۷", token="T" * 64, project="پلنگ و دام", language="fa", project_id=1)
ADDRESS = "http://192.168.50.2:8080"


def scanned() -> dict[str, Any]:
    """What a phone reads: the QR code drawn, read back from its segments, base64, zlib, JSON."""
    text = base64.b64encode(
        zlib.compress(json.dumps(collect_settings(USER, ADDRESS), ensure_ascii=False, separators=(",", ":")).encode(), 9)
    )
    import segno

    assert settings_qr(USER, ADDRESS) == segno.make_qr(text.decode(), error="l", boost_error=False)
    settings: dict[str, Any] = json.loads(zlib.decompress(base64.b64decode(text)))
    return settings


def test_t188_t193_the_code_holds_the_settings() -> None:
    settings = scanned()
    assert set(settings) >= {"general", "admin"}
    assert isinstance(settings["admin"], dict)
    assert settings["project"]["name"] == "پلنگ و دام"
    assert settings["general"]["metadata_username"] == "رنجر ۰۷"


def test_t189_t190_every_value_has_the_type_and_range_collect_wants() -> None:
    for key, value in scanned()["general"].items():
        if key in BOOLEANS:
            assert isinstance(value, bool), key
        else:
            assert isinstance(value, str), key
        assert value in ENUMS.get(key, {value}), key
    for value in scanned()["project"].values():
        assert isinstance(value, str)


def test_t191_the_address_is_usable_from_a_phone() -> None:
    url = scanned()["general"]["server_url"]
    assert url == url.strip().rstrip("/")
    assert urlsplit(url).scheme in {"http", "https"}
    assert urlsplit(url).netloc == "192.168.50.2:8080"


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_t191_a_server_that_listens_everywhere_names_its_own_address(host: str) -> None:
    url = public_url(Config.load({"HOST": host, "PORT": "8080"}, {}))
    assert urlsplit(url).hostname not in {"0.0.0.0", "::", "localhost", ""}


def test_t192_the_code_is_small_enough_for_a_cheap_camera() -> None:
    code = settings_qr(USER, ADDRESS)
    assert code.error == "L"
    assert code.version <= 18
    assert code.default_border_size == 4
