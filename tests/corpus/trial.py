"""One form's way: converted, published, downloaded, filled in by each engine, sent in pieces and twice, and compared."""

import re
import shutil
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from forms.problems import Problem
from forms.submission import identify
from forms.xlsform import Conversion, convert
from tests.corpus.engines import Engine, Filled
from tests.corpus.judge import wrong
from tests.corpus.sources import file_for
from tests.support.collect import Collect, LocalForm, Offer, Record, md5
from tests.support.openrosa import ListedForm, Refused
from tests.support.servers import Server
from tests.support.wire import WireError

_ROOT = re.compile(rb"<(?:\w+:)?instance\b[^>]*>\s*(?:<!--.*?-->\s*)*<[\w:.-]+", re.DOTALL)


@dataclass
class Filling:
    """What became of one record: the engine's word on it, and what is wrong with what is kept."""

    engine: str
    state: str
    message: str = ""
    wrong: list[str] = field(default_factory=list)


@dataclass
class Trial:
    """What became of one form: `state` is served, refused (with a message for its author) or failed (a fault of ours)."""

    source: Path
    state: str
    message: str = ""
    form_id: str = ""
    fillings: list[Filling] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def faults(self) -> list[str]:
        """Everything that should not have happened."""
        own = [self.message] if self.state == "failed" else []
        return own + [f"{filling.engine}: {text}" for filling in self.fillings for text in filling.wrong]


class SplittingPhone(Collect):
    """A phone whose server takes little at once, so that the files of a record go in some eight requests."""

    limit = 1

    def send(self, record: Record, action: str | None = None) -> str:
        self.limit = 1 + sum(map(len, record.files.values())) // 8
        return super().send(record, action)

    def _ask(self, url: str) -> tuple[int, str]:
        return self.limit, super()._ask(url)[1]


