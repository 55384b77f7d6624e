"""`python -m tests.packaging.lowest`: the lowest versions that pyproject.toml allows, tried.

Makes a virtual environment in a temporary folder, installs each package of the extras `offline`,
`fast` and `test` at its lower bound, and runs tests there: those of the doors, unless others are
named. What these packages need themselves comes as pip chooses it.

Exit codes: that of pip, where a bound is no version that there is; else that of pytest.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXTRAS = "offline,fast,test"
DOORS = (
    "tests/security",
    "tests/gateway/admission",
    "tests/actors/node/test_frames.py",
    "tests/actors/node/test_guard.py",
    "tests/actors/node/test_channel.py",
    "tests/actors/node/test_wire.py",
    "tests/actors/node/test_stream_door.py",
    "tests/actors/node/test_stream_carrier.py",
    "tests/fuzz",
)
_BOUND = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?>=([0-9][0-9.]*)")


def lowest() -> Iterator[tuple[str, str]]:
    """The packages that pyproject.toml names, and the lowest version of each."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    for requirements in (project["dependencies"], *extras.values()):
        for requirement in requirements:
            if bound := _BOUND.match(requirement):
                yield bound[1], bound[2]


def main(tests: Sequence[str]) -> int:
    """The command."""
    with tempfile.TemporaryDirectory(prefix="aybiza-lowest-") as name:
        folder = Path(name)
        pins = folder / "pins.txt"
        pins.write_text("".join(f"{package}=={version}\n" for package, version in lowest()))
        subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
        python = str(folder / "venv" / "bin" / "python")
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        install += ["-c", str(pins), "-e", f"{ROOT}[{EXTRAS}]"]
        done = subprocess.run(install, check=False)
        if done.returncode:
            return done.returncode
        run = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *(tests or DOORS)]
        return subprocess.run(run, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
