"""`aybiza models`: the model catalogue; `aybiza models explain "…"`: how a model is chosen.

Exit codes: 0; 2 if the catalogue, the selection or a setting cannot be used.
"""

import json
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aybiza.config.escapes import json_text
from aybiza.console.page import say
from aybiza.console.setup import catalogue_or_exit, policy_or_exit, settings_or_exit

if TYPE_CHECKING:
    from aybiza.claude.choice import Choice, Policy
    from aybiza.config.catalogue import Catalogue, LongContext, Model, Prices

EXAMPLES = """\
Examples:\n
\n
  aybiza models                     every model, its limits and prices\n
  aybiza models --json              everything that is known of them\n
  aybiza models explain "Why does my line keep dropping?"\n
"""
EXPLAIN_EXAMPLE = (
    'Example: aybiza models explain "I need to move my appointment" --rule current --country DE'
)

app = typer.Typer(
    epilog=EXAMPLES,
    invoke_without_command=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def models(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show the models: what each can do, what it costs, where it stands in its life.

    The catalogue is the package's, with the file that AYBIZA_MODELS_FILE names over it. Prices are
    USD per million tokens: prompt / answer / prompt read from the cache. Scores are intelligence /
    speed / cost, more is better.
    """
    if context.invoked_subcommand is not None:
        return
    settings = settings_or_exit()
    catalogue = catalogue_or_exit(settings)
    today = date.today()
    if as_json:
        typer.echo(json.dumps(_described(catalogue, today), indent=2))
        return
    for line in _HEADER:
        typer.echo(line)
    for model in catalogue.models.values():
        for line in _lines(model, today):
            typer.echo(line)
    for model in catalogue.models.values():
        if model.long_context is not None:
            longer = _priced(model.long_context)
            typer.echo("")
            say(f"{model.name}: {longer} above {model.long_context.above:,} tokens.")
    typer.echo("A request names a model through an inference profile: global.MODEL, us.MODEL, …;")
    typer.echo("--json has those of each.")
    typer.echo("\nAlso known as:")
    for name, target in catalogue.aliases.items():
        say(f"  {name} = {target}", 4)


@app.command("explain", epilog=EXPLAIN_EXAMPLE)
def explain(
    transcript: Annotated[str, typer.Argument(help="What the caller has said.")],
    rule: Annotated[
        str | None, typer.Option(help="Rule or arms, as AYBIZA_SELECTION holds them.")
    ] = None,
    call: Annotated[str | None, typer.Option(help="Id of the call: which arm it is in.")] = None,
    country: Annotated[str | None, typer.Option(help="Caller's country, two letters.")] = None,
    max_latency: Annotated[
        int | None, typer.Option(min=0, help="Longest wait for the first word, in ms.")
    ] = None,
    turns: Annotated[int, typer.Option(min=0, help="Turns of the conversation so far.")] = 0,
    agent_type: Annotated[str, typer.Option(help="Type of the agent.")] = "customer_service",
    tools: Annotated[bool, typer.Option(help="Whether the agent has tools.")] = True,
    degrade: Annotated[bool, typer.Option(help="As after a reached quota.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Choose a model for what a caller says, and show every factor of the choice.

    Each line is one factor: its value, its weight, what it adds to the complexity, and why.
    """
    from aybiza.claude.choice import choose_model

    settings = settings_or_exit()
    if rule is not None:
        settings = settings.model_copy(update={"selection": rule})
    policy = policy_or_exit(settings)
    context: dict[str, Any] = {
        "agent_type": agent_type,
        "conversation_history": [""] * turns,
        "tools": ["a tool"] if tools else [],
    }
    context |= {"call_sid": call} if call else {}
    context |= {"cloudflare_country": country} if country else {}
    options = {"max_latency": max_latency} if max_latency is not None else {}
    choice = choose_model(policy, transcript, context, {**options, "degrade": degrade})
    if as_json:
        typer.echo(json_text(_chosen(choice, policy), 2))
        return
    width = max(len(factor.name) for factor in choice.factors)
    for factor in choice.factors:
        weight = "" if factor.weight is None else f"× {factor.weight:g}"
        adds = "" if factor.adds is None else f"+ {factor.adds:.3f}"
        value = _value(factor.value)
        columns = f"{value:>9}  {weight:6}  {adds:8}" if len(value) < _WIDE else f"  {value} "
        head = f"{factor.name:{width}}  {columns}  "
        say(head + factor.says, min(len(head), width + 31))
    typer.echo("")
    say(f"{choice.rule}: {choice.because}", 2)
    thinking = f", thinking up to {choice.thinking.budget} tokens" if choice.thinking else ""
    say(f"→ {choice.model} in {choice.region}, at most {choice.max_tokens} tokens{thinking}", 2)


_FIRST = "{:41}  {:8}  {}"
_SECOND = "  {:7}  {:6}  {:20}  {:16}  {:8}  {}"
_HEADER = (
    _FIRST.format("MODEL", "TIER", "STATE"),
    _SECOND.format("CONTEXT", "ANSWER", "USD A MILLION", "THINKING", "SAMPLING", "SCORES"),
)
_WIDE = 10


def _lines(model: "Model", today: date) -> Iterator[str]:
    """A model in at most 80 columns: what it is, what it takes, and what it cannot."""
    can = {
        "tools": model.tools,
        "force": model.forced_tools,
        "prefill": model.prefill,
        "vision": model.vision,
        "cache": model.min_cache_tokens is not None,
    }
    scores = model.scores
    yield _FIRST.format(model.id, model.tier, _state(model, today)).rstrip()
    yield _SECOND.format(
        f"{model.context // 1000}K",
        f"{model.max_output // 1000}K",
        _priced(model.prices),
        ", ".join(model.thinking) or "none",
        model.sampling,
        f"{scores.intelligence}/{scores.speed}/{scores.cost}",
    )
    cannot = ", ".join(word for word, holds in can.items() if not holds)
    if cannot:
        yield f"  cannot: {cannot}"
    if model.lifecycle(today) == "retired":
        yield f"  asked for, {(model.successor or '').rpartition('claude-')[2]} answers"


def _priced(prices: "Prices | LongContext") -> str:
    three = (prices.input, prices.output, prices.cache_read)
    return " / ".join("-" if price is None else _usd(price) for price in three)


def _usd(micro: int) -> str:
    whole = f"{micro / 1_000_000:.6f}".rstrip("0")
    decimals = len(whole.partition(".")[2])
    return whole + "0" * max(0, 2 - decimals)


def _state(model: "Model", today: date) -> str:
    state = model.lifecycle(today)
    if state == "retired":
        return f"retired {model.end_of_life}"
    return f"{state} until {model.end_of_life}" if model.end_of_life else state


def _described(catalogue: "Catalogue", today: date) -> dict[str, Any]:
    described = {}
    for model in catalogue.models.values():
        entry = model.model_dump(mode="json", exclude={"id"})
        entry["state"] = model.lifecycle(today)
        entry["ids"] = [f"{profile}.{model.id}" for profile in model.profiles]
        if model.on_demand:
            entry["ids"].append(model.id)
        for table in ("prices", "long_context"):
            if entry[table] is not None:
                entry[table] = {
                    key: value if key == "above" or value is None else value / 1_000_000
                    for key, value in entry[table].items()
                }
        described[model.id] = entry
    profiles = {name: profile.model_dump() for name, profile in catalogue.profiles.items()}
    return {"models": described, "aliases": dict(catalogue.aliases), "profiles": profiles}


def _chosen(choice: "Choice", policy: "Policy") -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "model": choice.model,
        "region": choice.region,
        "thinking": asdict(choice.thinking) if choice.thinking else None,
        "max_tokens": choice.max_tokens,
        "words": choice.words,
        "rule": choice.rule,
        "because": choice.because,
        "experiment": asdict(choice.experiment) if choice.experiment else None,
        "factors": [asdict(factor) for factor in choice.factors],
        "permitted": [profile.id for profile in policy.models],
    }


def _value(value: str | float | bool) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.3f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
