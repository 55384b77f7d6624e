"""The loopback providers as a child process."""

import os
import stat
import sys
from pathlib import Path

import pytest

from aybiza.console.emulated import Emulators, EmulatorsError, enter

URLS = (
    '{"AWS_ENDPOINT_URL_BEDROCK_RUNTIME": "http://127.0.0.1:1", "DEEPGRAM_URL": "ws://127.0.0.1:2",'
    ' "OPENAI_BASE_URL": "http://127.0.0.1:3/v1", "ELEVENLABS_URL": "http://127.0.0.1:4",'
    ' "AYBIZA_TWILIO_API": "http://127.0.0.1:5"}'
)


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program that takes the place of `python -m aybiza.emulators`; a test writes it."""
    path = tmp_path / "program"
    path.touch()
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(sys, "executable", str(path))
    return path


def test_the_urls_are_read_and_the_program_is_ended(program: Path) -> None:
    program.write_text(f"#!/bin/sh\necho \"$@\" >&2\necho '{URLS}'\nexec cat\n")
    emulators = Emulators("scripted")
    assert emulators.start() == {
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": "http://127.0.0.1:1",
        "DEEPGRAM_URL": "ws://127.0.0.1:2",
        "OPENAI_BASE_URL": "http://127.0.0.1:3/v1",
        "ELEVENLABS_URL": "http://127.0.0.1:4",
        "AYBIZA_TWILIO_API": "http://127.0.0.1:5",
    }
    assert not emulators.ended()
    emulators.stop()
    emulators.stop()


def test_a_program_that_ignores_its_end_is_killed(program: Path) -> None:
    program.write_text(f"#!/bin/sh\ntrap '' TERM\necho '{URLS}'\nwhile :; do sleep 0.1; done\n")
    emulators = Emulators("acoustic")
    emulators.start()
    emulators.stop()


def test_a_program_that_ends_by_itself_is_noticed(program: Path) -> None:
    program.write_text(f"#!/bin/sh\necho '{URLS}'\n")
    emulators = Emulators("acoustic")
    emulators.start()
    while not emulators.ended():
        os.sched_yield()
    emulators.stop()


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("exit 3", r"ended while they started \(exit code 3\)"),
        ("echo hello; exec cat", "first line must be JSON .* was 'hello'"),
        ("echo '{}'; exec cat", "first line must be JSON"),
        ("echo '[1]'; exec cat", "first line must be JSON"),
    ],
)
def test_a_program_that_does_not_start_is_an_error_that_says_why(
    script: str, message: str, program: Path
) -> None:
    program.write_text(f"#!/bin/sh\n{script}\n")
    emulators = Emulators("scripted")
    with pytest.raises(EmulatorsError, match=message):
        emulators.start()
    emulators.stop()


def test_a_start_that_is_no_longer_wanted_ends_early(program: Path) -> None:
    program.write_text("#!/bin/sh\nexec cat\n")
    emulators = Emulators("scripted")
    with pytest.raises(EmulatorsError, match="stopped while they started"):
        emulators.start(lambda: False)
    emulators.stop()


def test_an_environment_points_to_the_emulators_and_holds_no_real_credentials() -> None:
    environment = {
        "AWS_PROFILE": "production",
        "AWS_SESSION_TOKEN": "real",
        "AYBIZA_SIGNALWIRE_API": "https://example.signalwire.com",
        "AWS_ACCESS_KEY_ID": "real",
        "DEEPGRAM_API_KEY": "real",
        "NO_PROXY": "intranet",
        "OTHER": "kept",
    }
    enter({"DEEPGRAM_URL": "ws://127.0.0.1:2"}, environment)
    assert environment == {
        "AWS_ACCESS_KEY_ID": "EMULATED",
        "AWS_SECRET_ACCESS_KEY": "emulated",
        "AWS_EC2_METADATA_DISABLED": "true",
        "DEEPGRAM_API_KEY": "emulated",
        "OPENAI_API_KEY": "emulated",
        "ELEVENLABS_API_KEY": "emulated",
        "AYBIZA_EMULATED": "true",
        "DEEPGRAM_URL": "ws://127.0.0.1:2",
        "NO_PROXY": "127.0.0.1,localhost,intranet",
        "no_proxy": "127.0.0.1,localhost",
        "OTHER": "kept",
    }