class Bench:
    """A running server, an app user, two engines and a folder to work in."""

    def __init__(self, server: Server, engines: Sequence[Engine], folder: Path) -> None:
        self._server, self._engines, self._folder = server, engines, folder
        self._url = server.app_user("corpus")["url"]
        self._current: dict[str, bytes] = {}
        self._sent: set[str] = set()

    def run(self, sources: Sequence[Path], *, seed: int = 1, times: int = 1) -> Iterator[Trial]:
        """Try every form, filled in `times` times by each engine, in the order given; two are converted at a time meanwhile."""
        with ThreadPoolExecutor(2) as pool:
            for number, (source, converted) in enumerate(zip(sources, pool.map(_converted, sources), strict=True)):
                start = time.perf_counter()
                seeds = range(seed + number, seed + number + times)
                trial = self._try(source, converted, self._folder / f"{number:04}", seeds)
                trial.seconds = time.perf_counter() - start
                yield trial

    def _try(self, source: Path, converted: Conversion | Exception, folder: Path, seeds: Sequence[int]) -> Trial:
        if isinstance(converted, Problem):
            return Trial(source, "refused", str(converted))
        if isinstance(converted, Exception):
            return Trial(source, "failed", f"{type(converted).__name__}: {converted}")
        trial = Trial(source, "served", form_id=converted.form_id)
        media = folder / "media"
        media.mkdir(parents=True)
        try:
            form = self._served(source, converted, folder)
        except Problem as problem:
            return Trial(source, "refused", str(problem), converted.form_id)
        except (AssertionError, Refused, WireError) as error:
            return Trial(source, "failed", str(error), converted.form_id)
        (folder / "form.xml").write_bytes(form.xml)
        for name, data in form.media.items():
            (media / name).write_bytes(data)
        sent: dict[str, tuple[Filling, Filled]] = {}
        for engine, seed in product(self._engines, seeds):
            filled = engine.fill(folder, seed)
            filling = Filling(engine.name, filled.state, filled.message)
            trial.fillings.append(filling)
            if filled.xml and self._sends(filling, filled, in_pieces=seed == seeds[0]):
                sent[identify(filled.xml).instance_id] = (filling, filled)
        self._judge(form.form_id, sent)
        shutil.rmtree(folder)
        return trial

    def _publish(self, source: Path, converted: Conversion, xform: bytes, folder: Path) -> None:
        """Publish as `tulliana form publish` does, with the files the form needs."""
        folder.mkdir()
        for name in converted.media:
            if Path(name).name == name:
                given = converted.itemsets if name == "itemsets.csv" else None
                (folder / name).write_bytes(given if given is not None else file_for(name, source, xform))
        path = folder / "form.xml"
        path.write_bytes(xform)
        code, said = self._server.here("form", "publish", str(path), "--media", str(folder))
        if code != 0:
            raise Problem("form_invalid", said)

    def _apart(self, converted: Conversion) -> bytes:
        """The form, with a version of its own where another one of this run has its id."""
        current, xform = self._current.get(converted.form_id, converted.xform), converted.xform
        if current != xform:
            found = _ROOT.search(xform)
            assert found, "the primary instance was not found"
            tag, bracket, rest = xform[found.end() :].partition(b">")
            tag = re.sub(rb"\sversion=(\"[^\"]*\"|'[^']*')", b"", tag)
            xform = xform[: found.end()] + f' version="{len(self._current)}-{md5(current)}"'.encode() + tag + bracket + rest
        self._current[converted.form_id] = xform
        return xform

    def _served(self, source: Path, converted: Conversion, folder: Path) -> LocalForm:
        """The form as a phone gets it once it is published; fails where list, hashes or bytes are not right."""
        phone, xform = Collect(self._url), self._apart(converted)
        if not self._listed(phone, xform):  # the shipped surveys are there from the start
            self._publish(source, converted, xform, folder / "published")
        listed = self._listed(phone, xform)
        assert listed is not None, f"{converted.form_id} is not in the form list as it was published"
        assert listed.form_id == converted.form_id, f"the list calls {converted.form_id!r} {listed.form_id!r}"
        files = phone.manifest(listed)
        form = phone.download(Offer(listed, files, "new"))
        assert form.xml == xform, "the form came with other bytes"
        for file in files:
            assert file.kind or md5(form.media[file.filename]) == file.hash, f"{file.filename} came with other bytes"
        assert bool(files) == bool(listed.manifest_url), "an empty manifest"
        return form

    def _listed(self, phone: Collect, xform: bytes) -> ListedForm | None:
        return next((form for form in phone.form_list() if form.hash == md5(xform)), None)

    def _sends(self, filling: Filling, filled: Filled, *, in_pieces: bool) -> bool:
        """Send as one request, or in pieces and then all over again; whether the record should now be kept as it is."""
        instance_id = identify(filled.xml).instance_id
        if instance_id in self._sent:
            return False  # the form brings an instanceID of its own, so its second record is another version of the first
        self._sent.add(instance_id)
        phone = SplittingPhone(self._url) if in_pieces else Collect(self._url)
        try:
            for _ in range(1 + in_pieces):
                phone.send(Record(filled.xml, dict(filled.files or {})))
        except (Refused, WireError) as refusal:
            filling.wrong = [f"not taken: {refusal}"]
        return not filling.wrong

    def _judge(self, form_id: str, sent: dict[str, tuple[Filling, Filled]]) -> None:
        """Note what is wrong with what is kept of these records."""
        originals, kept = self._server.originals(form_id), defaultdict(list)
        for record in self._server.submissions(form_id):
            kept[record["instance_id"]].append(record)
        for instance_id, (filling, filled) in sent.items():
            if len(kept[instance_id]) != 1:
                filling.wrong = [f"{len(kept[instance_id])} records are kept"]
                continue
            xml, told = originals[instance_id]
            record = kept[instance_id][0] | {"told": told}
            filling.wrong = wrong(filled.xml, filled.files or {}, xml, record, valid=filled.state == "valid")


def _converted(source: Path) -> Conversion | Exception:
    try:
        return convert(source.read_bytes(), source.name)
    except Exception as error:  # a fault to report beside the other forms
        return error
