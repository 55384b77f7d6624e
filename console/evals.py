"""`aybiza evals`: personas call an agent many times in virtual time, and each call is judged.

A persona's words come from its rules, and those of its [model] from Bedrock or from a stand-in for
it: by the rules in `mine.rules.toml` beside `mine.toml`, or by what its prompt says. The agent is
answered by its stand-in, or with `--real` by the model of Bedrock that it asks first.

Exit codes: 0 enough calls were as they should be; 1 too few, or not all were placed; 2 a persona or
an agent that cannot be used, or a model without credentials.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from aybiza.console import USAGE_ERROR
from aybiza.console.page import say

if TYPE_CHECKING:
    from aybiza.claude.choice import Policy
    from aybiza.config.agents import Agent
    from aybiza.config.settings import Settings
    from aybiza.dialogue.toolbox import Toolbox
    from aybiza.emulators.bedrock.continuation import Responder
    from aybiza.faults.evals import Judged, Result
    from aybiza.faults.persona import Persona
    from aybiza.faults.persona_mind import Ask, Budget

MOST_USD = 1.0
REMOTE = ("crm", "mail", "code", "connectors.", "mcp.", "knowledge.kendra_index")
"""Tables whose tools ask other services."""

app = typer.Typer(
    epilog="Example: aybiza evals run clinic --n 100",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def evals() -> None:
    """Have callers try an agent many times, and judge what came of it."""


@app.command("run", epilog="Example: aybiza evals run clinic --n 100 --junit evals.xml")
def run(
    persona: Annotated[
        str,
        typer.Argument(
            help="A persona that comes along, or a TOML or YAML file.", metavar="PERSONA"
        ),
    ],
    n: Annotated[int, typer.Option("--n", min=1, max=100_000, help="How many calls.")] = 20,
    seed: Annotated[int, typer.Option(help="Which callers; the same seed, the same calls.")] = 1,
    agent: Annotated[
        str | None, typer.Option(help="Another agent than the persona's: a name or a file.")
    ] = None,
    against: Annotated[
        str | None, typer.Option(help="A second agent, for figures side by side.")
    ] = None,
    tools: Annotated[
        Path | None,
        typer.Option(help="Tools in place of the agents' own and the node's.", metavar="FILE"),
    ] = None,
    junit: Annotated[
        Path | None, typer.Option(help="Write the calls as JUnit's XML, too.", metavar="FILE")
    ] = None,
    real: Annotated[
        bool, typer.Option("--real", help="Have Amazon Bedrock answer for the agent.")
    ] = False,
    most_usd: Annotated[
        float | None,
        typer.Option(
            min=0.0001,
            max=1_000.0,
            help="USD that all requests to Bedrock may cost; left out: what [model] says, or 1.",
        ),
    ] = None,
    show: Annotated[
        bool, typer.Option("--heard", help="Print what was heard in calls that went wrong.")
    ] = False,
) -> None:
    """Place the calls, and judge each by goal, length, tools, consent and silence.

    Each call has a node of its own in virtual time, with the stand-in model of the agent (or, with
    --real, Amazon Bedrock, which takes no virtual time) and tools that are loaded anew. What those
    in Python do is done; those that ask other services are refused: give a file that has others in
    their place (--tools). A call that went wrong is repeated by its seed: --seed 17 --n 1. A
    persona's [model] may have its words of Amazon Bedrock, for which there have to be credentials.
    Exit code 1: fewer calls than the persona's threshold were as they should be.
    """
    from aybiza.config.settings import load
    from aybiza.faults.evals import junit as as_junit
    from aybiza.faults.persona_mind import Budget

    path, loaded = _persona(persona)
    first = agent or _beside(path, loaded.agent) or load().agent
    most = most_usd or (loaded.model.most_usd if loaded.model is not None else MOST_USD)
    budget = Budget(most)
    with _words(path, loaded) as ask:
        results = [
            _evaluated(loaded, name, n, seed, show, tools, ask, budget, real)
            for name in (first, against)
            if name
        ]
    if budget.requests:
        say(f"asked of models: {budget.requests} requests, {budget.usd:.4f} USD", 4)
    if len(results) > 1:
        _side_by_side(results)
    if junit is not None:
        try:
            junit.write_text(as_junit(results[0]), encoding="utf-8")
        except OSError as error:
            say(f"aybiza evals: {junit}: cannot be written: {error.strerror}", 8, err=True)
            raise typer.Exit(USAGE_ERROR) from None
    raise typer.Exit(int(not results[0].ok))


def _evaluated(
    persona: Persona,
    name: str,
    n: int,
    seed: int,
    show: bool,
    tools: Path | None,
    ask: Ask | None,
    budget: Budget,
    real: bool,
) -> Result:
    from aybiza.config.agents import AgentError, load_agent
    from aybiza.dialogue.tools.catalogue import ToolsError
    from aybiza.emulators.bedrock.rules import RulesError
    from aybiza.emulators.bedrock.stand_in import stand_in
    from aybiza.faults.evals import evaluated

    try:
        agent, responder = load_agent(name), stand_in(name)
        make = partial(_tools, agent, tools)
        make()
    except (AgentError, RulesError) as error:
        _refuse(error.problems)
    except ToolsError as error:
        _refuse([f"{name}: tools: {problem}" for problem in error.problems])
    except ValueError as error:
        _refuse([f"{name}: tools: {error}"])
    told = partial(_tell, show=show)
    with ExitStack() as closing:
        if real:
            responder = closing.enter_context(_bedrock(name, agent, budget))
        result = evaluated(
            persona, agent, make, responder, n=n, seed=seed, tell=told, ask=ask, budget=budget
        )
    if result.stopped:
        say(f"aybiza evals: no further call: {result.stopped}", 8, err=True)
    wrong = ", ".join(f"{kind} {count}" for kind, count in result.wrong().items())
    verdict = "ok" if result.ok else "TOO FEW"
    say(
        f"{verdict}  {result.title}, {result.agent}: {result.reached} of"
        f" {len(result.calls)} calls"
        f" ({result.share:.0%}, {result.threshold:.0%} are asked for)"
        + (f"; wrong: {wrong}" if wrong else ""),
        4,
    )
    return result


@contextmanager
def _words(path: Path, persona: Persona) -> Iterator[Ask | None]:
    """Who has the words of the persona's [model]; None without one."""
    from aybiza.emulators.bedrock.played import played
    from aybiza.emulators.bedrock.rules import RulesError, load_rules, rules_beside
    from aybiza.faults.persona_mind import Refused
    from aybiza.faults.persona_words import bedrock_words, emulated_words

    if persona.model is None:
        yield None
    elif persona.model.by == "emulator":
        rules = rules_beside(path)
        try:
            ask = emulated_words(load_rules(rules) if rules.exists() else played)
        except RulesError as error:
            _refuse(error.problems)
        yield ask
    else:
        settings, policy = _means(f'{path}: [model] by = "bedrock"')
        try:
            with bedrock_words(settings, policy, persona.model) as ask:
                yield ask
        except Refused as why:
            _refuse([f"{path}: [model]: {why}"])


