"""Settings: where they come from, that all errors are told at once, and that the handbook lists exactly these."""

from pathlib import Path

import pytest

from forms.problems import Problem
from server.config import SETTINGS, Config
from tests.support import docs


def load(overrides: dict[str, object] | None = None, **environ: str) -> Config:
    return Config.load(overrides, {f"TULLIANA_{name}": text for name, text in environ.items()})


def refused(**environ: str) -> str:
    with pytest.raises(Problem) as caught:
        load(**environ)
    assert caught.value.kind.code == "settings_invalid"
    return caught.value.detail


def test_without_any_setting_there_are_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ranger")
    config = load()
    assert (config.host, config.port, config.data) == ("0.0.0.0", 8080, Path("/home/ranger/tulliana-data"))
    assert config.engine_url == "sqlite:////home/ranger/tulliana-data/tulliana.sqlite3"
    assert (config.upload_bytes, config.trusted_proxies, config.public_url) == (5_000_000, (), "")


def test_the_command_line_comes_before_the_environment_before_a_file_before_the_default(tmp_path: Path) -> None:
    file = tmp_path / "port"
    file.write_text(" 1003\n")
    assert load().port == 8080
    assert load(PORT_FILE=str(file)).port == 1003
    assert load(PORT_FILE=str(file), PORT="1002").port == 1002
    assert load({"PORT": "1001"}, PORT_FILE=str(file), PORT="1002").port == 1001
    assert load({"PORT": None}, PORT="1002").port == 1002
    assert load(PORT="").port == 8080


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "رمز"
    file.write_text("postgresql+psycopg://tulliana:geheim@db/tulliana\n", encoding="utf-8")
    assert load(DATABASE_URL_FILE=str(file)).engine_url == "postgresql+psycopg://tulliana:geheim@db/tulliana"


def test_every_error_is_told_at_once(tmp_path: Path) -> None:
    detail = refused(
        PORT="eighty", UPLOAD_MB="0", PUBLIC_URL="data.example.org", DATABASE_URL_FILE=str(tmp_path / "gone"), COLOUR="red"
    )
    for name in ("PORT", "UPLOAD_MB", "PUBLIC_URL", "DATABASE_URL", "COLOUR"):
        assert f"TULLIANA_{name}" in detail


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(("PORT", text) for text in ("0", "65536", "-1", "80.5", "x")),
        *(("UPLOAD_MB", text) for text in ("0", "201", "five")),
        *(("DATABASE_URL", text) for text in ("mysql://x", "postgresql://x", "x")),
        *(("PUBLIC_URL", text) for text in ("ftp://x", "https://", "x")),
        *(("TRUSTED_PROXIES", text) for text in ("10.0.0.1/8", "proxy")),
        *(("EXPORT_SCHEDULE", text) for text in ("nightly", "0 2 * *", "99 2 * * *", "a b c d e", "0 2 * * 9")),
    ],
)
def test_a_wrong_value_names_its_setting(name: str, text: str) -> None:
    assert refused(**{name: text}).startswith(f"TULLIANA_{name}: ")


def test_a_misspelt_setting_is_told() -> None:
    assert refused(UPLOADS_MB="5") == "TULLIANA_UPLOADS_MB: there is no such setting."
    assert "TULLIANA_COLOUR_FILE" in refused(COLOUR_FILE="/x")


def test_values_are_read_as_what_they_are() -> None:
    config = load(
        DATA="data",
        UPLOAD_MB="10",
        PUBLIC_URL="https://data.example.org/",
        TRUSTED_PROXIES="10.0.0.0/8, ::1/128",
        EXPORT_SCHEDULE="never",
    )
    assert config.data.is_absolute()
    assert (config.upload_bytes, config.public_url) == (10_000_000, "https://data.example.org")
    assert (config.trusted_proxies, config.export_schedule) == (("10.0.0.0/8", "::1/128"), "")


def test_a_child_process_finds_the_same_settings_again(tmp_path: Path) -> None:
    file = tmp_path / "port"
    file.write_text("1003")
    environ = {"TULLIANA_PORT_FILE": str(file), "TULLIANA_UPLOAD_MB": "7"}
    config = Config.load({"PORT": "1001", "DATA": str(tmp_path), "HOST": "127.0.0.1"}, environ)
    assert Config.load(None, {**environ, **config.environment()}) == config


def test_the_handbook_lists_every_setting() -> None:
    docs.assert_current("settings.md")


def test_every_setting_says_what_it_is_for() -> None:
    assert all(setting.help.endswith(".") or setting.help[-1].isalnum() for setting in SETTINGS)
