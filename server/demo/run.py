"""The demonstration from beginning to end: set up a scratch folder, serve it, send two made-up years to it, release hotspots."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import requests
from sqlalchemy import Connection, bindparam, update

from exports.recipes import RECIPES
from forms.definition import FormDefinition
from forms.problems import Problem
from forms.xml import child, local_name, parse_xml, text_of
from records import export_runs
from records.access import Access
from records.models import Project, Submission, SubmissionVersion
from records.projects import FIRST
from server import accounts, app_users, releases
from server.commands.serve import check_port
from server.config import PREFIX, Config
from server.demo.reports import PHONES, Report, reports
from server.demo.world import SHARES, Event, events
from server.services import Services
from server.setup import prepare
from sync.entity_import import import_csv

_MARK = "demo.json"
_NAME = "Demonstration (made up)"
_PHONES_AT_ONCE = 8
_START_SECONDS = 60
_STOP_SECONDS = 40
_USER_AGENT = {"User-Agent": "tulliana-demo", "X-OpenRosa-Version": "1.0"}


def configure(data: Path, host: str | None, port: int | None) -> Config:
    """The settings of a demonstration in this folder, which no setting of this machine's real server can change.

    Without `port`, the usual one or else any that is free. Raises `Problem("settings_invalid")` when the folder holds anything but
    an earlier demonstration, or the port is taken.
    """
    if data.exists() and any(data.iterdir()) and not (data / _MARK).is_file():
        raise Problem(
            "settings_invalid",
            f"The folder {data} holds something else than a finished demonstration.",
            hint="Name an empty folder with --data, or leave --data away.",
        )
    config = Config.load({"DATA": data, "HOST": host, "PORT": port}, environ={})
    try:
        check_port(config)
    except Problem:
        if port is not None:
            raise
        config = Config.load({"DATA": data, "HOST": host, "PORT": _free_port()}, environ={})
    return config


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])


def set_up(opened: Services, tell: Callable[[str], None]) -> str:
    """Prepare the folder as a first start does; gives the password of `admin`, a new one each time."""
    password = prepare(opened, lambda survey: tell(f"Setting up the survey {survey} ...")).password
    opened.store.write(lambda connection: connection.execute(update(Project).filter_by(id=FIRST).values(name=_NAME)))
    if password is None:
        password = accounts.new_password()
        accounts.set_password(opened.store, "admin", password, actor="demo")
    return password


def is_filled(config: Config) -> bool:
    """Whether an earlier demonstration filled this folder."""
    return (config.data / _MARK).is_file()


@contextmanager
def serving(config: Config) -> Iterator[subprocess.Popen[bytes]]:
    """`tulliana serve` on this folder, in a process of its own, for as long as the block lasts."""
    process = subprocess.Popen(
        [sys.executable, "-m", "server.cli", "serve"], env=environment(config), stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL
    )
    try:
        _wait_until_it_answers(config, process)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()


def environment(config: Config) -> dict[str, str]:
    """The surroundings of the demonstration's server: none of the settings of a real one."""
    return {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)} | config.environment()


