"""`aybiza tools try`: what a tools' file gives, what it does not and why; and a run of one tool.

Nothing is asked of anybody unless `--call` names a tool. It is run as a model's use of it is, by
the registry's checks and within its seconds; a tool that changes something, only with `--yes`,
which stands for the caller's. Its result is printed as JSON; why a tool did not work, which no
model is told, beside it.

Exit codes: 0 listed, or the tool has a result; 1 its result is an error; 2 a file or an input that
cannot be used, no such tool, or a write without `--yes`.
"""

from __future__ import annotations

import asyncio
import difflib
import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn

import typer

from aybiza.config.escapes import json_text
from aybiza.console import USAGE_ERROR
from aybiza.console.page import printable, quietly, say
from aybiza.console.setup import settings_or_exit

if TYPE_CHECKING:
    from aybiza.config.settings import Settings
    from aybiza.dialogue.tool_registry import Tool
    from aybiza.dialogue.tools.catalogue import Tools

EXAMPLES = """\
\b
Examples:
  aybiza tools try tools.toml
  aybiza tools try tools.toml --call tickets_list --with '{"state": "open"}'
  aybiza tools try tools.toml --call tickets_create --yes \\
      --with '{"title": "no heating"}'
"""

app = typer.Typer(
    no_args_is_help=True,
    help="Look at a tools' file, and try the tools that it gives.",
    epilog="Example: aybiza tools try tools.toml",
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

MOST_COLUMNS: Final = 32
"""A longer name has a line of its own."""
REASON_CHARACTERS: Final = 500
_MISUSED: Final = ("bad_input", "unknown_tool")


@app.callback()
def tools() -> None:
    """Look at a tools' file, and try the tools that it gives."""


@app.command("try", epilog=EXAMPLES)
def try_(
    file: Annotated[str, typer.Argument(help="A tools' file.", metavar="FILE")],
    call: Annotated[str | None, typer.Option(help="The tool to run.", metavar="NAME")] = None,
    given: Annotated[
        str, typer.Option("--with", help="Its input, an object.", metavar="JSON")
    ] = "{}",
    yes: Annotated[bool, typer.Option("--yes", help="Run it though it changes something.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the list as JSON.")] = False,
) -> None:
    """List the tools that a file would give, and what is left out of it and why; or run one.

    What a file's secrets are is read from the environment, as a node does.
    """
    settings = settings_or_exit()
    with quietly():
        raise typer.Exit(asyncio.run(_try(file, settings, call, given, yes, as_json)))


async def _try(
    file: str, settings: Settings, call: str | None, given: str, yes: bool, as_json: bool
) -> int:
    import os

    from aybiza.dialogue.tools.catalogue import ToolsError, load_tools

    try:
        found = load_tools(file, region=settings.aws_region, environment=os.environ)
    except ToolsError as error:
        _refuse(error.problems)
    try:
        if call is not None:
            tool = _meant(found, call, yes)
            return await _run(found, tool, _input(given))
    finally:
        await found.aclose()
    if as_json:
        typer.echo(json_text(listed(found), 2))
        return 0
    for line, under in lines(found):
        say(printable(line), under)
    return 0


def listed(tools: Tools) -> dict[str, Any]:
    """All of it as JSON data: `tools` with `name`, `table`, `effect`, `description`, and their
    `input_schema`; `left_out` by table and name, with the reason."""
    return {
        "tools": [
            {
                "name": tool.name,
                "table": tools.tables[tool.name],
                "effect": tool.effect,
                "description": tool.description,
                "input_schema": tool.input_schema,
            }
            for tool in tools.registry.tools
        ],
        "left_out": {table: left for table, left in tools.left_out.items() if left},
    }


def lines(tools: Tools) -> Iterator[tuple[str, int]]:
    """The list for people, a table after the other; and where each line goes on, if it is long."""
    made = tools.registry.tools
    left = {table: why for table, why in tools.left_out.items() if why}
    names = [*(tool.name for tool in made), *(name for why in left.values() for name in why)]
    width = max((len(name) for name in names if len(name) <= MOST_COLUMNS), default=0)
    for table in dict.fromkeys([*tools.tables.values(), *left]):
        yield table, 0
        for tool in made:
            if tools.tables[tool.name] == table:
                yield from _row(tool.name, _told(tool), width)
        if table in left:
            yield "  left out:", 0
            for name, why in left[table].items():
                yield from _row(name, why, width)
    count = len(made)
    out = sum(map(len, left.values()))
    yield f"{count} {'tool' if count == 1 else 'tools'}, {out or 'nothing'} left out", 0


def _row(name: str, told: str, width: int) -> Iterator[tuple[str, int]]:
    if len(name) > width:
        yield f"  {name}", 2
        name = ""
    yield f"  {name:{width}}  {told}", width + 4


def _told(tool: Tool) -> str:
    first = (tool.description.strip().splitlines() or [""])[0]
    does = {"write": "(writes) ", "transfer": "(transfers) ", "end_call": "(ends the call) "}
    return does.get(tool.effect, "") + first


def _meant(tools: Tools, name: str, yes: bool) -> Tool:
    """The tool of this name, as it is to be run."""
    known = {tool.name: tool for tool in tools.registry.tools}
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        meant = f"did you mean {near[0]}?" if near else f"there are: {', '.join(known) or 'none'}"
        _refuse([f"--call: there is no tool {name!r}; {meant}"])
    tool = known[name]
    if not yes and (tool.asks_first or tool.effect == "write"):
        _refuse([f"--call: {name} changes something: add --yes to have it done"])
    return replace(tool, confirm=False)


def _input(given: str) -> dict[str, Any]:
    try:
        value = json.loads(given)
    except (ValueError, RecursionError) as error:
        _refuse([f"--with: is not JSON: {error}"])
    if not isinstance(value, dict):
        _refuse([f"--with: must be a JSON object, such as {{}}, and is {given:.40}"])
    return value


async def _run(tools: Tools, tool: Tool, given: dict[str, Any]) -> int:
    from aybiza.dialogue.tool_registry import ToolRegistry
    from aybiza.dialogue.toolbox import ToolRun

    await tools.warm()
    # A server may know a write by its use: each try is another.
    use = ToolRun(tool.name, uuid.uuid4().hex, given, call_id="try")
    result = await ToolRegistry([tool], failed=_tell).run(use)
    typer.echo(json_text(result, 2))
    if "error" not in result:
        return 0
    return USAGE_ERROR if result["error"] in _MISUSED else 1


def _tell(failure: Exception) -> None:
    """Say why a tool did not work, which a model is not told."""
    told = f"{type(failure).__name__}: {str(failure)[:REASON_CHARACTERS]}"
    say(printable(f"aybiza tools: {told}"), 8, err=True)


def _refuse(problems: list[str]) -> NoReturn:
    for problem in problems:
        say(f"aybiza tools: {problem}", 8, err=True)
    raise typer.Exit(USAGE_ERROR)
