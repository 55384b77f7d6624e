"""Connectors: any HTTP API as tools, described by OpenAPI or by one schema.

    api = HttpApi("https://crm.example.org/v2", auth=bearer(token))
    for tool in create_connector("crm", {"openapi": "crm.json"}, api):
        registry.register(tool)

The configuration has `openapi` (a decoded document, or the path of a .json file) or `operations`: a
list of `{"name", "description", "method", "path", "input_schema"}`, and if need be
`"output_schema"` and `"places"`. Members named in the path go there, the others into the query of a
GET or DELETE and into the JSON body of anything else, unless `places` says otherwise. Besides:
`only` (the operations to offer), `effects` (`{"operation": "none" | "write" | …}`, where the method
does not tell), `seconds`.

A tool is called `<type>_<operation>`; an operation without a name of its own is `<type>_connector`.

Errors: `ValueError` for a description that makes no sense, `OSError` for a file that is not there.
Source: specification 001, "MCP Connectors" (`create_connector`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final, cast

from aybiza.dialogue.tool_registry import LONGEST_SECONDS, Tool, ToolError
from aybiza.dialogue.toolbox import Effect, ToolRun
from aybiza.dialogue.tools.http_api import HttpApi, segment
from aybiza.dialogue.tools.openapi import Operation, Place, in_path, name_of, operations

_DESCRIPTION_CHARACTERS: Final = 1_000
_EFFECTS: Final = ("none", "write", "transfer", "end_call")
_NAME_LENGTH: Final = 64


def create_connector(type_: str, config: Mapping[str, Any], api: HttpApi) -> list[Tool]:
    """The tools of one API; see the module. Reads a file if `openapi` is a path."""
    offered = _operations(type_, config)
    only = config.get("only")
    if only is not None:
        unknown = set(only) - {operation.name for operation in offered}
        if unknown:
            raise ValueError(f"{type_}: there is no operation {unknown.pop()!r}")
        offered = [operation for operation in offered if operation.name in only]
    effects = config.get("effects", {})
    seconds = float(config.get("seconds", LONGEST_SECONDS))
    return [
        _tool(type_, operation, effects.get(operation.name), seconds, api) for operation in offered
    ]


def _operations(type_: str, config: Mapping[str, Any]) -> list[Operation]:
    if ("openapi" in config) == ("operations" in config):
        raise ValueError(f"{type_}: give either `openapi` or `operations`")
    if "operations" in config:
        return [_described(type_, described) for described in config["operations"]]
    document = config["openapi"]
    if isinstance(document, str | Path):
        try:
            document = json.loads(Path(document).read_text(encoding="utf-8"))
        except ValueError as fault:
            raise ValueError(f"{type_}: {document} is not JSON: {fault}") from None
    try:
        return operations(document)
    except ValueError as fault:
        raise ValueError(f"{type_}: {fault}") from None


def _described(type_: str, described: Mapping[str, Any]) -> Operation:
    missing = {"method", "path", "input_schema"} - set(described)
    if missing:
        raise ValueError(f"{type_}: an operation has no {missing.pop()!r}")
    method, path = str(described["method"]).upper(), str(described["path"])
    schema = dict(described["input_schema"])
    places = dict(described.get("places", {}))
    members = schema.get("properties", {})
    named = in_path(path)
    for member in named:
        if member not in members or member not in schema.get("required", []):
            raise ValueError(f"{type_}: the path needs {member!r}, the input may lack it")
    otherwise: Place = "query" if method in ("GET", "HEAD", "DELETE") else "body"
    for member in members:
        places.setdefault(member, "path" if member in named else otherwise)
    return Operation(
        name=name_of(str(described.get("name", ""))) if described.get("name") else "connector",
        description=str(described.get("description") or f"Connect to the {type_} system"),
        method=method,
        path=path,
        input_schema=schema,
        places=places,
        output_schema=described.get("output_schema"),
    )


def _tool(
    type_: str, operation: Operation, effect: str | None, seconds: float, api: HttpApi
) -> Tool:
    name = f"{name_of(type_)}_{operation.name}"[:_NAME_LENGTH]
    meant = effect or ("write" if operation.writes else "none")
    if meant not in _EFFECTS:
        raise ValueError(f"{name}: {meant!r} is no effect; there are: {', '.join(_EFFECTS)}")
    answer = operation.output_schema
    return Tool(
        name=name,
        description=operation.description[:_DESCRIPTION_CHARACTERS],
        run=partial(_run, replace(operation, name=name), api),
        input_schema=operation.input_schema,
        output_schema=answer if answer and answer.get("type") == "object" else None,
        effect=cast(Effect, meant),
        seconds=seconds,
    )


async def _run(
    operation: Operation, api: HttpApi, given: dict[str, Any], use: ToolRun
) -> dict[str, Any]:
    parts: dict[str, dict[str, Any]] = {"path": {}, "query": {}, "header": {}, "body": {}}
    whole: Any = None
    for member, value in given.items():
        place = operation.places.get(member)
        if place == "whole_body":
            whole = value
        elif place == "body" or (place is not None and value is not None):
            parts[place][member] = value
    has_body = bool({"body", "whole_body"} & set(operation.places.values()))
    answer = await api.call(
        operation.method,
        _path(operation.path, parts["path"]),
        query={name: _plain(value) for name, value in parts["query"].items()},
        headers={name: str(_plain(value)) for name, value in parts["header"].items()},
        body=(parts["body"] if whole is None else whole) if has_body else None,
        idempotency_key=idempotency_key(use) if operation.writes else "",
    )
    return answer if isinstance(answer, dict) else {"result": answer}


def idempotency_key(use: ToolRun) -> str:
    """What tells a server that a write is the same one."""
    return f"{use.call_id}-{use.tool_use_id}"


def _path(template: str, values: Mapping[str, Any]) -> str:
    path = template
    for name, value in values.items():
        if value == "":
            raise ToolError("bad_input", f"{name} must not be empty.")
        path = path.replace("{" + name + "}", segment(_plain(value)))
    return path


def _plain(value: Any) -> Any:
    """A value as a URL carries it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Iterable) and not isinstance(value, str | Mapping):
        return ",".join(str(_plain(item)) for item in value)
    return json.dumps(value) if isinstance(value, Mapping) else value
