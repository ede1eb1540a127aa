"""`python -m tests.peers central CHECKOUT [NODE]`: pull from a real server started from a checkout; README.md says how to get one.

`record` in place of `central` writes down what it answered, for tests/sync/test_pull_central.py.
"""

import sys
import tempfile
from pathlib import Path

from tests.peers.central import record, run

if __name__ == "__main__":
    match sys.argv[1:]:
        case [("central" | "record") as what, checkout, *node]:
            with tempfile.TemporaryDirectory() as folder:
                (run if what == "central" else record)(Path(checkout).resolve(), node[0] if node else "node", Path(folder))
        case _:
            sys.exit(__doc__)
