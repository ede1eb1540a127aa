"""The two engines, each one process for all forms: xforms-engine (ODK Web Forms) under Node, JavaRosa (ODK Collect) under Java."""

import json
import select
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pyxform

HERE = Path(__file__).parent
VALIDATE = Path(pyxform.__file__).parent / "validators/odk_validate/bin/ODK_Validate.jar"
OLDEST_NODE = 20
STATES = {"valid", "invalid", "refused"}


@dataclass(frozen=True)
class Filled:
    """What an engine made of a form: `state` is valid, invalid (it still objects), refused (it does not take the form) or slow."""

    state: str
    message: str
    xml: bytes = b""
    files: dict[str, bytes] | None = None


class Engine:
    """A program that reads `FOLDER<tab>SEED` and answers with one line; started when first asked, and again when it fell silent."""

    def __init__(self, name: str, command: list[str], *, seconds: float) -> None:
        self.name, self._command, self._seconds = name, command, seconds
        self._process: subprocess.Popen[bytes] | None = None

    def fill(self, folder: Path, seed: int) -> Filled:
        """Fill in folder/form.xml once."""
        if self._process is None:
            self._process = subprocess.Popen(
                self._command, cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        process = self._process
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the engine has no pipes")
        shutil.rmtree(folder / self.name, ignore_errors=True)
        process.stdin.write(f"{folder}\t{seed}\n".encode())
        process.stdin.flush()
        ready, _, _ = select.select([process.stdout], [], [], self._seconds)
        line = process.stdout.readline().decode() if ready else ""
        if not line:
            self.close()
            return Filled("slow", f"no answer within {self._seconds} s, or the engine fell over")
        state, message = self._read(line)
        if state == "refused":
            return Filled(state, message)
        written = {path.name: path.read_bytes() for path in sorted((folder / self.name).iterdir())}
        xml = written.pop("submission.xml")
        named = {name: data for name, data in written.items() if name.encode() in xml}  # an answer may have been taken back
        return Filled(state, message, xml, named)

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _read(self, line: str) -> tuple[str, str]:
        if line.startswith("{"):
            answer = json.loads(line)
            state, message = answer["state"], answer["message"]
        else:
            _, state, message = line.rstrip("\n").split("\t", 2)
        if state not in STATES:
            raise RuntimeError(f"{self.name} answered {line!r}")
        return state, message


def engines(*, seconds: float) -> list[Engine]:
    """Both; raises `RuntimeError` with the command to install what is missing. `seconds` is the patience for one form."""
    if shutil.which("node") is None:
        raise RuntimeError("Node is missing: sudo apt-get install nodejs npm")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.strip().lstrip("v").partition(".")[0]) < OLDEST_NODE:
        raise RuntimeError(f"Node {version.strip()} is too old for the engine: install Node {OLDEST_NODE} or newer")
    if not (HERE / "node_modules").is_dir():
        raise RuntimeError(f"The engine is missing: npm ci --prefix {HERE}")
    if shutil.which("javac") is None:
        raise RuntimeError("A Java development kit is missing: sudo apt-get install default-jdk-headless")
    node = ["node", str(HERE / "fill.mjs")]
    java = ["java", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-cp", str(VALIDATE), str(HERE / "Fill.java")]
    return [Engine("xforms-engine", node, seconds=seconds), Engine("javarosa", java, seconds=seconds)]
