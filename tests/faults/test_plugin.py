"""The pytest plugin in a stranger's project: its fixtures, helpers, and what a failure shows."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

AGENT = """
name = "Otto"
system_prompt = "You sell lamps."
greeting = "Otto's lamps, good morning."
error = "Pardon?"
silence_timeout_s = 30.0
max_duration_s = 600.0
"""

CONFTEST = """
import pytest

@pytest.fixture
def aybiza_answers():
    return {"A green one, please.": ["Green is sold out. We have blue ones. They are cheaper."]}
"""

TESTS = """
import time

from aybiza.actors.runtime import GenServer
from aybiza.faults.testing import (
    assert_heard, assert_no_orphans, assert_restarted, eventually, hangs_up, says,
)

HEARD = ["Otto's lamps, good morning.", "Green is sold out.", "We have blue ones.",
         "They are cheaper."]

class Lamp(GenServer):
    async def init(self):
        self.on = False

    async def handle_cast(self, request):
        self.on = request

def test_a_speaker_dies_in_mid_sentence(call, faults):
    faults("kill", where="SpeakerActor", after="SentenceHeard(turn=1, seq=1)")
    call(says("A green one, please."), hangs_up(quiet_ms=1500))
    assert [strike.whom for strike in faults.strikes] == ["SpeakerActor"]
    assert_heard(HEARD)
    assert_no_orphans()

def test_a_part_comes_back(node, call):
    under_way = call.placed(says("A green one, please."), hangs_up(quiet_ms=1500))
    call.until(lambda: under_way.is_speaking(1, 1))
    new = assert_restarted(node.kill("CallActor"), within=0.5)
    eventually(lambda: under_way.state.get("phase") == "listening", within=20.0)
    assert node.find("CallActor") == new

def test_an_actor_of_ones_own(vm, virtual_time):
    lamp = virtual_time.run(vm.start(Lamp))
    vm.cast(lamp, True)
    began = time.time()
    virtual_time.pass_by(3600.0)
    assert time.time() - began == 3600.0 and virtual_time.now == 3600.0
    assert vm.find(lamp).server.on
"""

FAILING = """
def test_what_is_not_so(call, faults):
    faults("kill", where="CallActor", after="SentenceHeard(turn=1, seq=1)")
    call(says("A green one, please."), hangs_up())
    assert_heard(["We have red ones."])

def test_a_name_that_there_is_not(faults):
    faults("kill", where="SpeakrActor", at=1.0)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Somebody else's project, with an agent of its own."""
    (tmp_path / "otto.toml").write_text(AGENT)
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "pytest.ini").write_text("[pytest]\naybiza_agent = otto.toml\n")
    return tmp_path


def pytest_in(project: Path, text: str, *options: str) -> subprocess.CompletedProcess[str]:
    """pytest, run on a file of this text, with the plugin found as installed."""
    (project / "test_otto.py").write_text(text)
    quiet = [f"-p{name}" for name in ("no:asyncio", "no:xdist", "no:timeout")]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *quiet, "-p", "no:cacheprovider", *options],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )


def test_a_strangers_tests_pass_and_a_failure_shows_how_it_came_and_is_repeated(
    project: Path,
) -> None:
    done = pytest_in(project, TESTS + FAILING, "--aybiza-seed", "4")
    assert "2 failed, 3 passed" in done.stdout, done.stdout + done.stderr
    assert "not heard (in its place): 'We have red ones.'" in done.stdout
    assert "✝ CallActor#" in done.stdout and "↻ CallActor#" in done.stdout
    assert "⚡" in done.stdout and "SpeakerActor#" in done.stdout
    assert "pytest test_otto.py::test_what_is_not_so --aybiza-seed 4" in done.stdout
    assert "there is no actor 'SpeakrActor'; did you mean 'SpeakerActor'" in done.stdout


def test_the_guides_example_passes_as_it_stands(project: Path) -> None:
    (project / "conftest.py").unlink()
    (project / "pytest.ini").unlink()
    guide = (Path(__file__).parents[2] / "docs" / "faults.md").read_text(encoding="utf-8")
    example = guide[guide.index("    import pytest\n") : guide.index("The agent is the one that")]
    done = pytest_in(project, textwrap.dedent(example))
    assert "1 passed" in done.stdout, done.stdout + done.stderr
