"""Fuzzing led by coverage, with libFuzzer by way of atheris:

    python -m tests.fuzz multipart|xml|xform --seconds 20

Fails when an input raises anything but a `Problem`, breaks a promise of `tests.fuzz.targets`, takes ten seconds or a gigabyte; the
input is then in the folder that is named, and `python -m tests.fuzz xml FILE` tries it again. Started on what was found last time
with --corpus FOLDER.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import atheris

_SECONDS_EACH, _MEBIBYTES, _LONGEST = 10, 1024, 20_000
_OURS = ["forms", "sync", "records", "server.uploads", "multipart"]

with atheris.instrument_imports(include=_OURS, enable_loader_override=False):
    from tests.fuzz.seeds import SEEDS, dictionary
    from tests.fuzz.targets import TARGETS


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("target", choices=sorted(TARGETS))
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--corpus", type=Path)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix=f"fuzz-{given.target}-"))
    options = [f"-timeout={_SECONDS_EACH}", f"-rss_limit_mb={_MEBIBYTES}", f"-artifact_prefix={folder}/", "-print_final_stats=1"]
    if given.files:
        options += map(str, given.files)
    else:
        corpus = given.corpus or folder / "corpus"
        corpus.mkdir(parents=True, exist_ok=True)
        for number, seed in enumerate(SEEDS[given.target]):
            (corpus / f"seed-{number}").write_bytes(seed)
        words = folder / "words"
        words.write_text(dictionary(given.target))
        options += [f"-max_total_time={given.seconds}", f"-max_len={_LONGEST}", f"-dict={words}", "-verbosity=0", str(corpus)]
    print(f"What is found is kept in {folder}", file=sys.stderr)
    atheris.Setup([sys.argv[0], *options], TARGETS[given.target]())
    atheris.Fuzz()


if __name__ == "__main__":
    main()
