"""The script `aybiza`: the command line, or what to install where one of its packages is missing.

`pip install aybiza` brings the runtime and structlog. The commands are about nodes that take
calls, and need the packages of `aybiza[voice]`; for nodes that run programs of one's own those of
`aybiza[cluster]` will do. Where one is missing the script says so and exits with 2. Who gives up
with Ctrl-C while it still starts is told nothing; the exit code is then 130.
"""

import sys

OURS = "aybiza"
INTERRUPTED = 130


def missing_package(error: ModuleNotFoundError) -> str | None:
    """The package that is not installed; `None` if what is missing is a module of our own.

    >>> missing_package(ModuleNotFoundError("No module named 'typer'", name="typer"))
    'typer'
    >>> missing_package(ModuleNotFoundError("…", name="aybiza.console.nothing")) is None
    True
    """
    top = (error.name or OURS).partition(".")[0]
    return None if top == OURS else top


def version() -> str:
    """The line that `aybiza --version` prints."""
    from importlib import metadata

    return f"aybiza {metadata.version('aybiza')}"


def main() -> None:
    """Run the command of this process's arguments and exit with its code."""
    if sys.argv[1:] == ["--version"]:  # it needs no package, and is asked for in every report
        print(version())
        return
    try:
        from aybiza.console import cli

        cli.main()
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
    except ModuleNotFoundError as error:
        package = missing_package(error)
        if package is None:
            raise
        print(
            f"aybiza: this command needs {package}, which is not installed.\n"
            "The runtime works without it. pip install 'aybiza[voice]' brings all commands;\n"
            "'aybiza[cluster]' those that run a node of your own (aybiza run --node-main).",
            file=sys.stderr,
        )
        raise SystemExit(2) from None
