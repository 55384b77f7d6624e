"""Workers that share the tests of one run report what one process would, and of one that dies."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
CONFTEST = """
import os, random
import pytest
from tests.workers import pytest_addoption, pytest_runtestloop

@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    yield tmp_path_factory.mktemp("whole")
    with open("ends", "a") as file:
        file.write(f"{os.getpid()}\\n")

@pytest.fixture(autouse=True)
def noted(request, whole, tmp_path):
    with open("notes", "a") as file:
        chance = random.random()
        file.write(f"{request.node.name} {os.getpid()} {whole.parent.name} {chance}\\n")
"""
FIRST = """
import os, time

def test_one(): time.sleep(0.5)
def test_two(): assert 1 == 2, "as it should"
def test_three():
    print("said before the end", flush=True)
    os._exit(3)
def test_four(): pass
"""
SECOND = """
import time
import pytest

def test_five(): time.sleep(0.5)
@pytest.mark.skip(reason="not here")
def test_six(): pass
@pytest.fixture
def broken():
    yield
    raise RuntimeError("as it ends")
def test_seven(broken): pass
"""


def run(folder: Path, *options: str) -> tuple[int, str]:
    quiet = [f"-pno:{name}" for name in ("asyncio", "xdist", "aybiza", "hypothesispytest")]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *quiet, "-pno:cacheprovider", "-rA", *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


def test_all_is_reported_and_who_dies_fails_one_test_alone(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_first.py").write_text(FIRST)
    (tmp_path / "test_second.py").write_text(SECOND)
    code, told = run(tmp_path, "--workers", "2", "--basetemp", str(tmp_path / "temporary"))
    assert code == 1, told
    line = r"^(PASSED|FAILED|ERROR|SKIPPED) .*?(test_\w+\.py\S*)"
    said = set(re.findall(line, told, re.MULTILINE))
    assert said == {
        ("PASSED", "test_first.py::test_one"),
        ("FAILED", "test_first.py::test_two"),
        ("FAILED", "test_first.py::test_three"),
        ("PASSED", "test_first.py::test_four"),
        ("PASSED", "test_second.py::test_five"),
        ("SKIPPED", "test_second.py:6:"),
        ("PASSED", "test_second.py::test_seven"),
        ("ERROR", "test_second.py::test_seven"),
    }
    assert "as it should" in told and "as it ends" in told
    assert "the process that ran test_first.py::test_three has died" in told
    assert "4 passed, 1 skipped, 1 error" in told
    notes = [line.split() for line in (tmp_path / "notes").read_text().splitlines()]
    assert [name for name, *_ in notes].count("test_three") == 1
    by_test = {name: rest for name, *rest in notes}
    # Three processes, each with a folder and a chance of its own; two came to their end.
    assert len({pid for pid, _, _ in by_test.values()}) == 3
    assert len({folder for _, folder, _ in by_test.values()}) == 3
    assert len({chance for _, _, chance in by_test.values()}) == len(by_test)
    ends = (tmp_path / "ends").read_text().split()
    assert sorted(ends) == sorted({by_test["test_four"][0], by_test["test_seven"][0]})
