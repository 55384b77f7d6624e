"""What each command needs before it begins: settings, agent, models, or a clear end with code 2."""

import warnings
from datetime import date
from typing import TYPE_CHECKING, NoReturn

import typer

from aybiza.console import USAGE_ERROR
from aybiza.console.page import say

if TYPE_CHECKING:
    from aybiza.claude.choice import Policy
    from aybiza.config.catalogue import Catalogue
    from aybiza.config.routes import Routes
    from aybiza.config.settings import Settings

UNDER = 8


def settings_or_exit() -> "Settings":
    """The settings of this process's environment.

    Names misspelled variables on standard error. A wrong value ends the command with exit code 2.
    """
    from aybiza.config.settings import SettingsError, UnknownSettingWarning, load

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UnknownSettingWarning)
        try:
            settings = load()
        except SettingsError as error:
            _refuse(error.problems)
        finally:
            for warning in caught:
                say(f"aybiza: warning: {warning.message}", UNDER, err=True)
    return settings


def routes_or_exit(settings: "Settings") -> "Routes":
    """The agents that the settings name. One that cannot be read ends the command, exit code 2."""
    from aybiza.config.routes import RoutesError, load_routes

    try:
        return load_routes(settings.routes_file, settings.agent)
    except RoutesError as error:
        of_routes = f"{settings.routes_file}:"
        _refuse(
            [
                f"AYBIZA_ROUTES_FILE: {each}" if each.startswith(of_routes) else each
                for each in error.problems
            ]
        )


def catalogue_or_exit(settings: "Settings") -> "Catalogue":
    """The models that the settings give. A contradiction in them ends the command, exit code 2."""
    from aybiza.config.catalogue import CatalogueError, load, shipped

    try:
        return shipped() if settings.models_file is None else load(settings.models_file)
    except CatalogueError as error:
        _refuse([f"AYBIZA_MODELS_FILE: {problem}" for problem in error.problems])


def policy_or_exit(settings: "Settings") -> "Policy":
    """How the settings choose a model.

    Says on standard error which model ids were changed. One that nothing can be made of, or a
    selection that cannot be used, ends the command with exit code 2.
    """
    from aybiza.claude.choice import Policy
    from aybiza.claude.experiments import SelectionError

    try:
        policy = Policy.of(settings, catalogue_or_exit(settings), today=date.today())
    except SelectionError as error:
        _refuse(error.problems)
    for warning in policy.warnings:
        say(f"aybiza: warning: {warning}", UNDER, err=True)
    return policy


def quotas_or_exit(settings: "Settings", routes: "Routes") -> None:
    """Look at the quotas of the tenants. A file that cannot be used ends the command, code 2.

    Says on standard error for which tenants of this node it has no quotas, if it is for none.
    """
    import difflib

    from aybiza.claude.ledger import Quotas
    from aybiza.config.quotas import QuotasError

    try:
        quotas = Quotas.of(settings)
    except QuotasError as error:
        _refuse([f"AYBIZA_QUOTAS_FILE: {problem}" for problem in error.problems])
    tenants = {route.tenant for route in routes}
    if not quotas.tenants or tenants & set(quotas.tenants):
        return
    name = routes.default.tenant
    near = difflib.get_close_matches(name, quotas.tenants, n=1)
    others = f"; {near[0]!r} is near to it" if near else ""
    say(
        f"aybiza: warning: AYBIZA_QUOTAS_FILE: {settings.quotas_file}: no tenant is called"
        f" {name!r} as this node's agent is{others}: the default's quotas hold",
        UNDER,
        err=True,
    )


def prices_or_exit(settings: "Settings") -> None:
    """Look at the prices of services. A file that cannot be used ends the command, code 2."""
    from aybiza.config.prices import PricesError, load

    try:
        load(settings.prices_file)
    except PricesError as error:
        _refuse([f"AYBIZA_PRICES_FILE: {problem}" for problem in error.problems])


