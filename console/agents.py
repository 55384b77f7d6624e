"""`aybiza agents`: look at agents' files, try them by text, exchange them with Vapi.

Exit codes: 0; 1 an agent cannot be used, or the conversation failed; 2 a file or an option that
cannot be read.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aybiza.config.escapes import json_text
from aybiza.config.text_file import text_of
from aybiza.console import USAGE_ERROR
from aybiza.console.page import say
from aybiza.console.setup import policy_or_exit, settings_or_exit

if TYPE_CHECKING:
    from aybiza.config.agents import Agent
    from aybiza.config.vapi_parts import Carried

app = typer.Typer(
    epilog="Example: aybiza agents try clinic",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

AgentName = Annotated[
    str, typer.Argument(help="An agent of this package, or a .toml file.", metavar="AGENT")
]
Vapi = Annotated[bool, typer.Option("--vapi", help="As Vapi's assistants are written.")]


@app.callback()
def agents() -> None:
    """Check agents, show them, try them by text, and exchange them with Vapi."""


@app.command("check", epilog="Example: aybiza agents check config/agents routes.toml")
def check(
    files: Annotated[
        list[str] | None,
        typer.Argument(help="Agents, files of agents or routes, or folders of them."),
    ] = None,
) -> None:
    """Say whether agents can be used, and what callers would not like about them.

    Without names: the agents of the settings and those of this package. A file of routes is
    checked with all its agents. Exit code 1: one cannot be used.
    """
    from aybiza.console.agent_checks import checked, named

    settings = settings_or_exit()
    policy = policy_or_exit(settings)
    failed = False
    for name in named(files or [], settings):
        for verdict in checked(name, settings, policy):
            failed = failed or not verdict.ok
            say(f"{'ok  ' if verdict.ok else 'FAIL'}  {verdict.name}  {verdict.says}", 6)
            for note in verdict.notes:
                say(f"      {note}", 8)
    raise typer.Exit(int(failed))


@app.command("show", epilog="Example: aybiza agents show clinic --prompt")
def show(
    agent: AgentName = "clinic",
    prompt: Annotated[
        bool, typer.Option("--prompt", help="Print what the model is told at first instead.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Print an agent as it answers: what its file says, and what it has by default."""
    loaded = _loaded(agent)
    if prompt:
        from aybiza.claude.payload import enhance_system_prompt_for_voice
        from aybiza.dialogue.prompt import system_prompt

        typer.echo(enhance_system_prompt_for_voice(system_prompt(loaded)))
        return
    values = loaded.model_dump(mode="json")
    if as_json:
        typer.echo(json_text(values, 2))
        return
    width = max(map(len, values))
    for key, value in values.items():
        source = "file   " if key in loaded.model_fields_set else "default"
        text = " ".join(value.split()) if isinstance(value, str) else json.dumps(value)
        say(f"{key:{width}}  {source}  {'(unset)' if value is None else text}", width + 11)


@app.command("try", epilog="Example: printf 'What are your hours?\\n' | aybiza agents try clinic")
def try_(
    agent: AgentName = "clinic",
    real: Annotated[
        bool, typer.Option("--real", help="Ask Amazon Bedrock, and not a stand-in for it.")
    ] = False,
) -> None:
    """Talk with an agent in the terminal, line by line.

    A line is a turn of the caller's; the end of the input hangs up. The conversation is that of a
    call, with its tools and the yes that they ask for. Without --real a stand-in answers: by the
    rules beside the agent's file, as the clinic, or by repeating what it understood.
    """
    from aybiza.console.try_agent import talk

    settings = settings_or_exit()
    policy = policy_or_exit(settings)
    raise typer.Exit(talk(agent, _loaded(agent), settings, policy, real=real))


@app.command("export", epilog="Example: aybiza agents export clinic --vapi > assistant.json")
def export(agent: AgentName, vapi: Vapi = False) -> None:
    """Print an agent as an assistant of Vapi's, in JSON; what is left out on standard error."""
    _vapi_or_exit(vapi)
    from aybiza.claude.payload import enhance_system_prompt_for_voice
    from aybiza.config.agent_types import get_system_prompt
    from aybiza.config.vapi import to_vapi

    loaded = _loaded(agent)
    told = {
        "system_prompt": loaded.system_prompt,
        "custom_instructions": loaded.custom_instructions,
    }
    carried = to_vapi(loaded, enhance_system_prompt_for_voice(get_system_prompt(told)))
    typer.echo(json_text(carried.result, 2))
    _tell_left_out(carried)


@app.command("import", epilog="Example: aybiza agents import --vapi assistant.json > desk.toml")
def import_(
    file: Annotated[Path, typer.Argument(help="JSON, or JavaScript that holds one object.")],
    vapi: Vapi = False,
    name: Annotated[str, typer.Option(help="The agent's name, if the file has none.")] = "",
) -> None:
    """Print an agent's file made of an assistant of Vapi's; what is left out on standard error."""
    _vapi_or_exit(vapi)
    from aybiza.config.agents import AgentError, agent_of
    from aybiza.config.js_literal import read_literal
    from aybiza.config.vapi import from_vapi
    from aybiza.console.agent_file import toml_of

    try:
        config = read_literal(text_of(file, OSError))
    except OSError as error:
        _refuse(str(error))
    except ValueError as error:
        _refuse(f"{file}: {error}")
    carried = from_vapi(config, name)
    text = toml_of(carried.result)
    typer.echo(text, nl=False)
    _tell_left_out(carried)
    try:
        made: Agent = agent_of(text, "the agent")
    except AgentError as error:
        for problem in error.problems:
            say(f"To be mended before it can be used: {problem}", 4, err=True)
        raise typer.Exit(1) from None
    assert made.name


def _tell_left_out(carried: Carried) -> None:
    if carried.left_out:
        say("Not carried:", err=True)
    for line in carried.left_out:
        say(f"  {line}", 4, err=True)


def _loaded(agent: str) -> Agent:
    from aybiza.config.agents import AgentError, load_agent

    try:
        return load_agent(agent)
    except AgentError as error:
        for problem in error.problems:
            say(f"aybiza: {problem}", 8, err=True)
        raise typer.Exit(USAGE_ERROR) from None


def _vapi_or_exit(vapi: bool) -> None:
    if not vapi:
        _refuse("say in which form: --vapi")


def _refuse(problem: str) -> Any:
    say(f"aybiza agents: {problem}", 8, err=True)
    raise typer.Exit(USAGE_ERROR)
