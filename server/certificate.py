"""How long the certificate of an https address is good for, as a phone judges it: by public authorities only."""

import socket
import ssl
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

RENEW_BEFORE = timedelta(days=14)
_SECONDS = 5


def valid_until(url: str) -> datetime:
    """When the certificate at this https address ends. Raises OSError where it cannot be reached, or phones would refuse it."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    context = ssl.create_default_context()
    with (
        socket.create_connection((host, parts.port or 443), _SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=host) as secured,
    ):
        certificate = secured.getpeercert() or {}
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)