def _wait_until_it_answers(config: Config, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            requests.get(_here(config), timeout=5, allow_redirects=False)
        except requests.ConnectionError:
            time.sleep(0.1)
            continue
        return
    raise Problem("internal", "The server of the demonstration did not start.")


def _here(config: Config) -> str:
    """The server's address on this machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(config.host, config.host)  # noqa: S104
    return f"http://[{host}]:{config.port}" if ":" in host else f"http://{host}:{config.port}"


def deliveries(opened: Services, count: int, seed: int, today: date) -> tuple[dict[str, str], list[Report]]:
    """Add the phones, get the forms as phones do, and fill them in: address of each phone by name, and what they send."""
    address = _here(opened.config)
    users = [
        app_users.add(opened.store, name, project_id=FIRST, language=language, actor="demo") for name, language in PHONES.items()
    ]
    phones = {user.name: user.url(address) for user in users}
    definitions = _forms(next(iter(phones.values())))
    happened = events(seed, today, count)
    _register(opened, happened)
    return phones, list(reports(happened, definitions, seed))


def _register(opened: Services, happened: Iterable[Event]) -> None:
    """Put the households of the made-up years on the list that phones pick from."""
    households = {event.household.code: event.household for event in happened if event.household is not None}
    rows = [f"{code},{code},{each.landscape.country}" for code, each in sorted(households.items())]
    table = "\n".join(["label,code,country", *rows])
    import_csv(opened.store, Access.everything(FIRST, "demo"), "households", table.encode())


def _forms(address: str) -> dict[str, FormDefinition]:
    """The forms of the made-up years as this server offers them."""
    with requests.Session() as session:
        session.headers.update(_USER_AGENT)
        offered = parse_xml(session.get(f"{address}/formList", timeout=60).content)
        definitions = {}
        for entry in offered:
            form_id = text_of(child(entry, "formID"))
            if local_name(entry) == "xform" and form_id in SHARES:
                definitions[form_id] = FormDefinition.from_xform(
                    session.get(text_of(child(entry, "downloadUrl")), timeout=60).content
                )
    return definitions


def send(phones: Mapping[str, str], outbox: list[Report]) -> Iterator[None]:
    """Send everything, several at once; yields after each delivery. Raises `Problem("internal")` at the first refusal."""
    here = threading.local()

    def deliver(report: Report) -> None:
        if not hasattr(here, "session"):
            here.session = requests.Session()
            here.session.headers.update(_USER_AGENT)
        _deliver(here.session, phones[report.phone], report)

    with ThreadPoolExecutor(_PHONES_AT_ONCE) as pool:
        for _ in pool.map(deliver, outbox):
            yield


def _deliver(session: requests.Session, address: str, report: Report) -> None:
    """Ask how much may come, then send, as phones do (OpenRosa form submission)."""
    url = f"{address}/submission?deviceID={report.device_id}"
    session.head(url, timeout=60)
    parts = [("xml_submission_file", ("submission.xml", report.xml, "text/xml"))]
    parts += [(name, (name, data, "image/png")) for name, data in report.files.items()]
    answer = session.post(url, files=parts, timeout=60)
    if answer.status_code not in {201, 202}:
        raise Problem("internal", f"Report {report.event.number} was refused: {answer.status_code} {answer.text[:300]}")


def backdate(opened: Services, outbox: Iterable[Report]) -> None:
    """Let every report have come when it would have: years of reports come at once here."""
    now = datetime.now(UTC)
    came = [{"instance": report.instance_id, "at": min(report.received_at, now)} for report in outbox]

    def write(connection: Connection) -> None:
        for model in (Submission, SubmissionVersion):
            then = update(model).where(model.instance_id == bindparam("instance"))
            connection.execute(then.values(received_at=bindparam("at")), came)
        connection.execute(update(Submission).values(checked=0))

    opened.store.write(write)


def release(opened: Services, seed: int, today: date) -> None:
    """Check what came, run every export, and mark the folder as a demonstration."""
    opened.checker().run()
    folders = {}
    for name in RECIPES:
        releases.run(opened, FIRST, name, datetime.now(UTC), origin=export_runs.DEMO, as_of=today)
        folders[name] = str(releases.latest_folder(opened, FIRST, name))
    mark = {"about": "Everything in this folder is made up.", "seed": seed, "day": today.isoformat(), "releases": folders}
    (opened.config.data / _MARK).write_text(json.dumps(mark, indent=1), encoding="utf-8")


def released(config: Config) -> dict[str, str]:
    """The folder of each release of a filled demonstration, by name."""
    found: dict[str, str] = json.loads((config.data / _MARK).read_text(encoding="utf-8"))["releases"]
    return found
