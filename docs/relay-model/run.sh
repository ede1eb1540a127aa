#!/usr/bin/env bash
# Check the model of the relay: run.sh [-DNAME[=VALUE] ...], with the names at the top of relay.pml.
# No error: exit code 0. An error: 1, and the shortest way to it is printed. Not searched whole: 2. Nothing is left behind. What
# takes too much memory: CFLAGS="-O2 -DHC4" keeps hashes of states instead of states.
set -euo pipefail
model=$(cd "$(dirname "$0")" && pwd)/relay.pml
for tool in spin gcc; do
    command -v "$tool" >/dev/null || { echo "Please install first: sudo apt-get install spin gcc libc6-dev" >&2; exit 2; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cp "$model" relay.pml

search() { # build the checker with these flags and let it search until the first error
    gcc -w -DSAFETY -DNOREDUCE "$@" -o pan pan.c
    ./pan -m8000000 >pan.out || true
}

spin -a "$@" relay.pml
search ${CFLAGS:--O1 -DCOLLAPSE}
if grep -q "errors: 0" pan.out; then
    grep -E "errors:|states, stored|transitions|elapsed" pan.out
    grep -E "max search depth|not completed" pan.out >&2 && exit 2 # no error in the part that was searched
    exit 0
fi
search -O0 -DBFS -DCOLLAPSE
spin -t "$@" relay.pml | grep -E "^ *(node|  at|  and|the|backup|place)" || true
grep -E "assertion violated|errors:|rror" pan.out
exit 1
