"""Try every form in some folders, or the shipped surveys: `python -m tests.corpus [DIR...] [--times 50] [--out report.json]`.

Needs Node, a JDK and `npm ci` here.
"""

import argparse
import json
import sys
import tempfile
from collections import Counter, defaultdict
from dataclasses import asdict
from pathlib import Path

from tests.corpus.engines import engines
from tests.corpus.sources import forms_in, shipped
from tests.corpus.trial import Bench, Trial
from tests.support.servers import Server


def main() -> int:
    """Run, print a table and everything that went wrong; exit status 1 where anything did."""
    parser = argparse.ArgumentParser(prog="python -m tests.corpus", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("places", nargs="*", type=Path, help="folders of forms, or single forms; otherwise the shipped surveys")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--times", type=int, default=1, help="how often each engine fills in a form, each time in its next language"
    )
    parser.add_argument("--patience", type=float, default=60, help="seconds an engine may take for one form")
    parser.add_argument("--out", type=Path, help="write every result to this file, as JSON")
    options = parser.parse_args()
    both = engines(seconds=options.patience)
    with tempfile.TemporaryDirectory() as name:
        sources = [form for place in options.places for form in forms_in(place)] or shipped(Path(name) / "shipped")
        server = Server(Path(name) / "data").start()
        try:
            trials = []
            for trial in Bench(server, both, Path(name) / "work").run(sources, seed=options.seed, times=options.times):
                trials.append(trial)
                _say(trial)
            found = flags(server, {trial.form_id for trial in trials if trial.state == "served"})
        finally:
            server.stop()
            for engine in both:
                engine.close()
    print(table(trials))
    print(*found, sep="\n")
    if options.out:
        options.out.write_text(json.dumps([asdict(trial) for trial in trials], default=str, ensure_ascii=False, indent=1))
    return 1 if any(trial.faults for trial in trials) else 0


def flags(server: Server, form_ids: set[str]) -> list[str]:
    """How often each check of the server noted something on these random records, most often first."""
    server.here("check")
    noted, records = defaultdict[str, Counter[str]](Counter), 0
    for form_id in sorted(form_ids):
        for record in server.submissions(form_id):
            records += 1
            for code in {flag["code"] for flag in record["flags"]}:
                noted[code][form_id] += 1
    lines = [f"{records} records looked at by the checks"]
    for code, forms in sorted(noted.items(), key=lambda item: -item[1].total()):
        often = ", ".join(f"{form_id} {count}" for form_id, count in forms.most_common(3))
        lines.append(f"{forms.total():6} {code}: in {len(forms)} forms, most often {often}")
    return lines


def _say(trial: Trial) -> None:
    for fault in trial.faults:
        print(f"FAULT  {trial.source}: {fault}", flush=True)
    for filling in trial.fillings:
        if filling.state != "valid":
            print(f"{filling.state}  {trial.source.name}, {filling.engine}: {filling.message}", flush=True)
    if trial.state == "refused":
        print(f"refused  {trial.source}: {trial.message}", flush=True)


def table(trials: list[Trial]) -> str:
    """The numbers of a run."""
    states = Counter(trial.state for trial in trials)
    lines = [
        f"{len(trials)} forms: {states['served']} served, {states['refused']} refused with a message, {states['failed']} failed"
    ]
    for name in dict.fromkeys(filling.engine for trial in trials for filling in trial.fillings):
        fillings = [filling for trial in trials for filling in trial.fillings if filling.engine == name]
        count = Counter(filling.state for filling in fillings)
        sent = [filling for filling in fillings if filling.state in {"valid", "invalid"}]
        equal = sum(not any(text.startswith(("the ", "not ", "answer")) for text in filling.wrong) for filling in sent)
        flagged = sum(any(text.startswith("flag ") for text in filling.wrong) for filling in sent)
        lines.append(
            f"{name}: {count['valid']} filled in, {count['invalid']} filled in with objections, {count['refused']} not taken by it,"
            f" {count['slow']} too slow; {equal} of {len(sent)} kept as sent, {flagged} with a false flag"
        )
    slowest = sorted(trials, key=lambda trial: -trial.seconds)[:3]
    took = ", ".join(f"{trial.source.name} {trial.seconds:.1f} s" for trial in slowest)
    return "\n".join([*lines, f"{sum(trial.seconds for trial in trials):.0f} s in all; slowest: {took}"])


if __name__ == "__main__":
    sys.exit(main())
