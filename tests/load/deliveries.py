"""Records per second: XML only, with a photo, and the same record again; and the form list. On SQLite and on PostgreSQL."""

import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from tests.load.form import record, xform
from tests.load.meter import HEADINGS, Row, Run, measure, table
from tests.load.phones import burst
from tests.support.collect import encode
from tests.support.postgres import Cluster
from tests.support.processes import peak_memory, tree
from tests.support.records import FLOCK, parts, renamed
from tests.support.servers import Server

MARK = "00000000-0000-4000-8000-000000000000"
PHOTO_BYTES = 300_000
MORE_FORMS = 93  # with the shipped surveys: about a hundred


@dataclass(frozen=True)
class Options:
    """How long and how often to measure, and what."""

    seconds: float
    runs: int
    phones: tuple[int, ...]
    databases: tuple[str, ...]
    cases: tuple[str, ...]
    records: int
    lines: tuple[str, ...] = ()
    photos: int = 0


def report(options: Options) -> Iterator[str]:
    """The pieces of the report, each as soon as it is measured."""
    for database in options.databases:
        with bench_server(database) as (server, roots):
            url = server.app_user("bench")["url"]
            before = peak_memory(tree(roots[0]))
            rows = [
                Row(name, phones, [_run(server, roots, make(url), phones, options.seconds) for _ in range(options.runs)])
                for name, make in CASES.items()
                if name in options.cases
                for phones in options.phones
            ]
            yield f"## {database}\n\n" + table(HEADINGS, [row.cells() for row in rows])
            yield f"Peak memory of the server: {before:.0f} MiB before, {peak_memory(tree(roots[0])):.0f} MiB after."


@contextmanager
def bench_server(database: str) -> Iterator[tuple[Server, list[int]]]:
    """A server with the benchmark's form; yields it with the roots of the process trees [server, PostgreSQL]."""
    with tempfile.TemporaryDirectory(prefix="tulliana-bench-") as folder:
        cluster = Cluster(durable=True).start() if database == "postgres" else None
        server = Server(Path(folder) / "data", cluster.create("bench") if cluster else "")
        try:
            server.start()
            form = Path(folder) / "incident.xml"
            form.write_bytes(xform())
            server.publish(form)
            for number in range(MORE_FORMS):
                form.write_bytes(renamed(FLOCK, f"form{number}"))
                server.publish(form)
            yield server, [server.pids()[0], *(cluster.pids() if cluster else [])]
        finally:
            server.stop()
            if cluster:
                cluster.stop()


def _run(server: Server, roots: list[int], request: Callable[[], bytes], phones: int, seconds: float) -> Run:
    send = partial(burst, ("127.0.0.1", server.port), request, phones=phones)
    send(seconds=0.3)  # warm: compiled schema, open connections
    return measure(partial(send, seconds=seconds), roots[:1], roots[1:])


def _post(url: str, photo: int, *, fresh: bool = True) -> Callable[[], bytes]:
    """Requests with a new instanceID each time: the id is overwritten in place, in the XML and in the photo."""
    files = {f"{MARK}.jpg": b"\xff\xd8" + MARK.encode() + bytes(range(256)) * (photo // 256)} if photo else {}
    body, kind = encode(parts(record(f"uuid:{MARK}", f"{MARK}.jpg" if photo else ""), files))
    where = urlsplit(url)
    start = f"POST {where.path}/submission?deviceID=collect%3Abench HTTP/1.1\r\nHost: {where.netloc}\r\nX-OpenRosa-Version: 1.0\r\n"
    template = bytearray(start.encode() + f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    places = list(_places(template, MARK.encode()))
    same = bytes(template).replace(MARK.encode(), str(uuid.uuid4()).encode())

    def request() -> bytes:
        own = str(uuid.uuid4()).encode()
        for place in places:
            template[place : place + len(own)] = own
        return bytes(template)

    return request if fresh else lambda: same


def _get(url: str, etag: str = "") -> Callable[[], bytes]:
    where = urlsplit(url)
    condition = f"If-None-Match: {etag}\r\n" if etag else ""
    whole = f"GET {where.path}/formList HTTP/1.1\r\nHost: {where.netloc}\r\nX-OpenRosa-Version: 1.0\r\n{condition}\r\n".encode()
    return lambda: whole


def _conditional(url: str) -> Callable[[], bytes]:
    etag = Server(Path()).raw("GET", f"{url}/formList").headers["etag"]
    return _get(url, etag)


def _places(data: bytes | bytearray, mark: bytes) -> Iterator[int]:
    at = data.find(mark)
    while at >= 0:
        yield at
        at = data.find(mark, at + 1)


CASES: dict[str, Callable[[str], Callable[[], bytes]]] = {
    "XML": lambda url: _post(url, 0),
    "XML + 300 kB photo": lambda url: _post(url, PHOTO_BYTES),
    "same record again": lambda url: _post(url, 0, fresh=False),
    "form list": _get,
    "form list, unchanged": _conditional,
}
