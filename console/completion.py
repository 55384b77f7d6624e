"""`aybiza completion`: the script with which a shell completes commands and options.

    aybiza completion bash > ~/.local/share/bash-completion/completions/aybiza

`begin` is called before the command line is read, so that an invocation by the shell is answered.

Exit codes: 0; 2 for a shell that is none of them.
"""

from __future__ import annotations

import os
from enum import StrEnum
from typing import Annotated, Final

import typer

EXAMPLE: Final = 'Example: eval "$(aybiza completion bash)"'
PROGRAM: Final = "aybiza"
VARIABLE: Final = "_AYBIZA_COMPLETE"


class Shell(StrEnum):
    """The shells that are known."""

    bash = "bash"
    zsh = "zsh"
    fish = "fish"


def completion(
    shell: Annotated[Shell, typer.Argument(help="The shell that completes.")],
) -> None:
    """Print the script with which a shell completes commands and options."""
    from typer._completion_shared import get_completion_script

    typer.echo(get_completion_script(prog_name=PROGRAM, complete_var=VARIABLE, shell=shell.value))


def begin() -> None:
    """Have a shell that asks answered."""
    if VARIABLE in os.environ:
        from typer._completion_classes import completion_init

        completion_init()
