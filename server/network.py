"""Under which address phones find this machine."""

import json
import socket
from ipaddress import ip_address
from urllib.parse import urlsplit

from server.config import Config

_ANYWHERE = {"0.0.0.0", "::"}  # noqa: S104
_ADDRESS_FILE = "address.json"


def lan_address() -> str:
    """This machine's address on its network, found without sending anything; 127.0.0.1 when it is on none."""
    for target in ("192.0.2.1", "192.168.0.1", "10.0.0.1", "172.16.0.1"):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect((target, 9))
            except OSError:
                continue
            return str(probe.getsockname()[0])
    return "127.0.0.1"


def public_url(config: Config) -> str:
    """The address phones use, without a slash at its end."""
    if config.public_url:
        return config.public_url
    host = lan_address() if config.host in _ANYWHERE else config.host
    return f"http://[{host}]:{config.port}" if ":" in host else f"http://{host}:{config.port}"


def is_loopback(url: str) -> bool:
    """Whether this address leads from a phone to the phone itself."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def write_address(config: Config) -> None:
    """Leave the address of the running server in the data folder, for commands that run beside it."""
    (config.data / _ADDRESS_FILE).write_text(json.dumps({"url": public_url(config)}), encoding="utf-8")


def serving_url(config: Config) -> str:
    """The address of the server that uses this data folder, running or last run; else what the settings say."""
    try:
        return str(json.loads((config.data / _ADDRESS_FILE).read_text(encoding="utf-8"))["url"])
    except (OSError, ValueError, KeyError):
        return public_url(config)
