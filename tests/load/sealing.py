"""What sealing costs the intake of a record, in CPU time: the same records are taken in with it and without, in turn.

Nothing switches sealing off; without it the vault and the writer of files are replaced. CPU time of this process, so that busy
neighbours change little; HTTP, which adds as much again, and PostgreSQL's own time are not in it.
"""

import os
import random
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from records.publishing import publish
from server.config import Config
from server.services import Services, standalone
from server.setup import migrate
from sync.delivery import Delivery, ReceivedFile
from tests.load.deliveries import Options
from tests.load.meter import spread, table
from tests.support.postgres import Cluster
from tests.support.small import record, xform

QUESTIONS = 26
FORM = xform(
    "<owner/><photo/>" + "".join(f"<q{number}/>" for number in range(QUESTIONS)),
    '<bind nodeset="/data/owner" type="string" xmlns:t="urn:tulliana:xforms" t:personal="contact"/>'
    '<bind nodeset="/data/photo" type="binary"/>'
    + "".join(f'<bind nodeset="/data/q{number}" type="string"/>' for number in range(QUESTIONS)),
)
PHOTO = os.urandom(300_000)
RECORDS = 120
"""Of a run, on either side."""
_CHUNK = 65536


@dataclass(frozen=True)
class Side:
    """One data folder, and whether what comes to it is sealed."""

    own: Services
    is_sealing: bool

    def take_in(self, xml: bytes, *, with_photo: bool) -> float:
        """Take in a record; in how many CPU seconds."""
        begun = time.process_time()
        files = (self._photo(),) if with_photo else ()
        self.own.intake.receive(Delivery(1, xml, files))
        return time.process_time() - begun

    def _photo(self) -> ReceivedFile:
        with self.own.blobs.writer(sealed=self.is_sealing) as writer:
            for start in range(0, len(PHOTO), _CHUNK):
                writer.write(PHOTO[start : start + _CHUNK])
            return ReceivedFile(("1.jpg",), writer.keep(), "image/jpeg")


def report(options: Options) -> Iterator[str]:
    """The pieces of the report."""
    rows = []
    for database in options.databases:
        with ExitStack() as stack:
            sides = [stack.enter_context(_side(database, is_sealing=is_sealing)) for is_sealing in (False, True)]
            for with_photo in (False, True):
                plain, sealed = zip(*(_run(sides, with_photo=with_photo) for _ in range(options.runs + 1)), strict=True)
                ratios = [on / off for off, on in zip(plain[1:], sealed[1:], strict=True)]  # the first one warms up
                case = "XML + 300 kB photo" if with_photo else "XML"
                rows.append([database, case, *(spread(values, 2) for values in (plain[1:], sealed[1:], ratios))])
    yield table(["database", "case", "CPU ms, not sealed", "CPU ms, sealed", "ratio"], rows)


def _run(sides: list[Side], *, with_photo: bool) -> tuple[float, float]:
    """CPU milliseconds of a record on each side."""
    spent = [0.0, 0.0]
    for _ in range(RECORDS):
        for number, side in enumerate(sides):
            spent[number] += side.take_in(_report(with_photo=with_photo), with_photo=with_photo)
    return 1000 * spent[0] / RECORDS, 1000 * spent[1] / RECORDS


@contextmanager
def _side(database: str, *, is_sealing: bool) -> Iterator[Side]:
    with tempfile.TemporaryDirectory(prefix="tulliana-bench-") as folder, ExitStack() as stack:
        cluster = Cluster().start() if database == "postgres" else None
        if cluster:
            stack.callback(cluster.stop)
        settings = {"DATA": Path(folder), "DATABASE_URL": cluster.create("bench") if cluster else None}
        own = stack.enter_context(standalone(Config.load(settings, {})))
        migrate(own.store)
        publish(own.store, own.blobs, 1, xform=FORM, source_name="bench")
        if not is_sealing:
            own.store.vault.seal = lambda plain, *_: plain  # type: ignore[method-assign]
        yield Side(own, is_sealing)


def _report(*, with_photo: bool) -> bytes:
    """A report whose owner asks for money; 1.5 kB like those of the surveys."""
    words = "".join(f"<q{number}>two goats above the spring, {number}</q{number}>" for number in range(QUESTIONS))
    owner = f"<owner>Gholam Rezaei 0912 {random.randrange(10**7):07}</owner>"
    photo = f"<photo>{'1.jpg' if with_photo else ''}</photo>"
    return record(owner + photo + words, instance_id=f"uuid:{uuid.uuid4()}")
