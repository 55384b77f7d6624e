"""What each command needs before it begins: settings and agent, or a clear end with exit code 2."""

import sys
import warnings
from typing import TYPE_CHECKING, NoReturn

import typer

if TYPE_CHECKING:
    from config.agents import Agent
    from config.settings import Settings

USAGE_ERROR = 2


def settings_or_exit() -> "Settings":
    """The settings of this process's environment.

    Names misspelled variables on standard error. A wrong value ends the command with exit code 2.
    """
    from config.settings import SettingsError, UnknownSettingWarning, load

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UnknownSettingWarning)
        try:
            settings = load()
        except SettingsError as error:
            _refuse(error.problems)
        finally:
            for warning in caught:
                print(f"aybiza: warning: {warning.message}", file=sys.stderr)
    return settings


def agent_or_exit(settings: "Settings") -> "Agent":
    """The agent that the settings name. One that cannot be read ends the command, exit code 2."""
    from config.agents import AgentError, load_agent

    try:
        return load_agent(settings.agent)
    except AgentError as error:
        _refuse([f"AYBIZA_AGENT={settings.agent!r}: {problem}" for problem in error.problems])


def _refuse(problems: list[str]) -> NoReturn:
    for problem in problems:
        print(f"aybiza: {problem}", file=sys.stderr)
    raise typer.Exit(USAGE_ERROR)
