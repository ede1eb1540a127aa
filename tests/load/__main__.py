"""`python -m tests.load`: every benchmark, as Markdown on standard output.

A benchmark is a function from options to the pieces of its report; `BENCHES` names them. Figures hold as ratios on one machine:
the load generator shares its cores with the server.
"""

import argparse
import os
import platform
from collections.abc import Callable, Iterator

from tests.load import catching_up, checks, deliveries, exports, incidents, maps, memory, relay, sealing

BENCHES: dict[str, Callable[[deliveries.Options], Iterator[str]]] = {
    "deliveries": deliveries.report,
    "exports": exports.report,
    "incidents": incidents.report,
    "checks": checks.report,
    "maps": maps.report,
    "sealing": sealing.report,
    "relay": relay.report,
    "catching-up": catching_up.report,
    "memory": memory.report,
}


def main() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("bench", nargs="*", choices=[[], *BENCHES], help="which ones (all)")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of one run (3)")
    parser.add_argument("--runs", type=int, default=3, help="runs per figure: the median is told with its spread (3)")
    parser.add_argument("--phones", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--database", nargs="+", choices=["sqlite", "postgres"], default=["sqlite", "postgres"])
    parser.add_argument("--case", nargs="+", choices=list(deliveries.CASES), default=list(deliveries.CASES))
    parser.add_argument(
        "--records",
        type=int,
        default=1_000_000,
        help="records of the export benchmark (1,000,000); of the relay at most 10,000, else 300",
    )
    parser.add_argument("--line", nargs="+", choices=list(relay.CELLS), default=[], help="lines of the relay benchmark (all)")
    parser.add_argument("--photos", type=int, default=0, help="so many records of the relay benchmark have a photo of 60 kB (0)")
    given = parser.parse_args()
    options = deliveries.Options(
        given.seconds,
        given.runs,
        tuple(given.phones),
        tuple(given.database),
        tuple(given.case),
        given.records,
        tuple(given.line),
        given.photos,
    )
    print(f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}; ", end="")
    print(f"{options.runs} runs of {options.seconds:g} s, median [least-most]; PostgreSQL with fsync on.", flush=True)
    for name in given.bench or BENCHES:
        for piece in BENCHES[name](options):
            print(f"\n{piece}", flush=True)


if __name__ == "__main__":
    main()
