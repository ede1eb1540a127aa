"""A station joins and exchanges by the commands alone: codes from a file or the input, and a stick."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from forms.problems import Problem
from server.cli import cli
from sync.relay.enrolment import PREFIX

Run = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """`run("hub", "relay", "status")` runs a command at one of the machines; what it says."""

    def command(machine: str, *arguments: str, said: str = "") -> str:
        own = {"TULLIANA_DATA": str(tmp_path / machine), "TULLIANA_DATABASE_URL": ""}
        result = CliRunner().invoke(cli, arguments, env=own, input=said, prog_name="tulliana")
        if result.exception is not None:
            raise result.exception
        return result.output

    return command


def code_in(said: str) -> str:
    found = re.search(re.escape(PREFIX) + r"[\w-]+", said)
    assert found
    return found[0]


def test_a_station_joins_by_a_code_in_a_file_and_a_stick(run: Run, tmp_path: Path) -> None:
    (stick := tmp_path / "stick").mkdir()
    invited = run("hub", "relay", "invite", "Golestan", "--url", "http://127.0.0.1:9")
    (tmp_path / "code.txt").write_text(f"{code_in(invited)}\n")
    joined = run("station", "relay", "enrol", str(tmp_path / "code.txt"))
    assert "asks it by the next stick" in joined
    (number,) = re.findall(r"this number of the hub must stand: (\w{16})", invited)
    assert f"must show this number at the code: {number}" in joined
    assert "it has not let this node in yet" in run("station", "relay", "status")
    assert "may be taken out" in run("station", "relay", "export", str(stick))
    assert "Golestan joined" in run("hub", "relay", "import", str(stick))
    assert "for Golestan:" in run("hub", "relay", "export", str(stick))
    run("station", "relay", "import", str(stick))
    assert "it has not let this node in yet" not in run("station", "relay", "status")


def test_a_code_comes_by_the_input_too_and_what_is_none_is_said_to_be_none(run: Run, tmp_path: Path) -> None:
    code = code_in(run("hub", "relay", "invite", "Golestan", "--url", "http://127.0.0.1:9"))
    (tmp_path / "code.png").write_bytes(b"\x89PNG\r\n\x1a\n\xff")
    for wrong in ("nonsense", str(tmp_path / "code.png"), code[:-3]):
        with pytest.raises(Problem, match="no code of a hub"):
            run("station", "relay", "enrol", wrong)
    assert "asks it by the next stick" in run("station", "relay", "enrol", "-", said=f"  {code}\n")


def test_a_second_station_with_the_same_code_learns_by_stick_why_it_is_not_let_in(run: Run, tmp_path: Path) -> None:
    (stick := tmp_path / "stick").mkdir()
    code = code_in(run("hub", "relay", "invite", "Golestan", "--url", "http://127.0.0.1:9"))
    for machine in ("station", "second"):
        run(machine, "relay", "enrol", code)
        run(machine, "relay", "export", str(stick))
        answered = run("hub", "relay", "import", str(stick))
    assert "was used by another node" in answered
    assert "for others: 1 packets" in run("hub", "relay", "export", str(stick))
    run("second", "relay", "import", str(stick))
    assert "it did not let this node in: The code was used by another node" in run("second", "relay", "status")
