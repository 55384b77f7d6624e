"""The command line `aybiza`: each command is one module of this package and one line below.

A command's module imports at its top only what is quick; what it works with it imports when it
runs, so that `aybiza --help` stays quick.

Exit codes: 0 success, 1 the command failed, 2 it was called or configured wrongly.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from aybiza.console import (
    agents,
    audit,
    bench,
    calls,
    campaign,
    completion,
    config,
    demo,
    diagnose,
    dial,
    evals,
    exit_codes,
    faults,
    loadtest,
    models,
    nodes,
    operate,
    performance,
    report,
    run,
    tools,
    top,
    trace,
)
from aybiza.console.entry import version


class Commands(TyperGroup):
    """The commands. What an option cannot take is told in words for people, and the help of each
    ends with what its exit codes mean."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """See `TyperGroup`."""
        super().__init__(*args, **kwargs)
        _tell_codes(self.commands, "")

    def invoke(self, ctx: Any) -> Any:
        """See `TyperGroup`."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = plain(error.message)
            raise


def _tell_codes(commands: Mapping[str, Any], above: str) -> None:
    for name, command in commands.items():
        whole = f"{above} {name}".strip()
        command.epilog = "\n\n".join(filter(None, (command.epilog, exit_codes.told(whole))))
        _tell_codes(getattr(command, "commands", {}), whole)


def plain(message: str) -> str:
    """A refusal of an option's value, without the words of the library that refuses.

    >>> plain("Value error, 'pash' is not one of 'bash', 'zsh'.")
    "'pash' is not one of 'bash', 'zsh'."
    >>> plain("Input should be a valid integer, unable to parse string as an integer")
    'must be a whole number'
    """
    if message.startswith("Input should be "):
        wanted = message.removeprefix("Input should be ").partition(", unable to parse")[0]
        return f"must be {wanted.replace('valid integer', 'whole number').replace('valid ', '')}"
    return message.removeprefix("Value error, ")


app = typer.Typer(
    name="aybiza",
    cls=Commands,
    help="Supervised phone agents: an actor runtime that carries Claude on Amazon Bedrock.",
    epilog="Example: aybiza config --json",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command("run", cls=run.RunCommand, epilog=run.EXAMPLES)(run.run)
app.command("demo", epilog=demo.EXAMPLE)(demo.demo)
app.command("dial", epilog=dial.EXAMPLE)(dial.dial)
app.command("loadtest", epilog=loadtest.EXAMPLE)(loadtest.loadtest)
app.command("top", epilog=top.EXAMPLE)(top.top)
app.command("tree", epilog="Example: aybiza tree --json")(operate.tree)
app.command("performance", epilog=performance.EXAMPLE)(performance.performance)
app.command("report", epilog=report.REPORT_EXAMPLE)(report.report)
app.command("costs", epilog=report.COSTS_EXAMPLE)(report.costs)
app.command("observe", epilog="Example: aybiza observe call:CA0123")(operate.observe)
app.command("trace", epilog=trace.EXAMPLE)(trace.trace)
app.command("kill", epilog="Example: aybiza kill call:CA0123")(operate.kill)
app.command("stop", epilog="Example: aybiza stop --port 1900")(operate.stop)
app.add_typer(agents.app, name="agents")
app.add_typer(calls.app, name="calls")
app.add_typer(campaign.app, name="campaign")
app.add_typer(tools.app, name="tools")
app.add_typer(models.app, name="models")
app.add_typer(nodes.app, name="node")
app.add_typer(bench.app, name="bench")
app.add_typer(faults.app, name="faults")
app.add_typer(audit.app, name="audit")
app.add_typer(diagnose.app, name="diagnose")
app.add_typer(evals.app, name="evals")
app.command("config", epilog=config.EXAMPLE)(config.show)
app.command("completion", epilog=completion.EXAMPLE)(completion.completion)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(version())
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Takes the options that stand before the command."""


def main() -> None:
    """Runs the command of this process's arguments and exits with its code."""
    completion.begin()
    app(prog_name=completion.PROGRAM)
