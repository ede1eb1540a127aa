"""Messages about releases: a signed POST to a webhook and a mail, when one is ready or failed. A message never stops an export."""

import hashlib
import hmac
import smtplib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any
from urllib.parse import unquote, urlsplit

import orjson

from records.export_runs import ReleasedFile
from server.config import Config
from server.network import serving_url

SIGNATURE, EVENT = "X-Tulliana-Signature", "X-Tulliana-Event"
PAUSES = (1, 5)
"""Seconds before a message is tried again."""
_TIMEOUT = 10


@dataclass(frozen=True, slots=True)
class Message:
    """What is told: `event` is release.ready or release.failed; `text` says it to people, `content` to programs."""

    event: str
    name: str
    text: str
    content: Mapping[str, Any]


def ready(config: Config, project_id: int, name: str, about: Mapping[str, Any], files: Sequence[ReleasedFile]) -> Message:
    """A release is ready: its window, its files with their digests and addresses, and what changed."""
    home = f"{serving_url(config)}/projects/{project_id}/exports/{name}/{about['release']}"
    listed = [{**file.as_json(), "url": f"{home}/{file.name}"} for file in files]
    archive = {**about["archive"], "url": f"{home}/{about['archive']['name']}"}
    content = {**about, "project": project_id, "name": name, "files": listed, "archive": archive}
    content.pop("outcome")
    lines = [f"The release {about['release']} of {name} is ready: {about['period_start']} to {about['period_end']}."]
    lines += [f"{file['name']}  {file['rows']} rows" for file in listed if file["rows"]]
    return Message("release.ready", name, "\n".join([*lines, "", archive["url"]]), content)


def failed(project_id: int, name: str, error: str) -> Message:
    """An export failed, and why."""
    text = f"The export {name} of project {project_id} failed: {error}\nLook at: tulliana doctor"
    return Message("release.failed", name, text, {"project": project_id, "name": name, "error": error})


def send(config: Config, message: Message, *, sleep: Callable[[float], None] = time.sleep) -> str:
    """Send to the webhook and by mail, as the settings say; what went wrong, or nothing."""
    trouble = []
    if config.export_webhook:
        trouble.append(_try("The webhook", lambda: _post(config, message), sleep))
    if config.export_email and config.smtp_url:
        trouble.append(_try("The mail", lambda: _mail(config, message), sleep))
    return " ".join(filter(None, trouble))


def signature(secret: str, body: bytes) -> str:
    """The signature of a message: what the receiver works out from the body as it came, and compares."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _try(what: str, deliver: Callable[[], None], sleep: Callable[[float], None]) -> str:
    for pause in (*PAUSES, None):
        try:
            deliver()
        except (OSError, smtplib.SMTPException) as error:  # what requests raises is an OSError too
            if pause is None:
                return f"{what} was not delivered: {error}"
            sleep(pause)
        else:
            break
    return ""


def _post(config: Config, message: Message) -> None:
    import requests

    body = orjson.dumps({"event": message.event, **message.content})
    headers = {"Content-Type": "application/json", EVENT: message.event}
    if config.export_webhook_secret:
        headers[SIGNATURE] = signature(config.export_webhook_secret, body)
    answer = requests.post(config.export_webhook, data=body, headers=headers, timeout=_TIMEOUT, allow_redirects=False)
    if answer.status_code >= 300:
        raise OSError(f"the answer was {answer.status_code}")


def _mail(config: Config, message: Message) -> None:
    parts = urlsplit(config.smtp_url)
    host, user = str(parts.hostname), unquote(parts.username or "")
    mail = EmailMessage()
    mail["Subject"] = f"tulliana: {message.name} {message.event.rpartition('.')[2]}"
    mail["From"] = user if "@" in user else f"tulliana@{host}"
    mail["To"] = ", ".join(config.export_email)
    mail.set_content(message.text)
    kind = smtplib.SMTP_SSL if parts.scheme == "smtps" else smtplib.SMTP
    with kind(host, parts.port or 0, timeout=_TIMEOUT) as server:
        server.ehlo()
        if parts.scheme == "smtp" and server.has_extn("starttls"):
            server.starttls()
        if user:
            server.login(user, unquote(parts.password or ""))
        server.send_message(mail)
