"""ODK Validate: JavaRosa, the engine inside ODK Collect and KoBoCollect, asked whether it opens a form."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pyxform

_JAR = Path(pyxform.__file__).parent / "validators/odk_validate/bin/ODK_Validate.jar"


def refused_by_phones(forms: Mapping[str, bytes], folder: Path) -> set[str]:
    """The names of those forms that JavaRosa does not open; all in one Java process. Names must be good as file names."""
    java = shutil.which("java")
    if java is None:
        raise RuntimeError("Java is missing: sudo apt-get install default-jre-headless")
    for name, form in forms.items():
        (folder / f"{name}.xml").write_bytes(form)
    command = [java, "-Djava.awt.headless=true", "-jar", str(_JAR), *(f"{name}.xml" for name in forms)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    _, _, failed = (done.stdout + done.stderr).rpartition("The following files failed validation:")
    return set(re.findall(r"^(\w+)\.xml$", failed, re.MULTILINE)) if "Result: Invalid" in done.stdout + done.stderr else set()
