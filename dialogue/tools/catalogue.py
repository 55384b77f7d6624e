"""The tools of a node, from one TOML file: which there are, and what stands behind each.

    tools = load_tools("tools.toml", region="us-east-1", environment=os.environ)
    tools.registry                            every tool that the file gives
    await tools.warm(); await tools.aclose()

    [crm]                                     # lookup_customer, free_times, book_appointment
    base_url = "https://crm.example.org/v2"
    auth = { bearer = "CRM_TOKEN" }           # secrets are names of environment variables

    [knowledge]                               # search_knowledge
    folder = "documents"                      # or: kendra_index = "…"

    [transfer.sales]                          # transfer_call, one table a destination
    number = "+14155550123"
    description = "prices and orders"

    [mail]                                    # send_email
    sender = "desk@example.org"
    domains = ["example.org"]

    [code]                                    # execute_code
    function = "execute-code"

    [connectors.tickets]                      # tickets_<operation>
    base_url = "https://tickets.example.org"
    auth = { api_key = "TICKETS_KEY", name = "X-Api-Key" }
    openapi = "tickets.json"

    [python.tea]                              # the tools of a Python file or package of one's own
    file = "tea_tools.py"

    [mcp.files]                               # files_<tool>, of a Model Context Protocol server
    command = "files-server"                  # or: url = "https://files.example.org/mcp"
    reads = ["find"]                          # that change nothing

Contract: `load_tools` reads files, builds clients and starts servers: call it before the event loop
has calls to carry, or in a thread. Paths are relative to the file.
Errors: `ToolsError` names the file, the table and what is wrong with it.
Source: specification 001, "Tool Integration Examples" (`voice_agent_tools`).
"""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from aybiza.config.file_names import path_of
from aybiza.config.kinds import wanted
from aybiza.config.toml_file import TomlError, read_toml
from aybiza.config.toml_lines import placed
from aybiza.dialogue.consent import ConsentGate
from aybiza.dialogue.tool_registry import Tool, ToolRegistry
from aybiza.dialogue.tools.aws import Aws
from aybiza.dialogue.tools.code_execution import code_execution_tool
from aybiza.dialogue.tools.connectors import create_connector
from aybiza.dialogue.tools.crm import (
    HttpCrm,
    appointment_booking_tool,
    crm_lookup_tool,
    free_times_tool,
)
from aybiza.dialogue.tools.http_api import HttpApi
from aybiza.dialogue.tools.knowledge import KendraIndex, knowledge_search_tool
from aybiza.dialogue.tools.local_index import KnowledgeError, LocalIndex
from aybiza.dialogue.tools.mail import email_tool
from aybiza.dialogue.tools.mcp_tools import mcp_server, tools_of
from aybiza.dialogue.tools.python_tools import python_tools
from aybiza.dialogue.tools.tools_file import (
    ConnectorTable,
    Environment,
    KnowledgeTable,
    MailTable,
    McpTable,
    ToolsFile,
    members_at,
)
from aybiza.dialogue.tools.transfer import Destination, call_transfer_tool

if TYPE_CHECKING:
    from aybiza.dialogue.tools.mcp_server import McpServer

MOST_STARTING: Final = 8
"""Servers that are started at a time."""


