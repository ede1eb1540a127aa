"""A real browser (system Chromium, driven by Playwright) and a server with a few reports."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from server.demo.pictures import mountains
from tests.conftest import NewServer
from tests.support.chromium import chromium
from tests.support.collect import Collect, Record
from tests.support.pages import HOSTILE, HOSTILE_XML, PASSWORD
from tests.support.records import FLOCK, LOSS, flock, loss, new_id
from tests.support.servers import Server

PHOTO = mountains(7)
Open = Callable[..., Page]


@pytest.fixture(scope="module")  # Playwright runs once in a process, and tests/screens want theirs
def browser() -> Iterator[Browser]:
    """The browser, or the reason why there is none."""
    with chromium() as launched:
        yield launched


@pytest.fixture(scope="session")
def site(new_server: NewServer) -> Server:
    """A server with two reports from a phone of harmless name and one, with a place, from a hostile one."""
    server = new_server("sqlite", {"TULLIANA_EXPORT_SCHEDULE": "never"})
    for form in (FLOCK, LOSS):
        server.publish(form)
    for role in ("coordinator", "administrator"):
        code, said = server.here("account", "add", role, "--role", role, "--password", PASSWORD)
        assert code == 0, said
    phone = Collect(server.app_user("Ranger")["url"])
    phone.send(Record(flock(new_id(), sheep="many")))
    phone.send(Record(loss(new_id(), "near.jpg", ("one.jpg",)), {"near.jpg": PHOTO}))
    Collect(server.app_user(HOSTILE)["url"]).send(Record(loss("uuid:hostile", remarks=HOSTILE_XML).replace(b"35.7001", b"31.2")))
    return server


@pytest.fixture
def open_page(browser: Browser, site: Server) -> Iterator[Open]:
    """`open_page("/projects/1/phones", "coordinator", width=360)`: a page as this person sees it; what it reports fails a test."""
    contexts: list[BrowserContext] = []
    troubles: list[str] = []
    hosts: set[str] = set()

    def opened(
        path: str, role: str | None = "coordinator", *, width: int = 1280, language: str = "en", forgive: str = "none", **more: Any
    ) -> Page:
        """`forgive` is a status code that the test brings about on purpose."""
        context = browser.new_context(viewport={"width": width, "height": 800}, locale=language, timezone_id="Asia/Tehran", **more)
        contexts.append(context)
        context.set_default_timeout(15_000)
        page = context.new_page()

        def note(message: ConsoleMessage) -> None:
            if message.type in {"error", "warning"} and f"status of {forgive}" not in message.text:
                troubles.append(message.text)

        page.on("console", note)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
        base = f"http://127.0.0.1:{site.port}"
        if role is not None:
            answer = context.request.post(f"{base}/sign-in", form={"name": role, "password": PASSWORD}, max_redirects=0)
            assert answer.status == 303
        page.goto(base + path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert troubles == []
    assert hosts <= {f"127.0.0.1:{site.port}"}
