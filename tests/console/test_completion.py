"""Shells complete the command line with a script that it prints."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from aybiza.console.cli import app
from aybiza.console.completion import VARIABLE, Shell


@pytest.mark.parametrize("shell", Shell)
def test_each_shell_has_a_script_that_asks_the_command(shell: Shell) -> None:
    result = CliRunner().invoke(app, ["completion", shell.value])
    assert result.exit_code == 0
    assert VARIABLE in result.output
    assert "aybiza" in result.output


def test_a_shell_that_asks_is_told_the_commands() -> None:
    asked = {VARIABLE: "complete_bash", "COMP_WORDS": "aybiza to", "COMP_CWORD": "1"}
    result = subprocess.run(
        [sys.executable, "-c", "from aybiza.console.cli import main; main()"],
        env={**os.environ, **asked},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert result.stdout.split() == ["top", "tools"]