class ToolsError(ValueError):
    """The tools' file cannot be used; the text says which one and why, `problems` has a line for
    each fault."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(slots=True)
class Tools:
    """What a file gives: `registry`, `tables` by the name of each tool, `destinations` by name for
    who transfers calls; `left_out`: by table what of an API is no tool, and why not."""

    registry: ToolRegistry = field(default_factory=ToolRegistry)
    tables: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, dict[str, str]] = field(default_factory=dict)
    destinations: dict[str, Destination] = field(default_factory=dict)
    apis: list[HttpApi] = field(default_factory=list)
    aws: Aws | None = None
    services: list[str] = field(default_factory=list)
    servers: list[McpServer] = field(default_factory=list)

    async def warm(self) -> None:
        """Make what the first use would have to wait for."""
        if self.aws is not None:
            await self.aws.warm(*self.services)

    async def aclose(self) -> None:
        """Close connections and threads."""
        for api in self.apis:
            await api.aclose()
        if self.aws is not None:
            self.aws.close()
        await asyncio.gather(*(asyncio.to_thread(each.close) for each in self.servers))


def load_tools(
    path: str | Path, *, region: str, environment: Environment, gate: ConsentGate | None = None
) -> Tools:
    """See the module; `gate` asks the caller before anything is written. Raises ToolsError."""
    source = Path(path)
    try:
        text, table = read_toml(source)
        file = ToolsFile.model_validate(table)
    except TomlError as fault:
        raise ToolsError([str(fault)]) from None
    except ValidationError as fault:
        raise ToolsError(
            [f"{placed(source, text, each['loc'])}: {_problem(each)}" for each in fault.errors()]
        ) from None
    try:
        return voice_agent_tools(
            file, source.parent, region=region, environment=environment, gate=gate
        )
    except ToolsError as fault:
        raise ToolsError(
            [
                f"{placed(source, text, problem.partition(':')[0].split('.'))}: {problem}"
                for problem in fault.problems
            ]
        ) from None


def voice_agent_tools(
    file: ToolsFile,
    folder: Path,
    *,
    region: str,
    environment: Environment,
    gate: ConsentGate | None = None,
) -> Tools:
    """The tools of a parsed file whose relative paths are from `folder`. Raises ToolsError."""
    builder = _Builder(folder, region, environment, gate)
    problems: list[str] = []
    for name, make in builder.steps(file):
        try:
            for tool in make():
                builder.tools.registry.register(tool)
                builder.tools.tables[tool.name] = name
        except (ValueError, OSError, KnowledgeError) as fault:
            problems.append(f"{name}: {fault}")
    if problems:
        for server in builder.tools.servers:
            server.close()
        raise ToolsError(problems)
    return builder.tools


class _Builder:
    """Makes the tools of each table."""

    def __init__(
        self, folder: Path, region: str, environment: Environment, gate: ConsentGate | None
    ) -> None:
        self.tools = Tools(ToolRegistry(gate=gate))
        self._folder = folder
        self._region = region
        self._environment = environment

    def steps(self, file: ToolsFile) -> Iterator[tuple[str, Callable[[], list[Tool]]]]:
        """The name of each table that the file has, and what makes its tools."""
        if crm := file.crm:
            yield "crm", lambda: self._crm(HttpCrm(self._api(crm.api(self._environment))))
        if knowledge := file.knowledge:
            where = "knowledge.kendra_index" if knowledge.kendra_index else "knowledge"
            yield where, lambda: [self._knowledge(knowledge)]
        for name, to in file.transfer.items():
            made = (name, to.number, to.description)
            yield f"transfer.{name}", lambda made=made: self._destination(*made)  # type: ignore[misc]
        if file.transfer:
            destinations = self.tools.destinations
            yield "transfer", lambda: [call_transfer_tool(list(destinations.values()))]
        if mail := file.mail:
            yield "mail", lambda: [self._mail(mail)]
        if code := file.code:
            yield (
                "code",
                lambda: [code_execution_tool(self._aws("lambda"), code.function, code.languages)],
            )
        for name, table in file.connectors.items():
            yield f"connectors.{name}", lambda n=name, t=table: self._connector(n, t)  # type: ignore[misc]
        for name, own in file.python.items():
            yield (
                f"python.{name}",
                partial(python_tools, self._folder / path_of(own.file), name, own.attribute),
            )
        for name, start in self._starting(file.mcp).items():
            yield f"mcp.{name}", partial(self._mcp, name, file.mcp[name], start)

    def _starting(self, tables: Mapping[str, McpTable]) -> dict[str, Future[McpServer]]:
        """The servers of these tables, started side by side: one that hangs costs its own time and
        not that of each other."""
        if not tables:
            return {}
        with ThreadPoolExecutor(min(len(tables), MOST_STARTING)) as pool:
            return {
                name: pool.submit(mcp_server, name, table, self._folder, self._environment)
                for name, table in tables.items()
            }

    def _mcp(self, name: str, table: McpTable, start: Future[McpServer]) -> list[Tool]:
        server = start.result()
        self.tools.servers.append(server)
        left_out = self.tools.left_out[f"mcp.{name}"] = dict(server.left_out)
        return tools_of(
            name,
            server.listed,
            server.call,
            only=table.only,
            reads=table.reads,
            seconds=table.seconds,
            left_out=left_out,
        )

    def _mail(self, table: MailTable) -> Tool:
        return email_tool(self._aws("sesv2"), table.sender, table.domains)

    def _crm(self, crm: HttpCrm) -> list[Tool]:
        return [
            crm_lookup_tool(crm.find),
            free_times_tool(crm.free),
            appointment_booking_tool(crm.book),
        ]

    def _knowledge(self, table: KnowledgeTable) -> Tool:
        if table.kendra_index:
            return knowledge_search_tool(
                KendraIndex(self._aws("kendra"), table.kendra_index).search
            )
        index = LocalIndex()
        if not index.add_folder(self._folder / path_of(table.folder or "")):
            raise ValueError(f"{table.folder} holds no .md or .txt file")
        return knowledge_search_tool(index.search)

    def _destination(self, name: str, number: str, description: str) -> list[Tool]:
        self.tools.destinations[name] = Destination(name, number, description)
        return []

    def _connector(self, name: str, table: ConnectorTable) -> list[Tool]:
        given = table.model_dump(
            exclude={"base_url", "auth", "headers"}, exclude_none=True, exclude_defaults=True
        )
        if table.openapi is not None:
            given["openapi"] = self._folder / path_of(table.openapi)
        left_out = self.tools.left_out.setdefault(f"connectors.{name}", {})
        return create_connector(name, given, self._api(table.api(self._environment)), left_out)

    def _api(self, api: HttpApi) -> HttpApi:
        self.tools.apis.append(api)
        return api

    def _aws(self, service: str) -> Aws:
        if self.tools.aws is None:
            self.tools.aws = Aws(region=self._region)
        self.tools.services.append(service)
        return self.tools.aws


def _problem(detail: Any) -> str:
    place = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "extra_forbidden":
        *table, member = detail["loc"]
        known = members_at(table)
        near = difflib.get_close_matches(str(member), known, n=1)
        meant = f"; did you mean {near[0]}?" if near else f"; there are: {', '.join(known)}"
        return f"{place} is not known{meant}"
    return f"{place}: {wanted(detail)}"
