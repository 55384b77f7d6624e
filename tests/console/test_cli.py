"""The command line as its user meets it: a process with arguments, output and an exit code."""

import os
import subprocess
import sys
from importlib import metadata

import pytest
from typer.testing import CliRunner

from aybiza.console import cli, entry


def aybiza(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Runs the installed command with nothing in its environment but this."""
    return subprocess.run(
        [sys.executable, "-c", "from aybiza.console.cli import main; main()", *arguments],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.path.join(os.getcwd(), "src"), **env},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def commands() -> list[str]:
    return sorted(str(command.name) for command in cli.app.registered_commands) + sorted(
        str(group.name) for group in cli.app.registered_groups
    )


def test_without_arguments_it_says_what_it_can_do() -> None:
    result = aybiza()
    assert result.returncode == 2
    assert "config" in result.stdout + result.stderr


def test_help_lists_every_command_and_an_example() -> None:
    result = aybiza("--help")
    assert result.returncode == 0
    for command in commands():
        assert f"\n  {command} " in result.stdout
    assert "Example: aybiza" in result.stdout


@pytest.mark.parametrize("command", commands())
def test_every_command_has_help_with_an_example(command: str) -> None:
    result = CliRunner().invoke(cli.app, [command, "--help"])
    assert result.exit_code == 0
    assert "Example" in result.output


def test_help_imports_nothing_that_is_slow() -> None:
    heavy = "boto3 botocore pydantic thespian numpy starlette uvicorn deepgram redis"
    check = (
        "import sys, aybiza.console.cli\n"
        f"loaded = set({heavy!r}.split()) & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(loaded)) or 0)"
    )
    result = subprocess.run(
        [sys.executable, "-c", check], capture_output=True, text=True, timeout=30, check=False
    )
    assert result.stderr == ""
    assert result.returncode == 0


def test_the_version_is_the_packages() -> None:
    result = aybiza("--version")
    assert (result.returncode, result.stdout) == (0, f"aybiza {metadata.version('aybiza')}\n")


def test_an_unknown_command_or_option_is_refused() -> None:
    for arguments in (["nonsense"], ["config", "--nonsense"]):
        result = aybiza(*arguments)
        assert result.returncode == 2
        assert "nonsense" in result.stderr
        assert result.stdout == ""


def test_the_installed_script_runs_this_command_line() -> None:
    (script,) = metadata.entry_points(group="console_scripts", name="aybiza")
    assert script.load() is entry.main


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["completion", "pash"], "'shell': 'pash' is not one of 'bash', 'zsh', 'fish'"),
        (["tree", "--port", "abc"], "'--port': must be a whole number"),
        (["top", "--every", "x"], "'--every': must be a number"),
    ],
)
def test_what_an_option_cannot_take_is_told_in_words_for_people(
    arguments: list[str], told: str
) -> None:
    result = CliRunner().invoke(cli.app, arguments)
    assert result.exit_code == 2
    assert told in result.output
    assert "Value error" not in result.output
    assert "Input should" not in result.output