@contextmanager
def _bedrock(name: str, agent: Agent, budget: Budget) -> Iterator[Responder]:
    """Amazon Bedrock in the place of the agent's stand-in."""
    from aybiza.faults.persona_mind import Refused
    from aybiza.faults.real_bedrock import answering, real_bedrock

    settings, policy = _means(f"{name}: --real")
    try:
        profile = policy.preferring(agent.model, agent.model_rule).models[0]
        with real_bedrock(settings, policy, profile) as converse:
            yield answering(budget.guarded(converse), profile)
    except (Refused, ValueError) as why:
        _refuse([f"{name}: --real: {why}"])


def _means(what: str) -> tuple[Settings, Policy]:
    """What Bedrock is asked with; without credentials the command ends."""
    from aybiza.console.checks import credentials
    from aybiza.console.setup import policy_or_exit, settings_or_exit

    settings = settings_or_exit()
    if not (found := credentials(settings)).ok:
        _refuse([f"{what}: {found.says}"])
    return settings, policy_or_exit(settings)


def _tools(agent: Agent, own: Path | None) -> Toolbox:
    """Fresh tools for one call. Raises ToolsError and ValueError."""
    import os

    from aybiza.config.settings import load
    from aybiza.dialogue.consent import ConsentGate
    from aybiza.dialogue.tools.tool_files import ToolFiles

    settings = load()
    if own is not None:
        agent = agent.model_copy(update={"tools_file": ""})
    path = own or settings.tools_file
    files = ToolFiles(path, region=settings.aws_region, environment=os.environ)
    toolbox = files.toolbox(agent, ConsentGate(agent.language, agent.languages))
    tables = files.tables(agent)
    for name in agent.tools:
        if (table := tables.get(name, "")).startswith(REMOTE):
            raise ValueError(
                f"{name} of [{table}] asks another service, and evals are in virtual time and do"
                " nothing real; name a file with tools in Python that take its place: --tools"
            )
    return toolbox


def _tell(call: Judged, *, show: bool) -> None:
    for kind, told in call.wrong.items():
        say(f"seed {call.seed}: {kind}: {told}", 4)
    for line in call.heard.splitlines() if show and call.wrong else ():
        say(f"    heard  {line.strip()}", 11)


def _side_by_side(results: list[Result]) -> None:
    """The figures of both agents, a line each."""
    rows: dict[str, list[str]] = {
        "as they should be": [f"{result.share:.0%}" for result in results],
        "seconds a call": [_mean(result, "seconds") for result in results],
        "turns a call": [_mean(result, "turns") for result in results],
    }
    for kind in dict.fromkeys(kind for result in results for kind in result.wrong()):
        rows[f"wrong: {kind}"] = [str(result.wrong().get(kind, 0)) for result in results]
    names = [result.agent[:24] for result in results]
    say(f"{'':20}{names[0]:>25}{names[1]:>25}")
    for what, (before, after) in rows.items():
        say(f"{what:20}{before:>25}{after:>25}")


def _mean(result: Result, what: str) -> str:
    return f"{sum(getattr(call, what) for call in result.calls) / len(result.calls):.1f}"


def _beside(path: Path, agent: str | None) -> str | None:
    """The persona's agent; a file's path is relative to the persona's."""
    from aybiza.config.agents import is_path

    return str(path.parent / agent) if agent is not None and is_path(agent) else agent


def _persona(name: str) -> tuple[Path, Persona]:
    from aybiza.faults.persona import PersonaError, load

    try:
        return load(name)
    except PersonaError as error:
        _refuse(error.problems)


def _refuse(problems: list[str]) -> NoReturn:
    for problem in problems:
        say(f"aybiza evals: {problem}", 8, err=True)
    raise typer.Exit(USAGE_ERROR)
