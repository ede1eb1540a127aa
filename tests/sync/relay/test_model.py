"""The model of the relay (docs/relay-model): a small one is searched whole, and the checker finds what is broken on purpose."""

import subprocess
from pathlib import Path

import pytest

_RUN = Path(__file__).parents[3] / "docs" / "relay-model" / "run.sh"
_SMALL = ("-DRECORDS=2", "-DDISASTERS=1")


def _searched(*switches: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([_RUN, *_SMALL, *switches], capture_output=True, text=True, check=False)


def test_the_model_of_the_relay_loses_nothing_whatever_is_lost_late_or_put_back() -> None:
    done = _searched()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "errors: 0" in done.stdout


@pytest.mark.parametrize(("switch", "broken"), [("-DNOCHAIN", "differ==0"), ("-DGAPMOVES", "gap==0")])
def test_the_checker_finds_a_relay_that_is_broken_on_purpose(switch: str, broken: str) -> None:
    done = _searched(switch)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"assertion violated ({broken})" in done.stdout
