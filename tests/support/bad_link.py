"""A bad link between two machines that are network namespaces of this one: real IP packets, real TCP, and of the kernel only TUN.

    python -m tests.support.bad_link --rate 64000 --rtt 2 --loss 0.3 --peer 'tulliana serve' -- sh -c 'curl http://$PEER:8080/'

A relay process makes the two namespaces, opens a TUN device in each, and carries packets from one to the other as `line` says.
Nothing of it has a name on this machine: the namespaces last as long as the relay and what runs in them, and the relay ends with
whoever started it, also when that was killed. Linux, as root.
"""

import argparse
import contextlib
import ctypes
import fcntl
import json
import os
import random
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from tests.support.line import Conditions, Counts, Line

NEAR, FAR = "10.213.0.1", "10.213.0.2"
_MTU = 1500
_ROOT = Path(__file__).parents[2]
_NEW_NETWORK = 0x40000000  # CLONE_NEWNET
_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class End:
    """One of the two machines: its address, and how to be there."""

    address: str
    namespace: Path

    @contextlib.contextmanager
    def here(self) -> Iterator[None]:
        """Within, this thread is on that machine: sockets it makes and processes it starts belong there for good."""
        with Path("/proc/thread-self/ns/net").open() as home, self.namespace.open() as there:
            _must(_LIBC.setns(there.fileno(), _NEW_NETWORK))
            try:
                yield
            finally:
                _must(_LIBC.setns(home.fileno(), _NEW_NETWORK))


class BadLink:
    """Two machines, `near` and `far`, that see only each other; `congestion` is their algorithm of TCP ("": this machine's)."""

    def __init__(self, conditions: Conditions, congestion: str = "") -> None:
        self._begin = json.dumps({"conditions": asdict(conditions), "congestion": congestion})

    def __enter__(self) -> "BadLink":
        if sys.platform != "linux" or os.geteuid() != 0 or not Path("/dev/net/tun").exists():
            raise RuntimeError(f"A bad link needs Linux with /dev/net/tun, as root: sudo {' '.join(map(str, sys.orig_argv))}")
        self._relay = subprocess.Popen(
            [sys.executable, "-m", __name__ if __name__ != "__main__" else "tests.support.bad_link", "--relay", self._begin],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=_ROOT, start_new_session=True,
        )  # fmt: skip
        try:
            ends = self._answer()
        except BaseException:
            self.__exit__()
            raise
        self.near, self.far = (End(address, Path(f"/proc/{self._relay.pid}/fd/{fd}")) for address, fd in ends)
        return self

    def __exit__(self, *_: object) -> None:
        self._relay.communicate()

    def counts(self) -> tuple[Counts, Counts]:
        """What went from near to far so far, and from far to near."""
        return self._order({})

    def change(self, conditions: Conditions) -> None:
        """From now on the link is like this; what is on its way is not touched."""
        self._order(asdict(conditions))

    def _order(self, conditions: dict[str, Any]) -> tuple[Counts, Counts]:
        assert self._relay.stdin
        print(json.dumps(conditions), file=self._relay.stdin, flush=True)
        there, back = self._answer()
        return Counts(**there), Counts(**back)

    def _answer(self) -> Any:
        assert self._relay.stdout
        line = self._relay.stdout.readline()
        if not line:
            raise RuntimeError(f"The relay of the bad link ended with {self._relay.wait()}; what it said stands above")
        return json.loads(line)


def _relay(begin: dict[str, Any]) -> None:
    """Make both machines and carry packets until standard input ends."""
    conditions = Conditions(**begin["conditions"])
    machines = [_machine(address, begin["congestion"]) for address in (NEAR, FAR)]
    print(json.dumps([[address, namespace] for address, namespace, _ in machines]), flush=True)
    tuns = [tun for _, _, tun in machines]
    lines = [Line(conditions, random.Random(conditions.seed + way)) for way in range(2)]
    routes = {tuns[0]: (lines[0], tuns[1]), tuns[1]: (lines[1], tuns[0])}
    begun, orders = time.monotonic(), sys.stdin.fileno()
    while True:
        now = time.monotonic() - begun
        times = [line.due - now for line in lines if line.due is not None]
        ready, _, _ = select.select([*routes, orders], [], [], max(0.0, min(times)) if times else None)
        now = time.monotonic() - begun
        for tun, (line, other) in routes.items():
            if tun in ready:
                packet = os.read(tun, _MTU)
                if packet[0] >> 4 == 4:  # the kernel's own greetings in IPv6 are left out
                    line.offer(now, packet)
            for packet in line.arrivals(now):
                os.write(other, packet)
        if orders in ready:
            order = os.read(orders, 4096)  # one at a time: each is answered before the next
            if not order:
                return
            if changed := json.loads(order):
                for line in lines:
                    line.conditions = Conditions(**changed)
            print(json.dumps([asdict(line.counts) for line in lines]), flush=True)


def _machine(address: str, congestion: str) -> tuple[str, int, int]:
    """A new namespace with its loopback and one TUN device: address, descriptor of the namespace, of the device."""
    _must(_LIBC.unshare(_NEW_NETWORK))
    if congestion:
        Path("/proc/sys/net/ipv4/tcp_congestion_control").write_text(congestion)
    tun = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tun, 0x400454CA, struct.pack("16sH22x", b"link", 0x1001))  # TUNSETIFF, IFF_TUN | IFF_NO_PI
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for request, value in ((0x8916, address), (0x891C, "255.255.255.252")):  # SIOCSIFADDR, SIOCSIFNETMASK
            fcntl.ioctl(control, request, struct.pack("16sHH4s16x", b"link", socket.AF_INET, 0, socket.inet_aton(value)))
        for device in (b"lo", b"link"):
            fcntl.ioctl(control, 0x8914, struct.pack("16sH22x", device, 0x41))  # SIOCSIFFLAGS, IFF_UP | IFF_RUNNING
    return address, os.open("/proc/self/ns/net", os.O_RDONLY), tun


def _must(result: int) -> None:
    if result != 0:
        raise OSError(
            ctypes.get_errno(), f"{os.strerror(ctypes.get_errno())} (a container needs the capability SYS_ADMIN for this)"
        )


def main() -> int:
    """The command line: the exit code is that of the command."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.bad_link", description=(__doc__ or "").splitlines()[0])
    for each in fields(Conditions):
        parser.add_argument(f"--{each.name}", type=type(each.default), default=each.default, help=f"({each.default:g})")
    parser.add_argument("--congestion", default="", help="TCP's algorithm at both ends, for instance bbr")
    parser.add_argument("--peer", default="", help="a shell command that runs at the far end meanwhile")
    parser.add_argument("--relay", help=argparse.SUPPRESS)
    parser.add_argument("command", nargs="*", help="runs at the near end; $PEER is the address of the far one")
    given = parser.parse_args()
    if given.relay:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _relay(json.loads(given.relay))
        return 0
    conditions = Conditions(**{each.name: getattr(given, each.name) for each in fields(Conditions)})
    with BadLink(conditions, given.congestion) as link:
        with link.far.here():
            peer = subprocess.Popen(given.peer, shell=True, stdout=sys.stderr, start_new_session=True) if given.peer else None
        try:
            with link.near.here():
                return subprocess.run(given.command, env=os.environ | {"PEER": link.far.address}, check=False).returncode
        finally:
            print(*link.counts(), sep="\n", file=sys.stderr)
            if peer:
                os.killpg(peer.pid, signal.SIGTERM)
                peer.wait()


if __name__ == "__main__":
    sys.exit(main())