def outbound_or_exit(settings: "Settings", *, emulated: bool = False) -> None:
    """Look at the rules of outgoing calls. What cannot be used ends the command, code 2.

    `emulated`: emulators will be started, so nobody's account is needed."""
    if emulated:
        settings = settings.model_copy(update={"emulated": True})
    if settings.outbound_file is None:
        return
    from aybiza.config.outbound import OutboundError, load_rules
    from aybiza.config.phone_numbers import INSTALL, is_installed
    from aybiza.gateway.control.placing import placing

    try:
        placing(settings, load_rules(settings.outbound_file).file.carrier)
    except OutboundError as error:
        _refuse([f"AYBIZA_OUTBOUND_FILE: {problem}" for problem in error.problems])
    except ValueError as error:
        _refuse([f"AYBIZA_OUTBOUND_FILE: {error}"])
    if not is_installed():
        _refuse([f"AYBIZA_OUTBOUND_FILE: {INSTALL}"])


def tools_or_exit(settings: "Settings", routes: "Routes") -> None:
    """Look at the agents' tools and at the tools' file. What cannot be used ends the command, 2."""
    import asyncio

    from aybiza.console.answering import tool_files
    from aybiza.dialogue.tools.catalogue import ToolsError

    try:
        files = tool_files(settings)
    except ToolsError as error:
        _refuse([f"AYBIZA_TOOLS_FILE: {problem}" for problem in error.problems])
    try:
        for route in routes:
            name = settings.agent if route is routes.default else route.name
            where = "AYBIZA_AGENT=" if name == settings.agent else "AYBIZA_ROUTES_FILE: routes."
            try:
                files.toolbox(route.agent)
            except ToolsError as error:
                _refuse([f"{where}{name!r}: tools_file: {each}" for each in error.problems])
            except ValueError as error:
                _refuse([f"{where}{name!r}: tools: {error}"])
    finally:
        asyncio.run(files.aclose())


def agents_or_exit(settings: "Settings", routes: "Routes", policy: "Policy") -> None:
    """Look whether the node has what its agents ask for. What it has not ends the command, 2."""
    from aybiza.console.answering import own_policy, placed_fault

    problems = []
    for route in routes:
        try:
            own_policy(route.agent, settings, policy)
        except ValueError as error:
            problems.append(placed_fault(route, str(error)))
    if problems:
        _refuse(list(dict.fromkeys(problems)))


def folder_or_exit(settings: "Settings") -> None:
    """Have the folder that the node writes into. If it cannot be had, the command ends with 2."""
    from aybiza.config.private_files import PrivateFileError, private_folder

    folder = settings.memory_path.parent
    try:
        private_folder(folder)
    except PrivateFileError as error:
        _refuse([f"AYBIZA_MEMORY_PATH: {error}"])
    except OSError as error:
        _refuse([f"AYBIZA_MEMORY_PATH: the folder {folder} cannot be made: {error.strerror}"])


def certificate_or_exit(settings: "Settings") -> None:
    """Look at the doors' certificate. Files that cannot be used end the command, code 2.

    One that carriers will not take is no reason not to start: it may be renewed at any time.
    """
    if settings.tls_certificate is None or settings.tls_key is None:
        return
    from aybiza.gateway.admission.tls import TlsError, server_context

    try:
        server_context(settings.tls_certificate, settings.tls_key)
    except TlsError as error:
        _refuse([str(error)])


def stand_in_or_exit(settings: "Settings") -> None:
    """Look at who answers for the agents when they are emulated. Rules that cannot be used: 2."""
    from aybiza.config.agents import AgentError
    from aybiza.emulators.bedrock.rules import RulesError
    from aybiza.emulators.bedrock.stand_in import stand_in_of

    try:
        stand_in_of(settings.agent, settings.routes_file)
    except (AgentError, RulesError) as error:
        _refuse(error.problems)


def _refuse(problems: list[str]) -> NoReturn:
    for problem in problems:
        say(f"aybiza: {problem}", UNDER, err=True)
    raise typer.Exit(USAGE_ERROR)
