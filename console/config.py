"""`aybiza config`: the settings in force, where each comes from, secrets hidden.

Exit codes: 0; 1 if `--check` finds something that cannot be used; 2 if a setting, the agent or a
model id is wrong; the message names it.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from aybiza.config.escapes import json_text
from aybiza.console.page import say
from aybiza.console.setup import (
    agents_or_exit,
    catalogue_or_exit,
    outbound_or_exit,
    policy_or_exit,
    prices_or_exit,
    quotas_or_exit,
    routes_or_exit,
    settings_or_exit,
    tools_or_exit,
)

if TYPE_CHECKING:
    from aybiza.config.settings import Settings

EXAMPLE = "Example: AYBIZA_HTTP_PORT=3001 aybiza config --explain"

UNSET = "(unset)"


@dataclass(frozen=True, slots=True)
class Row:
    """A setting as it is shown. `source` is `environment` or `default`."""

    variable: str
    value: Any
    source: str
    about: str
    allowed: str


def show(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say of each setting what it is for.")
    ] = False,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Check whether the providers can be used, and the doors' security."
        ),
    ] = False,
) -> None:
    """Print the settings in force and where each comes from.

    Secrets are hidden. A wrong value is named, with what is allowed, and ends with exit code 2.
    With --check, says instead whether what they name can be used: models, regions, credentials,
    network; and what strangers could make use of. It takes 5 s at most and ends with exit code 1
    if something cannot be used, or by too many.
    """
    settings = settings_or_exit()
    routes = routes_or_exit(settings)
    tools_or_exit(settings, routes)
    prices_or_exit(settings)
    outbound_or_exit(settings)
    quotas_or_exit(settings, routes)
    if check:
        _check(settings, as_json)
    agents_or_exit(settings, routes, policy_or_exit(settings))
    rows = list(_rows(settings))
    if as_json:
        table = {row.variable: _without_name(row) for row in rows}
        typer.echo(json_text(table, 2))
        return
    width = max(len(row.variable) for row in rows)
    for row in rows:
        say(f"{row.variable:{width}}  {row.source:11}  {_text(row.value)}", width + 15)
        if explain:
            say(f"{'':{width}}  {row.about}", width + 2)
            say(f"{'':{width}}  Allowed: {row.allowed}.", width + 2)
            typer.echo("")


def _check(settings: "Settings", as_json: bool) -> NoReturn:
    from aybiza.console.checks import checks

    found = checks(settings, catalogue_or_exit(settings))
    if as_json:
        typer.echo(json.dumps([asdict(check) for check in found], indent=2))
    else:
        width = max(len(check.name) for check in found)
        for check in found:
            verdict = "ok  " if check.ok else "FAIL"
            say(f"{verdict}  {check.name:{width}}  {check.says}", width + 8)
    raise typer.Exit(0 if all(check.ok for check in found) else 1)


def _rows(settings: "Settings") -> Iterator[Row]:
    from pydantic import SecretStr

    from aybiza.config.redact import HIDDEN, hide_url_password
    from aybiza.config.settings import FIELDS, NAMES, allowed

    for variable, field in FIELDS.items():
        name = NAMES[variable]
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            value = HIDDEN
        elif isinstance(value, tuple):
            value = list(value)
        elif value is not None and not isinstance(value, bool | int | float):
            value = hide_url_password(str(value))
        source = "environment" if name in settings.model_fields_set else "default"
        yield Row(variable, value, source, field.description or "", allowed(variable))


def _without_name(row: Row) -> dict[str, Any]:
    return {key: value for key, value in asdict(row).items() if key != "variable"}


def _text(value: Any) -> str:
    match value:
        case None:
            return UNSET
        case bool():
            return str(value).lower()
        case list():
            return ", ".join(value)
        case _:
            return str(value)
