"""What a process freed is the system's again."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
_CHILD = """
import ctypes
from pathlib import Path
from server.heap import give_back
def mebibytes(): return int(Path("/proc/self/statm").read_text().split()[1]) / 256
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
held = [libc.malloc(60_000) for _ in range(1000)]
for block in held: ctypes.memset(ctypes.c_void_p(block), 1, 60_000)
for block in held[:-1]: libc.free(block)
before = mebibytes()
give_back()
print(before - mebibytes())
"""


def test_memory_that_was_freed_below_what_is_in_use_goes_back() -> None:
    done = subprocess.run([sys.executable, "-c", _CHILD], capture_output=True, text=True, check=True, cwd=ROOT)
    assert float(done.stdout) > 50
